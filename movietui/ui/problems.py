"""Shows problems as sentences on the status line, and drops the errors of a screen that is being closed."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.dom import DOMNode, NoScreen
from textual.screen import Screen

from movietui.data.language import tr
from movietui.data.problems import Cancelled, Problem
from movietui.ui.textual_internals import is_being_removed, raised_by

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

P = ParamSpec("P")


class Owner(Protocol):
    """An object whose methods show problems: a Textual node, or a controller of a screen."""

    @property
    def app(self) -> App[Any]:
        """The app."""

    @property
    def screen(self) -> Screen[Any]:
        """The screen that the object is or belongs to."""


AnyOwner = TypeVar("AnyOwner", bound=Owner)


def shows_problems(
    method: Callable[Concatenate[AnyOwner, P], Awaitable[None]],
) -> Callable[Concatenate[AnyOwner, P], Coroutine[Any, Any, None]]:
    """Decorator: if the method raises ``Problem``, show its message on the status line. Every worker has it.

    After ``Cancelled``, say that the work stopped. Drop the errors of a screen that is being closed: its widgets are
    removed before its workers are stopped, so a reply may arrive when no widget is left to show it.
    """

    @functools.wraps(method)
    async def run(owner: AnyOwner, *arguments: P.args, **options: P.kwargs) -> None:
        try:
            await method(owner, *arguments, **options)
        except Problem as problem:
            cast("MovieTui", owner.app).show_problem(problem)
        except Cancelled:
            cast("MovieTui", owner.app).show_notice(tr("Stopped."))
        except Exception as error:
            if not came_too_late(error, owner if isinstance(owner, DOMNode) else owner.screen):
                raise

    return run  # type: ignore[return-value]  # wraps() forgets that the first argument has a name


def came_too_late(error: BaseException, node: object) -> bool:
    """Return whether an error happened only because a node, or a widget inside it, is being removed.

    ``node``: the node that was handling a message. Another node may have raised the error: if a screen schedules a call
    for after a refresh, the screen that is open then makes the call.
    """
    if not isinstance(error, NoMatches | NoScreen | ScreenStackError):
        return False
    return any(isinstance(each, DOMNode) and is_closing(each) for each in (node, raised_by(error)))


def is_closing(node: DOMNode) -> bool:
    """Return whether a node is being removed, by itself or with the whole app."""
    return is_being_removed(node) or not node.is_attached or not node.app.is_running
