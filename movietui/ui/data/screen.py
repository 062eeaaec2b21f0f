"""Data: pick a dataset, watch it come in, decide how it is cleaned, and look at what is in it."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from data.problems import Problem
from movietui import text
from movietui.activity import Activity
from movietui.bindings import hint, key_of
from movietui.replies import Cleaned, DatasetRow, RemovedRows, RuleRow
from movietui.screens.frame import FrameScreen, screen_keys
from movietui.screens.panels import ConfirmPanel, PathPanel
from movietui.widgets.chart import Chart
from movietui.widgets.row_list import WINDOW, RowList
from movietui.widgets.tables import DatasetList, OpenPath, RemovedList, RuleList
from movietui.widgets.text_pane import TextPane
from movietui.widgets.told import told

ABOUT = (
    "A dataset is fetched, read and cleaned here; nothing of it leaves this machine.",
    "Turning a rule on or off shows what it would do; the rules are applied when you say so.",
)
NUMBERS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000)


class DataScreen(FrameScreen):
    """Datasets on the left; the stages, the rules of cleaning and the charts of one of them on the right."""

    CSS_PATH = "data.tcss"
    title_of_help = "Data"
    about = ABOUT
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", id="data.choose", tooltip="Get or open a dataset; apply or unfold a rule"),
        Binding("space", "turn_rule", "Rule on/off", id="data.toggle", tooltip="Turn the rule on or off, to see first"),
        Binding(
            "left_square_bracket",
            "number(-1)",
            "Less",
            key_display="[",
            show=False,
            id="data.less",
            tooltip="A smaller number for the rule, such as 3 ratings instead of 5",
        ),
        Binding(
            "right_square_bracket",
            "number(1)",
            "More",
            key_display="]",
            show=False,
            id="data.more",
            tooltip="A larger number for the rule",
        ),
        Binding("p", "preset", "Preset", id="data.preset", tooltip="Step through the ready-made sets of rules"),
        Binding("left", "chart(-1)", "Chart before", show=False, id="data.chart-before", tooltip="The chart before"),
        Binding(
            "right", "chart(1)", "Next chart", show=False, id="data.chart", tooltip="To the rules, then the next chart"
        ),
        Binding("i", "imdb", "IMDb", id="data.imdb", tooltip="Join with IMDb; settle what is ambiguous"),
        Binding(
            "o", "open_path", "Open a path", show=False, id="data.open", tooltip="Read a folder or zip of your own"
        ),
        Binding("x", "remove", "Remove", show=False, id="data.remove", tooltip="Remove the dataset from the disk"),
        Binding("c", "cancel", "Cancel", show=False, id="data.cancel", tooltip="Stop what is running"),
        Binding(
            "h,escape",
            "back",
            "Back",
            show=False,
            id="data.back",
            tooltip="Drop changes of rules; back to the datasets",
        ),
        Binding("l", "focus_rules", "Rules", show=False, id="data.rules", tooltip="Go to the rules"),
        *screen_keys("browse"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown = ""
        """The dataset whose rules and charts are shown."""
        self._applied = ""
        self._chosen = ""
        """The cleaning that is stored, and the one that is looked at; another one is to be applied."""
        self._rule = ""
        """The rule whose rows are shown."""
        self._told: Cleaned | None = None
        """What the engine said last of the cleaning that is looked at."""
        self._presets: list[str] = []
        self._staged = ""
        """The dataset whose stages are shown."""

    def body(self) -> ComposeResult:
        """Put the panes side by side."""
        with Horizontal(classes="body"):
            with Vertical(id="datasets-pane", classes="pane"):
                yield DatasetList(id="datasets")
            with Vertical(id="dataset-pane", classes="pane"):
                yield TextPane(id="stages")
                yield RuleList(id="rules")
                yield TextPane(id="terms")
            with Vertical(id="view"):
                yield Chart(id="chart", classes="pane")
                yield RemovedList(id="removed", classes="pane")

    def on_mount(self) -> None:
        """Listen to jobs, and list what there is."""
        self.query_one("#datasets-pane").border_title = "Datasets"
        self.movie_tui.activity_changed.subscribe(self, self.show_activity)
        self.movie_tui.served_changed.subscribe(self, self.served)
        self.rules.display = False
        self._view(None)
        self.set_focus(self.datasets)
        self.list_datasets()

    @property
    def datasets(self) -> DatasetList:
        """The list on the left."""
        return self.query_one("#datasets", DatasetList)

    @property
    def rules(self) -> RuleList:
        """The rules of cleaning and what they took."""
        return self.query_one("#rules", RuleList)

    @property
    def chart(self) -> Chart:
        """What is in the dataset."""
        return self.query_one("#chart", Chart)

    @property
    def removed(self) -> RemovedList:
        """The rows that a rule took, in the place of the chart."""
        return self.query_one("#removed", RemovedList)

    def _pane(self, name: str) -> TextPane:
        return self.query_one(f"#{name}", TextPane)

    @property
    def _pending(self) -> bool:
        return self._chosen != self._applied

    def served(self, dataset: str) -> None:
        """Mark the dataset that Browse shows, which may have come in just now."""
        self.list_datasets()

    def on_screen_resume(self) -> None:
        """Show what was got, cleaned or removed elsewhere."""
        if self.datasets.total:
            self.list_datasets()

    # Datasets

    @work(exclusive=True, group="list")
    @told
    async def list_datasets(self, name: str | None = None) -> None:
        """List the datasets; put the cursor on one of them, unless somebody is at work on another."""
        session = self.session
        await session.engine.start()
        listed = await session.datasets()
        rows: list[DatasetRow | OpenPath] = [*sorted(listed, key=lambda row: row["state"] == "invented"), OpenPath()]
        self.datasets.open_name = session.opened["dataset"] if session.opened else ""
        before = {row["name"]: row for row in self.datasets.known_rows() if not isinstance(row, OpenPath)}
        if not self._pending and before.get(self._shown) not in rows:
            self._shown = ""  # it is another now
        wanted = name or ("" if before else self.movie_tui.working)
        self.datasets.fill(len(rows), 0, rows, follow=True)
        for place, row in enumerate(rows):
            if not isinstance(row, OpenPath) and row["name"] == wanted and not self.rules.has_focus:
                self.datasets.cursor = place

    @on(RowList.Moved, "#datasets")
    def look(self) -> None:
        """Show the dataset under the cursor."""
        self.show_dataset()

    @work(exclusive=True, group="show")
    @told
    async def show_dataset(self) -> None:
        """Show the rules and charts of a dataset that is here, else what it is and takes."""
        row = self.datasets.current
        pane = self.query_one("#dataset-pane")
        if row is None or (not isinstance(row, OpenPath) and row["name"] == self._shown):
            return
        for group in ("preview", "removed"):
            self.workers.cancel_group(self, group)  # an answer that is late belongs to another dataset
        self._shown = self._applied = self._chosen = ""
        self.chart.show([])
        self._view(None)
        if isinstance(row, OpenPath):
            pane.border_title = "Open a folder or zip"
            self._pane("stages").show(Text())
            self._show_rules(None)
            self._pane("terms").show(
                Text("Name the place of a MovieLens zip, or of the folder it was unpacked to; any release.")
            )
            return
        pane.border_title = Content(row["title"])
        if self._staged != row["name"]:
            self._pane("stages").show(Text())
        terms = _terms(row, hint(self, ("data.choose", "gets it")), hint(self, ("data.remove", "removes it")))
        self._pane("terms").show(terms)
        if self._told is None or self._told["dataset"] != row["name"]:
            self._show_rules(None)  # of a large dataset they take a while to come
        if not row["ratings"]:
            self._show_rules(None)
            self._shown = row["name"]
            return
        ask = self.session.engine.ask
        cleaning = await self.session.cleaning_of(row["name"])
        report: Cleaned | None = await ask("report", dataset=row["name"], cleaning=cleaning)
        facts = await ask("show", dataset=row["name"], cleaning=cleaning) if report else None
        on = [(rule["rule"], rule["number"]) for rule in report["rules"] if rule["on"]] if report else []
        self.rules.applied = frozenset(on)
        self._applied = report["preset"] if report else ""
        self._shown = row["name"]
        # What was never cleaned in this way is told as what enter would do.
        self._show_rules(report or await ask("preview", dataset=row["name"], cleaning=cleaning))
        if facts:
            notes = [note for note in (facts["absent_note"], facts["note"]) if note]
            self._pane("terms").show(Text("\n\n").join([*map(Text, notes), terms]))
            self.chart.show(facts["charts"])
            self._view(self.chart, asked=False)

    def _view(self, shown: Chart | RemovedList | None, *, asked: bool = True) -> None:
        """Show the chart, the rows that a rule took, or neither; in a narrow window only what was asked for."""
        self.chart.display = shown is self.chart
        self.removed.display = shown is self.removed
        self.query_one("#view").set_class(shown is None, "-empty")
        self.set_class(asked and shown is not None, "-viewing")
        if self.has_class("-narrow") and self.has_class("-viewing") and shown is not None:
            self.set_focus(shown)

    # Rules

    def _show_rules(self, report: Cleaned | None) -> None:
        self._told = report
        self._chosen = report["preset"] if report else ""
        rules = report["rules"] if report else []
        self.rules.display = bool(rules)
        self.rules.fill(len(rules), 0, rules)
        pane = self.query_one("#dataset-pane")
        pane.border_subtitle = ""
        if report:
            pane.border_title = Content(f"{report['dataset']} · {report['preset']}")
            pending = f"{hint(self, ('data.choose', 'applies'))} · " if self._pending else ""
            pane.border_subtitle = Content(
                f"{pending}{report['ratings']:,} ratings · {report['users']:,} users · {report['movies']:,} movies"
            )

    @work(exclusive=True, group="preview")
    @told
    async def _preview(self, cleaning: str) -> None:
        """Show what another cleaning would do."""
        try:
            self._show_rules(await self.session.engine.ask("preview", dataset=self._shown, cleaning=cleaning))
        except Problem:
            self._show_rules(self._told)  # the next change starts from what can be done
            raise

    def _rule_to_change(self) -> RuleRow | None:
        return self.rules.current if self.rules.has_focus else None

    def action_turn_rule(self) -> None:
        """Turn the rule under the cursor on or off, without applying it yet."""
        rule = self._rule_to_change()
        if rule is None:
            self.movie_tui.say(f"Go to the rules with {key_of(self, 'data.rules')} first.")
        elif rule["always"]:
            self.movie_tui.say("This rule cannot be off: what it takes is no rating.")
        else:
            self._change({**rule, "on": not rule["on"]})

    def action_number(self, step: int) -> None:
        """Give the rule under the cursor a larger or smaller number."""
        rule = self._rule_to_change()
        if rule is None or not rule["number"]:
            keys = hint(self, ("data.less data.more", "change the number"))
            self.movie_tui.say(f"{keys} of a rule that has one, such as “movies, under 5 ratings”.")
            return
        self._change({**rule, "on": True, "number": _stepped(rule["number"], step)})

    def _change(self, rule: RuleRow) -> None:
        """Change a rule at once, for the next key may come before the engine has told what follows from it."""
        number = f":{rule['number']}" if rule["number"] and rule["on"] else ""
        self._chosen += f" {'+' if rule['on'] else '-'}{rule['rule']}{number}"
        self.rules.change(lambda row: rule if row["rule"] == rule["rule"] else row)
        self._preview(self._chosen)

    @work(group="preset")
    @told
    async def action_preset(self) -> None:
        """Look at the next ready-made cleaning."""
        if not self.rules.display:
            raise Problem(f"There is nothing to clean yet; {hint(self, ('data.choose', 'gets'))} the dataset.")
        if not self._presets:
            self._presets = await self.session.engine.ask("presets")
        now = self._presets.index(self._chosen) if self._chosen in self._presets else -1
        self._chosen = self._presets[(now + 1) % len(self._presets)]
        self.action_focus_rules()
        self._preview(self._chosen)

    @on(RowList.Moved, "#rules")
    def show_removed(self) -> None:
        """Where rows are unfolded, show those of the rule that the cursor went to."""
        if self.removed.display:
            self._unfold()

    @work(exclusive=True, group="removed")
    @told
    async def _unfold(self) -> None:
        """Show the rows that the rule under the cursor took, or would take."""
        rule = self.rules.current
        if rule is None:
            return
        self._rule = rule["rule"]
        found = await self._removed(0)
        self.removed.show(found)
        self.removed.border_title = Content(found["title"])
        rows = text.plural(found["total"], "row")
        self.removed.border_subtitle = Content(f"{rows} {'taken' if found['on'] else 'it would take'} · esc folds")
        self.removed.say("It takes nothing here.")
        self._view(self.removed)

    async def _removed(self, offset: int) -> RemovedRows:
        found: RemovedRows = await self.session.engine.ask(
            "removed", dataset=self._shown, cleaning=self._chosen, rule=self._rule, offset=offset, limit=WINDOW
        )
        return found

    @on(RowList.Wanted, "#removed")
    @told
    async def bring_removed(self, event: RowList.Wanted) -> None:
        """Bring rows that were scrolled to."""
        found = await self._removed(event.offset)
        self.removed.bring(found["offset"], found["rows"])

    async def _apply(self) -> None:
        """Clean the dataset as it is looked at."""
        app, name, cleaning = self.movie_tui, self._shown, self._chosen
        report = await app.work.clean(name, cleaning)
        await app.in_thread(self.session.store.clean_with, name, report["preset"])
        train = hint(self, ("screen.train", "trains"))
        app.say(f"{name} cleaned ({cleaning}): {text.plural(report['ratings'], 'rating')} · {train} a model on them")
        if self._shown == name and self._chosen == cleaning:
            self._shown = ""
            self.show_dataset()

    # Jobs

    def show_activity(self, activity: Activity | None) -> None:
        """Show the stages of the job that runs."""
        row = self.datasets.current
        if activity is None or activity.request["do"] not in ("get", "clean", "imdb"):
            return
        if row is not None and not isinstance(row, OpenPath) and row["name"] != activity.request["name"]:
            return
        self._staged = activity.request["name"]
        width = max(20, self.query_one("#dataset-pane").size.width - 4)
        self._pane("stages").show(_stages(activity, width))

    # Keys

    @work(group="choose")
    @told
    async def action_choose(self) -> None:
        """Get or open the dataset under the cursor; apply the rules that were changed, or unfold one."""
        if self.rules.has_focus and self._pending:
            await self._apply()
        elif self.rules.has_focus:
            self._unfold()
        elif self.datasets.has_focus:
            await self._open()

    async def _open(self) -> None:
        row = self.datasets.current
        if isinstance(row, OpenPath):
            self.action_open_path()
        elif row is not None and not row["ratings"]:
            await self._get(row["name"], None)
        elif row is not None:
            await self.movie_tui.open_dataset(row["name"])

    @on(RowList.Clicked, "#datasets")
    @on(RowList.Clicked, "#rules")
    def choose_clicked(self) -> None:
        """A click on the row under the cursor is as good as enter."""
        self.action_choose()

    @work(group="choose")
    @told
    async def action_open_path(self) -> None:
        """Ask for a path and read what is there."""
        ask = PathPanel(
            "Open a folder or zip", "Where are the files? They are read, never changed.", "~/Downloads/ml-1m.zip"
        )
        path = await self.app.push_screen_wait(ask)
        if path is not None:
            here = {row["name"] for row in await self.session.datasets() if row["ratings"]}
            await self._get(_name_for(Path(path).stem, here), path)

    async def _get(self, name: str, path: str | None) -> None:
        app = self.movie_tui
        result = await app.work.get(name, path, await self.session.cleaning_of(name))
        said = [
            f"{name}: {text.plural(result['ratings'], 'rating')}.",
            result["note"],
            f"{hint(self, ('data.choose', 'opens it'))}.",
        ]
        app.say(" ".join(part for part in said if part))
        self.list_datasets(name)

    @work(group="choose")
    @told
    async def action_remove(self) -> None:
        """Remove the dataset under the cursor from the disk, if that is meant."""
        row, app = self.datasets.current, self.movie_tui
        if row is None or isinstance(row, OpenPath) or not row["bytes"] or row["state"] == "available":
            raise Problem("Nothing of this dataset is on the disk.")
        sure = f"{row['title']} takes {text.size(row['bytes'])}. Your ratings and the trained models stay."
        if app.session.opened and app.session.opened["dataset"] == row["name"]:
            sure += " Browse shows it; its list stays until you leave."
        if await self.app.push_screen_wait(ConfirmPanel(f"Remove {row['name']}?", sure, "Remove")):
            removed = await app.work.remove(row["name"])
            app.say(f"{row['name']} is removed, {text.size(removed['bytes'])} are free.")
            self.list_datasets(row["name"])

    @work(group="choose")
    @told
    async def action_imdb(self) -> None:
        """Join the dataset with IMDb; show what came of it where that was done."""
        from movietui.screens.imdb import ImdbPanel

        app, name = self.movie_tui, self._shown
        if not name or not self.rules.display:
            raise Problem(f"Get the dataset with {key_of(self, 'data.choose')} first; then it can be joined with IMDb.")
        report = await self.session.engine.ask("imdb", dataset=name)
        if report is not None and not await self.app.push_screen_wait(ImdbPanel(self.session, report)):
            return
        ask = PathPanel(
            f"Join {name} with IMDb",
            "Information courtesy of IMDb (https://www.imdb.com). Used with permission.\n\n"
            "Folder with title.basics.tsv.gz and the other tables; empty downloads them (about 1.2 GB).",
            "~/Downloads/imdb",
            optional=True,
            files=(),
        )
        path = await self.app.push_screen_wait(ask)
        if path is not None:
            joined = await app.work.imdb(name, path or None)
            await self.session.engine.ask("imdb", dataset=name)  # lists show it from now on
            app.say(
                f"{name}: {joined['matched']:,} movies are found in IMDb, {joined['ambiguous']:,} are ambiguous, "
                f"{joined['unmatched']:,} are not there · {hint(self, ('data.imdb', 'shows them'))}"
            )

    def action_chart(self, step: int) -> None:
        """From the datasets to the rules; from there to the next chart, or the one before."""
        if self.datasets.has_focus:
            self.action_focus_rules()
        elif self.chart.charts:
            if self.removed.display or (self.has_class("-narrow") and not self.has_class("-viewing")):
                self._view(self.chart)
            else:
                self.chart.step(step)

    def action_focus_rules(self) -> None:
        """Go to the rules, which a chart may hide in a narrow window."""
        if self.rules.display:
            self.remove_class("-viewing")
            self.set_focus(self.rules)

    def action_back(self) -> None:
        """Fold what is unfolded, else drop what was changed, else go to the datasets."""
        if self.removed.display or self.has_class("-viewing"):
            self._view(self.chart if self.chart.charts else None, asked=False)
            self.set_focus(self.rules)
        elif self._pending and self._applied:
            self._preview(self._applied)
        else:
            self.set_focus(self.datasets)

    def on_resize(self) -> None:
        """What a narrow window hides has no keys; give them to what is seen."""
        super().on_resize()
        self.call_after_refresh(self._focus_what_is_seen)

    def _focus_what_is_seen(self) -> None:
        if self.focused is None and not self.has_class("-too-small"):
            seen = self.removed if self.removed.display else self.rules if self.rules.display else self.datasets
            self.set_focus(seen)


def _terms(row: DatasetRow, gets: str, removes: str) -> Text:
    lines = []
    if row["state"] == "available":
        lines.append(f"{gets}: {text.size(row['bytes'])} from GroupLens.")
    elif row["bytes"]:
        lines.append(f"{text.size(row['bytes'])} on disk; {removes}.")
    lines += [part for part in (row["terms"], row["citation"]) if part]
    return Text("\n\n".join(lines))


def _stepped(number: int, step: int) -> int:
    """Return the next round number; years go by tens."""
    if number > NUMBERS[-1]:
        return number + 10 * step
    larger = [one for one in NUMBERS if one > number]
    smaller = [one for one in NUMBERS if one < number]
    return (larger[:1] or [number])[0] if step > 0 else (smaller[-1:] or [number])[0]


def _name_for(stem: str, taken: set[str]) -> str:
    """Return a name for a dataset from the name of its file; what is here already is not replaced."""
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in stem.lower()).strip("-")
    name = name[:40] or "my-dataset"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(free for free in names if free not in taken)


def _stages(activity: Activity, width: int) -> Text:
    """Return a line for each stage: done with a tick, running with a bar."""
    lines = []
    for stage in activity.stages:
        line = Text.assemble("✔ " if stage["finished"] else "  ", (f"{stage['name']:<12}", "bold"), no_wrap=True)
        if not stage["finished"]:
            line.append_text(text.thin_bar(stage["done"], stage["total"], max(6, min(20, width - 50))))
            line.append(" ")
        if stage["unit"] == "bytes":
            line.append(f"{text.size(stage['done'])} ")
            if not stage["finished"]:
                line.append(f"{text.pace(stage['rate'], stage['seconds_left'])} ")
        elif stage["total"] > 1:
            line.append(f"{stage['done']:,} of {stage['total']:,} {stage['unit']} ")
        line.append(stage["note"], "dim")
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return Text("\n").join(lines)
