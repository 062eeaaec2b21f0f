"""Which keys do what: what the program has, and what a person wants instead, in their ``config.toml``."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, _character_to_key

from data.problems import Problem
from movietui.bindings import own_bindings

if TYPE_CHECKING:
    from movietui.app import MovieTui

PART = "keys"
"""The table of the file."""
EVERYWHERE = {"every screen": "app:MovieTui", "every list": "widgets.row_list:RowList"}
SCREENS = {
    "Browse": "screens.browse:BrowseScreen",
    "Data": "screens.data:DataScreen",
    "Train": "screens.train:TrainScreen",
    "getting to know somebody": "screens.interview:InterviewScreen",
}
WITHIN = {
    "the viewers of Browse": "widgets.viewers_pane:ViewersPane",
    "the filter of Browse": "widgets.view_line:ViewLine",
}
"""Parts of a screen: while they have the focus, their keys go before those of the screen."""
PANELS = {
    "panels": (
        "panels:DetailsPanel",
        "panels:HelpPanel",
        "panels:ConfirmPanel",
        "panels:NamePanel",
        "panels:PathPanel",
    ),
    "cards of a movie": ("panels:CardPanel", "panels:SurprisePanel"),
    "the search": ("search:SearchPanel",),
    "History": ("history:HistoryPanel",),
    "panels of Browse": ("discovering:SimilarPanel", "discovering:TastePanel", "switching:SwitchPanel"),
    "the import": ("bringing:PreviewPanel", "bringing:ChoicePanel"),
    "the join with IMDb": ("imdb:ImdbPanel",),
    "panels of Train": ("run_panels:LeavePanel", "run_panels:PrunePanel", "run_panels:TablesPanel"),
    "sweeps": ("sweeping:SweepPanel",),
}
"""What stands above a screen and takes all keys."""
TYPED = "panel.leave"
"""What only panels have in which something is typed, so that no list has the keys."""
MODIFIERS = {"ctrl", "shift", "alt", "meta", "super", "hyper"}
NAMES = {key.value for key in Keys} | set(KEY_NAME_REPLACEMENTS.values())
HEAD = """\
# movietui reads this file when it starts; it lies at {path}.
# Take the first sign off a line to change its key. Several keys are parted by commas. A key is its letter or sign, or a
# name: enter, escape, space, tab, up, f2, comma, ctrl+x.

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
    found: dict[str, Known] = {}
    for place, bindings in _places():
        for binding in bindings:
            if binding.id is not None and binding.id not in found:
                does = binding.tooltip or binding.description
                where = "every screen" if binding.id.startswith("screen.") else place
                found[binding.id] = Known(binding.id, binding.key, does, where)
    order = [*EVERYWHERE, *SCREENS, *WITHIN, *PANELS]
    return sorted(found.values(), key=lambda each: order.index(each.place))


def _places() -> Iterator[tuple[str, list[Binding]]]:
    """What each screen, part of a screen and panel has, by where it is; several may be in one place."""
    for place, where in {**EVERYWHERE, **SCREENS, **WITHIN}.items():
        yield place, _bindings(where)
    for place, panels in PANELS.items():
        yield from ((place, _bindings(f"screens.{panel}")) for panel in panels)


def _bindings(where: str) -> list[Binding]:
    module, _, name = where.partition(":")
    return list(own_bindings(getattr(import_module(f"movietui.{module}"), name)))


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


async def use(app: MovieTui, path: Path) -> None:
    """Give an app the keys that a file asks for, and say what of it cannot be."""
    found = await app.in_thread(read, path)  # which loads every screen to know its keys
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
    for together in _in_force():
        for other in together if name in together else ():
            if other != name and own & set(keys.get(other, every[other].keys).split(",")):
                return other
    return None


def _in_force() -> Iterator[list[str]]:
    """The ids of what has keys at the same time, none before another: on each screen, part of one, and panel."""
    everywhere = {place: _bindings(where) for place, where in EVERYWHERE.items()}
    for place, bindings in _places():
        if place in SCREENS:
            bindings = [*everywhere["every screen"], *everywhere["every list"], *bindings]
        elif place in PANELS and TYPED not in {binding.id for binding in bindings}:
            bindings = [*everywhere["every list"], *bindings]
        yield list(dict.fromkeys(binding.id for binding in bindings if binding.id is not None))
