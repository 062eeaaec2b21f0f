"""Benchmarks run seldom, so that a function they use may be renamed unnoticed."""

import importlib
import pkgutil
from pathlib import Path

import pytest

from tests import benchmarks

MODULES = [each.name for each in pkgutil.walk_packages(benchmarks.__path__, f"{benchmarks.__name__}.")]


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_finds_all_that_it_imports(name: str) -> None:
    importlib.import_module(name)


def test_all_benchmarks_are_here() -> None:
    files = {path.stem for path in Path(*benchmarks.__path__).rglob("*.py")} - {"__init__"}
    assert files == {name.rpartition(".")[2] for name in MODULES} - {"campaign"}
