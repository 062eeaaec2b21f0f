"""Reads personal exports that are tables; the header identifies the service.

| service | identifying columns | scale |
|---|---|---|
| Letterboxd | ``Letterboxd URI``, ``Name`` | 0.5 to 5 |
| Letterboxd, a list | ``Position``, ``Name``, ``URL``; rows about the list may come before | 0.5 to 5 |
| IMDb, in each of its layouts | ``Const`` | 1 to 10 |
| TMDB | ``TMDb ID``, ``Type``, ``Name`` | 1 to 10 |
| MovieLens | ``movie_id``, ``average_rating`` | 0.5 to 5 |
| any other, including ours | a column with titles, see ``columns`` | as stated, or else as the ratings suggest |
| no table, one title per line | none | none |

Columns are identified by name, in any order and case. Fields are separated by commas, semicolons or tabs. Text is
UTF-8, UTF-16 with a byte order mark, or Windows-1252. Whether a movie is seen or on the watchlist follows from its row,
or else from the name of the file, or else from the columns. If none of these says which, the movies become a list.
"""

import codecs
import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import itemgetter
from pathlib import PurePosixPath
from typing import NamedTuple, get_args

from movietui.data.imports import columns
from movietui.data.imports.entries import LONGEST_LIST_NAME, LONGEST_NOTE, Choices, Entry, Log, Mark, Reading, Skipped
from movietui.data.imports.fields import (
    OF_FIVE,
    OF_TEN,
    DateOrder,
    date_order,
    is_iso,
    rating_of,
    scale_of,
    to_id,
    to_imdb,
    to_moment,
    to_stars,
    to_title,
    to_year,
    uncertain,
)
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.titles import movie_key, parse_label, title_key

DELIMITERS = ",;\t"
SERVICES = tr("Letterboxd, IMDb, Trakt, MovieLens or TMDB")
SERIES = (
    "serie",
    "episod",
    "folge",
    "podcast",
    "game",
    "videospiel",
    "videojuego",
    "videogioco",
    "jeu video",
    "music video",
    "musikvideo",
    "show",
    "season",
    "track",
    "album",
    "artist",
    "photo",
)
"""Words and parts of words, in several languages, that occur in the types of titles that are not movies; the last six
occur in libraries of Plex. A title of an unknown type may be a movie."""
TITLE_LISTS = (".txt", ".md", ".text", "")
"""The extensions of files that may have one title per line."""
_HEAD = 2**16
"""How many bytes at the start of a file are searched for the header."""
_HEAD_ROWS = 12
"""How many rows at the start of a file are searched for the header."""
_OF_A_LIST = frozenset({"name", "tags", "url", "description"})
"""The columns in which Letterboxd describes a list, above the table of its movies."""
_MOST_SURVEYED = 5000
"""How many distinct values of a column are examined to find the scale of its ratings or the order of its dates."""
_MOST_KNOWN = 2**15
"""How many movies of a table are remembered, so that further rows about them can be merged."""
_SEPARATOR = re.compile(r"""["']?sep=(.)["']?""")
_LABEL_CHARACTERS = frozenset("(),")
"""``parse_label`` leaves an ASCII title unchanged if it has none of these characters."""
_BULLET = re.compile(r"^\s*(?:[-*•–]|[0-9]{1,4}[.)])\s+")
_LABELLED = re.compile(r".*\S\s*[(\[](?:18|19|20)[0-9]{2}[)\]]\s*")
_MEANINGS_BY_FILE_NAME = (
    (re.compile(r"watch-?_? ?list|wish-?_? ?list|to[-_ ]watch"), "watchlist"),
    (re.compile(r"(?<![a-z])(?:watched|seen|history)"), "seen"),
    (re.compile(r"(?<![a-z])(?:liked|likes)"), "liked"),
)
"""What movies without a rating and without marks mean if the name of their file matches."""


class NotAMovie(ValueError):
    """Raised for a row that is skipped, such as that of a series; the text is the reason that the user sees."""


@dataclass
class Table:
    """The content of one file of an export."""

    format: str
    entries: list[Entry] = field(default_factory=list)
    skipped: Log = field(default_factory=Log)
    unread: Log = field(default_factory=Log)
    reading: Reading = field(default_factory=lambda: Reading(""))
    list_name: str = ""
    """The name of the list; empty if the table is not a list."""
    addressed: bool = False
    """Whether the entries have addresses that tell apart movies with the same title and year."""


@dataclass(frozen=True)
class Layout:
    """The columns of a service's tables. A column is given by its name as ``columns.key_of`` returns it."""

    name: str
    identified_by: tuple[frozenset[str], ...]
    """A table has this layout if it has all columns of one of these sets."""
    title: tuple[str, ...]
    year: tuple[str, ...]
    date: tuple[str, ...]
    rating: tuple[str, ...] = ()
    """The columns with ratings; if a table has none of these, any column that has ratings is read."""
    scale: int = 0
    """The highest rating; 0 if the layout does not determine the scale."""
    imdb: tuple[str, ...] = ()
    tmdb: tuple[str, ...] = ()
    movielens: tuple[str, ...] = ()
    original: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    """The column that tells movies from series."""
    marks: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    labels: bool = False
    """Whether titles may end with the year in parentheses."""
    rated_only: bool = False
    """Whether to skip rows without a rating, unless the table is a list or watchlist, or the user says what it is."""


LAYOUTS = (
    Layout(
        "letterboxd",
        (frozenset({"letterboxduri", "name"}),),
        ("name",),
        ("year",),
        ("watcheddate", "date"),
        rating=("rating",),
        scale=OF_FIVE,
    ),
    Layout(
        "letterboxd",
        (frozenset({"position", "name", "url"}),),
        ("name",),
        ("year",),
        (),
        note=("description",),
        rating=("rating",),
        scale=OF_FIVE,
    ),
    Layout(
        "imdb",
        (frozenset({"const"}),),
        ("title",),
        ("year",),
        ("daterated", "dateadded", "created"),
        rating=("yourrating", "yourated"),
        scale=OF_TEN,
        imdb=("const",),
        original=("originaltitle",),
        kind=("titletype",),
        note=("description",),
        rated_only=True,
    ),
    Layout(
        "tmdb",
        (frozenset({"tmdbid", "type", "name"}),),
        ("name",),
        ("releasedate",),
        ("daterated",),
        rating=("yourrating",),
        scale=OF_TEN,
        imdb=("imdbid",),
        tmdb=("tmdbid",),
        kind=("type",),
        rated_only=True,
    ),
    Layout(
        "movielens",
        (frozenset({"movieid", "averagerating"}),),
        ("title",),
        (),
        (),
        rating=("rating",),
        scale=OF_FIVE,
        imdb=("imdbid",),
        tmdb=("tmdbid",),
        movielens=("movieid",),
        labels=True,
        rated_only=True,
    ),
    Layout(
        "csv",
        tuple(frozenset({name}) for name in columns.TITLES),
        columns.TITLES,
        columns.YEARS,
        (*columns.SEEN_ON, *columns.DATES),
        imdb=columns.IMDB_IDS,
        tmdb=columns.TMDB_IDS,
        original=columns.ORIGINALS,
        kind=columns.KINDS,
        marks=columns.MARKS,
        note=columns.NOTES,
        labels=True,
    ),
)
"""The layouts; the first one that fits a table applies."""


@dataclass(frozen=True)
class _Head:
    """What the first lines of a file say: its layout, its columns, and where its rows begin."""

    layout: Layout | None
    """None for a file with one title per line."""
    delimiter: str
    header: list[str]
    before: int
    """The number of lines before the first row, including the header."""
    list_name: str = ""


def read(
    path: PurePosixPath, content: bytes, choices: Choices | None = None, namesakes: Collection[str] = frozenset()
) -> Table:
    """Return the content of a file: a table with one movie per row, or a list with one title per line.

    ``path`` is relative to the export; some tables of Letterboxd and IMDb can be identified only by their names.
    ``namesakes`` has the keys of titles and years that several movies share; the entries of these movies get their
    addresses as qualifiers. Raises ``Problem`` if the file is not recognised.
    """
    choices = choices or Choices()
    encoding = _encoding(path, content)
    head = _find_header(path, content, encoding, choices)
    if head.layout is None:
        return _titles(path, content, encoding, choices)
    return _Reader(path, content, encoding, head, head.layout, choices, namesakes).read()


def _encoding(path: PurePosixPath, content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            pieces = (
                decoder.decode(content[start : start + 2**20], start + 2**20 >= len(content))
                for start in range(0, len(content), 2**20)
            )
            if not any("\0" in piece for piece in pieces):
                return encoding
            break
        except UnicodeDecodeError:
            continue
    raise Problem(
        tr(
            "{file} is not a text file in UTF-8, UTF-16 or Windows-1252; choose the file as you downloaded it.",
            file=path.name,
        )
    )


def _stream(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding, newline="")


def _find_header(path: PurePosixPath, content: bytes, encoding: str, choices: Choices) -> _Head:
    """Find the header of a table, below any lines that a spreadsheet or Letterboxd has written above it."""
    head = codecs.getincrementaldecoder(encoding)().decode(content[:_HEAD])
    lines = list(io.StringIO(head, newline=""))
    above = next((number for number, line in enumerate(lines) if line.strip()), 0)
    opening = lines[above].strip() if lines else ""
    separator = _SEPARATOR.fullmatch(opening)
    is_list = opening.casefold().startswith("letterboxd list export")
    if separator or is_list:
        above += 1
    for delimiter in separator[1] if separator else DELIMITERS:
        rows = list(islice(csv.reader(lines[above:], delimiter=delimiter), _HEAD_ROWS))
        if header := _header(rows, delimiter, choices, is_list=is_list):
            return replace(header, before=above + header.before)
    if path.suffix.casefold() in TITLE_LISTS or _are_titles(lines):
        return _Head(None, "", [], 0)
    shown = strip_controls(opening[:60])
    raise Problem(
        tr(
            "{file} begins with {header!r}, which is not a header of {services}, and it has no title column; choose "
            "the file as you downloaded it.",
            file=path.name,
            header=shown,
            services=SERVICES,
        )
    )


def _header(rows: Sequence[list[str]], delimiter: str, choices: Choices, *, is_list: bool) -> _Head | None:
    """Find the header among the first rows, and the name of a list above it; return None if there is no header."""
    filled = [number for number, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        return None
    top = filled[0]
    keys = columns.keys_of(rows[top])
    if (is_list or set(keys) >= _OF_A_LIST) and "position" not in keys and "name" in keys:
        named = dict(zip(keys, rows[filled[1]], strict=False)) if len(filled) > 1 else {}
        for number in filled[1:]:
            if {"position", "name"} <= set(columns.keys_of(rows[number])):
                return _Head(LAYOUTS[1], delimiter, rows[number], number + 1, named.get("name", ""))
        if is_list or set(keys) <= {*_OF_A_LIST, "date"}:  # a list without movies
            return _Head(LAYOUTS[1], delimiter, rows[top], sys.maxsize // 2, named.get("name", ""))
    layout = next((each for each in LAYOUTS if any(required <= set(keys) for required in each.identified_by)), None)
    if layout is None and "title" in columns.chosen(rows[top], choices.columns):
        layout = LAYOUTS[-1]
    return _Head(layout, delimiter, rows[top], top + 1) if layout else None


def _are_titles(lines: Sequence[str]) -> bool:
    filled = [line for line in lines[:200] if line.strip()]
    return 2 * sum(_LABELLED.fullmatch(line.strip()) is not None for line in filled) > len(filled)


def _titles(path: PurePosixPath, content: bytes, encoding: str, choices: Choices) -> Table:
    """Read a file with one title per line."""
    table = Table("titles")
    for number, line in enumerate(_stream(content, encoding), 1):
        text = _BULLET.sub("", line, 1).strip().strip("\"'")
        if not text:
            continue
        try:
            title, year = parse_label(_title(text.replace("[", "(").replace("]", ")") if text.endswith("]") else text))
            if not title:
                raise NotAMovie(tr("it has no title"))
            table.entries.append(Entry(title, year))
        except NotAMovie as reason:
            table.skipped.add(
                Skipped(
                    tr("{file} line {number}", file=path.name, number=number), to_title(line[:200])[:200], str(reason)
                )
            )
    meaning, is_unclear = _meaning(path, choices, "")
    table.entries = [_marked(entry, meaning) for entry in table.entries]
    table.list_name = _list_name(path, "", choices) if meaning == "list" else ""
    table.reading = Reading(path.name, read=(("each line", "title"),), meaning=meaning, is_unclear=is_unclear)
    return table


def _marked(entry: Entry, meaning: str) -> Entry:
    marks = _MARKS_OF[meaning]
    return Entry(entry.title, entry.year, marks=marks) if marks else entry


_MARKS_OF: Mapping[str, frozenset[Mark]] = {
    "seen": frozenset({"seen"}),
    "watchlist": frozenset({"watchlist"}),
    "liked": frozenset({"liked"}),
    "list": frozenset(),
    "": frozenset(),
}


def _meaning(path: PurePosixPath, choices: Choices, content_says: str) -> tuple[str, bool]:
    """Return what movies without a rating and without marks mean, and whether that is only assumed.

    The user's choice comes first, then the name of the file, then its content; otherwise the movies become a list.
    """
    if choices.meaning:
        return choices.meaning, False
    name = path.name.casefold()
    named = next((meaning for pattern, meaning in _MEANINGS_BY_FILE_NAME if pattern.search(name)), "")
    if name == "films.csv":  # in Letterboxd's folder "likes"
        named = "liked"
    if named or content_says:
        return named or content_says, False
    return "list", True


def _list_name(path: PurePosixPath, above: str, choices: Choices) -> str:
    name = " ".join(strip_controls(choices.name or above or path.stem.replace("_", " ")).split())
    return name[:LONGEST_LIST_NAME] or "list"


def _title(text: str) -> str:
    try:
        return to_title(text)
    except ValueError as error:
        raise NotAMovie(str(error)) from None


class _Movie(NamedTuple):
    """The fields of an entry that are the same in all rows about its movie."""

    title: str
    year: int
    original: str
    imdb: str
    tmdb: int
    movielens: int
    qualifier: str
    note: str


class _Reader:
    """Reads a table in two passes: the first finds out how ratings and dates are written, the second reads the rows."""

    def __init__(
        self,
        path: PurePosixPath,
        content: bytes,
        encoding: str,
        head: _Head,
        layout: Layout,
        choices: Choices,
        namesakes: Collection[str],
    ) -> None:
        self.path, self.content, self.encoding = path, content, encoding
        self.head, self.layout, self.choices, self.namesakes = head, layout, choices, namesakes
        self.keys = columns.keys_of(head.header)
        self.chosen = columns.chosen(head.header, choices.columns)
        self.notes: list[str] = []
        self.table = Table(layout.name)
        self.title = self._column("title", layout.title)
        self.year = self._column("year", layout.year)
        self.date = [self.chosen["date"]] if "date" in self.chosen else self._all(layout.date)
        self.kind = self._column("", layout.kind)
        self.original = self._column("", layout.original)
        self.imdb = self._column("imdb", layout.imdb)
        self.tmdb = self._column("tmdb", layout.tmdb)
        self.movielens = self._column("", layout.movielens)
        self.marks = self._column("marks", layout.marks)
        self.note = self._column("note", layout.note)
        self.uri = columns.first(self.keys, "letterboxduri")
        # In the diary and in reviews, the address is that of the entry, not that of the movie.
        diary = {"watcheddate", "rewatch", "review"} & set(self.keys)
        self.table.addressed = self.uri >= 0 and not diary
        identifying = [self.title, self.year, self.original, self.imdb, self.tmdb, self.movielens, self.kind]
        identifying += [self.uri] * self.table.addressed
        self.identity = itemgetter(*(column for column in identifying if column >= 0))
        """Returns the identity of a row: the texts in its identifying columns."""
        self.known: dict[object, tuple[_Movie, list[int]]] = {}
        """The movies read so far, by the identity of their rows.

        Each comes with the indices in ``entries`` of its newest entry without a rating and its newest entry with one,
        apart from its first entry; -1 if there is none.
        """
        self.entries: list[Entry | None] = []
        """The entries read so far; None in place of an entry that a newer one has replaced."""

    def _column(self, role: str, names: Sequence[str]) -> int:
        return self.chosen[role] if role in self.chosen else columns.first(self.keys, *names)

    def _all(self, names: Sequence[str]) -> list[int]:
        return [self.keys.index(name) for name in names if name in self.keys]

    def rows(self) -> Iterator[tuple[int, list[str], str]]:
        """Yield each row below the header: its line number, its fields, and what is wrong with it, if anything."""
        stream = _stream(self.content, self.encoding)
        lines = csv.reader(stream, delimiter=self.head.delimiter, strict=True)
        width, name = len(self.head.header), self.path.name
        try:
            for _ in islice(lines, self.head.before):
                pass
            for fields in lines:
                missing = width - len(fields)
                if missing:
                    if not any(cell.strip() for cell in fields):
                        continue
                    if missing == 1:
                        fields.append("")
                    elif missing > 0 or any(cell.strip() for cell in fields[width:]):
                        yield (
                            lines.line_num,
                            [*fields, *[""] * missing],
                            tr("it should have {needed} fields, not {count}", needed=width, count=len(fields)),
                        )
                        continue
                yield lines.line_num, fields, ""
        except csv.Error as error:
            raise Problem(
                tr(
                    "{file} line {number} cannot be read ({error}); choose the file as you downloaded it.",
                    file=name,
                    number=lines.line_num,
                    error=error,
                )
            ) from None

    def read(self) -> Table:
        """Read the table and return its content."""
        self._survey()
        self._understand()
        skipped = self.table.skipped
        for number, fields, wrong in self.rows():
            try:
                if wrong:
                    raise NotAMovie(wrong)
                self._read_row(number, fields)
            except NotAMovie as reason:
                title = fields[self.title] if self.title >= 0 else ""
                skipped.add(Skipped(self._at(number), " ".join(strip_controls(title).split())[:200], str(reason)))
        self.table.entries = [entry for entry in self.entries if entry is not None]
        self.entries.clear()
        self._conclude()
        return self.table

    def _at(self, number: int) -> str:
        return tr("{file} line {number}", file=self.path.name, number=number)

    # The formats of the columns

    def _survey(self) -> None:
        """Choose the columns with ratings, their scales, and the order of day and month in each column of dates."""
        groups = [[(self.chosen["rating"], 0)]] if "rating" in self.chosen else None
        if groups is None:
            named = [(each, self.layout.scale) for each in self._all(self.layout.rating)]
            groups = [named] if named else columns.ratings(self.head.header)
        counts = {column: Counter[str]() for group in groups for column, _ in group}
        dates: dict[int, set[str]] = {column: set() for column in self.date}
        for _, fields, wrong in self.rows():
            if wrong:
                continue
            for column, counted in counts.items():
                if (text := fields[column]) in counted or len(counted) < _MOST_SURVEYED:
                    counted[text] += 1
            for column, gathered in dates.items():
                text = fields[column]
                if text and text[4:5] != "-" and len(gathered) < _MOST_SURVEYED:
                    gathered.add(text)
        self._choose_ratings(groups, counts)
        self.orders: dict[int, DateOrder] = {}
        for column, gathered in dates.items():
            self._choose_order(column, [text for text in gathered if not is_iso(text)])

    def _choose_ratings(self, groups: list[list[tuple[int, int]]], counts: Mapping[int, Counter[str]]) -> None:
        sure = "rating" in self.chosen or any(stated for group in groups for _, stated in group)
        group = next((each for each in groups if sure or any(_hold_ratings(counts[column]) for column, _ in each)), [])
        self.ratings: list[tuple[int, int]] = []
        self.unrated = sum(
            count for column, _ in group[:1] for text, count in counts[column].items() if not text.strip()
        )
        self.scale, self.scale_by = 0, ""
        for column, stated in group:
            suggested = scale_of(counts[column].items())
            top = self.choices.scale or stated or suggested or OF_FIVE
            self.ratings.append((column, top))
            if not self.scale:
                self.scale = top
                self.scale_by = "chosen" if self.choices.scale else "stated" if stated else "assumed"
            if suggested > top:
                name = _quoted(self.head.header[column])
                self.notes.append(
                    tr(
                        "Many ratings in {column} are above {top}; a scale of {suggested} would fit them.",
                        column=name,
                        top=top,
                        suggested=suggested,
                    )
                )

    def _choose_order(self, column: int, texts: Sequence[str]) -> None:
        order, contradicting = date_order(texts)
        self.orders[column] = order
        unclear = [text for text in texts if not order and uncertain(text)]
        if unclear:
            why = (
                tr("some start with the day, some with the month")
                if contradicting
                else tr("is the day or the month first?")
            )
            self.notes.append(
                tr(
                    "Dates such as {date} in {column} are unclear ({why}), so these movies are imported without a "
                    "date; if a movie is rated twice, the rating whose date has the later year counts.",
                    date=strip_controls(min(unclear)),
                    column=_quoted(self.head.header[column]),
                    why=why,
                )
            )

    def _understand(self) -> None:
        """Decide what rows without a rating and without marks mean."""
        names, layout = set(self.keys), self.layout
        says = ""
        if self.ratings or self.marks >= 0 or names & set(columns.SEEN_ON):
            says = "seen"
        self.listed = listed = layout is LAYOUTS[1] or (layout.name == "imdb" and self._is_imdb_list(names))
        if listed:
            says = ""
        self.meaning, self.is_unclear = _meaning(self.path, self.choices, says)
        if listed and not self.choices.meaning and self.meaning != "watchlist":
            self.meaning, self.is_unclear = "list", False
        self.default = _MARKS_OF[self.meaning]
        self.rated_only = layout.rated_only and not listed and self.meaning == "seen" and not self.choices.meaning
        self.merges = self.meaning != "list"
        if not self.merges:
            self.table.list_name = _list_name(self.path, self.head.list_name, self.choices)

    def _is_imdb_list(self, names: set[str]) -> bool:
        """Return whether this is a list, which has a column of positions.

        A table of ratings in the oldest layout has positions too, but no movie without a rating.
        """
        if "position" not in names:
            return False
        return "yourated" not in names or (self.unrated > 0 and "rating" not in self.path.name.casefold())

    # Rows

    def _read_row(self, number: int, fields: list[str]) -> None:
        """Add the entry of a row. Raises ``NotAMovie`` if the row must be skipped.

        A diary can name one movie a hundred times. Except in lists, at most three rows of each remembered movie are
        kept: the first row, and of all other rows the newest with a rating and the newest without one. These two also
        get the marks of the rows that are dropped. From the kept rows, ``merged`` makes the same movie as from all
        rows. The first row is kept because namesakes are found by the titles and years that have more than one row,
        and are told apart by the order of their addresses.
        """
        identity, unread = self.identity(fields), self.table.unread.count
        known = self.known.get(identity)
        movie = known[0] if known else self._movie(number, fields)
        if movie is None:
            return
        remember = self.merges and self.table.unread.count == unread and len(self.known) < _MOST_KNOWN
        stars, marks = self._stars_and_marks(number, movie.title, fields)
        at = self._moment(number, movie.title, fields) if self.date else ""
        if known:
            newest, is_rated = known[1], stars is not None
            if newest[is_rated] >= 0 and (before := self.entries[newest[is_rated]]):
                if at < before.at:
                    if not marks <= before.marks:
                        self.entries[newest[is_rated]] = before._replace(marks=before.marks | marks)
                    return
                marks |= before.marks
                self.entries[newest[is_rated]] = None
            newest[is_rated] = len(self.entries)
        elif remember:
            self.known[identity] = movie, [-1, -1]
        title, year, original, imdb, tmdb, movielens, qualifier, note = movie
        self.entries.append(Entry(title, year, stars, marks, at, original, imdb, tmdb, movielens, qualifier, note))

    def _movie(self, number: int, fields: list[str]) -> _Movie | None:
        """Return the movie in a row, or None for an empty row. Raises ``NotAMovie`` for any other row without one."""
        title = _title(fields[self.title]) if self.title >= 0 else ""
        imdb = to_imdb(fields[self.imdb]) if self.imdb >= 0 else ""
        if not title and not imdb:
            if not any(cell.strip() for cell in fields):
                return None
            raise NotAMovie(tr("it has no title"))
        if self.kind >= 0:
            self._check_kind(fields[self.kind])
        year = self._year(number, title, fields[self.year]) if self.year >= 0 else 0
        if self.layout.labels and not (title.isascii() and _LABEL_CHARACTERS.isdisjoint(title)):
            label, year_of_label = parse_label(title)
            if year in (0, year_of_label):
                title, year = label, year_of_label
        return _Movie(
            title,
            year,
            _title(fields[self.original]) if self.original >= 0 else "",
            imdb,
            to_id(fields[self.tmdb]) if self.tmdb >= 0 else 0,
            to_id(fields[self.movielens]) if self.movielens >= 0 else 0,
            self._qualifier(title, year, fields) if self.namesakes else "",
            _note(fields[self.note]) if self.note >= 0 and self.table.list_name else "",
        )

    def _stars_and_marks(self, number: int, title: str, fields: list[str]) -> tuple[float | None, frozenset[Mark]]:
        """Return the stars and the marks in a row. Raises ``NotAMovie`` if a required rating is missing."""
        stars, is_unread = self._stars(number, title, fields)
        marks = self.default
        if self.marks >= 0 and (words := fields[self.marks].casefold().split()):
            marks = frozenset(mark for mark in get_args(Mark) if mark in words) or marks
        elif stars is not None and not self.listed:
            marks = _MARKS_OF[""]
        if stars is None and not is_unread and self.rated_only:
            raise NotAMovie(tr("it has no rating"))
        return stars, marks

    def _check_kind(self, text: str) -> None:
        kind = title_key(text)
        series = kind != "movie" if self.layout.name == "tmdb" else any(word in kind for word in SERIES)
        if series:
            raise NotAMovie(tr("it is not a movie; its type is {kind}", kind=strip_controls(text.strip())))

    def _year(self, number: int, title: str, text: str) -> int:
        year = to_year(text)
        if not year and text.strip():
            self._report_unread(
                number, title, tr("the year {text!r} cannot be read", text=strip_controls(text.strip()[:40]))
            )
        return year

    def _stars(self, number: int, title: str, fields: list[str]) -> tuple[float | None, bool]:
        """Return the stars in a row, and whether the row has a rating that cannot be read."""
        for column, top in self.ratings:
            text = fields[column]
            if not text:
                continue
            try:
                stars = to_stars(text, top)
            except ValueError as error:
                self._report_unread(number, title, tr("{error}; the movie is imported without it", error=error))
                return None, True
            if stars is not None:
                return stars, False
        return None, False

    def _moment(self, number: int, title: str, fields: list[str]) -> str:
        for column in self.date:
            text = fields[column]
            if not text or not text.strip():
                continue
            order = self.orders[column]
            moment = to_moment(text, order) or ("" if order else uncertain(text))
            if not moment:
                self._report_unread(
                    number,
                    title,
                    tr("the date {text!r} cannot be read, or is in the future", text=strip_controls(text.strip()[:40])),
                )
            return moment
        return ""

    def _qualifier(self, title: str, year: int, fields: list[str]) -> str:
        if movie_key(title, year) not in self.namesakes:
            return ""
        return strip_controls(fields[self.uri].strip().rstrip("/").rpartition("/")[2])[:40]

    def _report_unread(self, number: int, title: str, reason: str) -> None:
        self.table.unread.add(Skipped(self._at(number), title[:200], reason))

    def _conclude(self) -> None:
        """Record how the table was read: its scale, and which columns were used for what."""
        used = {
            **dict.fromkeys((self.title,), "title"),
            **dict.fromkeys((self.year,), "year"),
            **dict.fromkeys(self.date, "date"),
            **dict.fromkeys((self.original,), "original title"),
            **dict.fromkeys((self.kind,), "type"),
            **dict.fromkeys((self.marks,), "marks"),
            **dict.fromkeys((self.imdb,), "IMDb id"),
            **dict.fromkeys((self.tmdb,), "TMDB id"),
            **dict.fromkeys((self.movielens,), "MovieLens id"),
            **({self.note: "note"} if self.table.list_name else {}),
            **({self.uri: "address"} if self.table.addressed else {}),
            **{column: "rating" for column, _ in self.ratings},
        }
        header = [" ".join(strip_controls(name).split())[:100] for name in self.head.header]
        read = tuple((header[column], used[column]) for column in sorted(used) if column >= 0)
        self.table.reading = Reading(
            self.path.name,
            self.scale if self.ratings else 0,
            self.scale_by if self.ratings else "",  # type: ignore[arg-type]
            read,
            tuple(name for column, name in enumerate(header) if column not in used and name),
            tuple(self.notes),
            self.meaning,
            self.is_unclear,
        )


def _hold_ratings(counts: Mapping[str, int]) -> bool:
    """Return whether at least half of the filled cells in a column are ratings; true also if no cell is filled."""
    filled = [(text, count) for text, count in counts.items() if text.strip()]
    return 2 * sum(count for text, count in filled if _is_rating(text)) >= sum(count for _, count in filled)


def _is_rating(text: str) -> bool:
    try:
        rating_of(text)
    except ValueError:
        return False
    return True


def _note(text: str) -> str:
    return " ".join(strip_controls(text).split())[:LONGEST_NOTE]


def _quoted(name: str) -> str:
    return f"“{' '.join(strip_controls(name).split())[:60]}”"
