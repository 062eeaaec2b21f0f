"""Suggests known names for a name that does not exist. Imports only modules that load fast."""

from collections.abc import Iterable

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.titles import title_key

MAX_SUGGESTIONS = 3
"""The maximum number of names that are suggested."""
MIN_SIMILARITY = 0.6
"""The lowest similarity, from 0 to 1, at which a name is suggested."""
MAX_GAP = 0.25
"""How far the similarity of a suggestion may be below that of the best one."""
MIN_PART = 3
"""With fewer typed letters and digits than this, a name is compared only as a whole, not by its words and parts."""
MAX_LENGTH = 100
"""The maximum number of characters that are compared; a longer text was pasted by mistake."""


def near_names(typed: str, names: Iterable[str]) -> list[str]:
    """Return the names that the user may have meant, the most similar first, at most ``MAX_SUGGESTIONS``.

    Case, accents, spaces and punctuation do not count. A name is similar if the typed text equals it, or one of its
    words, except for a few typos (letters swapped, left out, added or changed), or if it contains the typed text.

    >>> near_names("itemknn", ["mf", "item-knn", "user-knn"])
    ['item-knn']
    >>> near_names("xyzzy", ["mf", "item-knn", "user-knn"])
    []
    """
    from rapidfuzz.distance import OSA  # imported here because only wrong names need it

    wanted = _letters(typed[: MAX_LENGTH + 1])
    if not wanted or len(typed) > MAX_LENGTH:
        return []
    similar: list[tuple[float, str]] = []
    for name in dict.fromkeys(names):
        words = title_key(name[:MAX_LENGTH]).split()
        letters = "".join(words)
        similarity = OSA.normalized_similarity(wanted, letters, score_cutoff=MIN_SIMILARITY)
        if len(wanted) >= MIN_PART:
            of_words = (OSA.normalized_similarity(wanted, word, score_cutoff=MIN_SIMILARITY) for word in words)
            contained = 0.9 if letters.startswith(wanted) else 0.8 if wanted in letters else 0.0
            similarity = max(similarity, contained, 0.95 * max(of_words, default=0.0))
        if similarity >= MIN_SIMILARITY:
            similar.append((similarity, name))
    similar.sort(key=lambda each: -each[0])
    return [name for similarity, name in similar[:MAX_SUGGESTIONS] if similarity >= similar[0][0] - MAX_GAP]


def _letters(name: str) -> str:
    return title_key(name).replace(" ", "")


def either(names: Iterable[str]) -> str:
    """Return names as a choice: ``a, b or c``.

    >>> either(["u1", "u2", "u3"])
    'u1, u2 or u3'
    """
    *others, last = names
    return tr("{others} or {last}", others=", ".join(others), last=last) if others else last


def hint(typed: str, names: Iterable[str], otherwise: str) -> str:
    """Return the end of a sentence about a wrong name: "did you mean …?" or, if no name is similar, ``otherwise``.

    >>> hint("random8", ["u1", "random80"], "choose one of u1, random80.")
    'did you mean random80?'
    """
    near = near_names(typed, names)
    return tr("did you mean {names}?", names=either(near)) if near else otherwise


def no_such(wrong: str, typed: str, names: Iterable[str], otherwise: str) -> Problem:
    """Return a ``Problem`` about a name that does not exist; it says what is ``wrong`` and suggests similar names.

    ``otherwise`` ends the sentence if no name is similar: it lists the names, or says where to look.

    >>> str(no_such("There is no split 'random8'", "random8", ["u1", "random80"], "choose one of u1, random80."))
    "There is no split 'random8'; did you mean random80?"
    """
    return Problem(f"{wrong}; {hint(typed, names, otherwise)}")
