"""Ratings of users for items, as a reader returns them, and their conversion to the raw tables of a dataset."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movietui.data import scales
from movietui.data.dataset import HIGHEST_RATING, Scale
from movietui.data.language import tr
from movietui.data.movielens.raw_frames import numbers
from movietui.data.movielens.release import MISSING, Malformed, Raw
from movietui.data.movielens.text_lines import LAST_ID, LAST_TIME, LINES_PER_MALFORMED, MAX_TITLE_LENGTH, MIN_MALFORMED
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MAX_ID_LENGTH = 200
"""A longer id counts as missing: it is text of another kind."""
MILLISECONDS = 10**11
"""Numbers from this one on are times in milliseconds: in seconds, this is the year 5138."""


@dataclass(frozen=True, eq=False)
class Interactions:
    """Who rated what, as columns of the same length, in the order of the file."""

    user: "pa.ChunkedArray"
    """The ids of the users, as text; null if missing."""
    item: "pa.ChunkedArray"
    """The ids of the items, as text; null if missing."""
    rating: NDArray[np.float64] | None
    """NaN if missing; ``None`` if there are no ratings, only who watched what."""
    time: NDArray[np.int64] | None
    """Seconds since 1970, or ``MISSING``; ``None`` if there are no times."""
    file: str
    """The name of the file."""
    titles: dict[str, str] = field(default_factory=dict)
    """The titles of items, as far as they are known, by id."""
    malformed: tuple[Malformed, ...] = ()
    scale: Scale | None = None
    """The scale, if the layout fixes it; ``None`` if it must be inferred from the ratings."""
    note: str = ""
    """A sentence for the user on what was left out, or empty."""

    def to_raw(self, scale: Scale | None) -> Raw:
        """Return the raw tables. ``scale`` is the scale that the user gave, without steps, if any."""
        user, users = codes_of(self.user)
        item, items = codes_of(self.item)
        columns: dict[str, NDArray[Any]] = {"user_id": user, "movie_id": item}
        known_scale = Scale()
        if self.rating is not None:
            columns["stars"] = self.rating.astype(np.float32)
            known_scale = (
                scales.with_steps(scale, columns["stars"]) if scale else self.scale or scales.find(columns["stars"])
            )
        columns["time"] = np.zeros(len(user), np.int64) if self.time is None else self.time
        titles = [strip_controls(self.titles.get(each, "")).strip()[:MAX_TITLE_LENGTH] for each in items]
        movies = {"title": titles, "release_date": "", "genres": "", "published_id": items}
        return Raw(
            numbers(columns),
            _described("movie_id", items, movies),
            _described("user_id", users, {"published_id": users}),
            (),
            known_scale,
            self.malformed,
            self.file,
        )


def _described(name: str, ids: list[str], columns: Mapping[str, Any]) -> "pd.DataFrame":
    import pandas as pd

    texts = {column: pd.Series(values, range(len(ids)), dtype="str") for column, values in columns.items()}
    return pd.DataFrame({name: np.arange(len(ids), dtype=np.int32), **texts})


def codes_of(ids: "pa.ChunkedArray") -> tuple[NDArray[np.int32], list[str]]:
    """Return a number for each id, or ``MISSING``, and the id of each number, in the order in which they occur.

    Spaces around an id do not count. Raises ``Problem`` if there are too many ids.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pc.dictionary_encode(ids.cast(pa.large_string())).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # without chunks, there is nothing to combine
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([], encoded.type)
    numbers_of: dict[str, int] = {}
    code = []
    for text in encoded.dictionary.to_pylist():
        plain = strip_controls(text).strip()
        code.append(numbers_of.setdefault(plain, len(numbers_of)) if 0 < len(plain) <= MAX_ID_LENGTH else MISSING)
    if len(numbers_of) > LAST_ID:
        raise Problem(
            tr(
                "There are {count:,} different ids, more than the limit of {limit:,}.",
                count=len(numbers_of),
                limit=LAST_ID,
            )
        )
    index = pc.fill_null(encoded.indices, len(code)).to_numpy(zero_copy_only=False)
    return np.asarray([*code, MISSING], np.int32)[index], [*numbers_of]


def ratings_of(column: "pa.ChunkedArray") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return ratings as numbers, NaN if missing, and which of them are written but are not numbers in range."""
    import pandas as pd

    texts = column.to_pandas()
    values = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = (texts.notna().to_numpy() & np.isnan(values)) | (np.abs(values) > HIGHEST_RATING)
    return np.where(wrong, np.nan, values), wrong


def times_of(column: "pa.ChunkedArray") -> NDArray[np.int64]:
    """Return times in seconds since 1970, ``MISSING`` if there is none or it cannot be read.

    A time may be a number of seconds or milliseconds, or a date, such as ``2005-09-06``, with or without the time of
    the day.
    """
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    texts = column.to_pandas()
    seconds = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, copy=True, na_value=np.nan)
    dated = texts.notna().to_numpy() & np.isnan(seconds)
    if dated.any():
        moments = pd.to_datetime(texts[dated], errors="coerce", utc=True, format="ISO8601")
        since = (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
        seconds[dated] = since.to_numpy(np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        seconds = np.where(seconds >= MILLISECONDS, seconds / 1000, seconds)
        valid = (seconds >= 0) & (seconds <= LAST_TIME)
    return np.where(valid, seconds, MISSING).astype(np.int64)


def check_malformed(source: object, file: str, malformed: int, rows: int, first: str) -> None:
    """Raise ``Problem`` if too many of the rows of a file are malformed; ``first`` says what is wrong with one."""
    limit = max(MIN_MALFORMED, rows // LINES_PER_MALFORMED)
    if malformed > limit:
        raise Problem(
            tr(
                "{path} cannot be read: {malformed:,} of {rows:,} rows of {file} are wrong; {reason}.",
                path=source,
                malformed=malformed,
                rows=rows,
                file=file,
                reason=first,
            )
        )
