"""Titles as published, as read and as compared; and text from outside made safe to show."""

import re
import unicodedata

FIRST_YEAR = 1870
LAST_YEAR = 2100

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

_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c|(?=\x1b)|$)"  # strings: titles
    "|\x1b[ -/]*[0-~]?"
)
_SPACES = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

_YEAR = re.compile(
    r"(?P<title>.*\S)\s*\(\s*(?P<year>[0-9]{4})\s*(?:[-\u2010-\u2015]\s*(?:[0-9]{4})?\s*)?\)\s*(?:\((?:V|TV|VG)\)\s*)?"
)
_TRAILING_ARTICLE = re.compile(r"(?P<also>(?:a\.?k\.?a\.? )?)(?P<rest>.*\S),\s+(?P<article>[^\s,]+)", re.IGNORECASE)
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_DIACRITICS = re.compile("[\u0300-\u036f]")
_ASCII_WORDS = {code: " " for code in range(128) if not chr(code).isalnum()} | {
    ord("'"): "",
    ord("`"): "",
    ord("&"): " and ",
}
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")


class _Words(dict[int, str]):
    """Letters, digits and their marks stay, every other sign parts words; each is looked at once."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        self[code] = sign if sign.isalnum() or unicodedata.category(sign).startswith("M") else " "
        return self[code]


_WORDS = _Words()


def plain(text: str) -> str:
    """Return the text without anything that steers a terminal: escape sequences, control characters, bidi overrides.

    Line breaks and tabs become a space. Everything else stays, brackets and all scripts included.
    """
    if text.isprintable():
        return text
    return _CONTROLS.sub("", _SPACES.sub(" ", _ESCAPES.sub("", text)))


def parse_label(label: str) -> tuple[str, int]:
    """Return the title in reading order and the year (0 where there is none) of a published or typed label.

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
    """Return the trimmed title and the year (0 where there is none) of a label, its articles where they stand.

    >>> split_year("Usual Suspects, The (1995) ")
    ('Usual Suspects, The', 1995)
    """
    text = " ".join(unicodedata.normalize("NFC", plain(label)).split())
    match = _YEAR.fullmatch(text)
    if match is None or not FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        return text, 0
    return match["title"], int(match["year"])


def reading_order(title: str) -> str:
    """Put the articles in front, of the title and of each further title in parentheses."""
    if "," not in title:
        return title
    main, opening, further = title.partition(" (")
    further = re.sub(r"\(([^()]*)\)", lambda match: f"({_article_first(match[1])})", opening + further)
    return _article_first(main) + further


def _article_first(title: str) -> str:
    match = _TRAILING_ARTICLE.fullmatch(title)
    if match is None or match["article"].replace("\u2019", "'").casefold() not in ARTICLES:
        return title
    space = "" if match["article"].endswith(("'", "\u2019")) else " "
    return f"{match['also']}{match['article']}{space}{match['rest']}"


def title_key(title: str) -> str:
    """Return what makes two spellings of one title equal: case, accents and punctuation do not count.

    >>> title_key("La Cité des enfants perdus")
    'la cite des enfants perdus'
    """
    if title.isascii() and (words := title.lower().translate(_ASCII_WORDS).split()):  # the same, ten times faster
        return " ".join(words)
    folded = unicodedata.normalize("NFKD", title).casefold().translate(_LETTERS)
    folded = unicodedata.normalize("NFC", _DIACRITICS.sub("", folded))
    folded = _APOSTROPHES.sub("", folded).replace("&", " and ")
    # A title of punctuation alone ("$") would otherwise share its key with every other such title of its year.
    return " ".join(folded.translate(_WORDS).split() or folded.split())


def film_key(title: str, year: int) -> str:
    """Return what makes two spellings of one film equal: that of the title, and the year.

    ``title`` is in reading order, as ``parse_label`` returns it; ``year`` is 0 where unknown.

    >>> film_key("La Cité des enfants perdus", 1995)
    'la cite des enfants perdus 1995'
    """
    return f"{title_key(title)} {year}".lstrip()
