"""Send hostile inputs to every boundary.

An input must not cause an undocumented exception, a hang, much use of memory, or a file outside the allowed folders.

Each input is a valid one with changes that its seed determines. A separate process tries inputs in batches and records
which input it is trying. If an input takes too long, the process is killed.
"""

import itertools
import mmap
import multiprocessing
import os
import resource
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.benchmarks.campaign import homes
from tests.benchmarks.campaign.boundaries import WEIGHTS, Boundaries
from tests.benchmarks.campaign.report import Evidence, Report

TIMES = 1_000_000
BATCH = 1000
LONGEST_SECONDS = 10.0
"""The maximum CPU time that an input may take. Other processes do not affect it, however busy the machine is."""
MOST_MEMORY = 500 * 2**20
"""The maximum number of bytes by which an input may increase the memory of the process."""
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link"}
"""Audit events of Python that announce that a file will be renamed, linked or removed."""
PROGRESS = struct.Struct("qd")
"""The seed of the input that the process is trying, and the CPU time of the process when it started on that input."""


def run(report: Report, template: Path, scratch: Path, weights: Mapping[str, int] = WEIGHTS) -> None:
    """Try inputs until there are enough. ``weights``: how often each boundary is tried."""
    with tempfile.TemporaryDirectory() as elsewhere, homes.at_home(scratch / "home", HOME=elsewhere):
        boundaries = Boundaries(scratch)
        seeds = report.seeds()
        while batch := _counted(report, boundaries, weights, itertools.islice(seeds, BATCH)):
            while batch:
                batch = _batch(report, boundaries, weights, batch, scratch)


def _counted(report: Report, boundaries: Boundaries, weights: Mapping[str, int], seeds: Iterator[int]) -> list[int]:
    """Return the seeds of a batch, and count each as tried."""
    batch = []
    for seed in seeds:
        report.tried[boundaries.kind(seed, weights)] += 1
        batch.append(seed)
    return batch


def _batch(
    report: Report, boundaries: Boundaries, weights: Mapping[str, int], seeds: Sequence[int], scratch: Path
) -> list[int]:
    """Try inputs in a separate process. Return the seeds that it did not get to.

    There are such seeds only if the process dies or has to be killed.
    """
    context = multiprocessing.get_context("fork")
    progress = mmap.mmap(-1, PROGRESS.size)
    reading, writing = context.Pipe(duplex=False)
    worker = context.Process(target=_try, args=(boundaries, weights, seeds, scratch, progress, writing))
    worker.start()
    writing.close()
    finished, failure_cause = False, ""
    try:
        while not finished and not failure_cause:
            if reading.poll(0.5):
                try:
                    failure = reading.recv()
                except EOFError:
                    failure_cause = "the process that tried it died"
                    break
                if finished := failure is None:
                    break
                _fail(report, boundaries, weights, *failure)
            elif _cpu_seconds(worker.pid) - PROGRESS.unpack(progress[:])[1] > LONGEST_SECONDS:
                failure_cause = f"not done after {LONGEST_SECONDS:g} s"
    finally:
        worker.kill()
        worker.join()
    if finished:
        return []
    (seed, _) = PROGRESS.unpack(progress[:])
    _fail(report, boundaries, weights, seed, failure_cause, failure_cause)
    return list(seeds[seeds.index(seed) + 1 :])


def _fail(report: Report, boundaries: Boundaries, weights: Mapping[str, int], seed: int, what: str, why: str) -> None:
    case = boundaries.input(seed, weights)
    evidence = Evidence({case.name.replace("/", "-"): case.content})
    report.fail(seed, f"{case.kind}, {case.name}: {what}", why, evidence)


def _cpu_seconds(pid: int | None) -> float:
    """Return the CPU time of a process in seconds; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _try(
    boundaries: Boundaries,
    weights: Mapping[str, int],
    seeds: Sequence[int],
    scratch: Path,
    progress: mmap.mmap,
    pipe: "Connection[Any, Any]",
) -> None:
    """Try inputs, send each failure through the pipe, and at the end send ``None``."""
    guard = _Guard((str(scratch.resolve()),))
    sys.addaudithook(guard.hook)
    unraisable: list[str] = []
    sys.unraisablehook = lambda raised: unraisable.append(
        f"{raised.exc_type.__name__} in {getattr(raised.object, '__qualname__', '')}: {raised.exc_value}"
    )
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MOST_MEMORY
    for seed in seeds:
        case = boundaries.input(seed, weights)
        progress[:] = PROGRESS.pack(seed, time.process_time())
        try:
            with guard:
                boundaries.take(case)
        except Exception as error:
            pipe.send((seed, f"{type(error).__name__}: {error}"[:300], traceback.format_exc()[-20_000:]))
        if unraisable:  # exceptions that Python can only print, for example those raised in ``__del__``
            pipe.send((seed, f"raised and dropped: {unraisable[0].partition(':')[0]}", "\n".join(unraisable)))
            unraisable.clear()
        if guard.seen:
            pipe.send((seed, f"outside of the home: {guard.seen[0]}", "\n".join(guard.seen)))
            guard.seen.clear()
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if used > highest:
            pipe.send((seed, f"{(used - highest + MOST_MEMORY) / 2**20:.0f} MB of memory", ""))
            highest = used + MOST_MEMORY  # the next input that needs more is reported too
    pipe.send(None)
    pipe.close()
    os._exit(0)


class _Guard:
    """Records each file that is written, created or removed outside the allowed folders."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = (*allowed, "/dev/")
        self._on = False
        self.seen: list[str] = []

    def __enter__(self) -> None:
        self._on = True

    def __exit__(self, *error: object) -> None:
        self._on = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Receive an audit event, and record it if Python is about to do something that is not allowed."""
        if not self._on:
            return
        if event == "open":
            path, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                return
            paths: tuple[Any, ...] = (path,)
        elif event == "os.mkdir":  # the second argument is a mode, not a folder descriptor
            paths, arguments = arguments[:1], (arguments[0], *arguments[2:])
        elif event in CHANGES:
            paths = arguments[:2] if event in ("os.rename", "os.link") else arguments[:1]
        else:
            return
        folders = [each for each in arguments[len(paths) :] if isinstance(each, int) and each >= 0]
        for path in paths:
            if isinstance(path, str | bytes | os.PathLike):
                folder = os.readlink(f"/proc/self/fd/{folders[-1]}") if folders and event != "open" else ""
                name = os.path.realpath(os.path.join(folder, os.fsdecode(path)))
                if not name.startswith(self._allowed):
                    self.seen.append(f"{event} {name}")
