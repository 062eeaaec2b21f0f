"""What the engine answers: one typed method for each request, and nothing else can be called from outside.

The engine's ``Service`` implements it, the client asks through it (``await engine.ask(Requests.rank, query=…)``), and
the tests have other implementations; mypy checks all of them against it. Every method may raise ``Problem``,
which crosses the pipe as a sentence. Arguments and results are values that JSON can hold.
"""

from collections.abc import Sequence
from typing import Protocol

from movietui.protocol.messages import (
    CleaningReport,
    DatasetRow,
    DatasetSummary,
    Details,
    GivenRating,
    ImdbReport,
    ImportChoices,
    ImportReport,
    InterviewAnswers,
    ListComparison,
    ListQuery,
    ListWindow,
    ModelRow,
    MovieRow,
    Opened,
    PublishedResult,
    Question,
    Recognised,
    RemovedRows,
    RunComparison,
    SearchResults,
    SimilarMovie,
    StoredMovieRow,
    SuggestionRow,
    TasteReport,
    UserWindow,
    ViewerRatings,
)
from movietui.protocol.viewers import ViewerKey


class Requests(Protocol):
    """What can be asked of the engine about datasets, models and the list of the dataset that is open."""

    def open(self, *, dataset: str, cleaning: str, checkpoint: str) -> Opened:
        """Open a dataset with a trained model, from the folder ``checkpoint``; if that fails, nothing changes."""
        ...

    # Lists

    def rank(self, *, query: ListQuery, offset: int, limit: int, compare: bool = False) -> ListWindow:
        """Return a window of a ranked list.

        With ``compare``, each row has its rank in the list shown before to the same viewers. Further windows of the
        same list keep it.
        """
        ...

    def surprise(self, *, query: ListQuery, draw: int) -> MovieRow | None:
        """Return one of the good movies of a list, another one for each ``draw``; ``None`` for an empty list."""
        ...

    def compare_lists(self, *, query: ListQuery, cleaning: str, checkpoint: str, limit: int) -> ListComparison:
        """Compare the top of the list with that of another run of the same dataset; what is open stays open."""
        ...

    def next_question(self, *, viewer: ViewerRatings, answers: InterviewAnswers, card: bool) -> Question:
        """Return what an interview asks next: a card if one is wanted and enough movies are left, else a list.

        It never asks about hidden movies, nor twice about one.
        """
        ...

    def complete_filter(self, *, text: str) -> list[SuggestionRow]:
        """Return the ways to complete the last part of a half-typed filter."""
        ...

    # Movies and viewers

    def movie_details(self, *, viewers: Sequence[ViewerRatings], movie: str) -> Details:
        """Return everything known about a movie, by its id, with the reasons for each viewer."""
        ...

    def given_ratings(self, *, viewer: ViewerRatings) -> list[GivenRating]:
        """Return the movies of the dataset that a viewer rated, each with what is predicted for it now."""
        ...

    def given_stars(self, *, viewers: Sequence[ViewerRatings], movies: Sequence[str]) -> list[list[float | None]]:
        """Return the stars that each viewer gave to movies, by their ids; ``None`` for a movie without a rating."""
        ...

    def similar_movies(self, *, movie: str, limit: int, hidden: Sequence[str] = ()) -> list[SimilarMovie]:
        """Return the movies most similar to one, by its id, without those whose keys are ``hidden``."""
        ...

    def search(self, *, words: str, users: Sequence[str] = ()) -> SearchResults:
        """Return the movies, directors and users that match; typos are forgiven.

        ``users``: for each viewer, the id if it is a user of the dataset, else empty; see ``SearchedMovie.rated``.
        """
        ...

    def find_users(self, *, search: str, offset: int, limit: int) -> UserWindow:
        """Return a window of the users of the dataset that match, of all users if ``search`` is empty."""
        ...

    def taste(self, *, viewers: Sequence[ViewerRatings]) -> TasteReport:
        """Return what viewers like compared with the crowd, and what divides a pair. Hidden movies are not named."""
        ...

    # Imports

    def preview_import(self, *, path: str, choices: ImportChoices) -> ImportReport:
        """Return what importing a file would do, with the first movies of each outcome; nothing is stored."""
        ...

    def import_file(self, *, profile: str, path: str, settled: dict[str, str], choices: ImportChoices) -> ImportReport:
        """Import a file into a profile, which is created if there is none of that name.

        ``settled``: the ids of movies, or ``none``, by the keys of the titles of the file that they settle.
        """
        ...

    def recognise(self, *, movies: Sequence[StoredMovieRow]) -> dict[str, Recognised]:
        """Return which movie of the open dataset each stored movie is, by stored key."""
        ...

    # Datasets

    def datasets(self) -> list[DatasetRow]:
        """Return the datasets that are on disk or can be fetched."""
        ...

    def dataset_summary(self, *, dataset: str, cleaning: str) -> DatasetSummary | None:
        """Return facts and charts of a dataset; ``None`` if no job has cleaned it this way yet."""
        ...

    def presets(self) -> list[str]:
        """Return the names of the ready-made sets of cleaning rules."""
        ...

    def cleaning_report(self, *, dataset: str, cleaning: str) -> CleaningReport | None:
        """Return what cleaning did to a dataset; ``None`` if it is not cleaned this way yet."""
        ...

    def preview_cleaning(self, *, dataset: str, cleaning: str) -> CleaningReport:
        """Return what cleaning would do to a dataset that is on disk; nothing is stored."""
        ...

    def removed_rows(self, *, dataset: str, cleaning: str, rule: str, offset: int, limit: int) -> RemovedRows:
        """Return a window of the rows that a rule removes or changes, or would if it is off."""
        ...

    def imdb_report(self, *, dataset: str) -> ImdbReport | None:
        """Return how a dataset's movies matched IMDb, ``None`` if it is not joined.

        Reads the join again for the dataset that is open.
        """
        ...

    def choose_imdb_title(self, *, dataset: str, movie: str, title: str | None) -> ImdbReport:
        """Store which title of IMDb a movie is, ``None`` for none of the candidates; return the new report."""
        ...

    def forget_imdb_title(self, *, dataset: str, movie: str) -> ImdbReport:
        """Forget the title that was chosen for a movie; return the new report."""
        ...

    # Models and runs

    def models(self) -> list[ModelRow]:
        """Return the models that can be trained, with their settings, the recommended one first."""
        ...

    def published_results(self) -> list[PublishedResult]:
        """Return what the authors of the source systems reported, as rows beside the runs."""
        ...

    def compare_runs(self, *, first: int, second: int, viewers: Sequence[ViewerKey]) -> RunComparison:
        """Return what differs between two runs, and between the lists that they make for the viewers."""
        ...


NAMES = frozenset(name for name in vars(Requests) if not name.startswith("_"))
"""The names of the requests; the engine calls nothing else."""
