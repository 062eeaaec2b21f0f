"""Runs written to files: as a table for a spreadsheet or a page, or with all that is known of each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from data.problems import Problem
from movietui.files import RUN_BY_SPREADSHEETS, write_file
from movietui.output import figure
from movietui.run_tables import settings_text

FACTS = (
    *("run", "name", "model", "dataset", "cleaning", "split", "seed", "device", "state", "started", "seconds"),
    *("peak_bytes", "checkpoint_bytes", "best_epoch", "settings"),
)
"""The columns of a table before those of the metrics; the note comes behind them."""
Rows = Sequence[Mapping[str, Any]]
"""As ``Runs.whole`` returns each."""


def _cells(rows: Rows) -> list[list[Any]]:
    """A head and a row for each run; what is not known is an empty cell."""
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
    # What people wrote is not run as a formula.
    safe = [
        [f"'{cell}" if isinstance(cell, str) and cell.startswith(RUN_BY_SPREADSHEETS) else cell for cell in row]
        for row in _cells(rows)
    ]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(safe)
    return file.getvalue()


def _markdown(rows: Rows) -> str:
    head, *body = _cells(rows)
    # What people wrote may hold what ends a cell.
    told = [
        [figure(cell) if isinstance(cell, float) else str(cell).replace("|", "\\|") for cell in row] for row in body
    ]
    lines = [head, ["---"] * len(head), *told]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _json(rows: Rows) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


FORMS: dict[str, Callable[[Rows], str]] = {"csv": _csv, "json": _json, "markdown": _markdown}
ENDINGS = {".csv": "csv", ".json": "json", ".md": "markdown"}
"""The form that the end of a file's name asks for."""


def write(rows: Rows, path: Path, form: str | None = None, *, force: bool = False) -> str:
    """Write runs to a file, whole or not at all, and return the form: the one asked for, else that of its name.

    What is there is replaced with ``force`` only. Raises ``Problem`` where it cannot be written.
    """
    form = form or ENDINGS.get(path.suffix.lower())
    if form is None:
        raise Problem(f"Let the file end in {', '.join(ENDINGS)}: that says how the runs are written.")
    write_file(path, FORMS[form](rows).encode("utf-8"), force=force)
    return form


def free_name(folder: Path) -> Path:
    """Return where runs can be written without replacing anything."""
    names = ("runs.csv" if number == 1 else f"runs-{number}.csv" for number in count(1))
    return next(folder / name for name in names if not (folder / name).exists())
