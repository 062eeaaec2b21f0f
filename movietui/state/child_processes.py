"""Clients of the child processes: the engine, which replies to requests, and jobs, which fetch, clean and train.

The engine and jobs are processes, not threads: importing torch in a thread stalls the screen for half a second, and
training in a thread stalls it for a third of a second. A child ends when its standard input ends, so no child outlives
the app, however the app ends.
"""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, cast

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import log
from movietui.protocol import code_path
from movietui.protocol.jobs import JobClient, JobEvent, JobRequest
from movietui.protocol.requests import Requests
from movietui.protocol.wire import WORKING, Message, decode, encode

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ALL_CORES_BUT_ONE = {"OMP_NUM_THREADS": str(max(1, CORES - 1))}
"""The environment of jobs: while a model is fitted, the screen and the engine have a core to themselves. Commands use
all cores."""
LINE_LIMIT = 64 * 1024 * 1024
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""The environment of the engine. Its matrix products are too small for several threads: while a model trains on all
cores, two threads wait for each other, and a list that usually takes 20 ms takes 300 ms."""
GRACE_SECONDS = 1.0
"""Seconds that a child may take to stop before it is killed."""
SILENT_SECONDS = 5.0
"""Seconds of silence after which the status line says so: while the engine works, it sends ``WORKING`` every second."""
HANG_SECONDS = 20.0
"""Seconds of silence after which the engine is killed: no single library call keeps it from reporting for that long."""
SLOW_SECONDS = 10.0
"""Seconds after which the status line says that the engine is still working on one request."""
ENDLESS_SECONDS = 600.0
"""Seconds after which an engine that is still working on one request is killed: the largest dataset opens faster."""
CHECKS = 20
"""How many times the engine is checked within the shortest of the four limits above."""
WARM = "--warm"
"""The option with which a job loads torch before it reads its request."""
ATTEMPTS = 3
"""How many times a request is sent, at most, if each engine dies while working on it."""
FRUITLESS = 2
"""After this many engines in a row have ended without a reply, the client gives up."""
STILL_SILENT = tr("The ranking engine is not responding; it restarts by itself if this continues. q quits.")
STILL_AT_WORK = tr("The ranking engine is still working on this. q quits.")
ANSWERS_AGAIN = tr("The ranking engine is responding again.")
TIMED_OUT = tr("The ranking engine did not respond in time.")
HUNG = tr("The ranking engine hung; restarting it.")


P = ParamSpec("P")
R = TypeVar("R")


class EngineClient(Protocol):
    """What the app needs from an engine. ``Engine`` runs one in a child process; tests use fakes."""

    notice: Callable[[str], object]
    """Called with a sentence when the engine is slow, silent or killed, or responds again."""

    async def start(self) -> None:
        """Start the engine unless it is already running."""

    async def close(self) -> None:
        """End the engine; pending requests get no reply."""

    def hurry(self, now: bool) -> None:
        """If ``now`` is true, make pending and further requests fail at once, until this is called with false."""

    async def ask(self, request: Callable[Concatenate[Requests, P], R], /, *arguments: P.args, **named: P.kwargs) -> R:
        """Send a request and wait for its result. Raises ``Problem`` if it fails."""
        ...


class _Pipes(asyncio.subprocess.SubprocessStreamProtocol):
    """The pipes of a child. A child is over when its process has ended and all its pipes are closed."""

    def __init__(self) -> None:
        super().__init__(LINE_LIMIT, asyncio.get_running_loop())
        self.over = asyncio.Event()
        self._left = {"process", "0", "1", "2"}

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Record that a pipe is closed."""
        super().pipe_connection_lost(fd, exc)
        self._lost(str(fd))

    def process_exited(self) -> None:
        """Record that the process has ended."""
        super().process_exited()
        self._lost("process")

    def _lost(self, part: str) -> None:
        self._left.discard(part)
        if not self._left:
            self.over.set()


class Child(asyncio.subprocess.Process):
    """A process that leaves nothing in the event loop after its end.

    If the loop closed while it still had transports of a process, Python would later print an error on the terminal.
    """

    def __init__(self, transport: asyncio.SubprocessTransport, pipes: _Pipes) -> None:
        super().__init__(transport, pipes, asyncio.get_running_loop())
        self._whole, self._pipes, self.loop = transport, pipes, asyncio.get_running_loop()
        _children.add(self)

    async def end(self) -> None:
        """Close standard input, so that the process stops; kill it if that takes longer than ``GRACE_SECONDS``."""
        assert self.stdin is not None
        self.stdin.close()
        if not await self._over_soon():
            self.kill_now()
            if not await self._over_soon():  # a process that the child started still has the pipes open
                self._whole.close()
                await self._pipes.over.wait()
        self._whole.close()
        _children.discard(self)

    async def _over_soon(self) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pipes.over.wait(), GRACE_SECONDS)
        return self._pipes.over.is_set()

    def kill_now(self) -> None:
        """Kill the process, even if it is suspended, without waiting for its pipes."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


_begun: set[asyncio.Task[Child]] = set()
_children: set[Child] = set()


async def end_all() -> None:
    """End all children of the running event loop, including those that are still starting, before it closes."""
    loop = asyncio.get_running_loop()
    while True:
        begun = [each for each in _begun if each.get_loop() is loop]
        children = [child for child in _children if child.loop is loop]
        if not begun and not children:
            return
        await asyncio.gather(*begun, return_exceptions=True)
        await asyncio.gather(*(child.end() for child in children))


def kill_all() -> None:
    """Kill all children, for an app that cannot wait for them."""
    for child in _children:
        child.kill_now()


async def _start(module: str, *options: str, **environment: str) -> Child:
    """Start a module in a child process. If the caller is cancelled meanwhile, end the process too."""
    starting = asyncio.create_task(_spawn(module, *options, **environment))
    _begun.add(starting)
    starting.add_done_callback(_begun.discard)
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await (await starting).end()
        raise


async def _spawn(module: str, *options: str, **environment: str) -> Child:
    transport, pipes = await asyncio.get_running_loop().subprocess_exec(
        _Pipes,
        *code_path.command(module, *options),
        env={**code_path.environment(), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **environment},
        start_new_session=True,  # ctrl-c in the terminal is for the app to handle
    )
    return Child(transport, pipes)


class _ErrorOutput:
    """Reads a child's standard error so that the child never blocks, and keeps the last lines for a message."""

    def __init__(self, process: Child) -> None:
        self._lines: deque[str] = deque(maxlen=20)
        self._task = asyncio.create_task(self._read(process))

    async def _read(self, process: Child) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self._lines.append(line.decode(errors="replace").rstrip())

    async def last(self) -> str:
        """Return the last line that is not blank; empty if there is none."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._task), 0.2)
        return next((line for line in reversed(self._lines) if line.strip()), "")


class _Connection:
    """Sends requests to one engine process, and returns its replies to the callers.

    While the engine works on a request, it reports so every second. An engine that is silent for too long, or works on
    one request for too long, is killed; its callers then get a ``ConnectionError``.
    """

    def __init__(self, process: Child, notice: Callable[[str], object]) -> None:
        """``notice`` is called with a sentence when the engine is slow, silent or killed, or responds again."""
        self.process = process
        self._errors = _ErrorOutput(process)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._notice = notice
        self._heard = False
        self._silent = False
        self.over = False
        self.answered = False
        """Whether the process has replied to any request."""
        self.counted = False
        """Whether the end of the process is counted in ``Engine._fruitless``."""
        self.opened = False
        """Whether the process has opened a dataset, or has tried to open the one that its predecessor had open."""
        self.opening = asyncio.Lock()
        self.reader = asyncio.create_task(self._read())
        self._watcher: asyncio.Task[None] | None = None

    async def ask(self, request: Message) -> Any:
        """Send a request and return its result.

        Raises ``Problem`` with the engine's message, or ``ConnectionError`` if the process ends without a reply.
        """
        if self.over:
            raise ConnectionError
        assert self.process.stdin is not None
        self._number += 1
        number = self._number
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        try:
            self.process.stdin.write(encode({"id": number, **request}))
            await self.process.stdin.drain()
            return await future
        except ConnectionError:
            self.over = True
            raise
        finally:
            self._waiting.pop(number, None)

    async def end(self) -> None:
        """End the process; pending requests get no reply. A silent process is killed at once."""
        if self._silent or self.over:
            self.process.kill_now()
        await self.process.end()
        if self._watcher is not None:
            self._watcher.cancel()
        await self.reader

    def abandon(self) -> None:
        """Let every request that waits for a reply fail with a ``Problem``."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Problem(TIMED_OUT))

    async def _read(self) -> None:
        """Pass replies to their callers until the pipe ends or a line is invalid, for example because it breaks off."""
        assert self.process.stdout is not None
        last = ""
        try:
            while line := await self.process.stdout.readline():
                self._heard = True
                self._receive(decode(line))
            self.over = True  # from here on, requests are for the next process
            last = await self._errors.last()
        except ValueError:
            pass
        finally:
            self.over = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError(last))

    def _receive(self, reply: Message) -> None:
        if reply == WORKING:
            return
        number, problem = reply.get("id"), reply.get("problem", "")
        if not (isinstance(number, int) and isinstance(problem, str) and ("problem" in reply or "result" in reply)):
            raise ValueError("not a reply")  # ends the connection, as a broken line does
        self.answered = True
        future = self._waiting.get(number)
        if future is None or future.done():
            return
        if "problem" in reply:
            future.set_exception(Problem(problem))
        else:
            future.set_result(reply["result"])

    async def _watch(self) -> None:
        """Check the engine while a request is pending.

        Time is counted in checks, not taken from a clock: time for which the app itself is suspended must not count.
        """
        pause = min(SILENT_SECONDS, HANG_SECONDS, SLOW_SECONDS, ENDLESS_SECONDS) / CHECKS
        silent = slow = 0.0
        shown, oldest = "", 0
        while self._waiting and not self.over:
            await asyncio.sleep(pause)
            silent = 0.0 if self._heard else silent + pause
            first = min(self._waiting, default=0)
            slow = slow + pause if first == oldest else 0.0
            self._heard, oldest = False, first
            self._silent = silent >= SILENT_SECONDS
            if silent >= HANG_SECONDS or slow >= ENDLESS_SECONDS:
                self._notice(HUNG)
                self.over = True
                self.process.kill_now()
                return
            late = STILL_SILENT if self._silent else STILL_AT_WORK if slow >= SLOW_SECONDS else ""
            if late != shown:
                self._notice(late or ANSWERS_AGAIN)
                shown = late
        self._silent = False
        if shown:
            self._notice(ANSWERS_AGAIN)


class Engine(EngineClient):
    """The client of the engine. If the process dies or hangs, a new one is started and gets the same request."""

    def __init__(self) -> None:
        self._connection: _Connection | None = None
        self._starting = asyncio.Lock()
        self._opened: Message | None = None
        self._closed = False
        self._hurry = False
        self._fruitless = 0
        """How many processes in a row ended without a single reply."""
        self.notice: Callable[[str], object] = lambda sentence: None
        """Called with a sentence when the engine is slow, silent or killed, or responds again."""

    async def start(self) -> None:
        """Start the process unless it is already running; it imports numpy while the screen is drawn."""
        await self._connect()

    async def close(self) -> None:
        """End the process; pending requests get no reply."""
        self._closed = True
        if self._connection is not None:
            await self._connection.end()

    def hurry(self, now: bool) -> None:
        """If ``now`` is true, make pending and further requests fail at once, so that the app can quit.

        If it is false, requests work again.
        """
        self._hurry = now
        if now and self._connection is not None:
            self._connection.abandon()

    async def ask(self, request: Callable[Concatenate[Requests, P], R], /, *arguments: P.args, **named: P.kwargs) -> R:
        """Send a request and wait for its result: ``await engine.ask(Requests.similar_movies, movie="1", limit=5)``.

        Raises ``Problem`` with the engine's message if the request fails, or with the reason why there is no reply.
        """
        assert not arguments  # all requests take keyword arguments
        result: R = await self._ask({"do": request.__name__, "arguments": named})
        return result

    async def _ask(self, request: Message) -> Any:
        if self._hurry:
            raise Problem(TIMED_OUT)
        opens = request["do"] == Requests.open.__name__
        last = ""
        for attempt in range(ATTEMPTS):
            connection = await self._connect(give_up=attempt > 0)
            if connection is None:
                raise Problem(tr("The ranking engine stopped twice; restart movietui. {error}", error=last).rstrip())
            try:
                if not opens:
                    await self._open_again(connection)
                result = await connection.ask(request)
            except ConnectionError as error:
                last = str(error) or last
                continue
            if opens:
                self._opened, connection.opened = request, True
            return result
        raise Problem(tr("The ranking engine stops every time it tries this. {error}", error=last).rstrip())

    async def _connect(self, *, give_up: bool = False) -> _Connection | None:
        """Return the connection to a running process; start one if there is none.

        With ``give_up``, return ``None`` if no process runs and the last two ended without a reply. However many
        callers notice that a process ended, this is counted once, and only one new process is started.
        """
        async with self._starting:
            if self._closed:
                raise Problem(tr("movietui is closing."))
            before = self._connection
            if before is not None:
                if not before.over:
                    return before
                if not before.counted:
                    before.counted = True
                    self._fruitless = 0 if before.answered else self._fruitless + 1
                    before.process.kill_now()
                    await before.process.end()
                    log.note("app", f"the engine ended with exit code {before.process.returncode}")
                if give_up and self._fruitless >= FRUITLESS:
                    return None
            try:
                process = await _start("movietui.engine", **ONE_THREAD)
            except OSError as error:
                raise Problem(tr("The ranking engine could not be started: {error}.", error=error.strerror)) from error
            self._connection = _Connection(process, self._notice)
            if self._closed:  # while the process was starting
                await self._connection.end()
                raise Problem(tr("movietui is closing."))
            return self._connection

    def _notice(self, sentence: str) -> None:
        self.notice(sentence)

    async def _open_again(self, connection: _Connection) -> None:
        """In a new process, open the dataset that the previous process had open."""
        async with connection.opening:
            if self._opened is not None and not connection.opened:
                with contextlib.suppress(Problem):  # requests that need the dataset then raise their own ``Problem``
                    await connection.ask(self._opened)
                connection.opened = not self._hurry


class Job(JobClient):
    """The client of one job."""

    def __init__(self) -> None:
        self._process: Child | None = None
        self._errors: _ErrorOutput | None = None
        self._cancelled = False

    async def start(self, *options: str) -> Child:
        """Start the process, which then waits for its request, unless it was started before; return it."""
        if self._process is None:
            self._process = await _start("movietui.jobs", *options, **ALL_CORES_BUT_ONE)
            self._errors = _ErrorOutput(self._process)
        return self._process

    async def torch_defect(self) -> str:
        """Start the process if necessary, let it load torch, and return what is wrong with torch; empty if nothing is.

        If the process cannot start or is cancelled, return nothing: ``events`` then says so.
        """
        try:
            process = await self.start(WARM)
        except OSError:
            return ""
        assert process.stdout is not None
        event: Message = {}
        with contextlib.suppress(ValueError):
            event = decode(await process.stdout.readline())
        if isinstance(event.get("defect"), str):
            return str(event["defect"])
        return "" if self._cancelled else tr("PyTorch is broken (it ends Python); reinstall the package torch")

    async def events(self, request: JobRequest) -> AsyncGenerator[JobEvent, None]:
        """Do the work, and yield its events. The last is ``done``, ``failed`` or ``cancelled``."""
        if self._cancelled:
            yield {"event": "cancelled"}
            return
        try:
            process = await self.start()
        except OSError as error:
            problem = tr("The job could not be started: {error}. Start it again.", error=error.strerror)
            yield {"event": "failed", "problem": problem}
            return
        assert process.stdin is not None
        assert process.stdout is not None
        assert self._errors is not None
        ended = False
        try:
            if self._cancelled:  # while the process was starting
                yield {"event": "cancelled"}
                return
            with contextlib.suppress(ConnectionError):
                process.stdin.write(encode(request))
                await process.stdin.drain()
            while line := await process.stdout.readline():
                try:
                    event = decode(line)
                except ValueError:  # the job was killed in the middle of a line
                    break
                if not isinstance(event.get("event"), str):  # not an event
                    break
                if event["event"] == "warm":
                    continue
                ended = ended or event["event"] in ("done", "failed", "cancelled")
                yield cast(JobEvent, event)
            await process.wait()
            if self._cancelled and not ended:
                yield {"event": "cancelled"}
            elif not ended:
                log.note("app", f"a job ended with exit code {process.returncode}")
                detail = await self._errors.last()
                killed = process.returncode == -9
                why = tr("it ran out of memory or was killed") if killed else detail or tr("no reason given")
                problem = tr("The job stopped unexpectedly: {reason}. Start it again.", reason=why)
                yield {"event": "failed", "problem": problem}
        finally:
            await process.end()

    async def send(self, do: Literal["pause", "resume"]) -> None:
        """Pause or resume the training of a model."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(encode({"do": do}))
                await self._process.stdin.drain()

    async def cancel(self) -> None:
        """Stop the work; the job cleans up, and is killed if that takes too long."""
        self._cancelled = True
        if self._process is not None:
            await self._process.end()


@contextlib.asynccontextmanager
async def warm_job() -> AsyncIterator[Job]:
    """Yield a job whose process imports torch while it waits for its request; after the block, cancel it."""
    job = Job()
    await job.start(WARM)
    try:
        yield job
    finally:
        await job.cancel()
