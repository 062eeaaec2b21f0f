"""Tells whether a process that the store names still runs.

The process number is not enough, because another process may have the same number by now. So the store also has the
time when the process started.
"""

import contextlib
import os
import subprocess
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@cache
def this_process() -> tuple[int, str]:
    """Return the number of this process and, as text, when it started."""
    return os.getpid(), _began(os.getpid()) or ""


def still_runs(process: int, began: str) -> bool:
    """Return whether a process with this number and start time runs. An empty start time matches any.

    A process that has exited does not run, even if its parent has not waited for it (a zombie).
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    now = _began(process)
    return now is not None and began in ("", now)


def _began(process: int) -> str | None:
    """Return the start time of the process with this number, as text; ``None`` if the process has exited."""
    if _BOOT.exists():
        with contextlib.suppress(OSError):
            # The name of the program, in brackets, may contain spaces and brackets; the fields after it do not.
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            return None if fields[0] in "ZX" else f"{_BOOT.read_text().strip()}:{fields[19]}"
        return None
    output = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(process)], capture_output=True, text=True)
    state, _, began = output.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()
