"""Makes a dataset from a pandas table."""

from typing import TYPE_CHECKING

from movietui.data import scales
from movietui.data.cleaning.cleaner import clean, parse
from movietui.data.cleaning.encoding import encode
from movietui.data.dataset import Dataset
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.tables import table
from movietui.data.tables.columns import by_header

if TYPE_CHECKING:
    import pandas as pd

UNCLEANED = "none"


def from_frame(frame: "pd.DataFrame", name: str = "frame", scale: str = "") -> Dataset:
    """Return a dataset with the ratings in a table, in the same order, without storing it.

    The columns are named as in ``movietui.data.tables.columns.NAMES``: ``user`` and ``item`` (or ``movie``), ids of any
    type, and, if known, ``rating`` (or ``stars``), ``time`` and ``title``. Without ratings, the dataset only says who
    watched what. ``scale`` is the scale of the ratings, such as ``0..100``; if empty, it is inferred from the ratings.
    Raises ``Problem`` if there is no column of users or items, if a row lacks either, or if a rating is not a number.
    """
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise Problem(tr("from_frame needs a pandas table, not a {kind}.", kind=type(frame).__name__))
    columns = by_header([str(column) for column in frame.columns])
    if columns is None:
        shown = ", ".join(str(column) for column in frame.columns[:20]) or tr("none")
        raise Problem(tr("The table needs a column user and a column item; its columns are {columns}.", columns=shown))
    named = {role: frame.iloc[:, index].reset_index(drop=True) for role, index in columns.items()}
    for role in ("user", "item"):
        if not len(frame) or named[role].isna().any():
            raise Problem(tr("Every row must have a {column}, and there must be at least one row.", column=role))
    # As text, because pyarrow does not take a column of several types.
    mixed = [role for role, column in named.items() if role in ("user", "item", "title") or column.dtype == object]
    named |= {role: named[role].astype(str).where(named[role].notna()) for role in mixed}
    interactions = table.of_columns(pa.table(named), name, tr("The table"))
    if interactions.malformed:
        raise Problem(tr("The table cannot be read: {reason}.", reason=interactions.malformed[0].reason))
    raw = interactions.to_raw(scales.parse(scale) if scale else None)
    return encode(name, clean(name, raw, parse(UNCLEANED))[0], UNCLEANED)
