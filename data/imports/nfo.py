"""Reads ids from ``.nfo`` files, which Kodi, Jellyfin and Radarr write beside movies.

The content is searched as text and never parsed as XML, so that a hostile file cannot make a parser expand entities.
"""

import re
from dataclasses import dataclass

from movietui.data.imports.fields import to_id, to_imdb

MAX_BYTES = 2**18
"""How many bytes of a file are read; those that media centres write have about 10 KiB."""
_IMDB_ID = r"(tt[0-9]{7,15})"
_IMDB = (
    re.compile(
        rf"""<uniqueid\b[^<>]{{0,200}}\btype\s*=\s*["']imdb["'][^<>]{{0,200}}>\s*{_IMDB_ID}\s*<""", re.IGNORECASE
    ),
    re.compile(rf"<(?:imdbid|imdb_id|imdb)>\s*{_IMDB_ID}\s*<", re.IGNORECASE),
    re.compile(rf"<id\b[^<>]{{0,200}}>\s*{_IMDB_ID}\s*<", re.IGNORECASE),
    re.compile(rf"\bimdb\.com/(?:[a-z]{{2}}/)?title/{_IMDB_ID}\b", re.IGNORECASE),
)
"""The ways to write an IMDb id, the surest first: fields of Kodi, of Jellyfin and of old versions of Kodi; a link."""
_TMDB = (
    re.compile(r"""<uniqueid\b[^<>]{0,200}\btype\s*=\s*["']tmdb["'][^<>]{0,200}>\s*([0-9]{1,9})\s*<""", re.IGNORECASE),
    re.compile(r"<tmdbid>\s*([0-9]{1,9})\s*<", re.IGNORECASE),
    re.compile(r"\bthemoviedb\.org/movie/([0-9]{1,9})\b", re.IGNORECASE),
)
_SERIES = re.compile(r"<(?:tvshow|episodedetails)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Nfo:
    """What an ``.nfo`` file says."""

    imdb: str = ""
    """The IMDb id, such as ``tt0113277``; empty if unknown."""
    tmdb: int = 0
    """The TMDB id; 0 if unknown."""
    series: bool = False
    """Whether it describes a series or an episode."""


def parse(content: bytes) -> Nfo:
    """Return what the content of an ``.nfo`` file says.

    >>> parse(b'<movie><uniqueid type="imdb" default="true">tt0113277</uniqueid></movie>')
    Nfo(imdb='tt0113277', tmdb=0, series=False)
    """
    text = content[:MAX_BYTES].decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    return Nfo(to_imdb(_only(_IMDB, text)), to_id(_only(_TMDB, text)), _SERIES.search(text) is not None)


def _only(forms: tuple[re.Pattern[str], ...], text: str) -> str:
    """Return the id in the surest of the forms that occur in the text; empty if none occurs, or if its ids differ."""
    for form in forms:
        if ids := set(form.findall(text)):
            return ids.pop() if len(ids) == 1 else ""
    return ""
