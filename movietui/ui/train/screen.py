"""Train: pick a model and its settings, watch it learn, compare what came of it, use the best."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.dom import DOMNode
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import WorkerError

from data.problems import Cancelled, Problem
from movietui import text
from movietui.activity import Activity
from movietui.bindings import hint, key_of
from movietui.replies import ModelRow
from movietui.run_records import CUT_OFF, Run
from movietui.runs import SERVED_SPLIT
from movietui.screens.frame import entitle, screen_keys
from movietui.screens.keeping import KeepScreen
from movietui.sweeping import Sweep, seconds_of_fit
from movietui.widgets.curve import Curve
from movietui.widgets.row_list import RowList
from movietui.widgets.run_table import Reported, RunTable
from movietui.widgets.settings_form import SettingsForm
from movietui.widgets.tables import EpochList, ModelList
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told
from movietui.wire import Message

VIEWS = ("curve", "epochs", "settings")
REST_SECONDS = 0.1
"""How long the cursor rests on a model before its form is made: that of a network takes longer than a key may wait."""
OF_A_MODEL = ("choose", "settings", "preset", "sweep", "copy")
"""The actions of the screen that are for the model under the cursor."""
LOOK_SECONDS = 0.5
"""How often the runs of other windows and of the command line are looked for."""


class TrainScreen(KeepScreen):
    """Models, the curve, the settings, and all runs."""

    CSS_PATH = "train.tcss"
    title_of_help = "Train"
    about = ("A model learns in a process of its own; the list stays usable meanwhile.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Train", id="train.choose", tooltip="Train the model; all about the run"),
        Binding(
            "c", "cancel", "Cancel", id="train.cancel", tooltip="Stop the run under the cursor, or what is running"
        ),
        Binding("u", "use", "Use run", id="train.use", tooltip="Use the run under the cursor in Browse"),
        Binding("e", "settings", "Settings", id="train.settings", tooltip="Change the model's settings"),
        Binding(
            "v", "view", "View", show=False, id="train.view", tooltip="Curve, epochs or settings in a narrow window"
        ),
        Binding("p", "pause", show=False, id="train.pause", tooltip="Pause the run after its epoch, or resume it"),
        Binding("r", "again", show=False, id="train.again", tooltip="Go on with a run that was cut off or stopped"),
        Binding("K,shift+up", "shift(-1)", show=False, id="train.earlier", tooltip="Let a run that waits go earlier"),
        Binding("J,shift+down", "shift(1)", show=False, id="train.later", tooltip="Let a run that waits go later"),
        Binding("plus", "let(1)", show=False, id="train.more", tooltip="Train one more run at the same time"),
        Binding("minus", "let(-1)", show=False, id="train.fewer", tooltip="Train one run less at the same time"),
        Binding("slash", "filter", show=False, id="train.filter", tooltip="Only runs of a dataset, split or model"),
        Binding("o", "sort", show=False, id="train.sort", tooltip="Sort the runs by the next column"),
        Binding("O", "turn", show=False, id="train.turn", tooltip="Sort the runs the other way round"),
        Binding("equals_sign", "baseline", show=False, id="train.baseline", tooltip="Differences to this run"),
        Binding("x", "mark", show=False, id="train.mark", tooltip="Mark the run: its curve is drawn with the others"),
        Binding("m", "compare", show=False, id="train.compare", tooltip="The two marked runs side by side"),
        Binding("n", "name", show=False, id="train.name", tooltip="Give the run a name"),
        Binding("N", "note", show=False, id="train.note", tooltip="Write a note to the run"),
        Binding("D,delete", "delete", show=False, id="train.delete", tooltip="Delete the run and its checkpoint"),
        Binding("E", "export", show=False, id="train.export", tooltip="Write the marked runs, or all in the table"),
        Binding("B", "prune", show=False, id="train.prune", tooltip="Keep the checkpoints of the best runs only"),
        Binding("P", "preset", show=False, id="train.preset", tooltip="Fill in the tuned or the published settings"),
        Binding(
            "s", "sweep", show=False, id="train.sweep", tooltip="Try values of settings; in the form of this field"
        ),
        Binding("y", "copy", show=False, id="train.copy", tooltip="Copy the command line that trains the same"),
        Binding("z", "zoom", show=False, id="train.zoom", tooltip="Draw the last epochs only"),
        Binding("left,h", "focus_models", "Models", show=False, id="train.models", tooltip="Go to the models"),
        Binding("right,l", "focus_runs", "Runs", show=False, id="train.runs", tooltip="Go to the runs"),
        Binding("escape", "back", "Back", show=False, id="train.back", tooltip="Leave the settings"),
        *screen_keys("browse"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._models: list[ModelRow] = []
        self._early: list[tuple[DOMNode, str]] = []
        """What keys asked for before there were models, and of whom."""
        self._resting: Timer | None = None
        self._showing = asyncio.Lock()
        self._sweep: Sweep | None = None
        """The one that runs or was the last."""

    def body(self) -> ComposeResult:
        """Put the panes above the runs."""
        with Vertical(classes="body"):
            with Horizontal(id="training"):
                with Vertical(id="models-pane", classes="pane"):
                    yield ModelList(id="models")
                with Vertical(id="curve-pane", classes="pane"):
                    yield TextPane(id="progress")
                    yield Curve(id="curve")
                with Vertical(id="epochs-pane", classes="pane"):
                    yield EpochList(id="epochs")
                with VerticalScroll(id="settings-pane", classes="pane", can_focus=False):
                    yield SettingsForm(id="form")
            with Vertical(id="runs-pane", classes="pane"):
                yield Static(id="no-runs", markup=False)
                yield Input(placeholder="dataset, split, model or state", id="filter", compact=True)
                yield RunTable(id="runs")

    def on_mount(self) -> None:
        """Listen to jobs, and list models and runs."""
        for pane, title in (("models", "Models"), ("epochs", "Epochs"), ("settings", "Settings"), ("runs", "Runs")):
            self.query_one(f"#{pane}-pane").border_title = title
        entitle(
            self.query_one("#settings-pane"), subtitle=hint(self, ("train.choose", "trains"), ("train.sweep", "sweeps"))
        )
        self.movie_tui.activity_changed.subscribe(self, self.show_activity)
        self.movie_tui.queue_changed.subscribe(self, lambda _: self.show_queue())
        self.movie_tui.served_changed.subscribe(self, self.served)
        self.query_one("#filter").display = False
        self.query_one("#no-runs", Static).update(
            Text(f"No runs yet: {key_of(self, 'train.choose')} on a model trains it.")
        )
        self.view("curve")
        self.set_focus(self.models)
        self.open_lists()
        if self.movie_tui.work.activity is not None:
            self.show_activity(self.movie_tui.work.activity)
        self.set_interval(LOOK_SECONDS, self.look)

    @property
    def models(self) -> ModelList:
        """The list on the left."""
        return self.query_one("#models", ModelList)

    def view(self, name: str) -> None:
        """In a narrow window: show the curve, the epochs or the settings."""
        for other in VIEWS:
            self.query_one(f"#{other}-pane").set_class(other == name, "-viewed")

    # Lists

    @work(group="open")
    @told
    async def open_lists(self) -> None:
        """List the runs, and once they are drawn the models: the form of one takes as long as all the rest."""
        with contextlib.suppress(WorkerError):  # another list was asked for meanwhile
            await self.list_runs().wait()
        self.call_after_refresh(self.list_models)

    @work(exclusive=True, group="models")
    @told
    async def list_models(self) -> None:
        """List the models."""
        session = self.session
        await session.engine.start()
        self._models = await session.models()
        self.models.fill(len(self._models), 0, self._models)
        early, self._early = self._early, []
        if self.models.has_focus:  # whoever went elsewhere meanwhile is left alone
            for node, action in early:
                await self.app.run_action(action, node)
        self._reported = [Reported.of(row) for row in await session.engine.ask("reported")]
        if self._version:  # else they are about to be listed
            self.list_runs()

    def served(self, dataset: str) -> None:
        """Mark the run that serves now; the command line is for the dataset at work."""
        self.list_runs()
        self.check_settings()

    # What runs

    def show_activity(self, activity: Activity | None) -> None:
        """Show how far a sweep is."""
        if activity is not None and activity.request["do"] == "sweep" and self._sweep is not None:
            if len(self._sweep.rows) == len(activity.results):
                return  # only the fit that goes on is further
            self._show_sweep(replace(self._sweep, rows=activity.results))

    def show_queue(self) -> None:
        """Show how far the queue is."""
        row = self.runs.current
        queue = self.movie_tui.queue
        waiting = set(self.runs.picture.places)
        if self.runs.picture.running != frozenset(queue.running) or waiting & set(queue.running):
            self.list_runs()
        elif row is not None and row.id in queue.activities:
            self.show_run()

    # The queue

    @told
    async def action_cancel(self) -> None:
        """Stop the run under the cursor, or what is running."""
        app, run = self.movie_tui, self.runs.current
        if self.runs.has_focus and run is not None and (run.id in app.queue.running or run.id in self._waiting):
            await app.queue.cancel(run.id)
            self.list_runs()
        elif not await app.work.cancel():
            if not app.queue.running:
                app.say("Nothing is running.")
                return
            awaited = app.stand_in.leading
            await app.queue.cancel(awaited if awaited in app.queue.running else app.queue.running[0])

    @property
    def _waiting(self) -> Sequence[int]:
        """The runs that wait, the next one first."""
        return list(self.runs.picture.places)

    @told
    async def action_pause(self) -> None:
        """Pause the run under the cursor or the first that trains; resume one that is paused."""
        queue, run = self.movie_tui.queue, self.runs.current
        number = run.id if run is not None and run.id in queue.running else next(iter(queue.running), None)
        if number is None:
            raise Problem("Nothing trains here that could be paused.")
        if number in queue.paused:
            await queue.resume(number)
            self.movie_tui.say(f"Run {number} goes on.")
        else:
            await queue.pause(number)
            self.movie_tui.say(
                f"Run {number} pauses at the end of its epoch; {hint(self, ('train.pause', 'resumes it'))}."
            )

    @told
    async def action_again(self) -> None:
        """Go on with the run under the cursor, or the newest that was cut off."""
        run = self.runs.current
        cut_off = [one.id for one in self._runs.values() if one.state == CUT_OFF]
        if isinstance(run, Run) and (self.runs.has_focus or not cut_off):
            number = run.id
        elif cut_off:
            number = max(cut_off)
        else:
            raise Problem("There is no run that was cut off.")
        await self.movie_tui.queue.again(number)
        self._go_to = number
        self.movie_tui.say(f"Run {number} goes on from where it can.")
        self.list_runs()

    @told
    async def action_shift(self, step: int) -> None:
        """Let the run under the cursor go earlier or later."""
        run = self.runs.current
        if run is None or run.id not in self._waiting:
            raise Problem("Only a run that waits here can be moved.")
        await self.movie_tui.queue.move(run.id, max(0, self._waiting.index(run.id) + step))
        self.list_runs()

    @told
    async def action_let(self, step: int) -> None:
        """Train more or fewer runs at the same time."""
        queue = self.movie_tui.queue
        await queue.let(queue.at_a_time + step)
        self.movie_tui.say(f"{text.plural(queue.at_a_time, 'run')} at a time.")
        self.list_runs()

    # Settings

    @on(RowList.Moved, "#models")
    def show_soon(self) -> None:
        """Show the form of the model under the cursor, once the cursor rests."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST_SECONDS, self.show_settings)

    @told
    async def show_settings(self) -> None:
        """Show the form of the model under the cursor, where it does not stand there yet."""
        async with self._showing:
            model = self.models.current
            if model is not None and model is not self.form.model:
                await self.form.show(model)
                self.check_settings()

    @property
    def form(self) -> SettingsForm:
        """The form on the right."""
        return self.query_one("#form", SettingsForm)

    @on(SettingsForm.Changed)
    def check_settings(self) -> None:
        """Say what is wrong with what was typed, or how the command line says it."""
        self.form.tell(self.movie_tui.working)

    @told
    async def action_preset(self) -> None:
        """Fill in the other preset."""
        await self.show_settings()
        self.form.turn_preset()
        self.movie_tui.say(f"These are the {self.form.preset} settings.")

    @told
    async def action_copy(self) -> None:
        """Copy the command line that trains the same."""
        await self.show_settings()
        command = self.form.command(self.movie_tui.working)
        self.app.copy_to_clipboard(command)
        self.movie_tui.say(f"Copied: {command}")

    # Sweeps

    @on(SettingsForm.Sweep)
    def sweep_field(self, event: SettingsForm.Sweep) -> None:
        """Try values of the field under the cursor."""
        self.action_sweep(event.field)

    @work(group="panel")
    @told
    async def action_sweep(self, field: str = "") -> None:
        """Open the sweep panel, and put the settings that were chosen there into the form."""
        from movietui.screens.sweeping import SweepPanel

        await self.show_settings()
        form, model = self.form, self.form.model
        if model is None:
            return
        if not model["settings"]:
            raise Problem(f"{model['name']} has no settings that could be tried.")
        dataset = await self._dataset_to_train()
        typed = form.query_one("#set-split", Input).value.strip()
        seed = form.query_one("#set-seed", Input).value.strip() or "0"
        if not seed.isdecimal():
            raise Problem(f"seed: {seed} is not a whole number.")
        split = typed or SERVED_SPLIT
        cleaning = "none" if typed else await self.session.cleaning_of(dataset)
        sweep = self._sweep
        if sweep is not None and (sweep.model, sweep.dataset, sweep.split) != (model["name"], dataset, split):
            if sweep.state == "running":
                raise Problem(
                    f"A sweep of {sweep.model} on {sweep.dataset} runs; {hint(self, ('train.cancel', 'cancels it'))}."
                )
            sweep = None
        values = form.values()
        if sweep is not None:
            values |= {name: ",".join(tried) for name, tried in sweep.grid.items()}

        async def start(grid: Mapping[str, Sequence[str]]) -> None:
            if self.movie_tui.work.activity is not None:
                raise Problem(
                    f"Something else is running; wait for it, or cancel it with {key_of(self, 'train.cancel')}."
                )
            self._show_sweep(Sweep(model["name"], dataset, split, grid))
            self.run_sweep({"split": split, "cleaning": cleaning, "seed": int(seed), "grid": grid})

        panel = SweepPanel(
            model,
            f"{dataset} · {split}",
            values,
            field or model["settings"][0]["name"],
            seconds_of_fit(self._runs.values(), model["name"], dataset),
            start,
            sweep,
        )
        chosen = await self.app.push_screen_wait(panel)
        if chosen is not None:
            form.fill(chosen)
            await self.action_settings()
            self.movie_tui.say(
                f"These are the settings of the combination; {hint(self, ('train.choose', 'trains'))} with them."
            )

    @work(group="sweep")
    @told
    async def run_sweep(self, options: Message) -> None:
        """Have the combinations measured, in a process of its own."""
        assert self._sweep is not None
        try:
            found = await self.movie_tui.work.sweep(self._sweep.model, self._sweep.dataset, options)
            self._show_sweep(replace(self._sweep, rows=found["rows"], state="done"))
            best = found["rows"][0]
            named = " ".join(f"{name} {value}" for name, value in best["grid"].items())
            self.movie_tui.say(f"Swept {self._sweep.model}: {named} is best, RMSE {best['metrics']['rmse']:.4f}")
        except Cancelled:
            self.movie_tui.say("Stopped the sweep; what is measured is kept, and the same sweep goes on from there.")
            self._show_sweep(replace(self._sweep, state="stopped"))
        except Problem as problem:
            self._show_sweep(replace(self._sweep, state="stopped", problem=str(problem)))
            raise

    def _show_sweep(self, sweep: Sweep) -> None:
        from movietui.screens.sweeping import SweepPanel

        self._sweep = sweep
        if isinstance(self.app.screen, SweepPanel):
            self.app.screen.renew(sweep)

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Keep what is asked of the models until they are there."""
        bound = self.active_bindings.get(event.key)
        if self._models or bound is None or not self.models.has_focus:
            return
        if bound.node is self.models or bound.binding.action in OF_A_MODEL:
            self._early.append((bound.node, bound.binding.action))
            event.stop()

    @work(group="train")
    @told
    async def action_choose(self) -> None:
        """Train the model under the cursor, or use the form's settings."""
        if self.runs.has_focus:
            if isinstance(self.runs.current, Run):
                await self._unfold(self.runs.current)
            return
        await self.show_settings()
        app, model = self.movie_tui, self.form.model
        if model is None:
            return
        options = self.form.options()
        dataset = await self._dataset_to_train()
        options = {"cleaning": await self.session.cleaning_of(dataset), **options}
        before = len(app.queue.running) + len(await app.queue.waiting())
        self._go_to = await app.queue.add(model["name"], dataset, options)
        if before >= app.queue.at_a_time:
            app.say(f"Run {self._go_to}, {model['name']}, waits behind {text.plural(before, 'run')}.")
        self.view("curve")
        self.set_focus(self.models)
        self.list_runs()

    async def _dataset_to_train(self) -> str:
        """Return the dataset that is at work. Raises ``Problem`` where it is not here yet."""
        working = self.movie_tui.working
        ready = [row["name"] for row in await self.session.datasets() if row["ratings"] or row["state"] == "invented"]
        if working not in ready:
            raise Problem(f"{working} is not here yet; the Data screen ({key_of(self, 'screen.data')}) gets it.")
        return working

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Train with what was typed, or go to the runs that were looked for."""
        if event.input.id == "filter":
            self.set_focus(self.runs)
        else:
            self.action_choose()

    @work(group="use")
    @told
    async def action_use(self) -> None:
        """Use the run under the cursor in Browse."""
        run = self.runs.current
        app = self.movie_tui
        if not self._runs or not isinstance(run, Run):
            app.say("There is no run to use yet." if not self._runs else "Reported figures come without a model.")
            return
        if run.state != "done":
            app.say(f"Run {run.id} is {run.state}; only a run that is done can be used.")
            return
        await app.serve(run.dataset, run)
        app.say(f"Browse uses run {run.id}: {run.model} on {run.dataset}")

    async def action_settings(self) -> None:
        """Go to the form."""
        await self.show_settings()
        self.view("settings")
        fields = self.query_one("#fields").query(Input)
        if fields:
            self.set_focus(fields.first())

    def action_view(self) -> None:
        """Step through what a narrow window shows."""
        now = next((name for name in VIEWS if self.query_one(f"#{name}-pane").has_class("-viewed")), VIEWS[-1])
        self.view(VIEWS[(VIEWS.index(now) + 1) % len(VIEWS)])

    def action_back(self) -> None:
        """Leave the form, or what was looked for."""
        field = self.query_one("#filter", Input)
        if field.display:
            field.value = ""
            field.display = False
            self.set_focus(self.runs)
            return
        self.view("curve")
        self.set_focus(self.models)

    def action_focus_models(self) -> None:
        """Go to the models."""
        self.set_focus(self.models)

    def action_focus_runs(self) -> None:
        """Go to the runs."""
        self.set_focus(self.runs)
