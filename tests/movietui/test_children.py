"""The engine and jobs as real processes."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from data import locations
from data.problems import Problem
from movietui import children, jobs
from movietui.children import Engine, Job, warm_job
from movietui.store import Store
from movietui.wire import Message, decode, encode
from tests.data.imdb_tables import basics, write_tables
from tests.movietui.homes import checkpoint_of
from tests.movietui.processes import alive, gone, processes_of

VIEWERS = [{"kind": "user", "id": "1", "rated": []}]
TRAIN: Message = {"do": "train", "model": "mf", "dataset": "demo", "cleaning": "standard"}
GET: Message = {"do": "get", "name": "demo", "path": None, "cleaning": "standard"}


@pytest.fixture
async def engine(home: Path) -> AsyncIterator[Engine]:
    opened = Engine()
    await opened.start()
    yield opened
    await opened.close()
    assert gone(*processes_of(home))


async def open_demo(engine: Engine) -> None:
    checkpoint = checkpoint_of("mf")
    await engine.ask("open", dataset="demo", cleaning="standard", checkpoint=checkpoint)


async def rank(engine: Engine) -> Any:
    return await engine.ask("rank", viewers=VIEWERS, misery=0.6, offset=0, limit=5)


def pid_of(engine: Engine) -> int:
    assert engine._conversation is not None
    return engine._conversation.process.pid


async def test_the_engine_answers(ready: Path, engine: Engine) -> None:
    await open_demo(engine)
    ranked = await rank(engine)
    assert [row["rank"] for row in ranked["rows"]] == [1, 2, 3, 4, 5]
    many = await asyncio.gather(*(engine.ask("people", search=str(user), offset=0, limit=1) for user in range(1, 40)))
    assert [people["rows"][0]["id"] for people in many] == [str(user) for user in range(1, 40)]
    assert (await engine.ask("compare", first=1, second=2, viewers=VIEWERS))["top"]
    assert await engine.ask("reported")


async def test_a_problem_is_a_sentence_and_the_engine_goes_on(ready: Path, engine: Engine) -> None:
    first = pid_of(engine)
    with pytest.raises(Problem, match="No dataset is open"):
        await rank(engine)
    await open_demo(engine)
    with pytest.raises(Problem, match="demo has no movie 7777"):
        await engine.ask("details", viewers=VIEWERS, movie="7777")
    for wrong in ({"do": "nothing"}, {"do": "rank"}, {"do": "rank", "viewers": 7}):
        with pytest.raises(Problem, match="please report it"):
            await engine.ask(**wrong)  # type: ignore[arg-type]
    assert (await rank(engine))["total"] > 0
    assert pid_of(engine) == first


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="what a process was started with is not told here")
async def test_the_engine_multiplies_in_one_thread(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in children.ONE_THREAD:
        monkeypatch.setenv(name, "2")
    engine = Engine()
    await engine.start()
    started_with = Path(f"/proc/{pid_of(engine)}/environ").read_text().split("\0")
    assert {f"{name}={value}" for name, value in children.ONE_THREAD.items()} <= set(started_with)
    assert await engine.ask("presets")  # by then numpy is loaded, with the threads it has
    assert len(list(Path(f"/proc/{pid_of(engine)}/task").iterdir())) == 1
    await engine.close()


async def test_what_a_library_prints_does_not_get_between(ready: Path, engine: Engine) -> None:
    """Nothing but answers is on the pipe, even where a warning is printed."""
    await open_demo(engine)
    await asyncio.gather(*(rank(engine) for _ in range(20)))


async def test_a_killed_engine_is_started_again_and_asked_again(ready: Path, engine: Engine) -> None:
    await open_demo(engine)
    before = await rank(engine)
    for _ in range(2):
        killed = pid_of(engine)
        os.kill(killed, signal.SIGKILL)
        assert gone(killed)
        assert await rank(engine) == before
        assert pid_of(engine) != killed


async def test_killed_between_question_and_answer(ready: Path, engine: Engine) -> None:
    await open_demo(engine)
    before = await rank(engine)
    for _ in range(3):
        os.kill(pid_of(engine), signal.SIGSTOP)
        questions = [asyncio.create_task(rank(engine)) for _ in range(4)]
        await asyncio.sleep(0.05)
        os.kill(pid_of(engine), signal.SIGKILL)
        answers = await asyncio.wait_for(asyncio.gather(*questions), 20)
        assert all(answer["rows"] == before["rows"] for answer in answers)


async def test_asked_again_while_the_death_is_still_being_told(
    ready: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads the last words of the dead must not fail the questions that its successor has got since."""
    await open_demo(engine)
    before = await rank(engine)

    async def slow(words: children._LastWords) -> str:
        await asyncio.sleep(0.15)
        return ""

    monkeypatch.setattr(children._LastWords, "last", slow)
    killed = pid_of(engine)
    os.kill(killed, signal.SIGKILL)
    assert gone(killed)
    await asyncio.sleep(0.05)
    answers = await asyncio.wait_for(asyncio.gather(*(rank(engine) for _ in range(3)), return_exceptions=True), 20)
    assert answers == [before] * 3


async def test_an_engine_that_cannot_start_is_a_problem(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    engine = Engine()
    await engine.start()
    with pytest.raises(Problem, match="stopped twice; restart movietui"):
        await asyncio.wait_for(engine.ask("models"), 10)
    await engine.close()


async def test_closing_ends_the_process(ready: Path) -> None:
    engine = Engine()
    await engine.start()
    await engine.start()
    assert len(processes_of(ready)) <= 1
    pid = pid_of(engine)
    await engine.close()
    assert not alive(pid)
    await engine.close()
    with pytest.raises(Problem, match="closing"):
        await engine.ask("models")
    assert processes_of(ready) == []


async def test_an_engine_that_hangs_is_closed_all_the_same(ready: Path) -> None:
    engine = Engine()
    await engine.start()
    pid = pid_of(engine)
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    await engine.close()
    assert not alive(pid)
    assert time.monotonic() - started < 5


# Jobs


async def events_of(job: Job, request: Message) -> list[Message]:
    return [event async for event in job.events(request)]


def pid_of_job(job: Job) -> int:
    assert job._process is not None
    return job._process.pid


def states() -> list[str]:
    store = Store(locations.store())
    found = [run.state for run in store.runs()]
    store.close()
    return found


async def test_get_tells_its_stages_and_result(home: Path) -> None:
    job = Job()
    events = await events_of(job, GET)
    assert events[-1]["event"] == "done"
    result = events[-1]["result"]
    assert (result["dataset"], result["source"]) == ("demo", "generated")
    assert result["report"]["rules"]
    assert {"Storing", "Cleaning"} <= {event["name"] for event in events[:-1]}
    assert not alive(pid_of_job(job))


async def test_imdb_tells_its_stages_and_result(home: Path, tmp_path: Path) -> None:
    write_tables(tmp_path / "imdb", [basics(11, "The Godfather", 1972)])
    events = await events_of(Job(), {"do": "imdb", "name": "demo", "path": str(tmp_path / "imdb")})
    assert events[-1]["event"] == "done"
    assert events[-1]["result"]["by"] == {"id": 0, "title": 1, "hand": 0}
    assert {"Reading", "Matching", "Storing"} <= {event["name"] for event in events[:-1]}


async def test_the_engine_tells_and_settles_a_join(ready: Path, engine: Engine, tmp_path: Path) -> None:
    write_tables(tmp_path / "imdb", [basics(11, "Alien", 1979), basics(12, "Alien", 1979)])
    assert await engine.ask("imdb", dataset="demo") is None
    await events_of(Job(), {"do": "imdb", "name": "demo", "path": str(tmp_path / "imdb")})
    (alien,) = (await engine.ask("imdb", dataset="demo"))["ambiguous_movies"]
    settled = await engine.ask("settle", dataset="demo", movie=alien["id"], title="tt0000012")
    assert (settled["ambiguous"], settled["by"]["hand"]) == (0, 1)
    forgotten = await engine.ask("unsettle", dataset="demo", movie=alien["id"])
    assert forgotten == await engine.ask("imdb", dataset="demo")


async def test_train_tells_its_epochs(ready: Path) -> None:
    events = await events_of(Job(), {**TRAIN, "model": "bias", "settings": {"sweeps": 3}, "seed": 4})
    assert events[-1]["event"] == "done"
    numbers = [event["epoch"] for event in events if event["event"] == "epoch" and event["phase"] == "curve"]
    assert numbers == [1, 2, 3]
    assert events[-1]["result"]["seed"] == 4
    assert states()[0] == "done"


def test_a_job_that_said_its_last_word_takes_nothing_down(home: Path) -> None:
    job = "import atexit; from movietui import jobs; atexit.register(print, 'taken down'); jobs.main()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", job], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(encode(GET))
        process.stdin.flush()  # and left open: a job whose asker is gone may end before its last word
        told, said = process.stdout.read(), process.stderr.read()
    assert decode(told.splitlines()[-1])["event"] == "done"
    assert b"taken down" not in told + said


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({**GET, "name": "nothing"}, "There is no dataset nothing"),
        ({**GET, "name": "own", "path": "/nowhere/at/all.zip"}, "/nowhere/at/all.zip"),
        ({"do": "imdb", "name": "demo", "path": "/nowhere/at/all"}, "There is no folder /nowhere/at/all"),
        ({**TRAIN, "model": "oracle"}, "There is no model 'oracle'"),
        ({**TRAIN, "settings": {"factors": 100_000}}, "factors"),
        ({**TRAIN, "split": "u77"}, "u77"),
        ({**TRAIN, "dataset": "ml-100k"}, "ml-100k is not here yet"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence(ready: Path, request_: Message, told: str) -> None:
    events = await events_of(Job(), request_)
    assert events[-1]["event"] == "failed"
    assert told in events[-1]["problem"]
    assert "Traceback" not in events[-1]["problem"]
    assert "\n" not in events[-1]["problem"]


@pytest.mark.parametrize("moment", ["at once", "loading", "learning"])
async def test_cancelling(ready: Path, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GRACE_SECONDS", 30.0)  # a busy machine may need more than it is given
    job = Job()
    events: list[Message] = []
    async for event in job.events({**TRAIN, "settings": {"sweeps": 200}}):
        events.append(event)
        if moment == "learning" and event["event"] == "epoch" and event["epoch"] == 2:
            await job.cancel()
        elif moment != "learning" and len(events) == 1:
            if moment == "loading":
                await asyncio.sleep(0.4)
            await job.cancel()
    assert events[-1]["event"] == "cancelled"
    assert sum(event["event"] in ("done", "failed", "cancelled") for event in events) == 1
    assert not alive(pid_of_job(job))
    assert "running" not in states()
    assert states()[0] in ("cancelled", "done")
    assert processes_of(ready) == []


@pytest.mark.skipif(not jobs.SESSION.exists(), reason="sessions do not share the processors here")
async def test_a_job_gives_way_to_the_screen_with_its_whole_session(home: Path) -> None:
    niceness = min(19, os.nice(0) + jobs.NICENESS)
    async with contextlib.aclosing(Job().events(GET)) as events:
        await anext(events)
        job = next(pid for pid in processes_of(home) if os.getsid(pid) == pid)
        assert os.getpriority(os.PRIO_PROCESS, job) == niceness
        assert Path(f"/proc/{job}/autogroup").read_text().endswith(f" nice {niceness}\n")
    assert gone(job)


async def test_cancelled_before_it_began(home: Path) -> None:
    job = Job()
    await job.cancel()
    assert await events_of(job, GET) == [{"event": "cancelled"}]
    assert job._process is None


async def test_cancelling_a_fetch_leaves_nothing_half_written(home: Path) -> None:
    job = Job()
    async for _ in job.events(GET):
        await job.cancel()
    left = [path.name for path in home.rglob("*")] if home.exists() else []
    assert not [name for name in left if name.startswith((".", "tmp")) or name.endswith((".part", ".tmp"))]
    assert (await events_of(Job(), GET))[-1]["event"] == "done"


async def test_a_killed_job_is_a_sentence_and_its_run_does_not_run_for_ever(ready: Path) -> None:
    """The next start (or the app, which saw it die) must write down that it ended."""
    job = Job()
    events: list[Message] = []
    async for event in job.events({**TRAIN, "settings": {"sweeps": 200}}):
        events.append(event)
        if event["event"] == "epoch" and event["epoch"] == 1 and event["phase"] == "curve":
            os.kill(pid_of_job(job), signal.SIGKILL)
    assert events[-1]["event"] == "failed"
    assert "ran out of memory or was killed" in events[-1]["problem"]
    assert "Start it again." in events[-1]["problem"]
    assert (await events_of(Job(), {**TRAIN, "model": "popularity"}))[-1]["event"] == "done"
    assert "running" not in states()


async def test_a_warm_job_that_is_not_needed_ends(home: Path) -> None:
    async with warm_job() as job:
        pid = pid_of_job(job)
        assert alive(pid)
    assert not alive(pid)


async def test_a_warm_job_works(ready: Path) -> None:
    async with warm_job() as job:
        events = await events_of(job, {**TRAIN, "settings": {"sweeps": 2, "factors": 2}})
    assert events[-1]["event"] == "done"


PARENT = """
import asyncio, sys
from movietui import children, jobs
from movietui.children import Engine, Job
async def main():
    engine, job = Engine(), Job()
    await engine.start()
    request = {"do": "train", "model": "mf", "dataset": "demo", "cleaning": "standard", "settings": {"sweeps": 200}}
    async for event in job.events(request):
        if event["event"] == "epoch":
            print(engine._conversation.process.pid, job._process.pid, flush=True)
            await asyncio.sleep(60)
asyncio.run(main())
"""


def test_children_end_with_their_parent(ready: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert all(alive(child) for child in children)
        parent.kill()
    assert gone(*children)
    assert states()[0] == "cancelled"
