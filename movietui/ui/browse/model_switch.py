"""Another model for the list: the runs that can serve it, how good each is, and what each would put on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from data.problems import Problem
from movietui import text
from movietui.bindings import back, choose, hint
from movietui.run_records import Run
from movietui.session import Session
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told

TOP = 10
DELAY = 0.2
"""Seconds that the cursor rests before a run is loaded to see its list."""
MEASURED = {"rmse": "RMSE", "ndcg@10": "ndcg@10"}


class ServingRuns(RowList[Run]):
    """The runs that can serve a dataset, each with its measured quality; the one at work is marked."""

    DEFAULT_CSS = "ServingRuns { height: auto; max-height: 25%; min-height: 3; }"
    has_head = True

    def __init__(self, at_work: int) -> None:
        super().__init__(id="serving")
        self._at_work = at_work

    def name_of(self, row: Run) -> int:
        """Return the number of the run."""
        return row.id

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        figures = "".join(f"{name:>9}" for name in MEASURED.values())
        return text.cut(f"    run  {'model':<12} {'split':<10}{figures}  of", width)

    def draw(self, row: Run, width: int) -> Line:
        """Draw one run."""
        mark = " ● " if row.id == self._at_work else "   "
        figures = "".join(f"{row.metrics[name]:>9.3f}" if name in row.metrics else " " * 9 for name in MEASURED)
        facts = f"{mark}{row.id:>4}  {text.cut(row.model, 12)} {text.cut(row.split, 10)}{figures}"
        about = f"  {text.moment(row.started)[:10]}  {row.name}"
        return [(facts, ""), (text.cut(about, max(0, width - len(facts))), "quiet")]


class SwitchPanel(ModalScreen[Run | None]):
    """Lists the runs, and beside the top of the list now what the run under the cursor makes of it.

    Ends with the run that is to serve.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        back(),
        Binding("M", "dismiss(None)", "Back", id="browse.models"),
        choose("choose", "Use it"),
    ]

    def __init__(self, session: Session, runs: Sequence[Run]) -> None:
        super().__init__()
        assert session.run is not None
        self._session, self._runs = session, list(runs)
        self._now = session.run
        self._found: dict[int, Mapping[str, Any]] = {}
        """What was found by run."""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Show the runs and the two lists."""
        with Vertical(classes="panel wide") as panel:
            names = " and ".join(ref.label for ref in self._session.audience.viewers)
            panel.border_title = Content(f"Models of {self._now.dataset} · for {names}")
            panel.border_subtitle = Content(
                hint(self, ("panel.choose", "uses it for the list"), ("panel.back", "goes back"))
            )
            yield ServingRuns(self._now.id)
            yield Static(id="which", markup=False)
            yield TextPane(id="tops")

    def on_mount(self) -> None:
        """Begin at the run at work."""
        runs = self.query_one(ServingRuns)
        runs.fill(len(self._runs), 0, self._runs)
        runs.cursor = next((place for place, run in enumerate(self._runs) if run.id == self._now.id), 0)
        self.set_focus(runs)

    @on(RowList.Moved)
    def look(self) -> None:
        """Look at another run, once the cursor rests."""
        if self._timer is not None:
            self._timer.stop()
        run = self.query_one(ServingRuns).current
        if run is None:
            return
        if run.id in self._found:
            self._draw(run)
        else:
            self._head(run, "its list is worked out …")
            self._timer = self.set_timer(DELAY, self.work_out)

    def on_resize(self) -> None:
        """Draw the lists as wide as there is room."""
        self.call_after_refresh(self.look)

    @work(exclusive=True, group="tops")
    @told
    async def work_out(self) -> None:
        """Ask what the run under the cursor makes of the list."""
        run = self.query_one(ServingRuns).current
        if run is None:
            return
        try:
            self._found[run.id] = await self._session.beside(run, TOP)
        except Problem as problem:
            self._head(run, "")
            self.query_one("#tops", TextPane).show(Text(str(problem), "bold"))
        else:
            self._draw(run)

    def _head(self, run: Run, told: str) -> None:
        name = f"run {run.id} {run.model}"
        words = (
            f"{name} is at work" if run.id == self._now.id else f"{name} beside run {self._now.id} {self._now.model}"
        )
        self.query_one("#which", Static).update(Text.assemble((words, "bold"), f"  {told}", no_wrap=True))

    def _draw(self, run: Run) -> None:
        found, pane = self._found[run.id], self.query_one("#tops", TextPane)
        self._head(run, f"{found['common']} of {len(_places(found, 'first'))} stay")
        pane.show(two_tops(found, pane.scrollable_content_region.width))

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the run under the cursor."""
        run = self.query_one(ServingRuns).current
        if run is not None:
            self.dismiss(run)


def two_tops(found: Mapping[str, Any], width: int) -> Text:
    """Return the top of two lists side by side: what goes, what is new, and what moves by how much."""
    room = (width - 2) // 2
    lines = [Text.assemble((text.cut(" #  now", room + 2), "dim"), (text.cut(" #        then", room), "dim"))]
    first, second = (_places(found, which) for which in ("first", "second"))
    for place in range(max(len(first), len(second))):
        line = Text(no_wrap=True)
        if place < len(first):
            movie = first[place]
            gone = " gone" if movie["second"] is None else ""
            title = text.cut(_titled(movie), room - 4 - len(gone))
            line.append(f"{place + 1:>2}  ", "dim").append(title, "dim" if gone else "").append(f"{gone}  ", "italic")
        else:
            line.append(" " * (room + 2))
        if place < len(second):
            movie = second[place]
            step = None if movie["first"] is None else movie["first"] - movie["second"]
            mark = "new" if step is None else f"▲{step}" if step > 0 else f"▼{-step}" if step else ""
            line.append(f"{place + 1:>2}  ", "dim").append(f"{mark:<5}", "bold")
            line.append(text.cut(_titled(movie), max(1, room - 9)))
        lines.append(line)
    return Text("\n").join(lines)


def _places(found: Mapping[str, Any], which: str) -> list[Mapping[str, Any]]:
    """The movies of one of the lists, in its order."""
    return sorted((movie for movie in found["movies"] if movie[which] is not None), key=lambda movie: movie[which])


def _titled(movie: Mapping[str, Any]) -> str:
    return f"{movie['title']} ({movie['year']})" if movie["year"] else str(movie["title"])
