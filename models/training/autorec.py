"""The fit of ``AutoRec``. Imports torch, so only ``AutoRec._learn`` imports it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data.dataset import Dataset, Ratings
from models.autorec import SPREAD, AutoRec, AutoRecSettings, ridge, spread
from models.bias import Bias
from models.device import chosen, on
from models.metrics import mse
from models.model import Fitted, Parameters, Progress
from models.networks import Plan, seeded, train
from models.towers import kept

LEAST_BATCHES = 16
"""Batches that an epoch has at least."""
WATCHED = 300
"""So many users' validation ratings are watched at most: folding all in after each epoch would take longer than it."""
START = 0.1
"""How much smaller than the usual the weights of the decoder start, so that at first little is added to the effects."""


class Autoencoders(nn.Module):
    """Several autoencoders side by side, over the same rows."""

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
        """Return what each member makes of the rows, shape (members, rows, columns)."""
        hidden = self.hidden(rows).view(len(rows), self.members, -1).transpose(0, 1)
        return torch.baddbmm(self.offset, hidden, self.decoder)


def fit(
    train_part: Dataset, validation: Ratings | None, settings: AutoRecSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Train all members at once, and return what ``AutoRec`` folds viewers in with."""
    effects = Bias()
    effects.fit(train_part)
    known, ratings = effects.parameters, train_part.ratings
    left = ratings.stars - (known["overall"] + known["user"][ratings.user] + known["movie"][ratings.movie])
    where = chosen()
    table = torch.zeros(len(train_part.users), len(train_part.movies), device=where)
    mask = torch.zeros_like(table)
    place = on(where, ratings.user), on(where, ratings.movie)
    table[place], mask[place] = on(where, left.astype(np.float32)), 1.0
    if not settings.by_user:
        table, mask = table.T.contiguous(), mask.T.contiguous()
    (many, columns), total = table.shape, max(1, len(ratings))
    active = np.bincount(ratings.user, minlength=len(train_part.users)) > 0
    if validation is not None:
        some = np.random.RandomState(seed).permutation(len(train_part.users))[:WATCHED]
        validation = validation.take(np.flatnonzero(np.isin(validation.user, some)))

    with seeded(seed):
        network = Autoencoders(columns, settings.hidden, settings.members)

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            rows, counted = table[index], mask[index]
            found = network(rows * kept(rows, settings.dropout) if settings.dropout else rows)
            share = len(index) / many * total
            loss = ((found - rows) * counted).square().sum() / share
            weights = network.weight.square().sum() + network.decoder.square().sum() + network.offset.square().sum()
            squared = ((found.detach().mean(0) - rows) * counted).square().sum() / share
            return loss + settings.decay / total * weights, squared

        def watch() -> float:
            assert validation is not None
            served = AutoRec(settings)
            served.restore(serving(network, table, known, settings, active), train_part.scale)
            served.tighten(train_part)
            served.settle(train_part, np.unique(validation.user))
            return mse(served.predict(validation.user, validation.movie), validation.stars)

        plan = Plan(
            settings.epochs,
            max(1, min(settings.batch, many // LEAST_BATCHES)),
            settings.rate,
            settings.momentum or None,
            settings.falling,
            least_batches=1,
        )
        fitted = train(network, step, many, plan, progress, watch if validation is not None else None)

    with torch.no_grad():
        return serving(network, table, known, settings, active), fitted


def serving(
    network: Autoencoders, table: Tensor, effects: Parameters, settings: AutoRecSettings, active: NDArray[np.bool_]
) -> Parameters:
    """Return what ``AutoRec`` folds viewers in with; ``active`` are the users with ratings."""
    empty = torch.zeros_like(table[:1])
    hidden = torch.cat([network.hidden(table), network.hidden(empty)]).cpu().numpy()
    decoder = network.decoder.flatten(0, 1).T.cpu().numpy()
    root, size = np.float32(settings.members**0.5), hidden.shape[1]
    mean, prior = np.zeros(size + 1), np.zeros((size + 1, size + 1))
    mean[-1], prior[-1, -1] = effects["user_prior"]
    own = slice(size), slice(size)
    if settings.by_user:
        offset = np.append(network.offset.mean(0)[0].cpu().numpy(), np.float32(0))
        features = np.concatenate([decoder / root, np.zeros((1, size), np.float32)])
        mean[:-1] = hidden[-1] / root
        prior[own] = np.eye(size) * ((hidden[:-1][active] / root).var(0).mean() if active.any() else 1.0)
        more: Parameters = {
            "movie": effects["movie"] + offset,
            "shift": offset,
            "encoder": torch.cat([network.weight, network.bias[None]]).cpu().numpy().copy(),
        }
    else:
        features = (hidden - hidden[-1]) / root
        prior[own] = np.eye(size) * ridge(float(effects["noise"]), settings)
        if active.any():
            weights = decoder[active].astype(np.float64) / root
            mean[:-1] = weights.mean(0)
            prior[own] += SPREAD * np.cov(weights, rowvar=False, bias=True)
        inside = torch.cat([table @ network.weight, empty @ network.weight]) + network.bias
        more = {
            "movie": effects["movie"],
            "inside": inside.cpu().numpy(),
            "encoder": network.weight.cpu().numpy().copy(),
            "bias": effects["user"][:-1],
        }
    return more | {
        "overall": effects["overall"],
        "noise": effects["noise"],
        "movie_variance": effects["movie_variance"],
        "mean": mean,
        "prior": prior,
        "features": features,
        "spread": spread(features, prior),
    }
