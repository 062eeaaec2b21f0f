"""The details of one movie, for the viewers of the list."""

import textwrap
from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from movietui.data.language import tr
from movietui.formatting import reasons, text
from movietui.formatting.movie_pages import link_of
from movietui.protocol.messages import Details, ViewerDetails, Why
from movietui.protocol.viewers import LETTERS

NARROW = 34
"""In fewer cells than this, words that explain a number are left out."""
SHOWN_ACTORS = 3
"""The most actors that are named."""


def describe(movie: Details, names: Sequence[str], width: int) -> Text:
    """Return the text of the details pane. Unknown facts are left out."""
    lines = _facts(movie)
    if lines:
        lines.append(Text())
    for letter, name, viewer in zip(LETTERS, names, movie["by"], strict=False):
        if not viewer["stars"]:  # the dataset has no stars
            continue
        who = f"{letter} {name}" if len(names) > 1 else tr("predicted")
        lines.append(
            Text.assemble(
                text.fitted(who, 10 if len(names) == 1 else min(20, width // 2)),
                (f"★ {viewer['stars']:.1f}", "bold"),
                (f"  ({viewer['low']:.1f} … {viewer['high']:.1f})", "dim"),
            )
        )
    if movie["count"] and not movie["mean"]:
        lines.append(Text(reasons.watched_by(movie["count"])))
    elif movie["count"]:
        lines.append(
            Text.assemble(
                f"{tr('average'):<10}",
                (f"★ {movie['mean']:.1f}", "bold"),
                f"  {text.bars(movie['histogram'])}  ",
                (text.plural(movie["count"], "rating") if width >= NARROW else f"{movie['count']:,}", "dim"),
            )
        )
    else:
        lines += [Text(line, "dim") for line in textwrap.wrap(reasons.UNRATED, width)]
    for name, viewer in zip(names, movie["by"], strict=True):
        lines += [Text(), *_reasons(movie, viewer, reasons.YOU if len(names) == 1 else name, width)]
    return Text("\n").join(lines)


def _reasons(movie: Details, viewer: ViewerDetails, who: str, width: int) -> list[Text]:
    """Return a viewer's rating of a movie, and what counts for or against the movie."""
    lines, counted = _rating(viewer, who), [*viewer["why"], *viewer["against"]]
    if viewer["why"]:
        has_stars = bool(viewer["stars"])
        because = tr("because {viewer} liked", viewer=who) if has_stars else tr("because {viewer} watched", viewer=who)
        lines.append(Text(because, "group"))
        lines += [_reason(reason, counted, width, has_stars=has_stars) for reason in viewer["why"]]
    elif movie["count"]:
        rests_on = reasons.basis(viewer, movie["count"], movie["mean"], who)
        lines += [Text(line) for line in textwrap.wrap(rests_on, width)]
    if viewer["shared"]:
        lines.append(Text(f"{tr('in common')}  {', '.join(viewer['shared'])}", "dim"))
    if viewer["against"]:
        lines += [Text(), Text(tr("counts against it"), "dim")]
        lines += [_reason(reason, counted, width, "dim") for reason in viewer["against"]]
    return lines


def _rating(viewer: ViewerDetails, who: str) -> list[Text]:
    """Return a line with a viewer's rating of a movie; empty if they have not rated it."""
    if viewer["rated"] is None:
        return []
    rated_it = tr("{viewer} rated it", viewer=who)
    return [Text.assemble(f"{rated_it} ", (text.number_of_stars(viewer["rated"]), "bold"))]


def _reason(reason: Why, counted: Sequence[Why], width: int, style: str = "", *, has_stars: bool = True) -> Text:
    """Return a line with a rated movie, its stars (if the dataset has any), and how much it counts compared with the
    other rated movies."""
    stars = f"{text.number_of_stars(reason['stars']):<5} " if has_stars else ""
    tail = f"{stars}{reasons.bar(reason, counted)}"
    line = text.fitted(f" {reason['title']}", width - len(tail) - 1) + Text(f" {tail}")
    line.stylize(style)
    return line


def surprise(movie: Details, names: Sequence[str]) -> Text:
    """Return the text about a movie, with the stars predicted for each viewer and the strongest reason."""
    lines = [*_facts(movie), Text()]
    for name, viewer in zip(names, movie["by"], strict=True):
        who = f"{name}  " if len(names) > 1 else ""
        if viewer["stars"]:
            lines.append(Text.assemble(who, (f"★ {viewer['stars']:.1f}", "bold"), f" {tr('predicted')}"))
        lines += _rating(viewer, name if len(names) > 1 else reasons.YOU)
    named = [(why, name) for name, viewer in zip(names, movie["by"], strict=True) for why in viewer["why"]]
    why, name = max(named, key=lambda each: each[0]["weight"], default=(None, ""))
    if why is not None:
        who = name if len(names) > 1 else reasons.YOU
        has_stars = any(viewer["stars"] for viewer in movie["by"])
        watched = tr("because {viewer} watched {movie}", viewer=who, movie=why["title"])
        lines.append(Text(reasons.liked(why, who) if has_stars else watched))
    else:
        who = names[0] if len(names) > 1 else reasons.YOU
        lines.append(Text(reasons.basis(movie["by"][0], movie["count"], movie["mean"], who)))
    return Text("\n").join(lines)


def _facts(movie: Details) -> list[Text]:
    """Return up to five lines about a movie, without unknown facts.

    The lines have year, genres and runtime; directors and IMDb's rating; actors; languages and countries; and tags. A
    click on IMDb's rating offers web pages about the movie.
    """
    linked = bool(link_of(movie))
    imdb = f"IMDb {movie['imdb']:.1f}" if movie["imdb"] else "IMDb" if linked else ""
    style = Style(underline=True, meta={"@click": "screen.open_page"}) if linked else Style()
    runtime = tr("{minutes} min", minutes=movie["minutes"]) if movie["minutes"] else ""
    cast = tr("with {actors}", actors=", ".join(movie["cast"][:SHOWN_ACTORS])) if movie["cast"] else ""
    facts = (
        (str(movie["year"] or ""), ", ".join(movie["genres"]), runtime),
        (", ".join(movie["directors"]), Text(imdb, style)),
        (cast,),
        (", ".join(movie["languages"]), ", ".join(movie["countries"])),
        (Text(", ".join(movie["tags"]), "dim"),),
    )
    return [Text(" · ").join(Text("").append(part) for part in line if part) for line in facts if any(line)]
