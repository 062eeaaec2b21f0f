"""Single users of a dataset on a cluster are read without Spark."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data.dataset import Users
from movietui.data.problems import Problem
from movietui.data.storage.remote_view import find, view
from movietui.models.base import history_of
from tests.cluster.stored import store
from tests.models.builders import tastes

DATASET = tastes()[0]


@pytest.mark.parametrize("prefix", ["", "u"])
def test_users_are_found_by_ids_that_are_numbers_or_texts(tmp_path: Path, prefix: str) -> None:
    ids = tuple(f"{prefix}{100 + row}" for row in range(len(DATASET.users)))
    stored = store(replace(DATASET, users=Users(ids)), tmp_path / "cluster")
    read = view(stored).read_users([ids[15], ids[3]])
    assert read.users.ids == (ids[15], ids[3])
    for row, theirs in enumerate((15, 3)):
        mine, expected = history_of(read, row), history_of(DATASET, theirs)
        order, expected_order = np.argsort(mine.movies), np.argsort(expected.movies)
        np.testing.assert_array_equal(mine.movies[order], expected.movies[expected_order])
        np.testing.assert_array_equal(mine.stars[order], expected.stars[expected_order])
        assert mine.user is None  # no model knows the row
    np.testing.assert_array_equal(read.counts, DATASET.counts)
    assert read.mean_of(3) == pytest.approx(DATASET.mean_of(3))
    for nobody in ("99", "x", ""):
        with pytest.raises(Problem, match="has no user"):
            view(stored).read_users([nobody])


def test_a_dataset_is_found_only_with_its_fingerprint(tmp_path: Path) -> None:
    assert find("planted") is None
    stored = store(DATASET, tmp_path / "cluster")
    assert find("planted") is not None
    assert find("planted", stored.fingerprint) is not None
    assert find("planted", "another") is None
