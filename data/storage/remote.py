"""Stores the movies of a dataset that was cleaned on a cluster, where its ratings stay.

The folder ``datasets/NAME/cluster`` has the movies, the number of ratings and the sum of the stars of each, and facts
about the dataset. A dataset of the same name may also be on this machine; neither changes the other. Reading needs no
Spark.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from movietui.data.cleaning.cleaner import CleaningReport
from movietui.data.dataset import Movies, Scale
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.storage import cache, disk, locations, parquet
from movietui.data.storage.cache import MALFORMED, REMOTE
from movietui.data.storage.parquet import Damaged


@dataclass(frozen=True, eq=False)
class RemoteDataset:
    """A dataset on a cluster: all of it except its ratings and users, which are at ``uri``."""

    name: str
    uri: str
    """The folder with its ratings and users, in the cluster's file system."""
    folder: str
    """The folder inside ``uri`` with the tables, which changes whenever the dataset is cleaned again."""
    scale: Scale
    rating_count: int
    """The number of ratings after cleaning; likewise ``user_count``."""
    user_count: int
    fingerprint: str
    """Hexadecimal digest of the content after cleaning; it does not depend on the order of the ratings."""
    preset: str
    """The cleaning that was applied, as text; see ``movietui.data.cleaning.cleaner.parse``."""
    movies: Movies
    counts: NDArray[np.int64]
    """The number of ratings of each movie, shape (movies,)."""
    totals: NDArray[np.float64]
    """The sum of the stars of each movie, shape (movies,)."""
    report: CleaningReport


Kind = TypeVar("Kind", bound=RemoteDataset)


def save(dataset: RemoteDataset, facts: dict[str, Any]) -> None:
    """Store a dataset on a cluster in place of an earlier one with its name.

    ``facts`` has other entries of the manifest. Raises ``Problem`` if the files cannot be written.
    """
    import pyarrow as pa

    tables = {
        **cache.movie_tables(dataset.movies),
        "counts": pa.table({"ratings": dataset.counts, "stars": dataset.totals}),
    }
    manifest = {
        **facts,
        **cache.movie_facts(dataset.movies),
        "uri": dataset.uri,
        "folder": dataset.folder,
        "scale": [dataset.scale.low, dataset.scale.high, dataset.scale.step],
        "ratings": dataset.rating_count,
        "users": dataset.user_count,
        "movies": len(dataset.movies),
        "fingerprint": dataset.fingerprint,
        "preset": dataset.preset,
        "report": dataset.report.to_json(),
    }
    parquet.write_folder(cache.folder_of(dataset.name) / REMOTE, tables, manifest, nullcontext())


def describe(name: str) -> dict[str, Any]:
    """Return the facts about a dataset on a cluster.

    Raises ``FileNotFoundError`` if there is none with this name, and ``Damaged`` if its files are damaged.
    """
    facts = parquet.manifest_of(cache.folder_of(name) / REMOTE)
    if not all(isinstance(facts.get(key), str) for key in ("uri", "folder", "fingerprint", "preset")):
        raise Damaged(name)
    if not all(type(facts.get(key)) is int and facts[key] >= 0 for key in ("ratings", "users", "movies")):
        raise Damaged(name)
    if not disk.is_plain_name(facts["folder"]):
        raise Damaged(name)
    return facts


def names() -> list[str]:
    """Return the names of the datasets on a cluster that are stored here."""
    try:
        return sorted(
            folder.name
            for folder in locations.datasets().iterdir()
            if locations.is_dataset(folder.name) and (folder / REMOTE / "manifest.json").is_file()
        )
    except OSError:
        return []


def reachable(uri: str) -> tuple[Any, str]:
    """Return the file system of pyarrow that reads a URI of the cluster without Spark, and the path in it.

    Raises ``OSError`` or ``ValueError`` (an ``ArrowException``) for a place that pyarrow does not know.
    """
    from pyarrow.fs import FileSystem

    files, path = FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))
    return files, path


def load(name: str, kind: type[Kind]) -> Kind:
    """Return a dataset on a cluster as a ``kind``, a subclass of ``RemoteDataset`` with the same fields.

    Raises ``Problem`` if none with this name is stored here, or if its files are damaged.
    """
    again = tr("clean it on the cluster again with movietui cluster clean {dataset}", dataset=name)
    try:
        facts = describe(name)
        tables, _ = parquet.read_folder(cache.folder_of(name) / REMOTE)
        dataset = kind(
            name,
            facts["uri"],
            facts["folder"],
            Scale(*facts["scale"]),
            facts["ratings"],
            facts["users"],
            facts["fingerprint"],
            facts["preset"],
            cache.movies_from(tables, facts),
            tables["counts"]["ratings"],
            tables["counts"]["stars"],
            CleaningReport.from_json(facts["report"]),
        )
        lengths = {len(dataset.movies), facts["movies"], len(dataset.counts), len(dataset.totals)}
        if len(lengths) > 1 or not cache.are_movies_consistent(dataset.movies):
            raise Damaged(name)
        if not cache.is_scale_valid(dataset.scale):
            raise Damaged(name)
    except FileNotFoundError:
        known = names()
        otherwise = tr("known here: {datasets}.", datasets=", ".join(known) or tr("none"))
        raise no_such(tr("There is no dataset {dataset} on a cluster", dataset=name), name, known, otherwise) from None
    except (Damaged, *MALFORMED):
        raise Problem(
            tr(
                "The stored movies of {dataset}, which is on a cluster, are damaged; {again}.",
                dataset=name,
                again=again,
            )
        ) from None
    return dataset
