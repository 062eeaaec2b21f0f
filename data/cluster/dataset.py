"""A dataset that was cleaned on a cluster: its movies are on this machine, its ratings and users on the cluster."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from movietui.data.cluster.files import FileSystem
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import parquet, remote
from movietui.data.storage.cache import STALE_SECONDS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RATINGS = "user int, movie int, stars float, time long"
"""The columns of the ratings: row of the user, row of the movie, stars on the scale, seconds since 1970."""

MANIFEST = "manifest.json"
"""The file beside the tables that names their folder, and is written last."""
UNFINISHED = "_unfinished-"
"""The prefix of the folders beside the tables that hold temporary files of training."""
_MANIFEST_BYTES = 2**24


@dataclass(frozen=True, eq=False)
class ClusterDataset(remote.RemoteDataset):
    """A dataset whose ratings Spark reads.

    ``movies`` has the rows of the movies; the rows of the users are 0 to ``user_count`` - 1. Ratings and users are in
    no defined order.
    """

    def ratings(self, spark: "SparkSession") -> "DataFrame":
        """Return the ratings, with the columns ``RATINGS``.

        Raises ``Problem`` if they have since been removed or cleaned again.
        """
        ratings = spark.read.schema(RATINGS).parquet(f"{self._tables(spark)}/ratings")
        return ratings.drop("part")  # the column by which the files are in folders

    def users(self, spark: "SparkSession") -> "DataFrame":
        """Return the users: ``user`` (the row), ``id`` (as published), ``part``, and their demographics, if published.

        Demographics are ``age`` (in years, 0 if unknown), ``gender``, ``gender_code``, ``occupation`` and ``zip_code``,
        see ``movietui.data.dataset.Users``. Raises ``Problem`` as ``ratings`` does.
        """
        return spark.read.parquet(f"{self._tables(spark)}/users")

    @contextmanager
    def scratch(self, spark: "SparkSession") -> Iterator[str]:
        """Yield the URI of a new folder beside the tables, which is removed when the block ends.

        First removes the folders of interrupted training: those in which nothing was written for a day.
        """
        files, uri = FileSystem(spark), f"{self.uri}/{UNFINISHED}{uuid.uuid4().hex}"
        for folder in files.entries(self.uri):
            if folder.name.startswith(UNFINISHED):
                written = [folder, *files.entries(f"{self.uri}/{folder.name}")]
                if time.time() - max(entry.seconds for entry in written) > STALE_SECONDS:
                    files.remove(f"{self.uri}/{folder.name}")
        try:
            yield uri
        finally:
            files.remove(uri)

    def _tables(self, spark: "SparkSession") -> str:
        """Return the folder with the tables. Raises ``Problem`` unless the manifest still names this folder."""
        files, manifest_uri = FileSystem(spark), f"{self.uri}/{MANIFEST}"
        try:
            manifest = parquet.unsealed(files.head(manifest_uri, _MANIFEST_BYTES)) if files.entry(manifest_uri) else {}
        except ValueError:
            manifest = {}
        if manifest.get("folder") != self.folder or manifest.get("fingerprint") != self.fingerprint:
            raise Problem(
                tr(
                    "The ratings of {dataset} at {uri} have been removed or changed; clean them again with movietui "
                    "cluster clean {dataset}.",
                    dataset=self.name,
                    uri=self.uri,
                )
            )
        return f"{self.uri}/{self.folder}"


def load(name: str) -> ClusterDataset:
    """Return a dataset that was cleaned on a cluster. Raises ``Problem`` if none with this name is stored here."""
    return remote.load(name, ClusterDataset)
