"""MovieLens 1M and 10M: fields separated by ``::``.

``ratings.dat`` has the fields user, movie, stars and seconds since 1970. ``movies.dat`` has id, title and genres
(separated by ``|``). 1M also has ``users.dat`` with id, gender, age, occupation and zip code; age and occupation are
codes. The files of 1M are in latin-1. 10M has no demographics, but has ``tags.dat``, see
``movietui.data.movielens.tag_files``; its files are in UTF-8.
"""

from typing import TYPE_CHECKING

from movietui.data.fetch.archive import Files
from movietui.data.language import tr
from movietui.data.movielens import tag_files
from movietui.data.movielens.number_columns import RATING, columns_of
from movietui.data.movielens.raw_frames import MOVIE, USER, frame, genre_names, numbers, users_of
from movietui.data.movielens.release import GENRES_1M, GENRES_FROM_10M, HALF_STARS, WHOLE_STARS, Malformed, Raw
from movietui.data.movielens.text_lines import (
    expect_fields,
    parse_age,
    parse_integer,
    parse_new_id,
    parse_title,
    rows_of,
)
from movietui.data.progress import Meter, Report
from movietui.data.safe_text import strip_controls

if TYPE_CHECKING:
    import pandas as pd

TAGS = "tags.dat"
FILES = ("ratings.dat", "movies.dat", "users.dat", TAGS)
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
"""The occupations of 1M; the index of each is its code."""


def read(files: Files, report: Report) -> Raw:
    """Read the files as 1M if ``users.dat`` exists, otherwise as 10M. Raises ``Problem``."""
    demographics = "users.dat" in files
    names = FILES[:3] if demographics else FILES[:2]
    encoding = "latin-1" if demographics else "utf-8"
    tagged = [TAGS] if TAGS in files else []
    meter = Meter(report, tr("Reading"), files.size(*names, *tagged), "bytes")
    malformed: list[Malformed] = []
    ratings = numbers(columns_of(files, "ratings.dat", RATING, "::", malformed, meter))
    meter.set_note("movies.dat")
    movies = _movies(files, encoding, malformed)
    meter.add(files.size(*names[1:]))
    users = _users(files, encoding, malformed) if demographics else users_of(ratings)
    tags = tag_files.read(files, TAGS, malformed, meter)
    meter.finish()
    known, scale = (GENRES_1M, WHOLE_STARS) if demographics else (GENRES_FROM_10M, HALF_STARS)
    genres = genre_names(known, movies["genres"])
    return Raw(ratings, movies, users, genres, scale, tuple(malformed), "ratings.dat", tags=tags)


def _movies(files: Files, encoding: str, malformed: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, str, str, str]:
        movie_id, title, genres = expect_fields(line.split("::"), 3)
        row = (parse_new_id(movie_id, "movie", known), parse_title(title), "", strip_controls(genres).strip())
        known.add(row[0])
        return row

    return frame(rows_of(files, "movies.dat", encoding, parse, malformed), MOVIE)


def _users(files: Files, encoding: str, malformed: list[Malformed]) -> "pd.DataFrame":
    known: set[int] = set()

    def parse(line: str) -> tuple[int, int, str, str, str]:
        user_id, gender, years, occupation, zip_code = expect_fields(line.split("::"), 5)
        user = parse_new_id(user_id, "user", known)
        code = parse_integer(occupation, "occupation", len(OCCUPATIONS) - 1)
        row = (
            user,
            parse_age(years),
            strip_controls(gender).strip(),
            OCCUPATIONS[code] if code >= 0 else "",
            strip_controls(zip_code).strip(),
        )
        known.add(user)
        return row

    return frame(rows_of(files, "users.dat", encoding, parse, malformed), USER)
