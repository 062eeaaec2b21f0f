"""Measure whether folding in a viewer is as good as training with them, and how long a list takes.

    python -m tests.benchmarks.folding [MODEL...] [--dataset ml-1m] [--users 200] [--ratings 20] [--json]

Needs the dataset. Draws users with enough ratings and leaves them out. One model never sees these users and folds in
each of them from some of their ratings, as it would a new viewer. Another model with the same settings and seed is
trained with these ratings too. Both predict the users' other ratings; the difference between their errors is the cost
of folding in.

Then the first model makes lists of 200 movies: it folds in each viewer's whole history, predicts and ranks, with
nothing cached. ``--only-lists`` skips the comparison and the second fit.
"""

import os

# numpy reads this variable when it is imported. The engine, which makes the lists of the app, sets it too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import click
import numpy as np
from numpy.typing import NDArray

from movietui.data import catalogue
from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.models.base import AnyModel, History
from movietui.models.evaluation.measure import build, choose, history_of
from movietui.models.metrics import mse
from movietui.models.serving.ranking import Ranker, Viewer

LEAST = 5
"""A user must have at least this many ratings left for testing."""
TOP = 200
VIEWERS = 300

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class FoldingCost:
    """The rmse of two models on the same users' ratings: one folds in these users, the other was trained with them."""

    users: int
    rows: int
    folded_in: float
    trained_with: float
    difference: float
    """Folded in minus trained with."""
    deviation: float
    """The standard deviation of the difference from one draw of users to the next."""


@dataclass(frozen=True, eq=False)
class Newcomers:
    """The rows of a dataset's ratings in three parts: other users', and the newcomers' known and tested ratings."""

    others: Rows
    known: Rows
    tested: Rows


def newcomers(dataset: Dataset, users: int, ratings: int, seed: int = 0) -> Newcomers:
    """Draw users with enough ratings, and draw which of their ratings are known; the rest are tested."""
    random = np.random.default_rng(seed)
    counts = np.bincount(dataset.ratings.user, minlength=len(dataset.users))
    enough = np.flatnonzero(counts >= ratings + LEAST)
    if not len(enough):
        raise Problem(f"Nobody in {dataset.name} has {ratings + LEAST} ratings; choose fewer known ratings.")
    chosen = np.sort(random.choice(enough, min(users, len(enough)), replace=False))
    rows_by_user = [random.permutation(dataset.rows_of(int(user))) for user in chosen]
    known, tested = (
        np.sort(np.concatenate(part)) for part in zip(*((o[:ratings], o[ratings:]) for o in rows_by_user), strict=True)
    )
    return Newcomers(np.setdiff1d(np.arange(len(dataset.ratings)), np.concatenate([known, tested])), known, tested)


def folding_cost(without: AnyModel, trained: AnyModel, dataset: Dataset, parts: Newcomers) -> FoldingCost:
    """Compare the errors of a model fitted without the newcomers and one fitted with their known ratings."""
    known, tested = dataset.with_ratings(parts.known), dataset.ratings.take(parts.tested)
    folded = np.empty(len(tested), np.float32)
    for user in np.unique(tested.user):
        rows, history = tested.user == user, history_of(known, int(user))
        taste = without.fold_in(History(history.movies, history.stars))
        folded[rows] = without.stars(taste, tested.movie[rows])
    predicted = trained.predict(tested.user, tested.movie)
    rmse = [float(np.sqrt(mse(stars, tested.stars))) for stars in (folded, predicted)]
    # As in movietui.models.evaluation.measure.compare, the differences of squared errors are summed by user.
    differences = (folded.astype(np.float64) - tested.stars) ** 2 - (predicted.astype(np.float64) - tested.stars) ** 2
    by_user = np.bincount(tested.user, differences - differences.mean())
    deviation = float(np.sqrt((by_user**2).sum())) / len(tested) / sum(rmse)
    return FoldingCost(len(np.unique(tested.user)), len(tested), *rmse, rmse[0] - rmse[1], deviation)


def times(model: AnyModel, dataset: Dataset, viewers: int = VIEWERS, seed: int = 0) -> NDArray[np.float64]:
    """Draw users and return the seconds that the first list of each takes, shape (viewers,)."""
    random = np.random.default_rng(seed)
    users = random.choice(len(dataset.users), min(viewers, len(dataset.users)), replace=False).tolist()
    seconds = []
    for user in [users[0], *users]:  # the first warms up and is left out
        known = history_of(dataset, user)
        ranker = Ranker(dataset, model)  # has no cached viewers
        viewer = Viewer("user", dataset.users.ids[user], History(known.movies, known.stars))
        start = time.perf_counter()
        ranker.rank([viewer]).order[:TOP].tolist()
        seconds.append(time.perf_counter() - start)
    return np.asarray(seconds[1:])


@click.command()
@click.argument("models", nargs=-1)
@click.option("--dataset", "name", default="ml-100k", show_default=True)
@click.option(
    "--users", default=200, show_default=True, type=click.IntRange(1), help="The number of users to leave out."
)
@click.option(
    "--ratings", default=20, show_default=True, type=click.IntRange(1), help="The number of known ratings of each."
)
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the models; can be repeated.")
@click.option("--only-lists", is_flag=True, help="Measure only how long a list takes.")
@click.option("--seed", default=0, show_default=True, help="The seed for drawing users; the models use 0.")
@click.option("--json", "json_", is_flag=True)
def main(
    models: Sequence[str],
    name: str,
    users: int,
    ratings: int,
    changes: Sequence[str],
    only_lists: bool,
    seed: int,
    json_: bool,
) -> None:
    """Compare folding in with training, and time lists."""
    dataset = catalogue.load(name, "none")
    parts = newcomers(dataset, users, ratings, seed)
    settings = dict(change.split("=", 1) for change in changes)
    rows = [_measured(model, settings, dataset, parts, only_lists) for model in models or ("bayes", "mf")]
    if json_:
        click.echo(json.dumps({"dataset": name, "ratings": ratings, "seed": seed, "models": rows}, indent=2))
        return
    for row in rows:
        click.echo(
            ", ".join(f"{key} {value:.4f}" if type(value) is float else f"{key} {value}" for key, value in row.items())
        )


def _measured(
    model: str, changes: Mapping[str, str], dataset: Dataset, parts: Newcomers, only_lists: bool
) -> dict[str, str | float]:
    def fitted(rows: Rows) -> AnyModel:
        fitted_model = build(model, choose(model, changes=changes))
        fitted_model.fit(dataset.with_ratings(rows))
        return fitted_model

    without = fitted(parts.others)
    row: dict[str, str | float] = {"model": model}
    if not only_lists:
        row |= asdict(
            folding_cost(without, fitted(np.sort(np.concatenate([parts.others, parts.known]))), dataset, parts)
        )
    milliseconds = 1000 * times(without, dataset)
    return row | {f"list p{part} ms": float(np.percentile(milliseconds, part)) for part in (50, 95)}


if __name__ == "__main__":
    main()
