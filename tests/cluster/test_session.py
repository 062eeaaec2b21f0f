"""The sentences that say why Spark cannot run; these tests need neither pyspark nor Java."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from movietui.cli import cli
from movietui.data.cluster import session


def test_without_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(cli, ["cluster", "clean", "own", "--from", "here", "--output", "there"])
    assert result.exit_code == 1
    assert result.stderr == "Spark is not installed; run pip install 'movietui[spark]', which takes about 520 MB.\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (None, "there is no java in JAVA_HOME, which is"),
        (
            "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2",
            "but .*java is version 11; install a later Java, or set JAVA_HOME",
        ),
        ("echo what >&2", "but .*java is of an unknown version"),
        ("\0", "does not start"),
        ("echo 'openjdk version \"17.0.15\" 2025-04-15' >&2", ""),
        ("echo 'openjdk version \"21\" 2023-09-19' >&2", ""),
    ],
)
def test_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, expected: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    if script:
        java.write_text(script if script == "\0" else f"#!/bin/sh\n{script}\n")
        java.chmod(0o755)
    sentence = session.missing_java()
    if not expected:
        assert sentence == ""
        return
    assert sentence.startswith("Spark needs Java 17 or later, ")
    assert re.search(expected, sentence), sentence


def test_a_master_that_does_not_exist() -> None:
    if sentence := session.missing():
        pytest.skip(sentence)
    code = "from movietui.cli import cli; cli()"
    arguments = ["cluster", "clean", "own", "--from", "here", "--output", "there", "--master", "nowhere://x"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith("Spark could not start with the master nowhere://x: ")
    assert done.stdout == ""
