"""Whoever a list is made for, by name."""

import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypedDict, get_args

LONGEST_NAME = 40
LETTERS = "ABCD"
"""How those are told apart for whom one list is made; there are no more of them than letters."""
Way = Literal["weighted", "average", "without misery", "least misery", "most pleasure", "multiplicative", "borda"]
WAYS: tuple[Way, ...] = get_args(Way)
"""How one list is made for several, named as in ``models.ranking.WAYS``: that takes numpy to import, which costs a
screen and a page of help too much."""
UnseenBy = Literal["all", "any", "none"]
"""Which of those must not have seen a movie, named as in ``models.ranking.UnseenBy``."""
JOINER = "\u200d"
"""The zero-width joiner, which makes one emoji of several."""
EMOJI_STYLE = "\ufe0f"
EMOJI_ENDS = ("So", "Sk")
"""What an emoji ends with, a tone of skin included, as ``unicodedata.category`` has it."""


class Asked(TypedDict):
    """A viewer as the engine is asked about them: who, and the ratings that the store has of them."""

    kind: str
    id: str
    rated: list[tuple[str, float]]


@dataclass(frozen=True)
class ViewerRef:
    """A profile, or a user of a dataset; what they rated is looked up where it is needed."""

    kind: Literal["profile", "user"]
    id: str
    """The profile's name, or the user's id in the dataset."""
    dataset: str = ""
    """Whose user it is; empty for a profile, which belongs to no dataset."""

    @property
    def label(self) -> str:
        """How the viewer is called on screen."""
        return self.id if self.kind == "profile" else f"user {self.id}"


def is_name(text: str) -> bool:
    """Return whether a profile can be called so: all of it prints, but for the joiner between two emoji."""
    parts = text.split(JOINER)
    return (
        len(text) <= LONGEST_NAME
        and all(part and part.isprintable() for part in parts)
        and all(
            (before[-1] == EMOJI_STYLE or unicodedata.category(before[-1]) in EMOJI_ENDS)
            and unicodedata.category(after[0]) == "So"
            for before, after in pairwise(parts)
        )
    )


def profile(name: str) -> ViewerRef:
    """Name a profile."""
    return ViewerRef("profile", name)


def user(user_id: str, dataset: str) -> ViewerRef:
    """Name a user of a dataset."""
    return ViewerRef("user", user_id, dataset)
