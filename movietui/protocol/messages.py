"""The JSON objects that requests to the engine take and return, and that commands print with ``--json``.

Uncertainties are in stars.
"""

from typing import Any, Literal, NotRequired, Required, TypedDict, final

from movietui.models.choices import Basis, Order, Task, UnseenBy, Way

IdsRow = tuple[str, int, int]
"""The ids of a movie at IMDb, TMDB and MovieLens, as in ``store.ratings.Ids``. The pipe turns the tuple into a list."""


class ViewerRatings(TypedDict):
    """A viewer with their ratings and marks in the store. The engine adds a user's ratings in the dataset."""

    kind: Literal["profile", "user"]
    id: str
    rated: list[tuple[str, float]]
    """The keys of rated movies with their stars, in the order in which the movies were rated."""
    rated_at: NotRequired[list[int]]
    """When each of these ratings was given, in seconds since 1970 in UTC, 0 if that is not known; left out if it is not
    known of any."""
    seen: list[str]
    """The keys of movies marked as seen or liked."""
    hidden: list[str]
    """The keys of movies that the viewer never wants to see in a list."""
    held: NotRequired[list[tuple[str, int]]]
    """The keys of movies that must not rise in the viewer's list, and how many other movies must stay above each; see
    ``UnchosenMovie.above``."""


class NamedMovie(TypedDict):
    """The fields that identify a movie of the dataset."""

    id: str
    """The movie's id in the dataset."""
    key: str
    """Made from the title and year; see ``movietui.data.titles.movie_key``."""
    title: str
    year: int
    """0 if unknown."""


class MovieRow(NamedMovie):
    """One movie of a ranked list."""

    rank: int
    before: int | None
    """The rank in the previous list, corrected for movies that left the list or came back since. ``None`` for a movie
    that was not in that list; ``rank`` if there is no previous list."""
    ids: NotRequired[IdsRow]
    stars: float
    uncertainty: float
    by: list[float]
    """The predicted stars of each viewer."""
    agreement: float
    """1 if all viewers are predicted to give the same stars, 0 if they are the whole scale apart."""
    count: int
    """How many ratings the movie has in the dataset."""
    wanted: NotRequired[str]
    """The letters of the viewers who have the movie on their watchlist: ``A``, ``B``, ``AB``. The session sets this."""


class Alike(TypedDict):
    """How similarly the two viewers of a pair rate; see ``movietui.models.serving.groups.alikeness``."""

    value: float
    """From -1 to 1."""
    common: int
    """How many movies both have rated."""


class ListQuery(TypedDict, total=False):
    """What determines a list: the viewers, how they are combined, and which movies may enter.

    Missing fields have defaults.
    """

    viewers: Required[list[ViewerRatings]]
    misery: Required[float]
    """If ``way`` is ``weighted``: from 0 (only the average counts) to 1 (only the least pleased viewer counts)."""
    way: Way
    standardise: bool
    unseen_by: UnseenBy
    filter: str
    """See ``movietui.data.query.filters.parse``."""
    lists: dict[str, list[str]]
    """The keys of the movies on the viewers' named lists, by name; empty for a list that the filter does not name."""
    daring: float
    """From 0 (safe) to 1 (daring)."""
    recent: float
    """From 0 (movies of any year) to 1 (recent movies first)."""
    order: Order
    excluded: list[str]
    """The keys of vetoed movies. The list leaves them out, like hidden movies."""
    among: list[str]
    """The keys of the only movies that the list may contain, such as those on a watchlist."""


class ListWindow(TypedDict):
    """A window of a ranked list."""

    total: int
    offset: int
    rows: list[MovieRow]
    rated: list[int]
    """The number of movies of the dataset that each viewer has rated."""
    alike: Alike | None
    """``None`` unless the viewers are a pair with enough movies in common."""
    moved: int
    """How many of the first hundred movies had another rank in the previous list; see ``MovieRow.before``."""


class SharedFacts(TypedDict):
    """What two movies have in common; see ``movietui.models.serving.kinship.Shared``."""

    genres: list[str]
    directors: list[str]
    actors: list[str]
    tags: list[str]


class Why(TypedDict):
    """A rated movie that counts for or against another movie."""

    title: str
    year: int
    stars: float
    weight: float
    """The rating's share of everything that counts for or against the other movie, from 0 to 1."""
    shared: SharedFacts
    """What the rated movie has in common with the other movie."""


class Crowd(TypedDict):
    """How many of some people like a movie; see ``movietui.models.serving.crowds.Crowd``."""

    theirs: float
    everyone: float
    people: int


class Record(TypedDict):
    """How many of the very well liked movies of a group that they rated a viewer liked."""

    of: str
    """The genre or decade; empty for all movies."""
    liked: int
    rated: int


class Standing(TypedDict):
    """How well a movie is liked, compared with others; see ``movietui.models.serving.standing``."""

    best_of: str | None
    record: Record | None


class ViewerDetails(TypedDict):
    """How much one viewer will probably like a movie, with the reasons."""

    stars: float
    """0 if the dataset has no stars."""
    low: float
    """The lower end of the 80 % interval of the predicted rating, within the scale."""
    high: float
    rated: float | None
    """The viewer's rating of the movie; ``None`` without one."""
    basis: Basis
    why: list[Why]
    """Movies that the viewer liked and that count for the movie."""
    alike: list[Why]
    """If the basis is ``alike``: movies that the viewer liked, as did people who like the movie."""
    crowd: Crowd | None
    """If the basis is ``alike``: how many of these people like the movie."""
    standing: Standing | None
    """If the basis is ``everyone``: how well the movie is liked, compared with others; ``None`` if not very well."""
    similar: list[Why]
    """If the basis names no movies: similar ones that the viewer liked; see ``Reasons.similar``."""
    examples: list[Why]
    """If nothing else names movies: some of those that ``standing`` counts as liked; see ``Reasons.examples``."""
    against: list[Why]
    """Movies that the viewer disliked and that count against the movie."""
    shared: list[str]
    """Genres, directors, actors and tags that the movie shares with those that count for it or, without these, with
    the similar ones."""


class Details(NamedMovie):
    """Everything known about a movie."""

    ids: NotRequired[IdsRow]
    genres: list[str]
    minutes: int
    """0 if unknown."""
    directors: list[str]
    cast: list[str]
    """The top-billed actors; empty if unknown."""
    languages: list[str]
    """The names of the original languages; empty if unknown. Likewise ``countries``."""
    countries: list[str]
    tags: list[str]
    """Tags that people gave the movie, the most telling first; empty if the dataset has no tags."""
    imdb: float
    """The mean rating on IMDb, 1 to 10; 0 if unknown."""
    link: str
    """The movie's id on IMDb, such as ``tt0116282``; empty if unknown."""
    count: int
    """How many ratings the movie has in the dataset."""
    mean: float
    """The mean of these ratings; 0 without ratings or stars."""
    histogram: list[int]
    """How many of these ratings have each value of the dataset's scale, the lowest first. A scale of many values is
    counted in half stars."""
    by: list[ViewerDetails]


class GivenRating(NamedMovie):
    """A rating that a viewer gave."""

    ids: IdsRow
    stars: float
    predicted: float | None
    """The stars that the model predicts now; ``None`` for a movie that is not in the dataset."""
    at: str
    """When the rating was given, ISO 8601; empty if unknown."""
    stored: bool
    """Whether the rating is in the store rather than in the dataset. The session sets this."""


class InterviewMovie(NamedMovie):
    """A movie that an interview asks about, with the facts by which people recognise it, but without predictions."""

    ids: NotRequired[IdsRow]
    genres: list[str]
    directors: list[str]


class UnchosenMovie(TypedDict):
    """A movie of a card that got no point. The viewer is assumed to like it at most as much as expected before."""

    key: str
    liking: float
    """How much the viewer was expected to like the movie; see ``movietui.models.serving.interview``."""
    above: int
    """How many movies were above this one in the viewer's list, not counting those on the card."""


class InterviewAnswers(TypedDict):
    """The answers of a viewer in an interview, other than ratings."""

    unseen: list[str]
    """The keys of movies that the viewer said they have not seen."""
    unchosen: list[UnchosenMovie]
    genres: dict[str, int]
    """1 for a genre that the viewer likes, -1 for one that they dislike."""


class Question(TypedDict):
    """What an interview asks next."""

    movies: list[InterviewMovie]
    """The movies of a card, to spend points on, or of a list, to rate; empty if no movies are left."""
    if_unchosen: list[UnchosenMovie]
    """What to add to ``InterviewAnswers.unchosen`` for each movie of a card that gets no point; empty for a list."""
    rated: int
    """How many movies of the dataset the viewer has rated."""
    known: float
    """The strength of the profile, from 0 to 1: the share of the uncertainty about the viewer's taste that is gone."""


class SuggestionRow(TypedDict):
    """A way to complete a half-typed filter."""

    line: str
    """The whole filter with its last condition completed."""
    part: str
    """The completed condition alone."""
    movies: int
    """How many movies of the dataset meet the condition; 0 for a saved filter, whose movies are not counted."""


class FoundMovie(NamedMovie):
    """A movie with the number of its ratings."""

    count: int
    """How many ratings the movie has in the dataset."""


class NameRow(TypedDict):
    """A director, an actor or a tag that a search found, with the number of its movies."""

    name: str
    movies: int


class SearchedMovie(FoundMovie):
    """A movie that a search found, or that is similar to another, with each viewer's rating and mark."""

    rated: list[float]
    """Each viewer's stars; 0 without a rating. The engine sets the ratings in the dataset, the session those in the
    store."""
    marked: list[str]
    """Each viewer's mark: ``watchlist``, ``seen``, ``hidden`` or empty. The session sets this."""


class SimilarMovie(SearchedMovie):
    """A movie that is similar to another one."""

    similarity: float
    """From -0.5 to 1."""
    common: int | None
    """The number of users who rated both movies; ``None`` if the ratings are on a cluster."""
    shared: list[str]
    """Directors, actors, tags and genres that both movies have."""


class FoundNames(TypedDict):
    """The directors, actors and tags that a search found."""

    directors: list[NameRow]
    actors: list[NameRow]
    """Actors who are not directors too."""
    tags: list[NameRow]


class SearchResults(FoundNames):
    """The movies, directors, actors, tags and users that a search found."""

    movies: list[SearchedMovie]
    users: list["UserRow"]
    directors_first: bool
    """Whether the directors match better than the movies."""
    joined: bool
    """Whether the dataset is joined with IMDb, so that directors and actors are known."""
    tagged: bool
    """Whether the dataset has tags."""


class UserRow(TypedDict):
    """A user of the dataset."""

    id: str
    age: int
    """In years; 0 if unknown."""
    gender: str
    occupation: str
    ratings: int
    """How many ratings the user has in the dataset."""


class UserWindow(TypedDict):
    """A window of the users that a search found."""

    dataset: str
    total: int
    offset: int
    rows: list[UserRow]


class Opened(TypedDict):
    """The dataset and model that the engine has opened."""

    dataset: str
    cleaning: str
    invented: bool
    """Whether its ratings are invented, as those of the demo are."""
    has_stars: bool
    """Whether its ratings have stars. Otherwise, it only says who watched what."""
    ratings: int
    users: int
    movies: int
    genres: list[str]
    """The names of the genres, the one with the most movies first."""
    decades: list[int]
    """The first year of each decade that has movies, the newest first."""
    model: str
    metrics: dict[str, float]
    first_user: str
    """The id of the dataset's first user; empty without users, and for a dataset on a cluster."""
    cluster: str
    """Where its ratings and users are on a cluster; empty if they are on this machine."""
    misery: float
    """The default of ``ListQuery.misery``."""


class DatasetRow(TypedDict):
    """A dataset that is on disk or can be fetched."""

    name: str
    title: str
    state: str
    """``ready`` (on disk), ``available`` (for download), ``cluster`` (its ratings are only there) or ``invented`` (the
    demo, on disk or not). The command line also lists IMDb's ``tables``."""
    on_disk: bool
    ratings: int | None
    """``None`` if unknown. Likewise ``users`` and ``movies``."""
    users: int | None
    movies: int | None
    first_year: int | None
    """The first year of release of its movies; ``None`` if unknown. Likewise ``last_year``."""
    last_year: int | None
    download: int
    """Bytes to download; 0 if the dataset is not downloaded."""
    bytes: int
    """Bytes on disk."""
    disk: int
    """Bytes that the dataset needs or, if it is on disk, uses."""
    seconds: float | None
    """About how many seconds its first list would take; 0 if a model can make the list at once, ``None`` if unknown."""
    cluster: str
    """Where its ratings are on a cluster; empty unless it was cleaned there."""
    implicit: bool
    """Whether it only says who watched what, without stars."""
    terms: str
    citation: str


class NewerDataset(TypedDict):
    """An offer of a dataset that has newer movies than another one; see ``movietui.answers.datasets.newer``."""

    dataset: str
    last_year: int
    """The newest year of release that it covers."""
    than: str
    """The dataset that it is compared with."""
    than_year: int
    """The newest year of release that ``than`` covers."""
    newer: int
    """How many movies of an import are newer than ``than_year``; 0 if the offer does not follow an import."""
    movies: int
    """How many movies the import has; 0 if the offer does not follow an import."""
    state: Literal["open", "learn", "get", "full"]
    """What is left to do: ``open`` it (a model can make its list at once), ``learn`` (train a model), or ``get`` it and
    train. ``full``: the disk is too full to get it."""
    download: int
    """Bytes to download; 0 if the dataset is on disk."""
    disk: int
    """Bytes that the dataset still needs on disk."""
    free: int
    """Bytes that are free on the disk."""
    seconds: float
    """About how many seconds its first list takes; 0 if a model can make the list at once."""


class RuleRow(TypedDict):
    """What a cleaning rule removed or, if it is off, would have removed."""

    rule: str
    """The id of the rule, such as ``old-movies``."""
    title: str
    on: bool
    always: bool
    """Whether the rule cannot be turned off."""
    number: int
    """The number that the rule is set to, as in ``+old-movies:1950``; 0 if the rule has none."""
    low: int
    high: int
    """The smallest and the largest number that the rule can have."""
    before: int
    """The number of ratings before the rule, or of lines for ``malformed-lines``."""
    removed: int
    removed_movies: int
    removed_users: int
    changed: int
    """The number of values that the rule changed, if it removes nothing."""
    note: str
    examples: list[str]


class CleaningReport(TypedDict):
    """What cleaning a dataset did, or would do, and what is left."""

    dataset: str
    preset: str
    """The shortest text that selects this cleaning."""
    rules: list[RuleRow]
    ratings: int
    users: int
    movies: int


class RemovedRows(TypedDict):
    """A window of the rows that a rule removed or changed or, if it is off, would have removed or changed."""

    rule: str
    title: str
    on: bool
    columns: list[str]
    total: int
    """How many rows the rule affects in all."""
    offset: int
    rows: list[list[str | int | float]]
    """A list for each row, with a number or text for each column."""


class ChartRow(TypedDict):
    """A chart of a dataset: a bar for each label, or a map of shares."""

    name: str
    title: str
    of: str
    """What ``counts`` counts, such as ``movies``."""
    labels: list[str]
    counts: list[int]
    also_of: str
    """What ``also`` counts; empty without it."""
    also: list[int]
    """A second count for each label, which is drawn below the first; may be empty."""
    note: str
    shares: list[list[float]]
    """For a map: the share of user-movie pairs that were rated, a row for each tenth of the users. Empty for bars."""


class FieldRow(TypedDict):
    """A setting of a model."""

    name: str
    kind: str
    """``int``, ``float`` or ``bool``."""
    default: float
    published: NotRequired[float | None]
    """The value in the published settings; ``None`` if the model has no published settings."""
    low: float
    high: float
    meaning: str


class ModelRow(TypedDict):
    """A model that can be trained."""

    name: str
    summary: str
    formula: str
    """What it predicts or scores; may be empty, as the reference may."""
    reference: str
    package: str
    """The package whose plug-in the model is; empty for a model of movietui."""
    settings: list[FieldRow]


class MetricRow(TypedDict):
    """A metric from a plug-in, with the fields of ``movietui.models.choices.Metric`` that a plug-in sets."""

    name: str
    tasks: tuple[Task, ...]
    higher_is_better: bool | None
    measures: str


class PluginRow(TypedDict):
    """A model, a reader or a metric in another package. ``plugins --json`` prints it."""

    kind: str
    name: str
    package: str
    version: str
    problem: str
    """Why the plug-in cannot be used, as a sentence; empty if it can."""
    metric: MetricRow | None
    """The fields of a metric that can be used; ``None`` for other plug-ins."""


class PublishedResult(TypedDict):
    """Figures that the author of an earlier system, another library or a paper reports, as a row like a run's.
    ``runs list --reported`` prints it."""

    run: None
    name: str
    note: str
    source: str
    by: str
    """The source in a few letters, for a narrow column: ``system 003``, ``Liang 2018``."""
    reference: str
    """Where the figures are published, in full."""
    model: str
    """Their model; if it is an earlier system's, the name that it has here."""
    dataset: str
    cleaning: str
    split: str
    """A split, or ``kfold5`` for means over its folds."""
    seed: None
    split_seed: None
    imdb: None
    state: str
    task: str
    metrics: dict[str, float]
    """Results that an author shows only as a curve are missing."""


class DatasetSummary(TypedDict):
    """The fields of ``data show --json`` that the screens read. The document has more fields."""

    note: str
    scale_note: str
    """A sentence on the scale of the ratings; empty if they are on a cluster."""
    absent_note: str
    charts: list[ChartRow]


class ImdbTitle(TypedDict):
    """An IMDb title that a movie may be."""

    id: str
    title: str
    original: NotRequired[str]
    year: int | None
    kind: str
    minutes: NotRequired[int | None]
    rating: NotRequired[float | None]
    votes: int
    genres: NotRequired[list[str]]
    directors: list[str]


class ImdbMovie(TypedDict):
    """A movie of a dataset that is ambiguous, unmatched or matched by hand."""

    id: str
    title: str
    reason: str
    candidates: list[ImdbTitle]


class ImdbReport(TypedDict):
    """How a dataset's movies matched IMDb, as ``data imdb --json`` prints it."""

    dataset: str
    matched: int
    ambiguous: int
    unmatched: int
    by: dict[str, int]
    """The number of matches by ``id``, ``title`` and ``hand``."""
    links: NotRequired[str]
    tables: NotRequired[dict[str, dict[str, int]]]
    notes: NotRequired[list[str]]
    seconds: NotRequired[float]
    peak_bytes: NotRequired[int]
    terms: NotRequired[str]
    ambiguous_movies: list[ImdbMovie]
    unmatched_movies: list[ImdbMovie]
    settled_movies: list[ImdbMovie]


class ListedMovie(TypedDict):
    """A movie with its ranks in two lists. A rank is ``None`` if the movie is not at the top of that list."""

    title: str
    year: int | None
    first: int | None
    second: int | None


class ListComparison(TypedDict):
    """The first ``k`` movies of two lists, ordered by the better of their ranks."""

    k: int
    common: int
    movies: list[ListedMovie]


class RunLists(ListComparison):
    """The lists that two runs make for viewers."""

    viewers: list["ViewerName"]


class ViewerName(TypedDict):
    """A viewer as ``--json`` prints them."""

    kind: Literal["profile", "user"]
    id: str


class Difference(TypedDict):
    """A fact or setting in which two runs differ, with ``None`` for a run that lacks it."""

    name: str
    first: Any
    second: Any


class MetricDifference(TypedDict):
    """A metric of two runs, with the difference, second minus first.

    If both runs were measured on the same rows, the difference has a confidence interval over users.
    """

    metric: str
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    high: float | None
    confidence: float | None


class RunRow(TypedDict):
    """A run, as ``runs list --json`` prints it; see ``movietui.store.run_records.Run``."""

    run: int
    kind: str
    name: str
    note: str
    model: str
    dataset: str
    cleaning: str
    split: str
    seed: int
    split_seed: int
    imdb: str | None
    task: str
    list_order: str
    device: str
    state: str
    problem: str
    started: str
    seconds: float | None
    cpu_seconds: float | None
    peak_bytes: int | None
    checkpoint_bytes: int
    best_epoch: int | None
    progress: dict[str, Any]
    cluster: dict[str, Any]
    settings: dict[str, Any]
    metrics: dict[str, float]
    environment: dict[str, Any]


class RunComparison(TypedDict):
    """Two runs side by side, as ``runs compare --json`` prints them."""

    runs: list[RunRow]
    facts: list[Difference]
    settings: list[Difference]
    same_rows: bool
    metrics: list[MetricDifference]
    top: RunLists | None
    """``None`` without viewers."""


class TasteGroup(TypedDict):
    """A viewer's ratings of a genre or decade; see ``movietui.models.serving.taste.TasteGroup``."""

    name: str
    ratings: int
    mean: float
    crowd: float
    difference: float
    beyond: float


class MovieEntry(TypedDict):
    """A movie as ``--json`` prints it."""

    id: str
    title: str
    year: int | None
    genres: list[str]
    count: int
    """How many ratings the movie has in the dataset."""


class RatedMovie(MovieEntry):
    """A movie that a viewer rated much higher or lower than the crowd did."""

    stars: float
    crowd: float


class DividingMovie(MovieEntry):
    """A movie that divides a pair, or would if both had seen it."""

    stars: list[float]
    """Each viewer's stars, given or predicted."""


class IntervalRow(TypedDict):
    """A figure with its confidence interval."""

    value: float
    low: float
    high: float


class HeldOutAccuracy(TypedDict):
    """How well a viewer's newest ratings were predicted."""

    rmse: IntervalRow
    hits: int
    hit_rate: IntervalRow | None
    """``None`` if no held-out movie was liked."""


class PersonalAccuracy(TypedDict):
    """How accurate a model is for a profile; see ``movietui.models.serving.personal_accuracy``."""

    model: str
    lacking: int
    """How many more ratings the measurement takes. The fields below are present only if this is 0."""
    older: NotRequired[int]
    newest: NotRequired[int]
    liked: NotRequired[int]
    top: NotRequired[int]
    by_model: NotRequired[HeldOutAccuracy]
    by_means: NotRequired[HeldOutAccuracy]


class ViewerTaste(TypedDict):
    """A viewer's taste; see ``movietui.models.serving.taste.Taste``."""

    kind: Literal["profile", "user"]
    id: str
    ratings: int
    mean: float
    crowd: float
    generosity: float
    genres: list[TasteGroup]
    decades: list[TasteGroup]
    likes: list[RatedMovie]
    dislikes: list[RatedMovie]
    for_you: PersonalAccuracy | None
    """``None`` without a model, and for a user of the dataset, on whose ratings the model was trained."""


class PairTaste(TypedDict):
    """The movies on which the viewers of a pair disagree, or would."""

    model: str
    alike: dict[str, float] | None
    divided: list[DividingMovie]
    would_divide: list[DividingMovie]


class TasteReport(TypedDict):
    """What viewers like, as ``taste --json`` prints it."""

    dataset: str
    viewers: list[ViewerTaste]
    pair: NotRequired[PairTaste]


class Recognised(TypedDict):
    """Which movie of a dataset a stored movie is."""

    key: str
    """The key of the dataset's movie; empty if no movie or several movies may be meant."""
    sure: bool
    """Whether the match is by the key, an alias, an id, a choice by hand, or the exact title and year."""
    ids: IdsRow
    """The movie's ids in the dataset; empty if the match is by an alias or is not sure."""


class IdsFields(TypedDict):
    """The fields of ``store.ratings.Ids``."""

    imdb: str
    tmdb: int
    movielens: int


class StoredMovieRow(TypedDict):
    """The fields of ``store.ratings.StoredMovie``."""

    key: str
    title: str
    year: int
    ids: IdsFields
    aliases: list[str]


class ImportChoices(TypedDict, total=False):
    """How to read a file: the fields of ``movietui.data.imports.entries.Choices``."""

    scale: int
    columns: dict[str, str]
    meaning: Literal["", "seen", "watchlist", "list"]
    name: str


class ReadTable(TypedDict):
    """How a table of an import was read; see ``movietui.data.imports.entries.Reading``."""

    file: str
    scale: int | None
    scale_by: str | None
    columns: dict[str, str]
    not_read: list[str]
    meaning: str | None
    asks: bool


class ImportedList(TypedDict):
    """A named list of an import."""

    name: str
    movies: int


@final
class SkippedRow(TypedDict):
    """A row or value of a file that was not read."""

    location: str
    """The file and the line, such as ``ratings.csv line 3``."""
    title: str
    reason: str


class MovieChoice(TypedDict):
    """A movie of the dataset that an imported movie is, or may be."""

    id: str
    title: str
    year: int | None


class EntryRow(TypedDict):
    """A movie of an import or export. Unknown values are ``None``."""

    title: str
    year: int | None
    stars: float | None
    marks: list[str]
    at: str | None
    imdb: str | None
    tmdb: int | None
    movielens: int | None


@final
class ImportedRow(EntryRow):
    """A movie of an import, with the movie of the dataset that it matches, or why it matches none."""

    key: str
    by: NotRequired[str]
    """How it was matched."""
    movie: NotRequired[MovieChoice]
    reason: NotRequired[str]
    """Why it is not matched."""
    candidates: NotRequired[list[MovieChoice]]


class NewerForImport(NewerDataset):
    """The dataset to offer after an import, with the commands that make a list from it."""

    commands: list[str]
    """What to type in a shell to see the profile's list, in order; empty if the disk is too full."""


class ImportSummary(TypedDict):
    """An import without its movies."""

    profile: str
    dataset: str
    format: str
    preview: bool
    tables: list[ReadTable]
    asks: bool
    notes: list[str]
    lists: list[ImportedList]
    counts: dict[str, int]
    """The numbers of ``matched``, ``ambiguous`` and ``unmatched`` movies, of ``skipped`` rows and of ``unread``
    values."""
    skipped: list[SkippedRow]
    unread: list[SkippedRow]
    changes: int
    """How many ratings, marks and lists the import changed; 0 for a preview."""
    stayed: int
    """How many ratings were kept although the file has others; 0 for a preview."""
    newer: NewerForImport | None
    """An offer of a dataset that covers movies of the import that are newer than this dataset; else ``None``."""


class ImportReport(ImportSummary):
    """What an import did or would do, as ``import --json`` prints it."""

    matched: list[ImportedRow]
    ambiguous: list[ImportedRow]
    unmatched: list[ImportedRow]
