"""Keeps Python from looking for code in the folder in which movietui happens to be started.

Children are started with ``-P``. With ``-I``, they would not find a movietui that is in a checkout, in a folder of
PYTHONPATH or in a user's site-packages. ``-P`` leaves one gap, which this module closes: an empty entry of PYTHONPATH,
left by a stray colon, also means the working folder.

Until ``leave_working_folder`` has run, import only modules that Python itself loads when it starts.
"""

import os
import site
import sys

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
"""The folder that contains the package movietui."""


def leave_working_folder() -> None:
    """Remove the working folder, which ``python -m`` searches first, from ``sys.path``.

    The folder stays if it contains movietui or installed packages, if it belongs to Python's standard library, or if
    PYTHONPATH names it.
    """
    here = os.path.realpath(os.curdir)
    if here == HOME or here in [*_installed(), *map(os.path.realpath, _python_path())]:
        return
    if not f"{here}/".startswith(f"{os.path.realpath(os.path.dirname(os.__file__))}/"):
        sys.path[:] = [part for part in sys.path if os.path.realpath(part) != here]


def command(module: str, *options: str) -> list[str]:
    """Return the command that runs a module of movietui in a child."""
    return [sys.executable, "-P", "-m", module, *options]


def environment() -> dict[str, str]:
    """Return the environment for a child: ours, with ``HOME`` added to PYTHONPATH if the child needs it there.

    Entries of PYTHONPATH that mean the working folder are removed.
    """
    parts = _python_path()
    if HOME not in [*_installed(), *map(os.path.realpath, parts)]:
        parts.insert(0, HOME)
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**rest, "PYTHONPATH": os.pathsep.join(parts)} if parts else rest


def _installed() -> list[str]:
    return [os.path.realpath(folder) for folder in (*site.getsitepackages(), site.getusersitepackages())]


def _python_path() -> list[str]:
    """Return the folders of PYTHONPATH, without entries that mean the working folder."""
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [os.path.abspath(part) for part in parts if part not in ("", os.curdir)]
