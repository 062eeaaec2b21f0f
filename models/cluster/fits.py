"""The models that can be fitted on a cluster."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.progress import Report, Stage
from movietui.models.base import AnyModel, Parameters
from movietui.models.cluster.als import fit_als, fit_ials
from movietui.models.cluster.bayes import fit_bayes
from movietui.models.cluster.effects import fit_bias, fit_popularity
from movietui.models.cluster.mf import fit_mf
from movietui.models.cluster.networks import NETWORKS, network_fit, slots
from movietui.models.cluster.partitions import Partitions
from movietui.models.cluster.products import fit_ease, fit_item_knn
from movietui.models.registry import MODELS
from movietui.models.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FITS: Mapping[str, Callable[[Partitions, Any, int], Parameters]] = {
    "popularity": fit_popularity,
    "bias": fit_bias,
    "mf": fit_mf,
    "bayes": fit_bayes,
    "als": fit_als,
    "item-knn": fit_item_knn,
    "ease": fit_ease,
    "ials": fit_ials,
    **{name: network_fit(name) for name in NETWORKS},
}
"""For each model, a function that takes the ratings, the settings and the seed, and returns the parameters.

Parameters with a row for each user have only the row of an unknown user, because users stay on the cluster and are
folded in.
"""
WITH_TORCH = frozenset(("mf", "bayes", *NETWORKS))
"""The models for which the executors compute with torch."""
NEEDED = ("movietui", "torch")
"""The packages that the executors need for these models."""


def check_name(name: str) -> None:
    """Raise ``Problem`` if no model with this name can be fitted on a cluster."""
    if name not in FITS:
        known = tr("choose one of {names}.", names=", ".join(FITS))
        raise no_such(tr("There is no model {model!r} on a cluster", model=name), name, FITS, known)


def check_executors(spark: "SparkSession", names: Sequence[str], report: Report) -> None:
    """Raise ``Problem`` if an executor lacks a package that one of the models with these names needs there.

    The executors that have started are asked. Without this, the ratings would be read and moved before the fit failed,
    with what a worker printed about it on another machine.
    """
    if not (needing := [name for name in names if name in WITH_TORCH]):
        return
    report(Stage(tr("Checking the executors")))
    asked = 0
    # At first, perhaps no executor has started: a single task waits for one.
    while (tasks := max(1, slots(spark))) > asked:
        lacking = spark.sparkContext.parallelize(range(tasks), tasks).mapPartitions(_look_for(NEEDED)).collect()
        if lacking:
            package, host = min(lacking)
            raise Problem(
                tr(
                    "{model} needs {package} on every executor, but {host} has none; install movietui there, which "
                    "brings torch.",
                    model=needing[0],
                    package=package,
                    host=host,
                )
            )
        asked = tasks
    report(Stage(tr("Checking the executors"), finished=True))


def _look_for(packages: Sequence[str]) -> Callable[[Iterable[int]], Iterable[tuple[str, str]]]:
    """Return a function that yields each of these packages that is not installed, with the name of the host."""

    # A function inside a function is sent as a whole, so the executors need not have this module.
    def look(_: Iterable[int]) -> Iterable[tuple[str, str]]:
        import importlib.util
        import socket

        return [(each, socket.gethostname()) for each in packages if importlib.util.find_spec(each) is None]

    return look


def fit(name: str, train: Partitions, settings: Settings, seed: int) -> AnyModel:
    """Return a model fitted on the ratings of a train part."""
    model = MODELS[name](settings, seed=seed)
    model.restore({**FITS[name](train, settings, seed), "counts": train.counts}, train.dataset.scale)
    return model
