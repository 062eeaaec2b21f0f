"""Resize the terminal at any moment, on every screen and panel, and press keys in between."""

import random
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.campaign import homes, places, terminals
from tests.benchmarks.campaign.report import Evidence, Report
from tests.movietui.processes import gone, processes_of

TIMES = 10_000
EACH = 100
"""Resizes per attempt."""
WIDEST, HIGHEST = 300, 100
CORNERS = ((1, 1), (1, HIGHEST), (WIDEST, 1), (WIDEST, HIGHEST), (2, 2), (60, 16), (59, 16), (60, 15), (80, 24))
KEYS = ("up", "down", "left", "right", "tab", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "?", "/", "enter", "esc")
"""Keys that move, scroll, open and close, but start nothing slow."""
LIST_TITLES = ("─ Unseen", "─ Watchlist", "─ Seen or not")
"""What the title of the list may begin with: keys pressed before decide which movies it has."""
LEAVE = "Quit while models are training?"
START = 5
"""One attempt in this many starts the program in a terminal of a size from ``_sizes``."""


def run(report: Report, template: Path, scratch: Path, each: int = EACH) -> None:
    """Resize until there are enough resizes."""
    for seed in report.seeds():
        name = list(places.PLACES)[seed % len(places.PLACES)]
        report.tried[name] += each
        with report.attempt(seed) as evidence, homes.copy_of(template, scratch / f"home-{seed}") as home:
            _one(random.Random(seed), name, seed % START == START - 1, each, home, evidence)


def _one(random: random.Random, name: str, odd_start: bool, each: int, home: Path, evidence: Evidence) -> None:
    terminal = terminals.Watched(size=next(_sizes(random))) if odd_start else places.begin(name, home)
    done: list[str] = []
    try:
        terminal.emulated = False
        _attack(terminal, name, random, each, done)
        terminal.redraw()
        check_and_quit(terminal)
        assert terminal.wait_until_gone() == 0
        assert not terminal.left_on(), f"not restored: {terminal.left_on()}"
        assert gone(*processes_of(home)), "a process still runs"
    except Exception:
        evidence.files |= {"done.txt": "\n".join(done).encode(), "output.bin": terminal.raw[-100_000:]}
        raise
    finally:
        terminal.kill()


def _sizes(random: random.Random) -> Iterator[tuple[int, int]]:
    """Yield random sizes, sizes at which the layout changes, and small steps as if somebody dragged an edge."""
    columns, rows = terminals.SIZE
    while True:
        match random.randrange(5):
            case 0:
                columns, rows = random.choice(CORNERS)
            case 1:
                columns, rows = random.randint(1, WIDEST), random.randint(1, HIGHEST)
            case 2:
                columns = random.randint(1, WIDEST)
            case 3:
                rows = random.randint(1, HIGHEST)
            case _:
                columns = min(WIDEST, max(1, columns + random.randint(-3, 3)))
                rows = min(HIGHEST, max(1, rows + random.randint(-3, 3)))
        yield columns, rows


def _attack(terminal: terminals.Watched, name: str, random: random.Random, each: int, done: list[str]) -> None:
    """Resize, sometimes several times without waiting, and sometimes press a key right afterwards."""
    keys = [key for key in KEYS if key != "enter" or name != "QuitPanel"]  # on that panel, enter quits the app
    burst = 0
    sizes = _sizes(random)
    for _ in range(each):
        size = next(sizes)
        done.append("{} x {}".format(*size))
        terminal.child.setwinsize(size[1], size[0])
        if random.random() < 0.3:
            key = random.choice(keys)
            done.append(repr(key))
            assert terminal.type(key), "the program ended"
        if burst:
            burst -= 1
            terminal.read(0)
        else:
            burst = random.choice((0, 0, 0, 1, 3, 8))
            assert terminal.settle(), "the program ended"
            terminal.forget(keep=1_000_000)


def check_and_quit(terminal: terminals.Watched) -> None:
    """Check, on any screen, that the program draws and responds to keys; then quit it."""
    assert terminal.child.isalive(), "the program ended"
    for _ in range(4):
        terminal.press("esc")
    terminal.press("d")
    terminal.see("─ Datasets ─")
    terminal.press("b")
    terminal.until(lambda: any(title in "\n".join(terminal.lines) for title in LIST_TITLES), "the list")
    terminal.type("q")
    terminal.until(lambda: not terminal.modes.get(1049) or LEAVE in "\n".join(terminal.lines), "the end")
    if terminal.modes.get(1049):
        terminal.type("n")
