"""A fresh process loads only the modules that it needs. They decide how soon the first screen appears."""

import subprocess
import sys
from pathlib import Path

import pytest

import movietui

ROOT = Path(movietui.__file__).parent
DRAWING = sorted(
    ".".join(("movietui", *path.relative_to(ROOT).with_suffix("").parts))
    for path in (ROOT / "ui").rglob("*.py")
    if path.stem != "__init__"
)
HEAVY = {"torch", "pandas", "numpy", "pyarrow", "scipy", "requests", "rapidfuzz"}
LIGHT_MODELS = {"movietui.models", "movietui.models.choices"}
"""The lazy package and the one module in it that imports only the standard library."""


def loaded(code: str) -> set[str]:
    process = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = process.stdout.split()
    return {name.partition(".")[0] for name in names} | {name for name in names if name.startswith("movietui.")}


def models_of(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith("movietui.models")}


def test_the_app_loads_nothing_heavy() -> None:
    assert len(DRAWING) > 30
    result = loaded("\n".join(f"import {name}" for name in ["movietui.ui.app", *DRAWING]))
    assert "textual" in result
    assert not result & HEAVY
    assert models_of(result) <= LIGHT_MODELS


def test_the_engine_loads_neither_torch_nor_pandas_nor_textual() -> None:
    # The engine gives signs of life before it loads numpy, which may take long.
    assert "numpy" not in loaded("import movietui.engine.__main__")
    result = loaded("import movietui.engine.__main__, movietui.engine.service")
    assert "numpy" in result
    assert not result & {"torch", "pandas", "textual", "requests"}


def test_serving_a_list_loads_neither_torch_nor_pandas(ready: Path) -> None:
    result = loaded(
        "from movietui.engine.service import Service\n"
        "from tests.movietui.homes import checkpoint_of\n"
        "service = Service()\n"
        "service.open(dataset='demo', cleaning='standard', checkpoint=checkpoint_of('mf'))\n"
        "asked = [{'kind': 'user', 'id': '1', 'rated': [], 'seen': [], 'hidden': []}]\n"
        "movie = service.rank(query={'viewers': asked, 'misery': 0.6}, offset=0, limit=10)['rows'][0]['id']\n"
        "service.movie_details(viewers=asked, movies=[movie]); service.find_users(search='', offset=0, limit=10)\n"
        "service.datasets(); service.models(); of_demo = {'dataset': 'demo', 'cleaning': 'standard'}\n"
        "service.cleaning_report(**of_demo); service.dataset_summary(**of_demo)\n"
    )
    assert not result & {"torch", "pandas", "textual", "requests"}


@pytest.mark.parametrize("module", ["movietui.cli", "movietui.__main__", "movietui.store.ratings", "movietui.ui.start"])
def test_commands_load_nothing_heavy_at_the_start(module: str) -> None:
    result = loaded(f"import {module}")
    assert not result & (HEAVY | {"textual"})
    assert models_of(result) <= LIGHT_MODELS


@pytest.mark.parametrize("module", ["movietui.jobs.train", "movietui.jobs.__main__", "movietui.state.session"])
def test_modules_without_a_screen_do_not_load_textual(module: str) -> None:
    assert not loaded(f"import {module}") & {"torch", "pandas", "textual"}
