"""The frame around every screen: a title line, the screen, a status line, the footer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from movietui import text
from movietui.activity import Activity
from movietui.viewers import LETTERS
from movietui.widgets.told import told

if TYPE_CHECKING:
    from movietui.app import MovieTui
    from movietui.session import Session

SMALLEST = (60, 16)


SCREENS = {
    "browse": ("b", "Browse", "The list of movies"),
    "data": ("d", "Data", "Datasets and their cleaning"),
    "train": ("t", "Train", "Models, runs and their metrics"),
}


def screen_keys(*shown: str) -> list[Binding]:
    """Return the keys of all screens; the footer has room for few, so each screen shows where one goes next."""
    return [
        Binding(key, f"app.switch_mode('{mode}')", name, show=mode in shown, id=f"screen.{mode}", tooltip=meaning)
        for mode, (key, name, meaning) in SCREENS.items()
    ]


class TitleLine(Widget):
    """What is open: dataset, model with its measured quality, and who the list is for."""

    _shown = Text()

    def renew(self) -> None:
        """Draw again where it says something else."""
        words = self.render()
        assert isinstance(words, Text)
        if words != self._shown:
            self._shown = words
            self.refresh()

    def render(self) -> RenderResult:
        """Draw the parts from left to right; where room is short, the last give way."""
        app = cast("MovieTui", self.app)
        parts = [Text.assemble((" movietui ", "bold reverse"))]
        right = Text()
        if app.session.opened is not None:
            opened = app.session.opened
            parts.append(Text(f"  {opened['dataset']} · {text.plural(opened['movies'], 'movie')}", "bold"))
            if opened["invented"]:
                parts.append(Text(" · ratings invented", "italic"))
            metrics = opened["metrics"]
            quality = [f"RMSE {metrics['rmse']:.2f}"] * ("rmse" in metrics)
            quality += [f"· ndcg {text.decimals(metrics['ndcg@10'])}"] * ("ndcg@10" in metrics)
            parts += [Text(f"   {opened['model']}"), *(Text(f" {figure}") for figure in quality)]
            right = _viewers(app.session)
        left, room = parts[0], self.size.width - right.cell_len - 3
        for part in parts[1:]:
            if left.cell_len + part.cell_len > room:
                break
            left = left + part
        return text.fitted(left, self.size.width - right.cell_len - 1) + right


def _viewers(session: Session) -> Text:
    """Who the list is for; of several, whose rating the next key is."""
    audience = session.audience
    names = [ref.label for ref in audience.viewers]
    if not audience.together:
        return Text("".join(names[:1]), "bold")
    line = Text()
    for place, name in enumerate(names):
        line.append("  " if place else "")
        line.append(f"{LETTERS[place]} {name}", "bold underline" if place == audience.rating_as else "")
    return line


class StatusLine(Widget):
    """The job in progress with a thin bar, or how the last thing ended; a sentence has as many lines as it needs."""

    _shown = Text()

    def renew(self) -> None:
        """Draw again where it says something else; the screen is laid out again only for another number of lines."""
        words = self.render()
        assert isinstance(words, Text)
        if (words, words.style) == (self._shown, self._shown.style):
            return
        self._shown = words
        lines = len(words.wrap(self.app.console, max(1, self.content_size.width)))
        self.refresh(layout=lines != self.content_size.height)

    def render(self) -> RenderResult:
        """Draw the newest word; beside it, quietly, how far a training is."""
        app = cast("MovieTui", self.app)
        job, outcome, width = app.work.activity, app.outcome, self.size.width - 2
        if job is not None:
            return _progress(job, outcome, width)
        number = next(iter(app.queue.activities), None)
        if number is None:
            return outcome
        training, paused = app.queue.activities[number], number in app.queue.paused
        whole = _training(training, paused=paused)
        if not outcome.plain:
            return whole
        for beside in (whole, _bar_alone(training)):
            if outcome.cell_len + beside.cell_len < width:
                return text.fitted(outcome, width - beside.cell_len) + beside
        return Text("\n").join([outcome, whole])


def _progress(job: Activity, outcome: Text, width: int) -> Text:
    line = Text.assemble((job.title, "bold"), f" {job.step} ")
    line.append_text(text.thin_bar(job.done, job.total, max(6, min(24, width // 5))))
    line.append(f" {job.reached} ")
    if outcome.plain:
        line.append("· ").append_text(outcome)
    return text.fitted(line, width)


def _training(activity: Activity, *, paused: bool) -> Text:
    share, left = activity.whole()
    line = Text(f"{activity.title} ", "dim").append_text(text.thin_bar(share, 1, 12))
    told = "paused" if paused else f"{text.duration(left)} left" if left else activity.step or "starting"
    return line.append(f" {told}", "dim")


def _bar_alone(activity: Activity) -> Text:
    return Text(f"{activity.request['model']} ", "dim").append_text(text.thin_bar(activity.whole()[0], 1, 6))


class KeyLine(Widget):
    """The keys that go furthest; a click on one is as good as the key.

    Textual's footer has a widget for each key and makes them anew whenever the focus moves, a quarter of the start.
    """

    def on_mount(self) -> None:
        """Draw again when other keys are in force."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> RenderResult:
        """Draw the keys that are shown, each action once."""
        line = Text(no_wrap=True, overflow="ellipsis")
        actions = set()
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and enabled and binding.action not in actions:
                actions.add(binding.action)
                meta = {"@click": f"app.simulate_key({binding.key!r})"}
                line.append(f" {self.app.get_key_display(binding)} ", Style(bold=True, meta=meta))
                line.append(f"{binding.description} ", Style(meta=meta))
        return line


def apart(regions: Iterable[Region]) -> list[Region]:
    """Return regions from top to bottom, those joined that together are no larger than one by one.

    >>> apart([Region(0, 3, 9, 2), Region(0, 0, 9, 3), Region(0, 20, 9, 1)])
    [Region(x=0, y=0, width=9, height=5), Region(x=0, y=20, width=9, height=1)]
    """
    found: list[Region] = []
    for region in sorted(regions, key=lambda one: (one.y, one.x)):
        if found and found[-1].union(region).area <= found[-1].area + region.area:
            found[-1] = found[-1].union(region)
        else:
            found.append(region)
    return found


def entitle(pane: Widget, title: str | None = None, subtitle: str | None = None) -> None:
    """Write what is given on the border of a pane. Where that stands there already nothing is drawn again."""
    for name, words in (("border_title", title), ("border_subtitle", subtitle)):
        if words is not None and getattr(pane, name) != Content(words).markup:
            setattr(pane, name, Content(words))


class TooSmall(Static):
    """What stands in place of a screen that has no room."""

    def __init__(self) -> None:
        super().__init__("movietui needs a little more room:\n60 columns and 16 lines.", markup=False)


class FrameScreen(Screen[None]):
    """A screen inside the frame. Subclasses compose their body."""

    title_of_help: ClassVar[str]
    about: Sequence[str]
    """What the list of keys says first."""

    _focused_before: Widget | None = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (130, "-wide")]

    def __init__(self) -> None:
        super().__init__()
        self._css_update_count = 0  # Textual would parse all CSS a second time for a screen that is new

    def _compositor_refresh(self) -> None:
        # While updates are held back, Textual draws the whole screen only to throw it away: twice at the start.
        if self.app._batch_count:
            return
        compositor = self._compositor
        if self is not self.app.screen or len(compositor._dirty_regions) < 2:
            super()._compositor_refresh()
            return
        # Textual also draws all widgets between the highest and the lowest change: with the status line among the
        # changes, those of the whole screen. So changes that lie apart are drawn one by one, and in between there is a
        # turn for whatever came meanwhile: all at once they take twenty milliseconds.
        first, *others = apart(compositor._dirty_regions)
        compositor._dirty_regions = {first}
        super()._compositor_refresh()
        compositor._dirty_regions.update(others)
        if others:
            asyncio.get_running_loop().call_later(0, self._draw_others)

    def _draw_others(self) -> None:
        if self.is_current:
            # What changed meanwhile is drawn with them: what Textual draws next it holds for all that there is to draw.
            self._compositor.update_widgets(self._dirty_widgets)
            self._compositor_refresh()

    @property
    def movie_tui(self) -> MovieTui:
        """The app."""
        return cast("MovieTui", self.app)

    @property
    def session(self) -> Session:
        """What the app knows."""
        return self.movie_tui.session

    def compose(self) -> ComposeResult:
        """Put the body between the lines of the frame."""
        yield TitleLine(id="title-line")
        yield from self.body()
        yield StatusLine(id="status-line")
        yield KeyLine(id="key-line")

    def body(self) -> ComposeResult:
        """Return the widgets of the screen, in one of the class ``body``."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Ask for more room where there is too little."""
        small = self.app.size.width < SMALLEST[0] or self.app.size.height < SMALLEST[1]
        if small and not self.has_class("-too-small"):
            self._focused_before = self.focused
        elif not small and self.has_class("-too-small") and self._focused_before is not None:
            # What is hidden loses the focus; whoever makes the window larger again goes on where they were.
            self.call_after_refresh(self.set_focus, self._focused_before)
        self.set_class(small, "-too-small")
        if small and not self.query(TooSmall):
            self.mount(TooSmall(), after=".body")

    async def action_cancel(self) -> None:
        """Stop what runs."""
        if not await self.movie_tui.work.cancel():
            self.movie_tui.say("Nothing is running.")

    @work(group="backup")
    @told
    async def action_back_up(self) -> None:
        """Write a backup where backups lie."""
        from movietui.backup import back_up

        made = await self.movie_tui.in_thread(back_up, self.session.store)
        self.movie_tui.say(f"{text.plural(made['ratings'], 'rating')}, all profiles and runs are in {made['backup']}")

    @on(events.ScreenResume)
    def catch_up(self, event: events.ScreenResume) -> None:
        """Catch up with what happened while another screen was open."""
        # Each widget has its styles since it was made, and another theme comes to it by itself.
        event.refresh_styles = False
        self.refresh_frame()

    def refresh_frame(self) -> None:
        """Draw the lines of the frame again where they say something else."""
        for line in self.children:
            if isinstance(line, TitleLine | StatusLine):
                line.renew()
