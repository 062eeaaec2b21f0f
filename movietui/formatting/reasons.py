"""Why a movie is recommended, in words for the viewer."""

from collections.abc import Mapping, Sequence
from typing import Any

from movietui.formatting import text

WELL_LIKED = 4.0
"""The mean rating from which a movie counts as very well liked."""
ENOUGH_FANS = 10
"""How many people must have liked a reason's movie for a sentence about them."""
MOST = 2 / 3
"""The share of these people who must have liked the explained movie."""

UNRATED = "new: nobody in the dataset has rated it; predicted from its genres, year, people and IMDb rating"
"""What the prediction of a movie that nobody has rated rests on."""


def liked(reason: Mapping[str, Any], who: str = "you") -> str:
    """Return the part of a sentence that names a reason: ``because you liked Alien ★ 5 (Ridley Scott, space)``.

    In parentheses is what the two movies have in common, other than genres.
    """
    common = special(reason["shared"])
    also = f" ({', '.join(common)})" if common else ""
    return f"because {who} liked {reason['title']} {text.number_of_stars(reason['stars'])}{also}"


def special(shared: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what movies have in common (see ``movietui.models.serving.kinship.Shared``), without the genres."""
    return [*shared["directors"], *shared["actors"], *shared["tags"]]


def basis(viewer: Mapping[str, Any], mean: float, who: str = "you") -> str:
    """Return what a prediction rests on if no single rating can be named; empty if one can.

    ``viewer``: the prediction for a viewer, with its ``basis``, see ``movietui.models.choices.Basis``, and the people
    whom it names. ``mean``: the mean of everyone's ratings of the movie.
    """
    if viewer["basis"] == "ratings":
        return ""
    if viewer["likers"] is None:
        return UNRATED
    people = f"{_of(viewer['likers'])} people"
    titles = " and ".join(viewer["agreed_on"])
    whose = "yours" if who == "you" else f"{who}'s"
    if viewer["basis"] == "alike":
        agreeing = f"liked by {people} whose ratings agree most with {whose}"
        return f"{agreeing}, above all on {titles}" if titles else agreeing
    if viewer["basis"] == "fans":
        return f"liked by {people} who liked {titles} at least as much as {who}"
    if mean >= WELL_LIKED:
        return f"simply very well liked: by {people}, ★ {mean:.1f}"
    return f"no single rating of {whose} stands out; {people} liked it, ★ {mean:.1f}"


def fans(reason: Mapping[str, Any]) -> str:
    """Return how many of the people who liked a reason's movie as much as the viewer liked the explained movie, too:
    ``39 of 42``; empty if these people are too few to tell."""
    known = reason["fans"]
    return _of(known) if known is not None and known["people"] >= ENOUGH_FANS else ""


def fans_sentence(reason: Mapping[str, Any]) -> str:
    """Return ``fans`` as a sentence; empty if they are too few, or if too few of them liked the explained movie."""
    known = fans(reason)
    if not known or reason["fans"]["liked"] < MOST * reason["fans"]["people"]:
        return ""
    return f"liked by {known} people who liked {reason['title']} at least as much as you"


def _of(likers: Mapping[str, int]) -> str:
    return f"{likers['liked']:,} of {likers['people']:,}"


def bar(reason: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]) -> str:
    """Return how much a reason counts, compared with the strongest of ``reasons``: ``●●●○○``."""
    most = max((float(each["weight"]) for each in reasons), default=0.0)
    return text.dots(reason["weight"] / most if most else 0.0)


def strongest(reasons: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the reason with the most weight; ``None`` without reasons."""
    return max(reasons, key=lambda reason: float(reason["weight"]), default=None)
