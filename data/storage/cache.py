"""Stores datasets on disk.

Each dataset has a folder ``datasets/NAME``. It contains a folder with the raw tables, a folder for each cleaning, a
folder for the join with IMDb, and ``dataset.json``, which says which raw tables are current. The names of these folders
depend on what they are made from, so that other source files, other rules or another format never reuse an old folder.
Another folder, ``cluster``, belongs to ``movietui.data.storage.remote``. ``movietui.data.storage.parquet`` writes and
checks the folders. Reading a cleaned dataset imports numpy and pyarrow, but not pandas.
"""

import contextlib
import hashlib
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.cleaning.cleaner import VERSION, Cleaning, CleaningReport, parse
from movietui.data.dataset import (
    HIGHEST_RATING,
    RATING_COLUMNS,
    Dataset,
    Histogram,
    Ints,
    Movies,
    Ratings,
    Scale,
    Users,
)
from movietui.data.imdb import title_matching
from movietui.data.language import tr
from movietui.data.movielens.release import Malformed, Raw, RawTags
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.storage import atomic_files, disk, locations, name_index, parquet, strict_json
from movietui.data.storage.parquet import Columns, Damaged
from movietui.data.storage.stored_ratings import StoredRatings
from movietui.data.tags import Tags

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_DIGEST = re.compile(r"[0-9a-f]{64}")
MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""The errors that occur if a document has other fields or types than expected."""
REMOTE = "cluster"
"""The folder that ``movietui.data.storage.remote`` writes."""
STALE_SECONDS = 24 * 3600
"""A draft that is older than this was left behind by a process that was killed."""
Number = TypeVar("Number", bound=np.generic)


class Replaced(Exception):
    """Another process has replaced or removed the raw tables, so that everything derived from them is out of date."""


def folder_of(name: str) -> Path:
    """Return the folder of a dataset. Raises ``Problem`` if the name is invalid."""
    return locations.dataset(name)


def describe(name: str) -> dict[str, Any]:
    """Return the content of ``dataset.json``. Raises ``FileNotFoundError`` if missing, and ``Damaged`` if invalid."""
    path = folder_of(name) / "dataset.json"
    try:
        facts = strict_json.loads(disk.read(path))
        if not all(isinstance(facts[key], str) for key in ("raw", "source", "title")):
            raise Damaged(str(path))
        if not all(type(facts[key]) is int and facts[key] >= 0 for key in ("ratings", "users", "movies")):
            raise Damaged(str(path))
        if not _DIGEST.fullmatch(facts["raw"]):
            raise Damaged(str(path))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(str(path)) from error
    return {key: strip_controls(value) if isinstance(value, str) else value for key, value in facts.items()}


def names() -> list[str]:
    """Return the names of all datasets on disk."""
    return locations.stored_datasets()


def size(name: str) -> int:
    """Return the bytes that a dataset uses on disk, including all cleaned versions and the join with IMDb."""
    return locations.bytes_in(folder_of(name))


def save_raw(name: str, raw: Raw, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write the raw tables of a dataset, make them current, and return the new content of ``dataset.json``.

    ``dataset.json`` contains ``facts``, the counts, and the digest of the tables. Raises ``Problem`` if the tables
    cannot be written; the previous tables then stay current.
    """
    digest = raw_digest(raw)
    counts = {"ratings": len(raw.ratings), "users": len(raw.users), "movies": len(raw.movies)}
    described = {**facts, **counts, "raw": digest, "format": parquet.FORMAT}
    manifest = {
        "genre_names": list(raw.genre_names),
        "scale": None if raw.implicit else astuple(raw.scale),
        "malformed": [[line.file, line.line, line.reason] for line in raw.malformed],
        "ratings_file": raw.ratings_file,
    }
    tables = {key: _to_arrow(columns) for key, columns in _tables_of(raw).items()}
    with _lock_datasets():
        try:
            parquet.write_folder(raw_folder(name, digest), tables, manifest, contextlib.nullcontext())
            parquet.write_json(folder_of(name) / "dataset.json", described)
        finally:
            remove_stale(name)
    return described


def _tables_of(raw: Raw) -> dict[str, dict[str, NDArray[Any]]]:
    """Return the columns of each raw table; columns of text are arrays of objects."""
    frames = {"ratings": raw.ratings, "movies": raw.movies, "users": raw.users}
    frames |= {} if raw.links is None else {"links": raw.links}
    tables = {key: {column: frame[column].to_numpy() for column in frame.columns} for key, frame in frames.items()}
    if raw.tags is not None:
        tables["tags"] = {key: getattr(raw.tags, key) for key in ("movie_id", "tag", "weight")}
        tables["tag_names"] = {"name": np.asarray(raw.tags.names, object)}
    return tables


def _lock_datasets() -> AbstractContextManager[None]:
    """Keep other processes from writing or removing tables of datasets until the block ends.

    Otherwise another process might remove a new folder as stale before ``dataset.json`` names it.
    """
    return parquet.lock_folder(locations.datasets())


@contextlib.contextmanager
def _while_current(name: str, digest: str) -> Iterator[None]:
    """Keep other processes from replacing the raw tables until the block ends.

    Raises ``Replaced`` if the tables with this digest are not current any more.
    """
    with _lock_datasets():
        try:
            current = describe(name)["raw"] == digest
        except (FileNotFoundError, Damaged):
            current = False
        if not current:
            raise Replaced(name)
        yield


def remove(name: str) -> None:
    """Remove all tables of a dataset. Raises ``Problem`` if they cannot be removed."""
    folder = folder_of(name)
    with _lock_datasets():
        try:
            (folder / "dataset.json").unlink(missing_ok=True)  # without it, the dataset does not exist
            disk.remove(folder.parent, folder.name)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Problem(
                tr(
                    "{folder} could not be removed: {reason}; check that you may change the folder and that no other "
                    "program uses its files, then try again.",
                    folder=folder,
                    reason=error.strerror or error,
                )
            ) from None


def remove_stale(name: str) -> None:
    """Remove folders that do not belong to the current raw tables and versions, and drafts older than a day."""
    folder = folder_of(name)
    keep = {"dataset.json", REMOTE}
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    with contextlib.suppress(FileNotFoundError, Damaged):
        digest = describe(name)["raw"]
        keep |= {raw_folder(name, digest).name, imdb_folder(name, digest).name}
        for entry in entries:
            with contextlib.suppress(FileNotFoundError, Damaged, Problem):
                keep.add(clean_folder(name, digest, parse(load_report(entry).preset)).name)
    for entry in entries:
        with contextlib.suppress(OSError):
            if entry.name.startswith(atomic_files.DRAFT) and time.time() - entry.stat().st_mtime < STALE_SECONDS:
                continue
            if entry.name not in keep:
                disk.remove_tree(entry)
    with contextlib.suppress(OSError):
        folder.rmdir()


def raw_folder(name: str, digest: str) -> Path:
    """Return the folder of the raw tables with this digest."""
    return folder_of(name) / f"raw-{parquet.FORMAT}-{digest[:16]}"


def clean_folder(name: str, digest: str, cleaning: Cleaning) -> Path:
    """Return the folder of the tables that these rules make from the raw tables with this digest."""
    basis = [parquet.FORMAT, VERSION, digest, cleaning.numbers]
    preset = re.sub(r"\s[+-].*", "", str(cleaning)).replace(" ", "-")
    return folder_of(name) / f"{preset}-{hashlib.sha256(json.dumps(basis).encode()).hexdigest()[:16]}"


def raw_digest(raw: Raw) -> str:
    """Return the sha256 of all raw tables."""
    digest = hashlib.sha256()
    digest.update(json.dumps([raw.genre_names, astuple(raw.scale), [str(line) for line in raw.malformed]]).encode())
    for table in _tables_of(raw).values():
        for column, values in table.items():
            if values.dtype.kind in "if":
                digest.update(f"{column} {values.dtype.str} {len(values)}".encode())
                digest.update(np.ascontiguousarray(values).data)
            else:
                digest.update(json.dumps([column, values.tolist()]).encode())
    return digest.hexdigest()


def _to_arrow(columns: Mapping[str, NDArray[Any]]) -> "pa.Table":
    import pyarrow as pa

    return pa.table(
        {
            column: pa.array(values) if values.dtype.kind in "if" else parquet.strings(values.tolist())
            for column, values in columns.items()
        }
    )


def load_raw(name: str, digest: str) -> Raw:
    """Return the raw tables with this digest. Raises ``Damaged`` if they are damaged or missing."""
    tables, manifest = _published(name, digest)
    try:
        return Raw(
            _to_pandas(tables["ratings"]),
            _to_pandas(tables["movies"]),
            _to_pandas(tables["users"]),
            tuple(manifest["genre_names"]),
            Scale(*manifest["scale"]) if manifest["scale"] else Scale(),
            tuple(Malformed(*line) for line in manifest["malformed"]),
            manifest["ratings_file"],
            _to_pandas(tables["links"]) if "links" in tables else None,
            _raw_tags(tables),
        )
    except MALFORMED as error:
        raise Damaged(name) from error


def _raw_tags(tables: Mapping[str, Columns]) -> RawTags | None:
    """Return the raw tags, or None if none are stored. Raises one of ``MALFORMED`` if they are inconsistent."""
    if "tags" not in tables:
        return None
    tags, names = tables["tags"], tuple(tables["tag_names"]["name"])
    movie, tag = _numbers(tags, "movie_id", np.int32), _numbers(tags, "tag", np.int32)
    weight = _numbers(tags, "weight", np.float32)
    if not _are_between(tag, 0, len(names) - 1):
        raise ValueError("tag")
    return RawTags(names, movie, tag, weight)


def published(name: str, digest: str, *tables: str) -> dict[str, Columns]:
    """Return those of the named raw tables that exist, without reading others. Raises ``Damaged`` like ``load_raw``."""
    return _published(name, digest, tables)[0]


def published_ids(movies: Columns) -> list[str]:
    """Return the ids of the movies in a raw table as published."""
    return [*movies["published_id"]] if "published_id" in movies else [*map(str, movies["movie_id"].tolist())]


def _published(
    name: str, digest: str, only: Collection[str] | None = None
) -> tuple[dict[str, Columns], dict[str, Any]]:
    try:
        return parquet.read_folder(raw_folder(name, digest), only)
    except FileNotFoundError as error:
        raise Damaged(name) from error


def scale_of(name: str) -> Scale | None:
    """Return the scale of a dataset's published ratings; ``None`` if they have no stars.

    Raises ``FileNotFoundError`` if there is no such dataset, and ``Damaged``.
    """
    try:
        scale = parquet.manifest_of(raw_folder(name, describe(name)["raw"]))["scale"]
        return Scale(*scale) if scale else None
    except MALFORMED as error:
        raise Damaged(name) from error


def check_raw(name: str) -> None:
    """Raise ``Damaged`` unless the raw tables are intact, or ``FileNotFoundError`` if there is no such dataset."""
    parquet.check(raw_folder(name, describe(name)["raw"]))


def _to_pandas(columns: Columns) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        {name: pd.Series(values, dtype="str" if isinstance(values, list) else None) for name, values in columns.items()}
    )


def save_clean(
    digest: str, cleaning: Cleaning, dataset: Dataset, report: CleaningReport, summary: Mapping[str, Any]
) -> None:
    """Write a dataset that was cleaned from the raw tables with this digest, its cleaning report and its summary.

    Raises ``Problem`` if they cannot be written, and ``Replaced`` if the raw tables are not current any more.
    """
    import pyarrow as pa

    ratings, users, movies = dataset.ratings, dataset.users, dataset.movies
    user_columns = user_table(users).append_column("ratings", pa.array(ratings.by_user(len(users))))
    tables = {
        "ratings": pa.table({key: getattr(ratings, key) for key in RATING_COLUMNS}),
        "histogram": pa.table({key: getattr(dataset.histogram, key) for key in ("movie", "stars", "number")}),
        "users": user_columns,
        **movie_tables(movies),
    }
    if dataset.sample is not dataset:
        tables["sample"] = pa.table({key: getattr(dataset.sample.ratings, key) for key in RATING_COLUMNS})
    manifest = {
        "fingerprint": dataset.fingerprint,
        **movie_facts(movies),
        "scale": astuple(dataset.scale),
        "published_scale": dataset.published_scale and astuple(dataset.published_scale),
        "implicit": dataset.implicit,
        "report": report.to_json(),
        "summary": summary,
    }
    names = {
        name_index.MOVIES: name_index.titles(movies.titles, movies.years.tolist()),
        name_index.USERS: users.ids,
    }
    indexes = {file: name_index.lines(digest, str(cleaning), lines) for file, lines in names.items()}
    name = dataset.name
    parquet.write_folder(clean_folder(name, digest, cleaning), tables, manifest, _while_current(name, digest), indexes)


def user_table(users: Users) -> "pa.Table":
    """Return the table that holds users."""
    import pyarrow as pa

    return pa.table(_columns_of(users, ("age", "gender_code"), ("ids", "gender", "occupation", "zip_code")))


def movie_tables(movies: Movies) -> dict[str, "pa.Table"]:
    """Return the tables that hold movies and their tags; ``movie_facts`` has what else belongs to them."""
    import pyarrow as pa

    columns = _columns_of(movies, ("years", "months"), ("ids", "titles", "keys"))
    columns |= {
        f"genre {column}": pa.array(movies.genres[:, column].astype(np.uint8))
        for column in range(len(movies.genre_names))
    }
    tables = {"movies": pa.table(columns)}
    if movies.tags is not None:
        tags = movies.tags
        tables["tags"] = pa.table({"movie": tags.movie, "tag": tags.tag, "weight": tags.weight})
        tables["tag_names"] = pa.table({"name": parquet.strings(tags.names)})
    return tables


def movie_facts(movies: Movies) -> dict[str, Any]:
    """Return the entries of a manifest that belong to ``movie_tables``."""
    return {"genre_names": list(movies.genre_names), "merged": movies.merged}


def _columns_of(rows: Users | Movies, numbers: Iterable[str], texts: Iterable[str]) -> dict[str, "pa.Array"]:
    """Return the named columns that are not empty."""
    import pyarrow as pa

    columns = {key: pa.array(getattr(rows, key)) for key in numbers if len(getattr(rows, key))}
    return {**columns, **{key: parquet.strings(getattr(rows, key)) for key in texts if getattr(rows, key)}}


def load_report(folder: Path) -> CleaningReport:
    """Return the cleaning report in a folder. Raises ``FileNotFoundError`` if there is no folder, or ``Damaged``."""
    try:
        return CleaningReport.from_json(parquet.manifest_of(folder)["report"])
    except MALFORMED as error:
        raise Damaged(str(folder)) from error


def load_summary(folder: Path) -> dict[str, Any]:
    """Return the summary in a folder. Raises ``FileNotFoundError`` if there is no folder, or ``Damaged``."""
    try:
        return dict(parquet.manifest_of(folder)["summary"])
    except MALFORMED as error:
        raise Damaged(str(folder)) from error


def load_clean(name: str, cleaning: Cleaning, folder: Path) -> Dataset:
    """Return the cleaned dataset in a folder. Raises ``FileNotFoundError`` if there is no folder, or ``Damaged``."""
    tables, manifest = parquet.read_folder(folder, ("users", "movies", "histogram", "tags", "tag_names"))

    def reader(table: str) -> Callable[[int | None], Ratings]:
        packed = parquet.contents(folder, table, manifest)
        return lambda user: _ratings(name, packed, user, len(users["ids"]), len(movies["ids"]))

    try:
        users, movies = tables["users"], tables["movies"]
        dataset = Dataset(
            name,
            StoredRatings(
                reader("ratings"),
                _numbers_of_ratings(users),
                _histogram(tables["histogram"], len(movies["ids"])),
                reader("sample") if "sample" in manifest["files"] else None,
            ),
            Users(
                _texts(users, "ids"),
                _ints(users, "age"),
                _texts(users, "gender"),
                _texts(users, "occupation"),
                _ints(users, "gender_code"),
                _texts(users, "zip_code"),
            ),
            movies_from(tables, manifest),
            Scale(*manifest["scale"]),
            manifest["fingerprint"],
            str(cleaning),
            Scale(*manifest["published_scale"]) if manifest["published_scale"] else None,
            manifest["implicit"] is True,
        )
        consistent = _is_consistent(dataset)
    except MALFORMED as error:
        raise Damaged(str(folder)) from error
    if not consistent:
        raise Damaged(str(folder))
    return dataset


def _ratings(name: str, packed: memoryview, user: int | None, users: int, movies: int) -> Ratings:
    """Return all ratings in a Parquet file, or those of a user.

    Raises ``Problem`` if they are not valid. ``Damaged`` would be wrong, because ``contents`` has found the file
    intact: somebody wrote it like this.
    """
    try:
        columns = parquet.columns_of(packed, None if user is None else ("user", user))
        ratings = _columns(columns, users, movies)
    except (*MALFORMED, Damaged):
        raise Problem(
            tr("The stored ratings of {dataset} are not valid; remove {dataset} and get it again.", dataset=name)
        ) from None
    return ratings if user is None else ratings.of_user(user)


def _columns(columns: Columns, users: int, movies: int) -> Ratings:
    """Return the columns of a table of ratings. Raises one of ``MALFORMED`` if they are not valid."""
    ratings = Ratings(
        _numbers(columns, "user", np.int32),
        _numbers(columns, "movie", np.int32),
        _numbers(columns, "stars", np.float32),
        _numbers(columns, "time", np.int64),
    )
    if not (
        len(ratings.user) == len(ratings.movie) == len(ratings.stars) == len(ratings.time)
        and _are_between(ratings.user, 0, users - 1)
        and _are_between(ratings.movie, 0, movies - 1)
        # Stars off the scale are valid here, because the rule outside-scale may be off.
        and _are_between(ratings.stars, -HIGHEST_RATING, HIGHEST_RATING)
    ):
        raise ValueError("ratings")
    return ratings


def _numbers_of_ratings(users: Columns) -> Ints:
    """Return the number of ratings of each user. Raises one of ``MALFORMED`` if one is not valid."""
    numbers = _numbers(users, "ratings", np.int32)
    if not _are_between(numbers, 0, np.inf):
        raise ValueError("ratings")
    return numbers


def _histogram(columns: Columns, movies: int) -> Histogram:
    """Return a table of stars by movie. Raises one of ``MALFORMED`` if it is not valid."""
    movie, number = (_numbers(columns, key, np.int32) for key in ("movie", "number"))
    stars = _numbers(columns, "stars", np.float32)
    if not (
        _are_between(movie, 0, movies - 1)
        and (movie[1:] >= movie[:-1]).all()
        and _are_between(stars, -HIGHEST_RATING, HIGHEST_RATING)
        and _are_between(number, 1, np.inf)
    ):
        raise ValueError("histogram")
    return Histogram(movie, stars, number)


def movies_from(tables: Mapping[str, Columns], facts: Mapping[str, Any]) -> Movies:
    """Return the movies in the tables and facts of ``movie_tables`` and ``movie_facts``, as read.

    Raises one of ``MALFORMED`` if they are inconsistent.
    """
    movies, genre_names = tables["movies"], tuple(facts["genre_names"])
    genres = [_numbers(movies, f"genre {column}", np.uint8) for column in range(len(genre_names))]
    return Movies(
        _texts(movies, "ids"),
        _texts(movies, "titles"),
        _ints(movies, "years"),
        np.column_stack(genres).astype(bool) if genres else np.empty((len(movies["ids"]), 0), bool),
        genre_names,
        _texts(movies, "keys"),
        _ints(movies, "months"),
        {movie: tuple(others) for movie, others in facts["merged"].items()},
        tags=_tags(tables, len(movies["ids"])),
    )


def _ints(columns: Columns, key: str) -> Ints:
    return _numbers(columns, key, np.int32) if key in columns else np.empty(0, np.int32)


def _texts(columns: Columns, key: str) -> tuple[str, ...]:
    return tuple(columns.get(key, ()))


def _tags(tables: Mapping[str, Columns], movies: int) -> Tags | None:
    """Return the tags of this many movies, or None if none are stored. Raises one of ``MALFORMED``."""
    if "tags" not in tables:
        return None
    columns, names = tables["tags"], tuple(tables["tag_names"]["name"])
    movie, tag = (_numbers(columns, key, np.int32) for key in ("movie", "tag"))
    if not (_are_between(movie, 0, movies - 1) and _are_between(tag, 0, len(names) - 1)):
        raise ValueError("tags")
    if (movie[1:] < movie[:-1]).any():
        raise ValueError("tags")
    starts = np.searchsorted(movie, np.arange(movies + 1)).astype(np.int32)
    return Tags(names, starts, tag, _numbers(columns, "weight", np.float32))


def _is_consistent(dataset: Dataset) -> bool:
    """Return whether the scales are valid, and all columns of the users, and of the movies, have the same length."""
    users, movies, scale = dataset.users, dataset.movies, dataset.scale
    user_columns = (users.age, users.gender, users.occupation, users.gender_code, users.zip_code)
    return (
        all(len(column) in (0, len(users.ids)) for column in user_columns)
        and are_movies_consistent(movies)
        and is_scale_valid(scale)
        and (dataset.published_scale is None or is_scale_valid(dataset.published_scale))
    )


def are_movies_consistent(movies: Movies) -> bool:
    """Return whether all columns of the movies have the same length."""
    columns = (movies.titles, movies.years, movies.genres, movies.keys)
    return all(len(column) == len(movies.ids) for column in columns) and len(movies.months) in (0, len(movies.ids))


def is_scale_valid(scale: Scale) -> bool:
    """Return whether ratings can be on this scale."""
    return -HIGHEST_RATING <= scale.low < scale.high <= HIGHEST_RATING and 0 <= scale.step <= scale.high - scale.low


def _are_between(values: NDArray[Any], low: float, high: float) -> bool:
    """Return whether all numbers are in a range; NaN counts as outside."""
    return not len(values) or bool(low <= values.min() and values.max() <= high)


def _numbers(columns: Columns, name: str, kind: type[Number]) -> NDArray[Number]:
    """Return a column of numbers. Raises ``TypeError`` if it has another type."""
    column: NDArray[Number] | list[str] = columns[name]
    if isinstance(column, list) or column.dtype != kind:
        raise TypeError(name)
    return column


# The join with IMDb, which belongs to the raw tables, however they are cleaned


def imdb_folder(name: str, digest: str) -> Path:
    """Return the folder of the join of the raw tables with IMDb."""
    return folder_of(name) / f"imdb-{parquet.FORMAT}-{title_matching.VERSION}-{digest[:16]}"


def save_imdb(name: str, digest: str, tables: Mapping[str, Columns], facts: Mapping[str, Any]) -> None:
    """Write a join of the raw tables with this digest.

    Raises ``Problem`` if it cannot be written, and ``Replaced`` if the raw tables are not current any more.
    """
    import pyarrow as pa

    arrow = {
        table: pa.table(
            {
                key: parquet.strings(values) if isinstance(values, list) else pa.array(values)
                for key, values in columns.items()
            }
        )
        for table, columns in tables.items()
    }
    parquet.write_folder(imdb_folder(name, digest), arrow, facts, _while_current(name, digest))


def load_imdb(name: str, only: Collection[str] | None = None) -> tuple[dict[str, Columns], dict[str, Any]]:
    """Return the tables of a join with IMDb, or only those named, and the facts about the join.

    Raises ``FileNotFoundError`` if the dataset does not exist or is not joined, and ``Damaged`` if a table is damaged.
    """
    return parquet.read_folder(imdb_folder(name, describe(name)["raw"]), only)
