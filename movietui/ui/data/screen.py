"""Data: choose a dataset, watch its download, choose how it is cleaned, and see what it contains."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.protocol.messages import CleaningReport, DatasetRow, RemovedRows, RuleRow
from movietui.protocol.requests import Requests
from movietui.state.job_progress import JobProgress
from movietui.ui.bindings import hint, key_of
from movietui.ui.data.chart import Chart
from movietui.ui.data.dataset_list import DatasetList, OpenPath
from movietui.ui.data.rule_list import RemovedList, RuleList
from movietui.ui.frame import FrameScreen, screen_keys
from movietui.ui.panels import ConfirmPanel, PathPanel
from movietui.ui.problems import shows_problems
from movietui.ui.widgets.row_list import WINDOW, RowList
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import training_on_cluster

ABOUT = (
    tr("Get and clean datasets here. Nothing leaves this machine."),
    tr("Turn rules on or off to preview what they do, then apply them."),
)
OWN_FILES = tr("Choose a MovieLens zip, or the folder it unpacks to, or a CSV, TSV or Parquet with your own ratings.")
NUMBERS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000)


class DataScreen(FrameScreen):
    """Datasets on the left, and the stages, rules and charts of the selected dataset on the right."""

    CSS_PATH = "screen.tcss"
    help_title = tr("Data")
    about = ABOUT
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            tr("Open"),
            id="data.choose",
            tooltip=tr("Get or open a dataset; apply the rules, or show what a rule removes"),
        ),
        Binding(
            "space", "turn_rule", tr("Rule on/off"), id="data.toggle", tooltip=tr("Turn the rule on or off (preview)")
        ),
        Binding(
            "left_square_bracket",
            "number(-1)",
            tr("Less"),
            key_display="[",
            show=False,
            id="data.less",
            tooltip=tr("Lower the rule's number, such as 3 ratings instead of 5"),
        ),
        Binding(
            "right_square_bracket",
            "number(1)",
            tr("More"),
            key_display="]",
            show=False,
            id="data.more",
            tooltip=tr("Raise the rule's number"),
        ),
        Binding("p", "preset", tr("Preset"), id="data.preset", tooltip=tr("Next preset of rules")),
        Binding(
            "left", "chart(-1)", tr("Previous chart"), show=False, id="data.chart-before", tooltip=tr("Previous chart")
        ),
        Binding(
            "right",
            "chart(1)",
            tr("Next chart"),
            show=False,
            id="data.chart",
            tooltip=tr("Next chart; from the datasets, go to the rules"),
        ),
        Binding("i", "imdb", "IMDb", id="data.imdb", tooltip=tr("Join with IMDb; review ambiguous movies")),
        Binding(
            "o", "open_path", tr("Open a path"), show=False, id="data.open", tooltip=tr("Open your own folder or zip")
        ),
        Binding("x", "remove", tr("Remove"), show=False, id="data.remove", tooltip=tr("Remove the dataset from disk")),
        Binding("c", "cancel", tr("Cancel"), show=False, id="data.cancel", tooltip=tr("Stop what is running")),
        Binding(
            "h,escape",
            "back",
            tr("Back"),
            show=False,
            id="data.back",
            tooltip=tr("Close the chart or rows, discard rule changes, or go back to the datasets"),
        ),
        Binding("l", "focus_rules", tr("Rules"), show=False, id="data.rules", tooltip=tr("Go to the rules")),
        *screen_keys("browse"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown = ""
        """The dataset whose rules and charts are shown."""
        self._applied = ""
        """The stored cleaning; empty if none is stored."""
        self._chosen = ""
        """The cleaning that is previewed. If it differs from the stored one, enter applies it."""
        self._rule = ""
        """The rule whose removed rows are shown."""
        self._report: CleaningReport | None = None
        """The engine's last report on the previewed cleaning."""
        self._only_there = False
        """Whether the shown dataset is only on a cluster, so that its rules cannot be changed here."""
        self._presets: list[str] = []
        self._stages_of = ""
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
        """Follow the jobs, and list the datasets."""
        self.query_one("#datasets-pane").border_title = tr("Datasets")
        self.movie_tui.progress_changed.subscribe(self, self.show_progress)
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
        """The rules of cleaning and what they remove."""
        return self.query_one("#rules", RuleList)

    @property
    def chart(self) -> Chart:
        """The charts of the dataset."""
        return self.query_one("#chart", Chart)

    @property
    def removed(self) -> RemovedList:
        """The rows that a rule removes, shown instead of the chart."""
        return self.query_one("#removed", RemovedList)

    def _pane(self, name: str) -> TextPane:
        return self.query_one(f"#{name}", TextPane)

    @property
    def _pending(self) -> bool:
        return self._chosen != self._applied

    @on(events.DescendantFocus)
    def give_room(self) -> None:
        """Give the datasets room for their figures while a person chooses one."""
        self.set_class(self.datasets.has_focus, "-choosing")

    def served(self, dataset: str) -> None:
        """Mark the dataset that Browse shows now."""
        self.list_datasets()

    def on_screen_resume(self) -> None:
        """Show what was fetched, cleaned or removed elsewhere."""
        if self.datasets.total:
            self.list_datasets()

    # Datasets

    @work(exclusive=True, group="list")
    @shows_problems
    async def list_datasets(self, name: str | None = None) -> None:
        """List the datasets. Unless the rules have the focus, select ``name`` or, at first, the current dataset."""
        session = self.session
        await session.engine.start()
        listed = await session.engine.ask(Requests.datasets)
        rows: list[DatasetRow | OpenPath] = [*sorted(listed, key=lambda row: row["state"] == "invented"), OpenPath()]
        self.datasets.open_name = session.opened["dataset"] if session.opened else ""
        before = {row["name"]: row for row in self.datasets.known_rows() if not isinstance(row, OpenPath)}
        if not self._pending and before.get(self._shown) not in rows:
            self._shown = ""  # the dataset changed, so show it again
        wanted = name or ("" if before else self.movie_tui.current_dataset)
        self.datasets.fill(len(rows), 0, rows, follow=True)
        for index, row in enumerate(rows):
            if not isinstance(row, OpenPath) and row["name"] == wanted and not self.rules.has_focus:
                self.datasets.cursor = index

    @on(RowList.Moved, "#datasets")
    def show_selected(self) -> None:
        """Show the selected dataset."""
        self.show_dataset()

    @work(exclusive=True, group="show")
    @shows_problems
    async def show_dataset(self) -> None:
        """Show the size and terms of the selected dataset and, if it is on disk or a cluster, its rules and charts."""
        row = self.datasets.current
        pane = self.query_one("#dataset-pane")
        if row is None or (not isinstance(row, OpenPath) and row["name"] == self._shown):
            return
        for group in ("preview", "removed"):
            self.workers.cancel_group(self, group)  # a late reply would be about another dataset
        self._shown = self._applied = self._chosen = ""
        self._only_there = not isinstance(row, OpenPath) and _is_only_on_cluster(row)
        self.chart.show([])
        self._view(None)
        if isinstance(row, OpenPath):
            pane.border_title = tr("Open a folder or zip")
            self._pane("stages").show(Text())
            self._show_rules(None)
            self._pane("terms").show(Text(OWN_FILES))
            return
        pane.border_title = Content(row["title"])
        if self._stages_of != row["name"]:
            self._pane("stages").show(Text())
        gets = tr("opens it") if _opens_at_once(row) else tr("downloads it")
        gets, removes = hint(self, ("data.choose", gets)), hint(self, ("data.remove", tr("removes it")))
        self._pane("terms").show(_about(row, [], gets, removes))
        if self._report is None or self._report["dataset"] != row["name"]:
            self._show_rules(None)  # the rules of a large dataset arrive only after a while
        if not row["on_disk"] and not self._only_there:
            self._show_rules(None)
            self._shown = row["name"]
            return
        engine = self.session.engine
        cleaning = await asyncio.to_thread(self.session.store.cleaning_of, row["name"])
        report: CleaningReport | None = await engine.ask(
            Requests.cleaning_report, dataset=row["name"], cleaning=cleaning
        )
        facts = await engine.ask(Requests.dataset_summary, dataset=row["name"], cleaning=cleaning) if report else None
        on = [(rule["rule"], rule["number"]) for rule in report["rules"] if rule["on"]] if report else []
        self.rules.applied = frozenset(on)
        self._applied = report["preset"] if report else ""
        self._shown = row["name"]
        if self._only_there and report is None:
            return  # it was removed meanwhile
        # If the cleaning was never applied, show what it would do.
        self._show_rules(report or await engine.ask(Requests.preview_cleaning, dataset=row["name"], cleaning=cleaning))
        if facts:
            notes = [note for note in (facts["scale_note"], facts["absent_note"], facts["note"]) if note]
            self._pane("terms").show(_about(row, notes, gets, removes))
            self.chart.show(facts["charts"])
            self._view(self.chart, open_view=False)

    def _view(self, shown: Chart | RemovedList | None, *, open_view: bool = True) -> None:
        """Show the chart, the removed rows or neither. A narrow window shows them only with ``open_view``."""
        self.chart.display = shown is self.chart
        self.removed.display = shown is self.removed
        self.query_one("#view").set_class(shown is None, "-empty")
        self.set_class(open_view and shown is not None, "-viewing")
        if self.has_class("-narrow") and self.has_class("-viewing") and shown is not None:
            self.set_focus(shown)

    # Rules

    def _show_rules(self, report: CleaningReport | None) -> None:
        self._report = report
        self._chosen = report["preset"] if report else ""
        rules = report["rules"] if report else []
        self.rules.display = bool(rules)
        self.rules.fill(len(rules), 0, rules)
        pane = self.query_one("#dataset-pane")
        pane.border_subtitle = ""
        if report:
            pane.border_title = Content(f"{report['dataset']} · {report['preset']}")
            pending = hint(self, ("data.choose", tr("apply"))) + " · " if self._pending else ""
            pane.border_subtitle = Content(
                pending
                + tr(
                    "{ratings:,} ratings · {users:,} users · {movies:,} movies",
                    ratings=report["ratings"],
                    users=report["users"],
                    movies=report["movies"],
                )
            )

    @work(exclusive=True, group="preview")
    @shows_problems
    async def _preview(self, cleaning: str) -> None:
        try:
            self._show_rules(
                await self.session.engine.ask(Requests.preview_cleaning, dataset=self._shown, cleaning=cleaning)
            )
        except Problem:
            self._show_rules(self._report)  # the next change starts from a valid cleaning
            raise

    def _require_rules(self) -> None:
        """Raise ``Problem`` if the ratings are on a cluster, so that the rules cannot be changed."""
        if self._only_there and self._shown:
            raise Problem(
                tr(
                    "{dataset} was cleaned on a cluster; to change its rules, clean it there again with another "
                    "--preset of movietui cluster clean {dataset}.",
                    dataset=self._shown,
                )
            )

    def _rule_to_change(self) -> RuleRow | None:
        return self.rules.current if self.rules.has_focus else None

    @shows_problems
    async def action_turn_rule(self) -> None:
        """Turn the selected rule on or off, without applying it yet."""
        self._require_rules()
        rule = self._rule_to_change()
        if rule is None:
            self.movie_tui.show_notice(tr("Press {key} to go to the rules first.", key=key_of(self, "data.rules")))
        elif rule["always"]:
            self.movie_tui.show_notice(tr("This rule is always on: the rows it removes cannot be used."))
        else:
            self._change({**rule, "on": not rule["on"]})

    @shows_problems
    async def action_number(self, step: int) -> None:
        """Raise or lower the number of the selected rule."""
        self._require_rules()
        rule = self._rule_to_change()
        if rule is None or not rule["number"]:
            keys = hint(self, ("data.less data.more", tr("change the number in a rule")))
            self.movie_tui.show_notice(
                tr("{keys} such as “movies, under 5 ratings”; select such a rule first.", keys=keys)
            )
            return
        number = min(max(_stepped(rule["number"], step), rule["low"]), rule["high"])
        self._change({**rule, "on": True, "number": number})

    def _change(self, rule: RuleRow) -> None:
        """Change a rule in the list before the engine has replied: the next key may come earlier."""
        number = f":{rule['number']}" if rule["number"] and rule["on"] else ""
        self._chosen += f" {'+' if rule['on'] else '-'}{rule['rule']}{number}"
        self.rules.change(lambda row: rule if row["rule"] == rule["rule"] else row)
        self._preview(self._chosen)

    @work(group="preset")
    @shows_problems
    async def action_preset(self) -> None:
        """Preview the next preset."""
        self._require_rules()
        if not self.rules.display:
            downloads = hint(self, ("data.choose", tr("downloads")))
            raise Problem(tr("There is nothing to clean yet; {downloads} the dataset.", downloads=downloads))
        if not self._presets:
            self._presets = await self.session.engine.ask(Requests.presets)
        now = self._presets.index(self._chosen) if self._chosen in self._presets else -1
        self._chosen = self._presets[(now + 1) % len(self._presets)]
        self.action_focus_rules()
        self._preview(self._chosen)

    @on(RowList.Moved, "#rules")
    def show_removed(self) -> None:
        """If removed rows are shown, show those of the rule that the cursor moved to."""
        if self.removed.display:
            self._show_removed_rows()

    @work(exclusive=True, group="removed")
    @shows_problems
    async def _show_removed_rows(self) -> None:
        """Show the rows that the selected rule removes, or would remove."""
        rule = self.rules.current
        if rule is None:
            return
        self._rule = rule["rule"]
        removed = await self._removed(0)
        self.removed.show(removed)
        self.removed.border_title = Content(removed["title"])
        rows = text.plural(removed["total"], "row")
        effect = tr("{rows} removed", rows=rows) if removed["on"] else tr("would remove {rows}", rows=rows)
        closes = hint(self, ("data.back", tr("closes")))
        self.removed.border_subtitle = Content(f"{effect} · {closes}")
        self.removed.set_placeholder(tr("This rule removes nothing here."))
        self._view(self.removed)

    async def _removed(self, offset: int) -> RemovedRows:
        removed: RemovedRows = await self.session.engine.ask(
            Requests.removed_rows,
            dataset=self._shown,
            cleaning=self._chosen,
            rule=self._rule,
            offset=offset,
            limit=WINDOW,
        )
        return removed

    @on(RowList.RowsRequested, "#removed")
    @shows_problems
    async def add_removed_rows(self, event: RowList.RowsRequested) -> None:
        """Request the rows that a person scrolled to, and add them."""
        removed = await self._removed(event.offset)
        self.removed.add_rows(removed["offset"], removed["rows"])

    async def _apply(self) -> None:
        app, name, cleaning = self.movie_tui, self._shown, self._chosen
        report = await app.jobs.clean(name, cleaning)
        await asyncio.to_thread(self.session.store.clean_with, name, report["preset"])
        train = hint(self, ("screen.train", tr("trains")))
        app.show_notice(
            tr(
                "Cleaned {dataset} ({cleaning}): {ratings} · {trains} a model on them",
                dataset=name,
                cleaning=cleaning,
                ratings=text.plural(report["ratings"], "rating"),
                trains=train,
            ),
            name,
        )
        if self._shown == name and self._chosen == cleaning:
            self._shown = ""
            self.show_dataset()

    # Jobs

    def show_progress(self, progress: JobProgress | None) -> None:
        """Show the stages of a job that gets, cleans or joins a dataset, unless another dataset is selected."""
        row = self.datasets.current
        if progress is None or progress.request["do"] not in ("get", "clean", "imdb"):
            return
        if row is not None and not isinstance(row, OpenPath) and row["name"] != progress.request["name"]:
            return
        self._stages_of = progress.request["name"]
        width = max(20, self.query_one("#dataset-pane").size.width - 4)
        self._pane("stages").show(_stages(progress, width))

    # Keys

    @work(group="choose")
    @shows_problems
    async def action_choose(self) -> None:
        """Get or open the selected dataset. On the rules, apply the changes or show the rows that a rule removes."""
        if self.rules.has_focus and self._pending:
            await self._apply()
        elif self.rules.has_focus and self._only_there:
            raise Problem(tr("The rows that a rule removed are on the cluster; here you see only their number."))
        elif self.rules.has_focus:
            self._show_removed_rows()
        elif self.datasets.has_focus:
            await self._open()

    async def _open(self) -> None:
        row = self.datasets.current
        if isinstance(row, OpenPath):
            self.action_open_path()
        elif row is not None and row["state"] == "cluster" and not _opens_at_once(row):
            raise Problem(
                tr(
                    "No model has been trained on {dataset} yet; train one on the cluster with {command}.",
                    dataset=row["name"],
                    command=training_on_cluster(row["name"]),
                )
            )
        elif row is not None and not row["on_disk"] and not _opens_at_once(row):
            await self._get(row["name"], None)
        elif row is not None:
            await self.movie_tui.open_dataset(row["name"])

    @on(RowList.Clicked, "#datasets")
    @on(RowList.Clicked, "#rules")
    def choose_clicked(self) -> None:
        """Treat a click on the selected row like enter."""
        self.action_choose()

    @work(group="choose")
    @shows_problems
    async def action_open_path(self) -> None:
        """Ask for a path and read the dataset there."""
        path = await self.app.push_screen_wait(ask_for_dataset())
        if path is not None:
            on_disk = {row["name"] for row in await self.session.engine.ask(Requests.datasets) if row["on_disk"]}
            await self._get(name_for(Path(path).stem, on_disk), path)

    async def _get(self, name: str, path: str | None) -> None:
        app = self.movie_tui
        result = await app.jobs.get(name, path, await asyncio.to_thread(self.session.store.cleaning_of, name))
        opens = hint(self, ("data.choose", tr("opens it")))
        parts = [
            f"{name}: {text.plural(result['ratings'], 'rating')}.",
            result["note"],
            f"{opens}.",
        ]
        app.show_notice(" ".join(part for part in parts if part), name)
        self.list_datasets(name)

    @work(group="choose")
    @shows_problems
    async def action_remove(self) -> None:
        """Remove the selected dataset from the disk after a confirmation. Ratings on a cluster stay there."""
        row, app = self.datasets.current, self.movie_tui
        if row is None or isinstance(row, OpenPath) or not (row["on_disk"] or row["state"] == "cluster"):
            raise Problem(tr("This dataset is not on disk."))
        question = tr(
            "{title} uses {size}. Your ratings and trained models are kept.",
            title=row["title"],
            size=text.size(row["bytes"]),
        )
        if row["cluster"]:
            question += tr(" So are its ratings on the cluster, at {path}.", path=row["cluster"])
        if app.session.opened and app.session.opened["dataset"] == row["name"]:
            question += tr(" Browse is showing this dataset; its list stays until you quit.")
        if await self.app.push_screen_wait(
            ConfirmPanel(tr("Remove {dataset}?", dataset=row["name"]), question, tr("Remove"))
        ):
            removed = await app.jobs.remove(row["name"])
            app.show_notice(
                tr("Removed {dataset}; {size} freed.", dataset=row["name"], size=text.size(removed["bytes"])),
                row["name"],
            )
            self.list_datasets(row["name"])

    @work(group="choose")
    @shows_problems
    async def action_imdb(self) -> None:
        """Join the dataset with IMDb, or first show the result if the dataset is joined already."""
        from movietui.ui.data.imdb_panel import ImdbPanel

        app, name = self.movie_tui, self._shown
        if name and self._only_there:
            raise Problem(
                tr(
                    "{dataset} is on a cluster, where it cannot be joined with IMDb; only datasets on disk can be.",
                    dataset=name,
                )
            )
        if not name or not self.rules.display:
            raise Problem(
                tr("Press {key} to get the dataset first, then join it with IMDb.", key=key_of(self, "data.choose"))
            )
        report = await self.session.engine.ask(Requests.imdb_report, dataset=name)
        if report is not None and not await self.app.push_screen_wait(ImdbPanel(self.session, report)):
            return
        ask = PathPanel(
            tr("Join {dataset} with IMDb", dataset=name),
            tr(
                "Information courtesy of IMDb (https://www.imdb.com). Used with permission.\n\n"
                "Folder with title.basics.tsv.gz and the other tables; leave empty to download them (about 2 GB)."
            ),
            "~/Downloads/imdb",
            optional=True,
            files=(),
        )
        path = await self.app.push_screen_wait(ask)
        if path is not None:
            joined = await app.jobs.imdb(name, path or None)
            await self.session.engine.ask(Requests.imdb_report, dataset=name)  # the open dataset reads its join again
            shows = hint(self, ("data.imdb", tr("show")))
            app.show_notice(
                tr(
                    "{dataset}: {matched:,} movies matched to IMDb, {ambiguous:,} ambiguous, "
                    "{unmatched:,} not on IMDb · {shows}",
                    dataset=name,
                    matched=joined["matched"],
                    ambiguous=joined["ambiguous"],
                    unmatched=joined["unmatched"],
                    shows=shows,
                ),
                name,
            )

    def action_chart(self, step: int) -> None:
        """Go from the datasets to the rules, open the chart, or show another chart."""
        if self.datasets.has_focus:
            self.action_focus_rules()
        elif self.chart.charts:
            if self.removed.display or (self.has_class("-narrow") and not self.has_class("-viewing")):
                self._view(self.chart)
            else:
                self.chart.step(step)

    def action_focus_rules(self) -> None:
        """Go to the rules, and close a chart that hides them in a narrow window."""
        if self.rules.display:
            self.remove_class("-viewing")
            self.set_focus(self.rules)

    def action_back(self) -> None:
        """Close the removed rows or the chart, discard the changed rules, or go to the datasets."""
        if self.removed.display or self.has_class("-viewing"):
            self._view(self.chart if self.chart.charts else None, open_view=False)
            self.set_focus(self.rules)
        elif self._pending and self._applied:
            self._preview(self._applied)
        else:
            self.set_focus(self.datasets)

    def main_widget(self) -> Widget:
        """Return the removed rows if they are shown, else the rules if they are shown, else the datasets."""
        return self.removed if self.removed.display else self.rules if self.rules.display else self.datasets


def _about(row: DatasetRow, notes: Sequence[str], gets: str, removes: str) -> Text:
    """Return a dataset's contents, notes and size, the time that its first list takes, and its terms.

    ``gets`` and ``removes``: hints with the keys that get or open the dataset, and that remove it.
    """
    lines = [*filter(None, [_facts(row)]), *notes]
    if row["state"] == "available" and not _opens_at_once(row):
        lines.append(
            tr(
                "{gets}: {download} from GroupLens; it needs {size} on disk.",
                gets=gets,
                download=text.size(row["download"]),
                size=text.size(row["disk"]),
            )
        )
        lines.append(tr("The first list takes about {duration}.", duration=text.until_list(row["seconds"])))
    elif row["on_disk"] and row["bytes"]:
        lines.append(tr("{size} on disk; {removes}.", size=text.size(row["bytes"]), removes=removes))
    if _is_only_on_cluster(row):
        trains = tr(
            "to open it here, first train a model there with {command}", command=training_on_cluster(row["name"])
        )
        opens = gets if _opens_at_once(row) else trains
        lines.insert(0, tr("Its ratings are on a cluster, at {path}; {opens}.", path=row["cluster"], opens=opens))
    elif row["cluster"]:
        lines.append(tr("The ratings that movietui cluster reads are at {path}.", path=row["cluster"]))
    lines += [part for part in (row["terms"], row["citation"]) if part]
    return Text("\n\n".join(lines))


def _is_only_on_cluster(row: DatasetRow) -> bool:
    """Return whether the ratings of a dataset are on a cluster and not on this machine."""
    return bool(row["cluster"]) and not row["on_disk"]


def _opens_at_once(row: DatasetRow) -> bool:
    """Return whether a dataset that is only on a cluster can be opened, because a model was trained on it there."""
    return _is_only_on_cluster(row) and row["seconds"] == 0


def _facts(row: DatasetRow) -> str:
    """Return the years and counts of a dataset: ``1922–1998 · 1,682 movies · 100,000 ratings``."""
    counts = ((row["movies"], "movie"), (row["ratings"], "rating"), (row["users"], "user"))
    parts = [text.span(row["first_year"], row["last_year"])]
    parts += [text.plural(count, word) for count, word in counts if count]
    return " · ".join(filter(None, parts))


def _stepped(number: int, step: int) -> int:
    """Return the next larger or smaller of ``NUMBERS``. Numbers above 1000 are years and change by ten."""
    if number > NUMBERS[-1]:
        return number + 10 * step
    larger = [one for one in NUMBERS if one > number]
    smaller = [one for one in NUMBERS if one < number]
    return (larger[:1] or [number])[0] if step > 0 else (smaller[-1:] or [number])[0]


def ask_for_dataset() -> PathPanel:
    """Return a panel that asks for the files of a dataset and ends with their path."""
    return PathPanel(
        tr("Open a folder or zip"), tr("Path of the files (they are never changed):"), "~/Downloads/ml-1m.zip"
    )


def name_for(stem: str, taken: set[str]) -> str:
    """Return a name for a dataset, made from the name of its file, that is not in ``taken``."""
    name = "".join(each if each.isascii() and each.isalnum() else "-" for each in stem.lower()).strip("-")
    name = name[:40] or "my-dataset"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(free for free in names if free not in taken)


def _stages(progress: JobProgress, width: int) -> Text:
    """Return a line for each stage: a tick if it is done, a bar if it is running."""
    lines = []
    for stage in progress.stages:
        line = Text.assemble("✓ " if stage["finished"] else "  ", (f"{stage['name']:<12}", "bold"), no_wrap=True)
        if not stage["finished"]:
            line.append_text(text.thin_bar(stage["done"], stage["total"], max(6, min(20, width - 50))))
            line.append(" ")
        if stage["unit"] == "bytes":
            line.append(f"{text.size(stage['done'])} ")
            if not stage["finished"]:
                line.append(f"{text.pace(stage['rate'], stage['seconds_left'])} ")
        elif stage["total"] > 1:
            line.append(
                tr("{done:,} of {total:,} {unit} ", done=stage["done"], total=stage["total"], unit=stage["unit"])
            )
        line.append(stage["note"], "dim")
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return Text("\n").join(lines)
