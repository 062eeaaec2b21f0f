"""Measure each step from files to lists, on invented datasets of up to 32 million ratings.

    python -m tests.benchmarks.large [--rows 1m,8m,32m] [--rounds 3] [--only STEP]... [--minutes 20] [--keep FOLDER]

Each step runs in fresh processes. Seconds and peak memory are medians of the rounds; ``blend`` is measured only once:

    first list      get the dataset from a folder, train popularity, recommend
    mf, ease        train the model, with its metrics
    blend           train blend within --minutes, with its metrics
    bayes           the set-up of the sampler with 32 factors, and a sweep after it
    rating          fold in and rank again after a rating, with blend: median and 95th percentile
    start           load the dataset and blend, and rank

``rating`` and ``start`` need the blend that ``blend`` trains. If a step fails, the benchmark ends.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click

from tests.benchmarks.generate import generate, rows_of

NAME = "made"
STEPS = ("first list", "mf", "ease", "bayes", "blend", "rating", "start")
ONCE = ("blend",)
"""Steps that take many minutes and are measured once."""
BAYES = """
import json, time
from movietui.data import catalogue
from movietui.models.bayes import BayesSettings
from movietui.models.training.bayes import fit
dataset = catalogue.load('made')
began = time.perf_counter()
at = []
fit(dataset, None, BayesSettings(factors=32, sweeps=3, samples=1), 0, lambda epoch: at.append(time.perf_counter()))
sweep = (at[2] - at[0]) / 2
print(json.dumps({'sweep s': sweep, 'set-up s': at[0] - began - sweep}))
"""
SERVE = """
import json, os, time
began = time.perf_counter()
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')  # as the engine does, before numpy is imported
import contextlib
import numpy as np
from movietui.answers.lists import served
from movietui.data.storage import locations
from movietui.models.base import History, history_of
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.store.ratings import Store
with contextlib.closing(Store(locations.store())) as store:
    dataset, model = served(store, 'made')
ranker = Ranker(dataset, model)
history = history_of(dataset, 7)
ranker.rank([Viewer('user', '8', history)])
result = {'start s': time.perf_counter() - began}
seconds = []
for movie in np.setdiff1d(np.argsort(-dataset.counts)[:200], history.movies)[:60].tolist():
    history = History(np.append(history.movies, np.int32(movie)), np.append(history.stars, np.float32(4)), 7)
    began = time.perf_counter()
    ranker.rank([Viewer('user', '8', history)])
    seconds.append(time.perf_counter() - began)
result |= {'median ms': 1000 * float(np.median(seconds)), 'p95 ms': 1000 * float(np.quantile(seconds, 0.95))}
print(json.dumps(result))
"""


def run(home: Path, *arguments: str) -> tuple[dict[str, float], str]:
    """Run a Python process; return its seconds and peak memory in MB, and what it prints."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "MOVIETUI_HOME": str(home), "MOVIETUI_OFFLINE": "1"},
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException(f"{' '.join(arguments)[:80]} failed: {errors.strip().splitlines()[-1:]}")
    return {"s": time.perf_counter() - began, "MB": usage.ru_maxrss / 1000}, output


def movietui(home: Path, *arguments: str) -> dict[str, float]:
    """Run a command of movietui; return its seconds and peak memory in MB."""
    return run(home, "-m", "movietui", *arguments)[0]


def measure(step: str, home: Path, files: Path, minutes: float) -> Mapping[str, float]:
    """Do a step and return its figures by name."""
    if step == "first list":
        parts = [
            movietui(home, "data", "get", NAME, "--from", str(files)),
            movietui(home, "train", "popularity", "--dataset", NAME),
            movietui(home, "recommend", "--user", "8", "--dataset", NAME),
        ]
        return {"s": sum(part["s"] for part in parts), "MB": max(part["MB"] for part in parts)}
    if step == "bayes":
        memory, output = run(home, "-c", BAYES)
        return {**json.loads(output.splitlines()[-1]), "MB": memory["MB"]}
    if step in ("rating", "start"):
        memory, output = run(home, "-c", SERVE)
        figures = json.loads(output.splitlines()[-1])
        named = ("start s",) if step == "start" else ("median ms", "p95 ms")
        return {**{name: figures[name] for name in named}, "MB": memory["MB"]}
    settings = ("--set", f"minutes={minutes}") if step == "blend" else ()
    return movietui(home, "train", step, "--dataset", NAME, *settings)


@click.command()
@click.option("--rows", default="1m,8m,32m", show_default=True, help="Sizes, separated by commas.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--only", multiple=True, type=click.Choice(STEPS), help="Only these steps.")
@click.option("--minutes", default=20.0, show_default=True, help="The minutes that blend may take.")
@click.option("--keep", type=click.Path(path_type=Path), help="Use this folder, and what is in it already.")
def main(rows: str, rounds: int, only: tuple[str, ...], minutes: float, keep: Path | None) -> None:
    """Measure the steps for each size, and print a line for each step."""
    for size in rows.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            folder = (keep or Path(scratch)) / size
            files, home = folder / "files", folder / "home"
            if not files.exists():
                generate(files, rows_of(size))
            for step in only or STEPS:
                figures = [measure(step, home, files, minutes) for _ in range(1 if step in ONCE else rounds)]
                medians = {name: statistics.median(each[name] for each in figures) for name in figures[0]}
                line = "  ".join(f"{name} {value:,.1f}" for name, value in medians.items())
                print(f"{size:>4}  {step:<10}  {line}", flush=True)


if __name__ == "__main__":
    main()
