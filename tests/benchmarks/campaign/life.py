"""A long session: press keys on all screens and train a model in between. Memory levels off; nothing accumulates."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from random import Random

from movietui.ui import keymap
from tests.benchmarks.campaign import homes, places, sizes, terminals
from tests.benchmarks.campaign.report import Evidence, Report
from tests.benchmarks.campaign.terminals import Watched

TIMES = 20_000
WARM = 2000
"""After this many keys, everything has been loaded and visited once."""
MOST_GROWTH = 10 * 2**20
VISIT = 40
"""Keys to press at a place before going to the next one."""
CALM_SECONDS = 2.0
"""Idle time that the program gets to collect garbage."""
WALKED = [name for name in places.PLACES if name not in ("QuitPanel", "command palette")]
LEFT_OUT = re.compile(
    r"app\.quit|screen\.|panel\.(back|leave|yes|choose)|.*\.(delete|remove|prune|import|open|imdb|sweep)"
    r"|train\.(choose|again|use|more)|browse\.(new|interview)|data\.choose|import\.do|interview\.stop|browse\.choose"
)
"""The ids of keys that leave a place, start long work, or remove what other places need."""
SEQUENCES = {
    "enter": "\r", "escape": terminals.ESCAPE, "tab": "\t", "space": " ", "up": "\x1b[A", "down": "\x1b[B",
    "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "delete": "\x1b[3~", "f1": "\x1bOP", "shift+up": "\x1b[1;2A", "shift+down": "\x1b[1;2B", "shift+tab": "\x1b[Z",
    "comma": ",", "full_stop": ".", "minus": "-", "plus": "+", "equals_sign": "=", "slash": "/", "asterisk": "*",
    "question_mark": "?", "exclamation_mark": "!", "left_square_bracket": "[", "right_square_bracket": "]",
    "less_than_sign": "<", "greater_than_sign": ">",
}  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """The resources that an idle process uses."""

    memory: int
    """Bytes: all private memory, and a share of the memory that other processes use too."""
    descriptors: int
    zombies: int

    def __str__(self) -> str:
        return f"{self.memory / 2**20:.1f} MB and {self.descriptors} descriptors"


def typed(key: str) -> str:
    """Return what a terminal sends for a key."""
    if len(key) == 1:
        return key
    if key.startswith("ctrl+") and len(key) == 6:
        return chr(ord(key[-1]) & 31)
    return SEQUENCES[key]


def keys_of(name: str) -> list[str]:
    """Return what to type at a place: its keys and the keys of every list, except those that are left out."""
    classes = chain(keymap.SCREENS.values(), keymap.WIDGETS.values(), *keymap.PANELS.values())
    (cls,) = [each for each in classes if each.endswith(f":{name}")]
    bindings = [*keymap._bindings(cls), *keymap._bindings(keymap.GLOBAL["every list"])]
    pressed = [each for each in bindings if each.id is not None and not LEFT_OUT.fullmatch(each.id)]
    return sorted({typed(key) for each in pressed for key in each.key.split(",")})


def run(
    report: Report,
    template: Path,
    scratch: Path,
    warm: int = WARM,
    walked: Sequence[str] = WALKED,
    trains: bool = True,
) -> None:
    """Walk through some places until enough keys are pressed; the seed determines the route."""
    for seed in report.seeds():
        with report.attempt(seed) as evidence, homes.copy_of(template, scratch / f"home-{seed}") as home:
            walk = _Walk(Random(seed), home, walked, evidence)
            try:
                walk.all(report, warm, trains)
            finally:
                walk.terminal.kill()


class _Walk:
    """Presses keys at one place after another: first at all places in order, then at random ones."""

    def __init__(self, random: Random, home: Path, walked: Sequence[str], evidence: Evidence) -> None:
        self._random, self._home, self._evidence = random, home, evidence
        self._next = chain(walked, (random.choice(walked) for _ in count()))
        self._keys = {name: keys_of(name) for name in walked}
        self.terminal = places.begin("BrowseScreen", home)

    def all(self, report: Report, warm: int, trains: bool) -> None:
        """Walk to the end, and check that the program then uses hardly more resources than after warming up."""
        pressed = 0
        first: Figures | None = None
        while pressed < report.times:
            if first is None and pressed >= warm:
                first = figures_at_rest(self.terminal)
            if trains and pressed >= report.times // 2:
                _train(self.terminal)
                trains = False
            pressed += self._visit(next(self._next))
            report.tried["keys"] = pressed
        last = figures_at_rest(self.terminal)
        self.terminal.redraw()
        sizes.check_and_quit(self.terminal)
        exit_code = self.terminal.wait_until_gone()
        assert exit_code == 0, f"the exit code is {exit_code}"
        assert first is not None, "too few keys to warm up"
        report.notes.append(f"after {warm:,} keys {first}, at the end {last}")
        grown = last.memory - first.memory
        assert grown <= MOST_GROWTH, f"the program grew by {grown / 2**20:.1f} MB"
        assert last.descriptors == first.descriptors, f"{first.descriptors} descriptors, then {last.descriptors}"
        assert last.zombies == 0, f"{last.zombies} children ended and were not waited for"

    def _visit(self, name: str) -> int:
        """Go to a place, type there and come back; return the number of keys."""
        steps = [key for pressed, _ in places.PLACES[name].steps for key in pressed]
        walk = [*steps, *self._random.choices(self._keys[name], k=VISIT), *["esc"] * 4, "b", *["esc"] * 2, "u"]
        self._evidence.files[f"keys-at-{name}.txt"] = repr(walk).encode()
        self.terminal.emulated = False
        for key in walk:
            running = self.terminal.press(key.format(export=self._home / homes.EXPORT))
            assert running, f"the program ended after {key!r} at {name}"
            self.terminal.forget(keep=100_000)
        return len(walk)


def _train(terminal: Watched) -> None:
    """Train a model to its end and come back."""
    terminal.redraw()
    terminal.press("t")
    terminal.see("popularity")
    terminal.press("home", "down", "down", "enter")
    terminal.see("RMSE")
    terminal.press("esc", "b")


def figures_at_rest(terminal: Watched) -> Figures:
    """Return to the list, let the program collect garbage, and measure its resources."""
    terminal.press("esc", "esc", "esc", "b", "esc")
    until = time.monotonic() + CALM_SECONDS
    while time.monotonic() < until:
        terminal.read()
    terminal.settle()
    pid = terminal.app
    match = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert match
    zombies = [child for child in terminals.children_of(pid) if terminals.state_of(child) == "Z"]
    return Figures(int(match[1]) * 1024, len(os.listdir(f"/proc/{pid}/fd")), len(zombies))
