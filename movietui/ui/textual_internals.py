"""Everything that movietui uses of Textual beyond its public interface.

Each use is wrapped in a function or class, which says why the public interface is not enough. A test in
``test_textual_internals`` fails when Textual changes it. No other module may use a private name of Textual.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from rich.segment import Segment
from rich.text import Text
from textual._compositor import Compositor
from textual._context import active_message_pump
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.cache import FIFOCache
from textual.color import Color
from textual.command import CommandPalette
from textual.css.styles import StylesBase
from textual.dom import DOMNode
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.geometry import Region, Size, Spacing
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.signal import Signal
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual_plotext import PlotextPlot

Result = TypeVar("Result")

FRAME_SECONDS = 1 / 60
"""Seconds between checks of whether a screen may draw the changes that it holds back."""


# Nodes and screens


def active_node() -> object:
    """Return the app, screen or widget that is handling a message, or ``None``.

    Textual passes only the error to an exception handler, not where it was raised.
    """
    return active_message_pump.get(None)


def raised_by(error: BaseException) -> object:
    """Return the object whose method raised an error, or ``None``. Textual's errors do not name their node."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_locals.get("self") if trace is not None else None


def is_being_removed(node: DOMNode) -> bool:
    """Return whether a node is being removed. Its ``is_attached`` stays true while its children are removed."""
    return node._pruning


def all_screens(app: App[Any]) -> Iterator[Screen[Any]]:
    """Yield the screens of all modes. ``App.screen_stack`` has only those of the current mode."""
    for stack in app._screen_stacks.values():
        yield from stack


def key_name(character: str) -> str:
    """Return what Textual calls the key of a character, such as ``question_mark``. No public function does this."""
    return _character_to_key(character)


def driver_of(app: App[Any]) -> Driver | None:
    """Return the driver of an app. Textual has no public way to get it."""
    return app._driver


def forget_removed(screen: Screen[Any]) -> None:
    """Release removed widgets.

    Textual's nodes keep references to up to a thousand widgets that ``query_one`` found, and its signals keep
    references to all widgets that ever subscribed.
    """
    for node in (screen, *screen.walk_children(with_self=False)):
        node._query_one_cache.clear()
    for owner in (screen, screen.app):
        for signal in [value for value in vars(owner).values() if isinstance(value, Signal)]:
            for listener in [node for node in signal._subscriptions if node._closed]:
                signal.unsubscribe(listener)


def share_border_colors() -> None:
    """Cache border colours once for all widgets.

    In Textual's cache, each key contains the cache of a widget. It therefore keeps what a thousand widgets have drawn,
    even in closed panels: some 60 MB.
    """
    compute = StylesCache.get_inner_outer.__wrapped__
    StylesCache.get_inner_outer = classmethod(lru_cache(1024)(compute))  # type: ignore[method-assign, assignment, arg-type]


share_border_colors()


def line_at(screen: Screen[Any], y: int) -> str:
    """Return what a line of a screen shows. Textual has no public way to read the screen."""
    strips = screen._compositor.render_strips()
    return strips[y].text if 0 <= y < len(strips) else ""


# Drawing


def merge_regions(regions: Iterable[Region]) -> list[Region]:
    """Return regions from top to bottom, merged if the union of two is no larger than both together.

    >>> merge_regions([Region(0, 3, 9, 2), Region(0, 0, 9, 3), Region(0, 20, 9, 1)])
    [Region(x=0, y=0, width=9, height=5), Region(x=0, y=20, width=9, height=1)]
    """
    merged: list[Region] = []
    for region in sorted(regions, key=lambda one: (one.y, one.x)):
        if merged and merged[-1].union(region).area <= merged[-1].area + region.area:
            merged[-1] = merged[-1].union(region)
        else:
            merged.append(region)
    return merged


class CroppedCompositor(Compositor):
    """A compositor that renders no more than what it draws.

    Textual renders all lines of nearly every widget, even if it draws a small part of the screen, and even of widgets
    hidden behind others, such as the containers of a list.
    """

    def _get_renders(self, crop: Region | None = None) -> Iterator[tuple[Region, Region, list[Strip]]]:
        crop = self.size.region if crop is None else crop
        painted = [0] * crop.bottom
        """For each line, a bit for each column that a widget further in front paints."""
        for widget, (region, clip) in self.visible_widgets.items():  # from front to back
            visible = region.intersection(clip)
            in_crop = visible.intersection(crop)
            columns = ((1 << in_crop.width) - 1) << in_crop.x
            if all(painted[y] & columns == columns for y in in_crop.line_range):
                continue
            for y in in_crop.line_range:
                painted[y] |= columns
            lines = Region(visible.x, in_crop.y, visible.width, in_crop.height)
            yield region, lines, widget.render_lines(lines.translate(-region.offset))


class LightStrip(Strip):
    """A line that creates each of its caches when the cache is first used.

    Textual's strip creates seven caches at once, which takes a quarter of the time of drawing a list. And if nothing is
    cut off, it keeps itself as its only part. Only a full garbage collection frees such a cycle: scrolling would leave
    thousands of lines behind, and one frame in a hundred would wait a tenth of a second.
    """

    __slots__ = ()

    def __init__(self, segments: Iterable[Segment], cell_length: int) -> None:
        self._segments = list(segments)
        self._cell_length = cell_length
        self._render_cache = self._link_ids = self._cell_count = None

    def __getattr__(self, name: str) -> Any:
        """Create a cache that is used for the first time."""
        if not name.endswith("_cache"):
            raise AttributeError(name)
        cache = FIFOCache[Any, Any](4)
        setattr(self, name, cache)
        return cache

    def apply_filter(self, filter: LineFilter, background: Color) -> Strip:  # noqa: A002
        """Return the line that a filter makes of this one."""
        cache, key = self._filter_cache, (filter, background)
        if (filtered := cache.get(key)) is None:
            filtered = cache[key] = LightStrip(filter.apply(self._segments, background), self.cell_length)
        return filtered

    def crop(self, start: int, end: int | None = None) -> Strip:
        """Return the cells from ``start`` on that are before ``end``."""
        cropped = super().crop(start, end)
        return cropped if cropped is self else LightStrip(cropped, cropped.cell_length)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Return the parts between the cuts."""
        ends = [cut for cut in cuts if cut <= self.cell_length]
        if ends == [self.cell_length]:
            return [self]
        parts = Segment.divide(self._segments, ends)
        return [LightStrip(part, end - start) for part, start, end in zip(parts, [0, *ends], ends, strict=False)]


_NO_SIDES: tuple[int, list[Segment], list[Segment]] = -1, [], []


class LinesCache(StylesCache):
    """Draws the lines of a widget, and computes the border beside them only once.

    Textual computes the border's colours and characters again for each line, which takes as long as drawing the line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._plain = False
        """Whether a line consists of the border, the padding and the content, without effects on top."""
        self._sides = _NO_SIDES
        """The number of cells of the content of a line, and what is on its left and right, such as the border."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """Draw lines of a widget."""
        styles = widget.styles
        effects = styles.tint.a or styles.has_rule("hatch") or any(edge for edge, _ in styles.outline)
        self._plain = widget.opacity == styles.text_opacity == 1.0 and not effects
        self._sides = _NO_SIDES
        return super().render_widget(widget, crop)

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Spacing,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        *labels_and_effects: Any,
    ) -> Strip:
        """Draw one line of a widget, with its border."""
        top, _, _, left = styles.gutter
        line = render_content_line(y - top) if self._plain and 0 <= y - top < content_size.height else None
        cells, before, after = self._sides
        if line is not None and line.cell_length == cells:
            return LightStrip([*before, *line, *after], size.width)
        render = render_content_line if line is None else lambda _: line
        drawn = LightStrip(
            super().render_line(
                *(styles, y, size, content_size, padding, base_background, background, render), *labels_and_effects
            ),
            size.width,
        )
        if line is not None:
            right = min(left + line.cell_length, size.width)
            self._sides = line.cell_length, list(drawn.crop(0, left)), list(drawn.crop(right, size.width))
        return drawn


def draw_lines_fast(widget: Widget) -> None:
    """Let a ``LinesCache`` draw a widget. Textual has no public way to replace its own."""
    widget._styles_cache = LinesCache()


class PartialRefreshScreen(Screen[Result]):
    """A screen that draws distant changes one by one.

    Textual draws every widget between the highest and the lowest change. If the status line changes too, that is the
    whole screen, which takes up to 19 ms while a model is trained. Drawing the changes one by one takes up to 14 ms,
    and other messages are handled in between.
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = CroppedCompositor()
        self._css_update_count = 0  # else Textual parses all CSS a second time for a new screen
        self._will_draw = False
        """Whether the remaining changes are scheduled to be drawn."""

    def _compositor_refresh(self) -> None:
        if self is self.app.screen and self.app._batch_count:
            # Textual would draw the whole screen only to discard it, twice at the start.
            self._draw_rest_in(FRAME_SECONDS)
        elif self is self.app.screen and self._compositor._dirty_regions:
            self._draw_first_change()
        else:
            # Passes the changes on to the screen above, or records that none of them is visible.
            super()._compositor_refresh()

    def _draw_first_change(self) -> None:
        compositor = self._compositor
        # If the screen became smaller, a region may lie outside. Textual skips lines that no longer exist only if the
        # whole screen is among the regions.
        whole = compositor.size.region
        dirty = {part for region in compositor._dirty_regions if (part := region.intersection(whole))}
        first, *others = [whole] if whole in dirty else merge_regions(dirty) or [Region()]
        compositor._dirty_regions = {first} if first else set()
        super()._compositor_refresh()
        compositor._dirty_regions.update(others)
        if others:
            self._draw_rest_in(0)  # after the messages that arrived meanwhile

    def _draw_rest_in(self, seconds: float) -> None:
        if not self._will_draw:
            self._will_draw = True
            # As a message to the screen, so that an error in a widget ends the app like any other.
            asyncio.get_running_loop().call_later(seconds, self.call_later, self._draw_rest)

    def _draw_rest(self) -> None:
        self._will_draw = False
        if self.is_current:
            # Lay out new widgets first, as Textual does: otherwise they would never learn their size, and Textual would
            # assume that the next drawing draws everything.
            self._on_timer_update()
            if self._compositor._dirty_regions and not self._will_draw:
                self._compositor_refresh()


class TolerantPalette(CommandPalette):
    """Textual's command palette, without the error after a key if the commands have no room for a line."""

    def _action_command_list(self, action: str) -> None:
        with contextlib.suppress(KeyError):
            super()._action_command_list(action)


def set_plot_size(plot: PlotextPlot, size: Size) -> None:
    """Set the size of a plot. ``plotsize`` alone does not: ``PlotextPlot.render`` calls both methods too."""
    plot.plt.plotsize(*size)
    plot.plt._set_size(*size)


# Errors


class CrashHooks(App[Result]):
    """An app that decides what happens after an unexpected error. Textual has no public hook for that."""

    def ignores(self, error: Exception) -> bool:
        """Return whether to drop an error."""
        return False

    def crashed(self, error: Exception) -> None:
        """Called with an error that ends the app."""

    def describe_crash(self, error: Exception) -> Text | None:
        """Return what is printed when an error ends the app; ``None`` for a traceback."""
        return None

    def _handle_exception(self, error: Exception) -> None:
        if not self.ignores(error):
            self.crashed(error)
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        description = None if self._exception is None else self.describe_crash(self._exception)
        if description is None:
            super()._fatal_error()
        elif self._exit_renderables:  # an earlier error is already described
            self._close_messages_no_wait()
        else:
            self.panic(description)


# The terminal


class DriverAccess(LinuxDriver):
    """Textual's driver, with public names for what a subclass needs."""

    @property
    def app(self) -> App[Any]:
        """The app that the driver draws."""
        return self._app

    @property
    def loop(self) -> AbstractEventLoop:
        """The event loop of the app."""
        return self._loop

    @property
    def output(self) -> Any:
        """The file that the driver writes to. Textual itself always uses standard error."""
        return self._file

    @output.setter
    def output(self, file: Any) -> None:
        self._file = file

    @property
    def is_drawing(self) -> bool:
        """Whether the thread that draws is alive."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    def new_parser(self) -> XTermParser:
        """Return a parser that turns the terminal's input into messages."""
        return XTermParser(self._debug)

    def terminal_size(self) -> tuple[int, int] | None:
        """Return the columns and lines of the terminal; ``None`` to let Textual determine them."""
        return None

    def current_size(self) -> Size:
        """Return the size of the terminal now."""
        return Size(*self._get_terminal_size())

    def _get_terminal_size(self) -> tuple[int, int]:
        return self.terminal_size() or super()._get_terminal_size()
