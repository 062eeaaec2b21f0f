"""Reads IMDb's tables piece by piece, to save memory, and returns the small part of them that is needed.

The tables are tab-separated UTF-8 with a header line, usually compressed with gzip; ``\\N`` is an empty field, and
quotation marks have no meaning. A line with the wrong number of fields or with invalid fields is malformed: it is left
out and counted.
"""

import contextlib
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from movietui.data.fetch.archive import looks_like_html, prefetched
from movietui.data.imdb.names_index import KINDS as MOVIE_KINDS
from movietui.data.imdb.names_index import NamesBuilder
from movietui.data.imdb.origins import Alias, origin_of
from movietui.data.imdb.table_files import damaged_table
from movietui.data.imdb.title_matching import KINDS, Title, loose_keys
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.progress import Report, Stage, silent
from movietui.data.safe_text import strip_controls
from movietui.data.titles import ARTICLES

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 2**24
"""Bytes of a table processed at once."""
LONGEST_LINE = 2**20
MOST_COLUMNS = 100
"""The maximum number of columns of a table; IMDb's widest has 9."""
MOST_UNPACKED = 2**34
"""The maximum unpacked size of a table, in bytes; IMDb's largest has 4 GB."""
BILLED = 5
"""How many actors of a title are read."""
MOST_MALFORMED = 100_000
"""A table with more malformed lines than this is refused; IMDb's tables have none."""
Piece = tuple[bytes, int]
"""Part of a table, and the number of bytes that have been read from its file so far."""
_PACKED = 2**18
"""Bytes of a file read at once."""
_GZIP = 31
"""The value of zlib's ``wbits`` for gzip."""
_EMPTY = b"\\N"

_TITLE = re.compile(rb"tt[0-9]{1,15}")
_CODE = re.compile(rb"[A-Za-z]{2,4}")
_NUMBER = re.compile(rb"[0-9]{1,9}")


@dataclass
class ReadCounts:
    """How many lines of a table were read, and how many of these were malformed."""

    rows: int = 0
    """Lines after the header, including malformed ones."""
    malformed: int = 0


def titles(
    path: Path,
    ids: Collection[str],
    years: Mapping[str, tuple[int, int]],
    report: Report = silent,
    all_names: NamesBuilder | None = None,
    popular: "PopularMovies | None" = None,
) -> tuple[list[Title], ReadCounts]:
    """Return the titles in ``title.basics`` that have one of the ids or a wanted name and year, and the line counts.

    ``years`` has the first and the last wanted year of each wanted name, by its loose key; titles with such a name also
    need a kind in ``KINDS``. If given, ``all_names`` collects the names of all movies on IMDb, and ``popular`` the
    popular movies.
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
    counts = ReadCounts()
    selected = []
    wanted_ids, wanted_names, wanted_kinds = _arrow_values(ids), _arrow_values(years), _arrow_values(KINDS)
    firsts, lasts = (pa.array([span[end] for span in years.values()], pa.int32()) for end in (0, 1))

    def in_years(keys: "pa.BinaryArray", year: "pa.Int32Array") -> "pa.BooleanArray":
        index = pc.index_in(keys, wanted_names)
        fits = pc.and_(pc.less_equal(firsts.take(index), year), pc.less_equal(year, lasts.take(index)))
        return pc.fill_null(fits, False)

    for table in _pieces(path, columns, counts, report):
        linked = pc.is_in(table.column("tconst"), wanted_ids)
        rows = _rows(table.filter(linked))
        named = table.filter(pc.and_not(pc.is_in(table.column("titleType"), wanted_kinds), linked))
        names = [named.column(column).combine_chunks() for column in ("primaryTitle", "originalTitle")]
        year = _years(named.column("startYear").combine_chunks())
        keys_and_flags = [_quick_keys(column) for column in names]
        likely = pc.or_(*(in_years(keys, year) for keys, _ in keys_and_flags))
        rows += _rows(named.filter(likely))
        slow = pc.and_not(pa.array(keys_and_flags[0][1] | keys_and_flags[1][1]), likely)
        seen = zip(*(column.filter(slow).to_pylist() for column in (*names, year)), strict=True)
        fits = [_in_wanted_years(name, original, when, years) for name, original, when in seen]
        rows += _rows(named.filter(slow).filter(pa.array(fits, pa.bool_())))
        for row in rows:
            try:
                selected.append(_title(row))
            except ValueError:
                counts.malformed += 1
        if all_names is not None:
            all_names.add(_movie_names(table))
        if popular is not None:
            popular.add(_movies(table))
    return selected, counts


def _movies(table: "pa.Table") -> "pa.Table":
    """Return the movies in a piece of ``title.basics``, except adult movies."""
    import pyarrow.compute as pc

    movies = table.filter(pc.is_in(table.column("titleType"), _arrow_values(MOVIE_KINDS)))
    return movies.filter(pc.equal(movies.column("isAdult"), b"0"))


class PopularMovies:
    """Collects the movies in ``title.basics`` that many people rated on IMDb."""

    def __init__(self, rated: Mapping[str, tuple[float, int]]) -> None:
        """``rated`` has the mean rating and the votes of each title with many votes, by id; see ``popular``."""
        self.titles: list[Title] = []
        self._rated = rated
        self._ids = _arrow_values(rated)

    def add(self, movies: "pa.Table") -> None:
        """Add the popular ones among these movies, except those with a malformed line or without a year."""
        import pyarrow.compute as pc

        for row in _rows(movies.filter(pc.is_in(movies.column("tconst"), self._ids))):
            with contextlib.suppress(ValueError):
                title = _title(row)
                if title.year:
                    rating, votes = self._rated[title.id]
                    self.titles.append(replace(title, rating=rating, votes=votes))


def popular(path: Path, least: int) -> dict[str, tuple[float, int]]:
    """Return the mean rating and the votes of each title in ``title.ratings`` with at least ``least`` votes, by id."""
    import pyarrow.compute as pc

    selected = {}
    for table in _pieces(path, ("tconst", "averageRating", "numVotes"), ReadCounts(), silent):
        many = table.filter(pc.match_substring_regex(table.column("numVotes"), f"^[0-9]{{{len(str(least))},9}}$"))
        for row in _rows(many):
            if (rated := _rating(row)) and rated[1] >= least:
                selected[row[0].decode("ascii", "replace")] = rated
    return selected


def _rating(row: Sequence[bytes]) -> tuple[float, int] | None:
    """Return the mean rating and the votes in a row of ``title.ratings``, or None if the row is malformed."""
    try:
        rating, votes = float(row[1]), _integer(row[2])
    except ValueError:
        return None
    return (rating, votes) if 1 <= rating <= 10 and votes else None


def _movie_names(table: "pa.Table") -> Iterator[tuple[int, int, str, str]]:
    """Return the number, year and two names of each movie in a piece of ``title.basics``, except adult movies."""
    import pyarrow.compute as pc

    movies = _movies(table)
    movies = movies.filter(pc.match_substring_regex(movies.column("tconst"), "^tt[0-9]{1,9}$"))
    numbers = [int(title[2:]) for title in movies.column("tconst").to_pylist()]
    years = _years(movies.column("startYear").combine_chunks())
    names = (
        [strip_controls(name.decode("utf-8", "replace")) for name in movies.column(column).to_pylist()]
        for column in ("primaryTitle", "originalTitle")
    )
    return zip(numbers, years.to_pylist(), *names, strict=True)


def votes(path: Path, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the number of votes of each title in ``title.ratings``, or 0 if the title is not there.

    ``numbers`` are the numbers in the ids of the titles.
    """
    import pyarrow.compute as pc

    known = np.unique(numbers)
    selected = np.zeros(len(known), np.int32)
    for table in _pieces(path, ("tconst", "numVotes"), ReadCounts(), silent):
        title, number = table.column("tconst"), table.column("numVotes")
        whole = pc.and_(
            pc.match_substring_regex(title, "^tt[0-9]{1,9}$"), pc.match_substring_regex(number, "^[0-9]{1,9}$")
        )
        ids = np.array([int(title[2:]) for title in title.filter(whole).to_pylist()], np.int32)
        counts = np.array([int(count) for count in number.filter(whole).to_pylist()], np.int32)
        positions = np.searchsorted(known, ids)
        positions[positions == len(known)] = 0
        same = known[positions] == ids if len(known) else np.zeros(len(ids), bool)
        selected[positions[same]] = counts[same]
    return selected[np.searchsorted(known, numbers)] if len(known) else selected


def _in_wanted_years(name: bytes, original: bytes, year: int, years: Mapping[str, tuple[int, int]]) -> bool:
    keys = {key for each in {name, original} for key in loose_keys(strip_controls(each.decode("utf-8", "replace")))}
    return any(key in years and years[key][0] <= year <= years[key][1] for key in keys)


def _years(column: "pa.BinaryArray") -> "pa.Int32Array":
    """Convert years to integers; an invalid year becomes 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.match_substring_regex(column, "^[0-9]{1,4}$")
    return pc.cast(pc.cast(pc.if_else(known, column, b"0"), pa.string()), pa.int32())


def ratings(
    path: Path, ids: Collection[str], report: Report = silent
) -> tuple[dict[str, tuple[float, int]], ReadCounts]:
    """Return the mean rating and the votes of each of these titles that ``title.ratings`` contains, by id."""
    counts = ReadCounts()
    selected = {}
    for row in _selected(path, ("tconst", "averageRating", "numVotes"), ids, counts, report):
        if rated := _rating(row):
            selected[row[0].decode()] = rated
        else:
            counts.malformed += 1
    return selected, counts


def directors(
    path: Path, ids: Collection[str], report: Report = silent
) -> tuple[dict[str, tuple[str, ...]], ReadCounts]:
    """Return the ids of each title's directors in ``title.crew``, in the order of the credits, by the title's id."""
    counts = ReadCounts()
    selected = {}
    for title, people in _selected(path, ("tconst", "directors"), ids, counts, report):
        if people != _EMPTY:
            selected[title.decode()] = tuple(people.decode("ascii", "replace").split(","))
    return selected, counts


def cast(path: Path, ids: Collection[str], report: Report = silent) -> tuple[dict[str, tuple[str, ...]], ReadCounts]:
    """Return the ids of the ``BILLED`` actors whom ``title.principals`` lists first for each title, by the title's id.

    The table has a row for each person of a title; the rows of actors are chosen before they become Python objects.
    """
    import pyarrow.compute as pc

    counts = ReadCounts()
    wanted, actors = _arrow_values(ids), _arrow_values(("actor", "actress"))
    billed: dict[str, list[tuple[int, str]]] = {}
    for table in _pieces(path, ("tconst", "category", "ordering", "nconst"), counts, report):
        acting = table.filter(pc.is_in(table.column("category"), actors))
        acting = acting.filter(pc.is_in(acting.column("tconst"), wanted))
        for title, _, rank, person in _rows(acting):
            try:
                billed.setdefault(title.decode(), []).append((_integer(rank), person.decode("ascii")))
            except ValueError:
                counts.malformed += 1
    return {title: tuple(person for _, person in sorted(people)[:BILLED]) for title, people in billed.items()}, counts


def origins(
    path: Path, originals: Mapping[str, str], report: Report = silent
) -> tuple[dict[str, tuple[tuple[str, ...], tuple[str, ...]]], ReadCounts]:
    """Return the languages and countries of each title, by its id, inferred from ``title.akas``.

    ``originals`` has the original name of each wanted title, by its id. Of the table's rows, only those with this name,
    or marked as original, become Python objects; see ``movietui.data.imdb.origins.origin_of``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    counts = ReadCounts()
    wanted, names = _arrow_values(originals), _arrow_values(originals.values())
    aliases: dict[str, list[Alias]] = {}
    columns = ("titleId", "title", "region", "language", "isOriginalTitle")
    for table in _pieces(path, columns, counts, report):
        table = table.filter(pc.is_in(table.column("titleId"), wanted))
        index = pc.index_in(table.column("titleId").combine_chunks(), wanted)
        same = pc.equal(table.column("title").combine_chunks(), pa.array(names.take(index)))
        marked = pc.equal(table.column("isOriginalTitle"), b"1").combine_chunks()
        for title, _, region, language, original in _rows(table.filter(pc.or_(same, marked))):
            alias = Alias(_code(region), _code(language), original == b"1")
            aliases.setdefault(title.decode("ascii", "replace"), []).append(alias)
    return {title: origin_of(rows) for title, rows in aliases.items()}, counts


def _code(field: bytes) -> str:
    """Return the code of a region or language; empty if there is none, or if it is not a code."""
    return field.decode() if _CODE.fullmatch(field) else ""


def names(path: Path, ids: Collection[str], report: Report = silent) -> tuple[dict[str, str], ReadCounts]:
    """Return the names of these people in ``name.basics``, by their ids."""
    counts = ReadCounts()
    selected = {}
    for person, name in _selected(path, ("nconst", "primaryName"), ids, counts, report):
        try:
            selected[person.decode()] = _text(name)
        except ValueError:
            counts.malformed += 1
    return selected, counts


def _selected(
    path: Path, columns: Sequence[str], ids: Collection[str], counts: ReadCounts, report: Report
) -> Iterator[tuple[bytes, ...]]:
    """Yield the rows whose first column is one of the ids."""
    import pyarrow.compute as pc

    wanted = _arrow_values(ids)
    for table in _pieces(path, columns, counts, report):
        yield from _rows(table.filter(pc.is_in(table.column(columns[0]), wanted)))


def _arrow_values(texts: Collection[str]) -> "pa.Array":
    import pyarrow as pa

    return pa.array([text.encode("utf-8", "replace") for text in texts], pa.binary())


def _rows(table: "pa.Table") -> list[tuple[bytes, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _title(row: Sequence[bytes]) -> Title:
    """Return the ``Title`` in a row of ``title.basics``. Raises ``ValueError`` if the row is malformed."""
    title, kind, name, original, adult, year, minutes, genres = row
    if not _TITLE.fullmatch(title):
        raise ValueError(title)
    return Title(
        title.decode(),
        _text(kind),
        _text(name),
        _text(original),
        _integer(year),
        _integer(minutes),
        () if genres == _EMPTY else tuple(_text(genres).split(",")),
        adult == b"1",
    )


def _text(field: bytes) -> str:
    text = strip_controls(field.decode()).strip()
    if not text:
        raise ValueError("empty")
    return text


def _integer(field: bytes) -> int:
    if field == _EMPTY:
        return 0
    if not _NUMBER.fullmatch(field):
        raise ValueError(field)
    return int(field)


# Computing the keys of millions of names without creating a Python object for each

_APOSTROPHES = b"'`"
_KEY_BYTES = np.zeros(256, np.uint8)
"""The byte of the key for each byte of a name: letters in lower case, and digits; 0 means that the byte is dropped."""
for _sign in b"abcdefghijklmnopqrstuvwxyz0123456789":
    _KEY_BYTES[[_sign, ord(chr(_sign).upper())]] = _sign
_NEEDS_SLOW_KEY = np.zeros(256, bool)
"""Which bytes ``_quick_keys`` cannot handle, so that a name with them needs the slow ``loose_keys``: with ``(`` or
``,`` it may have several keys; ``&`` is read as "and"; the others are control characters or belong to non-ASCII
letters."""
_NEEDS_SLOW_KEY[128:] = _NEEDS_SLOW_KEY[:32] = _NEEDS_SLOW_KEY[127] = True
_NEEDS_SLOW_KEY[list(b"&(,")] = True
_FIRST_WORDS = tuple(article.encode() for article in sorted(ARTICLES) if article.isalpha() and article.isascii())
_HEAD = max(map(len, _FIRST_WORDS)) + 1


def _quick_keys(names: "pa.BinaryArray") -> tuple["pa.BinaryArray", NDArray[np.bool_]]:
    """Return the loose key of each name, and which keys may be wrong, so that ``loose_keys`` must be used instead."""
    import pyarrow as pa

    if not len(names):
        return names, np.empty(0, bool)
    offsets, content = _buffers(names)
    starts, sizes = offsets[:-1], np.diff(offsets)
    key_bytes = _KEY_BYTES[content]
    slow = _counts(_NEEDS_SLOW_KEY[content], offsets) > 0
    padded = np.concatenate([content, np.zeros(_HEAD, np.uint8)])
    head = [np.where(sizes > offset, padded[starts + offset], 0) for offset in range(_HEAD)]
    slow |= (_KEY_BYTES[head[0]] == 0) | np.isin(head, list(_APOSTROPHES)).any(axis=0)  # "L'a" has an article
    begin = np.zeros(len(names), np.uint64)
    for signs in reversed(head):
        begin = begin << np.uint64(8) | _KEY_BYTES[signs]
    for word in _FIRST_WORDS:
        after = head[len(word)]
        begins = begin & np.uint64(256 ** len(word) - 1) == int.from_bytes(word, "little")
        article = starts[begins & (after > 0) & (_KEY_BYTES[after] == 0)]
        for offset in range(len(word)):
            key_bytes[article + offset] = 0
    lengths = _counts(key_bytes > 0, offsets)
    ends = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    keys = pa.BinaryArray.from_buffers(
        pa.binary(),
        len(names),
        [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(key_bytes[key_bytes > 0].tobytes())],
    )
    return keys, slow | (lengths == 0)


def _counts(counts: NDArray[np.bool_], offsets: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for how many bytes of each name ``counts`` is true."""
    ends = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, dtype=np.int32, out=ends[1:])
    return np.diff(ends[offsets])


def _buffers(names: "pa.BinaryArray") -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return the offset of each name, from 0, followed by the total length; and the bytes of all names."""
    _, offsets, content = names.buffers()
    starts = np.frombuffer(offsets, np.int32, len(names) + 1, names.offset * 4)
    whole = np.frombuffer(content, np.uint8) if content is not None else np.empty(0, np.uint8)
    return starts - starts[0], whole[starts[0] : starts[-1]]


# The pieces of a table


def _pieces(path: Path, columns: Sequence[str], counts: ReadCounts, report: Report) -> Iterator["pa.Table"]:
    """Yield the given columns of a table, as bytes, piece by piece.

    Raises ``Problem`` if the file is not the expected table.
    """
    import pyarrow as pa
    from pyarrow import csv

    def skip(row: Any) -> str:
        counts.malformed += 1
        counts.rows += 1
        return "skip" if counts.malformed <= MOST_MALFORMED else "error"

    named = path.name.removesuffix(".gz").removesuffix(".tsv")
    header: list[str] = []
    size = 0
    for content, done in prefetched(_line_chunks(path)):
        size = path.stat().st_size
        report(Stage(tr("Reading"), done, size, "bytes", path.name))
        if not header:
            first, _, content = content.partition(b"\n")
            header = first.decode("utf-8", "replace").strip().split("\t", MOST_COLUMNS)
            missing = [column for column in columns if header.count(column) != 1]
            if missing:
                raise damaged_table(
                    path,
                    tr("is not IMDb's {table}: its first line has no column {column}", table=named, column=missing[0]),
                )
        if not content or content.isspace():
            continue
        try:
            # pyarrow passes a row with the wrong number of cells to ``skip`` as text, and fails if it is not UTF-8.
            content, removed = _without_undecodable(content, len(header))
            counts.malformed += removed
            counts.rows += removed
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
            if counts.malformed > MOST_MALFORMED:
                raise damaged_table(
                    path,
                    tr(
                        "is not IMDb's {table}: more than {limit:,} lines are malformed",
                        table=named,
                        limit=MOST_MALFORMED,
                    ),
                ) from None
            raise _long_line(path) from None
        counts.rows += read.num_rows
        yield read
    report(Stage(tr("Reading"), size, size, "bytes", path.name, finished=True))


def _without_undecodable(content: bytes, cells: int) -> tuple[bytes, int]:
    """Return the content without lines that have a wrong number of cells and are not UTF-8, and their number."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        lines = content.splitlines(keepends=True)
        readable = [line for line in lines if line.count(b"\t") == cells - 1 or _is_utf8(line)]
        return b"".join(readable), len(lines) - len(readable)
    return content, 0


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _long_line(path: Path) -> Problem:
    return damaged_table(
        path, tr("is not an IMDb table: it has a line of more than {limit:,} bytes", limit=LONGEST_LINE)
    )


def _line_chunks(path: Path) -> Iterator[Piece]:
    """Yield the content of a table in large chunks of whole lines."""
    rest: list[bytes] = []
    size = done = unpacked = 0
    for part, done in _unpacked(path):
        rest.append(part)
        size += len(part)
        unpacked += len(part)
        if unpacked > MOST_UNPACKED:
            raise damaged_table(path, tr("unpacks to more than the limit of {limit:,} bytes", limit=MOST_UNPACKED))
        if size < CHUNK:
            continue
        whole = b"".join(rest)
        end = whole.rfind(b"\n") + 1
        rest, size = [whole[end:]], len(whole) - end
        if size > LONGEST_LINE:
            raise _long_line(path)
        if end:
            yield whole[:end], done
    if last := b"".join(rest):
        yield last, done


def _unpacked(path: Path) -> Iterator[Piece]:
    try:
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(0)
            if not head:
                raise damaged_table(path, tr("is empty"))
            if looks_like_html(head):
                raise damaged_table(path, tr("is a web page, not an IMDb table"))
            yield from _inflated(path, file) if head.startswith(b"\x1f\x8b") else _read(file)
    except zlib.error:
        raise damaged_table(path, tr("is damaged")) from None
    except OSError as error:
        raise Problem(
            tr("{path} cannot be read: {reason}; check the path.", path=path, reason=error.strerror or error)
        ) from None


def _inflated(path: Path, file: BinaryIO) -> Iterator[Piece]:
    stream = zlib.decompressobj(_GZIP)
    for packed, done in _read(file):
        while packed:
            if stream.eof:  # another gzip stream may follow, or zeros as padding
                if not packed.strip(b"\0"):
                    break
                stream = zlib.decompressobj(_GZIP)
            part = stream.decompress(packed, CHUNK)
            packed = stream.unused_data if stream.eof else stream.unconsumed_tail
            if part:
                yield part, done
    if not stream.eof:
        raise damaged_table(path, tr("is incomplete"))


def _read(file: BinaryIO) -> Iterator[Piece]:
    done = 0
    while part := file.read(_PACKED):
        done += len(part)
        yield part, done
