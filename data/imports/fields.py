"""Parses the fields of an export: ratings, years, dates, ids, titles."""

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from movietui.data.language import tr
from movietui.data.safe_text import strip_controls
from movietui.data.titles import FIRST_YEAR, LAST_YEAR

OF_FIVE, OF_TEN, OF_HUNDRED = 5, 10, 100
"""The highest rating of each scale."""
LONGEST_TITLE = 1000
MOST_OUT_OF_SCALE = 0.02
"""The largest share of a column's ratings that may exceed the suggested scale, to allow for typing errors."""

DateOrder = Literal["", "day", "month"]
"""Which part of a date with slashes comes first; empty if unknown."""

_NUMBER = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,9})?")
_SHARE = re.compile(
    r"([0-9]{1,4}(?:[.,][0-9]{1,9})?)\s*(?:/|\bout of\b|\bof\b|\bsur\b|\bvon\b|\bsu\b|\bde\b)\s*([0-9]{1,4})", re.I
)
_PERCENT = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,9})?)\s*%")
_AND_HALF = re.compile(r"([0-9]{0,3})\s*(?:½|\s1/2)")
_FULL, _HALF, _EMPTY = "★⭐✭✮✯🌟*", "½⯪⯨", "☆✩✰\ufe0f "
_IMDB = re.compile(r"(?:tt)?([0-9]{1,15})")
_IMDB_PAGE = re.compile(r"\btt([0-9]{7,15})\b")
_ID = re.compile(r"[0-9]{1,9}")
_YEAR = re.compile(r"(?<![0-9])([0-9]{4})(?![0-9])")
_GUARDED = ("'=", "'+", "'-", "'@")
"""How a cell begins if an apostrophe keeps spreadsheets from running its text as a formula."""
_ISO = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?![0-9])")
_PARTED = re.compile(
    r"([0-9]{1,2})([./-])\s?([0-9]{1,2})\2\s?([0-9]{4})(?:,?[ T]+([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?))?"
)
_YEAR_FIRST = re.compile(r"([0-9]{4})[./]([0-9]{1,2})[./]([0-9]{1,2})")
_WORDED = ("%a %b %d %H:%M:%S %Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y")


@lru_cache(4096)
def rating_of(text: str) -> tuple[float, int]:
    """Parse a rating; return its value and the highest rating of the scale that it states, or 0 if it states none.

    A rating is written like ``4,5``, ``★★★½``, ``3 ½``, ``8/10``, ``4 out of 5`` or ``90 %``. Raises ``ValueError`` for
    anything else.

    >>> rating_of("★★★½"), rating_of("8/10"), rating_of("4,5")
    ((3.5, 5), (8.0, 10), (4.5, 0))
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _float(text), 0
    if (share := _SHARE.fullmatch(text)) and int(share[2]) > 1:
        return _float(share[1]), int(share[2])
    if percent := _PERCENT.fullmatch(text):
        return _float(percent[1]), OF_HUNDRED
    if (half := _AND_HALF.fullmatch(text)) and half[1]:
        return int(half[1]) + 0.5, 0
    signs = [sign for sign in text if sign not in _EMPTY]
    full, halves = sum(sign in _FULL for sign in signs), sum(sign in _HALF for sign in signs)
    if signs and full + halves == len(signs) and halves < 2:
        return full + halves / 2, OF_FIVE
    raise ValueError(tr("the rating {rating!r} cannot be read", rating=strip_controls(text[:40])))


def _float(text: str) -> float:
    return float(text.replace(",", "."))


@lru_cache(4096)
def to_stars(text: str, top_of_scale: int) -> float | None:
    """Convert a rating to stars, or return None if the text is empty.

    ``top_of_scale`` is the highest rating of the scale, unless the text states its scale. The result is rounded to the
    nearest half star, up if it is halfway between two, and is at least half a star. Raises ``ValueError`` if the rating
    cannot be read or is not on the scale.
    """
    text = text.strip()
    if not text:
        return None
    value, top = rating_of(text)
    top = top or top_of_scale
    if not 0 < value <= top:
        low = "0.5" if top == OF_FIVE else "1"
        raise ValueError(
            tr(
                "the rating {rating!r} is not from {lowest} to {highest}",
                rating=strip_controls(text[:40]),
                lowest=low,
                highest=top,
            )
        )
    return max(0.5, (value / top * 10 + 0.5) // 1 / 2)


def scale_of(counts: Collection[tuple[str, int]]) -> int:
    """Return the scale that a column of ratings suggests: the lowest of 5, 10 and 100 that nearly all ratings fit.

    ``counts`` has each distinct text with the number of times it occurs. Returns 0 if no text is a plain number, or if
    the numbers do not fit any of the scales.
    """
    numbers: list[tuple[float, int]] = []
    for text, count in counts:
        try:
            value, top = rating_of(text)
        except ValueError:
            continue
        if not top:
            numbers.append((value, count))
    every = sum(count for _, count in numbers)
    for top_of_scale in (OF_FIVE, OF_TEN, OF_HUNDRED):
        if every and sum(count for value, count in numbers if value > top_of_scale) <= MOST_OUT_OF_SCALE * every:
            return top_of_scale
    return 0


@lru_cache(4096)
def to_year(text: str) -> int:
    """Return the first year in a text such as ``1999``, ``1999-05-01``, ``2004–2006`` or ``1/5/1999``, or else 0."""
    if text.isascii() and text.isdigit() and len(text) == 4:
        year = int(text)
    else:
        match = _YEAR.search(text)
        year = int(match[1]) if match else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else 0


def to_title(text: str) -> str:
    """Return a title without line breaks, control characters and the apostrophe of ``_GUARDED``.

    Raises ``ValueError`` if the title is too long.
    """
    title = " ".join(strip_controls(text).split())
    if title.startswith(_GUARDED):
        title = title[1:]
    if len(title) > LONGEST_TITLE:
        raise ValueError(tr("its title has more than {limit:,} characters", limit=LONGEST_TITLE))
    return title


def to_imdb(text: str) -> str:
    """Return the IMDb id in a cell that has an id or a URL, padded to seven digits, or an empty string."""
    text = text.strip()
    match = _IMDB.fullmatch(text) or _IMDB_PAGE.search(text)
    return f"tt{int(match[1]):07}" if match and int(match[1]) else ""


def to_id(text: str) -> int:
    """Return an id as a number, or 0 if the text is not an id."""
    text = text.strip()
    return int(text) if _ID.fullmatch(text) else 0


@lru_cache(65_536)
def to_moment(text: str, order: DateOrder = "") -> str:
    """Return a date or time as ISO 8601 in UTC, or an empty string if it cannot be read or is in the future.

    The result for ``5/3/2022`` is empty unless ``order`` says whether the day or the month comes first; see
    ``uncertain``.

    >>> to_moment("2020-01-05")
    '2020-01-05T00:00:00.000+00:00'
    >>> to_moment("5.1.2020") == to_moment("1/5/2020", "month") == to_moment("Jan 5, 2020") == to_moment("2020-01-05")
    True
    """
    text = text.strip().removesuffix(" UTC")
    if not text:
        return ""
    try:
        moment = _moment(text, order)
        if moment is None:
            return ""
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="milliseconds") if moment <= datetime.now(UTC) else ""


def uncertain(text: str) -> str:
    """Return the year and a question mark for a date whose day and month are ambiguous, or else an empty string.

    The result sorts after the full dates of its year and before those of the next, so that the newest rating can still
    be found.

    >>> uncertain("5/1/2020"), uncertain("25/1/2020")
    ('2020?', '')
    """
    parts = _PARTED.fullmatch(text.strip())
    if not parts or _order(int(parts[1]), int(parts[3]), parts[2]):
        return ""
    return f"{parts[4]}?" if to_year(parts[4]) and int(parts[4]) <= datetime.now(UTC).year else ""


def _moment(text: str, order: DateOrder) -> datetime | None:
    """Parse a date or time; return None if day and month are ambiguous. Raises ``ValueError`` for other texts."""
    if parts := _PARTED.fullmatch(text):
        first, second, year = int(parts[1]), int(parts[3]), int(parts[4])
        by = _order(first, second, parts[2]) or order
        if not by:
            return None if max(first, second) <= 12 else datetime(year, 13, 1)  # raises ValueError
        day, month = (first, second) if by == "day" else (second, first)
        clock = datetime.strptime(parts[5], "%H:%M:%S" if parts[5].count(":") == 2 else "%H:%M") if parts[5] else None
        return datetime(year, month, day, clock.hour if clock else 0, clock.minute if clock else 0)
    if parts := _YEAR_FIRST.fullmatch(text):
        return datetime(int(parts[1]), int(parts[2]), int(parts[3]))
    if text[:1].isdigit() and _ISO.match(text):
        return datetime.fromisoformat(text)
    return _first_of(_WORDED, lambda pattern: datetime.strptime(text, pattern))


def _first_of(patterns: Collection[str], read: Callable[[str], datetime]) -> datetime:
    for pattern in patterns:
        try:
            return read(pattern)
        except ValueError:
            continue
    raise ValueError("it is not a date")


def _order(first: int, second: int, sign: str) -> DateOrder:
    """Return the order that a date implies by itself: with full stops, the day comes first; no month is above 12."""
    if sign == ".":
        return "day"
    return "" if max(first, second) <= 12 and first != second else "day" if first > 12 or first == second else "month"


def is_iso(text: str) -> bool:
    """Return whether a text begins with a date in ISO 8601, such as ``2020-01-05``."""
    return _ISO.match(text) is not None


def date_order(texts: Collection[str]) -> tuple[DateOrder, bool]:
    """Return which part of a column's dates comes first, and whether the dates contradict each other.

    A single day above 12 decides the order, unless another date contradicts it.
    """
    orders = {
        _order(int(parts[1]), int(parts[3]), parts[2])
        for text in texts
        if (parts := _PARTED.fullmatch(text.strip())) and parts[2] != "." and parts[1] != parts[3]
    } - {""}
    return (orders.pop(), False) if len(orders) == 1 else ("", bool(orders))
