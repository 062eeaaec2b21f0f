"""Measure how fast the screen is, with the real program in a pseudo-terminal.

    python -m tests.benchmarks.screen [--runs 10] [--ratings 60]

Needs a home (MOVIETUI_HOME) with a trained model. Prints one JSON document: the seconds from the start to the first
paint and to the first list, the milliseconds from a rating key to the repainted list, the memory of the process that
draws, and the longest stalls of its event loop while a model is trained.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

import click

TRAINING = 600.0
"""The most seconds that a training may take."""
COMMAND = str(Path(sys.executable).with_name("movietui"))
MONITOR = """
import asyncio, json, os, sys, threading, time
from movietui.ui import app, start

class Watched(app.MovieTui):
    async def on_load(self):
        self.stalls = asyncio.create_task(self.measure())

    async def measure(self):
        waits = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
        machine = os.open("/proc/stat", os.O_RDONLY)
        tick = 1 / os.sysconf("SC_CLK_TCK")

        def clocks():  # wall time, time computing, time waiting for a processor, time that the host took
            waited = int(os.pread(waits, 100, 0).split()[1]) / 1e9
            return time.perf_counter(), time.thread_time(), waited, int(os.pread(machine, 200, 0).split()[8]) * tick

        worst = []
        while True:
            began = clocks()
            await asyncio.sleep(0.001)
            late, *causes = (now - then for now, then in zip(clocks(), began))
            if self.queue.progress and late > 0.005:
                worst = sorted([*worst, [late - 0.001, *causes]])[-50:]
                open(sys.argv[1], "w").write(json.dumps(worst))

app.MovieTui = Watched
start.run()
"""
STALLED = ("ms", "of them computing", "waiting for a processor", "of all processors taken by the host")
"""What ``MONITOR`` reports about a stall. The last field is time that the host takes from a virtual machine; it is
counted in hundredths of a second, and no program can avoid it."""


class Terminal:
    """A program in a pseudo-terminal, and its output so far."""

    def __init__(self, *command: str, size: tuple[int, int] = (140, 40)) -> None:
        self.started = time.perf_counter()
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(command[0], command)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.output = ""

    def wait_for(self, pattern: str, limit: float = 15.0) -> float:
        """Wait until the program writes the pattern, after the previous match, and return the time."""
        deadline = time.perf_counter() + limit
        while not (match := re.search(pattern, self.output)):
            left = deadline - time.perf_counter()
            if left <= 0 or not select.select([self.file], [], [], left)[0]:
                raise TimeoutError(f"{pattern!r} was not written within {limit} s")
            self.output += os.read(self.file, 65536).decode(errors="replace")
        self.output = self.output[match.end() :]
        return time.perf_counter()

    def drain(self, quiet: float) -> None:
        """Read and drop the output until the program has written nothing for this many seconds."""
        while select.select([self.file], [], [], quiet)[0]:
            os.read(self.file, 65536)
        self.output = ""

    def send(self, keys: str) -> float:
        """Press keys, and return the time just before."""
        moment = time.perf_counter()
        os.write(self.file, keys.encode())
        return moment

    def megabytes(self) -> float:
        """Return the peak memory of the process in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(match[1]) / 1000 if match else 0.0

    def close(self) -> None:
        """Press q, and wait until the program has ended."""
        self.send("q")
        try:
            while os.read(self.file, 65536):
                pass
        except OSError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.file)


def starts(runs: int) -> tuple[list[float], list[float]]:
    """Start the program this many times; return the seconds to each first paint and to each first list."""
    paints, lists = [], []
    for _ in range(runs):
        terminal = Terminal(COMMAND)
        paints.append(terminal.wait_for("Viewers") - terminal.started)
        lists.append(terminal.wait_for(r"\d of \d") - terminal.started)
        terminal.drain(0.5)
        terminal.close()
    return paints, lists


def ratings(count: int) -> tuple[list[float], float]:
    """Press rating keys; return the milliseconds from each to the repainted list, and the peak memory in MB."""
    terminal = Terminal(COMMAND)
    terminal.wait_for(r"\d of \d")
    terminal.drain(1.0)
    waits = []
    for number in range(count):
        pressed = terminal.send("12345"[number % 5])
        waits.append((terminal.wait_for("moved") - pressed) * 1000)
        terminal.drain(0.2)
    for _ in range(count):
        terminal.send("u")
        terminal.wait_for("redo|nothing to undo")
        terminal.drain(0.05)
    memory = terminal.megabytes()
    terminal.close()
    return waits, memory


def longest_of(report: Path) -> dict[str, Any]:
    """Return the longest stalls that ``MONITOR`` recorded, and the longest one in which the host took no time."""
    stalls = [
        {name: round(seconds * 1000, 1) for name, seconds in zip(STALLED, stall, strict=True)}
        for stall in reversed(json.loads(report.read_text()))
    ]
    undisturbed = [stall for stall in stalls if not stall[STALLED[-1]]]
    return {
        "longest stalls": stalls[:5],
        "longest stall with all of the machine ms": undisturbed[0]["ms"] if undisturbed else 0.0,
    }


def stalls(trainings: int = 3) -> dict[str, Any]:
    """Return the longest stalls of the event loop while models are trained."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "stalls.json")
        terminal = Terminal(sys.executable, "-c", MONITOR, str(report))
        terminal.wait_for(r"\d of \d")
        terminal.drain(0.5)
        terminal.send("t")
        terminal.wait_for("validation")
        terminal.drain(1.5)
        terminal.send("jjj")  # from the recommended model to mf, which trains fast
        terminal.drain(0.5)
        for _ in range(trainings):
            terminal.send("\r")
            terminal.wait_for("RMSE [0-9.]+ on", TRAINING)
            terminal.drain(0.5)
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.close()
        return longest_of(report)


@click.command()
@click.option("--runs", default=10, show_default=True, help="The number of starts.")
@click.option("--ratings", "count", default=60, show_default=True, help="The number of rating keys.")
def main(runs: int, count: int) -> None:
    """Measure how fast the screen is."""
    paints, lists = starts(runs)
    waits, memory = ratings(count)
    print(
        json.dumps(
            {
                "first paint s": {"median": statistics.median(paints), "max": max(paints)},
                "first list s": {"median": statistics.median(lists), "max": max(lists)},
                "rating ms": {"median": statistics.median(waits), "p95": statistics.quantiles(waits, n=20)[-1]},
                "memory of the drawing process MB": memory,
                "while models are trained": stalls(),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
