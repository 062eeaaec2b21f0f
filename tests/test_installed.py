"""The installed package has one top-level name, and runs beside foreign packages named ``data`` and ``models``."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = (
    "movietui/ui/app.tcss",
    "movietui/ui/data/screen.tcss",
    "movietui/store/schema/1_ratings.sql",
    "movietui/py.typed",
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Setuptools writes to the folder from which it builds, so it gets a copy, in which links stay links.
    hidden = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, folder / "source", symlinks=True, ignore=hidden)
    git = ["git", "-C", folder / "source", "-c", "user.name=x", "-c", "user.email=x"]
    for step in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message", "x"]):
        subprocess.run([*git, *step], check=True)
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, folder / "source"]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A function that runs Python in an environment with the wheel, foreign packages and our dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    variables = {"base": folder / "venv", "platbase": folder / "venv"}
    packages = Path(sysconfig.get_path("purelib", "venv", {name: str(path) for name, path in variables.items()}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    for name in ("data", "models"):
        (packages / name).mkdir()
        (packages / name / "__init__.py").write_text("raise ImportError('a foreign package')")
    (packages / "dependencies.pth").write_text("\n".join(part for part in sys.path if part.endswith("site-packages")))
    homes = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("DATA", "CACHE", "CONFIG", "STATE")}

    def run(*arguments: str, **options: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, **homes, "HOME": str(folder)}
        environment.pop("PYTHONPATH", None)
        return subprocess.run(
            [python, *arguments], cwd=packages, env=environment, capture_output=True, text=True, check=True, **options
        )

    return run


def test_the_wheel_has_one_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"movietui"}
    assert set(NEEDED) <= set(names)
    modules = {path.relative_to(ROOT) for top in ("data", "models") for path in (ROOT / top).rglob("*.py")}
    assert {f"movietui/{path}" for path in modules} <= set(names)


def test_the_wheel_has_a_man_page_for_each_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        pages = [name for name in archive.namelist() if "/data/share/man/man1/" in name]
        assert {Path(name).name for name in pages} >= {"movietui.1", "movietui-data-get.1", "movietui-sweep-start.1"}
        assert all(archive.read(name).startswith(b".TH ") for name in pages)


def test_an_installed_movietui_knows_its_commit(installed: Run, wheel: Path) -> None:
    git = ["git", "-C", wheel.parent / "source", "rev-parse", "HEAD"]
    head = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    assert f"(commit {head[:7]})" in installed("-m", "movietui", "--version").stdout


def test_the_command_line_runs_beside_foreign_packages(installed: Run) -> None:
    assert installed("-m", "movietui", "--version").stdout.startswith("movietui")
    assert "demo" in installed("-m", "movietui", "data", "get", "demo").stdout


def test_the_engine_runs_beside_foreign_packages(installed: Run) -> None:
    reply = installed("-m", "movietui.engine", input='{"id": 1, "do": "models", "arguments": {}}\n').stdout
    assert '"bayes"' in reply


def test_models_are_imported_from_movietui(installed: Run) -> None:
    assert "bayes" in installed("-c", "from movietui import models; print(list(models.MODELS))").stdout
