"""Homes to attack. The real commands create them once, and each attempt gets a copy."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from movietui.data.storage import locations
from movietui.data.titles import movie_key
from movietui.protocol.viewers import profile
from movietui.store.ratings import Movie, Store
from tests.data.exports import LETTERBOXD, letterboxd_row, table
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.movietui.hostile import save_hostile

FOREIGN = (
    *("TEXTUAL_THEME", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "MOVIETUI_DEBUG", "COLUMNS", "LINES", "TEXTUAL"),
    *("PYTHONPATH", "BROWSER"),
)
"""Environment variables that somebody may have set, and that must not influence the campaign."""
LIMIT_SECONDS = 120.0
"""More time than any command of the campaign takes, even on a busy machine."""
ANNA = profile("anna")
RATED = (("Fargo", 1996, 4.0), ("Alien", 1979, 5.0), ("Titanic", 1997, 2.0), ("Casablanca", 1942, 4.5))
EXPORT = "ratings.csv"
"""The name of the Letterboxd table from ``furnish``: movies of the demo, some of them ambiguous, and an unknown one."""
TWINS = (("Brazil", 1985), ("Ran", 1985))
"""Movies that each match two titles in the IMDb tables of ``furnish``."""


@contextmanager
def at_home(home: Path, **more: str) -> Iterator[None]:
    """Use a home in this process and its children. ``more``: more environment variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FOREIGN:
            patch.delenv(name, raising=False)
        for name, value in {"MOVIETUI_HOME": str(home), "MOVIETUI_OFFLINE": "1", "TZ": "UTC", **more}.items():
            patch.setenv(name, value)
        yield


def command(*arguments: object) -> list[str]:
    """Return the command line that runs a subcommand."""
    return [sys.executable, "-m", "movietui", *map(str, arguments)]


def movietui(*arguments: object, seconds: float = LIMIT_SECONDS) -> subprocess.CompletedProcess[bytes]:
    """Run a subcommand in the current home until it ends; any exit code is allowed."""
    return subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)


def check_output(*arguments: object) -> bytes:
    """Run a subcommand that must succeed, and return its output."""
    process = movietui(*arguments)
    assert process.returncode == 0, f"{arguments}: {process.stderr.decode(errors='replace')}"
    return process.stdout


def make_demo(home: Path) -> None:
    """Create a home with the demo and two runs, and furnish it."""
    with at_home(home):
        check_output("train", "bias", "--dataset", "demo", "--set", "sweeps=3")
        check_output("train", "mf", "--dataset", "demo", "--set", "sweeps=6", "--set", "factors=4")
    furnish(home)


def furnish(home: Path) -> None:
    """Join a home's demo with IMDb, and add a profile with ratings, and a file to import."""
    with at_home(home):
        titles = [basics(11, "Fargo", 1996), basics(12, "Alien", 1979)]
        for number, (name, year) in enumerate(TWINS):
            titles += [basics(20 + 2 * number + twin, name, year) for twin in (0, 1)]
        votes = [rating(11, 900), *(rating(20 + number, 500) for number in range(2 * len(TWINS)))]
        write_tables(home / "imdb-tables", titles, votes, [crew(11, 21)], [person(21, "Joel Coen")])
        check_output("data", "imdb", "demo", "--from", home / "imdb-tables")
        with closing(Store(locations.store())) as store:
            for title, year, stars in RATED:
                store.rate(ANNA, Movie(movie_key(title, year), title, year), stars)
    rows = [
        letterboxd_row("Fargo", 1996, 3),
        letterboxd_row("Nowhere at all", 1950, 2),
        letterboxd_row("Heat", "", 5),
        letterboxd_row("Alien", 1981, 4),
    ]
    (home / EXPORT).write_bytes(table(LETTERBOXD["ratings.csv"], rows))


def make_hostile(home: Path) -> None:
    """Create a home with a dataset in which every text tries to break the screen, and a run on it."""
    with at_home(home):
        save_hostile()
        check_output("train", "bias", "--dataset", "hostile", "--set", "sweeps=3", "--cleaning", "standard")


@contextmanager
def copy_of(template: Path, copy: Path, **more: str) -> Iterator[Path]:
    """Copy a home, use the copy within the block, and remove it afterwards."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(template, copy)
    with at_home(copy, **more):
        try:
            yield copy
        finally:
            shutil.rmtree(copy, ignore_errors=True)


def environment(**more: str) -> Mapping[str, str]:
    """Return the current environment with more variables."""
    return {**os.environ, **more}
