"""The engine and jobs run as real processes."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.data.storage import locations, log
from movietui.engine.service import Service
from movietui.jobs import __main__ as jobs
from movietui.protocol.messages import ListWindow, ViewerRatings
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerRef
from movietui.protocol.wire import Message, decode, encode
from movietui.state import child_processes as children
from movietui.state.child_processes import Engine, Job, warm_job
from movietui.state.job_runner import JobRunner
from movietui.store.ratings import Store
from tests.data.imdb_tables import basics, write_tables
from tests.movietui.driving import PATIENCE
from tests.movietui.homes import checkpoint_of
from tests.movietui.processes import alive, gone, processes_of

VIEWERS: list[ViewerRatings] = [{"kind": "user", "id": "1", "rated": [], "seen": [], "hidden": []}]
TRAIN: Message = {"do": "train", "model": "mf", "dataset": "demo", "cleaning": "standard"}
GET: Message = {"do": "get", "name": "demo", "path": None, "cleaning": "standard"}


@pytest.fixture
async def engine(home: Path) -> AsyncIterator[Engine]:
    opened = Engine()
    await opened.start()
    yield opened
    await opened.close()
    assert gone(*processes_of(home))


@pytest.mark.parametrize(("chosen", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_products_in_the_engine_use_one_thread_unless_somebody_chooses_more(chosen: dict[str, str], used: str) -> None:
    """The variable has an effect only if it is set before numpy is loaded."""
    script = (
        "import sys, os, movietui.engine.__main__; print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"} | chosen
    printed = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True
    )
    assert printed.stdout.split() == [used, "False"]


async def open_demo(engine: Engine) -> None:
    checkpoint = checkpoint_of("mf")
    await engine.ask(Requests.open, dataset="demo", cleaning="standard", checkpoint=checkpoint)


async def rank(engine: Engine) -> ListWindow:
    return await engine.ask(Requests.rank, query={"viewers": VIEWERS, "misery": 0.6}, offset=0, limit=5)


def anything(service: Requests) -> object:
    """A request that only the programs of ``instead`` know, like the two below."""


def loop(service: Requests) -> object: ...


def die(service: Requests) -> object: ...


def pid_of(engine: Engine) -> int:
    assert engine._connection is not None
    return engine._connection.process.pid


async def test_the_engine_replies_to_requests(ready: Path, engine: Engine) -> None:
    await open_demo(engine)
    ranked = await rank(engine)
    assert [row["rank"] for row in ranked["rows"]] == [1, 2, 3, 4, 5]
    many = await asyncio.gather(
        *(engine.ask(Requests.find_users, search=str(user), offset=0, limit=1) for user in range(1, 40))
    )
    assert [people["rows"][0]["id"] for people in many] == [str(user) for user in range(1, 40)]
    viewers = [ViewerRef("user", "1", "demo").key]
    assert (await engine.ask(Requests.compare_runs, first=1, second=2, viewers=viewers))["top"]
    assert await engine.ask(Requests.published_results)


async def test_a_problem_is_a_sentence_and_the_engine_continues(ready: Path, engine: Engine) -> None:
    first = pid_of(engine)
    with pytest.raises(Problem, match="No dataset is open"):
        await rank(engine)
    await open_demo(engine)
    with pytest.raises(Problem, match="demo has no movie 7777"):
        await engine.ask(Requests.movie_details, viewers=VIEWERS, movies=["7777"])
    wrong: list[tuple[Callable[..., object], dict[str, object]]] = [
        (loop, {}),
        (Requests.rank, {}),
        (Requests.rank, {"query": 7, "offset": 0, "limit": 5}),
        (Service.__init__, {}),
        (Service._import, {}),
    ]
    for request, arguments in wrong:
        with pytest.raises(Problem, match="please report it"):
            await engine.ask(request, **arguments)
    assert (await rank(engine))["total"] > 0
    assert pid_of(engine) == first


@pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="this system does not show the environment of a process"
)
async def test_the_engine_multiplies_in_one_thread(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in children.ONE_THREAD:
        monkeypatch.setenv(name, "2")
    engine = Engine()
    await engine.start()
    assert await engine.ask(Requests.presets)  # numpy has been loaded by now, with its threads
    started_with = Path(f"/proc/{pid_of(engine)}/environ").read_text().split("\0")
    assert {f"{name}={value}" for name, value in children.ONE_THREAD.items()} <= set(started_with)
    threads = list(Path(f"/proc/{pid_of(engine)}/task").iterdir())
    assert len(threads) == 2  # the main thread, and the one that gives signs of life
    await engine.close()


async def test_a_killed_engine_is_restarted_and_gets_the_request_again(ready: Path, engine: Engine) -> None:
    await open_demo(engine)
    before = await rank(engine)
    for _ in range(2):
        killed = pid_of(engine)
        os.kill(killed, signal.SIGKILL)
        assert gone(killed)
        assert await rank(engine) == before
        assert pid_of(engine) != killed
    assert log.read().count("the engine ended with exit code -9") == 2


async def test_requests_to_a_killed_engine_are_sent_again(ready: Path, engine: Engine) -> None:
    await open_demo(engine)
    before = await rank(engine)
    for _ in range(3):
        os.kill(pid_of(engine), signal.SIGSTOP)
        requests = [asyncio.create_task(rank(engine)) for _ in range(4)]
        assert engine._connection is not None
        while len(engine._connection._waiting) < 4:
            await asyncio.sleep(0)
        os.kill(pid_of(engine), signal.SIGKILL)
        replies = await asyncio.wait_for(asyncio.gather(*requests), PATIENCE)
        assert all(reply["rows"] == before["rows"] for reply in replies)


async def test_requests_to_a_new_engine_succeed_while_the_death_of_the_old_one_is_reported(
    ready: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that the new engine receives while the error output of the old one is read must not fail."""
    await open_demo(engine)
    before = await rank(engine)

    reading, may_finish = asyncio.Event(), asyncio.Event()

    async def slow(output: children._ErrorOutput) -> str:
        reading.set()
        await may_finish.wait()
        return ""

    monkeypatch.setattr(children._ErrorOutput, "last", slow)
    killed = pid_of(engine)
    os.kill(killed, signal.SIGKILL)
    assert gone(killed)
    await reading.wait()
    requests = asyncio.gather(*(rank(engine) for _ in range(3)), return_exceptions=True)
    while pid_of(engine) == killed:
        await asyncio.sleep(0.01)
    may_finish.set()
    replies = await asyncio.wait_for(requests, PATIENCE)
    assert replies == [before] * 3


async def test_an_engine_that_cannot_start_is_a_problem(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    engine = Engine()
    await engine.start()
    with pytest.raises(Problem, match="stopped twice; restart movietui"):
        await asyncio.wait_for(engine.ask(Requests.models), PATIENCE)
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
        await engine.ask(Requests.models)
    assert processes_of(ready) == []


async def test_an_engine_that_hangs_can_be_closed(ready: Path) -> None:
    engine = Engine()
    await engine.start()
    pid = pid_of(engine)
    os.kill(pid, signal.SIGSTOP)
    await asyncio.wait_for(engine.close(), PATIENCE)
    assert not alive(pid)


# An engine that hangs


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set time limits that are short enough for a test, yet long enough for a busy machine."""
    monkeypatch.setattr(children, "SILENT_SECONDS", 2.0)
    monkeypatch.setattr(children, "HANG_SECONDS", 5.0)


async def test_an_engine_that_hangs_is_reported_killed_and_replaced(ready: Path, engine: Engine, quick: None) -> None:
    notices: list[str] = []
    engine.notice = notices.append
    await open_demo(engine)
    before = await rank(engine)
    hung = pid_of(engine)
    os.kill(hung, signal.SIGSTOP)
    assert await asyncio.gather(*(rank(engine) for _ in range(3))) == [before] * 3
    assert notices[:2] == [children.STILL_SILENT, children.HUNG]
    assert not alive(hung)


async def test_an_engine_that_resumes_in_time_is_not_killed(ready: Path, engine: Engine, quick: None) -> None:
    notices: list[str] = []
    engine.notice = notices.append
    await open_demo(engine)
    slow = pid_of(engine)
    os.kill(slow, signal.SIGSTOP)
    request = asyncio.create_task(rank(engine))
    while children.STILL_SILENT not in notices:
        await asyncio.sleep(0.01)
    os.kill(slow, signal.SIGCONT)
    assert (await request)["total"] > 0
    while children.ANSWERS_AGAIN not in notices:
        await asyncio.sleep(0.01)
    assert pid_of(engine) == slow


WORKER = """
import sys, time
from movietui.engine import __main__ as engine; from movietui.protocol import wire
replies = engine.Replies(wire.take_stdout())
for line in sys.stdin.buffer:
    request = wire.decode(line)
    replies.working.set()
    {}
    replies.working.clear()
    replies.write(wire.encode({{"id": request["id"], "result": "done"}}))
"""


def instead(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Let another program be the engine. For each request, it runs the statement ``what`` and replies."""

    async def start(module: str, *options: str, **environment: str) -> children.Child:
        transport, pipes = await asyncio.get_running_loop().subprocess_exec(
            children._Pipes, sys.executable, "-c", WORKER.format(what), start_new_session=True
        )
        return children.Child(transport, pipes)

    monkeypatch.setattr(children, "_start", start)


async def test_an_engine_that_works_long_is_not_killed(
    home: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, "time.sleep(7)")  # longer than an engine may be silent
    monkeypatch.setattr(children, "SLOW_SECONDS", 3.0)
    engine, notices = Engine(), list[str]()
    engine.notice = notices.append
    assert await engine.ask(anything) == "done"
    assert children.STILL_AT_WORK in notices
    assert children.HUNG not in notices
    await engine.close()


async def test_an_engine_that_never_finishes_is_killed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "while request['do'] == 'loop': pass")
    monkeypatch.setattr(children, "ENDLESS_SECONDS", 3.0)
    engine, notices = Engine(), list[str]()
    engine.notice = notices.append
    assert await engine.ask(anything) == "done"
    first = pid_of(engine)
    with pytest.raises(Problem, match="stops every time it tries this"):
        await engine.ask(loop)
    assert not alive(first)
    assert notices.count(children.HUNG) == children.ATTEMPTS
    assert await engine.ask(anything) == "done"
    await engine.close()


async def test_output_of_a_library_does_not_reach_the_pipe(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe carries only messages, even if a library prints a warning to standard output."""
    instead(monkeypatch, "import os; print('a warning', flush=True); os.write(1, b'a warning\\n')")
    engine = Engine()
    assert [await engine.ask(anything) for _ in range(3)] == ["done"] * 3
    await engine.close()


async def test_each_death_is_counted_once_however_many_requests_wait(ready: Path, engine: Engine) -> None:
    """The engine dies twice in a row while six requests wait. That must count as two deaths."""
    await open_demo(engine)
    before = await rank(engine)
    started: list[int] = []
    requests = [asyncio.create_task(rank(engine)) for _ in range(6)]
    while not all(request.done() for request in requests):
        if (pid := pid_of(engine)) not in started:
            started.append(pid)
            if len(started) <= 2:
                os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0)
    assert await asyncio.gather(*requests) == [before] * 6
    assert len(started) <= 3


async def test_a_request_that_kills_every_engine_fails_and_others_succeed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, "import os; request['do'] == 'die' and os._exit(1)")
    engine = Engine()
    assert await engine.ask(anything) == "done"
    with pytest.raises(Problem, match="The ranking engine stops every time it tries this"):
        await engine.ask(die)
    assert await engine.ask(anything) == "done"
    await engine.close()


CANCELLED = """
import asyncio, gc
from movietui.state import child_processes as children
async def one(steps):
    asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is slow, and that is no fault
    engine, job = children.Engine(), children.Job()
    tasks = [asyncio.create_task(engine.start()), asyncio.create_task(job.start("--warm"))]
    for _ in range(steps):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await children.end_all()
for steps in range(12):
    asyncio.run(one(steps))
    gc.collect()
"""


def test_cancelling_a_start_leaves_nothing_to_the_event_loop(home: Path) -> None:
    """When the loop closes, Python would report what is left, on a terminal that a shell is using again by then."""
    process = subprocess.run([sys.executable, "-X", "dev", "-c", CANCELLED], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")
    assert processes_of(home) == []


def test_children_of_another_event_loop_are_not_waited_for(home: Path) -> None:
    loop = asyncio.new_event_loop()
    engine = Engine()
    loop.run_until_complete(engine.start())
    pid = pid_of(engine)
    asyncio.run(asyncio.wait_for(children.end_all(), 60))
    assert alive(pid)
    loop.run_until_complete(children.end_all())
    loop.close()
    assert not alive(pid)
    assert processes_of(home) == []


# Jobs


async def events_of(job: Job, request: Message) -> list[Message]:
    return [event async for event in job.events(request)]


def pid_of_job(job: Job) -> int:
    assert job._process is not None
    return job._process.pid


def states() -> list[str]:
    store = Store(locations.store())
    result = [run.state for run in store.runs()]
    store.close()
    return result


async def test_get_reports_its_stages_and_result(home: Path) -> None:
    job = Job()
    events = await events_of(job, GET)
    assert events[-1]["event"] == "done"
    result = events[-1]["result"]
    assert (result["dataset"], result["source"]) == ("demo", "generated")
    assert result["report"]["rules"]
    assert {"Storing", "Cleaning"} <= {event["name"] for event in events[:-1]}
    assert not alive(pid_of_job(job))


async def test_imdb_reports_its_stages_and_result(home: Path, tmp_path: Path) -> None:
    write_tables(tmp_path / "imdb", [basics(11, "The Godfather", 1972)])
    events = await events_of(Job(), {"do": "imdb", "name": "demo", "path": str(tmp_path / "imdb")})
    assert events[-1]["event"] == "done"
    assert events[-1]["result"]["by"] == {"id": 0, "title": 1, "hand": 0}
    assert {"Reading", "Matching", "Storing"} <= {event["name"] for event in events[:-1]}


async def test_the_engine_reports_a_join_and_stores_choices(ready: Path, engine: Engine, tmp_path: Path) -> None:
    write_tables(tmp_path / "imdb", [basics(11, "Alien", 1979), basics(12, "Alien", 1979)])
    assert await engine.ask(Requests.imdb_report, dataset="demo") is None
    await events_of(Job(), {"do": "imdb", "name": "demo", "path": str(tmp_path / "imdb")})
    report = await engine.ask(Requests.imdb_report, dataset="demo")
    assert report is not None
    (alien,) = report["ambiguous_movies"]
    settled = await engine.ask(Requests.choose_imdb_title, dataset="demo", movie=alien["id"], title="tt0000012")
    assert (settled["ambiguous"], settled["by"]["hand"]) == (0, 1)
    forgotten = await engine.ask(Requests.forget_imdb_title, dataset="demo", movie=alien["id"])
    assert forgotten == await engine.ask(Requests.imdb_report, dataset="demo")


async def test_train_reports_its_epochs(ready: Path) -> None:
    events = await events_of(Job(), {**TRAIN, "model": "bias", "settings": {"sweeps": 3}, "seed": 4})
    assert events[-1]["event"] == "done"
    numbers = [event["epoch"] for event in events if event["event"] == "epoch" and event["phase"] == "curve"]
    assert numbers == [1, 2, 3]
    assert events[-1]["result"]["seed"] == 4
    assert states()[0] == "done"


def test_a_finished_job_exits_without_cleaning_up(home: Path) -> None:
    job = "import atexit; from movietui.jobs import __main__ as jobs; atexit.register(print, 'taken down'); jobs.main()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", job], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(encode(GET))
        process.stdin.flush()  # stays open, because a job whose parent is gone may end before its last event
        output, errors = process.stdout.read(), process.stderr.read()
    assert decode(output.splitlines()[-1])["event"] == "done"
    assert b"taken down" not in output + errors


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({**GET, "name": "nothing"}, "There is no dataset nothing"),
        ({**GET, "name": "own", "path": "/nowhere/at/all.zip"}, "/nowhere/at/all.zip"),
        ({"do": "imdb", "name": "demo", "path": "/nowhere/at/all"}, "There is no folder /nowhere/at/all"),
        ({**TRAIN, "model": "oracle"}, "There is no model 'oracle'"),
        ({**TRAIN, "settings": {"factors": 100_000}}, "factors"),
        ({**TRAIN, "split": "u77"}, "u77"),
        ({**TRAIN, "dataset": "ml-100k"}, "ml-100k is not on disk yet; run movietui data get ml-100k."),
    ],
)
async def test_a_job_that_fails_reports_one_sentence(ready: Path, request_: Message, expected: str) -> None:
    events = await events_of(Job(), request_)
    assert events[-1]["event"] == "failed"
    assert expected in events[-1]["problem"]
    assert "Traceback" not in events[-1]["problem"]
    assert "\n" not in events[-1]["problem"]


@pytest.mark.parametrize("moment", ["at once", "loading", "learning"])
async def test_a_job_can_be_cancelled_at_any_moment(ready: Path, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GRACE_SECONDS", PATIENCE)  # a busy machine may need longer
    job = Job()
    events: list[Message] = []
    async for event in job.events({**TRAIN, "settings": {"sweeps": 200}}):
        events.append(event)
        learns = event["event"] == "epoch" and event["epoch"] == 2
        if {"at once": len(events) == 1, "loading": len(events) == 3, "learning": learns}[moment]:
            await job.cancel()
    assert events[-1]["event"] == "cancelled"
    assert sum(event["event"] in ("done", "failed", "cancelled") for event in events) == 1
    assert not alive(pid_of_job(job))
    assert "running" not in states()
    assert states()[0] in ("cancelled", "done")
    assert processes_of(ready) == []


@pytest.mark.usefixtures("interruptible")
async def test_a_job_can_be_cancelled_even_if_interrupts_are_ignored(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that a script starts in the background ignores SIGINT, and so do the children of the program."""
    monkeypatch.setattr(children, "GRACE_SECONDS", PATIENCE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = Job()
    async for event in job.events({**TRAIN, "settings": {"sweeps": 200}}):
        if event["event"] == "epoch" and event["epoch"] == 2:
            await job.cancel()
    assert event["event"] == "cancelled"
    assert states()[0] == "cancelled"


async def test_a_job_that_cannot_start_reports_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(home / "no-python"))
    (event,) = await events_of(Job(), GET)
    assert event["event"] == "failed"
    assert event["problem"] == "The job could not be started: No such file or directory. Start it again."


@pytest.mark.skipif(not jobs.SESSION.exists(), reason="this system does not share its processors between sessions")
async def test_a_job_lowers_the_priority_of_its_session(home: Path) -> None:
    niceness = min(19, os.nice(0) + jobs.NICENESS)
    async with contextlib.aclosing(Job().events(GET)) as events:
        await anext(events)
        job = next(pid for pid in processes_of(home) if os.getsid(pid) == pid)
        assert os.getpriority(os.PRIO_PROCESS, job) == niceness
        assert Path(f"/proc/{job}/autogroup").read_text().endswith(f" nice {niceness}\n")
    assert gone(job)


async def test_a_finished_job_leaves_no_process(home: Path) -> None:
    """After the event loop has ended, nothing could wait for the process."""
    job = Job()
    await JobRunner(lambda: None, lambda: job).get("demo")
    assert job._process is not None
    assert job._process.returncode == 0


async def test_a_job_that_is_cancelled_before_it_begins_starts_no_process(home: Path) -> None:
    job = Job()
    await job.cancel()
    assert await events_of(job, GET) == [{"event": "cancelled"}]
    assert job._process is None


async def test_cancelling_a_fetch_leaves_nothing_half_written(home: Path) -> None:
    job = Job()
    async for _ in job.events(GET):
        await job.cancel()
    names = [path.name for path in home.rglob("*")] if home.exists() else []
    assert not [name for name in names if name.startswith((".", "tmp")) or name.endswith((".part", ".tmp"))]
    assert (await events_of(Job(), GET))[-1]["event"] == "done"


async def test_a_killed_job_reports_a_sentence_and_its_run_ends(ready: Path) -> None:
    """The app that saw the job die, or else the next job, must record the end of the run."""
    job = Job()
    events: list[Message] = []
    async for event in job.events({**TRAIN, "settings": {"sweeps": 200}}):
        events.append(event)
        if event["event"] == "epoch" and event["epoch"] == 1 and event["phase"] == "curve":
            os.kill(pid_of_job(job), signal.SIGKILL)
    assert events[-1]["event"] == "failed"
    assert "ran out of memory or was killed" in events[-1]["problem"]
    assert "a job ended with exit code -9" in log.read()
    assert "Start it again." in events[-1]["problem"]
    assert (await events_of(Job(), {**TRAIN, "model": "popularity"}))[-1]["event"] == "done"
    assert "running" not in states()


async def test_an_unused_warm_job_ends(home: Path) -> None:
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
from movietui.state import child_processes as children; from movietui.engine.service import Service
from movietui.jobs import __main__ as jobs
from movietui.state.child_processes import Engine, Job
async def main():
    engine, job = Engine(), Job()
    await engine.start()
    request = {"do": "train", "model": "mf", "dataset": "demo", "cleaning": "standard", "settings": {"sweeps": 200}}
    async for event in job.events(request):
        if event["event"] == "epoch":
            print(engine._connection.process.pid, job._process.pid, flush=True)
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
