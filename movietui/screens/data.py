"""Data: pick a dataset, watch it come in and be cleaned, read what each rule took."""

from __future__ import annotations

from itertools import chain, count
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from data.problems import Cancelled, Problem
from movietui import text
from movietui.activity import Activity
from movietui.replies import DatasetRow
from movietui.screens.frame import FrameScreen, screen_keys
from movietui.screens.panels import PathPanel
from movietui.session import CLEANING
from movietui.widgets.row_list import RowList
from movietui.widgets.tables import DatasetList, OpenPath, ReportList
from movietui.widgets.told import told


class DataScreen(FrameScreen):
    """Datasets on the left; the stages, the cleaning report and the terms of one of them on the right."""

    title_of_help = "Data"
    about = ("A dataset is fetched, read and cleaned here; nothing of it leaves this machine.",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Get or open", id="data.choose", tooltip="Get the dataset, or open it in Browse"),
        Binding("o", "open_path", "Open a path", id="data.open", tooltip="Read a folder or zip of your own"),
        Binding("c", "cancel", "Cancel", id="data.cancel", tooltip="Stop what is running"),
        Binding("left,h", "focus_datasets", "Datasets", show=False, tooltip="Go to the datasets"),
        Binding("right,l", "focus_report", "Report", show=False, tooltip="Go to the cleaning report"),
        *screen_keys("browse", "train"),
    ]

    def body(self) -> ComposeResult:
        """Put the panes side by side."""
        with Horizontal(id="panes"):
            with Vertical(id="datasets-pane", classes="pane"):
                yield DatasetList(id="datasets")
            with Vertical(id="dataset-pane", classes="pane"):
                yield Static(id="stages", markup=False)
                yield ReportList(id="report")
                yield Static(id="examples", markup=False)
                with VerticalScroll(id="terms-scroll", can_focus=False):
                    yield Static(id="terms", markup=False)

    def on_mount(self) -> None:
        """Listen to jobs, and list what there is."""
        self.query_one("#datasets-pane").border_title = "Datasets"
        self.movie_tui.activity_changed.subscribe(self, self.show_activity)
        self.movie_tui.served_changed.subscribe(self, self.served)
        self.set_focus(self.datasets)
        self.list_datasets()

    @property
    def datasets(self) -> DatasetList:
        """The list on the left."""
        return self.query_one("#datasets", DatasetList)

    @property
    def report(self) -> ReportList:
        """The cleaning report."""
        return self.query_one("#report", ReportList)

    def served(self, dataset: str) -> None:
        """Mark the dataset that Browse shows."""
        self.datasets.open_name = dataset
        self.datasets.refresh()

    @work(exclusive=True, group="list")
    @told
    async def list_datasets(self, name: str | None = None) -> None:
        """List the datasets; put the cursor on one of them."""
        session = self.session
        await session.engine.start()
        listed = await session.datasets()
        rows: list[DatasetRow | OpenPath] = [*sorted(listed, key=lambda row: row["state"] == "invented"), OpenPath()]
        self.datasets.open_name = session.opened["dataset"] if session.opened else ""
        self.datasets.fill(len(rows), 0, rows)
        wanted = name or self.movie_tui.working
        for place, row in enumerate(rows):
            if not isinstance(row, OpenPath) and row["name"] == wanted:
                self.datasets.cursor = place

    @on(RowList.Moved, "#datasets")
    def look(self) -> None:
        """Show the dataset under the cursor."""
        self.show_dataset()

    @work(exclusive=True, group="show")
    @told
    async def show_dataset(self) -> None:
        """Show the report of a dataset that is here, else what it is and takes."""
        row = self.datasets.current
        pane = self.query_one("#dataset-pane")
        if row is None:
            return
        if isinstance(row, OpenPath):
            pane.border_title = "Open a folder or zip"
            self.query_one("#stages", Static).update("")
            self._show_report(None)
            self.query_one("#terms", Static).update(
                Text("enter: name the place of a MovieLens 100K zip, or of the folder it was unpacked to.")
            )
            return
        pane.border_title = Content(row["title"])
        activity = self.movie_tui.work.activity
        if activity is None or activity.request.get("name") != row["name"]:
            self.query_one("#stages", Static).update("")
        self.query_one("#terms", Static).update(self._terms(row))
        report: dict[str, Any] | None = None
        if row["ratings"]:
            report = await self.session.engine.ask("report", dataset=row["name"], cleaning=CLEANING)
        self._show_report(report)

    @staticmethod
    def _terms(row: DatasetRow) -> Text:
        lines = []
        if row["state"] == "available":
            lines.append(f"enter gets it: {text.size(row['bytes'])} from GroupLens.")
        lines += [part for part in (row["terms"], row["citation"]) if part]
        return Text("\n\n".join(lines))

    def _show_report(self, report: dict[str, Any] | None) -> None:
        rules = report["rules"] if report else []
        self.report.display = bool(rules)
        self.query_one("#examples").display = bool(rules)
        self.report.fill(len(rules), 0, rules)
        pane = self.query_one("#dataset-pane")
        pane.border_subtitle = (
            Content(
                f"cleaned ({report['preset']}): {text.plural(report['ratings'], 'rating')} · "
                f"{text.plural(report['users'], 'user')} · {text.plural(report['movies'], 'movie')}"
            )
            if report
            else ""
        )

    @on(RowList.Moved, "#report")
    def show_examples(self) -> None:
        """Show rows that the rule under the cursor took, or would take."""
        rule = self.report.current
        if rule is None:
            return
        lines = Text()
        if rule["examples"]:
            lines.append("for example\n" if rule["on"] else "would take, for example\n", "underline")
            lines.append("\n".join(f" {example}" for example in rule["examples"]))
        else:
            lines.append("nothing to take: the data are clean in this respect", "dim")
        self.query_one("#examples", Static).update(lines)

    def show_activity(self, activity: Activity | None) -> None:
        """Show the stages of the job that runs."""
        row = self.datasets.current
        if activity is None or activity.request["do"] != "get":
            return
        if row is not None and not isinstance(row, OpenPath) and row["name"] != activity.request["name"]:
            return
        width = max(20, self.query_one("#dataset-pane").size.width - 4)
        self.query_one("#stages", Static).update(_stages(activity, width))

    # Keys

    @work(group="choose")
    async def action_choose(self) -> None:
        """Get the dataset under the cursor; open one that is here."""
        app = self.movie_tui
        if not self.datasets.has_focus:
            return
        row = self.datasets.current
        if row is None:
            return
        if isinstance(row, OpenPath):
            self.action_open_path()
            return
        if not row["ratings"]:
            await self._get(row["name"], None)
            return
        try:
            await app.open_dataset(row["name"])
        except Problem as problem:
            app.say_problem(problem)
        except Cancelled:
            app.say(f"Stopped; {row['name']} has no model yet.")

    @on(RowList.Clicked, "#datasets")
    def choose_clicked(self) -> None:
        """A click on the row under the cursor is as good as enter."""
        self.action_choose()

    @work(group="choose")
    async def action_open_path(self) -> None:
        """Ask for a path and read what is there."""
        path = await self.app.push_screen_wait(PathPanel())
        if path is not None:
            here = {row["name"] for row in await self.session.datasets() if row["ratings"]}
            await self._get(_name_for(path.stem, here), str(path.absolute()))

    async def _get(self, name: str, path: str | None) -> None:
        app = self.movie_tui
        try:
            result = await app.work.get(name, path)
        except Problem as problem:
            app.say_problem(problem)
            return
        except Cancelled:
            app.say("Stopped; nothing half read was kept.")
            return
        said = [f"{name}: {text.plural(result['ratings'], 'rating')}.", result["note"], "enter opens it."]
        app.say(" ".join(part for part in said if part))
        self.list_datasets(name)

    async def action_cancel(self) -> None:
        """Stop what runs."""
        if not await self.movie_tui.work.cancel():
            self.movie_tui.say("Nothing is running.")

    def action_focus_datasets(self) -> None:
        """Go to the datasets."""
        self.set_focus(self.datasets)

    def action_focus_report(self) -> None:
        """Go to the report."""
        if self.report.display:
            self.set_focus(self.report)


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
