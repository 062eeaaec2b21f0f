"""Reads datasets for which the names of columns are not enough; each is recognised by its content.

| dataset | files | recognised by |
|---|---|---|
| Netflix Prize | ``combined_data_1.txt`` or ``mv_0000001.txt`` and so on; ``movie_titles`` | a first line ``1:`` |
| Book-Crossing | ``BX-Book-Ratings.csv``, ``BX-Books.csv`` | the columns ``User-ID``, ``ISBN`` and ``Book-Rating`` |
| Jester | a row for each user, with the number of rated jokes and 100 ratings | 101 numbers in the first line |
| Amazon, 5-core reviews | lines of JSON | ``reviewerID`` and ``asin`` in the first line |
| Amazon, ratings only | CSV without a header | the form of the ids in the first line |

The scales are given here where the ratings alone do not show them. A 0 in Book-Crossing, for example, is not a rating;
it only says that somebody read a book.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from movietui.data.cleaning.rules import outside
from movietui.data.dataset import Scale
from movietui.data.language import tr
from movietui.data.movielens.release import Malformed
from movietui.data.problems import Problem
from movietui.data.tables import table
from movietui.data.tables.columns import Columns, role_of
from movietui.data.tables.interactions import Interactions, check_malformed, times_of

JOKES = 100
NOT_RATED = 99.0
"""What Jester writes for a joke that a user did not rate."""
JESTER = Scale(-10, 10, 0)
NETFLIX = Scale(1, 5, 1)
AMAZON = Scale(1, 5, 1)
BOOK_CROSSING = Scale(1, 10, 1)
BOOK_RATINGS = {"user": "User-ID", "item": "ISBN", "rating": "Book-Rating"}
_MOVIE_LINE = re.compile(rb"[0-9]{1,9}:\s*")
_AMAZON_USER = re.compile(r"A[0-9A-Z]{9,24}")
_AMAZON_ITEM = re.compile(r"[0-9A-Z]{10}")
_UTF8_BOM = b"\xef\xbb\xbf"


def read(files: Mapping[str, bytes], source: object) -> Interactions | None:
    """Read the files of one of these datasets; return ``None`` for files of any other dataset.

    ``source`` is the path that the user gave. Raises ``Problem`` if the files are damaged.
    """
    first_lines = {name: _first_line(content) for name, content in files.items()}
    rated = [name for name, line in first_lines.items() if _MOVIE_LINE.fullmatch(line)]
    if rated:
        return _netflix(files, sorted(rated), source)
    for name, line in first_lines.items():
        if line.startswith(b"{"):
            return _reviews(files[name], name, source)
        fields = table.form_of(files[name]).first_line if not files[name].startswith(table.PARQUET) else ()
        if {*BOOK_RATINGS.values()} <= {*fields}:
            return _book_crossing(files, name, source)
        if len(fields) == JOKES + 1 and all(map(_is_number, fields)):
            return _jester(files[name], name, source)
        if columns := _amazon_columns(fields):
            return _with_scale(table.read(files[name], name, source, columns=columns), AMAZON)
    return None


def _first_line(content: bytes) -> bytes:
    return content[: table.HEAD].removeprefix(_UTF8_BOM).lstrip().split(b"\n", 1)[0].strip()


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*-?[0-9]+(\.[0-9]+)?\s*", text) is not None


def _with_scale(read_table: Interactions, scale: Scale) -> Interactions:
    """Return ratings with a scale, if all of them are on it."""
    rating = read_table.rating
    if rating is None or outside(scale, rating[~np.isnan(rating)].astype(np.float32)).any():
        return read_table
    return replace(read_table, scale=scale)


def _netflix(files: Mapping[str, bytes], names: list[str], source: object) -> Interactions:
    """Read blocks of lines ``user,rating,date``, each after a line with the id of a movie and a colon."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tables, malformed = [], []
    for name in names:
        # With two commas added, the line of a movie can be read as a row of the table.
        lines = files[name].replace(b"\r\n", b"\n").rstrip() + b"\n"
        raw, rejected = table.text(lines.replace(b":\n", b":,,\n"), name, {"user": 0, "rating": 1, "time": 2}, 3, False)
        is_movie = pc.fill_null(pc.ends_with(raw["user"], ":"), False).to_numpy()
        starts = np.flatnonzero(is_movie)
        movies = pc.utf8_rtrim(raw["user"].filter(pa.array(is_movie)), characters=":").combine_chunks()
        movie = pc.take(movies, pa.array(np.cumsum(is_movie) - 1)) if len(starts) else raw["user"]
        tables.append(raw.append_column("item", movie).filter(pa.array(~is_movie)))
        malformed += rejected
    ratings = table.of_columns(pa.concat_tables(tables), names[0], source, malformed)
    titles = {}
    for name in files:
        if name.startswith("movie_titles"):
            # Titles have commas without quotes, so only the first two commas of a line separate fields.
            for line in files[name].decode("latin-1").splitlines():
                movie_id, _, rest = line.partition(",")
                year, _, title = rest.partition(",")
                titles[movie_id.strip()] = f"{title} ({year})" if year.isdigit() else title
    return replace(_with_scale(ratings, NETFLIX), titles=titles)


def _book_crossing(files: Mapping[str, bytes], name: str, source: object) -> Interactions:
    """Read the explicit ratings, from 1 to 10, and the titles of the books if their file is there."""
    import pyarrow as pa

    header = table.form_of(files[name]).first_line
    columns = {role: header.index(column) for role, column in BOOK_RATINGS.items()}
    raw, malformed = table.text(files[name], name, columns, len(header), True)
    ratings = table.of_columns(raw, name, source, malformed)
    assert ratings.rating is not None
    explicit = ratings.rating != 0
    left_out = int((~explicit).sum())
    note = tr("{count:,} ratings of 0 were left out: they only say that somebody read a book.", count=left_out)
    keep = pa.array(explicit)
    return replace(
        ratings,
        user=ratings.user.filter(keep),
        item=ratings.item.filter(keep),
        rating=ratings.rating[explicit],
        titles=table.titles_of(files),
        scale=BOOK_CROSSING,
        note=note if left_out else "",
    )


def _jester(content: bytes, name: str, source: object) -> Interactions:
    """Read a table with a row for each user: the number of rated jokes, and the ratings of all jokes."""
    import pyarrow as pa

    columns = {str(index): index for index in range(JOKES + 1)}
    raw, malformed = table.text(content, name, columns, JOKES + 1, False)
    if malformed:
        check_malformed(source, name, len(malformed), raw.num_rows + len(malformed), malformed[0].reason)
    try:
        values = np.column_stack([raw[column].cast(pa.float64()).to_numpy() for column in [*columns][1:]])
    except pa.ArrowInvalid as error:
        raise Problem(
            tr("{file} in {path} has something other than a number: {error}.", file=name, path=source, error=error)
        ) from None
    user, joke = np.nonzero(~np.isnan(values) & (values != NOT_RATED))
    ids = [pa.chunked_array([pa.array(numbers + 1).cast(pa.string())]) for numbers in (user, joke)]
    titles = {str(number): f"Joke {number}" for number in range(1, JOKES + 1)}
    return Interactions(ids[0], ids[1], values[user, joke], None, name, titles, tuple(malformed), JESTER)


def _reviews(content: bytes, name: str, source: object) -> Interactions:
    """Read one review in each line, as JSON."""
    import pyarrow as pa

    rows: dict[str, list[str | float | int | None]] = {"user": [], "item": [], "rating": [], "time": []}
    malformed: list[Malformed] = []
    lines = content.removeprefix(_UTF8_BOM).splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            review = {role: value for key, value in json.loads(line).items() if (role := role_of(key))}
            user, item, rating = str(review["user"]), str(review["item"]), float(review["rating"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            malformed.append(Malformed(name, number, "it is not a review with a user, an item and a rating"))
            continue
        time = review.get("time")
        for values, value in zip(rows.values(), (user, item, rating, time), strict=True):
            values.append(value)
    if malformed:
        first = tr("line {number}: {reason}", number=malformed[0].line, reason=malformed[0].reason)
        check_malformed(source, name, len(malformed), len(lines), first)
    times = pa.chunked_array([pa.array([None if each is None else str(each) for each in rows["time"]], pa.string())])
    read_reviews = Interactions(
        pa.chunked_array([pa.array(rows["user"], pa.string())]),
        pa.chunked_array([pa.array(rows["item"], pa.string())]),
        np.asarray(rows["rating"], np.float64),
        times_of(times),
        name,
        malformed=tuple(malformed),
    )
    return _with_scale(read_reviews, AMAZON)


def _amazon_columns(fields: tuple[str, ...]) -> Columns | None:
    """Return the columns of a table that begins with these ids of Amazon; until 2014, the user came first."""
    if len(fields) != 4 or not all(map(_is_number, fields[2:])):
        return None
    first, second = fields[0].strip(), fields[1].strip()
    if _AMAZON_USER.fullmatch(first) and _AMAZON_ITEM.fullmatch(second) and len(first) > 10:
        return {"user": 0, "item": 1, "rating": 2, "time": 3}
    if _AMAZON_ITEM.fullmatch(first) and _AMAZON_USER.fullmatch(second):
        return {"user": 1, "item": 0, "rating": 2, "time": 3}
    return None
