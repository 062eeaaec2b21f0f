"""Measure a model with every combination of some settings, and choose among them honestly."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from data.dataset import Dataset
from data.problems import Problem
from data.splits import Rows, hold_out, split
from models.evaluation import build, choose
from models.metrics import Metrics, rating_metrics
from models.model import Epoch
from models.settings import Settings

MOST = 10_000
"""Combinations that a grid may have; more are taken for a slip of the hand."""


@dataclass(frozen=True)
class Swept:
    """A model measured with one combination."""

    changes: dict[str, str]
    """What was set, as the person wrote it."""
    settings: Settings
    metrics: Metrics
    """On the validation part of train, by the model fitted on the rest of train."""
    fit_seconds: float
    test: Metrics | None = None
    """On test, by the model fitted on the whole of train; of the best combination only."""


Combination = tuple[dict[str, str], Settings]
"""What a person set, as they wrote it, and the settings that this makes."""


def combine(name: str, grid: Mapping[str, Sequence[str]], published: bool = False) -> list[Combination]:
    """Return all combinations of the grid's values with the settings they make.

    Raises ``Problem`` for a model or a setting that is not known, a value out of range, and a grid without values.
    """
    if not grid:
        raise Problem("A sweep needs a grid: name a setting with values, for example --grid sweeps=4,8.")
    for key, values in grid.items():
        if not values:
            raise Problem(f"The grid has no values for {key}; write for example {key}=1,2.")
    total = math.prod(map(len, grid.values()))
    if total > MOST:
        raise Problem(f"The grid has {total:,} combinations, more than {MOST:,}; name fewer values.")
    combinations = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    return [(changes, choose(name, published, changes)) for changes in combinations]


def sweep(
    name: str,
    dataset: Dataset,
    split_name: str,
    combinations: Sequence[Combination],
    seed: int = 0,
    split_seed: int = 0,
    progress: Callable[[dict[str, str], Epoch], None] = lambda changes, epoch: None,
    arrived: Callable[[Swept], None] = lambda swept: None,
) -> list[Swept]:
    """Measure every combination on a validation part of train, and the best of them on test.

    Test is never looked at to choose. ``progress`` is called after each epoch of each fit, ``arrived`` with each result
    as it is there. Returns the results by their mean squared error, best first.
    """
    parts = split(dataset, split_name, split_seed)
    learn, validation = hold_out(parts.train)

    def measure(changes: dict[str, str], settings: Settings, rows: Rows, judged: Rows) -> tuple[Metrics, float]:
        model = build(name, settings, seed)
        start = time.perf_counter()
        model.fit(dataset.with_ratings(rows), progress=lambda epoch: progress(changes, epoch))
        seconds = time.perf_counter() - start
        held_out = dataset.ratings.take(judged)
        return rating_metrics(model.predict(held_out.user, held_out.movie), held_out.stars), seconds

    found = []
    for changes, settings in combinations:
        found.append(Swept(changes, settings, *measure(changes, settings, learn, validation)))
        arrived(found[-1])
    found.sort(key=lambda swept: swept.metrics["mse"])
    best = found[0]
    return [replace(best, test=measure(best.changes, best.settings, parts.train, parts.test)[0]), *found[1:]]
