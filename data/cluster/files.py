"""Reads and writes single files wherever Spark can: in folders, and at ``hdfs://``, ``s3a://`` and the like.

The calls go to Hadoop's ``FileSystem`` in the driver, which knows the same places and credentials as Spark does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movietui.data.language import tr
from movietui.data.problems import Problem

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Entry:
    """A file or folder."""

    name: str
    is_folder: bool
    bytes: int
    seconds: float
    """When it was changed last, in seconds since 1970."""


class FileSystem:
    """Files by their URIs; a URI without a scheme is in the file system that Spark uses by default.

    The methods raise Java's errors; call them within ``explain_errors``.
    """

    def __init__(self, spark: "SparkSession") -> None:
        self._jvm: Any = spark.sparkContext._jvm
        self._settings: Any = spark.sparkContext._jsc.hadoopConfiguration()

    def _at(self, uri: str) -> tuple[Any, Any]:
        path = self._jvm.org.apache.hadoop.fs.Path(uri)
        return path.getFileSystem(self._settings), path

    def absolute(self, uri: str) -> str:
        """Return a URI with its scheme. Raises ``Problem`` if it is invalid."""
        from py4j.protocol import Py4JError

        try:
            files, path = self._at(uri)
            return str(files.makeQualified(path).toString()).rstrip("/")
        except Py4JError:
            raise Problem(
                tr(
                    "{uri!r} is not a place that Spark can read; give a folder, or a URI such as hdfs://HOST/FOLDER or "
                    "s3a://BUCKET/FOLDER.",
                    uri=uri,
                )
            ) from None

    @contextmanager
    def removed_if_failed(self, uri: str) -> Iterator[None]:
        """Remove a file or folder if the block fails."""
        try:
            yield
        except BaseException:
            self.remove(uri)
            raise

    def entry(self, uri: str) -> Entry | None:
        """Return what is at a URI, or None if nothing is."""
        files, path = self._at(uri)
        return _entry(files.getFileStatus(path)) if files.exists(path) else None

    def entries(self, uri: str) -> list[Entry]:
        """Return what is in a folder, by name."""
        files, path = self._at(uri)
        return sorted(map(_entry, files.listStatus(path)), key=lambda entry: entry.name)

    def head(self, uri: str, most: int) -> bytes:
        """Return the first bytes of a file, at most this many."""
        files, path = self._at(uri)
        stream = files.open(path)
        try:
            return bytes(stream.readNBytes(most))
        finally:
            stream.close()

    def fetch(self, uri: str, target: Path) -> None:
        """Copy a file to this machine."""
        files, path = self._at(uri)
        files.copyToLocalFile(False, path, self._jvm.org.apache.hadoop.fs.Path(target.as_uri()), True)

    def send(self, source: Path, uri: str) -> None:
        """Copy a file of this machine to a URI."""
        files, path = self._at(uri)
        files.copyFromLocalFile(False, True, self._jvm.org.apache.hadoop.fs.Path(source.as_uri()), path)

    def write(self, uri: str, content: bytes) -> None:
        """Write a small file, replacing an existing one."""
        files, path = self._at(uri)
        stream = files.create(path, True)
        try:
            stream.write(content)
        finally:
            stream.close()

    def remove(self, uri: str) -> None:
        """Remove a file or a folder, if it exists."""
        files, path = self._at(uri)
        files.delete(path, True)


def _entry(status: Any) -> Entry:
    name = str(status.getPath().getName())
    return Entry(name, bool(status.isDirectory()), int(status.getLen()), int(status.getModificationTime()) / 1000)
