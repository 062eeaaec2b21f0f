"""A short run of the benchmark of ``movietui cluster``."""

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.benchmarks.cluster import STEPS, difference, main
from tests.cluster.conftest import MASTER
from tests.data.files import contents, write_folder


@pytest.mark.skipif(not os.environ.get(MASTER), reason="make test-cluster runs the tests that need Spark")
def test_the_benchmark_prints_a_line_for_each_step_and_compares_with_one_machine(tmp_path: Path) -> None:
    release = write_folder(tmp_path / "release", contents(layout="ml-1m"))
    arguments = ["--ratings", "20k", "--models", "mf", "--set", "sweeps=2", "--master", "local[2]", "--from"]
    result = CliRunner().invoke(main, [*arguments, str(release)])
    assert result.exit_code == 0, result.output
    for step in STEPS[:-1]:
        figures = rf"20k +{step}( +[\d.,]+){{3}} +1\.00( +[\d,]+){{4}}\n"
        assert re.search(figures, result.stdout)
    for preset in ("none", "standard"):
        assert re.search(rf"cleaning {preset}: \d+ rules, \d+ ratings left, the same counts", result.stdout)
    errors = re.search(r"mf +(\S+) +(\S+) +(\S+)  equal", result.stdout)
    assert errors
    assert errors[2] == errors[3]
    assert float(errors[1]) == pytest.approx(float(errors[2]), abs=1e-4)


def test_parameters_that_differ_are_apart() -> None:
    import numpy as np

    one = {"a": np.zeros(2, np.float32), "b": np.zeros(0, np.float32)}
    assert difference(one, {**one}) == 0
    assert difference(one, {**one, "a": np.asarray([0, 0.5], np.float32)}) == 0.5
