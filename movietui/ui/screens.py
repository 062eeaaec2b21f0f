"""The base classes of all screens, which follow the size of the terminal and let a click on a hint press its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from textual import events, on
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from movietui.ui.bindings import CLOSING, declared_bindings
from movietui.ui.textual_internals import (
    PartialRefreshScreen,
    TolerantPalette,
    forget_removed,
    is_being_removed,
    line_at,
)

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

Result = TypeVar("Result")


class TerminalSizedScreen(Screen[Result]):
    """A screen that always takes the size of the terminal.

    Textual reports a screen's size twice: as the size of the terminal, and as that of a widget that was laid out. If
    the terminal changes in between, the screen would return to its previous size, or switch between the two sizes for
    ever. Of two waiting reports, Textual handles only the later one, which may have the previous size.
    """

    @on(events.Resize)
    def ignore_stale_size(self, event: events.Resize) -> None:
        """Ignore a size that the terminal no longer has, and ask for the right one."""
        if event.size != (size := self.app.size):
            event.prevent_default()  # else Textual handles it as well
            if self.outer_size != size:
                self.post_message(events.Resize(size, size))

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close the screen, unless it is closed already.

        A second key may come before a panel is removed. Textual would then close the screen below, or end the app if
        that is the last one.
        """
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """Focus a widget unless it is being removed: a removed widget would receive all keys and handle none."""
        if widget is None or not is_being_removed(widget):
            super().set_focus(widget, scroll_visible, from_app_focus)


class ClickableScreen(TerminalSizedScreen[Result]):
    """A screen on which a click on a hint, on a border or in a text, does what the hint's key does."""

    _pressed_key = ""

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember the hint under the mouse, because panes may change their widths before the click ends."""
        self._pressed_key = cast("MovieTui", self.app).hints.key_at(
            line_at(self, event.screen_offset.y), event.screen_offset.x
        )

    async def on_click(self, event: events.Click) -> None:
        """Press the key of the hint."""
        key, self._pressed_key = self._pressed_key, ""
        if key:
            # A key that a screen presses does not reach the bindings of the app.
            self.app.call_later(self.app.simulate_key, key)


class Panel(ModalScreen[Result], ClickableScreen[Result]):
    """A modal screen on top of another screen. A click beside it closes it."""

    _pressed_beside = False

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember whether the mouse is beside the panel."""
        self._pressed_beside = self._is_beside(event)

    async def on_click(self, event: events.Click) -> None:
        """After a click beside the panel, do what the key that closes it does."""
        if self._pressed_beside and self._is_beside(event):
            closing = [each.action for each in declared_bindings(type(self)) if each.id in CLOSING]
            for action in closing[-1:]:
                await self.run_action(action)

    def _is_beside(self, event: events.MouseEvent) -> bool:
        return self.get_widget_at(*event.screen_offset)[0] is self


class Palette(TolerantPalette, TerminalSizedScreen[None]):
    """Textual's command palette, in a terminal of any size."""


class MainScreen(PartialRefreshScreen[None], ClickableScreen[None]):
    """A screen whose changes are drawn one by one, and which can release its removed widgets."""

    def forget_removed(self) -> None:
        """Release removed widgets."""
        forget_removed(self)
