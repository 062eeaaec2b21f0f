"""The child processes, seen from the process that draws: the engine that ranks, and jobs that fetch, clean and train.

They are children because importing torch in a thread stalls the screen for half a second, and training for a third.
Both end when their standard input does, so none outlives the app, however it ends.
"""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from data.problems import Problem
from movietui.wire import Message, decode, encode

LINE_LIMIT = 64 * 1024 * 1024
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""For the engine. What it multiplies is too small to be shared out: with two threads, beside a training on all cores,
each waits for the other, and a list that takes 20 ms takes 300."""
GRACE_SECONDS = 1.0
"""How long a child may take to stop before it is killed."""


async def _start(module: str, *options: str, **environment: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **environment}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the folder that movietui was started in holds no code of ours
        "-m",
        module,
        *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_LIMIT,
        env=environment,
        start_new_session=True,  # ctrl-c in the terminal is for the app to handle
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask a child to stop, wait for it, and kill it if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class _LastWords:
    """Reads a child's standard error so that it never blocks, and keeps the last line for the message."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._lines: deque[str] = deque(maxlen=20)
        self._task = asyncio.create_task(self._read(process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self._lines.append(line.decode(errors="replace").rstrip())

    async def last(self) -> str:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._task), 0.2)
        return next((line for line in reversed(self._lines) if line.strip()), "")


class _Conversation:
    """Questions to one engine process, and its answers in whatever order they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._words = _LastWords(process)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self.over = False
        self.reader = asyncio.create_task(self._read())

    async def ask(self, request: Message) -> Any:
        """Raises ``Problem`` with the engine's sentence, and ``ConnectionError`` when the process is gone."""
        if self.over:
            raise ConnectionError
        assert self.process.stdin is not None
        self._number += 1
        number = self._number
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self.process.stdin.write(encode({"id": number, **request}))
            await self.process.stdin.drain()
            return await future
        except ConnectionError:
            self.over = True
            raise
        finally:
            self._waiting.pop(number, None)

    async def _read(self) -> None:
        """Hand out answers until the pipe ends, or breaks off in the middle of a line."""
        assert self.process.stdout is not None
        last = ""
        try:
            while line := await self.process.stdout.readline():
                answer = decode(line)
                future = self._waiting.get(answer["id"])
                if future is None or future.done():
                    continue
                if "problem" in answer:
                    future.set_exception(Problem(answer["problem"]))
                else:
                    future.set_result(answer["result"])
            self.over = True  # whoever asks from here on, while its last words are read, asks its successor
            last = await self._words.last()
        except ValueError:
            pass
        finally:
            self.over = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError(last))


class Engine:
    """The process that answers ranking requests. A killed one is started again and asked again."""

    def __init__(self) -> None:
        self._conversation: _Conversation | None = None
        self._starting = asyncio.Lock()
        self._opened: Message | None = None
        self._closed = False

    async def start(self) -> None:
        """Start the process if it does not run; it warms up while the screen is drawn."""
        async with self._starting:
            if self._closed:
                raise Problem("movietui is closing.")
            if self._conversation is None or self._conversation.over:
                self._conversation = _Conversation(await _start("movietui.engine", **ONE_THREAD))

    async def close(self) -> None:
        """End the process; what is still asked gets no answer."""
        self._closed = True
        if self._conversation is not None:
            await _stop(self._conversation.process)
            await self._conversation.reader

    async def ask(self, do: str, **arguments: Any) -> Any:
        """Ask and wait for the answer. Raises ``Problem`` with the engine's sentence where it cannot be given."""
        request = {"do": do, **arguments}
        try:
            answer = await self._send(request)
        except ConnectionError:
            await self.start()
            try:
                if self._opened is not None and do != "open":
                    await self._send(self._opened)
                answer = await self._send(request)
            except ConnectionError as error:
                raise Problem(f"The ranking engine stopped twice; restart movietui. {error}".rstrip()) from error
        if do == "open":
            self._opened = request
        return answer

    async def _send(self, request: Message) -> Any:
        if self._conversation is None:
            raise ConnectionError
        return await self._conversation.ask(request)


class Job:
    """One piece of long work in a process of its own."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._words: _LastWords | None = None
        self._cancelled = False

    async def start(self, *options: str) -> asyncio.subprocess.Process:
        """Start the process, which waits for its request."""
        if self._process is None:
            self._process = await _start("movietui.jobs", *options)
            self._words = _LastWords(self._process)
        return self._process

    async def events(self, request: Message) -> AsyncIterator[Message]:
        """Do the work and tell its events. The last is ``done``, ``failed`` or ``cancelled``."""
        if self._cancelled:
            yield {"event": "cancelled"}
            return
        process = await self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        assert self._words is not None
        ended = False
        try:
            if self._cancelled:  # while it was starting
                yield {"event": "cancelled"}
                return
            with contextlib.suppress(ConnectionError):
                process.stdin.write(encode(request))
                await process.stdin.drain()
            while line := await process.stdout.readline():
                try:
                    event = decode(line)
                except ValueError:  # it was killed in the middle of a line
                    break
                ended = ended or event["event"] in ("done", "failed", "cancelled")
                yield event
            await process.wait()
            if self._cancelled and not ended:
                yield {"event": "cancelled"}
            elif not ended:
                detail = await self._words.last()
                why = "it ran out of memory or was killed" if process.returncode == -9 else detail or "no reason given"
                yield {"event": "failed", "problem": f"The work stopped before its end: {why}. Start it again."}
        finally:
            await _stop(process)

    async def tell(self, do: str) -> None:
        """Say ``pause`` or ``resume`` to a training."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(encode({"do": do}))
                await self._process.stdin.drain()

    async def cancel(self) -> None:
        """Stop the work; it cleans up after itself, and is killed if it takes too long."""
        self._cancelled = True
        if self._process is not None:
            await _stop(self._process)


@contextlib.asynccontextmanager
async def warm_job() -> AsyncIterator[Job]:
    """Bring a job whose process loads torch while it waits for its request; it ends with the block."""
    job = Job()
    await job.start("--warm")
    try:
        yield job
    finally:
        await job.cancel()
