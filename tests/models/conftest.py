"""Failures of the model contract show values, as those of test files do."""

import pytest

pytest.register_assert_rewrite("tests.models.contract")
