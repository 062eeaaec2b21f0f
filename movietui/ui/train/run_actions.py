"""Actions on runs: use, name, annotate, delete and export them, and free disk space."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textual.binding import Binding

from movietui.data.language import mark_noun, tr
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.data.storage.paths import free_path, pasted
from movietui.formatting import text
from movietui.store.run_records import UNDER_WAY, Run
from movietui.store.runs import LONGEST_NOTE, LONGEST_RUN_NAME, Freed, Runs
from movietui.ui.bindings import hint, key_of
from movietui.ui.controller import in_background
from movietui.ui.textual_internals import set_border
from movietui.ui.train.controller import TrainController
from movietui.ui.widgets.fields import LONGEST_PATH
from movietui.ui.wording import state_in_words

USE_KEYS = [
    Binding("u", "use", tr("Use run"), id="train.use", tooltip=tr("Use the selected run in Browse")),
]
RUN_KEYS = [
    Binding("n", "name", show=False, id="train.name", tooltip=tr("Name the run")),
    Binding("N", "note", show=False, id="train.note", tooltip=tr("Write a note on the run")),
    Binding("D,delete", "delete", show=False, id="train.delete", tooltip=tr("Delete the run and its checkpoint")),
    Binding("E", "export", show=False, id="train.export", tooltip=tr("Export the marked runs, or all in the table")),
    Binding("B", "prune", show=False, id="train.prune", tooltip=tr("Keep only the best checkpoints")),
]


class RunActionController(TrainController):
    """Actions on the selected run or the marked ones; also shows the size of all checkpoints."""

    _checkpoint_bytes = 0
    """The size of all checkpoints, as last measured."""

    @property
    def _runs_store(self) -> Runs:
        return Runs(self.session.store)

    @in_background("disk", exclusive=True)
    async def show_disk_usage(self) -> None:
        """Show the number of runs and, once it is measured, the size of their checkpoints."""
        self._show_disk()
        self._checkpoint_bytes = await asyncio.to_thread(locations.bytes_in, locations.checkpoints())
        self._show_disk()

    def _show_disk(self) -> None:
        count = text.plural(len(self.screen.runs_by_id), "run")
        parts = (
            count * bool(self.screen.runs_by_id),
            tr("{size} of checkpoints", size=text.size(self._checkpoint_bytes)) * bool(self._checkpoint_bytes),
        )
        set_border(self.screen.query_one("#runs-pane"), " · ".join(filter(None, parts)) or tr("Runs"))

    def _selected_run(self) -> Run:
        """Return the selected run. Raise ``Problem`` if there is none."""
        run = self.screen.runs.current
        if not isinstance(run, Run) or not self.screen.runs.display:
            raise Problem(
                tr("No run is selected.")
                if self.screen.runs_by_id
                else tr(
                    "There is no run yet; press {key} on a model to train it.", key=key_of(self.screen, "train.choose")
                )
            )
        return run

    @in_background("panel")
    async def action_name(self) -> None:
        """Ask for a name for the run."""
        from movietui.ui.panels import NamePanel

        run = self._selected_run()
        words = tr("New name; leave empty to remove it.")
        name = partial(self._runs_store.name, run.id)
        panel = NamePanel(tr("Name run {number}", number=run.id), words, name, run.name, longest=LONGEST_RUN_NAME)
        named: Run | None = await self.app.push_screen_wait(panel)
        if named is not None:
            outcome = tr("is now called {name}", name=named.name) if named.name else tr("has no name now")
            self.app.show_notice(tr("Run {number} {outcome}.", number=run.id, outcome=outcome))
            self.screen.list_runs()

    @in_background("panel")
    async def action_note(self) -> None:
        """Ask for a note on the run."""
        from movietui.ui.panels import NamePanel

        run = self._selected_run()
        words = tr("Your note; leave empty to remove it.")
        note = partial(self._runs_store.note, run.id)
        panel = NamePanel(
            tr("Note on run {number}", number=run.id), words, note, run.note, example=tr("note"), longest=LONGEST_NOTE
        )
        noted: Run | None = await self.app.push_screen_wait(panel)
        if noted is not None:
            self.app.show_notice(
                tr("Saved the note on run {number}.", number=run.id)
                if noted.note
                else tr("Removed the note on run {number}.", number=run.id)
            )
            self.screen.list_runs()

    @in_background("panel")
    async def action_delete(self) -> None:
        """Delete the run after a confirmation."""
        from movietui.ui.panels import ConfirmPanel

        app, run = self.app, self._selected_run()
        if run.state in UNDER_WAY:
            cancels = hint(self.screen, ("train.cancel", tr("cancels it")))
            raise Problem(
                tr(
                    "Run {number} is {state}; {cancels}, and then you can delete it.",
                    number=run.id,
                    state=run.state,
                    cancels=cancels,
                )
            )
        effect = await asyncio.to_thread(self._runs_store.effect_of_deleting, run.id)
        warning = tr(
            "{name} on {dataset}, with its metrics and checkpoint. This cannot be undone.",
            name=run.name or run.model,
            dataset=run.dataset,
        )
        panel = ConfirmPanel(tr("Delete run {number}?", number=run.id), f"{warning}\n\n{effect}".rstrip(), tr("Delete"))
        if not await self.app.push_screen_wait(panel):
            return
        freed: Freed = await asyncio.to_thread(self._runs_store.delete, run.id)
        app.show_notice(
            tr("Deleted run {number}; {size} freed.", number=run.id, size=text.size(freed.bytes))
            if freed.bytes
            else tr("Deleted run {number}.", number=run.id)
        )
        served = self.session.run
        if served is not None and served.id == run.id:
            if await asyncio.to_thread(self.session.store.serving_runs, run.dataset):
                await app.serve(run.dataset)
            else:
                app.show_notice(
                    tr(
                        "Deleted run {number}. Browse keeps its list until you quit; train another model before that.",
                        number=run.id,
                    )
                )
        self.screen.list_runs()

    @in_background("panel")
    async def action_export(self) -> None:
        """Ask for a file, and write to it the marked runs or, if none is marked, all runs in the table."""
        from movietui.ui.panels import NamePanel

        shown = [row.id for row in self.screen.runs.known_rows() if isinstance(row, Run)]
        numbers = [number for number in self.screen.runs.marked if number in self.screen.runs_by_id] or shown
        if not numbers:
            raise Problem(tr("There is no run to export."))
        runs = text.plural(
            len(numbers), mark_noun("marked run") if self.screen.runs.marked else mark_noun("listed run")
        )
        words = tr(
            "Export the {runs} to a file: .csv, .md or .tex for a table, .svg for curves, .json for everything.",
            runs=runs,
        )
        proposed = await asyncio.to_thread(free_path, Path.cwd(), "runs", ".csv")
        panel = NamePanel(
            tr("Export runs"),
            words,
            partial(self._write, numbers),
            str(proposed),
            example="runs.csv",
            longest=LONGEST_PATH,
        )
        written: Path | None = await self.app.push_screen_wait(panel)
        if written is not None:
            self.app.show_notice(tr("Exported {runs} to {path}", runs=text.plural(len(numbers), "run"), path=written))

    def _write(self, numbers: Sequence[int], typed: str) -> Path:
        from movietui.formatting import run_files

        path = pasted(typed).absolute()
        if not typed.strip():
            raise Problem(tr("Type a file name."))
        if path.exists():
            raise Problem(tr("{path} already exists; choose another file.", path=path))
        run_files.write([self._runs_store.whole(number) for number in numbers], path)
        return path

    @in_background("panel")
    async def action_prune(self) -> None:
        """Ask how many checkpoints to keep, show which would be removed, and remove them."""
        from movietui.ui.train.panels import PrunePanel

        if not any(run.state == "done" for run in self.screen.runs_by_id.values()):
            raise Problem(tr("No run is done yet, so there are no checkpoints."))
        metric = (
            self.screen.runs.sorted_by
            if any(self.screen.runs.sorted_by in run.metrics for run in self.screen.runs_by_id.values())
            else ""
        )
        freed: list[Freed] | None = await self.app.push_screen_wait(PrunePanel(self._runs_store, metric or "rmse"))
        if freed is not None:
            total = text.size(sum(one.bytes for one in freed))
            self.app.show_notice(
                tr(
                    "Removed {checkpoints}; {size} freed.",
                    checkpoints=text.plural(len(freed), "checkpoint"),
                    size=total,
                )
            )
            self.screen.list_runs()
            self.show_disk_usage()

    @in_background("use")
    async def action_use(self) -> None:
        """Use the selected run in Browse."""
        run = self.screen.runs.current
        app = self.app
        if not self.screen.runs_by_id or not isinstance(run, Run):
            app.show_notice(
                tr("There is no run to use yet; train a model first.")
                if not self.screen.runs_by_id
                else tr("No run is selected; the filter shows none.")
                if run is None
                else tr("These are published figures without a model; select a run.")
            )
            return
        if run.state != "done":
            app.show_notice(
                tr(
                    "Run {number} is {state}; only a finished run can be used.",
                    number=run.id,
                    state=state_in_words(run.state),
                )
            )
            return
        await app.serve(run.dataset, run)
        app.show_notice(
            tr(
                "Browse now uses run {number}: {model} on {dataset}",
                number=run.id,
                model=run.model,
                dataset=run.dataset,
            )
        )
