"""Makes text from outside safe for a terminal.

Text that is stored, compared or measured is cleaned with ``strip_controls`` first. Everything that is printed or drawn
passes through ``strip_invisible`` in ``movietui.formatting.printing``, and everything that is copied does so in
``movietui.ui.sanitized_app``; code that prints, draws or copies need not call it.
"""

import re

_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\\\|\x9c)"  # window titles, links
    "|\x1b[ -/]*[0-~]?"
)
_LINE_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_CONTROLS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff"
"""Control characters; bidi marks, embeddings, overrides and isolates; interlinear annotation marks; lone surrogates."""
_ZERO_WIDTH = (
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Characters that Unicode says not to display and that no script needs: zero-width spaces, fillers, tags."""
_JOINERS = "\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Joiners and variation selectors. They have no width, but Persian and Indic words and emoji need them."""
_CONTROL_OR_ZERO_WIDTH = re.compile(f"[{_CONTROLS}{_ZERO_WIDTH}]")
INVISIBLE = re.compile(f"[{_CONTROLS}{_ZERO_WIDTH}{_JOINERS}\u2028\u2029]")
"""Matches one character that controls a terminal or is invisible there, including line breaks and tabs."""


def strip_controls(text: str) -> str:
    """Return the text without escape sequences, ``_CONTROLS`` and ``_ZERO_WIDTH``.

    One or more line breaks or tabs become a space. Everything else stays: brackets, letters of every script, and the
    joiners between them.
    """
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL_OR_ZERO_WIDTH.sub("", _LINE_BREAKS.sub(" ", _ESCAPES.sub("", text)))


def strip_invisible(text: str) -> str:
    """Return the text without joiners and without what ``strip_controls`` removes, safe to send to a terminal.

    Terminals disagree on the width of joined characters; without joiners, every terminal shows the same characters in
    the same cells.
    """
    if (text.isascii() and text.isprintable()) or INVISIBLE.search(text) is None:
        return text
    return INVISIBLE.sub("", strip_controls(text))
