"""Which movie of a dataset a film of an export is. Never guesses between two.

In this order: what was settled by hand; the ids of IMDb and TMDB, where the dataset has them; MovieLens' own id where
the title agrees; the title and the year; the title in the year before or after. Titles are equal when their keys are,
further titles in parentheses and known renamings included; a leading article, spaces and the way in which numbers are
written count only where no movie has the very title. A movie that is known to have another id is not the film.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from data.dataset import Dataset
from data.imdb_matching import NEAR_YEARS, SUGGESTED_YEARS, TELLING_WORDS, Sought, loose_keys
from data.imdb_renames import RENAMED
from data.imports.entries import Entry
from data.links import Links, links_of
from data.titles import title_key

CANDIDATES = 5
"""How many movies are suggested at most."""
BY_HAND = "hand"
_NOTHING: Mapping[str, str | None] = {}
SURE = ("imdb", "tmdb", "movielens", BY_HAND, "title")


@dataclass(frozen=True)
class Match:
    """What a film of an export was found to be."""

    entry: Entry
    way: str
    """``hand``, ``imdb``, ``tmdb``, ``movielens``, ``title``, ``similar title``, ``near year``; empty for no match."""
    row: int | None = None
    """Of the movies of the dataset."""
    reason: str = ""
    """Why there is no match."""
    candidates: tuple[int, ...] = ()
    """Rows of the movies that may be meant; only where it is ambiguous."""

    @property
    def outcome(self) -> str:
        """``matched``, ``ambiguous`` or ``unmatched``."""
        return "matched" if self.row is not None else "ambiguous" if self.candidates else "unmatched"


@dataclass(frozen=True)
class _Name:
    """A title that an entry goes by, with its key, its loose keys and its year."""

    key: str
    loose: frozenset[str]
    year: int


class Matcher:
    """Finds films in a dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._movies = [
            Sought(movie, dataset.movies.label(row), int(dataset.movies.years[row]))
            for row, movie in enumerate(dataset.movies.ids)
        ]

    @cached_property
    def links(self) -> Links:
        """The ids of the movies."""
        return links_of(self.dataset)

    @cached_property
    def _by_imdb(self) -> dict[str, int]:
        return {link: row for row, link in enumerate(self.links.imdb) if link}

    @cached_property
    def _by_tmdb(self) -> dict[int, int]:
        return {link: row for row, link in enumerate(self.links.tmdb) if link}

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        """Rows by the loose keys of all their names."""
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, movie in enumerate(self._movies):
            for key in {*movie.loose, *(key for key, _ in movie.renamed)}:
                rows[key].append(row)
        return rows

    @cached_property
    def _last_year(self) -> int:
        return int(self.dataset.movies.years.max(initial=0))

    def match(self, entries: Iterable[Entry], settled: Mapping[str, str | None] = _NOTHING) -> list[Match]:
        """Return what each film is.

        ``settled``: the key of a movie, or None for none, by the key of title and year of an entry.
        """
        return self._without_rivals([self._match(entry, settled) for entry in entries])

    def _match(self, entry: Entry, settled: Mapping[str, str | None]) -> Match:
        movies = self.dataset.movies
        if entry.own in settled:
            key = settled[entry.own]
            if key is None:
                return Match(entry, "", reason="settled by hand to be none of them")
            if key in movies.rows_by_key:
                return Match(entry, BY_HAND, movies.rows_by_key[key][0])
        if entry.imdb in self._by_imdb:
            return Match(entry, "imdb", self._by_imdb[entry.imdb])
        if entry.tmdb in self._by_tmdb:
            return Match(entry, "tmdb", self._by_tmdb[entry.tmdb])
        same_id = movies.row.get(str(entry.movielens)) if entry.movielens else None
        if same_id is not None and self._movies[same_id].agrees(Sought("", f"{entry.title} ({entry.year})")):
            return Match(entry, "movielens", same_id)
        return self._by_title(entry)

    def _by_title(self, entry: Entry) -> Match:
        exact, similar = self._named(entry)
        other = [row for row in exact if self._is_another(entry, row)]
        exact = [row for row in exact if row not in other]
        similar = [row for row in similar if not self._is_another(entry, row)]

        def within(rows: Sequence[int], years: int) -> list[int]:
            return [row for row in rows if self._years_apart(entry, row) <= years]

        def ambiguous(reason: str, rows: Sequence[int]) -> Match:
            near = sorted(rows, key=lambda row: (self._years_apart(entry, row), -int(self.dataset.counts[row])))
            return Match(entry, "", reason=reason, candidates=tuple(near[:CANDIDATES]))

        if not entry.year:
            telling = len(title_key(entry.title).split()) >= TELLING_WORDS
            if len(self._films(exact)) == 1 and telling:
                return Match(entry, "title", exact[0])
            if exact or similar:
                return ambiguous("its year is not known", exact or similar)
            return self._unmatched(entry)
        for rows, years, way in ((exact, 0, "title"), (similar, 0, "similar title"), (exact, NEAR_YEARS, "near year")):
            fitting = within(rows, years)
            if len(self._films(fitting)) == 1:
                return Match(entry, way, fitting[0])
            if fitting:
                return ambiguous(f"{len(self._films(fitting))} movies fit as well", fitting)
        if undated := [row for row in exact if not self._movies[row].year]:
            return ambiguous("the year of the movie is not known", undated)
        if same := within(other, NEAR_YEARS):
            return ambiguous("a movie of that name and year has another id", same)
        if far := within(exact, SUGGESTED_YEARS) or within(similar, NEAR_YEARS):
            return ambiguous("the movie of that name is of another year", far)
        return self._unmatched(entry)

    def _unmatched(self, entry: Entry) -> Match:
        name = self.dataset.name
        if entry.year > self._last_year:
            return Match(entry, "", reason=f"{name} ends in {self._last_year}")
        return Match(entry, "", reason=f"{name} has no movie of that name" + (" and year" if entry.year else ""))

    def _named(self, entry: Entry) -> tuple[list[int], list[int]]:
        """The rows of movies that have the very name, and of those that have a similar one."""
        exact: list[int] = []
        similar: list[int] = []
        names = _names(entry)
        for row in dict.fromkeys(row for name in names for key in name.loose for row in self._by_name.get(key, ())):
            movie = self._movies[row]
            renamed = any((key, name.year) in movie.renamed for name in names for key in name.loose)
            very = any(name.key in movie.mains | movie.others for name in names)
            (exact if renamed or very else similar).append(row)
        return exact, similar

    def _years_apart(self, entry: Entry, row: int) -> int:
        """How far apart an entry and a movie are; as near as can be by any name of theirs."""
        movie = self._movies[row]
        names = _names(entry)
        if any((key, name.year) in movie.renamed for name in names for key in name.loose):
            return 0
        known = [name.year for name in names if name.year and name.key in movie.mains | movie.others] or [entry.year]
        return min(abs(movie.year - year) for year in known)

    def _is_another(self, entry: Entry, row: int) -> bool:
        """Whether the ids of an entry and a movie say that they are different films."""
        imdb, tmdb = self.links.imdb[row], self.links.tmdb[row]
        return bool((entry.imdb and imdb) or (entry.tmdb and tmdb))  # equal ones were matched by them

    def _films(self, rows: Sequence[int]) -> set[str]:
        return {self.dataset.movies.keys[row] for row in rows}

    def _without_rivals(self, found: Sequence[Match]) -> list[Match]:
        """Take back what is less than sure where two different films would be one movie."""
        films: defaultdict[str, list[int]] = defaultdict(list)
        for place, match in enumerate(found):
            if match.row is not None:
                films[self.dataset.movies.keys[match.row]].append(place)
        kept = list(found)
        for places in films.values():
            if len({found[place].entry.own for place in places}) == 1:
                continue
            unsure = [place for place in places if found[place].way not in SURE]
            for place in unsure:
                match = found[place]
                others = ", ".join(_label(found[other].entry) for other in places if other != place)
                assert match.row is not None
                reason = f"it would be the same movie as {others}"
                kept[place] = replace(match, way="", row=None, reason=reason, candidates=(match.row,))
        return kept


def _label(entry: Entry) -> str:
    return f"{entry.title} ({entry.year})" if entry.year else entry.title


def _names(entry: Entry) -> list[_Name]:
    """The names of an entry: its titles, and what MovieLens and IMDb call them elsewhere."""
    titles = dict.fromkeys(title for title in (entry.title, entry.original) if title)
    films = [(title, entry.year) for title in titles]
    for title, year in list(films):
        films += RENAMED.get((title_key(title), year), ())
        films += _RENAMED_BACK.get((title_key(title), year), ())
    return [_Name(title_key(title), frozenset(loose_keys(title)), year) for title, year in films]


def _back() -> Mapping[tuple[str, int], tuple[tuple[str, int], ...]]:
    found: defaultdict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
    for (key, year), names in RENAMED.items():
        for name, other in names:
            found[title_key(name), other].append((key, year))
    return {film: tuple(names) for film, names in found.items()}


_RENAMED_BACK = _back()
"""The key of the title and the year of MovieLens by those of IMDb."""
