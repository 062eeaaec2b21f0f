"""What a part of the campaign tried, what failed, and how to reproduce it."""

import itertools
import re
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MAX_SAVED_ALIKE = 2
"""At most this many failures with the same message are saved."""
SHOWN_SEEDS = 20
"""At most this many seeds are printed for each message."""


@dataclass
class Evidence:
    """What is saved if an attempt fails."""

    files: dict[str, bytes] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    """Folders to copy as they are when the attempt fails."""

    def save(self, target: Path, why: str) -> None:
        """Write the traceback or other cause, the files and the folders into a new folder."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        (target / "why.txt").write_text(why, "utf-8", "backslashreplace")
        for name, content in self.files.items():
            (target / name).write_bytes(content)
        for folder in self.folders:
            if folder.exists():
                shutil.copytree(folder, target / folder.name, symlinks=True, ignore_dangling_symlinks=True)


class Report:
    """Counts attempts and failures. An attempt depends on nothing but its seed, so that it can be repeated."""

    def __init__(
        self,
        part: str,
        times: int,
        keep: Path,
        *,
        minutes: float | None = None,
        seeds: Iterable[int] | None = None,
    ) -> None:
        """``times``: how many kills, resizes or inputs are enough; ``seeds``: by default 0, 1, 2 and so on."""
        self.part, self.times = part, times
        self._seeds = itertools.count() if seeds is None else seeds
        self._keep = keep
        self._began = time.monotonic()
        self._until = self._began + minutes * 60 if minutes is not None else None
        self.tried: Counter[str] = Counter()
        """The number of attempts of each kind."""
        self.failures: dict[str, list[int]] = {}
        """The seeds of the failures, by the first line of their message with its numbers replaced."""
        self.notes: list[str] = []

    def seeds(self) -> Iterator[int]:
        """Yield the seed of each attempt, until there are enough or the time is up."""
        for seed in self._seeds:
            if self.tried.total() >= self.times or (self._until is not None and time.monotonic() > self._until):
                return
            before = self.tried.total()
            yield seed
            assert self.tried.total() > before, f"the attempt with the seed {seed} tried nothing"

    @contextmanager
    def attempt(self, seed: int) -> Iterator[Evidence]:
        """Make an attempt: an exception in the block is a failure, and the campaign continues."""
        evidence = Evidence()
        try:
            yield evidence
        except Exception as error:
            self.fail(seed, f"{type(error).__name__}: {error}", traceback.format_exc(), evidence)

    def fail(self, seed: int, what: str, why: str, evidence: Evidence) -> None:
        """Record a failure. Print it and save its evidence at once, unless enough failures like it were saved."""
        line = (what.splitlines() or ["failed"])[0][:300]
        alike = re.sub(r"[0-9]+", "#", line)
        seeds = self.failures.setdefault(alike, [])
        seeds.append(seed)
        if len(seeds) <= MAX_SAVED_ALIKE:
            target = self._keep / self.part / f"{seed}-{self.failed - 1}"
            evidence.save(target, why)
            print(f"  {self.part} --seed {seed}: {line}\n    saved in {target}", flush=True)

    @property
    def failed(self) -> int:
        """The number of failures."""
        return sum(map(len, self.failures.values()))

    def summary(self) -> str:
        """Return the outcome as text of several lines."""
        seconds = time.monotonic() - self._began
        head = f"{self.part}: {self.tried.total():,} tried, {self.failed:,} failed in {seconds:.0f} s"
        kinds = [f"  {many:>9,} {kind}" for kind, many in sorted(self.tried.items())]
        failed = [
            f"  failed {len(seeds):,} times: {line}\n    --seed {' '.join(map(str, seeds[:SHOWN_SEEDS]))}"
            for line, seeds in sorted(self.failures.items(), key=lambda each: -len(each[1]))
        ]
        return "\n".join([head, *kinds, *(f"  {note}" for note in self.notes), *failed])
