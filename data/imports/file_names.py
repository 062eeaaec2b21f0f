"""Reads titles, years and ids from the names of movie files and of their folders.

Two ways to write names are common. ``Heat (1995)`` is how Jellyfin, Kodi, Plex and Radarr want names to be, with tags
such as ``{imdb-tt0113277}``, ``[tmdbid-949]`` and ``{edition-Director's Cut}``. ``Heat.1995.1080p.BluRay.x264-GRP`` is
how releases are named: the year is the last one before the first technical word.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from movietui.data.imports.fields import to_id, to_imdb, to_title
from movietui.data.titles import FIRST_YEAR, parse_label, title_key

_TAG = re.compile(r"[\[({](imdb|tmdb)(?:id)?[-=: ]\s*(tt)?([0-9]{1,15})[\])}]", re.IGNORECASE)
_BRACES = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_YEAR_IN_BRACKETS = re.compile(r"[\[({]\s*([0-9]{4})\s*[\])}]")
_YEAR = re.compile(r"(?<![0-9])([0-9]{4})(?![0-9])")
_TECHNICAL = re.compile(
    r"(?:480|576|720|1080|1440|2160|4320)[pi]|4k|8k|uhd|hdr(?:10)?|dv|sdr|blu-?ray|bd-?rip|br-?rip|bdremux|remux|"
    r"web-?(?:dl|rip)?|hdtv|hd-?rip|dvd-?(?:rip|scr|r|[59])?|vhs-?rip|cam-?rip|[xh]\.?26[45]|hevc|avc|av1|xvid|divx|"
    r"aac[0-9.]*|e?ac3|dd[p+]?[0-9.]*|dts(?:-?(?:hd|x|ma))*|truehd|atmos|flac|10bit|8bit|internal|repack|proper",
    re.IGNORECASE,
)
"""Matches a word that tells how a movie was recorded, which no title has after its year."""
_PART = re.compile(r"[\s._-]+(?:(cd|dvd|dis[ck])|part|pt)[\s._-]*([0-9]{1,2}|[a-d])$", re.IGNORECASE)
_EPISODE = re.compile(
    r"(?<![a-z0-9])(?:s[0-9]{1,2}[\s._-]*e[0-9]{1,3}|season[\s._-]*[0-9]{1,2}[\s._-]*episode)", re.IGNORECASE
)
_SHORT_EPISODE = re.compile(r"(?<![a-z0-9])[0-9]{1,2}x[0-9]{2,3}(?![a-z0-9])", re.IGNORECASE)
_SEASON = re.compile(r"(?:season|series|staffel|saison|temporada|stagione)[\s._-]*[0-9]{1,3}|s[0-9]{2}", re.IGNORECASE)
_EXTRA_FOLDERS = frozenset(
    (
        *("behind the scenes", "deleted scenes", "interviews", "scenes", "samples", "sample", "shorts", "featurettes"),
        *("clips", "other", "others", "extras", "extra", "trailers", "trailer", "theme-music", "backdrops", "bonus"),
    )
)
_SAMPLE = re.compile(r"(?:.*[\s._-])?sample|sample[\s._-].*", re.IGNORECASE)
_EXTRA = re.compile(
    r".*[\s._-]trailer[0-9]?|.*-(?:scene|clip|interview|behindthescenes|deleted(?:scene)?|featurette|short|other|extra)"
    r"|trailer",
    re.IGNORECASE,
)
MOST_YEARS_AHEAD = 1
"""A number further in the future is not a year of release but part of a title, as in Blade Runner 2049."""


@dataclass(frozen=True)
class FileName:
    """What the name of a file or folder says about a movie."""

    title: str
    """As it is written, with the article first; empty if the name has no title."""
    year: int = 0
    """0 if unknown."""
    imdb: str = ""
    """The IMDb id, such as ``tt0113277``; empty if the name has none."""
    tmdb: int = 0
    """The TMDB id; 0 if the name has none."""
    labelled: bool = False
    """Whether the year is in brackets after the title, as people and media players write it."""


def parse(name: str) -> FileName:
    """Parse the name of a movie file, without its extension, or of a folder.

    >>> parse("Heat.1995.1080p.BluRay.x264-GRP")
    FileName(title='Heat', year=1995, imdb='', tmdb=0, labelled=False)
    >>> parse("Matrix, The (1999) {imdb-tt0133093}")
    FileName(title='The Matrix', year=1999, imdb='tt0133093', tmdb=0, labelled=True)
    """
    imdb, tmdb = "", 0
    for service, _, number in _TAG.findall(name):
        if service.casefold() == "imdb":
            imdb = imdb or to_imdb(number)
        else:
            tmdb = tmdb or to_id(number)
    name = _TAG.sub(" ", name)
    year_at = next((match for match in reversed(list(_YEAR_IN_BRACKETS.finditer(name))) if _is_year(match[1])), None)
    if year_at and (title := _title(name[: year_at.start()])):
        return _named(title, int(year_at[1]), imdb, tmdb, labelled=True)
    words = _spaced(_BRACES.sub(" ", name))
    years = [match for match in _YEAR.finditer(words) if _is_year(match[1]) and _title(words[: match.start()])]
    technical = [match.start() for match in re.finditer(r"\S+", words) if _is_technical(match[0])]
    # A word such as "proper" or "web" may be part of the title, but not if the year is before it.
    end = next((at for at in technical if at > (years[0].start() if years else 0)), len(words))
    known = [match for match in years if match.start() < end]
    if known:
        return _named(_title(words[: known[-1].start()]), int(known[-1][1]), imdb, tmdb)
    return _named(_title(words[:end]), 0, imdb, tmdb)


def part_of(name: str) -> tuple[str, bool]:
    """Return the name without the number of a part at its end, and whether that part is a disc.

    >>> part_of("Heat (1995) - cd2"), part_of("Dune Part 2")
    (('Heat (1995)', True), ('Dune', False))
    """
    match = _PART.search(name)
    return (name[: match.start()], bool(match[1])) if match else (name, False)


def is_episode(name: str) -> bool:
    """Return whether a file is named like an episode of a series: ``S01E02``, or ``1x02`` without a year."""
    return _EPISODE.search(name) is not None or (_SHORT_EPISODE.search(name) is not None and not parse(name).year)


def is_season(folder: str) -> bool:
    """Return whether a folder is named like a season of a series: ``Season 1``, ``S01``."""
    return _SEASON.fullmatch(folder.strip()) is not None


def is_extra_folder(folder: str) -> bool:
    """Return whether a folder has one of the names that Jellyfin, Kodi and Plex want for extras: ``Featurettes``."""
    return folder.strip().casefold().replace("_", " ") in _EXTRA_FOLDERS


def is_sample(name: str) -> bool:
    """Return whether a file is named like a sample of a release: ``sample``, ``heat-sample``."""
    return _SAMPLE.fullmatch(name) is not None


def is_extra(name: str) -> bool:
    """Return whether a file is named like an extra of a movie: ``Heat-trailer``, ``Heat-behindthescenes``."""
    return _EXTRA.fullmatch(name) is not None


def _named(title: str, year: int, imdb: str, tmdb: int, *, labelled: bool = False) -> FileName:
    return FileName(parse_label(title)[0], year, imdb, tmdb, labelled)


def _is_year(text: str) -> bool:
    return FIRST_YEAR <= int(text) <= datetime.now(UTC).year + MOST_YEARS_AHEAD


def _is_technical(word: str) -> bool:
    """Return whether a word, or its part before a hyphen that names the group of a release, is technical."""
    return any(_TECHNICAL.fullmatch(each) for each in (word, word.partition("-")[0], word.strip("()-")))


def _spaced(name: str) -> str:
    """Return a name with spaces instead of the dots and underscores that stand for them."""
    name = name.replace("_", " ")
    if " " in name.strip():
        return name
    return re.sub(r"\.(?!26[45])", " ", name)  # "h.264" is one word


def _title(text: str) -> str:
    """Return the title in the part of a name before the year; empty if it has no letter or digit."""
    try:
        title = to_title(_spaced(_BRACES.sub(" ", text)).strip(" -–,.").rstrip(" -–([{,."))
    except ValueError:
        return ""
    return title if any(character.isalnum() for character in title_key(title)) else ""
