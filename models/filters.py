"""One line that says which movies may be in a list: ``+Comedy -Horror 1980..1999 >=50 alien``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.dataset import Bools, Dataset
from data.problems import Problem
from data.titles import film_key

EXAMPLE = '+Comedy -Horror 1980..1999 >=50 "alien"'
FOREVER = 9999
"""Later than any year of release."""

_PARTS = re.compile(r'"([^"]*)"|(\S+)')
_YEARS = re.compile(r"([0-9]{4})?\.\.([0-9]{4})?")
_LEAST = re.compile(r">=([0-9]{1,9})")


@dataclass(frozen=True)
class Filter:
    """What a movie must be like. Without anything in it, all movies pass."""

    wanted: tuple[int, ...] = ()
    """Columns of the genres that it must have, all of them."""
    unwanted: tuple[int, ...] = ()
    """Columns of the genres that it must not have, none of them."""
    first: int = 0
    """Released no earlier; a movie of unknown year passes only where neither year is given."""
    last: int = FOREVER
    """Released no later."""
    least: int = 0
    """At least so many ratings in the dataset."""
    words: tuple[str, ...] = ()
    """Each must be part of the title; as in ``film_key``, case, accents and punctuation do not count."""

    def passes(self, dataset: Dataset) -> Bools:
        """Return which movies of a dataset pass, shape (movies,)."""
        movies = dataset.movies
        passing: Bools = dataset.counts >= self.least
        if (self.first, self.last) != (0, FOREVER):
            passing &= (movies.years >= max(1, self.first)) & (movies.years <= self.last)
        passing &= movies.genres[:, np.asarray(self.wanted, np.intp)].all(axis=1)
        passing &= ~movies.genres[:, np.asarray(self.unwanted, np.intp)].any(axis=1)
        for row in np.flatnonzero(passing) if self.words else ():
            title = _without_year(movies.keys[row])
            passing[row] = all(word in title for word in self.words)
        return passing


def parse(text: str, genre_names: Sequence[str]) -> Filter:
    """Read a filter; its parts have spaces between them and all must hold.

    ``+Genre`` and ``-Genre`` (case does not count, the beginning is enough), ``1980..1999``, ``1980..``, ``..1999``,
    ``>=50`` ratings; anything else, in quotes where it has spaces or begins with a sign, is part of the title. Raises
    ``Problem`` for a genre that the dataset does not have and for what cannot be read.
    """
    if text.count('"') % 2:
        raise Problem(f"The filter {text!r} has a quote that is not closed; close it.")
    wanted: list[int] = []
    unwanted: list[int] = []
    words: list[str] = []
    first, last, least = 0, FOREVER, 0
    for quoted, part in _PARTS.findall(text):
        if not part:
            words.append(_without_year(film_key(quoted, 0)))
        elif part[0] in "+-":
            (wanted if part[0] == "+" else unwanted).append(_genre(part[1:], genre_names))
        elif match := _LEAST.fullmatch(part):
            least = max(least, int(match[1]))
        elif (match := _YEARS.fullmatch(part)) and (match[1] or match[2]):
            first, last = max(first, int(match[1] or 0)), min(last, int(match[2] or FOREVER))
        elif part[0] in "<>=@" or ".." in part:
            raise Problem(f"The filter has {part!r}, which cannot be read; write it like {EXAMPLE}, or in quotes.")
        else:
            words.append(_without_year(film_key(part, 0)))
    if first > last:
        raise Problem(f"The filter asks for the years {first} to {last}, which is none; put the earlier year first.")
    return Filter(tuple(wanted), tuple(unwanted), first, last, least, tuple(words))


def _genre(typed: str, genre_names: Sequence[str]) -> int:
    """Return the column of a genre: the one called so, or the only one that begins so."""
    names = [_folded(name) for name in genre_names]
    wanted = _folded(typed)
    found = [column for column, name in enumerate(names) if name == wanted]
    if wanted and not found:
        found = [column for column, name in enumerate(names) if name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    raise Problem(f"There is no genre {typed!r}; choose one of {', '.join(genre_names)}.")


def _folded(genre: str) -> str:
    return "".join(character for character in genre.casefold() if character.isalnum())


def _without_year(key: str) -> str:
    return key.rpartition(" ")[0]
