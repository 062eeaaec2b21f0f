"""The locations of all files.

Files that can be fetched or computed again are in the cache, the user's preferences in the folder for configuration,
and all others in the data folder. The names of datasets and checkpoints become paths only here, so that such a path
never leads out of its folder.
"""

import contextlib
import os
import re
from pathlib import Path

import platformdirs

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import disk

APP = "movietui"
_DATASET = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CHECKPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")


def _root(kind: str) -> Path:
    home = os.environ.get("MOVIETUI_HOME")
    if home:
        return Path(home).expanduser().absolute() / kind
    return Path(platformdirs.user_cache_path(APP) if kind == "cache" else platformdirs.user_data_path(APP))


def downloads() -> Path:
    """Return the folder of downloaded archives."""
    return _root("cache") / "downloads"


def datasets() -> Path:
    """Return the folder of datasets, which holds their raw and cleaned tables as Parquet."""
    return _root("cache") / "datasets"


def is_dataset(name: object) -> bool:
    """Return whether this is a valid name of a dataset."""
    return isinstance(name, str) and bool(_DATASET.fullmatch(name))


def dataset(name: str) -> Path:
    """Return the folder of a dataset. Raises ``Problem`` if the name is invalid."""
    if not is_dataset(name):
        raise Problem(
            tr(
                "{name!r} cannot be the name of a dataset; use lower-case letters, digits, dots, hyphens and "
                "underscores, and start with a letter or digit.",
                name=name,
            )
        )
    return disk.inside(datasets(), name)


def stored_datasets() -> list[str]:
    """Return the names of all datasets on disk."""
    try:
        return sorted(
            folder.name
            for folder in datasets().iterdir()
            if is_dataset(folder.name) and (folder / "dataset.json").is_file()
        )
    except OSError:
        return []


def checkpoints() -> Path:
    """Return the folder of checkpoints, with a folder for each."""
    return _root("data") / "checkpoints"


def is_checkpoint(name: object) -> bool:
    """Return whether this is a valid name of a checkpoint."""
    return isinstance(name, str) and bool(_CHECKPOINT.fullmatch(name))


def checkpoint(name: str) -> Path:
    """Return the folder of a checkpoint. Raises ``Problem`` if the name is invalid."""
    if not is_checkpoint(name):
        raise Problem(tr("{name!r} cannot be the name of a checkpoint, so it is ignored; train again.", name=name))
    return disk.inside(checkpoints(), name)


def unfinished() -> Path:
    """Return the folder with the state of unfinished training, from which it can be resumed."""
    return _root("cache") / "unfinished"


def imdb() -> Path:
    """Return the folder of matches with IMDb that the user chose by hand, one file per dataset."""
    return _root("data") / "imdb"


def imdb_choices(name: str) -> Path:
    """Return the file of the matches that the user chose for a dataset. Raises ``Problem`` if the name is invalid."""
    return disk.inside(imdb(), f"{dataset(name).name}.json")


def config() -> Path:
    """Return the file with the user's preferences, such as key bindings; movietui never writes it."""
    home = os.environ.get("MOVIETUI_HOME")
    folder = Path(home).expanduser().absolute() if home else platformdirs.user_config_path(APP)
    return folder / "config.toml"


def store() -> Path:
    """Return the SQLite file of the store: profiles, ratings and runs."""
    return _root("data") / "movietui.sqlite3"


def backups() -> Path:
    """Return the folder where backups of the store go if the user gives no path."""
    return _root("data") / "backups"


def log() -> Path:
    """Return the file with the errors that nobody expected, for bug reports."""
    home = os.environ.get("MOVIETUI_HOME")
    folder = Path(home).expanduser().absolute() / "log" if home else platformdirs.user_log_path(APP)
    return folder / "movietui.log"


def bytes_in(folder: Path) -> int:
    """Return the total size of all files in a folder, in bytes."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size
    return total


def make_private() -> None:
    """Make existing folders and files private, because an earlier version let everybody read them."""
    for folder in (_root("cache"), _root("data"), downloads(), datasets(), unfinished()):
        disk.make_private(folder)
    for folder in (checkpoints(), imdb(), backups()):
        disk.make_private(folder)
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                disk.make_private(path)


def all_locations() -> dict[str, Path]:
    """Return all locations by name, as ``movietui locate`` lists them."""
    return {
        "downloads": downloads(),
        "datasets": datasets(),
        "checkpoints": checkpoints(),
        "unfinished": unfinished(),
        "imdb": imdb(),
        "store": store(),
        "backups": backups(),
        "config": config(),
        "log": log(),
    }
