"""The contract of every model.

A model is fitted on a dataset and then serves *viewers*: it folds a viewer's ratings into a representation, from which
it predicts the stars of every movie, their uncertainty and a score for lists. Users of the dataset are served like all
other viewers. Only fits and evaluations call ``predict`` instead, which takes many users at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.language import tr
from movietui.data.near_names import either
from movietui.data.problems import Problem
from movietui.models.choices import CLOSED_FORM, LEARN_FROM_WATCHING
from movietui.models.settings import Settings
from movietui.models.training import memory, torch_check

S = TypeVar("S", bound=Settings)
Taste = TypeVar("Taste")
Parameters = dict[str, NDArray[Any]]
Times = NDArray[np.int64]


@dataclass(frozen=True)
class Epoch:
    """A point on the training curve: a pass over the ratings or, with a name, a stage. Losses are mean squared errors,
    in stars squared; ``None`` if the dataset has no stars."""

    number: int
    """Counted from 1."""
    of: int
    """The number of epochs requested; training may stop earlier."""
    train_loss: float | None
    """For what it is measured on, see ``movietui.models.choices.TRAIN_LOSSES``."""
    validation_loss: float | None = None
    """Also ``None`` without validation ratings."""
    stage: str = ""
    """The name of a stage; empty for a pass. The stages of ``blend`` are the models that it fits and, last, itself.
    They are not passes over the same model, so no line connects their losses. A fit in closed form is one stage."""


Progress = Callable[[Epoch], None]
"""Called after each epoch. If it raises an exception, such as ``Cancelled``, the fit ends without changing the
model."""


def ignore_epoch(epoch: Epoch) -> None:
    """Ignore progress."""


@dataclass(frozen=True, eq=False)
class History:
    """A viewer's ratings."""

    movies: Ints
    """Rows of the rated movies, int32, without duplicates."""
    stars: Floats
    """The rating of each movie, in stars, float32."""
    user: int | None = None
    """The viewer's row among the users that the model knows; ``None`` for other viewers."""
    time: Times | None = None
    """When each rating was given, in seconds since 1970 in UTC; 0 if that is not known, and ``None`` if it is not known
    of any."""

    @classmethod
    def of_ratings(cls, movies: Ints, stars: Floats, user: int | None = None, time: Times | None = None) -> "History":
        """Return the history of ratings with duplicates, as where the rule against them is off.

        Of several ratings of a movie, the newest counts or, in the same second or without times, the last one.
        """
        history = cls(movies, stars, user, time)
        ordered = np.sort(movies)
        if not (ordered[1:] == ordered[:-1]).any():
            return history
        order = np.lexsort((np.arange(len(movies)) if time is None else time, movies))  # stable
        newest = np.append(movies[order][1:] != movies[order][:-1], True)
        return history.take(np.sort(order[newest]))

    def __len__(self) -> int:
        return len(self.movies)

    def take(self, which: "slice | NDArray[Any]") -> "History":
        """Return only some of the ratings, in this order."""
        time = None if self.time is None else self.time[which]
        return History(self.movies[which], self.stars[which], self.user, time)

    def among(self, count: int) -> "History":
        """Return only the ratings of the dataset's first ``count`` movies."""
        rated = self.movies < count
        return self if rated.all() else self.take(rated)

    def without(self, index: int) -> "History":
        """Return the history without the rating at an index."""
        return self.take(np.delete(np.arange(len(self)), index))


def history_of(dataset: Dataset, user: int) -> History:
    """Return the ratings of a user of the dataset."""
    ratings, user_in_models = dataset.ratings_of(user), user if dataset.users_are_in_models else None
    return History.of_ratings(ratings.movie, ratings.stars, user_in_models, ratings.time)


@dataclass(frozen=True, eq=False)
class Expectation:
    """Predictions for one viewer. Each array is float32 and has an entry for each movie of the dataset."""

    stars: Floats
    """The predicted rating, within the scale."""
    uncertainty: Floats
    """The standard deviation of the predicted rating, in stars: how far the prediction could still move if the viewer
    gave more ratings. It does not include the scatter of a single rating around the prediction (moods, rounding to
    whole stars); see ``Model.noise``."""
    score: Floats
    """The value that lists in the order ``likely`` are sorted by, highest first. Unlike stars, it may lie outside the
    scale, and many models lower it for uncertain predictions."""


@dataclass(frozen=True)
class Fitted:
    """The result of a fit."""

    curve: tuple[Epoch, ...] = ()
    best_epoch: int | None = None
    """The epoch that the model is taken from; ``None`` without epochs, or with stages instead. It is the last one,
    unless the fit holds out ratings to choose an earlier one."""

    @classmethod
    def of(cls, curve: Sequence[Epoch]) -> "Fitted":
        """Return the result of a fit that ends with the last epoch or stage of its curve."""
        return cls(tuple(curve), curve[-1].number if curve and not curve[-1].stage else None)

    @classmethod
    def in_closed_form(cls, train_loss: float, validation_loss: float | None, progress: Progress) -> "Fitted":
        """Report the losses of a fit without epochs, and return its result."""
        stage = Epoch(1, 1, train_loss, validation_loss, CLOSED_FORM)
        progress(stage)
        return cls.of([stage])


class Model(ABC, Generic[S, Taste]):
    """A model with settings ``S`` that folds a viewer into a ``Taste``.

    A fitted model consists of named arrays, ``parameters``, which hold everything that serving needs. All models are
    therefore saved and loaded in the same way, and serve without the training data and without torch. A fitted or
    restored model does not change.
    """

    name: ClassVar[str]
    """The model's name in ``MODELS`` and on the command line."""
    summary: ClassVar[str]
    """One line that describes the model on screen."""
    formula: ClassVar[str] = ""
    """What the model predicts or, if it is made for lists, its score; ``docs/models.md`` explains the symbols."""
    reference: ClassVar[str] = ""
    """Where the model is described: authors and year, or an earlier system; empty if nowhere."""
    settings_type: ClassVar[type[Settings]]
    published: ClassVar[Settings | None] = None
    """The settings that the author of an earlier system with this model describes; ``None`` without such a system."""

    predicts_unrated: ClassVar[bool] = False
    """Whether the model predicts movies without ratings from what describes them. Such a model is also fitted on the
    unrated movies of a dataset that is joined with IMDb, and lists them."""

    needs_stars: ClassVar[bool] = True
    """Whether the model learns from stars. The other models can also learn from who watched what."""

    needs_torch: ClassVar[bool] = False
    """Whether a fit needs torch. Serving never does."""

    on_device: ClassVar[bool] = False
    """Whether the model is fitted on the device that ``movietui.models.training.device`` chooses, rather than on the
    CPU."""

    def __init__(self, settings: S | None = None, *, seed: int = 0) -> None:
        self.settings: S = settings if settings is not None else self.settings_type()  # type: ignore[assignment]
        self.seed = seed
        self.scale = Scale()
        self.parameters: Parameters = {}

    @property
    def reads_time(self) -> bool:
        """Whether the model learns from when ratings were given, so that ``predict_at`` differs from ``predict``."""
        return False

    @property
    def counts(self) -> Ints:
        """For each movie, the number of ratings that the model was fitted on, shape (movies,)."""
        return self.parameters["counts"]

    def only_for_predict(self) -> frozenset[str]:
        """Return the names of the parameters that only ``predict`` reads, such as the ratings of all users.

        Checkpoints leave them out, because users are served like other viewers.
        """
        return frozenset()

    def serving_parameters(self) -> Parameters:
        """Return the parameters without those that are ``only_for_predict``."""
        left_out = self.only_for_predict()
        return {name: values for name, values in self.parameters.items() if name not in left_out}

    def of_train(self, name: str) -> NDArray[Any]:
        """Return a parameter that is ``only_for_predict``. Raises ``Problem`` if the model comes from a checkpoint."""
        try:
            values: NDArray[Any] = self.parameters[name]
            return values
        except KeyError:
            raise Problem(
                tr(
                    "{model} comes from a checkpoint, which leaves out the users; fold the user in instead.",
                    model=self.name,
                )
            ) from None

    def noise(self, user: int | None) -> Floats | None:
        """Return, for each movie, the variance of a viewer's rating around the prediction, shape (movies,).

        In stars squared. ``uncertainty^2 + noise`` is the variance of a future rating. The result is the parameter
        ``noise``, averaged over samples or members. If the model also estimates how much the ratings of each user and
        each movie scatter, ``noise`` is first multiplied by ``user_scatter`` and ``movie_scatter``. ``user``: the
        viewer's row among the users, or ``None`` for a viewer who is not in the dataset. Returns ``None`` if the model
        does not estimate the noise.
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

        ``validation``: other ratings by the users of ``train`` and of its movies. They add validation losses to the
        curve, but do not change the fitted model. Raises ``Problem`` if the memory is too small, or if the model needs
        torch or stars, and there are none.
        """
        self.check_ratings(train)
        self.check_torch()
        memory.require(self.name, self.memory_needed(train), len(train.users), len(train.movies))

        def without_losses(epoch: Epoch) -> Epoch:
            return replace(epoch, train_loss=None, validation_loss=None)

        report = (lambda epoch: progress(without_losses(epoch))) if train.implicit else progress
        parameters, fitted = self._learn(train, validation, report)
        self.restore({**parameters, "counts": train.counts}, train.scale)
        return replace(fitted, curve=tuple(map(without_losses, fitted.curve))) if train.implicit else fitted

    def for_all_ratings(self) -> Self:
        """Return an unfitted model, to be fitted on all ratings, given this one, which was fitted on most of them."""
        return type(self)(self.settings, seed=self.seed)

    @classmethod
    def check_ratings(cls, train: Dataset) -> None:
        """Raise ``Problem`` if the model needs stars and the dataset has none."""
        if cls.needs_stars and train.implicit:
            raise Problem(
                tr(
                    "{model} learns from stars, and {dataset} only says who watched what; use {models}.",
                    model=cls.name,
                    dataset=train.name,
                    models=either(LEARN_FROM_WATCHING),
                )
            )

    @classmethod
    def check_torch(cls) -> None:
        """Raise ``Problem`` if the model needs torch and torch cannot be imported."""
        if cls.needs_torch:
            torch_check.require(cls.name)

    def memory_needed(self, train: Dataset) -> int:
        """Return about how many bytes a fit takes for tables whose size depends on the numbers of users and movies; 0
        without such tables."""
        return 0

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        self.parameters = parameters
        self.scale = scale

    @abstractmethod
    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        """Return the parameters and the result of a fit, without changing the model."""

    @abstractmethod
    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars of pairs of a user and a movie, within the scale, shape (pairs,).

        A row of -1 stands for an unknown user or movie. A user or movie without ratings in train also counts as
        unknown, apart from its side features. Raises ``Problem`` if the model comes from a checkpoint and needs
        parameters that are ``only_for_predict``.
        """

    def predict_at(self, users: Ints, movies: Ints, time: Times) -> Floats:
        """Return the same for ratings that were given at known moments.

        ``time``: the moment of each rating, in seconds since 1970 in UTC, 0 if it is not known. Only a model that
        ``reads_time`` overrides this method.
        """
        return self.predict(users, movies)

    def predict_pair(self, first: Ints, second: Ints, movies: Ints) -> Floats:
        """Return, for each row, the predicted mean of two users' ratings of a movie, shape (rows,).

        The result is symmetric in the users. By default, it is the mean of the two predictions. A model that learns
        from pairs overrides this method.
        """
        # Many triples have the same user and movie, so each such combination is predicted only once.
        width = len(self.counts) + 1
        keys = np.concatenate([first, second]).astype(np.int64) * width + np.tile(movies, 2) + 1
        unique, inverse = np.unique(keys, return_inverse=True)
        users, rows = np.divmod(unique, width)
        stars = self.predict(users.astype(np.int32), (rows - 1).astype(np.int32))[inverse]
        return np.asarray((stars[: len(first)] + stars[len(first) :]) / 2, np.float32)

    @abstractmethod
    def fold_in(self, history: History) -> Taste:
        """Return a viewer's representation, computed from their ratings, if any, without retraining."""

    def extend(self, taste: Taste, history: History) -> Taste:
        """Return what ``fold_in`` returns for a history, given the taste of the same viewer before their last rating.

        A model that can add a rating to sums over the earlier ones overrides this: a viewer waits for the list after
        each rating.
        """
        return self.fold_in(history)

    @abstractmethod
    def expect(self, taste: Taste) -> Expectation:
        """Predict the viewer's ratings of all movies of the dataset, including those they have seen."""

    def score(self, taste: Taste) -> Floats:
        """Return the score that ``expect`` predicts, for those who need nothing else.

        A model whose scores do not depend on its stars overrides this.
        """
        return self.expect(taste).score

    def stars(self, taste: Taste, movies: Ints) -> Floats:
        """Return the stars that ``expect`` predicts for some movies, shape (movies,), for those who need nothing else.

        A model that needs much longer for the uncertainty of all movies overrides this.
        """
        return self.expect(taste).stars[movies]

    def movie_vectors(self) -> Floats | None:
        """Return a vector for each movie, shape (movies, size), or ``None`` if the model has none.

        The vectors of movies that the same viewers like point in similar directions. They do not say how much a movie
        is liked in general.
        """
        return None

    def expect_pair(self, first: Taste, second: Taste) -> Expectation:
        """Predict the mean of both viewers' ratings for every movie.

        The result is symmetric in the viewers. By default, the stars and the score are the means of both viewers'
        predictions, and the uncertainty assumes that the errors of both predictions are independent, except for a
        viewer paired with themselves. A model that learns from pairs overrides this method.
        """
        if first is second:
            return self.expect(first)
        a, b = self.expect(first), self.expect(second)
        uncertainty = np.sqrt(a.uncertainty**2 + b.uncertainty**2) / np.float32(2)
        half = np.float32(0.5)
        return Expectation((a.stars + b.stars) * half, uncertainty, (a.score + b.score) * half)

    def explain(self, history: History, movie: int) -> Floats:
        """Return the contribution of each of the viewer's ratings to a movie's score, shape (ratings,).

        Without a rating, the score would be lower by exactly the rating's contribution (higher if the contribution is
        negative).
        """
        shares: Floats = self.explain_list(history, np.asarray([movie], np.int32))[0]
        return shares

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Return the contributions that ``explain`` returns, for several movies, shape (movies, ratings).

        By default, each rating is left out in turn. A model that can compute the same numbers faster overrides this.
        """
        score = self.expect(self.fold_in(history)).score[movies]
        shares = np.empty((len(movies), len(history)), np.float32)
        for index in range(len(history)):
            shares[:, index] = score - self.expect(self.fold_in(history.without(index))).score[movies]
        return shares


AnyModel = Model[Any, Any]
