"""The base of models that predict from similar users' ratings, or from the viewer's ratings of similar movies.

Both models work on residuals, ratings minus the effects of their user and movie (``movietui.models.bias``). With
``e_ui`` the residual of a rating, the similarity of two users, or of two movies, is the shrunk cosine

    s_ab = (sum e_a e_b over their n_ab common ratings) / (|e_a| |e_b|) * n_ab / (n_ab + shrinkage)

and its weight ``w_ab`` is ``s_ab`` with its absolute value raised to the power ``contrast`` (case amplification:
Breese, Heckerman and Kadie, Empirical analysis of predictive algorithms for collaborative filtering, 1998). Only the
largest weights of each user or movie are kept. The prediction is

    m + b_u + c_i + (sum w e) / (doubt + sum |w|)

with sums over the neighbours who rated the movie (user-knn: Herlocker et al., An algorithmic framework for performing
collaborative filtering, 1999), or over the neighbours that the viewer rated (item-knn: Sarwar et al., Item-based
collaborative filtering, 2001). The baseline and both kinds of shrinkage are those of Koren, Factor in the neighbors,
2010. A viewer who rated the movie counts as their own neighbour, and a rated movie counts as its own, because no other
rating says more about how much the viewer likes the movie.

``doubt / (doubt + sum |w|)`` is the share that remains unknown: 1 without neighbours, and almost 0 with many. The
variance of the prediction is that of the two effects plus ``taste`` times this share. ``taste``, in stars squared, is
estimated from some users' ratings, each predicted without itself. It is how much the neighbours reduce the squared
errors, divided by the sum of the known shares, ``sum |w| / (doubt + sum |w|)``.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale, grouped
from movietui.models.base import Expectation, Fitted, History, Model, Parameters, Progress
from movietui.models.bias import Bias, Generosity, expected
from movietui.models.caution import cautious
from movietui.models.metrics import mse
from movietui.models.settings import Settings, setting

BLOCK = 1 << 22
"""How many entries of a table are processed at once: 16 MiB in float32."""
SAMPLE = 8
"""The number of users whose ratings, each predicted without itself, determine the train loss and ``taste``."""
TINY = np.float32(1e-9)


@dataclass(frozen=True)
class NeighbourSettings(Settings):
    """Settings of ``UserKNN`` and ``ItemKNN``.

    The defaults of the fit were chosen on a held-out tenth (``hold_out``) of the train part of ``kfold5-0`` of
    ml-100k. The defaults of ``caution`` and ``popularity`` are the same as in ``BiasedMF``.
    """

    neighbours: int = setting(300, 1, 5000)
    """The number of neighbours of each user or movie: those with the largest weights."""
    shrinkage: float = setting(60.0, 0.0, 1000.0)
    """The number of common ratings, ``n``, at which a similarity is halved: ``s = cos · n / (n + shrinkage)``."""
    contrast: float = setting(1.5, 0.1, 5.0)
    """The power that similarities are raised to, ``w = sign(s) |s|^contrast``: above 1, a few similar neighbours
    outweigh many less similar ones (Breese et al. 1998)."""
    doubt: float = setting(0.02, 0.0001, 10.0)
    """The total weight of the neighbours at which the prediction moves halfway towards their ratings:
    ``Σ w e / (doubt + Σ |w|)``."""
    opposites: bool = setting(True, False, True)
    """Whether neighbours with opposite taste count, with a negative weight."""
    both: bool = setting(True, False, True)
    """Whether ratings are taken relative to the effects of both user and movie, rather than only of the side that has
    neighbours."""
    sweeps: int = setting(4, 1, 200)
    """How many times the effects of users and movies are updated in turn."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are subtracted from the stars to order a list:
    ``stars − caution · uncertainty``."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings, ``n``, is added to order a list:
    ``popularity · log(1 + n)``."""


@dataclass(frozen=True, eq=False)
class Residuals:
    """A viewer's effect, and the residuals of their ratings after all effects are subtracted."""

    generosity: Generosity
    movies: Ints
    """The rated movies, shape (ratings,)."""
    residual: Floats
    """In stars, shape (ratings,)."""


@dataclass(frozen=True, eq=False)
class ResidualLists:
    """Residuals grouped by movie or by user, one list after the other."""

    starts: NDArray[np.int64]
    """The start of each list, and the end of the last, shape (lists + 1,)."""
    other: Ints
    """The user or the movie of each rating, shape (ratings,)."""
    residual: Floats
    """Shape (ratings,)."""

    @classmethod
    def of(cls, rows: Ints, other: Ints, residual: Floats, total: int) -> "ResidualLists":
        order, starts = grouped(rows, total)
        return cls(starts, other[order], residual[order])

    def indices(self, lists: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the indices of all ratings in some lists, and for each rating the index of its list in ``lists``."""
        first = self.starts[lists]
        lengths = self.starts[lists + 1] - first
        which = np.repeat(np.arange(len(lists)), lengths)
        ends = np.cumsum(lengths)
        return np.arange(len(which)) + (first - (ends - lengths))[which], which

    def table(self, lists: NDArray[Any], width: int) -> tuple[Floats, Floats]:
        """Return the residuals of some lists, and 1 where there is a rating, shape (lists, width) each.

        In ``lists``, -1 stands for an empty list.
        """
        residual, rated = np.zeros((2, len(lists), width), np.float32)
        known = np.flatnonzero(lists >= 0)
        indices, which = self.indices(lists[known])
        residual[known[which], self.other[indices]] = self.residual[indices]
        rated[known[which], self.other[indices]] = 1
        return residual, rated

    def thinned(self, most: int) -> "ResidualLists":
        """Return the lists with at most ``most`` ratings each, evenly spread over the list."""
        lengths = np.diff(self.starts)
        long = np.repeat(lengths, lengths)
        index = np.arange(len(long)) - np.repeat(self.starts[:-1], lengths)
        chosen = (index + 1) * most // long > index * most // long
        starts = np.append(0, np.cumsum(np.minimum(lengths, most)))
        return ResidualLists(starts, self.other[chosen], self.residual[chosen])

    def sums(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of the values in each list, shape (lists,)."""
        cumulative = np.zeros(len(values) + 1)
        np.cumsum(values, out=cumulative[1:])
        return cumulative[self.starts[1:]] - cumulative[self.starts[:-1]]


@dataclass(frozen=True, eq=False)
class Sample:
    """Some ratings of the train part, with the sums over neighbours without each rating; shape (ratings,) each."""

    residual: Floats
    weighted: NDArray[Any]
    """``sum w e``."""
    weight: NDArray[Any]
    """``sum |w|``."""


S = TypeVar("S", bound=NeighbourSettings)
T = TypeVar("T", bound=Residuals)


class Neighbours(Model[S, T]):
    """The base of ``UserKNN`` and ``ItemKNN``; see the docstring of the module."""

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        self._bias = Bias()
        self._bias.restore(parameters, scale)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the predicted stars. Users and movies without ratings get the mean effect and have no neighbours."""
        parameters = self.parameters
        stars = expected(parameters, users, movies)
        unique, inverse = np.unique(users, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        starts = np.searchsorted(inverse[order], np.arange(len(unique) + 1))
        size = rows_at_once(max(len(parameters["user"]), len(parameters["movie"])))
        for first in range(0, len(unique), size):
            block = unique[first : first + size]
            rows = order[starts[first] : starts[first + len(block)]]
            weighted, weight = self._sums(block, inverse[rows] - first, movies[rows])
            stars[rows] += weighted / (np.float32(self.settings.doubt) + weight)
        return self.scale.clip(stars)

    def expect(self, taste: T) -> Expectation:
        """Return the stars and their uncertainty for every movie.

        The score is that of ``cautious``.
        """
        weighted, weight = self._sums_for_all(taste)
        effects = float(self.parameters["overall"]) + taste.generosity.mean + self.parameters["movie"][:-1]
        return self._expectation(
            effects, weighted, weight, taste.generosity.variance, self.parameters["movie_variance"], self.counts
        )

    def _expectation(
        self,
        effects: NDArray[Any],
        weighted: NDArray[Any],
        weight: NDArray[Any],
        user_variance: float,
        movie_variance: NDArray[Any],
        counts: NDArray[Any],
    ) -> Expectation:
        doubt = self.settings.doubt
        stars, unknown = effects + weighted / (doubt + weight), doubt / (doubt + weight)
        variance = movie_variance + user_variance + float(self.parameters["taste"]) * unknown
        return cautious(self.settings, self.scale, stars, variance, counts)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Compute the contributions of all ratings at once, from shifts of the viewer's effect and of all residuals."""
        taste = self.fold_in(history)
        score = self.expect(taste).score[movies]
        if not len(history):
            return np.zeros((len(movies), 0), np.float32)
        means, variance = self._bias.without_each(history, taste.generosity)
        weighted, weight = self._sums_without_each(taste, means - taste.generosity.mean, movies)
        effects = float(self.parameters["overall"]) + means + self.parameters["movie"][movies][:, None]
        spread, counts = self.parameters["movie_variance"][movies][:, None], self.counts[movies][:, None]
        return score[:, None] - self._expectation(effects, weighted, weight, variance, spread, counts).score

    @abstractmethod
    def _sums(self, users: Ints, user_index: NDArray[np.intp], movies: Ints) -> tuple[Floats, Floats]:
        """Return ``sum w e`` and ``sum |w|`` for pairs of a user and a movie, shape (pairs,) each.

        ``users``: the distinct users. ``user_index``: the index of each pair's user in ``users``.
        """

    @abstractmethod
    def _sums_for_all(self, taste: T) -> tuple[Floats, Floats]:
        """Return the sums for a viewer and every movie, shape (movies,) each."""

    @abstractmethod
    def _sums_without_each(self, taste: T, shifts: NDArray[Any], movies: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the sums without each rating, shape (movies, ratings) each.

        ``shifts``: how far the viewer's effect moves without each rating.
        """

    def _residuals(self, history: History) -> tuple[Generosity, Floats]:
        generosity = self._bias.fold_in(history)
        effects = float(self.parameters["overall"]) + generosity.mean + self.parameters["movie"][history.movies]
        return generosity, (history.stars - effects).astype(np.float32)

    def with_taste(
        self,
        parameters: Parameters,
        train: Dataset,
        sample: Sample,
        validation: Ratings | None,
        progress: Progress,
    ) -> tuple[Parameters, Fitted]:
        """Add ``taste`` to the parameters, and report the losses."""
        doubt = self.settings.doubt
        weighted = sample.weighted / (doubt + sample.weight)
        reduction = sample.residual**2 - (sample.residual - weighted) ** 2
        known = (sample.weight / (doubt + sample.weight)).sum()
        parameters["taste"] = np.asarray(max(float(reduction.sum() / known), 0.0) if known else 0.0)
        train_loss = float(((sample.residual - weighted) ** 2).mean()) if len(weighted) else 0.0
        validation_loss = None
        if validation is not None:
            fitted = type(self)(self.settings)
            fitted.restore(parameters, train.scale)
            validation_loss = mse(fitted.predict(validation.user, validation.movie), validation.stars)
        return parameters, Fitted.in_closed_form(train_loss, validation_loss, progress)

    def _similarity(self, dot: Any, common: Any, norm: Any, others: Any) -> Any:
        """Return the shrunk cosine, for arrays or tensors.

        ``dot``: sums of products. ``common``: numbers of common ratings. ``norm`` and ``others``: both norms.
        """
        return dot * common / ((common + self.settings.shrinkage) * (norm * others) + TINY)

    def _weights(self, similarity: NDArray[Any]) -> Floats:
        """Return similarities with the contrast applied. Negative ones become 0 unless ``opposites`` count."""
        low = -1.0 if self.settings.opposites else 0.0
        similarity = np.clip(np.asarray(similarity, np.float32), low, 1.0)
        return np.asarray(np.copysign(np.abs(similarity) ** self.settings.contrast, similarity), np.float32)

    def _self_weight(self, ratings: Any) -> Any:
        """Return the weight of a user or movie as its own neighbour, by its number of ratings."""
        return (ratings / np.maximum(ratings + self.settings.shrinkage, TINY)) ** self.settings.contrast


def rows_at_once(entries: int) -> int:
    """Return how many rows with this many entries are processed at once."""
    return max(1, BLOCK // max(1, entries))
