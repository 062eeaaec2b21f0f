"""Parses text files line by line, and collects the malformed lines."""

import contextlib
import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from movietui.data.dataset import HIGHEST_RATING
from movietui.data.fetch.archive import Files
from movietui.data.language import tr
from movietui.data.movielens.release import MISSING, Malformed
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls

LAST_ID = 2**31 - 1
"""The largest id, because ids are int32."""
LAST_TIME = 253_402_300_799
"""The last second of the year 9999."""
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
EMPTY = frozenset({"", "NA", "nan", "NaN", "NULL", "null", "\\N"})
"""The ways in which files write a field without a value."""
MIN_MALFORMED = 10
"""A file may always have this many malformed lines."""
LINES_PER_MALFORMED = 1000
"""A long file may have one malformed line per this many lines."""
MAX_TITLE_LENGTH = 1000
MAX_AGE = 150
"""The highest accepted age, in years."""

Row = TypeVar("Row")


@dataclass
class MalformedLines:
    """Collects the malformed lines of a file, and refuses a file that has too many of them."""

    path: Path
    name: str
    seen: int = 0
    """The number of lines read so far."""
    lines: list[Malformed] = field(default_factory=list)

    def add(self, number: int, reason: str) -> None:
        """Record a malformed line by its number, counted from 1. Raises ``Problem`` if the file has too many."""
        self.lines.append(Malformed(self.name, number, reason))
        limit = max(MIN_MALFORMED, self.seen // LINES_PER_MALFORMED)
        if len(self.lines) > limit:
            first = self.lines[0]
            raise Problem(
                tr(
                    "{path} is not in a MovieLens format: more than {limit} lines of {file} are wrong; the first is "
                    "line {line}: {reason}.",
                    path=self.path,
                    limit=limit,
                    file=self.name,
                    line=first.line,
                    reason=first.reason,
                )
            )


def numbered_lines(content: bytes, start: int = 1) -> Iterable[tuple[int, bytes]]:
    """Return the lines that are not blank, each with its number; ``start`` is the number of the first line."""
    # Bytes are split only at line ends; ``str.splitlines`` would also split at other characters that occur in titles.
    return ((number, line) for number, line in enumerate(content.splitlines(), start) if line.strip())


def rows_of(
    files: Files,
    name: str,
    encoding: str,
    parse: Callable[[str], Row],
    malformed: list[Malformed],
    *,
    headers: int = 0,
) -> list[Row]:
    """Return the result of ``parse`` for each line of a file, except blank ones.

    If ``parse`` raises ``ValueError`` for a line, the line is left out and added to ``malformed``. The first
    ``headers`` lines are skipped. A latin-1 file that somebody has saved as UTF-8 is read as UTF-8. Raises ``Problem``
    if the file is missing or too many of its lines are malformed.
    """
    content = files.read(name).removeprefix(b"\xef\xbb\xbf")
    with contextlib.suppress(UnicodeDecodeError):
        content.decode("utf-8")
        encoding = "utf-8"
    malformed_lines = MalformedLines(files.path, name, seen=content.count(b"\n") + 1)
    rows = []
    for number, line in numbered_lines(content):
        if number <= headers:
            continue
        try:
            rows.append(parse(line.decode(encoding)))
        except UnicodeDecodeError:
            malformed_lines.add(number, f"it is not {encoding.upper()} text")
        except ValueError as error:
            malformed_lines.add(number, str(error))
    malformed.extend(malformed_lines.lines)
    return rows


def expect_fields(parts: list[str], count: int) -> list[str]:
    """Return the fields of a line unchanged. Raises ``ValueError`` unless there are ``count`` of them."""
    if len(parts) != count:
        raise ValueError(f"it should have {count} fields, not {len(parts)}")
    return parts


def parse_integer(text: str, what: str, last: int = LAST_ID) -> int:
    """Return an integer from 0 to ``last``, or ``MISSING`` for an empty field.

    Raises ``ValueError`` for any other text; ``what`` names the field in its message.
    """
    text = text.strip()
    if text in EMPTY:
        return MISSING
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or int(text) > last:
        raise ValueError(f"the {what} {quote(text)} is not a whole number in range")
    return int(text)


def parse_age(text: str) -> int:
    """Return an age in years, or ``MISSING`` for an empty field. Raises ``ValueError`` for any other text."""
    return parse_integer(text, "age", MAX_AGE)


def parse_stars(text: str, what: str) -> float:
    """Return a number of stars, or NaN for an empty field. Raises ``ValueError`` if the text is not such a number.

    What is a number is the same for pyarrow, which reads blocks without malformed lines, and for tables of ratings.
    """
    text = text.strip()
    if text in EMPTY:
        return float("nan")
    if not _NUMBER.fullmatch(text) or abs(float(text)) > HIGHEST_RATING:
        raise ValueError(f"the {what} {quote(text)} are not a number in range")
    return float(text)


def parse_new_id(text: str, what: str, known: Container[int]) -> int:
    """Return an id. Raises ``ValueError`` if the text is not an id, or if the id is already in ``known``."""
    number = parse_integer(text, what)
    if number == MISSING:
        raise ValueError(f"no {what} id")
    if number in known:
        raise ValueError(f"the {what} {number} appears twice")
    return number


def parse_title(text: str) -> str:
    """Return a title as published, without control characters. Raises ``ValueError`` if it is empty or too long."""
    title = strip_controls(text)
    if not title.strip():
        raise ValueError("no title")
    if len(title) > MAX_TITLE_LENGTH:
        raise ValueError(f"the title {quote(title)} has more than {MAX_TITLE_LENGTH:,} characters")
    return title


def quote(text: str) -> str:
    """Return the beginning of a text from a file, quoted and safe to show in a message."""
    return repr(strip_controls(text[:40]))
