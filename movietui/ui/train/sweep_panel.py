"""The panel of a sweep: the values to try, the combinations measured so far, and the effect of each value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.formatting.settings import value_text
from movietui.models.choices import SAMPLERS, SEARCHES, Sampler, label_of
from movietui.protocol.messages import ModelRow
from movietui.state.job_progress import JobProgress
from movietui.state.sweep import Sweep, combinations, grid_of, metric_of, sampler_of, tries_of
from movietui.ui.bindings import back_key, choose_key, hint, key_of
from movietui.ui.screens import Panel
from movietui.ui.train.sweep_table import ResponseChart, SweepTable
from movietui.ui.widgets.drawn_text import DrawnText
from movietui.ui.widgets.fields import SEVERAL, WHOLE, YES_NO_LETTERS, Field, NumberInput

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

Grid = Mapping[str, Sequence[str]]
METRIC, SEARCH, SAMPLER = "metric", "search", "sampler"
"""The names of the fields that are not settings."""


@dataclass(frozen=True)
class Typed:
    """What was typed: which combinations to try, and what to choose by."""

    grid: Grid
    metric: str
    sampler: Sampler
    tries: int | None
    """How many combinations a search tries; ``None`` for all."""


class SweepPanel(Panel[dict[str, str] | None]):
    """Asks which values to try, and shows the results.

    Ends with the settings to use, or ``None``; a running sweep continues.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(),
        Binding("c", "cancel", tr("Cancel"), id="sweep.cancel", tooltip=tr("Stop the sweep")),
        choose_key("use", tr("Use these settings")),
        Binding("e", "edit", tr("To the values"), id="sweep.edit", tooltip=tr("Go to the values")),
    ]

    def __init__(
        self,
        model: ModelRow,
        about: str,
        values: Mapping[str, str],
        field: str,
        fit_seconds: float | None,
        start: Callable[[Typed], Awaitable[None]],
        sweep: Sweep | None,
    ) -> None:
        """``values``: the initial text of each field, by name; also of ``METRIC``, ``SEARCH`` and ``SAMPLER``. The
        cursor starts in ``field``.

        ``about``: the dataset and the split, for the title. ``fit_seconds``: how long a fit takes, if known. ``start``
        starts a sweep. ``sweep``: the sweep to show, if there is one.
        """
        super().__init__()
        self._model, self._about, self._values, self._field = model, about, values, field
        self._fit_seconds, self._start, self.sweep = fit_seconds, start, sweep

    def compose(self) -> ComposeResult:
        """Put the fields above the results."""
        with Vertical(classes="panel sweep") as panel:
            panel.border_title = Content(
                tr("Sweep {model} · {dataset}", model=self._model["name"], dataset=self._about)
            )
            keys = hint(self, ("sweep.cancel", tr("cancel")), ("panel.back", tr("back")))
            panel.border_subtitle = Content(tr("enter start, or use the row · tab next field · {keys}", keys=keys))
            with VerticalScroll(id="sweep-fields", can_focus=False):
                for setting in self._model["settings"]:
                    name = setting["name"]
                    with Horizontal(classes="sweep-field"):
                        yield Static(Text(name, "bold", no_wrap=True, overflow="ellipsis"))
                        switch = setting["kind"] == "bool"
                        yield NumberInput(
                            self._values[name],
                            keys="c",
                            restrict=YES_NO_LETTERS if switch else SEVERAL,
                            id=f"try-{name}",
                            select_on_focus=False,
                            tooltip=Content(setting["meaning"]),
                        )
                        limits = "yes,no" if switch else f"{setting['low']:g} … {setting['high']:g}"
                        yield Static(Text(limits, "dim", no_wrap=True), classes="sweep-range")
                with Horizontal(classes="sweep-field"):
                    yield Static(Text(tr("choose by"), "bold"))
                    yield Field(
                        self._values[METRIC],
                        id=f"try-{METRIC}",
                        compact=True,
                        select_on_focus=False,
                        tooltip=tr("The metric that decides which settings are best."),
                    )
                    yield Static(Text(tr("or ndcg@10 …"), "dim", no_wrap=True), classes="sweep-range")
                with Horizontal(classes="sweep-field"):
                    yield Static(Text(SEARCH, "bold"))
                    yield NumberInput(
                        self._values[SEARCH],
                        keys="c",
                        restrict=WHOLE,
                        id=f"try-{SEARCH}",
                        select_on_focus=False,
                        tooltip=tr("How many combinations to try; empty: all. A search may have ranges: 8..64."),
                    )
                    yield Static(Text(tr("how many or all"), "dim", no_wrap=True), classes="sweep-range")
                with Horizontal(classes="sweep-field"):
                    yield Static(Text(SAMPLER, "bold"))
                    yield Field(
                        self._values[SAMPLER],
                        id=f"try-{SAMPLER}",
                        compact=True,
                        select_on_focus=False,
                        tooltip="; ".join(f"{name}: {SAMPLERS[name]}" for name in SEARCHES),
                    )
                    yield Static(Text(tr(" or ").join(SEARCHES), "dim", no_wrap=True), classes="sweep-range")
            yield DrawnText(id="sweep-status")
            with Horizontal(id="sweep-results"):
                yield SweepTable(id="swept")
                yield ResponseChart(id="responses")

    def on_mount(self) -> None:
        """Focus the field or, if there is a sweep that is running or done, its table."""
        cast("MovieTui", self.app).progress_changed.subscribe(self, self._watch)
        self.update(self.sweep)
        if self.sweep is not None and self.sweep.state != "stopped":
            self.set_focus(self.table)
        else:
            self.action_edit()

    @property
    def table(self) -> SweepTable:
        """The combinations."""
        return self.query_one("#swept", SweepTable)

    def _watch(self, progress: JobProgress | None) -> None:
        if self.sweep is not None and progress is not None and progress.request["do"] == "sweep":
            self._show_status(progress)

    def update(self, sweep: Sweep | None) -> None:
        """Show the progress of the sweep."""
        self.sweep = sweep
        if sweep is not None:
            self.table.show(sweep)
            self.query_one("#responses", ResponseChart).show(sweep)
        else:
            self.table.set_placeholder(tr("Press enter to measure every combination."))
        self._show_status(cast("MovieTui", self.app).jobs.progress)

    def _typed(self) -> Typed:
        """Return what was typed. Raise ``Problem`` if it is invalid."""

        def text_of(name: str) -> str:
            return self.query_one(f"#try-{name}", Input).value

        fields, metric, tries = self._model["settings"], metric_of(text_of(METRIC)), tries_of(text_of(SEARCH))
        sampler = sampler_of(text_of(SAMPLER), tries)
        grid = grid_of({field["name"]: text_of(field["name"]) for field in fields}, fields, search=tries is not None)
        return Typed(grid, metric, sampler, tries)

    def _show_status(self, progress: JobProgress | None) -> None:
        sweep = self.sweep
        if sweep is not None and sweep.state == "running":
            line = Text(tr("{done} of {combinations}  ", done=len(sweep.rows), combinations=sweep.combinations), "bold")
            line.append_text(text.thin_bar(len(sweep.rows), sweep.combinations, 16))
            if sweep.seconds_left is not None:
                line.append(tr("  {duration} left", duration=text.duration(sweep.seconds_left)))
            if progress is not None and progress.step:
                line.append(f"  {progress.step} {progress.reached}", "dim")
        elif sweep is not None and self._unchanged(sweep):
            line = self._outcome(sweep)
        else:
            line = self._plan()
        line.no_wrap, line.overflow = True, "ellipsis"
        self.query_one("#sweep-status", DrawnText).show(line)

    def _unchanged(self, sweep: Sweep) -> bool:
        """Return whether the typed values are those of the sweep."""
        try:
            return self._typed() == Typed(sweep.grid, sweep.metric, sweep.sampler, sweep.tries)
        except Problem:
            return False

    def _outcome(self, sweep: Sweep) -> Text:
        if sweep.problem:
            return Text(f"! {sweep.problem}", "bold")
        if sweep.state == "stopped":
            rest = tr("stopped after {done} of {combinations}", done=len(sweep.rows), combinations=sweep.combinations)
            return Text.assemble((rest, "bold"), tr(" · press enter in a field to resume"))
        best, metric = sweep.best, sweep.metric
        test = best and best["test"]
        on_test = tr(", {figure:.4f} on test", figure=test[metric]) if test else ""
        figure = ""
        if best:
            figure = tr(
                "{metric} {figure:.4f} on validation{on_test}",
                metric=label_of(metric),
                figure=best["metrics"][metric],
                on_test=on_test,
            )
        uses = tr(" · {figure} · {key} uses a row", figure=figure, key=key_of(self, "panel.choose"))
        return Text.assemble((tr("done"), "bold"), uses)

    def _plan(self) -> Text:
        try:
            typed = self._typed()
        except Problem as problem:
            return Text(f"! {problem}", "bold")
        count, seconds = typed.tries or combinations(typed.grid), self._fit_seconds
        time = (
            tr("about {duration}", duration=text.duration(seconds * (count + 1)))
            if seconds
            else tr("time unknown until one is done")
        )
        return Text.assemble((text.plural(count, "combination"), "bold"), tr(" · {time} · enter starts", time=time))

    @on(Input.Changed)
    def check(self) -> None:
        """Show how many combinations there are, or what is wrong."""
        self._show_status(None)

    @on(Input.Submitted)
    async def submit(self) -> None:
        """Start the sweep, or resume it."""
        try:
            await self._start(self._typed())
        except Problem as problem:
            self.query_one("#sweep-status", DrawnText).show(Text(f"! {problem}", "bold"))
            return
        self.set_focus(self.table)

    @on(NumberInput.Pressed)
    async def action_cancel(self) -> None:
        """Stop the sweep; its results are kept."""
        if self.sweep is not None and self.sweep.state == "running":
            await cast("MovieTui", self.app).jobs.cancel()

    def action_use(self) -> None:
        """End with the settings of the selected row."""
        row = self.table.current
        if row is not None:
            settings = {name: value_text(value) for name, value in row["settings"].items()}
            self.dismiss({**settings, **row["grid"]})

    def action_edit(self) -> None:
        """Go to the values."""
        self.set_focus(self.query_one(f"#try-{self._field}", Input))
