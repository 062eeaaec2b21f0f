"""The history of a viewer: what they changed in the app, newest first. Each step can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.viewers import ViewerRef
from movietui.state.session import Session
from movietui.store.ratings import Step
from movietui.ui import wording
from movietui.ui.bindings import back_key, hint
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.widgets.columns import REST, Column, ColumnList
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList


class StepList(ColumnList[Step]):
    """The steps of a history. Undone steps are marked and dimmed."""

    DEFAULT_CSS = "StepList { height: 1fr; }"
    has_header = True

    def row_key(self, row: Step) -> int:
        """Return the number of the step."""
        return row.number

    def columns(self, width: int) -> Sequence[Column[Step]]:
        """Return columns for the mark of undone steps, the time, what was done, and the movie."""
        return [
            Column("", 3, lambda row, _: " ↶ " if row.undone else "   ", style="quiet"),
            Column(tr("when"), 17, lambda row, _: text.moment(row.at), style="quiet"),
            Column(tr("what"), 16, lambda row, _: wording.summarize_step(row)),
            Column(f" {tr('movie')}", REST, lambda row, _: f" {wording.about(row)}"),
        ]

    def draw(self, row: Step, width: int) -> Line:
        """Draw one step, dimmed if it is undone."""
        return [(piece, style or ("quiet" if row.undone else "")) for piece, style in super().draw(row, width)]


class HistoryPanel(Panel[bool]):
    """Lists the steps of a viewer. Ends with true if something changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key("leave"),
        Binding("h", "leave", tr("Back"), id="browse.history"),
        Binding("u", "step('undo')", tr("Undo"), id="browse.undo"),
        Binding("r", "step('redo')", tr("Redo"), id="browse.redo"),
        Binding(
            "enter",
            "go_to",
            tr("To here"),
            key_display="enter",
            id="history.to-here",
            tooltip=tr("Undo this step and all later ones, or redo all up to it"),
        ),
        Binding("asterisk", "ratings", tr("Ratings"), key_display="*", id="browse.ratings"),
        Binding("x", "take_back", tr("Only this"), id="history.only-this", tooltip=tr("Undo this step only")),
    ]

    def __init__(self, session: Session, viewer: ViewerRef) -> None:
        super().__init__()
        self._session = session
        self._viewer = viewer
        self._changed = False

    def compose(self) -> ComposeResult:
        """Show the steps and the keys."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(tr("History · {viewer}", viewer=self._viewer.label))
            panel.border_subtitle = Content(
                hint(
                    self,
                    ("browse.undo", tr("undo")),
                    ("browse.redo", tr("redo")),
                    ("history.to-here", tr("undo to here")),
                    ("history.only-this", tr("undo only this")),
                    ("browse.ratings", tr("ratings")),
                )
            )
            yield StepList(id="steps")
            yield Static(id="wrong", markup=False)

    async def on_mount(self) -> None:
        """Load the steps."""
        await self._fill("")

    @property
    def steps(self) -> StepList:
        """The steps."""
        return self.query_one(StepList)

    @shows_problems
    async def _fill(self, message: str) -> None:
        steps = await asyncio.to_thread(self._session.store.history, self._viewer)
        self.steps.fill(len(steps), 0, steps, follow=True)
        self.steps.set_placeholder(
            tr(
                "Nothing yet. Whatever you rate, import, hide, mark as seen or put on the watchlist will be listed "
                "here."
            )
        )
        self.query_one("#wrong", Static).update(Content(message))

    @work(exclusive=True, group="history")
    @shows_problems
    async def action_step(self, which: str) -> None:
        """Undo the newest step that is not undone, or redo the step that was undone last."""
        store = self._session.store
        move = store.undo if which == "undo" else store.redo
        step = await asyncio.to_thread(move, (self._viewer,))
        if step is None:
            await self._fill(tr("There is nothing to undo.") if which == "undo" else tr("There is nothing to redo."))
            return
        self._changed = True
        done = wording.describe_step(step, undone=which == "undo")
        await self._fill(tr("undid {step}", step=done) if which == "undo" else tr("redid {step}", step=done))

    @work(exclusive=True, group="history")
    @shows_problems
    async def action_go_to(self) -> None:
        """Undo all steps down to the selected one, or redo all up to it."""
        step = self.steps.current
        if step is None:
            return
        count = await self._session.changes.go_to(step)
        self._changed = self._changed or count > 0
        steps = text.plural(count, "step")
        await self._fill(tr("redid {steps}", steps=steps) if step.undone else tr("undid {steps}", steps=steps))

    @work(exclusive=True, group="history")
    @shows_problems
    async def action_take_back(self) -> None:
        """Undo only the selected step."""
        step = self.steps.current
        if step is None:
            return
        if step.undone:
            redoes = hint(self, ("history.to-here", tr("redoes it")))
            await self._fill(tr("That step is already undone; {hint}.", hint=redoes))
            return
        reverting = await self._session.changes.take_back(step)
        self._changed = self._changed or reverting is not None
        impossible = tr("This step cannot be undone on its own: everything it changed was changed again later.")
        await self._fill(
            tr("undid {step}", step=wording.describe_step(reverting, undone=True)) if reverting else impossible
        )

    @work(exclusive=True, group="history")
    @shows_problems
    async def action_ratings(self) -> None:
        """Show all ratings of the viewer as they are now."""
        from movietui.ui.browse.given_ratings import RatingsPanel

        changed = await self.app.push_screen_wait(RatingsPanel(self._session))
        self._changed = self._changed or bool(changed)
        await self._fill("")

    @on(RowList.Clicked)
    def ignore_click(self, event: RowList.Clicked) -> None:
        """Ignore a click on the selected step: a click by mistake could undo too much."""
        event.stop()

    def action_leave(self) -> None:
        """Close the panel."""
        self.dismiss(self._changed)
