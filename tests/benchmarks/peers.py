"""Our matrix factorisation beside LensKit's: accuracy, and the time of a fit on one thread, in turn in one process.

    pip install '.[peers]'                       # in an environment of its own: LensKit wants an older pandas
    OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 python -m tests.benchmarks.peers [--rounds 5]

Needs ml-100k among the datasets (``movietui data get ml-100k``). Prints one JSON document with the ratio of the
medians; below 1 ours is the faster.
"""

import json
import statistics
import time
from dataclasses import asdict
from typing import Any

import click
import numpy as np
import pandas as pd
from lenskit.als import BiasedMFScorer
from lenskit.data import ItemList, RecQuery, from_interactions_df
from lenskit.parallel import initialize

from data import catalogue
from data.dataset import Dataset, Ratings
from data.splits import split
from models.metrics import rating_metrics
from models.mf import BiasedMF

FEATURES, EPOCHS = 50, 20


def ours(train: Dataset, test: Ratings) -> tuple[float, float]:
    """Return seconds of a fit and the rmse on test."""
    model = BiasedMF()
    start = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - start
    return seconds, rating_metrics(model.predict(test.user, test.movie), test.stars)["rmse"]


def lenskit(train: Dataset, test: Ratings) -> tuple[float, float]:
    """Return seconds of a fit and the rmse on test; what LensKit does not score counts as the mean."""
    ratings = train.ratings
    table = pd.DataFrame({"user_id": ratings.user, "item_id": ratings.movie, "rating": ratings.stars})
    data = from_interactions_df(table)
    scorer: Any = BiasedMFScorer(embedding_size=FEATURES, epochs=EPOCHS)
    start = time.perf_counter()
    scorer.train(data)
    seconds = time.perf_counter() - start
    stars = np.full(len(test), ratings.stars.mean(), np.float32)
    for user in np.unique(test.user):
        rows = np.flatnonzero(test.user == user)
        scores = scorer(RecQuery(user_id=int(user)), ItemList(item_ids=test.movie[rows])).scores()
        stars[rows] = np.where(np.isnan(scores), stars[rows], scores)
    return seconds, rating_metrics(train.scale.clip(stars), test.stars)["rmse"]


@click.command()
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 5), help="Folds of kfold5, one a round.")
def main(rounds: int) -> None:
    """Measure and print."""
    import torch

    initialize(processes=1, threads=1, backend_threads=1, child_threads=1)
    torch.set_num_threads(1)
    dataset = catalogue.load("ml-100k", "none")
    measured: dict[str, list[tuple[float, float]]] = {"mf": [], "lenskit": []}
    for fold in [0, *range(rounds)]:  # the first round warms up and is left out
        parts = split(dataset, f"kfold5-{fold}")
        train, test = dataset.with_ratings(parts.train), dataset.ratings.take(parts.test)
        measured["mf"].append(ours(train, test))
        torch.set_num_threads(1)
        measured["lenskit"].append(lenskit(train, test))
    seconds = {name: [row[0] for row in rows[1:]] for name, rows in measured.items()}
    print(
        json.dumps(
            {
                "settings": {"mf": asdict(BiasedMF().settings), "lenskit": {"features": FEATURES, "epochs": EPOCHS}},
                "seconds": {name: [round(value, 3) for value in values] for name, values in seconds.items()},
                "rmse": {name: statistics.mean(row[1] for row in rows[1:]) for name, rows in measured.items()},
                "ratio of medians": statistics.median(seconds["mf"]) / statistics.median(seconds["lenskit"]),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
