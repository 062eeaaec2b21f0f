"""Which keys do what: what the program has, and what a person wants instead, in their ``config.toml``."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, _character_to_key

from data.problems import Problem

if TYPE_CHECKING:
    from movietui.app import MovieTui

PART = "keys"
"""The table of the file."""
EVERYWHERE = ("every screen", "every list")
WITHIN = ("the viewers of Browse", "the filter of Browse")
"""Parts of a screen: while they have the focus, their keys go before those of the screen."""
MODIFIERS = {"ctrl", "shift", "alt", "meta", "super", "hyper"}
NAMES = {key.value for key in Keys} | set(KEY_NAME_REPLACEMENTS.values())
HEAD = """\
# movietui reads this file when it starts; it lies at {path}.
# Take the first sign off a line to change its key. Several keys are parted by commas. A key is its letter or sign, or a
# name: enter, escape, space, tab, up, f2, comma, ctrl+x. Panels above a screen keep the keys that they show.

[{part}]
"""


@dataclass(frozen=True)
class Known:
    """Something that a key does."""

    id: str
    keys: str
    """As it is unless the file says otherwise; several are parted by commas."""
    does: str
    place: str
    """Where: a screen, a part of one, or everywhere."""


@dataclass(frozen=True)
class Keymap:
    """What a file asks for, as far as it can be done."""

    keys: dict[str, str] = field(default_factory=dict)
    """By the ids of what they do."""
    problems: tuple[str, ...] = ()
    """A sentence for each thing of the file that is not used."""


def known() -> list[Known]:
    """Return all that keys do and that can be given other keys, place by place."""
    from movietui.app import MovieTui
    from movietui.screens.browse import BrowseScreen
    from movietui.screens.data import DataScreen
    from movietui.screens.train import TrainScreen
    from movietui.widgets.row_list import RowList
    from movietui.widgets.view_line import ViewLine
    from movietui.widgets.viewers_pane import ViewersPane

    places: tuple[tuple[str, type], ...] = (
        *zip(EVERYWHERE, (MovieTui, RowList), strict=True),
        ("Browse", BrowseScreen),
        *zip(WITHIN, (ViewersPane, ViewLine), strict=True),
        ("Data", DataScreen),
        ("Train", TrainScreen),
    )
    found: dict[str, Known] = {}
    for place, kind in places:
        for binding in _own(kind):
            if binding.id is not None and binding.id not in found:
                does = binding.tooltip or binding.description
                where = EVERYWHERE[0] if binding.id.startswith("screen.") else place
                found[binding.id] = Known(binding.id, binding.key, does, where)
    return sorted(found.values(), key=lambda each: [place for place, _ in places].index(each.place))


def _own(kind: type) -> Iterator[Binding]:
    """The bindings that a class of ours and those above it state."""
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("movietui."):
            yield from (each for each in vars(base).get("BINDINGS", ()) if isinstance(each, Binding))


def defaults(path: Path) -> str:
    """Return a file that changes nothing and explains everything."""
    lines, place = [HEAD.format(path=path, part=PART)], ""
    for each in known():
        if each.place != place:
            place = each.place
            lines.append(f"\n# {place[0].upper()}{place[1:]}\n")
        said = f'# {each.id} = "{each.keys}"'
        lines.append(f"{said:<46}  # {each.does}\n")
    return "".join(lines)


def read(path: Path) -> Keymap:
    """Return what a file asks for. What is wrong in it is told and left out; without a file nothing is asked for."""
    try:
        content = path.read_bytes().decode("utf-8-sig")
        document = tomllib.loads(content)
    except FileNotFoundError:
        return Keymap()
    except OSError as error:
        return Keymap(problems=(f"{path} cannot be read: {error.strerror}; all keys are as they were.",))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        found = re.search(r"(.*) \(at line (\d+)", str(error))
        what, line = (found[1], f" line {found[2]}") if found else (str(error), "")
        return Keymap(problems=(f"{path}{line}: {what[:1].lower()}{what[1:]}; all keys are as they were.",))
    lines = content.splitlines()
    problems = [
        f"{_at(path, lines, name)}: there is no part {name!r}, only [{PART}]." for name in document if name != PART
    ]
    wanted = document.get(PART, {})
    if not isinstance(wanted, dict):
        return Keymap(problems=(*problems, f"{_at(path, lines, PART)}: write [{PART}], and what is wanted below it."))
    every = {each.id: each for each in known()}
    keys: dict[str, str] = {}
    for name, value in _flat(wanted):
        at = _at(path, lines, name)
        if name not in every:
            problems.append(f"{at}: there is no {name!r}; movietui config --defaults lists all.")
        elif (parsed := _keys(value)) is None:
            problems.append(f'{at}: {value!r} is no key; write for example {name} = "{every[name].keys}".')
        else:
            keys[name] = parsed
    for name in list(keys):
        if (other := _taken(name, keys, every)) is not None:
            problems.append(f"{_at(path, lines, name)}: {keys[name]!r} is the key of {other} too; give that another.")
            del keys[name]
    return Keymap(keys, tuple(problems))


def use(app: MovieTui, path: Path) -> None:
    """Give an app the keys that a file asks for, and say what of it cannot be."""
    found = read(path)
    app.own_keys = found.keys
    app.set_keymap(found.keys)
    if found.problems:
        more = len(found.problems) - 1
        app.say_problem(Problem(found.problems[0] + f" {more} more: movietui config lists them." * bool(more)))


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The values by their ids, whose parts before a full stop may be tables."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _at(path: Path, lines: list[str], name: str) -> str:
    """The file, and the line where something of that name stands."""
    for wanted in (name, name.rpartition(".")[2]):
        pattern = re.compile(rf"""\s*\[?\s*["']?{re.escape(wanted)}["']?\s*[=\].]""")
        for number, line in enumerate(lines, start=1):
            if pattern.match(line):
                return f"{path} line {number}"
    return str(path)


def _keys(value: object) -> str | None:
    """Return keys as Textual calls them, parted by commas; None where they are none."""
    if not isinstance(value, str):
        return None
    found = [_key(word.strip()) for word in ([value] if value == "," else value.split(","))]
    return None if None in found else ",".join(key for key in found if key)


def _key(word: str) -> str | None:
    if len(word) == 1:
        return _character_to_key(word) if word.isprintable() else None
    *modifiers, base = word.split("+")
    if len(base) == 1:
        base = _character_to_key(base)
    elif base not in NAMES:
        try:
            unicodedata.lookup(base.replace("_", " "))
        except KeyError:
            return None
    return "+".join([*modifiers, base]) if MODIFIERS.issuperset(modifiers) else None


def _taken(name: str, keys: Mapping[str, str], every: Mapping[str, Known]) -> str | None:
    """Return what else the keys of something would do in the same place."""
    own = set(keys[name].split(","))
    for other, each in every.items():
        if other != name and _meet(every[name].place, each.place) and own & set(keys.get(other, each.keys).split(",")):
            return other
    return None


def _meet(one: str, other: str) -> bool:
    """Whether keys of two places are in force at the same time, and neither goes before the other."""
    return one == other or (not {one, other} & set(WITHIN) and bool({one, other} & set(EVERYWHERE)))
