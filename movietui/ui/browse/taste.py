"""Taste: what the viewers like compared with everybody, and what divides a pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import PersonalAccuracy, TasteGroup, TasteReport, ViewerTaste
from movietui.ui.bindings import hint, key_on
from movietui.ui.panels import ScrollPanel
from movietui.ui.widgets.drawn_text import DrawnText

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

WIDTH = 88
"""The most cells of a line in a panel of the class ``wide``."""
BAR = 12
"""The cells of a full bar to either side."""
FULL_BAR = 1.5
"""The difference, in stars, that fills a bar."""


class TastePanel(ScrollPanel[None]):
    """What the viewers like compared with everybody, and what divides a pair."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T", "dismiss(None)", tr("Back"), id="browse.taste"),
    ]

    def __init__(self, taste: TasteReport, names: Sequence[str]) -> None:
        super().__init__()
        self._taste, self._names = taste, names

    def compose(self) -> ComposeResult:
        """Show the taste."""
        from movietui.ui.browse.screen import BrowseScreen

        rate = key_on(BrowseScreen, cast("MovieTui", self.app), "browse.rate-1")
        with VerticalScroll(classes="panel wide", can_focus=False) as panel:
            panel.border_title = Content(tr("Taste · {viewers}", viewers=tr(" and ").join(self._names)))
            panel.border_subtitle = Content(hint(self, ("list.up list.down", tr("scroll")), ("panel.back", tr("back"))))
            room = min(WIDTH, self.app.size.width * 95 // 100 - 8)
            yield DrawnText(describe_taste(self._taste, self._names, room, rate))


def describe_taste(taste: TasteReport, names: Sequence[str], width: int, rate: str) -> Text:
    """Return each viewer's taste compared with everybody's, how accurate the model is, and what divides a pair.

    ``names``: of the viewers. ``width``: the most cells of a line. ``rate``: the key that rates a movie.
    """
    lines: list[Text] = []
    for name, viewer in zip(names, taste["viewers"], strict=True):
        if lines:
            lines.append(Text())
        lines += _viewer_lines(name, viewer, width, rate)
    pair = taste.get("pair")
    for title, movies in (
        ((tr("You differ on"), pair["divided"]), (tr("Would divide you"), pair["would_divide"])) if pair else ()
    ):
        if movies:
            lines += [Text(), Text(title, "group")]
            for movie in movies:
                stars = "   ".join(
                    f"{letter} ★ {stars:.1f}" for letter, stars in zip("AB", movie["stars"], strict=True)
                )
                lines.append(_two_columns(text.movie_title(movie), stars, width))
    return Text("\n").join(lines)


def _viewer_lines(name: str, viewer: ViewerTaste, width: int, rate: str) -> list[Text]:
    if not viewer["ratings"]:
        return [
            Text(tr("{viewer} has no ratings here yet; press {key} on a movie in the list.", viewer=name, key=rate))
        ]
    movies_rated = text.plural(viewer["ratings"], "movie")
    averages = tr(
        "{movies} rated ★ {mean:.2f} on average; others gave them ★ {crowd:.2f}",
        movies=movies_rated,
        mean=viewer["mean"],
        crowd=viewer["crowd"],
    )
    lines = [Text.assemble((name, "bold"), f"  {averages}")]
    less, more = tr("less than others ┼"), tr("more")
    for title, groups in ((tr("By genre"), viewer["genres"]), (tr("By decade"), viewer["decades"])):
        lines += [Text(), Text.assemble((title, "group"), (f"{less:>{33 - len(title)}} {more}", "dim"))]
        lines += [_group(group, width) for group in groups]
    for title, movies in (
        (tr("Likes more than others"), viewer["likes"]),
        (tr("Likes less than others"), viewer["dislikes"]),
    ):
        if movies:
            lines += [Text(), Text(title, "group")]
            for movie in movies:
                others = tr("others ★ {stars:.1f}", stars=movie["crowd"])
                stars = f"{text.number_of_stars(movie['stars'])}   {others}"
                lines.append(_two_columns(text.movie_title(movie), stars, width))
    return lines + _model_quality(viewer["for_you"])


def _model_quality(quality: PersonalAccuracy | None) -> list[Text]:
    """Return how accurate the model and the movies' mean ratings are for a profile; empty for a user."""
    if quality is None:
        return []
    lines = [Text(), Text(tr("How accurate the model is for you"), "group")]
    if quality["lacking"]:
        more = text.plural(quality["lacking"], "more rating")
        needed = tr("{ratings} needed to measure this.", ratings=more)
        return [*lines, Text(f" {needed}")]
    newest = text.plural(quality["newest"], "newest rating")
    predicted = tr("Your {ratings}, predicted from the {older:,} before them:", ratings=newest, older=quality["older"])
    lines.append(Text(f" {predicted}", "dim"))
    in_top = tr("liked movies in the top {count}", count=quality["top"])
    lines.append(Text(f" {'':<14}{tr('error (RMSE)'):<20}{in_top}", "dim"))
    for name, accuracy in ((quality["model"], quality["by_model"]), (tr("mean ratings"), quality["by_means"])):
        rmse, rate = accuracy["rmse"], accuracy["hit_rate"]
        error = f"{rmse['value']:.2f} ({text.decimals(rmse['low'])} … {text.decimals(rmse['high'])})"
        hits = tr("{hits} of {liked}", hits=accuracy["hits"], liked=quality["liked"]) if rate else tr("none liked")
        share = f"  {rate['value']:.0%} ({rate['low'] * 100:.0f} … {rate['high'] * 100:.0f})" if rate else ""
        lines.append(Text.assemble(" ", (text.cut(name, 14), "bold"), f"{error:<20}{hits}{share}"))
    return lines


def _group(group: TasteGroup, width: int) -> Text:
    """Return a genre or decade with a bar, to the left if the viewer likes it less than others do."""
    cells = round(min(1.0, abs(group["difference"]) / FULL_BAR) * BAR)
    less, more = (cells, 0) if group["difference"] < 0 else (0, cells)
    line = Text.assemble(
        text.fitted(group["name"], 13),
        f"{group['difference']:>+6.2f} ",
        (f"{'━' * less:>{BAR}}", "bar"),
        "┼",
        (f"{'━' * more:<{BAR}}", "bar"),
    )
    others = tr("others ★ {stars:.1f}", stars=group["crowd"])
    figures = f"  ★ {group['mean']:.1f}  {others}  {group['ratings']:,}"
    return line.append(figures, "dim") if line.cell_len + len(figures) <= width else line


def _two_columns(left: str, right: str, width: int) -> Text:
    return text.fitted(f" {left}", width - len(right) - 2) + Text(f"  {right}")
