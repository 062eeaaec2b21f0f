"""What the store may contain: the valid values of each column, and of each choice by its name.

The content of a store file cannot be trusted: somebody else may have sent it as a backup, an editor may have changed
it, or a disk may have failed. Rows are validated with this module when they are read, and when a backup is restored. To
add a table, add an entry to ``TABLES``.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from movietui.data.imports.entries import Mark
from movietui.data.imports.fields import LONGEST_TITLE
from movietui.data.progress import WHOLE
from movietui.data.safe_text import strip_controls
from movietui.data.storage import locations, strict_json
from movietui.models.choices import ORDERS, SAMPLERS, TASKS

Check = Callable[[Any], bool]
LARGEST = 2**53
"""The largest valid row number or count."""
LONGEST_JSON = 16 * 2**20
LONGEST_TEXT = LONGEST_KEY = 50_000
"""The maximum number of characters of a valid text or key: far more than the app writes, so a long title never costs a
rating."""
DEEPEST = 8
"""The deepest valid nesting of stored JSON."""
Kind = Literal["training", "evaluation", "trial"]
"""What a run does. A ``training`` makes a checkpoint, which can serve. An ``evaluation`` only measures a model on the
test part of a split, and a ``trial`` of a sweep on a validation part of the train part."""
STATES = ("queued", "running", "paused", "done", "cancelled", "failed", "cut off")
KINDS = ("rating", *get_args(Mark))
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BROKEN = re.compile("[\ud800-\udfff]")
"""The characters that replace bytes that are not UTF-8 when text is read."""


@dataclass(frozen=True)
class Column:
    """The valid values of a column."""

    is_valid: Check
    max_length: int = 0
    """For text that people wrote: the length to which a restore cuts it after cleaning; otherwise 0."""


def _text(max_length: int, least: int = 0) -> Check:
    return lambda value: (
        isinstance(value, str) and least <= len(value) <= max_length and (value.isascii() or not _BROKEN.search(value))
    )


def _plain_text(max_length: int, least: int = 0) -> Check:
    """Return a check for text that cannot control a terminal."""
    return lambda value: (
        isinstance(value, str)
        and least <= len(value) <= max_length
        and (value.isprintable() or not _CONTROLS.search(value))
    )


def _free_text(max_length: int) -> Column:
    return Column(_text(LONGEST_TEXT), max_length)


def _matching(pattern: str) -> Check:
    form = re.compile(pattern)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def _one_of(*values: object) -> Check:
    return lambda value: value in values


def _integer(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float = LARGEST) -> Check:
    return lambda value: type(value) in (int, float) and low <= value <= high  # NaN is outside every range


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def is_moment(value: object) -> bool:
    """Return whether a value is text with an ISO 8601 date, with or without a time, in the years 2 to 9998."""
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        return 1 < datetime.fromisoformat(value).year < 9999
    except ValueError:
        return False


def is_stars(value: object) -> bool:
    """Return whether a value is a rating: a number from 0.5 to 5, in steps of 0.5."""
    return isinstance(value, int | float) and 0.5 <= value <= 5 and value * 2 == math.floor(value * 2)


def is_year(value: object) -> bool:
    """Return whether a value is a valid year; 0, for an unknown year, is valid too."""
    return type(value) is int and 0 <= value <= 9999


# JSON in columns


def _object(fields: Mapping[str, Check], needed: Sequence[str] = (), *, only: bool = False) -> Check:
    """Return a check for an object with the ``needed`` fields and valid values; with ``only``, no unknown fields."""
    return lambda value: (
        isinstance(value, dict)
        and set(needed) <= value.keys()
        and (not only or value.keys() <= fields.keys())
        and all(fields[name](item) for name, item in value.items() if name in fields)
    )


def _empty_or(check: Check) -> Check:
    """Return a check for an object that is empty or passes another check."""
    return lambda value: value == {} or check(value)


def _by_name(check: Check) -> Check:
    """Return a check for an object that has any names and only valid values."""
    return lambda value: isinstance(value, dict) and all(_NAME(name) and check(item) for name, item in value.items())


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _json(check: Check) -> Check:
    def is_valid(value: object) -> bool:
        if not isinstance(value, str) or len(value) > LONGEST_JSON:
            return False
        try:
            document = strict_json.loads(value)
        except ValueError:
            return False
        return _is_shallow(document, DEEPEST) and check(document)

    return is_valid


def _is_shallow(document: object, depth: int) -> bool:
    if not isinstance(document, dict | list):
        return True
    inner = document.values() if isinstance(document, dict) else document
    return depth > 0 and all(_is_shallow(each, depth - 1) for each in inner)


_ID = _integer(1, LARGEST)
_COUNT = _integer(0, LARGEST)
_NAME = _plain_text(200, 1)
_KEY = _plain_text(LONGEST_KEY, 1)
_TITLE = _free_text(LONGEST_TITLE)
_FIGURE = _number(-math.inf, math.inf)
"""Any number: parsed JSON contains only finite numbers."""
_SEED = _integer(0, 2**32 - 1)
_MODEL = _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CLEANING = _matching(r"[a-z0-9 ]{1,60}( [+-][a-z-]{1,40}(:[0-9]{1,9})?){0,100}")
_SPLIT = _plain_text(4096)
_SETTING = lambda value: isinstance(value, bool) or _FIGURE(value) or (isinstance(value, str) and _NAME(value))  # noqa: E731
_EPOCH = _object(
    {"epoch": _COUNT, "train_loss": _optional(_FIGURE), "validation_loss": _optional(_FIGURE), "stage": _NAME},
    ("epoch", "train_loss"),
)
_PROGRESS = _empty_or(
    _object(
        {
            "phase": _NAME,
            "epoch": _COUNT,
            "of": _COUNT,
            "left": _optional(_number(0)),
            "unit": _one_of("epoch", "stage", WHOLE, "tasks"),
            "stage": _NAME,
        },
        ("phase", "epoch", "of", "left"),
    )
)
_COUNTS_OF_CLUSTER = ("executors", "jobs", "stages", "tasks", "failed_tasks")
_CLUSTER = _empty_or(
    _object({"master": _plain_text(2000)} | dict.fromkeys(_COUNTS_OF_CLUSTER, _COUNT), ("master", *_COUNTS_OF_CLUSTER))
)
_REQUEST = _object(
    {
        "split": _optional(_SPLIT),
        "cleaning": _CLEANING,
        "published": _one_of(True, False),
        "settings": _by_name(_SETTING),
        "seed": _SEED,
        "split_seed": _SEED,
        "relevant": _number(0),
    },
    only=True,
)
"""A request starts a job. Other fields are invalid, because they could turn it into another kind of job."""
_DIGEST = _matching(r"[0-9a-f]{0,128}")
_ENVIRONMENT = _object(
    {
        **dict.fromkeys(("movietui", "python", "system", "processor"), _plain_text(200)),
        "threads": _COUNT,
        "packages": _by_name(_plain_text(200)),
        "data": _DIGEST,
    },
    only=True,
)
_SPACE = _by_name(_list_of(_NAME))
_SWEEP_REQUEST = _object(
    {
        "space": _SPACE,
        "sampler": _one_of(*SAMPLERS),
        "tries": _optional(_ID),
        "split_seed": _SEED,
        "order": _optional(_one_of(*ORDERS)),
        "published": _one_of(True, False),
    },
    ("space", "sampler", "tries", "split_seed", "order", "published"),
    only=True,
)
_GROUP = _object(
    {"by": _NAME, "group": _plain_text(200), "rows": _COUNT, "users": _COUNT}
    | dict.fromkeys(("rmse", "mae", "mse", "bias", "too_high"), _FIGURE),
    ("by", "group", "rows", "users", "rmse", "mae", "too_high"),
)
_BIN = _object(
    {"rows": _COUNT} | dict.fromkeys(("low", "high", "predicted", "rated"), _FIGURE),
    ("rows", "low", "high", "predicted", "rated"),
)
_DETAIL = _object(
    {
        "subgroups": _list_of(_GROUP),
        "calibration": _object({"bins": _list_of(_BIN), "error": _FIGURE}, ("bins", "error")),
        "confusion": _object(
            {"rated": _list_of(_FIGURE), "predicted": _list_of(_FIGURE), "counts": _list_of(_list_of(_COUNT))},
            ("rated", "predicted", "counts"),
        ),
    }
)

_OF_MOVIE = {"movie": Column(_KEY), "title": _TITLE, "year": Column(is_year)}
TABLES: Mapping[str, Mapping[str, Column]] = {
    "viewers": {
        "id": Column(_ID),
        "kind": Column(_one_of("profile", "user")),
        "dataset": Column(lambda value: value == "" or locations.is_dataset(value) or _is_deleted(value)),
        "name": Column(_text(200, 1)),
        "created": Column(is_moment),
    },
    "ratings": {
        "viewer": Column(_ID),
        **_OF_MOVIE,
        "stars": Column(is_stars),
        "rated_at": Column(is_moment),
        "change": Column(_COUNT),
    },
    "marks": {
        "viewer": Column(_ID),
        **_OF_MOVIE,
        "mark": Column(_one_of(*get_args(Mark))),
        "marked_at": Column(is_moment),
        "change": Column(_COUNT),
    },
    "steps": {
        "id": Column(_ID),
        "viewer": Column(_ID),
        "kind": Column(_one_of(*KINDS, "import", "list")),
        "note": _free_text(5000),
        "at": Column(is_moment),
        "undone": Column(_COUNT),
    },
    "changes": {
        "id": Column(_ID),
        "step": Column(_ID),
        **_OF_MOVIE,
        "kind": Column(_one_of(*KINDS)),
        "before": Column(_optional(is_stars)),
        "given_before": Column(_optional(is_moment)),
        "change_before": Column(_optional(_COUNT)),
        "after": Column(_optional(is_stars)),
        "given_after": Column(is_moment),
    },
    "aliases": {"movie": Column(_KEY), "alias": Column(_KEY)},
    "movie_ids": {
        "movie": Column(_KEY),
        "imdb": Column(_matching(r"(tt[0-9]{7,15})?")),
        "tmdb": Column(_COUNT),
        "movielens": Column(_COUNT),
    },
    "lists": {
        "id": Column(_ID),
        "viewer": Column(_ID),
        "step": Column(_ID),
        "name": Column(_NAME),
        "removed": Column(_one_of(0, 1)),
    },
    "listed": {"list": Column(_ID), "position": Column(_ID), **_OF_MOVIE, "note": _free_text(1000)},
    "settled": {"imported": Column(_KEY), "movie": Column(_plain_text(LONGEST_KEY))},
    "runs": {
        "id": Column(_ID),
        "kind": Column(_one_of(*get_args(Kind))),
        "identity": Column(_DIGEST),
        "name": _free_text(200),
        "note": _free_text(5000),
        "model": Column(_MODEL),
        "dataset": Column(locations.is_dataset),
        "cleaning": Column(_CLEANING),
        "split": Column(_SPLIT),
        "seed": Column(_SEED),
        "split_seed": Column(_SEED),
        "imdb": Column(_optional(_matching(r"[0-9a-f]{0,128}"))),
        "settings": Column(_json(_by_name(_SETTING))),
        "device": Column(_plain_text(200)),
        "state": Column(_one_of(*STATES)),
        "process": Column(_integer(1, 2**31 - 1)),
        "began": Column(_plain_text(200)),
        "checkpoint": Column(locations.is_checkpoint),
        "started": Column(is_moment),
        "seconds": Column(_optional(_number(0))),
        "cpu_seconds": Column(_optional(_number(0))),
        "peak_bytes": Column(_optional(_COUNT)),
        "progress": Column(_json(_PROGRESS)),
        "curve": Column(_json(_list_of(_EPOCH))),
        "best_epoch": Column(_optional(_COUNT)),
        "metrics": Column(_json(_by_name(_FIGURE))),
        "problem": _free_text(20_000),
        "request": Column(_json(_REQUEST)),
        "cluster": Column(_json(_CLUSTER)),
        "task": Column(_one_of("", *TASKS)),
        "list_order": Column(_one_of("", *ORDERS)),
        "environment": Column(_json(_ENVIRONMENT)),
        "position": Column(_optional(_integer(-LARGEST, LARGEST))),
    },
    "measured": {
        "run": Column(_ID),
        "rows": Column(_matching(r"[0-9a-f]{1,128}")),
        "by_user": Column(lambda value: isinstance(value, bytes) and len(value) <= 2**28),
        "detail": Column(_json(_DETAIL)),
    },
    "sweeps": {
        "id": Column(_ID),
        "identity": Column(_DIGEST),
        "model": Column(_MODEL),
        "dataset": Column(locations.is_dataset),
        "cleaning": Column(_CLEANING),
        "split": Column(_SPLIT),
        "seed": Column(_SEED),
        "metric": Column(_NAME),
        "request": Column(_json(_SWEEP_REQUEST)),
        "started": Column(is_moment),
        "test": Column(_optional(_ID)),
    },
    "trials": {
        "sweep": Column(_ID),
        "number": Column(_ID),
        "run": Column(_ID),
        "changes": Column(_json(_by_name(_NAME))),
    },
    "choices": {"name": Column(_plain_text(300, 1)), "value": Column(_text(20_000))},
}


def _is_deleted(dataset: object) -> bool:
    return isinstance(dataset, str) and dataset.startswith("deleted ") and is_moment(dataset[len("deleted ") :])


def is_curve(text: str) -> bool:
    """Return whether a text is a valid curve of a run, as JSON."""
    return TABLES["runs"]["curve"].is_valid(text)


# Choices


_RUN_CHOSEN = _matching(r"(-?[0-9]{1,15})?")
CHOICES: Mapping[str, Check] = {
    "theme": _plain_text(100),
    "dataset": lambda value: value == "" or locations.is_dataset(value),
    "run:": _RUN_CHOSEN,
    "stand-in:": _RUN_CHOSEN,
    "recommended:": _RUN_CHOSEN,
    "cleaning:": _CLEANING,
    "viewer:": _matching(r"(profile|user):[^\x00-\x1f\x7f-\x9f]{1,200}"),
}
"""The valid values of choices, by name, or by the part of the name up to the colon. Other choices may be any text."""


def is_choice(name: str, value: object) -> bool:
    """Return whether a value is valid for the choice with this name."""
    beginning, colon, _ = name.partition(":")
    check = CHOICES.get(beginning + colon)
    return TABLES["choices"]["value"].is_valid(value) and (check is None or check(value))


# Rows


def wrong_column(table: str, columns: Sequence[str], row: Sequence[Any]) -> str:
    """Return the name of the first column with an invalid value in a row; empty if all values are valid.

    ``columns`` has the names of the first columns of the row. Other values, and those of columns named ``-``, are
    ignored.
    """
    for is_valid, name, value in zip(_checks(table, tuple(columns)), columns, row, strict=False):
        if not is_valid(value):
            return name
    return ""


def _anything(value: Any) -> bool:
    return True


@functools.cache
def _checks(table: str, columns: tuple[str, ...]) -> tuple[Check, ...]:
    return tuple(TABLES[table][name].is_valid if name != "-" else _anything for name in columns)


def cleaned(column: Column, value: Any) -> Any:
    """Return a value as a restore writes it.

    Text that people wrote is put on one line, without control characters, and cut to the column's ``max_length``.
    """
    if not column.max_length or not isinstance(value, str):
        return value
    if value.isprintable() and len(value) <= column.max_length:
        return value
    return " ".join(strip_controls(value).split())[: column.max_length]
