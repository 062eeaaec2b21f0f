"""Neighbours by movie, which predict from the viewer's ratings of the most similar movies."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, Ints, Ratings, Scale
from movietui.data.language import tr
from movietui.data.samples import evenly_spread, ratings_of, some_users
from movietui.models.base import Fitted, History, Parameters, Progress
from movietui.models.bias import Generosity, expected, learn_effects
from movietui.models.neighbours import (
    SAMPLE,
    Neighbours,
    NeighbourSettings,
    ResidualLists,
    Residuals,
    Sample,
    rows_at_once,
)
from movietui.models.settings import setting
from movietui.models.training import stages

if TYPE_CHECKING:
    from torch import Tensor

Doubles = NDArray[np.float64]

MAX_DENSE_ENTRIES = 1 << 26
"""The most entries of a dense table of users by movies, or movies by movies: 256 MiB in float32."""
MOVIES_AT_ONCE = 512
"""How many movies' products are computed at once."""
MAX_RATINGS = 400
"""The most ratings of a user that count for similarities if dense tables do not fit in memory. Otherwise, a few users
with thousands of ratings would take most of the time."""

SIMILARITY_RATINGS = 8_000_000
"""About how many ratings the similarities are computed from: all ratings of some users. More would hardly change the
similarities of movies with many ratings, and the similarities of other movies rarely matter."""


@dataclass(frozen=True, eq=False)
class NeighbourSums(Residuals):
    """A viewer's residuals, and sums over the rated neighbours of each movie, shape (movies,) each."""

    stars: Doubles
    """``sum w (r - m - c)``, without the viewer's effect."""
    signed: Doubles
    """``sum w``."""
    weight: Doubles
    """``sum |w|``."""


Nearest = tuple[Ints, Floats, Floats]
"""What ``ItemKNN.nearest`` returns."""
Products = tuple[Any, "Tensor", "Tensor", "Tensor"]
"""For some movies: their rows (a slice or an array), the rows of the movies with which they may have common users, and
the sums of products of residuals and the numbers of common users with these movies, shape (some, others) each."""


@dataclass(frozen=True)
class ItemKNNSettings(NeighbourSettings):
    """Settings of ``ItemKNN``."""

    neighbours: int = setting(100, 1, 5000)
    """The number of neighbours of each movie: those with the largest weights."""
    opposites: bool = setting(False, False, True)
    """Whether a movie's neighbours include movies liked by people who dislike it, with a negative weight."""


class ItemKNN(Neighbours[ItemKNNSettings, NeighbourSums]):
    """Predicts from the viewer's ratings of the most similar movies; see ``movietui.models.neighbours``.

    Neighbours are computed from products of dense tables if these fit in memory (as with ML-1M). Otherwise they are
    computed for one movie at a time from the ratings of its raters, so that even with 87,000 movies only the nearest
    neighbours are in memory. The second way takes time proportional to the sum of the users' squared numbers of
    ratings, of which at most ``MAX_RATINGS`` count for each user. A large dataset's similarities come from some of its
    users, who together have about ``SIMILARITY_RATINGS`` ratings.
    """

    name = "item-knn"
    summary = tr("Your ratings of the most similar movies.")
    formula = "m + b_u + c_i + Σ w e / (doubt + Σ abs(w))"
    reference = "Sarwar et al. 2001; Koren 2010"
    settings_type = ItemKNNSettings
    needs_torch = True
    published = ItemKNNSettings(
        shrinkage=0, contrast=1, doubt=0.0001, opposites=True, both=False, caution=0, popularity=0
    )
    """System 003 says only "similarities between movies". We assume plain cosines of stars relative to the movie's
    mean."""

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        ratings, settings, total = train.ratings, self.settings, len(train.movies)
        stages.begin(tr("effects"))
        parameters = learn_effects(train, settings.sweeps, of_users=settings.both)
        residuals = ratings.stars - expected(parameters, ratings.user, ratings.movie)
        every_list = ResidualLists.of(ratings.user, ratings.movie, residuals, len(train.users))
        drawn = some_users(train, SIMILARITY_RATINGS, self.seed)
        rows = ratings_of(train, drawn)
        lists = every_list
        if len(rows) < len(ratings):
            lists = ResidualLists.of(ratings.user[rows], ratings.movie[rows], residuals[rows], len(train.users))
        squares = np.bincount(ratings.movie[rows], residuals[rows].astype(np.float64) ** 2, minlength=total).astype(
            np.float32
        )
        stages.begin(tr("similarities"))
        nearest = self.nearest(_products(lists, len(train.users), total), total, np.sqrt(squares))
        parameters |= {"counts": train.counts, "starts": every_list.starts}
        parameters |= {"other": every_list.other, "rest": every_list.residual}
        parameters |= self.neighbour_parameters(train.counts, squares, nearest)
        stages.begin(tr("weights"))
        sample = self.sample_weights(lists, squares, nearest, drawn[evenly_spread(len(drawn), SAMPLE)])
        return self.with_taste(parameters, train, sample, validation, progress)

    def neighbour_parameters(self, counts: Ints, squares: Floats, nearest: "Nearest") -> Parameters:
        """Return the neighbours of each movie, beginning with itself, and their weights.

        ``squares``: the sums of the movies' squared residuals.
        """
        neighbour, dot, common = nearest
        total, norm = len(counts), np.sqrt(squares)
        weight = self._weights(self._similarity(dot, common, norm[:, None], np.append(norm, 0)[neighbour]))
        movies = np.arange(total, dtype=np.int32)[:, None]
        self_weight = self._self_weight(counts.astype(np.float32))[:, None]
        near = np.concatenate([movies, neighbour], 1)
        weights = np.concatenate([self_weight, weight], 1).astype(np.float32)
        followers = ResidualLists.of(near.ravel(), np.repeat(movies[:, 0], near.shape[1]), weights.ravel(), total + 1)
        end = followers.starts[total]  # the last list is that of missing neighbours
        return {
            "neighbour": np.concatenate([near, np.full((1, near.shape[1]), total, np.int32)]),
            "weight": np.concatenate([weights, np.zeros((1, near.shape[1]), np.float32)]),
            "follower_starts": followers.starts[:-1],
            "follower": followers.other[:end],
            "follower_weight": followers.residual[:end],
        }

    def sample_weights(
        self, lists: ResidualLists, squares: Floats, nearest: "Nearest", users: NDArray[np.intp]
    ) -> Sample:
        """Return the sums over neighbours for the ratings of some users. ``lists``: by user.

        Each rating is removed from the similarities to which it contributes.
        """
        neighbour, dot, common = nearest
        table, rated = lists.table(users, len(squares) + 1)
        indices, list_index = lists.indices(users)
        movie, rating_residuals = lists.other[indices], lists.residual[indices, None]
        other_residuals = table[list_index[:, None], neighbour[movie]]
        remaining = np.sqrt(np.maximum(squares[movie, None] - rating_residuals**2, 0))
        remaining_of_others = np.sqrt(np.maximum(np.append(squares, 0)[neighbour[movie]] - other_residuals**2, 0))
        weight = self._weights(
            self._similarity(
                dot[movie] - rating_residuals * other_residuals,
                np.maximum(common[movie] - 1, 0),
                remaining,
                remaining_of_others,
            )
        )
        weight *= rated[list_index[:, None], neighbour[movie]]
        return Sample(rating_residuals[:, 0], (weight * other_residuals).sum(1), np.abs(weight).sum(1))

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        self._followers = ResidualLists(
            parameters["follower_starts"], parameters["follower"], parameters["follower_weight"]
        )
        """For each movie, the movies whose neighbour it is, and its weight for each. A list reads only the entries of
        the movies that the viewer rated."""

    def only_for_predict(self) -> frozenset[str]:
        """Return the names of the users' ratings, and of the neighbours by movie."""
        return frozenset(("starts", "other", "rest", "neighbour", "weight"))

    def nearest(self, products: "Iterable[Products]", total: int, norm: Floats) -> "Nearest":
        """Return the nearest neighbours of each movie, their sums of products and numbers of common users.

        Shape (movies, neighbours) each. A missing neighbour is ``total``, the number of movies. ``norm``: the lengths
        of the movies' vectors of residuals, shape (movies,).
        """
        import torch

        nearest = min(self.settings.neighbours, total)
        neighbour = np.full((total, nearest), total, np.int32)
        dots, commons = np.zeros((2, total, nearest), np.float32)
        length = torch.from_numpy(norm)
        for block, columns, dot, common in products:
            similarity = self._similarity(dot, common, length[block, None], length[columns])
            similarity[columns == torch.arange(total)[block, None]] = 0
            size = similarity.abs() if self.settings.opposites else similarity
            largest, best = torch.topk(size, min(nearest, len(columns)), 1)
            counts = largest > 0
            filled = slice(best.shape[1])
            neighbour[block, filled] = torch.where(counts, columns[best], total).numpy()
            dots[block, filled] = (dot.gather(1, best) * counts).numpy()
            commons[block, filled] = (common.gather(1, best) * counts).numpy()
        return neighbour, dots, commons

    def fold_in(self, history: History) -> NeighbourSums:
        """Compute the viewer's effect in closed form, the residual of each rating, and the sums over neighbours."""
        return NeighbourSums(*self._viewer(history), *self._followed(history))

    def extend(self, taste: NeighbourSums, history: History) -> NeighbourSums:
        """Add the last rating to the sums of the movies whose neighbour its movie is."""
        more = self._followed(history.take(slice(len(history) - 1, None)))
        sums = (one + another for one, another in zip((taste.stars, taste.signed, taste.weight), more, strict=True))
        return NeighbourSums(*self._viewer(history), *sums)

    def _viewer(self, history: History) -> tuple[Generosity, Ints, Floats]:
        generosity, residuals = self._residuals(history)
        return generosity, history.movies, residuals

    def _followed(self, history: History) -> tuple[Doubles, Doubles, Doubles]:
        """Return the last three fields of ``NeighbourSums``."""
        indices, rated = self._followers.indices(history.movies)
        movies, weights = self._followers.other[indices], self._followers.residual[indices]
        stars = history.stars - np.float32(self.parameters["overall"]) - self.parameters["movie"][history.movies]
        opposites = self.settings.opposites
        values = (stars[rated] * weights, weights, *([np.abs(weights)] if opposites else []))
        by_stars, signed, *weight = (
            np.bincount(movies, each, len(self.counts)).astype(np.float64, copy=False) for each in values
        )
        return by_stars, signed, weight[0] if opposites else signed

    def _sums(self, users: Ints, user_index: NDArray[np.intp], movies: Ints) -> tuple[Floats, Floats]:
        neighbour, weight = self.of_train("neighbour"), self.of_train("weight")
        lists = ResidualLists(self.of_train("starts"), self.of_train("other"), self.of_train("rest"))
        table, rated = lists.table(users, len(neighbour))
        weighted, total_weight = np.empty((2, len(movies)), np.float32)
        size = rows_at_once(neighbour.shape[1])
        for first in range(0, len(movies), size):
            block = slice(first, first + size)
            near, weights = neighbour[movies[block]], weight[movies[block]]
            row = user_index[block, None]
            weighted[block] = np.einsum("pk,pk->p", table[row, near], weights)
            total_weight[block] = np.einsum("pk,pk->p", rated[row, near], np.abs(weights))
        return weighted, total_weight

    def _sums_for_all(self, taste: NeighbourSums) -> tuple[Floats, Floats]:
        weighted = taste.stars - taste.generosity.mean * taste.signed
        return weighted.astype(np.float32), taste.weight.astype(np.float32)

    def _sums_without_each(
        self, taste: NeighbourSums, shifts: NDArray[Any], movies: Ints
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        row = np.full(len(self.counts), -1)
        row[movies] = np.arange(len(movies))
        indices, rated = self._followers.indices(taste.movies)
        rows = row[self._followers.other[indices]]
        asked = rows >= 0
        weights = np.zeros((len(movies), len(taste.movies)))
        weights[rows[asked], rated[asked]] = self._followers.residual[indices[asked]]
        weighted = (
            (weights @ taste.residual)[:, None]
            - weights * taste.residual
            - shifts * (weights.sum(1)[:, None] - weights)
        )
        total_weight = np.abs(weights)
        return weighted, total_weight.sum(1)[:, None] - total_weight


def _products(lists: ResidualLists, users: int, movies: int) -> "Iterator[Products]":
    """Yield the movies' sums of products and numbers of common users, for a block of movies at a time.

    ``lists``: a list for each user. Yields the block, the other movies, shape (columns,), and two tables of shape
    (block, columns). Movies that are not among the columns share no user with the block.
    """
    import torch

    if max(users, movies) * movies <= MAX_DENSE_ENTRIES:
        tables = [torch.from_numpy(table) for table in lists.table(np.arange(users), movies)]
        dot, common = (torch.empty(movies, movies) for _ in tables)
        for first in range(0, movies, MOVIES_AT_ONCE):
            block = slice(first, first + MOVIES_AT_ONCE)
            for table, product in zip(tables, (dot, common), strict=True):
                # The part left of the diagonal is the transpose of products that are already computed.
                torch.mm(table[:, block].T, table[:, first:], out=product[block, first:])
                product[first + MOVIES_AT_ONCE :, block] = product[block, first + MOVIES_AT_ONCE :].T
        size = rows_at_once(movies)
        for first in range(0, movies, size):
            block = slice(first, first + size)
            yield block, torch.arange(movies), dot[block], common[block]
        return
    lists = lists.thinned(MAX_RATINGS)
    by_movie = ResidualLists.of(
        lists.other, np.repeat(np.arange(users, dtype=np.int32), np.diff(lists.starts)), lists.residual, movies
    )
    size = rows_at_once(int(np.diff(lists.starts).max()))
    for movie in range(movies):
        products, numbers = np.zeros(movies), np.zeros(movies, np.intp)
        for first in range(by_movie.starts[movie], by_movie.starts[movie + 1], size):
            raters = slice(first, min(first + size, by_movie.starts[movie + 1]))
            indices, list_index = lists.indices(by_movie.other[raters])
            other = lists.other[indices]
            products += np.bincount(
                other, lists.residual[indices] * by_movie.residual[raters][list_index], minlength=movies
            )
            numbers += np.bincount(other, minlength=movies)
        columns = np.flatnonzero(numbers)
        dot, common = (torch.from_numpy(values[None, columns].astype(np.float32)) for values in (products, numbers))
        yield slice(movie, movie + 1), torch.from_numpy(columns), dot, common
