"""The requests to the engine: a typed method for each. Nothing else can be called through the pipe.

The engine's ``Service`` implements the methods, and so do fakes in the tests. The client passes a method to ``ask``, as
in ``await engine.ask(Requests.rank, query=…)``. mypy checks the arguments. Every method may raise ``Problem``, which
crosses the pipe as a sentence. Arguments and results are values that JSON can represent.
"""

from collections.abc import Mapping, Sequence
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
    NewerDataset,
    Opened,
    PluginRow,
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
    """What the app can request from the engine."""

    def open(self, *, dataset: str, cleaning: str, checkpoint: str) -> Opened:
        """Open a dataset with the trained model in the folder ``checkpoint``. A failure changes nothing."""
        ...

    # Lists

    def rank(self, *, query: ListQuery, offset: int, limit: int, compare: bool = False) -> ListWindow:
        """Return a window of a ranked list.

        With ``compare``, each row has its rank in the previous list for the same viewers. Later windows of the same
        list keep these ranks.
        """
        ...

    def surprise(self, *, query: ListQuery, draw: int) -> MovieRow | None:
        """Return a random good movie of a list; ``None`` for an empty list. ``draw`` is the seed."""
        ...

    def compare_lists(self, *, query: ListQuery, cleaning: str, checkpoint: str, limit: int) -> ListComparison:
        """Compare the first ``limit`` movies of a list with those that the model in ``checkpoint`` would list.

        The open model stays open.
        """
        ...

    def next_question(self, *, viewer: ViewerRatings, answers: InterviewAnswers, card: bool) -> Question:
        """Return what an interview asks next: a card, if ``card`` is set and enough movies are left, else a list.

        It never asks about a hidden movie, or twice about the same movie.
        """
        ...

    def complete_filter(self, *, text: str, lists: Mapping[str, int]) -> list[SuggestionRow]:
        """Return the ways to complete the last part of a half-typed filter.

        ``lists``: how many movies of the dataset are on each of the viewers' lists, by name.
        """
        ...

    # Movies and viewers

    def movie_details(self, *, viewers: Sequence[ViewerRatings], movies: Sequence[str]) -> list[Details]:
        """Return everything known about the movies with these ids, and the reasons for each viewer."""
        ...

    def given_ratings(self, *, viewer: ViewerRatings) -> list[GivenRating]:
        """Return the movies of the dataset that a viewer rated, each with the stars predicted for it now."""
        ...

    def similar_movies(
        self, *, movie: str, limit: int, hidden: Sequence[str] = (), users: Sequence[str] = ()
    ) -> list[SimilarMovie]:
        """Return the movies most similar to the one with this id, without those whose keys are ``hidden``.

        ``users``: as in ``search``.
        """
        ...

    def search(self, *, words: str, users: Sequence[str] = ()) -> SearchResults:
        """Return the movies, directors, actors, tags and users that match ``words``, even with typos.

        ``users``: for each viewer, the id of a user of the dataset, or empty for a profile; see
        ``SearchedMovie.rated``.
        """
        ...

    def find_users(self, *, search: str, offset: int, limit: int) -> UserWindow:
        """Return a window of the users of the dataset that match ``search``, or of all users if it is empty.

        Users on a cluster are not listed: only the user with the id ``search`` matches, or the first user if ``search``
        is empty. Raises ``Problem`` if the cluster's users cannot be read.
        """
        ...

    def taste(self, *, viewers: Sequence[ViewerRatings]) -> TasteReport:
        """Return what viewers like compared with the crowd, and what divides a pair. Hidden movies are not named."""
        ...

    # Imports

    def preview_import(self, *, path: str, choices: ImportChoices) -> ImportReport:
        """Return what importing a file would do, with the first movies of each outcome, without storing anything."""
        ...

    def import_file(self, *, profile: str, path: str, settled: dict[str, str], choices: ImportChoices) -> ImportReport:
        """Import a file into a profile, which is created if it does not exist.

        ``settled``: by the key of each title that was decided by hand, the id of the chosen movie, or ``none``.
        """
        ...

    def recognise(self, *, movies: Sequence[StoredMovieRow]) -> dict[str, Recognised]:
        """Return which movie of the open dataset each stored movie is, by stored key."""
        ...

    # Datasets

    def datasets(self) -> list[DatasetRow]:
        """Return the datasets that are on disk or can be fetched."""
        ...

    def newer_dataset(self) -> NewerDataset | None:
        """Return a dataset to offer that has much newer movies than the open one; else ``None``."""
        ...

    def dataset_summary(self, *, dataset: str, cleaning: str) -> DatasetSummary | None:
        """Return facts about a dataset and its charts; ``None`` if it has not been cleaned this way yet."""
        ...

    def presets(self) -> list[str]:
        """Return the names of the presets of cleaning rules."""
        ...

    def cleaning_report(self, *, dataset: str, cleaning: str) -> CleaningReport | None:
        """Return what this cleaning did to a dataset; ``None`` if it has not been cleaned this way yet."""
        ...

    def preview_cleaning(self, *, dataset: str, cleaning: str) -> CleaningReport:
        """Return what this cleaning would do to a dataset on disk, without storing anything."""
        ...

    def removed_rows(self, *, dataset: str, cleaning: str, rule: str, offset: int, limit: int) -> RemovedRows:
        """Return a window of the rows that a rule removes or changes or, if it is off, would remove or change."""
        ...

    def imdb_report(self, *, dataset: str) -> ImdbReport | None:
        """Return how a dataset's movies matched IMDb; ``None`` if the dataset is not joined.

        If the dataset is open, its join is read again.
        """
        ...

    def choose_imdb_title(self, *, dataset: str, movie: str, title: str | None) -> ImdbReport:
        """Store which IMDb title a movie is (``None`` if no candidate is right), and return the new report."""
        ...

    def forget_imdb_title(self, *, dataset: str, movie: str) -> ImdbReport:
        """Forget the IMDb title that was chosen for a movie, and return the new report."""
        ...

    # Models and runs

    def models(self) -> list[ModelRow]:
        """Return the models that can be trained, with their settings, the recommended one first."""
        ...

    def plugins(self) -> list[PluginRow]:
        """Return the plug-ins in other packages, also those that cannot be used."""
        ...

    def published_results(self) -> list[PublishedResult]:
        """Return what the authors of the earlier systems reported, in rows like those of runs."""
        ...

    def compare_runs(self, *, first: int, second: int, viewers: Sequence[ViewerKey]) -> RunComparison:
        """Return the differences between two runs and, with viewers, between the lists that the runs make for them."""
        ...


NAMES = frozenset(name for name in vars(Requests) if not name.startswith("_"))
"""The names of the requests. The engine calls no other methods."""
