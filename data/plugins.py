"""Plug-ins: models, readers and metrics in other installed packages, which declare them as entry points.

Names come from the metadata of the installed packages, so that listing them imports no plug-in. A plug-in that cannot
be used is left out, and a sentence says why; everything else works without it. ``docs/plugins.md`` says what a package
declares.
"""

import contextlib
import functools
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from movietui.data.language import tr
from movietui.data.problems import Problem, is_stop
from movietui.data.safe_text import strip_controls

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind = Literal["model", "reader", "metric"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of plug-ins; the entry points of models are in the group ``movietui.models``."""
NAME = re.compile(r"[a-z0-9][a-z0-9@._-]{0,39}")
"""What the name of a plug-in may be, because people type it."""
MAX_REASON = 200
"""How many characters of a plug-in's error are shown at most."""


@dataclass(frozen=True)
class Plugin:
    """A model, a reader or a metric that an installed package declares."""

    kind: Kind
    name: str
    package: str
    """The package that declares it."""
    version: str
    entry: "EntryPoint"
    conflict: str = ""
    """Why the name cannot be used, as the end of a sentence; empty if it can be used."""

    def problem(self, wrong: str) -> Problem:
        """Return the problem with the plug-in; ``wrong`` ends the sentence."""
        return Problem(
            tr(
                "The {kind} {name!r} of the package {package} {wrong}.",
                kind=self.kind,
                name=self.name,
                package=self.package,
                wrong=wrong,
            )
        )

    def load(self) -> object:
        """Import what the entry point names. Raises ``Problem`` if the name cannot be used or the import fails.

        What the package prints goes to standard error, because standard output may be a JSON document.
        """
        if self.conflict:
            raise self.problem(self.conflict)
        with contextlib.redirect_stdout(sys.stderr), explained(self, tr("be imported")):
            return self.entry.load()


@contextlib.contextmanager
def explained(plugin: Plugin, what: str) -> Iterator[None]:
    """Replace an error in the code of a plug-in, even an attempt to exit, with a ``Problem`` that says ``what`` the
    plug-in could not do."""
    try:
        yield
    except Problem:
        raise
    except (Exception, SystemExit) as error:
        if is_stop(error):
            raise
        what_went_wrong = strip_controls(str(error)).strip()
        reason = f"{type(error).__name__}: {what_went_wrong}" if what_went_wrong else type(error).__name__
        raise plugin.problem(
            tr("cannot {action} ({reason}); update or uninstall the package", action=what, reason=reason[:MAX_REASON])
        ) from error


def no_name(name: str) -> bool:
    """Return ``False``: no name is taken."""
    return False


def declared(kind: Kind, taken: Callable[[str], bool] = no_name) -> tuple[Plugin, ...]:
    """Return the plug-ins of a kind that installed packages declare, in the order of their names. Imports none of them.

    ``taken`` tells whether movietui itself uses a name.
    """
    return tuple(_checked(plugin, taken) for plugin in _declared().get(kind, ()))


def usable(kind: Kind, taken: Callable[[str], bool] = no_name) -> Mapping[str, Plugin]:
    """Return the plug-ins of a kind whose names can be used, by name; the others are reported."""
    for plugin in (plugins := declared(kind, taken)):
        if plugin.conflict:
            report(plugin.problem(plugin.conflict))
    return {plugin.name: plugin for plugin in plugins if not plugin.conflict}


@functools.cache
def _declared() -> Mapping[Kind, tuple[Plugin, ...]]:
    from importlib.metadata import entry_points  # takes some time to import, and not every process needs it

    by_kind: dict[Kind, tuple[Plugin, ...]] = {}
    try:
        for kind in KINDS:
            entries = entry_points(group=f"movietui.{kind}s")
            plugins = [Plugin(kind, entry.name, *_package_of(entry), entry) for entry in entries]
            by_kind[kind] = tuple(sorted(plugins, key=lambda plugin: (plugin.name, plugin.package)))
    except Exception as error:  # somebody else's damaged metadata
        report(
            Problem(
                tr(
                    "Plug-ins cannot be listed ({error}): the metadata of a package is damaged.",
                    error=type(error).__name__,
                )
            )
        )
    return by_kind


def _package_of(entry: "EntryPoint") -> tuple[str, str]:
    """Return the name and the version of the package that declares an entry point."""
    return (str(entry.dist.name), str(entry.dist.version)) if entry.dist else ("?", "?")


def _checked(plugin: Plugin, taken: Callable[[str], bool]) -> Plugin:
    """Return the plug-in with its conflict, if there is any."""
    packages = [other.package for other in _declared()[plugin.kind] if other.name == plugin.name]
    conflict = ""
    if not NAME.fullmatch(plugin.name):
        conflict = tr("is not used: a name has at most 40 lowercase letters, digits, and the characters @ . _ -")
    elif taken(plugin.name):
        conflict = tr("is not used, because movietui has one with this name; its author must rename it")
    elif len(packages) > 1:
        conflict = tr(
            "is not used, because {packages} declare the same name; uninstall one of these packages",
            packages=tr(" and ").join(packages),
        )
    return replace(plugin, conflict=conflict)


_reported: dict[str, None] = {}


def report(problem: Problem) -> None:
    """Remember why a plug-in was left out, so that the process can tell the user."""
    _reported[str(problem)] = None


def take_reports() -> list[str]:
    """Return the sentences that were reported since the last call, each once."""
    sentences = list(_reported)
    _reported.clear()
    return sentences
