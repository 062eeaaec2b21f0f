"""History: everything that a viewer did here, newest first, and a way back from any of it."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from movietui import saying, text
from movietui.bindings import back, hint
from movietui.session import Session
from movietui.store import Step
from movietui.viewers import ViewerRef
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList
from movietui.widgets.told import told

WHEN = 17
WHAT = 16


class Steps(RowList[Step]):
    """What was done; what is taken back is crossed out by a mark and drawn quieter."""

    DEFAULT_CSS = "Steps { height: 1fr; }"
    has_head = True

    def name_of(self, row: Step) -> int:
        """Return the number of the step."""
        return row.number

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        return text.cut(f"   {'when':<{WHEN}}{'what':<{WHAT}} movie", width)

    def draw(self, row: Step, width: int) -> Line:
        """Draw one step."""
        style = "quiet" if row.undone else ""
        return [
            (" ↶ " if row.undone else "   ", "quiet"),
            (f"{text.moment(row.at):<{WHEN}}", "quiet"),
            (text.cut(saying.recorded(row), WHAT), style),
            (text.cut(f" {saying.about(row)}", width - 3 - WHEN - WHAT), style),
        ]


class HistoryPanel(ModalScreen[bool]):
    """Lists the steps of a viewer. Ends true where something was changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back("leave"),
        Binding("h", "leave", "Back", id="browse.history"),
        Binding("u", "step('undo')", "Undo", id="browse.undo"),
        Binding("r", "step('redo')", "Redo", id="browse.redo"),
        Binding(
            "enter",
            "go_to",
            "To here",
            key_display="enter",
            id="history.to-here",
            tooltip="Take back all down to this; of what is taken back, do all again up to it",
        ),
        Binding("x", "take_back", "Only this", id="history.only-this", tooltip="Take back this alone"),
    ]

    def __init__(self, session: Session, viewer: ViewerRef) -> None:
        super().__init__()
        self._session = session
        self._viewer = viewer
        self._changed = False

    def compose(self) -> ComposeResult:
        """Show the steps and what can be done with them."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(f"History · {self._viewer.label}")
            panel.border_subtitle = Content(
                hint(
                    self,
                    ("browse.undo", "undo"),
                    ("browse.redo", "redo"),
                    ("history.to-here", "back to here"),
                    ("history.only-this", "only this one"),
                )
            )
            yield Steps(id="steps")
            yield Static(id="wrong", markup=False)

    async def on_mount(self) -> None:
        """Fill it."""
        await self._fill("")

    @property
    def steps(self) -> Steps:
        """The steps."""
        return self.query_one(Steps)

    @told
    async def _fill(self, said: str) -> None:
        steps = await self._session.history(self._viewer)
        self.steps.fill(len(steps), 0, steps, follow=True)
        self.steps.say("Nothing yet: ratings, the watchlist, what is hidden or seen, and imports are listed here.")
        self.query_one("#wrong", Static).update(Content(said))

    @work(exclusive=True, group="history")
    @told
    async def action_step(self, which: str) -> None:
        """Take back the newest step, or do again what was taken back last."""
        store = self._session.store
        move = store.undo if which == "undo" else store.redo
        step = await self._session.on_store(move, (self._viewer,))
        if step is None:
            await self._fill(f"There is nothing to {which}.")
            return
        self._changed = True
        done = "took back" if which == "undo" else "did again"
        await self._fill(f"{done} {saying.called(step, taken_back=which == 'undo')}")

    @work(exclusive=True, group="history")
    @told
    async def action_go_to(self) -> None:
        """Take back all steps down to the one under the cursor, or do all again up to it."""
        step = self.steps.current
        if step is None:
            return
        count = await self._session.go_to(step)
        self._changed = self._changed or count > 0
        did = "did again" if step.undone else "took back"
        await self._fill(f"{did} {text.plural(count, 'step')}")

    @work(exclusive=True, group="history")
    @told
    async def action_take_back(self) -> None:
        """Take back the step under the cursor alone."""
        step = self.steps.current
        if step is None:
            return
        if step.undone:
            await self._fill(f"That is taken back already; {hint(self, ('history.to-here', 'does it again'))}.")
            return
        taken = await self._session.take_back(step)
        self._changed = self._changed or taken is not None
        gone = "Nothing is left of that: it was changed again since."
        await self._fill(f"took back {saying.called(taken, taken_back=False)}" if taken else gone)

    @on(RowList.Clicked)
    def ignore_click(self, event: RowList.Clicked) -> None:
        """A second click changes nothing: too much would be taken back by mistake."""
        event.stop()

    def action_leave(self) -> None:
        """Go back to the list."""
        self.dismiss(self._changed)
