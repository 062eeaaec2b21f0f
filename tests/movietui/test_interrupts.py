"""Interrupts during steps that must happen completely or not at all."""

import os
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from movietui.jobs.listener import Listener
from movietui.jobs.train import TrainRequest, train
from movietui.store import interrupts
from movietui.store.ratings import Store
from movietui.store.runs import Runs

pytestmark = pytest.mark.usefixtures("interruptible")


class Interrupted:
    """A connection to SQLite. The process gets SIGINT right after the first statement that starts with ``after``."""

    def __init__(self, connection: sqlite3.Connection, after: str) -> None:
        self._connection, self._after = connection, after

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        cursor = self._connection.execute(statement, *values)
        if self._after and statement.startswith(self._after):
            self._after = ""
            signal.raise_signal(signal.SIGINT)
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def interrupt(store: Store, after: str) -> None:
    store._db = Interrupted(store._db, after)  # type: ignore[assignment]


@pytest.mark.parametrize(("after", "value"), [("BEGIN", ""), ("INSERT", ""), ("COMMIT", "it")])
def test_no_transaction_is_left_open(store: Store, after: str, value: str) -> None:
    interrupt(store, after)
    with pytest.raises(KeyboardInterrupt):
        store.choose("what", "it")
    assert store.choice("what") == value
    store.choose("what", "else")
    assert store.choice("what") == "else"


def test_a_change_outside_the_main_thread_is_stored(store: Store) -> None:
    thread = threading.Thread(target=store.choose, args=("what", "it"))
    thread.start()
    thread.join()
    assert store.choice("what") == "it"


def test_an_interrupt_waits_for_the_end_of_the_outermost_block() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with interrupts.delayed():
            with interrupts.delayed() as let_through:
                signal.raise_signal(signal.SIGINT)
                let_through()
                done.append("inner")
            done.append("outer")
        done.append("after")
    assert done == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ignored_interrupts_stay_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts.delayed():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize(
    ("after", "state"),
    [
        ("INSERT INTO runs", "cancelled"),
        ("UPDATE runs SET state = ?, seconds = ?, curve = ?, progress", "cancelled"),
        ("INSERT OR REPLACE INTO measured", "cancelled"),
        ("UPDATE runs SET state = ?, seconds = ?, cpu_seconds", "done"),
    ],
    ids=["begun", "progress", "measured", "ended"],
)
def test_interrupted_training_always_records_its_end(ready: Path, store: Store, after: str, state: str) -> None:
    interrupt(store, after)
    with pytest.raises(KeyboardInterrupt):
        train(store, TrainRequest("bias", "demo", "standard", settings={"sweeps": "2"}))
    assert store.runs()[0].state == state


def test_training_that_is_interrupted_while_pausing_is_cancelled(ready: Path, store: Store) -> None:
    begun = iter([True])

    def on_epoch(phase: str, epoch: dict[str, Any]) -> None:
        if next(begun, False):
            interrupt(store, "BEGIN")  # while the pause is being stored

    request = TrainRequest("bias", "demo", "standard", settings={"sweeps": "2"})
    with pytest.raises(KeyboardInterrupt):
        train(store, request, Listener(epoch=on_epoch, gate=threading.Event()))
    assert store.runs()[0].state == "cancelled"


def test_a_queued_run_that_is_interrupted_records_its_end(ready: Path, store: Store) -> None:
    request = TrainRequest("bias", "demo", "standard", settings={"sweeps": "2"})
    number = Runs(store).queue("bias", "demo", "random90", request.to_json())
    interrupt(store, "UPDATE runs SET state = 'running'")
    with pytest.raises(KeyboardInterrupt):
        train(store, request, run=number)
    assert Runs(store).get(number).state == "cancelled"
