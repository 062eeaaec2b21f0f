"""The offer of a dataset with newer movies, and the jobs in the background that its list needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from movietui.protocol.messages import ImportReport, NewerDataset
from movietui.protocol.requests import Requests
from movietui.state.first_model import StandIn
from movietui.state.job_runner import JobRunner
from movietui.state.run_queue import RunQueue
from movietui.state.session import Session

HIDDEN = "newer:"
"""With the name of a dataset appended, the name of a choice: the newer dataset that is no longer offered beside it."""


class NewerOffer:
    """Offers a dataset with newer movies, and gets it in the background if the user accepts.

    The list never changes by itself: once a list can be made from the other dataset, the app offers to open it.
    """

    def __init__(
        self, session: Session, jobs: JobRunner, queue: RunQueue, stand_in: StandIn, changed: Callable[[], object]
    ) -> None:
        """``changed`` is called when the offer changes, and when getting its dataset begins or ends."""
        self._session = session
        self._jobs = jobs
        self._queue = queue
        self._stand_in = stand_in
        self._changed = changed
        self.current: NewerDataset | None = None
        """The offered dataset; ``None`` if there is no offer."""
        self.getting = ""
        """The dataset that the app is fetching, cleaning or training on in the background; empty if there is none."""
        self.run: int | None = None
        """The number of the run that trains on this dataset, while it trains; otherwise ``None``."""

    async def look(self) -> None:
        """Offer a dataset with much newer movies than the open one, unless the user hid this offer."""
        if self.getting:
            return
        newer = await self._session.engine.ask(Requests.newer_dataset)
        if newer is not None:
            hidden = await asyncio.to_thread(self._session.store.choice, HIDDEN + newer["than"])
            newer = None if hidden == newer["dataset"] else newer
        if not self.getting:
            self._show(newer)

    def after_import(self, report: ImportReport) -> None:
        """Offer a dataset that has the newer movies of an import, even if the user hid the offer before."""
        if report["newer"] is not None and not self.getting:
            self._show(report["newer"])

    async def get(self) -> None:
        """Get the offered dataset if it is not on disk, and train the quick model on it; then offer to open it.

        Raises ``Problem`` if this fails, and ``Cancelled`` if it is stopped. The offer then remains, and the next
        attempt resumes the download.
        """
        offered = self.current
        assert offered is not None
        self.getting = name = offered["dataset"]
        self._changed()
        try:
            if offered["state"] == "get":
                await self._jobs.get(name, None, await asyncio.to_thread(self._session.store.cleaning_of, name))
                offered = {**offered, "state": "learn", "download": 0, "disk": 0}
            self.run = await self._stand_in.start(name)
            await self._stand_in.finish(self.run)
            offered = {**offered, "state": "open", "seconds": 0.0}
        finally:
            self.getting, self.run = "", None
            opened = self._session.opened
            self._show(None if opened is not None and opened["dataset"] == name else offered)

    async def stop(self) -> None:
        """Stop getting the dataset, or training on it. The next attempt resumes the download."""
        progress = self._jobs.progress
        if self.run is not None:
            await self._queue.cancel(self.run)
        elif progress is not None and progress.request["do"] == "get" and progress.dataset == self.getting:
            await self._jobs.cancel()
        elif self.getting:
            await self._stand_in.cancel_start()

    async def hide(self) -> None:
        """Withdraw the offer, and do not make it again at the next start.

        Other datasets can still be offered, and an import can still offer this one.
        """
        offered = self.current
        self._show(None)
        if offered is not None:
            await self._session.remember(HIDDEN + offered["than"], offered["dataset"])

    def _show(self, offered: NewerDataset | None) -> None:
        self.current = offered
        self._changed()
