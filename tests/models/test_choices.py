"""The tables of models and of metrics, which can be read without heavy imports."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import movietui.models
from movietui.models import MODELS
from movietui.models.base import Model
from movietui.models.bayes import Bayes, BayesSettings
from movietui.models.choices import (
    CLUSTER_MODELS,
    METRICS,
    QUICK,
    RECOMMENDED,
    RUN_METRICS,
    SYMBOLS,
    TRAIN_LOSSES,
    Task,
    higher_is_better,
    quick_model,
    sweep_metrics,
    symbols_in,
)
from movietui.models.evaluation.measure import evaluate, train
from movietui.models.evaluation.per_user import differences, sum_by_user
from movietui.models.metrics import mae
from tests.models.builders import tastes

DOCS = Path(__file__).parents[2] / "docs"


def modules_after(code: str) -> set[str]:
    """Run code in a fresh process and return the modules that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import movietui.models",
        "import movietui.models.choices",
        "from movietui.models import MODELS; print(*MODELS, len(MODELS), 'mf' in MODELS, 'x' in MODELS)",
    ],
)
def test_names_load_neither_numpy_nor_torch(code: str) -> None:
    assert not modules_after(code) & {"numpy", "torch", "pandas", "movietui.models.base"}


def test_a_model_is_imported_when_it_is_looked_up() -> None:
    modules = modules_after("from movietui.models import MODELS; MODELS['popularity']")
    assert "movietui.models.popularity" in modules
    assert not modules & {"movietui.models.bayes", "movietui.models.blend", "torch"}


def test_every_public_name_can_be_imported_and_is_documented() -> None:
    for name in movietui.models.__all__:
        assert getattr(movietui.models, name) is not None
        assert name in dir(movietui.models)
        assert f"``{name}``" in (movietui.models.__doc__ or "")
    with pytest.raises(AttributeError, match="nothing"):
        _ = movietui.models.nothing
    with pytest.raises(ImportError):
        exec("from movietui.models import nothing")


def test_the_quick_model_fits_the_dataset_and_the_installation() -> None:
    for implicit in (False, True):
        for users in (943, 200_000):
            quick, without = (quick_model(implicit=implicit, users=users, torch=torch) for torch in (True, False))
            assert not MODELS[without].needs_torch
            assert not (implicit and (MODELS[quick].needs_stars or MODELS[without].needs_stars))
    assert quick_model(implicit=False, users=943, torch=False) == "user-knn"
    assert quick_model(implicit=False, users=200_000, torch=False) == "bias"


def test_every_model_is_registered_under_its_name() -> None:
    for name, kind in MODELS.items():
        assert kind.name == name
    assert {QUICK, RECOMMENDED} <= set(MODELS)
    with pytest.raises(KeyError):
        MODELS["nothing"]
    folder = Path(movietui.models.__file__).parent
    classes = {
        kind
        for path in folder.glob("*.py")
        for kind in vars(import_module(f"movietui.models.{path.stem}")).values()
        if isinstance(kind, type) and issubclass(kind, Model) and "name" in vars(kind)
    }
    assert classes == set(MODELS.values())


HURRIED = BayesSettings(factors=2, sweeps=2, implicit=2)
"""Settings of a model that has all metrics: it estimates its noise, and reads when ratings were given."""


@pytest.mark.parametrize("task", ["rating", "ranking", "pair"])
def test_the_table_has_exactly_the_metrics_of_an_evaluation(task: Task) -> None:
    dataset, _ = tastes(users=60, movies=40)
    measured = evaluate(Bayes(HURRIED), dataset, "random80", task, intervals=True).metrics
    assert set(measured) == {metric.name for metric in METRICS.values() if task in metric.tasks}


def test_a_metric_that_the_table_lacks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "movietui.models.evaluation.measure.rating_metrics", lambda prediction, stars: {"new": mae(prediction, stars)}
    )
    with pytest.raises(AssertionError, match="new"):
        test_the_table_has_exactly_the_metrics_of_an_evaluation("rating")


def test_the_table_has_the_metrics_of_a_run_and_of_a_comparison() -> None:
    trained = train("bayes", tastes(users=60, movies=40)[0], "random80", refit_all=False, settings=HURRIED)
    assert set(trained.metrics) <= set(RUN_METRICS)
    by_user = sum_by_user(trained.parts, trained.prediction, trained.lists)
    assert {difference.metric for difference in differences(by_user, by_user)} <= set(RUN_METRICS)
    assert {*sweep_metrics()} <= trained.metrics.keys()


def test_the_direction_of_a_metric() -> None:
    assert higher_is_better("ndcg@10")
    assert not higher_is_better("rmse")
    assert not higher_is_better("pairs")
    assert not higher_is_better("nothing")


def test_the_documentation_repeats_the_table() -> None:
    direction = {True: "more", False: "less", None: "–"}
    text = (DOCS / "evaluation.md").read_text(encoding="utf-8")
    for metric in METRICS.values():
        tasks = ", ".join(metric.tasks)
        formula = f"`{metric.formula}`" if metric.formula else ""
        cells = (f"`{metric.name}`", tasks, direction[metric.higher_is_better], metric.measures, formula)
        assert " ".join(" | ".join(("", *cells, metric.reference, "")).split()) in text
    for symbol, meaning in SYMBOLS.items():
        assert f"| `{symbol}` | {meaning} |" in text


def test_every_metric_that_is_not_a_count_has_a_formula() -> None:
    assert {name for name, metric in METRICS.items() if not metric.formula} == {"users", "triples", "pairs"}
    explained = {symbol for metric in METRICS.values() for symbol in symbols_in(metric.formula)}
    assert explained == set(SYMBOLS)


def test_the_documentation_names_every_model() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    assert not [name for name in MODELS if f"`{name}`" not in text]
    for model in MODELS.values():
        assert model.formula
        assert f"`{model.formula}`" in text
        for reference in filter(None, model.reference.split("; ")):
            system = reference.removeprefix("earlier system ")
            assert (reference if system == reference else f"\n| {system}, ") in text


def test_the_models_of_a_cluster_are_those_that_can_be_fitted_there() -> None:
    from movietui.models.cluster.fits import FITS

    assert set(CLUSTER_MODELS) == set(FITS)


def test_it_is_said_what_the_train_loss_of_each_network_is_measured_on() -> None:
    """A model that is fitted on a device is a network, and the train loss of a network is a mean over the epoch."""
    assert set(TRAIN_LOSSES) <= set(MODELS)
    assert {name for name, model in MODELS.items() if model.on_device} <= set(TRAIN_LOSSES)
