"""Datasets in memory, written as a cluster would have left them."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from movietui.data.cleaning.cleaner import CleaningReport
from movietui.data.cluster.dataset import MANIFEST, ClusterDataset, load
from movietui.data.dataset import Dataset
from movietui.data.storage import parquet, remote


def store(dataset: Dataset, folder: Path, parts: int = 3, report: CleaningReport | None = None) -> ClusterDataset:
    """Write a dataset with the same rows of users and movies into ``folder``, as several files; make it known here.

    ``report``: what cleaning did; by default, a report without rules.
    """
    order = dataset.ratings.user % parts  # all ratings of a user are in one file
    (folder / "tables" / "users").mkdir(parents=True)
    for part in range(parts):
        rows = dataset.ratings.take((order == part).nonzero()[0][::-1])
        table = pa.table({name: getattr(rows, name) for name in ("user", "movie", "stars", "time")})
        part_folder = folder / "tables" / "ratings" / f"part={part}"
        part_folder.mkdir(parents=True)
        pq.write_table(table, part_folder / "0.parquet")
    row = pa.array(range(len(dataset.users)), pa.int32())
    users = pa.table(
        {
            "user": row,
            "id": _numbers_if_possible(dataset.users.ids),
            "part": pa.array([each % parts for each in range(len(row))]),
        }
    )
    pq.write_table(users, folder / "tables" / "users" / "0.parquet")
    stored = ClusterDataset(
        dataset.name,
        folder.as_uri(),
        "tables",
        dataset.scale,
        len(dataset.ratings),
        len(dataset.users),
        dataset.fingerprint,
        dataset.cleaning,
        dataset.movies,
        dataset.counts.astype("int64"),
        dataset.totals,
        report
        or CleaningReport(
            dataset.name, dataset.cleaning, (), len(dataset.ratings), len(dataset.users), len(dataset.movies)
        ),
    )
    named = {"folder": stored.folder, "fingerprint": stored.fingerprint}
    (folder / MANIFEST).write_bytes(parquet.sealed_json(named))
    remote.save(stored, {})
    return load(dataset.name)


def _numbers_if_possible(ids: Sequence[str]) -> pa.Array:
    return pa.array([int(each) for each in ids] if all(map(str.isdigit, ids)) else ids)
