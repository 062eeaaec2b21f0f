"""How conditions of a filter on facts are written: ``@Scorsese``, ``#twist-ending``, ``lang:ko``, ``country:france``.

Does not import numpy, so that the app can read and write these conditions too.
"""

from collections.abc import Mapping
from typing import Literal

from movietui.data.titles import title_key

Fact = Literal["person", "tag", "language", "country"]
PREFIXES: Mapping[str, Fact] = {"@": "person", "#": "tag", "lang:": "language", "country:": "country"}
"""What a condition begins with, after ``-`` if it excludes movies."""
PREFIX = rf"[+-]?(?:{'|'.join(PREFIXES)})"
"""Matches what may stand before the quotes of a condition; a regular expression, for which case must not count."""


def tag_condition(tag: str, sign: str = "") -> str:
    """Return the condition that a movie must have a tag or, with the sign ``-``, must not.

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
