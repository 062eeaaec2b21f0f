"""What every model can do.

A model is fitted on a dataset and then serves *viewers*: from somebody's rated movies it folds in a representation,
and from that it expects stars for any movie, says how sure it is, and orders candidates. Users of the dataset are
viewers like any other at serving time; ``predict`` is for evaluation, where many users are asked at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings, Scale
from models.settings import Settings

S = TypeVar("S", bound=Settings)
Taste = TypeVar("Taste")
Parameters = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Epoch:
    """One pass of training, as it is drawn: losses are mean squared errors in stars squared."""

    number: int
    """Counted from 1."""
    of: int
    """The number of epochs asked for; training may end sooner."""
    train_loss: float
    validation_loss: float | None = None
    """``None`` where nothing was held out."""


Progress = Callable[[Epoch], None]
"""Called after each epoch. An exception raised here (``Cancelled``) ends the fit and leaves the model as it was."""


def unwatched(epoch: Epoch) -> None:
    """Watch no progress."""


@dataclass(frozen=True, eq=False)
class History:
    """What is known of a viewer."""

    movies: Ints
    """Rows of the rated movies, int32; none twice."""
    stars: Floats
    """The stars given to each, float32."""
    user: int | None = None
    """The viewer's row among the users, or ``None`` for somebody who is not in the dataset."""

    def __len__(self) -> int:
        return len(self.movies)

    def without(self, place: int) -> "History":
        """Return the history without the rating at a place."""
        return History(np.delete(self.movies, place), np.delete(self.stars, place), self.user)


def history_of(dataset: Dataset, user: int) -> History:
    """Return what a user of a dataset rated."""
    rows = dataset.rows_of(user)
    return History(dataset.ratings.movie[rows], dataset.ratings.stars[rows], user)


@dataclass(frozen=True, eq=False)
class Expectation:
    """What a viewer is expected to give: one entry for each movie of the dataset, float32."""

    stars: Floats
    """The expected rating, within the scale."""
    uncertainty: Floats
    """The standard deviation of the expected rating, in stars: how far more ratings could still move it. The scatter
    of a single rating around it (moods, whole stars) is not in it; see ``Model.noise``."""
    score: Floats
    """What lists are ordered by, highest first. Not stars: it may leave the scale and weighs how sure the model is."""


@dataclass(frozen=True)
class Fitted:
    """What is known of a fit when it is done."""

    curve: tuple[Epoch, ...] = ()
    best_epoch: int | None = None
    """The epoch with the lowest validation loss; ``None`` without validation."""

    @classmethod
    def of(cls, curve: Sequence[Epoch]) -> "Fitted":
        """Return a curve with its best epoch; of equal ones the first."""
        losses = [(epoch.validation_loss, epoch.number) for epoch in curve if epoch.validation_loss is not None]
        return cls(tuple(curve), min(losses)[1] if losses else None)


class Model(ABC, Generic[S, Taste]):
    """A model of one family: ``S`` are its settings, ``Taste`` is what it folds a viewer into.

    A fitted model is a set of named arrays, ``parameters``; whatever it needs to serve is in them, so that saving and
    loading is the same for all, and serving needs neither the training data nor torch. After ``fit`` or ``restore`` a
    model is not changed any more.
    """

    name: ClassVar[str]
    """As in ``MODELS`` and on the command line."""
    summary: ClassVar[str]
    """One line for people."""
    settings_type: ClassVar[type[Settings]]
    published: ClassVar[Settings | None] = None
    """The settings that repeat a source system as its author describes it; ``None`` where none has the model."""

    on_device: ClassVar[bool] = False
    """Whether it is fitted on the device that ``models.device`` chooses; else on the processor."""

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
        """Return the variance of a viewer's rating of each movie around what is expected, shape (movies,).

        In stars squared, as the fit found it: ``uncertainty^2 + noise`` is the variance of a rating to come. ``None``
        of a model that does not tell. It is ``noise`` among the parameters, the mean of several samples or members;
        where the model tells apart who scatters more, times ``user_scatter`` and ``movie_scatter``. ``user`` is the
        viewer's row among the users, or ``None`` for somebody who is not in the dataset.
        """
        found = self.parameters
        if "noise" not in found:
            return None
        noise = np.reshape(found["noise"], (-1, 1))
        if "user_scatter" in found:
            noise = noise * found["user_scatter"][:, -1 if user is None else user, None] * found["movie_scatter"]
        return np.broadcast_to(noise.mean(0), self.counts.shape).astype(np.float32)

    def fit(self, train: Dataset, validation: Ratings | None = None, progress: Progress = unwatched) -> Fitted:
        """Learn from a dataset's ratings.

        ``validation`` are ratings of the same users and movies that are not in ``train``; with them the curve has a
        validation loss. They are only watched: what is learned is the same with and without them.
        """
        parameters, fitted = self._learn(train, validation, progress)
        self.restore({**parameters, "counts": train.counts}, train.scale)
        return fitted

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model that these parameters were taken from."""
        self.parameters = parameters
        self.scale = scale

    @abstractmethod
    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        """Do the work of ``fit``; must not change the model."""

    @abstractmethod
    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the expected stars of pairs of a user and a movie, within the scale, shape (pairs,).

        A row of -1 stands for a user or movie that nothing is known of; one without ratings in train is the same.
        """

    def predict_pair(self, first: Ints, second: Ints, movies: Ints) -> Floats:
        """Return the expected mean rating of pairs of users who both rate a movie, shape (rows,).

        The same whichever user comes first. This one is the mean of both predictions; a model that learns from pairs
        overrides it.
        """
        # Each user and movie is predicted once: many triples share a rating.
        width = len(self.counts) + 1
        keys = np.concatenate([first, second]).astype(np.int64) * width + np.tile(movies, 2) + 1
        different, place = np.unique(keys, return_inverse=True)
        users, rows = np.divmod(different, width)
        stars = self.predict(users.astype(np.int32), (rows - 1).astype(np.int32))[place]
        return np.asarray((stars[: len(first)] + stars[len(first) :]) / 2, np.float32)

    @abstractmethod
    def fold_in(self, history: History) -> Taste:
        """Compute a viewer's representation from what they rated, without training again. May be empty."""

    @abstractmethod
    def expect(self, taste: Taste) -> Expectation:
        """Return what the viewer is expected to give each movie of the dataset, seen or not."""

    def movie_vectors(self) -> Floats | None:
        """Return what is known of each movie as a vector, shape (movies, size); ``None`` where a model has none.

        Movies that please the same viewers point the same way; how much a movie pleases in general is not in it.
        """
        return None

    def expect_pair(self, first: Taste, second: Taste) -> Expectation:
        """Return what a pair is expected to give each movie together: the mean of both ratings.

        The same whichever viewer comes first, and of a viewer with themselves what ``expect`` says. A model that learns
        from pairs overrides it.
        """
        a, b = self.expect(first), self.expect(second)
        uncertainty = np.sqrt(a.uncertainty**2 + b.uncertainty**2) / np.float32(2)
        half = np.float32(0.5)
        return Expectation((a.stars + b.stars) * half, uncertainty, (a.score + b.score) * half)

    def explain(self, history: History, movie: int) -> Floats:
        """Return what each rated movie brings to a movie's score, shape (ratings,).

        True to the model: without that rating the score is lower by just this share (higher, where it is negative).
        """
        shares: Floats = self.explain_list(history, np.asarray([movie], np.int32))[0]
        return shares

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return ``explain`` of several movies at once, shape (movies, ratings).

        This one leaves out each rating in turn; a model that has a shorter way to the same numbers overrides it.
        """
        whole = self.expect(self.fold_in(history)).score[movies]
        shares = np.empty((len(movies), len(history)), np.float32)
        for place in range(len(history)):
            shares[:, place] = whole - self.expect(self.fold_in(history.without(place))).score[movies]
        return shares


AnyModel = Model[Any, Any]
