"""Refusals, and answers that come when nobody looks any more."""

import pytest
from textual.app import App
from textual.css.query import NoMatches
from textual.widget import Widget

from movietui.widgets.told import told


class Asking(Widget):
    """Shows what it asked for in a widget that is gone."""

    @told
    async def show(self) -> None:
        self.query_one("#answer")


async def test_an_answer_that_comes_while_the_app_is_left_breaks_nothing() -> None:
    app: App[None] = App()
    async with app.run_test():
        asking = Asking()
        await app.mount(asking)
        with pytest.raises(NoMatches):
            await asking.show()
        app._running = False  # as from the first moment on in which screens are taken down
        await asking.show()
