"""Reads JSON from outside; refuses numbers that are not finite, and documents that would break the parser."""

import json
import math
from typing import Any

MAX_DIGITS = 25
"""The maximum number of digits of an integer; movietui writes none with more than twenty."""


def loads(content: str | bytes | bytearray) -> Any:
    """Parse a JSON document.

    Raises ``ValueError`` if it is invalid or nested too deeply, or if it has NaN, infinity or a number that is too
    large or too long.

    >>> loads('{"stars": 4.5}')
    {'stars': 4.5}
    >>> loads("[NaN]")
    Traceback (most recent call last):
    ValueError: NaN is not a number
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("brackets are nested too deeply") from None


def finite(document: Any) -> Any:
    """Return a document without NaN and infinity, which ``loads`` would refuse.

    If an object in a list would lose a value, the whole object is dropped.

    >>> finite({"rmse": 0.9, "mae": float("nan")})
    {'rmse': 0.9}
    >>> finite([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": float("inf")}])
    [{'epoch': 1, 'loss': 0.5}]
    """
    if isinstance(document, dict):
        return {name: finite(value) for name, value in document.items() if not _is_not_finite(value)}
    if isinstance(document, list | tuple):
        pairs = [(value, finite(value)) for value in document if not _is_not_finite(value)]
        return [after for before, after in pairs if not (isinstance(before, dict) and len(after) < len(before))]
    return document


def _is_not_finite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:MAX_DIGITS]} is too large")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=_integer)
