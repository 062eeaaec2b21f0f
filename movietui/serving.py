"""The engine: one dataset, one fitted model, and lists for any viewers.

Imports no torch, and pandas only to preview a cleaning that is not applied yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from data import catalogue, imdb, locations
from data.cleaning import PRESETS
from data.dataset import Bools, Dataset
from data.imports.matching import Matcher
from data.links import Links, links_of
from data.problems import Problem
from data.sources import SOURCES
from models.checkpoints import load
from models.filters import complete, parse
from models.interview import Answers, Interview
from models.ranking import MISERY, Aggregation, RankedList, Ranker, Viewer, alikeness, surprise
from models.reasons import explain
from models.search import Search
from models.settings import describe
from models.similar import Similarities
from models.table import MODELS
from movietui.asking import rows_of, tell_taste, viewer
from movietui.replies import (
    AskedFilm,
    Cleaned,
    DatasetRow,
    Details,
    FoundAll,
    FoundMovie,
    ModelRow,
    MovieRow,
    Opened,
    People,
    PersonRow,
    Question,
    Ranked,
    RemovedRows,
    SimilarMovie,
    SuggestionRow,
    ViewerDetails,
    Why,
    Wish,
)
from movietui.runs import RECOMMENDED
from movietui.store import Store
from movietui.viewers import Asked, UnseenBy

FOUND = 12
"""How many movies, directors and users a search shows of each."""
UNUSUAL = 5
"""How many unusual ratings a taste is told with."""
NEAR = 100
"""How far down a list people look: movements below are not counted."""


@dataclass(frozen=True, eq=False)
class _Order:
    """A list as it was last shown to somebody."""

    who: tuple[tuple[str, str], ...]
    rows: NDArray[np.intp]


class Service:
    """Answers what the screens ask. Every method returns JSON-able values."""

    def __init__(self) -> None:
        self._ranker: Ranker | None = None
        self._listed: tuple[Any, list[Viewer], RankedList] | None = None
        """What was asked for last, for whom, and the list: whoever scrolls asks for window after window of it."""
        self._shown: _Order | None = None
        self._compared: _Order | None = None

    @property
    def ranker(self) -> Ranker:
        """The model at work. Raises ``Problem`` where nothing is open."""
        if self._ranker is None:
            raise Problem("No dataset is open; open one on the Data screen.")
        return self._ranker

    @property
    def dataset(self) -> Dataset:
        """The dataset that is open."""
        return self.ranker.dataset

    def open(self, dataset: str, cleaning: str, checkpoint: str) -> Opened:
        """Serve a dataset with a checkpoint. What was open stays open where that fails."""
        loaded = catalogue.load(dataset, cleaning)
        model, manifest = load(Path(checkpoint), loaded)
        self._ranker = Ranker(loaded, model)
        self._listed = self._shown = self._compared = None
        self._forget()
        return {
            "dataset": loaded.name,
            "cleaning": loaded.cleaning,
            "invented": loaded.name == catalogue.DEMO,
            "ratings": len(loaded.ratings),
            "users": len(loaded.users),
            "movies": len(loaded.movies),
            "genres": [loaded.movies.genre_names[column] for column in np.argsort(-loaded.movies.genres.sum(axis=0))],
            "decades": np.unique(loaded.movies.years[loaded.movies.years > 0] // 10 * 10)[::-1].tolist(),
            "model": model.name,
            "metrics": manifest.metrics,
            "misery": MISERY,
            "first_user": loaded.users.ids[0] if loaded.users.ids else "",
        }

    def _forget(self) -> None:
        """Forget what was made of the dataset that was open."""
        for made in ("_search", "_ratings_of", "_similarities", "_interview", "_matcher", "_links"):
            self.__dict__.pop(made, None)

    # Lists

    def _list(self, people: Sequence[Viewer], misery: float, wish: Wish, ranker: Ranker | None = None) -> RankedList:
        """Rank what may be in the list; by another ranker than the one at work, if one is given."""
        ranker = ranker or self.ranker
        how = Aggregation(
            way=cast(Any, wish.get("way", "weighted")), misery=misery, standardise=wish.get("standardise", False)
        )
        unseen_by = cast(UnseenBy, wish.get("unseen_by", "all"))
        daring = wish.get("daring", 0.0)
        passing = self._passing(ranker.dataset, wish)
        return ranker.rank(people, how=how, passing=passing, unseen_by=unseen_by, daring=daring)

    @staticmethod
    def _passing(dataset: Dataset, wish: Wish) -> Bools | None:
        """Which movies pass the filter and the marks, shape (movies,); None where all do."""
        passing = parse(only, dataset).passes(dataset) if (only := wish.get("only", "")) else None
        left_out, among = rows_of(dataset, wish.get("left_out", ())), wish.get("among")
        if passing is None and (left_out or among is not None):
            passing = np.ones(len(dataset.movies), bool)
        if passing is not None:
            passing[left_out] = False
            if among is not None:
                passing &= np.isin(np.arange(len(passing)), rows_of(dataset, among))
        return passing

    def beside(
        self,
        viewers: Sequence[Asked],
        misery: float,
        cleaning: str,
        checkpoint: str,
        limit: int,
        **wish: Unpack[Wish],
    ) -> dict[str, Any]:
        """Return the top of the list beside that of another run for the same viewers, see ``comparison.beside``.

        Nothing that is served changes. Raises ``Problem`` where the run cannot be loaded.
        """
        from movietui.comparison import beside

        same = cleaning == self.dataset.cleaning
        other = self.dataset if same else catalogue.load(self.dataset.name, cleaning)
        tops = []
        for ranker in (self.ranker, Ranker(other, load(Path(checkpoint), other)[0])):
            people = [viewer(ranker.dataset, asked) for asked in viewers]
            order = self._list(people, misery, wish, ranker).order[:limit].tolist()
            movies = ranker.dataset.movies
            tops.append([(movies.titles[row], int(movies.years[row])) for row in order])
        return beside(tops[0], tops[1], limit)

    def rank(
        self,
        viewers: Sequence[Asked],
        misery: float,
        offset: int,
        limit: int,
        *,
        compare: bool = False,
        **wish: Unpack[Wish],
    ) -> Ranked:
        """Return a window of the list.

        With ``compare`` each row says where the movie stood in the list that was shown before to the same viewers;
        further windows of the same list keep saying so. Raises ``Problem`` for a filter that cannot be read.
        """
        question = viewers, misery, wish
        if self._listed is None or self._listed[0] != question:
            people = [viewer(self.dataset, asked) for asked in viewers]
            self._listed = question, people, self._list(people, misery, wish)
        _, people, ranked = self._listed
        who = tuple((asked["kind"], asked["id"]) for asked in viewers)
        changed = self._shown is None or self._shown.who != who or not np.array_equal(self._shown.rows, ranked.order)
        if changed:
            self._compared = self._shown if compare and self._shown is not None and self._shown.who == who else None
            self._shown = _Order(who, ranked.order)
        elif compare:
            self._compared = self._shown
        before = self._ranks_before(ranked)
        rows = ranked.order[offset : offset + limit]
        alike = alikeness(people[0].history, people[1].history) if len(people) == 2 else None
        near = ranked.order[:NEAR]
        return {
            "total": len(ranked.order),
            "offset": offset,
            "rows": [self._movie(ranked, rank, int(row), before) for rank, row in enumerate(rows, offset + 1)],
            "seen": [len(person.history) for person in people],
            "alike": None if alike is None else {"value": alike.correlation, "common": alike.common},
            "moved": 0 if before is None else int((before[near] != np.arange(1, len(near) + 1)).sum()),
        }

    def _ranks_before(self, ranked: RankedList) -> NDArray[np.intp] | None:
        """The rank of each movie in the list before, counted without those that have left since; 0 for new ones."""
        if self._compared is None:
            return None
        stayed = np.isin(self._compared.rows, ranked.order)
        ranks = np.zeros(len(self.dataset.movies), np.intp)
        ranks[self._compared.rows[stayed]] = np.arange(1, int(stayed.sum()) + 1)
        return ranks

    def _movie(self, ranked: RankedList, rank: int, row: int, before: NDArray[np.intp] | None) -> MovieRow:
        movies = self.dataset.movies
        return {
            "rank": rank,
            "before": rank if before is None else int(before[row]) or None,
            "id": movies.ids[row],
            "film": movies.keys[row],
            "title": movies.titles[row],
            "year": int(movies.years[row]),
            "stars": float(ranked.stars[row]),
            "uncertainty": float(ranked.uncertainty[row]),
            "score": float(ranked.score[row]),
            "by": ranked.stars_by_viewer[:, row].tolist(),
            "agreement": float(ranked.agreement[row]),
            "count": int(self.dataset.counts[row]),
        }

    def surprise(self, viewers: Sequence[Asked], misery: float, draw: int, **wish: Unpack[Wish]) -> MovieRow | None:
        """Return one of the good movies of a list, another with each ``draw``; none of an empty list."""
        ranked = self._list([viewer(self.dataset, asked) for asked in viewers], misery, wish)
        for row in surprise(ranked.order, draw).tolist():
            return self._movie(ranked, int(np.flatnonzero(ranked.order == row)[0]) + 1, row, None)
        return None

    @cached_property
    def _interview(self) -> Interview:
        return Interview(self.dataset)

    def interview(self, asked: Asked, unseen: Sequence[str], passed: Sequence[str], card: bool) -> Question:
        """Return what to ask a viewer next, a card of three films where ``card`` and as many are left.

        ``unseen`` are the films that they have not seen, ``passed`` others that are not to be asked about.
        """
        rated = viewer(self.dataset, asked).history
        told = Answers(rated, *(np.asarray(rows_of(self.dataset, films), np.int32) for films in (unseen, passed)))
        rows = self._interview.next_card(told) if card else []
        if not rows and (film := self._interview.next_film(told)) is not None:
            rows = [film]
        return {"films": [self._asked(row) for row in rows], "known": self._interview.known(told)}

    def _asked(self, row: int) -> AskedFilm:
        movies = self.dataset.movies
        return {
            "id": movies.ids[row],
            "film": movies.keys[row],
            "title": movies.titles[row],
            "year": int(movies.years[row]),
            "genres": movies.genres_of(row),
            "directors": list(movies.imdb.directors[row]) if movies.imdb else [],
        }

    def complete(self, text: str) -> list[SuggestionRow]:
        """Return how the last part of a half-typed filter may go on."""
        return [
            {"line": found.line, "part": found.part, "movies": found.movies} for found in complete(text, self.dataset)
        ]

    @cached_property
    def _similarities(self) -> Similarities:
        return Similarities(self.dataset)

    def similar(self, movie: str, limit: int, hidden: Sequence[str] = ()) -> list[SimilarMovie]:
        """Return the movies that are most like one, without those whose keys are ``hidden``."""
        out = set(rows_of(self.dataset, hidden))
        near = self._similarities.nearest(self._row(movie), limit + len(out))
        return [
            {
                **self._found(each.movie),
                "similarity": each.similarity,
                "common": each.common,
                "shared": [*each.shared.directors, *each.shared.genres],
            }
            for each in [each for each in near if each.movie not in out][:limit]
        ]

    def find(self, words: str) -> FoundAll:
        """Return the movies, directors and users that a search finds; typos are forgiven."""
        found = self._search.find(words, FOUND)
        imdb = self.dataset.movies.imdb
        return {
            "movies": [self._found(row) for row in found.movies],
            "people": [{"name": name, "movies": len(imdb.directed[name]) if imdb else 0} for name in found.people],
            "users": [self._person(row) for row in found.users],
        }

    def _found(self, row: int) -> FoundMovie:
        movies = self.dataset.movies
        return {
            "id": movies.ids[row],
            "film": movies.keys[row],
            "title": movies.titles[row],
            "year": int(movies.years[row]),
            "count": int(self.dataset.counts[row]),
        }

    def taste(
        self, viewers: Sequence[Asked], not_offered: Sequence[str] = (), hidden: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return what the viewers like against the crowd, and what divides a pair, see ``asking.tell_taste``."""
        people = [viewer(self.dataset, asked) for asked in viewers]
        left_out = (rows_of(self.dataset, films) for films in (not_offered, hidden))
        return tell_taste(self.dataset, people, UNUSUAL, self.ranker, *left_out)

    # Imports

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.dataset)

    def look_into(self, path: str) -> dict[str, Any]:
        """Return what an import of a file would bring, as ``import --preview --json`` prints it."""
        return self._bring("", path, {}, preview=True)

    def bring(self, name: str, path: str, settle: dict[str, str]) -> dict[str, Any]:
        """Import a file into a profile, see ``importing.bring``."""
        return self._bring(name, path, settle, preview=False)

    def _bring(self, name: str, path: str, settle: dict[str, str], *, preview: bool) -> dict[str, Any]:
        from movietui.importing import bring

        store = Store(locations.store())
        try:
            return bring(store, name, Path(path), self._matcher, settle, preview=preview)
        finally:
            store.close()

    # One movie

    @cached_property
    def _links(self) -> Links:
        return links_of(self.dataset)

    def _row(self, movie: str) -> int:
        row = self.dataset.movies.row.get(movie)
        if row is None:
            raise Problem(f"{self.dataset.name} has no movie {movie}.")
        return row

    def details(self, viewers: Sequence[Asked], movie: str) -> Details:
        """Return all that is known of a movie, with the reasons for each viewer."""
        row = self._row(movie)
        movies, scale = self.dataset.movies, self.dataset.scale
        given = self.dataset.ratings.stars[self.dataset.ratings.movie == row]
        steps = np.arange(scale.low, scale.high + scale.step / 2, scale.step)
        facts = (movies.imdb.of(row) if movies.imdb else None) or {}
        return {
            "id": movie,
            "film": movies.keys[row],
            "title": movies.titles[row],
            "year": int(movies.years[row]),
            "genres": movies.genres_of(row),
            "minutes": facts.get("minutes") or 0,
            "directors": facts.get("directors", []),
            "imdb": facts.get("rating") or 0.0,
            "link": self._links.imdb[row],
            "count": len(given),
            "mean": float(given.mean()) if len(given) else 0.0,
            "histogram": [int((given == step).sum()) for step in steps.astype(np.float32)],
            "by": [self._for_viewer(viewer(self.dataset, asked), row) for asked in viewers],
        }

    def _for_viewer(self, person: Viewer, row: int) -> ViewerDetails:
        movies = self.dataset.movies
        expected = self.ranker.expect(person.history)
        found = explain(self.ranker.model, movies, person.history, expected, row)
        why: list[Why] = [
            {
                "title": movies.titles[reason.movie],
                "year": int(movies.years[reason.movie]),
                "stars": reason.stars,
                "share": reason.share,
            }
            for reason in found.reasons
        ]
        return {
            "stars": found.stars,
            "low": found.low,
            "high": found.high,
            "why": why,
            "shared": [*found.shared.genres, *found.shared.directors],
        }

    # Viewers

    @cached_property
    def _search(self) -> Search:
        return Search(self.dataset)

    @cached_property
    def _ratings_of(self) -> list[int]:
        """How many ratings each user has."""
        counts: list[int] = np.bincount(self.dataset.ratings.user, minlength=len(self.dataset.users)).tolist()
        return counts

    def _person(self, row: int) -> PersonRow:
        users = self.dataset.users
        return {
            "id": users.ids[row],
            "age": int(users.age[row]) if len(users.age) else 0,
            "gender": users.gender[row] if users.gender else "",
            "occupation": users.occupation[row] if users.occupation else "",
            "ratings": self._ratings_of[row],
        }

    def people(self, search: str, offset: int, limit: int) -> People:
        """Return the users that a search finds, see ``Search.users``."""
        found = self._search.users(search)
        return {
            "dataset": self.dataset.name,
            "total": len(found),
            "offset": offset,
            "rows": [self._person(row) for row in found[offset : offset + limit]],
        }

    # What there is to open and to train

    def datasets(self) -> list[DatasetRow]:
        """Return the datasets that are here or can be fetched."""
        return [
            {
                "name": listed.name,
                "title": listed.title,
                "state": listed.state,
                "ratings": listed.ratings or 0,
                "bytes": listed.bytes if listed.ratings or listed.name not in SOURCES else SOURCES[listed.name].size,
                "terms": SOURCES[listed.name].terms if listed.name in SOURCES else "",
                "citation": SOURCES[listed.name].citation if listed.name in SOURCES else "",
            }
            for listed in catalogue.listing()
        ]

    def report(self, dataset: str, cleaning: str) -> Cleaned | None:
        """Return what cleaning did to a dataset, or nothing where it was not cleaned yet: that is a job's work."""
        report = catalogue.report_of(dataset, cleaning)
        return cast(Cleaned, report.to_json()) if report else None

    def preview(self, dataset: str, cleaning: str) -> Cleaned:
        """Return what cleaning would do to a dataset that is here; nothing is stored."""
        return cast(Cleaned, catalogue.preview(dataset, cleaning).to_json())

    def removed(self, dataset: str, cleaning: str, rule: str, offset: int, limit: int) -> RemovedRows:
        """Return a window of the rows that a rule takes or changes, or would where it is off."""
        return cast(RemovedRows, catalogue.removed(dataset, cleaning, rule, offset, limit).to_json())

    def presets(self) -> list[str]:
        """Return the names of the cleanings that others are made from."""
        return list(PRESETS)

    def show(self, dataset: str, cleaning: str) -> dict[str, Any] | None:
        """Return the facts and charts of a dataset, or nothing where it was not cleaned yet."""
        return catalogue.show(dataset, cleaning) if catalogue.report_of(dataset, cleaning) else None

    def imdb(self, dataset: str) -> dict[str, Any] | None:
        """Return what became of a dataset's movies when it was joined with IMDb, or nothing where it was not.

        What is served from now on knows what the join says.
        """
        joined = imdb.load(dataset)
        self._join_again(dataset)
        return joined.report().to_json() if joined else None

    def settle(self, dataset: str, movie: str, title: str | None) -> dict[str, Any]:
        """Remember which title of IMDb a movie is, None for none of the candidates; return the new report."""
        report = imdb.settle(dataset, movie, title)
        self._join_again(dataset)
        return report.to_json()

    def unsettle(self, dataset: str, movie: str) -> dict[str, Any]:
        """Forget what was settled for a movie; return the new report."""
        report = imdb.unsettle(dataset, movie)
        self._join_again(dataset)
        return report.to_json()

    def _join_again(self, dataset: str) -> None:
        if self._ranker is not None and self._ranker.dataset.name == dataset:
            self._ranker.dataset = imdb.attach(self._ranker.dataset)
            self._forget()

    def models(self) -> list[ModelRow]:
        """Return the models that can be trained, with their settings, the recommended one first."""
        return [
            {
                "name": model.name,
                "summary": model.summary,
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
            for model in sorted(MODELS.values(), key=lambda model: model.name != RECOMMENDED)
        ]

    def reported(self) -> list[dict[str, Any]]:
        """Return what the authors of the source systems reported, as rows beside the runs."""
        from movietui.comparison import reported

        return reported()

    def compare(self, first: int, second: int, viewers: Sequence[Asked]) -> dict[str, Any]:
        """Return what differs between two runs, and between the lists that they make for the viewers."""
        from movietui.comparison import compare

        store = Store(locations.store())
        try:
            return compare(store, first, second, viewers)
        finally:
            store.close()
