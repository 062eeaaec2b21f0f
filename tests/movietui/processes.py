"""Find out which processes are running."""

import contextlib
import os
import time
from pathlib import Path


def alive(pid: int) -> bool:
    """Return whether a process is running, other than as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return True


def gone(*pids: int, seconds: float = 120.0) -> bool:
    """Wait until no process is running, and return whether that happened in time."""
    until = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def processes_of(home: Path) -> list[int]:
    """Return the ids of the other processes that use a home; empty on systems other than Linux."""
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_this = int(folder.name) == os.getpid()
            if not is_this and f"MOVIETUI_HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                pids.append(int(folder.name))
    return [pid for pid in pids if alive(pid)]


def descendants(pid: int) -> dict[int, str]:
    """Return the descendants of a process, with their command lines; empty on systems other than Linux."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    lines: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            with contextlib.suppress(OSError):
                lines[child] = Path(f"/proc/{child}/cmdline").read_text(errors="replace").replace("\0", " ")
            waiting.append(child)
    return lines
