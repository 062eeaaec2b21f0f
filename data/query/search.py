"""Finds movies, directors, actors, tags and users while somebody types.

Texts are compared by their ``movietui.data.titles.title_key``, word by word. Each typed word is looked up among all
distinct words of the texts: as a whole word, and also as a prefix if it is the last typed word or equals no word. If no
title, name or tag contains all words as typed, up to two typos in a word are forgiven: letters swapped, left out, added
or changed (Damerau, A technique for computer detection and correction of spelling errors, 1964). The result contains
the texts with all words or, if there are none, those with most of the words, but at least half.

The texts are sorted by the product of two numbers: how well the words match, where rare words count more (Spärck Jones,
A statistical interpretation of term specificity, 1972), and how well known the movie or person is, or how many movies
have the tag. Somebody who types ``god`` more likely wants The Godfather than Playing God. A text that equals the typed
text, begins with it or contains it as a phrase counts more.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, grouped
from movietui.data.imdb.title_matching import LabelledMovie
from movietui.data.language import tr
from movietui.data.near_names import either
from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.data.titles import ARTICLES, movie_key, parse_label, title_key

BEGINNING = 0.85
"""The lowest weight of a prefix match. The weight rises to 1, that of a whole word, with the share of the word that is
typed."""
TYPO = 0.8
"""A match with typos has this weight times the share of the letters that are right."""
MIN_TYPO_LENGTH = 4
"""The fewest letters of a word in which one typo is forgiven; with twice as many letters, two are."""
SURPLUS = 0.02
"""The share of the weight that a text loses for each of its words that was not typed."""
KNOWN = 0.7
"""The share of the weight of a text that depends on the logarithm of how well known it is."""
WHOLE = 1.3
"""The factor for a text that equals the typed text, with or without the year at the end of the text."""
FIRST = 1.1
"""The factor for a text that begins with the typed text, or does so after an article."""
PHRASE = 1.05
"""The factor for a text that contains the typed words one after the other."""
LOOKED_AT = 100
"""How many of the best texts, at least, are compared with the whole typed text."""
DIRECTORS_FIRST = 1.1
"""Directors come before movies if the best name matches this many times better than the best title."""
MAX_WORDS = 20
"""Typed words after this many are ignored."""
WIDTH = 24
"""How many characters of a word are used for ruling out words before they are compared."""
LAST = "\U0010ffff"
"""A character that sorts after all characters of words."""
Forgiving = Literal["no", "if unknown", "yes"]
"""In which typed words typos are forgiven: in none, in those that are in no text, or in all."""
ID = "id:"
"""The prefix that marks an id, because an id such as 300 may also be a title."""
SAME_TITLE = 90.0
"""The lowest similarity, from 0 to 100, at which two titles count as the same."""
MAX_SUGGESTIONS = 3
"""The maximum number of titles that are suggested if not exactly one movie has the typed title."""


@dataclass(frozen=True)
class Matches:
    """The texts that match a search."""

    rows: tuple[int, ...] = ()
    """The indices of the texts, the best first."""
    best: float = 0.0
    """How well the first text matches; comparable between indexes."""


class Index:
    """An index of the words of many texts. Immutable."""

    def __init__(self, texts: Sequence[str], known: NDArray[Any] | None = None, *, years: bool = False) -> None:
        """Index the texts, which are keys from ``title_key`` or, with ``years``, from ``movie_key``.

        ``known`` says how well known each text is: a number from 0, such as the number of ratings.
        """
        self._texts, self._years = texts, years
        words = " ".join(texts).split()  # twice as fast as splitting each text
        self._lengths = np.fromiter((text.count(" ") + bool(text) for text in texts), np.int32, len(texts))
        self._words = sorted(set(words))
        index = {word: number for number, word in enumerate(self._words)}
        which = np.fromiter(map(index.__getitem__, words), np.int32, len(words))
        order, self._starts = grouped(which, len(index))
        self._rows = np.repeat(np.arange(len(texts), dtype=np.int32), self._lengths)[order]
        self._letters = np.fromiter(map(len, self._words), np.int32, len(index))
        # The shortest come first, so that words whose length rules out a typo can be skipped.
        self._by_length = np.argsort(self._letters, kind="stable")
        self._by_length_letters = self._letters[self._by_length]
        self._by_length_signs = np.ascontiguousarray(_signs(self._words)[self._by_length].T)
        fame = np.zeros(len(texts)) if known is None else np.log1p(np.asarray(known, np.float64))
        self._fame = (1 - KNOWN + KNOWN * fame / max(1.0, float(fame.max(initial=0)))).astype(np.float32)

    def find(self, typed: str, limit: int, *, all_words: bool = False) -> Matches:
        """Return the texts that match best; with ``all_words``, only texts that contain all typed words."""
        words = _words_of(typed)
        if not words or not len(self._lengths):
            return Matches()
        score, having, absent = self._fits(words, "if unknown")
        if absent and all_words:
            return Matches()
        if having.max() < len(words) and not absent:  # each word is in some text, but no text has all of them
            score, having, _ = self._fits(words, "yes")
        enough = int(having.max())
        if not enough or enough < (len(words) if all_words else len(words) / 2):
            return Matches()
        return self._ordered(words, np.flatnonzero(having == enough), score, limit)

    def as_typed(self, typed: str, limit: int) -> Matches:
        """Return the best of the texts that contain all words as typed; a typed word may be a prefix."""
        words = _words_of(typed)
        if not words or not len(self._lengths) or not all(self._has(word) for word in words):
            return Matches()
        score, having, _ = self._fits(words, "no")
        return self._ordered(words, np.flatnonzero(having == len(words)), score, limit)

    def _ordered(self, words: Sequence[str], rows: NDArray[np.intp], score: Floats, limit: int) -> Matches:
        """Return the best of the texts in ``rows``, in order; ``score`` says how well the words match each text."""
        surplus = np.maximum(self._lengths[rows] - len(words), 0)
        rank = score[rows] * (1 - SURPLUS * np.minimum(surplus, MAX_WORDS)) * self._fame[rows]
        whole = (surplus <= self._years) & (score[rows] > 1 - 1e-5)
        rank[whole] *= WHOLE
        if (upper := max(1, limit // 2)) < len(rows):  # may be what the user wants, even if little known
            rank[whole] = np.maximum(rank[whole], np.partition(rank, -upper)[-upper] * np.float32(1.001))
        if len(rows) > (most := max(limit, LOOKED_AT)):
            best = np.argpartition(-rank, most)[:most]
            best.sort()  # so that texts of equal rank keep their order
            rows, rank = rows[best], rank[best]
        phrase = " ".join(words)
        rank *= np.fromiter((_closeness(phrase, self._texts[row]) for row in rows.tolist()), np.float32, len(rows))
        order = np.argsort(-rank, kind="stable")[:limit]
        return Matches(tuple(rows[order].tolist()), float(rank[order[0]]) if len(order) else 0.0)

    def _has(self, word: str) -> bool:
        """Return whether any text has a word that begins with this one."""
        low = bisect_left(self._words, word)
        return low < len(self._words) and self._words[low].startswith(word)

    def _fits(self, words: Sequence[str], forgiving: Forgiving) -> tuple[Floats, NDArray[np.int8], bool]:
        """Return how well the words match each text, and how many of the words each text has, both of shape (texts,).

        Also return whether any of the words is in no text at all.
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

    def _alike(self, typed: str, last: bool, forgiving: Forgiving) -> Iterator[tuple[int, int, Floats]]:
        """Yield ranges of words that the typed word may stand for, from ``low`` to ``high``, and their weights.

        ``last`` says whether it is the last typed word.
        """
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
        """Return the weight of each word if only its beginning is typed: from ``BEGINNING`` to 1."""
        share = np.minimum(1.0, len(typed) / self._letters[words_slice])
        return np.asarray(BEGINNING + (1 - BEGINNING) * share, np.float32)


def _words_of(typed: str) -> list[str]:
    return title_key(strip_controls(typed)).split()[:MAX_WORDS]


def _closeness(phrase: str, text: str) -> float:
    """Return the factor for a text that has the typed words one after the other, or 1 for any other text."""
    if text.startswith(phrase):
        return FIRST
    article, space, rest = text.partition(" ")
    if space and article in ARTICLES and rest.startswith(phrase):
        return FIRST
    return PHRASE if f" {phrase}" in text else 1.0


def _signs(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return the set of characters in each prefix of each word as bits, shape (words, ``WIDTH``).

    The last prefix is the whole word, up to ``WIDTH`` characters. A typo changes at most two bits, so two words have at
    least half as many typos as differing bits, and most words need not be compared. Different characters may share a
    bit, which only rules out fewer words.
    """
    table = np.asarray(words, f"U{WIDTH}").view(np.uint32).reshape(len(words), WIDTH)
    bits = np.where(table > 0, np.uint64(1) << (table % 64).astype(np.uint64), np.uint64(0))
    return np.asarray(np.bitwise_or.accumulate(bits, axis=1), np.uint64)


def _bits(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the number of bits that are set in each number."""
    counts = numbers - ((numbers >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = np.uint64(0x3333333333333333)
    counts = (counts & fours) + ((counts >> np.uint64(2)) & fours)
    counts = (counts + (counts >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.asarray((counts * np.uint64(0x0101010101010101)) >> np.uint64(56), np.uint64)


_Named = tuple[Sequence[str], Index]
"""Names of one kind, and their index."""


@dataclass(frozen=True)
class SearchResult:
    """The result of a search: the rows of movies and users, and the names of people and tags."""

    movies: tuple[int, ...]
    directors: tuple[str, ...]
    """Empty if the dataset is not joined with IMDb."""
    actors: tuple[str, ...]
    """The names of actors who are not directors too; empty if the dataset has no cast."""
    tags: tuple[str, ...]
    users: tuple[int, ...]
    directors_first: bool
    """Whether the directors match better than the movies do."""


class Search:
    """Searches a dataset. Its indexes are built when they are first used."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def find(self, typed: str, limit: int) -> SearchResult:
        """Return the matching movies, people, tags and users, at most ``limit`` of each, best first.

        Typos are forgiven only if no title, name or tag contains the words as typed. So ``lynch`` finds David Lynch,
        but not Naked Lunch.
        """
        named = (self._directors, self._actors, self._tags)
        movies, (directors, *others) = (
            self._titles.as_typed(typed, limit),
            [each.as_typed(typed, limit) for _, each in named],
        )
        if not any(matches.rows for matches in (movies, directors, *others)):
            movies = self._titles.find(typed, limit)
            directors, *others = [each.find(typed, limit, all_words=True) for _, each in named]
        director_names, actors, tags = (
            tuple(names[row] for row in matches.rows)
            for (names, _), matches in zip(named, (directors, *others), strict=True)
        )
        return SearchResult(
            movies.rows,
            director_names,
            actors,
            tags,
            tuple(self.users(typed)[:limit]),
            directors.best > DIRECTORS_FIRST * movies.best,
        )

    @cached_property
    def _titles(self) -> Index:
        return Index(self.dataset.movies.keys, self.dataset.counts, years=True)

    def movies(self, typed: str, limit: int) -> list[int]:
        """Return the rows of the movies whose titles and years match the typed words best, the best first."""
        return list(self._titles.find(typed, limit).rows)

    @cached_property
    def _rows_by_title(self) -> dict[str, list[int]]:
        """The rows of movies by the key of the title, and by the key with the year, which somebody may have pasted."""
        rows = {key: list(same) for key, same in self.dataset.movies.rows_by_key.items()}
        for row, key in enumerate(self.dataset.movies.keys):
            title = key.rpartition(" ")[0]
            if title not in self.dataset.movies.rows_by_key:
                rows.setdefault(title, []).append(row)
        return rows

    @cached_property
    def _directors(self) -> _Named:
        imdb = self.dataset.movies.imdb
        return ((), Index(())) if imdb is None else self._people(imdb.directed)

    @cached_property
    def _actors(self) -> _Named:
        imdb = self.dataset.movies.imdb
        if imdb is None:
            return (), Index(())
        return self._people({name: rows for name, rows in imdb.acted.items() if name not in imdb.directed})

    def _people(self, credited: Mapping[str, Sequence[int]]) -> _Named:
        """Return the names of people and their index, by which a person is as well known as all of their movies."""
        number = np.fromiter(map(len, credited.values()), np.intp, len(credited))
        movies = np.fromiter(chain.from_iterable(credited.values()), np.intp, int(number.sum()))
        person = np.repeat(np.arange(len(number)), number)
        known = np.bincount(person, self.dataset.counts[movies], minlength=len(number))
        return tuple(credited), Index(tuple(map(title_key, credited)), known)

    @cached_property
    def _tags(self) -> _Named:
        tags = self.dataset.movies.tags
        return ((), Index(())) if tags is None else (tags.names, Index(tuple(tags.index), tags.counts))

    def directors(self, typed: str, limit: int) -> list[str]:
        """Return the names of directors that contain all the typed words, the best first."""
        names, index = self._directors
        return [names[row] for row in index.find(typed, limit, all_words=True).rows]

    @cached_property
    def _ids(self) -> tuple[list[str], list[int]]:
        """The ids of the users in lower case, in alphabetical order, and the rows of these users."""
        ids = list(map(str.casefold, self.dataset.users.ids))
        rows = sorted(range(len(ids)), key=ids.__getitem__)
        return [ids[row] for row in rows], rows

    @cached_property
    def _facts(self) -> tuple[list[str], NDArray[np.intp]]:
        """The distinct descriptions of users (age, gender, occupation), and the index of each user's description."""
        users = self.dataset.users
        columns = [column for column in (users.age.tolist(), users.gender, users.occupation) if len(column)]
        facts = [" ".join(str(fact) for fact in each if fact).casefold() for each in zip(*columns, strict=True)]
        number = {each: index for index, each in enumerate(dict.fromkeys(facts))}
        return list(number), np.asarray([number[each] for each in facts], np.intp)

    def users(self, typed: str) -> list[int]:
        """Return the rows of the users whose id begins with the typed text, or whose description has all typed words.

        If the text is empty, return all users. A user whose id equals the text comes first. If no user matches, it is
        enough that the description contains the typed words as parts of words.
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
        named = self.dataset.users.ids
        matching_rows.sort(key=lambda row: (named[row] != typed.strip(), named[row].casefold() != wanted))
        return matching_rows

    def the_movie(self, typed: str) -> int:
        """Return the row of the movie that the typed text stands for: ``Fargo (1996)``, ``fargo`` or an id.

        Never guesses between several movies. A title may be typed without the ones in parentheses, or be one of these.
        It takes precedence over an id, because 300 is also a movie; ``id:300`` is always an id. If entries of the same
        movie were not merged, the first is returned. Raises ``Problem``, which names the most similar titles, if no
        movie matches or more than one does.
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
        if movie_id in movies.row and (not rows or movies.row[movie_id] in rows):
            return movies.row[movie_id]
        if not rows:
            wanted = title_key(title)
            alike = self._titles.find(title, 50).rows
            near = list(alike[:MAX_SUGGESTIONS])
            ratios = {row: fuzz.ratio(wanted, movies.keys[row].rpartition(" ")[0]) for row in alike}
            of_year = [row for row in alike if year in (0, int(movies.years[row]))]
            rows = (
                [row for row in of_year if ratios[row] == 100]
                or [row for row in of_year if wanted in _titles(movies.titles[row])]
                or [row for row in of_year if ratios[row] >= SAME_TITLE]
            )
            near = list(rows) or near
        row_by_key = {movies.keys[row]: row for row in reversed(rows)}
        if len(row_by_key) == 1:
            return next(iter(row_by_key.values()))
        names = [movies.label(row) for row in near[:MAX_SUGGESTIONS]]
        if row_by_key:
            raise Problem(
                tr("{typed!r} could be several movies: {movies}; add the year.", typed=typed, movies=", ".join(names))
            )
        hint = tr("did you mean {names}?", names=either(names)) if names else tr("check its title.")
        raise Problem(tr("{dataset} has no movie {typed!r}; {hint}", dataset=self.dataset.name, typed=typed, hint=hint))


def _titles(title: str) -> frozenset[str]:
    """Return the keys of a title with and without the parts in parentheses, and of each title in parentheses."""
    movie = LabelledMovie("", title)
    return movie.mains | movie.others
