"""A job in its own process: reads one request, does the work, tells its events as JSON lines.

It stops when its standard input ends, which is how it is cancelled and how it notices that the app is gone. What else
it may be told while it works: to pause after an epoch, and to resume.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

from data import locations
from data.problems import Cancelled
from data.progress import Stage
from movietui import tasks
from movietui.store import Store
from movietui.wire import Message, Send, decode, encode, sentence, take_stdout

EVENTS_A_SECOND = 10
NICENESS = 5
"""Enough for the screen to go first, and not so much that a training stands still beside what else computes."""
SESSION = Path("/proc/self/autogroup")
"""Where Linux is told how nice a session is."""


class Teller:
    """Sends progress on, at most a few times a second: what is drawn more often nobody sees."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.gate = threading.Event()
        """Closed while the work is paused."""
        self.gate.set()
        self._last: tuple[str, float] = ("", 0.0)
        self._told_inside = 0.0

    def stage(self, stage: Stage) -> None:
        """Tell where a stage of the work is; its first and last word always."""
        name, at = self._last
        now = time.monotonic()
        if stage.finished or stage.name != name or now - at >= 1 / EVENTS_A_SECOND:
            self._last = (stage.name, now)
            self._send({"event": "stage", **asdict(stage)})

    def epoch(self, phase: str, epoch: Message) -> None:
        """Tell an epoch; none is left out, for the curve is made of them."""
        self._told_inside = time.monotonic()  # an epoch that is this short needs no more words
        self._send({"event": "epoch", "phase": phase, **epoch})

    def inside(self, stage: Stage) -> None:
        """Tell what a fit is at between its epochs; what it does by name always."""
        now = time.monotonic()
        if not stage.total or now - self._told_inside >= 1 / EVENTS_A_SECOND:
            self._told_inside = now
            self._send({"event": "inside", **asdict(stage)})

    def result(self, row: Message) -> None:
        """Tell a combination of a sweep that is measured."""
        self._send({"event": "result", "row": row})


def _get(request: Message, teller: Teller) -> Message:
    path = Path(request["path"]) if request.get("path") else None
    obtained = tasks.get(request["name"], path, teller.stage)
    return {**obtained, "report": tasks.clean(request["name"], request["cleaning"], teller.stage)}


def _clean(request: Message, teller: Teller) -> Message:
    return tasks.clean(request["name"], request["cleaning"], teller.stage)


def _remove(request: Message, teller: Teller) -> Message:
    return tasks.remove(Store(locations.store()), request["name"])


def _imdb(request: Message, teller: Teller) -> Message:
    path = Path(request["path"]) if request.get("path") else None
    return tasks.imdb(request["name"], path, teller.stage)


def _train(request: Message, teller: Teller) -> Message:
    return tasks.train(
        Store(locations.store()),
        request["model"],
        request["dataset"],
        split=request.get("split"),
        cleaning=request["cleaning"],
        published=request.get("published", False),
        settings={name: str(value) for name, value in request.get("settings", {}).items()},
        seed=request.get("seed", 0),
        run=request.get("run"),
        on_stage=teller.stage,
        on_epoch=teller.epoch,
        on_inside=teller.inside,
        gate=teller.gate,
    )


def _sweep(request: Message, teller: Teller) -> Message:
    rows = tasks.sweep(
        request["model"],
        request["dataset"],
        request["split"],
        request["grid"],
        cleaning=request["cleaning"],
        seed=request["seed"],
        on_stage=teller.stage,
        on_epoch=teller.epoch,
        on_result=teller.result,
    )
    return {"rows": rows}


JOBS = {"get": _get, "clean": _clean, "remove": _remove, "imdb": _imdb, "train": _train, "sweep": _sweep}


def _listen(requests: queue.SimpleQueue[Message], gate: threading.Event) -> None:
    """Pass the request on, pause and resume; interrupt whatever is done when the parent closes the pipe."""
    with os.fdopen(os.dup(0), "rb") as pipe:
        for line in pipe:
            if not line.endswith(b"\n"):  # the parent was killed while it spoke
                break
            match decode(line):
                case {"do": "pause"}:
                    gate.clear()
                case {"do": "resume"}:
                    gate.set()
                case request:
                    requests.put(request)
    os.kill(os.getpid(), signal.SIGINT)


def _give_way() -> None:
    """Let the screen and the engine go first.

    Where Linux shares the processors out among sessions, and only within one by how nice its processes are, a job,
    which is a session of its own, would get as much as the screen: so the session is made as nice as the job.
    """
    niceness = os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # there are other systems
            SESSION.write_text(str(niceness))


def main() -> None:
    """Do one job, then end at once: to take down what torch built up takes up to a second, in which nothing happens."""
    status = _main()
    sys.stderr.flush()
    os._exit(status)


def _main() -> int:
    """Do one job and return the exit status; with ``--warm``, load torch while waiting for the request."""
    pipe = take_stdout()

    def send(message: Message) -> None:
        try:
            pipe.write(encode(message).decode())
            pipe.flush()
        except BrokenPipeError:
            raise Cancelled from None  # whoever asked is gone

    _give_way()
    teller = Teller(send)
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, teller.gate), daemon=True).start()
    try:
        if "--warm" in sys.argv:
            import torch  # noqa: F401
        request = requests.get()
        send({"event": "done", "result": JOBS[request["do"]](request, teller)})
    except (KeyboardInterrupt, Cancelled):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            send({"event": "cancelled"})
        except Cancelled:
            return 1
    except Exception as error:
        send({"event": "failed", "problem": sentence(error)})
        return 1
    return 0


if __name__ == "__main__":
    main()
