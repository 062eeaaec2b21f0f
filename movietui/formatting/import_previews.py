"""The preview of an import, for both user interfaces: its parts, how many titles each has, and how the file is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import ImportedRow, ImportReport, MovieChoice, SkippedRow

ImportRow = ImportedRow | SkippedRow
Part = Literal["ambiguous", "matched", "unmatched", "skipped"]
PARTS: Mapping[Part, str] = {
    "ambiguous": tr("needs review"),
    "matched": tr("matched"),
    "unmatched": tr("not in dataset"),
    "skipped": tr("skipped"),
}
"""The parts of the preview, with their headings. The part ``skipped`` has values that could not be read, too."""
NONE: MovieChoice = {"id": "none", "title": tr("none of these"), "year": None}
"""The last of the candidates, for a title that means none of the movies above."""
SCALES = (5, 10, 100)
"""The stars out of which ratings can be read."""
Meaning = Literal["", "seen", "watchlist", "list"]
MEANINGS: Mapping[Meaning, str] = {"list": tr("a list"), "seen": tr("seen movies"), "watchlist": tr("the watchlist")}
"""What movies without a rating can be imported as."""


def count(report: ImportReport, part: Part) -> int:
    """Return how many titles a part has."""
    return report["counts"][part] + (report["counts"]["unread"] if part == "skipped" else 0)


def first_part(report: ImportReport) -> Part:
    """Return the part to show first: titles that need review or, if there are none, the next part with titles."""
    return next((part for part in PARTS if count(report, part)), "matched")


def rows(report: ImportReport, part: Part) -> list[ImportRow]:
    """Return the first titles of a part."""
    by_part: Mapping[Part, list[ImportRow]] = {
        "matched": [*report["matched"]],
        "ambiguous": [*report["ambiguous"]],
        "unmatched": [*report["unmatched"]],
        "skipped": [*report["skipped"], *report["unread"]],
    }
    return by_part[part]


def content(report: ImportReport) -> str:
    """Return what is imported: ``35 movies and 1 list``."""
    movies, lists = sum(count(report, part) for part in PARTS if part != "skipped"), len(report["lists"])
    parts = [text.plural(movies, "movie")] * bool(movies or not lists) + [text.plural(lists, "list")] * bool(lists)
    return tr(" and ").join(parts)


def is_scale_open(report: ImportReport) -> bool:
    """Return whether the file does not state the scale of its ratings."""
    return any(table["scale_by"] not in (None, "stated") for table in report["tables"])
