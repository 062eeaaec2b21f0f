"""Refuses a fit that does not fit in memory, before it begins."""

import os
from contextlib import suppress
from pathlib import Path

from movietui.data.language import tr
from movietui.data.problems import Problem

MEMINFO = Path("/proc/meminfo")
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where the two versions of Linux's control groups state how much memory a container may use."""
GIGABYTE = 1e9


def available() -> int:
    """Return about how many bytes of memory a process can use without swapping.

    On Linux, this is what the kernel estimates, and no more than the limit of the container. Elsewhere, it is the
    memory that the machine has.
    """
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError, StopIteration):
        line = next(line for line in MEMINFO.read_text().splitlines() if line.startswith("MemAvailable:"))
        free = int(line.split()[1]) * 1024
    for limit in LIMITS:
        with suppress(OSError, ValueError):  # no limit is written as a word
            free = min(free, int(limit.read_text()))
    return free


def require(model: str, needed: int, users: int, movies: int) -> None:
    """Raise ``Problem`` if a fit of a model on this many users and movies needs more than the available memory.

    ``needed``: in bytes.
    """
    if needed and needed > (free := available()):
        raise Problem(
            tr(
                "{model} needs about {needed:,.1f} GB of memory for {users:,} users and {movies:,} movies, but only "
                "{free:,.1f} GB is free; train another model, such as mf.",
                model=model,
                needed=needed / GIGABYTE,
                users=users,
                movies=movies,
                free=free / GIGABYTE,
            )
        )
