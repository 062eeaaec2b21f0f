"""Datasets on disk.

A dataset has a folder ``datasets/NAME`` with ``dataset.json``, which names the folder of its raw tables, and a folder
for each cleaning it was cleaned with; ``data.sealed`` writes and checks them. The name of a folder carries a digest of
what its content follows from, so that another source file, other rules or another format never meet an old folder.
Reading a cleaned dataset imports numpy and pyarrow, not pandas.
"""

import contextlib
import hashlib
import json
import re
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from data import imdb_matching, locations, sealed
from data.cleaning import VERSION, Cleaning, CleaningReport, parse
from data.dataset import Dataset, Ints, Movies, Ratings, Scale, Users
from data.movielens import Malformed, Raw
from data.problems import Problem
from data.sealed import Columns, Damaged

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STALE_SECONDS = 24 * 3600
Number = TypeVar("Number", bound=np.generic)


class Replaced(Exception):
    """The tables as published are others by now, or gone: what was made of them is of no use."""


def folder_of(name: str) -> Path:
    """Return where a dataset lies."""
    return locations.datasets() / name


def describe(name: str) -> dict[str, Any]:
    """Return what ``dataset.json`` says. Raises ``FileNotFoundError`` where there is none, ``Damaged``."""
    path = folder_of(name) / "dataset.json"
    try:
        facts = json.loads(path.read_bytes())
        if not all(isinstance(facts[key], str) for key in ("raw", "source", "title")):
            raise Damaged(str(path))
        if not all(isinstance(facts[key], int) for key in ("ratings", "users", "movies")):
            raise Damaged(str(path))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(str(path)) from error
    return dict(facts)


def names() -> list[str]:
    """Return the names of all datasets that are here."""
    try:
        return sorted(folder.name for folder in locations.datasets().iterdir() if (folder / "dataset.json").is_file())
    except OSError:
        return []


def size(name: str) -> int:
    """Return the bytes on disk of a dataset, however often it was cleaned."""
    return locations.bytes_in(folder_of(name))


def save_raw(name: str, raw: Raw, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write the tables as published and make them the dataset's own; ``facts`` go into ``dataset.json``.

    Raises ``Problem`` where they cannot be written; what was there before then stays.
    """
    digest = raw_digest(raw)
    counts = {"ratings": len(raw.ratings), "users": len(raw.users), "movies": len(raw.movies)}
    described = {**facts, **counts, "raw": digest, "format": sealed.FORMAT}
    manifest = {
        "genre_names": list(raw.genre_names),
        "scale": [raw.scale.low, raw.scale.high, raw.scale.step],
        "malformed": [[line.file, line.line, line.wrong] for line in raw.malformed],
        "ratings_file": raw.ratings_file,
    }
    tables = {key: _to_arrow(table) for key, table in _tables_of(raw).items()}
    with _alone():
        try:
            sealed.write_folder(raw_folder(name, digest), tables, manifest, contextlib.nullcontext())
            sealed.write_json(folder_of(name) / "dataset.json", described)
        finally:
            sweep(name)
    return described


def _tables_of(raw: Raw) -> "dict[str, pd.DataFrame]":
    tables = {"ratings": raw.ratings, "movies": raw.movies, "users": raw.users}
    return tables if raw.links is None else {**tables, "links": raw.links}


def _alone() -> AbstractContextManager[None]:
    """Let no other process put raw tables in place, sweep or remove before the block ends.

    Between a new folder and the ``dataset.json`` that names it, another's sweep would take the folder away.
    """
    return sealed.alone(locations.datasets())


@contextlib.contextmanager
def _while_current(name: str, digest: str) -> Iterator[None]:
    """Let nobody replace the tables as published before the block ends. Raises ``Replaced`` where somebody did."""
    with _alone():
        try:
            current = describe(name)["raw"] == digest
        except (FileNotFoundError, Damaged):
            current = False
        if not current:
            raise Replaced(name)
        yield


def remove(name: str) -> None:
    """Remove all tables of a dataset. Raises ``Problem`` where that cannot be done."""
    folder = folder_of(name)
    with _alone():
        try:
            (folder / "dataset.json").unlink(missing_ok=True)  # from now on the dataset is not here
            shutil.rmtree(folder)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Problem(f"{folder} could not be removed: {error.strerror or error}.") from None


def sweep(name: str) -> None:
    """Remove what belongs to no present source or rules, and what a killed process left long ago."""
    folder = folder_of(name)
    keep = {"dataset.json"}
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
            if entry.name.startswith(sealed.TEMPORARY) and time.time() - entry.stat().st_mtime < STALE_SECONDS:
                continue
            if entry.name not in keep:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def raw_folder(name: str, digest: str) -> Path:
    """Return where the tables as published lie."""
    return folder_of(name) / f"raw-{sealed.FORMAT}-{digest[:16]}"


def clean_folder(name: str, digest: str, cleaning: Cleaning) -> Path:
    """Return where the tables cleaned by these rules lie."""
    basis = [sealed.FORMAT, VERSION, digest, cleaning.numbers]
    preset = re.sub(r"\s[+-].*", "", str(cleaning)).replace(" ", "-")
    return folder_of(name) / f"{preset}-{hashlib.sha256(json.dumps(basis).encode()).hexdigest()[:16]}"


def raw_digest(raw: Raw) -> str:
    """Return the sha256 of all that was read."""
    digest = hashlib.sha256()
    scale = [raw.scale.low, raw.scale.high, raw.scale.step]
    digest.update(json.dumps([raw.genre_names, scale, [str(line) for line in raw.malformed]]).encode())
    for table in _tables_of(raw).values():
        for column in table.columns:
            values = table[column].to_numpy()
            if values.dtype.kind in "if":
                digest.update(f"{column} {values.dtype.str} {len(values)}".encode())
                digest.update(np.ascontiguousarray(values).data)
            else:
                digest.update(json.dumps([column, values.tolist()]).encode())
    return digest.hexdigest()


def _to_arrow(frame: "pd.DataFrame") -> "pa.Table":
    import pyarrow as pa

    columns = {}
    for column in frame.columns:
        values = frame[column].to_numpy()
        columns[column] = pa.array(values) if values.dtype.kind in "if" else sealed.strings(values.tolist())
    return pa.table(columns)


def load_raw(name: str, digest: str) -> Raw:
    """Return the tables as published with this digest. Raises ``Damaged``, also where they are not there."""
    tables, manifest = _published(name, digest)
    try:
        return Raw(
            _to_pandas(tables["ratings"]),
            _to_pandas(tables["movies"]),
            _to_pandas(tables["users"]),
            tuple(manifest["genre_names"]),
            Scale(*manifest["scale"]),
            tuple(Malformed(*line) for line in manifest["malformed"]),
            manifest["ratings_file"],
            _to_pandas(tables["links"]) if "links" in tables else None,
        )
    except (KeyError, TypeError) as error:
        raise Damaged(name) from error


def published(name: str, digest: str, *tables: str) -> dict[str, Columns]:
    """Return those of the named tables that were published: unlike ``load_raw`` without reading the others."""
    return _published(name, digest, tables)[0]


def _published(
    name: str, digest: str, only: Collection[str] | None = None
) -> tuple[dict[str, Columns], dict[str, Any]]:
    try:
        return sealed.read_folder(raw_folder(name, digest), only)
    except FileNotFoundError as error:
        raise Damaged(name) from error


def check_raw(name: str) -> None:
    """Check that the tables as published are whole. Raises ``Damaged``; ``FileNotFoundError`` without dataset."""
    sealed.check(raw_folder(name, describe(name)["raw"]))


def _to_pandas(columns: Columns) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        {name: pd.Series(values, dtype="str" if isinstance(values, list) else None) for name, values in columns.items()}
    )


def save_clean(
    digest: str, cleaning: Cleaning, dataset: Dataset, report: CleaningReport, summary: Mapping[str, Any]
) -> None:
    """Write a dataset cleaned from the tables with this digest, the report of its cleaning and its summary.

    Raises ``Problem`` where they cannot be written, ``Replaced``.
    """
    import pyarrow as pa

    ratings, users, movies = dataset.ratings, dataset.users, dataset.movies
    people = _columns_of(users, ("age", "gender_code"), ("ids", "gender", "occupation", "zip_code"))
    films = _columns_of(movies, ("years", "months"), ("ids", "titles", "keys"))
    films |= {
        f"genre {place}": pa.array(movies.genres[:, place].astype(np.uint8)) for place in range(len(movies.genre_names))
    }
    tables = {
        "ratings": pa.table({key: getattr(ratings, key) for key in ("user", "movie", "stars", "time")}),
        "users": pa.table(people),
        "movies": pa.table(films),
    }
    manifest = {
        "fingerprint": dataset.fingerprint,
        "genre_names": list(movies.genre_names),
        "merged": movies.merged,
        "scale": [dataset.scale.low, dataset.scale.high, dataset.scale.step],
        "report": report.to_json(),
        "summary": summary,
    }
    name = dataset.name
    sealed.write_folder(clean_folder(name, digest, cleaning), tables, manifest, _while_current(name, digest))


def _columns_of(rows: Users | Movies, numbers: Iterable[str], texts: Iterable[str]) -> dict[str, "pa.Array"]:
    """The columns that the dataset has."""
    import pyarrow as pa

    columns = {key: pa.array(getattr(rows, key)) for key in numbers if len(getattr(rows, key))}
    return {**columns, **{key: sealed.strings(getattr(rows, key)) for key in texts if getattr(rows, key)}}


def load_report(folder: Path) -> CleaningReport:
    """Return the report of a cleaning. Raises ``Damaged``; ``FileNotFoundError`` where it was not done yet."""
    try:
        return CleaningReport.from_json(sealed.manifest_of(folder)["report"])
    except (KeyError, TypeError) as error:
        raise Damaged(str(folder)) from error


def load_summary(folder: Path) -> dict[str, Any]:
    """Return the summary of a cleaned dataset. Raises ``Damaged``; ``FileNotFoundError`` where there is none yet."""
    try:
        return dict(sealed.manifest_of(folder)["summary"])
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(str(folder)) from error


def load_clean(name: str, cleaning: Cleaning, folder: Path) -> Dataset:
    """Return a cleaned dataset. Raises ``Damaged``; ``FileNotFoundError`` where it was not cleaned yet."""
    tables, manifest = sealed.read_folder(folder)

    def numbers(columns: Columns, key: str) -> Ints:
        return _numbers(columns, key, np.int32) if key in columns else np.empty(0, np.int32)

    def texts(columns: Columns, key: str) -> tuple[str, ...]:
        return tuple(columns.get(key, ()))

    try:
        rated, people, films = tables["ratings"], tables["users"], tables["movies"]
        genre_names = tuple(manifest["genre_names"])
        genres = [_numbers(films, f"genre {place}", np.uint8) for place in range(len(genre_names))]
        return Dataset(
            name,
            Ratings(
                _numbers(rated, "user", np.int32),
                _numbers(rated, "movie", np.int32),
                _numbers(rated, "stars", np.float32),
                _numbers(rated, "time", np.int64),
            ),
            Users(
                texts(people, "ids"),
                numbers(people, "age"),
                texts(people, "gender"),
                texts(people, "occupation"),
                numbers(people, "gender_code"),
                texts(people, "zip_code"),
            ),
            Movies(
                texts(films, "ids"),
                texts(films, "titles"),
                numbers(films, "years"),
                np.column_stack(genres).astype(bool) if genres else np.empty((len(films["ids"]), 0), bool),
                genre_names,
                texts(films, "keys"),
                numbers(films, "months"),
                {movie: tuple(others) for movie, others in manifest["merged"].items()},
            ),
            Scale(*manifest["scale"]),
            manifest["fingerprint"],
            str(cleaning),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Damaged(str(folder)) from error


def _numbers(columns: Columns, name: str, kind: type[Number]) -> NDArray[Number]:
    """Return a column of numbers. Raises ``TypeError`` where it has another type."""
    column: NDArray[Number] | list[str] = columns[name]
    if isinstance(column, list) or column.dtype != kind:
        raise TypeError(name)
    return column


# What IMDb says, which belongs to the movies as published, however they are cleaned


def imdb_folder(name: str, digest: str) -> Path:
    """Return where the join of the tables as published with IMDb lies."""
    return folder_of(name) / f"imdb-{sealed.FORMAT}-{imdb_matching.VERSION}-{digest[:16]}"


def save_imdb(name: str, digest: str, tables: Mapping[str, Columns], facts: Mapping[str, Any]) -> None:
    """Write a join of the tables with this digest. Raises ``Problem`` where it cannot be written, ``Replaced``."""
    import pyarrow as pa

    arrow = {
        table: pa.table(
            {key: sealed.strings(of) if isinstance(of, list) else pa.array(of) for key, of in columns.items()}
        )
        for table, columns in tables.items()
    }
    sealed.write_folder(imdb_folder(name, digest), arrow, facts, _while_current(name, digest))


def load_imdb(name: str, only: Collection[str] | None = None) -> tuple[dict[str, Columns], dict[str, Any]]:
    """Return the tables of a join with IMDb and its facts. Raises ``Damaged``; ``FileNotFoundError`` without join."""
    return sealed.read_folder(imdb_folder(name, describe(name)["raw"]), only)
