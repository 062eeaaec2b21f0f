"""Readers in plug-ins, which read files of ratings that movietui cannot read itself. Does not import pandas."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from movietui.data import plugins
from movietui.data.language import tr
from movietui.data.movielens.raw_frames import MOVIE, USER
from movietui.data.movielens.release import Raw
from movietui.data.movielens.text_lines import MAX_TITLE_LENGTH
from movietui.data.plugins import Plugin, explained
from movietui.data.problems import Problem
from movietui.data.progress import Report, silent
from movietui.data.safe_text import strip_controls
from movietui.data.storage.cache import is_scale_valid

if TYPE_CHECKING:
    import pandas as pd

LINK = {"movie_id": "int64", "imdb_id": "int64", "tmdb_id": "int64"}
RATING = {"user_id": "int32", "movie_id": "int32", "stars": "float32", "time": "int64"}
ID = "published_id"
DATE = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True)
class Reader:
    """What an entry point in the group ``movietui.readers`` names."""

    recognises: Callable[[Path], bool]
    """Returns whether the reader can read a file or folder. It is called for each path that a user gives, so it should
    look only at the first bytes, or at the names of files."""
    read: Callable[[Path, Report], Raw]
    """Reads the file or folder. Raises ``Problem`` with a sentence for the user if that is impossible."""


def load(plugin: Plugin) -> Reader:
    """Return a plug-in's reader. Raises ``Problem`` if it cannot be imported or is not a ``Reader``."""
    reader = plugin.load()
    if not isinstance(reader, Reader):
        raise plugin.problem(tr("is not a movietui.data.readers.Reader; update or uninstall the package"))
    return reader


def read(path: Path, progress: Report = silent) -> tuple[Raw, str] | None:
    """Read a file or folder with the plug-in that recognises it; return the dataset and a note for the user.

    Returns ``None`` if no plug-in recognises the path. Plug-ins that fail while looking at it are reported and left
    out. Raises ``Problem`` if several recognise the path, or if it cannot be read.
    """
    path = path.expanduser()
    recognising = [
        (plugin, reader) for plugin, reader in _readers() if path.exists() and _recognises(plugin, reader, path)
    ]
    if not recognising:
        return None
    if len(recognising) > 1:
        names = tr(" and ").join(f"{plugin.name} ({plugin.package})" for plugin, _ in recognising)
        raise Problem(
            tr(
                "Several readers recognise {path}: {readers}; uninstall all of these packages but one.",
                path=path,
                readers=names,
            )
        )
    (plugin, reader) = recognising[0]
    with explained(plugin, tr("read {path}", path=path)):
        raw = reader.read(path, progress)
    name, package, version = plugin.name, plugin.package, plugin.version
    note = tr("Read by {reader} ({package} {version}).", reader=name, package=package, version=version)
    return _checked(plugin, raw), note


def _readers() -> list[tuple[Plugin, Reader]]:
    readers = []
    for plugin in plugins.usable("reader").values():
        try:
            readers.append((plugin, load(plugin)))
        except Problem as problem:
            plugins.report(problem)
    return readers


def _recognises(plugin: Plugin, reader: Reader, path: Path) -> bool:
    try:
        with explained(plugin, tr("look at {path}", path=path)):
            return bool(reader.recognises(path))
    except Problem as problem:
        plugins.report(problem)
        return False


def _checked(plugin: Plugin, raw: object) -> Raw:
    """Return what a plug-in read, with the types that ``Raw`` documents, without control characters and without tags.

    Raises ``Problem`` if columns are missing or have values of other types, if a table is empty, or if an id occurs
    twice in the table of users or movies.
    """
    if not isinstance(raw, Raw):
        raise plugin.problem(
            tr("returned a {kind} instead of a Raw; update or uninstall the package", kind=type(raw).__name__)
        )
    of_ratings = {column: kind for column, kind in RATING.items() if column != "stars" or not raw.implicit}
    of_users = USER if "age" in raw.users.columns else {"user_id": USER["user_id"]}
    ratings = _table(plugin, tr("ratings"), raw.ratings, of_ratings)
    movies = _table(plugin, tr("movies"), raw.movies, MOVIE)
    users = _table(plugin, tr("users"), raw.users, of_users)
    ids = users["user_id"], movies["movie_id"], *(each[ID] for each in (users, movies) if ID in each.columns)
    if any(column.duplicated().any() for column in ids):
        raise plugin.problem(tr("returned two users or two movies with the same id; update or uninstall the package"))
    if not is_scale_valid(raw.scale):
        raise plugin.problem(tr("returned the invalid scale {scale}; update or uninstall the package", scale=raw.scale))
    links = None if raw.links is None else _table(plugin, tr("links"), raw.links, LINK)
    movies["title"] = movies["title"].str.slice(0, MAX_TITLE_LENGTH)
    movies["release_date"] = movies["release_date"].where(movies["release_date"].str.fullmatch(DATE), "")
    genres = tuple(dict.fromkeys(strip_controls(str(genre)) for genre in raw.genre_names))
    return replace(raw, ratings=ratings, movies=movies, users=users, genre_names=genres, links=links, tags=None)


def _table(plugin: Plugin, name: str, table: "pd.DataFrame", types: dict[str, str]) -> "pd.DataFrame":
    """Return a table with these columns and types only and, if it has one, the column of published ids."""
    import pandas as pd

    types = {**types, ID: "str"} if ID in table.columns else types
    if missing := [column for column in types if column not in table.columns]:
        raise plugin.problem(
            tr(
                "returned {rows} without the column {column}; update or uninstall the package",
                rows=name,
                column=missing[0],
            )
        )
    if table.empty:
        raise plugin.problem(tr("found no {rows}; check the file", rows=name))
    columns = {}
    for column, kind in types.items():
        values = table[column].reset_index(drop=True)
        if kind == "str":
            texts = values.fillna("").astype(str)
            columns[column] = texts.map({text: strip_controls(text).strip() for text in texts.unique()}).astype("str")
            continue
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        fits = np.isfinite(numbers) & (np.abs(numbers) < 2.0**31 if kind == "int32" else np.abs(numbers) < 2.0**53)
        if not (fits.all() if kind.startswith("int") else (fits | np.isnan(numbers)).all()):
            wrong = tr("whole numbers") if kind.startswith("int") else tr("numbers")
            raise plugin.problem(
                tr(
                    "returned {rows} whose column {column} has other values than {wanted}; check the file",
                    rows=name,
                    column=column,
                    wanted=wrong,
                )
            )
        columns[column] = pd.Series(numbers.astype(kind))
    return pd.DataFrame(columns)
