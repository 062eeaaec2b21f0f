"""Why a movie is recommended, in words for the viewer."""

from collections.abc import Mapping, Sequence
from typing import Any

from movietui.data.language import tr
from movietui.formatting import text

YOU = tr("you")
"""The only viewer of a list, in a sentence; others have their names."""
ONE_DOT = 0.2
"""One dot of five: a reason that counts at all has at least this."""
NAMED = ("alike", "similar", "examples")
"""The lists of movies that a viewer's ``basis`` names."""
UNRATED = tr("new: nobody in the dataset has rated it; predicted from its genres, year, people and IMDb rating")
"""What the prediction of a movie that nobody has rated rests on."""


def liked(reason: Mapping[str, Any], who: str = YOU) -> str:
    """Return the part of a sentence that names a reason: ``because you liked Alien ★ 5 (Ridley Scott, space)``.

    In parentheses is what the two movies have in common, other than genres.
    """
    return tr(
        "because {who} liked {title} {stars}{common}",
        who=who,
        title=reason["title"],
        stars=text.number_of_stars(reason["stars"]),
        common=_also(reason),
    )


def _also(reason: Mapping[str, Any]) -> str:
    common = special(reason["shared"])
    return f" ({', '.join(common)})" if common else ""


def special(shared: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what movies have in common (see ``movietui.models.serving.kinship.Shared``), without the genres."""
    return [*shared["directors"], *shared["actors"], *shared["tags"]]


def basis(viewer: Mapping[str, Any], count: int, mean: float, who: str = YOU) -> str:
    """Return what a prediction rests on; empty if it rests on single ratings.

    ``viewer``: the prediction for a viewer, with its ``basis`` (see ``movietui.models.choices.Basis``), ``crowd``,
    ``standing`` and the lists ``NAMED`` (see ``movietui.models.serving.explanations.Reasons``). ``count`` and
    ``mean``: the number and mean of everyone's ratings of the movie; the mean is 0 if the dataset has no stars.
    """
    if viewer["basis"] == "ratings":
        return ""
    if viewer["basis"] == "everyone" and not count:
        return UNRATED
    similar = _similar(viewer, who, tr("liked") if mean else tr("watched"))
    if viewer["basis"] == "alike":
        return "; ".join([*similar, _crowd(viewer, who)])
    if similar and not viewer["standing"]:
        return similar[0]  # a mean that is not high convinces nobody
    return "; ".join([*similar, _by_everyone(viewer["standing"], count, mean), *_record(viewer, who)])


def _crowd(viewer: Mapping[str, Any], who: str) -> str:
    """Return who likes a movie: ``liked by 91% of 45 people who, like you, liked Alien (82% of all)``."""
    if viewer["alike"]:
        movies = text.enumerate_names([each["title"] for each in viewer["alike"]])
        people = tr("people who, like {who}, liked {movies}", who=who, movies=movies)
    else:
        whose = tr("yours") if who == YOU else tr("{who}'s", who=who)
        people = tr("people whose ratings agree with {whose}", whose=whose)
    crowd = viewer["crowd"]
    return tr(
        "liked by {share:.0%} of {count} {people} ({everyone:.0%} of all)",
        share=crowd["theirs"],
        count=crowd["people"],
        people=people,
        everyone=crowd["everyone"],
    )


def _by_everyone(standing: Mapping[str, Any] | None, count: int, mean: float) -> str:
    """Return how much everyone likes a movie: ``one of the best liked War movies: ★ 4.2 from 201 ratings``."""
    if not mean:
        return watched_by(count)
    average = tr("★ {mean:.1f} from {ratings}", mean=mean, ratings=text.plural(count, "rating"))
    if not standing:
        return tr("everyone's average: {average}", average=average)
    if standing["best_of"] is None:
        return tr("very well liked: {average}", average=average)
    movies = _movies_of(standing["best_of"]) or tr("movies of all")
    return tr("one of the best liked {movies}: {average}", movies=movies, average=average)


def _similar(viewer: Mapping[str, Any], who: str, liked: str) -> list[str]:
    """Return to which liked movies a movie is similar; empty if to none."""
    if not viewer["similar"]:
        return []
    return [tr("similar to {movies}, which {who} {liked}", movies=_titles(viewer["similar"]), who=who, liked=liked)]


def _record(viewer: Mapping[str, Any], who: str) -> list[str]:
    """Return how many movies a viewer liked that are very well liked, with examples; empty if this says nothing."""
    if not (record := viewer["standing"] and viewer["standing"]["record"]):
        return []
    movies = _movies_of(record["of"]) or tr("movies")
    such = tr(", such as {movies}", movies=_titles(viewer["examples"])) if viewer["examples"] else ""
    return [
        tr(
            "{who} liked {liked} of {rated} other very well liked {movies}{examples}",
            who=who,
            liked=record["liked"],
            rated=record["rated"],
            movies=movies,
            examples=such,
        )
    ]


def _movies_of(group: str) -> str:
    """Return the name of the movies of a genre or a decade; empty for all movies."""
    if group.endswith("0s"):
        return tr("movies of the {decade}", decade=group)
    return tr("{genre} movies", genre=group) if group else ""


def _titles(reasons: Sequence[Mapping[str, Any]]) -> str:
    return text.enumerate_names([f"{each['title']}{_also(each)}" for each in reasons])


def watched_by(count: int) -> str:
    """Return how many users watched a movie, for a dataset that says nothing else."""
    return tr("watched by {users}", users=text.plural(count, "user"))


def bar(reason: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]) -> str:
    """Return how much a reason counts compared with the strongest of ``reasons``: ``●●●○○``."""
    most = max((float(each["weight"]) for each in reasons), default=0.0)
    return text.dots(max(ONE_DOT, reason["weight"] / most) if most and reason["weight"] else 0.0)


def foremost(movie: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the one rated movie to name beside a movie of ``recommend --json``: the strongest reason or, without
    reasons, the first of ``alike``."""
    return strongest(movie["why"]) or next(iter(movie["alike"]), None)


def strongest(reasons: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the reason with the most weight, of all viewers."""
    return max(reasons, key=lambda reason: float(reason["weight"]), default=None)
