"""Which datasets there are, how long their first lists take, and which one has newer movies than another."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Literal, cast

from movietui.data import catalogue
from movietui.data.catalogue import DatasetStatus
from movietui.data.dataset import Dataset
from movietui.data.fetch import downloads, estimates
from movietui.data.fetch.sources import SOURCES
from movietui.data.storage import locations
from movietui.models.choices import QUICK
from movietui.protocol.messages import DatasetRow, NewerDataset
from movietui.store.ratings import Store
from movietui.store.run_records import SPARK, Run

MUCH_NEWER = 5
"""Beside a list, a dataset is offered if its newest movies are at least this many years newer than those of the open
dataset. With a smaller gap, most viewers miss little."""
FEWEST_NEWER = 3
"""A dataset is offered after an import if at least this many movies are newer than the open dataset."""
SHARE_NEWER = 0.05
"""The same, as a share of the movies of the import."""


def list_datasets(store: Store) -> list[DatasetRow]:
    """Return all datasets that are on disk or can be fetched."""
    return [_row(status, store) for status in catalogue.list_datasets()]


def list_stored(store: Store | None) -> list[DatasetRow]:
    """Return the rows of ``data list --json``: all datasets and, if any of IMDb's tables are downloaded, these tables.

    Without a store, nothing is known about trained models.
    """
    return [_row(status, store) for status in catalogue.list_stored()]


def _row(status: DatasetStatus, store: Store | None) -> DatasetRow:
    source = SOURCES.get(status.name)
    row = {
        **status.to_json(),
        "seconds": _seconds(status, store.serving_runs(status.name) if store else ()),
        "terms": source.terms if source else "",
        "citation": source.citation if source else "",
    }
    return cast(DatasetRow, row)


def _seconds(status: DatasetStatus, runs: Sequence[Run]) -> float | None:
    """Return about how many seconds the first list would take; 0 if a run can make it at once, ``None`` if unknown."""
    if runs and (status.on_disk or (status.cluster and any(run.device == SPARK for run in runs))):
        return 0.0
    if not status.ratings or status.state == "cluster":
        return None
    measured = next((run.seconds for run in runs if run.model == QUICK and run.seconds), None)
    steps = estimates.seconds(status.download, status.ratings, measured)
    return steps.learn if status.on_disk else steps.total


def newest_year(dataset: Dataset) -> int:
    """Return the newest year of release in a dataset; for a published one that never changes, the year in ``SOURCES``.
    0 if unknown."""
    source = SOURCES.get(dataset.name)
    return (source.years[1] if source and not source.changes else 0) or dataset.newest_year


def newer(store: Store, dataset: Dataset, years: Sequence[int] = ()) -> NewerDataset | None:
    """Return the dataset to offer because its movies are newer than those of ``dataset``; ``None`` if there is none.

    ``years`` has the years of release of all movies of an import, 0 if unknown. With ``years``, a dataset is offered if
    at least ``FEWEST_NEWER`` movies, and a share of ``SHARE_NEWER``, are newer than ``dataset``, and it covers one of
    these. Without ``years``, a dataset is offered if its newest year is at least ``MUCH_NEWER`` years later.

    The dataset with the newest movies is offered; of several, one that can be opened at once, else one on disk, else
    the smallest download. A dataset that would have to be downloaded is not offered if network access is switched off.
    If the disk is too full for it, the result says so.
    """
    than_year = newest_year(dataset)
    if not than_year:
        return None
    newer_years = [year for year in years if year > than_year]
    if years and len(newer_years) < max(FEWEST_NEWER, SHARE_NEWER * len(years)):
        return None
    reach = min(newer_years) if years else than_year + MUCH_NEWER
    offers = [
        (row, state)
        for row in list_datasets(store)
        if row["name"] not in (dataset.name, catalogue.DEMO)
        and (row["last_year"] or 0) >= reach
        and (state := _state(row)) is not None
    ]
    if not offers:
        return None
    states = ("open", "learn", "get")
    row, state = min(
        offers, key=lambda each: (-(each[0]["last_year"] or 0), states.index(each[1]), each[0]["download"])
    )
    needed, free = (max(0, row["disk"] - row["bytes"]) if state == "get" else 0), _free()
    return {
        "dataset": row["name"],
        "last_year": row["last_year"] or 0,
        "than": dataset.name,
        "than_year": than_year,
        "newer": len(newer_years),
        "movies": len(years),
        "state": "full" if needed > free else state,
        "download": row["download"] if state == "get" else 0,
        "disk": needed,
        "free": free,
        "seconds": row["seconds"] or 0.0,
    }


def _state(row: DatasetRow) -> Literal["open", "learn", "get"] | None:
    """Return what it takes to make a list from a dataset; ``None`` if it is not on disk and cannot be downloaded.

    Nothing is downloaded if network access is switched off, and a dataset that the user supplied never is.
    """
    if row["on_disk"]:
        return "open" if row["seconds"] == 0 else "learn"
    return "get" if row["download"] and not downloads.offline() else None


def _free() -> int:
    """Return how many bytes are free on the disk that stores the datasets."""
    folder = locations.datasets()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
