"""Makes pytest show values when a test of the model contract fails, as it does for tests in test files."""

import pytest

pytest.register_assert_rewrite("tests.models.contract")
