"""The fit of ``AutoRec``. This module imports torch, so only ``AutoRec._learn`` imports this module."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from movietui.data.dataset import Dataset, Ratings
from movietui.models.autorec import SPREAD, AutoRec, AutoRecSettings, spread, variance_of_decay
from movietui.models.base import Fitted, Parameters, Progress
from movietui.models.bias import Bias
from movietui.models.metrics import mse
from movietui.models.networks import Plan, seeded, some_validation, train
from movietui.models.training.device import choose_device, to_device
from movietui.models.training.towers import dropout_mask

MIN_BATCHES = 16
"""The smallest number of batches in an epoch."""
START = 0.1
"""The decoder's initial weights as a share of the usual ones, so that they add little to the effects at first."""


class Autoencoders(nn.Module):
    """Several autoencoders that are trained side by side on the same rows."""

    def __init__(self, columns: int, hidden: int, members: int) -> None:
        super().__init__()
        self.members = members
        self.weight = nn.Parameter(torch.randn(columns, members * hidden) / columns**0.5)
        self.bias = nn.Parameter(torch.zeros(members * hidden))
        self.decoder = nn.Parameter(torch.randn(members, hidden, columns) * START / hidden**0.5)
        self.offset = nn.Parameter(torch.zeros(members, 1, columns))

    def hidden(self, rows: Tensor) -> Tensor:
        """Return the hidden units, shape (rows, members * hidden)."""
        return torch.addmm(self.bias, rows, self.weight).sigmoid()

    def forward(self, rows: Tensor) -> Tensor:
        """Return each member's output for the rows, shape (members, rows, columns)."""
        hidden = self.hidden(rows).view(len(rows), self.members, -1).transpose(0, 1)
        return torch.baddbmm(self.offset, hidden, self.decoder)


def fit(
    train_part: Dataset, validation: Ratings | None, settings: AutoRecSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Train all members at once, and return the parameters that ``AutoRec`` needs to fold viewers in."""
    effects = Bias()
    effects.fit(train_part)
    parameters, ratings = effects.parameters, train_part.ratings
    if not settings.residuals:
        without = ("overall", "user", "movie", "user_prior")
        parameters = {**parameters, **{name: np.zeros_like(parameters[name]) for name in without}}
    residuals = ratings.stars - (
        parameters["overall"] + parameters["user"][ratings.user] + parameters["movie"][ratings.movie]
    )
    device = choose_device()
    table = torch.zeros(len(train_part.users), len(train_part.movies), device=device)
    mask = torch.zeros_like(table)
    cells = to_device(device, ratings.user), to_device(device, ratings.movie)
    table[cells], mask[cells] = to_device(device, residuals.astype(np.float32)), 1.0
    if not settings.by_user:
        table, mask = table.T.contiguous(), mask.T.contiguous()
    (count, columns), total = table.shape, max(1, len(ratings))
    active = np.bincount(ratings.user, minlength=len(train_part.users)) > 0
    if validation is not None:
        validation = some_validation(validation, len(train_part.users), seed)

    with seeded(seed):
        network = Autoencoders(columns, settings.hidden, settings.members)

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            rows, rated = table[index], mask[index]
            output = network(rows * dropout_mask(rows, settings.dropout) if settings.dropout else rows)
            share = len(index) / count * total
            loss = ((output - rows) * rated).square().sum() / share
            weights = network.weight.square().sum() + network.decoder.square().sum() + network.offset.square().sum()
            squared = ((output.detach().mean(0) - rows) * rated).square().sum() / share
            return loss + settings.decay / total * weights, squared

        def validation_loss() -> float:
            assert validation is not None
            served = AutoRec(settings)
            served.restore(serving(network, table, parameters, settings, active), train_part.scale)
            served.learn_shrinkage(train_part)
            served.store_users(train_part, np.unique(validation.user))
            return mse(served.predict(validation.user, validation.movie), validation.stars)

        plan = Plan(
            settings.epochs,
            max(1, min(settings.batch, count // MIN_BATCHES)),
            settings.rate,
            settings.momentum or None,
            settings.falling,
            min_batches=1,
            unit="users" if settings.by_user else "movies",
        )
        fitted = train(network, step, count, plan, progress, validation_loss if validation is not None else None)

    with torch.no_grad():
        return serving(network, table, parameters, settings, active), fitted


def serving(
    network: Autoencoders, table: Tensor, effects: Parameters, settings: AutoRecSettings, active: NDArray[np.bool_]
) -> Parameters:
    """Return the parameters that ``AutoRec`` needs to fold viewers in. ``active``: which users have ratings."""
    empty = torch.zeros_like(table[:1])
    hidden = torch.cat([network.hidden(table), network.hidden(empty)]).cpu().numpy()
    decoder = network.decoder.flatten(0, 1).T.cpu().numpy()
    root, size = np.float32(settings.members**0.5), hidden.shape[1]
    mean, prior = np.zeros(size + 1), np.zeros((size + 1, size + 1))
    mean[-1], prior[-1, -1] = effects["user_prior"]
    of_weights = slice(size), slice(size)
    if settings.by_user:
        offset = np.append(network.offset.mean(0)[0].cpu().numpy(), np.float32(0))
        features = np.concatenate([decoder / root, np.zeros((1, size), np.float32)])
        mean[:-1] = hidden[-1] / root
        prior[of_weights] = np.eye(size) * ((hidden[:-1][active] / root).var(0).mean() if active.any() else 1.0)
        specific: Parameters = {
            "movie": effects["movie"] + offset,
            "shift": offset,
            "encoder": torch.cat([network.weight, network.bias[None]]).cpu().numpy().copy(),
        }
    else:
        features = (hidden - hidden[-1]) / root
        prior[of_weights] = np.eye(size) * variance_of_decay(float(effects["noise"]), settings)
        if active.any():
            weights = decoder[active].astype(np.float64) / root
            mean[:-1] = weights.mean(0)
            prior[of_weights] += SPREAD * np.cov(weights, rowvar=False, bias=True)
        inside = torch.cat([table @ network.weight, empty @ network.weight]) + network.bias
        specific = {
            "movie": effects["movie"],
            "inside": inside.cpu().numpy(),
            "encoder": network.weight.cpu().numpy().copy(),
            "bias": effects["user"][:-1],
        }
    return specific | {
        "overall": effects["overall"],
        "noise": effects["noise"],
        "movie_variance": effects["movie_variance"],
        "mean": mean,
        "prior": prior,
        "features": features,
        "spread": spread(features, prior),
    }
