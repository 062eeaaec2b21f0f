"""Train: choose a model and its settings, watch it learn, compare the runs, use the best."""

from __future__ import annotations

import asyncio
import contextlib
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.dom import DOMNode
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.worker import WorkerError

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.models.choices import CLUSTER_MODELS, Metric, add_metrics
from movietui.protocol.jobs import TrainOptions
from movietui.protocol.messages import ModelRow
from movietui.protocol.requests import Requests
from movietui.state.run_commands import command_of
from movietui.store.run_records import Run
from movietui.ui.bindings import hint, key_of
from movietui.ui.frame import screen_keys
from movietui.ui.problems import shows_problems
from movietui.ui.textual_internals import set_border
from movietui.ui.train.curve import Curve
from movietui.ui.train.epoch_list import EpochList
from movietui.ui.train.model_list import ModelList
from movietui.ui.train.queue import CANCEL_KEYS, QUEUE_KEYS, QueueController
from movietui.ui.train.run_actions import RUN_KEYS, USE_KEYS, RunActionController
from movietui.ui.train.run_table import PublishedRow, RunTable
from movietui.ui.train.runs_screen import RunsScreen
from movietui.ui.train.settings_form import SettingsForm
from movietui.ui.train.sweeps import SWEEP_KEYS, SweepController
from movietui.ui.widgets.fields import Field
from movietui.ui.widgets.row_list import RowList
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import training_on_cluster

VIEWS = ("curve", "epochs", "settings")
REST_SECONDS = 0.1
"""Seconds that the cursor must rest on a model before its form is shown: a long form would delay the next key."""
OF_A_MODEL = ("choose", "settings", "preset", "sweep", "copy")
"""Actions that apply to the selected model."""
LOOK_SECONDS = 0.5
"""Seconds between checks for changes that other windows and the command line made to the runs."""


class TrainScreen(RunsScreen):
    """Models, the curve, the settings, and all runs."""

    CSS_PATH = "screen.tcss"
    help_title = tr("Train")
    about = (tr("Models train in the background; keep using the list meanwhile."),)
    # In the order of the line of keys, and of ``movietui config --defaults``.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "choose", tr("Train"), id="train.choose", tooltip=tr("Train the model; on a run, show its details")
        ),
        *CANCEL_KEYS,
        *USE_KEYS,
        Binding("e", "settings", tr("Settings"), id="train.settings", tooltip=tr("Edit the model's settings")),
        Binding(
            "v",
            "view",
            tr("View"),
            show=False,
            id="train.view",
            tooltip=tr("Switch between curve, epochs and settings in a narrow window"),
        ),
        *QUEUE_KEYS,
        Binding(
            "slash",
            "filter",
            show=False,
            id="train.filter",
            tooltip=tr("Filter the runs by model, dataset, split, state or name"),
        ),
        Binding("o", "sort", show=False, id="train.sort", tooltip=tr("Sort by the next column")),
        Binding("O", "turn", show=False, id="train.turn", tooltip=tr("Reverse the order")),
        Binding(
            "C", "columns", show=False, id="train.columns", tooltip=tr("Choose the columns of the runs and their order")
        ),
        Binding(
            "F",
            "published",
            show=False,
            id="train.published",
            tooltip=tr("List figures that others published: comparable ones, all or none"),
        ),
        Binding(
            "equals_sign", "baseline", show=False, id="train.baseline", tooltip=tr("Show differences from this run")
        ),
        Binding(
            "x",
            "mark",
            show=False,
            id="train.mark",
            tooltip=tr("Mark the run; curves of marked runs are drawn together"),
        ),
        Binding("m", "compare", show=False, id="train.compare", tooltip=tr("Compare the two marked runs side by side")),
        *RUN_KEYS,
        Binding(
            "P", "preset", show=False, id="train.preset", tooltip=tr("Switch between tuned and published settings")
        ),
        *SWEEP_KEYS,
        Binding(
            "y",
            "copy",
            show=False,
            id="train.copy",
            tooltip=tr("Copy the command that makes this run, or trains this model"),
        ),
        Binding("z", "zoom", show=False, id="train.zoom", tooltip=tr("Show only the last epochs")),
        Binding("left,h", "focus_models", tr("Models"), show=False, id="train.models", tooltip=tr("Go to the models")),
        Binding("right,l", "focus_runs", tr("Runs"), show=False, id="train.runs", tooltip=tr("Go to the runs")),
        Binding("escape", "back", tr("Back"), show=False, id="train.back", tooltip=tr("Close the filter or settings")),
        *screen_keys("browse"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._models: list[ModelRow] = []
        self._early: list[tuple[DOMNode, str]] = []
        """Actions that were requested before the models were listed, each with its node."""
        self._resting: Timer | None = None
        self._showing = asyncio.Lock()
        self.queue = QueueController(self)
        self.sweeps = SweepController(self)
        self.run_actions = RunActionController(self)
        for controller in (self.queue, self.sweeps, self.run_actions):
            controller.install()

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
                    yield SettingsForm(lambda: self.movie_tui.current_dataset, id="form")
            with Vertical(id="runs-pane", classes="pane"):
                yield Static(id="no-runs", markup=False)
                yield Field(placeholder=tr("dataset, split, model or state"), id="filter", compact=True)
                yield RunTable(id="runs")

    def on_mount(self) -> None:
        """Follow the jobs and the queue, and list models and runs."""
        for pane, title in (
            ("models", tr("Models")),
            ("epochs", tr("Epochs")),
            ("settings", tr("Settings")),
            ("runs", tr("Runs")),
        ):
            self.query_one(f"#{pane}-pane").border_title = title
        set_border(
            self.query_one("#settings-pane"),
            subtitle=hint(self, ("train.choose", tr("train")), ("train.sweep", tr("sweep"))),
        )
        self.movie_tui.progress_changed.subscribe(self, self.sweeps.show_progress)
        self.movie_tui.queue_changed.subscribe(self, lambda _: self.show_queue())
        self.movie_tui.served_changed.subscribe(self, self.served)
        self.use_choices()
        self.query_one("#filter").display = False
        self.query_one("#no-runs", Static).update(
            Text(tr("No runs yet: press {key} on a model to train it.", key=key_of(self, "train.choose")))
        )
        self.view("curve")
        self.set_focus(self.models)
        self.open_lists()
        if self.movie_tui.jobs.progress is not None:
            self.sweeps.show_progress(self.movie_tui.jobs.progress)
        self.set_interval(LOOK_SECONDS, self.list_changed_runs)

    def main_widget(self) -> Widget:
        """Return the list of models."""
        return self.models

    @property
    def models(self) -> ModelList:
        """The list on the left."""
        return self.query_one("#models", ModelList)

    def view(self, name: str) -> None:
        """Show the curve, the epochs or the settings in a narrow window."""
        for other in VIEWS:
            self.query_one(f"#{other}-pane").set_class(other == name, "-viewed")

    # Lists

    @work(group="open")
    @shows_problems
    async def open_lists(self) -> None:
        """List the runs and, once they are drawn, the models: showing a model's form takes as long as all the rest."""
        with contextlib.suppress(WorkerError):  # a newer list was requested meanwhile
            await self.list_runs().wait()
        self.call_after_refresh(self.list_models)

    @work(exclusive=True, group="models")
    @shows_problems
    async def list_models(self) -> None:
        """List the models."""
        session = self.session
        await session.engine.start()
        self._models = await session.engine.ask(Requests.models)
        self.models.fill(len(self._models), 0, self._models)
        early, self._early = self._early, []
        if self.models.has_focus:  # not if a person has moved it meanwhile
            for node, action in early:
                await self.app.run_action(action, node)
        await self._list_plugins()
        self._published = [PublishedRow.of(row) for row in await session.engine.ask(Requests.published_results)]
        if self._version:  # otherwise the runs are about to be listed
            self.list_runs()

    async def _list_plugins(self) -> None:
        """Take note of the metrics of plug-ins, and say which plug-ins cannot be used."""
        rows = await self.session.engine.ask(Requests.plugins)
        add_metrics(Metric(**row["metric"]) for row in rows if row["metric"])
        if problems := [row["problem"] for row in rows if row["problem"]]:
            more = tr(" movietui plugins lists {count} more.", count=len(problems) - 1) if len(problems) > 1 else ""
            self.movie_tui.show_notice(f"{problems[0]}{more}")

    def served(self, dataset: str) -> None:
        """Mark the run that is now in use, and update the command line in the form."""
        self.list_runs()
        self.check_settings()

    # Progress

    def show_disk_usage(self) -> None:
        """Show the size of the checkpoints."""
        self.run_actions.show_disk_usage()

    def show_queue(self) -> None:
        """Show the progress of the queue."""
        row = self.runs.current
        queue = self.movie_tui.queue
        waiting = set(self.runs.queue_state.positions)
        if self.runs.queue_state.running != frozenset(queue.running) or waiting & set(queue.running):
            self.list_runs()
        elif row is not None and row.id in queue.progress:
            self.show_run()

    # Settings

    @on(RowList.Moved, "#models")
    def show_soon(self) -> None:
        """Show the form of the selected model once the cursor rests."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST_SECONDS, self.show_settings)

    @shows_problems
    async def show_settings(self) -> None:
        """Show the form of the selected model, if it is not shown yet."""
        async with self._showing:
            model = self.models.current
            if model is not None and model is not self.form.model:
                await self.form.show(model)
                self.check_settings()

    @property
    def form(self) -> SettingsForm:
        """The form on the right."""
        return self.query_one("#form", SettingsForm)

    @on(SettingsForm.Sweep)
    def sweep_field(self, event: SettingsForm.Sweep) -> None:
        """Open the panel that tries several values of a field."""
        self.sweeps.action_sweep(event.field)

    @on(SettingsForm.Changed)
    def check_settings(self) -> None:
        """Show the command line, or what is wrong with what was typed."""
        self.form.show_command()

    @on(events.DescendantFocus)
    def keep_form_in_view(self) -> None:
        """Let the form, while it has the focus, stay in view if the window gets narrow."""
        if self.form.has_focus_within:
            self.view("settings")

    @shows_problems
    async def action_preset(self) -> None:
        """Fill in the other preset."""
        await self.show_settings()
        self.form.switch_preset()
        self.movie_tui.show_notice(tr("These are the {preset} settings.", preset=self.form.preset))

    @shows_problems
    async def action_copy(self) -> None:
        """Copy the command that makes the selected run again or, if no run has the focus, does what the form does."""
        run = self.runs.current if self.runs.has_focus else None
        if isinstance(run, PublishedRow):
            raise Problem(tr("No command makes published figures; select a run."))
        if run is None:
            await self.show_settings()
            command = self.form.command()
        else:
            models = self._models or await self.session.engine.ask(Requests.models)
            model = next((row for row in models if row["name"] == run.model), None)
            if model is None:
                raise Problem(tr("The model {model} of run {number} is not installed.", model=run.model, number=run.id))
            command = command_of(run, model)
        self.app.copy_to_clipboard(command)
        self.movie_tui.show_notice(tr("Copied: {command}", command=command))

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Until the models are listed, remember the actions that apply to a model, to perform them then."""
        bound = self.active_bindings.get(event.key)
        if self._models or bound is None or not self.models.has_focus:
            return
        if bound.node is self.models or bound.binding.action in OF_A_MODEL:
            self._early.append((bound.node, bound.binding.action))
            event.stop()

    @work(group="train")
    @shows_problems
    async def action_choose(self) -> None:
        """Train the selected model with the form's settings; if a run is selected, show everything about it."""
        if self.runs.has_focus:
            if isinstance(self.runs.current, Run):
                await self._show_run_tables(self.runs.current)
            elif self.runs.current is not None:
                self._show_published_tables(self.runs.current)
            return
        await self.show_settings()
        app, model = self.movie_tui, self.form.model
        if model is None:
            return
        if (wrong := self.form.wrong()) is not None and self.form.has_focus_within:
            self.set_focus(wrong[0])
        typed = self.form.options()
        dataset = await self.dataset_to_train()
        cleaning = "none" if typed["split"] else await asyncio.to_thread(self.session.store.cleaning_of, dataset)
        options: TrainOptions = {
            "cleaning": cleaning,
            "settings": typed["settings"],
            "seed": typed["seed"],
            "split_seed": typed["split_seed"],
        }
        if typed["split"]:
            options["split"] = typed["split"]
        before = len(app.queue.running) + len(await app.queue.waiting())
        self.target_run = await app.queue.add(model["name"], dataset, options)
        if before >= app.queue.at_a_time:
            app.show_notice(
                tr(
                    "Run {number}, {model}, is queued behind {runs}.",
                    number=self.target_run,
                    model=model["name"],
                    runs=text.plural(before, "run"),
                )
            )
        if not self.form.has_focus_within:
            self.view("curve")
        self.list_runs()

    async def dataset_to_train(self) -> str:
        """Return the current dataset. Raise ``Problem`` unless it is on disk or is the demo."""
        dataset = self.movie_tui.current_dataset
        rows = {row["name"]: row for row in await self.session.engine.ask(Requests.datasets)}
        row = rows.get(dataset)
        if row is not None and row["cluster"] and not row["on_disk"]:
            model = self.form.model["name"] if self.form.model else ""
            if model in CLUSTER_MODELS:
                command = training_on_cluster(dataset, model)
                raise Problem(
                    tr("{dataset} is on a cluster; train there with {command}.", dataset=dataset, command=command)
                )
            known = ", ".join(CLUSTER_MODELS)
            raise Problem(
                tr(
                    "{dataset} is on a cluster, where {model} cannot be trained; choose one of {models}.",
                    dataset=dataset,
                    model=model,
                    models=known,
                )
            )
        if row is None or not (row["on_disk"] or row["state"] == "invented"):
            raise Problem(
                tr(
                    "{dataset} is not on disk yet; get it on the Data screen ({key}).",
                    dataset=dataset,
                    key=key_of(self, "screen.data"),
                )
            )
        return dataset

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Train with what was typed, or go to the runs that match."""
        if event.input.id == "filter":
            self.set_focus(self.runs)
        else:
            self.action_choose()

    async def action_settings(self) -> None:
        """Go to the form."""
        await self.show_settings()
        self.view("settings")
        fields = self.query_one("#fields").query(Input)
        if fields:
            self.set_focus(fields.first())

    def action_view(self) -> None:
        """In a narrow window, switch to the next of the panes: curve, epochs, settings."""
        now = next((name for name in VIEWS if self.query_one(f"#{name}-pane").has_class("-viewed")), VIEWS[-1])
        self.view(VIEWS[(VIEWS.index(now) + 1) % len(VIEWS)])

    def action_back(self) -> None:
        """Close the filter and go to the runs; if it is closed, show the curve and go to the models."""
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
