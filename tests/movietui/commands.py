"""What tests of commands ask of an answer."""

import json
import re
from collections.abc import Callable
from typing import Any

from click.testing import Result

Run = Callable[..., Result]


def document(result: Result) -> Any:
    """Return the one JSON document on standard output."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: Result, expected: str, code: int = 1) -> None:
    """Check that the command printed only one sentence, which says what is wrong and what to do."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert re.search(expected, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert "please report it" not in result.stderr
    if code == 1:
        assert result.stderr.endswith((".\n", "?\n"))
        assert result.stderr.count("\n") == 1


def given(result: dict[str, Any], *fields: str) -> None:
    assert set(fields) <= set(result)
