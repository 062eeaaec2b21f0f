"""Where everything lies: downloads and datasets (can be fetched again), the rest (cannot)."""

import contextlib
import os
from pathlib import Path

import platformdirs

APP = "movietui"


def _root(kind: str) -> Path:
    home = os.environ.get("MOVIETUI_HOME")
    if home:
        return Path(home).expanduser().absolute() / kind
    return Path(platformdirs.user_cache_path(APP) if kind == "cache" else platformdirs.user_data_path(APP))


def downloads() -> Path:
    """Archives as they were published."""
    return _root("cache") / "downloads"


def datasets() -> Path:
    """Datasets as Parquet, raw and cleaned."""
    return _root("cache") / "datasets"


def sweeps() -> Path:
    """What sweeps over settings found so far, a file for each."""
    return _root("cache") / "sweeps"


def checkpoints() -> Path:
    """Trained models, a folder for each run."""
    return _root("data") / "checkpoints"


def unfinished() -> Path:
    """How far trainings are that may be cut off."""
    return _root("cache") / "unfinished"


def imdb() -> Path:
    """Which titles of IMDb a person said that movies are, a file for each dataset."""
    return _root("data") / "imdb"


def config() -> Path:
    """What the person wants to be otherwise, such as keys; nobody but them writes it."""
    home = os.environ.get("MOVIETUI_HOME")
    folder = Path(home).expanduser().absolute() if home else platformdirs.user_config_path(APP)
    return folder / "config.toml"


def store() -> Path:
    """The SQLite file with profiles, ratings and runs."""
    return _root("data") / "movietui.sqlite3"


def backups() -> Path:
    """Backups of the store that were given no place of their own."""
    return _root("data") / "backups"


def bytes_in(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(path, name)).st_size
    return total


def everything() -> dict[str, Path]:
    """All places by name, for ``movietui locate``."""
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
