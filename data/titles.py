"""Converts published titles (``Matrix, The``) to readable ones (``The Matrix``), and to keys for comparing them."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote

from movietui.data.safe_text import strip_controls

FIRST_YEAR = 1870
LAST_YEAR = 2100
"""A number before ``FIRST_YEAR`` or after this one is not read as a year of release."""

_ARTICLES_BY_LANGUAGE = {
    "English": ("the", "a", "an"),
    "French": ("le", "la", "les", "l'", "un", "une"),
    "Italian": ("il", "lo", "la", "gli", "i", "l'", "un", "uno", "una"),
    "Spanish": ("el", "la", "los", "las", "un", "una"),
    "German": ("der", "die", "das", "ein", "eine"),
    "Portuguese": ("o", "os", "as", "um", "uma"),
    "Scandinavian": ("den", "det", "de", "en", "ett", "et"),
    "Dutch": ("de", "het", "een"),
}
ARTICLES = frozenset(article for articles in _ARTICLES_BY_LANGUAGE.values() for article in articles)

_YEAR = re.compile(
    r"(?P<title>.*\S)\s*\(\s*(?P<year>[0-9]{4})\s*(?:[-\u2010-\u2015]\s*(?:[0-9]{4})?\s*)?\)\s*(?:\((?:V|TV|VG)\)\s*)?"
)
_TRAILING_ARTICLE = re.compile(r"(?P<also>(?:a\.?k\.?a\.? )?)(?P<rest>.*\S),\s+(?P<article>[^\s,]+)", re.IGNORECASE)
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_DIACRITICS = re.compile("[\u0300-\u036f]")
_ASCII_WORDS = bytes(ord(chr(code).lower()) if chr(code).isalnum() else ord(" ") for code in range(128)) + bytes(128)
"""A table for ``bytes.translate``: letters become lower case; all other characters except digits become spaces."""
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")


class _Words(dict[int, str]):
    """A table for ``str.translate``: characters of words (letters, digits, marks) stay, all others become spaces.

    An entry is added when a character is first looked up.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        in_word = character.isalnum() or unicodedata.category(character).startswith("M")
        self[code] = character if in_word else " "
        return self[code]


_WORDS = _Words()


def with_year(title: str, year: int | None) -> str:
    """Return a title with its year in parentheses, or the title alone if the year is unknown (``None`` or 0).

    >>> with_year("Fargo", 1996)
    'Fargo (1996)'
    """
    return f"{title} ({year})" if year else title


def parse_label(label: str) -> tuple[str, int]:
    """Parse a published or typed label; return its title, with the article first, and its year, or 0 if it has no year.

    >>> parse_label("Usual Suspects, The (1995)")
    ('The Usual Suspects', 1995)
    >>> parse_label("City of Lost Children, The (Cité des enfants perdus, La) (1995)")
    ('The City of Lost Children (La Cité des enfants perdus)', 1995)
    >>> parse_label("unknown")
    ('unknown', 0)
    """
    title, year = split_year(label)
    return reading_order(title), year


def split_year(label: str) -> tuple[str, int]:
    """Split a label into its trimmed title and its year, or 0 if it has no year; articles stay where they are.

    >>> split_year("Usual Suspects, The (1995) ")
    ('Usual Suspects, The', 1995)
    """
    text = " ".join(unicodedata.normalize("NFC", strip_controls(label)).split())
    match = _YEAR.fullmatch(text) if ")" in text else None
    if match is None or not FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        return text, 0
    return match["title"], int(match["year"])


def reading_order(title: str) -> str:
    """Move the article from the end of a title to its front, and do the same for further titles in parentheses."""
    if "," not in title:
        return title
    main, opening, further = title.partition(" (")
    further = re.sub(r"\(([^()]*)\)", lambda match: f"({_article_first(match[1])})", opening + further)
    return _article_first(main) + further


def _article_first(title: str) -> str:
    match = _TRAILING_ARTICLE.fullmatch(title) if "," in title else None
    if match is None or match["article"].replace("\u2019", "'").casefold() not in ARTICLES:
        return title
    space = "" if match["article"].endswith(("'", "\u2019")) else " "
    return f"{match['also']}{match['article']}{space}{match['rest']}"


def title_key(title: str) -> str:
    """Return the key by which titles are compared: it ignores case, accents and punctuation, and reads ``&`` as "and".

    >>> title_key("La Cité des enfants perdus")
    'la cite des enfants perdus'
    """
    if title.isascii():  # gives the same key as below, twenty times faster
        letters = title.replace("&", " and ") if "&" in title else title
        if words := letters.encode().translate(_ASCII_WORDS, b"'`").decode().split():
            return " ".join(words)
    return _folded_key(title)


@lru_cache(1024)  # the same title is requested a few times in a row
def _folded_key(title: str) -> str:
    """Return the key of a title in any script."""
    folded = unicodedata.normalize("NFKD", title).casefold().translate(_LETTERS)
    folded = unicodedata.normalize("NFC", _DIACRITICS.sub("", folded))
    folded = _APOSTROPHES.sub("", folded).replace("&", " and ")
    # A title without letters or digits ("$") keeps its punctuation: otherwise all such titles would have the same key.
    return " ".join(folded.translate(_WORDS).split() or folded.split())


def movie_key(title: str, year: int) -> str:
    """Return the key by which movies are compared: the key of the title, and the year.

    ``title`` has its article first, as ``parse_label`` returns it; ``year`` is 0 if unknown.

    >>> movie_key("La Cité des enfants perdus", 1995)
    'la cite des enfants perdus 1995'
    """
    key = title_key(title)
    return f"{key} {year}" if key else str(year)


def untitled_key(shown: str, dataset: str, movie_id: str) -> str:
    """Return the key of a movie without a title, which no movie of another dataset has.

    ``shown`` is the name that stands in for the title. A search finds the movie by this name.

    >>> untitled_key("Movie 7", "mine", "7")
    'movie 7 mine/7'
    """
    return f"{title_key(shown)} {dataset}/{quote(movie_id, safe='')}".lstrip()
