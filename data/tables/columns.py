"""Says which columns of a table hold the user, the item, the rating, the time and the title."""

import re
from collections.abc import Mapping, Sequence

from movietui.data.language import tr
from movietui.data.movielens.text_lines import quote
from movietui.data.near_names import hint
from movietui.data.problems import Problem

NAMES: Mapping[str, tuple[str, ...]] = {
    "user": ("user", "userid", "uid", "reviewerid", "customerid", "memberid", "profileid"),
    "item": ("item", "itemid", "iid", "movie", "movieid", "asin", "parentasin", "isbn", "book", "bookid", "productid"),
    "rating": ("rating", "ratings", "stars", "score", "overall", "bookrating"),
    "time": ("time", "timestamp", "date", "datetime", "unixreviewtime", "ratedat"),
    "title": ("title", "itemtitle", "movietitle", "itemname", "booktitle"),
}
"""The names that a column may have, in any case and without punctuation, by what the column holds."""
ROLES = tuple(NAMES)
IN_ORDER = ("user", "item", "rating", "time")
"""What the columns named by ``--columns`` hold, in this order."""
IGNORED = "-"
EXAMPLE = "--columns user,item,rating,time"

Columns = Mapping[str, int]
"""The index of each column, by what it holds; at least ``user`` and ``item``."""


def role_of(name: str) -> str | None:
    """Return what a column with this name holds, or ``None`` if that is unknown.

    >>> role_of("User-ID"), role_of("movieId"), role_of("helpful")
    ('user', 'item', None)
    """
    plain = re.sub("[^a-z0-9]", "", name.casefold())
    return next((role for role, names in NAMES.items() if plain in names), None)


def by_header(header: Sequence[str]) -> Columns | None:
    """Return the columns that a header names, or ``None`` unless it names a user and an item."""
    columns: dict[str, int] = {}
    for index, name in enumerate(header):
        if role := role_of(name):
            columns.setdefault(role, index)
    return columns if {"user", "item"} <= columns.keys() else None


def as_named(named: Sequence[str], first_line: Sequence[str], source: object) -> tuple[Columns, bool]:
    """Return the columns that ``--columns`` names, and whether the first line is a header.

    ``named`` may have the names, in the header, of the columns with the user, the item, the rating and the time, in
    this order. The last ones may be left out, and ``-`` stands for one that the table lacks. Or ``named`` may have, for
    each column of the table in turn, a key of ``NAMES``, or ``-`` for a column that is not used. Raises ``Problem`` if
    it has neither.
    """
    names = [name.strip() for name in named]
    wanted = [name for name in names if name != IGNORED]
    are_roles = set(wanted) <= set(ROLES) and len({*wanted}) == len(wanted)
    index = {name.strip().casefold(): column for column, name in reversed([*enumerate(first_line)])}
    if are_roles and (known := by_header(first_line)) and set(wanted) <= known.keys():
        return _checked({role: known[role] for role in wanted}, source), True
    if len(names) <= len(IN_ORDER) and all(name.casefold() in index for name in wanted):
        roles = zip(IN_ORDER, names, strict=False)
        return _checked({role: index[name.casefold()] for role, name in roles if name != IGNORED}, source), True
    if are_roles and len(names) == len(first_line):
        columns = _checked({role: column for column, role in enumerate(names) if role != IGNORED}, source)
        return columns, _is_header(first_line, columns)
    unknown = next((name for name in wanted if name.casefold() not in index), "")
    listed = tr("its columns are {columns}.", columns=", ".join(quote(name) for name in first_line[:20]))
    meant = hint(unknown, list(first_line), listed) if unknown and not are_roles else listed
    raise Problem(
        tr("--columns {columns} does not fit {path}: {hint}", columns=",".join(names), path=source, hint=meant)
    )


def _is_header(first_line: Sequence[str], columns: Columns) -> bool:
    """Return whether the first line has no number where there should be one."""
    numbers = [first_line[columns[role]] for role in ("rating", "time") if role in columns]
    return any(text.strip() and not re.match(r"[-+.]?[0-9]", text.strip()) for text in numbers)


def _checked(columns: dict[str, int], source: object) -> Columns:
    for role in ("user", "item"):
        if role not in columns:
            raise Problem(
                tr(
                    "--columns must name the column of {path} with the {role}, such as {example}.",
                    path=source,
                    role=role,
                    example=EXAMPLE,
                )
            )
    return columns
