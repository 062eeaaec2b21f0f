"""Examples in docstrings hold, and failures of the model contract show values."""

import doctest
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import movietui.models
from movietui.models.choices import METRICS
from movietui.models.popularity import Popularity
from tests.models.contract import ModelContract

ROOT = Path(movietui.models.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(("movietui.models", *path.relative_to(ROOT).with_suffix("").parts))
    for path in ROOT.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings_hold(module: str) -> None:
    with np.printoptions(legacy="1.25"):
        tried = doctest.testmod(import_module(module))
    assert tried.attempted > 0
    assert tried.failed == 0


def test_every_metric_has_an_example() -> None:
    source = (ROOT / "metrics.py").read_text(encoding="utf-8")
    examples = "\n".join(example.want for example in doctest.DocTestParser().get_examples(source))
    functions = {
        "recall@10": ">>> recall(",
        "recall@20": ">>> recall(",
        "coverage80": "",
        "users": "",
        "rmse_undated": "",
        "rmse_margin": ">>> rmse_margin(",
    }
    functions |= {"ndcg@10_margin": ">>> margin(", "map@10": ">>> average_precision(", "mrr": ">>> reciprocal_rank("}
    for name in METRICS:
        shown = functions.get(name, f">>> {name.partition('@')[0]}(")
        assert shown in source or f"'{name}'" in examples


def test_a_failure_of_the_contract_shows_values() -> None:
    class Unregistered(Popularity):
        """A model that the registry lacks."""

    class Contract(ModelContract):
        """The tests of ``Unregistered``."""

        kind = Unregistered

    with pytest.raises(AssertionError, match=r"assert <class .*Popularity'> is <class .*Unregistered'>"):
        Contract().test_is_registered_under_its_name()
