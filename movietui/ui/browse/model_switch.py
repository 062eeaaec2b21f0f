"""The panel that switches the model of the list, and compares the runs that can serve by metrics and lists."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.models.choices import METRICS
from movietui.protocol.messages import ListComparison, ListedMovie
from movietui.state.session import Session
from movietui.store.run_records import Run
from movietui.ui.bindings import back_key, choose_key, hint
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.row_list import RowList
from movietui.ui.widgets.text_pane import TextPane

TOP = 10
DELAY = 0.2
"""Seconds that the cursor must rest before a run is loaded to compute its list."""
MEASURED = ("rmse", "ndcg@10")


class ServingRuns(ColumnList[Run]):
    """The runs that can serve a dataset, with their metrics. The run in use is marked."""

    DEFAULT_CSS = "ServingRuns { height: auto; max-height: 25%; min-height: 3; }"
    has_header = True

    def __init__(self, serving: int) -> None:
        super().__init__(id="serving")
        self._serving = serving

    def row_key(self, row: Run) -> int:
        """Return the number of the run."""
        return row.id

    def columns(self, width: int) -> Sequence[Column[Run]]:
        """Return columns for the mark of the run in use, number, model, split, metrics, date and name."""
        return [
            Column("", 3, lambda row, _: " ● " if row.id == self._serving else "   "),
            Column(f" {tr('run')}  ", 6, lambda row, _: f"{row.id:>4}  "),
            Column(tr("model"), 13, lambda row, _: f"{text.cut(row.model, 12)} "),
            Column(tr("split"), 10, lambda row, _: row.split),
            *(Column(METRICS[name].label, 9, partial(_figure, name), right=True) for name in MEASURED),
            Column(
                f"  {tr('trained')}",
                REST,
                lambda row, _: f"  {text.moment(row.started)[:10]}  {row.name}",
                style="quiet",
            ),
        ]


def _figure(metric: str, row: Run, width: int) -> str:
    return f"{row.metrics[metric]:.3f}" if metric in row.metrics else ""


class SwitchPanel(Panel[Run | None]):
    """Lists the runs and compares the top of the current list with that of the selected run.

    Ends with the chosen run, or ``None``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        Binding("M", "dismiss(None)", tr("Back"), id="browse.models"),
        choose_key("choose", tr("Use it")),
    ]

    def __init__(self, session: Session, runs: Sequence[Run], offered: Run | None = None) -> None:
        """``offered`` is the run to compare first, by default the one in use."""
        super().__init__()
        assert session.run is not None
        self._session, self._runs = session, list(runs)
        self._now = session.run
        self._first = (offered or session.run).id
        self._comparisons: dict[int, ListComparison] = {}
        """The comparisons so far, by the number of the run."""
        self._rest_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Show the runs and the two lists."""
        with Vertical(classes="panel wide") as panel:
            names = tr(" and ").join(ref.label for ref in self._session.audience.viewers)
            title = tr("Models of {dataset} · for {viewers}", dataset=self._now.dataset, viewers=names)
            panel.border_title = Content(title)
            keeps = tr("keep {model}", model=self._now.model)
            panel.border_subtitle = Content(
                hint(self, ("panel.choose", tr("use it for the list")), ("panel.back", keeps))
            )
            yield ServingRuns(self._now.id)
            yield Static(id="which", markup=False)
            yield TextPane(id="tops")

    def on_mount(self) -> None:
        """Select the run to compare first."""
        runs = self.query_one(ServingRuns)
        runs.fill(len(self._runs), 0, self._runs)
        runs.cursor = next((index for index, run in enumerate(self._runs) if run.id == self._first), 0)
        self.set_focus(runs)

    @on(RowList.Moved)
    def show_selected(self) -> None:
        """Show the comparison with the selected run, or request the comparison once the cursor rests."""
        if self._rest_timer is not None:
            self._rest_timer.stop()
        run = self.query_one(ServingRuns).current
        if run is None:
            return
        if run.id in self._comparisons:
            self._draw(run)
        else:
            self._show_heading(run, tr("computing the list …"))
            self._rest_timer = self.set_timer(DELAY, self.compare)

    def on_resize(self) -> None:
        """Draw the lists in the new width."""
        self.call_after_refresh(self.show_selected)

    @work(exclusive=True, group="tops")
    @shows_problems
    async def compare(self) -> None:
        """Request and show the comparison with the selected run."""
        run = self.query_one(ServingRuns).current
        if run is None:
            return
        try:
            self._comparisons[run.id] = await self._session.compare_list(run, TOP)
        except Problem as problem:
            self._show_heading(run, "")
            self.query_one("#tops", TextPane).show(Text(str(problem), "bold"))
        else:
            self._draw(run)

    def _show_heading(self, run: Run, status: str) -> None:
        name, now = (tr("run {number} {model}", number=each.id, model=each.model) for each in (run, self._now))
        words = (
            tr("{run} makes the list now", run=name)
            if run.id == self._now.id
            else tr("{run} compared with {current_run}", run=name, current_run=now)
        )
        self.query_one("#which", Static).update(Text.assemble((words, "bold"), f"  {status}", no_wrap=True))

    def _draw(self, run: Run) -> None:
        comparison, pane = self._comparisons[run.id], self.query_one("#tops", TextPane)
        total = len(_ranked(comparison, "first"))
        self._show_heading(run, tr("{count} of {total} in both lists", count=comparison["common"], total=total))
        pane.show(render_comparison(comparison, pane.scrollable_content_region.width))

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the selected run."""
        run = self.query_one(ServingRuns).current
        if run is not None:
            self.dismiss(run)


def render_comparison(comparison: ListComparison, width: int) -> Text:
    """Return the top of two lists side by side: what disappears, what is new, and how far the other movies move."""
    room = (width - 2) // 2
    now, after = f" #  {tr('now')}", f" #        {tr('after')}"
    lines = [Text.assemble((text.cut(now, room + 2), "dim"), (text.cut(after, room), "dim"))]
    first, second = (_ranked(comparison, which) for which in ("first", "second"))
    for index in range(max(len(first), len(second))):
        line = Text(no_wrap=True)
        if index < len(first):
            movie = first[index]
            gone = f" {tr('gone')}" if movie["second"] is None else ""
            title = text.cut(text.movie_title(movie), room - 4 - len(gone))
            line.append(f"{index + 1:>2}  ", "dim").append(title, "dim" if gone else "").append(f"{gone}  ", "italic")
        else:
            line.append(" " * (room + 2))
        if index < len(second):
            movie = second[index]
            step = None if movie["first"] is None else movie["first"] - index - 1
            mark = tr("new") if step is None else f"▲{step}" if step > 0 else f"▼{-step}" if step else ""
            line.append(f"{index + 1:>2}  ", "dim").append(f"{mark:<5}", "down" if mark.startswith("▼") else "up")
            line.append(text.cut(text.movie_title(movie), max(1, room - 9)))
        lines.append(line)
    return Text("\n").join(lines)


def _ranked(comparison: ListComparison, which: Literal["first", "second"]) -> list[ListedMovie]:
    """Return the movies of one of the lists, in its order."""
    return sorted(
        (movie for movie in comparison["movies"] if movie[which] is not None), key=lambda movie: movie[which] or 0
    )
