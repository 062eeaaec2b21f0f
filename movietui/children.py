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
GRACE_SECONDS = 1.0
"""How long a child may take to stop before it is killed."""


async def _start(module: str, *options: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
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


class Engine:
    """The process that answers ranking requests. A killed one is started again and asked again."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._starting = asyncio.Lock()
        self._number = 0
        self._opened: Message | None = None
        self._closed = False

    async def start(self) -> None:
        """Start the process; it warms up while the screen is drawn."""
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return
            self._process = await _start("movietui.engine")
            self._reader = asyncio.create_task(self._read(self._process, _LastWords(self._process)))

    async def close(self) -> None:
        """End the process; what is still asked gets no answer."""
        self._closed = True
        process, self._process = self._process, None
        if process is not None:
            await _stop(process)
        if self._reader is not None:
            await self._reader

    async def ask(self, do: str, **arguments: Any) -> Any:
        """Ask and wait for the answer. Raises ``Problem`` with the engine's sentence where it cannot be given."""
        request = {"do": do, **arguments}
        try:
            answer = await self._send(request)
        except ConnectionError:
            if self._closed:
                raise Problem("movietui is closing.") from None
            await self.start()
            if self._opened is not None and do != "open":
                await self._send(self._opened)
            try:
                answer = await self._send(request)
            except ConnectionError as error:
                raise Problem(f"The ranking engine stopped twice; restart movietui. {error}".rstrip()) from error
        if do == "open":
            self._opened = request
        return answer

    async def _send(self, request: Message) -> Any:
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise ConnectionError
        self._number += 1
        number = self._number
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            process.stdin.write(encode({"id": number, **request}))
            await process.stdin.drain()
            return await future
        finally:
            self._waiting.pop(number, None)

    async def _read(self, process: asyncio.subprocess.Process, words: _LastWords) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            answer = decode(line)
            future = self._waiting.get(answer["id"])
            if future is None or future.done():
                continue
            if "problem" in answer:
                future.set_exception(Problem(answer["problem"]))
            else:
                future.set_result(answer["result"])
        await process.wait()
        error = ConnectionError(await words.last())
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)


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
            with contextlib.suppress(ConnectionError):
                process.stdin.write(encode(request))
                await process.stdin.drain()
            while line := await process.stdout.readline():
                event = decode(line)
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
