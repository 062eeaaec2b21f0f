"""What a person does with runs on the Train screen: name, note, delete, write to a file, make room on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textual import work

from data import locations
from data.problems import Problem
from movietui import text
from movietui.bindings import hint
from movietui.run_records import UNDER_WAY, Run
from movietui.runs import LONGEST_NOTE, LONGEST_RUN_NAME, Freed, Runs
from movietui.screens.frame import entitle
from movietui.screens.studying import StudyScreen
from movietui.widgets.told import told

LONGEST_PATH = 4096


class KeepScreen(StudyScreen):
    """Runs that are kept, and how much room they take."""

    _taken = 0
    """Bytes of all checkpoints, as they were last counted."""

    @property
    def _kept(self) -> Runs:
        return Runs(self.session.store)

    @work(exclusive=True, group="disk")
    @told
    async def tell_disk(self) -> None:
        """Say how many runs there are and what their checkpoints take, which is soon known."""
        self._show_disk()
        self._taken = await self.movie_tui.in_thread(locations.bytes_in, locations.checkpoints())
        self._show_disk()

    def _show_disk(self) -> None:
        many = text.plural(len(self._runs), "run")
        parts = (many * bool(self._runs), f"{text.size(self._taken)} of checkpoints" * bool(self._taken))
        entitle(self.query_one("#runs-pane"), " · ".join(filter(None, parts)) or "Runs")

    def _to_keep(self) -> Run:
        """Return the run under the cursor. Raises ``Problem`` where none is."""
        run = self.runs.current
        if not isinstance(run, Run) or not self.runs.display:
            raise Problem("There is no run under the cursor." if self._runs else "There is no run yet.")
        return run

    @work(group="panel")
    @told
    async def action_name(self) -> None:
        """Ask what to call the run."""
        from movietui.screens.panels import NamePanel

        run = self._to_keep()
        words = "What to call it; nothing takes its name away."
        name = partial(self._kept.name, run.id)
        panel = NamePanel(f"Name run {run.id}", words, name, run.name, longest=LONGEST_RUN_NAME)
        named: Run | None = await self.app.push_screen_wait(panel)
        if named is not None:
            self.movie_tui.say(f"Run {run.id} is {named.name}." if named.name else f"Run {run.id} has no name.")
            self.list_runs()

    @work(group="panel")
    @told
    async def action_note(self) -> None:
        """Ask for a note to the run."""
        from movietui.screens.panels import NamePanel

        run = self._to_keep()
        words = "What you want to remember of it; nothing takes the note away."
        note = partial(self._kept.note, run.id)
        panel = NamePanel(f"Note to run {run.id}", words, note, run.note, example="note", longest=LONGEST_NOTE)
        noted: Run | None = await self.app.push_screen_wait(panel)
        if noted is not None:
            self.movie_tui.say(f"The note to run {run.id} is {'kept' if noted.note else 'gone'}.")
            self.list_runs()

    @work(group="panel")
    @told
    async def action_delete(self) -> None:
        """Delete the run, once that is confirmed."""
        from movietui.screens.panels import ConfirmPanel

        app, run = self.movie_tui, self._to_keep()
        if run.state in UNDER_WAY:
            raise Problem(
                f"Run {run.id} is {run.state}; {hint(self, ('train.cancel', 'cancels it'))}, then it can be deleted."
            )
        lists = await app.in_thread(self._kept.without, run.id)
        sure = f"{run.name or run.model} on {run.dataset}, with its figures and its checkpoint. It cannot be had back."
        panel = ConfirmPanel(f"Delete run {run.id}?", f"{sure}\n\n{lists}".rstrip(), "Delete")
        if not await self.app.push_screen_wait(panel):
            return
        freed: Freed = await app.in_thread(self._kept.delete, run.id)
        app.say(f"Run {run.id} is deleted{f', {text.size(freed.bytes)} free' * bool(freed.bytes)}.")
        served = self.session.run
        if served is not None and served.id == run.id:
            if await app.in_thread(self.session.store.serving_runs, run.dataset):
                await app.serve(run.dataset)
            else:
                app.say(f"Run {run.id} is deleted; Browse keeps its list until you leave. Train a model before that.")
        self.list_runs()

    @work(group="panel")
    @told
    async def action_export(self) -> None:
        """Ask where the marked runs go, else all that the table shows, and write them there."""
        from movietui import run_files
        from movietui.screens.panels import NamePanel

        shown = [row.id for row in self.runs.known_rows() if isinstance(row, Run)]
        numbers = [number for number in self.runs.marked if number in self._runs] or shown
        if not numbers:
            raise Problem("There is no run to write.")
        which = f"{'the marked' if self.runs.marked else 'the shown'} {text.plural(len(numbers), 'run')}"
        words = f"Where to write {which}: .csv and .md are tables, .json has all that is known."
        proposed = await self.movie_tui.in_thread(run_files.free_name, Path.cwd())
        panel = NamePanel(
            "Write runs",
            words,
            partial(self._write, numbers),
            str(proposed),
            example="runs.csv",
            longest=LONGEST_PATH,
        )
        written: Path | None = await self.app.push_screen_wait(panel)
        if written is not None:
            self.movie_tui.say(f"{text.plural(len(numbers), 'run')} written to {written}")

    def _write(self, numbers: Sequence[int], typed: str) -> Path:
        from movietui import run_files

        path = Path(typed.strip()).expanduser().absolute()
        if not typed.strip():
            raise Problem("Type the name of a file.")
        if path.exists():
            raise Problem(f"There is something at {path} already; name another file.")
        run_files.write([self._kept.whole(number) for number in numbers], path)
        return path

    @work(group="panel")
    @told
    async def action_prune(self) -> None:
        """Ask how many checkpoints stay, show which go, and remove them."""
        from movietui.screens.run_panels import PrunePanel

        if not any(run.state == "done" for run in self._runs.values()):
            raise Problem("No run is done yet; none has a checkpoint.")
        metric = self.runs.sorted_by if any(self.runs.sorted_by in run.metrics for run in self._runs.values()) else ""
        freed: list[Freed] | None = await self.app.push_screen_wait(PrunePanel(self._kept, metric or "rmse"))
        if freed is not None:
            total = text.size(sum(one.bytes for one in freed))
            self.movie_tui.say(f"{text.plural(len(freed), 'checkpoint')} removed, {total} free.")
            self.list_runs()
            self.tell_disk()
