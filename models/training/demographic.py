"""The fit of ``Demographic``. This module imports torch, so only ``Demographic._learn`` imports this module."""

import numpy as np
import torch
from torch import Tensor

from movietui.data.dataset import Dataset, Floats, Ratings
from movietui.data.features import Averages, Inputs
from movietui.models.base import Fitted, Parameters, Progress
from movietui.models.demographic import BLOCK, HIDDEN, DemographicSettings
from movietui.models.networks import Plan, seeded, to_arrays, train
from movietui.models.training.device import choose_device, to_device
from movietui.models.training.towers import Tower


def fit(
    train_part: Dataset,
    validation: Ratings | None,
    inputs: Inputs,
    settings: DemographicSettings,
    overall: float,
    seed: int,
    progress: Progress,
) -> tuple[Parameters, Fitted]:
    """Train all members at once, and return their layers, whose output is relative to ``overall``."""
    ratings, scale = train_part.ratings, train_part.scale
    device = choose_device()
    users, movies = to_device(device, inputs.users.values), to_device(device, inputs.movies.values)
    user, movie = to_device(device, ratings.user), to_device(device, ratings.movie)
    stars = to_device(device, ratings.stars - np.float32(overall))
    averages_without = (
        [to_device(device, columns) for columns in _averages_without_each(train_part, inputs)]
        if settings.averages
        else None
    )

    with seeded(seed):
        tower = Tower(settings.members, (len(inputs.names), *HIDDEN, 1))
        with torch.no_grad():
            tower.weight[-1] *= 0.1  # so that the mean is learned first

        def outputs_of(x: Tensor, y: Tensor) -> Tensor:
            outputs: Tensor = tower(torch.cat([x, y], 1).expand(settings.members, -1, -1))
            return outputs[:, :, 0]

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            x, y = users[user[index]], movies[movie[index]]
            if averages_without is not None:
                x[:, -2:], y[:, -2:] = averages_without[0][index], averages_without[1][index]
            outputs = outputs_of(x, y)
            errors = outputs - stars[index]
            loss = (errors.abs() + settings.squares * errors.square()).mean(1).sum()
            return loss, (outputs.detach().mean(0) - stars[index]).square().mean()

        def validation_loss() -> float:
            assert validation is not None
            total = 0.0
            for start in range(0, len(validation), BLOCK):
                rows = slice(start, start + BLOCK)
                predicted = outputs_of(users[validation.user[rows]], movies[validation.movie[rows]]).mean(0) + overall
                predicted = predicted.clamp(scale.low, scale.high)
                total += float(
                    (predicted - to_device(device, validation.stars[rows])).square().sum(dtype=torch.float64)
                )
            return total / max(1, len(validation))

        plan = Plan(settings.epochs, settings.batch, settings.rate, falling=settings.falling)
        fitted = train(tower, step, len(ratings), plan, progress, validation_loss if validation is not None else None)
    return to_arrays(tower.layers(), "layers"), fitted


def _averages_without_each(train_part: Dataset, inputs: Inputs) -> tuple[Floats, Floats]:
    """Return the scaled average and count of each rating's user and movie, both without the rating.

    Otherwise, the rating's stars would leak into its own prediction.
    """
    ratings = train_part.ratings
    tables = []
    for averages, rows, block in (
        (Averages.of_users(train_part), ratings.user, inputs.users),
        (Averages.of_movies(train_part), ratings.movie, inputs.movies),
    ):
        raw = np.column_stack([averages.stars_without(rows, ratings.stars), np.log(averages.counts[rows])])
        tables.append(((raw - block.mean[-2:]) / block.deviation[-2:]).astype(np.float32))
    return tables[0], tables[1]
