"""The exit codes of movietui, with which it tells a shell or a script how it ended."""

from collections.abc import Mapping
from typing import Final

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130
SIGNAL: Final = 128
"""Added to the number of the signal that ended the app."""
MEANINGS: Mapping[str, str] = {
    str(DONE): "It succeeded. Whatever reads the output may close the pipe early, as head does.",
    str(FAILED): "It could not be done: one sentence on standard error says what is wrong and what to do. For doctor, "
    "a line says fail; warnings do not count.",
    str(WRONG_USAGE): "The arguments are wrong.",
    str(INTERRUPTED): "It was interrupted with ctrl+c.",
    f"{SIGNAL} + N": "Signal N ended it, for example because the terminal was closed (129) or the system shut down "
    "(143).",
}
"""What each exit code means, as the documentation and the man pages say it."""
