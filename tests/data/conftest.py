"""Fixtures: every test has a separate, empty home folder for movietui and no network."""

from pathlib import Path

import pytest

from tests.data.files import contents, write_zip
from tests.data.joined import write_all


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("MOVIETUI_HOME", str(folder))
    monkeypatch.setenv("MOVIETUI_OFFLINE", "1")
    return folder


@pytest.fixture
def small_zip(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "small.zip", contents())


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder with the IMDb tables that ``tests.data.joined`` writes."""
    return write_all(tmp_path)
