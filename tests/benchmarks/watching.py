"""Measure how much the screen slows training, and how fast the Train screen responds, in a pseudo-terminal.

    python -m tests.benchmarks.watching [--dataset ml-100k] [--model sgd-mf] [--set epochs=20]... [--minutes 1]

Needs a home (MOVIETUI_HOME) with the dataset and a model trained on it; works on a copy. Prints one JSON document:

- while a model is trained, the longest stalls of the screen's event loop, how long keys take to show their effect, and
  how long it takes to cancel;
- the training time from the screen and with ``movietui train``, in turn;
- with 500 runs, how long the screen takes to open and to sort.
"""

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from movietui.data.storage import locations
from movietui.jobs.__main__ import NICENESS, SESSION
from movietui.models.choices import RUN_METRICS
from movietui.store.ratings import Store
from tests.benchmarks.screen import COMMAND, MONITOR, Terminal, longest_of

TICKS = os.sysconf("SC_CLK_TCK")
KEYS_A_SECOND = 4


@contextlib.contextmanager
def copy_of(home: Path) -> Iterator[Path]:
    """Copy a home and use the copy within the block, so that the original does not change."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "home")
        shutil.copytree(home, copy)
        before, os.environ["MOVIETUI_HOME"] = os.environ["MOVIETUI_HOME"], str(copy)
        try:
            yield copy
        finally:
            os.environ["MOVIETUI_HOME"] = before


def opened(*command: str) -> Terminal:
    """Start the program and go to the Train screen, with the cursor on a model."""
    terminal = Terminal(*(command or (COMMAND,)))
    terminal.wait_for(r"\d of \d", 60)
    terminal.drain(1.0)
    terminal.send("t")
    terminal.wait_for("validation|settings|Settings", 30)
    terminal.drain(1.5)
    return terminal


def queued(terminal: Terminal, model: str, dataset: str, changes: tuple[str, ...]) -> int:
    """Have the screen train a run with these settings, and return its number.

    This stores a cancelled run and resumes it with ``r``, so that the form need not be filled in.
    """
    store = Store(locations.store())
    settings = dict(change.split("=") for change in changes)
    request = {"split": "kfold5-0", "cleaning": "none", "published": False, "settings": settings, "seed": 0}
    number = store.start_run(model, dataset, "none", "kfold5-0", 0, settings, request=request)
    store.end_run(number, "cancelled")
    store.close()
    time.sleep(1.0)  # the screen looks for runs twice a second
    terminal.send("\x1b[C")  # to the runs
    terminal.drain(0.5)
    terminal.send("g")
    terminal.drain(0.5)
    terminal.send("r")
    return number


def run_of(number: int) -> Any:
    store = Store(locations.store())
    try:
        return store.run(number)
    finally:
        store.close()


def cpu_of(process: int) -> float:
    """Return the CPU seconds of a process so far, 0 if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except OSError:
        return 0.0


def child_that_trains(parent: int) -> int:
    """Return the process id of the program's job, 0 if there is none."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return next((int(child) for child in children if "movietui.jobs" in Path(f"/proc/{child}/cmdline").read_text()), 0)


def stalls_and_keys(model: str, dataset: str, changes: tuple[str, ...], seconds: float) -> dict[str, Any]:
    """Watch training for this long; return the longest stalls, and how long keys and cancelling take."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "stalls.json")
        terminal = opened(sys.executable, "-c", MONITOR, str(report))
        queued(terminal, model, dataset, changes)
        terminal.wait_for("epoch 2 of", 120)
        waits, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            pressed = terminal.send("o")
            waits.append((terminal.wait_for("Sorted by") - pressed) * 1000)
            quiet = time.monotonic() + 1 / KEYS_A_SECOND
            while time.monotonic() < quiet:
                terminal.drain(0.01)
        pressed = terminal.send("c")
        stopped = terminal.wait_for("Stopped training") - pressed
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.close()
        return {
            "seconds watched": seconds,
            **longest_of(report),
            "key p95 ms": round(statistics.quantiles(waits, n=20)[-1], 1),
            "key median ms": round(statistics.median(waits), 1),
            "keys": len(waits),
            "cancel to stopped s": round(stopped, 2),
        }


def watched(terminal: Terminal, model: str, dataset: str, changes: tuple[str, ...]) -> tuple[float, float]:
    """Train from the screen; return the wall seconds of the fits and the CPU seconds of the job."""
    number = queued(terminal, model, dataset, changes)
    process, cpu = 0, 0.0
    while (run := run_of(number)).state != "done":
        if run.state == "failed":
            raise click.ClickException(run.problem)
        process = process or child_that_trains(terminal.pid)
        cpu = max(cpu, cpu_of(process)) if process else 0.0
        terminal.drain(0.05)
    return run.seconds, cpu


def headless(model: str, dataset: str, changes: tuple[str, ...]) -> tuple[float, float]:
    """Train with a command, at the same priority as the screen's jobs; return the same figures as ``watched``."""
    words = [word for change in changes for word in ("--set", change)]
    command = [COMMAND, "train", model, "--dataset", dataset, "--split", "kfold5-0", *words, "--json"]
    command = ["nice", "-n", str(NICENESS), *command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    if SESSION.exists():
        Path(f"/proc/{process.pid}/autogroup").write_text(str(NICENESS))
    cpu = 0.0
    while process.poll() is None:
        cpu = max(cpu, cpu_of(process.pid))
        time.sleep(0.05)
    assert process.stdout is not None
    return float(json.loads(process.stdout.read())["seconds"]), cpu


def overhead(model: str, dataset: str, changes: tuple[str, ...], times: int) -> dict[str, Any]:
    """Train with the screen and without it, in turn, and return how much longer it takes with the screen."""
    terminal = opened()
    screen, alone = [], []
    for _ in range(times):
        screen.append(watched(terminal, model, dataset, changes))
        alone.append(headless(model, dataset, changes))
        texts = [f"{wall:.1f} s ({cpu:.1f} s of CPU time)" for wall, cpu in (screen[-1], alone[-1])]
        click.echo(f"with the screen {texts[0]}, without {texts[1]}", err=True)
    terminal.close()
    wall = [statistics.median(seconds for seconds, _ in each) for each in (screen, alone)]
    cpu = [statistics.median(seconds for _, seconds in each) for each in (screen, alone)]
    shares = [with_it / without - 1 for (with_it, _), (without, _) in zip(screen, alone, strict=True)]
    return {
        "pairs": times,
        "wall overhead of each pair": [f"{share:+.1%}" for share in shares],
        "wall s, with the screen and without": [round(seconds, 2) for seconds in wall],
        "wall overhead": f"{wall[0] / wall[1] - 1:+.1%}",
        "cpu s, with the screen and without": [round(seconds, 2) for seconds in cpu],
        "cpu overhead": f"{cpu[0] / cpu[1] - 1:+.1%}",
    }


def many_runs(dataset: str, runs: int, times: int) -> dict[str, Any]:
    """Open the Train screen with this many runs, and sort them; return how long both take in milliseconds."""
    store = Store(locations.store())
    curve = [{"epoch": epoch, "train_loss": 1 / epoch, "validation_loss": 1.1 / epoch} for epoch in range(1, 31)]
    for index in range(runs):
        number = store.start_run("bias", dataset, "none", "u1", index, {"sweeps": 8, "damping": 5})
        metrics = dict.fromkeys(RUN_METRICS, 0.5) | {"rmse": 1.2 + index * 7 % runs / 1000}
        store.end_run(number, "done", seconds=2.5, curve=curve, best_epoch=9, metrics=metrics)
    # Serve with the newest run that has a checkpoint; the runs added above have none.
    serving = next(run for run in store.serving_runs(dataset) if (locations.checkpoints() / run.checkpoint).exists())
    store.serve_with(serving)
    store.close()
    opens, works, sorts = [], [], []
    for _ in range(times):
        terminal = Terminal(COMMAND)
        terminal.wait_for(r"\d of \d", 60)
        terminal.drain(2.0)
        before = cpu_of(terminal.pid)
        pressed = terminal.send("t")
        opens.append((terminal.wait_for(r"1\.\d{4}") - pressed) * 1000)
        works.append((cpu_of(terminal.pid) - before) * 1000)
        terminal.drain(1.5)
        for _ in range(10):
            pressed = terminal.send("o")
            sorts.append((terminal.wait_for("Sorted by") - pressed) * 1000)
            terminal.drain(0.2)
        terminal.close()
    return {
        "runs": runs,
        "open ms": {"median": round(statistics.median(opens)), "least": round(min(opens))},
        "open cpu ms": {"median": round(statistics.median(works)), "least": round(min(works))},
        "sort ms": {"median": round(statistics.median(sorts)), "least": round(min(sorts))},
    }


@click.command()
@click.option("--dataset", default="ml-100k", show_default=True)
@click.option("--model", default="sgd-mf", show_default=True)
@click.option(
    "--set",
    "changes",
    multiple=True,
    default=("epochs=8",),
    show_default=True,
    help="A setting of the timed runs; can be repeated.",
)
@click.option("--minutes", default=1.0, show_default=True, help="How long to watch training; 0 skips it.")
@click.option(
    "--pairs", default=3, show_default=True, help="How many times to train with and without the screen; 0 skips it."
)
@click.option("--runs", default=500, show_default=True, help="The number of runs to open and sort.")
@click.option("--starts", default=5, show_default=True, help="How many times to open the screen of all runs; 0: never.")
def main(
    dataset: str, model: str, changes: tuple[str, ...], minutes: float, pairs: int, runs: int, starts: int
) -> None:
    """Measure how much the screen slows training, and how fast it responds."""
    with copy_of(locations.store().parent.parent):
        long = (*(change for change in changes if not change.startswith("epochs=")), "epochs=500")
        figures: dict[str, Any] = {"load average before": os.getloadavg()[0]}
        if minutes:
            figures["while a run trains"] = stalls_and_keys(model, dataset, long, minutes * 60)
        if pairs:
            figures["training time"] = overhead(model, dataset, changes, pairs)
        if starts:
            figures["many runs"] = many_runs(dataset, runs, starts)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
