"""A small dataset, IMDb tables with its movies, and helpers to read the results of joining them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from movietui.data import catalogue
from movietui.data.dataset import Dataset, ImdbFacts
from movietui.data.imdb.join import JoinReport
from movietui.data.titles import parse_label
from tests.data.files import contents, movie_line, write_folder
from tests.data.imdb_tables import aka, basics, crew, person, principal, rating, write_tables

MOVIES = {
    1: "Usual Suspects, The (1995)",
    2: "Fargo (1996)",
    3: "Emma (1996)",
    4: "Nowhere to Be Found (1995)",
    5: "Star Wars (1977)",
    6: "Postino, Il (1994)",
}
TITLES = [
    basics(11, "The Usual Suspects", 1995, genres="Crime,Thriller", minutes=106),
    basics(12, "Fargo", 1995, minutes="\\N"),
    basics(13, "Emma", 1996),
    basics(14, "Emma", 1996, "movie", minutes=120),
    basics(15, "Star Wars: Episode IV - A New Hope", 1977),
    basics(16, "The Postman", 1994, original="Il postino"),
    basics(17, "Another Film", 2001),
]
RATINGS = [rating(11, 1000, 8.6), rating(12, 500, 8.1), rating(13, 30)]
CREWS = [crew(11, 21), crew(12, 22, 23), crew(13), crew(15, 24)]
PEOPLE = [person(21, "Bryan Singer"), person(22, "Joel Coen"), person(23, "Ethan \x1b[1mCoen"), person(25, "Nobody")]
PEOPLE += [person(31, "Gabriel Byrne"), person(32, "Frances \x1b[1mMcDormand"), person(33, "William H. Macy")]
PRINCIPALS = [
    principal(12, 3, 33),
    principal(12, 1, 32, "actress"),
    principal(12, 2, 22, "director"),
    principal(11, 1, 31),
    principal(11, 2, 39),
    principal(99, 1, 31),
]
AKAS = [
    aka(16, "Il postino", original=True),
    aka(16, "Il postino", "IT"),
    aka(16, "The Postman", "US"),
    aka(12, "Fargo", original=True),
    aka(12, "Fargo", "US"),
    aka(12, "Fargo", "CA", "en"),
    aka(11, "The Usual Suspects", "XX\x1b[1m", "\x1b[1m", original=True),
    aka(15, "Star Wars", "US", "en"),
    aka(99, "Another Film", "FR"),
]


def write_all(tmp_path: Path) -> Path:
    """Write the IMDb tables and return their folder."""
    return write_tables(tmp_path / "imdb", TITLES, RATINGS, CREWS, PEOPLE, PRINCIPALS, AKAS)


def get(tmp_path: Path, labels: Mapping[int, str] = MOVIES, name: str = "joined") -> None:
    """Store a dataset in the layout of ML-100K, with five ratings of each movie."""
    items = [movie_line(movie, label, f"01-Jan-{parse_label(label)[1] or 1999}") for movie, label in labels.items()]
    rated = [f"{user}\t{movie}\t4\t880000000" for movie in labels for user in range(1, 6)]
    catalogue.get(name, write_folder(tmp_path / f"{name}-files", contents({"u.item": items, "u.data": rated})))


def get_linked(
    tmp_path: Path,
    labels: Mapping[int, str],
    links: Mapping[int, object],
    name: str = "linked",
    genres: Mapping[int, str] = MappingProxyType({}),
    users: int = 1,
) -> None:
    """Store a dataset in the layout of the later releases, which have links.

    ``labels``, ``links`` and ``genres`` are given by movie id; a movie that ``genres`` lacks is a drama.
    """
    rows = (f'{movie},"{label}",{genres.get(movie, "Drama")}' for movie, label in labels.items())
    movies = ["movieId,title,genres", *rows]
    rated = [
        "userId,movieId,rating,timestamp",
        *(f"{user},{movie},4.0,{880000000 + user}" for user in range(1, users + 1) for movie in labels),
    ]
    linked = ["movieId,imdbId,tmdbId", *(f"{movie},{links[movie]},1" for movie in links)]
    files = {"movies.csv": movies, "ratings.csv": rated, "links.csv": linked}
    folder = write_folder(tmp_path / f"{name}-files", {key: "\n".join(lines).encode() for key, lines in files.items()})
    catalogue.get(name, folder)


def outcomes_of(report: JoinReport) -> dict[str, str]:
    """Return in which list of a report each movie is, by id: ``ambiguous``, ``unmatched`` or ``settled``."""
    rows = {"ambiguous": report.ambiguous, "unmatched": report.unmatched, "settled": report.settled}
    return {row.id: outcome for outcome, movies in rows.items() for row in movies}


def facts_of(name: str = "joined", cleaning: str = "none") -> tuple[Dataset, ImdbFacts]:
    dataset = catalogue.load(name, cleaning)
    assert dataset.movies.imdb is not None
    return dataset, dataset.movies.imdb
