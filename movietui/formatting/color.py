"""The one rule of what the environment says about colours, for the command line and the app.

``NO_COLOR`` (https://no-color.org), ``CLICOLOR_FORCE`` and ``CLICOLOR`` (https://bixense.com/clicolors) win in this
order. If none is set, a terminal gets colours unless ``TERM`` is ``dumb``, and a file or a pipe gets none.
"""

import os

DUMB = "dumb"
"""The value of ``TERM`` for a terminal without colours."""


def color_wanted() -> bool | None:
    """Return whether colours are demanded or forbidden; ``None`` if that depends on the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return False if os.environ.get("CLICOLOR") == "0" else None


def set_no_color() -> None:
    """Set ``NO_COLOR`` for libraries that look only there, and remove it if it is empty, which means nothing."""
    if color_wanted() is False:
        os.environ["NO_COLOR"] = "1"
    else:
        os.environ.pop("NO_COLOR", None)
