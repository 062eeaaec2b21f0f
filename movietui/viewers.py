"""Whoever a list is made for, by name."""

from dataclasses import dataclass
from typing import Literal, TypedDict


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


def profile(name: str) -> ViewerRef:
    """Name a profile."""
    return ViewerRef("profile", name)


def user(user_id: str, dataset: str) -> ViewerRef:
    """Name a user of a dataset."""
    return ViewerRef("user", user_id, dataset)
