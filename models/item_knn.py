"""Neighbours by movie: what the viewer gave the most similar movies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, Ints, Ratings, Scale
from models import stages
from models.bias import expected, learn_effects
from models.model import Fitted, History, Parameters, Progress
from models.neighbours import (
    Lists,
    Neighbours,
    NeighbourSettings,
    Rests,
    Sample,
    at_once,
    spread,
)
from models.settings import setting

if TYPE_CHECKING:
    from torch import Tensor


DENSE = 1 << 26
"""Entries that a dense table of users and movies, or of movies and movies, may have: 256 MiB in float32."""
SQUARE = 512
"""Movies whose products are taken at once."""
MOST = 400
"""Ratings of a user that tell which movies are similar where tables have no room: a few users with thousands of
ratings would take most of the time."""


@dataclass(frozen=True)
class ItemKNNSettings(NeighbourSettings):
    """Settings of ``ItemKNN``."""

    neighbours: int = setting(100, 1, 5000)
    """How many neighbours of each movie are kept: those with the largest weights."""
    opposites: bool = setting(False, False, True)
    """Whether movies that are liked where this one is not count, turned round."""


class ItemKNN(Neighbours[ItemKNNSettings, Rests]):
    """What the viewer gave the movies that are most similar to this one; see ``models.neighbours``.

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
        lists = Lists.of(ratings.user, ratings.movie, rest, len(train.users))
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
        users = spread(len(train.users))
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
        sample = Sample(own_rest[:, 0], (weight * theirs).sum(1), np.abs(weight).sum(1))
        return self._finished(found, train, sample, validation, progress)

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model that these parameters were taken from."""
        super().restore(parameters, scale)
        self._heard: Lists | None = None
        """Of each movie those that have it as a neighbour, and its weights there, made for the first list: a viewer has
        rated few of all movies, and only what is heard of these counts."""

    def _nearest(self, lists: Lists, total: int, norm: Floats) -> tuple[Ints, Floats, Floats]:
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
        size = at_once(neighbour.shape[1])
        for first in range(0, len(movies), size):
            block = slice(first, first + size)
            near, by = neighbour[movies[block]], weight[movies[block]]
            row = who[block, None]
            said[block] = np.einsum("pk,pk->p", table[row, near], by)
            sure[block] = np.einsum("pk,pk->p", rated[row, near], np.abs(by))
        return said, sure

    def _say_all(self, taste: Rests) -> tuple[Floats, Floats]:
        if self._heard is None:
            neighbour, weight = self.parameters["neighbour"][:-1], self.parameters["weight"][:-1]
            movies = np.repeat(np.arange(len(neighbour), dtype=np.int32), neighbour.shape[1])
            self._heard = Lists.of(neighbour.ravel(), movies, weight.ravel(), len(neighbour) + 1)
        places, which = self._heard.places(taste.movies)
        movies, by = self._heard.other[places], self._heard.rest[places]
        said, sure = (np.bincount(movies, of, len(self.counts)) for of in (taste.rest[which] * by, np.abs(by)))
        return said.astype(np.float32), sure.astype(np.float32)

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


def _products(lists: Lists, users: int, movies: int) -> "Iterator[tuple[slice, Tensor, Tensor, Tensor]]":
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
        size = at_once(movies)
        for first in range(0, movies, size):
            block = slice(first, first + size)
            yield block, torch.arange(movies), dot[block], common[block]
        return
    lists = lists.thinned(MOST)
    by_movie = Lists.of(
        lists.other, np.repeat(np.arange(users, dtype=np.int32), np.diff(lists.starts)), lists.rest, movies
    )
    size = at_once(int(np.diff(lists.starts).max()))
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
