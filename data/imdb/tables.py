"""Reads IMDb's tables, which are far larger than what is wanted of them, in pieces that fit into little memory.

The tables are tab separated UTF-8 with a line of column names, packed with gzip; ``\\\\N`` is an empty field, and
quotation marks mean nothing. A line with another number of fields, or with fields that cannot be, is malformed: it is
left out and counted.
"""

import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from data.archive import ahead, looks_like_html
from data.imdb_files import spoiled
from data.imdb_matching import KINDS, Title, loose_keys
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.titles import ARTICLES, plain

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 2**24
"""Bytes of a table that are looked at together."""
LONGEST_LINE = 2**20
Piece = tuple[bytes, int]
"""A part of a table, and how many bytes of its file were read by then."""
_PACKED = 2**18
_GZIP = 31
"""What zlib calls the format of gzip."""
_EMPTY = b"\\N"

_TITLE = re.compile(rb"tt[0-9]{1,15}")
_NUMBER = re.compile(rb"[0-9]{1,9}")


@dataclass
class Counted:
    """How much of a table was read."""

    rows: int = 0
    """Lines after the first, malformed ones included."""
    malformed: int = 0


def titles(
    path: Path, ids: Collection[str], years: Mapping[str, tuple[int, int]], report: Report = silent
) -> tuple[list[Title], Counted]:
    """Return the titles of ``title.basics`` with one of the ids, or with a name and a year that are wanted.

    ``years`` has by loose key the first and the last year that is wanted.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = (
        "tconst",
        "titleType",
        "primaryTitle",
        "originalTitle",
        "isAdult",
        "startYear",
        "runtimeMinutes",
        "genres",
    )
    counted = Counted()
    found = []
    wanted_ids, wanted_names, wanted_kinds = _values(ids), _values(years), _values(KINDS)
    firsts, lasts = (pa.array([span[end] for span in years.values()], pa.int32()) for end in (0, 1))

    def in_time(keys: "pa.BinaryArray", year: "pa.Int32Array") -> "pa.BooleanArray":
        place = pc.index_in(keys, wanted_names)
        fits = pc.and_(pc.less_equal(firsts.take(place), year), pc.less_equal(year, lasts.take(place)))
        return pc.fill_null(fits, False)

    for table in _pieces(path, columns, counted, report):
        linked = pc.is_in(table.column("tconst"), wanted_ids)
        rows = _rows(table.filter(linked))
        named = table.filter(pc.and_not(pc.is_in(table.column("titleType"), wanted_kinds), linked))
        names = [named.column(column).combine_chunks() for column in ("primaryTitle", "originalTitle")]
        year = _years(named.column("startYear").combine_chunks())
        squeezed = [_squeezed(column) for column in names]
        likely = pc.or_(*(in_time(keys, year) for keys, _ in squeezed))
        rows += _rows(named.filter(likely))
        odd = pc.and_not(pa.array(squeezed[0][1] | squeezed[1][1]), likely)
        seen = zip(*(column.filter(odd).to_pylist() for column in (*names, year)), strict=True)
        fits = [_in_time(name, original, when, years) for name, original, when in seen]
        rows += _rows(named.filter(odd).filter(pa.array(fits, pa.bool_())))
        for row in rows:
            try:
                found.append(_title(row))
            except ValueError:
                counted.malformed += 1
    return found, counted


def _in_time(name: bytes, original: bytes, year: int, years: Mapping[str, tuple[int, int]]) -> bool:
    keys = {key for each in {name, original} for key in loose_keys(plain(each.decode("utf-8", "replace")))}
    return any(key in years and years[key][0] <= year <= years[key][1] for key in keys)


def _years(column: "pa.BinaryArray") -> "pa.Int32Array":
    """Years as numbers; 0 for what is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.match_substring_regex(column, "^[0-9]{1,4}$")
    return pc.cast(pc.cast(pc.if_else(known, column, b"0"), pa.string()), pa.int32())


def ratings(path: Path, ids: Collection[str], report: Report = silent) -> tuple[dict[str, tuple[float, int]], Counted]:
    """Return the mean rating and the number of votes in ``title.ratings`` of those titles that have any."""
    counted = Counted()
    found = {}
    for row in _selected(path, ("tconst", "averageRating", "numVotes"), ids, counted, report):
        try:
            rating, votes = float(row[1]), _whole(row[2])
        except ValueError:
            rating, votes = 0.0, 0
        if 1 <= rating <= 10 and votes:
            found[row[0].decode()] = rating, votes
        else:
            counted.malformed += 1
    return found, counted


def directors(path: Path, ids: Collection[str], report: Report = silent) -> tuple[dict[str, tuple[str, ...]], Counted]:
    """Return the ids of the directors in ``title.crew``, in the order of the credits, of those titles that have any."""
    counted = Counted()
    found = {}
    for title, people in _selected(path, ("tconst", "directors"), ids, counted, report):
        if people != _EMPTY:
            found[title.decode()] = tuple(people.decode("ascii", "replace").split(","))
    return found, counted


def names(path: Path, ids: Collection[str], report: Report = silent) -> tuple[dict[str, str], Counted]:
    """Return the names in ``name.basics`` of those people."""
    counted = Counted()
    found = {}
    for person, name in _selected(path, ("nconst", "primaryName"), ids, counted, report):
        try:
            found[person.decode()] = _text(name)
        except ValueError:
            counted.malformed += 1
    return found, counted


def _selected(
    path: Path, columns: Sequence[str], ids: Collection[str], counted: Counted, report: Report
) -> Iterator[tuple[bytes, ...]]:
    """The rows whose first column is one of the ids."""
    import pyarrow.compute as pc

    wanted = _values(ids)
    for table in _pieces(path, columns, counted, report):
        yield from _rows(table.filter(pc.is_in(table.column(columns[0]), wanted)))


def _values(texts: Collection[str]) -> "pa.Array":
    import pyarrow as pa

    return pa.array([text.encode("utf-8", "replace") for text in texts], pa.binary())


def _rows(table: "pa.Table") -> list[tuple[bytes, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _title(row: Sequence[bytes]) -> Title:
    """Return the title of a row. Raises ``ValueError`` where it cannot be one."""
    title, kind, name, original, adult, year, minutes, genres = row
    if not _TITLE.fullmatch(title):
        raise ValueError(title)
    return Title(
        title.decode(),
        _text(kind),
        _text(name),
        _text(original),
        _whole(year),
        _whole(minutes),
        () if genres == _EMPTY else tuple(_text(genres).split(",")),
        adult == b"1",
    )


def _text(field: bytes) -> str:
    text = plain(field.decode()).strip()
    if not text:
        raise ValueError("empty")
    return text


def _whole(field: bytes) -> int:
    if field == _EMPTY:
        return 0
    if not _NUMBER.fullmatch(field):
        raise ValueError(field)
    return int(field)


# The keys of millions of names, without a Python object for each

_APOSTROPHES = b"'`"
_KEPT = np.zeros(256, np.uint8)
"""What becomes of a byte: letters and digits stay, in lower case; 0 leaves it out."""
for _sign in b"abcdefghijklmnopqrstuvwxyz0123456789":
    _KEPT[[_sign, ord(chr(_sign).upper())]] = _sign
_ODD = np.zeros(256, bool)
"""Bytes that make a name one for ``loose_keys``: it has more than one key, or letters that are not ASCII."""
_ODD[128:] = _ODD[:32] = _ODD[127] = True
_ODD[list(b"&(,")] = True
_FIRST_WORDS = tuple(article.encode() for article in sorted(ARTICLES) if article.isalpha() and article.isascii())
_HEAD = max(map(len, _FIRST_WORDS)) + 1


def _squeezed(names: "pa.BinaryArray") -> tuple["pa.BinaryArray", NDArray[np.bool_]]:
    """Return the loose key of each name, and for which names that cannot be said so quickly."""
    import pyarrow as pa

    if not len(names):
        return names, np.empty(0, bool)
    offsets, content = _buffers(names)
    starts, sizes = offsets[:-1], np.diff(offsets)
    kept = _KEPT[content]
    odd = _counts(_ODD[content], offsets) > 0
    padded = np.concatenate([content, np.zeros(_HEAD, np.uint8)])
    head = [np.where(sizes > place, padded[starts + place], 0) for place in range(_HEAD)]
    odd |= (_KEPT[head[0]] == 0) | np.isin(head, list(_APOSTROPHES)).any(axis=0)  # "L'a" is an article as "la" is
    begin = np.zeros(len(names), np.uint64)
    for signs in reversed(head):
        begin = begin << np.uint64(8) | _KEPT[signs]
    for word in _FIRST_WORDS:
        after = head[len(word)]
        begins = begin & np.uint64(256 ** len(word) - 1) == int.from_bytes(word, "little")
        article = starts[begins & (after > 0) & (_KEPT[after] == 0)]
        for place in range(len(word)):
            kept[article + place] = 0
    lengths = _counts(kept > 0, offsets)
    ends = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    keys = pa.BinaryArray.from_buffers(
        pa.binary(), len(names), [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(kept[kept > 0].tobytes())]
    )
    return keys, odd | (lengths == 0)


def _counts(counted: NDArray[np.bool_], offsets: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many of the bytes of each name are counted."""
    ends = np.zeros(len(counted) + 1, np.int32)
    np.cumsum(counted, dtype=np.int32, out=ends[1:])
    return np.diff(ends[offsets])


def _buffers(names: "pa.BinaryArray") -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """The offsets of the names, from 0 on, and all their bytes."""
    _, offsets, content = names.buffers()
    places = np.frombuffer(offsets, np.int32, len(names) + 1, names.offset * 4)
    whole = np.frombuffer(content, np.uint8) if content is not None else np.empty(0, np.uint8)
    return places - places[0], whole[places[0] : places[-1]]


# The pieces of a table


def _pieces(path: Path, columns: Sequence[str], counted: Counted, report: Report) -> Iterator["pa.Table"]:
    """The named columns of a table, as bytes, piece by piece. Raises ``Problem`` where it is not such a table."""
    import pyarrow as pa
    from pyarrow import csv

    def skip(row: Any) -> str:
        counted.malformed += 1
        counted.rows += 1
        return "skip"

    named = path.name.removesuffix(".gz").removesuffix(".tsv")
    header: list[str] = []
    size = 0
    for content, done in ahead(_whole_lines(path)):
        size = path.stat().st_size
        report(Stage("Reading", done, size, "bytes", path.name))
        if not header:
            first, _, content = content.partition(b"\n")
            header = first.decode("utf-8", "replace").strip().split("\t")
            missing = [column for column in columns if header.count(column) != 1]
            if missing:
                raise spoiled(path, f"is not IMDb's {named}, its first line names no column {missing[0]}")
        if not content.strip():
            continue
        try:
            read = csv.read_csv(
                pa.BufferReader(content),
                read_options=csv.ReadOptions(column_names=header, use_threads=False, block_size=LONGEST_LINE),
                parse_options=csv.ParseOptions(
                    delimiter="\t", quote_char=False, double_quote=False, invalid_row_handler=skip
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.binary()), include_columns=columns
                ),
            )
        except pa.ArrowInvalid:
            raise _long_line(path) from None
        counted.rows += read.num_rows
        yield read
    report(Stage("Reading", size, size, "bytes", path.name, finished=True))


def _long_line(path: Path) -> Problem:
    return spoiled(path, f"is not a table of IMDb, it has a line of more than {LONGEST_LINE:,} bytes")


def _whole_lines(path: Path) -> Iterator[Piece]:
    """The lines of a table, many at a time."""
    rest: list[bytes] = []
    size = done = 0
    for part, done in _unpacked(path):
        rest.append(part)
        size += len(part)
        if size < CHUNK:
            continue
        lines, _, begun = b"".join(rest).rpartition(b"\n")
        if len(begun) > LONGEST_LINE:
            raise _long_line(path)
        rest, size = [begun], len(begun)
        if lines:
            yield lines + b"\n", done
    if last := b"".join(rest):
        yield last, done


def _unpacked(path: Path) -> Iterator[Piece]:
    try:
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(0)
            if not head:
                raise spoiled(path, "is empty")
            if looks_like_html(head):
                raise spoiled(path, "is a web page, not a table of IMDb")
            yield from _inflated(path, file) if head.startswith(b"\x1f\x8b") else _read(file)
    except zlib.error:
        raise spoiled(path, "is damaged") from None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror or error}; check the path.") from None


def _inflated(path: Path, file: BinaryIO) -> Iterator[Piece]:
    stream = zlib.decompressobj(_GZIP)
    for packed, done in _read(file):
        while packed:
            if stream.eof:  # another archive follows in the same file; zeros only fill it up
                if not packed.strip(b"\0"):
                    break
                stream = zlib.decompressobj(_GZIP)
            part = stream.decompress(packed, CHUNK)
            packed = stream.unused_data if stream.eof else stream.unconsumed_tail
            if part:
                yield part, done
    if not stream.eof:
        raise spoiled(path, "is cut off")


def _read(file: BinaryIO) -> Iterator[Piece]:
    done = 0
    while part := file.read(_PACKED):
        done += len(part)
        yield part, done
