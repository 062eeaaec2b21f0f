"""Neighbours by user, which predict from the ratings of the most similar users."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.language import tr
from movietui.data.samples import evenly_spread
from movietui.models.base import Fitted, History, Parameters, Progress
from movietui.models.bias import expected, learn_effects
from movietui.models.neighbours import (
    SAMPLE,
    Neighbours,
    NeighbourSettings,
    ResidualLists,
    Residuals,
    Sample,
    rows_at_once,
)
from movietui.models.training import stages


@dataclass(frozen=True)
class UserKNNSettings(NeighbourSettings):
    """Settings of ``UserKNN``."""


@dataclass(frozen=True, eq=False)
class Neighbourhood(Residuals):
    """A viewer with their neighbours."""

    user: int | None
    """The viewer's row among the users, or ``None`` for a viewer who is not in the dataset."""
    weights: Floats
    """The weight of each user, shape (users,); 0 for the viewer and for all but the nearest neighbours."""


class UserKNN(Neighbours[UserKNNSettings, Neighbourhood]):
    """Predicts from the ratings of the most similar users; see ``movietui.models.neighbours``.

    The fit stores no similarities, which are computed when needed. A viewer whom the model has never seen is therefore
    served like any other. The model is meant for at most about ten thousand users.
    """

    name = "user-knn"
    summary = tr("Ratings by people whose ratings agree with yours.")
    formula = "m + b_u + c_i + Σ w e / (doubt + Σ abs(w))"
    reference = "Herlocker et al. 1999"
    settings_type = UserKNNSettings
    published = UserKNNSettings(
        shrinkage=0, contrast=1, doubt=0.0001, opposites=True, both=False, caution=0, popularity=0
    )
    """System 003 says only "similarities between users". We assume plain cosines of stars relative to the user's
    mean."""

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings, settings, total = train.ratings, self.settings, len(train.users)
        stages.begin(tr("effects"))
        parameters = learn_effects(train, settings.sweeps, of_movies=settings.both)
        residuals = ratings.stars - expected(parameters, ratings.user, ratings.movie)
        lists = ResidualLists.of(ratings.movie, ratings.user, residuals, len(train.movies))
        squares = np.bincount(ratings.user, residuals.astype(np.float64) ** 2, minlength=total).astype(np.float32)
        ratings_of = np.bincount(ratings.user, minlength=total).astype(np.float32)
        parameters |= {
            "counts": train.counts,
            "starts": lists.starts,
            "other": lists.other,
            "rest": lists.residual,
            "norm": np.sqrt(squares),
            "own": np.append(self._self_weight(ratings_of), 0).astype(np.float32),
        }
        # The ratings of some users, each removed from the similarities to which it contributes.
        stages.begin(tr("weights"))
        users = evenly_spread(total, SAMPLE)
        rows = np.sort(np.concatenate([train.rows_of(user) for user in users]))
        user_index, movie, rating_residuals = (
            np.searchsorted(users, ratings.user[rows]),
            ratings.movie[rows],
            residuals[rows],
        )
        indices, list_index = lists.indices(movie)
        pair = user_index[list_index] * total + lists.other[indices]
        own_residuals, other_residuals = rating_residuals[list_index], lists.residual[indices]
        product = own_residuals * other_residuals
        dot = np.bincount(pair, product, minlength=len(users) * total)[pair] - product
        common = np.bincount(pair, minlength=len(users) * total)[pair] - 1
        remaining = np.sqrt(np.maximum(squares[users][user_index][list_index] - own_residuals**2, 0))
        remaining_of_others = np.sqrt(np.maximum(squares[lists.other[indices]] - other_residuals**2, 0))
        weight = self._weights(self._similarity(dot, common, remaining, remaining_of_others))
        weight[users[user_index][list_index] == lists.other[indices]] = 0
        sample = Sample(
            rating_residuals,
            np.bincount(list_index, weight * other_residuals, minlength=len(rows)),
            np.bincount(list_index, np.abs(weight), minlength=len(rows)),
        )
        return self.with_taste(parameters, train, sample, validation, progress)

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        self._lists = ResidualLists(parameters["starts"], parameters["other"], parameters["rest"])

    def fold_in(self, history: History) -> Neighbourhood:
        """Compute the viewer's effect in closed form, the residual of each rating, and the neighbours."""
        generosity, residuals = self._residuals(history)
        norm = self.parameters["norm"]
        indices, list_index = self._lists.indices(history.movies)
        other = self._lists.other[indices]
        dot = np.bincount(other, residuals[list_index] * self._lists.residual[indices], minlength=len(norm))
        common = np.bincount(other, minlength=len(norm))
        similarity = self._similarity(dot, common, np.sqrt(residuals @ residuals), norm)[None]
        if history.user is not None:
            similarity[0, history.user] = 0
        return Neighbourhood(generosity, history.movies, residuals, history.user, self._nearest_weights(similarity)[0])

    def _nearest_weights(self, similarity: NDArray[Any]) -> Floats:
        """Return the weights of the nearest users in each row, 0 for the others, with the shape of the input.

        With ``opposites``, the nearest users are those with the largest absolute similarities.
        """
        nearest = self.settings.neighbours
        similarity = similarity.astype(np.float32)  # float32 is several times faster to raise to a power
        size = np.abs(similarity) if self.settings.opposites else similarity
        if nearest < size.shape[1]:
            least = np.partition(size, -nearest, 1)[:, -nearest, None]
            similarity = np.where(size >= least, similarity, 0)
        return self._weights(similarity)

    def _sums(self, users: Ints, user_index: NDArray[np.intp], movies: Ints) -> tuple[Floats, Floats]:
        lists, norm = self._lists, self.parameters["norm"]
        total, shape = len(norm), (len(users), len(lists.starts) - 1)
        table, rated = np.zeros((2, *shape), np.float32)
        row = np.full(total + 1, -1)
        row[users] = np.arange(len(users))
        indices = np.flatnonzero(row[lists.other] >= 0)
        column = np.searchsorted(lists.starts, indices, "right") - 1
        table[row[lists.other[indices]], column] = lists.residual[indices]
        rated[row[lists.other[indices]], column] = 1
        dot, common = np.zeros((2, len(users), total), np.float32)
        size = rows_at_once(total)
        for first in range(0, shape[1], size):
            block = np.arange(first, min(first + size, shape[1]))
            residuals, rated_there = lists.table(block, total)
            dot += table[:, block] @ residuals
            common += rated[:, block] @ rated_there
        similarity = self._similarity(dot, common, np.append(norm, 0)[users][:, None], norm)
        known = np.flatnonzero(users >= 0)
        similarity[known, users[known]] = 0
        weights = self._nearest_weights(similarity)
        weighted, total_weight = np.zeros((2, len(movies)), np.float32)
        pairs = np.flatnonzero(movies >= 0)
        self_weight = self.parameters["own"][users[user_index[pairs]]]
        weighted[pairs] = self_weight * table[user_index[pairs], movies[pairs]]
        total_weight[pairs] = self_weight * rated[user_index[pairs], movies[pairs]]
        size = rows_at_once(int(self.counts.max(initial=1)))
        for first in range(0, len(pairs), size):
            block = pairs[first : first + size]
            indices, list_index = lists.indices(movies[block])
            weights_of = weights[user_index[block][list_index], lists.other[indices]]
            weighted[block] += np.bincount(list_index, weights_of * lists.residual[indices], minlength=len(block))
            total_weight[block] += np.bincount(list_index, np.abs(weights_of), minlength=len(block))
        return weighted, total_weight

    def _sums_for_all(self, taste: Neighbourhood) -> tuple[Floats, Floats]:
        weights_of = taste.weights[self._lists.other]
        weighted, total_weight = (
            self._lists.sums(weights_of * self._lists.residual),
            self._lists.sums(np.abs(weights_of)),
        )
        self_weight = self._self_weight(len(taste.movies))
        weighted[taste.movies] += self_weight * taste.residual
        total_weight[taste.movies] += self_weight
        return weighted.astype(np.float32), total_weight.astype(np.float32)

    def _sums_without_each(
        self, taste: Neighbourhood, shifts: NDArray[Any], movies: Ints
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        norm, own_residuals, ratings = self.parameters["norm"], taste.residual.astype(np.float64), len(taste.movies)
        residuals, rated = self._lists.table(taste.movies, len(norm))
        listed, listed_rated = self._lists.table(movies, len(norm))
        dot, common, residual_sums = own_residuals @ residuals, rated.sum(0), residuals.sum(0)
        squares = (
            own_residuals @ own_residuals
            - 2 * shifts * own_residuals.sum()
            + ratings * shifts**2
            - (own_residuals - shifts) ** 2
        )
        weighted, total_weight = np.empty((2, len(movies), ratings))
        size = rows_at_once(len(norm))
        for first in range(0, ratings, size):
            block = slice(first, first + size)
            shift = shifts[block, None]
            dots = dot - own_residuals[block, None] * residuals[block] - shift * (residual_sums - residuals[block])
            remaining = np.sqrt(np.maximum(squares[block, None], 0))
            similarity = self._similarity(dots, common - rated[block], remaining, norm)
            if taste.user is not None:
                similarity[:, taste.user] = 0
            weights_of = self._nearest_weights(similarity)
            weighted[:, block], total_weight[:, block] = listed @ weights_of.T, listed_rated @ np.abs(weights_of).T
        self_weight = self._self_weight(ratings - 1)
        row, column = np.nonzero(movies[:, None] == taste.movies)
        others = np.ones((len(row), ratings))
        others[np.arange(len(row)), column] = 0
        weighted[row] += self_weight * others * (own_residuals[column, None] - shifts)
        total_weight[row] += self_weight * others
        return weighted, total_weight
