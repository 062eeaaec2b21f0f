"""Settings for all tests: threads, garbage collection, and the signals of the programs that tests start."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

# Set before numpy is loaded: test workers that use two threads each on two cores mostly wait for each other.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

GC_THRESHOLDS = (10_000, 20, 50)
"""Thresholds of the garbage collector, with which a tenth of a test's time is not spent on collections."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Never collect what is imported while pytest looks for tests: it is never garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def signals() -> Iterator[None]:
    """Let the programs that tests start react to signals as in a terminal, even under ``nohup`` or in the background.

    A program ignores the signals that its parent ignores, but does not inherit handlers. This process therefore handles
    such signals, by doing nothing.
    """
    ignored = [
        number
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise ``KeyboardInterrupt`` in this process, as in a process that a person starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def datasets_folder() -> Path:
    """The folder with the real datasets; a test that needs it is skipped if ``ml-100k.zip`` is not there."""
    folder = Path(__file__).parents[1] / ".." / "shared" / "datasets"
    if not (folder / "ml-100k.zip").exists():
        pytest.skip("the real datasets are not beside the repository (../shared/datasets)")
    return folder.resolve()
