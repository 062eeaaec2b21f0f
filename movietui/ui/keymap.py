"""The default keys of the app, and the keys that a person sets in ``config.toml``."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from movietui.data.language import tr
from movietui.data.near_names import hint
from movietui.data.problems import Problem
from movietui.data.storage import disk
from movietui.ui.bindings import declared_bindings
from movietui.ui.textual_internals import key_name

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

TABLE = "keys"
"""The table of ``config.toml`` that sets keys."""
GLOBAL = {"every screen": "app:MovieTui", "every list": "widgets.row_list:RowList"}
SCREENS = {
    "Browse": "browse.screen:BrowseScreen",
    "Data": "data.screen:DataScreen",
    "Train": "train.screen:TrainScreen",
    "the first start": "welcome.screen:WelcomeScreen",
    "the interview": "browse.interview:InterviewScreen",
}
WIDGETS = {
    "the viewers of Browse": "browse.viewers:ViewersPane",
    "the filter of Browse": "browse.filter_line:FilterLine",
}
"""Parts of a screen. While a part has the focus, its keys take precedence over those of the screen."""
PANELS = {
    "panels": (
        "panels:DetailsPanel",
        "panels:ConfirmPanel",
        "panels:NamePanel",
        "panels:PathPanel",
    ),
    "the help": ("help:HelpPanel",),
    "movie cards": ("panels:CardPanel", "panels:SurprisePanel"),
    "the search": ("browse.search:SearchPanel",),
    "History": ("browse.history:HistoryPanel",),
    "My ratings": ("browse.given_ratings:RatingsPanel",),
    "copy or save": ("browse.write_panel:WritePanel",),
    "panels of Browse": (
        "browse.where_to_watch:PagesPanel",
        "browse.similar:SimilarPanel",
        "browse.lists_panel:ListsPanel",
        "browse.taste:TastePanel",
        "browse.model_switch:SwitchPanel",
    ),
    "the import": ("browse.import_panel:PreviewPanel", "browse.import_panel:ChoicePanel"),
    "the join with IMDb": ("data.imdb_panel:ImdbPanel",),
    "panels of Train": (
        "quit:QuitPanel",
        "train.panels:PrunePanel",
        "train.panels:TablesPanel",
        "train.columns_panel:ColumnsPanel",
    ),
    "sweeps": ("train.sweep_panel:SweepPanel",),
}
"""Modal screens. An open panel receives all keys."""
TEXT_PANEL_KEY = "panel.leave"
"""The id of an action that only panels with a text field have. In these panels, the keys of lists do not work."""
MAX_BYTES = 2**20
"""The largest file that is read, in bytes. A file that sets all keys has a few thousand."""
MAX_QUOTED = 100
"""The most characters of a wrong value that a message quotes."""
MODIFIERS = ("ctrl", "shift", "alt", "meta", "super", "hyper")
NAMES = sorted(
    name
    for name in {
        *(key.value.rpartition("+")[2] for key in Keys),
        *KEY_NAME_REPLACEMENTS.values(),
        *(key_name(chr(code)) for code in range(ord("!"), ord("~") + 1)),
    }
    if re.fullmatch("[a-z0-9_]{2,}", name)
)
"""The names of keys: of those without a character, and of the symbols on a keyboard."""
_MODIFIED = rf"(?:(?:{'|'.join(MODIFIERS)})\+)*"
_UNSEEN = r"\s\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
_KEY = rf"{_MODIFIED}(?:{'|'.join(NAMES)}|[^,{_UNSEEN}])"
KEYS = rf"^ *(?:{_KEY} *(?:, *{_KEY} *)*|,)$"
"""A pattern, for Python and for JavaScript, of all that can be written as keys: the file is checked with it, too."""
HEAD = """\
# movietui reads this file when it starts: {path}
# To change a key, remove the # at the start of its line. Separate several keys with commas. A key is a letter, a symbol
# or a name: enter, escape, space, tab, up, f2, comma, ctrl+x.
# An editor that knows JSON Schema can complete and check this file: movietui config --schema prints its schema.

[{part}]
"""


@dataclass(frozen=True)
class KeyAction:
    """An action that a key performs."""

    id: str
    keys: str
    """The default keys, separated by commas."""
    description: str
    section: str
    """Where the key works: on a screen, in a part of one, or everywhere."""


@dataclass(frozen=True)
class Keymap:
    """The usable keys that a file sets, and what is wrong with the rest of the file."""

    keys: dict[str, str] = field(default_factory=dict)
    """The keys of each action, separated by commas, by the id of the action."""
    problems: tuple[str, ...] = ()
    """A sentence for each part of the file that cannot be used."""


def list_actions() -> list[KeyAction]:
    """Return all actions whose keys can be set, section by section."""
    actions: dict[str, KeyAction] = {}
    for section, bindings in _sections():
        for binding in bindings:
            if binding.id is not None and binding.id not in actions:
                description = binding.tooltip or binding.description
                target = "every screen" if binding.id.startswith("screen.") else section
                actions[binding.id] = KeyAction(binding.id, binding.key, description, target)
    order = [*GLOBAL, *SCREENS, *WIDGETS, *PANELS]
    return sorted(actions.values(), key=lambda each: order.index(each.section))


def _sections() -> Iterator[tuple[str, list[Binding]]]:
    """Yield a section and its bindings for each screen, part of a screen and panel. Panels may share a section."""
    for section, target in {**GLOBAL, **SCREENS, **WIDGETS}.items():
        yield section, _bindings(target)
    for section, panels in PANELS.items():
        yield from ((section, _bindings(panel)) for panel in panels)


def _bindings(target: str) -> list[Binding]:
    module, _, name = target.partition(":")
    return list(declared_bindings(getattr(import_module(f"movietui.ui.{module}"), name)))


def defaults(path: Path) -> str:
    """Return the text of a file for ``path`` that documents all keys and changes none."""
    lines, section = [HEAD.format(path=path, part=TABLE)], ""
    for each in list_actions():
        if each.section != section:
            section = each.section
            lines.append(f"\n# {section[0].upper()}{section[1:]}\n")
        entry = f'# {each.id} = "{each.keys}"'
        lines.append(f"{entry:<46}  # {each.description}\n")
    return "".join(lines)


def schema() -> dict[str, Any]:
    """Return a JSON Schema of the file: each action with what it does and its default keys."""
    tables: dict[str, dict[str, Any]] = {}
    for each in list_actions():
        table, _, name = each.id.rpartition(".")
        tables.setdefault(table, {})[name] = {
            "$ref": "#/$defs/keys",
            "description": f"{each.description}. Works on: {each.section}.",
            "default": each.keys,
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "movietui: config.toml",
        **_table({TABLE: _table({name: _table(actions) for name, actions in tables.items()})}),
        "$defs": {
            "keys": {
                "type": "string",
                "description": "One key, or several separated by commas.",
                "pattern": KEYS,
                "examples": ["h", "h,left", "ctrl+x", "comma"],
            }
        },
    }


def _table(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def read(path: Path) -> Keymap:
    """Return the keys that a file sets, and what is wrong with other entries. A missing file sets no keys."""
    try:
        return _read(path)
    except RecursionError:  # raised by the parser, or while its result is traversed
        return Keymap(
            problems=(tr("{path}: brackets or names are nested too deeply; the default keys are used.", path=path),)
        )


def _read(path: Path) -> Keymap:
    try:
        content = disk.read(path, MAX_BYTES).decode("utf-8-sig")
        document = tomllib.loads(content)
    except FileNotFoundError:
        return Keymap()
    except OSError as error:
        problem = tr("{path} cannot be read: {error}; the default keys are used.", path=path, error=error.strerror)
        return Keymap(problems=(problem,))
    except ValueError as error:
        match = re.search(r"(.*) \(at line (\d+)", str(error))
        what, at = (match[1], tr("{path} line {line}", path=path, line=match[2])) if match else (str(error), str(path))
        what = what[:1].lower() + what[1:MAX_QUOTED]
        return Keymap(problems=(tr("{where}: {error}; the default keys are used.", where=at, error=what),))
    lines = content.splitlines()
    problems = [
        tr(
            "{where}: there is no section {name!r}; the only one is [{section}].",
            where=_location(path, lines, name),
            name=name[:MAX_QUOTED],
            section=TABLE,
        )
        for name in document
        if name != TABLE
    ]
    requested = document.get(TABLE, {})
    if not isinstance(requested, dict):
        at = _location(path, lines, TABLE)
        problems.append(tr("{where}: write [{section}] on a line, and the keys below it.", where=at, section=TABLE))
        return Keymap(problems=tuple(problems))
    known_actions = {each.id: each for each in list_actions()}
    keys: dict[str, str] = {}
    for name, value in _flatten(requested):
        at = _location(path, lines, name)
        if name not in known_actions:
            section, _, action = name.rpartition(".")
            actions = [each.rpartition(".")[2] for each in known_actions if each.startswith(f"{section}.")]
            meant = hint(action, actions, tr("movietui config --defaults lists all of them."))
            problems.append(
                tr("{where}: there is no key binding {name!r}; {hint}", where=at, name=name[:MAX_QUOTED], hint=meant)
            )
        elif (parsed := _keys(value)) is None:
            problems.append(
                tr(
                    '{where}: {typed!r} is not a key; write, for example, {action} = "{keys}".',
                    where=at,
                    typed=str(value)[:MAX_QUOTED],
                    action=name,
                    keys=known_actions[name].keys,
                )
            )
        else:
            keys[name] = parsed
    for name in list(keys):
        if (other := _conflict(name, keys, known_actions)) is not None:
            problems.append(
                tr(
                    "{where}: {key!r} is also the key of {action}; choose another for one of them.",
                    where=_location(path, lines, name),
                    key=keys[name],
                    action=other,
                )
            )
            del keys[name]
    return Keymap(keys, tuple(problems))


async def apply_keymap(app: MovieTui, path: Path) -> None:
    """Give the app the keys that a file sets, and show the first problem."""
    keymap = await asyncio.to_thread(read, path)  # slow: it imports every screen to learn its keys
    app.custom_keys = keymap.keys
    app.set_keymap(keymap.keys)
    if keymap.problems:
        count = len(keymap.problems) - 1
        more = tr(" {count} more: movietui config lists them.", count=count)
        app.show_problem(Problem(keymap.problems[0] + more * bool(count)))


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each action id with its value. The part of an id before the full stop may be a table of its own."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _location(path: Path, lines: list[str], name: str) -> str:
    """Return the file and the line of an entry, or only the file if the line is not found."""
    for requested in (name, name.rpartition(".")[2]):
        pattern = re.compile(rf"""\s*\[?\s*["']?{re.escape(requested)}["']?\s*[=\].]""")
        for number, line in enumerate(lines, start=1):
            if pattern.match(line):
                return tr("{path} line {line}", path=path, line=number)
    return str(path)


def _keys(value: object) -> str | None:
    """Return keys as Textual names them, separated by commas; ``None`` if an entry is not a key."""
    if not isinstance(value, str) or not re.fullmatch(KEYS, value):
        return None
    return ",".join(_key(word.strip()) for word in ([value] if value == "," else value.split(",")))


def _key(word: str) -> str:
    match = re.match(_MODIFIED, word)
    assert match is not None
    base = word[match.end() :]
    return match[0] + (key_name(base) if len(base) == 1 else base)


def _conflict(name: str, keys: Mapping[str, str], known_actions: Mapping[str, KeyAction]) -> str | None:
    """Return the id of another action that has the same key and is active at the same time; else ``None``."""
    keys_of_name = set(keys[name].split(","))
    for group in _active_together():
        for other in group if name in group else ():
            if other != name and keys_of_name & set(keys.get(other, known_actions[other].keys).split(",")):
                return other
    return None


def _active_together() -> Iterator[list[str]]:
    """Yield groups of actions, by id, that are active at the same time, so that their keys must differ.

    There is a group for each screen, part of a screen and panel.
    """
    everywhere = {section: _bindings(target) for section, target in GLOBAL.items()}
    for section, bindings in _sections():
        if section in SCREENS:
            bindings = [*everywhere["every screen"], *everywhere["every list"], *bindings]
        elif section in PANELS and TEXT_PANEL_KEY not in {binding.id for binding in bindings}:
            bindings = [*everywhere["every list"], *bindings]
        yield list(dict.fromkeys(binding.id for binding in bindings if binding.id is not None))
