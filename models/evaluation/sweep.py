"""Measures a model with every combination of some settings, and chooses the best without using test ratings."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.data.splits import hold_out
from movietui.data.storage import disk, strict_json
from movietui.models.base import Epoch
from movietui.models.choices import MOST_COMBINATIONS, SWEEP_METRIC
from movietui.models.evaluation.measure import as_published, build, choose, metrics_of_ratings
from movietui.models.evaluation.parts import Parts, split_dataset
from movietui.models.metrics import Metrics
from movietui.models.settings import Settings


@dataclass(frozen=True)
class Swept:
    """A model measured with one combination of settings."""

    changes: dict[str, str]
    """The settings that were changed, as typed."""
    settings: Settings
    metrics: Metrics
    """Measured on a validation part of the train part, after a fit on the rest of it."""
    fit_seconds: float
    test: Metrics | None = None
    """Measured on the test part, after a fit on the whole train part; only for the best combination."""


Combination = tuple[dict[str, str], Settings]
"""The settings that were changed, as typed, and the resulting settings."""


class Results:
    """The results of a sweep so far, on disk, from which an interrupted sweep resumes.

    The file has one line of JSON for each combination, written as soon as it is measured. If a line is truncated, its
    combination is measured again.
    """

    def __init__(self, folder: Path, **about: object) -> None:
        """Find the file of the sweep that ``about`` identifies: everything that the results depend on, except the
        settings."""
        described = json.dumps(about, sort_keys=True)
        self.path = folder / f"{hashlib.sha256(described.encode()).hexdigest()[:32]}.jsonl"

    def read(self) -> dict[str, tuple[Metrics, float]]:
        """Return the metrics and the seconds of the fit, by ``key_of`` the settings of each combination."""
        try:
            lines = disk.read(self.path).splitlines()
        except OSError:
            return {}
        measured = {}
        for line in lines:
            try:
                entry = strict_json.loads(line)
                metrics = {str(name): float(value) for name, value in entry["metrics"].items()}
                measured[str(entry["settings"])] = (metrics, float(entry["seconds"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return measured

    def add(self, swept: Swept) -> None:
        """Write a result. If that fails, the sweep continues, but cannot resume from the result."""
        entry = {"settings": key_of(swept.settings), "metrics": swept.metrics, "seconds": swept.fit_seconds}
        with suppress(OSError):
            disk.make_folder(self.path.parent)
            self._append(json.dumps(entry).encode())

    def _append(self, line: bytes) -> None:
        with disk.open_to_append(self.path) as file:
            if file.tell():
                file.write(b"\n")  # before the line rather than after, so that it also ends a truncated line
            file.write(line)

    def forget(self) -> None:
        """Delete the results."""
        self.path.unlink(missing_ok=True)


def key_of(settings: Settings) -> str:
    """Return settings as text, which is the same for equal settings."""
    return json.dumps(asdict(settings), sort_keys=True)


def combine(name: str, grid: Mapping[str, Sequence[str]], published: bool = False) -> list[Combination]:
    """Return all combinations of the grid's values, with the resulting settings.

    Raises ``Problem`` for an unknown model or setting, a value out of range, a grid without values, and more than
    ``MOST_COMBINATIONS`` combinations.
    """
    if not grid:
        raise Problem("A sweep needs a grid: give a setting several values, such as --grid sweeps=4,8.")
    for key, values in grid.items():
        if not values:
            raise Problem(f"The grid has no values for {key}; add some, for example {key}=1,2.")
    total = math.prod(map(len, grid.values()))
    if total > MOST_COMBINATIONS:
        raise Problem(f"The grid has {total:,} combinations, more than {MOST_COMBINATIONS:,}; give fewer values.")
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
    on_result: Callable[[Swept], None] = lambda swept: None,
    results: Results | None = None,
) -> list[Swept]:
    """Measure every combination on a validation part of the train part, and the best of them on the test part.

    The test part is never used to choose. ``progress`` is called after each epoch of each fit, and ``on_result`` with
    each result. Combinations that are in ``results`` are not measured again. Returns all results sorted by
    ``SWEEP_METRIC``, best first.
    """
    if dataset.implicit:
        raise Problem(
            f"{dataset.name} only says who watched what, so a sweep has no {SWEEP_METRIC} to rank settings by."
        )
    dataset = dataset.without_unrated()
    parts = split_dataset(dataset, split_name, split_seed)
    learn, validation = hold_out(parts.rows.train)
    learned = dataset.with_ratings(learn)
    held_out = replace(parts, train=learned, known=learned, test=dataset.ratings.take(validation))

    def measure(changes: dict[str, str], settings: Settings, parts: Parts) -> tuple[Metrics, float]:
        model = build(name, settings, seed)
        start = time.perf_counter()
        model.fit(parts.train, progress=lambda epoch: progress(changes, epoch))
        seconds = time.perf_counter() - start
        return metrics_of_ratings(*as_published(parts, parts.predict(model))), seconds

    measured = []
    known = results.read() if results else {}
    for changes, settings in combinations:
        earlier = known.get(key_of(settings))
        swept = Swept(changes, settings, *(earlier or measure(changes, settings, held_out)))
        if results and not earlier:
            results.add(swept)
        measured.append(swept)
        on_result(swept)
    measured.sort(key=lambda swept: swept.metrics[SWEEP_METRIC])
    best = measured[0]
    return [replace(best, test=measure(best.changes, best.settings, parts)[0]), *measured[1:]]
