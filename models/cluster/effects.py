"""What can be predicted without taste: the means of movies, and the effects of users and movies."""

from collections.abc import Callable

import numpy as np

from movietui.models.base import Parameters
from movietui.models.bias import BiasSettings, Effects, effects_parameters, noise_of
from movietui.models.cluster.partitions import Block, Doubles, Partitions
from movietui.models.popularity import PopularitySettings
from movietui.models.popularity import parameters_of as popularity_parameters


def fit_popularity(train: Partitions, settings: PopularitySettings, seed: int) -> Parameters:
    """Return the parameters of ``Popularity``, the same as on one machine."""
    return popularity_parameters(*train.of_movies, settings, train.dataset.scale)[0]


def fit_bias(train: Partitions, settings: BiasSettings, seed: int) -> Parameters:
    """Return the parameters of ``Bias``; see ``learn_effects``."""
    return learn_effects(train, settings.sweeps)


def learn_effects(train: Partitions, sweeps: int, *, of_users: bool = True) -> Parameters:
    """Return what ``movietui.models.bias.learn_effects`` returns, except that ``user`` has only the row of an unknown
    user.

    In each sweep, the partitions compute the effects of their users, given the movies' effects. The driver then
    computes the movies' effects, given sums of the users'.
    """
    counts, sums, squares = train.of_movies
    ratings, scale = len(train), train.dataset.scale
    overall = float(sums.sum()) / ratings if ratings else (scale.low + scale.high) / 2
    square, noise = float(squares.sum()) - ratings * overall**2, 1.0
    users, movies = Effects(np.zeros(0), np.zeros(0), of_users), Effects(counts, sums - counts * overall)
    for _ in range(sweeps):
        added = train.sum(_effects_of(movies.mean, users, overall, noise))
        if not added:
            break
        movies.update(added["of_movies"], noise)
        known, total, of_squares, variances, scatter, explained = added["of_users"]
        if of_users:
            users.take_prior(known, total, of_squares, variances)
        movies.learn_prior()
        remaining = square - explained - movies.explained() + 2 * float(added["of_movies"] @ movies.mean)
        noise = noise_of(remaining, scatter + movies.scatter(), ratings)
    return effects_parameters(overall, noise, users, movies)


def _effects_of(
    movie_mean: Doubles, users: Effects, overall: float, noise: float
) -> Callable[[Block], dict[str, Doubles]]:
    """Return a function that computes the effects of a partition's users, and returns the sums that the driver needs.

    ``users``: the prior of the users' effects.
    """

    def compute(block: Block) -> dict[str, Doubles]:
        sums = np.bincount(block.index, block.stars.astype(np.float64) - overall)
        effects = Effects(np.diff(block.starts), sums)
        effects.prior_mean, effects.prior_variance = users.prior_mean, users.prior_variance
        effects.update(np.bincount(block.index, movie_mean[block.movie]), noise)
        mean = effects.mean
        sums_over_users = [
            len(mean),
            mean.sum(),
            mean @ mean,
            effects.variance.sum(),
            effects.scatter(),
            effects.explained(),
        ]
        return {
            "of_movies": np.bincount(block.movie, mean[block.index], minlength=len(movie_mean)),
            "of_users": np.asarray(sums_over_users),
        }

    return compute
