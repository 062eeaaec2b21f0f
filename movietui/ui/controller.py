"""Controllers, which handle the keys for one topic on a screen.

A screen shows its panes and creates its controllers. A key bound to ``rate(5)`` calls ``action_rate(5)`` of the
controller that has this method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from movietui.ui.problems import shows_problems

if TYPE_CHECKING:
    from movietui.state.session import Session
    from movietui.ui.app import MovieTui
    from movietui.ui.frame import FrameScreen

P = ParamSpec("P")
Owner = TypeVar("Owner", bound="Controller")


class Controller:
    """Handles the keys for one topic. Its actions are methods named ``action_…``, as in Textual."""

    def __init__(self, screen: FrameScreen) -> None:
        self.screen = screen

    def install(self) -> None:
        """Add the actions to the screen, where Textual looks for them."""
        for name in dir(self):
            if name.startswith("action_"):
                setattr(self.screen, name, getattr(self, name))

    @property
    def app(self) -> MovieTui:
        """The app."""
        return self.screen.movie_tui

    @property
    def session(self) -> Session:
        """The open dataset, the list and its viewers."""
        return self.screen.session


def in_background(
    group: str = "default", *, exclusive: bool = False
) -> Callable[[Callable[Concatenate[Owner, P], Coroutine[Any, Any, None]]], Callable[Concatenate[Owner, P], None]]:
    """Decorator: run a method of a controller as a worker of the screen, and show a ``Problem`` on the status line.

    With ``exclusive``, cancel the other workers of its group first, as Textual's ``work`` does.
    """

    def decorate(
        method: Callable[Concatenate[Owner, P], Coroutine[Any, Any, None]],
    ) -> Callable[Concatenate[Owner, P], None]:
        shown = shows_problems(method)

        @wraps(method)
        def run(controller: Owner, *arguments: P.args, **options: P.kwargs) -> None:
            work: Callable[[], Awaitable[None]] = partial(shown, controller, *arguments, **options)
            controller.screen.run_worker(work, name=method.__name__, group=group, exclusive=exclusive)

        return run  # type: ignore[return-value]  # as in ``shows_problems``

    return decorate
