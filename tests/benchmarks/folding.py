"""Whether folding in a viewer is as good as training with them, and how long a list takes.

    python -m tests.benchmarks.folding [MODEL...] [--dataset ml-1m] [--users 200] [--ratings 20] [--json]

Needs the dataset. Users who have rated enough are drawn and left out. A model that never saw them folds each in from
some of their ratings, as a viewer of whom nothing else is known; another of the same settings and seed is trained with
these ratings among all others. Both are asked for the users' other ratings: what folding in costs is the difference.

Then the first model makes lists: fold in, expect and rank, with everybody's whole history, each viewer for the first
time, down to the 200th movie. ``--only-lists`` leaves out the second fit.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import click
import numpy as np
from numpy.typing import NDArray

from data import catalogue
from data.dataset import Dataset
from data.problems import Problem
from models.evaluation import build, choose, history_of
from models.metrics import mse
from models.model import AnyModel, History
from models.ranking import Ranker, Viewer

LEAST = 5
"""Ratings that a user must have left to be asked for."""
TOP = 200
VIEWERS = 300

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Honesty:
    """The rmse of the same ratings of the same users, by a model that folds them in and by one trained with them."""

    users: int
    rows: int
    folded_in: float
    trained_with: float
    difference: float
    """Folded in minus trained with."""
    deviation: float
    """The standard deviation of the difference, users being what is drawn."""


@dataclass(frozen=True, eq=False)
class Newcomers:
    """The rows of a dataset's ratings: of everybody else, and of the newcomers those that are told and asked for."""

    others: Rows
    told: Rows
    asked: Rows


def newcomers(dataset: Dataset, users: int, ratings: int, seed: int = 0) -> Newcomers:
    """Draw users who have enough ratings, and of each of them those that are told."""
    random = np.random.default_rng(seed)
    counts = np.bincount(dataset.ratings.user, minlength=len(dataset.users))
    enough = np.flatnonzero(counts >= ratings + LEAST)
    if not len(enough):
        raise Problem(f"Nobody in {dataset.name} has {ratings + LEAST} ratings; tell fewer of each.")
    chosen = np.sort(random.choice(enough, min(users, len(enough)), replace=False))
    own = [random.permutation(dataset.rows_of(int(user))) for user in chosen]
    told, asked = (
        np.sort(np.concatenate(part)) for part in zip(*((o[:ratings], o[ratings:]) for o in own), strict=True)
    )
    return Newcomers(np.setdiff1d(np.arange(len(dataset.ratings)), np.concatenate([told, asked])), told, asked)


def honesty(without: AnyModel, trained: AnyModel, dataset: Dataset, who: Newcomers) -> Honesty:
    """Compare a model fitted on the others' ratings alone with one fitted on what is told of the newcomers too."""
    known, asked = dataset.with_ratings(who.told), dataset.ratings.take(who.asked)
    folded = np.empty(len(asked), np.float32)
    for user in np.unique(asked.user):
        rows, history = asked.user == user, history_of(known, int(user))
        folded[rows] = without.expect(without.fold_in(History(history.movies, history.stars))).stars[asked.movie[rows]]
    predicted = trained.predict(asked.user, asked.movie)
    rmse = [float(np.sqrt(mse(stars, asked.stars))) for stars in (folded, predicted)]
    # The estimator of models.evaluation.compare: a user's differences of squared errors belong together.
    differences = (folded.astype(np.float64) - asked.stars) ** 2 - (predicted.astype(np.float64) - asked.stars) ** 2
    away = np.bincount(asked.user, differences - differences.mean())
    deviation = float(np.sqrt((away**2).sum())) / len(asked) / sum(rmse)
    return Honesty(len(np.unique(asked.user)), len(asked), *rmse, rmse[0] - rmse[1], deviation)


def times(model: AnyModel, dataset: Dataset, viewers: int = VIEWERS, seed: int = 0) -> NDArray[np.float64]:
    """Return the seconds that the first list of each of some users of the dataset takes, shape (viewers,)."""
    random = np.random.default_rng(seed)
    users = random.choice(len(dataset.users), min(viewers, len(dataset.users)), replace=False).tolist()
    seconds = []
    for user in [users[0], *users]:  # the first warms up and is left out
        known = history_of(dataset, user)
        ranker = Ranker(dataset, model)  # remembers nobody
        viewer = Viewer("user", dataset.users.ids[user], History(known.movies, known.stars))
        start = time.perf_counter()
        ranker.rank([viewer]).order[:TOP].tolist()
        seconds.append(time.perf_counter() - start)
    return np.asarray(seconds[1:])


@click.command()
@click.argument("models", nargs=-1)
@click.option("--dataset", "name", default="ml-100k", show_default=True)
@click.option("--users", default=200, show_default=True, type=click.IntRange(1), help="How many are left out.")
@click.option("--ratings", default=20, show_default=True, type=click.IntRange(1), help="How many are told of each.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the models; more than once.")
@click.option("--only-lists", is_flag=True, help="Only how long a list takes.")
@click.option("--seed", default=0, show_default=True, help="Of the draw of users; the models have 0.")
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
    """Measure and print."""
    dataset = catalogue.load(name, "none")
    who = newcomers(dataset, users, ratings, seed)
    own = dict(change.split("=", 1) for change in changes)
    told = [_measured(model, own, dataset, who, only_lists) for model in models or ("bayes", "mf")]
    if json_:
        click.echo(json.dumps({"dataset": name, "ratings": ratings, "seed": seed, "models": told}, indent=2))
        return
    for row in told:
        click.echo(
            ", ".join(f"{key} {value:.4f}" if type(value) is float else f"{key} {value}" for key, value in row.items())
        )


def _measured(
    model: str, changes: Mapping[str, str], dataset: Dataset, who: Newcomers, only_lists: bool
) -> dict[str, str | float]:
    def fitted(rows: Rows) -> AnyModel:
        made = build(model, choose(model, changes=changes))
        made.fit(dataset.with_ratings(rows))
        return made

    without = fitted(who.others)
    found: dict[str, str | float] = {"model": model}
    if not only_lists:
        found |= asdict(honesty(without, fitted(np.sort(np.concatenate([who.others, who.told]))), dataset, who))
    milliseconds = 1000 * times(without, dataset)
    return found | {f"list p{part} ms": float(np.percentile(milliseconds, part)) for part in (50, 95)}


if __name__ == "__main__":
    main()
