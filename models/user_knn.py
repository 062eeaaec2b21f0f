"""Neighbours by user: what those gave who rate most like the viewer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings
from models import stages
from models.bias import expected, learn_effects
from models.model import Fitted, History, Parameters, Progress
from models.neighbours import Lists, Neighbours, NeighbourSettings, Rests, Sample, at_once, spread

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class UserKNNSettings(NeighbourSettings):
    """Settings of ``UserKNN``."""


@dataclass(frozen=True, eq=False)
class Circle(Rests):
    """A viewer among the users."""

    user: int | None
    """The viewer's row among the users, who is no neighbour of themselves."""
    weights: Floats
    """The weight of each user, 0 for those who are not kept, shape (users,)."""


class UserKNN(Neighbours[UserKNNSettings, Circle]):
    """What the users who rate most like the viewer gave this movie; see ``models.neighbours``.

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
        lists = Lists.of(ratings.movie, ratings.user, rest, len(train.movies))
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
        users = spread(total)
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
        sample = Sample(
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
        size = at_once(total)
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
        size = at_once(int(self.counts.max(initial=1)))
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
        size = at_once(len(norm))
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
