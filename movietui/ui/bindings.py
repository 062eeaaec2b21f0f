"""Keys that several screens share, and how keys are shown.

Each action has an id, under which a person can set another key. An action has the same id wherever it is bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.dom import DOMNode

from movietui.data.language import tr
from movietui.formatting import text

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

MOST_STARS = 5
CLOSING = ("panel.back", "panel.leave")
"""The ids of the actions that close a panel."""


def star_keys(id_prefix: str, action: str, name: str, meaning: str) -> list[Binding]:
    """Return the keys for one to five stars. The line of keys and the help show only the first, as ``1-5``."""
    first = Binding("1", f"{action}(1)", name, key_display="1-5", id=f"{id_prefix}.{action}-1", tooltip=meaning)
    others = range(2, MOST_STARS + 1)
    return [
        first,
        *(
            Binding(
                str(stars),
                f"{action}({stars})",
                text.plural(stars, "star"),
                show=False,
                id=f"{id_prefix}.{action}-{stars}",
            )
            for stars in others
        ),
    ]


RATE_KEYS = star_keys("browse", "rate", tr("Rate"), tr("Rate the movie with this many stars"))


def half_star_keys(id_prefix: str, what: str) -> list[Binding]:
    """Return the keys that change the last rating by half a star. ``what`` says what was rated."""
    return [
        Binding(
            key,
            f"nudge({step})",
            tr("Half {change}", change=change),
            key_display=sign,
            show=False,
            id=f"{id_prefix}.half-{more}",
            tooltip=tr("Half a star {change} for the last rated {what}", change=change, what=what),
        )
        for key, sign, step, more, change in (
            ("left_square_bracket", "[", -0.5, "less", tr("less")),
            ("right_square_bracket", "]", 0.5, "more", tr("more")),
        )
    ]


def row_keys(move: str, page: str) -> list[Binding]:
    """Return the keys for the actions ``move`` (by a row) and ``page``, which take 1 or -1."""
    return [
        Binding("up,k", f"{move}(-1)", tr("Up"), show=False, id="list.up", tooltip=tr("One row up")),
        Binding("down,j", f"{move}(1)", tr("Down"), show=False, id="list.down", tooltip=tr("One row down")),
        Binding(
            "pageup,ctrl+b", f"{page}(-1)", tr("Page up"), show=False, id="list.page-up", tooltip=tr("One page up")
        ),
        Binding(
            "pagedown,ctrl+f",
            f"{page}(1)",
            tr("Page down"),
            show=False,
            id="list.page-down",
            tooltip=tr("One page down"),
        ),
    ]


def back_key(action: str = "dismiss(None)", name: str = tr("Back")) -> Binding:
    """Return the key that closes a panel."""
    return Binding("escape,q", action, name, id="panel.back", tooltip=tr("Close the panel"))


def cancel_key(action: str = "dismiss(None)") -> Binding:
    """Return the key that closes a panel with a text field."""
    return Binding("escape", action, tr("Cancel"), id="panel.leave", tooltip=tr("Close a panel you type in"))


def choose_key(action: str, name: str) -> Binding:
    """Return the key that chooses the selected row of a panel, or closes a panel without rows."""
    meaning = tr("Choose the selected row, or close a panel without rows")
    return Binding("enter", action, name, key_display="enter", id="panel.choose", tooltip=meaning)


def declared_bindings(kind: type) -> Iterator[Binding]:
    """Yield the bindings that a class and its bases in movietui declare, those of the bases first."""
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("movietui."):
            yield from (each for each in vars(base).get("BINDINGS", ()) if isinstance(each, Binding))


def key_of(node: DOMNode, name: str) -> str:
    """Return the first key of an action of a screen or widget, as shown on screen. ``name``: the id of the action."""
    return key_on(type(node), cast("MovieTui", node.app), name)


def key_on(kind: type, app: MovieTui, name: str) -> str:
    """Return the first key that a screen class has for an action, as shown on screen, even if no such screen is open.

    ``name``: the id of the action.
    """
    return _shown_key(app, _binding_on(kind, app, name))


def all_keys(app: MovieTui, binding: Binding) -> str:
    """Return the current keys of a binding, as shown on screen: ``↑ k``."""
    custom = app.custom_keys.get(binding.id or "")
    if binding.key_display and not custom:
        return binding.key_display
    keys = (custom or binding.key).split(",")
    return " ".join(dict.fromkeys(_shown_key(app, replace(binding, key=key, key_display=None)) for key in keys))


def _shown_key(app: MovieTui, binding: Binding) -> str:
    """Return the first key of a binding, as shown on screen, with enter as a word rather than an arrow."""
    key = binding.key.split(",")[0]
    return key if key == "enter" else app.get_key_display(replace(binding, key=key))


def first_key(node: DOMNode, name: str) -> str:
    """Return the first key of an action of a screen or widget, as Textual names it. ``name``: the id of the action."""
    return _binding_on(type(node), cast("MovieTui", node.app), name).key.split(",")[0]


def keys_that(app: MovieTui, action: str) -> set[str]:
    """Return all keys of an action of the app, as Textual names them."""
    bindings = [each for each in declared_bindings(type(app)) if each.action == action]
    return {key for each in bindings for key in (app.custom_keys.get(each.id or "") or each.key).split(",")}


@cache
def _bindings_by_id(kind: type) -> Mapping[str, Binding]:
    """Return what ``declared_bindings`` yields, by id. If several bindings have the same id, the first one counts."""
    return {each.id: each for each in reversed([*declared_bindings(kind)]) if each.id is not None}


def _binding_on(kind: type, app: MovieTui, name: str) -> Binding:
    binding = _bindings_by_id(kind)[name]
    keys = app.custom_keys.get(name)
    return replace(binding, key=keys, key_display=None) if keys else binding


def works_on_click(node: DOMNode, shown: str, *names: str) -> None:
    """Let a click on a text, wherever it is shown, press a key that the text names.

    ``names``: the ids of the actions whose keys begin the text, in this order. A click after these keys presses the
    first one.
    """
    keys = tuple((key_of(node, name), first_key(node, name)) for name in names)
    cast("MovieTui", node.app).hints.add(shown, keys)


def hint(node: DOMNode, *entries: tuple[str, str]) -> str:
    """Return a line with keys and what they do: ``u undo · r redo``.

    Each entry has the ids of one or several actions, separated by spaces, and what they do. A click on a key or on its
    words presses the key.
    """
    parts = []
    for names, words in entries:
        parts.append(f"{' '.join(key_of(node, name) for name in names.split())} {words}")
        works_on_click(node, parts[-1], *names.split())
    return " · ".join(parts)
