"""An engine that answers the same on every machine, without a model, and trainings that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import product
from typing import Any

from data.problems import Problem
from movietui.comparison import beside
from movietui.replies import Details, MovieRow, Opened, PersonRow, Ranked
from movietui.runs import Runs
from movietui.store import Store
from movietui.wire import Message

MOVIES = 240
MISERY = 0.6
PEOPLE = 120
JOBS = ("writer", "technician", "student", "other", "librarian")
WORDS = ("Silent", "Golden", "Last", "Northern", "Paper", "Second", "Crimson")
THINGS = ("River", "Letter", "Garden", "Station", "Summer", "Orchard", "Winter", "Bridge", "Harbour")


def title(movie: int) -> str:
    return f"The {WORDS[movie % 7]} {THINGS[movie % 9]} {movie}"


def with_run(store: Store, dataset: str = "demo") -> int:
    """Write down runs with fixed numbers; the last one is done and serves."""
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


def joined() -> dict[str, Any]:
    """Return the report of a join with one movie of each sort."""
    candidates = [
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
        "unmatched_movies": [{"id": "2", "title": "Gone (1999)", "reason": "no title of that name", "candidates": []}],
        "settled_movies": [],
    }


class FakeEngine:
    """Answers from arithmetic: what is rated leaves, and shifts the rest by its stars."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.before: tuple[Any, list[int]] | None = None
        self.problem = ""
        """Answered to every question, where it is not empty."""
        self.joined: dict[str, Any] | None = None
        """What became of the join with IMDb."""
        self.titles = [title(movie) for movie in range(MOVIES)]
        self.model = ""

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def ask(self, do: str, **arguments: Any) -> Any:
        self.asked.append((do, arguments))
        if self.problem:
            raise Problem(self.problem)
        return getattr(self, do)(**arguments)

    def open(self, dataset: str, cleaning: str, checkpoint: str) -> Opened:
        if dataset == "gone":
            raise Problem("gone is not here.")
        self.model = checkpoint.rpartition(f"/{dataset}-")[2].rpartition("-")[0]
        return {
            "dataset": dataset,
            "cleaning": cleaning,
            "invented": dataset == "demo",
            "ratings": 10_000,
            "users": PEOPLE,
            "movies": MOVIES,
            "genres": ["even", "odd"],
            "decades": [1990, 1980],
            "model": self.model,
            "metrics": {"rmse": 0.914, "ndcg@10": 0.19},
            "first_user": "1",
            "misery": MISERY,
        }

    def _score(self, movie: int, viewers: list[dict[str, Any]], misery: float) -> float:
        shift = sum((stars - 2.5) * ((movie * 7 + int(film)) % 5) for one in viewers for film, stars in one["rated"])
        taste = sum(3 * (int(one["id"]) * movie % 5) for one in viewers[:1] if one["id"].isdigit())
        return shift + taste + misery * (movie % 4) * (len(viewers) - 1) - movie

    def _order(self, viewers: list[dict[str, Any]], misery: float, wish: dict[str, Any]) -> list[int]:
        """Of a filter the words ``+even`` and ``+odd`` are known; a list that dares is turned round."""
        seen = [{int(film) for film, _ in one["rated"]} for one in viewers]
        rated = {"all": set.union(*seen), "any": set.intersection(*seen), "none": set()}[wish.get("unseen_by", "all")]
        movies = set(range(len(self.titles))) - rated - {int(film) for film in wish.get("left_out", ())}
        if "among" in wish:
            movies &= {int(film) for film in wish["among"]}
        for word in wish.get("only", "").split():
            if word not in ("+even", "+odd", "1990..1999", "1980..1989", "@Odd"):
                raise Problem(f"There is no genre {word[1:]!r}; choose one of even, odd.")
            if word[0].isdigit():
                movies = {movie for movie in movies if 1950 + movie % 70 in range(int(word[:4]), int(word[6:]) + 1)}
            else:
                movies = {movie for movie in movies if movie % 2 == (word != "+even")}
        order = sorted(movies, key=lambda movie: -self._score(movie, viewers, misery))
        if self.model == "blend":
            order = order[7:14] + order[:7] + order[14:]
        turned = wish.get("standardise", False) + (wish.get("way") == "borda") + (wish.get("daring", 0) > 0.5)
        return order[::-1] if turned % 2 else order

    def rank(
        self,
        viewers: list[dict[str, Any]],
        misery: float,
        offset: int,
        limit: int,
        compare: bool = False,
        **wish: Any,
    ) -> Ranked:
        order = self._order(viewers, misery, wish)
        who = [(one["kind"], one["id"]) for one in viewers]
        old: list[int] | None = None
        if compare and self.before is not None and self.before[0] == who:
            old = [movie for movie in self.before[1] if movie in set(order)]
        self.before = (who, order)
        rows: list[MovieRow] = []
        for rank, movie in enumerate(order[offset : offset + limit], offset + 1):
            stars = max(1.0, 4.8 - rank * 0.01)
            place = rank if old is None else old.index(movie) + 1 if movie in old else None
            rows.append(
                {
                    "rank": rank,
                    "before": place,
                    "id": str(movie),
                    "film": str(movie),
                    "title": self.titles[movie],
                    "year": 0 if movie % 50 == 3 else 1950 + movie % 70,
                    "stars": stars,
                    "uncertainty": 0.3 + 0.01 * (movie % 30),
                    "score": self._score(movie, viewers, misery),
                    "by": [max(1.0, stars - 0.4 * place) for place in range(len(viewers))],
                    "agreement": 0.8,
                    "count": movie * 17 % 1500,
                }
            )
        moved = sum(old[place] != movie for place, movie in enumerate(order[:100]) if place < len(old)) if old else 0
        alike = {"value": 0.61, "common": 34} if len(viewers) == 2 else None
        return {
            "total": len(order),
            "offset": offset,
            "rows": rows,
            "seen": [20 + len(one["rated"]) for one in viewers],
            "alike": alike,  # type: ignore[typeddict-item]
            "moved": moved,
        }

    def surprise(self, viewers: list[dict[str, Any]], misery: float, draw: int, **wish: Any) -> MovieRow | None:
        order = self._order(viewers, misery, wish)
        before, self.before = self.before, None
        rows = self.rank(viewers, misery, draw % max(1, len(order)), 1, **wish)["rows"]
        self.before = before
        return rows[0] if rows else None

    def beside(
        self, viewers: list[Any], misery: float, cleaning: str, checkpoint: str, limit: int, **wish: Any
    ) -> dict[str, Any]:
        if "gone" in checkpoint:
            raise Problem("The checkpoint is gone; train it again.")
        now = self._order(viewers, misery, wish)
        then = [now[2], *now[:2], *now[limit : 2 * limit - 3]]
        films = ([(self.titles[movie], 1950) for movie in order[:limit]] for order in (now, then))
        return beside(*films, limit)

    def similar(self, movie: str, limit: int, hidden: Sequence[str] = ()) -> list[dict[str, Any]]:
        return [
            {
                **self._found(other),
                "similarity": 0.9 - place * 0.01,
                "common": 90 - place,
                "shared": ["Ann [b]Odd[/b]", "Crime"],
            }
            for place, other in enumerate(range(int(movie) + 1, int(movie) + 1 + limit))
        ]

    def _found(self, movie: int) -> dict[str, Any]:
        movie %= len(self.titles)
        return {"id": str(movie), "film": str(movie), "title": self.titles[movie], "year": 1950 + movie, "count": 9}

    def find(self, words: str) -> dict[str, Any]:
        words = words.casefold()
        movies = [movie for movie, title in enumerate(self.titles) if words in title.casefold()]
        return {
            "movies": [self._found(movie) for movie in movies[:12]],
            "people": [{"name": "Odd", "movies": 3}] if "odd".startswith(words) else [],
            "users": self.people(words, 0, 12)["rows"],
        }

    def taste(
        self, viewers: list[dict[str, Any]], not_offered: Sequence[str] = (), hidden: Sequence[str] = ()
    ) -> dict[str, Any]:
        def group(name: str, difference: float) -> dict[str, Any]:
            means = {"mean": 3.5 + difference, "crowd": 3.5}
            return {"name": name, "ratings": 12, "difference": difference, "beyond": difference, **means}

        def movie(number: int, **more: Any) -> dict[str, Any]:
            return {**self._found(number), "genres": ["Crime"], **more}

        one = {
            "ratings": 40,
            "mean": 3.61,
            "crowd": 3.4,
            "generosity": 0.2,
            "genres": [group("Crime", 0.8), group("[b]Drama[/b]", 0.1), group("Horror", -1.2)],
            "decades": [group("1980s", 0.3), group("1990s", -0.1)],
            "likes": [movie(3, stars=5.0, crowd=2.8)],
            "dislikes": [movie(4, stars=1.0, crowd=4.1)],
            "for_you": None,
        }
        empty = {**one, "ratings": 0, "for_you": {"model": "mf", "lacking": 25}}
        told: dict[str, Any] = {
            "dataset": "demo",
            "viewers": [
                {"kind": who["kind"], "id": who["id"], **(one if who["kind"] == "user" else empty)} for who in viewers
            ],
        }
        if len(viewers) == 2:
            apart = {"divided": [movie(5, stars=[5.0, 1.0])], "would_divide": [movie(6, stars=[4.5, 2.0])]}
            told["pair"] = {"model": "mf", "alike": None, **apart}
        return told

    def interview(self, asked: dict[str, Any], unseen: list[str], passed: list[str], card: bool) -> dict[str, Any]:
        """Asks about one movie after the other; each rating tells as much as the one before left, halved."""
        off = {film for film, _ in asked["rated"]} | {*unseen, *passed}
        left = [movie for movie in range(len(self.titles)) if str(movie) not in off][: 3 if card else 1]
        films = [
            self._found(movie) | {"genres": ["Crime", "[b]Drama[/b]"], "directors": ["Ann [i]Odd[/i]"]}
            for movie in left
        ]
        return {"films": films, "known": 1 - 0.9 ** len(asked["rated"])}

    def complete(self, text: str) -> list[dict[str, Any]]:
        typed = text.rpartition(" ")[2]
        ways = [("+even", 120), ("+odd", 120), ("-odd", 120), ("1980..1989", 40)]
        head = text[: len(text) - len(typed)]
        return [
            {"line": head + part, "part": part, "movies": movies}
            for part, movies in ways
            if typed and part.startswith(typed) and part != typed
        ]

    def details(self, viewers: list[dict[str, Any]], movie: str) -> Details:
        number = int(movie)
        return {
            "id": movie,
            "film": movie,
            "title": self.titles[number],
            "year": 1950 + number % 70,
            "genres": ["Crime", "Drama"],
            "minutes": 0,
            "directors": [],
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
                    "why": [
                        {"title": self.titles[(number + 9) % 99], "year": 1990, "stars": 5.0, "share": 0.21},
                        {"title": self.titles[(number + 31) % 99], "year": 1971, "stars": 1.5, "share": -0.05},
                    ],
                    "shared": ["Crime"],
                }
                for _ in viewers
            ],
        }

    def people(self, search: str, offset: int, limit: int) -> dict[str, Any]:
        rows: list[PersonRow] = [
            {
                "id": str(user),
                "age": 18 + user * 7 % 50,
                "gender": "FM"[user % 2],
                "occupation": JOBS[user % 5],
                "ratings": 20 + user * 13 % 300,
            }
            for user in range(1, PEOPLE + 1)
        ]
        found = [row for row in rows if not search or row["id"].startswith(search) or row["occupation"] == search]
        found.sort(key=lambda row: row["id"] != search)
        return {"dataset": "demo", "total": len(found), "offset": offset, "rows": found[offset : offset + limit]}

    def datasets(self) -> list[dict[str, Any]]:
        terms = "To be used for research; not to be passed on."
        names = (
            ("demo", "Demo: known films", "invented", 10_000, 0),
            ("ml-100k", "MovieLens 100K", "available", 0, 4_924_029),
        )
        return [
            {
                "name": name,
                "title": text,
                "state": state,
                "ratings": ratings,
                "bytes": size,
                "terms": terms,
                "citation": "Somebody. 2015.",
            }
            for name, text, state, ratings, size in names
        ]

    def models(self) -> list[dict[str, Any]]:
        field = {
            "name": "sweeps",
            "kind": "int",
            "default": 12,
            "low": 1,
            "high": 200,
            "meaning": "How often all is updated.",
        }
        return [
            {"name": name, "summary": summary, "settings": [field | ({"published": 8} if name == "mf" else {})]}
            for name, summary in (("mf", "Learns tastes."), ("bias", "No taste."), ("popularity", "What most rated."))
        ]

    def reported(self) -> list[dict[str, Any]]:
        facts = {"name": "009 as reported", "model": "mf", "dataset": "demo", "cleaning": "none", "split": "random90"}
        return [{**facts, "note": "shown as a curve only", "metrics": {"rmse": 0.9555}}]

    def compare(self, first: int, second: int, viewers: list[Any]) -> dict[str, Any]:
        metrics = [{"metric": "rmse", "first": 0.91, "second": 0.94, "difference": 0.03, "low": 0.02, "high": 0.04}]
        top = {"k": 10, "common": 1, "movies": [{"title": "The [b]Odd[/b]", "year": 1971, "first": 1, "second": None}]}
        return {
            "runs": [{"run": first}, {"run": second}],
            "facts": [{"name": "model", "first": "mf", "second": "bias"}],
            "settings": [],
            "same_rows": True,
            "metrics": metrics,
            "top": top if viewers else None,
        }

    RULES = (
        ("malformed-lines", "malformed lines", True, 0, 0, []),
        ("no-genre", "movies without a genre", True, 0, 12, ["unknown (no year)", "[b]Odd[/b] (1971)"]),
        ("few-ratings-movies", "movies, under 5 ratings", False, 5, 65, ["The Paper Bridge 25 (1975)"]),
    )

    def presets(self) -> list[str]:
        return ["none", "standard"]

    def preview(self, dataset: str, cleaning: str) -> dict[str, Any]:
        """Understands what the real engine does: a preset, then rules with + and -, the last word on each counts."""
        words = [word for word in cleaning.split() if word[0] not in "+-"]
        on = {"malformed-lines": 0} | ({"no-genre": 0} if words == ["standard"] else {})
        for word in cleaning.split()[len(words) :]:
            rule, _, number = word[1:].partition(":")
            if word[0] == "+":
                on[rule] = int(number or 5)
            else:
                on.pop(rule, None)
        left, rules = 10_000, []
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

    def report(self, dataset: str, cleaning: str) -> dict[str, Any]:
        return self.preview(dataset, cleaning)

    def removed(self, dataset: str, cleaning: str, rule: str, offset: int, limit: int) -> dict[str, Any]:
        told = next(one for one in self.preview(dataset, cleaning)["rules"] if one["rule"] == rule)
        end = min(told["removed"], offset + limit)
        return {
            "rule": rule,
            "title": told["title"],
            "on": told["on"],
            "columns": ["title", "ratings"],
            "total": told["removed"],
            "offset": offset,
            "rows": [[f"[b]Row[/b] {place}", place] for place in range(offset, end)],
        }

    def show(self, dataset: str, cleaning: str) -> dict[str, Any]:
        years = {"labels": [str(year) for year in range(1930, 2000)], "counts": [year % 17 for year in range(70)]}
        stars = {"labels": ["1", "2", "3", "4", "5"], "counts": [10, 20, 40, 80, 0]}
        shares = [[1.0 / (1 + row + column) for column in range(10)] for row in range(10)]
        charts = (
            ("ratings", "ratings by stars", stars, []),
            ("release years", "movies by year", years, []),
            ("density", "pairs that were rated", {"labels": [], "counts": []}, shares),
        )
        return {
            "absent_note": "Not published in this dataset: [b]age[/b].",
            "note": "",
            "charts": [
                {"name": name, "title": title, **bars, "note": "[i]noted[/i]", "shares": shares}
                for name, title, bars, shares in charts
            ],
        }

    def imdb(self, dataset: str) -> dict[str, Any] | None:
        return self.joined

    def settle(self, dataset: str, movie: str, title: str | None) -> dict[str, Any]:
        assert self.joined is not None
        (row,) = [row for row in self.joined["ambiguous_movies"] if row["id"] == movie]
        candidates = [one for one in row["candidates"] if one["id"] == title]
        self.joined["ambiguous_movies"].remove(row)
        self.joined["settled_movies"].append({**row, "reason": "", "candidates": candidates})
        self.joined["ambiguous"] -= 1
        return self.joined

    def unsettle(self, dataset: str, movie: str) -> dict[str, Any]:
        assert self.joined is not None
        self.joined = joined()
        return self.joined


class FakeSweep:
    """Measures a combination each time it is let, until it is cancelled."""

    made: list["FakeSweep"] = []

    def __init__(self) -> None:
        self._let: asyncio.Queue[str] = asyncio.Queue()
        self.request: Message = {}
        FakeSweep.made.append(self)

    async def events(self, request: Message) -> AsyncIterator[Message]:
        self.request = request
        rows: list[Message] = []
        combinations = [
            dict(zip(request["grid"], values, strict=True)) for values in product(*request["grid"].values())
        ]
        for grid in combinations:
            how = await self._let.get()
            if how:
                yield {"event": how, "problem": "There is no such split."}
                return
            rmse = 0.9 + abs(int(grid["sweeps"]) - 8) / 100
            metrics = {"rmse": rmse, "mse": rmse**2, "mae": rmse - 0.2, "accuracy": 0.4}
            settings = {name: float(value) for name, value in grid.items()}
            rows.append({"grid": grid, "settings": settings, "metrics": metrics, "test": None, "seconds": {"fit": 3.0}})
            yield {"event": "result", "row": rows[-1]}
        best = min(range(len(rows)), key=lambda place: rows[place]["metrics"]["rmse"])
        rows.insert(0, rows.pop(best) | {"test": {"rmse": 0.95}})
        yield {"event": "done", "result": {"rows": rows}}

    def let(self, many: int = 1, how: str = "") -> None:
        for _ in range(many):
            self._let.put_nowait(how)

    async def cancel(self) -> None:
        self.let(how="cancelled")


class FakeJob:
    """Trains until it is let go or cancelled, and writes the run down as a real one does."""

    made: list["FakeJob"] = []

    def __init__(self, store: Store) -> None:
        self._store = store
        self._end: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.request: Message = {}
        self.told: list[str] = []
        self.begins = True
        self.metrics: dict[str, float] = {}
        FakeJob.made.append(self)

    async def events(self, request: Message) -> AsyncIterator[Message]:
        self.request = request
        if self.begins:
            Runs(self._store).begin(request["run"], request["cleaning"], {})
            yield {"event": "epoch", "phase": "curve", "epoch": 1, "of": 2, "train_loss": 1, "validation_loss": None}
        how = await self._end
        if self.begins:
            self._store.end_run(request["run"], how, metrics=self.metrics if how == "done" else {})
        yield {"event": how, "problem": "There is no such model."}

    async def tell(self, do: str) -> None:
        self.told.append(do)

    async def cancel(self) -> None:
        self.end("cancelled")

    def end(self, how: str = "done") -> None:
        if not self._end.done():
            self._end.set_result(how)
