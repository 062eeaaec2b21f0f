"""Keys that several screens have. What a key does has an id, by which a person gives it another key: one id wherever it
does the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.dom import DOMNode

if TYPE_CHECKING:
    from movietui.app import MovieTui

MOST_STARS = 5


def star_keys(place: str, action: str, name: str, meaning: str) -> list[Binding]:
    """Return the keys for one star to five; the first stands for all of them in the footer and in the list of keys."""
    first = Binding("1", f"{action}(1)", name, key_display="1-5", id=f"{place}.{action}-1", tooltip=meaning)
    others = range(2, MOST_STARS + 1)
    return [
        first,
        *(
            Binding(str(stars), f"{action}({stars})", f"{stars} stars", show=False, id=f"{place}.{action}-{stars}")
            for stars in others
        ),
    ]


RATE_KEYS = star_keys("browse", "rate", "Rate", "This many stars for the movie")


def half_star_keys(place: str, what: str) -> list[Binding]:
    """Return the keys that change the rating given last; ``what`` was rated."""
    return [
        Binding(
            key,
            f"nudge({step})",
            f"Half {more}",
            key_display=sign,
            show=False,
            id=f"{place}.half-{more}",
            tooltip=f"Half a star {more} for the {what} rated last",
        )
        for key, sign, step, more in (
            ("left_square_bracket", "[", -0.5, "less"),
            ("right_square_bracket", "]", 0.5, "more"),
        )
    ]


def row_keys(up_or_down: str, page: str) -> list[Binding]:
    """Return the keys that go up and down, and a page, by two actions that take 1 or -1."""
    return [
        Binding("up,k", f"{up_or_down}(-1)", "Up", show=False, id="list.up", tooltip="One row up"),
        Binding("down,j", f"{up_or_down}(1)", "Down", show=False, id="list.down", tooltip="One row down"),
        Binding("pageup,ctrl+b", f"{page}(-1)", "Page up", show=False, id="list.page-up", tooltip="A page up"),
        Binding("pagedown,ctrl+f", f"{page}(1)", "Page down", show=False, id="list.page-down", tooltip="A page down"),
    ]


def back(action: str = "dismiss(None)", name: str = "Back") -> Binding:
    """Return the key that leaves a panel."""
    return Binding("escape,q", action, name, id="panel.back", tooltip="Leave a panel")


def never_mind(action: str = "dismiss(None)") -> Binding:
    """Return the key that leaves a panel where something is typed."""
    return Binding("escape", action, "Never mind", id="panel.leave", tooltip="Leave a panel where something is typed")


def choose(action: str, name: str) -> Binding:
    """Return the key that takes what is under the cursor of a panel, or where nothing can be taken, leaves it."""
    meaning = "Take what is under the cursor of a panel; leave one that only tells"
    return Binding("enter", action, name, key_display="enter", id="panel.choose", tooltip=meaning)


def own_bindings(kind: type) -> Iterator[Binding]:
    """Return the bindings that a class of ours and those above it state."""
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("movietui."):
            yield from (each for each in vars(base).get("BINDINGS", ()) if isinstance(each, Binding))


def key_of(node: DOMNode, name: str) -> str:
    """Return how the first key is shown of something that a screen or widget does, by its id."""
    return key_on(type(node), cast("MovieTui", node.app), name)


def key_on(kind: type, app: MovieTui, name: str) -> str:
    """Return the same of a kind of screen that may not be open."""
    binding = next(each for each in own_bindings(kind) if each.id == name)
    if keys := app.own_keys.get(name):
        binding = replace(binding, key=keys, key_display=None)
    key = binding.key.split(",")[0]
    # A word like other keys that are no sign, not a bent arrow.
    return key if key == "enter" else app.get_key_display(replace(binding, key=key))


def hint(node: DOMNode, *told: tuple[str, str]) -> str:
    """Return a line that names keys and what they do: ``u undo · r redo``.

    ``told``: the ids of what the keys do, with a space between several, and the words.
    """
    return " · ".join(f"{' '.join(key_of(node, name) for name in names.split())} {words}" for names, words in told)
