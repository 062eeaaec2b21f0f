"""The plain mode: the app as a conversation in lines of text, for screen readers, pipes and terminals without a cursor.

It does what the Browse screen does, on top of the same ``movietui.state``. Nothing here draws.
"""

import os

from movietui.formatting.color import DUMB


def is_wanted() -> bool:
    """Return whether the terminal cannot draw a screen, so that the app should start in plain mode."""
    return os.environ.get("TERM") == DUMB and "TEXTUAL_DRIVER" not in os.environ
