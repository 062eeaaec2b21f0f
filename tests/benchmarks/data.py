"""Measure how fast a dataset is read and with how much memory, for 100 thousand ratings up to the 32 million of ML-32M.

    python -m tests.benchmarks.data [--rows 100k,1m,32m] [--ml-1m PATH] [--rounds 5]

Prints a table with one line per size: the seconds and peak memory of three steps in fresh processes. The first turns
CSV files into a cleaned and cached dataset, the second loads the dataset from the cache, and the third reads only
``ratings.csv``, with pandas. Given the published archive with ``--ml-1m``, the benchmark also times, in turn and in one
process: reading the archive into a dataset, loading the dataset from the cache, and reading the same files with pandas
(``sep="::", engine="python"``).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import click

from tests.benchmarks.generate import generate, rows_of

BEGIN = (
    "import json, sys, time; from pathlib import Path; from movietui.data import catalogue\n"
    "start = time.perf_counter()\n"
)
END = "\nprint(json.dumps(time.perf_counter() - start))"
MAKE = "catalogue.get('made', Path(sys.argv[1])); catalogue.load('made')"
LOAD = "catalogue.load('made')"
PANDAS = "import pandas; pandas.read_csv(sys.argv[1] + '/ratings.csv')"


def measured(code: str, folder: Path, home: Path) -> tuple[float, float]:
    """Run code in a fresh process; return the seconds it takes without startup, and the peak memory in MB."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code + END, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "MOVIETUI_HOME": str(home)},
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException(f"{code} failed")
    return json.loads(output.splitlines()[-1]), usage.ru_maxrss / 1000


def scale(rows: int) -> dict[str, float]:
    """Generate a dataset with this many ratings; read, clean and load it. Return the seconds and the peak memory."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, home = Path(scratch, "files"), Path(scratch, "home")
        began = time.perf_counter()
        generate(folder, rows)
        generated = time.perf_counter() - began
        built, built_memory = measured(MAKE, folder, home)
        loaded, loaded_memory = zip(*(measured(LOAD, folder, home) for _ in range(3)), strict=True)
        plain, plain_memory = measured(PANDAS, folder, home)
    return {
        "rows": rows,
        "generate s": generated,
        "csv→Dataset s": built,
        "peak MB": built_memory,
        "cache→Dataset s": statistics.median(loaded),
        "its peak MB": max(loaded_memory),
        "pandas csv s": plain,
        "its peak MB ": plain_memory,
    }


def published(path: Path, rounds: int) -> dict[str, float]:
    """Read ML-1M without the cache, from the cache, and with pandas, in turn; return median seconds and ratios."""
    from movietui.data import catalogue

    def plain() -> None:
        import pandas

        names = {"ratings": "user movie stars time", "movies": "movie title genres", "users": "user sex age job zip"}
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if (table := Path(member).stem) in names and member.endswith(".dat"):
                    with archive.open(member) as file:
                        pandas.read_csv(file, sep="::", engine="python", names=names[table].split(), encoding="latin-1")

    def cold() -> None:
        with tempfile.TemporaryDirectory() as home:
            os.environ["MOVIETUI_HOME"] = home
            catalogue.get("one", path)
            catalogue.load("one")

    def timed(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as home:
        os.environ["MOVIETUI_HOME"] = home
        catalogue.get("one", path)
        catalogue.load("one")
        seconds: dict[str, list[float]] = {"zip→Dataset s": [], "cache→Dataset s": [], "pandas s": []}
        for _ in range(rounds):
            seconds["zip→Dataset s"].append(timed(cold))
            os.environ["MOVIETUI_HOME"] = home
            seconds["cache→Dataset s"].append(timed(lambda: catalogue.load("one")))
            seconds["pandas s"].append(timed(plain))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        **medians,
        "pandas / zip": medians["pandas s"] / medians["zip→Dataset s"],
        "pandas / cache": medians["pandas s"] / medians["cache→Dataset s"],
    }


def _print(rows: list[dict[str, float]]) -> None:
    widths = {name: max(len(name), 11) for name in rows[0]}
    print("  ".join(f"{name:>{width}}" for name, width in widths.items()), flush=True)
    for row in rows:
        cells = (f"{row[name]:,.0f}" if "MB" in name or name == "rows" else f"{row[name]:.2f}" for name in widths)
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths.values(), strict=True)), flush=True)


@click.command()
@click.option("--rows", default="100k,1m,32m", show_default=True, help="Sizes, separated by commas.")
@click.option("--ml-1m", "path", type=click.Path(exists=True, path_type=Path), help="The archive ml-1m.zip.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="How many times to read ML-1M.")
def main(rows: str, path: Path | None, rounds: int) -> None:
    """Measure how fast datasets are read, and with how much memory."""
    _print([scale(rows_of(size)) for size in rows.split(",")])
    if path is not None:
        print()
        _print([published(path, rounds)])


if __name__ == "__main__":
    main()
