"""The engine and jobs in the process of the test, which has already loaded their modules."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, Literal, ParamSpec, TypeVar, cast

from movietui.data.problems import Cancelled, Problem
from movietui.engine.__main__ import reply
from movietui.engine.service import Service
from movietui.jobs.__main__ import Reporter, perform
from movietui.protocol.jobs import JobClient, JobEvent, JobRequest
from movietui.protocol.requests import Requests
from movietui.protocol.wire import decode, encode, sentence
from movietui.state.child_processes import EngineClient

P = ParamSpec("P")
R = TypeVar("R")


class EngineAtHand(EngineClient):
    """Replies like the real engine, in a thread, to one request at a time, and encodes and decodes the messages."""

    def __init__(self) -> None:
        self.service = Service()
        self.notice: Callable[[str], object] = lambda sentence: None
        self._thread = ThreadPoolExecutor(1)

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        self._thread.shutdown()

    def hurry(self, now: bool) -> None:
        pass

    async def ask(self, request: Callable[Concatenate[Requests, P], R], /, *arguments: P.args, **named: P.kwargs) -> R:
        message = decode(encode({"id": 0, "do": request.__name__, "arguments": named}))
        line = await asyncio.get_running_loop().run_in_executor(self._thread, reply, self.service, message)
        replied = decode(line)
        if "problem" in replied:
            raise Problem(replied["problem"])
        result: R = replied["result"]
        return result


class JobAtHand(JobClient):
    """Does the work of a real job in a thread. A cancelled job ends when it would send its next event."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._reporter = Reporter(self._send)
        self._events: asyncio.Queue[JobEvent] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._work: asyncio.Future[None] | None = None

    async def events(self, request: JobRequest) -> AsyncGenerator[JobEvent, None]:
        self._work = self._loop.run_in_executor(None, self._do, cast(JobRequest, decode(encode(request))))
        try:
            while True:
                event = await self._events.get()
                yield event
                if event["event"] in ("done", "failed", "cancelled"):
                    return
        finally:
            await self.cancel()

    def _send(self, event: JobEvent) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self._put(event)

    def _put(self, event: JobEvent) -> None:
        self._loop.call_soon_threadsafe(self._events.put_nowait, cast(JobEvent, decode(encode(event))))

    def _do(self, request: JobRequest) -> None:
        try:
            self._send({"event": "done", "result": perform(request, self._reporter)})
        except Cancelled:
            self._put({"event": "cancelled"})
        except Exception as error:
            self._put({"event": "failed", "problem": sentence(error)})

    async def send(self, do: Literal["pause", "resume"]) -> None:
        if do == "pause":
            self._reporter.gate.clear()
        else:
            self._reporter.gate.set()

    async def cancel(self) -> None:
        self._cancelled.set()
        self._reporter.gate.set()
        if self._work is not None:
            await asyncio.wait([self._work])
