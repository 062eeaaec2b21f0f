"""Why a movie is recommended, in words for the viewer."""

from collections.abc import Mapping, Sequence
from typing import Any

from movietui.formatting import text
from movietui.models.choices import WELL_LIKED

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

    ``viewer``: the prediction for a viewer, with its ``basis`` (see ``movietui.models.choices.Basis``), ``alike``,
    ``crowd`` and ``standing`` (see ``movietui.models.serving.explanations.Reasons``). ``count`` and ``mean``: the
    number and mean of everyone's ratings of the movie; the mean is 0 if the dataset has no stars.
    """
    if viewer["basis"] == "ratings":
        return ""
    if viewer["basis"] in ("alike", "watched"):
        return _crowd(viewer, who)
    if not count:
        return UNRATED
    if not mean:
        return watched_by(count)
    average = f"★ {mean:.1f} from {text.plural(count, 'rating')}"
    if viewer["standing"]:
        return f"{_standing(viewer['standing'], who)}: {average}"
    return f"simply very well liked: {average}" if round(mean, 1) >= WELL_LIKED else f"everyone's average: {average}"


def _crowd(viewer: Mapping[str, Any], who: str) -> str:
    """Return who likes or watches a movie: ``liked by 91% of 45 people who, like you, liked Alien (82% of all)``."""
    liked = "liked" if viewer["basis"] == "alike" else "watched"
    if viewer["alike"]:
        people = f"people who, like {who}, {liked} {text.enumerate_names([each['title'] for each in viewer['alike']])}"
    else:
        whose = "yours" if who == "you" else f"{who}'s"
        people = f"people whose ratings agree with {whose}"
    crowd = viewer["crowd"]
    if not crowd:
        return f"{liked} by {people}"
    return f"{liked} by {crowd['theirs']:.0%} of {crowd['people']} {people} ({crowd['everyone']:.0%} of all)"


def _standing(standing: Mapping[str, Any], who: str) -> str:
    """Return of which movies a movie is one of the best liked."""
    group = standing["group"]
    movies = f"movies of the {group}" if group.endswith("0s") else f"{group} movies" if group else "movies of all"
    if not standing["liking"]:
        return f"one of the best liked {movies}"
    gives, liking = "you give" if who == "you" else f"{who} gives", standing["liking"]
    means = f"★ {liking['mean']:.1f} and others ★ {liking['others']:.1f}"
    return f"{gives} {movies} {means}, and this is one of the best liked"


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
