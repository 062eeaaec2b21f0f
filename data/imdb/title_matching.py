"""Matches each movie of a dataset with an IMDb title: by its link, or else by name and year. Never guesses.

Two names are equal if their ``title_key`` is the same. They are loosely equal if they differ only by a leading article,
by spaces ("Spider-Man", "Spiderman"), by an inner "and", by how numbers are written ("Part II", "Part Two"), or by a
prefix that some sources leave out ("National Lampoon's").

One title fits a movie better than another if name, kind and year fit at least as well, and one of the three fits
better. The title that fits better beats the other, unless the other is far better known. If neither fits better, a
title beats the other only if it is far better known. A movie is matched if one title beats all others. If several
movies of a dataset have the same name and year, votes cannot tell them apart and are ignored.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from movietui.data.imdb.renames import OWNERS, RENAMED
from movietui.data.titles import ARTICLES, parse_label, title_key

VERSION = 2
"""Increase this whenever the matching or the stored tables change, so that old joins are no longer used."""
NEAR_YEARS = 1
"""The largest difference between the year of a movie and that of its title."""
SUGGESTED_YEARS = 3
"""The largest difference between the year of a movie and that of a suggested title."""
ANY_YEAR = (0, 9999)
CANDIDATES = 9
"""The maximum number of titles suggested for a movie: on screen, each is chosen by a digit."""
KINDS: Mapping[str, int] = {
    "movie": 0,
    "tvMovie": 1,
    "short": 2,
    "tvMiniSeries": 2,
    "tvSeries": 2,
    "tvShort": 2,
    "tvSpecial": 2,
    "video": 2,
}
"""The kinds of titles that can be matched by name; lower numbers are preferred. A link can match any kind."""
DISTINCTIVE_WORDS = 3
"""The fewest words of a distinctive name. Many movies share a shorter name, so an equal name says little if the year
differs by one."""
ADULT = 3
"""Added to the number of the kind for adult titles, because adult parodies take the name of the movie they parody."""
KNOWN_VOTES = 1000
FAR_MORE = 20
"""To be far better known than another, a title needs ``KNOWN_VOTES`` votes, and this many times the other's votes."""

_AKA = re.compile(r"a\.?\s?k\.?\s?a\.?:? ", re.IGNORECASE)
_OWNED = re.compile(f"(?:{'|'.join(map(re.escape, OWNERS))}) (?=.)", re.IGNORECASE)
_FIRST_WORDS = frozenset(article for article in ARTICLES if article.isalpha())
_NUMBERS = (
    ("1", "i", "one"),
    ("2", "ii", "two"),
    ("3", "iii", "three"),
    ("4", "iv", "four"),
    ("5", "v", "five"),
    ("6", "vi", "six"),
    ("7", "vii", "seven"),
    ("8", "viii", "eight"),
    ("9", "ix", "nine"),
    ("10", "x", "ten"),
)
NUMBER_OF = {word: number for number in _NUMBERS for word in number}
"""For each way to write a number ("2", "ii", "two"), all of its ways, digits first."""


@dataclass(frozen=True)
class Title:
    """A title on IMDb: a movie, a series, a short or another kind."""

    id: str
    """Such as ``tt0114709``."""
    kind: str
    """``movie``, ``tvMovie``, ``short`` and so on, as IMDb names them."""
    name: str
    original: str
    year: int
    """The year of the first release; 0 if unknown."""
    minutes: int
    """The runtime; 0 if unknown."""
    genres: tuple[str, ...]
    adult: bool = False
    rating: float = 0.0
    """The mean rating, 1 to 10; 0 if unknown."""
    votes: int = 0
    directors: tuple[str, ...] = ()
    director_ids: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    """The names of the top-billed actors."""
    languages: tuple[str, ...] = ()
    """The codes of the original languages; see ``movietui.data.imdb.origins``."""
    countries: tuple[str, ...] = ()
    """The codes of the countries of origin."""

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of the name and of the original name."""
        return _keys((self.name, self.original))

    @cached_property
    def loose_keys(self) -> frozenset[str]:
        """The loose keys of the name and of the original name."""
        return frozenset(key for name in {self.name, self.original} for key in loose_keys(name))


def loose_keys(name: str) -> tuple[str, ...]:
    """Return the loose keys of a name on IMDb: its ``title_key`` without a leading article and without spaces.

    A name with parentheses or a comma may have two further keys: one of the name with its articles put first, and one
    of the name without the parts in parentheses.

    >>> loose_keys("The Spider-Man")
    ('spiderman',)
    >>> loose_keys("Crow, The (Corbeau, Le)")
    ('crowthecorbeaule', 'crowlecorbeau', 'crow')
    """
    if "(" not in name and "," not in name:
        return (_loose(title_key(name)),)
    title, _ = parse_label(name)
    names = (name, title, title.partition(" (")[0])
    return tuple(dict.fromkeys(key for each in names if (key := _loose(title_key(each)))))


def _loose(key: str) -> str:
    words = key.split()
    return "".join(words[1:] if len(words) > 1 and words[0] in _FIRST_WORDS else words)


def _keys(names: Iterable[str]) -> frozenset[str]:
    return frozenset(key for name in names if (key := title_key(name)))


@dataclass(frozen=True)
class LabelledMovie:
    """A movie of a dataset, to be matched."""

    id: str
    label: str
    """As published, such as ``Usual Suspects, The (1995)``."""
    released: int = 0
    """The year of release, which is used if the label has no year; 0 if unknown."""
    genres: frozenset[str] = frozenset()
    """As MovieLens names them."""
    link: str = ""
    """The id of the IMDb title that the dataset links the movie to; empty if there is no link."""

    @cached_property
    def _parsed(self) -> tuple[str, int]:
        return parse_label(self.label)

    @property
    def year(self) -> int:
        """The year in the label, or else the year of release; 0 if unknown."""
        return self._parsed[1] or self.released

    @cached_property
    def mains(self) -> frozenset[str]:
        """The keys of the title, with and without the parts in parentheses."""
        title, _ = self._parsed
        return _keys((title, title.partition(" (")[0]))

    @property
    def title(self) -> str:
        """The title without the parts in parentheses."""
        return self._parsed[0].partition(" (")[0]

    @property
    def full(self) -> str:
        """The key of the title with the parts in parentheses."""
        return title_key(self._parsed[0])

    @cached_property
    def others(self) -> frozenset[str]:
        """The keys of the further titles in parentheses."""
        inside = re.findall(r"\(([^()]*)\)", self._parsed[0])
        parts = [part.strip() for text in inside for part in (text, *re.split(r" ?/ |, (?=a\.?k\.?a)", text))]
        return _keys(_AKA.sub("", part, count=1) if _AKA.match(part) else part for part in parts) - self.mains

    @cached_property
    def renamed(self) -> frozenset[tuple[str, int]]:
        """The loose keys and years of the names under which IMDb is known to list the movie; see ``RENAMED``."""
        matches = (name for key in self.mains for name in RENAMED.get((key, self.year), ()))
        return frozenset((_loose(title_key(name)), year) for name, year in matches)

    @cached_property
    def loose(self) -> frozenset[str]:
        """The loose keys of all names except those in ``renamed``."""
        keys = self.mains | self.others
        title = self._parsed[0].partition(" (")[0]
        owned = _OWNED.match(title)
        if owned:
            keys |= _keys((title[owned.end() :],))
        return frozenset(_loose(spelling) for key in keys for spelling in _spellings(key))

    def agrees(self, other: "LabelledMovie") -> bool:
        """Return whether this is the same movie as ``other``, which has the same id in another dataset.

        They are the same if a name is equal, and the years differ by at most ``NEAR_YEARS`` or one of them is unknown.
        """
        names, years = (self.mains | self.others) & (other.mains | other.others), (self.year, other.year)
        return bool(names) and (0 in years or abs(years[0] - years[1]) <= NEAR_YEARS)


def _spellings(key: str) -> Iterable[str]:
    """Yield a key; the key without "and", if it has one inside; and the key with its numbers written in each way."""
    yield key
    words = key.split()
    if "and" in words[1:-1]:
        yield " ".join(word for word in words if word != "and")
    if any(word in NUMBER_OF for word in words):
        for way in range(3):
            yield " ".join(NUMBER_OF[word][way] if word in NUMBER_OF else word for word in words)


@dataclass(frozen=True)
class Fit:
    """How well a title fits a movie; in each field, smaller is better."""

    name: int
    """0: the main title and a further title are equal; 1: only the main title is equal; 2: only a further title or a
    known other name is equal; 3: a name is loosely equal."""
    kind: int
    """The number of the kind in ``KINDS``, plus ``ADULT`` for an adult title."""
    years: int
    """The difference between the years."""

    def is_better_than(self, other: "Fit") -> bool:
        """Return whether this fit is at least as good as the other in every field, and better in at least one."""
        return self != other and self.name <= other.name and self.kind <= other.kind and self.years <= other.years

    @property
    def rank(self) -> tuple[int, int, int]:
        """The key by which candidates are sorted, the best first."""
        return max(0, self.years - NEAR_YEARS), self.name + self.kind, self.years


@dataclass(frozen=True)
class Match:
    """The result of matching one movie."""

    way: str
    """``id`` or ``title`` if the movie is matched; ``ambiguous`` or ``unmatched`` if it is not."""
    title: str = ""
    """The id of the matched title."""
    reason: str = ""
    """Why there is no match; empty if there is one."""
    candidates: tuple[str, ...] = ()
    """The ids of the possible titles, the most likely first; only if the movie is ambiguous."""


def wanted_years(movies: Iterable[LabelledMovie]) -> dict[str, tuple[int, int]]:
    """Return the first and the last year in which a title may be one of the movies, by the title's loose key."""
    years: dict[str, tuple[int, int]] = {}

    def widen(key: str, first: int, last: int) -> None:
        known = years.get(key, (first, last))
        years[key] = min(first, known[0]), max(last, known[1])

    for movie in movies:
        first, last = movie.year - SUGGESTED_YEARS, movie.year + SUGGESTED_YEARS
        for key in movie.loose:
            widen(key, *((first, last) if movie.year else ANY_YEAR))
        for key, year in movie.renamed:
            widen(key, year, year)
    return years


def fit(movie: LabelledMovie, title: Title) -> Fit | None:
    """Return how well a title fits a movie, or None if no name agrees or its kind is not in ``KINDS``.

    The years may differ by any number.
    """
    if title.kind not in KINDS:
        return None
    kind, years = KINDS[title.kind] + ADULT * title.adult, abs(movie.year - title.year)
    if any((key, title.year) in movie.renamed for key in title.loose_keys):
        return Fit(2, kind, 0)
    main, other = movie.mains & title.keys, movie.others & title.keys
    if main:
        return Fit(0 if other else 1, kind, years)
    if other:
        return Fit(2, kind, years)
    return Fit(3, kind, years) if movie.loose & title.loose_keys else None


def match(movies: Sequence[LabelledMovie], titles: Collection[Title]) -> list[Match]:
    """Match each movie with one of the titles, and return the results in the order of the movies."""
    by_id = {title.id: title for title in titles}
    by_key: defaultdict[str, list[Title]] = defaultdict(list)
    for title in titles:
        for key in title.loose_keys:
            by_key[key].append(title)
    twice = Counter((name, movie.year) for movie in movies for name in movie.mains)
    matches = []
    for movie in movies:
        if movie.link in by_id:
            matches.append(Match("id", movie.link))
            continue
        keys = {*movie.loose, *(key for key, _ in movie.renamed)}
        named = {title.id: title for key in keys for title in by_key.get(key, ())}.values()
        fits = [(how, title) for title in named if (how := fit(movie, title))]
        fits.sort(key=lambda pair: (pair[0].rank, -pair[1].votes, pair[1].id))
        matches.append(_decide(movie, fits, any(twice[name, movie.year] > 1 for name in movie.mains)))
    return _without_rivals(movies, matches)


def _far_better_known(one: Title, other: Title) -> bool:
    return one.votes >= KNOWN_VOTES and one.votes >= FAR_MORE * other.votes


def _decide(movie: LabelledMovie, fits: Sequence[tuple[Fit, Title]], twin: bool) -> Match:
    """Match a movie with one of the titles that fit, of which the most likely come first.

    ``twin`` says whether another movie of the dataset has the same name and year.
    """

    def ambiguous(reason: str, among: Sequence[tuple[Fit, Title]]) -> Match:
        return Match("ambiguous", "", reason, tuple(title.id for _, title in among[:CANDIDATES]))

    def beats(one: tuple[Fit, Title], other: tuple[Fit, Title]) -> bool:
        if one[0].is_better_than(other[0]):
            return twin or not _far_better_known(other[1], one[1])
        return not twin and not other[0].is_better_than(one[0]) and _far_better_known(one[1], other[1])

    broken_link = f"its link {movie.link} is not in title.basics" if movie.link else ""
    near = [pair for pair in fits if pair[0].years <= NEAR_YEARS]
    wide = [pair for pair in fits if pair[0].years <= SUGGESTED_YEARS and pair[0].name < 3]
    if broken_link:
        return ambiguous(broken_link, near) if near else Match("unmatched", "", broken_link)
    if not movie.year:
        return ambiguous("its year is unknown", fits) if fits else Match("unmatched", "", "no title with that name")
    if not near:
        if wide:
            return ambiguous(f"titles with that name are more than {NEAR_YEARS} year earlier or later", wide)
        first, last = movie.year - NEAR_YEARS, movie.year + NEAR_YEARS
        return Match("unmatched", "", f"no title with that name from {first} to {last}")
    winners = [one for one in near if all(beats(one, other) for other in near if other is not one)]
    if not winners:
        return ambiguous(f"{len(near)} titles fit, none clearly better", near)
    ((how, title),) = winners
    short = len(title_key(title.name).split()) < DISTINCTIVE_WORDS
    if (how.name == 3 or (how.years and short)) and _no_genre_in_common(movie, title):
        return ambiguous("its genres differ, and its name or year differs slightly", near)
    return Match("title", title.id)


def _no_genre_in_common(movie: LabelledMovie, title: Title) -> bool:
    ours = {_IMDB_GENRES.get(genre, genre) for genre in movie.genres}
    return bool(ours) and bool(title.genres) and ours.isdisjoint(title.genres)


_IMDB_GENRES = {"Children's": "Family", "Children": "Family"}


def _without_rivals(movies: Sequence[LabelledMovie], matches: Sequence[Match]) -> list[Match]:
    """Return the matches, revoking those by title if movies with different names or years match the same title."""
    owners: defaultdict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(matches):
        if each.title:
            owners[each.title].append(index)
    result = list(matches)
    for title, indices in owners.items():
        if len({movies[index].mains for index in indices}) == len({movies[index].year for index in indices}) == 1:
            continue
        sure = [index for index in indices if matches[index].way == "id"]
        for index in indices:
            others = ", ".join(movies[other].label for other in (sure or indices) if other != index)
            if matches[index].way == "title":
                result[index] = Match("ambiguous", "", f"it would be the same movie as {others}", (title,))
    return result
