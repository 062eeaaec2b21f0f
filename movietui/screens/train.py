"""Train: pick a model and its settings, watch it learn, compare what came of it, use the best."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from data.problems import Problem
from movietui import text
from movietui.activity import Activity
from movietui.replies import ModelRow
from movietui.runs import Runs
from movietui.screens.frame import FrameScreen, screen_keys
from movietui.store import CUT_OFF, Run
from movietui.widgets.curve import Curve, Drawn, best_of
from movietui.widgets.row_list import RowList
from movietui.widgets.run_table import Picture, Reach, Reported, RunTable
from movietui.widgets.settings_form import SettingsForm
from movietui.widgets.tables import EpochList, ModelList
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told

VIEWS = ("curve", "epochs", "settings")
ZOOMS = (1, 2, 4)
"""Into how many parts the epochs are cut, of which the last is drawn."""
LOOK_SECONDS = 0.5
"""How often the runs of other windows and of the command line are looked for."""


class TrainScreen(FrameScreen):
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
        Binding("P", "preset", show=False, id="train.preset", tooltip="Fill in the tuned or the published settings"),
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
        self._reported: list[Reported] = []
        self._runs: dict[int, Run] = {}
        self._version = 0
        self._go_to: int | None = None
        """The run that the cursor goes to as soon as it is in the table."""
        self._zoom = ZOOMS[0]

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
        self.movie_tui.activity_changed.subscribe(self, self.show_activity)
        self.movie_tui.queue_changed.subscribe(self, lambda _: self.show_queue())
        self.movie_tui.served_changed.subscribe(self, lambda _: self.list_runs())
        self.query_one("#filter").display = False
        self.query_one("#no-runs", Static).update(Text("No runs yet: enter on a model trains it."))
        self.view("curve")
        self.set_focus(self.models)
        self.list_models()
        self.list_runs()
        self.show_activity(self.movie_tui.work.activity)
        self.set_interval(LOOK_SECONDS, self.look)

    @property
    def models(self) -> ModelList:
        """The list on the left."""
        return self.query_one("#models", ModelList)

    @property
    def runs(self) -> RunTable:
        """The table below."""
        return self.query_one("#runs", RunTable)

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
        self._reported = [Reported.of(row) for row in await session.engine.ask("reported")]
        self.list_runs()

    @work(exclusive=True, group="runs")
    @told
    async def list_runs(self) -> None:
        """List the runs as they are now."""
        app, session = self.movie_tui, self.session
        changes = await app.in_thread(Runs(session.store).changes, self._version)
        self._version = changes.version
        self._runs.update((run.id, run) for run in changes.runs)
        for number in changes.deleted:
            self._runs.pop(number, None)
        waiting = await app.queue.waiting()
        if not self.is_running:  # the app was left meanwhile
            return
        picture = Picture(
            session.run.id if session.run else None,
            {run.id: place for place, run in enumerate(waiting, 1)},
            frozenset(app.queue.running),
        )
        self.runs.show([*self._runs.values(), *self._reported], picture)
        if self._go_to in self._runs:
            numbers = [row.id for row in self.runs.known_rows()]
            self.runs.cursor = numbers.index(self._go_to) if self._go_to in numbers else self.runs.cursor
            self._go_to = None
        self.runs.display = bool(self._runs)
        self.query_one("#no-runs").display = not self._runs
        cut_off = [run.id for run in self._runs.values() if run.state == CUT_OFF]
        at_a_time = f"{app.queue.at_a_time} at a time" if app.queue.at_a_time > 1 else ""
        offer = f"run {max(cut_off)} was cut off · r goes on with it" if cut_off else ""
        self.query_one("#runs-pane").border_subtitle = Content(" · ".join(filter(None, (at_a_time, offer))))

    async def look(self) -> None:
        """Show what another window or the command line did to the runs."""
        if self.is_current:
            with contextlib.suppress(Problem):  # whoever needs the store next is told what is wrong with it
                changes = await self.movie_tui.in_thread(Runs(self.session.store).changes, self._version)
                if changes.version != self._version:
                    self.list_runs()

    # The curve

    def show_activity(self, activity: Activity | None) -> None:
        """Show how far a training is that no queue started: the first of all."""
        if activity is None:
            self.list_runs()
        elif activity.request["do"] == "train":
            self._show_training(activity)

    def show_queue(self) -> None:
        """Show how far the queue is."""
        row = self.runs.current
        queue = self.movie_tui.queue
        waiting = set(self.runs.picture.places)
        if self.runs.picture.running != frozenset(queue.running) or waiting & set(queue.running):
            self.list_runs()
        elif row is not None and row.id in queue.activities:
            self.show_run()

    def _show_training(self, activity: Activity, run: Run | None = None) -> None:
        request = activity.request
        number = f"run {run.id} · " if run else ""
        self.query_one("#curve-pane").border_title = Content(f"{number}{request['model']} · {request['dataset']}")
        paused = run is not None and run.id in self.movie_tui.queue.paused
        line = Text.assemble(("paused" if paused else activity.step or "starting", "bold"), " ", no_wrap=True)
        line.append_text(text.thin_bar(activity.done, activity.total, 16))
        line.append(f" {activity.reached}")
        self.progress.show(line)
        self._draw(activity.curve)

    def _draw(self, epochs: Sequence[dict[str, Any]], name: str = "", also: Sequence[Run] = ()) -> None:
        best = best_of(epochs)
        curve = self.query_one("#curve", Curve)
        own = [Drawn(name, epochs, best)] if name not in [_name(run) for run in also] else []
        curve.draw_curves([*(Drawn(_name(run), run.curve, best_of(run.curve)) for run in also), *own], self._zoom)
        self.query_one("#curve-pane").border_subtitle = Content(curve.legend())
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
        """Show the curve of the run under the cursor, with those that are marked, unless one is being drawn."""
        row = self.runs.current
        activity = self.movie_tui.work.activity
        if row is None or (activity is not None and activity.request["do"] == "train"):
            return
        marked = [self._runs[number] for number in self.runs.marked if number in self._runs]
        title = " · ".join(filter(None, (row.name, row.model, row.dataset, row.split)))
        if isinstance(row, Reported):
            self.query_one("#curve-pane").border_title = Content(title)
            self.progress.show(Text(row.note, no_wrap=True, overflow="ellipsis"))
            self._draw((), also=marked)
            return
        live = self.movie_tui.queue.activities.get(row.id)
        if live is not None and not marked:
            self._show_training(live, row)
            return
        self.query_one("#curve-pane").border_title = Content(f"run {row.id} · {title}")
        self.progress.show(Text(row.problem or _settings_line(row.settings), no_wrap=True, overflow="ellipsis"))
        self._draw(live.curve if live else row.curve, _name(row), marked)

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
            raise Problem("Mark two runs with x; then m shows them side by side.")
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
            await app.queue.cancel(app.queue.running[0])

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
            self.movie_tui.say(f"Run {number} pauses at the end of its epoch; p resumes it.")

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
    async def show_settings(self) -> None:
        """Show the form of the model under the cursor."""
        model = self.models.current
        if model is not None:
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
        self.form.turn_preset()
        self.movie_tui.say(f"These are the {self.form.preset} settings.")

    @told
    async def action_copy(self) -> None:
        """Copy the command line that trains the same."""
        command = self.form.command(self.movie_tui.working)
        self.app.copy_to_clipboard(command)
        self.movie_tui.say(f"Copied: {command}")

    # Keys

    @work(group="train")
    @told
    async def action_choose(self) -> None:
        """Train the model under the cursor, or use the form's settings."""
        if self.runs.has_focus:
            if isinstance(self.runs.current, Run):
                await self._unfold(self.runs.current)
            return
        model = self.models.current
        app = self.movie_tui
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
            raise Problem(f"{working} is not here yet; d opens the Data screen, where enter gets it.")
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


def _name(run: Run) -> str:
    return run.name or f"run {run.id} {run.model}"


def _settings_line(settings: Mapping[str, float | str]) -> str:
    """Settings as they are, or of a run that waits as they were typed."""
    told = {name: value if isinstance(value, str) else f"{value:g}" for name, value in settings.items()}
    return " · ".join(f"{name} {value}" for name, value in told.items())
