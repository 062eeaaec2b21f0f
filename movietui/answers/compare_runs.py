"""Two runs side by side, and what the authors of the source systems reported beside all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from data import catalogue, locations
from data.problems import Problem
from models.checkpoints import load
from models.ranking import Ranker
from models.reproduce import EXPERIMENTS
from models.tally import Tally, differences
from movietui.asking import viewer
from movietui.run_records import Run
from movietui.runs import Runs, as_json
from movietui.store import Store
from movietui.viewers import Asked

FACTS = ("model", "dataset", "cleaning", "split", "seed", "device")
TOP = 10


def compare(store: Store, first: int, second: int, viewers: Sequence[Asked] = (), k: int = TOP) -> dict[str, Any]:
    """Return two runs as ``runs compare --json`` prints them: what differs, and the lists they make for the viewers.

    Differences are second minus first; where both were measured on the same rows they have a confidence interval over
    users. Raises ``Problem`` for a run that is not there, and a list that cannot be made.
    """
    if first == second:
        raise Problem(f"Run {first} is the same as itself; name two runs.")
    runs = Runs(store)
    a, b = runs.get(first), runs.get(second)
    intervals = _intervals(runs, a, b)
    return {
        "runs": [as_json(a), as_json(b)],
        "facts": _differing({name: getattr(a, name) for name in FACTS}, {name: getattr(b, name) for name in FACTS}),
        "settings": _differing(a.settings, b.settings),
        "same_rows": intervals is not None,
        "metrics": [
            {
                "metric": name,
                "first": a.metrics.get(name),
                "second": b.metrics.get(name),
                "difference": b.metrics[name] - a.metrics[name] if name in a.metrics and name in b.metrics else None,
                **(intervals or {}).get(name, {"low": None, "high": None, "confidence": None}),
            }
            for name in dict.fromkeys([*a.metrics, *b.metrics])
        ],
        "top": _tops(a, b, viewers, k) if viewers else None,
    }


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is not the same in both; ``None`` stands for what one of them does not have."""
    names = dict.fromkeys([*first, *second])
    rows = [{"name": name, "first": first.get(name), "second": second.get(name)} for name in names]
    return [row for row in rows if row["first"] != row["second"]]


def _intervals(runs: Runs, a: Run, b: Run) -> dict[str, dict[str, float]] | None:
    first, second = runs.by_user(a.id), runs.by_user(b.id)
    if first is None or second is None or first[0] != second[0]:
        return None
    found = differences(Tally.of_bytes(*second), Tally.of_bytes(*first))
    return {one.metric: {"low": one.low, "high": one.high, "confidence": one.confidence} for one in found}


def _tops(a: Run, b: Run, asked: Sequence[Asked], k: int) -> dict[str, Any]:
    """The first movies of both lists, in the order of their best place in either."""
    tops: list[Sequence[Film]] = []
    for run in (a, b):
        dataset = catalogue.load(run.dataset, run.cleaning)
        model, _ = load(locations.checkpoints() / run.checkpoint, dataset)
        movies = Ranker(dataset, model).recommend([viewer(dataset, one) for one in asked], k)["movies"]
        tops.append([(movie["title"], movie["year"]) for movie in movies])
    return {"viewers": [{"kind": one["kind"], "id": one["id"]} for one in asked], **beside(tops[0], tops[1], k)}


Film = tuple[str, int | None]
"""The title and year of a movie."""


def beside(one: Sequence[Film], other: Sequence[Film], k: int) -> dict[str, Any]:
    """Return the first ``k`` movies of two lists with their place in each, in the order of the best one.

    >>> beside([("Fargo", 1996)], [("Heat", 1995), ("Fargo", 1996)], 10)["movies"][0]
    {'title': 'Fargo', 'year': 1996, 'first': 1, 'second': 2}
    """
    first, second = ({film: place for place, film in enumerate(films[:k], 1)} for films in (one, other))
    order = sorted({*first, *second}, key=lambda film: (min(first.get(film, k + 1), second.get(film, k + 1)), film))
    return {
        "k": k,
        "common": len(first.keys() & second.keys()),
        "movies": [
            {"title": film[0], "year": film[1], "first": first.get(film), "second": second.get(film)} for film in order
        ],
    }


def reported(dataset: str | None = None, model: str | None = None, split: str | None = None) -> list[dict[str, Any]]:
    """Return what the authors of the source systems reported, as rows beside the runs.

    ``metrics`` has no entry for what an author shows as a curve only; the ``note`` says so.
    """
    return [
        {
            "run": None,
            "name": f"{one.source} as reported",
            "note": one.note,
            "source": one.source,
            "model": one.model,
            "dataset": one.dataset,
            "cleaning": "none",
            "split": one.split,
            "seed": None,
            "state": "reported",
            "task": one.task,
            "metrics": {metric: value for metric, value in one.reported.items() if value is not None},
        }
        for one in EXPERIMENTS
        if dataset in (None, one.dataset) and model in (None, one.model) and split in (None, one.split)
    ]
