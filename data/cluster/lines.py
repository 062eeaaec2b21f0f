"""Parses ratings on the executors, with the same parser as on one machine."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from movietui.data.movielens.number_columns import RATING, Column, columns_in
from movietui.data.movielens.release import MISSING

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = "user_id int, movie_id int, stars float, time long, file long, row long, reason string"
"""A rating, where an empty field is ``MISSING`` or NaN, and its position: the ratings of one ``file`` are ordered by
``row``. ``reason`` says what is wrong with a malformed line, and is null for all others."""


def parse(batches: Iterator["pa.RecordBatch"], order: Sequence[str], separator: str) -> Iterator["pa.RecordBatch"]:
    """Yield the ``ROWS`` of batches of lines, none of which may be blank.

    The batches have the columns ``value`` (the bytes of a line), ``file`` and ``row``. ``order`` has the names of the
    fields in a line, and ``separator`` is as in ``columns_in``.
    """
    import pyarrow as pa

    for batch in batches:
        lines = batch.column("value").to_pylist()
        columns, reasons = _columns(lines, order, separator)
        yield pa.RecordBatch.from_arrays(
            [
                *(pa.array(columns[field.name], from_pandas=False) for field in RATING),
                batch.column("file"),
                batch.column("row"),
                pa.array(map(reasons.get, range(len(lines))), pa.string()),
            ],
            [*(field.name for field in RATING), "file", "row", "reason"],
        )


def _columns(lines: list[bytes], order: Sequence[str], separator: str) -> tuple[dict[str, Column], dict[int, str]]:
    """Return the values of each line, by column, and what is wrong with the malformed lines, by their index."""
    fields = [field for name in order for field in RATING if field.name == name]
    reasons: dict[int, str] = {}
    parsed = columns_in(b"\n".join(lines) + b"\n", 0, fields, separator, reasons.__setitem__)
    good = np.ones(len(lines), bool)
    good[list(reasons)] = False
    columns = {}
    for field, values in zip(fields, parsed, strict=True):
        columns[field.name] = np.full(len(lines), np.nan if field.kind is np.float32 else MISSING, field.kind)
        columns[field.name][good] = values
    return columns, reasons
