"""Conditions of a filter that name a list: ``list:shelf``, ``-list:"Rainy evenings"``.

Does not import numpy, so that the app can read these conditions too.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.query.condition_text import LAST, LIST, conditions_of

_LIST = re.compile(rf"([+-]?){LIST}(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class KnownLists:
    """The lists that a filter may name: those of all its viewers together."""

    owners: tuple[str, ...] = ()
    """The names of the profiles among the viewers; users of a dataset have no lists."""
    movies: Mapping[str, Collection[str]] = field(default_factory=dict)
    """The keys of the movies of each list, by the name of the list; see ``combined``."""

    def keys_of(self, name: str, part: str) -> frozenset[str]:
        """Return the keys of the movies on a list. Names are compared as ``folded`` returns them.

        ``part`` is the whole condition. Raises ``Problem``, with similar names, if there is no such list.
        """
        wanted = folded(name)
        if not wanted:
            raise Problem(
                tr(
                    "The filter has {part!r} without a name; write the name of a list after {prefix}.",
                    part=part,
                    prefix=LIST,
                )
            )
        for known, keys in self.movies.items():
            if folded(known) == wanted:
                return frozenset(keys)
        if not self.owners:
            raise Problem(
                tr("The filter has {part!r}, but a user of a dataset has no lists; choose a profile.", part=part)
            )
        whose = tr(" and ").join(self.owners)
        if not self.movies:
            has = tr("has") if len(self.owners) == 1 else tr("have")
            example = command(self.owners[0], "add NAME MOVIE")
            raise Problem(
                tr("{owners} {has} no lists yet; {command} makes one.", owners=whose, has=has, command=example)
            )
        raise no_such(
            tr("There is no list {name!r} of {owners}", name=name, owners=whose),
            name,
            self.movies,
            tr("lists: {lists}.", lists=", ".join(self.movies)),
        )


NO_LISTS = KnownLists()


def command(profile: str, rest: str) -> str:
    """Return the command line about the lists of a profile.

    >>> command("Anna B", "scan DIR")
    "movietui list --profile 'Anna B' scan DIR"
    """
    return f"movietui list --profile {shlex.quote(profile)} {rest}"


def folded(name: str) -> str:
    """Return the form in which names of lists are compared: case, extra spaces and the kind of quotes do not count.

    >>> folded('My  "Best"')
    "my 'best'"
    """
    return " ".join(name.split()).casefold().replace('"', "'")


def combined(lists: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Merge the lists of several viewers: for each name, in its first spelling, the keys on any list of that name.

    >>> combined([{"Shelf": ["a", "b"]}, {"shelf": ["b", "c"]}])
    {'Shelf': ['a', 'b', 'c']}
    """
    spelled: dict[str, str] = {}
    keys: dict[str, dict[str, None]] = {}
    for of_one in lists:
        for name, its_keys in of_one.items():
            keys.setdefault(spelled.setdefault(folded(name), name), {}).update(dict.fromkeys(its_keys))
    return {name: [*its_keys] for name, its_keys in keys.items()}


def condition(name: str, sign: str = "") -> str:
    """Return the condition that a movie must be on a list or, with the sign ``-``, must not be on it.

    >>> condition("shelf"), condition("Rainy evenings", "-")
    ('list:shelf', '-list:"Rainy evenings"')
    """
    written = " ".join(name.split()).replace('"', "'")
    return f'{sign}{LIST}"{written}"' if " " in written else f"{sign}{LIST}{written}"


def list_in(part: str) -> tuple[str, str] | None:
    """Return the sign (``+``, ``-`` or empty) and the name of the list in a condition; None if it names no list."""
    match = _LIST.fullmatch(part)
    return (match[1], match[2].strip('"')) if match else None


def begun_in(filter_text: str) -> tuple[str, str] | None:
    """Return the sign and the beginning of the name if the last condition of a half-typed filter names a list.

    Two letters of ``list:`` are enough. Returns None for any other condition.
    """
    last = LAST.search(filter_text)
    part = last[0] if last else ""
    sign = part[:1] if part[:1] in ("+", "-") else ""
    started = len(part) - len(sign) > 1 and LIST.startswith(part[len(sign) :].casefold())
    return (sign, "") if started else list_in(part)


def lists_in(filter_text: str) -> list[tuple[str, str]]:
    """Return the sign and the name of each list in a filter, in order."""
    return [named for part in conditions_of(filter_text) if (named := list_in(part))]


def wanted_list(filter_text: str) -> str:
    """Return the name of the first list on which the movies of a filter must be; empty if there is none."""
    return next((name for sign, name in lists_in(filter_text) if sign != "-"), "")


def names_in(filter_text: str) -> set[str]:
    """Return the names of the lists in a filter, as ``folded`` returns them."""
    return {folded(name) for _, name in lists_in(filter_text)}


def without_lists(filter_text: str, names: Collection[str]) -> str:
    """Return a filter without the conditions that name one of these lists, given as ``folded`` returns them."""
    others = (
        part for part in conditions_of(filter_text) if (named := list_in(part)) is None or folded(named[1]) not in names
    )
    return " ".join(others)


def with_list(filter_text: str, name: str) -> str:
    """Return a filter whose movies must be on this list instead of any other; an empty name means no list.

    >>> with_list("+Comedy list:shelf", "Rainy evenings")
    '+Comedy list:"Rainy evenings"'
    """
    others = [part for part in conditions_of(filter_text) if (named := list_in(part)) is None or named[0] == "-"]
    return " ".join([*others, condition(name)] if name else others)
