"""Text line by line: what the fields of a line mean, and which lines are wrong."""

import contextlib
import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from data.archive import Files
from data.movielens import MISSING, Malformed
from data.problems import Problem
from data.titles import plain

LAST_ID = 2**31 - 1
"""Ids are int32."""
LAST_TIME = 253_402_300_799
"""The last second of the year 9999."""
EMPTY = frozenset({"", "NA", "nan", "NaN", "NULL", "null", "\\N"})
"""What stands in a field that is left empty."""
LEAST_REFUSED = 10
REFUSED_SHARE = 1000
LONGEST_TITLE = 1000
OLDEST = 150
"""Years of a user."""

Row = TypeVar("Row")


@dataclass
class Refusals:
    """The wrong lines of a file: up to one in a thousand of those seen, and ten in any case, are left out."""

    path: Path
    name: str
    seen: int = 0
    """Lines read so far."""
    lines: list[Malformed] = field(default_factory=list)

    def add(self, number: int, wrong: str) -> None:
        """Note a wrong line, counted from 1. Raises ``Problem`` where there are too many."""
        self.lines.append(Malformed(self.name, number, wrong))
        limit = max(LEAST_REFUSED, self.seen // REFUSED_SHARE)
        if len(self.lines) > limit:
            first = self.lines[0]
            raise Problem(
                f"{self.path} is not in a format of MovieLens: more than {limit} lines of {self.name} are wrong, the "
                f"first is line {first.line}: {first.wrong}."
            )


def numbered(content: bytes, start: int = 1) -> Iterable[tuple[int, bytes]]:
    """Return the lines that are not blank, each with its number."""
    # Only the line ends of files: splitlines of a text also breaks at characters that occur in titles.
    return ((number, line) for number, line in enumerate(content.splitlines(), start) if line.strip())


def rows_of(
    files: Files,
    name: str,
    encoding: str,
    parse: Callable[[str], Row],
    wrong: list[Malformed],
    *,
    headers: int = 0,
) -> list[Row]:
    """Return what ``parse`` makes of each line of a file; what it raises ``ValueError`` for is a wrong line.

    The first ``headers`` lines are not read. A latin-1 file that somebody saved again as UTF-8 is read as such. Raises
    ``Problem`` where the file is missing or too many of its lines are wrong.
    """
    content = files.read(name).removeprefix(b"\xef\xbb\xbf")
    with contextlib.suppress(UnicodeDecodeError):
        content.decode("utf-8")
        encoding = "utf-8"
    refusals = Refusals(files.path, name, seen=content.count(b"\n") + 1)
    rows = []
    for number, line in numbered(content):
        if number <= headers:
            continue
        try:
            rows.append(parse(line.decode(encoding)))
        except UnicodeDecodeError:
            refusals.add(number, f"it is not {encoding.upper()} text")
        except ValueError as error:
            refusals.add(number, str(error))
    wrong.extend(refusals.lines)
    return rows


def fields(parts: list[str], count: int) -> list[str]:
    """Return the fields of a line. Raises ``ValueError`` where there are more or fewer."""
    if len(parts) != count:
        raise ValueError(f"{len(parts)} fields instead of {count}")
    return parts


def whole(text: str, what: str, last: int = LAST_ID) -> int:
    """Return a whole number from 0 to ``last``, ``MISSING`` for an empty field. Raises ``ValueError``."""
    text = text.strip()
    if text in EMPTY:
        return MISSING
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or int(text) > last:
        raise ValueError(f"the {what} {quoted(text)} is not a whole number in range")
    return int(text)


def age(text: str) -> int:
    """Return an age, ``MISSING`` for an empty field. Raises ``ValueError``."""
    return whole(text, "age", OLDEST)


def stars(text: str, what: str) -> float:
    """Return a number of stars, NaN for an empty field. Raises ``ValueError``."""
    text = text.strip()
    if text in EMPTY:
        return float("nan")
    if not re.fullmatch(r"[-+]?[0-9]{1,9}(\.[0-9]{0,9})?", text):
        raise ValueError(f"the {what} {quoted(text)} are not a number")
    return float(text)


def new_id(text: str, what: str, known: Container[int]) -> int:
    """Return an id that was not there before. Raises ``ValueError``."""
    number = whole(text, what)
    if number == MISSING:
        raise ValueError(f"no {what} id")
    if number in known:
        raise ValueError(f"the {what} {number} is there twice")
    return number


def titled(text: str) -> str:
    """Return a title as published, without what steers a terminal. Raises ``ValueError`` where it is empty."""
    title = plain(text)
    if not title.strip():
        raise ValueError("no title")
    if len(title) > LONGEST_TITLE:
        raise ValueError(f"the title {quoted(title)} has more than {LONGEST_TITLE:,} characters")
    return title


def quoted(text: str) -> str:
    """Return text from a file as it may stand in a sentence."""
    return repr(plain(text[:40]))
