"""Sweeps: which settings to try, what to measure them on, and which fits to stop early.

Settings are chosen on a validation part of the train part, never on the test part.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import median
from typing import TYPE_CHECKING, Protocol

import numpy as np

from movietui.data.dataset import Dataset
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.splits import hold_out
from movietui.models import plugin_metrics
from movietui.models.base import Fitted, Progress, ignore_epoch
from movietui.models.choices import (
    MOST_COMBINATIONS,
    NEEDS_OPTUNA,
    Order,
    Sampler,
    Task,
    higher_is_better,
    metric_named,
    sweep_metrics,
    sweep_task,
    without_stars,
)
from movietui.models.evaluation.measure import (
    as_published,
    build,
    check_ratings,
    choose,
    lists_of_users,
    measure_undated,
    measures_for,
    metrics_of_ratings,
    order_for,
)
from movietui.models.evaluation.parts import split_dataset
from movietui.models.metrics import ListMeasures, Metrics, ranking_metrics
from movietui.models.settings import Field, Settings, describe

if TYPE_CHECKING:
    from optuna import Trial

Texts = Mapping[str, Sequence[str]]
"""The values of each setting to try, as typed: ``["8", "16"]`` or, for a search, a range: ``["8..64"]``."""
Losses = Sequence[tuple[int, float]]
"""The number of each epoch and the validation loss after it."""
TO = ".."
REACH = 4.0
"""By default, a search tries values from a setting's default divided by this to the default multiplied by it."""
WIDE = 10.0
"""If a range's upper end is at least this many times its lower end, values are drawn uniformly in their logarithm."""
DIGITS = 4
"""The significant digits to which a drawn number is rounded, so that you can type it."""
FRUITLESS = 1000
"""A search ends after this many draws in a row of settings that were tried before."""


def task_of(metric: str) -> Task:
    """Return the task by which a sweep measures a metric, which may be that of a plug-in.

    Raises ``Problem`` if settings cannot be chosen by it.
    """
    plugin_metrics.load_all()
    task = sweep_task(metric)
    if task is None:
        wrong = (
            tr("Settings cannot be chosen by {metric!r}", metric=metric)
            if metric_named(metric)
            else tr("There is no metric {metric!r}", metric=metric)
        )
        known = sweep_metrics()
        raise no_such(wrong, metric, known, tr("choose one of {names}.", names=", ".join(known)))
    return task


# What to try


@dataclass(frozen=True)
class Range:
    """The values from ``low`` to ``high``, both included."""

    low: float
    high: float
    whole: bool

    @property
    def logarithmic(self) -> bool:
        """Whether values are drawn uniformly in their logarithm."""
        return self.low > 0 and self.high >= WIDE * self.low

    def text(self, value: float) -> str:
        """Return a value of the range as text, a fraction rounded to ``DIGITS`` digits."""
        rounded = round(value) if self.whole else float(f"{value:.{DIGITS}g}")
        return f"{min(max(rounded, self.low), self.high):.15g}"

    def draw(self, random: np.random.Generator) -> str:
        """Draw a value."""
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        if self.logarithmic:
            return self.text(math.exp(random.uniform(math.log(low), math.log(high))))
        return self.text(random.uniform(low, high))


Space = Mapping[str, Sequence[str] | Range]
"""A list of values or a range for each setting to try."""


def usual_texts(name: str, published: bool = False) -> dict[str, list[str]]:
    """Return what a search tries by default: both values of each switch, and a range around the default of each number,
    as far as ``REACH`` and the setting's limits allow.

    A setting whose default is 0 stays 0, which means off, or a value that depends on the size of the dataset.
    """
    settings = choose(name, published)
    texts: dict[str, list[str]] = {}
    for field in describe(type(settings)):
        value = getattr(settings, field.name)
        if field.kind is bool:
            texts[field.name] = ["no", "yes"]
        elif value > 0:
            reach = Range(max(field.low, value / REACH), min(field.high, value * REACH), field.kind is int)
            low, high = (
                (math.ceil(reach.low), math.floor(reach.high)) if reach.whole else map(float, (reach.low, reach.high))
            )
            if low < high:
                texts[field.name] = [f"{low:g}{TO}{high:g}"]
    return texts


def space_of(name: str, texts: Texts, published: bool = False, *, search: bool = False) -> Space:
    """Return what ``texts`` says to try. Only a ``search`` may have ranges.

    Raises ``Problem`` for an unknown model or setting, for a value out of range, and if there is nothing to try.
    """
    fields = {field.name: field for field in describe(type(choose(name, published)))}
    if not texts:
        raise Problem(
            tr("{model} has no settings to try.", model=name)
            if search
            else tr(
                "A sweep needs a grid or a search: give a setting several values, such as --grid sweeps=4,8, or try "
                "some at random with --search 20."
            )
        )
    space: dict[str, Sequence[str] | Range] = {}
    for key, values in texts.items():
        if not values:
            raise Problem(tr("The grid has no values for {setting}; add some, for example {setting}=1,2.", setting=key))
        ends = values[0].split(TO) if len(values) == 1 else []
        for value in ends if len(ends) == 2 else values:
            choose(name, published, {key: value})
        space[key] = _range(fields[key], ends, search) if len(ends) == 2 else values
    return space


def _range(field: Field, ends: Sequence[str], search: bool) -> Range:
    typed = TO.join(ends)
    if not search:
        raise Problem(
            tr(
                "{setting}={range} is a range, from which only --search draws values; list them instead.",
                setting=field.name,
                range=typed,
            )
        )
    if field.kind is bool:
        raise Problem(tr("{setting}={range} is a range, but {setting} is yes or no.", setting=field.name, range=typed))
    low, high = (float(end) for end in ends)
    if low >= high:
        raise Problem(tr("{setting}={range} is not a range; put the lower end first.", setting=field.name, range=typed))
    return Range(low, high, field.kind is int)


# Ways to choose what to try next


class Tries(Protocol):
    """Says which settings to try next. The same seed and results give the same settings."""

    def ask(self) -> dict[str, str] | None:
        """Return the changes to try next, as text, or ``None`` at the end. ``tell`` is called after each call."""
        ...

    def tell(self, value: float | None, losses: Losses = ()) -> None:
        """Take the metric of the last changes; ``None`` for a fit that was stopped, with its ``losses``, or failed."""
        ...


def tries_of(sampler: Sampler, space: Space, metric: str, tries: int | None = None, seed: int = 0) -> Tries:
    """Return a sampler's ``Tries``: all combinations of a space for ``grid``, and at most ``tries`` for the others.

    Raises ``Problem`` for a grid of more than ``MOST_COMBINATIONS`` combinations, and if the sampler is not installed.
    """
    if sampler == "grid":
        return Grid(space)
    assert tries is not None
    return Random(space, tries, seed) if sampler == "random" else Tpe(space, metric, tries, seed)


class Grid:
    """Tries all combinations, in order."""

    def __init__(self, space: Space) -> None:
        values = [each for each in space.values() if not isinstance(each, Range)]
        total = math.prod(map(len, values))
        if total > MOST_COMBINATIONS:
            raise Problem(
                tr(
                    "The grid has {total:,} combinations, more than {most:,}; give fewer values.",
                    total=total,
                    most=MOST_COMBINATIONS,
                )
            )
        self.combinations = [dict(zip(space, each, strict=True)) for each in product(*values)]
        """All combinations."""
        self._left: Iterator[dict[str, str]] = iter(self.combinations)

    def ask(self) -> dict[str, str] | None:
        """Return the next combination."""
        return next(self._left, None)

    def tell(self, value: float | None, losses: Losses = ()) -> None:
        """Do nothing."""


class Random:
    """Draws settings at random, each combination once, independently of the results."""

    def __init__(self, space: Space, tries: int, seed: int) -> None:
        self._space, self._left = space, tries
        self._random = np.random.default_rng(seed)
        self._drawn: set[tuple[str, ...]] = set()

    def ask(self) -> dict[str, str] | None:
        """Return a combination that was not drawn before; ``None`` at the end, and if hardly any is left."""
        for _ in range(FRUITLESS if self._left else 0):
            drawn = tuple(
                each.draw(self._random) if isinstance(each, Range) else str(self._random.choice(each))
                for each in self._space.values()
            )
            if drawn not in self._drawn:
                self._drawn.add(drawn)
                self._left -= 1
                return dict(zip(self._space, drawn, strict=True))
        return None

    def tell(self, value: float | None, losses: Losses = ()) -> None:
        """Do nothing."""


class Tpe:
    """Draws settings where earlier ones were good (tree-structured Parzen estimator; Bergstra, Bardenet, Bengio and
    Kégl, Algorithms for hyper-parameter optimization, 2011), as optuna implements it."""

    def __init__(self, space: Space, metric: str, tries: int, seed: int) -> None:
        try:
            import optuna
        except ImportError:
            raise Problem(NEEDS_OPTUNA) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._left, self._higher = space, tries, higher_is_better(metric)
        self._study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=seed), direction="maximize" if self._higher else "minimize"
        )
        self._trial: Trial | None = None

    def ask(self) -> dict[str, str] | None:
        """Return the next combination, which may be an earlier one."""
        if not self._left:
            return None
        self._left -= 1
        self._trial = trial = self._study.ask()
        return {name: self._suggest(trial, name, values) for name, values in self._space.items()}

    @staticmethod
    def _suggest(trial: "Trial", name: str, values: Sequence[str] | Range) -> str:
        if not isinstance(values, Range):
            return str(trial.suggest_categorical(name, list(values)))
        if values.whole:
            return values.text(trial.suggest_int(name, int(values.low), int(values.high), log=values.logarithmic))
        return values.text(trial.suggest_float(name, values.low, values.high, log=values.logarithmic))

    def tell(self, value: float | None, losses: Losses = ()) -> None:
        """Take the metric of the last combination. A stopped fit counts as worse than all measured ones."""
        from optuna.trial import TrialState

        assert self._trial is not None
        if value is not None:
            self._study.tell(self._trial, value)
        elif losses:
            epoch, loss = losses[-1]
            self._trial.report(-loss if self._higher else loss, epoch)
            self._study.tell(self._trial, state=TrialState.PRUNED)
        else:
            self._study.tell(self._trial, state=TrialState.FAIL)


# Measuring


@dataclass(frozen=True)
class Validated:
    """A model with some settings, measured on a validation part of the train part."""

    metrics: Metrics
    """Of a fit on the rest of the train part."""
    fitted: Fitted
    fit_seconds: float
    fit_cpu_seconds: float
    """The processor time of the fit, over all threads."""


def validate(
    name: str,
    dataset: Dataset,
    split_name: str,
    task: Task,
    settings: Settings,
    seed: int = 0,
    split_seed: int = 0,
    order: Order | None = None,
    progress: Progress = ignore_epoch,
    measures: ListMeasures | None = None,
) -> Validated:
    """Measure settings on a validation part of a split's train part, for the task ``rating`` or ``ranking``.

    The test part is not used. The epochs have validation losses. The users in the validation part are those in train,
    even if those in test are new. For the other arguments and for what raises ``Problem``, see ``evaluate``.
    """
    check_ratings([name], dataset, task)
    dataset = dataset.without_unrated()
    parts = split_dataset(dataset, split_name, split_seed)
    learn, validation = hold_out(parts.rows.train)
    train = dataset.with_ratings(learn)
    parts = replace(parts, train=train, known=train, test=dataset.ratings.take(validation))
    model = build(name, settings, seed)
    start, cpu_start = time.perf_counter(), time.process_time()
    fitted = model.fit(train, parts.test, progress)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    if task == "rating":
        metrics = metrics_of_ratings(*as_published(parts, parts.predict(model))) | measure_undated(model, parts)
    else:
        order, measures = order or order_for(split_name), measures or measures_for(split_name)
        order = without_stars(order) if dataset.implicit else order
        lists = lists_of_users(model, train, parts.test, order, split_seed, measures)
        metrics = ranking_metrics(lists, train) | plugin_metrics.of_lists(lists, train)
    return Validated(metrics, fitted, seconds, cpu_seconds)


# Stopping early

ENOUGH_FITS = 5
"""No fit is stopped before this many others have come as far."""
EARLY = 0.25
"""No fit is stopped before this share of its epochs."""


class MedianRule:
    """Finds hopeless fits, as optuna's ``MedianPruner`` does.

    Their lowest validation loss so far is above the median loss of the sweep's earlier fits after as many epochs. A fit
    is compared only once ``ENOUGH_FITS`` others have come as far, and not in its first epochs (``EARLY``).
    """

    def __init__(self) -> None:
        self._earlier: list[dict[int, float]] = []

    def add(self, losses: Losses) -> None:
        """Take the losses of a fit, whether or not it was stopped."""
        self._earlier.append(dict(losses))

    def problem(self, losses: Losses, of: int) -> str:
        """Return why a fit of ``of`` epochs with these losses so far is hopeless; empty if it is not."""
        if not losses or losses[-1][0] < EARLY * of:
            return ""
        epoch, best = losses[-1][0], min(loss for _, loss in losses)
        others = [earlier[epoch] for earlier in self._earlier if epoch in earlier]
        if len(others) < ENOUGH_FITS or best <= median(others):
            return ""
        return tr(
            "Stopped early: the lowest validation loss after epoch {epoch} of {epochs}, {loss:.4f}, is above "
            "{median:.4f}, the median of {fits} earlier fits.",
            epoch=epoch,
            epochs=of,
            loss=best,
            median=median(others),
            fits=len(others),
        )
