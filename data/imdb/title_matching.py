"""Which IMDb title a movie of a dataset is: by its link, else by name and year. Never guesses.

Names count as equal when their ``title_key`` is. Loosely equal are names that differ by a leading article, by spaces
("Spider-Man", "Spiderman"), by how numbers are written ("Part II", "Part Two"), or by what a title begins with that
others leave out ("National Lampoon's").

One title wins over another where it fits the movie as well by name, kind and year and better by one of them, unless
the other is far better known; where neither fits better, only one that is far better known wins. A movie is matched
where one title wins over all others. Where two movies of a dataset have the same name and year, votes cannot tell
which is which, and are not asked.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from data.imdb_renames import OWNERS, RENAMED
from data.titles import ARTICLES, parse_label, title_key

VERSION = 1
"""Raised whenever something else is found or kept, so that datasets joined before are joined again."""
NEAR_YEARS = 1
"""How far the years of a movie and its title may lie apart."""
SUGGESTED_YEARS = 3
"""How far they may lie apart for a title to be suggested."""
ANY_YEAR = (0, 9999)
CANDIDATES = 10
"""How many titles are suggested for a movie at most."""
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
"""The kinds of titles that a name may find, and which come before which; a link finds any."""
TELLING_WORDS = 3
"""Shorter names are borne by so many films that an equal name in the next year says little."""
ADULT = 3
"""How far behind titles for adults only come: parodies carry the names of what they parody."""
KNOWN_VOTES = 1000
FAR_MORE = 20
"""What has at least so many votes, and so many times those of another title, is far better known."""

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
_NUMBER_OF = {word: number for number in _NUMBERS for word in number}


@dataclass(frozen=True)
class Title:
    """A title of IMDb."""

    id: str
    """``tt0114709``."""
    kind: str
    """``movie``, ``tvMovie``, ``short`` and so on, as IMDb names them."""
    name: str
    original: str
    year: int
    """Of the first release; 0 where unknown."""
    minutes: int
    """0 where unknown."""
    genres: tuple[str, ...]
    adult: bool = False
    rating: float = 0.0
    """Mean of the votes, 1 to 10; 0 where unknown."""
    votes: int = 0
    directors: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """The ids of the directors."""

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of its names."""
        return _keys((self.name, self.original))

    @cached_property
    def loose_keys(self) -> frozenset[str]:
        """The loose keys of its names."""
        return frozenset(key for name in {self.name, self.original} for key in loose_keys(name))


def loose_keys(name: str) -> tuple[str, ...]:
    """Return the keys by which a name of IMDb is found: without leading article and spaces.

    A name with parentheses or a comma is also tried without what stands in them, and with its article in front.

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
class Sought:
    """A movie of a dataset that is looked for."""

    id: str
    label: str
    """As published: ``Usual Suspects, The (1995)``."""
    released: int = 0
    """The year of its release, for a label without year; 0 where unknown."""
    genres: frozenset[str] = frozenset()
    """As MovieLens names them."""
    link: str = ""
    """The id of its IMDb title, where the dataset has links."""

    @cached_property
    def _parsed(self) -> tuple[str, int]:
        return parse_label(self.label)

    @property
    def year(self) -> int:
        """The year in the label, else that of the release; 0 where unknown."""
        return self._parsed[1] or self.released

    @cached_property
    def mains(self) -> frozenset[str]:
        """The keys of the title, with and without what stands in parentheses."""
        title, _ = self._parsed
        return _keys((title, title.partition(" (")[0]))

    @cached_property
    def others(self) -> frozenset[str]:
        """The keys of the further titles in parentheses."""
        inside = re.findall(r"\(([^()]*)\)", self._parsed[0])
        parts = [part.strip() for text in inside for part in (text, *re.split(r" ?/ |, (?=a\.?k\.?a)", text))]
        return _keys(_AKA.sub("", part, count=1) if _AKA.match(part) else part for part in parts) - self.mains

    @cached_property
    def renamed(self) -> frozenset[tuple[str, int]]:
        """The loose key and the year of names that the film is known to have on IMDb."""
        found = (name for key in self.mains for name in RENAMED.get((key, self.year), ()))
        return frozenset((_loose(title_key(name)), year) for name, year in found)

    @cached_property
    def loose(self) -> frozenset[str]:
        """The loose keys of all names but those of ``renamed``."""
        keys = self.mains | self.others
        title = self._parsed[0].partition(" (")[0]
        owned = _OWNED.match(title)
        if owned:
            keys |= _keys((title[owned.end() :],))
        return frozenset(_loose(spelling) for key in keys for spelling in _spellings(key))

    def agrees(self, other: "Sought") -> bool:
        """Tell whether a movie with the same id in another dataset is the same film."""
        names, years = (self.mains | self.others) & (other.mains | other.others), (self.year, other.year)
        return bool(names) and (0 in years or abs(years[0] - years[1]) <= NEAR_YEARS)


def _spellings(key: str) -> Iterable[str]:
    """Spell the numbers in a key in each way, and leave out its "and", which may be a sign elsewhere."""
    yield key
    words = key.split()
    if "and" in words[1:-1]:
        yield " ".join(word for word in words if word != "and")
    if any(word in _NUMBER_OF for word in words):
        for way in range(3):
            yield " ".join(_NUMBER_OF[word][way] if word in _NUMBER_OF else word for word in words)


@dataclass(frozen=True)
class Fit:
    """How well a title fits a movie; smaller is better in each."""

    name: int
    """0 by its title and a further one, 1 by its title, 2 by a further one or a known renaming, 3 loosely."""
    kind: int
    years: int

    def better(self, other: "Fit") -> bool:
        """Tell whether this is as good in every respect and better in one."""
        return self != other and self.name <= other.name and self.kind <= other.kind and self.years <= other.years

    @property
    def rank(self) -> tuple[int, int, int]:
        """What candidates are listed by."""
        return max(0, self.years - NEAR_YEARS), self.name + self.kind, self.years


@dataclass(frozen=True)
class Found:
    """What was found for a movie."""

    way: str
    """``id``, ``title``, ``ambiguous`` or ``unmatched``."""
    title: str = ""
    """The id of the matched title."""
    reason: str = ""
    """Why it is not matched."""
    candidates: tuple[str, ...] = ()
    """The ids of the titles that may be meant, likely ones first; only where it is ambiguous."""


def wanted_years(movies: Iterable[Sought]) -> dict[str, tuple[int, int]]:
    """Return by loose key the first and the last year that a title with such a name may have."""
    years: dict[str, tuple[int, int]] = {}

    def want(key: str, first: int, last: int) -> None:
        known = years.get(key, (first, last))
        years[key] = min(first, known[0]), max(last, known[1])

    for movie in movies:
        first, last = movie.year - SUGGESTED_YEARS, movie.year + SUGGESTED_YEARS
        for key in movie.loose:
            want(key, *((first, last) if movie.year else ANY_YEAR))
        for key, year in movie.renamed:
            want(key, year, year)
    return years


def fit(movie: Sought, title: Title) -> Fit | None:
    """Return how well a title fits, or None where nothing says that it is the movie. Years are not limited here."""
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


def match(movies: Sequence[Sought], titles: Collection[Title]) -> list[Found]:
    """Return what is found for each movie among the titles that may be wanted."""
    by_id = {title.id: title for title in titles}
    by_key: defaultdict[str, list[Title]] = defaultdict(list)
    for title in titles:
        for key in title.loose_keys:
            by_key[key].append(title)
    twice = Counter((name, movie.year) for movie in movies for name in movie.mains)
    found = []
    for movie in movies:
        if movie.link in by_id:
            found.append(Found("id", movie.link))
            continue
        keys = {*movie.loose, *(key for key, _ in movie.renamed)}
        named = {title.id: title for key in keys for title in by_key.get(key, ())}.values()
        fits = [(how, title) for title in named if (how := fit(movie, title))]
        fits.sort(key=lambda pair: (pair[0].rank, -pair[1].votes, pair[1].id))
        found.append(_decide(movie, fits, any(twice[name, movie.year] > 1 for name in movie.mains)))
    return _without_rivals(movies, found)


def _far_better_known(one: Title, other: Title) -> bool:
    return one.votes >= KNOWN_VOTES and one.votes >= FAR_MORE * other.votes


def _decide(movie: Sought, fits: Sequence[tuple[Fit, Title]], twin: bool) -> Found:
    """Choose among the titles that fit, likely ones first."""

    def ambiguous(reason: str, among: Sequence[tuple[Fit, Title]]) -> Found:
        return Found("ambiguous", "", reason, tuple(title.id for _, title in among[:CANDIDATES]))

    def beats(one: tuple[Fit, Title], other: tuple[Fit, Title]) -> bool:
        if one[0].better(other[0]):
            return twin or not _far_better_known(other[1], one[1])
        return not twin and not other[0].better(one[0]) and _far_better_known(one[1], other[1])

    gone = f"its link {movie.link} is not in title.basics" if movie.link else ""
    near = [pair for pair in fits if pair[0].years <= NEAR_YEARS]
    wide = [pair for pair in fits if pair[0].years <= SUGGESTED_YEARS and pair[0].name < 3]
    if gone:
        return ambiguous(gone, near) if near else Found("unmatched", "", gone)
    if not movie.year:
        return ambiguous("its year is not known", fits) if fits else Found("unmatched", "", "no title of that name")
    if not near:
        if wide:
            return ambiguous(f"titles of that name are more than {NEAR_YEARS} year off", wide)
        first, last = movie.year - NEAR_YEARS, movie.year + NEAR_YEARS
        return Found("unmatched", "", f"no title of that name from {first} to {last}")
    winners = [one for one in near if all(beats(one, other) for other in near if other is not one)]
    if not winners:
        return ambiguous(f"{len(near)} titles fit, none clearly better", near)
    ((how, title),) = winners
    short = len(title_key(title.name).split()) < TELLING_WORDS
    if (how.name == 3 or (how.years and short)) and _no_genre_in_common(movie, title):
        return ambiguous("neither its genres nor its exact name and year agree", near)
    return Found("title", title.id)


def _no_genre_in_common(movie: Sought, title: Title) -> bool:
    ours = {_IMDB_GENRES.get(genre, genre) for genre in movie.genres}
    return bool(ours) and bool(title.genres) and ours.isdisjoint(title.genres)


_IMDB_GENRES = {"Children's": "Family", "Children": "Family"}


def _without_rivals(movies: Sequence[Sought], found: Sequence[Found]) -> list[Found]:
    """Take back matches by title where movies of different names or years would be one film."""
    owners: defaultdict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(found):
        if each.title:
            owners[each.title].append(place)
    kept = list(found)
    for title, places in owners.items():
        if len({movies[place].mains for place in places}) == len({movies[place].year for place in places}) == 1:
            continue
        sure = [place for place in places if found[place].way == "id"]
        for place in places:
            others = ", ".join(movies[other].label for other in (sure or places) if other != place)
            if found[place].way == "title":
                kept[place] = Found("ambiguous", "", f"it would be the same film as {others}", (title,))
    return kept
