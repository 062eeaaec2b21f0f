"""Sorting the movies of a list."""

import doctest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from movietui.data.dataset import Floats
from movietui.models import sorting

FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, np.inf, -np.inf])
ANY = st.floats(allow_nan=False, width=32)


@given(arrays(np.float32, st.integers(0, 50), elements=FEW | ANY))
def test_equal_values_keep_their_order(values: Floats) -> None:
    assert sorting.best_first(values).tolist() == np.argsort(-values, kind="stable").tolist()


def test_examples() -> None:
    assert not doctest.testmod(sorting).failed
