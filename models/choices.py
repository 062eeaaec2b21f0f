"""What can be chosen and measured, for code that must start fast. Imports only the standard library.

Screens, the store and the command line import this module; everything else in ``movietui.models`` needs numpy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

QUICK = "mf"
"""The model that is trained first, within seconds."""
RECOMMENDED = "blend"
"""The model whose stars and lists are best."""
Preset = Literal["tuned", "published"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
"""The sets of settings: ``tuned`` is ours and the default, ``published`` is what a source system's author describes."""
Task = Literal["rating", "ranking", "pair"]
TASKS: tuple[Task, ...] = get_args(Task)
"""What a model is measured at: predicted ratings, lists, or the mean rating of two viewers."""


Order = Literal["liked", "likely", "stars", "year", "title", "ratings"]
ORDERS: Mapping[Order, str] = {
    "liked": "how much you would like it",
    "likely": "how likely you are to watch it and like it",
    "stars": "predicted stars",
    "year": "year, newest first",
    "title": "title",
    "ratings": "number of ratings",
}
"""What a list can be ordered by, in words for the viewer; the first is the default."""
DEFAULT_ORDER: Order = "liked"


def order_by_taste(order: Order) -> Order:
    """Return an order whose top is good for the viewer: the default one instead of a year, a title or a count.

    What picks good movies from the top of a list, or compares the tops of two models' lists, needs one.
    """
    return order if order in ("liked", "likely", "stars") else DEFAULT_ORDER


@dataclass(frozen=True)
class Metric:
    """One figure that an evaluation returns; ``movietui.models.metrics`` computes it."""

    name: str
    """Its key in JSON, its column, and what ``--metric`` takes."""
    tasks: tuple[Task, ...]
    """The tasks that measure it."""
    higher_is_better: bool | None
    """``None`` for a count and for a figure with a target in between."""
    measures: str
    """What it measures, with its formula: ``p`` is a prediction and ``r`` the rating."""
    title: str = ""
    """What a sentence calls it, if not by its name."""
    headline: bool = False
    """Whether a short table of runs has a column for it."""

    @property
    def label(self) -> str:
        """The word for it in a sentence or a heading."""
        return self.title or self.name


RATING: tuple[Task, ...] = ("rating",)
RANKING: tuple[Task, ...] = ("ranking",)
PAIR: tuple[Task, ...] = ("pair",)
METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", RATING + PAIR, False, "root mean squared error, `sqrt(mse)`, in stars", "RMSE", headline=True),
        Metric("mae", RATING + PAIR, False, "mean absolute error, `mean(|p − r|)`, in stars", "MAE", headline=True),
        Metric("accuracy", RATING, True, "share whose `p`, rounded to the nearest whole star, is `r`", headline=True),
        Metric("ndcg@10", RANKING, True, "discounted gain of the first ten, relative to an ideal list", headline=True),
        Metric("mse", RATING, False, "mean squared error, `mean((p − r)²)`, in stars squared", "MSE", headline=True),
        Metric("mse_scaled", RATING + PAIR, False, "mse of ratings divided by 5, `mse / 25`", headline=True),
        Metric("liked@10", RANKING, True, "share of at least 4 stars among the listed movies that were rated in test"),
        Metric("disliked@10", RANKING, False, "movies in a list that the user rated at most 2 stars in test"),
        Metric("believed@10", RANKING, True, "share of listed movies predicted at or above the user's mean rating"),
        Metric("inverted@10", RANKING, False, "share of pairs in a list whose lower movie is predicted > 0.3 ★ more"),
        Metric("recall@10", RANKING, True, "share of a user's relevant movies that is among the first ten"),
        Metric("recall@20", RANKING, True, "share of a user's relevant movies that is among the first twenty"),
        Metric("hit@10", RANKING, True, "share of users with a relevant movie among the first ten"),
        Metric("coverage@10", RANKING, True, "share of all rated movies that is in anybody's first ten"),
        Metric("novelty@10", RANKING, True, "mean of `−log2(raters / users)` over the first ten, in bits"),
        Metric("diversity@10", RANKING, True, "mean Jaccard distance of the genres of two movies of the first ten"),
        Metric("coverage80", RATING, None, "share of ratings within their 80 % interval; 0.8 is right (`--detail`)"),
        Metric("triples", PAIR, None, "number of pairs of users and a movie that both rated"),
        Metric("ndcg@10_mean", PAIR, True, "ndcg@10 of a shared list, the mean of its two members"),
        Metric("ndcg@10_min", PAIR, True, "ndcg@10 of a shared list, the lower of its two members"),
        Metric("ndcg@10_gap", PAIR, False, "ndcg@10 of a shared list, the difference between its two members"),
        Metric("pairs", PAIR, None, "number of pairs of users with a shared list"),
    )
}
"""Every metric, in the order of the columns in a table of runs: if the table is too wide, the last are left out."""


def by_importance(names: Iterable[str]) -> list[str]:
    """Return metrics without repetition, those that a short table shows first, else in the order of ``METRICS``."""
    order = list(METRICS)
    known = [name for name in dict.fromkeys(names) if name in METRICS]
    return sorted(known, key=lambda name: (not METRICS[name].headline, order.index(name)))


RUN_METRICS = tuple(metric.name for metric in METRICS.values() if {"rating", "ranking"} & {*metric.tasks})
"""The metrics of a run."""
SWEEP_METRIC = "rmse"
"""What a sweep ranks combinations of settings by, on the validation part."""
MOST_COMBINATIONS = 10_000
"""The most combinations of a sweep; more are probably a mistake."""


def higher_is_better(name: str) -> bool:
    """Return whether a larger value of a metric is better; ``False`` for a name that is not in the table."""
    return name in METRICS and bool(METRICS[name].higher_is_better)


Way = Literal["weighted", "average", "without misery", "least misery", "most pleasure", "multiplicative", "borda"]
WAYS: Mapping[Way, str] = {
    "weighted": "between the average and the least happy of you; the dial sets where",
    "average": "the mean of all of you",
    "without misery": "the mean, without movies one of you would give less than 3 stars",
    "least misery": "what the least happy of you thinks",
    "most pleasure": "what the happiest of you thinks",
    "multiplicative": "the product of all, so one low value counts a lot",
    "borda": "the mean rank in your lists",
}
"""The ways to combine the members' lists into one, each described as the group reads it."""
Basis = Literal["ratings", "alike", "everyone"]
"""What a prediction rests on: ratings that can be named; if there are none, people whose ratings agree with the
viewer's and who like the movie more than others do; or just everyone's ratings of it."""
UnseenBy = Literal["all", "any", "none"]
"""Which of the viewers must not have seen a movie."""
