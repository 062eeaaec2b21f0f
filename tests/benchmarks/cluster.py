"""Measure ``movietui cluster`` on invented ratings, and compare its results with those of one machine.

    python -m tests.benchmarks.cluster [--ratings 8m,32m,128m] [--rounds 1] [--only STEP,...] [--keep FOLDER]
        [--from ml-1m.zip] [--models als,mf,...] [--set NAME=VALUE]... [--master URL]

Needs Linux, the extra ``spark`` and Java. Each step runs in fresh processes; the figures are medians of the rounds:

    generate     write the ratings, once: 128 million are by 804,000 users
    clean        cluster clean, with the cleaning ``standard``
    als          cluster train als, with its metrics
    recommend    cluster recommend --everyone -k 10

``clean``, ``als`` and ``recommend`` need what the steps before them leave, which ``--keep`` keeps. The table has the
seconds, the seconds of processor time, the processor's microseconds for each rating and their ratio to those of the
first size; then, in MB, the peak memory of the program, of the driver's Java, of the largest executor's Java and of the
largest worker in Python. What a process uses in its last fifth of a second is not seen.

With ``--from``, two executors and this machine both clean the release there and learn from it, and the results are
compared. ``--only correct`` does only that:

    correct      what each cleaning rule counts; the RMSE of models on the test part of the split random90-by-hash, in
                 memory and with one and two workers; and how far the parameters of one and two workers are apart.
                 --set changes a setting of these models, such as sweeps=20
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from safetensors.numpy import load_file

from movietui.models.checkpoints import ARRAYS
from movietui.models.cluster.fits import FITS
from tests.benchmarks.generate import rows_of
from tests.movietui.processes import descendants

NAME = "made"
STEPS = ("generate", "clean", "als", "recommend", "correct")
K = 10
MASTER = "local-cluster[2,1,1024]"
COMPARED = ("als", "mf", "bayes", "dot")
"""The models whose error is compared with one machine, as far as a cluster fits them."""
EVERY = 0.2
"""How often the memory of all processes is read, in seconds."""
KINDS = ("program", "driver", "executor", "worker")
"""The kinds of processes. With the master ``local[N]``, the driver does the work of the executors."""
RULES = ("rule", "before", "removed", "removed_movies", "removed_users", "changed")
HERE = """
import json, sys
import numpy as np
from movietui.data import catalogue
from movietui.data.cluster.splits import bucket
from movietui.models.evaluation.measure import build, choose
from movietui.models.metrics import rating_metrics
dataset = catalogue.load('none', 'none')
ratings = dataset.ratings
in_test = bucket(ratings.user.astype(np.int64), ratings.movie.astype(np.int64), 0) == 0
model = build(sys.argv[1], choose(sys.argv[1], changes=dict(each.split('=', 1) for each in sys.argv[2:])))
model.fit(dataset.with_ratings(np.flatnonzero(~in_test)))
test = ratings.take(np.flatnonzero(in_test))
print(json.dumps(rating_metrics(model.predict(test.user, test.movie), test.stars)['rmse']))
"""


@dataclass(frozen=True)
class Measured:
    """What a command took, and what it printed."""

    seconds: float
    processor: float
    """The processor time of all its processes, in seconds."""
    peaks: Mapping[str, int]
    """The peak memory of the largest process of each of the ``KINDS``, in bytes; 0 if there was none."""
    printed: str


def run(home: Path, *arguments: str) -> Measured:
    """Run a Python process, and watch it and the processes that it starts."""
    processor, peaks = dict[int, float](), dict.fromkeys(KINDS, 0)
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        environment = {**os.environ, "MOVIETUI_HOME": str(home), "MOVIETUI_OFFLINE": "1"}
        process = subprocess.Popen([sys.executable, *arguments], stdout=output, stderr=errors, env=environment)
        ended = False
        while not ended:
            for pid, line in {process.pid: "", **descendants(process.pid)}.items():
                kind = _kind(pid == process.pid, line)
                peaks[kind] = max(peaks[kind], _peak(pid))
                processor[pid] = max(processor.get(pid, 0.0), _processor(pid))
            try:
                process.wait(EVERY)
                ended = True
            except subprocess.TimeoutExpired:
                pass
        seconds = time.perf_counter() - began
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise click.ClickException(f"{' '.join(arguments)[:80]} failed: {errors.read().strip().splitlines()[-1:]}")
        return Measured(seconds, sum(processor.values()), peaks, output.read())


def _peak(pid: int) -> int:
    """Return the peak memory of a process in bytes, 0 if it has ended."""
    try:
        match = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(match[1]) * 1024 if match else 0


def _processor(pid: int) -> float:
    """Return the processor time of a process in seconds, without that of its children; 0 if it has ended."""
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _kind(is_program: bool, line: str) -> str:
    if is_program:
        return "program"
    if "CoarseGrainedExecutorBackend" in line:
        return "executor"
    return "worker" if "pyspark.daemon" in line else "driver"


def movietui(home: Path, *arguments: str) -> Measured:
    """Run a command of movietui."""
    return run(home, "-m", "movietui", *arguments)


def measure(step: str, folder: Path, size: str, master: str) -> Measured:
    """Do a step of one size in its folder, and return what it took."""
    home, files, cleaned, lists = (folder / name for name in ("home", "files", "cleaned", "lists"))
    if step == "generate":
        return run(home, "-m", "tests.benchmarks.generate", str(files), "--rows", size)
    on_it = ("--dataset", NAME, "--master", master)
    if step == "clean":
        return movietui(home, "cluster", "clean", NAME, "--from", str(files), "--output", str(cleaned), *on_it[2:])
    if step == "als":
        return movietui(home, "cluster", "train", "als", *on_it)
    try:
        return movietui(home, "cluster", "recommend", "--everyone", "-k", str(K), "--output", str(lists), *on_it)
    finally:
        shutil.rmtree(lists, ignore_errors=True)


def print_sizes(sizes: Sequence[str], steps: Sequence[str], rounds: int, folder: Path, master: str) -> None:
    """Do the steps for each size, and print a line for each."""
    kinds = " ".join(f"{kind:>8}" for kind in KINDS)
    print(f"{'ratings':>8}  {'step':<10} {'s':>9} {'cpu s':>9} {'µs/rating':>10} {'ratio':>6} {kinds}")
    first: dict[str, float] = {}
    for size in sizes:
        for step in steps:
            if step == "generate" and (folder / size / "files").exists():
                continue
            done = [measure(step, folder / size, size, master) for _ in range(1 if step == "generate" else rounds)]
            seconds, processor = (
                statistics.median(getattr(each, name) for each in done) for name in ("seconds", "processor")
            )
            each = 1e6 * processor / rows_of(size)
            ratio = each / first.setdefault(step, each)
            peaks = (statistics.median(each.peaks[kind] for each in done) / 1e6 for kind in KINDS)
            line = f"{seconds:>9,.1f} {processor:>9,.1f} {each:>10,.2f} {ratio:>6.2f} "
            print(f"{size:>8}  {step:<10} {line}" + " ".join(f"{peak:>8,.0f}" for peak in peaks), flush=True)


def print_correct(release: Path, models: Sequence[str], changes: Sequence[str], folder: Path) -> None:
    """Clean a release and learn from it, on a cluster and on this machine, and compare the results."""
    home = folder / "home"
    movietui(home, "data", "get", "none", "--from", str(release))
    for preset in ("none", "standard"):
        output = str(folder / preset)
        clean = ["cluster", "clean", preset, "--from", str(release), "--cleaning", preset, "--output", output]
        there = json.loads(movietui(home, *clean, "--master", MASTER, "--json").printed)
        here = json.loads(movietui(home, "data", "clean", "none", "--preset", preset, "--json").printed)
        counts = [[{name: rule[name] for name in RULES} for rule in each["rules"]] for each in (there, here)]
        wrong = [one["rule"] for one, other in zip(*counts, strict=True) if one != other]
        left = [[each[name] for name in ("ratings", "users", "movies")] for each in (there, here)]
        said = "the same counts" if left[0] == left[1] and not wrong else f"DIFFERENT: {', '.join(wrong) or left}"
        print(f"cleaning {preset}: {len(counts[0])} rules, {there['ratings']:,} ratings left, {said}", flush=True)
    print(f"{'model':<8} {'in memory':>10} {'1 worker':>10} {'2 workers':>10}  parameters of 1 and 2 workers")
    for model in models:
        figures = [float(run(home, "-c", HERE, model, *changes).printed)]
        checkpoints = []
        for workers in (1, 2):
            master = f"local-cluster[{workers},1,1024]"
            train = ("cluster", "train", model, "--dataset", "none", "--split", "random90", "--master", master)
            settings = [word for change in changes for word in ("--set", change)]
            trained = json.loads(movietui(home, *train, *settings, "--json").printed)
            figures.append(trained["metrics"]["rmse"])
            checkpoints.append(load_file(Path(trained["checkpoint"]) / ARRAYS))
        apart = difference(*checkpoints)
        said = f"at most {apart:.1g} apart" if apart else "equal"
        print(f"{model:<8} " + " ".join(f"{figure:>10.5f}" for figure in figures) + f"  {said}", flush=True)


def difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return how far two sets of parameters are apart at most: 0 if they are equal."""
    return max(float(np.abs(one[name].astype(np.float64) - other[name]).max(initial=0)) for name in one)


def _names(known: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], tuple[str, ...]]:
    """Return a check of names that are separated by commas."""

    def names(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
        chosen = tuple(value.split(","))
        if unknown := set(chosen) - set(known):
            raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(known)}.")
        return chosen

    return names


AVAILABLE = tuple(name for name in COMPARED if name in FITS)


@click.command()
@click.option("--ratings", default="8m,32m,128m", show_default=True, help="Sizes, separated by commas.")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1))
@click.option("--only", default=",".join(STEPS), callback=_names(STEPS), show_default=True, help="Only these steps.")
@click.option("--keep", type=click.Path(path_type=Path), help="Use this folder, and what is in it already.")
@click.option("--from", "release", type=click.Path(exists=True, path_type=Path), help="The release for correct.")
@click.option("--models", default=",".join(AVAILABLE), callback=_names(AVAILABLE), show_default=True)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a setting of the models.")
@click.option("--master", default=MASTER, show_default=True, help="Where the steps with sizes run.")
def main(
    ratings: str,
    rounds: int,
    only: tuple[str, ...],
    keep: Path | None,
    release: Path | None,
    models: tuple[str, ...],
    changes: tuple[str, ...],
    master: str,
) -> None:
    """Measure the steps for each size, then compare a release with one machine."""
    if only == ("correct",) and release is None:
        raise click.UsageError("correct needs a release: name its zip or folder with --from.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = (keep or Path(scratch)).resolve()
        if steps := [step for step in STEPS if step in only and step != "correct"]:
            print_sizes(ratings.split(","), steps, rounds, folder, master)
        if "correct" in only and release is not None:
            with tempfile.TemporaryDirectory() as compared:
                print_correct(release.resolve(), models, changes, Path(compared))


if __name__ == "__main__":
    main()
