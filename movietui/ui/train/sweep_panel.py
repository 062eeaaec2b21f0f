"""The sweep panel: fields and values to try, the combinations as they are measured, what each value does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from data.problems import Problem
from movietui import text
from movietui.activity import Activity
from movietui.bindings import back, choose, hint
from movietui.replies import ModelRow
from movietui.sweeping import JUDGED_BY, Sweep, combinations, grid_of
from movietui.widgets.number_input import NumberInput
from movietui.widgets.sweep_table import ResponseChart, SweepTable

if TYPE_CHECKING:
    from movietui.app import MovieTui

Grid = Mapping[str, Sequence[str]]


class SweepPanel(ModalScreen[dict[str, str] | None]):
    """Asks what to try, and shows what came of it. Ends with settings to be used, or nothing; a sweep goes on then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back(),
        Binding("c", "cancel", "Cancel", id="sweep.cancel", tooltip="Stop the sweep"),
        choose("use", "Use these settings"),
        Binding("e", "edit", "To the values", id="sweep.edit", tooltip="Go to the values of the sweep"),
    ]

    def __init__(
        self,
        model: ModelRow,
        about: str,
        values: Mapping[str, str],
        field: str,
        fit_seconds: float | None,
        start: Callable[[Grid], Awaitable[None]],
        sweep: Sweep | None,
    ) -> None:
        """Show the ``values`` of the form to be added to, the cursor in one ``field``, and a sweep that there is.

        ``about``: dataset and split. ``fit_seconds``: of such a model, where known. ``start`` begins a sweep.
        """
        super().__init__()
        self._model, self._about, self._values, self._field = model, about, values, field
        self._fit_seconds, self._start, self.sweep = fit_seconds, start, sweep

    def compose(self) -> ComposeResult:
        """Put the fields above what was found."""
        with Vertical(classes="panel sweep") as panel:
            panel.border_title = Content(f"Sweep {self._model['name']} · {self._about}")
            keys = hint(self, ("sweep.cancel", "cancels"), ("panel.back", "goes back"))
            panel.border_subtitle = Content(f"enter starts, or uses the row · tab · {keys}")
            with VerticalScroll(id="sweep-fields", can_focus=False):
                for setting in self._model["settings"]:
                    name = setting["name"]
                    with Horizontal(classes="sweep-field"):
                        yield Static(Text(name, "bold", no_wrap=True, overflow="ellipsis"))
                        yield NumberInput(
                            self._values[name],
                            keys="c",
                            id=f"try-{name}",
                            select_on_focus=False,
                            tooltip=setting["meaning"],
                        )
                        reach = Text(f"{setting['low']:g} … {setting['high']:g}", "dim", no_wrap=True)
                        yield Static(reach, classes="sweep-range")
            yield Static(id="sweep-told", markup=False)
            with Horizontal(id="sweep-found"):
                yield SweepTable(id="swept")
                yield ResponseChart(id="responses")

    def on_mount(self) -> None:
        """Begin in the field, or with a sweep that runs or is done in its table."""
        cast("MovieTui", self.app).activity_changed.subscribe(self, self._watch)
        self.renew(self.sweep)
        if self.sweep is not None and self.sweep.state != "stopped":
            self.set_focus(self.table)
        else:
            self.action_edit()

    @property
    def table(self) -> SweepTable:
        """The combinations."""
        return self.query_one("#swept", SweepTable)

    def _watch(self, activity: Activity | None) -> None:
        if self.sweep is not None and activity is not None and activity.request["do"] == "sweep":
            self._tell(activity)

    def renew(self, sweep: Sweep | None) -> None:
        """Show how far the sweep is now."""
        self.sweep = sweep
        if sweep is not None:
            self.table.show(sweep)
            self.query_one("#responses", ResponseChart).show(sweep)
        else:
            self.table.say("enter measures every combination.")
        self._tell(cast("MovieTui", self.app).work.activity)

    def _grid(self) -> dict[str, list[str]]:
        """Return what was typed. Raises ``Problem`` where it cannot be swept."""
        fields = self._model["settings"]
        typed = {field["name"]: self.query_one(f"#try-{field['name']}", Input).value for field in fields}
        return grid_of(typed, fields)

    def _tell(self, activity: Activity | None) -> None:
        sweep = self.sweep
        if sweep is not None and sweep.state == "running":
            line = Text(f"{len(sweep.rows)} of {sweep.combinations}  ", "bold")
            line.append_text(text.thin_bar(len(sweep.rows), sweep.combinations, 16))
            if sweep.seconds_left is not None:
                line.append(f"  {text.duration(sweep.seconds_left)} left")
            if activity is not None and activity.step:
                line.append(f"  {activity.step} {activity.reached}", "dim")
        elif sweep is not None and self._unchanged(sweep):
            line = self._outcome(sweep)
        else:
            line = self._asked()
        line.no_wrap, line.overflow = True, "ellipsis"
        self.query_one("#sweep-told", Static).update(line)

    def _unchanged(self, sweep: Sweep) -> bool:
        """Whether what is typed is what was swept."""
        try:
            return self._grid() == sweep.grid
        except Problem:
            return False

    @staticmethod
    def _outcome(sweep: Sweep) -> Text:
        if sweep.problem:
            return Text(f"! {sweep.problem}", "bold")
        if sweep.state == "stopped":
            rest = f"stopped after {len(sweep.rows)} of {sweep.combinations}"
            return Text.assemble((rest, "bold"), " · enter in a field goes on with the others")
        best = sweep.best
        test = best and best["test"]
        on_test = f", {test[JUDGED_BY]:.4f} on test" if test else ""
        figure = f"{JUDGED_BY} {best['metrics'][JUDGED_BY]:.4f} on validation{on_test}" if best else ""
        return Text.assemble(("done", "bold"), f" · {figure} · enter uses a row")

    def _asked(self) -> Text:
        try:
            many = combinations(self._grid())
        except Problem as problem:
            return Text(f"! {problem}", "bold")
        took = self._fit_seconds
        time = f"about {text.duration(took * (many + 1))}" if took else "time unknown until the first is done"
        return Text.assemble((text.plural(many, "combination"), "bold"), f" · {time} · enter starts")

    @on(Input.Changed)
    def check(self) -> None:
        """Say how many combinations these are, or what is wrong."""
        self._tell(None)

    @on(Input.Submitted)
    async def submit(self) -> None:
        """Begin, or go on with what was stopped."""
        try:
            await self._start(self._grid())
        except Problem as problem:
            self.query_one("#sweep-told", Static).update(Text(f"! {problem}", "bold"))
            return
        self.set_focus(self.table)

    @on(NumberInput.Pressed)
    async def action_cancel(self) -> None:
        """Stop the sweep; what is measured is kept."""
        if self.sweep is not None and self.sweep.state == "running":
            await cast("MovieTui", self.app).work.cancel()

    def action_use(self) -> None:
        """End with the settings of the row under the cursor."""
        row = self.table.current
        if row is not None:
            known = {name: f"{value:g}" for name, value in row["settings"].items()}
            self.dismiss({**known, **row["grid"]})

    def action_edit(self) -> None:
        """Go to the values."""
        self.set_focus(self.query_one(f"#try-{self._field}", Input))
