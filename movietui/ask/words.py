"""The words of the plain mode, without signs that a screen reader would spell out or leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from movietui.data.language import tr
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
_SIGNS = str.maketrans(
    {"→": tr("to"), "−": tr("minus"), "±": tr("plus or minus "), "…": "...", "–": "-", "“": '"', "”": '"'}
)


def spoken(line: str) -> str:
    """Return a line in which the signs of the screens are words.

    >>> spoken("rated Fargo ★ 4½ · 2 movies moved"), spoken("★ 3 → ★ 1")
    ('rated Fargo 4.5 stars; 2 movies moved', '3 stars to 1 star')
    """
    return _STARS.sub(_stars, line).replace(" · ", "; ").translate(_SIGNS)


def _stars(match: re.Match[str]) -> str:
    number = f"{match[1] or '0'}{'.5' if match[2] else match[3] or ''}"
    return tr("{number} star", number=number) if number == "1" else tr("{number} stars", number=number)


def stars(value: float) -> str:
    """Return predicted stars: ``4.3 stars``."""
    return tr("{number:.1f} stars", number=value)


def listed(row: MovieRow, details: Details | None, names: Sequence[str], order: Order) -> str:
    """Return a movie of a list: ``1. Fargo (1996), 4.3 stars, probably between 3.6 and 5.0; because you liked …``.

    ``details``: of the movie, on a list for one viewer. ``names``: of the viewers.
    """
    parts = [text.movie_title(row)]
    if row["stars"] and details is not None:
        (viewer,) = details["by"]
        parts.append(
            tr(
                "{stars}, probably between {low:.1f} and {high:.1f}",
                stars=stars(row["stars"]),
                low=viewer["low"],
                high=viewer["high"],
            )
        )
    elif row["stars"]:
        parts.append(tr("{stars} together", stars=stars(row["stars"])))
        parts += [f"{name} {each:.1f}" for name, each in zip(names, row["by"], strict=True)]
        parts.append(tr("agreement {agreement:.0%}", agreement=row["agreement"]))
    if order == "ratings":
        parts.append(text.plural(row["count"], "rating"))
    if wanted := row.get("wanted", ""):
        whose = text.enumerate_names([names["ABCD".index(letter)] for letter in wanted])
        parts.append(tr("on the watchlist of {viewers}", viewers=whose) if len(names) > 1 else tr("on the watchlist"))
    line = f"{row['rank']}. {', '.join(parts)}"
    return f"{line}; {main_reason(details)}" if details is not None else line


def main_reason(movie: Details) -> str:
    """Return the rating that counts most for a movie, or what its prediction rests on, for one viewer."""
    (viewer,) = movie["by"]
    best = reasons.strongest(viewer["why"])
    if best is None:
        return reasons.basis(viewer, movie["count"], movie["mean"])
    return reasons.liked(best) if viewer["stars"] else tr("because you watched {movie}", movie=best["title"])


def why(movie: Details, names: Sequence[str]) -> Iterator[str]:
    """Yield everything known about a movie, with the reasons for each viewer."""
    yield ", ".join([text.movie_title(movie), *movie["genres"]])
    if movie["minutes"]:
        yield tr("{number} minutes", number=movie["minutes"])
    for title, facts in (
        (tr("Directed by"), movie["directors"]),
        (tr("With"), movie["cast"]),
        (tr("Language"), movie["languages"]),
        (tr("Country"), movie["countries"]),
        (tr("Tags"), movie["tags"]),
    ):
        if facts:
            yield f"{title}: {', '.join(facts)}"
    if movie["imdb"]:
        yield tr("IMDb: {rating:.1f} of 10", rating=movie["imdb"])
    if not movie["count"]:
        yield reasons.UNRATED
    elif movie["mean"]:
        ratings = text.plural(movie["count"], "rating")
        yield tr("Everyone's average: {stars} from {ratings}", stars=stars(movie["mean"]), ratings=ratings)
    else:
        yield reasons.watched_by(movie["count"])
    for name, viewer in zip(names, movie["by"], strict=True):
        for line in _why_for(movie, viewer, reasons.YOU if len(names) == 1 else name):
            yield line if line.startswith(name) else line[0].upper() + line[1:]


def _why_for(movie: Details, viewer: ViewerDetails, who: str) -> Iterator[str]:
    name = tr("you") if who == reasons.YOU else who
    if viewer["stars"]:
        interval = tr("probably between {low:.1f} and {high:.1f}", low=viewer["low"], high=viewer["high"])
        yield tr(
            "Predicted for {viewer}: {stars}, {interval}", viewer=name, stars=stars(viewer["stars"]), interval=interval
        )
    if viewer["rated"] is not None:
        yield tr("{viewer} rated it {stars}", viewer=name, stars=text.number_of_stars(viewer["rated"]))
    liked = tr("liked") if viewer["stars"] else tr("watched")
    if viewer["why"]:
        movies = "; ".join(map(_reason, viewer["why"]))
        yield tr("Because {viewer} {liked}: {movies}", viewer=name, liked=liked, movies=movies)
    elif movie["count"] and (rests_on := reasons.basis(viewer, movie["count"], movie["mean"], who)):
        yield rests_on
    if viewer["shared"]:
        yield tr("In common: {facts}", facts=", ".join(viewer["shared"]))
    if viewer["against"]:
        yield tr("Counts against it: {movies}", movies="; ".join(map(_reason, viewer["against"])))


def _reason(reason: Why) -> str:
    rated = f", {text.number_of_stars(reason['stars'])}" if reason["stars"] else ""
    return tr("{movie}{rating}, {share:.0%} of the weight", movie=reason["title"], rating=rated, share=reason["weight"])


def list_conditions(view: View, audience: Audience) -> list[str]:
    """Return what changes a list besides its order, in words: the filter, the dials, the watchlist, vetoes."""
    parts = [tr("filter {filter}", filter=view.filter_text)] if view.filter_text else []
    parts += [tr("{share:.0%} daring", share=view.daring)] if view.daring else []
    parts += [tr("{share:.0%} recent", share=view.recent)] if view.recent else []
    parts += {
        "all": [],
        "watchlist": [tr("only the watchlist")],
        "both": [tr("only movies all of you want")],
    }[view.wanted]
    if audience.together:
        share = tr(", {share:.0%} towards least misery", share=audience.misery) if audience.way == "weighted" else ""
        parts.append(tr("scores combined as {way}{share}", way=audience.way, share=share))
        parts += [tr("the same scale for everyone")] * audience.standardise
        parts += {
            "all": [],
            "any": [tr("some of you may have seen them")],
            "none": [tr("seen or not")],
        }[audience.unseen_by]
        vetoes = ", ".join(veto.movie.title for veto in audience.vetoes)
        parts += [tr("without {movies}", movies=vetoes)] if vetoes else []
    return parts


def taste(report: TasteReport, names: Sequence[str]) -> Iterator[str]:
    """Yield each viewer's taste compared with everybody's, and what divides a pair."""
    for name, viewer in zip(names, report["viewers"], strict=True):
        yield from _taste_of(name, viewer)
    if pair := report.get("pair"):
        for title, movies in ((tr("You differ on"), pair["divided"]), (tr("Would divide you"), pair["would_divide"])):
            for movie in movies:
                each = ", ".join(f"{name} {value:.1f}" for name, value in zip(names, movie["stars"], strict=True))
                yield f"{title}: {text.movie_title(movie)}, {each}"


def _taste_of(name: str, viewer: ViewerTaste) -> Iterator[str]:
    if not viewer["ratings"]:
        yield tr("{viewer} has no ratings here yet; rate a movie of the list.", viewer=name)
        return
    rated = tr(
        "{movies} rated {mean:.2f} stars on average",
        movies=text.plural(viewer["ratings"], "movie"),
        mean=viewer["mean"],
    )
    yield tr("{viewer}: {rated}; others gave them {mean:.2f}", viewer=name, rated=rated, mean=viewer["crowd"])
    for group in (*viewer["genres"], *viewer["decades"]):
        yield _group(group)
    for title, movies in ((tr("more"), viewer["likes"]), (tr("less"), viewer["dislikes"])):
        for movie in movies:
            given = text.number_of_stars(movie["stars"])
            yield tr(
                "Liked {more} than others: {movie}, {stars}, others {mean:.1f}",
                more=title,
                movie=text.movie_title(movie),
                stars=given,
                mean=movie["crowd"],
            )
    if viewer["for_you"] is not None:
        yield from _accuracy(viewer["for_you"])


def _group(group: TasteGroup) -> str:
    difference = group["difference"]
    figures = tr(
        "{mean:.1f} stars in {ratings}, others {others:.1f}",
        mean=group["mean"],
        ratings=text.plural(group["ratings"], "rating"),
        others=group["crowd"],
    )
    return tr(
        "{group}: {difference:.2f} stars {more} than others; {figures}",
        group=group["name"],
        difference=abs(difference),
        more=tr("less") if difference < 0 else tr("more"),
        figures=figures,
    )


def _accuracy(quality: PersonalAccuracy) -> Iterator[str]:
    if quality["lacking"]:
        ratings = text.plural(quality["lacking"], "more rating")
        yield tr("{ratings} needed to measure how accurate the model is for you", ratings=ratings)
        return
    newest = text.plural(quality["newest"], "newest rating")
    for name, accuracy in ((quality["model"], quality["by_model"]), (tr("mean ratings"), quality["by_means"])):
        error = tr("{number:.2f} stars", number=accuracy["rmse"]["value"])
        hits = tr(
            "; {hits} of {liked} liked movies in the top {top}",
            hits=accuracy["hits"],
            liked=quality["liked"],
            top=quality["top"],
        )
        in_list = hits if accuracy["hit_rate"] else ""
        yield tr(
            "Error of {model} on your {ratings}: {error}{hits}", model=name, ratings=newest, error=error, hits=in_list
        )


def compared(comparison: ListComparison) -> Iterator[str]:
    """Yield what another model would change at the top of the list."""
    yield tr("{common} of {total} movies are in both lists", common=comparison["common"], total=comparison["k"])
    for movie in comparison["movies"]:
        if movie["first"] != movie["second"]:
            now, then = (
                tr("number {rank}", rank=rank) if rank else tr("not there")
                for rank in (movie["first"], movie["second"])
            )
            yield tr("{movie}: now {now}, then {then}", movie=text.movie_title(movie), now=now, then=then)
