"""The fit of ``Ials``. This module imports torch, so only ``Ials._learn`` imports this module."""

import numpy as np
import torch
from torch import Tensor

from movietui.data.dataset import Dataset, Ratings
from movietui.data.samples import ratings_of, some_users
from movietui.models.base import Epoch, Fitted, Parameters, Progress
from movietui.models.bias import learn_effects
from movietui.models.ials import (
    SAMPLE,
    Ials,
    IalsSettings,
    describe_unrated,
    ials_parameters,
    sample_scores,
)
from movietui.models.metrics import mse
from movietui.models.rankers import SWEEPS, calibrate, ratings_by_user, sample_users
from movietui.models.training.alternating import PaddedLists, solve

START = 0.1
"""The approximate length of the movies' initial factors."""
LEARNED_RATINGS = 4_000_000
"""About how many ratings the movies' factors are learned from. With 128 factors, this takes a minute and a half on two
cores; all 32 million ratings of ml-32m would take twelve minutes."""


def fit(
    whole: Dataset, validation: Ratings | None, chosen: IalsSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Fit by solving in turn for the users and for the movies, and then describe the movies without ratings.

    The movies of a large dataset learn from some of its users, who together have about ``LEARNED_RATINGS`` ratings.
    """
    train = whole.without_unrated()
    settings = chosen.for_ratings(len(train.ratings))
    parameters = learn_effects(train, SWEEPS) | ratings_by_user(train)
    learned = some_users(train, LEARNED_RATINGS, seed)
    rows = ratings_of(train, learned)
    values = settings.values(train.ratings.stars[rows])
    rows, values = rows[values != 0], values[values != 0]
    user, movie = np.searchsorted(learned, train.ratings.user[rows]).astype(np.int32), train.ratings.movie[rows]
    in_sample = sample_users(len(learned), SAMPLE)
    sample, others = learned[in_sample], np.setdiff1d(np.arange(len(learned)), in_sample)
    of_others = ~np.isin(user, in_sample)
    by_user = PaddedLists.of(user, movie, values, len(learned))
    by_movie = PaddedLists.of(movie, user, values, len(train.movies))
    by_others = PaddedLists.of(movie[of_others], user[of_others], values[of_others], len(train.movies))
    generator = torch.Generator().manual_seed(seed)
    movies = torch.randn(len(train.movies), settings.factors, generator=generator) * (START / settings.factors**0.5)
    unseen = settings.unseen * max(1, int(by_user.lengths.sum())) / max(1, len(learned) * len(train.movies))
    served = Ials(settings)
    curve: list[Epoch] = []
    for number in range(1, settings.sweeps + 1):
        users = _solve(by_user, movies, movies, unseen, settings)
        movies = _solve(by_others, users, users[others], unseen, settings)
        served.restore(parameters | _parameters(movies, users, unseen, settings.ridge), train.scale)
        taste, loss = calibrate(sample_scores(train, served, sample))
        held_out = None
        if validation is not None:
            served.restore(served.parameters | taste, train.scale)
            held_out = mse(served.predict(validation.user, validation.movie), validation.stars)
        curve.append(Epoch(number, settings.sweeps, loss, held_out))
        progress(curve[-1])
    # Finally, the movies also learn from the sample.
    users = _solve(by_user, movies, movies, unseen, settings)
    movies = _solve(by_movie, users, users, unseen, settings)
    fitted = parameters | _parameters(movies, users, unseen, settings.ridge) | taste
    mean_user = users.mean(0).numpy()
    return describe_unrated(fitted, mean_user, whole.movies, train.counts, imdb=settings.imdb), Fitted.of(curve)


def _solve(lists: PaddedLists, other_side: Tensor, others: Tensor, unseen: float, settings: IalsSettings) -> Tensor:
    """Return the factors of one side, given those of the other.

    ``others``: the factors for which the score of every pair is pulled towards 0, with the weight ``unseen``: the ``e``
    of ``Ials``, not the setting.
    """
    ridges = settings.ridge * (lists.lengths + unseen * len(others)) ** settings.scaling
    return solve(lists, other_side, ridges, unseen * (others.T @ others))


def _parameters(movies: Tensor, users: Tensor, unseen: float, ridge: float) -> Parameters:
    return ials_parameters(movies.numpy(), users.mean(0).numpy(), unseen, ridge)
