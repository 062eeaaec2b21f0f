"""Why a movie is recommended, in words for the viewer."""

from collections.abc import Mapping, Sequence
from typing import Any

from movietui.formatting import text

WELL_LIKED = 4.0
"""A movie with at least this mean rating counts as very well liked."""
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


def basis(viewer: Mapping[str, Any], count: int, mean: float, who: str = "you") -> str:
    """Return what a prediction rests on; empty if it rests on single ratings.

    ``viewer``: the prediction for a viewer, with its ``basis`` (see ``movietui.models.choices.Basis``) and the movies
    that such people liked (``alike``). ``count`` and ``mean``: the number and mean of everyone's ratings of the movie;
    the mean is 0 if the dataset has no stars.
    """
    whose = "yours" if who == "you" else f"{who}'s"
    if viewer["basis"] == "ratings":
        return ""
    if viewer["basis"] == "alike" and viewer["alike"]:
        return liked_by(viewer["alike"], who)
    if viewer["basis"] == "alike":
        return f"liked by people whose ratings agree with {whose}"
    if not count:
        return UNRATED
    if not mean:
        return watched_by(count)
    average = f"★ {mean:.1f} from {text.plural(count, 'rating')}"
    return f"simply very well liked: {average}" if round(mean, 1) >= WELL_LIKED else f"everyone's average: {average}"


def liked_by(alike: Sequence[Mapping[str, Any]], who: str = "you") -> str:
    """Return who likes a movie, by what they liked: ``liked by people who, like you, liked Alien and Jaws``."""
    return f"liked by people who, like {who}, liked {text.enumerate_names([each['title'] for each in alike])}"


def watched_by(count: int) -> str:
    """Return how many users watched a movie, for a dataset that says nothing else."""
    return f"watched by {text.plural(count, 'user')}"


def bar(reason: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]) -> str:
    """Return how much a reason counts compared with the strongest of ``reasons``: ``●●●○○``."""
    most = max((float(each["weight"]) for each in reasons), default=0.0)
    return text.dots(reason["weight"] / most if most else 0.0)


def foremost(movie: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the one rated movie to name beside a movie of ``recommend --json``: the strongest reason or, without
    reasons, the first of ``alike``."""
    return strongest(movie["why"]) or next(iter(movie["alike"]), None)


def strongest(reasons: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the reason with the most weight; ``None`` without reasons."""
    return max(reasons, key=lambda reason: float(reason["weight"]), default=None)
