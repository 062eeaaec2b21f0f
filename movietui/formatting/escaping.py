"""Escapes untrusted text in JSON, in tables for spreadsheets, and in Markdown, LaTeX and SVG. Also checks links.

``printing`` makes text safe for the terminal.
"""

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from movietui.data.safe_text import INVISIBLE, strip_controls

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@")
"""The characters that start a formula in a spreadsheet. ``csv_text`` puts an apostrophe before such text, and an
import removes the apostrophe."""
_MARKDOWN = re.compile(r"((?<![\w.])[+-]?\d+(?:\.\d+)?(?![\w.]))|([\\`*_{}\[\]<>()#+\-.!|~&:@$^=])")
"""Matches a number, which Markdown shows as it is, or a character that has to be escaped."""
_ADDRESS = re.compile(r"(?i)(?<=://)|(?<=www\.)")
PAGES = ("www.imdb.com", "letterboxd.com", "www.justwatch.com")
"""The sites whose pages the app may open."""
_IMDB = re.compile(r"tt[0-9]{7,15}")


def json_text(document: object, indent: int | None = 2) -> str:
    """Return a document as JSON, on one line if ``indent`` is ``None``. Invisible characters become ``\\uXXXX``.

    Raises ``ValueError`` for a number that JSON cannot represent, such as NaN.
    """
    if indent is None:
        line = _ON_ONE_LINE(document)
        # json escapes all control characters of ASCII except DEL.
        return line if line.isascii() and "\x7f" not in line else INVISIBLE.sub(_escape, line)
    return INVISIBLE.sub(_escape, json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False))


_ON_ONE_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
"""The encoder for all lines. ``json.dumps`` would create one for each of the million lines that an import can print."""


def _escape(match: re.Match[str]) -> str:
    # JSON strings contain no raw control characters, so a line break belongs to the layout.
    return "\n" if match[0] == "\n" else json.dumps(match[0]).strip('"')


def csv_text(rows: Iterable[Sequence[object]], end: str = "\n") -> str:
    """Return rows as comma-separated values in which no text can run as a formula. ``None`` is an empty cell."""
    lines = io.StringIO()
    csv.writer(lines, lineterminator=end).writerows([_cell(value) for value in row] for row in rows)
    return lines.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = strip_controls(value)
    return f"'{text}" if text.lstrip().startswith(RUN_BY_SPREADSHEETS) else text


def markdown(words: str) -> str:
    """Return text, on one line, that Markdown shows literally: without HTML, links, images or emphasis.

    GitHub turns an address into a link even if all its characters are escaped, so the address gets a space inside.
    """
    return _MARKDOWN.sub(
        lambda match: match[1] or f"\\{match[2]}", _ADDRESS.sub(" ", " ".join(strip_controls(words).split()))
    )


def latex(words: str) -> str:
    """Return text, on one line, that LaTeX prints literally, without any commands.

    >>> latex("a_b 5 % ± 1")
    'a\\\\_b 5 \\\\% $\\\\pm$ 1'
    """
    return " ".join(strip_controls(words).split()).translate(_LATEX)


_LATEX = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "±": r"$\pm$",
        "−": "$-$",
        "★": r"$\star$",
    }
)


def xml(words: str) -> str:
    """Return text that an SVG or XML file shows literally, without control characters."""
    return html.escape(strip_controls(words))


def imdb_page(title: str) -> str:
    """Return the address of a title's page on IMDb; empty if ``title`` is not a valid id, such as ``tt0116282``."""
    return f"https://www.imdb.com/title/{title}/" if _IMDB.fullmatch(title) else ""


def is_known_page(address: str) -> bool:
    """Return whether an address is an HTTPS page on one of ``PAGES`` and has only printable ASCII characters."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.netloc in PAGES and address.isascii() and address.isprintable()
