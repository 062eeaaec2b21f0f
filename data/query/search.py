"""Titles, people and users, found as somebody types.

What is searched is a list of short texts, cut into words as ``data.titles.title_key`` compares them. Each typed word is
looked for among all distinct words: as it is, and as a beginning (of the last word typed always, of the others where no
word is equal). Where that finds nothing, a typo or two are forgiven: letters swapped, left out, added or changed
(Damerau, A technique for computer detection and correction of spelling errors, 1964). Texts that have all the words are
found, or where none has, those with the most of them, a half at least; their order is how well the words fit, rare
words counting more (Sparck Jones, A statistical interpretation of term specificity, 1972), and how well known they are.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset, Floats, grouped
from data.problems import Problem
from data.titles import film_key, parse_label, plain, title_key

BEGINNING = 0.9
"""What a word counts that only begins as it was typed, times what was typed of it; one that is equal counts 1."""
TYPO = 0.8
"""What a word counts that was typed with a typo, times the share of it that is right."""
FORGIVEN = 4
"""From how many letters on a typo is forgiven; of twice as many, two."""
SURPLUS = 0.02
"""What each word of a text that was not typed takes off."""
KNOWN = 0.1
"""What is added for the best known text of all, and for others by the logarithm."""
MOST_WORDS = 20
"""Typed words that are looked for; those after them change nothing."""
WIDTH = 24
"""Signs of a word that are looked at to tell which words need not be compared."""
LAST = "\U0010ffff"
"""Comes after every sign that a word may have."""
SURE = 90.0
"""How alike two titles must be, of 100, to be taken for the same."""
NEARBY = 3
"""How many titles are named where the one that is meant is not found."""


class Index:
    """The words of many texts. Is made once; a search leaves it as it is."""

    def __init__(self, texts: Sequence[str], known: NDArray[Any] | None = None) -> None:
        """Cut the texts, which are keys as ``title_key`` returns them; ``known``: how well known each is, from 0."""
        words = " ".join(texts).split()  # a key has one space between two words; cutting each takes twice as long
        self._lengths = np.fromiter((text.count(" ") + bool(text) for text in texts), np.int32, len(texts))
        self._words = sorted(set(words))
        place = {word: number for number, word in enumerate(self._words)}
        which = np.fromiter(map(place.__getitem__, words), np.int32, len(words))
        order, self._starts = grouped(which, len(place))
        self._rows = np.repeat(np.arange(len(texts), dtype=np.int32), self._lengths)[order]
        self._letters = np.fromiter(map(len, self._words), np.int32, len(place))
        # Shortest first, so that words which are too short or too long for a typo are not looked at.
        self._by_length = np.argsort(self._letters, kind="stable")
        self._by_length_letters = self._letters[self._by_length]
        self._by_length_signs = np.ascontiguousarray(_signs(self._words)[self._by_length].T)
        fame = np.zeros(len(texts)) if known is None else np.log1p(np.asarray(known, np.float64))
        self._fame = (KNOWN * fame / max(1.0, float(fame.max(initial=0)))).astype(np.float32)

    def find(self, typed: str, most: int, *, all_words: bool = False) -> list[int]:
        """Return the rows of the texts that fit best, best first; with ``all_words`` only such as have every one."""
        words = title_key(typed).split()[:MOST_WORDS]
        if not words or not len(self._lengths):
            return []
        score, having, absent = self._fits(words, forgiving=False)
        if absent and all_words:
            return []
        if having.max() < len(words) and not absent:  # else no typo brings all of them together
            score, having, _ = self._fits(words, forgiving=True)
        enough = int(having.max())
        if not enough or enough < (len(words) if all_words else len(words) / 2):
            return []
        rows = np.flatnonzero(having == enough)
        rank = score[rows] - SURPLUS * np.maximum(self._lengths[rows] - len(words), 0) + self._fame[rows]
        if len(rows) > most:
            best = rank >= np.partition(rank, -most)[-most]
            rows, rank = rows[best], rank[best]
        found: list[int] = rows[np.argsort(-rank, kind="stable")[:most]].tolist()
        return found

    def _fits(self, words: Sequence[str], *, forgiving: bool) -> tuple[Floats, NDArray[np.int8], bool]:
        """How well the words fit each text, and how many of them it has; shape (texts,) each.

        And whether one of them is in no text at all.
        """
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

    def _alike(self, typed: str, last: bool, forgiving: bool) -> Iterator[tuple[int, int, Floats]]:
        """Ranges of the words that may be meant, and how well each of them fits."""
        low, high = bisect_left(self._words, typed), bisect_left(self._words, typed + LAST)
        equal = low < high and self._words[low] == typed
        if equal:
            yield low, low + 1, np.ones(1, np.float32)
        if last or not equal:
            yield low + equal, high, BEGINNING * self._share(typed, slice(low + equal, high))
        if len(typed) >= FORGIVEN and (forgiving or low == high):
            for place, quality in self._misspelt(typed, last):
                yield place, place + 1, np.asarray([quality], np.float32)

    def _misspelt(self, typed: str, last: bool) -> Iterator[tuple[int, float]]:
        # Only here: most searches need no more than looking up.
        from rapidfuzz.distance import OSA

        most = 1 if len(typed) < 2 * FORGIVEN else 2
        signs = _signs([typed])[0, -1]
        low, high = np.searchsorted(self._by_length_letters, (len(typed) - most, len(typed) + most + 1)).tolist()
        for end in (len(typed), None) if last else (None,):
            column = -1 if end is None else min(end, WIDTH) - 1
            looked_at = slice(low, high if end is None else None)
            near = _bits(self._by_length_signs[column, looked_at] ^ signs) <= 2 * most
            for place in self._by_length[looked_at][near].tolist():
                typos = OSA.distance(typed, self._words[place][:end], score_cutoff=most)
                if typos <= most:
                    share = 1.0 if end is None else float(self._share(typed, slice(place, place + 1))[0])
                    yield place, TYPO * (1 - typos / len(typed)) * share

    def _share(self, typed: str, places: slice) -> Floats:
        """What words count less for not being all there: from a half to 1."""
        return np.asarray(0.5 + 0.5 * np.minimum(1.0, len(typed) / self._letters[places]), np.float32)


def _signs(words: Sequence[str]) -> NDArray[np.uint64]:
    """The set of the signs in each beginning of each word as bits, shape (words, ``WIDTH``); the last is the whole.

    Two words have no more typos between them than half the bits in which these differ, but for rare signs that share a
    bit, so that nearly all words need not be compared.
    """
    table = np.asarray(words, f"U{WIDTH}").view(np.uint32).reshape(len(words), WIDTH)
    bits = np.where(table > 0, np.uint64(1) << (table % 64).astype(np.uint64), np.uint64(0))
    return np.asarray(np.bitwise_or.accumulate(bits, axis=1), np.uint64)


def _bits(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The number of bits that are set in each, counted in pairs, in fours, in eights and altogether."""
    counts = numbers - ((numbers >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = np.uint64(0x3333333333333333)
    counts = (counts & fours) + ((counts >> np.uint64(2)) & fours)
    counts = (counts + (counts >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.asarray((counts * np.uint64(0x0101010101010101)) >> np.uint64(56), np.uint64)


@dataclass(frozen=True)
class Found:
    """What a search found: rows of the movies and of the users, and names."""

    movies: tuple[int, ...]
    people: tuple[str, ...]
    """Directors, by name; none where the dataset is not joined with IMDb."""
    users: tuple[int, ...]


class Search:
    """Finds what a dataset holds; its indices are made when they are first needed."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def find(self, typed: str, most: int) -> Found:
        """Return the movies, people and users that are found, at most so many of each, best first."""
        return Found(tuple(self.movies(typed, most)), tuple(self.people(typed, most)), tuple(self.users(typed)[:most]))

    @cached_property
    def _titles(self) -> Index:
        return Index(self.dataset.movies.keys, self.dataset.counts)

    def movies(self, typed: str, most: int) -> list[int]:
        """Return the rows of the movies whose title, and year where it was typed, has the words in it."""
        return self._titles.find(plain(typed), most)

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

    def people(self, typed: str, most: int) -> list[str]:
        """Return the names of the directors whose name has the words in it."""
        names, index = self._names
        return [names[row] for row in index.find(plain(typed), most, all_words=True)]

    @cached_property
    def _ids(self) -> tuple[list[str], list[int]]:
        """The ids of the users in the order of letters, and their rows."""
        ids = self.dataset.users.ids
        rows = sorted(range(len(ids)), key=ids.__getitem__)
        return [ids[row] for row in rows], rows

    @cached_property
    def _facts(self) -> tuple[list[str], NDArray[np.intp]]:
        """What is known of users, each of it once, and which of it is known of each."""
        users = self.dataset.users
        columns = [column for column in (users.age.tolist(), users.gender, users.occupation) if len(column)]
        facts = [" ".join(str(fact) for fact in each if fact).casefold() for each in zip(*columns, strict=True)]
        number = {each: place for place, each in enumerate(dict.fromkeys(facts))}
        return list(number), np.asarray([number[each] for each in facts], np.intp)

    def users(self, typed: str) -> list[int]:
        """Return the rows of the users whose id begins so, or of whom all the words are true; all without a word.

        An id that is the search itself comes first. Where none is found, parts of words are enough.
        """
        words = typed.casefold().split()
        wanted = " ".join(words)
        if not words:
            return list(range(len(self.dataset.users)))
        ids, rows = self._ids
        begin = rows[bisect_left(ids, wanted) : bisect_left(ids, wanted + LAST)]
        facts, which = self._facts
        said = [all(word in fact.split() for word in words) for fact in facts]
        if not begin and not any(said):
            said = [all(word in fact for word in words) for fact in facts]
        found = sorted({*begin, *np.flatnonzero(np.asarray(said, bool)[which]).tolist()})
        found.sort(key=lambda row: self.dataset.users.ids[row] != wanted)
        return found

    def the_movie(self, typed: str) -> int:
        """Return the row of the one film that is meant by ``Fargo (1996)`` or ``fargo``; never guesses between several.

        Of entries of the same film that were not merged, the first. Raises ``Problem`` with the nearest titles where no
        film or more than one is meant.
        """
        from rapidfuzz import fuzz

        movies = self.dataset.movies
        title, year = parse_label(plain(typed))
        rows: Sequence[int] = movies.rows_by_key.get(film_key(title, year), ())
        near = list(rows)
        if not rows:
            wanted = title_key(title)
            alike = self._titles.find(title, 50)
            near = alike[:NEARBY]
            ratios = {row: fuzz.ratio(wanted, movies.keys[row].rpartition(" ")[0]) for row in alike}
            of_year = [row for row in alike if year in (0, int(movies.years[row]))]
            rows = [row for row in of_year if ratios[row] == 100] or [row for row in of_year if ratios[row] >= SURE]
            near = list(rows) or near
        films = {movies.keys[row]: row for row in reversed(rows)}
        if len(films) == 1:
            return next(iter(films.values()))
        names = ", ".join(movies.label(row) for row in near[:NEARBY])
        if films:
            raise Problem(f"{plain(typed)!r} may be several movies: {names}; add the year.")
        hint = f"did you mean {names}?" if names else "check its title."
        raise Problem(f"{self.dataset.name} has no movie {plain(typed)!r}; {hint}")
