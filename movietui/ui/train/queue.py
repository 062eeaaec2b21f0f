"""The keys of the queue: cancel, pause, resume and reorder runs, and set how many train at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.store.run_records import CUT_OFF, UNDER_WAY, Run
from movietui.ui.bindings import hint
from movietui.ui.problems import shows_problems
from movietui.ui.train.controller import TrainController

CANCEL_KEYS = [
    Binding(
        "c", "cancel", tr("Cancel"), id="train.cancel", tooltip=tr("Stop the selected run, or whatever is running")
    ),
]
QUEUE_KEYS = [
    Binding("p", "pause", show=False, id="train.pause", tooltip=tr("Pause the run, or resume it")),
    Binding("r", "again", show=False, id="train.again", tooltip=tr("Resume an interrupted, stopped or failed run")),
    Binding("K,shift+up", "shift(-1)", show=False, id="train.earlier", tooltip=tr("Move a queued run up")),
    Binding("J,shift+down", "shift(1)", show=False, id="train.later", tooltip=tr("Move a queued run down")),
    Binding("plus", "change_at_a_time(1)", show=False, id="train.more", tooltip=tr("One more run at a time")),
    Binding("minus", "change_at_a_time(-1)", show=False, id="train.fewer", tooltip=tr("One fewer run at a time")),
]


class QueueController(TrainController):
    """Handles the keys of the queue."""

    @shows_problems
    async def action_cancel(self) -> None:
        """Stop the selected run if the table of runs has the focus and the run is queued or in progress.

        Otherwise stop the job in progress or, if there is none, a run that is training. For a selected run that is in
        another process's queue, show a problem.
        """
        app, run = self.app, self.screen.runs.current
        if self.screen.runs.has_focus and run is not None and run.state in ("queued", *UNDER_WAY):
            await app.queue.cancel(run.id)
            self.screen.list_runs()
        elif not (await app.jobs.cancel() or await app.stand_in.cancel()):
            if not app.queue.running:
                app.show_notice(tr("Nothing is running."))
                return
            await app.queue.cancel(app.queue.running[0])

    @property
    def _waiting(self) -> Sequence[int]:
        """The numbers of the queued runs, the next one first."""
        return list(self.screen.runs.queue_state.positions)

    @shows_problems
    async def action_pause(self) -> None:
        """Pause or resume the selected run or, if that is not training in this window, the first one that is."""
        queue, run = self.app.queue, self.screen.runs.current
        number = run.id if run is not None and run.id in queue.running else next(iter(queue.running), None)
        if number is None:
            raise Problem(tr("No run here can be paused."))
        if number in queue.paused:
            await queue.resume(number)
            self.app.show_notice(tr("Resumed run {number}.", number=number))
        else:
            await queue.pause(number)
            resumes = hint(self.screen, ("train.pause", tr("resumes it")))
            self.app.show_notice(tr("Run {number} will pause in a moment; {resumes}.", number=number, resumes=resumes))

    @shows_problems
    async def action_again(self) -> None:
        """Resume the newest interrupted run; if there is none, or if the table has the focus, the selected run."""
        run = self.screen.runs.current
        cut_off = [one.id for one in self.screen.runs_by_id.values() if one.state == CUT_OFF]
        if isinstance(run, Run) and (self.screen.runs.has_focus or not cut_off):
            number = run.id
        elif cut_off:
            number = max(cut_off)
        else:
            raise Problem(tr("There is no interrupted run."))
        await self.app.queue.again(number)
        self.screen.target_run = number
        self.app.show_notice(tr("Resuming run {number}.", number=number))
        self.screen.list_runs()

    @shows_problems
    async def action_shift(self, step: int) -> None:
        """Move the selected run forward or back in the queue."""
        run = self.screen.runs.current
        if run is None or run.id not in self._waiting:
            raise Problem(tr("Only a run queued in this window can be moved."))
        await self.app.queue.move(run.id, max(0, self._waiting.index(run.id) + step))
        self.screen.list_runs()

    @shows_problems
    async def action_change_at_a_time(self, step: int) -> None:
        """Train more or fewer runs at the same time."""
        queue = self.app.queue
        await queue.set_at_a_time(queue.at_a_time + step)
        self.app.show_notice(tr("{runs} at a time.", runs=text.plural(queue.at_a_time, "run")))
        self.screen.list_runs()
