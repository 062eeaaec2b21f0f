"""Exports runs to files: as tables, as a chart of their curves, or as JSON with everything known about each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from movietui.data.language import tr
from movietui.data.near_names import either
from movietui.data.problems import Problem
from movietui.data.storage.atomic_files import write_file
from movietui.formatting.cell_tables import TABLES
from movietui.formatting.charts import curves
from movietui.formatting.escaping import json_text
from movietui.formatting.settings import settings_text

FACTS = (
    *("run", "name", "model", "dataset", "imdb", "cleaning", "split", "split_seed", "seed", "device", "state"),
    *("started", "seconds", "cpu_seconds", "peak_bytes", "checkpoint_bytes", "best_epoch", "settings"),
)
"""The columns before the metrics. The last column is the note."""
Rows = Sequence[Mapping[str, Any]]
"""Rows as ``Runs.whole`` returns them."""


def _cells(rows: Rows) -> list[list[Any]]:
    """Return a header and a row for each run; unknown values are empty cells."""
    metrics = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    body = [
        [
            *(settings_text(row[name]) if name == "settings" else row[name] for name in FACTS),
            *(row["metrics"].get(name) for name in metrics),
            row["note"],
        ]
        for row in rows
    ]
    return [[*FACTS, *metrics, "note"], *body]


def _json(rows: Rows) -> str:
    return json_text(rows) + "\n"


FORMATS: Mapping[str, Callable[[Rows], str]] = {
    **{name: lambda rows, write=write: write(_cells(rows)) for name, write in TABLES.items()},  # type: ignore[misc]
    "json": _json,
    "svg": curves,
}
SUFFIXES = {".csv": "csv", ".json": "json", ".md": "markdown", ".tex": "latex", ".svg": "svg"}
"""The format that each suffix of a file name stands for."""


def suffix_format(path: Path) -> str:
    """Return the format that a file's suffix stands for. Raises ``Problem`` if it is none of ``SUFFIXES``."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise Problem(
            tr("End the file name with {suffixes}; the suffix decides the format.", suffixes=either(SUFFIXES))
        ) from None


def write(rows: Rows, path: Path, file_format: str | None = None, *, force: bool = False) -> str:
    """Write runs to a file in ``file_format``, by default in the format of the file's suffix; return the format.

    An existing file is replaced only with ``force``. Raises ``Problem`` if ``file_format`` is missing and the suffix is
    none of ``SUFFIXES``, or if the file cannot be written.
    """
    file_format = file_format or suffix_format(path)
    write_file(path, FORMATS[file_format](rows).encode("utf-8"), force=force)
    return file_format
