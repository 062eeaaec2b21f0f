"""Neighbours: what similar users gave a movie, and what the viewer gave similar movies.

Both models look at what is left of a rating when the effects of its user and its movie are taken off (``models.bias``).
With ``e_ui`` the rest of a rating, the similarity of two users, or of two movies, is the shrunk cosine

    s_ab = (sum e_a e_b over what both have) / (|e_a| |e_b|) * n_ab / (n_ab + shrinkage)

with ``n_ab`` the number of what both have; its weight ``w_ab`` is ``s_ab`` with its size raised to the power
``contrast`` (case amplification: Breese, Heckerman and Kadie, Empirical analysis of predictive algorithms for
collaborative filtering, 1998). Only the largest weights of each are kept. What is expected is

    m + b_u + c_i + (sum w e) / (doubt + sum |w|)

over the neighbours that rated (user-knn: Herlocker et al., An algorithmic framework for performing collaborative
filtering, 1999) or were rated (item-knn: Sarwar et al., Item-based collaborative filtering, 2001; the baseline and
both kinds of shrinkage as in Koren, Factor in the neighbors, 2010). Who rated a movie is their own neighbour there, and
a movie that the viewer rated is its own neighbour: what somebody gave it says the most about what they think of it.

``doubt / (doubt + sum |w|)`` is the share of the unknown: 1 without neighbours, 0 with endless ones. The variance of
what is expected is that of the two effects plus ``taste`` times this share. ``taste``, in stars squared, is the slope
of a line through the squared errors of ratings of some users, each expected without itself, over their shares.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings, Scale, grouped
from models.bias import Bias, Generosity, expected
from models.metrics import mse
from models.model import Epoch, Expectation, Fitted, History, Model, Parameters, Progress
from models.settings import Settings, setting

if TYPE_CHECKING:
    pass

BLOCK = 1 << 22
"""Entries of a table that is worked on at once, 16 MiB in float32."""
SAMPLE = 8
"""Users whose ratings, each expected without itself, tell the loss on train and ``taste``."""
TINY = np.float32(1e-9)


@dataclass(frozen=True)
class NeighbourSettings(Settings):
    """Settings that both models have.

    The defaults of the fit were chosen on a validation tenth (``hold_out``) of the train part of ``kfold5-0`` of
    ml-100k, those of the order as for ``BiasedMF``.
    """

    neighbours: int = setting(300, 1, 5000)
    """How many neighbours of each user or movie are kept: those with the largest weights."""
    shrinkage: float = setting(60.0, 0.0, 1000.0)
    """How many ratings in common halve a similarity."""
    contrast: float = setting(1.5, 0.1, 5.0)
    """The power that similarities are raised to: above 1, few similar ones count more than many less similar ones."""
    doubt: float = setting(0.02, 0.0001, 10.0)
    """How much weight of neighbours moves what is expected half the way to what they say."""
    opposites: bool = setting(True, False, True)
    """Whether those with opposite taste count, turned round."""
    both: bool = setting(True, False, True)
    """Whether ratings are seen relative to effects of user and movie, or of the side alone that is compared."""
    sweeps: int = setting(4, 1, 200)
    """How often the effects of users and movies are updated in turn."""
    caution: float = setting(2.0, 0.0, 10.0)
    """How many standard deviations of uncertainty are taken off the stars to order a list."""
    popularity: float = setting(0.3, 0.0, 5.0)
    """How much of the logarithm of a movie's number of ratings is added to order a list."""


@dataclass(frozen=True, eq=False)
class Rests:
    """What is left of a viewer's ratings when the effects are taken off."""

    generosity: Generosity
    movies: Ints
    """The rated movies, shape (ratings,)."""
    rest: Floats
    """In stars, shape (ratings,)."""


@dataclass(frozen=True, eq=False)
class Lists:
    """The ratings as a list for each movie or each user, one after the other."""

    starts: NDArray[np.int64]
    """Where each list starts and the last one ends, shape (lists + 1,)."""
    other: Ints
    """The user or the movie of each rating, shape (ratings,)."""
    rest: Floats
    """Shape (ratings,)."""

    @classmethod
    def of(cls, rows: Ints, other: Ints, rest: Floats, total: int) -> "Lists":
        order, starts = grouped(rows, total)
        return cls(starts, other[order], rest[order])

    def places(self, lists: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of all ratings of some lists, and beside each which of ``lists`` it is in."""
        first = self.starts[lists]
        lengths = self.starts[lists + 1] - first
        which = np.repeat(np.arange(len(lists)), lengths)
        ends = np.cumsum(lengths)
        return np.arange(len(which)) + (first - (ends - lengths))[which], which

    def table(self, lists: NDArray[Any], width: int) -> tuple[Floats, Floats]:
        """Return the rests of some lists and whether there is a rating, 1 or 0, shape (lists, width) each.

        A list of -1 is empty.
        """
        rest, rated = np.zeros((2, len(lists), width), np.float32)
        known = np.flatnonzero(lists >= 0)
        places, which = self.places(lists[known])
        rest[known[which], self.other[places]] = self.rest[places]
        rated[known[which], self.other[places]] = 1
        return rest, rated

    def thinned(self, most: int) -> "Lists":
        """Return the lists, of longer ones only ``most`` ratings that are evenly spread over them."""
        lengths = np.diff(self.starts)
        long = np.repeat(lengths, lengths)
        place = np.arange(len(long)) - np.repeat(self.starts[:-1], lengths)
        kept = (place + 1) * most // long > place * most // long
        starts = np.append(0, np.cumsum(np.minimum(lengths, most)))
        return Lists(starts, self.other[kept], self.rest[kept])

    def sums(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of the values of each list's ratings, shape (lists,)."""
        so_far = np.zeros(len(values) + 1)
        np.cumsum(values, out=so_far[1:])
        return so_far[self.starts[1:]] - so_far[self.starts[:-1]]


@dataclass(frozen=True, eq=False)
class Sample:
    """Some ratings of train with what the neighbours say without them, shape (ratings,) each."""

    rest: Floats
    said: NDArray[Any]
    weight: NDArray[Any]


S = TypeVar("S", bound=NeighbourSettings)
T = TypeVar("T", bound=Rests)


class Neighbours(Model[S, T]):
    """What both models share."""

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model that these parameters were taken from."""
        super().restore(parameters, scale)
        self._bias = Bias()
        self._bias.restore(parameters, scale)
        self._lists = Lists(parameters["starts"], parameters["other"], parameters["rest"])

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return what is expected; users and movies without ratings have the mean effect and no neighbours."""
        found = self.parameters
        stars = expected(found, users, movies)
        who, place = np.unique(users, return_inverse=True)
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(len(who) + 1))
        size = at_once(max(len(found["user"]), len(found["movie"])))
        for first in range(0, len(who), size):
            block = who[first : first + size]
            rows = order[starts[first] : starts[first + len(block)]]
            said, weight = self._say(block, place[rows] - first, movies[rows])
            stars[rows] += said / (np.float32(self.settings.doubt) + weight)
        return self.scale.clip(stars)

    def expect(self, taste: T) -> Expectation:
        """Return what is expected of every movie; the score takes ``caution`` times the uncertainty off the stars.

        It adds ``popularity`` times the logarithm of one more than the movie's number of ratings.
        """
        said, weight = self._say_all(taste)
        effects = float(self.parameters["overall"]) + taste.generosity.mean + self.parameters["movie"][:-1]
        return self._expectation(
            effects, said, weight, taste.generosity.variance, self.parameters["movie_variance"], self.counts
        )

    def _expectation(
        self,
        effects: NDArray[Any],
        said: NDArray[Any],
        weight: NDArray[Any],
        user_variance: float,
        movie_variance: NDArray[Any],
        counts: NDArray[Any],
    ) -> Expectation:
        settings = self.settings
        stars = effects + said / (settings.doubt + weight)
        unknown = settings.doubt / (settings.doubt + weight)
        variance = movie_variance + user_variance + float(self.parameters["taste"]) * unknown
        uncertainty = np.sqrt(variance).astype(np.float32)
        score = stars - settings.caution * uncertainty + settings.popularity * np.log1p(counts)
        return Expectation(self.scale.clip(stars.astype(np.float32)), uncertainty, score.astype(np.float32))

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Leave out each rating in turn, all at once: the viewer's effect moves, and with it all other rests."""
        taste = self.fold_in(history)
        whole = self.expect(taste).score[movies]
        if not len(history):
            return np.zeros((len(movies), 0), np.float32)
        means, variance = self._bias.without_each(history, taste.generosity)
        said, weight = self._say_without(taste, means - taste.generosity.mean, movies)
        effects = float(self.parameters["overall"]) + means + self.parameters["movie"][movies][:, None]
        spread, counts = self.parameters["movie_variance"][movies][:, None], self.counts[movies][:, None]
        return whole[:, None] - self._expectation(effects, said, weight, variance, spread, counts).score

    @abstractmethod
    def _say(self, users: Ints, who: NDArray[np.intp], movies: Ints) -> tuple[Floats, Floats]:
        """For pairs of one of ``users`` and a movie: ``sum w e`` and ``sum |w|``, shape (pairs,) each."""

    @abstractmethod
    def _say_all(self, taste: T) -> tuple[Floats, Floats]:
        """The same for a viewer and every movie, shape (movies,) each."""

    @abstractmethod
    def _say_without(self, taste: T, moved: NDArray[Any], movies: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
        """The same without each rating in turn, which moves the viewer's effect: shape (movies, ratings) each."""

    def _rests(self, history: History) -> tuple[Generosity, Floats]:
        generosity = self._bias.fold_in(history)
        effects = float(self.parameters["overall"]) + generosity.mean + self.parameters["movie"][history.movies]
        return generosity, (history.stars - effects).astype(np.float32)

    def _finished(
        self,
        found: Parameters,
        train: Dataset,
        sample: Sample,
        validation: Ratings | None,
        progress: Progress,
    ) -> tuple[Parameters, Fitted]:
        """Add ``taste`` to what was found, and tell the one epoch that there is."""
        doubt = self.settings.doubt
        said = sample.said / (doubt + sample.weight)
        lowered = sample.rest**2 - (sample.rest - said) ** 2
        known = (sample.weight / (doubt + sample.weight)).sum()
        found["taste"] = np.asarray(max(float(lowered.sum() / known), 0.0) if known else 0.0)
        train_loss = float(((sample.rest - said) ** 2).mean()) if len(said) else 0.0
        held_out = None
        if validation is not None:
            fitted = type(self)(self.settings)
            fitted.restore(found, train.scale)
            held_out = mse(fitted.predict(validation.user, validation.movie), validation.stars)
        epoch = Epoch(1, 1, train_loss, held_out)
        progress(epoch)
        return found, Fitted.of([epoch])

    def _similarity(self, dot: Any, common: Any, norm: Any, others: Any) -> Any:
        """The shrunk cosine, of arrays or tensors: sums of products, numbers in common and both lengths."""
        return dot * common / ((common + self.settings.shrinkage) * (norm * others) + TINY)

    def _weights(self, similarity: NDArray[Any]) -> Floats:
        """Similarities with the contrast, those of opposite taste left out where they do not count."""
        low = -1.0 if self.settings.opposites else 0.0
        similarity = np.clip(np.asarray(similarity, np.float32), low, 1.0)
        return np.asarray(np.copysign(np.abs(similarity) ** self.settings.contrast, similarity), np.float32)

    def _own(self, ratings: Any) -> Any:
        """The weight of itself, which is as similar as can be, by its number of ratings."""
        return (ratings / np.maximum(ratings + self.settings.shrinkage, TINY)) ** self.settings.contrast


def spread(total: int) -> NDArray[np.intp]:
    """Some of all users, evenly spread."""
    return np.unique(np.linspace(0, total - 1, min(SAMPLE, total)).astype(np.intp)) if total else np.empty(0, np.intp)


def at_once(entries: int) -> int:
    """How many rows of so many entries are worked on at once."""
    return max(1, BLOCK // max(1, entries))
