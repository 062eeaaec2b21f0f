"""Tables as text files: CSV, Markdown and LaTeX."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from movietui.formatting import text
from movietui.formatting.escaping import csv_text, latex, markdown

Cells = Sequence[Sequence[Any]]
"""A header and rows of the same length; ``None`` is an empty cell."""


def as_csv(cells: Cells) -> str:
    """Return a table as CSV, with all digits of numbers."""
    return csv_text(cells)


def as_markdown(cells: Cells) -> str:
    """Return a table as Markdown, with numbers as on screen."""
    head, *body = ([_shown(cell, markdown) for cell in row] for row in cells)
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *body))


def as_latex(cells: Cells) -> str:
    """Return a table as LaTeX, with numbers as on screen. It needs the package ``booktabs``.

    A column is right-aligned if each of its cells starts with a number or is empty.
    """
    head, *body = (" & ".join(_shown(cell, _latex) for cell in row) + " \\\\" for row in cells)
    aligned = "".join("r" if _is_number([row[column] for row in cells[1:]]) else "l" for column in range(len(cells[0])))
    lines = [
        f"\\begin{{tabular}}{{{aligned}}}",
        "\\toprule",
        head,
        "\\midrule",
        *body,
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "".join(f"{line}\n" for line in lines)


TABLES: Mapping[str, Callable[[Cells], str]] = {"csv": as_csv, "markdown": as_markdown, "latex": as_latex}
"""The formats of tables by name."""


def _shown(cell: Any, escape: Callable[[str], str]) -> str:
    if cell is None:
        return ""
    return escape(text.figure(cell) if isinstance(cell, float) else str(cell))


def _latex(words: str) -> str:
    """Return text for LaTeX, with a minus sign before a negative number."""
    return re.sub(r"^-(?=\d)", "$-$", latex(words))


def _is_number(column: Sequence[Any]) -> bool:
    return all(cell is None or str(cell).lstrip("+-<")[:1].isdigit() or cell == "" for cell in column)
