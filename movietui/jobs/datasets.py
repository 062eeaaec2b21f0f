"""Fetch, clean, join and remove datasets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from movietui.data import catalogue
from movietui.data.progress import Report, silent
from movietui.protocol.jobs import RemoveResult
from movietui.protocol.messages import CleaningReport, ImdbReport
from movietui.store.ratings import Store


def get(
    name: str,
    path: Path | None = None,
    report: Report = silent,
    *,
    insecure: bool = False,
    columns: Sequence[str] = (),
    scale: str = "",
) -> dict[str, Any]:
    """Fetch a dataset, or read it from a file or folder, and return what ``data get --json`` prints."""
    return catalogue.get(name, path, report, insecure=insecure, columns=columns, scale=scale).to_json()


def clean(name: str, cleaning: str, report: Report = silent) -> CleaningReport:
    """Clean a dataset and return what ``data clean --json`` prints."""
    return cast(CleaningReport, catalogue.clean(name, cleaning, report).to_json())


def join_imdb(name: str, folder: Path | None = None, report: Report = silent) -> ImdbReport:
    """Join a dataset with IMDb and return what ``data imdb --json`` prints."""
    return cast(ImdbReport, catalogue.join(name, folder, report).to_json())


def remove(store: Store, name: str) -> RemoveResult:
    """Remove a dataset and return what ``data remove --json`` prints."""
    removed = catalogue.remove(name)
    in_use = store.dataset_in_use() == name
    return {"dataset": removed.dataset, "bytes": removed.bytes, "in_use": in_use, "cluster": removed.cluster}
