"""The fit of ``Als``. This module imports torch, so only ``Als._learn`` imports this module."""

import numpy as np
import torch
from torch import Tensor

from movietui.data.dataset import Dataset, Floats, Ratings, Scale
from movietui.models.als import SAMPLE, AlsSettings, UserSums, parameters_of, products
from movietui.models.base import Epoch, Fitted, Parameters, Progress, history_of
from movietui.models.metrics import mse
from movietui.models.rankers import sample_users
from movietui.models.training.alternating import PaddedLists, solve


def fit(
    train: Dataset, validation: Ratings | None, settings: AlsSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Fit by solving in turn for the movies and for the users, whose factors start at random with unit length."""
    ratings = train.ratings
    by_user = PaddedLists.of(ratings.user, ratings.movie, ratings.stars, len(train.users))
    by_movie = PaddedLists.of(ratings.movie, ratings.user, ratings.stars, len(train.movies))
    generator = torch.Generator().manual_seed(seed)
    users = torch.nn.functional.normalize(torch.randn(len(train.users), settings.factors, generator=generator))
    curve: list[Epoch] = []
    for number in range(1, settings.sweeps + 1):
        movies = solve(by_movie, users, settings.ridge * by_movie.lengths)
        # Users are updated last, so that a stored user is exactly what folding in their ratings gives.
        users = solve(by_user, movies, settings.ridge * by_user.lengths)
        # Users and movies without ratings, and the last row, get the mean factors.
        vectors = _with_mean(users, by_user.lengths), _with_mean(movies, by_movie.lengths)
        held_out = _loss(*vectors, validation, train.scale) if validation is not None else None
        curve.append(Epoch(number, settings.sweeps, _loss(*vectors, ratings, train.scale), held_out))
        progress(curve[-1])
    sums = UserSums.of(users.numpy(), by_user.lengths.numpy())
    sample = [history_of(train, user) for user in sample_users(len(train.users), SAMPLE).tolist()]
    parameters = parameters_of(movies.numpy(), train.counts, sums, sample, settings)
    return parameters | dict(zip(("user", "factors"), vectors, strict=True)), Fitted.of(curve)


def _with_mean(vectors: Tensor, counts: Tensor) -> Floats:
    known = (counts > 0).numpy()[:, None]
    mean = np.sum(vectors.numpy(), 0, np.float64) / max(1, known.sum())
    return np.asarray(np.append(np.where(known, vectors.numpy(), mean), mean[None], 0), np.float32)


def _loss(users: Floats, movies: Floats, ratings: Ratings, scale: Scale) -> float:
    """Return the mean squared error of the predictions, clipped to the scale."""
    stars = products(users, movies, ratings.user, ratings.movie)
    return mse(scale.clip(stars), ratings.stars) if len(ratings) else 0.0
