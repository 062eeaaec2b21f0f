"""What a fresh process has loaded says how soon the first screen stands."""

import subprocess
import sys
from pathlib import Path

import pytest

import movietui

ROOT = Path(movietui.__file__).parent
DRAWING = sorted(
    f"movietui.{folder}.{path.stem}"
    for folder in ("screens", "widgets")
    for path in (ROOT / folder).glob("*.py")
    if path.stem != "__init__"
)
HEAVY = {"torch", "pandas", "numpy", "pyarrow", "scipy", "requests", "rapidfuzz"}


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_what_draws_loads_nothing_heavy() -> None:
    assert len(DRAWING) >= 9
    found = loaded("\n".join(f"import {name}" for name in ["movietui.app", *DRAWING]))
    assert "textual" in found
    assert not found & (HEAVY | {"models"})


@pytest.mark.parametrize("module", ["movietui.engine", "movietui.serving"])
def test_the_engine_loads_neither_torch_nor_pandas_nor_textual(module: str) -> None:
    found = loaded(f"import {module}")
    assert "numpy" in found
    assert not found & {"torch", "pandas", "textual", "requests"}


def test_serving_a_list_loads_neither_torch_nor_pandas(ready: Path) -> None:
    found = loaded(
        "from movietui.serving import Service\n"
        "from tests.movietui.homes import checkpoint_of\n"
        "service = Service()\n"
        "service.open('demo', 'standard', checkpoint_of('mf'))\n"
        "asked = [{'kind': 'user', 'id': '1', 'rated': []}]\n"
        "movie = service.rank(asked, 0.6, 0, 10)['rows'][0]['id']\n"
        "service.details(asked, movie); service.people('', 0, 10); service.datasets(); service.models()\n"
        "service.report('demo', 'standard'); service.show('demo', 'standard')\n"
    )
    assert not found & {"torch", "pandas", "textual", "requests"}


@pytest.mark.parametrize("module", ["movietui.cli", "movietui.__main__", "movietui.store", "movietui.children"])
def test_the_command_line_starts_light(module: str) -> None:
    assert not loaded(f"import {module}") & (HEAVY | {"textual", "models"})


@pytest.mark.parametrize("module", ["movietui.tasks", "movietui.jobs", "movietui.session"])
def test_what_works_without_a_screen_does_not_know_textual(module: str) -> None:
    assert not loaded(f"import {module}") & {"torch", "pandas", "textual"}


def test_app_stays_small() -> None:
    assert len((ROOT / "app.py").read_text("utf-8").splitlines()) < 300
