"""The words for signs, orders, changes, steps and the states of runs on the screens."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from movietui.data.language import tr
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
    "watchlist": (tr("added {} to the watchlist"), tr("removed {} from the watchlist")),
    "hidden": (tr("hid {}"), tr("unhid {}")),
    "seen": (tr("marked {} as seen"), tr("marked {} as not seen")),
    "liked": (tr("marked {} as liked"), tr("marked {} as not liked")),
}
"""What setting a mark and removing it did."""
MARK_STEPS = {
    "watchlist": (tr("adding {} to the watchlist"), tr("removing {} from the watchlist")),
    "hidden": (tr("hiding {}"), tr("unhiding {}")),
    "seen": (tr("marking {} as seen"), tr("marking {} as not seen")),
    "liked": (tr("marking {} as liked"), tr("marking {} as not liked")),
}
"""The same as steps that are undone or redone."""

STATES = {
    "queued": tr("queued"),
    "running": tr("running"),
    "paused": tr("paused"),
    "done": tr("done"),
    "cancelled": tr("cancelled"),
    "failed": tr("failed"),
    CUT_OFF: tr("interrupted"),
}
"""The states of runs (see ``Run.state``) as shown on screen."""


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
    "predicted": Term("★", tr("predicted"), tr("how many stars you would probably give it")),
    "±": Term("±", tr("give or take"), tr("how many stars that may be off; small means sure")),
    "together": Term("★", tr("for all of you"), tr("how many stars you would give it together")),
    "each": Term("A B", tr("for each of you"), tr("how many stars each of you would give it")),
    "agree": Term("●", tr("you agree"), tr("how much you agree: ●●●●● fully, ○○○○○ not at all")),
    "n": Term("n", tr("ratings"), tr("how many people have rated it; new if nobody has")),
    "▲▼": Term("▲▼", tr("moved"), tr("how many rows your last rating moved it")),
    "◆": Term("◆", tr("watchlist"), tr("on your watchlist; A and B say on whose")),
    "●": Term("●●●○○", tr("weight"), tr("how much it counts; ●●●●● counts most")),
    "in common": Term(tr("in common"), tr("shared"), tr("what the movie shares with movies you liked")),
    "RMSE": Term("RMSE", tr("error"), tr("how many stars the model is usually off")),
    "ndcg": Term("ndcg", tr("good lists"), tr("how good the model's lists are; 1 is perfect")),
}
"""What the signs and figures on Browse mean, for the line under the list, the tooltips and the help."""
RUN_COLUMNS: Mapping[str, str] = {
    "run": tr("the number of the run; published figures have none"),
    "model": tr("the model that was trained or measured; ours unless the row is a published figure"),
    "name": tr("the name that you gave the run"),
    "dataset": tr("the dataset that the model learned from"),
    "IMDb": tr("which join with IMDb the dataset had, from which some models learn; empty without a join"),
    "cleaning": tr("which cleaning the dataset had; published figures are of uncleaned ratings"),
    "split": tr("which ratings are in test; only figures of the same split can be compared"),
    "split seed": tr("the seed of the split: with another, other ratings are in test"),
    "seed": tr("the seed of the model: with another, it starts at another random point"),
    "settings": tr("the settings that are not the same in all listed runs of the model"),
    "fit": tr("how long the fits took, by the clock"),
    "state": tr("whether the run waits, trains or is done; of published figures, whose they are"),
    "epoch": tr("a pass over the ratings; ● marks the one that the model is taken from"),
    "stage": tr("a part of the model or, last, the whole; a closed form is fitted at once"),
    "train": tr("mean squared error on the ratings that the model learns from, in stars²"),
    "validation": tr("mean squared error on ratings that the model does not learn from, in stars²"),
    "held out": tr("mean squared error on the ratings that only the weights are learned from, in stars²"),
}
"""What the columns of runs and epochs mean, by their headings. Metrics explain themselves (``metric_lines``)."""


def term_named(name: str) -> Term | None:
    """Return the term of ``LEGEND`` with this key, a column of ``RUN_COLUMNS`` or a metric; ``None`` otherwise."""
    if name in LEGEND:
        return LEGEND[name]
    meaning = RUN_COLUMNS.get(name) or "\n".join(metric_lines(name))
    return Term(tr(name), tr(name), meaning) if meaning else None


SHORT_ORDERS: Mapping[Order, str] = {
    "liked": tr("best first"),
    "likely": tr("likeliest first"),
    "stars": tr("by stars"),
    "year": tr("newest first"),
    "title": tr("by title"),
    "ratings": tr("most rated first"),
}
"""The orders of a list in two or three words."""
SORTED, SORTED_UP = "▾", "▴"
"""Mark what a list is sorted by: best, newest or highest first, or the other way round."""


def describe_order(order: Order, room: int = 10**6, *, has_stars: bool = True) -> str:
    """Return what a list is sorted by, ``by title ▾``, or a short form if that is wider than ``room`` cells.

    ``has_stars``: whether the dataset has stars.
    """
    whole = tr("by {order} {sign}", order=orders(has_stars=has_stars)[order], sign=SORTED)
    return whole if len(whole) <= room else f"{SHORT_ORDERS[order]} {SORTED}"


def training_on_cluster(dataset: str, model: str = CLUSTER_MODELS[0]) -> str:
    """Return the command that trains a model on a dataset that is on a cluster."""
    return f"movietui cluster train {model} --dataset {dataset}"


def training_state(step: str, seconds_left: float | None, *, paused: bool) -> str:
    """Return how far the training of a run has come: ``paused``, ``4 min left``, the step, or ``starting``."""
    if paused:
        return tr("paused")
    if seconds_left:
        return tr("{duration} left", duration=text.duration(seconds_left))
    return step or tr("starting")


def state_in_words(state: str) -> str:
    """Return the state of a run as shown on screen: the stored word, except ``interrupted`` for
    ``CUT_OFF``; the source of a published figure as it is."""
    return STATES.get(state, state)


def describe_change(change: Change) -> str:
    """Return what a change did: ``rated Fargo ★ 4``, ``added Fargo to the watchlist``."""
    if change.kind == RATING:
        title = change.movie.title
        if change.after is None:
            return tr("removed the rating of {movie}", movie=title)
        return tr("rated {movie} {stars}", movie=title, stars=text.number_of_stars(change.after))
    return MARK_PHRASES[change.kind][change.after is None].format(change.movie.title)


def describe_moves(moved: int) -> str:
    """Return how many movies moved, as ``ListWindow.moved`` counts them: ``12 movies moved``."""
    return tr("{movies} moved", movies=text.plural(moved, "movie")) if moved else tr("nothing moved")


def describe_step(step: Done, *, undone: bool) -> str:
    """Return what was undone or redone: ``Fargo ★ 4``, ``hiding Fargo``, ``an import with 512 changes``."""
    if isinstance(step, Veto):
        return tr("the veto of {movie}", movie=step.movie.title)
    if isinstance(step, Deleted):
        return tr("the deletion of {profile}", profile=step.viewer.id)
    if step.kind == LIST:
        return tr("the change of the list {name}", name=step.lists[0])
    if step.kind == IMPORT:
        if _is_single_list(step):
            return tr("the list {name}", name=step.lists[0])
        return tr("an import with {changes}", changes=_changes(step))
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
        return tr("list {name}", name=step.lists[0]) if _is_single_list(step) else _changes(step)
    (change,) = step.changes
    if change.kind != RATING:
        return f"{'−' if change.after is None else '+'} {change.kind}"
    before, after = (
        tr("none") if stars is None else text.number_of_stars(stars) for stars in (change.before, change.after)
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
    lists = [tr("the list {name}", name=each["name"]) for each in summary["lists"]]
    what = tr(" and ").join([text.plural(movies, "movie")] * bool(movies or not lists) + lists[:1])
    what += tr(" and {lists}", lists=text.plural(len(lists) - 1, "other list")) if len(lists) > 1 else ""
    different = text.plural(summary["stayed"], "different rating")
    stayed = tr("; kept {ratings}, newer or entered by you", ratings=different) if summary["stayed"] else ""
    if not summary["changes"]:
        return tr(
            "{profile} already has everything from {file} ({contents}); nothing changed{stayed}",
            profile=name,
            file=file,
            contents=what,
            stayed=stayed,
        )
    matched = ""
    if movies:
        count = summary["counts"]["matched"]
        matched = tr(", {count:,} of them in {dataset}", count=count, dataset=summary["dataset"])
    return tr(
        "{profile} now has {contents} from {file}{matched}{stayed}",
        profile=name,
        contents=what,
        file=file,
        matched=matched,
        stayed=stayed,
    )
