"""The runs of the Train screen: the table, and the curves of the selected run and of the marked ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from textual import on, work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.formatting.run_progress import cluster_text, losses_text, progress_text
from movietui.formatting.settings import value_text
from movietui.models.choices import METRICS, by_importance, metric_named
from movietui.protocol.jobs import EpochRow
from movietui.protocol.requests import Requests
from movietui.state.job_progress import JobProgress
from movietui.store.run_records import CUT_OFF, UNDER_WAY, Run
from movietui.store.runs import Runs
from movietui.ui.bindings import hint, key_of
from movietui.ui.frame import FrameScreen
from movietui.ui.problems import shows_problems
from movietui.ui.textual_internals import set_border
from movietui.ui.train.curve import Curve, CurveLine
from movietui.ui.train.epoch_list import EpochList
from movietui.ui.train.run_table import (
    WHICH_PUBLISHED,
    Interval,
    PublishedRow,
    QueueState,
    RunTable,
    WhichPublished,
)
from movietui.ui.widgets.row_list import RowList
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import RUN_COLUMNS, Term, term_named

NO_EPOCHS = {
    "queued": tr("Waiting in the queue."),
    "running": tr("No epoch is complete yet."),
    "done": tr("This model trains without epochs."),
}
"""Shown instead of the curve of a run without epochs, by its state."""
COLUMNS, PUBLISHED = "run-columns", "published-figures"
"""The choices in the store that say which columns the table of runs has, and which published figures."""
PUBLISHED_SHOWN: Mapping[WhichPublished, str] = {
    "comparable": tr("those on the datasets and splits of your runs"),
    "all": tr("all"),
    "none": tr("none"),
}
ZOOMS = (1, 2, 4)
"""The zoom levels: the last of this many equal parts of the epochs is drawn."""


class RunsScreen(FrameScreen):
    """All runs, sorted, filtered and compared, and their curves. Subclasses compose the panes."""

    def __init__(self) -> None:
        super().__init__()
        self._published: list[PublishedRow] = []
        self.runs_by_id: dict[int, Run] = {}
        """All runs of the store, by number."""
        self._version = 0
        self.target_run: int | None = None
        """The run to select as soon as it is in the table."""
        self._followed_run: int | None = None
        """The quick run that was last selected automatically."""
        self._zoom = ZOOMS[0]
        self._inputs: tuple[Any, ...] = ()
        """What the curves and epochs were last drawn from. Most reports of progress do not change it."""

    @property
    def runs(self) -> RunTable:
        """The table below."""
        return self.query_one("#runs", RunTable)

    def main_widget(self) -> Widget:
        """Return the table."""
        return self.runs

    @property
    def progress(self) -> TextPane:
        """The line above the curve."""
        return self.query_one("#progress", TextPane)

    # The list

    @work(exclusive=True, group="runs")
    @shows_problems
    async def list_runs(self) -> None:
        """List the current runs."""
        app, session = self.movie_tui, self.session
        # Draw the screen once, with its runs, when it opens: drawing it without them first would take twice as long.
        with contextlib.nullcontext() if self._version else app.batch_update():
            changes = await asyncio.to_thread(Runs(session.store).changes, self._version)
        self._version = changes.version
        count_before = len(self.runs_by_id)
        self.runs_by_id.update((run.id, run) for run in changes.runs)
        for number in changes.gone:
            self.runs_by_id.pop(number, None)
        waiting = await app.queue.waiting()
        queue_state = QueueState(
            session.run.id if session.run else None,
            {run.id: position for position, run in enumerate(waiting, 1)},
            frozenset(app.queue.running),
        )
        self.runs.show([*self.runs_by_id.values(), *self._published], queue_state)
        if app.stand_in.quick_run not in (None, self._followed_run):
            self.target_run = self._followed_run = app.stand_in.quick_run
        if self.target_run in self.runs_by_id:
            numbers = [row.id for row in self.runs.known_rows()]
            self.runs.cursor = numbers.index(self.target_run) if self.target_run in numbers else self.runs.cursor
            self.target_run = None
        current = self.runs.current
        if current is not None and current.id in {run.id for run in changes.runs}:
            self.show_run()
        self.runs.display = bool(self.runs_by_id)
        self.query_one("#no-runs").display = not self.runs_by_id
        if not self.runs_by_id:
            self._draw((), instead=tr("While a model trains, its loss is drawn here."))
        grown = len(self.runs_by_id) > count_before
        if grown or changes.gone or any(run.state not in UNDER_WAY for run in changes.runs):
            self.show_disk_usage()  # a run in progress has no checkpoint yet
        cut_off = [run.id for run in self.runs_by_id.values() if run.state == CUT_OFF]
        at_a_time = tr("{runs} at a time", runs=app.queue.at_a_time) if app.queue.at_a_time > 1 else ""
        offer = ""
        if cut_off:
            resumes = hint(self, ("train.again", tr("resume")))
            offer = tr("run {number} was interrupted · {resumes}", number=max(cut_off), resumes=resumes)
        set_border(self.query_one("#runs-pane"), subtitle=" · ".join(filter(None, (at_a_time, offer))))

    def show_disk_usage(self) -> object:
        """Show the size of the checkpoints."""
        raise NotImplementedError

    async def list_changed_runs(self) -> None:
        """Show changes that another window or the command line made to the runs, if this screen is open."""
        if self.is_current:
            with contextlib.suppress(Problem):  # the next action that needs the store reports the problem
                changes = await asyncio.to_thread(Runs(self.session.store).changes, self._version)
                if changes.version != self._version:
                    self.list_runs()

    # The curve

    def _show_training(self, progress: JobProgress, run: Run) -> None:
        set_border(
            self.query_one("#curve-pane"),
            tr("run {number} · {model} · {dataset}", number=run.id, model=run.model, dataset=run.dataset),
        )
        self._explain_losses(run.model)
        paused = run.id in self.movie_tui.queue.paused
        line = Text(
            tr("paused") if paused else progress.step or tr("starting"), "bold", no_wrap=True, overflow="ellipsis"
        )
        line.append(f" {progress.reached} ", "not bold")
        line.append_text(text.thin_bar(progress.done, progress.total, 16))
        self.progress.show(line)
        self._draw(progress.curve, instead=NO_EPOCHS["running"])

    def _draw(
        self,
        epochs: Sequence[EpochRow],
        name: str = "",
        also: Sequence[Run] = (),
        instead: str = "",
        used: int | None = None,
    ) -> None:
        """Draw a run's epochs, of which the model is taken from the one ``used``, and the curves of other runs."""
        if (inputs := (epochs, name, also, instead, used, self._zoom)) == self._inputs:
            return
        self._inputs = inputs
        curve = self.query_one("#curve", Curve)
        current = [CurveLine(name, epochs, used)] if name not in [_name(run) for run in also] else []
        others = [CurveLine(_name(run), run.curve, run.best_epoch) for run in also]
        curve.draw_curves([*others, *current], self._zoom, instead)
        table = self.query_one("#epochs", EpochList)
        table.used = used
        table.set_placeholder(tr("No epochs"))
        table.fill(len(epochs), 0, list(epochs[::-1]))

    def _explain_losses(self, model: str) -> None:
        """Say on the curve and on the epochs what the losses of a model are measured on."""
        self.query_one("#epochs", EpochList).model = model
        self.query_one("#curve", Curve).tooltip = Content(losses_text(model))

    @on(RowList.Moved, "#runs")
    def moved(self) -> None:
        """Show the run that the cursor moved to, and request the intervals of runs that are newly in view."""
        self.show_run()
        if self.runs.baseline is not None:
            self.fetch_intervals()

    def show_run(self) -> None:
        """Show the curve of the selected run, with those of the marked ones."""
        row = self.runs.current
        if row is None:
            return
        marked = [self.runs_by_id[number] for number in self.runs.marked if number in self.runs_by_id]
        seed = tr("split seed {seed}", seed=row.split_seed) if row.split_seed else ""
        whose = row.state if isinstance(row, PublishedRow) else row.name
        title = " · ".join(filter(None, (whose, row.model, row.dataset, row.split, seed)))
        self._explain_losses(row.model)
        if isinstance(row, PublishedRow):
            set_border(self.query_one("#curve-pane"), title)
            self.progress.show(Text())
            self._draw((), also=marked, instead=row.about)
            return
        live = self.movie_tui.queue.progress.get(row.id)
        if live is not None and not marked:
            self._show_training(live, row)
            return
        set_border(self.query_one("#curve-pane"), tr("run {number} · {title}", number=row.id, title=title))
        if row.state in UNDER_WAY and row.progress and not marked:
            self.progress.show(_elsewhere(row))
            self._draw(row.curve, instead=NO_EPOCHS["running"] if not row.cluster else cluster_text(row.cluster))
            return
        epochs = live.curve if live else row.curve
        # If there is no curve, its pane shows the problem, which may take several lines.
        line = row.problem * bool(epochs) or _settings_line(row.settings)
        self.progress.show(Text(line, no_wrap=True, overflow="ellipsis"))
        without = cluster_text(row.cluster) or NO_EPOCHS.get(row.state, tr("No epoch was completed."))
        self._draw(epochs, _name(row), marked, row.problem or without, row.best_epoch)

    # The table

    @work(exclusive=True, group="intervals")
    @shows_problems
    async def fetch_intervals(self) -> None:
        """Request the intervals of the visible differences, one run after the other."""
        table = self.runs
        baseline = table.baseline
        while baseline is not None and baseline == table.baseline and (rows := table.without_intervals()):
            comparison = await self.session.engine.ask(
                Requests.compare_runs, first=baseline, second=rows[0].id, viewers=[]
            )
            table.intervals[rows[0].id] = {
                row["metric"]: Interval(row["low"], row["high"])
                if row["low"] is not None and row["high"] is not None
                else None
                for row in comparison["metrics"]
            }
            table.refresh()

    def action_sort(self) -> None:
        """Sort by the next column."""
        columns = ["", *(self.runs.chosen or self.runs.column_names())]
        position = columns.index(self.runs.sorted_by) if self.runs.sorted_by in columns else 0
        self.runs.is_reversed = False
        self.runs.sorted_by = columns[(position + 1) % len(columns)]
        self.runs.rearrange()
        by = self.runs.sorted_by
        usual = tr("In the usual order: runs in progress first, then the newest.")
        self.movie_tui.show_notice(tr("Sorted by {column}.", column=tr(by)) if by else usual)

    def action_turn(self) -> None:
        """Reverse the order, unless it is the default one."""
        if self.runs.sorted_by:
            self.runs.sort(self.runs.sorted_by)

    def action_filter(self) -> None:
        """Show the field for the filter, and focus it."""
        field = self.query_one("#filter", Input)
        field.display = True
        self.set_focus(field)

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Show only the runs that match."""
        self.runs.filter_text = event.value
        shows = hint(self, ("train.back", tr("shows all runs")))
        self.runs.set_placeholder(
            tr("No run has a dataset, split, model, state or name like that. {shows}.", shows=shows)
        )
        self.runs.rearrange()

    def action_mark(self) -> None:
        """Mark the selected run, or remove its mark."""
        run = self.runs.current
        if isinstance(run, Run):
            self.runs.mark(run.id)
            self.show_run()

    def action_baseline(self) -> None:
        """Show differences from the selected run, or the metrics again."""
        run = self.runs.current
        if isinstance(run, Run) and not run.metrics:
            self.movie_tui.show_notice(tr("Run {number} has no metrics to compare with.", number=run.id))
        elif isinstance(run, Run):
            self.runs.compare_with(None if run.id == self.runs.baseline else run.id)
            self.fetch_intervals()
            line = (
                tr("Differences from run {number}, with 95 % intervals over users", number=run.id)
                if self.runs.baseline
                else tr("Metrics")
            )
            self.movie_tui.show_notice(f"{line}.")

    def action_zoom(self) -> None:
        """Draw only the last half of the epochs, then only the last quarter, then all of them again."""
        self._zoom = ZOOMS[(ZOOMS.index(self._zoom) + 1) % len(ZOOMS)]
        self.show_run()

    @work(group="panel")
    @shows_problems
    async def action_compare(self) -> None:
        """Show the two marked runs side by side."""
        from movietui.ui.train.panels import TablesPanel

        if len(self.runs.marked) != 2:
            mark, shows = key_of(self, "train.mark"), hint(self, ("train.compare", tr("shows")))
            raise Problem(tr("Mark two runs with {key}; then {shows} them side by side.", key=mark, shows=shows))
        first, second = sorted(self.runs.marked)
        viewers = [ref.key for ref in self.session.audience.viewers[:1]]
        done = all(self.runs_by_id[number].state == "done" for number in (first, second))
        comparison = await self.session.engine.ask(
            Requests.compare_runs, first=first, second=second, viewers=viewers if done else []
        )
        self.movie_tui.push_screen(
            TablesPanel(
                tr("Run {first} and run {second}", first=first, second=second),
                lambda tables: tables.run_comparison(comparison),
            )
        )

    @work(group="panel")
    @shows_problems
    async def action_columns(self) -> None:
        """Ask which columns to show, and in which order."""
        from movietui.ui.train.columns_panel import ColumnsPanel

        table = self.runs
        chosen = await self.movie_tui.push_screen_wait(ColumnsPanel(table.column_names(), table.shown_names()))
        if chosen is not None:
            table.choose(chosen)
            self.movie_tui.show_notice(
                tr("Columns: {columns}.", columns=", ".join(map(tr, chosen)))
                if chosen
                else tr("The usual columns, as far as there is room.")
            )
            await self.session.remember(COLUMNS, ",".join(chosen))

    @shows_problems
    async def action_published(self) -> None:
        """List other published figures: those that can be compared with a run, all, or none."""
        table = self.runs
        position = WHICH_PUBLISHED.index(table.which_published)
        table.which_published = WHICH_PUBLISHED[(position + 1) % len(WHICH_PUBLISHED)]
        table.rearrange()
        self.movie_tui.show_notice(tr("Published figures: {shown}.", shown=PUBLISHED_SHOWN[table.which_published]))
        await self.session.remember(PUBLISHED, table.which_published)

    def use_choices(self) -> None:
        """Show the table as it was chosen in an earlier session."""
        store, table = self.session.store, self.runs
        names = {*RUN_COLUMNS, *table.column_names()}
        table.choose([name for name in store.choice(COLUMNS).split(",") if name in names or metric_named(name)])
        which = store.choice(PUBLISHED)
        table.which_published = which if which in WHICH_PUBLISHED else WHICH_PUBLISHED[0]

    def terms(self) -> Mapping[str, Sequence[Term]]:
        """Return the columns and metrics of runs."""
        columns = [term for name in RUN_COLUMNS if (term := term_named(name))]
        metrics = [term for name in by_importance([*self.runs.column_names(), *METRICS]) if (term := term_named(name))]
        return {tr("The columns of runs and epochs"): columns, tr("Metrics"): metrics}

    def _show_published_tables(self, row: PublishedRow) -> None:
        from movietui.ui.train.panels import TablesPanel

        figures = {"name": row.name, "model": row.model, "dataset": row.dataset, "cleaning": row.cleaning}
        figures |= {"split": row.split, "reference": row.reference, "note": row.note}
        self.movie_tui.push_screen(
            TablesPanel(tr("Published figures"), lambda tables: tables.published_summary(figures, row.metrics))
        )

    async def _show_run_tables(self, run: Run) -> None:
        from movietui.ui.train.panels import TablesPanel

        whole = await asyncio.to_thread(Runs(self.session.store).whole, run.id)
        self.movie_tui.push_screen(
            TablesPanel(tr("Run {number}", number=run.id), lambda tables: tables.run_summary(whole))
        )


def _elsewhere(run: Run) -> Text:
    """Return how far a run is that another process trains."""
    line = Text(progress_text(run.progress), "bold", no_wrap=True, overflow="ellipsis").append(" ")
    line.append_text(text.thin_bar(run.progress["epoch"], run.progress["of"], 16))
    return line


def _name(run: Run) -> str:
    return run.name or tr("run {number} {model}", number=run.id, model=run.model)


def _settings_line(settings: Mapping[str, float | str]) -> str:
    """Return settings in one line; the settings of a queued run are shown as they were typed."""
    return " · ".join(f"{name} {value_text(value)}" for name, value in settings.items())
