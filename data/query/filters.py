"""One line that says which movies may be in a list: ``+Comedy -Horror 1980..1999 >=50 <=110m @Scorsese alien``."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from data.dataset import Bools, Dataset, ImdbFacts
from data.problems import Problem
from data.titles import film_key, title_key

EXAMPLE = '+Comedy -Horror 1980..1999 >=50 <=110m @Scorsese "alien"'
FOREVER = 9999
"""Later than any year of release, and longer in minutes than any film."""
NEAR = 70.0
"""How alike, of 100, a name must be to what was typed to be asked about."""
SUGGESTIONS = 8
MINUTES = (90, 100, 110, 120, 150)
"""Runtimes that are suggested."""
RATINGS = (10, 50, 100, 500)
"""Numbers of ratings that are suggested."""

_PARTS = re.compile(r'(@?)"([^"]*)"|(\S+)')
_LAST = re.compile(r'(?:^|(?<=\s))(?:@?"[^"]*|[^\s"]*)$')
_YEARS = re.compile(r"([0-9]{4})?\.\.([0-9]{4})?")
_LIMIT = re.compile(r"([<>])=([0-9]{1,9})(m?)")
_DECADE = re.compile(r"([0-9]{1,4})(?:\.\.?[0-9]{0,4})?s?")


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
    shortest: int = 0
    """Minutes at least; a movie of unknown runtime passes only where neither limit is given."""
    longest: int = FOREVER
    """Minutes at most."""
    directors: tuple[frozenset[str], ...] = ()
    """Of each set of names, one must be among the directors."""

    def passes(self, dataset: Dataset) -> Bools:
        """Return which movies of a dataset pass, shape (movies,).

        Limits of runtime and directors need a dataset that is joined with IMDb, as ``parse`` makes sure.
        """
        movies, imdb = dataset.movies, dataset.movies.imdb
        passing: Bools = dataset.counts >= self.least
        if (self.first, self.last) != (0, FOREVER):
            passing &= (movies.years >= max(1, self.first)) & (movies.years <= self.last)
        if imdb is not None and (self.shortest, self.longest) != (0, FOREVER):
            passing &= (imdb.minutes >= max(1, self.shortest)) & (imdb.minutes <= self.longest)
        passing &= movies.genres[:, np.asarray(self.wanted, np.intp)].all(axis=1)
        passing &= ~movies.genres[:, np.asarray(self.unwanted, np.intp)].any(axis=1)
        if imdb is not None:
            for names in self.directors:
                rows = [row for name in names for row in imdb.directed.get(name, ())]
                passing &= np.isin(np.arange(len(movies)), rows)
        for row in np.flatnonzero(passing) if self.words else ():
            title = _without_year(movies.keys[row])
            passing[row] = all(word in title for word in self.words)
        return passing


def parse(text: str, dataset: Dataset) -> Filter:
    """Read a filter; its parts have spaces between them and all must hold.

    ``+Genre`` and ``-Genre`` (case does not count, the beginning is enough), ``1980..1999``, ``1980..``, ``..1999``,
    ``>=50`` ratings, ``>=90m`` and ``<=110m`` minutes, ``@Scorsese`` or ``@"Martin Scorsese"`` for who directed;
    anything else, in quotes where it has spaces or begins with a sign, is part of the title. Raises ``Problem``, which
    names the word, for a genre or director that the dataset does not have, for what IMDb would have to say of a dataset
    that is not joined with it, and for what cannot be read.
    """
    if text.count('"') % 2:
        raise Problem(f"The filter {text!r} has a quote that is not closed; close it.")
    names = dataset.movies.genre_names
    wanted: list[int] = []
    unwanted: list[int] = []
    words: list[str] = []
    directors: list[frozenset[str]] = []
    first, last, least, shortest, longest = 0, FOREVER, 0, 0, FOREVER
    for at, quoted, part in _PARTS.findall(text):
        if at:
            directors.append(_directors(quoted, f'@"{quoted}"', dataset))
        elif not part:
            words.append(_without_year(film_key(quoted, 0)))
        elif part[0] in "+-":
            (wanted if part[0] == "+" else unwanted).append(_genre(part[1:], names))
        elif part[0] == "@":
            directors.append(_directors(part[1:], part, dataset))
        elif match := _LIMIT.fullmatch(part):
            number = int(match[2])
            if not match[3] and match[1] == "<":
                raise Problem(f"The filter has {part!r}, which says no unit; for minutes write <={number}m.")
            if not match[3]:
                least = max(least, number)
            elif match[1] == ">":
                _joined(part, "runtimes", dataset)
                shortest = max(shortest, number)
            else:
                _joined(part, "runtimes", dataset)
                longest = min(longest, number)
            if shortest > longest:
                raise Problem(f"With {part!r} the filter asks for {shortest} to {longest} minutes, which is none.")
        elif (match := _YEARS.fullmatch(part)) and (match[1] or match[2]):
            first, last = max(first, int(match[1] or 0)), min(last, int(match[2] or FOREVER))
            if first > last:
                raise Problem(
                    f"With {part!r} the filter asks for the years {first} to {last}, which is none; "
                    "put the earlier year first."
                )
        elif part[0] in "<>=" or ".." in part:
            raise Problem(f"The filter has {part!r}, which cannot be read; write it like {EXAMPLE}, or in quotes.")
        else:
            words.append(_without_year(film_key(part, 0)))
    return Filter(tuple(wanted), tuple(unwanted), first, last, least, tuple(words), shortest, longest, tuple(directors))


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


def _directors(typed: str, part: str, dataset: Dataset) -> frozenset[str]:
    """Return the names of all directors whose name has what was typed in it, at the beginning of a word."""
    imdb = _joined(part, "directors", dataset)
    wanted = title_key(typed)
    if not wanted:
        raise Problem(f"The filter has {part!r}, which names nobody; write a director's name after the sign @.")
    found = frozenset(name for name, key in imdb.director_keys.items() if f" {wanted}" in f" {key}")
    if found:
        return found
    # Only here: whoever types a name that is there does not wait for it.
    from rapidfuzz import fuzz, process

    near = process.extract(wanted, imdb.director_keys, scorer=fuzz.WRatio, limit=3, score_cutoff=NEAR)
    hint = f"did you mean {', '.join(str(name) for _, _, name in near)}?" if near else "check the name."
    raise Problem(f"No director here is called {typed!r}; {hint}")


def _joined(part: str, facts: str, dataset: Dataset) -> ImdbFacts:
    imdb = dataset.movies.imdb
    if imdb is None:
        raise Problem(
            f"The filter has {part!r}, but {facts} are not known of {dataset.name}; "
            f"join it with IMDb first (movietui data imdb {dataset.name})."
        )
    return imdb


@dataclass(frozen=True)
class Suggestion:
    """How a half-typed filter may go on."""

    line: str
    """The whole filter with its last part completed."""
    part: str
    """The part itself, as it is written in a filter."""
    movies: int
    """How many movies of the dataset it is true of."""


def complete(text: str, dataset: Dataset, most: int = SUGGESTIONS) -> list[Suggestion]:
    """Return how the last part of a half-typed filter may go on, what is true of most movies first.

    Genres after ``+`` and ``-``, directors after ``@``, decades after a digit, limits after ``<`` and ``>``; a word
    without a sign may become a genre or a director, where it is not meant as a part of the title.
    Never raises; after a space, and where nothing fits, there are none.
    """
    match = _LAST.search(text)
    typed = match[0] if match else ""
    if not typed:
        return []
    before = text[: len(text) - len(typed)]
    used = {part or f'{at}"{quoted}"' for at, quoted, part in _PARTS.findall(before)}
    found = [
        Suggestion(before + part, part, movies)
        for part, movies in _parts(typed, dataset)
        if part != typed and part not in used and movies
    ]
    return sorted(found, key=lambda each: -each.movies)[:most]


def _parts(typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    """What a part may become, and how many movies each is true of."""
    sign, rest = typed[0], typed[1:]
    if sign in "+-":
        yield from _genres(sign, rest, dataset)
    elif sign == "@":
        yield from _named(rest.lstrip('"'), dataset)
    elif sign in "<>":
        yield from _limits(typed, dataset)
    elif match := _DECADE.fullmatch(typed):
        yield from _decades(match[1], dataset)
    elif len(typed) > 1 and sign != '"':
        yield from _genres("+", typed, dataset)
        yield from _named(typed, dataset)


def _genres(sign: str, typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    movies, wanted = dataset.movies, _folded(typed)
    for name, count in zip(movies.genre_names, movies.genres.sum(axis=0).tolist(), strict=True):
        if _folded(name).startswith(wanted) and " " not in name:
            yield sign + name, count if sign == "+" else len(movies) - count


def _named(typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    imdb, wanted = dataset.movies.imdb, title_key(typed)
    if imdb is None or not wanted:
        return
    for name, key in imdb.director_keys.items():
        if f" {wanted}" in f" {key}" and '"' not in name:
            yield f'@"{name}"' if " " in name else f"@{name}", len(imdb.directed[name])


def _decades(typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    decades = Counter((dataset.movies.years[dataset.movies.years > 0] // 10 * 10).tolist())
    for decade, count in sorted(decades.items(), reverse=True):
        if str(decade).startswith(typed[:3]) or f"{decade % 100:02}" == typed:
            yield f"{decade}..{decade + 9}", count


def _limits(typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    imdb = dataset.movies.imdb
    if typed[0] == ">":
        for least in RATINGS:
            if (part := f">={least}").startswith(typed):
                yield part, int((dataset.counts >= least).sum())
    if imdb is None:
        return
    for limit in MINUTES:
        if (part := f"{typed[0]}={limit}m").startswith(typed):
            fits = imdb.minutes >= limit if typed[0] == ">" else (imdb.minutes > 0) & (imdb.minutes <= limit)
            yield part, int(fits.sum())


def _folded(genre: str) -> str:
    return "".join(character for character in genre.casefold() if character.isalnum())


def _without_year(key: str) -> str:
    return key.rpartition(" ")[0]
