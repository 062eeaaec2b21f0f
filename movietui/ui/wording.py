"""The words for signs, orders, changes, steps and the states of runs on the screens."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from movietui.data.titles import with_year
from movietui.formatting import text
from movietui.formatting.explanations import metric_lines
from movietui.models.choices import CLUSTER_MODELS, Order, orders
from movietui.protocol.messages import ImportReport
from movietui.state.audience import Veto
from movietui.state.changes import Deleted, Done
from movietui.store.ratings import IMPORT, LIST, RATING, Change, Step
from movietui.store.run_records import CUT_OFF

MARK_PHRASES = {
    "watchlist": ("added {} to the watchlist", "removed {} from the watchlist"),
    "hidden": ("hid {}", "unhid {}"),
    "seen": ("marked {} as seen", "marked {} as not seen"),
    "liked": ("marked {} as liked", "marked {} as not liked"),
}
"""What setting a mark and removing it did."""
MARK_STEPS = {
    "watchlist": ("adding {} to the watchlist", "removing {} from the watchlist"),
    "hidden": ("hiding {}", "unhiding {}"),
    "seen": ("marking {} as seen", "marking {} as not seen"),
    "liked": ("marking {} as liked", "marking {} as not liked"),
}
"""The same as steps that are undone or redone."""


@dataclass(frozen=True)
class Term:
    """A sign or figure on the screens, explained to somebody who sees it for the first time."""

    sign: str
    short: str
    """What it means in a few words, for the line under the list."""
    meaning: str
    """What it means in one line, for the tooltip and the help."""

    @property
    def explained(self) -> str:
        """The sign and what it means."""
        return f"{self.sign}  {self.meaning}"


LEGEND: Mapping[str, Term] = {
    "predicted": Term("★", "predicted", "how many stars you would probably give it"),
    "±": Term("±", "give or take", "how many stars that may be off; small means sure"),
    "together": Term("★", "for all of you", "how many stars you would give it together"),
    "each": Term("A B", "for each of you", "how many stars each of you would give it"),
    "agree": Term("●", "you agree", "how much you agree: ●●●●● fully, ○○○○○ not at all"),
    "n": Term("n", "ratings", "how many people have rated it; new if nobody has"),
    "▲▼": Term("▲▼", "moved", "how many rows your last rating moved it"),
    "◆": Term("◆", "watchlist", "on your watchlist; A and B say on whose"),
    "●": Term("●●●○○", "weight", "how much it counts; ●●●●● counts most"),
    "in common": Term("in common", "shared", "what the movie shares with movies you liked"),
    "RMSE": Term("RMSE", "error", "how many stars the model is usually off"),
    "ndcg": Term("ndcg", "good lists", "how good the model's lists are; 1 is perfect"),
}
"""What the signs and figures on Browse mean, for the line under the list, the tooltips and the help."""
RUN_COLUMNS: Mapping[str, str] = {
    "run": "the number of the run; published figures have none",
    "model": "the model that was trained or measured; ours unless the row is a published figure",
    "name": "the name that you gave the run",
    "dataset": "the dataset that the model learned from",
    "IMDb": "which join with IMDb the dataset had, from which some models learn; empty without a join",
    "cleaning": "which cleaning the dataset had; published figures are of uncleaned ratings",
    "split": "which ratings are in test; only figures of the same split can be compared",
    "split seed": "the seed of the split: with another, other ratings are in test",
    "seed": "the seed of the model: with another, it starts at another random point",
    "settings": "the settings that are not the same in all listed runs of the model",
    "fit": "how long the fits took, by the clock",
    "state": "whether the run waits, trains or is done; of published figures, whose they are",
    "epoch": "a pass over the ratings; ● marks the one that the model is taken from",
    "stage": "a part of the model or, last, the whole; a closed form is fitted at once",
    "train": "mean squared error on the ratings that the model learns from, in stars²",
    "validation": "mean squared error on ratings that the model does not learn from, in stars²",
    "held out": "mean squared error on the ratings that only the weights are learned from, in stars²",
}
"""What the columns of runs and epochs mean, by their headings. Metrics explain themselves (``metric_lines``)."""


def term_named(name: str) -> Term | None:
    """Return the term of ``LEGEND`` with this key, a column of ``RUN_COLUMNS`` or a metric; ``None`` otherwise."""
    if name in LEGEND:
        return LEGEND[name]
    meaning = RUN_COLUMNS.get(name) or "\n".join(metric_lines(name))
    return Term(name, name, meaning) if meaning else None


SHORT_ORDERS: Mapping[Order, str] = {
    "liked": "best first",
    "likely": "likeliest first",
    "stars": "by stars",
    "year": "newest first",
    "title": "by title",
    "ratings": "most rated first",
}
"""The orders of a list in two or three words."""
SORTED, SORTED_UP = "▾", "▴"
"""Mark what a list is sorted by: best, newest or highest first, or the other way round."""


def describe_order(order: Order, room: int = 10**6, *, has_stars: bool = True) -> str:
    """Return what a list is sorted by, ``by title ▾``, or a short form if that is wider than ``room`` cells.

    ``has_stars``: whether the dataset has stars.
    """
    whole = f"by {orders(has_stars=has_stars)[order]} {SORTED}"
    return whole if len(whole) <= room else f"{SHORT_ORDERS[order]} {SORTED}"


def training_on_cluster(dataset: str, model: str = CLUSTER_MODELS[0]) -> str:
    """Return the command that trains a model on a dataset that is on a cluster."""
    return f"movietui cluster train {model} --dataset {dataset}"


def training_state(step: str, seconds_left: float | None, *, paused: bool) -> str:
    """Return how far the training of a run has come: ``paused``, ``4 min left``, the step, or ``starting``."""
    if paused:
        return "paused"
    return f"{text.duration(seconds_left)} left" if seconds_left else step or "starting"


def state_in_words(state: str) -> str:
    """Return the state of a run as shown on screen: the stored word, except ``interrupted`` for ``cut off``."""
    return "interrupted" if state == CUT_OFF else state


def describe_change(change: Change) -> str:
    """Return what a change did: ``rated Fargo ★ 4``, ``added Fargo to the watchlist``."""
    if change.kind == RATING:
        stars = f" {text.number_of_stars(change.after)}" if change.after is not None else ""
        return f"{'rated' if stars else 'removed the rating of'} {change.movie.title}{stars}"
    return MARK_PHRASES[change.kind][change.after is None].format(change.movie.title)


def describe_moves(moved: int) -> str:
    """Return how many movies moved, as ``ListWindow.moved`` counts them: ``12 movies moved``."""
    return f"{text.plural(moved, 'movie')} moved" if moved else "nothing moved"


def describe_step(step: Done, *, undone: bool) -> str:
    """Return what was undone or redone: ``Fargo ★ 4``, ``hiding Fargo``, ``an import with 512 changes``."""
    if isinstance(step, Veto):
        return f"the veto of {step.movie.title}"
    if isinstance(step, Deleted):
        return f"the deletion of {step.viewer.id}"
    if step.kind == LIST:
        return f"the change of the list {step.lists[0]}"
    if step.kind == IMPORT:
        return f"the list {step.lists[0]}" if _is_single_list(step) else f"an import with {_changes(step)}"
    (change,) = step.changes
    value = change.before if undone else change.after
    if change.kind != RATING:
        return MARK_STEPS[change.kind][value is None].format(change.movie.title)
    return change.movie.title + (f" {text.number_of_stars(value)}" if value is not None else "")


def about(step: Step) -> str:
    """Return what a step is about: ``Fargo (1996)``, the source of an import, or what happened to a list."""
    if step.kind in (IMPORT, LIST):
        return step.note
    movie = step.changes[0].movie
    return with_year(movie.title, movie.year)


def summarize_step(step: Step) -> str:
    """Return what a step did, as the history lists it: ``★ 3 → ★ 4``, ``+ watchlist``, ``512 changes``."""
    if step.kind in (IMPORT, LIST):
        return f"list {step.lists[0]}" if _is_single_list(step) else _changes(step)
    (change,) = step.changes
    if change.kind != RATING:
        return f"{'−' if change.after is None else '+'} {change.kind}"
    before, after = (
        "none" if stars is None else text.number_of_stars(stars) for stars in (change.before, change.after)
    )
    return after if change.before is None else f"{before} → {after}"


def _is_single_list(step: Step) -> bool:
    return not step.changes and len(step.lists) == 1


def _changes(step: Step) -> str:
    return text.plural(len(step.changes) + len(step.lists), "change")


def describe_import(summary: ImportReport, path: str) -> str:
    """Return a sentence about the result of an import."""
    name, file = summary["profile"], Path(path).name
    movies = sum(summary["counts"][part] for part in ("ambiguous", "matched", "unmatched"))
    lists = [f"the list {each['name']}" for each in summary["lists"]]
    what = " and ".join([text.plural(movies, "movie")] * bool(movies or not lists) + lists[:1])
    what += f" and {text.plural(len(lists) - 1, 'other list')}" if len(lists) > 1 else ""
    different = text.plural(summary["stayed"], "different rating")
    stayed = f"; kept {different}, newer or entered by you" if summary["stayed"] else ""
    if not summary["changes"]:
        return f"{name} already has everything from {file} ({what}); nothing changed{stayed}"
    matched = f", {summary['counts']['matched']:,} of them in {summary['dataset']}" if movies else ""
    return f"{name} now has {what} from {file}{matched}{stayed}"
