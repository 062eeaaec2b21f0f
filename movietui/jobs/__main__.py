"""A job in its own process. It reads one request, does the work, and writes its events as JSON, one per line.

A job stops when its standard input ends: that is how the app cancels a job, and how a job notices that the app is gone.
While it works, it also reads messages that pause and resume training.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import cast

from movietui.data import plugins
from movietui.data.problems import Cancelled, is_stop
from movietui.data.progress import Stage
from movietui.data.storage import locations, log
from movietui.jobs import datasets
from movietui.jobs.listener import Listener
from movietui.jobs.sweep import SweepRequest, sweep
from movietui.jobs.train import TrainRequest, train
from movietui.models.training import torch_check
from movietui.protocol.jobs import (
    EpochProgress,
    GetResult,
    JobEvent,
    JobRequest,
    JobResult,
    ProgressEvent,
    StageFields,
    SweepRow,
    WarmEvent,
)
from movietui.protocol.wire import decode, encode, sentence, take_stdout
from movietui.store.ratings import Store

EVENTS_A_SECOND = 10
NICENESS = 5
"""Enough to favour the screen, but not so much that other programs starve the job."""
SESSION = Path("/proc/self/autogroup")
"""The file that sets the niceness of a session on Linux."""


class Reporter:
    """Sends the progress of a job: all epochs and results, but usually at most ``EVENTS_A_SECOND`` other reports."""

    def __init__(self, send: Callable[[ProgressEvent], None]) -> None:
        self._send = send
        self.gate = threading.Event()
        """Cleared while the job is paused."""
        self.gate.set()
        self._last: tuple[str, float] = ("", 0.0)
        """The name of the last stage sent, and when it was sent."""
        self._last_inside = 0.0
        self.listener = Listener(stage=self.stage, epoch=self.epoch, inside=self.inside, row=self.row, gate=self.gate)

    def stage(self, stage: Stage) -> None:
        """Send the progress of a stage. The first and the last report of each stage are always sent."""
        name, at = self._last
        now = time.monotonic()
        if stage.finished or stage.name != name or now - at >= 1 / EVENTS_A_SECOND:
            self._last = (stage.name, now)
            self._send({"event": "stage", **_fields(stage)})

    def epoch(self, phase: str, epoch: EpochProgress) -> None:
        """Send an epoch. All epochs are sent, because they make up the curve."""
        self._last_inside = time.monotonic()  # a short epoch needs no progress reports within it
        self._send({"event": "epoch", "phase": phase, **epoch})

    def inside(self, phase: str, stage: Stage) -> None:
        """Send the progress within an epoch, or within a fit without epochs; the start of a stage is always sent."""
        now = time.monotonic()
        if not stage.total or now - self._last_inside >= 1 / EVENTS_A_SECOND:
            self._last_inside = now
            self._send({"event": "inside", **_fields(stage)})

    def row(self, row: SweepRow) -> None:
        """Send a measured combination of a sweep."""
        self._send({"event": "result", "row": row})


def _fields(stage: Stage) -> StageFields:
    return cast(StageFields, asdict(stage))


def perform(request: JobRequest, reporter: Reporter) -> JobResult:
    """Do what a request asks for, and return the result."""
    if request["do"] == "get":
        path = Path(request["path"]) if request["path"] else None
        fetched = datasets.get(request["name"], path, reporter.stage)
        report = datasets.clean(request["name"], request["cleaning"], reporter.stage)
        return cast(GetResult, {**fetched, "report": report})
    if request["do"] == "clean":
        return datasets.clean(request["name"], request["cleaning"], reporter.stage)
    if request["do"] == "remove":
        return datasets.remove(Store(locations.store()), request["name"])
    if request["do"] == "imdb":
        path = Path(request["path"]) if request["path"] else None
        return datasets.join_imdb(request["name"], path, reporter.stage)
    if request["do"] == "train":
        training = TrainRequest(
            request["model"],
            request["dataset"],
            request["cleaning"],
            split=request.get("split"),
            published=request.get("published", False),
            settings={name: str(value) for name, value in request.get("settings", {}).items()},
            seed=request.get("seed", 0),
            split_seed=request.get("split_seed", 0),
        )
        return train(Store(locations.store()), training, reporter.listener, run=request.get("run"))
    sweeping = SweepRequest(
        request["model"],
        request["dataset"],
        request["split"],
        request["grid"],
        metric=request["metric"],
        sampler=request["sampler"],
        tries=request["tries"],
        cleaning=request["cleaning"],
        seed=request["seed"],
    )
    return {"rows": sweep(Store(locations.store()), sweeping, reporter.listener)}


def _listen(requests: queue.SimpleQueue[JobRequest], gate: threading.Event) -> None:
    """Queue the request, and handle pause and resume; when the parent closes the pipe, interrupt the work."""
    try:
        with os.fdopen(os.dup(0), "rb") as pipe:
            for line in pipe:
                if not line.endswith(b"\n"):  # the parent was killed while it wrote
                    break
                match decode(line):
                    case {"do": "pause"}:
                        gate.clear()
                    case {"do": "resume"}:
                        gate.set()
                    case request:
                        requests.put(cast(JobRequest, request))
    finally:  # even after an error: nothing could stop a job that no longer listens
        _interrupt()


def _interrupt() -> None:
    """Raise ``KeyboardInterrupt`` in the main thread, even if it waits for a lock or a file."""
    thread = threading.main_thread().ident
    assert thread is not None
    signal.pthread_kill(thread, signal.SIGINT)


def _handle_interrupts() -> None:
    """Handle SIGINT, even if the parent ignores it, as in background processes of a shell without a terminal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _ignore_interrupts() -> None:
    if threading.current_thread() is threading.main_thread():  # others cannot change it
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _lower_priority() -> None:
    """Lower the priority, so that the screen and the engine come first.

    If Linux divides the processors among sessions (autogroup), niceness counts only within a session. A job has a
    session of its own, which would get as much time as that of the app, so the session gets the job's niceness.
    """
    niceness = os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # other systems have no autogroups
            SESSION.write_text(str(niceness))


def main() -> None:
    """Do one job, then exit without Python's cleanup, which takes up to a second with torch."""
    status = _main()
    sys.stderr.flush()
    os._exit(status)


def _main() -> int:
    """Do one job and return the exit status; with ``--warm``, load torch first, and report whether that works."""
    log.record_uncaught("job")
    pipe = take_stdout()

    def send(event: JobEvent | WarmEvent) -> None:
        try:
            pipe.write(encode(event).decode())
            pipe.flush()
        except BrokenPipeError:  # the parent is gone
            _ignore_interrupts()  # that of ``_listen`` would stop the recording of this one
            raise Cancelled from None

    def send_last(event: JobEvent) -> None:
        _ignore_interrupts()  # nothing may stop the last event
        send(event)

    _lower_priority()
    _handle_interrupts()
    reporter = Reporter(send)
    requests: queue.SimpleQueue[JobRequest] = queue.SimpleQueue()
    try:
        threading.Thread(target=_listen, args=(requests, reporter.gate), daemon=True).start()
        if "--warm" in sys.argv:
            send({"event": "warm", "defect": torch_check.defect()})
        request = requests.get()
        send_last({"event": "done", "result": perform(request, reporter)})
    except (KeyboardInterrupt, Exception) as error:
        if is_stop(error):
            try:
                send_last({"event": "cancelled"})
            except Cancelled:
                return 1
        else:
            log.record("job", error)
            # A plug-in that was left out may be why.
            send_last({"event": "failed", "problem": " ".join([sentence(error), *plugins.take_reports()])})
            return 1
    return 0


if __name__ == "__main__":
    main()
