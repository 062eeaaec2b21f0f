"""Our models beside LensKit's: accuracy, and the time of a fit on one thread, in turn in one process.

    pip install '.[peers]'                       # in an environment of its own: LensKit wants an older pandas
    OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 python -m tests.benchmarks.peers [--rounds 5] [MODEL...]

Needs ml-100k among the datasets (``movietui data get ml-100k``). Prints one JSON document with the ratios of the
medians; below 1 ours is the faster. LensKit's user-knn leaves to predict what ours does in a fit, so that the time of
both together is told too.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import click
import numpy as np
import pandas as pd
from lenskit.als import BiasedMFScorer
from lenskit.data import ItemList, RecQuery, from_interactions_df
from lenskit.knn import ItemKNNScorer, UserKNNScorer
from lenskit.parallel import initialize

from data import catalogue
from data.dataset import Dataset, Ratings
from data.splits import split
from models.evaluation import build
from models.metrics import rating_metrics

PEERS: dict[str, tuple[type[Any], dict[str, int]]] = {
    "mf": (BiasedMFScorer, {"embedding_size": 50, "epochs": 20}),
    "user-knn": (UserKNNScorer, {"max_nbrs": 30}),
    "item-knn": (ItemKNNScorer, {"max_nbrs": 20}),
}
"""LensKit's model of the same kind, with the settings that its figures were measured with."""
Measured = tuple[float, float, float]
"""Seconds of a fit, seconds of predicting the test part, and the rmse on test."""


def ours(name: str, train: Dataset, test: Ratings) -> Measured:
    """Measure a model of ours."""
    model = build(name)
    start = time.perf_counter()
    model.fit(train)
    fitted = time.perf_counter()
    stars = model.predict(test.user, test.movie)
    return fitted - start, time.perf_counter() - fitted, rating_metrics(stars, test.stars)["rmse"]


def lenskit(name: str, train: Dataset, test: Ratings) -> Measured:
    """Measure LensKit's; what it does not score counts as the mean."""
    ratings = train.ratings
    data = from_interactions_df(
        pd.DataFrame({"user_id": ratings.user, "item_id": ratings.movie, "rating": ratings.stars})
    )
    kind, settings = PEERS[name]
    scorer = kind(**settings)
    start = time.perf_counter()
    scorer.train(data)
    fitted = time.perf_counter()
    stars = np.full(len(test), ratings.stars.mean(), np.float32)
    for user in np.unique(test.user):
        rows = np.flatnonzero(test.user == user)
        query = RecQuery(user_id=int(user), user_items=data.user_row(int(user)) if kind is ItemKNNScorer else None)
        scores = scorer(query, ItemList(item_ids=test.movie[rows])).scores()
        stars[rows] = np.where(np.isnan(scores), stars[rows], scores)
    predicted = time.perf_counter()
    return fitted - start, predicted - fitted, rating_metrics(train.scale.clip(stars), test.stars)["rmse"]


@click.command()
@click.argument("models", nargs=-1, type=click.Choice(list(PEERS)))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 5), help="Folds of kfold5, one a round.")
def main(models: Sequence[str], rounds: int) -> None:
    """Measure and print."""
    import torch

    initialize(processes=1, threads=1, backend_threads=1, child_threads=1)
    dataset = catalogue.load("ml-100k", "none")
    sides: dict[str, Callable[[str, Dataset, Ratings], Measured]] = {"ours": ours, "lenskit": lenskit}
    told = {}
    for name in models or PEERS:
        measured: dict[str, list[Measured]] = {side: [] for side in sides}
        for fold in [0, *range(rounds)]:  # the first round warms up and is left out
            parts = split(dataset, f"kfold5-{fold}")
            train, test = dataset.with_ratings(parts.train), dataset.ratings.take(parts.test)
            for side, measure in sides.items():
                torch.set_num_threads(1)
                measured[side].append(measure(name, train, test))
        rows = {side: measured[side][1:] for side in sides}
        fits = {side: statistics.median(row[0] for row in rows[side]) for side in sides}
        both = {side: statistics.median(row[0] + row[1] for row in rows[side]) for side in sides}
        told[name] = {
            "settings": {"ours": asdict(build(name).settings), "lenskit": PEERS[name][1]},
            "fit seconds": {side: [round(row[0], 4) for row in rows[side]] for side in sides},
            "predict seconds": {side: [round(row[1], 3) for row in rows[side]] for side in sides},
            "rmse": {side: statistics.mean(row[2] for row in rows[side]) for side in sides},
            "mse": {side: statistics.mean(row[2] ** 2 for row in rows[side]) for side in sides},
            "ratio of fits": fits["ours"] / fits["lenskit"],
            "ratio of fits with predicting": both["ours"] / both["lenskit"],
        }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
