"""Everything that movietui uses of Textual beyond its public interface.

Each use is wrapped in a function or class, which says why the public interface is not enough. A test in
``test_textual_internals`` fails when Textual changes it. No other module may use a private name of Textual.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.text import Text
from textual._compositor import Compositor, CompositorUpdate
from textual._context import active_message_pump
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.cache import FIFOCache
from textual.color import Color
from textual.command import CommandPalette
from textual.content import Content
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

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Sequence[Mapping[int, Strip]]:
        """Return for each line its parts between two cuts, by column; lines that are not rendered have none."""
        nothing = dict[int, Strip | None]()
        chops = [nothing] * self.size.height
        for y in crop.line_range:
            if is_rendered_line(y):
                chops[y] = dict.fromkeys(self.cuts[y][:-1])
        for region, clip, strips in self._get_renders(crop):
            visible = region.intersection(clip)
            first, last = visible.column_span
            for y, strip in zip(visible.line_range, strips, strict=False):
                if (line := chops[y]) is nothing:
                    continue
                cuts = [cut for cut in self.cuts[y] if first <= cut <= last]
                for cut, part in zip(cuts, strip.divide([cut - first for cut in cuts[1:]]), strict=False):
                    if line[cut] is None:  # else a widget further in front is there
                        line[cut] = part
        return cast("Sequence[Mapping[int, Strip]]", chops)

    def render_partial_update(self) -> LightUpdate | None:  # type: ignore[override]  # ``App`` draws it too
        """Render the changes, each by itself: Textual would render everything between the highest and the lowest."""
        changes, self._dirty_regions = self._dirty_regions, set()
        parts: list[tuple[int, int, Strip]] = []
        for region in sorted(changes, key=lambda one: (one.y, one.x)):
            chops, (left, right) = self._render_chops(region, region.line_range.__contains__), region.column_span
            for y in region.line_range:
                for end, (x, strip) in zip(self.cuts[y][1:], chops[y].items(), strict=True):
                    if strip is not None and x < right and end > left:
                        parts.append((x, y, strip if end <= right else strip.crop(0, right - x)))
        return LightUpdate(parts) if parts else None


class LightUpdate(CompositorUpdate):
    """Changed parts of lines, encoded with a move of the cursor only where a part does not begin there.

    Textual moves the cursor before each part, such as a scroll bar, which takes longer than encoding the part.
    """

    def __init__(self, parts: Sequence[tuple[int, int, Strip]]) -> None:
        """``parts``: each with its column and line, from left to right and from top to bottom."""
        self._parts = parts

    def render_segments(self, console: Console) -> str:
        """Return what is written to the terminal."""
        sequences: list[str] = []
        cursor = (-1, -1)
        for x, y, strip in self._parts:
            if (x, y) != cursor:
                sequences.append(f"\x1b[{y + 1};{x + 1}H")
            sequences.append(strip.render(console))
            cursor = (x + strip.cell_length, y)
        return "".join(sequences)


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
        self._filter_cache: FIFOCache[Any, Strip] | None = None  # type: ignore[assignment]  # see ``apply_filter``

    def __getattr__(self, name: str) -> Any:
        """Create a cache that is used for the first time."""
        if not name.endswith("_cache"):
            raise AttributeError(name)
        cache = FIFOCache[Any, Any](4)
        setattr(self, name, cache)
        return cache

    def apply_filter(self, filter: LineFilter, background: Color) -> Strip:  # noqa: A002
        """Return the line that a filter makes of this one: this one if the filter returns the same segments."""
        cache, key = self._filter_cache, (filter, background)
        if cache is not None and (filtered := cache.get(key)) is not None:
            return filtered
        segments = filter.apply(self._segments, background)
        if segments is self._segments:
            return self
        if cache is None:
            cache = self._filter_cache = FIFOCache(4)
        filtered = cache[key] = LightStrip(segments, self.cell_length)
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
        parts = self._parts_between_segments(ends) or Segment.divide(self._segments, ends)
        return [LightStrip(part, end - start) for part, start, end in zip(parts, [0, *ends], ends, strict=False)]

    def _parts_between_segments(self, ends: Sequence[int]) -> list[list[Segment]]:
        """Return the parts that end at these cells; nothing if one of the cells is within a segment.

        A list is cut at its scroll bar and border, so only its last segments are measured.
        """
        if ends[-1:] != [self.cell_length]:
            return []
        segments, parts = self._segments, list[list[Segment]]()
        last, position = len(segments), self.cell_length
        for end in reversed(ends[:-1]):
            first = last
            while position > end:
                first -= 1
                position -= cell_len(segments[first].text)
            if position < end:
                return []
            parts.append(segments[first:last])
            last = first
        return [segments[:last], *reversed(parts)]


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
        self._top = self._left = 0
        """The lines above the content, and the cells on its left."""

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """Draw lines of a widget."""
        styles = widget.styles
        effects = styles.tint.a or styles.has_rule("hatch") or any(edge for edge, _ in styles.outline)
        self._plain = widget.opacity == styles.text_opacity == 1.0 and not effects
        self._sides = _NO_SIDES
        self._top, _, _, self._left = styles.gutter
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
        top, left = self._top, self._left
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


def set_border(widget: Widget, title: str | None = None, subtitle: str | None = None) -> None:
    """Set the title, the subtitle or both on the border of a widget, and redraw only the lines that changed.

    Textual redraws the whole widget.
    """
    lines = {"title": (title, 0), "subtitle": (subtitle, widget.outer_size.height - 1)}
    for name, (words, y) in lines.items():
        if words is not None and words != getattr(widget, f"_border_{name}"):
            setattr(widget, f"_border_{name}", Content(words))
            widget.refresh(Region(0, y, widget.outer_size.width, 1).translate(-widget.content_offset))


def draw_lines_fast(widget: Widget) -> None:
    """Let a ``LinesCache`` draw a widget. Textual has no public way to replace its own."""
    widget._styles_cache = LinesCache()


class PartialRefreshScreen(Screen[Result]):
    """A screen that draws distant changes one by one, except that changes of a single line are drawn with the first.

    Textual draws every widget between the highest and the lowest change. If the status line changes too, that is the
    whole screen, which takes up to 19 ms while a model is trained. Between two large changes, other messages are
    handled.
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

    def draw_now(self, *widgets: Widget) -> None:
        """Draw the changes of these widgets now, rather than after all messages that wait.

        Textual first sends three messages from widget to screen, and handles all others that arrived before these.
        """
        if any(widget._layout_required or widget._scroll_required for widget in widgets):
            return  # Textual lays the screen out first
        for widget in widgets:
            if widget._repaint_required:
                widget._repaint_required = False
                self._dirty_widgets.add(widget)
        self._on_timer_update()

    def _draw_first_change(self) -> None:
        compositor = self._compositor
        # If the screen became smaller, a region may lie outside. Textual skips lines that no longer exist only if the
        # whole screen is among the regions.
        whole = compositor.size.region
        dirty = {part for region in compositor._dirty_regions if (part := region.intersection(whole))}
        first, *others = [whole] if whole in dirty else merge_regions(dirty) or [Region()]
        later = {region for region in others if region.height > 1}
        compositor._dirty_regions = {region for region in (first, *others) if region} - later
        super()._compositor_refresh()
        compositor._dirty_regions.update(later)
        if later:
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

    @property
    def is_behind(self) -> bool:
        """Whether the thread that draws has not taken everything yet."""
        return self._writer_thread is not None and not self._writer_thread._queue.empty()

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
