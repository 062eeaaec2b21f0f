"""An index of all movies on IMDb by name: a digest of each name, with the movie's number, year and votes.

The index shows which other movies share a name, and so whether a name alone identifies a movie of the dataset. It is
small because it stores no text. The digests have 40 bits, so about one lookup in a million finds a wrong movie.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.storage.parquet import Columns
from movietui.data.titles import title_key

KINDS = ("movie", "tvMovie")
"""The kinds of titles in the index. There are so many titles of other kinds that a shared name would mean little."""
_BYTES = 5


@dataclass(frozen=True)
class Namesake:
    """A movie on IMDb that has a given name."""

    id: str
    """Such as ``tt0114709``."""
    year: int
    """0 if unknown."""
    votes: int


def digest(key: str) -> int:
    """Return the digest of a ``title_key``, ignoring spaces, so that "Spider-Man" equals "Spiderman"."""
    name = key.replace(" ", "").encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=_BYTES).digest(), "big")


class NamesBuilder:
    """Collects names while ``title.basics`` is read."""

    def __init__(self) -> None:
        self._rows: list[NDArray[np.int64]] = []

    def add(self, titles: Iterable[tuple[int, int, str, str]]) -> None:
        """Add titles, each given as the number in its id, its year, its name and its original name."""
        rows = {
            (digest(key), number, year)
            for number, year, name, original in titles
            for key in {title_key(each) for each in {name, original}}
        }
        if rows:
            self._rows.append(np.array(list(rows), np.int64))

    def columns(self) -> Columns:
        """Return all names as columns, ordered by digest; the votes are all 0 until the caller fills them in."""
        rows = np.concatenate([np.empty((0, 3), np.int64), *self._rows])
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        return {
            "digest": rows[:, 0].copy(),
            "number": rows[:, 1].astype(np.int32),
            "year": rows[:, 2].astype(np.int32),
            "votes": np.zeros(len(rows), np.int32),
        }


class Names:
    """Finds movies on IMDb by name."""

    def __init__(self, columns: Columns) -> None:
        self._columns: dict[str, NDArray[Any]] = {name: np.asarray(column) for name, column in columns.items()}

    def namesakes(self, key: str) -> list[Namesake]:
        """Return the movies that have a name with this ``title_key``."""
        columns, wanted = self._columns, digest(key)
        first, last = np.searchsorted(columns["digest"], (wanted, wanted + 1))
        return [
            Namesake(f"tt{columns['number'][row]:07}", int(columns["year"][row]), int(columns["votes"][row]))
            for row in range(int(first), int(last))
        ]
