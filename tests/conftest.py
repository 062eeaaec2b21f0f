"""What holds for all tests: the threads of a worker, and the signals of what they start."""

import os
import signal
from collections.abc import Iterator

import pytest

# Set before numpy is loaded: workers that multiply in two threads each, on two cores, mostly wait for each other.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def signals() -> Iterator[None]:
    """Give the programs that tests start the signals of a terminal, also under ``nohup`` and in the background.

    What is ignored stays ignored in each process that is started, but what is handled does not: this process goes on
    as if it ignored them.
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
    """Let SIGINT raise ``KeyboardInterrupt`` in this process, as in one that a person started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
