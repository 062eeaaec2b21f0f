"""Replies to the app's requests about the open dataset, other datasets, models, runs and imports.

Does not import torch, and imports pandas only to clean a dataset or to find out what a cleaning rule removes.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from movietui.answers.datasets import list_datasets, newer
from movietui.answers.lists import dataset_of, found_names, recognise, taste_report
from movietui.data import catalogue
from movietui.data.cleaning.cleaner import PRESETS
from movietui.data.dataset import Dataset
from movietui.data.imdb import join as imdb
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.query.filters import complete
from movietui.data.storage import locations
from movietui.data.storage.remote_view import find_if_only_there
from movietui.engine.lists import Lists, by_taste, draw_surprise, rank
from movietui.engine.open_dataset import OpenDataset
from movietui.models import MODELS
from movietui.models.checkpoints import Checkpoint
from movietui.models.choices import RECOMMENDED
from movietui.models.registry import plugin_of
from movietui.models.serving.groups import MISERY
from movietui.models.serving.ranking import Ranker
from movietui.models.settings import describe
from movietui.protocol.messages import (
    ChartRow,
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
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerKey, ViewerRef
from movietui.store.ratings import Store
from movietui.store.same_movies import from_rows

MOST_FOUND = 12
"""The maximum number of search results of each kind: movies, directors, actors, tags and users."""
UNUSUAL = 5
"""The maximum number of unusual likes, and of unusual dislikes, in a taste report."""


def _store() -> contextlib.closing[Store]:
    return contextlib.closing(Store(locations.store()))


class Service(Requests):
    """The engine without its pipe. ``Requests``, which it implements, says what each method does."""

    def __init__(self) -> None:
        self._open: OpenDataset | None = None
        self._whole: Dataset | None = None
        """The open dataset with its unrated movies, whether the model predicts them or not."""
        self._lists = Lists()

    @property
    def opened(self) -> OpenDataset:
        """The open dataset. Raises ``Problem`` if no dataset is open."""
        if self._open is None:
            raise Problem(tr("No dataset is open; open one on the Data screen."))
        return self._open

    def open(self, *, dataset: str, cleaning: str, checkpoint: str) -> Opened:
        stored = Checkpoint(Path(checkpoint))
        whole = dataset_of(stored.manifest, dataset, cleaning)
        model, loaded = stored.load(whole)
        opened = OpenDataset(Ranker(loaded, model))
        self._open, self._lists, self._whole = opened, Lists(), whole
        movies, remote = loaded.movies, opened.elsewhere.remote if opened.elsewhere else None
        return {
            "dataset": loaded.name,
            "cleaning": loaded.cleaning,
            "invented": loaded.name == catalogue.DEMO,
            "has_stars": not loaded.implicit,
            "ratings": remote.rating_count if remote else len(loaded.ratings),
            "users": remote.user_count if remote else len(loaded.users),
            "movies": len(movies),
            "genres": [movies.genre_names[column] for column in np.argsort(-movies.genres.sum(axis=0))],
            "decades": np.unique(movies.years[movies.years > 0] // 10 * 10)[::-1].tolist(),
            "model": model.name,
            "metrics": stored.manifest.metrics,
            "misery": MISERY,
            "first_user": loaded.users.ids[0] if loaded.users.ids else "",
            "cluster": remote.uri if remote else "",
        }

    # Lists

    def rank(self, *, query: ListQuery, offset: int, limit: int, compare: bool = False) -> ListWindow:
        return self._lists.window(self.opened, query, offset, limit, compare)

    def surprise(self, *, query: ListQuery, draw: int) -> MovieRow | None:
        return draw_surprise(self.opened, query, draw)

    def compare_lists(self, *, query: ListQuery, cleaning: str, checkpoint: str, limit: int) -> ListComparison:
        from movietui.answers.compare_runs import compare_lists, titles

        served, stored = self.opened.ranker, Checkpoint(Path(checkpoint))
        assert self._whole is not None
        same = stored.manifest.fingerprint == self._whole.fingerprint
        whole = self._whole if same else dataset_of(stored.manifest, served.dataset.name, cleaning)
        model, loaded = stored.load(whole)
        other = Ranker(loaded, model)
        first, second = (
            titles(ranker.dataset, rank(ranker, by_taste(query))[1].order[:limit].tolist())
            for ranker in (served, other)
        )
        return compare_lists(first, second, limit)

    def next_question(self, *, viewer: ViewerRatings, answers: InterviewAnswers, card: bool) -> Question:
        return self.opened.next_question(viewer, answers, card)

    def complete_filter(self, *, text: str, lists: Mapping[str, int]) -> list[SuggestionRow]:
        suggestions = complete(text, self.opened.dataset, lists=lists)
        return [{"line": each.line, "part": each.part, "movies": each.movies} for each in suggestions]

    # Movies and viewers

    def movie_details(self, *, viewers: Sequence[ViewerRatings], movies: Sequence[str]) -> list[Details]:
        return self.opened.details(movies, viewers)

    def given_ratings(self, *, viewer: ViewerRatings) -> list[GivenRating]:
        return self.opened.given_ratings(viewer)

    def similar_movies(
        self, *, movie: str, limit: int, hidden: Sequence[str] = (), users: Sequence[str] = ()
    ) -> list[SimilarMovie]:
        return self.opened.similar_movies(movie, limit, hidden, users)

    def search(self, *, words: str, users: Sequence[str] = ()) -> SearchResults:
        opened = self.opened
        matches = opened.search.find(words, MOST_FOUND)
        return {
            "movies": opened.searched_movies(matches.movies, users),
            **found_names(opened.dataset, matches),
            "users": [opened.user(row) for row in matches.users],
            "directors_first": matches.directors_first,
            "joined": opened.dataset.movies.imdb is not None,
            "tagged": opened.dataset.movies.tags is not None,
        }

    def find_users(self, *, search: str, offset: int, limit: int) -> UserWindow:
        opened = self.opened
        total, rows = opened.find_users(search, offset, limit)
        return {"dataset": opened.dataset.name, "total": total, "offset": offset, "rows": rows}

    def taste(self, *, viewers: Sequence[ViewerRatings]) -> TasteReport:
        opened = self.opened
        people = opened.viewers(viewers)
        return taste_report(opened.dataset, people, UNUSUAL, opened.ranker)

    # Imports

    def preview_import(self, *, path: str, choices: ImportChoices) -> ImportReport:
        return self._import("", path, {}, choices, preview=True)

    def import_file(self, *, profile: str, path: str, settled: dict[str, str], choices: ImportChoices) -> ImportReport:
        return self._import(profile, path, settled, choices, preview=False)

    def _import(
        self, profile: str, path: str, settled: dict[str, str], choices: ImportChoices, *, preview: bool
    ) -> ImportReport:
        from movietui.answers.import_ratings import FIRST, import_file
        from movietui.data.imports.entries import Choices

        with _store() as store:
            matcher = self.opened.matcher
            imported = import_file(store, profile, Path(path), matcher, settled, Choices(**choices), preview=preview)
            return imported.to_json(FIRST)

    def recognise(self, *, movies: Sequence[StoredMovieRow]) -> dict[str, Recognised]:
        with _store() as store:
            settled = store.settled()
        return recognise(self.opened.matcher, from_rows(movies), settled)

    # Datasets

    def datasets(self) -> list[DatasetRow]:
        with _store() as store:
            return list_datasets(store)

    def newer_dataset(self) -> NewerDataset | None:
        with _store() as store:
            return newer(store, self.opened.dataset)

    def dataset_summary(self, *, dataset: str, cleaning: str) -> DatasetSummary | None:
        if elsewhere := find_if_only_there(dataset):
            from movietui.data.summary import charts_of_movies

            return {
                "note": "",
                "scale_note": "",
                "absent_note": "",
                "charts": cast(list[ChartRow], charts_of_movies(elsewhere)),
            }
        if catalogue.report_of(dataset, cleaning) is None:
            return None
        return cast(DatasetSummary, catalogue.show(dataset, cleaning))

    def presets(self) -> list[str]:
        return list(PRESETS)

    def cleaning_report(self, *, dataset: str, cleaning: str) -> CleaningReport | None:
        elsewhere = find_if_only_there(dataset)
        report = elsewhere.remote.report if elsewhere else catalogue.report_of(dataset, cleaning)
        return cast(CleaningReport, report.to_json()) if report else None

    def preview_cleaning(self, *, dataset: str, cleaning: str) -> CleaningReport:
        return cast(CleaningReport, catalogue.preview(dataset, cleaning).to_json())

    def removed_rows(self, *, dataset: str, cleaning: str, rule: str, offset: int, limit: int) -> RemovedRows:
        return cast(RemovedRows, catalogue.removed_rows(dataset, cleaning, rule, offset, limit).to_json())

    def imdb_report(self, *, dataset: str) -> ImdbReport | None:
        joined = imdb.load(dataset)
        self._read_join(dataset)
        return cast(ImdbReport, joined.report().to_json()) if joined else None

    def choose_imdb_title(self, *, dataset: str, movie: str, title: str | None) -> ImdbReport:
        report = imdb.settle(dataset, movie, title)
        self._read_join(dataset)
        return cast(ImdbReport, report.to_json())

    def forget_imdb_title(self, *, dataset: str, movie: str) -> ImdbReport:
        report = imdb.unsettle(dataset, movie)
        self._read_join(dataset)
        return cast(ImdbReport, report.to_json())

    def _read_join(self, dataset: str) -> None:
        """If the dataset is open, attach its join with IMDb again, because the join may have changed.

        A model knows only the movies that it was fitted on. If unrated movies were among them, and the join now has
        other ones, the dataset stays open with the old join until a model has been trained on the new one.
        """
        if self._open is None or self._open.dataset.name != dataset:
            return
        assert self._whole is not None
        ranker, self._whole = self._open.ranker, imdb.attach(self._whole)
        known = ranker.dataset.movies.ids
        for joined in (self._whole, self._whole.without_unrated()):
            if joined.movies.ids == known:
                ranker.dataset = joined
                self._open = OpenDataset(ranker)
                return

    # Models and runs

    def models(self) -> list[ModelRow]:
        return [
            {
                "name": model.name,
                "summary": model.summary,
                "formula": model.formula,
                "reference": model.reference,
                "package": plugin.package if (plugin := plugin_of(model.name)) else "",
                "settings": [
                    {
                        "name": entry.name,
                        "kind": entry.kind.__name__,
                        "default": entry.default,
                        "published": getattr(model.published, entry.name) if model.published else None,
                        "low": entry.low,
                        "high": entry.high,
                        "meaning": entry.meaning.replace("``", ""),
                    }
                    for entry in describe(model.settings_type)
                ],
            }
            for model in sorted(MODELS.load_all().values(), key=lambda model: model.name != RECOMMENDED)
        ]

    def plugins(self) -> list[PluginRow]:
        from movietui.answers.plugins import list_plugins

        return list_plugins()

    def published_results(self) -> list[PublishedResult]:
        from movietui.answers.compare_runs import published_results

        return published_results()

    def compare_runs(self, *, first: int, second: int, viewers: Sequence[ViewerKey]) -> RunComparison:
        from movietui.answers.compare_runs import compare_runs

        with _store() as store:
            return compare_runs(store, first, second, [ViewerRef(**viewer) for viewer in viewers])
