"""Kill a training with ``kill -9`` at random moments and resume it.

    python -m tests.benchmarks.kill [--dataset ml-100k --from PATH] [--model sgd-mf --set epochs=20 ...]

Each time, the run must be recognised as interrupted, resume under its number, and end with the metrics of an
undisturbed run.
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
    done = subprocess.run(_command(*arguments), env=_environment(home), capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(done.stderr.strip())
    return json.loads(done.stdout)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "movietui", *arguments, "--json"]


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MOVIETUI_HOME": str(home)}


@click.command()
@click.option("--times", default=20, show_default=True, type=click.IntRange(1), help="How often a training is killed.")
@click.option("--model", default="sgd-mf", show_default=True)
@click.option("--set", "changes", multiple=True, default=("epochs=20",), show_default=True, help="Settings.")
@click.option("--dataset", default="demo", show_default=True)
@click.option("--from", "path", default=None, help="The path of the dataset, as for data get.")
@click.option("--seed", default=0, show_default=True, help="The seed of the moments.")
def main(times: int, model: str, changes: tuple[str, ...], dataset: str, path: str | None, seed: int) -> None:
    """Train a model, killing it at random moments between its first and its last epoch."""
    moments = random.Random(seed)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        movietui(home, "data", "get", dataset, *(["--from", path] if path else []))
        train = ["train", model, "--dataset", dataset, "--split", "kfold5-0"]
        train += [word for change in changes for word in ("--set", change)]
        finished = movietui(home, *train)
        undisturbed, whole = finished["metrics"], finished["seconds"]
        cut_off = 0
        for number in range(1, times + 1):
            killed = subprocess.Popen(
                _command(*train), env=_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while killed.poll() is None and movietui(home, "runs", "list")[0]["state"] != "running":
                time.sleep(0.1)
            time.sleep(moments.uniform(0, whole))
            killed.kill()
            killed.wait()
            newest = movietui(home, "runs", "list")[0]
            if newest["state"] == "cut off":
                reached = newest["progress"] or newest["state"]
                cut_off += 1
                resumed = movietui(home, "runs", "resume", str(newest["run"]))
                same = resumed["metrics"] == undisturbed
            else:
                reached, same = "it had already ended", newest["metrics"] == undisturbed
            failures += not same
            print(f"{number:3} {reached}: {'the same metrics' if same else 'OTHER METRICS'}", flush=True)
    print(f"{times - failures} of {times} ended with the same metrics; {cut_off} were cut off during training.")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
