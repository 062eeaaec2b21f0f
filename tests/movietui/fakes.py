"""A fake engine, which needs no model and gives the same replies on every machine, and fake jobs, which tests
control."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from itertools import product
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from movietui.answers.compare_runs import Title, compare_lists
from movietui.data.problems import Problem
from movietui.data.query.condition_text import conditions_of
from movietui.data.query.list_conditions import KnownLists, condition, list_in
from movietui.models.choices import DEFAULT_ORDER, Order
from movietui.protocol.jobs import JobClient, JobEvent, JobRequest, SweepJob, SweepRow, TrainJob
from movietui.protocol.messages import (
    Alike,
    ChartRow,
    CleaningReport,
    DatasetRow,
    DatasetSummary,
    Details,
    FieldRow,
    FoundMovie,
    GivenRating,
    ImdbReport,
    ImdbTitle,
    ImportChoices,
    ImportReport,
    InterviewAnswers,
    InterviewMovie,
    ListComparison,
    ListQuery,
    ListWindow,
    ModelRow,
    MovieEntry,
    MovieRow,
    NewerDataset,
    Opened,
    PersonalAccuracy,
    PluginRow,
    PublishedResult,
    Question,
    Recognised,
    RemovedRows,
    RuleRow,
    RunComparison,
    RunRow,
    SearchedMovie,
    SearchResults,
    SharedFacts,
    SimilarMovie,
    StoredMovieRow,
    SuggestionRow,
    TasteGroup,
    TasteReport,
    UserRow,
    UserWindow,
    ViewerRatings,
    ViewerTaste,
)
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerKey
from movietui.state.child_processes import EngineClient
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from tests.movietui.driving import PATIENCE

NOTHING_SHARED: SharedFacts = {"genres": [], "directors": [], "actors": [], "tags": []}

P = ParamSpec("P")
R = TypeVar("R")

MOVIES = 240
MISERY = 0.6
PEOPLE = 120
CARD, LIST = 5, 6
"""How many movies a card and a list of the interview show."""
JOBS = ("writer", "technician", "student", "other", "librarian")
WORDS = ("Silent", "Golden", "Last", "Northern", "Paper", "Second", "Crimson")
THINGS = ("River", "Letter", "Garden", "Station", "Summer", "Orchard", "Winter", "Bridge", "Harbour")


def title(movie: int) -> str:
    return f"The {WORDS[movie % 7]} {THINGS[movie % 9]} {movie}"


def with_run(store: Store, dataset: str = "demo") -> int:
    """Store three runs with fixed metrics, the second cancelled, and return the number of the last, which serves."""
    curve = [
        {"epoch": epoch, "train_loss": 0.9 - 0.05 * epoch, "validation_loss": 0.8 + 0.01 * (epoch - 5) ** 2}
        for epoch in range(1, 9)
    ]
    number = 0
    for model, state, rmse, seconds in (
        ("bias", "done", 0.94, 0.25),
        ("mf", "cancelled", 0, 0),
        ("mf", "done", 0.91, 2.5),
    ):
        number = store.start_run(model, dataset, "standard", "random90", 0, {"factors": 10, "sweeps": 8})
        metrics = {"rmse": rmse, "mae": rmse - 0.2, "accuracy": 0.43, "ndcg@10": 1.1 - rmse} if rmse else {}
        store.end_run(number, state, seconds=seconds or None, curve=curve, best_epoch=5, metrics=metrics)
    return number


def joined() -> ImdbReport:
    """Return the report of a join in which one movie is ambiguous and one has no match."""
    candidates: list[ImdbTitle] = [
        {
            "id": f"tt000000{digit}",
            "title": f"The [b]Odd[/b] {digit}",
            "year": 1990 + digit,
            "kind": "movie",
            "directors": ["Somebody"],
            "votes": 10,
        }
        for digit in (1, 2)
    ]
    return {
        "dataset": "demo",
        "matched": 238,
        "ambiguous": 1,
        "unmatched": 1,
        "by": {"id": 0, "title": 238, "hand": 0},
        "ambiguous_movies": [
            {"id": "1", "title": "Odd, The (1991)", "reason": "2 titles fit", "candidates": candidates}
        ],
        "unmatched_movies": [
            {"id": "2", "title": "Gone (1999)", "reason": "no title with that name", "candidates": []}
        ],
        "settled_movies": [],
    }


def _year(movie: int) -> int:
    return 0 if movie % 50 == 3 else 1950 + movie % 70


def _count(movie: int) -> int:
    return movie * 17 % 1500


class FakeEngine(Requests, EngineClient):
    """Computes replies by simple rules: a rated movie leaves the list, and its stars change the order of the others."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.before: tuple[list[tuple[object, str]], list[int]] | None = None
        self.problem = ""
        """If not empty, every request fails with this problem."""
        self.joined: ImdbReport | None = None
        """The report of the join with IMDb; None before the join."""
        self.has_stars = True
        self.directors_known = True
        """Whether search results say that the dataset is joined with IMDb."""
        self.notice: Callable[[str], object] = lambda sentence: None
        self.titles = [title(movie) for movie in range(MOVIES)]
        self.genres = ["even", "odd"]
        self.model = ""
        self.newer: NewerDataset | None = None
        """The dataset with newer movies that is offered."""

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def hurry(self, now: bool) -> None:
        pass

    async def ask(self, request: Callable[Concatenate[Requests, P], R], /, *arguments: P.args, **named: P.kwargs) -> R:
        self.asked.append((request.__name__, named))
        if self.problem:
            raise Problem(self.problem)
        result: R = getattr(self, request.__name__)(**named)
        return result

    def open(self, *, dataset: str, cleaning: str, checkpoint: str) -> Opened:
        if dataset == "gone":
            raise Problem("gone is not here.")
        self.model = checkpoint.rpartition(f"/{dataset}-")[2].rpartition("-")[0]
        return {
            "dataset": dataset,
            "cleaning": cleaning,
            "invented": dataset == "demo",
            "has_stars": self.has_stars,
            "ratings": 10_000,
            "users": PEOPLE,
            "movies": MOVIES,
            "genres": self.genres,
            "decades": [1990, 1980],
            "model": self.model,
            "metrics": {"rmse": 0.914, "ndcg@10": 0.19},
            "first_user": "1",
            "cluster": "",
            "misery": MISERY,
        }

    def recognise(self, *, movies: Sequence[StoredMovieRow]) -> dict[str, Recognised]:
        """Recognise a movie by its key if that is a number, otherwise by its title."""
        numbers = {name: str(movie) for movie, name in enumerate(self.titles)}
        keys = [movie["key"] if movie["key"].isdigit() else numbers.get(movie["title"], "") for movie in movies]
        return {
            movie["key"]: {"key": key, "sure": True, "ids": (f"tt{int(key):07}" if key else "", 0, 0)}
            for movie, key in zip(movies, keys, strict=True)
        }

    def _score(self, movie: int, viewers: Sequence[ViewerRatings], misery: float) -> float:
        shift = sum((stars - 2.5) * ((movie * 7 + int(key)) % 5) for one in viewers for key, stars in one["rated"])
        taste = sum(3 * (int(one["id"]) * movie % 5) for one in viewers[:1] if one["id"].isdigit())
        return shift + taste + misery * (movie % 4) * (len(viewers) - 1) - movie

    def _order(self, query: ListQuery) -> list[int]:
        """Return the movies of a list in order. Only a few filters are known.

        A ``daring`` above 0.5, ``standardise`` and the way ``borda`` each reverse the order ``liked``. The order
        ``likely`` sorts by the movie's number.
        """
        viewers, misery = query["viewers"], query["misery"]
        seen = [{int(key) for key in (*dict(one["rated"]), *one["seen"])} for one in viewers]
        by = {"all": set.union(*seen), "any": set.intersection(*seen), "none": set[int]()}
        movies = set(range(len(self.titles))) - by[query.get("unseen_by", "all")]
        movies -= {int(key) for key in query.get("excluded", ())}
        movies -= {int(key) for one in viewers for key in one["hidden"]}
        if "among" in query:
            movies &= {int(key) for key in query["among"]}
        owners = tuple(one["id"] for one in viewers if one["kind"] == "profile")
        for word in conditions_of(query.get("filter", "")):
            if named := list_in(word):
                movies &= {int(key) for key in KnownLists(owners, query.get("lists", {})).keys_of(named[1], word)}
                continue
            if word not in ("+even", "+odd", "1990..1999", "1980..1989", "@Odd", "@Ann", "#calm-seas"):
                raise Problem(f"There is no genre {word[1:]!r}; choose one of even, odd.")
            if word[0].isdigit():
                movies = {movie for movie in movies if 1950 + movie % 70 in range(int(word[:4]), int(word[6:]) + 1)}
            else:
                movies = {movie for movie in movies if movie % 2 == (word != "+even")}
        by_order: dict[Order, Callable[[int], float | str]] = {
            "liked": lambda movie: -self._score(movie, viewers, misery),
            "likely": lambda movie: movie,
            "stars": lambda movie: -movie,
            "year": lambda movie: -_year(movie),
            "title": lambda movie: self.titles[movie],
            "ratings": lambda movie: -_count(movie),
        }
        sorted_by = query.get("order", DEFAULT_ORDER)
        order = sorted(movies, key=by_order[sorted_by])
        if sorted_by != DEFAULT_ORDER:
            return order
        if self.model == "blend":
            order = order[7:14] + order[:7] + order[14:]
        turned = query.get("standardise", False) + (query.get("way") == "borda") + (query.get("daring", 0) > 0.5)
        return order[::-1] if turned % 2 else order

    def rank(self, *, query: ListQuery, offset: int, limit: int, compare: bool = False) -> ListWindow:
        viewers, order = query["viewers"], self._order(query)
        who: list[tuple[object, str]] = [(one["kind"], one["id"]) for one in viewers]
        old: list[int] | None = None
        if compare and self.before is not None and self.before[0] == who:
            old = [movie for movie in self.before[1] if movie in set(order)]
        self.before = (who, order)
        rows: list[MovieRow] = []
        for rank, movie in enumerate(order[offset : offset + limit], offset + 1):
            stars = max(1.0, 4.8 - rank * 0.01)
            rank_before = rank if old is None else old.index(movie) + 1 if movie in old else None
            rows.append(
                {
                    "rank": rank,
                    "before": rank_before,
                    "id": str(movie),
                    "key": str(movie),
                    "title": self.titles[movie],
                    "year": _year(movie),
                    "stars": stars,
                    "uncertainty": 0.3 + 0.01 * (movie % 30),
                    "by": [max(1.0, stars - 0.4 * member) for member in range(len(viewers))],
                    "agreement": 0.8,
                    "count": _count(movie),
                }
            )
        stayed = [movie for movie in order if movie in set(old)] if old else []
        moved = sum(before != now for before, now in zip((old or [])[:100], stayed[:100], strict=False))
        alike: Alike | None = {"value": 0.61, "common": 34} if len(viewers) == 2 else None
        return {
            "total": len(order),
            "offset": offset,
            "rows": rows,
            "rated": [20 + len(one["rated"]) for one in viewers],
            "alike": alike,
            "moved": moved,
        }

    def surprise(self, *, query: ListQuery, draw: int) -> MovieRow | None:
        before, self.before = self.before, None
        rows = self.rank(query=query, offset=draw % max(1, len(self._order(query))), limit=1)["rows"]
        self.before = before
        return rows[0] if rows else None

    def compare_lists(self, *, query: ListQuery, cleaning: str, checkpoint: str, limit: int) -> ListComparison:
        if "gone" in checkpoint:
            raise Problem("The checkpoint is gone; train it again.")
        now = self._order(query)
        then = [now[2], *now[:2], *now[limit : 2 * limit - 3]]
        first, second = ([self._titled(movie) for movie in order[:limit]] for order in (now, then))
        return compare_lists(first, second, limit)

    def _titled(self, movie: int) -> Title:
        return self.titles[movie], 1950

    def given_ratings(self, *, viewer: ViewerRatings) -> list[GivenRating]:
        """Return a viewer's ratings. Every user of the dataset has rated its last two movies."""
        given = dict.fromkeys(map(str, range(MOVIES - 2, MOVIES)) if viewer["kind"] == "user" else (), 3.0)
        given |= dict(viewer["rated"])
        return [
            {
                "id": key,
                "key": key,
                "title": self.titles[int(key)],
                "year": 1950 + int(key) % 70,
                "ids": (f"tt{int(key):07}", 0, 0),
                "stars": stars,
                "predicted": max(1.0, 4.8 - 0.01 * int(key)),
                "at": "1998-03-04T05:06:07+00:00",
                "stored": False,
            }
            for key, stars in given.items()
        ]

    def similar_movies(
        self, *, movie: str, limit: int, hidden: Sequence[str] = (), users: Sequence[str] = ()
    ) -> list[SimilarMovie]:
        return [
            {
                **self._searched_movie(other, users),
                "similarity": 0.9 - index * 0.01,
                "common": 90 - index,
                "shared": ["Ann [b]Odd[/b]", "Crime"],
            }
            for index, other in enumerate(range(int(movie) + 1, int(movie) + 1 + limit))
        ]

    def _found_movie(self, movie: int) -> FoundMovie:
        movie %= len(self.titles)
        return {"id": str(movie), "key": str(movie), "title": self.titles[movie], "year": 1950 + movie, "count": 9}

    def _searched_movie(self, movie: int, users: Sequence[str]) -> SearchedMovie:
        return {**self._found_movie(movie), "rated": [0.0] * len(users), "marked": [""] * len(users)}

    def search(self, *, words: str, users: Sequence[str] = ()) -> SearchResults:
        words = words.casefold()
        movies = [movie for movie, title in enumerate(self.titles) if words in title.casefold()]
        return {
            "movies": [self._searched_movie(movie, users) for movie in movies[:12]],
            "directors": [{"name": "Odd", "movies": 3}] if "odd".startswith(words) else [],
            "users": self.find_users(search=words, offset=0, limit=12)["rows"],
            "directors_first": words == "odd",
            "joined": self.directors_known,
            "tagged": True,
            "actors": [{"name": "Ann", "movies": 2}] if "ann".startswith(words) else [],
            "tags": [{"name": "calm seas", "movies": 4}] if "calm seas".startswith(words) else [],
        }

    def taste(self, *, viewers: Sequence[ViewerRatings]) -> TasteReport:
        def group(name: str, difference: float) -> TasteGroup:
            return {
                "name": name,
                "ratings": 12,
                "mean": 3.5 + difference,
                "crowd": 3.5,
                "difference": difference,
                "beyond": difference,
            }

        def movie(number: int) -> MovieEntry:
            row = self._found_movie(number)
            return {
                "id": row["id"],
                "title": row["title"],
                "year": row["year"],
                "genres": ["Crime"],
                "count": row["count"],
            }

        def one(who: ViewerRatings) -> ViewerTaste:
            profile = who["kind"] == "profile"
            lacking: PersonalAccuracy = {"model": "mf", "lacking": 25}
            return {
                "kind": who["kind"],
                "id": who["id"],
                "ratings": 0 if profile else 40,
                "mean": 3.61,
                "crowd": 3.4,
                "generosity": 0.2,
                "genres": [group("Crime", 0.8), group("[b]Drama[/b]", 0.1), group("Horror", -1.2)],
                "decades": [group("1980s", 0.3), group("1990s", -0.1)],
                "likes": [{**movie(3), "stars": 5.0, "crowd": 2.8}],
                "dislikes": [{**movie(4), "stars": 1.0, "crowd": 4.1}],
                "for_you": lacking if profile else None,
            }

        report: TasteReport = {"dataset": "demo", "viewers": [one(who) for who in viewers]}
        if len(viewers) == 2:
            report["pair"] = {
                "model": "mf",
                "alike": None,
                "divided": [{**movie(5), "stars": [5.0, 1.0]}],
                "would_divide": [{**movie(6), "stars": [4.5, 2.0]}],
            }
        return report

    def next_question(self, *, viewer: ViewerRatings, answers: InterviewAnswers, card: bool) -> Question:
        """Ask about movies in order of their numbers. Each rating makes the unknown part of the taste 10 % smaller."""
        unchosen = [movie["key"] for movie in answers["unchosen"]]
        excluded = {key for key, _ in viewer["rated"]} | {*answers["unseen"], *unchosen, *viewer["hidden"]}
        remaining = [movie for movie in range(len(self.titles)) if str(movie) not in excluded]
        card = card and len(remaining) >= CARD
        return {
            "movies": [self._asked_about(movie) for movie in remaining[: CARD if card else LIST]],
            "if_unchosen": [{"key": str(movie), "liking": 1.0, "above": movie} for movie in remaining[:CARD] if card],
            "rated": len(viewer["rated"]),
            "known": 1 - 0.9 ** len(viewer["rated"]),
        }

    def _asked_about(self, movie: int) -> InterviewMovie:
        row = self._found_movie(movie)
        return {
            "id": row["id"],
            "key": row["key"],
            "title": row["title"],
            "year": row["year"],
            "genres": ["Crime", "[b]Drama[/b]"],
            "directors": ["Ann [i]Odd[/i]"],
        }

    def complete_filter(self, *, text: str, lists: Mapping[str, int]) -> list[SuggestionRow]:
        typed = text.rpartition(" ")[2]
        suggestions = [("+even", 120), ("+odd", 120), ("-odd", 120), ("1980..1989", 40)]
        suggestions += [(condition(name), count) for name, count in lists.items()]
        head = text[: len(text) - len(typed)]
        return [
            {"line": head + part, "part": part, "movies": movies}
            for part, movies in suggestions
            if typed and part.startswith(typed) and part != typed
        ]

    def movie_details(self, *, viewers: Sequence[ViewerRatings], movies: Sequence[str]) -> list[Details]:
        return [self._details(viewers, movie) for movie in movies]

    def _details(self, viewers: Sequence[ViewerRatings], movie: str) -> Details:
        number = int(movie)
        return {
            "id": movie,
            "key": movie,
            "title": self.titles[number],
            "year": 1950 + number % 70,
            "genres": ["Crime", "Drama"],
            "minutes": 0,
            "directors": [],
            "cast": [],
            "languages": [],
            "countries": [],
            "tags": [],
            "imdb": 0.0,
            "link": f"tt{number:07}" if number % 10 == 1 else "[b]no id",
            "count": 267,
            "mean": 4.1,
            "histogram": [3, 12, 40, 112, 100],
            "by": [
                {
                    "stars": 4.4,
                    "low": 3.7,
                    "high": 5.0,
                    "rated": None,
                    "basis": "ratings",
                    "why": [
                        {
                            "title": self.titles[(number + 9) % 99],
                            "year": 1990,
                            "stars": 5.0,
                            "weight": 0.21,
                            "shared": NOTHING_SHARED,
                        }
                    ],
                    "alike": [],
                    "crowd": None,
                    "standing": None,
                    "similar": [],
                    "examples": [],
                    "against": [
                        {
                            "title": self.titles[(number + 31) % 99],
                            "year": 1971,
                            "stars": 1.5,
                            "weight": 0.05,
                            "shared": NOTHING_SHARED,
                        }
                    ],
                    "shared": ["Crime"],
                }
                for _ in viewers
            ],
        }

    def find_users(self, *, search: str, offset: int, limit: int) -> UserWindow:
        rows: list[UserRow] = [
            {
                "id": str(user),
                "age": 18 + user * 7 % 50,
                "gender": "FM"[user % 2],
                "occupation": JOBS[user % 5],
                "ratings": 20 + user * 13 % 300,
            }
            for user in range(1, PEOPLE + 1)
        ]
        matches = [row for row in rows if not search or row["id"].startswith(search) or row["occupation"] == search]
        matches.sort(key=lambda row: row["id"] != search)
        return {"dataset": "demo", "total": len(matches), "offset": offset, "rows": matches[offset : offset + limit]}

    def datasets(self) -> list[DatasetRow]:
        terms = "To be used for research; not to be passed on."
        names = (
            ("demo", "Demo: real movies", "invented", 10_000, 0),
            ("ml-100k", "MovieLens 100K", "available", 100_000, 4_924_029),
        )
        return [
            {
                "name": name,
                "title": text,
                "state": state,
                "on_disk": state == "invented",
                "ratings": ratings,
                "users": PEOPLE,
                "movies": MOVIES,
                "first_year": 1922 if size else None,
                "last_year": 1998 if size else None,
                "download": size,
                "bytes": 0,
                "disk": 2 * size,
                "seconds": 16.0 if size else 0.0,
                "cluster": "",
                "implicit": False,
                "terms": terms,
                "citation": "Somebody. 2015.",
            }
            for name, text, state, ratings, size in names
        ]

    def newer_dataset(self) -> NewerDataset | None:
        return self.newer

    def models(self) -> list[ModelRow]:
        field: FieldRow = {
            "name": "sweeps",
            "kind": "int",
            "default": 12,
            "low": 1,
            "high": 200,
            "meaning": "How often all is updated.",
        }
        published: FieldRow = {**field, "published": 8}
        spread: FieldRow = {
            "name": "spread",
            "kind": "float",
            "default": 0.2,
            "published": 0.2,
            "low": 0.001,
            "high": 10.0,
            "meaning": "The prior variance: v in N(0, v).",
        }
        switch: FieldRow = {
            "name": "tags",
            "kind": "bool",
            "default": True,
            "published": True,
            "low": False,
            "high": True,
            "meaning": "Whether tags are used.",
        }
        return [
            {
                "name": name,
                "summary": summary,
                "formula": "m + p_u · q_i" if name == "mf" else "",
                "reference": "Somebody 1999" if name == "mf" else "",
                "package": "",
                "settings": [published, spread, switch] if name == "mf" else [field],
            }
            for name, summary in (("mf", "Learns tastes."), ("bias", "No taste."), ("popularity", "What most rated."))
        ]

    def plugins(self) -> list[PluginRow]:
        return []

    def published_results(self) -> list[PublishedResult]:
        return [
            {
                "run": None,
                "name": "009 as reported",
                "note": "shown as a curve only",
                "source": "009",
                "by": "system 009",
                "reference": "earlier system 009",
                "model": "mf",
                "dataset": "demo",
                "cleaning": "none",
                "split": "random90",
                "seed": None,
                "split_seed": None,
                "imdb": None,
                "state": "reported",
                "task": "rating",
                "metrics": {"rmse": 0.9555},
            }
        ]

    def compare_runs(self, *, first: int, second: int, viewers: Sequence[ViewerKey]) -> RunComparison:
        runs: list[RunRow] = []
        for number in (first, second):
            runs.append({"run": number})  # type: ignore[typeddict-item]  # the other fields are not shown
        return {
            "runs": runs,
            "facts": [{"name": "model", "first": "mf", "second": "bias"}],
            "settings": [],
            "same_rows": True,
            "metrics": [
                {
                    "metric": "rmse",
                    "first": 0.91,
                    "second": 0.94,
                    "difference": 0.03,
                    "low": 0.02,
                    "high": 0.04,
                    "confidence": 0.95,
                }
            ],
            "top": {
                "viewers": [],
                "k": 10,
                "common": 1,
                "movies": [{"title": "The [b]Odd[/b]", "year": 1971, "first": 1, "second": None}],
            }
            if viewers
            else None,
        }

    def preview_import(self, *, path: str, choices: ImportChoices) -> ImportReport:
        raise NotImplementedError  # imports are tested with the real engine

    def import_file(self, *, profile: str, path: str, settled: dict[str, str], choices: ImportChoices) -> ImportReport:
        raise NotImplementedError

    RULES: tuple[tuple[str, str, bool, int, int, list[str]], ...] = (
        ("malformed-lines", "malformed lines", True, 0, 0, []),
        ("no-genre", "movies without a genre", True, 0, 12, ["unknown (no year)", "[b]Odd[/b] (1971)"]),
        ("few-ratings-movies", "movies, under 5 ratings", False, 5, 65, ["The Paper Bridge 25 (1975)"]),
    )

    def presets(self) -> list[str]:
        return ["none", "standard"]

    def preview_cleaning(self, *, dataset: str, cleaning: str) -> CleaningReport:
        """Return a report. ``cleaning`` is written as for the real engine: a preset, then rules with + and -.

        If a rule is repeated, the last one counts.
        """
        words = [word for word in cleaning.split() if word[0] not in "+-"]
        on = {"malformed-lines": 0} | ({"no-genre": 0} if words == ["standard"] else {})
        for word in cleaning.split()[len(words) :]:
            rule, _, typed = word[1:].partition(":")
            if word[0] == "+":
                on[rule] = int(typed or 5)
            else:
                on.pop(rule, None)
        left, rules = 10_000, list[RuleRow]()
        for rule, title, _, number, removed, examples in self.RULES:
            number = on.get(rule) or number
            removed *= max(1, number)
            rules.append(
                {
                    "rule": rule,
                    "title": title.replace("5", str(number)),
                    "on": rule in on,
                    "always": rule == "malformed-lines",
                    "number": number,
                    "low": 2,
                    "high": 100,
                    "before": left,
                    "removed": removed,
                    "removed_movies": removed // 4,
                    "removed_users": 0,
                    "changed": 0,
                    "note": "",
                    "examples": examples,
                }
            )
            left -= removed * (rule in on)
        base = {"standard"} if "no-genre" in on else {"none"}
        extra = f" +few-ratings-movies:{on['few-ratings-movies']}" if "few-ratings-movies" in on else ""
        preset = f"{base.pop()}{extra}".replace(":5", "")
        return {
            "dataset": dataset,
            "preset": preset,
            "rules": rules,
            "ratings": left,
            "users": PEOPLE,
            "movies": MOVIES,
        }

    def cleaning_report(self, *, dataset: str, cleaning: str) -> CleaningReport | None:
        return self.preview_cleaning(dataset=dataset, cleaning=cleaning)

    def removed_rows(self, *, dataset: str, cleaning: str, rule: str, offset: int, limit: int) -> RemovedRows:
        rows = self.preview_cleaning(dataset=dataset, cleaning=cleaning)["rules"]
        rule_row = next(row for row in rows if row["rule"] == rule)
        end = min(rule_row["removed"], offset + limit)
        return {
            "rule": rule,
            "title": rule_row["title"],
            "on": rule_row["on"],
            "columns": ["title", "ratings"],
            "total": rule_row["removed"],
            "offset": offset,
            "rows": [[f"[b]Row[/b] {index}", index] for index in range(offset, end)],
        }

    def dataset_summary(self, *, dataset: str, cleaning: str) -> DatasetSummary | None:
        shares = [[1.0 / (1 + row + column) for column in range(10)] for row in range(10)]
        charts: list[ChartRow] = [
            {
                "name": "ratings",
                "title": "ratings by stars",
                "of": "ratings",
                "also_of": "",
                "also": [],
                "labels": ["1", "2", "3", "4", "5"],
                "counts": [10, 20, 40, 80, 0],
                "note": "[i]noted[/i]",
                "shares": [],
            },
            {
                "name": "release years",
                "title": "movies and ratings by year",
                "of": "movies",
                "also_of": "ratings",
                "also": [year * year % 1700 for year in range(70)],
                "labels": [str(year) for year in range(1930, 2000)],
                "counts": [year % 17 for year in range(70)],
                "note": "[i]noted[/i]",
                "shares": [],
            },
            {
                "name": "density",
                "title": "rated pairs",
                "of": "pairs",
                "also_of": "",
                "also": [],
                "labels": [],
                "counts": [],
                "note": "[i]noted[/i]",
                "shares": shares,
            },
        ]
        return {
            "absent_note": "Not published in this dataset: [b]age[/b].",
            "scale_note": "Ratings from 1 to 5 in steps of 1.",
            "note": "",
            "charts": charts,
        }

    def imdb_report(self, *, dataset: str) -> ImdbReport | None:
        return self.joined

    def choose_imdb_title(self, *, dataset: str, movie: str, title: str | None) -> ImdbReport:
        assert self.joined is not None
        (row,) = [row for row in self.joined["ambiguous_movies"] if row["id"] == movie]
        candidates = [one for one in row["candidates"] if one["id"] == title]
        self.joined["ambiguous_movies"].remove(row)
        self.joined["settled_movies"].append({**row, "reason": "", "candidates": candidates})
        self.joined["ambiguous"] -= 1
        return self.joined

    def forget_imdb_title(self, *, dataset: str, movie: str) -> ImdbReport:
        assert self.joined is not None
        self.joined = joined()
        return self.joined


def last_event(how: str, problem: str) -> JobEvent:
    if how == "failed":
        return {"event": "failed", "problem": problem}
    if how == "cancelled":
        return {"event": "cancelled"}
    return {"event": "done", "result": {"rows": []}}


class FakeSweep(JobClient):
    """Measures the next combination whenever a test allows it, until all are measured or the test ends the sweep."""

    made: list["FakeSweep"] = []

    def __init__(self) -> None:
        self._steps: asyncio.Queue[str] = asyncio.Queue()
        self.request: SweepJob | None = None
        FakeSweep.made.append(self)

    async def events(self, request: JobRequest) -> AsyncGenerator[JobEvent, None]:
        assert request["do"] == "sweep"
        self.request = request
        rows: list[SweepRow] = []
        combinations = [
            dict(zip(request["grid"], values, strict=True)) for values in product(*request["grid"].values())
        ]
        for grid in combinations:
            how = await self._steps.get()
            if how:
                yield last_event(how, "There is no such split.")
                return
            rmse = 0.9 + abs(int(grid["sweeps"]) - 8) / 100
            metrics = {"rmse": rmse, "mse": rmse**2, "mae": rmse - 0.2, "accuracy": 0.4}
            settings = {name: float(value) for name, value in grid.items()}
            rows.append(
                {
                    "run": len(rows) + 1,
                    "model": request["model"],
                    "dataset": request["dataset"],
                    "split": request["split"],
                    "split_seed": 0,
                    "seed": request["seed"],
                    "cleaning": request["cleaning"],
                    "grid": grid,
                    "settings": settings,
                    "metric": request["metric"],
                    "metrics": metrics,
                    "test": None,
                    "seconds": {"fit": 3.0},
                    "problem": "",
                }
            )
            yield {"event": "result", "row": rows[-1]}
        best = min(range(len(rows)), key=lambda index: rows[index]["metrics"]["rmse"])
        rows.insert(0, {**rows.pop(best), "test": {"rmse": 0.95}})
        yield {"event": "done", "result": {"rows": rows}}

    def allow(self, steps: int = 1, how: str = "") -> None:
        """Let the sweep measure this many combinations, or end in the way that ``how`` names."""
        for _ in range(steps):
            self._steps.put_nowait(how)

    async def send(self, do: Literal["pause", "resume"]) -> None:
        pass

    async def cancel(self) -> None:
        self.allow(how="cancelled")


class FakeJob(JobClient):
    """Trains until ``end`` or ``cancel`` is called, and stores the start and the end of the run as a real job does."""

    made: list["FakeJob"] = []
    defect = ""
    """What is wrong with torch."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.request: TrainJob | None = None
        self.sent: list[str] = []
        self.begins = True
        """Whether the job stores that its run has begun."""
        self.metrics: dict[str, float] = {}
        FakeJob.made.append(self)

    async def torch_defect(self) -> str:
        return self.defect

    async def events(self, request: JobRequest) -> AsyncGenerator[JobEvent, None]:
        self.request = request if request["do"] == "train" else None
        run = self.request if self.begins else None
        if run is not None:
            Runs(self._store).begin(run["run"], run["cleaning"], {})
            yield {"event": "epoch", "phase": "curve", "epoch": 1, "of": 2, "train_loss": 1, "validation_loss": None}
        how = await self._end
        if run is not None:
            self._store.end_run(run["run"], how, metrics=self.metrics if how == "done" else {})
        yield last_event(how, "There is no such model.")

    async def send(self, do: Literal["pause", "resume"]) -> None:
        self.sent.append(do)

    async def cancel(self) -> None:
        self.end("cancelled")

    def end(self, how: str = "done") -> None:
        if not self._end.done():
            self._end.set_result(how)


async def train_request(jobs: Sequence[FakeJob], index: int = 0) -> TrainJob:
    """Wait until the job with an index is made and asked to train, and return its request.

    The screen says that a model is trained before its job is asked to, so a test that has seen this waits here.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            if len(jobs) > index and (request := jobs[index].request):
                return request
            await asyncio.sleep(0.005)
