"""A dataset on a cluster as lists are made from it here: its movies and, where asked for, some users' ratings.

Needs no Spark: single users are read from the Parquet files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Ints, Ratings, Users
from movietui.data.problems import Problem
from movietui.data.storage import remote
from movietui.data.storage.parquet import Damaged
from movietui.data.storage.remote import RemoteDataset

_COLUMNS = {"user": np.int32, "movie": np.int32, "stars": np.float32, "time": np.int64}


@dataclass(frozen=True, eq=False, kw_only=True)
class RemoteView(Dataset):
    """The movies of a dataset on a cluster, with the numbers and sums of all their ratings.

    ``users`` and ``ratings`` have only the users that ``read_users`` has read, whose rows here are not those on the
    cluster.
    """

    users_are_in_models: ClassVar[bool] = False

    remote: RemoteDataset

    @cached_property
    def counts(self) -> Ints:
        """The number of ratings of each movie on the cluster, shape (movies,)."""
        return self.remote.counts.astype(np.int32)

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """The sum of the stars of each movie on the cluster, shape (movies,)."""
        return self.remote.totals

    def read_users(self, ids: Sequence[str]) -> "RemoteView":
        """Return the dataset with these users and their ratings.

        Raises ``Problem`` for an unknown user, and if the files cannot be read from here.
        """
        read = [_read(self.remote, each) for each in ids]
        columns = {
            name: np.concatenate([np.empty(0, kind), *(getattr(each, name) for each in read)])
            for name, kind in list(_COLUMNS.items())[1:]
        }
        user = np.repeat(np.arange(len(read), dtype=np.int32), [len(each) for each in read])
        return replace(self, users=Users(tuple(ids)), ratings=Ratings(user, **columns))


def view(dataset: RemoteDataset) -> RemoteView:
    """Return a dataset on a cluster without any users."""
    empty = np.empty(0, np.int32)
    return RemoteView(
        name=dataset.name,
        ratings=Ratings(empty, empty, np.empty(0, np.float32), np.empty(0, np.int64)),
        users=Users(()),
        movies=dataset.movies,
        scale=dataset.scale,
        fingerprint=dataset.fingerprint,
        cleaning=dataset.preset,
        remote=dataset,
    )


def find(name: str, fingerprint: str | None = None) -> RemoteView | None:
    """Return the dataset on a cluster with this name and, if given, fingerprint, if it is known here; else ``None``."""
    try:
        if fingerprint not in (None, remote.describe(name)["fingerprint"]):
            return None
    except (FileNotFoundError, Damaged):
        return None
    return view(remote.load(name, RemoteDataset))


def _read(dataset: RemoteDataset, user: str) -> Ratings:
    """Return the ratings of the user with this id, from the files on the cluster."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    nobody = Problem(f"{dataset.name} has no user {user!r} among its {dataset.user_count:,} users on the cluster.")
    try:
        files, path = remote.reachable(f"{dataset.uri}/{dataset.folder}")
        users = ds.dataset(f"{path}/users", format="parquet", filesystem=files)
        try:
            wanted = pa.scalar(user).cast(users.schema.field("id").type)
        except pa.ArrowInvalid:  # the ids are numbers, and this is none
            raise nobody from None
        rows = users.to_table(["user", "part"], filter=ds.field("id") == wanted).to_pylist()
        if not rows:
            raise nobody
        ratings = ds.dataset(f"{path}/ratings/part={int(rows[0]['part'])}", format="parquet", filesystem=files)
        table = ratings.to_table(list(_COLUMNS), filter=ds.field("user") == rows[0]["user"])
        columns = [table[name].to_numpy().astype(kind) for name, kind in _COLUMNS.items()]
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise Problem(
            f"The ratings of user {user} are at {dataset.uri}, which cannot be read from here ({reason}); read them "
            "where the cluster's files can be reached."
        ) from error
    movie = columns[1]
    if len(movie) and not 0 <= movie.min() <= movie.max() < len(dataset.movies):
        raise Problem(f"The ratings at {dataset.uri} are damaged; clean {dataset.name} on the cluster again.")
    return Ratings(*columns)
