"""The words of the plain mode, without signs that a screen reader would spell out or leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from movietui.formatting import reasons, text
from movietui.models.choices import Order
from movietui.protocol.messages import (
    Details,
    ListComparison,
    MovieRow,
    PersonalAccuracy,
    TasteGroup,
    TasteReport,
    ViewerDetails,
    ViewerTaste,
    Why,
)
from movietui.state.audience import Audience
from movietui.state.view import View

_STARS = re.compile(r"★ ([0-9]*)(½?)(\.[0-9]+)?")
_SIGNS = str.maketrans({"→": "to", "−": "minus", "±": "plus or minus ", "…": "...", "–": "-", "“": '"', "”": '"'})


def spoken(line: str) -> str:
    """Return a line in which the signs of the screens are words.

    >>> spoken("rated Fargo ★ 4½ · 2 movies moved"), spoken("★ 3 → ★ 1")
    ('rated Fargo 4.5 stars; 2 movies moved', '3 stars to 1 star')
    """
    return _STARS.sub(_stars, line).replace(" · ", "; ").translate(_SIGNS)


def _stars(match: re.Match[str]) -> str:
    number = f"{match[1] or '0'}{'.5' if match[2] else match[3] or ''}"
    return f"{number} {'star' if number == '1' else 'stars'}"


def stars(value: float) -> str:
    """Return predicted stars: ``4.3 stars``."""
    return f"{value:.1f} stars"


def listed(row: MovieRow, details: Details | None, names: Sequence[str], order: Order) -> str:
    """Return a movie of a list: ``1. Fargo (1996), 4.3 stars, probably between 3.6 and 5.0; because you liked …``.

    ``details``: of the movie, on a list for one viewer. ``names``: of the viewers.
    """
    parts = [text.movie_title(row)]
    if row["stars"] and details is not None:
        (viewer,) = details["by"]
        parts.append(f"{stars(row['stars'])}, probably between {viewer['low']:.1f} and {viewer['high']:.1f}")
    elif row["stars"]:
        parts.append(f"{stars(row['stars'])} together")
        parts += [f"{name} {each:.1f}" for name, each in zip(names, row["by"], strict=True)]
        parts.append(f"agreement {row['agreement']:.0%}")
    if order == "ratings":
        parts.append(text.plural(row["count"], "rating"))
    if wanted := row.get("wanted", ""):
        whose = text.enumerate_names([names["ABCD".index(letter)] for letter in wanted])
        parts.append("on the watchlist" + (f" of {whose}" if len(names) > 1 else ""))
    line = f"{row['rank']}. {', '.join(parts)}"
    return f"{line}; {main_reason(details)}" if details is not None else line


def main_reason(movie: Details) -> str:
    """Return the rating that counts most for a movie, or what its prediction rests on, for one viewer."""
    (viewer,) = movie["by"]
    best = reasons.strongest(viewer["why"])
    if best is None:
        return reasons.basis(viewer, movie["count"], movie["mean"])
    return reasons.liked(best) if viewer["stars"] else f"because you watched {best['title']}"


def why(movie: Details, names: Sequence[str]) -> Iterator[str]:
    """Yield everything known about a movie, with the reasons for each viewer."""
    yield ", ".join([text.movie_title(movie), *movie["genres"]])
    if movie["minutes"]:
        yield f"{movie['minutes']} minutes"
    for title, facts in (
        ("Directed by", movie["directors"]),
        ("With", movie["cast"]),
        ("Language", movie["languages"]),
        ("Country", movie["countries"]),
        ("Tags", movie["tags"]),
    ):
        if facts:
            yield f"{title}: {', '.join(facts)}"
    if movie["imdb"]:
        yield f"IMDb: {movie['imdb']:.1f} of 10"
    if not movie["count"]:
        yield reasons.UNRATED
    elif movie["mean"]:
        yield f"Everyone's average: {stars(movie['mean'])} from {text.plural(movie['count'], 'rating')}"
    else:
        yield reasons.watched_by(movie["count"])
    for name, viewer in zip(names, movie["by"], strict=True):
        for line in _why_for(movie, viewer, "you" if len(names) == 1 else name):
            yield line if line.startswith(name) else line[0].upper() + line[1:]


def _why_for(movie: Details, viewer: ViewerDetails, who: str) -> Iterator[str]:
    if viewer["stars"]:
        between = f"probably between {viewer['low']:.1f} and {viewer['high']:.1f}"
        yield f"Predicted for {who}: {stars(viewer['stars'])}, {between}"
    if viewer["rated"] is not None:
        yield f"{who} rated it {text.number_of_stars(viewer['rated'])}"
    liked = "liked" if viewer["stars"] else "watched"
    if viewer["why"]:
        yield f"Because {who} {liked}: {'; '.join(map(_reason, viewer['why']))}"
    elif movie["count"] and (rests_on := reasons.basis(viewer, movie["count"], movie["mean"], who)):
        yield rests_on
    if viewer["shared"]:
        yield f"In common: {', '.join(viewer['shared'])}"
    if viewer["against"]:
        yield f"Counts against it: {'; '.join(map(_reason, viewer['against']))}"


def _reason(reason: Why) -> str:
    rated = f", {text.number_of_stars(reason['stars'])}" if reason["stars"] else ""
    return f"{reason['title']}{rated}, {reason['weight']:.0%} of the weight"


def list_conditions(view: View, audience: Audience) -> list[str]:
    """Return what changes a list besides its order, in words: the filter, the dials, the watchlist, vetoes."""
    parts = [f"filter {view.filter_text}"] if view.filter_text else []
    parts += [f"{view.daring:.0%} daring"] if view.daring else []
    parts += [f"{view.recent:.0%} recent"] if view.recent else []
    parts += {"all": [], "watchlist": ["only the watchlist"], "both": ["only movies all of you want"]}[view.wanted]
    if audience.together:
        share = f", {audience.misery:.0%} towards least misery" if audience.way == "weighted" else ""
        parts.append(f"scores combined as {audience.way}{share}")
        parts += ["the same scale for everyone"] * audience.standardise
        parts += {"all": [], "any": ["some of you may have seen them"], "none": ["seen or not"]}[audience.unseen_by]
        vetoes = ", ".join(veto.movie.title for veto in audience.vetoes)
        parts += [f"without {vetoes}"] if vetoes else []
    return parts


def taste(report: TasteReport, names: Sequence[str]) -> Iterator[str]:
    """Yield each viewer's taste compared with everybody's, and what divides a pair."""
    for name, viewer in zip(names, report["viewers"], strict=True):
        yield from _taste_of(name, viewer)
    if pair := report.get("pair"):
        for title, movies in (("You differ on", pair["divided"]), ("Would divide you", pair["would_divide"])):
            for movie in movies:
                each = ", ".join(f"{name} {value:.1f}" for name, value in zip(names, movie["stars"], strict=True))
                yield f"{title}: {text.movie_title(movie)}, {each}"


def _taste_of(name: str, viewer: ViewerTaste) -> Iterator[str]:
    if not viewer["ratings"]:
        yield f"{name} has no ratings here yet; rate a movie of the list."
        return
    rated = f"{text.plural(viewer['ratings'], 'movie')} rated {viewer['mean']:.2f} stars on average"
    yield f"{name}: {rated}; others gave them {viewer['crowd']:.2f}"
    for group in (*viewer["genres"], *viewer["decades"]):
        yield _group(group)
    for title, movies in (("more", viewer["likes"]), ("less", viewer["dislikes"])):
        for movie in movies:
            given = text.number_of_stars(movie["stars"])
            yield f"Liked {title} than others: {text.movie_title(movie)}, {given}, others {movie['crowd']:.1f}"
    if viewer["for_you"] is not None:
        yield from _accuracy(viewer["for_you"])


def _group(group: TasteGroup) -> str:
    difference = group["difference"]
    figures = f"{group['mean']:.1f} stars in {text.plural(group['ratings'], 'rating')}, others {group['crowd']:.1f}"
    return f"{group['name']}: {abs(difference):.2f} stars {'less' if difference < 0 else 'more'} than others; {figures}"


def _accuracy(quality: PersonalAccuracy) -> Iterator[str]:
    if quality["lacking"]:
        yield f"{text.plural(quality['lacking'], 'more rating')} needed to measure how accurate the model is for you"
        return
    newest = text.plural(quality["newest"], "newest rating")
    for name, accuracy in ((quality["model"], quality["by_model"]), ("mean ratings", quality["by_means"])):
        error = f"{accuracy['rmse']['value']:.2f} stars"
        hits = f"; {accuracy['hits']} of {quality['liked']} liked movies in the top {quality['top']}"
        in_list = hits if accuracy["hit_rate"] else ""
        yield f"Error of {name} on your {newest}: {error}{in_list}"


def compared(comparison: ListComparison) -> Iterator[str]:
    """Yield what another model would change at the top of the list."""
    yield f"{comparison['common']} of {comparison['k']} movies are in both lists"
    for movie in comparison["movies"]:
        if movie["first"] != movie["second"]:
            now, then = (f"number {rank}" if rank else "not there" for rank in (movie["first"], movie["second"]))
            yield f"{text.movie_title(movie)}: now {now}, then {then}"
