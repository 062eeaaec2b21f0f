"""Panels that Browse opens beside its list: more like one movie, and what the viewers like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from movietui import text
from movietui.bindings import back, choose, hint
from movietui.replies import SimilarMovie
from movietui.screens.panels import ScrollPanel
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList

WIDTH = 88
"""Cells for a taste, of a panel that is ``wide``."""
BAR = 12
"""Cells of a bar to either side, for a star and a half."""
LONGEST = 1.5


class SimilarRows(RowList[SimilarMovie]):
    """Movies that are like one, the most like it first."""

    DEFAULT_CSS = "SimilarRows { height: 1fr; }"
    has_head = True

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        return text.cut(" alike  both rated  title", width)

    def draw(self, row: SimilarMovie, width: int) -> Line:
        """Draw one movie, and where there is room what it has in common."""
        figures = f" {text.decimals(row['similarity']):>5}  {row['common']:>10,}  "
        shared = ", ".join(row["shared"])
        room = width - len(figures) - 6
        common = text.cut(f"  {shared}", room * 2 // 5) if width >= 70 else ""
        title = text.cut(row["title"], room - len(common))
        return [(figures, "quiet"), (title, ""), (common, "quiet"), (f"{row['year'] or '':>5} ", "quiet")]


class SimilarPanel(ModalScreen[str | None]):
    """More like a movie; ends with the id of the one that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back(),
        Binding("m", "dismiss(None)", "Back", id="browse.similar"),
        choose("choose", "Open"),
    ]

    def __init__(self, title: str, rows: Sequence[SimilarMovie]) -> None:
        super().__init__()
        self._title, self._rows = title, list(rows)

    def compose(self) -> ComposeResult:
        """Show the movies."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(f"More like {self._title}")
            panel.border_subtitle = Content(hint(self, ("panel.choose", "opens"), ("panel.back", "goes back")))
            yield SimilarRows(id="similar")

    def on_mount(self) -> None:
        """Fill it."""
        rows = self.query_one(SimilarRows)
        rows.fill(len(self._rows), 0, self._rows)
        rows.say("The dataset has no other movie.")

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the movie under the cursor."""
        row = self.query_one(SimilarRows).current
        if row is not None:
            self.dismiss(row["id"])


class TastePanel(ScrollPanel[None]):
    """What the viewers like against the crowd, and what divides a pair."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T", "dismiss(None)", "Back", id="browse.taste"),
    ]

    def __init__(self, taste: Mapping[str, Any], names: Sequence[str]) -> None:
        super().__init__()
        self._taste, self._names = taste, names

    def compose(self) -> ComposeResult:
        """Show it."""
        with VerticalScroll(classes="panel wide", can_focus=False) as panel:
            panel.border_title = Content(f"Taste · {' and '.join(self._names)}")
            panel.border_subtitle = Content(hint(self, ("list.up list.down", "scroll"), ("panel.back", "goes back")))
            room = min(WIDTH, self.app.size.width * 95 // 100 - 8)
            yield Static(tell_taste(self._taste, self._names, room), markup=False)


def tell_taste(taste: Mapping[str, Any], names: Sequence[str], width: int) -> Text:
    """Return what the viewers like: by genre and decade against the crowd, and unusual ratings."""
    lines: list[Text] = []
    for name, person in zip(names, taste["viewers"], strict=True):
        if lines:
            lines.append(Text())
        lines += _one(name, person, width)
    pair = taste.get("pair", {})
    for title, key in (("You differ on", "divided"), ("Would divide you", "would_divide")):
        if pair.get(key):
            lines += [Text(), Text(title, "underline")]
            for movie in pair[key]:
                stars = "   ".join(
                    f"{letter} ★ {given:.1f}" for letter, given in zip("AB", movie["stars"], strict=True)
                )
                lines.append(_beside(_titled(movie), stars, width))
    return Text("\n").join(lines)


def _one(name: str, person: Mapping[str, Any], width: int) -> list[Text]:
    if not person["ratings"]:
        return [Text(f"{name} has rated nothing here yet: 1 to 5 on the list does.")]
    given = f"{text.plural(person['ratings'], 'rating')}, ★ {person['mean']:.2f} on average"
    lines = [Text.assemble((name, "bold"), f"  {given}; others ★ {person['crowd']:.2f} for the same")]
    for title, groups in (("By genre", person["genres"]), ("By decade", person["decades"])):
        lines += [
            Text(),
            Text.assemble((title, "underline"), (f"{'less than others ┼':>{33 - len(title)}} more", "dim")),
        ]
        lines += [_group(group, width) for group in groups]
    for title, key in (("Likes more than others", "likes"), ("Likes less than others", "dislikes")):
        if person[key]:
            lines += [Text(), Text(title, "underline")]
            for movie in person[key]:
                stars = f"{text.number_of_stars(movie['stars'])}   others ★ {movie['crowd']:.1f}"
                lines.append(_beside(_titled(movie), stars, width))
    return lines + _for_you(person["for_you"])


def _for_you(found: Mapping[str, Any] | None) -> list[Text]:
    """How good the model is for a profile, beside the mean ratings of the movies; nothing for users of a dataset."""
    if found is None:
        return []
    lines = [Text(), Text("How good the model is for you", "underline")]
    if found["lacking"]:
        more = text.plural(found["lacking"], "more rating")
        return [*lines, Text(f" {more}, and the newest of them will tell.")]
    held = text.plural(found["newest"], "newest rating")
    lines.append(Text(f" Your {held}, told from the {found['older']:,} before:", "dim"))
    lines.append(Text(f" {'':<14}{'error (RMSE)':<20}liked ones in the first {found['top']}", "dim"))
    for name, told in ((found["model"], found["by_model"]), ("mean ratings", found["by_means"])):
        rmse, rate = told["rmse"], told["hit_rate"]
        error = f"{rmse['value']:.2f} ({text.decimals(rmse['low'])} … {text.decimals(rmse['high'])})"
        hits = f"{told['hits']} of {found['liked']}" if rate else "none was liked"
        share = f"  {rate['value']:.0%} ({rate['low'] * 100:.0f} … {rate['high'] * 100:.0f})" if rate else ""
        lines.append(Text.assemble(" ", (text.cut(name, 14), "bold"), f"{error:<20}{hits}{share}"))
    return lines


def _group(group: Mapping[str, Any], width: int) -> Text:
    """A genre or decade: a bar to the left where it is liked less than by others, to the right where more."""
    eighths = round(min(1.0, abs(group["difference"]) / LONGEST) * BAR)
    less, more = (eighths, 0) if group["difference"] < 0 else (0, eighths)
    line = Text.assemble(
        text.fitted(group["name"], 13),
        f"{group['difference']:>+6.2f} ",
        (f"{'▪' * less:>{BAR}}", "dim"),
        "┼",
        (f"{'▪' * more:<{BAR}}", "bold"),
    )
    figures = f"  ★ {group['mean']:.1f}  others ★ {group['crowd']:.1f}  {group['ratings']:,}"
    return line.append(figures, "dim") if line.cell_len + len(figures) <= width else line


def _titled(movie: Mapping[str, Any]) -> str:
    return f"{movie['title']} ({movie['year']})" if movie["year"] else str(movie["title"])


def _beside(left: str, right: str, width: int) -> Text:
    return text.fitted(f" {left}", width - len(right) - 2) + Text(f"  {right}")
