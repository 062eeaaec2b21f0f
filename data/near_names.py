"""Which known names may be meant by one that does not exist. Imports only what starts fast."""

from collections.abc import Iterable

from movietui.data.problems import Problem
from movietui.data.titles import title_key

MOST = 3
"""The most names that are suggested."""
ALIKE = 0.6
"""The least share of letters that are right, from which a name is suggested."""
BEHIND = 0.25
"""How much less alike than the best suggestion another may be."""
PART = 3
"""The least number of letters from which a part of a name stands for it."""
LONGEST = 100
"""The most letters of a name worth comparing; what is longer was pasted by mistake."""


def near_names(typed: str, names: Iterable[str]) -> list[str]:
    """Return the names that may be meant by what was typed, the most alike first, at most ``MOST``.

    Case, accents, spaces and punctuation do not count. A name is alike if it, or a word of it, has few typos (letters
    swapped, left out, added or changed), or if it contains what was typed.

    >>> near_names("itemknn", ["mf", "item-knn", "user-knn"])
    ['item-knn']
    >>> near_names("xyzzy", ["mf", "item-knn", "user-knn"])
    []
    """
    from rapidfuzz.distance import OSA  # imported here because only wrong names need it

    wanted = _letters(typed[: LONGEST + 1])
    if not wanted or len(typed) > LONGEST:
        return []
    alike: list[tuple[float, str]] = []
    for name in dict.fromkeys(names):
        words = title_key(name[:LONGEST]).split()
        letters = "".join(words)
        share = OSA.normalized_similarity(wanted, letters, score_cutoff=ALIKE)
        if len(wanted) >= PART:
            in_words = (OSA.normalized_similarity(wanted, word, score_cutoff=ALIKE) for word in words)
            contained = 0.9 if letters.startswith(wanted) else 0.8 if wanted in letters else 0.0
            share = max(share, contained, 0.95 * max(in_words, default=0.0))
        if share >= ALIKE:
            alike.append((share, name))
    alike.sort(key=lambda each: -each[0])
    return [name for share, name in alike[:MOST] if share >= alike[0][0] - BEHIND]


def _letters(name: str) -> str:
    return title_key(name).replace(" ", "")


def either(names: Iterable[str]) -> str:
    """Return names as a choice: ``a, b or c``.

    >>> either(["u1", "u2", "u3"])
    'u1, u2 or u3'
    """
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def hint(typed: str, names: Iterable[str], otherwise: str) -> str:
    """Return the end of a sentence about a wrong name: the names that may be meant, or ``otherwise`` without any.

    >>> hint("random8", ["u1", "random80"], "choose one of u1, random80.")
    'did you mean random80?'
    """
    near = near_names(typed, names)
    return f"did you mean {either(near)}?" if near else otherwise


def no_such(wrong: str, typed: str, names: Iterable[str], otherwise: str) -> Problem:
    """Return the problem of a name that does not exist: what is ``wrong``, and the names that may be meant.

    ``otherwise`` is the end of the sentence if no name is near: which names there are, or where to look.

    >>> str(no_such("There is no split 'random8'", "random8", ["u1", "random80"], "choose one of u1, random80."))
    "There is no split 'random8'; did you mean random80?"
    """
    return Problem(f"{wrong}; {hint(typed, names, otherwise)}")
