"""How the conditions of a filter are written: ``@Scorsese``, ``#twist-ending``, ``lang:ko``, ``list:shelf``.

Does not import numpy, so that the app can read and write these conditions too.
"""

import re
from collections.abc import Mapping
from typing import Literal

from movietui.data.titles import title_key

EXAMPLE = '+Comedy -Horror 1980..1999 >=50 <=110m @Scorsese #heist lang:ko "alien"'
"""A filter with a condition of almost every kind."""
Fact = Literal["person", "tag", "language", "country"]
PREFIXES: Mapping[str, Fact] = {"@": "person", "#": "tag", "lang:": "language", "country:": "country"}
"""What a condition on a fact begins with, after ``-`` if it excludes movies."""
LIST = "list:"
"""What a condition that names a list begins with, after ``-`` if it excludes the movies of the list."""
_PREFIX = rf"[+-]?(?:{'|'.join([*PREFIXES, LIST])})"
PARTS = re.compile(rf'({_PREFIX})?"([^"]*)"|(\S+)', re.IGNORECASE)
"""Matches a condition of a filter; the groups are the prefix and the text in quotes, or a condition without quotes."""
LAST = re.compile(rf'(?:^|(?<=\s))(?:(?:{_PREFIX})?"[^"]*|[^\s"]*)$', re.IGNORECASE)
"""Finds the last condition of a half-typed filter, which may have an open quote; empty after a space."""


def conditions_of(filter_text: str) -> list[str]:
    """Return the conditions of a filter as they are written; the last one may have an open quote.

    >>> conditions_of('+Comedy -list:"Rainy evenings" "star wars"')
    ['+Comedy', '-list:"Rainy evenings"', '"star wars"']
    """
    return [match[0] for match in PARTS.finditer(filter_text)]


def tag_condition(tag: str, sign: str = "") -> str:
    """Return the condition that a movie must have a tag or, with the sign ``-``, must not have it.

    >>> tag_condition("twist ending")
    '#twist-ending'
    """
    return f"{sign}#{title_key(tag).replace(' ', '-')}"


def person_condition(name: str) -> str:
    """Return the condition that a person of this name directed a movie or acted in it.

    >>> person_condition("Martin Scorsese")
    '@"Martin Scorsese"'
    """
    return f'@"{name}"' if " " in name else f"@{name}"
