"""The frame around every screen: a title line above it, and a status line and a line of keys below it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Static

from movietui.data.language import tr
from movietui.formatting import text
from movietui.models.choices import METRICS
from movietui.protocol.viewers import LETTERS
from movietui.state.job_progress import JobProgress
from movietui.ui.bindings import key_on
from movietui.ui.problems import shows_problems
from movietui.ui.screens import MainScreen
from movietui.ui.widgets.explained import TERM, Explained
from movietui.ui.widgets.text_line import TextLine
from movietui.ui.wording import Term, training_state

if TYPE_CHECKING:
    from movietui.state.session import Session
    from movietui.ui.app import MovieTui

MINIMUM_SIZE = (60, 16)
"""The columns and lines of the smallest window that shows the screens."""


SCREENS = {
    "browse": ("b", tr("Browse"), tr("The list of movies")),
    "data": ("d", tr("Data"), tr("Datasets and cleaning")),
    "train": ("t", tr("Train"), tr("Models, runs and their metrics")),
}


def screen_keys(*shown: str) -> list[Binding]:
    """Return the keys that switch screens. ``shown``: the screens whose keys are in the line of keys."""
    return [
        Binding(key, f"app.switch_mode('{mode}')", name, show=mode in shown, id=f"screen.{mode}", tooltip=meaning)
        for mode, (key, name, meaning) in SCREENS.items()
    ]


class TitleLine(TextLine, Explained):
    """Shows the open dataset, its model with its measured quality, and whom the list is for.

    A click on the dataset opens Data. A click on the model lists the models on Browse, and opens Train elsewhere. A
    click on the only viewer goes to the viewers. Of several viewers, the one that is clicked rates next.
    """

    def render(self) -> RenderResult:
        """Draw as many parts as fit, from left to right."""
        app = cast("MovieTui", self.app)
        parts = [Text.assemble((" movietui ", "bold reverse"))]
        right = Text()
        if app.session.opened is not None:
            opened = app.session.opened
            dataset = f"  {opened['dataset']} · {text.plural(opened['movies'], 'movie')}"
            parts.append(Text(dataset, Style(bold=True, meta={"@click": "app.switch_mode('data')"})))
            if opened["invented"]:
                parts.append(Text(tr(" · ratings invented"), "italic"))
            metrics = opened["metrics"]
            quality = {"RMSE": f" {METRICS['rmse'].label} {metrics['rmse']:.2f}"} if "rmse" in metrics else {}
            quality |= {"ndcg": f" · ndcg {text.decimals(metrics['ndcg@10'])}"} if "ndcg@10" in metrics else {}
            models = {"@click": cast("FrameScreen", self.screen).models_action}
            parts.append(Text(f"   {opened['model']}", Style(meta=models)))
            parts += [Text(figure, Style(meta={**models, TERM: term})) for term, figure in quality.items()]
            if app.stand_in.offered is not None and cast("FrameScreen", self.screen).offers_models:
                from movietui.ui.browse.screen import BrowseScreen

                key = key_on(BrowseScreen, app, "browse.models")
                offer = tr("{key} better model", key=key)
                parts.append(Text.assemble("  ", (offer, Style(italic=True, meta=models))))
            right = Text() if app.asks_who else _viewers(app.session)
        left, room = parts[0], self.size.width - right.cell_len - 3
        for part in parts[1:]:
            if left.cell_len + part.cell_len > room:
                break
            left = left + part
        return text.fitted(left, self.size.width - right.cell_len - 1) + right


def _viewers(session: Session) -> Text:
    """Return the names of the viewers. Of several, the one who rates next is underlined."""
    audience = session.audience
    names = [ref.label for ref in audience.viewers]
    if not audience.together:
        return Text("".join(names[:1]), Style(bold=True, meta={"@click": "app.show_viewers"}))
    line = Text()
    for index, name in enumerate(names):
        line.append("  " if index else "")
        rates_next, meta = index == audience.rating_as, {"@click": f"app.rate_next_as({index})"}
        line.append(f"{LETTERS[index]} {name}", Style(bold=rates_next, underline=rates_next, meta=meta))
    return line


class StatusLine(Widget):
    """Shows the last notice and the progress of a job or run, on as many lines as they take."""

    _shown = Text()

    def refresh_if_changed(self) -> None:
        """Draw again if the text changed, and lay out the screen if the number of lines changed."""
        words = self.render()
        assert isinstance(words, Text)
        if (words, words.style) == (self._shown, self._shown.style):
            return
        self._shown = words
        width = max(1, self.content_size.width)
        fits = words.cell_len <= width and "\n" not in words.plain
        lines = 1 if fits else len(words.wrap(self.app.console, width))
        self.refresh(layout=lines != self.content_size.height)

    def render(self) -> RenderResult:
        """Draw the last notice with the progress of the job or of a run, on one line if there is room."""
        app, screen = cast("MovieTui", self.app), cast(FrameScreen, self.screen)
        opened = app.session.opened["dataset"] if app.session.opened is not None else ""

        def concerns(dataset: str) -> bool:
            return not screen.about_open_dataset or dataset in ("", opened, app.newer.getting)

        job, width = app.jobs.progress, self.size.width - 2
        notice = app.notice if concerns(app.notice_dataset) else Text()
        if not screen.shows_jobs:
            return notice
        if job is not None and concerns(job.dataset) and not (screen.about_open_dataset and job.dataset != opened):
            return _progress(job, notice, width)
        number = next((number for number, run in app.queue.progress.items() if concerns(run.dataset)), None)
        if job is not None and concerns(job.dataset):
            whole, short = _stage(job), _short_bar(job)
        elif number is not None:
            training, paused = app.queue.progress[number], number in app.queue.paused
            whole = _training(training, elsewhere=training.dataset != opened, paused=paused)
            short = _short_bar(training)
        else:
            return notice
        if not notice.plain:
            return whole
        for beside in (whole, short):
            if notice.cell_len + beside.cell_len < width:
                return text.fitted(notice, width - beside.cell_len) + beside
        return Text("\n").join([notice, whole])


def _progress(job: JobProgress, notice: Text, width: int) -> Text:
    line = Text.assemble((job.title, "bold"), f" {job.step} ")
    line.append_text(text.thin_bar(job.done, job.total, max(6, min(24, width // 5))))
    line.append(f" {job.reached} ")
    if notice.plain:
        line.append("· ").append_text(notice)
    return text.fitted(line, width)


def _training(progress: JobProgress, *, elsewhere: bool, paused: bool) -> Text:
    """Return the progress of a run. With ``elsewhere``, name its dataset, which is not the open one."""
    share, left = progress.whole()
    title = f"{progress.title} · {progress.dataset}" if elsewhere and progress.dataset else progress.title
    line = Text(f"{title} ", "dim").append_text(text.thin_bar(share, 1, 12))
    return line.append(f" {training_state(progress.step, left, paused=paused)}", "dim")


def _stage(progress: JobProgress) -> Text:
    """Return the progress of the current stage of a job that is not about the open dataset."""
    line = Text(f"{progress.title} ", "dim").append_text(text.thin_bar(progress.done, progress.total, 12))
    return line.append(f" {progress.reached or progress.step}", "dim")


def _short_bar(progress: JobProgress) -> Text:
    """Return the title of a job and a short bar, for a line with little room."""
    if progress.request["do"] == "train":
        return Text(f"{progress.request['model']} ", "dim").append_text(text.thin_bar(progress.whole()[0], 1, 6))
    return Text(f"{progress.title} ", "dim").append_text(text.thin_bar(progress.done, progress.total, 6))


class KeyLine(Widget):
    """Shows the most important keys. Clicking a key is like pressing it.

    Textual's footer has a widget for each key, and creates all of these again whenever the focus moves. That would take
    a quarter of the time that the app needs to start.
    """

    def on_mount(self) -> None:
        """Draw again when other keys become active."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> RenderResult:
        """Draw the active keys of bindings with ``show``, each action once.

        In a narrow window, the last key, for help, stays, and those before it that do not fit are left out.
        """
        keys: list[Text] = []
        actions = set()
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and enabled and binding.action not in actions:
                actions.add(binding.action)
                meta = {"@click": f"app.simulate_key({binding.key!r})"}
                key = (f" {self.app.get_key_display(binding)} ", Style(bold=True, meta=meta))
                keys.append(Text.assemble(key, (f"{binding.description} ", Style(dim=True, meta=meta))))
        while len(keys) > 1 and sum(key.cell_len for key in keys) > self.size.width:
            keys.pop(-2)
        return Text("", no_wrap=True, overflow="ellipsis").join(keys) if keys else Text()


class TooSmall(Static):
    """Shown instead of a screen that has too little room."""

    def __init__(self) -> None:
        super().__init__(tr("movietui needs a larger window:\nat least 60 columns and 16 lines."), markup=False)


class FrameScreen(MainScreen):
    """A screen inside the frame. Subclasses define ``body``."""

    help_title: ClassVar[str]
    models_action: ClassVar[str] = "app.switch_mode('train')"
    """What a click on the model in the title line does."""
    about: ClassVar[Sequence[str]] = ()
    """Lines above the keys in the help."""

    offers_models: ClassVar[bool] = True
    """Whether the screen says that a better model is ready."""
    shows_jobs: ClassVar[bool] = True
    """Whether the status line shows the progress of jobs."""
    about_open_dataset: ClassVar[bool] = False
    """Whether the screen is only about the open dataset, so that its status line mentions no other dataset."""
    _focused_before: Widget | None = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (130, "-wide")]

    @property
    def movie_tui(self) -> MovieTui:
        """The app, with its exact type."""
        return cast("MovieTui", self.app)

    @property
    def session(self) -> Session:
        """The open dataset, the list and its viewers."""
        return self.movie_tui.session

    def compose(self) -> ComposeResult:
        """Put the body between the lines of the frame."""
        yield TitleLine(id="title-line")
        yield from self.body()
        yield StatusLine(id="status-line")
        yield KeyLine(id="key-line")

    def body(self) -> ComposeResult:
        """Return the widgets between the lines of the frame. The widget that fills the room has the class ``body``."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """If the window is too small, ask for a larger one instead of showing the screen."""
        small = self.app.size.width < MINIMUM_SIZE[0] or self.app.size.height < MINIMUM_SIZE[1]
        if small and not self.has_class("-too-small"):
            self._focused_before = self.focused
        elif not small:
            self.call_after_refresh(self._focus_visible)
        self.set_class(small, "-too-small")
        if small and not self.query(TooSmall):
            self.mount(TooSmall(), after=".body")

    def _focus_visible(self) -> None:
        """If the widget with the focus was hidden, by the window's size or by a key, focus a visible widget.

        Otherwise keys would go to a hidden widget, such as a search field, or get lost. A widget that lost the focus
        because the window was too small gets it back.
        """
        if self.has_class("-too-small"):
            return
        visible, before = self.focus_chain, self._focused_before
        self._focused_before = None
        if self.focused not in visible:
            self.set_focus(before if before in visible else self.main_widget())

    def main_widget(self) -> Widget | None:
        """Return the widget that gets the focus if the widget with the focus was hidden; ``None`` for no widget."""
        return None

    def terms(self) -> Mapping[str, Sequence[Term]]:
        """Return what the help explains after the keys, by the title of the section."""
        return {}

    async def action_cancel(self) -> None:
        """Cancel the job in progress."""
        if not await self.movie_tui.jobs.cancel():
            self.movie_tui.show_notice(tr("Nothing is running."))

    @work(group="backup")
    @shows_problems
    async def action_back_up(self) -> None:
        """Write a backup to the default folder."""
        from movietui.store.backup import back_up

        backup = await asyncio.to_thread(back_up, self.session.store)
        self.movie_tui.show_notice(
            tr(
                "Backed up {ratings}, all profiles and runs to {path}",
                ratings=text.plural(backup["ratings"], "rating"),
                path=backup["backup"],
            )
        )

    @on(events.ScreenResume)
    def catch_up(self, event: events.ScreenResume) -> None:
        """Show what happened while another screen was open."""
        # Every widget already has its styles, and a new theme reaches it without refreshing them here.
        event.refresh_styles = False
        self.refresh_frame()

    @property
    def status_line(self) -> StatusLine:
        """The line for notices and progress."""
        return self.query_one(StatusLine)

    def refresh_status(self) -> None:
        """Redraw the status line if it changed."""
        if (line := self.query_one_optional(StatusLine)) is not None:  # there is none yet while the screen opens
            line.refresh_if_changed()

    def refresh_frame(self) -> None:
        """Redraw the lines of the frame that changed."""
        for line in self.children:
            if isinstance(line, TitleLine | StatusLine):
                line.refresh_if_changed()
