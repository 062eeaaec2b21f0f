"""Refusals become sentences on the status line, wherever on a screen they happen; what comes too late is dropped."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from textual.app import ScreenStackError
from textual.css.query import NoMatches
from textual.dom import DOMNode, NoScreen

from data.problems import Cancelled, Problem

if TYPE_CHECKING:
    from movietui.app import MovieTui

P = ParamSpec("P")
Node = TypeVar("Node", bound=DOMNode)


def told(
    method: Callable[Concatenate[Node, P], Awaitable[None]],
) -> Callable[Concatenate[Node, P], Coroutine[Any, Any, None]]:
    """Let a method of a screen or widget end with a sentence where it cannot be done.

    Every worker is told: of a screen that closes, the widgets go before its workers are stopped, so an answer may come
    in between and find nothing that it could be shown on. Then it is dropped.
    """

    @functools.wraps(method)
    async def run(node: Node, *arguments: P.args, **options: P.kwargs) -> None:
        try:
            await method(node, *arguments, **options)
        except Problem as problem:
            cast("MovieTui", node.app).say_problem(problem)
        except Cancelled:
            cast("MovieTui", node.app).say("Stopped; what was there before is as it was.")
        except (NoMatches, NoScreen, ScreenStackError):
            if not closing(node):
                raise

    return run  # type: ignore[return-value]  # wraps() forgets that the first argument has a name


def closing(node: DOMNode) -> bool:
    """Return whether a node is being taken away, by itself or with the whole app."""
    return node._pruning or not node.app.is_running
