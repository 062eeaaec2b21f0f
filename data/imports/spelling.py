"""Normalises titles: British spellings, the ways to write a number, small words, and words such as "part" or "volume".

Two movies whose spellings are equal may still be different, so matching requires more evidence for them than for equal
titles.
"""

import re
from collections.abc import Iterable

from movietui.data.imdb.title_matching import NUMBER_OF
from movietui.data.titles import title_key

_SMALL = frozenset(("a", "an", "the", "and"))
_COUNTED = frozenset(("chapter", "episode", "part", "pt", "vol", "volume"))
_AMERICAN = {
    "armour": "armor",
    "behaviour": "behavior",
    "centre": "center",
    "colour": "color",
    "colours": "colors",
    "defence": "defense",
    "dialogue": "dialog",
    "favour": "favor",
    "favourite": "favorite",
    "grey": "gray",
    "harbour": "harbor",
    "honour": "honor",
    "honours": "honors",
    "humour": "humor",
    "jewellery": "jewelry",
    "labour": "labor",
    "licence": "license",
    "neighbour": "neighbor",
    "neighbours": "neighbors",
    "odour": "odor",
    "offence": "offense",
    "parlour": "parlor",
    "programme": "program",
    "rumour": "rumor",
    "saviour": "savior",
    "theatre": "theater",
    "traveller": "traveler",
    "travellers": "travelers",
    "travelling": "traveling",
    "valour": "valor",
}
CHANGING = _SMALL | _COUNTED | _AMERICAN.keys() | NUMBER_OF.keys()
"""The words that ``spelling`` leaves out or changes."""
_BREAK = re.compile(r"\s*:\s+|\s+[-\u2010-\u2015]\s+")
_MAY_BREAK = re.compile(r"[-:\u2010-\u2015]")


def _parts(title: str) -> list[str]:
    """Split a title at colons and dashes, as between a series and a subtitle; a title without these is one part."""
    return _BREAK.split(title) if _MAY_BREAK.search(title) else [title]  # searching first is faster


def spelling(title: str) -> str:
    """Return the normalised spelling of a title.

    >>> spelling("Three Colours: Blue") == spelling("Three Colors: Blue")
    True
    >>> spelling("The Godfather: Part II") == spelling("Godfather 2")
    True
    """
    words = title_key(title).split()
    if CHANGING.isdisjoint(words):
        return "".join(words)
    words = [_AMERICAN.get(word, word) for word in words]
    words = [NUMBER_OF[word][0] if word in NUMBER_OF else word for word in words]
    significant = [
        word
        for word, after in zip(words, [*words[1:], ""], strict=True)
        if word not in _SMALL and not (word in _COUNTED and after.isdigit())
    ]
    return "".join(significant or words)


def spellings(title: str) -> frozenset[str]:
    """Return the spelling of a title; if it has a series and a subtitle, also the spelling without the series' number.

    >>> spellings("Star Wars: Episode VII - The Force Awakens") & spellings("Star Wars: The Force Awakens")
    frozenset({'starwarsforceawakens'})
    """
    *series, last = _parts(title)
    if not series:
        return frozenset(filter(None, (spelling(title),)))
    unnumbered = "".join(spelling(part).rstrip("0123456789") for part in series)
    return frozenset(filter(None, (spelling(title), unnumbered + spelling(last))))


def ends(title: str) -> frozenset[str]:
    """Return the spelling of the series and that of the subtitle; empty if the title does not have both.

    >>> sorted(ends("Laputa: Castle in the Sky"))
    ['castleinsky', 'laputa']
    """
    pieces = _parts(title)
    if len(pieces) == 1:
        return frozenset()
    parts = [part for part in map(spelling, pieces) if part and not part.isdigit()]
    return frozenset((parts[0], parts[-1])) if len(parts) > 1 else frozenset()


def all_spellings(titles: Iterable[str]) -> frozenset[str]:
    """Return the spellings of all of these titles."""
    return frozenset().union(*map(spellings, titles))
