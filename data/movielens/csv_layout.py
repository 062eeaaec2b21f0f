"""MovieLens latest-small, 20M, 25M and 32M: files with commas and a header, in UTF-8.

``ratings.csv`` has userId, movieId, rating and timestamp; ``movies.csv`` movieId, title and genres separated by ``|``,
with quotes around a title that has a comma; ``links.csv`` movieId, imdbId (seven digits or more, with leading zeros)
and tmdbId. Nothing is told of the users.
"""

from typing import TYPE_CHECKING

from data.archive import Files
from data.movielens import HALF_STARS, Malformed, Raw
from data.problems import Problem
from data.progress import Meter, Report
from data.readers.columns import LINK, RATING, columns_of, quoted_fields
from data.readers.frames import MOVIE, frame, genre_names, numbers, users_of
from data.readers.lines import fields, new_id, quoted, rows_of, titled
from data.titles import plain

if TYPE_CHECKING:
    import pandas as pd

FILES = ("ratings.csv", "movies.csv", "links.csv")
HEADERS = {
    "ratings.csv": "userId,movieId,rating,timestamp",
    "movies.csv": "movieId,title,genres",
    "links.csv": "movieId,imdbId,tmdbId",
}
GENRES = (
    "(no genres listed)",
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "IMAX",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
"""Those of all releases from 10M on."""


def read(files: Files, report: Report) -> Raw:
    """Read the ratings, the movies, and the links where there are any."""
    names = FILES if "links.csv" in files else FILES[:2]
    meter = Meter(report, "Reading", files.size(*names), "bytes")
    for name in names:
        _check_header(files, name)
    wrong: list[Malformed] = []
    ratings = numbers(columns_of(files, "ratings.csv", RATING, ",", wrong, meter))
    meter.on("movies.csv")
    movies = _movies(files, wrong)
    meter.add(files.size("movies.csv"))
    links = numbers(columns_of(files, "links.csv", LINK, ",", wrong, meter)) if "links.csv" in names else None
    meter.finish()
    genres = genre_names(GENRES, movies["genres"])
    return Raw(ratings, movies, users_of(ratings), genres, HALF_STARS, tuple(wrong), "ratings.csv", links)


def _check_header(files: Files, name: str) -> None:
    head = next(files.blocks(name, 2**16), b"").split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf")
    header = head.decode("utf-8", "replace").strip()
    if header.replace('"', "") != HEADERS[name]:
        raise Problem(
            f"{name} in {files.path} begins with {quoted(header)}, not with {HEADERS[name]}; keep the header of the "
            "original file."
        )


def _movies(files: Files, wrong: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, str, str, str]:
        movie_id, title, genres = fields(quoted_fields(line), 3)
        row = (new_id(movie_id, "movie", known), titled(title), "", plain(genres).strip())
        known.add(row[0])
        return row

    return frame(rows_of(files, "movies.csv", "utf-8", parse, wrong, headers=1), MOVIE)
