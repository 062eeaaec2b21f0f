"""Tables of numbers, such as ratings: a block of lines at a time with pyarrow, line by line where that fails.

The next block is unpacked in a thread while one is read, and only the blocks that hold a wrong line are read slowly,
so that neither time nor memory depends on how clean a file is.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.archive import Files, ahead
from data.movielens import MISSING, Malformed
from data.progress import Meter
from data.readers.lines import EMPTY, LAST_ID, LAST_TIME, Refusals, fields, numbered, stars, whole

Column = NDArray[Any]


@dataclass(frozen=True)
class Field:
    """A column of a table of numbers."""

    name: str
    what: str
    """What a sentence calls it."""
    kind: type[np.generic]
    last: int = LAST_ID
    """The greatest whole number."""

    def parse(self, text: str) -> float:
        """Return the value of a field. Raises ``ValueError``."""
        return stars(text, self.what) if self.kind is np.float32 else whole(text, self.what, self.last)


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
    files: Files, name: str, kinds: Sequence[Field], separator: str, wrong: list[Malformed], meter: Meter
) -> dict[str, Column]:
    """Return the columns of a file; empty whole numbers are ``MISSING``, empty stars NaN.

    ``separator`` is a tab, ``::``, or a comma; with a comma the first line is a header and fields may be quoted.
    Raises ``Problem`` where the file is missing or damaged, or too many of its lines are wrong.
    """
    meter.on(name)
    refusals = Refusals(files.path, name)
    parts: list[list[Column]] = []
    for block in ahead(files.blocks(name)):
        start = refusals.seen + 1
        refusals.seen += int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n")))
        lines = block
        if separator == "," and start == 1:
            lines = block[block.find(b"\n") + 1 :] if b"\n" in block else b""
            start += 1
        found = None if not lines or lines.isspace() else _fast(lines, kinds, separator)
        parts.append(found or _slowly(lines, start, kinds, separator, refusals))
        meter.add(len(block))
    wrong.extend(refusals.lines)
    columns = {}
    for field in kinds:
        # Taken out of the parts on the way: one column at a time lies in memory twice, not all.
        columns[field.name] = np.concatenate([np.empty(0, field.kind), *(part.pop(0) for part in parts)])
    return columns


def _fast(lines: bytes, kinds: Sequence[Field], separator: str) -> list[Column] | None:
    """Return the columns of lines that are all well-formed, else None."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow

    types = {field.name: pa.from_numpy_dtype(field.kind) for field in kinds}
    if separator == "::":
        # pyarrow wants a single character: between two single colons lies a column that has to be empty.
        names = [name for field in kinds for name in (f"before {field.name}", field.name)][1:]
        types |= {name: pa.null() for name in names if name not in types}
    else:
        names = list(types)
    try:
        table = arrow.read_csv(
            pa.BufferReader(lines),
            # Without its threads: in one block the gain is small, and they can abort the interpreter when it exits.
            read_options=arrow.ReadOptions(column_names=names, use_threads=False, block_size=len(lines) + 1),
            parse_options=arrow.ParseOptions(delimiter=separator[0], quote_char='"' if separator == "," else False),
            convert_options=arrow.ConvertOptions(column_types=types, null_values=sorted(EMPTY)),
        )
    except pa.ArrowInvalid:
        return None
    columns = []
    for field in kinds:
        column = table.column(field.name).combine_chunks()
        values: Column
        if field.kind is np.float32:
            values = column.to_numpy(zero_copy_only=False)
            if np.isinf(values).any():
                return None
        else:
            ends = pc.min_max(column).as_py()
            if (ends["min"] or 0) < 0 or (ends["max"] or 0) > field.last:
                return None
            values = pc.fill_null(column, MISSING).to_numpy()
        columns.append(values)
    return columns


def _slowly(lines: bytes, start: int, kinds: Sequence[Field], separator: str, refusals: Refusals) -> list[Column]:
    """Read line by line, to name the lines that are wrong; ``start`` is the number of the first."""
    rows = []
    for number, line in numbered(lines, start):
        text = line.decode("latin-1")
        try:
            parts = quoted_fields(text) if separator == "," else text.split(separator)
            parts = fields(parts, len(kinds))
            rows.append([field.parse(part) for field, part in zip(kinds, parts, strict=True)])
        except ValueError as error:
            refusals.add(number, str(error))
    return [np.array([row[place] for row in rows], field.kind) for place, field in enumerate(kinds)]


def quoted_fields(line: str) -> list[str]:
    """Return the fields of a line with commas and quotes. Raises ``ValueError``."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        raise ValueError("its quotes do not match") from None
