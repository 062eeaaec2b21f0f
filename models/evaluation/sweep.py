"""Measure a model with every combination of some settings, and choose among them honestly."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

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


class Notes:
    """What a sweep found so far, on disk: one that was broken off goes on where it was.

    A line of JSON for each combination, written as soon as it was measured; a line that was cut off is measured again.
    """

    def __init__(self, folder: Path, **about: object) -> None:
        """Open the notes of the sweep that is known by ``about``: whatever its results follow from but the settings."""
        told = json.dumps(about, sort_keys=True)
        self.path = folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.jsonl"

    def read(self) -> dict[str, tuple[Metrics, float]]:
        """Return metrics and seconds of the fit by the settings, as ``told`` has them."""
        if not self.path.exists():
            return {}
        found = {}
        for line in self.path.read_text("utf-8").splitlines():
            try:
                entry = json.loads(line)
                found[entry["settings"]] = ({**entry["metrics"]}, float(entry["seconds"]))
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def add(self, swept: Swept) -> None:
        """Write a result down."""
        entry = {"settings": told(swept.settings), "metrics": swept.metrics, "seconds": swept.fit_seconds}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if file.tell():
                file.write("\n")  # before, not behind: it also ends a line that was cut off
            file.write(json.dumps(entry))

    def forget(self) -> None:
        """Remove them."""
        self.path.unlink(missing_ok=True)


def told(settings: Settings) -> str:
    """Return settings as text that is the same for equal ones."""
    return json.dumps(asdict(settings), sort_keys=True)


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
    notes: Notes | None = None,
) -> list[Swept]:
    """Measure every combination on a validation part of train, and the best of them on test.

    Test is never looked at to choose. ``progress`` is called after each epoch of each fit, ``arrived`` with each result
    as it is there; what the ``notes`` know is not measured again. Returns the results by their mean squared error, best
    first.
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
    known = notes.read() if notes else {}
    for changes, settings in combinations:
        before = known.get(told(settings))
        swept = Swept(changes, settings, *(before or measure(changes, settings, learn, validation)))
        if notes and not before:
            notes.add(swept)
        found.append(swept)
        arrived(swept)
    found.sort(key=lambda swept: swept.metrics["mse"])
    best = found[0]
    return [replace(best, test=measure(best.changes, best.settings, parts.train, parts.test)[0]), *found[1:]]
