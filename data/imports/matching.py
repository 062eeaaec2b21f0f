"""Matches the movies of an export with those of a dataset. Never guesses between two movies.

A movie is matched by the first of these that applies: the user's choice; its ids at IMDb and TMDB, if the dataset has
them; its MovieLens id, if the titles agree; its title and year. Two titles are equal if their keys are equal; further
titles in parentheses, known other names and the names on IMDb count too. If the ids of two movies are known and differ,
the movies are different.

If nothing applies, weaker agreement may be enough: the year is one off, an article is missing, the spelling differs, or
only the series or the subtitle agrees. Such a match needs evidence. If the dataset is joined with IMDb, no other movie
on IMDb may have exactly that name around that year; if the name is short and the year is one off, movies from all other
years with that name must be far less known. If the dataset is not joined, the name must be long or differ only by
spaces, and a part of the title is not enough. A movie that cleaning removed is never matched with another movie by
weaker agreement.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from movietui.data import catalogue
from movietui.data.dataset import Dataset
from movietui.data.imdb.external_ids import Links, links_of
from movietui.data.imdb.join import Knowledge, knowledge_of
from movietui.data.imdb.names_index import Namesake
from movietui.data.imdb.renames import RENAMED
from movietui.data.imdb.title_matching import (
    DISTINCTIVE_WORDS,
    FAR_MORE,
    KNOWN_VOTES,
    NEAR_YEARS,
    SUGGESTED_YEARS,
    LabelledMovie,
    loose_keys,
)
from movietui.data.imports.entries import Entry
from movietui.data.imports.spelling import CHANGING, all_spellings, ends, spelling, spellings
from movietui.data.language import tr
from movietui.data.titles import ARTICLES, LAST_YEAR, title_key, with_year

CANDIDATES = 5
"""The maximum number of movies suggested for an ambiguous movie."""
ALIKE = 86
"""The lowest similarity, from 0 to 100, at which a title is suggested."""
MOST_COMPARED = 2000
"""How many unmatched movies are compared with the titles from about their year; nobody chooses matches for more
by hand."""
BY_HAND = "hand"
SETTLED = tr("you chose none of them")
_NOTHING: Mapping[str, str | None] = {}
_SEVERAL_NAMES = re.compile(r"[(,:\-\u2010-\u2015]")
"""Matches the characters that separate a title from further titles, an article at the end, or a subtitle."""
SURE = ("imdb", "tmdb", "movielens", BY_HAND, "title")
"""Ways of matching that are valid even if another movie of the export matches the same movie of the dataset."""


class Match(NamedTuple):
    """The result of matching one movie of an export."""

    entry: Entry
    way: str
    """``hand``, ``imdb``, ``tmdb``, ``movielens``, ``title``, ``best known``, ``similar title``, ``near year`` or
    ``part of the title``; empty without a match."""
    row: int | None = None
    """The row of the movie in the dataset; None without a match."""
    reason: str = ""
    """Why the movie has no match."""
    candidates: tuple[int, ...] = ()
    """The rows of possible movies, the most likely first; only if the movie is ambiguous."""

    @property
    def outcome(self) -> str:
        """``matched``, ``ambiguous`` or ``unmatched``."""
        return "matched" if self.row is not None else "ambiguous" if self.candidates else "unmatched"


class Matches:
    """The matches of an export's movies, in the order of the movies.

    If an export has a million movies, nearly all of them are unmatched. Their ``Match`` objects are created only on
    request, because stored ones would need as much memory as the movies.
    """

    def __init__(
        self, entries: Sequence[Entry], matches: Mapping[int, Match], unmatched: Callable[[Entry], Match]
    ) -> None:
        """``matches`` has some matches, by the entry's index, ascending; ``unmatched`` creates the others."""
        self._entries, self._matches, self._unmatched = entries, matches, unmatched

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Match:
        entry = self._entries[index]
        return self._matches.get(index % len(self._entries)) or self._unmatched(entry)

    def __iter__(self) -> Iterator[Match]:
        for index, entry in enumerate(self._entries):
            yield self._matches.get(index) or self._unmatched(entry)

    def counts(self) -> Counter[str]:
        """Return the number of movies by outcome."""
        counts = Counter(match.outcome for match in self._matches.values())
        counts["unmatched"] += len(self._entries) - len(self._matches)
        return counts

    def with_outcome(self, outcome: str) -> Iterator[Match]:
        """Yield the matches with an outcome."""
        matches: Iterable[Match] = self if outcome == "unmatched" else self._matches.values()
        return (match for match in matches if match.outcome == outcome)


@dataclass(frozen=True, slots=True)
class _Name:
    """A name of an entry, with the keys of the name and the year of the movie under this name."""

    parsed: LabelledMovie
    key: str
    loose: frozenset[str]
    year: int


@dataclass(frozen=True)
class _MoviesByName:
    """The rows of movies whose names agree with an entry's, by how well they agree."""

    exact: Sequence[int]
    """Movies that have an equal name in the dataset."""
    known: Sequence[int]
    """Movies that have an equal name only on IMDb."""
    similar: Sequence[int]
    """Movies whose names are only loosely equal."""


class Matcher:
    """Finds the movies of an export in a dataset."""

    def __init__(self, dataset: Dataset, knowledge: Knowledge | None = None) -> None:
        """``knowledge`` has the names on IMDb; by default, those of the dataset's join are used."""
        self.dataset = dataset
        self._given_knowledge = knowledge

    @cached_property
    def _movies(self) -> Sequence[LabelledMovie]:
        movies = self.dataset.movies
        return [LabelledMovie(movie, movies.label(row), int(movies.years[row])) for row, movie in enumerate(movies.ids)]

    @cached_property
    def links(self) -> Links:
        """The ids of the dataset's movies at IMDb, TMDB and MovieLens."""
        return links_of(self.dataset)

    @cached_property
    def _by_imdb(self) -> dict[str, int]:
        return {link: row for row, link in enumerate(self.links.imdb) if link}

    @cached_property
    def _by_tmdb(self) -> dict[int, int]:
        return {link: row for row, link in enumerate(self.links.tmdb) if link}

    @cached_property
    def _knowledge(self) -> Knowledge | None:
        return self._given_knowledge or knowledge_of(self.dataset)

    @cached_property
    def _imdb_names(self) -> Sequence[tuple[str, str, int]]:
        """The name, original name and year on IMDb of each movie; empty and 0 for a movie without a match there."""
        facts, knowledge = self.dataset.movies.imdb, self._knowledge
        if facts is None or knowledge is None or not facts.ids:
            return [("", "", 0)] * len(self.dataset.movies)
        return [knowledge.titles.get(title, ("", "", 0)) for title in facts.ids]

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        """The rows of movies by the loose keys of all their names."""
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, movie in enumerate(self._movies):
            name, original, _ = self._imdb_names[row]
            known = {key for each in {name, original} if each for key in loose_keys(each)}
            for key in {*movie.loose, *(key for key, _ in movie.renamed), *known}:
                rows[key].append(row)
        return rows

    def _titles(self, row: int) -> set[str]:
        """Return the title of a movie without parts in parentheses, and its names on IMDb, as written."""
        return {self._movies[row].title, *filter(None, self._imdb_names[row][:2])}

    @cached_property
    def _by_spelling(self) -> tuple[Mapping[str, list[int]], Mapping[str, list[int]]]:
        """The rows of movies by the spellings of their titles, and by those of their series and subtitles."""
        whole: defaultdict[str, list[int]] = defaultdict(list)
        part: defaultdict[str, list[int]] = defaultdict(list)
        for row in range(len(self._movies)):
            titles = self._titles(row)
            for key in all_spellings(titles):
                whole[key].append(row)
            for key in frozenset().union(*map(ends, titles)):
                part[key].append(row)
        return whole, part

    @cached_property
    def _removed(self) -> Mapping[str, list[catalogue.RemovedMovie]]:
        """The movies that cleaning removed, by the keys of their titles."""
        by_key: defaultdict[str, list[catalogue.RemovedMovie]] = defaultdict(list)
        for movie in catalogue.removed_movies(self.dataset):
            labelled = LabelledMovie(movie.id, movie.label, movie.released)
            for key in labelled.mains | labelled.others:
                by_key[key].append(movie)
        return by_key

    @cached_property
    def _last_year(self) -> int:
        return int(self.dataset.movies.years.max(initial=0))

    @cached_property
    def _all_names(self) -> frozenset[str]:
        """All keys by which titles are looked up. A title with none of these keys matches no movie of the dataset."""
        return frozenset().union(self._by_name, *self._by_spelling, self._removed)

    def match(self, entries: Iterable[Entry], settled: Mapping[str, str | None] = _NOTHING) -> Matches:
        """Match all movies of an export.

        ``settled`` has the user's choices by the key of the entry: the key of a movie in the dataset, or None for no
        match. If cleaning removed a movie, the reason names the rule, and finding that rule imports pandas.
        """
        entries, matches, unmatched = tuple(entries), dict[int, Match](), 0
        for index, entry in enumerate(entries):
            match = self._match(entry, settled)
            if match is None or match.row is None:
                unmatched += 1
                if match is None and unmatched > MOST_COMPARED:
                    continue
                match = self._explained(match or self._unmatched(entry), compare=unmatched <= MOST_COMPARED)
            matches[index] = match
        return Matches(entries, self._without_rivals(matches), self._unmatched)

    def match_alone(self, entry: Entry, settled: Mapping[str, str | None] = _NOTHING) -> Match:
        """Match one movie, without comparing it with the export's other movies and without detailed reasons.

        The caller must drop a match whose way is not in ``SURE`` if another movie matches the same movie.
        """
        return self._match(entry, settled) or self._unmatched(entry)

    def _match(self, entry: Entry, settled: Mapping[str, str | None]) -> Match | None:
        """Match one movie; return None if no movie of the dataset has its name or a similar one."""
        movies = self.dataset.movies
        if settled and entry.key in settled:
            key = settled[entry.key]
            if key is None:
                return Match(entry, "", reason=SETTLED)
            if key in movies.rows_by_key:
                return Match(entry, BY_HAND, movies.rows_by_key[key][0])
        if entry.imdb in self._by_imdb:
            return Match(entry, "imdb", self._by_imdb[entry.imdb])
        if entry.tmdb in self._by_tmdb:
            return Match(entry, "tmdb", self._by_tmdb[entry.tmdb])
        same_id = movies.row.get(str(entry.movielens)) if entry.movielens else None
        if same_id is not None and self._movies[same_id].agrees(LabelledMovie("", f"{entry.title} ({entry.year})")):
            return Match(entry, "movielens", same_id)
        return self._by_title(entry) if self._has_known_name(entry) else None

    def _has_known_name(self, entry: Entry) -> bool:
        """Return whether a movie of the dataset may have the name of an entry or a similar one.

        This is a quick check: if the result is false, ``_by_title`` would match nothing.
        """
        title, year = entry.title, entry.year
        if entry.original:
            return True
        key, names = title_key(title), self._all_names
        if key in names or (key, year) in RENAMED or (key, year) in _RENAMED_BACK:
            return True
        if _SEVERAL_NAMES.search(title):
            return not names.isdisjoint(_loose_of(title) | spellings(title) | ends(title))
        # Nearly all titles have only one name. For these, the same keys can be computed three times as fast.
        words = key.split()
        return (
            "".join(words) in names
            or (bool(words) and words[0] in ARTICLES and "".join(words[1:]) in names)
            or (not CHANGING.isdisjoint(words) and spelling(title) in names)
        )

    def _by_title(self, entry: Entry) -> Match:
        named = self._named(entry)
        others = [row for row in (*named.exact, *named.known) if self._is_another(entry, row)]
        exact, known, similar = (
            [row for row in rows if not self._is_another(entry, row)]
            for rows in (named.exact, named.known, named.similar)
        )

        def within(rows: Iterable[int], years: int) -> list[int]:
            return [row for row in rows if self._years_apart(entry, row) <= years]

        def ambiguous(reason: str, rows: Iterable[int]) -> Match:
            near = sorted(set(rows), key=lambda row: (self._years_apart(entry, row), -int(self.dataset.counts[row])))
            return Match(entry, "", reason=reason, candidates=tuple(near[:CANDIDATES]))

        if not entry.year:
            return self._undated(entry, exact, known, similar) or self._unmatched(entry)
        for rows in (within(exact, 0), within(known, 0)):
            if len(self._movie_keys(rows)) == 1:
                return Match(entry, "title", rows[0])
            if rows:
                return ambiguous(tr("{count} movies fit equally well", count=len(self._movie_keys(rows))), rows)
        if self._removed_movie(entry):
            return self._unmatched(entry)
        both = [*exact, *known]
        for rows, way, words in (
            (within(similar, 0), "similar title", DISTINCTIVE_WORDS - 1),
            (within(both, NEAR_YEARS), "near year", DISTINCTIVE_WORDS),
        ):
            if len(self._movie_keys(rows)) == 1:
                objection = self._objection(entry, rows[0], way, words)
                return ambiguous(objection, rows) if objection else Match(entry, way, rows[0])
            if rows:
                return ambiguous(tr("{count} movies fit equally well", count=len(self._movie_keys(rows))), rows)
        if undated := [row for row in both if not self._year(row)]:
            return ambiguous(tr("the year of the movie is unknown"), undated)
        if same := within(others, NEAR_YEARS):
            return ambiguous(tr("a movie with that name, from about that year, has another id"), same)
        if self._is_only_on_imdb(entry):
            return self._unmatched(entry)
        whole, part = self._spelled(entry)
        for rows, way in ((within(whole, 0), "similar title"), (within(part, 0), "part of the title")):
            if len(self._movie_keys(rows)) == 1:
                objection = self._objection(entry, rows[0], way, DISTINCTIVE_WORDS)
                return ambiguous(objection, rows) if objection else Match(entry, way, rows[0])
            if rows:
                return ambiguous(tr("{count} movies fit equally well", count=len(self._movie_keys(rows))), rows)
        if far := within(both, SUGGESTED_YEARS) or within([*similar, *whole], NEAR_YEARS):
            return ambiguous(tr("the movie with that name is from another year"), far)
        return self._unmatched(entry)

    def _explained(self, match: Match, *, compare: bool) -> Match:
        """Return the match with details for an unmatched movie: the rule that removed it, or candidates.

        With ``compare``, movies with similar titles become candidates; looking for these takes half a millisecond.
        """
        entry, name = match.entry, self.dataset.name
        if match.candidates or match.reason == SETTLED:
            return match
        if removed := self._removed_movie(entry):
            return match._replace(
                reason=tr(
                    "cleaning removed it from {dataset}: {rule}",
                    dataset=name,
                    rule=catalogue.rule_that_removed(self.dataset, removed),
                )
            )
        if compare and not self._is_only_on_imdb(entry) and (alike := self._alike(entry)):
            return match._replace(reason=tr("its title is only similar to another one"), candidates=tuple(alike))
        return match

    def _undated(
        self, entry: Entry, exact: Sequence[int], known: Sequence[int], similar: Sequence[int]
    ) -> Match | None:
        """Match a movie without a year; return None if no movie of the dataset has its name or a similar one."""
        rows = exact or known
        candidates = sorted(rows or similar, key=lambda row: -int(self.dataset.counts[row]))[:CANDIDATES]
        if not candidates:
            return None
        if (
            len(self._movie_keys(rows)) == 1
            and self._knowledge is None
            and len(title_key(entry.title).split()) >= DISTINCTIVE_WORDS
        ):
            return Match(entry, "title", rows[0])
        if rows and self._knowledge is not None:
            namesakes = self._namesakes(entry)
            if len(self._movie_keys(rows)) == 1 and all(
                namesake.id == self.links.imdb[rows[0]] for namesake in namesakes
            ):
                return Match(entry, "title", rows[0])
            best = max(rows, key=self._votes)
            rivals = [namesake.votes for namesake in namesakes if namesake.id != self.links.imdb[best]]
            rivals += [
                self._votes(row) for row in rows if self.dataset.movies.keys[row] != self.dataset.movies.keys[best]
            ]
            if _far_better_known(self._votes(best), max(rivals, default=0)):
                return Match(entry, "best known", best)
        return Match(entry, "", reason=tr("its year is unknown"), candidates=tuple(candidates))

    def _unmatched(self, entry: Entry) -> Match:
        undated, dated, later = self._reasons_unmatched
        return Match(entry, "", reason=later if entry.year > self._last_year else dated if entry.year else undated)

    @cached_property
    def _reasons_unmatched(self) -> tuple[str, str, str]:
        """Why a movie has no match: without a year, with a year, and if it is newer than all movies of the dataset."""
        no_such_name = tr("{dataset} has no movie with that name", dataset=self.dataset.name)
        return (
            no_such_name,
            tr("{reason} and year", reason=no_such_name),
            tr("{dataset} has no movies after {year}", dataset=self.dataset.name, year=self._last_year),
        )

    # Evidence

    def _objection(self, entry: Entry, row: int, way: str, words: int) -> str:
        """Return why a movie whose name or year differs slightly must not be matched; empty if nothing prevents it.

        ``words`` is the fewest words of a title that is distinctive enough by itself.
        """
        short = len([word for word in title_key(entry.title).split() if word not in ARTICLES]) < words
        if self._knowledge is None:
            if way == "part of the title" or (short and not self._only_spaces_apart(entry, row)):
                return (
                    tr("the movie with that name is from another year")
                    if way == "near year"
                    else tr("the most similar title is spelled slightly differently")
                )
            return ""
        years = LAST_YEAR if short and way == "near year" else NEAR_YEARS
        for namesake in self._namesakes(entry):
            difference = abs(namesake.year - entry.year)
            if namesake.id == self._imdb(row) or difference > years:
                continue
            if difference == 0:
                return tr("IMDb has another movie with that name and year")
            if difference <= NEAR_YEARS or not _far_better_known(self._votes(row), namesake.votes):
                return tr("IMDb has other movies with that name")
        return ""

    def _only_spaces_apart(self, entry: Entry, row: int) -> bool:
        """Return whether the years are equal and the names differ only by spaces: "Spiderman" and "Spider-Man"."""
        names = {name.key.replace(" ", "") for name in _names(entry)}
        movie = self._movies[row]
        same = names & {key.replace(" ", "") for key in movie.mains | movie.others}
        return bool(same) and self._years_apart(entry, row) == 0

    def _namesakes(self, entry: Entry) -> list[Namesake]:
        """Return the movies on IMDb that have one of the names of an entry."""
        if self._knowledge is None:
            return []
        keys = sorted({key for name in _names(entry) for key in name.parsed.mains})
        return list({one.id: one for key in keys for one in self._knowledge.names.namesakes(key)}.values())

    def _is_only_on_imdb(self, entry: Entry) -> bool:
        """Return whether IMDb has movies with exactly the entry's name and year, none of which is in the dataset."""
        namesakes = [namesake for namesake in self._namesakes(entry) if namesake.year == entry.year]
        return bool(namesakes) and not any(namesake.id in self._by_imdb for namesake in namesakes)

    def _imdb(self, row: int) -> str:
        facts = self.dataset.movies.imdb
        return (facts.ids[row] if facts and facts.ids else "") or self.links.imdb[row]

    def _votes(self, row: int) -> int:
        facts = self.dataset.movies.imdb
        return int(facts.votes[row]) if facts else 0

    def _year(self, row: int) -> int:
        return self._movies[row].year or self._imdb_names[row][2]

    def _removed_movie(self, entry: Entry) -> catalogue.RemovedMovie | None:
        """Return a movie with the entry's name and year that cleaning removed, or None."""
        removed = (
            movie
            for name in _names(entry)
            for movie in self._removed.get(name.key, ())
            if not (movie.year and name.year) or movie.year == name.year
        )
        return next(removed, None)

    # Names

    def _named(self, entry: Entry) -> _MoviesByName:
        """Return the rows of movies that have a name of the entry, exactly or loosely."""
        exact: list[int] = []
        known: list[int] = []
        similar: list[int] = []
        names = _names(entry)
        for row in sorted({row for name in names for key in name.loose for row in self._by_name.get(key, ())}):
            movie = self._movies[row]
            renamed = any((key, name.year) in movie.renamed for name in names for key in name.loose)
            if renamed or any(_same_name(name.parsed, movie) for name in names):
                exact.append(row)
            elif any(title and title_key(title) == name.key for title in self._imdb_names[row][:2] for name in names):
                known.append(row)
            else:
                similar.append(row)
        return _MoviesByName(exact, known, similar)

    def _spelled(self, entry: Entry) -> tuple[list[int], list[int]]:
        """Return the rows of movies with another spelling of the title, and those with only a part of it."""
        whole, part = self._by_spelling
        titles = [title for title in (entry.title, entry.original) if title]
        keys, pieces = all_spellings(titles), frozenset[str]().union(*map(ends, titles))
        wholes = {row for key in keys for row in whole.get(key, ())}
        parts = {row for key in keys for row in part.get(key, ())}
        parts |= {row for key in pieces for row in whole.get(key, ())}
        by_whole, by_part = (
            [row for row in sorted(rows) if not self._is_another(entry, row)] for rows in (wholes, parts)
        )
        return by_whole, by_part

    def _alike(self, entry: Entry) -> list[int]:
        """Return the rows of movies with similar titles from about the entry's year, the most similar first."""
        from rapidfuzz import fuzz, process

        rows = [
            row
            for year in range(entry.year - NEAR_YEARS, entry.year + NEAR_YEARS + 1)
            for row in self._by_year.get(year, ())
            if not self._is_another(entry, row)
        ]
        keys = {row: self._keys[row] for row in rows}
        alike = process.extract(title_key(entry.title), keys, scorer=fuzz.ratio, limit=CANDIDATES, score_cutoff=ALIKE)
        return [row for _, _, row in alike]

    @cached_property
    def _keys(self) -> Sequence[str]:
        """The keys of the dataset's titles, without the parts in parentheses."""
        return [title_key(movie.title) for movie in self._movies]

    @cached_property
    def _by_year(self) -> Mapping[int, list[int]]:
        rows: defaultdict[int, list[int]] = defaultdict(list)
        for row in range(len(self._movies)):
            rows[self._year(row)].append(row)
        return rows

    def _years_apart(self, entry: Entry, row: int) -> int:
        """Return the difference between the years of an entry and a movie, the smallest over all their names."""
        movie = self._movies[row]
        names = _names(entry)
        if any((key, name.year) in movie.renamed for name in names for key in name.loose):
            return 0
        years = [name.year for name in names if name.year and name.key in movie.mains | movie.others] or [entry.year]
        ours = [year for year in (movie.year, self._imdb_names[row][2]) if year] or [0]
        return min(abs(one - year) for one in ours for year in years)

    def _is_another(self, entry: Entry, row: int) -> bool:
        """Return whether the ids of an entry and of a movie say that they are two different movies."""
        imdb, tmdb = self.links.imdb[row], self.links.tmdb[row]
        return bool((entry.imdb and imdb) or (entry.tmdb and tmdb))  # equal ids have already matched

    def _movie_keys(self, rows: Sequence[int]) -> set[str]:
        return {self.dataset.movies.keys[row] for row in rows}

    def _without_rivals(self, matches: Mapping[int, Match]) -> dict[int, Match]:
        """Return the matches, revoking uncertain ones if two different movies of the export match the same movie."""
        indices_by_movie: defaultdict[str, list[int]] = defaultdict(list)
        for index, match in matches.items():
            if match.row is not None:
                indices_by_movie[self.dataset.movies.keys[match.row]].append(index)
        result = dict(matches)
        for indices in indices_by_movie.values():
            if len({matches[index].entry.key for index in indices}) == 1:
                continue
            for index in indices:
                match = matches[index]
                if match.way in SURE and not self._is_by_name_only(match):
                    continue
                others = ", ".join(_label(matches[other].entry) for other in indices if other != index)
                assert match.row is not None
                reason = tr("it would be the same movie as {movies}", movies=others)
                result[index] = match._replace(way="", row=None, reason=reason, candidates=(match.row,))
        return result

    @staticmethod
    def _is_by_name_only(match: Match) -> bool:
        """Return whether a match rests only on a name that another movie of the export shares."""
        return bool(match.entry.qualifier) and match.way == "title"


def _label(entry: Entry) -> str:
    return with_year(entry.title, entry.year)


@lru_cache(maxsize=16)
def _names(entry: Entry) -> Sequence[_Name]:
    """Return the names of an entry: its titles, and the other names that they are known to have; see ``RENAMED``."""
    titles = dict.fromkeys(title for title in (entry.title, entry.original) if title)
    names = [(title, entry.year) for title in titles]
    for title, year in list(names):
        names += RENAMED.get((title_key(title), year), ())
        names += _RENAMED_BACK.get((title_key(title), year), ())
    return [_Name(LabelledMovie("", title, year), title_key(title), _loose_of(title), year) for title, year in names]


def _loose_of(title: str) -> frozenset[str]:
    keys = frozenset(loose_keys(title))
    return keys.union(*map(loose_keys, LabelledMovie("", title).others)) if "(" in title else keys


def _same_name(one: LabelledMovie, other: LabelledMovie) -> bool:
    """Return whether two movies have an equal title; parts in parentheses count as further titles.

    If both have such parts, one of these must be equal too: "I Am Curious (Yellow)" is not "I Am Curious (Blue)".
    """
    whole, others = one.mains | one.others, other.mains | other.others
    if one.others and other.others:
        return bool(one.others & others or whole & other.others or one.full in others or other.full in whole)
    return bool(whole & others)


def _far_better_known(votes: int, other: int) -> bool:
    return votes >= KNOWN_VOTES and votes >= FAR_MORE * other


def _renamed_back() -> Mapping[tuple[str, int], tuple[tuple[str, int], ...]]:
    titles: defaultdict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
    for (key, year), names in RENAMED.items():
        for name, imdb_year in names:
            titles[title_key(name), imdb_year].append((key, year))
    return {name: tuple(keys) for name, keys in titles.items()}


_RENAMED_BACK = _renamed_back()
"""The keys of titles and the years in MovieLens, by the key of the title and the year on IMDb: ``RENAMED`` reversed."""
