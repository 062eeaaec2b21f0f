"""Understands paths that people type, paste or drop, and picks names for new files."""

import os
import re
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

from movietui.data.storage import public_demo

_ESCAPED = re.compile(r"\\(.)")


def pasted(text: str) -> Path:
    """Return the path that a text stands for, which the user typed, pasted or dropped on the terminal.

    Terminals put quotes around a path, or a backslash before each space and special character; file managers write a
    URL. If the text as it stands names an existing file, it is taken literally. ``~`` is the home folder. Raises
    ``Problem`` in the public demo.

    >>> [str(pasted(text)) for text in ("'/tmp/my list.zip' ", r"/tmp/my\\ list.zip", "file:///tmp/my%20list.zip")]
    ['/tmp/my list.zip', '/tmp/my list.zip', '/tmp/my list.zip']
    """
    public_demo.refuse_files()
    stripped = text.strip(" \t\r\n")
    for literal in (text, stripped):
        if literal and _exists(os.path.expanduser(literal)):
            return Path(os.path.expanduser(literal))
    return Path(os.path.expanduser(_unquoted(stripped)))


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """Return a path that does not exist yet in a folder: ``runs.csv``, or else ``runs-2.csv``, and so on.

    Raises ``Problem`` in the public demo.
    """
    public_demo.refuse_files()
    names = (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}" for number in count(1))
    return next(folder / name for name in names if not _exists(str(folder / name)))


def _exists(path: str) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # it contains a null character
        return False


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        inside = text[1:-1]
        text = inside.replace("'\\''", "'") if text[0] == "'" else re.sub(r'\\(["\\$`])', r"\1", inside)
    elif os.sep == "/":
        text = _ESCAPED.sub(r"\1", text)
    if text[:7].casefold() == "file://":
        return unquote(urlsplit(text.replace("#", "%23").replace("?", "%3F")).path)
    return text
