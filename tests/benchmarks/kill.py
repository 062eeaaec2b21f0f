"""Kill training with ``kill -9`` at random moments, and resume it.

    python -m tests.benchmarks.kill [--dataset ml-100k --from PATH] [--model sgd-mf --set epochs=20 ...]

Each time, the run must count as cut off, be resumed under the same number, and end with the metrics of a run that was
not killed.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click


def movietui(home: Path, *arguments: str) -> Any:
    process = subprocess.run(_command(*arguments), env=_environment(home), capture_output=True, text=True)
    if process.returncode:
        raise click.ClickException(process.stderr.strip())
    return json.loads(process.stdout)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "movietui", *arguments, "--json"]


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MOVIETUI_HOME": str(home)}


@click.command()
@click.option("--times", default=20, show_default=True, type=click.IntRange(1), help="The number of kills.")
@click.option("--model", default="sgd-mf", show_default=True)
@click.option(
    "--set", "changes", multiple=True, default=("epochs=20",), show_default=True, help="A setting; can be repeated."
)
@click.option("--dataset", default="demo", show_default=True)
@click.option("--from", "path", default=None, help="The file or folder to read the dataset from.")
@click.option("--seed", default=0, show_default=True, help="The seed for the moments.")
def main(times: int, model: str, changes: tuple[str, ...], dataset: str, path: str | None, seed: int) -> None:
    """Train a model again and again, kill each training at a random moment, and resume it."""
    moments = random.Random(seed)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        movietui(home, "data", "get", dataset, *(["--from", path] if path else []))
        train = ["train", model, "--dataset", dataset, "--split", "kfold5-0"]
        train += [word for change in changes for word in ("--set", change)]
        finished = movietui(home, *train)
        expected, seconds = finished["metrics"], finished["seconds"]
        cut_off = 0
        for number in range(1, times + 1):
            process = subprocess.Popen(
                _command(*train), env=_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while process.poll() is None and movietui(home, "runs", "list")[0]["state"] != "running":
                time.sleep(0.1)
            time.sleep(moments.uniform(0, seconds))
            process.kill()
            process.wait()
            newest = movietui(home, "runs", "list")[0]
            if newest["state"] == "cut off":
                reached = newest["progress"] or newest["state"]
                cut_off += 1
                resumed = movietui(home, "runs", "resume", str(newest["run"]))
                same = resumed["metrics"] == expected
            else:
                reached, same = "already ended", newest["metrics"] == expected
            failures += not same
            print(f"{number:3} {reached}: {'the same metrics' if same else 'DIFFERENT METRICS'}", flush=True)
    print(f"{times - failures} of {times} ended with the same metrics; {cut_off} were cut off during training.")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
