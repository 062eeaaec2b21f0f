"""What is known of one movie, for the viewers of the list."""

from collections.abc import Sequence

from rich.text import Text

from movietui import text
from movietui.replies import Details

NARROW = 34
"""Cells below which words that explain a number are left out."""


def describe(movie: Details, names: Sequence[str], width: int) -> Text:
    """Return the text of the detail pane. What is not known is left out."""
    lines: list[Text] = []
    facts = (
        (str(movie["year"] or ""), ", ".join(movie["genres"]), f"{movie['minutes']} min" if movie["minutes"] else ""),
        (", ".join(movie["directors"]), f"IMDb {movie['imdb']:.1f}" if movie["imdb"] else ""),
    )
    head = [Text(" · ".join(filter(None, line))) for line in facts if any(line)]
    if head:
        lines += [*head, Text()]
    for letter, name, viewer in zip("AB", names, movie["by"], strict=False):
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
    for letter, name, viewer in zip("AB", names, movie["by"], strict=False):
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
