"""Models that follow from sums of products of two movies' ratings. The cluster computes the sums, the driver the rest.

The sums are a table with a row and a column for each movie, so only the movies with the most ratings are learned.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Floats, Ints
from movietui.data.samples import evenly_spread
from movietui.models.base import Parameters, ignore_epoch
from movietui.models.bias import expected
from movietui.models.cluster.effects import learn_effects
from movietui.models.cluster.partitions import Block, Doubles, Partitions
from movietui.models.cluster.sample import NO_RATINGS, sample_of
from movietui.models.ease import (
    SAMPLE,
    Ease,
    EaseSettings,
    columns_of,
    gram_of,
    learned_movies,
    solve_gram,
    weight_parameters,
)
from movietui.models.item_knn import MOVIES_AT_ONCE, ItemKNN, ItemKNNSettings, Products
from movietui.models.neighbours import SAMPLE as EXAMPLES
from movietui.models.neighbours import ResidualLists
from movietui.models.rankers import SWEEPS, calibrate, ratings_by_user, sample_users

NEIGHBOUR_MOVIES = 8000
"""The number of movies that have neighbours in ``item-knn``."""
USERS_AT_ONCE = 2048
"""The most users whose products a partition adds up at once, in a table of users by movies (62.5 MiB for 8000
movies)."""


def fit_ease(train: Partitions, settings: EaseSettings, seed: int) -> Parameters:
    """Return the parameters of ``Ease``, the same as on one machine."""
    import torch

    effects, column = learn_effects(train, SWEEPS), columns_of(train.counts, settings.movies)
    learned = int(column.max()) + 1

    def sums_of(block: Block) -> dict[str, NDArray[Any]]:
        values = settings.values(block.stars)
        sums = np.bincount(block.movie, values, minlength=len(column) - 1)
        known = column[block.movie] >= 0
        sums_of_users = np.bincount(block.index, np.abs(values) * known, minlength=len(block.users))
        weighted = values * settings.roots(sums_of_users)[block.index]
        return {"gram": _gram(block, weighted, column, learned), "sums": sums}

    added = train.sum(sums_of) or {"gram": np.zeros((learned, learned)), "sums": np.zeros(len(column) - 1)}
    gram = torch.from_numpy(added["gram"].astype(np.float32))
    weights, diagonal = solve_gram(gram, settings.ridge, settings.drop)
    parameters = effects | NO_RATINGS | {"column": column} | weight_parameters(weights, added["sums"], column)
    sample, with_users = sample_of(train, effects, sample_users(train.dataset.user_count, SAMPLE))
    taste, _ = calibrate(
        Ease(settings).sample_scores(
            sample, parameters | with_users | ratings_by_user(sample), diagonal, np.arange(len(sample.users))
        )
    )
    return parameters | taste


def fit_item_knn(train: Partitions, settings: ItemKNNSettings, seed: int) -> Parameters:
    """Return the parameters of ``ItemKNN``, in which only the ``NEIGHBOUR_MOVIES`` most rated movies have neighbours.

    All ratings count for the similarities. On one machine, the similarities of a large dataset come from some users.
    """
    effects = learn_effects(train, settings.sweeps, of_users=settings.both)
    total, column = len(train.counts), columns_of(train.counts, NEIGHBOUR_MOVIES)
    learned = learned_movies(column)

    def products_of(block: Block) -> dict[str, NDArray[Any]]:
        residuals = _residuals(block, effects)
        squares = np.bincount(block.movie, residuals.astype(np.float64) ** 2, minlength=total)
        return {"products": _gram(block, residuals, column, len(learned)), "squares": squares}

    def common_of(block: Block) -> dict[str, NDArray[Any]]:
        return {"common": _gram(block, np.ones_like(block.stars), column, len(learned))}

    # In two passes, because both tables together would be more than Spark lets a driver receive at once.
    empty = np.zeros((len(learned), len(learned)))
    added = train.sum(products_of) or {"products": empty, "squares": np.zeros(total)}
    dot, squares = added["products"].astype(np.float32), added["squares"].astype(np.float32)
    common = (train.sum(common_of) or {"common": empty})["common"].astype(np.float32)
    model = ItemKNN(settings)
    nearest = model.nearest(_by_movie(learned, dot, common), total, np.sqrt(squares))
    no_lists: Parameters = {
        "starts": np.zeros(1, np.int64),
        "other": np.empty(0, np.int32),
        "rest": np.empty(0, np.float32),
    }
    parameters = effects | no_lists | {"counts": train.counts}
    parameters |= model.neighbour_parameters(train.counts, squares, nearest)
    sample, with_users = sample_of(train, effects, evenly_spread(train.dataset.user_count, EXAMPLES))
    ratings = sample.ratings
    residuals = ratings.stars - expected(with_users, ratings.user, ratings.movie)
    lists = ResidualLists.of(ratings.user, ratings.movie, residuals, len(sample.users))
    weights = model.sample_weights(lists, squares, nearest, np.arange(len(sample.users)))
    return model.with_taste(parameters, sample, weights, None, ignore_epoch)[0]


def _gram(block: Block, values: Floats, column: Ints, learned: int) -> Floats:
    """Return the sum over users of the products of their values of two movies, shape (learned, learned).

    ``values``: of the ratings. ``column``: the row of each movie in the result, or -1.
    """
    import torch

    def tables() -> Iterator[torch.Tensor]:
        for first in range(0, len(block.users), USERS_AT_ONCE):
            last = min(first + USERS_AT_ONCE, len(block.users))
            inside = slice(block.starts[first], block.starts[last])
            columns = column[block.movie[inside]]
            known = columns >= 0
            table = np.zeros((last - first, learned), np.float32)
            table[block.index[inside][known] - first, columns[known]] = values[inside][known]
            yield torch.from_numpy(table)

    return np.asarray(gram_of(tables(), learned).numpy())


def _residuals(block: Block, effects: Parameters) -> Floats:
    """Return the residual of each rating: its stars minus the effects of its user and movie."""
    prior_mean, prior_variance = effects["user_prior"]
    noise = float(effects["noise"])
    residuals = block.stars - effects["overall"] - effects["movie"][block.movie]
    variance = 1 / (1 / prior_variance + np.diff(block.starts) / noise)
    means: Doubles = variance * (prior_mean / prior_variance + np.bincount(block.index, residuals) / noise)
    return np.asarray(residuals - means[block.index], np.float32)


def _by_movie(learned: NDArray[np.intp], dot: Floats, common: Floats) -> Iterator[Products]:
    import torch

    for first in range(0, len(learned), MOVIES_AT_ONCE):
        block = slice(first, first + MOVIES_AT_ONCE)
        yield learned[block], torch.from_numpy(learned), torch.from_numpy(dot[block]), torch.from_numpy(common[block])
