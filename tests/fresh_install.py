"""Tries a wheel on several Pythons, each in a fresh environment: ``python -m tests.fresh_install WHEEL PYTHON...``.

torch is left out: it is large, and without it everything but training most models must work. The test suite runs with
torch. Pythons that are not installed are skipped.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from email.parser import BytesParser
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
COMMANDS = (
    ("--version",),
    ("train", "bias", "--dataset", "demo"),
    ("recommend", "--user", "1", "--dataset", "demo"),
)


def dependencies_of(wheel: Path) -> list[str]:
    """Return the requirements of a wheel, without those of extras and without torch."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = BytesParser().parsebytes(archive.read(path)).get_all("Requires-Dist", [])
    return [line for line in lines if "extra ==" not in line and Requirement(line).name != "torch"]


def version_of(python: str) -> str:
    """Return the version of a Python; empty if it is not installed."""
    try:
        printed = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return printed.strip()


def check(python: str, wheel: Path) -> None:
    """Install a wheel into a fresh environment, and make a list of the demo there, offline.

    Raises ``subprocess.CalledProcessError`` if anything fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MOVIETUI_HOME": f"{folder}/home", "MOVIETUI_OFFLINE": "1"}
        environment.pop("PYTHONPATH", None)
        # Elsewhere, so that pip does not take the checkout, from which the wheel was built, for an installed movietui.
        run = partial(subprocess.run, check=True, cwd=folder, env=environment)
        run([python, "-m", "venv", folder])
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet"]
        run([*pip, "-c", CONSTRAINTS, *dependencies_of(wheel)])
        run([*pip, "--no-deps", wheel])
        for command in COMMANDS:
            run([f"{folder}/bin/movietui", *command])


def main() -> None:
    """Try the wheel on each Python; exit with 1 if there is none."""
    wheel, *pythons = sys.argv[1:]
    tried = 0
    for python in pythons:
        if version := version_of(python):
            print(f"{version}:", flush=True)
            check(python, Path(wheel).resolve())
            tried += 1
        else:
            print(f"{python} is not installed, so it is skipped.", flush=True)
    sys.exit(None if tried else "No Python to try the wheel on; name one: make dist PYTHONS=...")


if __name__ == "__main__":
    main()
