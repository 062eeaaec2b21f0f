"""The fit of ``Demographic``. Imports torch, so only ``Demographic._learn`` imports it."""

import numpy as np
import torch
from torch import Tensor

from data.dataset import Dataset, Floats, Ratings
from data.features import Averages, Inputs
from models.demographic import BLOCK, HIDDEN, DemographicSettings
from models.device import chosen, on
from models.model import Fitted, Parameters, Progress
from models.networks import Plan, named, seeded, train
from models.towers import Tower


def fit(
    train_part: Dataset,
    validation: Ratings | None,
    inputs: Inputs,
    settings: DemographicSettings,
    overall: float,
    seed: int,
    progress: Progress,
) -> tuple[Parameters, Fitted]:
    """Train all members at once, and return their layers, which say how far above ``overall`` a rating is."""
    ratings, scale = train_part.ratings, train_part.scale
    where = chosen()
    users, movies = on(where, inputs.users.values), on(where, inputs.movies.values)
    user, movie = on(where, ratings.user), on(where, ratings.movie)
    stars = on(where, ratings.stars - np.float32(overall))
    without = [on(where, own) for own in _own_averages(train_part, inputs)] if settings.averages else None

    with seeded(seed):
        tower = Tower(settings.members, (len(inputs.names), *HIDDEN, 1))
        with torch.no_grad():
            tower.weight[-1] *= 0.1  # so that what is learned first is the mean

        def say(x: Tensor, y: Tensor) -> Tensor:
            said: Tensor = tower(torch.cat([x, y], 1).expand(settings.members, -1, -1))
            return said[:, :, 0]

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            x, y = users[user[index]], movies[movie[index]]
            if without is not None:
                x[:, -2:], y[:, -2:] = without[0][index], without[1][index]
            said = say(x, y)
            rest = said - stars[index]
            loss = (rest.abs() + settings.squares * rest.square()).mean(1).sum()
            return loss, (said.detach().mean(0) - stars[index]).square().mean()

        def watch() -> float:
            assert validation is not None
            total = 0.0
            for start in range(0, len(validation), BLOCK):
                rows = slice(start, start + BLOCK)
                found = say(users[validation.user[rows]], movies[validation.movie[rows]]).mean(0) + overall
                found = found.clamp(scale.low, scale.high)
                total += float((found - on(where, validation.stars[rows])).square().sum(dtype=torch.float64))
            return total / max(1, len(validation))

        plan = Plan(settings.epochs, settings.batch, settings.rate, falling=settings.falling)
        fitted = train(tower, step, len(ratings), plan, progress, watch if validation is not None else None)
    return named(tower.layers(), "layers"), fitted


def _own_averages(train_part: Dataset, inputs: Inputs) -> tuple[Floats, Floats]:
    """The averages and counts of each rating's user and movie without that rating, which would give itself away."""
    ratings = train_part.ratings
    found = []
    for averages, rows, block in (
        (Averages.of_users(train_part), ratings.user, inputs.users),
        (Averages.of_movies(train_part), ratings.movie, inputs.movies),
    ):
        raw = np.column_stack([averages.stars_without(rows, ratings.stars), np.log(averages.counts[rows])])
        found.append(((raw - block.mean[-2:]) / block.deviation[-2:]).astype(np.float32))
    return found[0], found[1]
