"""Runs commands in this process, and checks what they print."""

import json
import re
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner, Result

from movietui.cli import cli

Run = Callable[..., Result]


def invoke(*arguments: object) -> Result:
    """Run a command, and return what it printed and its exit code."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def document(result: Result) -> Any:
    """Return the JSON document on standard output, which must be the only one."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: Result, expected: str, code: int = 1) -> None:
    """Check that a command failed with this exit code and printed only a message that matches ``expected``.

    With exit code 1, the message must be one line that ends like a sentence. With exit code 2, the message is from
    click and may have several lines.
    """
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert re.search(expected, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert "please report it" not in result.stderr
    if code == 1:
        assert result.stderr.endswith((".\n", "?\n"))
        assert result.stderr.count("\n") == 1


def check_fields(result: dict[str, Any], *fields: str) -> None:
    assert set(fields) <= set(result)
