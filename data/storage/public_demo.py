"""The public demo: strangers use the app in their browsers, so it must not touch the files of whoever runs it.

``movietui serve --public-demo`` sets ``VARIABLE`` for the process of each visitor. Everything that turns typed text
into a path, or writes a file that somebody asked for, calls ``refuse_files``.
"""

import os

from movietui.data.language import tr
from movietui.data.problems import Problem

VARIABLE = "MOVIETUI_PUBLIC_DEMO"
NOTICE = tr("This is a public demo: its ratings are invented, and nothing is stored.")


def is_on() -> bool:
    """Return whether this process serves a visitor of the public demo."""
    return bool(os.environ.get(VARIABLE))


def refuse_files() -> None:
    """Raise ``Problem`` in the public demo."""
    if is_on():
        raise Problem(tr("This is a public demo: nothing is stored, and it opens no files; install movietui for that."))
