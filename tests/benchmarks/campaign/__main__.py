"""Run the campaign and report failures; exit with 1 if there are any."""

import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import click

from tests.benchmarks.campaign import homes
from tests.benchmarks.campaign.report import Report

PARTS = ("kills", "writers", "sizes", "ends", "inputs", "injection", "life")
WITHOUT_HOME = ("writers", "inputs")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="At most this many minutes for each part.")
@click.option("--seed", type=click.IntRange(0), help="Repeat only the attempt with this seed.")
@click.option("--first", default=0, show_default=True, type=click.IntRange(0), help="The seed of the first attempt.")
@click.option(
    "--times",
    type=click.IntRange(1),
    help="How many kills, resizes, inputs or keys are enough; each part has its own default.",
)
@click.option("--keep", type=click.Path(path_type=Path), help="The folder for failures instead of a temporary one.")
def main(
    parts: Sequence[str],
    minutes: float | None,
    seed: int | None,
    first: int,
    times: int | None,
    keep: Path | None,
) -> None:
    """Attack the program with the given PARTS of the campaign, or with all of them."""
    keep = keep or Path(tempfile.mkdtemp(prefix="movietui-campaign-"))
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        templates = _Templates(scratch)
        for name in parts or PARTS:
            part = import_module(f"tests.benchmarks.campaign.{name}")
            seeds = itertools.count(first) if seed is None else [seed]
            report = Report(name, times or part.TIMES, keep, minutes=minutes, seeds=seeds)
            (scratch / name).mkdir()
            part.run(report, templates.of(name), scratch / name)
            print(report.summary(), flush=True)
            failed += report.failed
    sys.exit(failed > 0)


class _Templates:
    """The homes that parts copy. Each is created when a part first needs it."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def of(self, part: str) -> Path:
        """Return the home that a part starts from."""
        if part in WITHOUT_HOME:
            return self._make("nothing", lambda home: home.mkdir())
        return self._make("hostile", homes.make_hostile) if part == "injection" else self._make("demo", homes.make_demo)

    def _make(self, name: str, make: Callable[[Path], None]) -> Path:
        home = self._scratch / name
        if not home.exists():
            make(home)
        return home


if __name__ == "__main__":
    main()
