"""What the figures of a run depend on, besides its settings: the versions, the machine and the data."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movietui import __version__
from movietui.data.safe_text import strip_controls
from movietui.data.versions import version_of

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset

PACKAGES = ("numpy", "pandas", "torch", "optuna")
"""The packages whose version can change a figure."""
CPUS = Path("/proc/cpuinfo")
"""Where Linux names the processor."""
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
LONGEST = 200
"""The maximum number of characters of a name."""


def environment_of(dataset: Dataset) -> dict[str, Any]:
    """Return what a run on a dataset depends on, as it is stored with the run.

    ``movietui``, ``python``, ``packages``: versions. ``system``, ``processor``: their names. ``threads``: how many a
    computation uses. ``data``: the fingerprint of the dataset; ``Run.imdb`` has that of its join with IMDb.
    """
    return {**_machine(), "threads": _threads(), "data": dataset.fingerprint}


def fingerprints(dataset: Dataset) -> dict[str, str]:
    """Return the fingerprints of a dataset: ``data``, and ``imdb``, which is empty unless it is joined with IMDb."""
    return {"data": dataset.fingerprint, "imdb": dataset.joined}


@cache
def _machine() -> dict[str, Any]:
    return {
        "movietui": __version__,
        "python": platform.python_version(),
        "packages": {name: installed for name in PACKAGES if (installed := version_of(name))},
        "system": strip_controls(f"{platform.system()} {platform.machine()}")[:LONGEST],
        "processor": strip_controls(_processor())[:LONGEST],
    }


def _processor() -> str:
    try:
        lines = CPUS.read_text("utf-8", "replace").splitlines()
    except OSError:  # not on Linux
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _threads() -> int:
    """Return the number of threads of a computation: as set for OpenMP or by torch, else the number of cores."""
    if "torch" in sys.modules:
        return int(sys.modules["torch"].get_num_threads())
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return int(limit) if limit.isdecimal() and int(limit) else CORES
