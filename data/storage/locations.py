"""Where all files are: downloads and datasets, which can be fetched again, and the rest, which cannot.

Paths that contain a name, such as that of a dataset or checkpoint, are made only here, so that they are always inside
their folder.
"""

import contextlib
import os
import re
from pathlib import Path

import platformdirs

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
    """Return the folder of datasets as Parquet, raw and cleaned."""
    return _root("cache") / "datasets"


def is_dataset(name: object) -> bool:
    """Return whether this is a valid name of a dataset."""
    return isinstance(name, str) and bool(_DATASET.fullmatch(name))


def dataset(name: str) -> Path:
    """Return the folder of a dataset. Raises ``Problem`` if the name is invalid."""
    if not is_dataset(name):
        raise Problem(
            f"{name!r} cannot be the name of a dataset; use lower-case letters, digits, dots, hyphens and underscores, "
            "and start with a letter or digit."
        )
    return disk.inside(datasets(), name)


def sweeps() -> Path:
    """Return the folder of results of settings sweeps, one file each."""
    return _root("cache") / "sweeps"


def checkpoints() -> Path:
    """Return the folder of trained models, with a folder for each run."""
    return _root("data") / "checkpoints"


def is_checkpoint(name: object) -> bool:
    """Return whether this is a valid name of a checkpoint: a name, never a path."""
    return isinstance(name, str) and bool(_CHECKPOINT.fullmatch(name))


def checkpoint(name: str) -> Path:
    """Return the folder of a run's trained model. Raises ``Problem`` if the name is invalid."""
    if not is_checkpoint(name):
        raise Problem(f"{name!r} cannot be the name of a checkpoint, so it is ignored; train again.")
    return disk.inside(checkpoints(), name)


def unfinished() -> Path:
    """Return the folder that holds the state of interruptible training runs."""
    return _root("cache") / "unfinished"


def imdb() -> Path:
    """Return the folder of the matches with IMDb that the user settled by hand, one file per dataset."""
    return _root("data") / "imdb"


def imdb_choices(name: str) -> Path:
    """Return the file of a dataset's matches settled by hand. Raises ``Problem`` if the name is invalid."""
    return disk.inside(imdb(), f"{dataset(name).name}.json")


def config() -> Path:
    """Return the file of the user's preferences, such as keys; only the user writes it."""
    home = os.environ.get("MOVIETUI_HOME")
    folder = Path(home).expanduser().absolute() if home else platformdirs.user_config_path(APP)
    return folder / "config.toml"


def store() -> Path:
    """Return the SQLite file with profiles, ratings and runs."""
    return _root("data") / "movietui.sqlite3"


def backups() -> Path:
    """Return the folder of store backups for which no path was given."""
    return _root("data") / "backups"


def bytes_in(folder: Path) -> int:
    """Return the total size of all files in a folder, in bytes."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size
    return total


def make_private() -> None:
    """Make existing folders private: an earlier version created them readable for everybody."""
    for folder in (_root("cache"), _root("data"), downloads(), datasets(), sweeps(), unfinished()):
        disk.make_private(folder)
    for folder in (checkpoints(), imdb(), backups()):
        disk.make_private(folder)
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                disk.make_private(path)


def all_locations() -> dict[str, Path]:
    """Return all locations by name, for ``movietui locate``."""
    return {
        "downloads": downloads(),
        "datasets": datasets(),
        "sweeps": sweeps(),
        "checkpoints": checkpoints(),
        "unfinished": unfinished(),
        "imdb": imdb(),
        "store": store(),
        "backups": backups(),
        "config": config(),
    }
