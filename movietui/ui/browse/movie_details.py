"""What is known of one movie, for the viewers of the list."""

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from movietui import text
from movietui.linking import link_of
from movietui.replies import Details
from movietui.viewers import LETTERS

NARROW = 34
"""Cells below which words that explain a number are left out."""


def describe(movie: Details, names: Sequence[str], width: int) -> Text:
    """Return the text of the detail pane. What is not known is left out."""
    lines = _facts(movie)
    if lines:
        lines.append(Text())
    for letter, name, viewer in zip(LETTERS, names, movie["by"], strict=False):
        who = f"{letter} {name}" if len(names) > 1 else "expect"
        lines.append(
            Text.assemble(
                text.fitted(who, 8 if len(names) == 1 else min(20, width // 2)),
                (f"★ {viewer['stars']:.1f}", "bold"),
                (f"  ({viewer['low']:.1f} … {viewer['high']:.1f})", "dim"),
            )
        )
    if movie["count"]:
        lines.append(
            Text.assemble(
                "others  ",
                (f"★ {movie['mean']:.1f}", "bold"),
                f"  {text.bars(movie['histogram'])}  ",
                (text.plural(movie["count"], "rating") if width >= NARROW else f"{movie['count']:,}", "dim"),
            )
        )
    for letter, name, viewer in zip(LETTERS, names, movie["by"], strict=False):
        if not viewer["why"]:
            continue
        gave = "because you gave" if len(names) == 1 else f"because {letter} {name} gave"
        lines += [Text(), Text(gave, "underline")]
        for reason in viewer["why"]:
            tail = f"{text.number_of_stars(reason['stars']):<5} {'+' if reason['share'] >= 0 else '−'}" + (
                text.decimals(abs(reason["share"]))
            )
            lines.append(text.fitted(f" {reason['title']}", width - len(tail) - 1) + Text(f" {tail}"))
        if viewer["shared"]:
            lines.append(Text(f"shares  {', '.join(viewer['shared'])}", "dim"))
    return Text("\n").join(lines)


def surprise(movie: Details, names: Sequence[str]) -> Text:
    """Return a movie with what each viewer is expected to give it, and the one reason that counts most."""
    lines = [*_facts(movie), Text()]
    for name, viewer in zip(names, movie["by"], strict=True):
        who = f"{name}  " if len(names) > 1 else ""
        lines.append(Text.assemble(who, (f"★ {viewer['stars']:.1f}", "bold"), " expected"))
    reasons = [(why, name) for name, viewer in zip(names, movie["by"], strict=True) for why in viewer["why"]]
    why, name = max(reasons, key=lambda each: each[0]["share"], default=(None, ""))
    if why is not None and why["share"] > 0:
        whose = name if len(names) > 1 else "you"
        lines.append(Text(f"because {whose} gave {why['title']} {text.number_of_stars(why['stars'])}"))
    else:
        lines.append(Text(f"because {text.plural(movie['count'], 'rating')} by others say so: ★ {movie['mean']:.1f}"))
    return Text("\n").join(lines)


def _facts(movie: Details) -> list[Text]:
    """Year, genres and runtime in a line, who directed and what IMDb says in another; none of what is not known.

    A click on what IMDb says opens its page.
    """
    linked = bool(link_of(movie))
    imdb = f"IMDb {movie['imdb']:.1f}" if movie["imdb"] else "IMDb" if linked else ""
    style = Style(underline=True, meta={"@click": "screen.open_page"}) if linked else Style()
    facts = (
        (str(movie["year"] or ""), ", ".join(movie["genres"]), f"{movie['minutes']} min" if movie["minutes"] else ""),
        (", ".join(movie["directors"]), Text(imdb, style)),
    )
    return [Text(" · ").join(Text("").append(part) for part in line if part) for line in facts if any(line)]
