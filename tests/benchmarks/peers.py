"""Compare our models with those of other libraries on the same splits: the quality, and the time of a fit.

    pip install '.[peers]'                       # in a separate environment: LensKit wants an older pandas
    python -m tests.benchmarks.peers [--only bayes,ease] [--dataset ml-1m] [--split u1] [--rounds 3] [--json]

Needs the dataset (``movietui data get ml-100k``). All models run in one process on one core: ours and then each peer,
in every other round in reverse order. Each round uses the next split: for stars the folds of kfold5, for lists random80
with the split seeds 0, 1, 2 …. Seconds are CPU time, which other processes do not affect, as medians over the rounds;
metrics are means. A ratio below 1 means that our model is faster. LensKit finds user neighbours only while
predicting, so the time to fit and predict is reported too. A peer that is not installed is skipped with a note.
"""

import os

# numpy, torch and LensKit read these variables when they are imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = "1"

import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from movietui.data import catalogue
from movietui.data.dataset import Dataset, Ratings
from movietui.data.splits import split
from movietui.models.evaluation.measure import build, choose, lists_of_users
from movietui.models.metrics import Ranked, rank_users, ranking_metrics, rating_metrics
from tests.benchmarks.adapters import LARGE, PEERS
from tests.models.builders import by_score

FIGURE = {"rating": "rmse", "ranking": "ndcg@10"}
SPLITS = {"rating": tuple(f"kfold5-{fold}" for fold in range(5)), "ranking": ("random80",)}
WARM_UP = 5_000
"""Each model is fitted once on this many ratings before it is timed, so that imports and compilation do not count."""


@dataclass(frozen=True)
class Row:
    """One of our models and its peers."""

    task: str
    peers: tuple[str, ...]
    changes: Mapping[str, str] = field(default_factory=dict)
    """The settings of our model that differ from the tuned ones."""
    of_large: Mapping[str, str] = field(default_factory=dict)
    """With at least ``LARGE`` ratings in train, these settings differ too, or differ otherwise."""

    def changes_for(self, ratings: int) -> Mapping[str, str]:
        """Return the settings that differ from the tuned ones with this many ratings in train."""
        return {**self.changes, **(self.of_large if ratings >= LARGE else {})}


ROWS: Mapping[str, Row] = {
    # With 60 sweeps, bayes is as good as myFM; comparing speed does not need more.
    "bayes": Row("rating", ("myFM",), {"sweeps": "60"}),
    "mf": Row("rating", ("LensKit ALS", "Surprise SVD", "Cornac MF")),
    "user-knn": Row("rating", ("LensKit user-kNN",)),
    "item-knn": Row("rating", ("LensKit item-kNN", "Surprise KNNBaseline")),
    "ease": Row("ranking", ("LensKit EASE",)),
    # With these settings, ials is as good as implicit's ALS on validation tenths of ml-100k and ml-1m; with the tuned
    # ones, it is better and takes longer.
    "ials": Row("ranking", ("implicit ALS",), {"factors": "16", "sweeps": "4"}, {"factors": "40"}),
    "blend": Row("ranking", ("LensKit EASE", "implicit ALS")),
}


@dataclass(frozen=True)
class Measured:
    """One fit of one model."""

    fit: float
    """CPU seconds of the fit."""
    predict: float
    """CPU seconds of the predictions or lists for the whole test part."""
    figure: float
    """The metric of the task, see ``FIGURE``."""


def measure(name: str, row: Row, train: Dataset, test: Ratings) -> Measured:
    """Fit the model with this name, ours or a peer, and measure it."""
    if name in PEERS:
        fit = PEERS[name].prepare(train)
    else:
        model = build(name, choose(name, changes=row.changes_for(len(train.ratings))))

        def fit() -> Any:
            model.fit(train)
            return model.predict

    start = time.process_time()
    predict = fit()
    fitted = time.process_time()
    if row.task == "rating":
        stars = train.scale.clip(predict(test.user, test.movie))
        predicted = time.process_time()
        metrics = rating_metrics(stars, test.stars)
    else:
        if name in PEERS:
            no_stars = np.zeros(len(train.movies), np.float32)
            lists = rank_users(train, test, lambda user: Ranked(by_score(train, user, predict(user)), no_stars))
        else:
            lists = lists_of_users(model, train, test, "likely")
        predicted = time.process_time()
        metrics = ranking_metrics(lists, train)
    return Measured(fitted - start, predicted - fitted, metrics[FIGURE[row.task]])


def compare(name: str, row: Row, peers: Sequence[str], dataset: Dataset, splits: Sequence[str], rounds: int) -> Any:
    """Return the metrics and CPU times of our model and its peers in each round.

    Also return the ratios of our median time to that of each peer: for the fit alone, and with predicting.
    """
    sides = (name, *peers)
    warm_up = split(dataset, splits[0])
    for side in sides:
        measure(side, row, dataset.with_ratings(warm_up.train[:WARM_UP]), dataset.ratings.take(warm_up.test))
    measured: dict[str, list[Measured]] = {side: [] for side in sides}
    used_splits = [(splits[number % len(splits)], number // len(splits)) for number in range(rounds)]
    for number, (split_name, seed) in enumerate(used_splits):
        parts = split(dataset, split_name, seed)
        train, test = dataset.with_ratings(parts.train), dataset.ratings.take(parts.test)
        for side in sides if number % 2 == 0 else reversed(sides):
            measured[side].append(measure(side, row, train, test))
            last = measured[side][-1]
            click.echo(f"{split_name}, seed {seed}: {side} {last.figure:.4f} in {last.fit:.2f} s", err=True)
    fits = {side: statistics.median(one.fit for one in measured[side]) for side in sides}
    both = {side: statistics.median(one.fit + one.predict for one in measured[side]) for side in sides}
    return {
        "model": name,
        "task": row.task,
        "splits": [f"{split_name}, seed {seed}" for split_name, seed in used_splits],
        "sides": [
            {
                "name": side,
                "settings": PEERS[side].settings if side in PEERS else _words(row.changes_for(len(train.ratings))),
                FIGURE[row.task]: statistics.mean(one.figure for one in measured[side]),
                "figures": [one.figure for one in measured[side]],
                "fit seconds": [one.fit for one in measured[side]],
                "predict seconds": [one.predict for one in measured[side]],
                "median fit": fits[side],
                "median fit and predict": both[side],
                "ratio of fits": fits[name] / fits[side],
                "ratio of fits with predicting": both[name] / both[side],
            }
            for side in sides
        ],
    }


def _words(changes: Mapping[str, str]) -> str:
    return ", ".join(["tuned", *(f"{name}={value}" for name, value in changes.items())])


def on_one_core() -> str:
    """Pin this process to one core if possible, because our fits otherwise use all cores.

    Return how many threads the models use, in words.
    """
    if not hasattr(os, "sched_setaffinity"):
        return "one for each library; this system cannot pin a process to a core"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return "one, on one core"


def table(results: Mapping[str, Any]) -> Table:
    """Return a table with a row for each of our models and each peer."""
    columns = ("fit s", "with predicting s", "rmse", "ndcg@10", "ours / peer", "with predicting")
    rows_table = Table("model", "settings", box=None, pad_edge=False)
    for column in columns:
        rows_table.add_column(column, justify="right")
    for row in results["rows"]:
        for side in row["sides"]:
            figures = (f"{side[name]:.4f}" if name in side else "" for name in FIGURE.values())
            ratios = ("ratio of fits", "ratio of fits with predicting")
            rows_table.add_row(
                side["name"],
                side["settings"],
                f"{side['median fit']:.3f}",
                f"{side['median fit and predict']:.3f}",
                *figures,
                *(f"{side[ratio]:.2f}" if side["name"] != row["model"] else "" for ratio in ratios),
            )
        rows_table.add_section()
    return rows_table


@click.command()
@click.option("--only", help="Our models, separated by commas.  [default: all]")
@click.option("--dataset", "name", default="ml-100k", show_default=True)
@click.option("--split", "splits", help="Splits, separated by commas.  [default: kfold5; for lists random80]")
@click.option("--rounds", type=click.IntRange(1), help="How many times to fit each model.  [default: 5; for lists 3]")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document with all fits.")
def main(only: str | None, name: str, splits: str | None, rounds: int | None, json_: bool) -> None:
    """Compare our models with those of other libraries."""
    chosen = only.split(",") if only else list(ROWS)
    if unknown := set(chosen) - set(ROWS):
        raise click.UsageError(f"There are no peers for {unknown.pop()!r}; choose from {', '.join(ROWS)}.")
    threads = on_one_core()
    dataset = catalogue.load(name, "none")
    rows: list[Any] = []
    peer_versions: dict[str, str] = {}
    for model in chosen:
        row = ROWS[model]
        peers = [peer for peer in row.peers if find_spec(PEERS[peer].module)]
        for peer in row.peers:
            package = PEERS[peer].package
            if peer in peers:
                peer_versions[package] = version(package)
            else:
                click.echo(f"{peer} is left out: {package} is not installed", err=True)
        if not peers:
            continue
        split_names = tuple(splits.split(",")) if splits else SPLITS[row.task]
        with redirect_stdout(sys.stderr):  # LensKit warns on standard output
            rows.append(compare(model, row, peers, dataset, split_names, rounds or (5 if row.task == "rating" else 3)))
    versions = {package: version(package) for package in ("movietui", "numpy", "torch")} | peer_versions
    results = {"dataset": name, "threads": threads, "versions": versions, "rows": rows}
    if json_:
        click.echo(json.dumps(results, indent=2))
        return
    console = Console(width=max(Console().width, 150))
    console.print(table(results))
    console.print(", ".join(f"{package} {number}" for package, number in versions.items()))
    console.print(f"{name}, no cleaning; threads: {threads}")


if __name__ == "__main__":
    main()
