"""References to viewers, who are profiles or users of a dataset, and the rules for the names of profiles."""

import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypedDict

LONGEST_NAME = 40
LETTERS = "ABCD"
"""The letters for the viewers of a list, which has at most this many viewers."""
JOINER = "\u200d"
"""The zero-width joiner, which joins several emoji into one."""
EMOJI_STYLE = "\ufe0f"
EMOJI_ENDS = ("So", "Sk")
"""The Unicode categories that the last character of an emoji can have. Skin tones have ``Sk``."""


class ViewerKey(TypedDict):
    """The fields of a ``ViewerRef``."""

    kind: Literal["profile", "user"]
    id: str
    dataset: str


@dataclass(frozen=True)
class ViewerRef:
    """A reference to a profile or to a user of a dataset, without the ratings."""

    kind: Literal["profile", "user"]
    id: str
    """The profile's name, or the user's id in the dataset."""
    dataset: str = ""
    """The dataset of a user; empty for a profile."""

    @property
    def key(self) -> ViewerKey:
        """The fields as in a message."""
        return {"kind": self.kind, "id": self.id, "dataset": self.dataset}

    @property
    def label(self) -> str:
        """The name of the viewer on screen."""
        return self.id if self.kind == "profile" else f"user {self.id}"


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a profile.

    A name has 1 to ``LONGEST_NAME`` characters, all printable except joiners between two emoji.
    """
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
    """Return the reference to the profile with this name."""
    return ViewerRef("profile", name)


def user(user_id: str, dataset: str) -> ViewerRef:
    """Return the reference to a user of a dataset, given by the user's id there."""
    return ViewerRef("user", user_id, dataset)
