"""Reads one table of ratings: text with a separator, or Parquet."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from movietui.data.language import tr
from movietui.data.movielens.release import Malformed
from movietui.data.movielens.text_lines import EMPTY, quote
from movietui.data.problems import Problem
from movietui.data.tables import columns as column_names
from movietui.data.tables.columns import Columns, role_of
from movietui.data.tables.interactions import Interactions, check_malformed, ratings_of, times_of

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = b"PAR1"
SEPARATORS = ("\t", ";", ",", "|")
HEAD = 2**16
"""The bytes of a file in which its first line must end."""
LISTED = 100
"""How many malformed rows are listed; the others are only counted."""
IMPLICIT = tr(
    "No column has ratings, so only who watched what is known; only models that rank without stars can learn from that."
)


@dataclass(frozen=True)
class Form:
    """How the lines of a text file are written."""

    separator: str
    first_line: tuple[str, ...]
    """The fields of its first line."""


def form_of(content: bytes) -> Form:
    """Return how a text file is written, from its first line."""
    head = content[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    plain = head.replace("::", "\t")
    separator = max(SEPARATORS, key=lambda each: (plain.count(each), -SEPARATORS.index(each)))
    fields = next(csv.reader([plain], delimiter=separator), [])
    return Form(separator, tuple(fields))


def names_of(content: bytes) -> tuple[str, ...]:
    """Return the names of the columns of a table, or the fields of its first line."""
    if content.startswith(PARQUET):
        return tuple(parquet_of(content).column_names)
    return form_of(content).first_line


def read(
    content: bytes, file: str, source: object, named: Sequence[str] = (), columns: Columns | None = None
) -> Interactions:
    """Read a table of ratings.

    ``file`` is its name, ``source`` the path that the user gave, and ``named`` the columns that the user named, if any.
    ``columns`` are the columns of a table without a header, if they are known. Raises ``Problem`` if the table has no
    usable columns, or if too many of its rows are malformed.
    """
    first_line, has_header = names_of(content), columns is None
    if columns is None and named:
        columns, has_header = column_names.as_named(named, first_line, file)
    columns = columns or column_names.by_header(first_line) or _without_header(first_line)
    if columns is None:
        shown = quote(",".join(first_line))
        raise Problem(
            tr(
                "{file} begins with {line}, which names no user and item; name its columns, such as {example}.",
                file=file,
                line=shown,
                example=column_names.EXAMPLE,
            )
        )
    if has_header and not named and column_names.by_header(first_line) is None:
        has_header = False
    if content.startswith(PARQUET):
        raw = parquet_of(content, [first_line[index] for index in columns.values()]).rename_columns([*columns])
        return of_columns(raw, file, source)
    raw, malformed = text(content, file, columns, len(first_line), has_header)
    return of_columns(raw, file, source, malformed)


def of_columns(raw: "pa.Table", file: str, source: object, malformed: Sequence[Malformed] = ()) -> Interactions:
    """Return the ratings of a table whose columns are called as in ``columns.NAMES``."""
    import pyarrow as pa

    for name in {"user", "item", "title"}.intersection(raw.column_names):
        raw = raw.set_column(raw.column_names.index(name), name, raw[name].cast(pa.string()))
    rating, wrong, rejected = None, np.zeros(raw.num_rows, bool), list(malformed)
    if "rating" in raw.column_names:
        rating, wrong = ratings_of(raw["rating"])
    if wrong.any():
        rows, texts = np.flatnonzero(wrong), raw["rating"].to_pylist()
        reasons = [f"the rating {quote(str(texts[row]))} is not a number in range" for row in rows[:LISTED].tolist()]
        rejected += [Malformed(file, 0, reason) for reason in reasons]
        check_malformed(source, file, len(malformed) + len(rows), raw.num_rows, reasons[0])
        keep = pa.array(~wrong)
        raw, rating = raw.filter(keep), None if rating is None else rating[~wrong]
    elif malformed:
        check_malformed(source, file, len(malformed), raw.num_rows + len(malformed), malformed[0].reason)
    titles = _first_titles(raw) if "title" in raw.column_names else {}
    return Interactions(
        raw["user"],
        raw["item"],
        rating,
        times_of(raw["time"]) if "time" in raw.column_names else None,
        file,
        titles,
        tuple(rejected),
        note="" if rating is not None else IMPLICIT,
    )


def titles_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the titles of items, by id, from the tables among these files that have items and titles, but no users."""
    titles: dict[str, str] = {}
    for name, content in files.items():
        header = names_of(content)
        index = {role: column for column, each in reversed([*enumerate(header)]) if (role := role_of(each))}
        if {"item", "title"} <= index.keys() and "user" not in index:
            wanted = {role: index[role] for role in ("item", "title")}
            if content.startswith(PARQUET):
                raw = parquet_of(content, [header[column] for column in wanted.values()]).rename_columns([*wanted])
            else:
                raw = text(content, name, wanted, len(header), True, escape="\\")[0]
            titles |= _first_titles(raw)
    return titles


def _first_titles(raw: "pa.Table") -> dict[str, str]:
    """Return the first title of each item that has one, by the item's id."""
    pairs = raw.select(["item", "title"]).drop_null()
    first = pairs.group_by("item", use_threads=False).aggregate([("title", "first")])
    items, titles = (first[name].to_pylist() for name in ("item", "title_first"))
    return {str(item).strip(): str(title) for item, title in zip(items, titles, strict=True)}


def _without_header(first_line: Sequence[str]) -> Columns | None:
    """Return the columns of a table without a header: user, item, rating and perhaps time, if all are numbers."""
    numeric = all(field.strip().lstrip("-").replace(".", "", 1).isdigit() for field in first_line)
    if numeric and len(first_line) in (3, 4):
        return dict(zip(column_names.IN_ORDER, range(len(first_line)), strict=False))
    return None


def text(
    content: bytes, file: str, columns: Columns, width: int, has_header: bool, *, escape: str = ""
) -> tuple["pa.Table", list[Malformed]]:
    """Return some columns of a text file, as text, and its malformed lines.

    ``columns`` has the index of each column, by the name that it gets. ``width`` is the number of columns in the file.
    ``escape`` is the character before a quote that does not end a field. Raises ``Problem`` if it is not such a table.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    form = form_of(content)
    if b"::" in content[:HEAD].split(b"\n", 1)[0]:
        content = content.replace(b"::", b"\t")
    names = [str(index) for index in range(width)]
    malformed: list[Malformed] = []

    def reject(row: arrow.InvalidRow) -> str:
        line = row.number or 0
        malformed.append(
            Malformed(file, line, f"it should have {row.expected_columns} fields, not {row.actual_columns}")
        )
        return "skip"

    def parse(encoding: str) -> "pa.Table":
        malformed.clear()
        return arrow.read_csv(
            pa.BufferReader(content),
            # No threads: they can abort the interpreter at exit, and without them lines have numbers.
            read_options=arrow.ReadOptions(
                column_names=names, skip_rows=int(has_header), use_threads=False, encoding=encoding
            ),
            parse_options=arrow.ParseOptions(
                delimiter=form.separator, escape_char=escape or False, invalid_row_handler=reject
            ),
            convert_options=arrow.ConvertOptions(
                include_columns=[names[index] for index in columns.values()],
                column_types=dict.fromkeys(names, pa.string()),
                null_values=sorted(EMPTY),
                strings_can_be_null=True,
            ),
        )

    try:
        try:
            table = parse("utf8")
        except (pa.ArrowInvalid, UnicodeDecodeError):
            table = parse("latin-1")
    except pa.ArrowInvalid as error:
        raise Problem(
            tr("{file} cannot be read as a table: {reason}.", file=file, reason=str(error).splitlines()[0])
        ) from None
    return table.rename_columns([*columns]), malformed


def parquet_of(content: bytes, only: Sequence[str] | None = None) -> "pa.Table":
    """Return these columns of a Parquet table, or all columns without rows. Raises ``Problem`` if it is damaged."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # A buffer, because pyarrow's threads can abort the interpreter at exit when they read a Python file object.
        with parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False) as file:
            if only is None:
                return file.schema_arrow.empty_table()
            return file.read([*only], use_threads=False).select([*only])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        raise Problem(tr("The Parquet file is damaged or not readable; write it again.")) from None
