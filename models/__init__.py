"""Recommender models: fit, predict, rank, fold in, evaluate, save. Never imports textual.

=====================================  =======================================================================
``MODELS``                             the model classes by name, as on the command line: ``MODELS["bayes"]``
``Model``, ``History``                 the contract of all models; a viewer's ratings, which a model folds in
``choose``, ``build``                  choose a model's settings; make an unfitted model with settings
``evaluate``, ``compare``, ``train``   measure on a split; compare two evaluations; train a model to serve
``check_ratings``                      whether a dataset has the ratings that models and a task need
``phases``                             the fits that ``train`` makes
``save``, ``load``                     checkpoints
``Ranker``, ``Viewer``                 lists for one or more viewers
``RatingMetric``, ``ListMetric``       metrics in plug-ins
=====================================  =======================================================================

Each name is imported when it is first used (PEP 562), so that importing ``movietui.models.choices`` or listing
``MODELS`` does not load numpy or torch. ``movietui.models.registry`` says which module contains a model's class and its
settings.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Set before torch is loaded. Threads that wait for others spin for a moment, then sleep. By default, they spin so long
# that, on a busy machine, they slow down the threads that they wait for. Without spinning, short steps take three times
# as long on an idle machine.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

if TYPE_CHECKING:
    from movietui.models.base import History, Model
    from movietui.models.checkpoints import load, save
    from movietui.models.evaluation.comparison import compare
    from movietui.models.evaluation.measure import build, check_ratings, choose, evaluate, train
    from movietui.models.plugin_metrics import ListMetric, RatingMetric
    from movietui.models.registry import MODELS
    from movietui.models.serving.ranking import Ranker, Viewer

__all__ = [
    "MODELS",
    "History",
    "ListMetric",
    "Model",
    "Ranker",
    "RatingMetric",
    "Viewer",
    "build",
    "check_ratings",
    "choose",
    "compare",
    "evaluate",
    "load",
    "save",
    "train",
]
_MODULES = {
    "MODELS": "registry",
    **dict.fromkeys(("History", "Model"), "base"),
    **dict.fromkeys(("load", "save"), "checkpoints"),
    **dict.fromkeys(("build", "check_ratings", "choose", "evaluate", "train"), "evaluation.measure"),
    "compare": "evaluation.comparison",
    **dict.fromkeys(("Ranker", "Viewer"), "serving.ranking"),
    **dict.fromkeys(("ListMetric", "RatingMetric"), "plugin_metrics"),
}
"""The module in ``movietui.models`` that defines each public name."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
