"""Writes folders of Parquet tables atomically, and checks them when it reads them.

Each folder has a ``manifest.json`` with a checksum of each table. Reading imports numpy and pyarrow, but not pandas.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import atomic_files, disk, strict_json

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

FORMAT = 3
"""Increase this whenever the layout of the files changes."""
GROUP = 2**20
"""The number of rows that are compressed and read together."""
Columns = dict[str, Any]
"""A table as read: numbers as arrays, strings as lists."""


class Damaged(Exception):
    """The stored files are not as they were written, or are from another version; they must be rebuilt."""


@contextlib.contextmanager
def _explain_write_errors(path: Path) -> Iterator[None]:
    """Replace an ``OSError`` with a ``Problem`` that says why a write failed."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(
                tr("{path} could not be written: the disk is full; free some space and try again.", path=path)
            ) from None
        raise Problem(
            tr(
                "{path} could not be written: {reason}; make the folder writable, or set MOVIETUI_HOME to another one.",
                path=path,
                reason=error.strerror or error,
            )
        ) from None


@contextlib.contextmanager
def _new_folder(target: Path, lock: AbstractContextManager[None]) -> Iterator[Path]:
    """Yield a draft folder; when the block succeeds, the folder replaces ``target`` while ``lock`` is held."""
    try:
        with _explain_write_errors(target), atomic_files.new_folder(target, replace=True, lock=lock) as draft:
            yield draft
    finally:
        with contextlib.suppress(OSError):
            target.parent.rmdir()  # succeeds only if nothing was written


def sealed_json(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest as JSON with a seal, without which ``unsealed`` refuses it."""
    return _json({**manifest, "seal": _seal(manifest)})


def unsealed(content: bytes) -> dict[str, Any]:
    """Return the manifest that ``sealed_json`` wrote. Raises ``ValueError`` if it is damaged or incomplete."""
    manifest = strict_json.loads(content)
    if not isinstance(manifest, dict) or manifest.pop("seal", None) != _seal(manifest):
        raise ValueError("the seal does not fit")
    return manifest


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def write_folder(
    target: Path,
    tables: Mapping[str, "pa.Table"],
    facts: Mapping[str, Any],
    lock: AbstractContextManager[None],
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write a folder of tables and a manifest with facts about them; rename it into place while ``lock`` is held.

    ``others``: the contents of further files, which the manifest does not mention. Raises ``Problem`` if the folder
    cannot be written; an existing folder with that name then stays as it is.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with _new_folder(target, lock) as folder:
        files = {}
        for name, table in tables.items():
            sink = pa.BufferOutputStream()
            parquet.write_table(table, sink, **_packing(table))
            content = sink.getvalue()
            atomic_files.write_new(folder / f"{name}.parquet", content)
            files[name] = disk.checksum(memoryview(content))
        for name, text in others.items():
            atomic_files.write_new(folder / name, text)
        sealed = {**facts, "format": FORMAT, "files": files}
        atomic_files.write_new(folder / "manifest.json", sealed_json(sealed))


def _packing(table: "pa.Table") -> dict[str, Any]:
    """Return options for writing a table: text is compressed; numbers are only encoded compactly, to be read fast."""
    import pyarrow as pa

    # In most releases, ratings are ordered by user, and the times of a user's ratings are close together, so the
    # differences between rows are small.
    wide = [field.name for field in table.schema if field.type in (pa.int32(), pa.int64())]
    return {
        "row_group_size": GROUP,
        "compression": {field.name: "zstd" if field.type == pa.string() else "none" for field in table.schema},
        "use_dictionary": [name for name in table.column_names if name not in wide],
        "column_encoding": dict.fromkeys(wide, "DELTA_BINARY_PACKED"),
    }


def _seal(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder of tables. Raises ``Damaged``, or ``FileNotFoundError`` if there is no folder."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        manifest = unsealed(disk.read(folder / "manifest.json"))
        files = manifest["files"]
    except (OSError, ValueError, KeyError) as error:
        raise Damaged(str(folder)) from error
    if manifest.get("format") != FORMAT or not isinstance(files, dict):
        raise Damaged(str(folder))
    if not all(map(disk.is_plain_name, files)):
        raise Damaged(str(folder))
    return manifest


def _table(folder: Path, name: str) -> Path:
    return disk.inside(folder, f"{name}.parquet")


def check(folder: Path) -> None:
    """Raise ``Damaged`` unless the folder exists and its tables are intact."""
    try:
        files = manifest_of(folder)["files"]
        whole = all(disk.checksum(disk.mapped(_table(folder, name))) == checksum for name, checksum in files.items())
    except OSError as error:
        raise Damaged(str(folder)) from error
    if not whole:
        raise Damaged(str(folder))


def read_folder(folder: Path, only: Collection[str] | None = None) -> tuple[dict[str, Columns], dict[str, Any]]:
    """Return the tables in a folder, or only those named, and the manifest. Raises what ``manifest_of`` raises."""
    manifest = manifest_of(folder)

    tables = {}
    for name in manifest["files"]:
        if only is None or name in only:
            tables[name] = columns_of(contents(folder, name, manifest))
    return tables, manifest


def contents(folder: Path, name: str, manifest: Mapping[str, Any]) -> memoryview:
    """Return a Parquet file of a folder with this manifest. Raises ``Damaged`` if the file is missing or changed."""
    try:
        content = disk.mapped(_table(folder, name))
    except OSError as error:
        raise Damaged(str(folder)) from error
    if disk.checksum(content) != manifest["files"].get(name):
        raise Damaged(str(folder))
    return content


def columns_of(content: memoryview, having: tuple[str, int] | None = None) -> Columns:
    """Return the columns of a Parquet file. Raises ``Damaged`` if the file cannot be read.

    ``having`` is the name of a column of numbers, and a value. Only groups of rows that may have this value are read.
    """
    import pyarrow as pa

    try:
        return _read_columns(content, having)
    except (pa.ArrowException, OSError, ValueError, TypeError, NotImplementedError, MemoryError, LookupError) as error:
        raise Damaged("a table") from error


def _read_columns(content: memoryview, having: tuple[str, int] | None) -> Columns:
    """Read one group of rows at a time, so that no column is in memory twice."""
    import pyarrow as pa
    from pyarrow import parquet

    # No Python file object and no threads: pyarrow's threads reading such an object can abort the interpreter at exit.
    with parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False) as file:
        groups = [group for group in range(file.num_row_groups) if having is None or _may_have(file, group, *having)]
        rows = sum(file.metadata.row_group(group).num_rows for group in groups)
        columns: Columns = {
            field.name: [] if field.type == pa.string() else np.empty(rows, field.type.to_pandas_dtype())
            for field in file.schema_arrow
        }
        start = 0
        for group in groups:
            table = file.read_row_group(group, use_threads=False)
            for name, column in columns.items():
                if isinstance(column, list):
                    column += table.column(name).to_pylist()
                    continue
                position = start
                # to_numpy() would import pandas.
                for piece in (piece for piece in table.column(name).chunks if len(piece)):
                    values = np.frombuffer(piece.buffers()[1], column.dtype, piece.offset + len(piece))
                    column[position : position + len(piece)] = values[piece.offset :]
                    position += len(piece)
            start += table.num_rows
    return columns


def _may_have(file: "ParquetFile", group: int, column: str, value: int) -> bool:
    """Return whether a group of rows may have a value in a column, by its statistics."""
    index = file.schema_arrow.get_field_index(column)
    statistics = file.metadata.row_group(group).column(index).statistics
    return statistics is None or not statistics.has_min_max or statistics.min <= value <= statistics.max


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lock a folder until the block ends; another process that wants to lock it waits.

    A missing folder is created. Raises ``Problem`` if the folder cannot be created or opened.
    """
    with contextlib.ExitStack() as stack:
        with _explain_write_errors(folder):
            disk.make_folder(folder)
            lock = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, lock)
        with contextlib.suppress(OSError):  # the file system has no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file atomically. Raises ``Problem`` if it cannot be written."""
    with _explain_write_errors(path):
        disk.make_folder(path.parent)
        atomic_files.replace_file(path, _json(document))


def strings(values: Iterable[str]) -> "pa.Array":
    """Return strings as a column of a table."""
    import pyarrow as pa

    return pa.array(list(values), pa.string())
