"""Builds home folders once for all workers of a test run, and finds files in them."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from movietui.data.storage import locations
from movietui.store.ratings import Store


def build_once(tmp_path_factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """Return the folder with this name, and build it if no other worker of the test run has done so."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = shared / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            build(unfinished)
            unfinished.rename(folder)
    return folder


def checkpoint_of(model: str) -> str:
    """Return the checkpoint folder of the newest finished run of a model."""
    store = Store(locations.store())
    name = next(run.checkpoint for run in store.runs() if (run.model, run.state) == (model, "done"))
    store.close()
    return str(locations.checkpoints() / name)
