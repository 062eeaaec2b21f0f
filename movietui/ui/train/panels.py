"""Panels of the Train screen."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Console
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.models.choices import METRICS
from movietui.store.run_records import Run
from movietui.store.runs import Freed, Runs
from movietui.ui.bindings import cancel_key, hint, key_on
from movietui.ui.panels import ScrollPanel
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.widgets.fields import Field
from movietui.ui.widgets.text_pane import TextPane
from movietui.ui.wording import state_in_words

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

MAX_LISTED = 6
"""How many of the checkpoints that would be removed are listed, at most."""


class PrunePanel(Panel[list[Freed] | None]):
    """Asks how many checkpoints to keep, and by which metric; lists those that would be removed.

    Ends with those that were removed, or ``None``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [cancel_key()]

    def __init__(self, runs: Runs, metric: str) -> None:
        super().__init__()
        self._runs, self._metric = runs, metric

    def compose(self) -> ComposeResult:
        """Show the fields."""
        with Vertical(classes="panel prune") as panel:
            panel.border_title = tr("Keep the best checkpoints")
            cancels = hint(self, ("panel.leave", tr("cancel")))
            panel.border_subtitle = Content(tr("enter remove the others · tab next field · {cancels}", cancels=cancels))
            yield Static(tr("How many to keep for each dataset, cleaning and split"), markup=False)
            yield Field("3", id="keep", compact=True, max_length=4)
            yield Static(tr("Best by"), markup=False)
            yield Field(self._metric, id="metric", compact=True, max_length=40)
            yield Static(id="prunable", markup=False)
            yield Static(id="wrong", markup=False)

    def _inputs(self) -> tuple[int, str]:
        """Return what was typed. Raise ``Problem`` if it is invalid."""
        keep = self.query_one("#keep", Input).value.strip()
        if not keep.isdecimal():
            raise Problem(tr("Type how many to keep: 0 or more."))
        return int(keep), self.query_one("#metric", Input).value.strip()

    @on(Input.Changed)
    @work(exclusive=True, group="prunable")
    @shows_problems
    async def show_prunable(self) -> None:
        """List the checkpoints that would be removed."""
        message, wrong = Text(), ""
        try:
            freed = await asyncio.to_thread(self._runs.prunable, *self._inputs())
            total = text.size(sum(one.bytes for one in freed))
            message.append(
                tr(
                    "{checkpoints} would be removed, {size}:",
                    checkpoints=text.plural(len(freed), "checkpoint"),
                    size=total,
                )
                if freed
                else tr("Nothing would be removed."),
                "bold",
            )
            for one in freed[:MAX_LISTED]:
                figure = one.run.metrics.get(self.query_one("#metric", Input).value.strip())
                run = tr(
                    "run {number}  {name}, {dataset}, {split}",
                    number=one.run.id,
                    name=one.run.name or one.run.model,
                    dataset=one.run.dataset,
                    split=one.run.split,
                )
                measured = f"  {figure:.4f}" if figure is not None else ""
                message.append(f"\n{text.cut(run, 38)}{measured}  {text.size(one.bytes)}")
            if len(freed) > MAX_LISTED:
                message.append(tr("\nand {count} more", count=len(freed) - MAX_LISTED), "dim")
            message.append(tr("\n\nMetrics, curves and the model in use are always kept."), "dim")
        except Problem as problem:
            wrong = str(problem)
        self.query_one("#prunable", Static).update(message)
        self.query_one("#wrong", Static).update(Text(wrong))

    @on(Input.Submitted)
    async def prune(self) -> None:
        """Remove all but the best checkpoints, or show why that is impossible."""
        try:
            self.dismiss(await asyncio.to_thread(self._runs.prune, *self._inputs()))
        except Problem as problem:
            self.query_one("#wrong", Static).update(Text(str(problem)))


class TablesPanel(ScrollPanel[None]):
    """Shows everything about a run, or two runs side by side, in the same tables as the command line."""

    scrolls = "#tables"

    def __init__(self, title: str, tables: Callable[[ModuleType], list[Any]]) -> None:
        """``tables`` returns the content of the panel, given the module ``run_tables``, which is imported only then."""
        super().__init__()
        self._title, self._tables = title, tables

    def compose(self) -> ComposeResult:
        """Add an empty pane; the tables are drawn once its width is known."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = self._title
            panel.border_subtitle = Content(hint(self, ("list.up list.down", tr("scroll")), ("panel.back", tr("back"))))
            yield TextPane(id="tables")

    def on_resize(self) -> None:
        """Draw the tables at the new width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self.query_one("#tables", TextPane).show_fitted(self._render_tables)

    def _render_tables(self, width: int) -> Text:
        from movietui.formatting import run_tables

        page = io.StringIO()
        # The console must not read what people wrote as markup.
        console = Console(
            file=page, width=max(40, width), markup=False, highlight=False, emoji=False, force_terminal=True
        )
        for part in self._tables(run_tables):
            console.print(part)
        return Text.from_ansi(page.getvalue())


def describe_end(app: MovieTui, run: Run) -> str:
    """Return a sentence about the end of a run."""
    from movietui.ui.train.screen import TrainScreen

    match run.state:
        case "done":
            label = METRICS["rmse"].label
            figure = (
                tr("{metric} {figure:.4f} on {split}", metric=label, figure=run.metrics["rmse"], split=run.split)
                if "rmse" in run.metrics
                else tr("done")
            )
            return tr(
                "{model}: {figure} · press {key} on run {number} to use it in Browse",
                model=run.model,
                figure=figure,
                key=key_on(TrainScreen, app, "train.use"),
                number=run.id,
            )
        case "cancelled":
            again = key_on(TrainScreen, app, "train.again")
            return tr(
                "Stopped training {model}; run {number} keeps its curve, and {key} resumes it.",
                model=run.model,
                number=run.id,
                key=again,
            )
        case _:
            return tr(
                "! Run {number} {state}: {problem}",
                number=run.id,
                state=state_in_words(run.state),
                problem=run.problem,
            )
