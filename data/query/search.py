"""Search for titles, people and users while a person types.

Texts are split into words as ``movietui.data.titles.title_key`` compares them. Each typed word is looked up among all
distinct words: as a whole word, and as a prefix (always for the last typed word, for the others if no word is equal).
If no title and no name has all the words as typed, one or two typos are forgiven: letters swapped, left out, added or
changed (Damerau, A technique for computer detection and correction of spelling errors, 1964). The result is the texts
that contain all the words or, if there are none, those with the most of them, at least half.

They are ordered by how well the words match, with rare words counting more (Sparck Jones, A statistical interpretation
of term specificity, 1972), times how well known they are: who has typed ``god`` more likely wants The Godfather than
Playing God. A text that is what was typed, or begins with it, counts more.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, grouped
from movietui.data.near_names import either
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.titles import ARTICLES, movie_key, parse_label, title_key

BEGINNING = 0.85
"""The least weight of a prefix match; it rises with the typed share of the word to that of a whole word, 1."""
TYPO = 0.8
"""The weight of a match with a typo, times the share of the word that is right."""
MIN_TYPO_LENGTH = 4
"""The least number of letters for one forgiven typo; with twice as many, two are forgiven."""
SURPLUS = 0.02
"""The penalty for each word of a text that was not typed."""
KNOWN = 0.7
"""The share of the weight of a text that depends on how well known it is, by the logarithm."""
WHOLE = 1.3
"""How much more a text counts that is exactly what was typed; a year at its end need not be."""
FIRST = 1.1
"""How much more a text counts that begins with what was typed, after an article or not."""
PHRASE = 1.05
"""How much more a text counts that has the typed words one after the other."""
LOOKED_AT = 100
"""How many of the best texts are compared with the whole of what was typed."""
PEOPLE_FIRST = 1.1
"""How much better a name must match than a title, so that people come before movies."""
MAX_WORDS = 20
"""The most typed words that count."""
WIDTH = 24
"""Characters of a word used to rule out words before comparing them."""
LAST = "\U0010ffff"
"""Sorts after every character of a word."""
Forgiving = Literal["no", "if unknown", "yes"]
"""Whether typos are forgiven: in no word, in those that no text has, in all."""
ID = "id:"
"""What is written before an id that is also a title."""
SAME_TITLE = 90.0
"""The similarity, of 100, from which two titles count as the same."""
MAX_SUGGESTIONS = 3
"""How many titles are suggested if the intended one is not found."""


@dataclass(frozen=True)
class Matches:
    """The texts that match a search."""

    rows: tuple[int, ...] = ()
    """Best first."""
    best: float = 0.0
    """How well the first matches, comparable between indexes."""


class Index:
    """An index of the words of many texts. Immutable."""

    def __init__(self, texts: Sequence[str], known: NDArray[Any] | None = None, *, years: bool = False) -> None:
        """Index the texts, which are keys from ``title_key`` or, with ``years``, from ``movie_key``.

        ``known``: how well known each is, from 0.
        """
        self._texts, self._years = texts, years
        words = " ".join(texts).split()  # a key has single spaces between words; splitting each takes twice as long
        self._lengths = np.fromiter((text.count(" ") + bool(text) for text in texts), np.int32, len(texts))
        self._words = sorted(set(words))
        index = {word: number for number, word in enumerate(self._words)}
        which = np.fromiter(map(index.__getitem__, words), np.int32, len(words))
        order, self._starts = grouped(which, len(index))
        self._rows = np.repeat(np.arange(len(texts), dtype=np.int32), self._lengths)[order]
        self._letters = np.fromiter(map(len, self._words), np.int32, len(index))
        # Shortest first, so that words too short or too long for a typo are skipped.
        self._by_length = np.argsort(self._letters, kind="stable")
        self._by_length_letters = self._letters[self._by_length]
        self._by_length_signs = np.ascontiguousarray(_signs(self._words)[self._by_length].T)
        fame = np.zeros(len(texts)) if known is None else np.log1p(np.asarray(known, np.float64))
        self._fame = (1 - KNOWN + KNOWN * fame / max(1.0, float(fame.max(initial=0)))).astype(np.float32)

    def find(self, typed: str, limit: int, *, all_words: bool = False) -> Matches:
        """Return the best matching texts; with ``all_words`` only those with every word."""
        words = _words_of(typed)
        if not words or not len(self._lengths):
            return Matches()
        score, having, absent = self._fits(words, "if unknown")
        if absent and all_words:
            return Matches()
        if having.max() < len(words) and not absent:  # otherwise no typo would bring all of them together
            score, having, _ = self._fits(words, "yes")
        enough = int(having.max())
        if not enough or enough < (len(words) if all_words else len(words) / 2):
            return Matches()
        return self._ordered(words, np.flatnonzero(having == enough), score, limit)

    def as_typed(self, typed: str, limit: int) -> Matches:
        """Return the best of the texts with every word as it was typed, the last one perhaps not to its end."""
        words = _words_of(typed)
        if not words or not len(self._lengths) or not all(self._has(word) for word in words):
            return Matches()
        score, having, _ = self._fits(words, "no")
        return self._ordered(words, np.flatnonzero(having == len(words)), score, limit)

    def _ordered(self, words: Sequence[str], rows: NDArray[np.intp], score: Floats, limit: int) -> Matches:
        """Return the best of some texts in order; ``score``: how well the words match each text."""
        surplus = np.maximum(self._lengths[rows] - len(words), 0)
        rank = score[rows] * (1 - SURPLUS * np.minimum(surplus, MAX_WORDS)) * self._fame[rows]
        whole = (surplus <= self._years) & (score[rows] > 1 - 1e-5)
        rank[whole] *= WHOLE
        if (upper := max(1, limit // 2)) < len(rows):  # however little known, it may be what is wanted
            rank[whole] = np.maximum(rank[whole], np.partition(rank, -upper)[-upper] * np.float32(1.001))
        if len(rows) > (most := max(limit, LOOKED_AT)):
            best = np.argpartition(-rank, most)[:most]
            best.sort()  # so that the first of equal ones stays first
            rows, rank = rows[best], rank[best]
        phrase = " ".join(words)
        rank *= np.fromiter((_closeness(phrase, self._texts[row]) for row in rows.tolist()), np.float32, len(rows))
        order = np.argsort(-rank, kind="stable")[:limit]
        return Matches(tuple(rows[order].tolist()), float(rank[order[0]]) if len(order) else 0.0)

    def _has(self, word: str) -> bool:
        """Return whether some text has a word that begins like this."""
        low = bisect_left(self._words, word)
        return low < len(self._words) and self._words[low].startswith(word)

    def _fits(self, words: Sequence[str], forgiving: Forgiving) -> tuple[Floats, NDArray[np.int8], bool]:
        """Return how well the words match each text and how many of them it has, shape (texts,) each, and whether any
        word is in no text at all."""
        total, having = np.zeros(len(self._lengths), np.float32), np.zeros(len(self._lengths), np.int8)
        weights, absent = np.float32(0), False
        for number, word in enumerate(words, start=1):
            fit = np.zeros(len(self._lengths), np.float32)
            for low, high, quality in self._alike(word, number == len(words), forgiving):
                rows = self._rows[self._starts[low] : self._starts[high]]
                np.maximum.at(fit, rows, np.repeat(quality, np.diff(self._starts[low : high + 1])))
            has = fit > 0
            weight = np.float32(np.log(1 + len(fit) / (1 + np.count_nonzero(has))))
            having += has
            absent |= not has.any()
            total += weight * fit
            weights += weight
        return total / weights, having, absent

    def _alike(self, typed: str, last: bool, forgiving: Forgiving) -> Iterator[tuple[int, int, Floats]]:
        """Yield ranges of words that may be meant, and how well each word matches."""
        low, high = bisect_left(self._words, typed), bisect_left(self._words, typed + LAST)
        equal = low < high and self._words[low] == typed
        if equal:
            yield low, low + 1, np.ones(1, np.float32)
        if last or not equal:
            yield low + equal, high, self._share(typed, slice(low + equal, high))
        if len(typed) >= MIN_TYPO_LENGTH and (forgiving == "yes" or (forgiving == "if unknown" and low == high)):
            for index, quality in self._with_typos(typed, last):
                yield index, index + 1, np.asarray([quality], np.float32)

    def _with_typos(self, typed: str, last: bool) -> Iterator[tuple[int, float]]:
        # Imported here because most searches need only lookups.
        from rapidfuzz.distance import OSA

        limit = 1 if len(typed) < 2 * MIN_TYPO_LENGTH else 2
        signs = _signs([typed])[0, -1]
        low, high = np.searchsorted(self._by_length_letters, (len(typed) - limit, len(typed) + limit + 1)).tolist()
        for end in (len(typed), None) if last else (None,):
            column = -1 if end is None else min(end, WIDTH) - 1
            candidates = slice(low, high if end is None else None)
            near = _bits(self._by_length_signs[column, candidates] ^ signs) <= 2 * limit
            for index in self._by_length[candidates][near].tolist():
                typos = OSA.distance(typed, self._words[index][:end], score_cutoff=limit)
                if typos <= limit:
                    share = 1.0 if end is None else float(self._share(typed, slice(index, index + 1))[0])
                    yield index, TYPO * (1 - typos / len(typed)) * share

    def _share(self, typed: str, words_slice: slice) -> Floats:
        """Return the weight of an incomplete match of each word: from ``BEGINNING`` to 1."""
        share = np.minimum(1.0, len(typed) / self._letters[words_slice])
        return np.asarray(BEGINNING + (1 - BEGINNING) * share, np.float32)


def _words_of(typed: str) -> list[str]:
    return title_key(strip_controls(typed)).split()[:MAX_WORDS]


def _closeness(phrase: str, text: str) -> float:
    """Return how much more a text counts for having the typed words in a row, from 1."""
    if text.startswith(phrase):
        return FIRST
    article, space, rest = text.partition(" ")
    if space and article in ARTICLES and rest.startswith(phrase):
        return FIRST
    return PHRASE if f" {phrase}" in text else 1.0


def _signs(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return the set of characters in each prefix of each word as bits, shape (words, ``WIDTH``); the last is the whole
    word.

    The number of typos between two words is at least half the number of differing bits, except for rare characters that
    share a bit, so nearly all words need not be compared.
    """
    table = np.asarray(words, f"U{WIDTH}").view(np.uint32).reshape(len(words), WIDTH)
    bits = np.where(table > 0, np.uint64(1) << (table % 64).astype(np.uint64), np.uint64(0))
    return np.asarray(np.bitwise_or.accumulate(bits, axis=1), np.uint64)


def _bits(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the number of set bits in each."""
    counts = numbers - ((numbers >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = np.uint64(0x3333333333333333)
    counts = (counts & fours) + ((counts >> np.uint64(2)) & fours)
    counts = (counts + (counts >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.asarray((counts * np.uint64(0x0101010101010101)) >> np.uint64(56), np.uint64)


@dataclass(frozen=True)
class SearchResult:
    """The result of a search: rows of movies and users, and names."""

    movies: tuple[int, ...]
    people: tuple[str, ...]
    """Directors, by name; empty if the dataset is not joined with IMDb."""
    users: tuple[int, ...]
    people_first: bool
    """Whether the people match better than the movies do."""


class Search:
    """Searches a dataset; its indices are built on first use."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def find(self, typed: str, limit: int) -> SearchResult:
        """Return the matching movies, people and users, at most ``limit`` of each, best first.

        Typos are forgiven only if neither a title nor a name has the words as typed: ``lynch`` does not find Naked
        Lunch.
        """
        names, index = self._names
        movies, people = self._titles.as_typed(typed, limit), index.as_typed(typed, limit)
        if not movies.rows and not people.rows:
            movies, people = self._titles.find(typed, limit), index.find(typed, limit, all_words=True)
        return SearchResult(
            movies.rows,
            tuple(names[row] for row in people.rows),
            tuple(self.users(typed)[:limit]),
            people.best > PEOPLE_FIRST * movies.best,
        )

    @cached_property
    def _titles(self) -> Index:
        return Index(self.dataset.movies.keys, self.dataset.counts, years=True)

    def movies(self, typed: str, limit: int) -> list[int]:
        """Return the rows of the movies whose title, and year if one was typed, contain the words."""
        return list(self._titles.find(typed, limit).rows)

    @cached_property
    def _rows_by_title(self) -> dict[str, list[int]]:
        """The rows by title without the year and, for a key that somebody copied, with it."""
        rows = {key: list(same) for key, same in self.dataset.movies.rows_by_key.items()}
        for row, key in enumerate(self.dataset.movies.keys):
            title = key.rpartition(" ")[0]
            if title not in self.dataset.movies.rows_by_key:
                rows.setdefault(title, []).append(row)
        return rows

    @cached_property
    def _names(self) -> tuple[tuple[str, ...], Index]:
        imdb = self.dataset.movies.imdb
        if imdb is None:
            return (), Index(())
        number = np.fromiter(map(len, imdb.directed.values()), np.intp, len(imdb.directed))
        movies = np.fromiter(chain.from_iterable(imdb.directed.values()), np.intp, int(number.sum()))
        director = np.repeat(np.arange(len(number)), number)
        known = np.bincount(director, self.dataset.counts[movies], minlength=len(number))
        return tuple(imdb.directed), Index(tuple(imdb.director_keys.values()), known)

    def people(self, typed: str, limit: int) -> list[str]:
        """Return the names of the directors whose name contains the words."""
        names, index = self._names
        return [names[row] for row in index.find(typed, limit, all_words=True).rows]

    @cached_property
    def _ids(self) -> tuple[list[str], list[int]]:
        """The users' ids in alphabetical order, and their rows."""
        ids = self.dataset.users.ids
        rows = sorted(range(len(ids)), key=ids.__getitem__)
        return [ids[row] for row in rows], rows

    @cached_property
    def _facts(self) -> tuple[list[str], NDArray[np.intp]]:
        """The distinct descriptions of users, and for each user the index of their description."""
        users = self.dataset.users
        columns = [column for column in (users.age.tolist(), users.gender, users.occupation) if len(column)]
        facts = [" ".join(str(fact) for fact in each if fact).casefold() for each in zip(*columns, strict=True)]
        number = {each: index for index, each in enumerate(dict.fromkeys(facts))}
        return list(number), np.asarray([number[each] for each in facts], np.intp)

    def users(self, typed: str) -> list[int]:
        """Return the rows of the users whose id starts with the search or whose description has all its words; all
        users for an empty search.

        An id equal to the search comes first. If nothing is found, parts of words are enough.
        """
        words = typed.casefold().split()
        wanted = " ".join(words)
        if not words:
            return list(range(len(self.dataset.users)))
        ids, rows = self._ids
        begin = rows[bisect_left(ids, wanted) : bisect_left(ids, wanted + LAST)]
        facts, which = self._facts
        matching = [all(word in fact.split() for word in words) for fact in facts]
        if not begin and not any(matching):
            matching = [all(word in fact for word in words) for fact in facts]
        matching_rows = sorted({*begin, *np.flatnonzero(np.asarray(matching, bool)[which]).tolist()})
        matching_rows.sort(key=lambda row: self.dataset.users.ids[row] != wanted)
        return matching_rows

    def the_movie(self, typed: str) -> int:
        """Return the row of the one movie meant by ``Fargo (1996)``, ``fargo`` or its id; never guess between several.

        A title comes before an id, because 300 is also a movie; ``id:300`` is always an id. If entries of the same
        movie were not merged, returns the first. Raises ``Problem`` with the nearest titles if no movie, or more than
        one, is meant.
        """
        from rapidfuzz import fuzz

        movies = self.dataset.movies
        title, year = parse_label(typed)
        movie_id = typed.strip()
        if movie_id.startswith(ID) and movie_id.removeprefix(ID) in movies.row:
            return movies.row[movie_id.removeprefix(ID)]
        rows: Sequence[int] = movies.rows_by_key.get(movie_key(title, year), ())
        if not rows and not year:
            rows = self._rows_by_title.get(title_key(title), ())
        near = list(rows)
        if not rows and movie_id in movies.row:
            return movies.row[movie_id]
        if not rows:
            wanted = title_key(title)
            alike = self._titles.find(title, 50).rows
            near = list(alike[:MAX_SUGGESTIONS])
            ratios = {row: fuzz.ratio(wanted, movies.keys[row].rpartition(" ")[0]) for row in alike}
            of_year = [row for row in alike if year in (0, int(movies.years[row]))]
            rows = [row for row in of_year if ratios[row] == 100] or [
                row for row in of_year if ratios[row] >= SAME_TITLE
            ]
            near = list(rows) or near
        row_by_key = {movies.keys[row]: row for row in reversed(rows)}
        if len(row_by_key) == 1:
            return next(iter(row_by_key.values()))
        names = [movies.label(row) for row in near[:MAX_SUGGESTIONS]]
        if row_by_key:
            raise Problem(f"{typed!r} could be several movies: {', '.join(names)}; add the year.")
        hint = f"did you mean {either(names)}?" if names else "check its title."
        raise Problem(f"{self.dataset.name} has no movie {typed!r}; {hint}")
