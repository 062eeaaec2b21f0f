"""Files and folders of Parquet tables, written whole or not at all, and checked when read.

Each folder has a ``manifest.json`` with a checksum of its files. Reading imports numpy and pyarrow, not pandas.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.problems import Problem

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 2
"""Raised whenever the files change their shape."""
TEMPORARY = ".tmp-"
GROUP = 2**20
"""Rows that are packed, and read, together."""
Columns = dict[str, Any]
"""A table as it is read: numbers as arrays, texts as lists."""


class Damaged(Exception):
    """What lies in the cache is not what was written; it has to be made again."""


def write_bytes(path: Path, content: "bytes | pa.Buffer") -> None:
    """Write a new file and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Say in one sentence why something could not be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(f"The disk is full, {place} could not be written; make room and try again.") from None
        raise Problem(f"{place} could not be written: {error.strerror or error}.") from None


@contextlib.contextmanager
def _new_folder(target: Path, in_place: AbstractContextManager[None]) -> Iterator[Path]:
    """Give an empty folder that becomes ``target`` when the block ends well, and is gone when it does not.

    It gets its name inside of ``in_place``.
    """
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=target.parent))
        try:
            yield temporary
            with in_place:
                _put_in_place(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            with contextlib.suppress(OSError):
                target.parent.rmdir()  # only goes where nothing was written


def _put_in_place(temporary: Path, target: Path) -> None:
    for _ in range(3):
        try:
            temporary.rename(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        # Damaged, or written by another process meanwhile: its name says that it has the same content.
        away = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=target.parent))
        try:
            with contextlib.suppress(FileNotFoundError):
                target.rename(away / target.name)
        finally:
            shutil.rmtree(away, ignore_errors=True)
    raise OSError(errno.EEXIST, "another process writes there")


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def write_folder(
    target: Path,
    tables: Mapping[str, "pa.Table"],
    facts: Mapping[str, Any],
    in_place: AbstractContextManager[None],
) -> None:
    """Write tables and, in the manifest, facts about them; the folder gets its name inside of ``in_place``.

    Raises ``Problem`` where they cannot be written; a folder of that name then stays as it is.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with _new_folder(target, in_place) as folder:
        files = {}
        for name, table in tables.items():
            sink = pa.BufferOutputStream()
            parquet.write_table(table, sink, **_packing(table))
            content = sink.getvalue()
            write_bytes(folder / f"{name}.parquet", content)
            files[name] = _checksum(content)
        sealed = {**facts, "format": FORMAT, "files": files}
        write_bytes(folder / "manifest.json", _json({**sealed, "seal": _seal(sealed)}))


def _packing(table: "pa.Table") -> dict[str, Any]:
    """How columns are packed: small by their encoding, so that reading numbers needs no decompression on top."""
    import pyarrow as pa

    # Rows come user by user and times near one another: differences are small.
    wide = [field.name for field in table.schema if field.type in (pa.int32(), pa.int64())]
    return {
        "row_group_size": GROUP,
        "compression": {field.name: "zstd" if field.type == pa.string() else "none" for field in table.schema},
        "use_dictionary": [name for name in table.column_names if name not in wide],
        "column_encoding": dict.fromkeys(wide, "DELTA_BINARY_PACKED"),
    }


def _checksum(content: "bytes | pa.Buffer") -> str:
    """Return what tells damage: CRC-32, which is ten times faster than sha256; nobody is to be kept from forging."""
    return f"{zlib.crc32(content):08x}"


def _seal(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return what is said about the tables in a folder. Raises ``Damaged``; ``FileNotFoundError`` without folder."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        seal = manifest.pop("seal")
        files = manifest["files"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(str(folder)) from error
    if seal != _seal(manifest) or manifest.get("format") != FORMAT or not isinstance(files, dict):
        raise Damaged(str(folder))
    return dict(manifest)


def check(folder: Path) -> None:
    """Check that the tables in a folder are whole. Raises ``Damaged``, also where it is not there."""
    try:
        files = manifest_of(folder)["files"]
        whole = all(
            _checksum((folder / f"{name}.parquet").read_bytes()) == checksum for name, checksum in files.items()
        )
    except OSError as error:
        raise Damaged(str(folder)) from error
    if not whole:
        raise Damaged(str(folder))


def read_folder(folder: Path, only: Collection[str] | None = None) -> tuple[dict[str, Columns], dict[str, Any]]:
    """Return the tables in a folder, or some of them, and its manifest. Raises as ``manifest_of`` does."""
    manifest = manifest_of(folder)
    import pyarrow as pa

    tables = {}
    for name, checksum in manifest["files"].items():
        if only is not None and name not in only:
            continue
        try:
            content = (folder / f"{name}.parquet").read_bytes()
            if _checksum(content) != checksum:
                raise Damaged(str(folder))
            tables[name] = _read_columns(content)
        except (OSError, pa.ArrowInvalid) as error:
            raise Damaged(str(folder)) from error
    return tables, manifest


def _read_columns(content: bytes) -> Columns:
    """Read a Parquet file, one group of rows after the other, so that no column lies in memory twice."""
    import pyarrow as pa
    from pyarrow import parquet

    # Not from a Python file object and not with pyarrow's threads: they can abort the interpreter when it exits.
    with parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False) as file:
        rows = file.metadata.num_rows
        columns: Columns = {
            field.name: [] if field.type == pa.string() else np.empty(rows, field.type.to_pandas_dtype())
            for field in file.schema_arrow
        }
        start = 0
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, use_threads=False)
            for name, column in columns.items():
                if isinstance(column, list):
                    column += table.column(name).to_pylist()
                    continue
                place = start
                # Not to_numpy(), which imports pandas.
                for piece in (piece for piece in table.column(name).chunks if len(piece)):
                    values = np.frombuffer(piece.buffers()[1], column.dtype, piece.offset + len(piece))
                    column[place : place + len(piece)] = values[piece.offset :]
                    place += len(piece)
            start += table.num_rows
    return columns


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let no other process do so with this folder before the block ends."""
    with contextlib.ExitStack() as stack:
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, lock)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace_file(path: Path, content: bytes) -> None:
    with _writing(path):
        temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
        try:
            write_bytes(temporary, content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a small file whole or not at all. Raises ``Problem`` where it cannot be written."""
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    _replace_file(path, _json(document))


def strings(values: Iterable[str]) -> "pa.Array":
    """Return a column of texts."""
    import pyarrow as pa

    return pa.array(list(values), pa.string())
