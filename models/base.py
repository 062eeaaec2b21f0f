"""The contract of every model.

A model is fitted on a dataset and then serves *viewers*: it folds a viewer's ratings into a representation, and from
that predicts stars for every movie with their uncertainty, and scores the movies for a list. Users of the dataset
are viewers like any other when served; ``predict`` is for evaluation, which asks about many users at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.models.settings import Settings

S = TypeVar("S", bound=Settings)
Taste = TypeVar("Taste")
Parameters = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Epoch:
    """One pass of training, a point of the curve; losses are mean squared errors in stars squared."""

    number: int
    """Counted from 1."""
    of: int
    """The number of epochs requested; training may stop earlier."""
    train_loss: float
    validation_loss: float | None = None
    """``None`` if nothing was held out."""


Progress = Callable[[Epoch], None]
"""Called after each epoch. If it raises (``Cancelled``), the fit ends and the model stays as it was."""


def ignore_epoch(epoch: Epoch) -> None:
    """Ignore progress."""


@dataclass(frozen=True, eq=False)
class History:
    """A viewer's ratings."""

    movies: Ints
    """Rows of the rated movies, int32, without duplicates."""
    stars: Floats
    """The rating of each in stars, float32."""
    user: int | None = None
    """The viewer's row among the users, or ``None`` for a viewer who is not in the dataset."""

    def __len__(self) -> int:
        return len(self.movies)

    def without(self, index: int) -> "History":
        """Return the history without one of its ratings."""
        return History(np.delete(self.movies, index), np.delete(self.stars, index), self.user)


def history_of(dataset: Dataset, user: int) -> History:
    """Return the ratings of a user of the dataset."""
    rows = dataset.rows_of(user)
    return History(dataset.ratings.movie[rows], dataset.ratings.stars[rows], user)


@dataclass(frozen=True, eq=False)
class Expectation:
    """Predictions for one viewer: an entry for each movie of the dataset, float32."""

    stars: Floats
    """The predicted rating, within the scale."""
    uncertainty: Floats
    """The standard deviation of the predicted rating, in stars: how far more ratings could still move it. The scatter
    of a single rating around it (moods, whole stars) is not included; see ``Model.noise``."""
    score: Floats
    """What lists are ordered by, highest first. Not stars: it may leave the scale, and it accounts for uncertainty."""


@dataclass(frozen=True)
class Fitted:
    """The result of a fit."""

    curve: tuple[Epoch, ...] = ()
    best_epoch: int | None = None
    """The epoch with the lowest validation loss; ``None`` without validation."""

    @classmethod
    def of(cls, curve: Sequence[Epoch]) -> "Fitted":
        """Return a curve with its best epoch, the first of equal ones."""
        losses = [(epoch.validation_loss, epoch.number) for epoch in curve if epoch.validation_loss is not None]
        return cls(tuple(curve), min(losses)[1] if losses else None)


class Model(ABC, Generic[S, Taste]):
    """A model with settings ``S`` that folds a viewer into a ``Taste``.

    A fitted model is a set of named arrays, ``parameters``, which hold everything it needs to serve: saving and loading
    are the same for all models, and serving needs neither the training data nor torch. After ``fit`` or ``restore`` a
    model never changes.
    """

    name: ClassVar[str]
    """Its name in ``MODELS`` and on the command line."""
    summary: ClassVar[str]
    """One line for people."""
    settings_type: ClassVar[type[Settings]]
    published: ClassVar[Settings | None] = None
    """The settings that repeat a source system as its author describes it; ``None`` if no source has this model."""

    on_device: ClassVar[bool] = False
    """Whether it is fitted on the device that ``movietui.models.training.device`` chooses, rather than on the
    processor."""

    def __init__(self, settings: S | None = None, *, seed: int = 0) -> None:
        self.settings: S = settings if settings is not None else self.settings_type()  # type: ignore[assignment]
        self.seed = seed
        self.scale = Scale()
        self.parameters: Parameters = {}

    @property
    def counts(self) -> Ints:
        """The number of ratings of each movie that the model was fitted on, shape (movies,)."""
        return self.parameters["counts"]

    def noise(self, user: int | None) -> Floats | None:
        """Return the variance of a viewer's rating of each movie around the prediction, shape (movies,).

        In stars squared, as estimated by the fit: ``uncertainty^2 + noise`` is the variance of a future rating.
        ``None`` if the model does not estimate it. It is the parameter ``noise``, averaged over samples or members, and
        where the model estimates who scatters more, times ``user_scatter`` and ``movie_scatter``. ``user`` is the
        viewer's row among the users, or ``None`` for a viewer who is not in the dataset.
        """
        parameters = self.parameters
        if "noise" not in parameters:
            return None
        noise = np.reshape(parameters["noise"], (-1, 1))
        if "user_scatter" in parameters:
            scatter = parameters["user_scatter"][:, -1 if user is None else user, None]
            noise = noise * scatter * parameters["movie_scatter"]
        return np.broadcast_to(noise.mean(0), self.counts.shape).astype(np.float32)

    def fit(self, train: Dataset, validation: Ratings | None = None, progress: Progress = ignore_epoch) -> Fitted:
        """Fit the model to a dataset's ratings.

        ``validation`` holds ratings of the same users and movies that are not in ``train`` and adds a validation loss
        to the curve. It is only observed: the fitted model is the same with and without it.
        """
        parameters, fitted = self._learn(train, validation, progress)
        self.restore({**parameters, "counts": train.counts}, train.scale)
        return fitted

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model with these parameters."""
        self.parameters = parameters
        self.scale = scale

    @abstractmethod
    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        """Do the work of ``fit`` without changing the model."""

    @abstractmethod
    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars for pairs of a user and a movie, within the scale, shape (pairs,).

        A row of -1 is an unknown user or movie; one without ratings in train counts as unknown.
        """

    def predict_pair(self, first: Ints, second: Ints, movies: Ints) -> Floats:
        """Return the predicted mean rating of two users for a movie, for each of the rows, shape (rows,).

        Symmetric in the users. By default the mean of both predictions; a model that learns from pairs overrides it.
        """
        # Each user and movie is predicted once: many triples share a rating.
        width = len(self.counts) + 1
        keys = np.concatenate([first, second]).astype(np.int64) * width + np.tile(movies, 2) + 1
        unique, inverse = np.unique(keys, return_inverse=True)
        users, rows = np.divmod(unique, width)
        stars = self.predict(users.astype(np.int32), (rows - 1).astype(np.int32))[inverse]
        return np.asarray((stars[: len(first)] + stars[len(first) :]) / 2, np.float32)

    @abstractmethod
    def fold_in(self, history: History) -> Taste:
        """Compute a viewer's representation from their ratings, of which there may be none, without training again."""

    @abstractmethod
    def expect(self, taste: Taste) -> Expectation:
        """Predict every movie of the dataset for the viewer, seen or not."""

    def movie_vectors(self) -> Floats | None:
        """Return a vector for each movie, shape (movies, size), or ``None`` if the model has none.

        Movies liked by the same viewers point the same way; how well a movie is liked in general is not included.
        """
        return None

    def expect_pair(self, first: Taste, second: Taste) -> Expectation:
        """Predict the mean of both viewers' ratings for every movie.

        Symmetric in the viewers; for a viewer paired with themselves the same as ``expect``. A model that learns from
        pairs overrides it.
        """
        a, b = self.expect(first), self.expect(second)
        uncertainty = np.sqrt(a.uncertainty**2 + b.uncertainty**2) / np.float32(2)
        half = np.float32(0.5)
        return Expectation((a.stars + b.stars) * half, uncertainty, (a.score + b.score) * half)

    def explain(self, history: History, movie: int) -> Floats:
        """Return the contribution of each of the viewer's ratings to a movie's score, shape (ratings,).

        True to the model: without that rating the score would be lower by exactly this much (higher if negative).
        """
        shares: Floats = self.explain_list(history, np.asarray([movie], np.int32))[0]
        return shares

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return ``explain`` for several movies at once, shape (movies, ratings).

        By default each rating is left out in turn; a model with a faster way to the same numbers overrides it.
        """
        score = self.expect(self.fold_in(history)).score[movies]
        shares = np.empty((len(movies), len(history)), np.float32)
        for index in range(len(history)):
            shares[:, index] = score - self.expect(self.fold_in(history.without(index))).score[movies]
        return shares


AnyModel = Model[Any, Any]
