"""The part of a dataset on a cluster that lists need: the movies, and the ratings of single users.

Needs no Spark: the ratings are read from the Parquet files on the cluster.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Histogram, Ints, Ratings, Users
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import cache, remote
from movietui.data.storage.parquet import Damaged
from movietui.data.storage.remote import RemoteDataset

_COLUMNS = {"user": np.int32, "movie": np.int32, "stars": np.float32, "time": np.int64}


class UnknownUser(Problem):
    """A dataset on a cluster has no user with this id."""


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

    @cached_property
    def histogram(self) -> Histogram:
        """Empty: how often each movie was given each number of stars is not known here."""
        return view(self.remote).ratings.histogram()

    @cached_property
    def sample(self) -> Dataset:
        """The dataset without users: the few that were read say nothing about the others."""
        return view(self.remote)

    def read_users(self, ids: Sequence[str]) -> "RemoteView":
        """Return the dataset with these users and their ratings, after those that it has already.

        Raises ``UnknownUser`` for an unknown user, and ``Problem`` if the files cannot be read from here.
        """
        new = [each for each in dict.fromkeys(ids) if each not in self.users.row]
        if not new:
            return self
        read = [_read(self.remote, each) for each in new]
        columns = {
            name: np.concatenate([getattr(self.ratings, name), *(getattr(each, name) for each in read)]).astype(kind)
            for name, kind in list(_COLUMNS.items())[1:]
        }
        rows = np.arange(len(self.users), len(self.users) + len(read), dtype=np.int32)
        user = np.concatenate([self.ratings.user, np.repeat(rows, [len(each) for each in read])])
        return replace(self, users=Users((*self.users.ids, *new)), ratings=Ratings(user, **columns))

    def first_user(self) -> str:
        """Return the id of some user, the same each time. Raises ``Problem`` if the files cannot be read from here."""
        with _explained(self.remote, tr("The users of {dataset}", dataset=self.name)):
            ids = _tables(self.remote, "users").head(1, columns=["id"])["id"]
            return str(ids[0].as_py()) if len(ids) else ""


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


def find_if_only_there(name: str) -> RemoteView | None:
    """Return the dataset on a cluster with this name; ``None`` if it is unknown here, or on disk too."""
    return None if name in cache.names() else find(name)


def find(name: str, fingerprint: str | None = None) -> RemoteView | None:
    """Return the dataset on a cluster with this name and, if given, fingerprint; ``None`` if it is unknown here."""
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

    nobody = UnknownUser(
        tr(
            "{dataset} has no user {user!r} among its {count:,} users on the cluster; check the id.",
            dataset=dataset.name,
            user=user,
            count=dataset.user_count,
        )
    )
    whole = tr("The users of {dataset}", dataset=dataset.name)
    with _explained(dataset, tr("The ratings of user {user}", user=user) if user else whole):
        users = _tables(dataset, "users")
        try:
            wanted = pa.scalar(user).cast(users.schema.field("id").type)
        except pa.ArrowInvalid:  # the ids are numbers, and this is not one
            raise nobody from None
        rows = users.to_table(["user", "part"], filter=ds.field("id") == wanted).to_pylist()
        if not rows:
            raise nobody
        ratings = _tables(dataset, f"ratings/part={int(rows[0]['part'])}")
        table = ratings.to_table(list(_COLUMNS), filter=ds.field("user") == rows[0]["user"])
        columns = [table[name].to_numpy().astype(kind) for name, kind in _COLUMNS.items()]
    movie = columns[1]
    if len(movie) and not 0 <= movie.min() <= movie.max() < len(dataset.movies):
        raise Problem(
            tr(
                "The ratings at {uri} are damaged; clean {dataset} on the cluster again.",
                uri=dataset.uri,
                dataset=dataset.name,
            )
        )
    return Ratings(*columns)


def _tables(dataset: RemoteDataset, name: str) -> Any:
    """Return a folder of Parquet files on the cluster, as pyarrow reads it."""
    import pyarrow.dataset as ds

    files, path = remote.reachable(f"{dataset.uri}/{dataset.folder}")
    return ds.dataset(f"{path}/{name}", format="parquet", filesystem=files)


@contextmanager
def _explained(dataset: RemoteDataset, what: str) -> Iterator[None]:
    """Replace an error of pyarrow with a ``Problem`` about ``what``, a plural such as "the users of mine"."""
    import pyarrow as pa

    try:
        yield
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise Problem(
            tr(
                "{what} are at {uri}, which cannot be read from here ({reason}); use a machine that can reach the "
                "cluster's files.",
                what=what,
                uri=dataset.uri,
                reason=reason,
            )
        ) from error
