"""MovieLens 1M and 10M: fields separated by ``::``.

``ratings.dat`` has user, movie, stars and seconds since 1970; ``movies.dat`` id, title and genres separated by ``|``.
1M has ``users.dat`` besides: id, gender, age, occupation and zip code, age and occupation as codes; it is latin-1.
10M has no demographics; it is UTF-8.
"""

from typing import TYPE_CHECKING

from data.archive import Files
from data.movielens import GENRES, HALF_STARS, WHOLE_STARS, Malformed, Raw
from data.progress import Meter, Report
from data.readers.columns import RATING, columns_of
from data.readers.csvs import GENRES as LATER_GENRES
from data.readers.frames import MOVIE, USER, frame, genre_names, numbers, users_of
from data.readers.lines import age, fields, new_id, rows_of, titled, whole
from data.titles import plain

if TYPE_CHECKING:
    import pandas as pd

FILES = ("ratings.dat", "movies.dat", "users.dat")
GENRES_1M = GENRES[1:]
OCCUPATIONS = (
    "other",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
)
"""By code."""


def read(files: Files, report: Report) -> Raw:
    """Read 1M where there is a file of users, else 10M."""
    demographics = "users.dat" in files
    names = FILES if demographics else FILES[:2]
    encoding = "latin-1" if demographics else "utf-8"
    meter = Meter(report, "Reading", files.size(*names), "bytes")
    wrong: list[Malformed] = []
    ratings = numbers(columns_of(files, "ratings.dat", RATING, "::", wrong, meter))
    meter.on("movies.dat")
    movies = _movies(files, encoding, wrong)
    meter.add(files.size(*names[1:]))
    users = _users(files, encoding, wrong) if demographics else users_of(ratings)
    meter.finish()
    known, scale = (GENRES_1M, WHOLE_STARS) if demographics else (LATER_GENRES, HALF_STARS)
    return Raw(ratings, movies, users, genre_names(known, movies["genres"]), scale, tuple(wrong), "ratings.dat")


def _movies(files: Files, encoding: str, wrong: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, str, str, str]:
        movie_id, title, genres = fields(line.split("::"), 3)
        row = (new_id(movie_id, "movie", known), titled(title), "", plain(genres).strip())
        known.add(row[0])
        return row

    return frame(rows_of(files, "movies.dat", encoding, parse, wrong), MOVIE)


def _users(files: Files, encoding: str, wrong: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, int, str, str, str]:
        user_id, gender, years, occupation, zip_code = fields(line.split("::"), 5)
        user = new_id(user_id, "user", known)
        code = whole(occupation, "occupation", len(OCCUPATIONS) - 1)
        row = (
            user,
            age(years),
            plain(gender).strip(),
            OCCUPATIONS[code] if code >= 0 else "",
            plain(zip_code).strip(),
        )
        known.add(user)
        return row

    return frame(rows_of(files, "users.dat", encoding, parse, wrong), USER)
