"""The engine and jobs in the test's own process, which has loaded already what theirs would load first."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from data.problems import Cancelled, Problem
from movietui.engine import answer
from movietui.jobs import JOBS, Teller
from movietui.serving import Service
from movietui.wire import Message, decode, encode, sentence


class EngineAtHand:
    """Answers as the real engine, one question after the other in a thread, in lines that are written and read."""

    def __init__(self) -> None:
        self.service = Service()
        self._thread = ThreadPoolExecutor(1)

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        self._thread.shutdown()

    async def ask(self, do: str, **arguments: Any) -> Any:
        question = decode(encode({"id": 0, "do": do, **arguments}))
        line = await asyncio.get_running_loop().run_in_executor(self._thread, answer, self.service, question)
        answered = decode(line)
        if "problem" in answered:
            raise Problem(answered["problem"])
        return answered["result"]


class JobAtHand:
    """Does the work of a real job in a thread; cancelled it ends with the next word that it says."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._teller = Teller(self._send)
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._work: asyncio.Future[None] | None = None

    async def events(self, request: Message) -> AsyncIterator[Message]:
        self._work = self._loop.run_in_executor(None, self._do, decode(encode(request)))
        try:
            while True:
                event = await self._told.get()
                yield event
                if event["event"] in ("done", "failed", "cancelled"):
                    return
        finally:
            await self.cancel()

    def _send(self, message: Message) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self._tell(message)

    def _tell(self, message: Message) -> None:
        self._loop.call_soon_threadsafe(self._told.put_nowait, decode(encode(message)))

    def _do(self, request: Message) -> None:
        try:
            self._send({"event": "done", "result": JOBS[request["do"]](request, self._teller)})
        except Cancelled:
            self._tell({"event": "cancelled"})
        except Exception as error:
            self._tell({"event": "failed", "problem": sentence(error)})

    async def tell(self, do: str) -> None:
        if do == "pause":
            self._teller.gate.clear()
        else:
            self._teller.gate.set()

    async def cancel(self) -> None:
        self._cancelled.set()
        self._teller.gate.set()
        if self._work is not None:
            await asyncio.wait([self._work])
