"""The runs of the Train screen, to be studied: the table, and the curves of those that are looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from textual import on, work
from textual.widgets import Input

from data.problems import Problem
from movietui import text
from movietui.activity import Activity
from movietui.bindings import hint, key_of
from movietui.run_records import CUT_OFF, UNDER_WAY, Run
from movietui.runs import Runs
from movietui.screens.frame import FrameScreen, entitle
from movietui.widgets.curve import Curve, Drawn, best_of
from movietui.widgets.row_list import RowList
from movietui.widgets.run_table import Picture, Reach, Reported, RunTable
from movietui.widgets.tables import EpochList
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told

NO_EPOCHS = {
    "queued": "It waits for its turn.",
    "running": "No epoch is over yet.",
    "done": "It learned without epochs.",
}
"""What stands in place of the curve of a run without one, by its state."""
ZOOMS = (1, 2, 4)
"""Into how many parts the epochs are cut, of which the last is drawn."""


class StudyScreen(FrameScreen):
    """All runs, sorted, filtered and compared, and their curves. Who composes it has the panes."""

    def __init__(self) -> None:
        super().__init__()
        self._reported: list[Reported] = []
        self._runs: dict[int, Run] = {}
        self._version = 0
        self._go_to: int | None = None
        """The run that the cursor goes to as soon as it is in the table."""
        self._led_to: int | None = None
        """The run of a first model that the cursor went to last."""
        self._zoom = ZOOMS[0]
        self._drawn: tuple[Any, ...] = ()
        """What the curves and the epochs were drawn from: most of what is told of a training changes neither."""

    @property
    def runs(self) -> RunTable:
        """The table below."""
        return self.query_one("#runs", RunTable)

    @property
    def progress(self) -> TextPane:
        """The line above the curve."""
        return self.query_one("#progress", TextPane)

    # The list

    @work(exclusive=True, group="runs")
    @told
    async def list_runs(self) -> None:
        """List the runs as they are now."""
        app, session = self.movie_tui, self.session
        # A screen that opens is drawn once, with its runs: without them first, it would take twice as long.
        with contextlib.nullcontext() if self._version else app.batch_update():
            changes = await app.in_thread(Runs(session.store).changes, self._version)
        self._version = changes.version
        known = len(self._runs)
        self._runs.update((run.id, run) for run in changes.runs)
        for number in changes.deleted:
            self._runs.pop(number, None)
        waiting = await app.queue.waiting()
        picture = Picture(
            session.run.id if session.run else None,
            {run.id: place for place, run in enumerate(waiting, 1)},
            frozenset(app.queue.running),
        )
        self.runs.show([*self._runs.values(), *self._reported], picture)
        if app.stand_in.leading not in (None, self._led_to):
            self._go_to = self._led_to = app.stand_in.leading
        if self._go_to in self._runs:
            numbers = [row.id for row in self.runs.known_rows()]
            self.runs.cursor = numbers.index(self._go_to) if self._go_to in numbers else self.runs.cursor
            self._go_to = None
        self.runs.display = bool(self._runs)
        self.query_one("#no-runs").display = not self._runs
        grown = len(self._runs) > known
        if grown or changes.deleted or any(run.state not in UNDER_WAY for run in changes.runs):
            self.tell_disk()  # what only goes on has no checkpoint yet
        cut_off = [run.id for run in self._runs.values() if run.state == CUT_OFF]
        at_a_time = f"{app.queue.at_a_time} at a time" if app.queue.at_a_time > 1 else ""
        offer = f"run {max(cut_off)} was cut off · {hint(self, ('train.again', 'goes on with it'))}" if cut_off else ""
        entitle(self.query_one("#runs-pane"), subtitle=" · ".join(filter(None, (at_a_time, offer))))

    def tell_disk(self) -> object:
        """Say what the checkpoints take."""
        raise NotImplementedError

    async def look(self) -> None:
        """Show what another window or the command line did to the runs."""
        if self.is_current:
            with contextlib.suppress(Problem):  # whoever needs the store next is told what is wrong with it
                changes = await self.movie_tui.in_thread(Runs(self.session.store).changes, self._version)
                if changes.version != self._version:
                    self.list_runs()

    # The curve

    def _show_training(self, activity: Activity, run: Run) -> None:
        entitle(self.query_one("#curve-pane"), f"run {run.id} · {run.model} · {run.dataset}")
        paused = run.id in self.movie_tui.queue.paused
        line = Text("paused" if paused else activity.step or "starting", "bold", no_wrap=True, overflow="ellipsis")
        line.append(f" {activity.reached} ", "not bold")
        line.append_text(text.thin_bar(activity.done, activity.total, 16))
        self.progress.show(line)
        self._draw(activity.curve, instead=NO_EPOCHS["running"])

    def _draw(
        self, epochs: Sequence[dict[str, Any]], name: str = "", also: Sequence[Run] = (), instead: str = ""
    ) -> None:
        if (drawn := (epochs, name, also, instead, self._zoom)) == self._drawn:
            return
        self._drawn = drawn
        best = best_of(epochs)
        curve = self.query_one("#curve", Curve)
        own = [Drawn(name, epochs, best)] if name not in [_name(run) for run in also] else []
        others = [Drawn(_name(run), run.curve, best_of(run.curve)) for run in also]
        curve.draw_curves([*others, *own], self._zoom, instead)
        entitle(self.query_one("#curve-pane"), subtitle=curve.legend())
        table = self.query_one("#epochs", EpochList)
        table.best = best
        table.fill(len(epochs), 0, list(reversed(epochs)))

    @on(RowList.Moved, "#runs")
    def moved(self) -> None:
        """Another run is under the cursor, and others may be in view."""
        self.show_run()
        if self.runs.baseline is not None:
            self.fill_reaches()

    def show_run(self) -> None:
        """Show the curve of the run under the cursor, with those that are marked."""
        row = self.runs.current
        if row is None:
            return
        marked = [self._runs[number] for number in self.runs.marked if number in self._runs]
        title = " · ".join(filter(None, (row.name, row.model, row.dataset, row.split)))
        if isinstance(row, Reported):
            entitle(self.query_one("#curve-pane"), title)
            self.progress.show(Text())
            self._draw((), also=marked, instead=row.note)
            return
        live = self.movie_tui.queue.activities.get(row.id)
        if live is not None and not marked:
            self._show_training(live, row)
            return
        entitle(self.query_one("#curve-pane"), f"run {row.id} · {title}")
        epochs = live.curve if live else row.curve
        # A sentence that has no room in one line stands in place of the curve, where there is none.
        told = row.problem * bool(epochs) or _settings_line(row.settings)
        self.progress.show(Text(told, no_wrap=True, overflow="ellipsis"))
        self._draw(epochs, _name(row), marked, row.problem or NO_EPOCHS.get(row.state, "No epoch was over."))

    # The table

    @work(exclusive=True, group="reaches")
    @told
    async def fill_reaches(self) -> None:
        """Have the engine work out the intervals of the differences in view."""
        table = self.runs
        baseline = table.baseline
        while baseline is not None and baseline == table.baseline and (rows := table.comparable()):
            found = await self.session.engine.ask("compare", first=baseline, second=rows[0].id, viewers=[])
            table.reaches[rows[0].id] = {
                row["metric"]: Reach(row["low"], row["high"]) if row["low"] is not None else None
                for row in found["metrics"]
            }
            table.refresh()

    def action_sort(self) -> None:
        """Sort by the next column."""
        columns = ["", *self.runs.columns()]
        place = columns.index(self.runs.sorted_by)
        self.runs.turned = False
        self.runs.sorted_by = columns[(place + 1) % len(columns)]
        self.runs.rearrange()
        self.movie_tui.say(f"Sorted by {self.runs.sorted_by or 'when they began'}.")

    def action_turn(self) -> None:
        """Sort the other way round."""
        if self.runs.sorted_by:
            self.runs.sort(self.runs.sorted_by)

    def action_filter(self) -> None:
        """Type what to look for."""
        field = self.query_one("#filter", Input)
        field.display = True
        self.set_focus(field)

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Show only what was typed."""
        self.runs.words = event.value
        self.runs.rearrange()

    def action_mark(self) -> None:
        """Mark the run under the cursor."""
        run = self.runs.current
        if isinstance(run, Run):
            self.runs.mark(run.id)
            self.show_run()

    def action_baseline(self) -> None:
        """Show differences to the run under the cursor, or figures again."""
        run = self.runs.current
        if isinstance(run, Run) and not run.metrics:
            self.movie_tui.say(f"Run {run.id} has no figures to compare with.")
        elif isinstance(run, Run):
            self.runs.compare_with(None if run.id == self.runs.baseline else run.id)
            self.fill_reaches()
            told = f"Differences to run {run.id}, with 95 % intervals over users" if self.runs.baseline else "Figures"
            self.movie_tui.say(f"{told}.")

    def action_zoom(self) -> None:
        """Draw fewer epochs, the last ones."""
        self._zoom = ZOOMS[(ZOOMS.index(self._zoom) + 1) % len(ZOOMS)]
        self.show_run()

    @work(group="panel")
    @told
    async def action_compare(self) -> None:
        """Show the two runs that are marked side by side."""
        from movietui.screens.run_panels import TablesPanel

        if len(self.runs.marked) != 2:
            mark, shows = key_of(self, "train.mark"), hint(self, ("train.compare", "shows"))
            raise Problem(f"Mark two runs with {mark}; then {shows} them side by side.")
        first, second = sorted(self.runs.marked)
        store, app = self.session.store, self.movie_tui
        viewers = [await app.in_thread(store.asked, ref) for ref in self.session.audience.viewers[:1]]
        done = all(self._runs[number].state == "done" for number in (first, second))
        found = await self.session.engine.ask("compare", first=first, second=second, viewers=viewers if done else [])
        app.push_screen(TablesPanel(f"Run {first} and run {second}", lambda tables: tables.of_two(found)))

    async def _unfold(self, run: Run) -> None:
        from movietui.screens.run_panels import TablesPanel

        whole = await self.movie_tui.in_thread(Runs(self.session.store).whole, run.id)
        self.movie_tui.push_screen(TablesPanel(f"Run {run.id}", lambda tables: tables.of_one(whole)))


def _name(run: Run) -> str:
    return run.name or f"run {run.id} {run.model}"


def _settings_line(settings: Mapping[str, float | str]) -> str:
    """Settings as they are, or of a run that waits as they were typed."""
    told = {name: value if isinstance(value, str) else f"{value:g}" for name, value in settings.items()}
    return " · ".join(f"{name} {value}" for name, value in told.items())
