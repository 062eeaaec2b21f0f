"""Train: pick a model and its settings, watch it learn, compare what came of it, use the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.validation import Integer, Number
from textual.widgets import Input, Static
from textual_plotext import PlotextPlot

from data.problems import Cancelled, Problem
from movietui import text
from movietui.activity import Activity
from movietui.replies import FieldRow, ModelRow
from movietui.screens.frame import FrameScreen, screen_keys
from movietui.widgets.row_list import RowList
from movietui.widgets.tables import EpochList, ModelList, RunList
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told

VIEWS = ("curve", "epochs", "settings")


class Curve(PlotextPlot):
    """Train and validation loss by epoch, the best one marked.

    The picture is made between two frames, not while one is painted: both take long enough to be felt together.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._picture: RenderResult = Text()

    def draw_curve(self, epochs: Sequence[dict[str, Any]], best: int | None) -> None:
        """Draw these epochs."""
        plot = self.plt
        plot.clear_data()
        if epochs:
            numbers = [epoch["epoch"] for epoch in epochs]
            plot.plot(numbers, [epoch["train_loss"] for epoch in epochs], marker="braille")
            held_out = [
                (epoch["epoch"], epoch["validation_loss"]) for epoch in epochs if epoch["validation_loss"] is not None
            ]
            if held_out:
                plot.plot(*map(list, zip(*held_out, strict=True)), marker="hd")
            marked = [loss for number, loss in held_out if number == best]
            if marked:
                plot.scatter([best], marked, marker="●")
            every = -(-len(numbers) // 8)
            plot.xticks(numbers[::every])
        self.call_later(self._build)

    def on_resize(self) -> None:
        """Draw in the new size."""
        self._build()

    def _register_theme(self, app_theme_name: str) -> None:
        super()._register_theme(app_theme_name)
        self._build()

    def _build(self) -> None:
        self._picture = super().render()
        self.refresh()

    def render(self) -> RenderResult:
        """Show the picture that was made last."""
        return self._picture


def best_of(epochs: Sequence[dict[str, Any]]) -> int | None:
    """Return the epoch with the lowest validation loss."""
    held_out = [(epoch["validation_loss"], epoch["epoch"]) for epoch in epochs if epoch["validation_loss"] is not None]
    return min(held_out)[1] if held_out else None


class TrainScreen(FrameScreen):
    """Models, the curve, the settings, and all runs."""

    CSS_PATH = "train.tcss"
    title_of_help = "Train"
    about = ("A model learns in a process of its own; the list stays usable meanwhile.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Train", id="train.choose", tooltip="Train the model; look at the run's curve"),
        Binding("c", "cancel", "Cancel", id="train.cancel", tooltip="Stop what is running"),
        Binding("u", "use", "Use run", id="train.use", tooltip="Use the run under the cursor in Browse"),
        Binding("e", "settings", "Settings", id="train.settings", tooltip="Change the model's settings"),
        Binding(
            "v", "view", "View", show=False, id="train.view", tooltip="Curve, epochs or settings in a narrow window"
        ),
        Binding("left,h", "focus_models", "Models", show=False, tooltip="Go to the models"),
        Binding("right,l", "focus_runs", "Runs", show=False, tooltip="Go to the runs"),
        Binding("escape", "back", "Back", show=False, tooltip="Leave the settings"),
        *screen_keys("browse"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._models: list[ModelRow] = []

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
                    yield Static(id="summary", markup=False)
                    yield Vertical(id="fields")
            with Vertical(id="runs-pane", classes="pane"):
                yield Static(id="no-runs", markup=False)
                yield RunList(id="runs")

    def on_mount(self) -> None:
        """Listen to jobs, and list models and runs."""
        for pane, title in (("models", "Models"), ("epochs", "Epochs"), ("settings", "Settings"), ("runs", "Runs")):
            self.query_one(f"#{pane}-pane").border_title = title
        self.movie_tui.activity_changed.subscribe(self, self.show_activity)
        self.movie_tui.served_changed.subscribe(self, lambda _: self.list_runs())
        self.query_one("#no-runs", Static).update(Text("No runs yet: enter on a model trains it."))
        self.view("curve")
        self.set_focus(self.models)
        self.list_models()
        self.list_runs()
        self.show_activity(self.movie_tui.work.activity)

    @property
    def models(self) -> ModelList:
        """The list on the left."""
        return self.query_one("#models", ModelList)

    @property
    def runs(self) -> RunList:
        """The table below."""
        return self.query_one("#runs", RunList)

    @property
    def progress(self) -> TextPane:
        """The line above the curve."""
        return self.query_one("#progress", TextPane)

    def view(self, name: str) -> None:
        """In a narrow window: show the curve, the epochs or the settings."""
        for other in VIEWS:
            self.query_one(f"#{other}-pane").set_class(other == name, "-viewed")

    # Lists

    @work(exclusive=True, group="models")
    @told
    async def list_models(self) -> None:
        """List the models."""
        session = self.session
        await session.engine.start()
        self._models = await session.models()
        self.models.fill(len(self._models), 0, self._models)
        names = [model["name"] for model in self._models]
        self.models.cursor = names.index("mf") if "mf" in names else 0

    @work(exclusive=True, group="runs")
    @told
    async def list_runs(self) -> None:
        """List the runs, newest first."""
        session = self.session
        runs = await self.movie_tui.in_thread(session.store.runs)
        self.runs.show(runs, session.run.id if session.run else None)
        self.runs.display = bool(runs)
        self.query_one("#no-runs").display = not runs

    # The curve

    def show_activity(self, activity: Activity | None) -> None:
        """Show how far the training is."""
        if activity is None:
            self.list_runs()
            self.progress.show(Text())
            return
        if activity.request["do"] != "train":
            return
        request = activity.request
        pane = self.query_one("#curve-pane")
        pane.border_title = Content(f"{request['model']} · {request['dataset']}")
        line = Text.assemble((activity.step or "starting", "bold"), " ", no_wrap=True)
        line.append_text(text.thin_bar(activity.done, activity.total, 16))
        line.append(f" {activity.reached}")
        self.progress.show(line)
        self._draw(activity.curve)

    def _draw(self, epochs: Sequence[dict[str, Any]]) -> None:
        best = best_of(epochs)
        self.query_one("#curve", Curve).draw_curve(epochs, best)
        self.query_one("#curve-pane").border_subtitle = (
            Content(f"⠒⠒ train  ▀▀ validation  ● best epoch {best}") if best else Content("⠒⠒ train")
        )
        table = self.query_one("#epochs", EpochList)
        table.best = best
        table.fill(len(epochs), 0, list(reversed(epochs)))

    @on(RowList.Moved, "#runs")
    def show_run(self) -> None:
        """Show the curve of the run under the cursor, unless one is being drawn."""
        run = self.runs.current
        activity = self.movie_tui.work.activity
        if run is None or (activity is not None and activity.request["do"] == "train"):
            return
        self.query_one("#curve-pane").border_title = Content(
            f"run {run.id} · {run.model} · {run.dataset} · {run.split}"
        )
        self.progress.show(Text(run.problem or _settings_line(run.settings), no_wrap=True, overflow="ellipsis"))
        self._draw(run.curve)

    # Settings

    @on(RowList.Moved, "#models")
    async def show_settings(self) -> None:
        """Show the form of the model under the cursor."""
        model = self.models.current
        if model is None:
            return
        self.query_one("#summary", Static).update(Text(model["summary"]))
        fields = self.query_one("#fields", Vertical)
        async with self.batch():
            await fields.remove_children()
            await fields.mount_all([widget for field in model["settings"] for widget in _form(field)])
            await fields.mount_all(
                [
                    Static(Text("seed", "bold")),
                    Input("0", id="set-seed", compact=True, validators=[Integer(0, 2**31 - 1)]),
                    Static(Text("split", "bold")),
                    Input(placeholder="random90, then all", id="set-split", compact=True),
                    Static(Text("the train part of a split only, such as u1", "dim")),
                ]
            )

    def _options(self) -> dict[str, Any]:
        """Return what was typed. Raises ``Problem`` where it cannot be used."""
        settings: dict[str, str] = {}
        seed, split = "0", ""
        for field in self.query_one("#fields").query(Input):
            name = (field.id or "").removeprefix("set-")
            result = field.validate(field.value)
            if result is not None and not result.is_valid:
                raise Problem(f"{name}: {' '.join(result.failure_descriptions)}")
            if name == "seed":
                seed = field.value or "0"
            elif name == "split":
                split = field.value.strip()
            else:
                settings[name] = field.value
        return {"settings": settings, "seed": int(seed), **({"split": split, "cleaning": "none"} if split else {})}

    # Keys

    @work(group="train")
    @told
    async def action_choose(self) -> None:
        """Train the model under the cursor, or use the form's settings."""
        if self.runs.has_focus:
            self.show_run()
            return
        model = self.models.current
        app = self.movie_tui
        if model is None:
            return
        options = self._options()
        dataset = await app.dataset_to_train()
        options = {"cleaning": await app.session.cleaning_of(dataset), **options}
        self.view("curve")
        self.set_focus(self.models)
        try:
            result = await app.work.train(model["name"], dataset, options)
        except Cancelled:
            app.say(f"Stopped training {model['name']}; the run keeps its curve.")
            return
        app.say(
            f"{model['name']}: RMSE {result['metrics']['rmse']:.4f} on {result['split']} · → then u uses it in Browse"
        )
        if app.session.opened is None:
            await app.serve(dataset)

    @on(Input.Submitted)
    def submitted(self) -> None:
        """Train with what was typed."""
        self.action_choose()

    @work(group="use")
    @told
    async def action_use(self) -> None:
        """Use the run under the cursor in Browse."""
        run = self.runs.current
        app = self.movie_tui
        if run is None:
            app.say("There is no run to use yet.")
            return
        if run.state != "done":
            app.say(f"Run {run.id} is {run.state}; only a run that is done can be used.")
            return
        await app.serve(run.dataset, run)
        app.say(f"Browse uses run {run.id}: {run.model} on {run.dataset}")

    def action_settings(self) -> None:
        """Go to the form."""
        self.view("settings")
        fields = self.query_one("#fields").query(Input)
        if fields:
            self.set_focus(fields.first())

    def action_view(self) -> None:
        """Step through what a narrow window shows."""
        now = next((name for name in VIEWS if self.query_one(f"#{name}-pane").has_class("-viewed")), VIEWS[-1])
        self.view(VIEWS[(VIEWS.index(now) + 1) % len(VIEWS)])

    def action_back(self) -> None:
        """Leave the form."""
        self.view("curve")
        self.set_focus(self.models)

    def action_focus_models(self) -> None:
        """Go to the models."""
        self.set_focus(self.models)

    def action_focus_runs(self) -> None:
        """Go to the runs."""
        self.set_focus(self.runs)


def _settings_line(settings: dict[str, float]) -> str:
    return " · ".join(f"{name} {value:g}" for name, value in settings.items())


def _form(field: FieldRow) -> list[Static | Input]:
    """Return the widgets of one setting: its name and range, the field, its meaning."""
    validators = [(Integer if field["kind"] == "int" else Number)(field["low"], field["high"])]
    return [
        Static(Text.assemble((field["name"], "bold"), (f"  {field['low']:g} … {field['high']:g}", "dim"))),
        Input(f"{field['default']:g}", id=f"set-{field['name']}", compact=True, validators=validators),
        Static(Text(field["meaning"], "dim")),
    ]
