"""MovieLens latest-small, latest, 20M, 25M and 32M: comma-separated files with a header, in UTF-8.

``ratings.csv`` has the columns userId, movieId, rating and timestamp. ``movies.csv`` has movieId, title (quoted if it
contains a comma) and genres (separated by ``|``). ``links.csv`` has movieId, imdbId (at least seven digits, padded
with zeros) and tmdbId. ``movietui.data.movielens.tag_files`` describes the files with tags. No file describes the
users.
"""

from typing import TYPE_CHECKING

from movietui.data.fetch.archive import Files
from movietui.data.language import tr
from movietui.data.movielens import tag_files
from movietui.data.movielens.number_columns import LINK, RATING, columns_of, quoted_fields
from movietui.data.movielens.raw_frames import MOVIE, frame, genre_names, numbers, users_of
from movietui.data.movielens.release import GENRES_FROM_10M, HALF_STARS, Malformed, Raw
from movietui.data.movielens.text_lines import expect_fields, parse_new_id, parse_title, quote, rows_of
from movietui.data.problems import Problem
from movietui.data.progress import Meter, Report
from movietui.data.safe_text import strip_controls

if TYPE_CHECKING:
    import pandas as pd

TAGS = "tags.csv"
OPTIONAL = ("links.csv", TAGS, *tag_files.GENOME)
FILES = ("ratings.csv", "movies.csv", *OPTIONAL)
HEADERS = {
    "ratings.csv": "userId,movieId,rating,timestamp",
    "movies.csv": "movieId,title,genres",
    "links.csv": "movieId,imdbId,tmdbId",
    TAGS: "userId,movieId,tag,timestamp",
    "genome-scores.csv": "movieId,tagId,relevance",
    "genome-tags.csv": "tagId,tag",
}


def read(files: Files, report: Report) -> Raw:
    """Read the ratings, the movies and, if their files exist, the links and tags. Raises ``Problem``."""
    names = [name for name in FILES if name in files or name not in OPTIONAL]
    meter = Meter(report, tr("Reading"), files.size(*names), "bytes")
    for name in names:
        _check_header(files, name)
    malformed: list[Malformed] = []
    ratings = numbers(columns_of(files, "ratings.csv", RATING, ",", malformed, meter))
    meter.set_note("movies.csv")
    movies = _movies(files, malformed)
    meter.add(files.size("movies.csv"))
    links = numbers(columns_of(files, "links.csv", LINK, ",", malformed, meter)) if "links.csv" in names else None
    tags = tag_files.read(files, TAGS, malformed, meter)
    meter.finish()
    genres = genre_names(GENRES_FROM_10M, movies["genres"])
    return Raw(ratings, movies, users_of(ratings), genres, HALF_STARS, tuple(malformed), "ratings.csv", links, tags)


def _check_header(files: Files, name: str) -> None:
    head = next(files.blocks(name, 2**16), b"").split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf")
    header = head.decode("utf-8", "replace").strip()
    if header.replace('"', "") != HEADERS[name]:
        raise Problem(
            tr(
                "{file} in {path} begins with {header}, not with {expected}; keep the header of the original file.",
                file=name,
                path=files.path,
                header=quote(header),
                expected=HEADERS[name],
            )
        )


def _movies(files: Files, malformed: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, str, str, str]:
        movie_id, title, genres = expect_fields(quoted_fields(line), 3)
        row = (parse_new_id(movie_id, "movie", known), parse_title(title), "", strip_controls(genres).strip())
        known.add(row[0])
        return row

    return frame(rows_of(files, "movies.csv", "utf-8", parse, malformed, headers=1), MOVIE)
