"""Whether a process that was written down is still the one that runs under its number."""

import contextlib
import os
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@cache
def this_process() -> tuple[int, str]:
    """Return the number of this process and when it began."""
    return os.getpid(), _began(os.getpid()) or ""


def still_runs(process: int, began: str) -> bool:
    """Return whether a process runs that began then; where that is not known (empty), whether any runs so numbered.

    One that ended and was not waited for does not run.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    now = _began(process)
    return now is not None and began in ("", now)


def peak_bytes() -> int:
    """Return the most memory that this process had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _began(process: int) -> str | None:
    """Return when a process began, as text that no other process under that number has; ``None`` for a dead one."""
    if _BOOT.exists():
        with contextlib.suppress(OSError):
            # The name of the program, in brackets, may hold anything; what follows it does not.
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            return None if fields[0] in "ZX" else f"{_BOOT.read_text().strip()}:{fields[19]}"
        return None
    told = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(process)], capture_output=True, text=True)
    state, _, began = told.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()
