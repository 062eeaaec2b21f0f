"""Reads tables, most of them of numbers, block by block: with pyarrow or, if that fails, line by line.

A thread unpacks the next block while the current one is parsed. Only blocks with a malformed line are parsed line by
line, so a few malformed lines cost little time and no memory.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import HIGHEST_RATING
from movietui.data.fetch.archive import Files, prefetched
from movietui.data.movielens.release import MISSING, Malformed
from movietui.data.movielens.text_lines import (
    EMPTY,
    LAST_ID,
    LAST_TIME,
    MalformedLines,
    expect_fields,
    numbered_lines,
    parse_integer,
    parse_stars,
)
from movietui.data.progress import Meter

Column = NDArray[Any]


@dataclass(frozen=True)
class Field:
    """A column of a table."""

    name: str
    label: str
    """The name of the column in messages."""
    kind: type[np.generic]
    """An integer type; ``np.float32`` for stars and relevance; ``np.object_`` for text in UTF-8."""
    last: int = LAST_ID
    """The largest value, if the column has integers."""

    def parse(self, text: str) -> float | str:
        """Return the value of a text in this column. Raises ``ValueError`` if the text is malformed.

        ``text`` has the bytes of the file decoded as latin-1, whatever their encoding is.
        """
        if self.kind is np.object_:
            try:
                return text.encode("latin-1").decode("utf-8")
            except UnicodeDecodeError:
                raise ValueError(f"the {self.label} is not UTF-8 text") from None
        return parse_stars(text, self.label) if self.kind is np.float32 else parse_integer(text, self.label, self.last)


RATING = (
    Field("user_id", "user", np.int32),
    Field("movie_id", "movie", np.int32),
    Field("stars", "stars", np.float32),
    Field("time", "time", np.int64, LAST_TIME),
)
LINK = (
    Field("movie_id", "movie", np.int64),
    Field("imdb_id", "IMDb id", np.int64),
    Field("tmdb_id", "TMDB id", np.int64),
)


def columns_of(
    files: Files, name: str, fields: Sequence[Field], separator: str, malformed: list[Malformed], meter: Meter
) -> dict[str, Column]:
    """Return the columns of a file, by name; see ``blocks_of``."""
    parts = list(blocks_of(files, name, fields, separator, malformed, meter))
    columns = {}
    for field in fields:
        # Each column is removed from the parts as it is joined, so that only one column at a time is in memory twice.
        columns[field.name] = np.concatenate([np.empty(0, field.kind), *(part.pop(0) for part in parts)])
    return columns


def blocks_of(
    files: Files, name: str, fields: Sequence[Field], separator: str, malformed: list[Malformed], meter: Meter
) -> Iterator[list[Column]]:
    """Yield the columns of a file, block by block; empty integers become ``MISSING``, and empty stars become NaN.

    ``separator`` is a tab, ``::`` or a comma; with a comma, the first line is a header and fields may be quoted.
    Malformed lines are left out and added to ``malformed``. Raises ``Problem`` if the file is missing or damaged, or if
    too many of its lines are malformed.
    """
    meter.set_note(name)
    malformed_lines = MalformedLines(files.path, name)
    for block in prefetched(files.blocks(name)):
        start = malformed_lines.seen + 1
        malformed_lines.seen += int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n")))
        lines = block
        if separator == "," and start == 1:
            lines = block[block.find(b"\n") + 1 :] if b"\n" in block else b""
            start += 1
        parsed = columns_in(lines, start, fields, separator, malformed_lines.add)
        meter.add(len(block))
        yield parsed
    malformed.extend(malformed_lines.lines)


def columns_in(
    lines: bytes, start: int, fields: Sequence[Field], separator: str, reject: Callable[[int, str], None]
) -> list[Column]:
    """Return the columns of some lines; empty integers become ``MISSING``, and empty stars become NaN.

    ``start`` is the number of the first line. Malformed lines are left out, and ``reject`` is called with the number of
    each and what is wrong with it.
    """
    columns = None if not lines or lines.isspace() else _fast(lines, fields, separator)
    return columns or _slowly(lines, start, fields, separator, reject)


def _fast(lines: bytes, fields: Sequence[Field], separator: str) -> list[Column] | None:
    """Return the columns of some lines, or None if any line is malformed."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow

    types = {
        field.name: pa.string() if field.kind is np.object_ else pa.from_numpy_dtype(field.kind) for field in fields
    }
    if separator == "::":
        # pyarrow accepts only a single character. If one colon separates columns, "::" encloses a column that is empty.
        names = [name for field in fields for name in (f"before {field.name}", field.name)][1:]
        types |= {name: pa.null() for name in names if name not in types}
    else:
        names = list(types)
    try:
        table = arrow.read_csv(
            pa.BufferReader(lines),
            # No threads: within one block they save little time, and they can abort the interpreter at exit.
            read_options=arrow.ReadOptions(column_names=names, use_threads=False, block_size=len(lines) + 1),
            parse_options=arrow.ParseOptions(delimiter=separator[0], quote_char='"' if separator == "," else False),
            convert_options=arrow.ConvertOptions(column_types=types, null_values=sorted(EMPTY)),
        )
    except pa.ArrowInvalid:
        return None
    columns = []
    for field in fields:
        column = table.column(field.name).combine_chunks()
        values: Column
        if field.kind is np.object_:
            values = column.to_numpy(zero_copy_only=False)
        elif field.kind is np.float32:
            values = column.to_numpy(zero_copy_only=False)
            # pyarrow takes other spellings of NaN for numbers.
            if np.isnan(values).sum() > column.null_count or (np.abs(values) > HIGHEST_RATING).any():
                return None
        else:
            ends = pc.min_max(column).as_py()
            if (ends["min"] or 0) < 0 or (ends["max"] or 0) > field.last:
                return None
            values = pc.fill_null(column, MISSING).to_numpy()
        columns.append(values)
    return columns


def _slowly(
    lines: bytes, start: int, fields: Sequence[Field], separator: str, reject: Callable[[int, str], None]
) -> list[Column]:
    """Return the columns of some lines; see ``columns_in``."""
    rows = []
    for number, line in numbered_lines(lines, start):
        text = line.decode("latin-1")
        try:
            parts = quoted_fields(text) if separator == "," else text.split(separator)
            parts = expect_fields(parts, len(fields))
            rows.append([field.parse(part) for field, part in zip(fields, parts, strict=True)])
        except ValueError as error:
            reject(number, str(error))
    return [np.array([row[index] for row in rows], field.kind) for index, field in enumerate(fields)]


def quoted_fields(line: str) -> list[str]:
    """Split a line of a CSV file into its fields. Raises ``ValueError`` if its quotes do not match."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        raise ValueError("its quotes do not match") from None
