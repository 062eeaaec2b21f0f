"""Each private name of Textual that movietui uses still exists and still does what it is used for.

If a test fails here after an update of Textual, change ``movietui/ui/textual_internals.py``.
"""

import ast
import asyncio
import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual._compositor import Compositor
from textual._context import active_message_pump
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.drivers._writer_thread import WriterThread
from textual.filter import Monochrome
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.signal import Signal
from textual.strip import Strip
from textual.widgets import Input, Label, Static
from textual_plotext import PlotextPlot

import movietui.ui
from movietui.ui import textual_internals as internals
from movietui.ui.screens import Palette, TerminalSizedScreen

PRIVATE = {
    "_get_renders",
    "_compositor_refresh",
    "_on_timer_update",
    "_handle_exception",
    "_fatal_error",
    "_get_terminal_size",
}
"""Methods of Textual that movietui overrides, except ``_on_timer_update``, which movietui calls. If Textual renamed a
method, nothing would call ours."""


class Counted(Static):
    """Text that counts the lines it renders."""

    rendered = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.rendered += crop.height
        return super().render_lines(crop)


class Behind(Vertical):
    """A container that counts the lines it renders."""

    rendered = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.rendered += crop.height
        return super().render_lines(crop)


class Halves(App[None]):
    """Two texts that cover a container."""

    CSS = "Counted { width: 1fr; height: 5; } #tall { height: 10; }"

    def compose(self) -> ComposeResult:
        with Behind():
            yield Counted("one\ntwo\nthree\nfour\nfive", id="upper")
            yield Counted("\n".join(["six", "seven", "eight", "nine", "ten", "eleven"]), id="tall")

    def get_default_screen(self) -> Screen[None]:
        return internals.PartialRefreshScreen()


class Sample(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("one", id="one")
        yield Input(id="field")


def used(tree: ast.Module) -> Iterator[str]:
    """Yield the private names that a module uses of other objects or imports from Textual."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual"):
            names = [*(node.module or "").split("."), *(each.name for each in node.names)]
            yield from (name for name in names if name.startswith("_"))


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the functions, attributes and variables that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.attr if isinstance(node, ast.Attribute) else node.id


def test_private_names_are_used_in_one_file_only() -> None:
    trees = {path: ast.parse(path.read_text("utf-8")) for path in Path(movietui.ui.__file__).parent.rglob("*.py")}
    del trees[Path(internals.__file__)]
    ours = {name for tree in trees.values() for name in defined(tree)}
    assert {name for tree in trees.values() for name in used(tree)} - ours == {"_exit"}  # of the module ``os``
    for tree in trees.values():
        assert not PRIVATE & set(defined(tree))


OVERRIDING = (internals.CroppedCompositor, internals.PartialRefreshScreen, internals.CrashHooks, internals.DriverAccess)


def test_overridden_methods_exist() -> None:
    for kind in OVERRIDING:
        for name in PRIVATE & vars(kind).keys():
            assert any(name in vars(base) for base in kind.__mro__[1:]), f"{kind.__name__}.{name}"
    overridden = {name for kind in OVERRIDING for name in PRIVATE & vars(kind).keys()}
    assert overridden == PRIVATE - {"_on_timer_update"}
    assert inspect.isfunction(Screen._on_timer_update)


async def test_the_node_that_handles_a_message_is_known() -> None:
    seen: list[object] = []

    class Asking(Sample):
        def on_key(self, event: events.Key) -> None:
            seen.append(internals.active_node())

    async with (app := Asking()).run_test() as pilot:
        await pilot.press("f5")
    assert seen == [app]
    assert active_message_pump.get(None) is not app


async def test_a_node_that_is_removed_is_known() -> None:
    async with (app := Sample()).run_test() as pilot:
        one = app.query_one("#one")
        assert not internals.is_being_removed(one)
        removal = one.remove()
        assert internals.is_being_removed(one)
        await removal
        await pilot.pause()


async def test_the_screens_of_all_modes_are_listed() -> None:
    class Modes(App[None]):
        MODES = {"first": Screen, "second": Screen}
        DEFAULT_MODE = "first"

    async with (app := Modes()).run_test():
        await app.switch_mode("second")
        assert len(list(internals.all_screens(app))) >= 2
        assert app.screen in internals.all_screens(app)


def test_a_character_has_the_name_of_its_key() -> None:
    assert [internals.key_name(character) for character in "a?["] == ["a", "question_mark", "left_square_bracket"]


async def test_an_app_has_a_driver() -> None:
    async with (app := Sample()).run_test():
        driver = internals.driver_of(app)
        assert driver is not None
        assert not driver.can_suspend


async def test_removed_widgets_are_released() -> None:
    async with (app := Sample()).run_test() as pilot:
        app.changed = Signal[None](app, "changed")  # type: ignore[attr-defined]
        one = app.query_one("#one")
        assert app.screen.query_one("#one") is one
        app.changed.subscribe(one, lambda _: None)  # type: ignore[attr-defined]
        assert app.screen._query_one_cache
        await one.remove()
        await pilot.pause()
        internals.forget_removed(app.screen)
        assert not app.screen._query_one_cache
        assert one not in app.changed._subscriptions  # type: ignore[attr-defined]


def test_border_colours_are_cached_without_the_widget() -> None:
    names = list(inspect.signature(inspect.unwrap(StylesCache.get_inner_outer)).parameters)
    assert names == ["cls", "base_background", "background"]
    assert StylesCache.get_inner_outer.__func__.cache_info().maxsize == 1024  # type: ignore[attr-defined]
    assert StylesCache().get_inner_outer is not None


async def test_a_new_screen_does_not_parse_all_css_again() -> None:
    assert Screen()._css_update_count == -1
    async with Sample().run_test():
        assert internals.PartialRefreshScreen()._css_update_count == 0


async def test_distant_changes_are_drawn_one_by_one() -> None:
    class Two(internals.PartialRefreshScreen[None]):
        def compose(self) -> ComposeResult:
            yield Label("top")
            yield Static(id="room")
            yield Label("bottom")

    class Drawing(App[None]):
        CSS = "#room { height: 1fr; }"

        def get_default_screen(self) -> Screen[None]:
            return Two()

    async with (app := Drawing()).run_test() as pilot:
        await pilot.pause()
        screen, drawn = app.screen, []
        render = screen._compositor._render_chops
        screen._compositor._render_chops = lambda crop, *rest: drawn.append(crop) or render(crop, *rest)  # type: ignore[method-assign, func-returns-value]
        for label in screen.query(Label):
            label.refresh()
        await pilot.pause()
        await pilot.pause(0.1)
        assert {region.height for region in drawn} == {1}
        assert len({region.y for region in drawn}) == 2


class Changing(internals.PartialRefreshScreen[None]):
    """A screen that draws its label as soon as the label changes."""

    def compose(self) -> ComposeResult:
        yield Label("before", id="label")

    def change(self, drawn: list[str]) -> None:
        label = self.query_one(Label)
        label.update("after", layout=False)
        self.draw_now(label)
        drawn.append(self._compositor.render_strips()[0].text.strip())


async def test_a_change_is_drawn_before_other_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    class Drawing(App[None]):
        def get_default_screen(self) -> Screen[None]:
            return Changing()

    async with (app := Drawing()).run_test() as pilot:
        await pilot.pause()
        updates: list[Any] = []
        monkeypatch.setattr(app, "_display", lambda screen, update: updates.append(update))
        screen, drawn = app.screen, list[str]()
        assert isinstance(screen, Changing)
        screen.change(drawn)
        assert drawn == ["after"]
        assert "after" in updates[0].render_segments(app.console)
        await pilot.pause()
        assert len(updates) == 1


def test_the_cursor_moves_only_where_the_next_part_is_elsewhere() -> None:
    parts = [(2, 1, "one"), (5, 1, "two"), (9, 1, "three"), (0, 2, "four")]
    update = internals.LightUpdate([(x, y, Strip([Segment(text)])) for x, y, text in parts])
    assert update.render_segments(Console()) == "\x1b[2;3Honetwo\x1b[2;10Hthree\x1b[3;1Hfour"


async def test_a_title_redraws_only_its_line() -> None:
    async with (app := RowsApp()).run_test(size=(40, 70)) as pilot:
        await pilot.pause()
        rows = app.query_one("#bordered", Rows)
        internals.set_border(rows, "one", "two")
        assert (rows.border_title, rows.border_subtitle) == ("one", "two")
        rows._exchange_repaint_regions()
        internals.set_border(rows, "one", "three")
        assert rows._exchange_repaint_regions() == {Region(0, 11, 24, 1)}


async def test_a_batch_holds_drawing_back() -> None:
    async with (app := Sample()).run_test():
        assert not app._batch_count
        with app.batch_update():
            assert app._batch_count


async def test_a_size_that_is_out_of_date_is_ignored() -> None:
    async with (app := Sample()).run_test(size=(80, 24)) as pilot:
        await app.push_screen(TerminalSizedScreen[None]())
        app.screen.post_message(events.Resize(Size(10, 5), Size(10, 5)))
        await pilot.pause()
        assert app.screen.size == Size(80, 24)


async def test_the_palette_survives_a_key_for_its_list_without_a_list() -> None:
    async with (app := Sample()).run_test() as pilot:
        await app.push_screen(Palette())
        palette = app.screen
        assert isinstance(palette, Palette)
        await pilot.pause()
        palette._action_command_list("page_down")


async def test_plots_take_a_size() -> None:
    class Plotting(App[None]):
        def compose(self) -> ComposeResult:
            yield PlotextPlot()

    async with (app := Plotting()).run_test() as pilot:
        await pilot.pause()
        plot = app.query_one(PlotextPlot)
        plot.plt.plot([1, 2, 3])
        internals.set_plot_size(plot, Size(30, 10))
        lines = Text.from_ansi(plot.plt.build()).plain.splitlines()
        assert (len(lines), len(lines[0])) == (10, 30)


class Crashing(internals.CrashHooks[None]):
    ignored = False
    described: Text | None = Text("One sentence.")

    def ignores(self, error: Exception) -> bool:
        return self.ignored

    def describe_crash(self, error: Exception) -> Text | None:
        return self.described

    def on_key(self, event: events.Key) -> None:
        raise ValueError(event.key)


async def test_an_error_can_be_ignored() -> None:
    app = Crashing()
    app.ignored = True
    async with app.run_test():
        app._handle_exception(ValueError())
        assert app.is_running
    assert app.return_code is None  # the app did not end by itself


async def test_a_crash_is_reported_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="f5"):
        async with Crashing().run_test() as pilot:
            await pilot.press("f5")
    assert capsys.readouterr().err.strip() == "One sentence."


async def test_a_crash_without_a_sentence_is_reported_with_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    app = Crashing()
    app.described = None
    with pytest.raises(ValueError, match="f5"):
        async with app.run_test() as pilot:
            await pilot.press("f5")
    assert "Traceback" in capsys.readouterr().err


async def test_a_driver_gives_access_to_its_private_attributes() -> None:
    app: Any = SimpleNamespace()
    driver = internals.DriverAccess.__new__(internals.DriverAccess)
    driver._app, driver._loop, driver._debug, driver._file = app, asyncio.get_running_loop(), False, None  # type: ignore[assignment]
    driver._writer_thread = None
    assert (driver.app, driver.loop, driver.is_drawing) == (app, asyncio.get_running_loop(), False)
    driver.output = here = object()
    assert driver._file is here
    assert [key.key for key in driver.new_parser().feed("a")] == ["a"]  # type: ignore[attr-defined]
    assert driver.current_size() == Size(*driver._get_terminal_size())
    assert not driver.is_behind
    driver._writer_thread = WriterThread(io.StringIO())
    driver._writer_thread.write("not written yet")
    assert driver.is_behind
    source = inspect.getsource(internals.LinuxDriver) + inspect.getsource(internals.LinuxDriver.__mro__[1])
    for name in ("self._app", "self._loop", "self._debug", "self._file", "self._writer_thread", "_get_terminal_size()"):
        assert name in source, name


def test_distant_regions_are_not_merged() -> None:
    assert internals.merge_regions([Region(0, 5, 4, 1), Region(0, 0, 4, 1)]) == [Region(0, 0, 4, 1), Region(0, 5, 4, 1)]


async def test_only_the_visible_lines_of_a_part_are_rendered() -> None:
    async with (app := Halves()).run_test(size=(30, 10)) as pilot:
        await pilot.pause()
        upper, tall, behind = app.query_one("#upper", Counted), app.query_one("#tall", Counted), app.query_one(Behind)
        compositor = app.screen._compositor
        assert isinstance(compositor, internals.CroppedCompositor)
        textuals = Compositor()
        vars(textuals).update(vars(compositor))
        for crop in (Region(0, 1, 30, 2), Region(5, 3, 9, 4), Region(0, 8, 30, 2), Region(0, 0, 30, 10)):
            upper.rendered = tall.rendered = behind.rendered = 0
            ours = compositor._render_chops(crop, crop.line_range.__contains__)
            assert upper.rendered == len({*range(5)} & {*crop.line_range})
            assert tall.rendered == len({*range(5, 10)} & {*crop.line_range})
            assert behind.rendered == 0
            theirs = textuals._render_chops(crop, crop.line_range.__contains__)
            for y in crop.line_range:
                assert [strip.text for strip in ours[y].values()] == [strip.text for strip in theirs[y].values()]


class Rows(ScrollView):
    """Lines of two styles. The last ones are shorter than the widget, wider, and empty."""

    LINES = ("one", "a wide 字", "…", "another line", "far longer than the widget is wide", "")

    def render_line(self, y: int) -> Strip:
        text = self.LINES[y] if y < len(self.LINES) else "more"
        return internals.LightStrip(
            [Segment(text, Style(bold=True)), Segment("!", Style(reverse=True))], cell_len(text) + 1
        )


class RowsApp(App[None]):
    CSS = """
    Rows { width: 24; height: 12; }
    #bordered { border: round red; border-title-color: blue; padding: 1 2; }
    #faded { border: heavy green; opacity: 50%; }
    #tinted { tint: red 40%; }
    #outlined { outline: solid blue; }
    """

    def compose(self) -> ComposeResult:
        for name in ("bordered", "faded", "tinted", "outlined", "bare"):
            yield Rows(id=name)


@pytest.mark.parametrize("name", ["bordered", "faded", "tinted", "outlined", "bare"])
async def test_lines_are_drawn_fast_and_as_textual_draws_them(name: str) -> None:
    async with (app := RowsApp()).run_test(size=(40, 70)) as pilot:
        await pilot.pause()
        rows = app.query_one(f"#{name}", Rows)
        rows.border_title = "Title"
        for crop in (rows.size.region, Region(0, 0, 24, 12), Region(3, 2, 15, 5), Region(0, 0, 24, 1)):
            rows._styles_cache = StylesCache()
            theirs = rows.render_lines(crop)
            internals.draw_lines_fast(rows)
            ours = rows.render_lines(crop)
            assert [one.render(app.console) for one in ours] == [one.render(app.console) for one in theirs]
            assert [one.cell_length for one in ours] == [one.cell_length for one in theirs]
            again = rows.render_lines(crop)
            assert [one.render(app.console) for one in again] == [one.render(app.console) for one in theirs]


async def test_the_border_beside_lines_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    compute = StylesCache.render_line

    def count(cache: StylesCache, styles: Any, y: int, *rest: Any) -> Strip:
        computed.append(y)
        return compute(cache, styles, y, *rest)

    async with (app := RowsApp()).run_test(size=(40, 70)) as pilot:
        await pilot.pause()
        rows = app.query_one("#bordered", Rows)
        rows.LINES = ("same",) * 20
        internals.draw_lines_fast(rows)
        monkeypatch.setattr(StylesCache, "render_line", count)
        rows.render_lines(Region(0, 0, 24, 12))
        assert computed == [0, 1, 2, 10, 11]  # border, padding, the first line, padding, border


def test_a_light_strip_behaves_like_textuals() -> None:
    plain = Style()
    segments = [Segment("one ", plain), Segment("字字", Style(bold=True)), Segment(" two", plain)]
    light, heavy = internals.LightStrip(segments, 12), Strip(segments, 12)
    assert light == heavy
    assert light.crop(2, 7) == heavy.crop(2, 7)
    assert light.adjust_cell_length(15) == heavy.adjust_cell_length(15)
    for cuts in ([12], [4, 12], [0, 5, 12], [4, 8, 12, 20], [3]):
        assert list(light.divide(cuts)) == list(heavy.divide(cuts)), cuts
    monochrome = Monochrome()
    assert light.apply_filter(monochrome, Color(0, 0, 0)) == heavy.apply_filter(monochrome, Color(0, 0, 0))
    assert light.apply_filter(monochrome, Color(0, 0, 0)) is light.apply_filter(monochrome, Color(0, 0, 0))
    with pytest.raises(AttributeError):
        light.nothing  # noqa: B018
