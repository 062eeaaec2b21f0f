"""Exports runs to files: as CSV or Markdown tables, or as JSON with everything known about each run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from movietui.data.near_names import either
from movietui.data.problems import Problem
from movietui.data.storage.atomic_files import write_file
from movietui.formatting import text
from movietui.formatting.escaping import csv_text, json_text, markdown
from movietui.formatting.settings import settings_text

FACTS = (
    *("run", "name", "model", "dataset", "cleaning", "split", "seed", "device", "state", "started", "seconds"),
    *("peak_bytes", "checkpoint_bytes", "best_epoch", "settings"),
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
    return [[*FACTS, *metrics, "note"], *(["" if cell is None else cell for cell in row] for row in body)]


def _csv(rows: Rows) -> str:
    return csv_text(_cells(rows))


def _markdown(rows: Rows) -> str:
    head, *body = _cells(rows)
    lines = [
        [markdown(name) for name in head],
        ["---"] * len(head),
        *([text.figure(cell) if isinstance(cell, float) else markdown(str(cell)) for cell in row] for row in body),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _json(rows: Rows) -> str:
    return json_text(rows) + "\n"


FORMATS: dict[str, Callable[[Rows], str]] = {"csv": _csv, "json": _json, "markdown": _markdown}
SUFFIXES = {".csv": "csv", ".json": "json", ".md": "markdown"}
"""The format that each suffix of a file name stands for."""


def write(rows: Rows, path: Path, file_format: str | None = None, *, force: bool = False) -> str:
    """Write runs to a file in ``file_format``, by default in the format of the file's suffix; return the format.

    An existing file is replaced only with ``force``. Raises ``Problem`` if ``file_format`` is missing and the suffix is
    none of ``SUFFIXES``, or if the file cannot be written.
    """
    file_format = file_format or SUFFIXES.get(path.suffix.lower())
    if file_format is None:
        raise Problem(f"End the file name with {either(SUFFIXES)}; the suffix decides the format.")
    write_file(path, FORMATS[file_format](rows).encode("utf-8"), force=force)
    return file_format
