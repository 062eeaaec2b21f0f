"""The commit from which movietui was built: a wheel has a record of it; a checkout is asked."""

import re
import subprocess
from contextlib import suppress
from pathlib import Path

from movietui import __version__

RECORD = "commit.txt"
"""The file beside this module in which a build records the commit; ``setup.py`` writes it."""
SECONDS = 5.0
"""How many seconds git may take."""
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def version_text() -> str:
    """Return ``movietui 0.2.0 (commit abcdef1)``, without the commit if it is unknown."""
    commit = commit_of(Path(__file__).parents[1])
    return f"movietui {__version__}" + (f" (commit {commit})" if commit else "")


def commit_of(source: Path) -> str:
    """Return the commit of movietui in a folder, as recorded or that of the checkout; empty if it is unknown."""
    with suppress(OSError, UnicodeDecodeError):
        recorded = (source / "movietui" / RECORD).read_text("ascii").strip()
        return recorded if _COMMIT.fullmatch(recorded) else ""
    if not (source / ".git").exists():  # it may be a folder with packages inside somebody else's repository
        return ""
    try:
        git = ["git", "-C", str(source), "rev-parse", "--short=7", "HEAD"]
        printed = subprocess.run(git, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=SECONDS).stdout
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return printed.strip() if _COMMIT.fullmatch(printed.strip()) else ""
