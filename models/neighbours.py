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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings
from models import stages
from models.bias import Bias, Generosity, expected, learn_effects
from models.metrics import mse
from models.model import Epoch, Expectation, Fitted, History, Model, Parameters, Progress
from models.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

BLOCK = 1 << 22
"""Entries of a table that is worked on at once, 16 MiB in float32."""
DENSE = 1 << 26
"""Entries that a dense table of users and movies, or of movies and movies, may have: 256 MiB in float32."""
SQUARE = 512
"""Movies whose products are taken at once."""
MOST = 400
"""Ratings of a user that tell which movies are similar where tables have no room: a few users with thousands of
ratings would take most of the time."""
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


@dataclass(frozen=True)
class UserKNNSettings(NeighbourSettings):
    """Settings of ``UserKNN``."""


@dataclass(frozen=True)
class ItemKNNSettings(NeighbourSettings):
    """Settings of ``ItemKNN``."""

    neighbours: int = setting(100, 1, 5000)
    """How many neighbours of each movie are kept: those with the largest weights."""
    opposites: bool = setting(False, False, True)
    """Whether movies that are liked where this one is not count, turned round."""


@dataclass(frozen=True, eq=False)
class Rests:
    """What is left of a viewer's ratings when the effects are taken off."""

    generosity: Generosity
    movies: Ints
    """The rated movies, shape (ratings,)."""
    rest: Floats
    """In stars, shape (ratings,)."""


@dataclass(frozen=True, eq=False)
class Circle(Rests):
    """A viewer among the users."""

    user: int | None
    """The viewer's row among the users, who is no neighbour of themselves."""
    weights: Floats
    """The weight of each user, 0 for those who are not kept, shape (users,)."""


@dataclass(frozen=True, eq=False)
class _Lists:
    """The ratings as a list for each movie or each user, one after the other."""

    starts: NDArray[np.int64]
    """Where each list starts and the last one ends, shape (lists + 1,)."""
    other: Ints
    """The user or the movie of each rating, shape (ratings,)."""
    rest: Floats
    """Shape (ratings,)."""

    @classmethod
    def of(cls, rows: Ints, other: Ints, rest: Floats, total: int) -> "_Lists":
        # Sorting by a 16-bit number is several times faster.
        order = np.argsort(rows.astype(np.uint16) if total <= 1 << 16 else rows, kind="stable")
        starts = np.zeros(total + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=total), out=starts[1:])
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

    def thinned(self, most: int) -> "_Lists":
        """Return the lists, of longer ones only ``most`` ratings that are evenly spread over them."""
        lengths = np.diff(self.starts)
        long = np.repeat(lengths, lengths)
        place = np.arange(len(long)) - np.repeat(self.starts[:-1], lengths)
        kept = (place + 1) * most // long > place * most // long
        starts = np.append(0, np.cumsum(np.minimum(lengths, most)))
        return _Lists(starts, self.other[kept], self.rest[kept])

    def sums(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of the values of each list's ratings, shape (lists,)."""
        so_far = np.zeros(len(values) + 1)
        np.cumsum(values, out=so_far[1:])
        return so_far[self.starts[1:]] - so_far[self.starts[:-1]]


@dataclass(frozen=True, eq=False)
class _Sample:
    """Some ratings of train with what the neighbours say without them, shape (ratings,) each."""

    rest: Floats
    said: NDArray[Any]
    weight: NDArray[Any]


S = TypeVar("S", bound=NeighbourSettings)
T = TypeVar("T", bound=Rests)


class _Neighbours(Model[S, T]):
    """What both models share."""

    def restore(self, parameters: Parameters, scale: Any) -> None:
        """Become the fitted model that these parameters were taken from."""
        super().restore(parameters, scale)
        self._bias = Bias()
        self._bias.restore(parameters, scale)
        self._lists = _Lists(parameters["starts"], parameters["other"], parameters["rest"])

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return what is expected; users and movies without ratings have the mean effect and no neighbours."""
        found = self.parameters
        stars = expected(found, users, movies)
        who, place = np.unique(users, return_inverse=True)
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(len(who) + 1))
        size = max(1, BLOCK // max(len(found["user"]), len(found["movie"])))
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
        sample: _Sample,
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


class ItemKNN(_Neighbours[ItemKNNSettings, Rests]):
    """What the viewer gave the movies that are most similar to this one; see the module.

    The neighbours of all movies are found as products of dense tables where those have room (ML-1M), else movie by
    movie from the lists of those who rated it, so that of 87,000 movies no more than the kept neighbours are ever in
    memory. That takes time in proportion to the sum of the users' squared numbers of ratings, of which no more than
    ``MOST`` count there.
    """

    name = "item-knn"
    summary = "What you gave the most similar movies."
    settings_type = ItemKNNSettings
    published = ItemKNNSettings(
        shrinkage=0, contrast=1, doubt=0.0001, opposites=True, both=False, caution=0, popularity=0
    )
    """Source 003 names similarities between movies and no more: plain ones, of stars relative to the movie's mean."""

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings, settings, total = train.ratings, self.settings, len(train.movies)
        stages.at("effects")
        found = learn_effects(train, settings.sweeps, of_users=settings.both)
        rest = ratings.stars - expected(found, ratings.user, ratings.movie)
        lists = _Lists.of(ratings.user, ratings.movie, rest, len(train.users))
        squares = np.bincount(ratings.movie, rest.astype(np.float64) ** 2, minlength=total).astype(np.float32)
        stages.at("similarities")
        neighbour, dot, common = self._nearest(lists, total, np.sqrt(squares))
        norm = np.sqrt(squares)
        weight = self._weights(self._similarity(dot, common, norm[:, None], np.append(norm, 0)[neighbour]))
        movies = np.arange(total, dtype=np.int32)[:, None]
        own = self._own(train.counts.astype(np.float32))[:, None]
        nothing = np.full((1, neighbour.shape[1] + 1), total, np.int32)
        found |= {
            "counts": train.counts,
            "starts": lists.starts,
            "other": lists.other,
            "rest": lists.rest,
            "neighbour": np.concatenate([np.concatenate([movies, neighbour], 1), nothing]),
            "weight": np.concatenate([np.concatenate([own, weight], 1), np.zeros(nothing.shape)]).astype(np.float32),
        }
        # Ratings of some users without themselves: they are taken off the similarities that they are part of.
        stages.at("weights")
        users = _spread(len(train.users))
        table, rated = lists.table(users, total + 1)
        places, which = lists.places(users)
        movie, own_rest = lists.other[places], lists.rest[places, None]
        theirs = table[which[:, None], neighbour[movie]]
        left = np.sqrt(np.maximum(squares[movie, None] - own_rest**2, 0))
        left_of_others = np.sqrt(np.maximum(np.append(squares, 0)[neighbour[movie]] - theirs**2, 0))
        weight = self._weights(
            self._similarity(dot[movie] - own_rest * theirs, np.maximum(common[movie] - 1, 0), left, left_of_others)
        )
        weight *= rated[which[:, None], neighbour[movie]]
        sample = _Sample(own_rest[:, 0], (weight * theirs).sum(1), np.abs(weight).sum(1))
        return self._finished(found, train, sample, validation, progress)

    def _nearest(self, lists: _Lists, total: int, norm: Floats) -> tuple[Ints, Floats, Floats]:
        """The kept neighbours of each movie with their sums of products and numbers of users in common.

        Shape (movies, neighbours) each; a neighbour that does not count is ``total``.
        """
        import torch

        from models.threads import leave_one_core

        leave_one_core()
        users = len(lists.starts) - 1
        kept = min(self.settings.neighbours, total)
        neighbour = np.full((total, kept), total, np.int32)
        dots, commons = np.zeros((2, total, kept), np.float32)
        length = torch.from_numpy(norm)
        for block, columns, dot, common in _products(lists, users, total):
            similarity = self._similarity(dot, common, length[block, None], length[columns])
            similarity[columns == torch.arange(total)[block, None]] = 0
            size = similarity.abs() if self.settings.opposites else similarity
            largest, best = torch.topk(size, min(kept, len(columns)), 1)
            counts = largest > 0
            found = slice(best.shape[1])
            neighbour[block, found] = torch.where(counts, columns[best], total).numpy()
            dots[block, found] = (dot.gather(1, best) * counts).numpy()
            commons[block, found] = (common.gather(1, best) * counts).numpy()
        return neighbour, dots, commons

    def fold_in(self, history: History) -> Rests:
        """Compute the viewer's effect in closed form, and what is left of each rating."""
        generosity, rest = self._rests(history)
        return Rests(generosity, history.movies, rest)

    def _say(self, users: Ints, who: NDArray[np.intp], movies: Ints) -> tuple[Floats, Floats]:
        neighbour, weight = self.parameters["neighbour"], self.parameters["weight"]
        table, rated = self._lists.table(users, len(neighbour))
        said, sure = np.empty((2, len(movies)), np.float32)
        size = max(1, BLOCK // neighbour.shape[1])
        for first in range(0, len(movies), size):
            block = slice(first, first + size)
            near, by = neighbour[movies[block]], weight[movies[block]]
            row = who[block, None]
            said[block] = np.einsum("pk,pk->p", table[row, near], by)
            sure[block] = np.einsum("pk,pk->p", rated[row, near], np.abs(by))
        return said, sure

    def _say_all(self, taste: Rests) -> tuple[Floats, Floats]:
        neighbour, weight = self.parameters["neighbour"][:-1], self.parameters["weight"][:-1]
        rest, rated = np.zeros((2, len(neighbour) + 1), np.float32)
        rest[taste.movies], rated[taste.movies] = taste.rest, 1
        return (
            np.einsum("mk,mk->m", rest[neighbour], weight),
            np.einsum("mk,mk->m", rated[neighbour], np.abs(weight)),
        )

    def _say_without(self, taste: Rests, moved: NDArray[Any], movies: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
        neighbour, weight = self.parameters["neighbour"][movies], self.parameters["weight"][movies]
        place = np.full(len(self.parameters["neighbour"]), -1)
        place[taste.movies] = np.arange(len(taste.movies))
        of = place[neighbour]
        row, column = np.nonzero(of >= 0)
        by = np.zeros((len(movies), len(taste.movies)))
        by[row, of[row, column]] = weight[row, column]
        said = (by @ taste.rest)[:, None] - by * taste.rest - moved * (by.sum(1)[:, None] - by)
        sure = np.abs(by)
        return said, sure.sum(1)[:, None] - sure


class UserKNN(_Neighbours[UserKNNSettings, Circle]):
    """What the users who rate most like the viewer gave this movie; see the module.

    A fit keeps the ratings and their effects; who is similar to whom is found when it is asked, so that a viewer whom
    the model has never seen is like any other. Meant for up to some ten thousand users.
    """

    name = "user-knn"
    summary = "What those gave who rate most like you."
    settings_type = UserKNNSettings
    published = UserKNNSettings(
        shrinkage=0, contrast=1, doubt=0.0001, opposites=True, both=False, caution=0, popularity=0
    )
    """Source 003 names similarities between users and no more: plain ones, of stars relative to the user's mean."""

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings, settings, total = train.ratings, self.settings, len(train.users)
        stages.at("effects")
        found = learn_effects(train, settings.sweeps, of_movies=settings.both)
        rest = ratings.stars - expected(found, ratings.user, ratings.movie)
        lists = _Lists.of(ratings.movie, ratings.user, rest, len(train.movies))
        squares = np.bincount(ratings.user, rest.astype(np.float64) ** 2, minlength=total).astype(np.float32)
        ratings_of = np.bincount(ratings.user, minlength=total).astype(np.float32)
        found |= {
            "counts": train.counts,
            "starts": lists.starts,
            "other": lists.other,
            "rest": lists.rest,
            "norm": np.sqrt(squares),
            "own": np.append(self._own(ratings_of), 0).astype(np.float32),
        }
        # Ratings of some users without themselves: they are taken off the similarities that they are part of.
        stages.at("weights")
        users = _spread(total)
        rows = np.sort(np.concatenate([train.rows_of(user) for user in users]))
        who, movie, own_rest = np.searchsorted(users, ratings.user[rows]), ratings.movie[rows], rest[rows]
        places, which = lists.places(movie)
        pair = who[which] * total + lists.other[places]
        mine, theirs = own_rest[which], lists.rest[places]
        product = mine * theirs
        dot = np.bincount(pair, product, minlength=len(users) * total)[pair] - product
        common = np.bincount(pair, minlength=len(users) * total)[pair] - 1
        left = np.sqrt(np.maximum(squares[users][who][which] - mine**2, 0))
        left_of_others = np.sqrt(np.maximum(squares[lists.other[places]] - theirs**2, 0))
        weight = self._weights(self._similarity(dot, common, left, left_of_others))
        weight[users[who][which] == lists.other[places]] = 0
        sample = _Sample(
            own_rest,
            np.bincount(which, weight * theirs, minlength=len(rows)),
            np.bincount(which, np.abs(weight), minlength=len(rows)),
        )
        return self._finished(found, train, sample, validation, progress)

    def fold_in(self, history: History) -> Circle:
        """Compute the viewer's effect in closed form, what is left of each rating, and who is similar."""
        generosity, rest = self._rests(history)
        norm = self.parameters["norm"]
        places, which = self._lists.places(history.movies)
        other = self._lists.other[places]
        dot = np.bincount(other, rest[which] * self._lists.rest[places], minlength=len(norm))
        common = np.bincount(other, minlength=len(norm))
        similarity = self._similarity(dot, common, np.sqrt(rest @ rest), norm)[None]
        if history.user is not None:
            similarity[0, history.user] = 0
        return Circle(generosity, history.movies, rest, history.user, self._kept(similarity)[0])

    def _kept(self, similarity: NDArray[Any]) -> Floats:
        """The weights of the most similar of each row, 0 for the others, shape as given."""
        kept = self.settings.neighbours
        similarity = similarity.astype(np.float32)  # raising these to a power is several times faster
        size = np.abs(similarity) if self.settings.opposites else similarity
        if kept < size.shape[1]:
            least = np.partition(size, -kept, 1)[:, -kept, None]
            similarity = np.where(size >= least, similarity, 0)
        return self._weights(similarity)

    def _say(self, users: Ints, who: NDArray[np.intp], movies: Ints) -> tuple[Floats, Floats]:
        lists, norm = self._lists, self.parameters["norm"]
        total, shape = len(norm), (len(users), len(lists.starts) - 1)
        table, rated = np.zeros((2, *shape), np.float32)
        row = np.full(total + 1, -1)
        row[users] = np.arange(len(users))
        places = np.flatnonzero(row[lists.other] >= 0)
        column = np.searchsorted(lists.starts, places, "right") - 1
        table[row[lists.other[places]], column] = lists.rest[places]
        rated[row[lists.other[places]], column] = 1
        dot, common = np.zeros((2, len(users), total), np.float32)
        size = max(1, BLOCK // max(1, total))
        for first in range(0, shape[1], size):
            block = np.arange(first, min(first + size, shape[1]))
            rest, there = lists.table(block, total)
            dot += table[:, block] @ rest
            common += rated[:, block] @ there
        similarity = self._similarity(dot, common, np.append(norm, 0)[users][:, None], norm)
        known = np.flatnonzero(users >= 0)
        similarity[known, users[known]] = 0
        weights = self._kept(similarity)
        said, sure = np.zeros((2, len(movies)), np.float32)
        pairs = np.flatnonzero(movies >= 0)
        own = self.parameters["own"][users[who[pairs]]]
        said[pairs] = own * table[who[pairs], movies[pairs]]
        sure[pairs] = own * rated[who[pairs], movies[pairs]]
        size = max(1, BLOCK // max(1, int(self.counts.max(initial=1))))
        for first in range(0, len(pairs), size):
            block = pairs[first : first + size]
            places, which = lists.places(movies[block])
            by = weights[who[block][which], lists.other[places]]
            said[block] += np.bincount(which, by * lists.rest[places], minlength=len(block))
            sure[block] += np.bincount(which, np.abs(by), minlength=len(block))
        return said, sure

    def _say_all(self, taste: Circle) -> tuple[Floats, Floats]:
        by = taste.weights[self._lists.other]
        said, sure = self._lists.sums(by * self._lists.rest), self._lists.sums(np.abs(by))
        own = self._own(len(taste.movies))
        said[taste.movies] += own * taste.rest
        sure[taste.movies] += own
        return said.astype(np.float32), sure.astype(np.float32)

    def _say_without(self, taste: Circle, moved: NDArray[Any], movies: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
        norm, mine, ratings = self.parameters["norm"], taste.rest.astype(np.float64), len(taste.movies)
        rest, rated = self._lists.table(taste.movies, len(norm))
        listed, listed_rated = self._lists.table(movies, len(norm))
        dot, common, all_of = mine @ rest, rated.sum(0), rest.sum(0)
        squares = mine @ mine - 2 * moved * mine.sum() + ratings * moved**2 - (mine - moved) ** 2
        said, sure = np.empty((2, len(movies), ratings))
        size = max(1, BLOCK // max(1, len(norm)))
        for first in range(0, ratings, size):
            block = slice(first, first + size)
            away = moved[block, None]
            dots = dot - mine[block, None] * rest[block] - away * (all_of - rest[block])
            left = np.sqrt(np.maximum(squares[block, None], 0))
            similarity = self._similarity(dots, common - rated[block], left, norm)
            if taste.user is not None:
                similarity[:, taste.user] = 0
            by = self._kept(similarity)
            said[:, block], sure[:, block] = listed @ by.T, listed_rated @ np.abs(by).T
        own = self._own(ratings - 1)
        row, column = np.nonzero(movies[:, None] == taste.movies)
        others = np.ones((len(row), ratings))
        others[np.arange(len(row)), column] = 0
        said[row] += own * others * (mine[column, None] - moved)
        sure[row] += own * others
        return said, sure


def _spread(total: int) -> NDArray[np.intp]:
    """Some of all users, evenly spread."""
    return np.unique(np.linspace(0, total - 1, min(SAMPLE, total)).astype(np.intp)) if total else np.empty(0, np.intp)


def _products(lists: _Lists, users: int, movies: int) -> "Iterator[tuple[slice, Tensor, Tensor, Tensor]]":
    """The movies' sums of products and numbers of users in common, for some movies at a time.

    ``lists`` are those of the users. Yields which movies, the movies beside them (columns,), and two tables of shape
    (block, columns); movies that are not among the columns have nobody in common with the block.
    """
    import torch

    if max(users, movies) * movies <= DENSE:
        tables = [torch.from_numpy(table) for table in lists.table(np.arange(users), movies)]
        dot, common = (torch.empty(movies, movies) for _ in tables)
        for first in range(0, movies, SQUARE):
            block = slice(first, first + SQUARE)
            for table, product in zip(tables, (dot, common), strict=True):
                # What is left of the diagonal is known already, turned round.
                torch.mm(table[:, block].T, table[:, first:], out=product[block, first:])
                product[first + SQUARE :, block] = product[block, first + SQUARE :].T
        size = max(1, BLOCK // max(1, movies))
        for first in range(0, movies, size):
            block = slice(first, first + size)
            yield block, torch.arange(movies), dot[block], common[block]
        return
    lists = lists.thinned(MOST)
    by_movie = _Lists.of(
        lists.other, np.repeat(np.arange(users, dtype=np.int32), np.diff(lists.starts)), lists.rest, movies
    )
    size = max(1, BLOCK // max(1, int(np.diff(lists.starts).max())))
    for movie in range(movies):
        products, numbers = np.zeros(movies), np.zeros(movies, np.intp)
        for first in range(by_movie.starts[movie], by_movie.starts[movie + 1], size):
            raters = slice(first, min(first + size, by_movie.starts[movie + 1]))
            places, which = lists.places(by_movie.other[raters])
            other = lists.other[places]
            products += np.bincount(other, lists.rest[places] * by_movie.rest[raters][which], minlength=movies)
            numbers += np.bincount(other, minlength=movies)
        columns = np.flatnonzero(numbers)
        dot, common = (torch.from_numpy(values[None, columns].astype(np.float32)) for values in (products, numbers))
        yield slice(movie, movie + 1), torch.from_numpy(columns), dot, common
