"""What the engine answers, as both sides of the pipe see it. Stars and uncertainties are in stars."""

from typing import NotRequired, TypedDict


class MovieRow(TypedDict):
    """One movie of a ranked list."""

    rank: int
    before: int | None
    """The rank before the last rating, movies rated since left out; ``None`` for a movie that was not in the list."""
    id: str
    film: str
    """The key of the film, the same in every dataset."""
    title: str
    year: int
    """0 where unknown."""
    stars: float
    uncertainty: float
    score: float
    by: list[float]
    """The expected stars of each viewer."""
    agreement: float
    """Of a pair: 1 where both are expected to give the same, 0 where they are the whole scale apart."""
    count: int
    """The number of its ratings in the dataset."""
    wanted: NotRequired[str]
    """Whose watchlist it is on, a letter for each viewer: ``A``, ``B``, ``AB``; the session says so, not the engine."""


class Alike(TypedDict):
    """How alike the two viewers of a pair are."""

    value: float
    common: int


class Wish(TypedDict, total=False):
    """What a list is asked for beside its viewers; what is left out is as usual."""

    only: str
    """A filter, see ``models.filters.parse``."""
    daring: float
    """From 0, safe, to 1."""
    way: str
    """How a group's list is made from its members', one of ``models.ranking.WAYS``."""
    standardise: bool
    unseen_by: str
    """``all`` or ``any``."""
    left_out: list[str]
    """Keys of films that are in no list: hidden, seen, vetoed."""
    among: list[str]
    """Keys of the only films that may be in the list, where it is of a watchlist."""


class Ranked(TypedDict):
    """A window of a ranked list."""

    total: int
    offset: int
    rows: list[MovieRow]
    seen: list[int]
    """How many movies of the dataset each viewer has seen."""
    alike: Alike | None
    """``None`` for one viewer, and for a pair with too few films in common."""
    moved: int
    """How many of the first hundred changed places since the last rating."""


class Why(TypedDict):
    """A rated movie that speaks for or against another."""

    title: str
    year: int
    stars: float
    share: float
    """What it brings to the score; without that rating the score is lower by so much."""


class ViewerDetails(TypedDict):
    """A movie, for one of the viewers."""

    stars: float
    low: float
    high: float
    why: list[Why]
    shared: list[str]
    """Genres that the movie shares with the rated movies that speak for it."""


class Details(TypedDict):
    """All that is known of a movie."""

    id: str
    film: str
    title: str
    year: int
    genres: list[str]
    minutes: int
    """0 where unknown."""
    directors: list[str]
    imdb: float
    """The mean rating on IMDb, 1 to 10; 0 where unknown."""
    link: str
    """Its id there, ``tt0116282``; empty where unknown."""
    count: int
    mean: float
    histogram: list[int]
    by: list[ViewerDetails]


class AskedFilm(TypedDict):
    """A film that an interview asks about: what one knows it by, and nothing of what is expected."""

    id: str
    film: str
    title: str
    year: int
    """0 where unknown."""
    genres: list[str]
    directors: list[str]


class Question(TypedDict):
    """What an interview asks next."""

    films: list[AskedFilm]
    """Three on a card, else one; none where all were asked about."""
    known: float
    """Which share of what was unsure of the viewer's taste is sure, from 0 to 1."""


class SuggestionRow(TypedDict):
    """How a half-typed filter may go on."""

    line: str
    part: str
    movies: int


class FoundMovie(TypedDict):
    """A movie that a search found, or that is like another."""

    id: str
    film: str
    title: str
    year: int
    """0 where unknown."""
    count: int


class SimilarMovie(FoundMovie):
    """A movie that is like another."""

    similarity: float
    common: int
    """How many users rated both."""
    shared: list[str]


class FoundName(TypedDict):
    """A director whom a search found."""

    name: str
    movies: int


class FoundAll(TypedDict):
    """What a search found: movies, directors, users."""

    movies: list[FoundMovie]
    people: list[FoundName]
    users: list["PersonRow"]


class PersonRow(TypedDict):
    """A user of the dataset."""

    id: str
    age: int
    gender: str
    occupation: str
    ratings: int


class People(TypedDict):
    """A window of the users that a search found."""

    dataset: str
    total: int
    offset: int
    rows: list[PersonRow]


class Opened(TypedDict):
    """What the engine serves from now on."""

    dataset: str
    cleaning: str
    invented: bool
    ratings: int
    users: int
    movies: int
    genres: list[str]
    """The names of its genres, that of most movies first."""
    decades: list[int]
    """The decades of its movies by their first years, the newest first."""
    model: str
    metrics: dict[str, float]
    first_user: str
    misery: float
    """How much a pair's score leans to the less happy one, unless somebody turns the dial."""


class DatasetRow(TypedDict):
    """A dataset that is here or can be fetched."""

    name: str
    title: str
    state: str
    """``ready``, ``available`` or ``invented``."""
    ratings: int
    bytes: int
    terms: str
    citation: str


class RuleRow(TypedDict):
    """What a rule of cleaning took, or would have taken where it is off."""

    rule: str
    """Its id, as in ``+old-movies``."""
    title: str
    on: bool
    always: bool
    """Whether it cannot be off."""
    number: int
    """What it was applied with; 0 where it takes no number."""
    before: int
    """Ratings before the rule."""
    removed: int
    removed_movies: int
    removed_users: int
    changed: int
    """Values changed, for rules that take nothing away."""
    note: str
    examples: list[str]


class Cleaned(TypedDict):
    """What cleaning did, or would do, and what is left."""

    dataset: str
    preset: str
    """The cleaning in the shortest words, to be asked for again."""
    rules: list[RuleRow]
    ratings: int
    users: int
    movies: int


class RemovedRows(TypedDict):
    """A window of the rows that a rule took or changed."""

    rule: str
    title: str
    on: bool
    columns: list[str]
    total: int
    offset: int
    rows: list[list[str | int | float]]
    """A cell for each column: numbers to the right, everything else is text to be shown."""


class ChartRow(TypedDict):
    """A chart of a dataset: a bar for each label, or a map of shares."""

    name: str
    title: str
    labels: list[str]
    counts: list[int]
    note: str
    shares: list[list[float]]
    """Of a map: which share of all pairs was rated, a row for each tenth of the users; empty for bars."""


class FieldRow(TypedDict):
    """A setting of a model."""

    name: str
    kind: str
    default: float
    published: NotRequired[float | None]
    """As a source system has it; ``None`` for a model that none has."""
    low: float
    high: float
    meaning: str


class ModelRow(TypedDict):
    """A model that can be trained."""

    name: str
    summary: str
    settings: list[FieldRow]
