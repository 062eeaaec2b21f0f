"""Time an epoch of ``dot`` in our loop and with a ``DataLoader`` over a Python ``__getitem__``, on one thread.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.epoch [--dataset ml-1m] [--batch 8192] [--rounds 3]

Needs the dataset (``movietui data get ml-1m``). The two loops alternate. They train the same network with the same
loss, optimizer and batch size, and differ only in how they assemble batches. Prints one JSON document with the ratio of
the medians.
"""

import json
import statistics
import time

import click
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as Rows

from movietui.data import catalogue
from movietui.data.dataset import Dataset, Ratings
from movietui.models.base import ignore_epoch
from movietui.models.embedding_products import Dot
from movietui.models.networks import Plan, seeded, train
from movietui.models.training.embeddings import Network


class RatingRows(Rows[Tensor]):
    """Ratings as a torch dataset that makes a tensor of each row on access, as system 004 (``docs/models.md``) does."""

    def __init__(self, ratings: Ratings) -> None:
        self.rows = np.column_stack([ratings.user, ratings.movie, ratings.stars]).astype(np.float32)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Tensor:
        return torch.tensor(self.rows[row])


def build(dataset: Dataset) -> Network:
    """Return a fresh network of ``dot`` with its published settings."""
    shape = Dot(Dot.published).shape
    nothing = torch.zeros(len(dataset.users) + 1, 0), torch.zeros(len(dataset.movies) + 1, 0)
    return Network(nothing, 1, shape, dataset.scale, 3.5)


def ours(dataset: Dataset, batch: int) -> float:
    """Return the seconds of an epoch in our loop, which takes slices of a shuffled index."""
    ratings = dataset.ratings
    user, movie, stars = (torch.from_numpy(column) for column in (ratings.user, ratings.movie, ratings.stars))
    with seeded(0):
        network = build(dataset)

        def step(index: Tensor) -> tuple[Tensor, Tensor]:
            loss = (network(network.look_up(user[index], movie[index])) - stars[index]).square().mean()
            return loss, loss

        start = time.perf_counter()
        train(network, step, len(ratings), Plan(1, batch, 0.001), ignore_epoch)
        return time.perf_counter() - start


def loader(dataset: Dataset, batch: int) -> float:
    """Return the seconds of an epoch with a ``DataLoader``."""
    with seeded(0):
        network = build(dataset)
        optimizer = torch.optim.Adam(network.parameters(), 0.001, fused=True)
        rows: DataLoader[Tensor] = DataLoader(RatingRows(dataset.ratings), batch, shuffle=True)
        start = time.perf_counter()
        for batch_rows in rows:
            user, movie, stars = batch_rows[:, 0].int(), batch_rows[:, 1].int(), batch_rows[:, 2]
            optimizer.zero_grad(set_to_none=True)
            (network(network.look_up(user, movie)) - stars).square().mean().backward()
            optimizer.step()
        return time.perf_counter() - start


@click.command()
@click.option("--dataset", "name", default="ml-1m", show_default=True)
@click.option("--batch", default=8192, show_default=True, type=click.IntRange(1))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
def main(name: str, batch: int, rounds: int) -> None:
    """Time an epoch in our loop and with a ``DataLoader``."""
    torch.set_num_threads(1)
    dataset = catalogue.load(name, "none")
    seconds: dict[str, list[float]] = {"ours": [], "loader": []}
    for _ in range(rounds):
        seconds["ours"].append(round(ours(dataset, batch), 2))
        seconds["loader"].append(round(loader(dataset, batch), 2))
    times = statistics.median(seconds["loader"]) / statistics.median(seconds["ours"])
    print(json.dumps({"dataset": name, "batch": batch, "seconds": seconds, "times_faster": round(times, 1)}, indent=2))


if __name__ == "__main__":
    main()
