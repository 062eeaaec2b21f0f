"""Everything but training works where torch is missing or broken, and training says in one sentence what to install."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.models import MODELS
from movietui.protocol.jobs import TrainJob
from movietui.state.child_processes import warm_job
from movietui.store.ratings import Store
from tests.data.files import contents, write_zip

BROKEN = "raise OSError('libtorch_cpu.so: cannot open shared object file')"
NEEDED = (
    "mf cannot be trained: PyTorch is broken (OSError); reinstall the package torch, or train a model that needs none, "
    "such as bias."
)
COMMANDS = """
import json, sys
from click.testing import CliRunner
from movietui.cli import cli
results = [CliRunner().invoke(cli, arguments) for arguments in json.loads(sys.argv[1])]
print(json.dumps([(each.exit_code, each.stdout, each.stderr) for each in results]))
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let child processes find a broken torch."""
    folder = tmp_path / "packages"
    (folder / "torch").mkdir(parents=True)
    (folder / "torch" / "__init__.py").write_text(BROKEN)
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(root)]))


def results_of(*commands: list[Any]) -> list[tuple[int, str, str]]:
    """Return exit code, output and error messages of commands that run one after the other in a new process."""
    listed = json.dumps([[*map(str, command)] for command in commands])
    process = subprocess.run([sys.executable, "-c", COMMANDS, listed], capture_output=True, text=True, check=True)
    return [tuple(each) for each in json.loads(process.stdout)]


def test_commands_work_with_a_broken_torch(ready: Path, broken: None, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "own.zip", contents())
    imported, exported = tmp_path / "imported.csv", tmp_path / "exported.csv"
    imported.write_text("Title,Year,Rating\nFilm Number 3,1995,4\n")
    without = [name for name, model in MODELS.items() if not model.needs_torch]
    *worked, refused = results_of(
        ["data", "get", "own", "--from", archive],
        ["rate", "Film Number 2 (1995)", "5", "--profile", "anna", "--dataset", "own"],
        ["import", imported, "--profile", "anna", "--dataset", "own"],
        ["export", "--profile", "anna", "--format", "csv", "--output", exported, "--dataset", "own"],
        ["recommend", "--profile", "anna", "--dataset", "demo", "--model", "mf"],
        *(["train", name, "--dataset", "own"] for name in without),
        ["recommend", "--profile", "anna", "--dataset", "own", "--model", without[-1]],
        ["train", "mf", "--dataset", "own"],
    )
    assert [(code, error) for code, _, error in worked if code] == []
    assert "Film Number 3" in exported.read_text()
    assert refused == (1, "", f"{NEEDED}\n")


async def test_a_job_says_what_training_needs(ready: Path, broken: None) -> None:
    request: TrainJob = {"do": "train", "model": "mf", "dataset": "demo", "cleaning": "standard"}
    async with warm_job() as job:
        events = [event async for event in job.events(request)]
    assert events[-1] == {"event": "failed", "problem": NEEDED}


async def test_a_torch_that_ends_python_is_noticed(ready: Path, broken: None) -> None:
    torch = Path(os.environ["PYTHONPATH"].split(os.pathsep)[0]) / "torch" / "__init__.py"
    torch.write_text("import os; os._exit(3)")
    async with warm_job() as job:
        assert await job.torch_defect() == "PyTorch is broken (it ends Python); reinstall the package torch"


def test_the_first_list_needs_no_torch(home: Path, broken: None) -> None:
    command = [sys.executable, "-m", "movietui", "ask", "--dataset", "demo"]
    process = subprocess.run(command, input="new anna\nrate 1 5\nquit\n", capture_output=True, text=True, check=True)
    assert "PyTorch is broken (OSError); reinstall the package torch for better models." in process.stdout
    assert "Movies for anna" in process.stdout
    assert "rated " in process.stdout
    assert process.stderr == ""
    store = Store(locations.store())
    assert [(run.model, run.state) for run in store.runs()] == [("user-knn", "done")]
    store.close()


INTERRUPTED = """
import ctypes
run = ctypes.pythonapi.PyRun_String
run.restype, run.argtypes = ctypes.py_object, (ctypes.c_char_p, ctypes.c_int, ctypes.py_object, ctypes.py_object)
run(b"raise KeyboardInterrupt", 257, {}, {})
"""
"""What the extension modules of torch do when ctrl+c interrupts them: Python then ends by SIGINT by itself."""


def test_an_interrupted_import_of_torch_ends_with_the_documented_code(ready: Path, broken: None) -> None:
    torch = Path(os.environ["PYTHONPATH"].split(os.pathsep)[0]) / "torch" / "__init__.py"
    torch.write_text(INTERRUPTED)
    command = [sys.executable, "-m", "movietui", "train", "mf", "--dataset", "demo"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (130, "", "Stopped.\n")


def test_a_model_says_that_torch_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # the next import fails as if there were no such package
    with pytest.raises(Problem, match="mf cannot be trained: PyTorch is not installed; install the package torch,"):
        MODELS["mf"].check_torch()
    MODELS["bias"].check_torch()
