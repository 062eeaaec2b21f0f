"""The real program runs in a terminal."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from movietui.data.storage import locations
from movietui.store.ratings import Store
from tests.movietui.processes import gone, processes_of
from tests.movietui.terminal import Start, Terminal, program


def stored_ratings() -> dict[str, float]:
    """Return the stars of all ratings by viewer and title, read from the store without the program."""
    with sqlite3.connect(locations.store()) as database:
        return dict(database.execute("SELECT name || ' ' || title, stars FROM ratings JOIN viewers ON viewer = id"))


def quit_with(terminal: Terminal, key: str, home: Path, codes: tuple[int, ...] = (0,)) -> None:
    """Quit and stop any training, and check the exit code and that nothing is left behind."""
    terminal.send(key)
    until = time.monotonic() + 120
    while terminal.read(0.1) and time.monotonic() < until:
        if "Quit while models are training?" in "\n".join(terminal.lines):
            terminal.send("n")
            break
    assert terminal.end() in codes
    assert terminal.restored()
    assert b"Traceback" not in terminal.raw
    assert gone(*processes_of(home))


def test_a_rating_after_the_first_start_is_kept(home: Path, start: Start) -> None:
    terminal = start((140, 40))
    terminal.wait_for("ml-100k could not be downloaded")
    terminal.send("e")
    terminal.wait_for("Who is watching?")
    terminal.wait_for("ratings invented")
    terminal.send("l")
    terminal.wait_for("Unseen · by how much")
    terminal.send("t")
    terminal.wait_for("train blend")
    terminal.send("c")
    terminal.wait_for("Stopped training blend")
    terminal.send("b")
    terminal.wait_for_movies(11)
    terminal.send("right", "/", *"23")
    terminal.wait_for("user     23")
    terminal.send("enter")
    terminal.wait_for("The list of user 23")
    before = terminal.list_of_movies()
    terminal.send("down", "down", "1")
    terminal.wait_for("rated ")
    terminal.wait_for("u undo")
    after = terminal.list_of_movies()
    assert after != before
    quit_with(terminal, "q", home)
    (rating,) = stored_ratings().items()
    assert rating[0].startswith("23 ")
    assert rating[1] == 1.0

    title = rating[0].removeprefix("23 ")
    again = start()
    again.wait_for("user 23")
    again.wait_for("★ 4.")
    assert not [row for row in again.list_of_movies() if title[:12] in row]
    again.send("u")
    again.wait_for(f"undid {title[:30]}")
    quit_with(again, "q", home)
    assert stored_ratings() == {}


def test_a_rating_that_was_shown_survives_a_kill(ready: Path, start: Start) -> None:
    terminal = start()
    terminal.wait_for_movies(1)
    terminal.send("5")
    terminal.wait_for("rated ")
    terminal.child.kill(signal.SIGKILL)
    terminal.end()
    assert gone(*processes_of(ready))
    (rating,) = stored_ratings().items()
    assert rating[1] == 5.0
    again = start()
    again.wait_for_movies(1)
    again.send("u")
    again.wait_for("undid")
    quit_with(again, "q", ready)


@pytest.mark.parametrize("moment", ["at once", "Learn what people", "Who is"])
def test_ctrl_c_ends_the_first_start_and_leaves_nothing_half_written(home: Path, start: Start, moment: str) -> None:
    terminal = start()
    if moment == "at once":
        for _ in range(200):
            if b"\x1b[?1049h" in terminal.raw:
                break
            terminal.read()
    else:
        terminal.wait_for("There is no list")
        terminal.send("e")
        terminal.wait_for(moment)
    # Before the app has the terminal, ctrl+c is a signal, and the exit code says so.
    quit_with(terminal, "\x03", home, codes=(0, 130) if moment == "at once" else (0,))
    names = [path.name for path in home.rglob("*")] if home.exists() else []
    assert not [name for name in names if name.startswith((".", "tmp")) or name.endswith((".part", ".tmp"))]
    if locations.store().exists():
        store = Store(locations.store())
        assert "running" not in [run.state for run in store.runs()]
        store.close()
    if moment == "Who is":
        again = start()
        again.wait_for("Who is watching?")
        again.send("l")
        again.wait_for("★ 4.")
        quit_with(again, "q", home)


def test_both_members_of_a_pair_rate(ready: Path, start: Start) -> None:
    terminal = start((140, 40))
    terminal.wait_for("users of demo")
    terminal.wait_for("seen")
    terminal.send("left", "down", "p")
    terminal.wait_for("Unseen by both")
    terminal.wait_for("B user 2")
    terminal.send("4")
    terminal.wait_for("as A user 1")
    terminal.send("tab")
    terminal.wait_for("The next rating is for B")
    terminal.send("2")
    terminal.wait_for("as B user 2")
    quit_with(terminal, "q", ready)
    assert sorted((name.split()[0], stars) for name, stars in stored_ratings().items()) == [("1", 4.0), ("2", 2.0)]


def test_keys_that_arrive_together_go_where_they_were_meant(ready: Path, start: Start) -> None:
    """Digits that are typed into the search are not ratings, however soon they follow the slash."""
    terminal = start()
    terminal.wait_for("seen")
    terminal.wait_for("★ 4.")
    terminal.send_at_once("/", "1", "4", "4", "enter")
    terminal.wait_for("The list of user 144")
    quit_with(terminal, "q", ready)
    assert stored_ratings() == {}


def test_arrows_that_arrive_together_go_where_they_were_meant(ready: Path, start: Start) -> None:
    terminal = start()
    terminal.wait_for("seen")
    terminal.wait_for("★ 4.")
    terminal.send_at_once("left", "down", "enter")
    terminal.wait_for("The list of user 2")
    quit_with(terminal, "q", ready)


def test_hostile_titles_do_not_reach_the_terminal(hostile: Path, start: Start) -> None:
    terminal = start((120, 40))
    terminal.wait_for("★ 4.")
    terminal.send("n")
    terminal.wait_for("New profile")
    terminal.send(*"eva", "enter")
    terminal.wait_for("Getting to know eva")
    terminal.send("esc")
    terminal.wait_for("eva rated 0 movies")
    for title in ("[red]x[/red]", "Foo [/b]", "[REC]²"):
        terminal.wait_for(title)
    for evil in (b"\x1b[31mred", b"\x1b]0;owned", b"\x1b[2Jcleared", b"bell\x07"):
        assert evil not in terminal.raw
    quit_with(terminal, "q", hostile)


def test_a_store_that_cannot_be_opened_ends_the_app_with_one_sentence(home: Path, start: Start) -> None:
    locations.store().parent.mkdir(parents=True)
    locations.store().write_bytes(b"this is no database\n" * 300)
    terminal = start()
    assert terminal.end() == 1
    assert b"damaged; restore a backup with movietui restore" in terminal.raw.replace(b"\r\n", b" ")
    assert b"Traceback" not in terminal.raw
    assert gone(*processes_of(home))


def test_the_app_ends_when_its_terminal_closes(ready: Path, start: Start) -> None:
    terminal = start()
    terminal.wait_for("★ 4.")
    pid = terminal.child.pid
    os.kill(pid, signal.SIGHUP)
    terminal.end()
    assert gone(pid, *processes_of(ready))


@pytest.mark.real
def test_the_real_data_can_be_used(home: Path, datasets_folder: Path, start: Start) -> None:
    line = [program(), "data", "get", "ml-100k", "--from", str(datasets_folder / "ml-100k.zip"), "--json"]
    got = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    assert (got["ratings"], got["users"], got["movies"]) == (100_000, 943, 1682)
    subprocess.run([program(), "train", "mf", "--dataset", "ml-100k"], check=True, capture_output=True)
    terminal = start((140, 40))
    terminal.wait_for("ml-100k · 1,6")
    terminal.wait_for("★ 4.")
    terminal.send("/", *"500")
    terminal.wait_for("user     500")
    terminal.send("enter")
    terminal.wait_for("The list of user 500")
    terminal.send("5")
    terminal.wait_for("u undo")
    quit_with(terminal, "q", home)
    assert list(stored_ratings().values()) == [5.0]


def test_a_run_is_trained_watched_cancelled_named_and_deleted(ready: Path, start: Start) -> None:
    terminal = start((140, 40))
    terminal.wait_for("★ 4.")
    terminal.send("t")
    terminal.wait_for("2 runs · ")
    terminal.wait_for("popularity")  # the models appear after the runs
    terminal.send("down", "down", "down")
    terminal.wait_for("factors  1 … 128")
    terminal.send("e", "tab", "\x15", *"200", "enter")  # tab goes to the second field, and ctrl+u empties it
    terminal.wait_for("run 3 · mf · demo")
    terminal.wait_for("of 200")
    terminal.wait_for("·· train")
    terminal.send("esc")  # the focus stays in the form
    terminal.wait_for("c Cancel")
    terminal.send("c")
    terminal.wait_for("Stopped training mf")
    terminal.send("right", "g", "n")
    terminal.wait_for("Name run 3")
    terminal.send(*"first", "enter")
    terminal.wait_for("Run 3 is now called first.")
    terminal.send("D")
    terminal.wait_for("Delete run 3?")
    terminal.send("y")
    terminal.wait_for("Deleted run 3")
    quit_with(terminal, "q", ready)
    store = Store(locations.store())
    assert [run.id for run in store.runs()] == [2, 1]
    store.close()
