"""Compares two runs, and lists the figures that others reported."""

from collections.abc import Mapping, Sequence
from typing import Any

from movietui.answers.lists import dataset_of, same_movies, viewer, with_users
from movietui.data.dataset import Dataset
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.models.checkpoints import Checkpoint
from movietui.models.choices import Task
from movietui.models.evaluation.comparison import Difference as MeanDifference
from movietui.models.evaluation.peers import PEERS
from movietui.models.evaluation.per_user import UserSums, differences
from movietui.models.evaluation.reproduce import EXPERIMENTS
from movietui.models.serving.ranking import Ranker
from movietui.protocol.messages import (
    Difference,
    ListComparison,
    MetricDifference,
    PublishedResult,
    RunComparison,
    RunLists,
)
from movietui.protocol.viewers import ViewerRef
from movietui.store.ratings import Store
from movietui.store.run_records import Run
from movietui.store.runs import Runs, as_json

FACTS = ("model", "dataset", "imdb", "cleaning", "split", "split_seed", "task", "list_order", "seed", "device")
TOP = 10


def compare_runs(
    store: Store, first: int, second: int, viewers: Sequence[ViewerRef] = (), k: int = TOP
) -> RunComparison:
    """Return the differences between two runs and their lists for viewers, as ``runs compare --json`` prints them.

    A difference is second minus first. If both runs were measured on the same test ratings, the difference in a metric
    has a confidence interval over users. Raises ``Problem`` for an unknown run, for the same run twice, and for a list
    that cannot be made.
    """
    if first == second:
        raise Problem(tr("You named run {run} twice; give two different runs.", run=first))
    runs = Runs(store)
    a, b = runs.get(first), runs.get(second)
    intervals = _intervals(runs, a, b)

    def metric(name: str) -> MetricDifference:
        one, other = a.metrics.get(name), b.metrics.get(name)
        known = (intervals or {}).get(name)
        return {
            "metric": name,
            "first": one,
            "second": other,
            "difference": other - one if one is not None and other is not None else None,
            "low": known.low if known else None,
            "high": known.high if known else None,
            "confidence": known.confidence if known else None,
        }

    return {
        "runs": [as_json(a), as_json(b)],
        "facts": _differing(_facts(a), _facts(b)),
        "settings": _differing(a.settings, b.settings),
        "same_rows": intervals is not None,
        "metrics": [metric(name) for name in dict.fromkeys([*a.metrics, *b.metrics])],
        "top": _tops(store, a, b, viewers, k) if viewers else None,
    }


def _facts(run: Run) -> dict[str, Any]:
    """Return everything but the settings that the figures of a run depend on."""
    environment = dict(run.environment)
    packages = environment.pop("packages", {})
    return {**{name: getattr(run, name) for name in FACTS}, **environment, **packages}


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Return the entries that differ; ``None`` stands for an entry that is missing."""
    names = dict.fromkeys([*first, *second])
    rows: list[Difference] = [{"name": name, "first": first.get(name), "second": second.get(name)} for name in names]
    return [row for row in rows if row["first"] != row["second"]]


def _intervals(runs: Runs, a: Run, b: Run) -> dict[str, MeanDifference] | None:
    first, second = runs.by_user(a.id), runs.by_user(b.id)
    if first is None or second is None or first[0] != second[0]:
        return None
    intervals = differences(UserSums.of_bytes(*second), UserSums.of_bytes(*first))
    return {interval.metric: interval for interval in intervals}


def _tops(store: Store, a: Run, b: Run, viewers: Sequence[ViewerRef], k: int) -> RunLists:
    """Return the first ``k`` movies of the lists that the two runs make for the viewers, ordered by the better rank."""
    tops: list[Sequence[Title]] = []
    for run in (a, b):
        checkpoint = Checkpoint(locations.checkpoint(run.checkpoint))
        model, dataset = checkpoint.load(dataset_of(checkpoint.manifest, run.dataset, run.cleaning))
        dataset = with_users(dataset, [ref.id for ref in viewers if ref.kind == "user"])
        same = same_movies(store, dataset, viewers)
        people = [viewer(dataset, same.for_engine(ref)) for ref in viewers]
        movies = Ranker(dataset, model).recommend(people, k)["movies"]
        tops.append([(movie["title"], movie["year"]) for movie in movies])
    return {"viewers": [{"kind": ref.kind, "id": ref.id} for ref in viewers], **compare_lists(tops[0], tops[1], k)}


Title = tuple[str, int | None]
"""The title and year of a movie."""


def titles(dataset: Dataset, rows: Sequence[int]) -> list[Title]:
    """Return the titles and years of the movies in these rows of the dataset."""
    movies = dataset.movies
    return [(movies.titles[row], int(movies.years[row])) for row in rows]


def compare_lists(one: Sequence[Title], other: Sequence[Title], k: int) -> ListComparison:
    """Return the first ``k`` movies of two lists with their ranks in both, ordered by the better rank.

    >>> compare_lists([("Fargo", 1996)], [("Heat", 1995), ("Fargo", 1996)], 10)["movies"][0]
    {'title': 'Fargo', 'year': 1996, 'first': 1, 'second': 2}
    """
    first, second = ({title: rank for rank, title in enumerate(titles[:k], 1)} for titles in (one, other))
    order = sorted({*first, *second}, key=lambda title: (min(first.get(title, k + 1), second.get(title, k + 1)), title))
    return {
        "k": k,
        "common": len(first.keys() & second.keys()),
        "movies": [
            {"title": title[0], "year": title[1], "first": first.get(title), "second": second.get(title)}
            for title in order
        ],
    }


def published_results(
    dataset: str | None = None, model: str | None = None, split: str | None = None
) -> list[PublishedResult]:
    """Return what the authors of the earlier systems, other libraries and papers reported, as rows like those of runs.

    A result that an author shows only as a curve is not in ``metrics``; ``note`` then says so.
    """
    systems = [
        _published(
            tr("{source} as reported", source=one.source),
            one.source,
            (tr("system {source}", source=one.source), tr("earlier system {source}", source=one.source)),
            one.model,
            one.dataset,
            one.split,
            {metric: value for metric, value in one.reported.items() if value is not None},
            one.task,
            one.note,
            one.cleaning,
        )
        for one in EXPERIMENTS
    ]
    peers = [
        _published(
            one.source[0], one.source[0], one.source, one.model, one.dataset, one.split, one.metrics, one.task, one.note
        )
        for one in PEERS
    ]
    return [
        row
        for row in (*systems, *peers)
        if dataset in (None, row["dataset"]) and model in (None, row["model"]) and split in (None, row["split"])
    ]


def _published(
    name: str,
    source: str,
    reference: tuple[str, str],
    model: str,
    dataset: str,
    split: str,
    metrics: Mapping[str, float],
    task: Task,
    note: str,
    cleaning: str = "none",
) -> PublishedResult:
    """Return a row. ``reference``: the source in a few letters, and in full."""
    return {
        "run": None,
        "name": name,
        "note": note,
        "source": source,
        "by": reference[0],
        "reference": reference[1],
        "model": model,
        "dataset": dataset,
        "cleaning": cleaning,
        "split": split,
        "seed": None,
        "split_seed": None,
        "imdb": None,
        "state": "reported",
        "task": task,
        "metrics": dict(metrics),
    }
