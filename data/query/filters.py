"""The filter language for lists: ``+Comedy -Horror 1980..1999 >=50 <=110m @Scorsese #heist alien``."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from movietui.data.dataset import Bools, Dataset, ImdbFacts
from movietui.data.language import tr
from movietui.data.near_names import either, no_such
from movietui.data.problems import Problem
from movietui.data.query.condition_text import EXAMPLE, LAST, PARTS
from movietui.data.query.fact_conditions import Condition, completions, condition_in
from movietui.data.query.list_conditions import NO_LISTS, KnownLists, begun_in, condition, folded, list_in
from movietui.data.titles import movie_key

NEW = ("new", "+new", "-new")
"""The spellings of the condition that the movie has no rating in the dataset and, with ``-``, of its opposite."""
SUGGESTIONS = 8
"""How many completions ``complete`` returns at most by default."""
MINUTES = (90, 100, 110, 120, 150)
"""The runtimes that are suggested as limits."""
RATINGS = (10, 50, 100, 500)
"""The numbers of ratings that are suggested as limits."""

_YEARS = re.compile(r"([0-9]{4})?\.\.([0-9]{4})?")
_LIMIT = re.compile(r"([<>])=([0-9]{1,9})(m?)")
_DECADE = re.compile(r"([0-9]{1,4})(?:\.\.?[0-9]{0,4})?s?")


@dataclass(frozen=True)
class Filter:
    """Conditions that a movie must meet, all of them. Every movie passes an empty filter."""

    wanted: tuple[int, ...] = ()
    """The columns of the genres that the movie must have."""
    unwanted: tuple[int, ...] = ()
    """The columns of the genres that the movie must not have."""
    first: int = 0
    """The earliest year. A movie of unknown year passes only if no limit on the year is set."""
    last: float = inf
    """The latest year; infinity for no limit."""
    least: int = 0
    """How many ratings the movie must have in the dataset at least."""
    words: tuple[str, ...] = ()
    """Words or phrases that the title must contain; as in ``movie_key``, case, accents and punctuation are ignored."""
    shortest: int = 0
    """The shortest runtime in minutes. A movie of unknown runtime passes only if no limit on the runtime is set."""
    longest: float = inf
    """The longest runtime in minutes; infinity for no limit."""
    facts: tuple[Condition, ...] = ()
    """Conditions on people, tags, languages and countries."""
    listed: tuple[frozenset[str], ...] = ()
    """Sets of keys of movies; the movie must be in each of these sets."""
    unlisted: tuple[frozenset[str], ...] = ()
    """Sets of keys of movies; the movie must be in none of these sets."""
    new: bool | None = None
    """True if the movie must have no rating in the dataset, False if it must have one; None if it does not matter."""

    def passes(self, dataset: Dataset) -> Bools:
        """Return which movies of a dataset pass, shape (movies,).

        If the dataset is not joined with IMDb, conditions on runtime are ignored; ``parse`` refuses such conditions.
        """
        movies, imdb = dataset.movies, dataset.movies.imdb
        passing: Bools = dataset.counts >= self.least
        if (self.first, self.last) != (0, inf):
            passing &= (movies.years >= max(1, self.first)) & (movies.years <= self.last)
        if imdb is not None and (self.shortest, self.longest) != (0, inf):
            passing &= (imdb.minutes >= max(1, self.shortest)) & (imdb.minutes <= self.longest)
        passing &= movies.genres[:, np.asarray(self.wanted, np.intp)].all(axis=1)
        passing &= ~movies.genres[:, np.asarray(self.unwanted, np.intp)].any(axis=1)
        for fact in self.facts:
            having, judged = _mask(len(movies), fact.rows(dataset)), fact.judged(dataset)
            passing &= having if fact.wanted else ~having
            if judged is not None:
                passing &= _mask(len(movies), judged)
        for keys in self.listed:
            passing &= _with_keys(keys, dataset)
        for keys in self.unlisted:
            passing &= ~_with_keys(keys, dataset)
        if self.new is not None:
            passing &= (dataset.counts == 0) == self.new
        for row in np.flatnonzero(passing) if self.words else ():
            title = _without_year(movies.keys[row])
            passing[row] = all(word in title for word in self.words)
        return passing


def _mask(movies: int, rows: Iterable[int]) -> Bools:
    """Return which of this many movies are in these rows."""
    mask = np.zeros(movies, bool)
    mask[list(rows)] = True
    return mask


def _with_keys(keys: Collection[str], dataset: Dataset) -> Bools:
    """Return which movies of a dataset have one of these keys, shape (movies,)."""
    having = np.zeros(len(dataset.movies), bool)
    having[[row for key in keys for row in dataset.movies.rows_by_key.get(key, ())]] = True
    return having


def parse(text: str, dataset: Dataset, lists: KnownLists = NO_LISTS) -> Filter:
    """Parse a filter: conditions separated by spaces, all of which must hold.

    ``+Genre`` requires a genre, and ``-Genre`` excludes one (case does not count, and the beginning of its name is
    enough). ``1980..1999``, ``1980..`` and ``..1999`` limit the year, ``>=50`` the number of ratings, and ``>=90m`` and
    ``<=110m`` the minutes. ``@Scorsese`` and ``@"Martin Scorsese"`` name a director or an actor, ``#twist-ending`` a
    tag (hyphens stand for spaces), ``lang:ko`` and ``country:fr`` an original language and a country, by code or name,
    and ``list:NAME`` one of ``lists``, in quotes if the name has spaces; ``-`` before any of these five excludes
    movies. ``new`` stands for the movies that nobody in the dataset has rated, and ``-new`` for the others. Any other
    text must occur in the title; it is in quotes if it has spaces, is ``"new"`` or begins with a special character.
    Raises ``Problem`` if a genre, person, tag, language, country or list is unknown, if the dataset lacks what a
    condition needs, if limits contradict each other, or if a condition cannot be parsed.
    """
    if text.count('"') % 2:
        raise Problem(tr("The filter {filter!r} has an open quote; close it.", filter=text))
    names = dataset.movies.genre_names
    wanted: list[int] = []
    unwanted: list[int] = []
    words: list[str] = []
    facts: list[Condition] = []
    listed: list[frozenset[str]] = []
    unlisted: list[frozenset[str]] = []
    new: bool | None = None
    first, least, shortest = 0, 0, 0
    last = longest = inf
    for prefix, quoted, unquoted in PARTS.findall(text):
        part = f'{prefix}"{quoted}"' if prefix else unquoted
        if part.casefold() in NEW:
            new = not part.startswith("-")
        elif named := list_in(part):
            (unlisted if named[0] == "-" else listed).append(lists.keys_of(named[1], part))
        elif part and (fact := condition_in(part, dataset)):
            facts.append(fact)
        elif not part:
            words.append(_without_year(movie_key(quoted, 0)))
        elif part[0] in "+-":
            (wanted if part[0] == "+" else unwanted).append(_genre(part[1:], names))
        elif match := _LIMIT.fullmatch(part):
            number = int(match[2])
            if not match[3] and match[1] == "<":
                raise Problem(
                    tr(
                        "The filter has {part!r} without a unit; for minutes write <={number}m.",
                        part=part,
                        number=number,
                    )
                )
            if not match[3]:
                least = max(least, number)
            elif match[1] == ">":
                _require_imdb(part, tr("runtimes"), dataset)
                shortest = max(shortest, number)
            else:
                _require_imdb(part, tr("runtimes"), dataset)
                longest = min(longest, number)
            if shortest > longest:
                raise Problem(
                    tr(
                        "{part!r} makes the filter ask for {shortest} to {longest:.0f} minutes, which is impossible; "
                        "write the shorter time after >=.",
                        part=part,
                        shortest=shortest,
                        longest=longest,
                    )
                )
        elif (match := _YEARS.fullmatch(part)) and (match[1] or match[2]):
            first, last = max(first, int(match[1] or 0)), min(last, float(match[2] or inf))
            if first > last:
                raise Problem(
                    tr(
                        "{part!r} makes the filter ask for the years {first} to {last:.0f}; put the earlier year "
                        "first.",
                        part=part,
                        first=first,
                        last=last,
                    )
                )
        elif part[0] in "<>=" or ".." in part:
            raise Problem(
                tr(
                    "The filter has {part!r}, which cannot be read; write conditions as in {example}, and put words of "
                    "a title in quotes.",
                    part=part,
                    example=EXAMPLE,
                )
            )
        else:
            words.append(_without_year(movie_key(part, 0)))
    limits = (first, last, least, tuple(words), shortest, longest)
    return Filter(tuple(wanted), tuple(unwanted), *limits, tuple(facts), tuple(listed), tuple(unlisted), new)


def _genre(typed: str, genre_names: Sequence[str]) -> int:
    """Return the column of the genre that has this name, or of the only genre whose name begins like this.

    Raises ``Problem`` if there is no such genre, or more than one.
    """
    names = [_folded(name) for name in genre_names]
    wanted = _folded(typed)
    matches = [column for column, name in enumerate(names) if name == wanted]
    if wanted and not matches:
        matches = [column for column, name in enumerate(names) if name.startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise Problem(
            tr(
                "Several genres begin with {typed!r}; write {names}.",
                typed=typed,
                names=either(genre_names[column] for column in matches),
            )
        )
    listed = tr("choose one of {genres}.", genres=", ".join(genre_names))
    raise no_such(tr("There is no genre {typed!r}", typed=typed), typed, genre_names, listed)


def _require_imdb(part: str, facts: str, dataset: Dataset) -> ImdbFacts:
    imdb = dataset.movies.imdb
    if imdb is None:
        raise Problem(
            tr(
                "The filter has {part!r}, but {dataset} has no {facts}; join it with IMDb first (movietui data imdb "
                "{dataset}).",
                part=part,
                dataset=dataset.name,
                facts=facts,
            )
        )
    return imdb


@dataclass(frozen=True)
class Suggestion:
    """A completion of a half-typed filter."""

    line: str
    """The whole filter with its last condition completed."""
    part: str
    """The completed condition alone."""
    movies: int
    """How many movies of the dataset meet this condition."""


def complete(
    text: str, dataset: Dataset, limit: int = SUGGESTIONS, lists: Mapping[str, int] | None = None
) -> list[Suggestion]:
    """Return completions of the last condition in a half-typed filter, those that the most movies meet first.

    Suggests genres after ``+`` and ``-``, directors and actors after ``@``, tags after ``#``, languages after
    ``lang:``, countries after ``country:``, lists after ``list:``, decades after a digit, and limits after ``<`` and
    ``>``. A word without a special character may be part of a title, but is also completed to genres, people and tags;
    the beginning of ``list:``, ``lang:`` or ``country:`` counts as the whole prefix. ``lists`` has the number of movies
    on each list, by the list's name. Never raises an error. The result is empty after a space, or if nothing fits.
    """
    match = LAST.search(text)
    typed = match[0] if match else ""
    if not typed:
        return []
    before = text[: len(text) - len(typed)]
    used = {part or f'{prefix}"{quoted}"' for prefix, quoted, part in PARTS.findall(before)}
    matches = [
        Suggestion(before + part, part, movies)
        for part, movies in (
            *_lists(typed, lists or {}, len(dataset.movies)),
            *_parts(typed, dataset),
            *completions(typed, dataset),
        )
        if part != typed and part not in used and movies
    ]
    return sorted(matches, key=lambda each: -each.movies)[:limit]


def _parts(typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    """Yield completions of a condition, each with the number of movies that meet it."""
    sign, rest = typed[0], typed[1:]
    if sign in "+-":
        yield from _genres(sign, rest, dataset)
    elif sign in "<>":
        yield from _limits(typed, dataset)
    elif match := _DECADE.fullmatch(typed):
        yield from _decades(match[1], dataset)
    elif len(typed) > 1 and sign not in '"@#':
        yield from _genres("+", typed, dataset)


def _lists(typed: str, lists: Mapping[str, int], movies: int) -> Iterable[tuple[str, int]]:
    if begun := begun_in(typed):
        sign, beginning = begun
        for name, count in lists.items():
            if folded(name).startswith(folded(beginning)):
                yield condition(name, sign), movies - count if sign == "-" else count


def _genres(sign: str, typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    movies, wanted = dataset.movies, _folded(typed)
    for name, count in zip(movies.genre_names, movies.genres.sum(axis=0).tolist(), strict=True):
        if _folded(name).startswith(wanted) and " " not in name:
            yield sign + name, count if sign == "+" else len(movies) - count


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
