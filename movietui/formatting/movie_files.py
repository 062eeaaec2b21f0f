"""The formats of copied and saved lists of movies: Markdown, CSV for a spreadsheet, and CSV for Letterboxd.

The app copies and saves lists in these formats, and the command line writes files in some of them. Predicted stars and
uncertainties have one decimal, as on screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from movietui.data.imports.entries import Entry
from movietui.data.language import tr
from movietui.data.titles import with_year
from movietui.formatting import text
from movietui.formatting.escaping import csv_text, imdb_page, markdown
from movietui.formatting.reasons import foremost
from movietui.protocol.messages import GivenRating, IdsRow, MovieRow

LETTERBOXD_LIMIT = 1_000_000
"""The largest file that Letterboxd imports, in bytes."""
_END = "\r\n"
"""The end of each line of a CSV file."""


@dataclass(frozen=True)
class FileMovie:
    """A movie of a list, with the facts to write.

    A fact is not written if it is ``None`` or empty, nor is a year or an id of 0.
    """

    title: str
    year: int = 0
    ids: IdsRow = ("", 0, 0)
    rank: int | None = None
    stars: float | None = None
    """The stars that the viewer gave."""
    predicted: float | None = None
    uncertainty: float | None = None
    by: Sequence[float] = ()
    """The predicted stars of each viewer, for several viewers."""
    agreement: float | None = None
    count: int | None = None
    """How many ratings the movie has in the dataset."""
    because: str = ""
    """The movie whose rating counts most for recommending this one."""
    at: str = ""
    """When the viewer rated the movie, ISO 8601 in UTC."""
    note: str = ""
    """The viewer's note about the movie on a named list."""


@dataclass(frozen=True)
class MovieFile:
    """A list of movies, with its title and description."""

    title: str
    movies: Sequence[FileMovie]
    about: Sequence[str] = ()
    """The sentences of the description, without their full stops. They may quote untrusted text."""
    viewers: Sequence[str] = ()
    """The names of the viewers, in the order of ``FileMovie.by``."""


@dataclass(frozen=True)
class FileFormat:
    """A way to write a list of movies."""

    name: str
    """The name on screen."""
    phrase: str
    """What a sentence says after "10 movies", such as ``as CSV``."""
    suffix: str
    write: Callable[[MovieFile], str]


FormatName = Literal["markdown", "csv", "letterboxd"]


# The lists


def shortlist_file(
    viewers: Sequence[str], movies: Sequence[FileMovie], dataset: str, model: str, conditions: Sequence[str] = ()
) -> MovieFile:
    """Return a file of the movies at the top of a list for these viewers.

    ``conditions``: sentences, without their full stops, that say how the list is ordered and what it leaves out.
    """
    names = text.enumerate_names(viewers)
    about = [tr("From {dataset}, by the model {model}", dataset=dataset, model=model), *conditions]
    return MovieFile(tr("What {names} may like", names=names), movies, about, viewers if len(viewers) > 1 else ())


def watchlist_file(name: str, entries: Iterable[Entry]) -> MovieFile:
    """Return a file of the movies on a viewer's watchlist, in the order of ``entries``."""
    wanted = [entry for entry in entries if "watchlist" in entry.marks]
    movies = [FileMovie(each.title, each.year, ids_of(each)) for each in wanted]
    return MovieFile(tr("Watchlist of {name}", name=name), movies)


def newest_first(rows: Sequence[GivenRating]) -> list[GivenRating]:
    """Return ratings, newest first and undated ones last. Of equal dates, the one stored later comes first."""
    return sorted(rows, key=lambda row: row["at"])[::-1]


def ratings_file(
    name: str, rows: Iterable[GivenRating], dataset: str, model: str, conditions: Sequence[str] = ()
) -> MovieFile:
    """Return a file of the ratings that a viewer gave, with the stars that the model predicts for each movie.

    ``conditions``: further sentences for the description, without their full stops.
    """
    source = tr("Predicted stars are from the model {model}, trained on {dataset}", model=model, dataset=dataset)
    about = [source, *conditions]
    movies = [
        FileMovie(
            row["title"], row["year"], row["ids"], stars=row["stars"], predicted=row["predicted"] or None, at=row["at"]
        )
        for row in rows
    ]
    return MovieFile(tr("Ratings of {name}", name=name), movies, about)


def listed(row: MovieRow) -> FileMovie:
    """Return a row of the list on screen as a movie of a file."""
    return _ranked(row, row.get("ids", ("", 0, 0)), row["by"], row["year"])


def recommended(row: Mapping[str, Any]) -> FileMovie:
    """Return a movie of ``recommend --json`` as a movie of a file."""
    best = foremost(row)
    because = with_year(best["title"], best.get("year")) if best else ""
    return _ranked(row, ("", 0, 0), row["stars_by_viewer"], row["year"] or 0, because)


def _ranked(row: Mapping[str, Any], ids: IdsRow, by: Sequence[float], year: int, because: str = "") -> FileMovie:
    together = len(by) > 1
    return FileMovie(
        row["title"],
        year,
        ids,
        row["rank"],
        predicted=row["stars"] or None,
        uncertainty=None if together or not row["stars"] else row["uncertainty"],
        by=by if together and row["stars"] else (),
        agreement=row["agreement"] if together else None,
        count=None if together else row["count"],
        because=because,
    )


def ids_of(entry: Entry) -> IdsRow:
    """Return the IMDb, TMDB and MovieLens ids of a movie of a profile."""
    return entry.imdb, entry.tmdb, entry.movielens


# The formats


def to_markdown(file: MovieFile) -> str:
    """Return a list as Markdown: a heading, the description, and a line for each movie, with a link to IMDb."""
    lines = [f"# {markdown(file.title)}", ""]
    lines += [" ".join(f"{markdown(each)}." for each in file.about), ""] if file.about else []
    for movie in file.movies:
        start = "-" if movie.rank is None else f"{movie.rank}."
        figures = ", ".join(_figures(movie, file.viewers))
        lines.append(f"{start} {_linked(movie)}{f': {figures}' if figures else ''}")
    return "\n".join(lines) + "\n"


def _linked(movie: FileMovie) -> str:
    label = markdown(with_year(movie.title, movie.year))
    page = imdb_page(movie.ids[0])
    return f"[{label}]({page})" if page else label


def _figures(movie: FileMovie, viewers: Sequence[str]) -> list[str]:
    """Return the figures of a movie, written as on screen."""
    figures = []
    if movie.stars is not None:
        figures.append(text.number_of_stars(movie.stars))
    if movie.predicted is not None:
        spread = f" ±{text.decimals(movie.uncertainty, 1)}" if movie.uncertainty is not None else ""
        predicted = tr("predicted ") if movie.stars is not None else ""
        figures.append(f"{predicted}★ {movie.predicted:.1f}{spread}")
    figures += [f"{markdown(name)} ★ {stars:.1f}" for name, stars in zip(viewers, movie.by, strict=False)]
    if movie.agreement is not None:
        figures.append(tr("agree {dots}", dots=text.dots(movie.agreement)))
    if movie.count is not None:
        figures.append(text.plural(movie.count, "rating"))
    if movie.because:
        figures.append(tr("because of {movie}", movie=markdown(movie.because)))
    if movie.at:
        figures.append(text.moment(movie.at)[:10])
    return figures


def to_csv(file: MovieFile) -> str:
    """Return a list as CSV for a spreadsheet. Empty columns are left out, except title and year."""
    columns: list[tuple[str, Sequence[object]]] = [
        ("rank", [movie.rank for movie in file.movies]),
        ("title", [movie.title for movie in file.movies]),
        ("year", [movie.year or "" for movie in file.movies]),
        ("rating", [rating_text(movie.stars) for movie in file.movies]),
        ("predicted", [_one_decimal(movie.predicted) for movie in file.movies]),
        ("uncertainty", [_one_decimal(movie.uncertainty) for movie in file.movies]),
        *(
            (f"predicted for {name}", [_one_decimal(movie.by[index]) for movie in file.movies])
            for index, name in enumerate(file.viewers)
        ),
        ("agreement", [_one_decimal(movie.agreement) for movie in file.movies]),
        ("ratings", [movie.count for movie in file.movies]),
        ("because of", [movie.because for movie in file.movies]),
        ("date", [movie.at for movie in file.movies]),
        ("imdb_id", [movie.ids[0] for movie in file.movies]),
        ("tmdb_id", [movie.ids[1] or "" for movie in file.movies]),
        ("description", [movie.note for movie in file.movies]),
    ]
    present = [(name, cells) for name, cells in columns if name in ("title", "year") or set(cells) - {None, ""}]
    return csv_text([[name for name, _ in present], *zip(*(cells for _, cells in present), strict=True)], _END)


def _one_decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def rating_text(stars: float | None) -> str:
    """Return a rating as other services write it, such as ``4.5``; empty for ``None``."""
    return "" if stars is None else f"{stars:.1f}"


def to_letterboxd(file: MovieFile) -> str:
    """Return a list as CSV that Letterboxd imports, without predicted stars, which are not ratings."""
    header = ["tmdbID", "imdbID", "Title", "Year", "Rating"]
    rows = [
        [movie.ids[1] or "", movie.ids[0], movie.title, movie.year or "", rating_text(movie.stars)]
        for movie in file.movies
    ]
    return csv_text([header, *rows], _END)


def letterboxd_note(content: bytes) -> str:
    """Return a warning if a file is too large for Letterboxd, otherwise an empty text."""
    if len(content) <= LETTERBOXD_LIMIT:
        return ""
    return tr("Letterboxd accepts at most {limit:,} bytes at once; split the file.", limit=LETTERBOXD_LIMIT)


FORMATS: Mapping[FormatName, FileFormat] = {
    "markdown": FileFormat("Markdown", tr("as Markdown"), ".md", to_markdown),
    "csv": FileFormat("CSV", tr("as CSV"), ".csv", to_csv),
    "letterboxd": FileFormat("Letterboxd", tr("for Letterboxd"), ".csv", to_letterboxd),
}
