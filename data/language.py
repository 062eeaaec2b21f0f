"""Translates what people read. There is no translation so far; without one, everything is English.

Every text on screen passes through ``tr``: each sentence, label and fragment, but not names. ``make texts`` collects
them in ``languages/movietui.pot``, from which a translator makes ``languages/LANGUAGE/LC_MESSAGES/movietui.mo``. It is
used where the environment (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``) asks for that language.
"""

import gettext
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("languages")


@cache
def _catalogue() -> gettext.NullTranslations:
    return gettext.translation("movietui", FOLDER, fallback=True)


def tr(text: str, /, **values: object) -> str:
    """Return a text in the user's language, with values in place of its names in braces, as ``str.format`` does.

    Without values, braces stand for themselves.

    >>> tr("{rated:,} of {movies:,} movies", rated=3, movies=1682)
    '3 of 1,682 movies'
    """
    translated = _catalogue().gettext(text)
    return translated.format(**values) if values else translated


def tr_noun(count: int, word: str) -> str:
    """Return a noun, whose plural has an ``s``, in the user's language and in the form that goes with a count."""
    return _catalogue().ngettext(word, f"{word}s", count)


def mark(text: str) -> str:
    """Return a text as it is, and have it collected: code compares it, and ``tr`` translates it where it is shown."""
    return text


def mark_noun(word: str) -> str:
    """Return a noun as it is, and have it collected with its plural: ``tr_noun`` translates it where it is counted."""
    return word
