"""The man pages: one for each command, from its own help. ``setup.py`` writes them when a wheel is built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc

import click

from movietui import __version__
from movietui.protocol.exit_codes import MEANINGS

SECTION = 1
PROGRAM = "movietui"
TITLE = "movies you haven't seen, best first"
ENVIRONMENT: Mapping[str, str] = {
    "MOVIETUI_HOME": "The folder that holds all files, in place of those under FILES.",
    "MOVIETUI_OFFLINE": "If 1, movietui does not use the network.",
    "MOVIETUI_DEVICE": "The device that networks are trained on, such as cpu or cuda:1.",
    "MOVIETUI_DEBUG": "If 1, an unexpected error prints its traceback.",
    "NO_COLOR": "If set, there are no colours.",
    "CLICOLOR_FORCE": "If set and not 0, commands print colours to files and pipes too, unless NO_COLOR is set.",
    "CLICOLOR": "If 0, there are no colours, unless CLICOLOR_FORCE is set.",
    "TEXTUAL_THEME": "The theme of the app.",
    "XDG_DATA_HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME": "On Linux, the folders of which FILES names the "
    "defaults.",
}
"""The environment variables that movietui reads, and what they do."""
FILES: Mapping[str, str] = {
    "~/.local/share/movietui/movietui.sqlite3": "The store: profiles, ratings, lists and runs.",
    "~/.local/share/movietui/backups/": "Backups of the store.",
    "~/.local/share/movietui/checkpoints/": "Trained models.",
    "~/.local/share/movietui/imdb/": "The matches with IMDb that you chose.",
    "~/.cache/movietui/datasets/": "Datasets.",
    "~/.cache/movietui/downloads/": "Downloads.",
    "~/.cache/movietui/unfinished/": "The state of interrupted training.",
    "~/.config/movietui/config.toml": "Your keys; movietui config --defaults prints a file to start from.",
    "~/.local/state/movietui/log/movietui.log": "Unexpected errors, for movietui doctor --report.",
}
"""The files of movietui on Linux; ``movietui locate`` prints where they are."""


def pages(cli: click.Group, date: str) -> dict[str, str]:
    """Return the man page of each command by its name, such as ``movietui-data-get``. ``date``: that of the build."""
    return {context.command_path.replace(" ", "-"): _page(context, date) for context in _contexts(cli)}


def _contexts(command: click.Command, parent: click.Context | None = None) -> Iterator[click.Context]:
    name = command.name if parent else PROGRAM
    context = click.Context(command, parent, info_name=name, **command.context_settings)
    if command.hidden:
        return
    yield context
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _contexts(each, context)


def _page(context: click.Context, date: str) -> str:
    command = context.command
    name = context.command_path.replace(" ", "-")
    usage = " ".join(command.collect_usage_pieces(context))
    first, *rest = _paragraphs(command.help or "")
    title = TITLE if context.parent is None else first.partition(". ")[0].removesuffix(".")
    lines = [f'.TH "{name.upper()}" "{SECTION}" "{date}" "movietui {__version__}" "User commands"', ".nh", ".ad l"]
    lines += [".SH NAME", f"{_roff(name)} \\- {_roff(title)}"]
    lines += [".SH SYNOPSIS", f"\\fB{_roff(context.command_path)}\\fR {_roff(usage)}"]
    lines += [".SH DESCRIPTION", *_text([first, *rest])]
    records = (each.get_help_record(context) for each in command.get_params(context))
    lines += _section("OPTIONS", (record for record in records if record and record[1]))
    if isinstance(command, click.Group):
        names = ((f"{name}-{each.name}(1)", each.get_short_help_str(200)) for each in command.commands.values())
        lines += _section("COMMANDS", names)
    lines += _section("EXIT STATUS", MEANINGS.items())
    lines += _section("ENVIRONMENT", ENVIRONMENT.items())
    lines += _section("FILES", FILES.items())
    above = [context.parent.command_path] if context.parent else []
    others = [each.replace(" ", "-") for each in above] or ["movietui-data", "movietui-recommend", "movietui-doctor"]
    lines += [".SH SEE ALSO", ", ".join(f"\\fB{_roff(each)}\\fR(1)" for each in others)]
    return "\n".join(lines) + "\n"


def _section(heading: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return a section with a list of terms and what they mean; none if the list is empty."""
    listed = [line for term, meaning in rows for line in (".TP", f"\\fB{_roff(term)}\\fR", *_text([meaning]))]
    return [f".SH {heading}", *listed] if listed else []


def _paragraphs(help_text: str) -> list[str]:
    """Return the paragraphs of a help text, as click separates them; one that begins with ``\\b`` is not wrapped."""
    return re.split(r"\n{2,}", cleandoc(help_text).split("\f")[0].strip())


def _text(paragraphs: Iterable[str]) -> Iterator[str]:
    """Yield the lines of paragraphs."""
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):
            yield from (".nf", *map(_roff, paragraph.splitlines()[1:]), ".fi")
        else:
            yield _roff(" ".join(paragraph.split()))


def _roff(words: str) -> str:
    """Return text, on one line, that roff prints literally."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    escaped = escaped.replace("^", "\\(ha").replace("~", "\\(ti").replace('"', "\\(dq")
    return re.sub(r"[^\x20-\x7e]", lambda match: f"\\[u{ord(match[0]):04X}]", re.sub(r"^\.", r"\\&.", escaped))
