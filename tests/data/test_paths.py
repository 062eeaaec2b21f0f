"""Paths in all the ways in which terminals and file managers paste them."""

from pathlib import Path

import pytest

from movietui.data.storage.paths import pasted


@pytest.mark.parametrize(
    "text",
    [
        "{}/my films (1).zip",
        "'{}/my films (1).zip'",
        '"{}/my films (1).zip" ',
        r"{}/my\ films\ \(1\).zip",
        "file://{}/my%20films%20(1).zip\n",
        "file://localhost{}/my%20films%20%281%29.zip",
        "~/my films (1).zip",
        "'~/my films (1).zip'",
    ],
)
def test_pasted_paths(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pasted(text.format(tmp_path)) == tmp_path / "my films (1).zip"


@pytest.mark.parametrize("name", ["it's.csv", "'quoted'", r"back\slash.csv", " space ", "50%20.csv"])
def test_an_existing_path_is_taken_literally(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.touch()
    assert pasted(str(path)) == path


@pytest.mark.parametrize("text", ["a\0b", "~nobody-of-this-name/x.zip", "'", ""])
def test_text_that_is_not_a_path_causes_no_error(text: str) -> None:
    assert isinstance(pasted(text), Path)
