"""The conversation: reads a command, does it, and says what happened, one line after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from movietui.ask import words
from movietui.ask.grammar import named, number_in, parse
from movietui.data.near_names import no_such
from movietui.data.problems import Cancelled, Problem
from movietui.formatting import newer_datasets, text
from movietui.protocol.messages import Details, GivenRating, NamedMovie, NewerDataset
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import ViewerRef, user
from movietui.state.changes import Deleted, Done
from movietui.state.first_list import DEFAULT_DATASET
from movietui.state.first_model import StandIn
from movietui.state.interview import Interview
from movietui.state.job_progress import JobProgress
from movietui.state.job_runner import JobRunner
from movietui.state.newer_dataset import NewerOffer
from movietui.state.run_queue import RunQueue
from movietui.state.session import Session
from movietui.store.ratings import Change, Step
from movietui.store.run_records import Run
from movietui.ui import wording

PAGE = 10
"""How many movies are listed at once."""
YEAR = 4
"""A number with this many digits is a title, such as 1984, unless a movie was listed with it."""
DURING_INTERVIEW = ("rate", "undo", "next", "point", "like", "dislike", "help", "why")
"""The commands that do not end an interview."""


class Conversation:
    """One conversation about the lists of a session. ``say`` is called with each line."""

    def __init__(self, session: Session, say: Callable[[str], object]) -> None:
        self.session = session
        self._say = say
        self._step = ""
        self.jobs = JobRunner(self._say_step)
        self.queue = RunQueue(session.store, changed=self._say_step)
        self.stand_in = StandIn(session, self.queue, lambda: None)
        self.newer = NewerOffer(session, self.jobs, self.queue, self.stand_in, lambda: None)
        self.interview: Interview | None = None
        self.offset = 0
        """How many movies of the list come before those that were listed last."""
        self.total = 0
        """How many movies the list had then."""
        self.over = False
        """Whether the person wants to leave."""
        self.movies: dict[int, NamedMovie] = {}
        """The movies that were numbered last: of the list, a search, similar movies or the ratings."""
        self.steps: dict[int, Step] = {}
        """The steps of the history, by the numbers with which they were listed last."""
        self.runs: dict[int, Run] = {}

    def say(self, *lines: str) -> None:
        """Say lines, each as one, without the signs of the screens."""
        for line in lines:
            self._say(words.spoken(" ".join(line.split())))

    async def begin(self, dataset: str, viewers: Sequence[str], model: str) -> None:
        """Open a dataset, and list the movies for viewers; ``viewers`` has the names that ``viewer`` reads.

        Without ``dataset``, open the one used last, or get one. Without ``viewers``, choose as the app does.
        """
        self.session.engine.notice = self.say
        used = dataset or self.session.store.dataset_in_use()
        await (self.open(used, model) if used else self._open_first())
        if viewers:
            await self.show_to(*[await self.viewer(name) for name in viewers])
        self.say("Type a command, such as why 1 or rate 1 4.5. help lists the commands, quit leaves.")
        if self.session.opened is None:
            return
        (viewer, *_) = self.session.audience.viewers
        if viewer.kind == "user" and not viewers:
            self.say(
                f"You have no profile yet, so this list is for {viewer.label}: type new and your name to make one."
            )
        await self.list_movies()

    async def _open_first(self) -> None:
        self.say("There is no dataset yet, so movietui gets one and learns from it.")
        try:
            await self.get(DEFAULT_DATASET)
        except Problem as problem:
            self.say(
                str(problem), "Try again with dataset ml-100k, or type dataset demo: real movies, invented ratings."
            )

    async def do(self, line: str) -> None:
        """Do what a typed line says. What is wrong with it, or with the command, is said in a sentence."""
        if not line.strip():
            return
        try:
            command, rest = parse(line)
            if self.interview is not None and command.name not in DURING_INTERVIEW:
                self.end_interview()
            await command.action(self, rest)
        except Problem as problem:
            self.say(str(problem))
        except Cancelled:
            self.say("Stopped.")

    async def close(self) -> None:
        """Stop what still runs. Nothing is lost: changes are stored when they are made."""
        await self.jobs.cancel()
        await self.queue.close()
        await self.session.engine.close()

    # Datasets and models

    async def open(self, dataset: str, model: str = "") -> None:
        """Open a dataset with the newest run of a model; without ``model``, with the run in use.

        If no model has been trained on it, get it if necessary, and train the quick model.
        """
        runs = await asyncio.to_thread(self.session.store.serving_runs, dataset)
        if model:
            await self.stand_in.serve(dataset, self.run_of(model, runs))
        elif runs:
            await self.stand_in.serve(dataset)
        else:
            await self.get(dataset)

    def run_of(self, model: str, runs: Sequence[Run]) -> Run:
        """Return the newest run of a model. Raises ``Problem`` if there is none."""
        for run in runs:
            if run.model == model:
                return run
        names = list(dict.fromkeys(run.model for run in runs))
        otherwise = f"trained: {', '.join(names)}." if names else f"movietui train {model} trains it."
        raise no_such(f"{model!r} has not been trained here", model, names, otherwise)

    async def get(self, dataset: str) -> None:
        """Get a dataset that is not on disk, train the quick model on it, and open it."""
        rows = await self.session.engine.ask(Requests.datasets)
        row = next((row for row in rows if row["name"] == dataset), None)
        if row is None:
            raise no_such(
                f"There is no dataset {dataset!r}", dataset, [each["name"] for each in rows], "dataset lists them."
            )
        download = f", {text.size(row['download'])} to download" if row["download"] and not row["on_disk"] else ""
        self.say(
            f"Getting {row['title']}{download}; the first list takes {text.until_list(row['seconds']) or 'a while'}."
        )
        self.say(*filter(None, (row["terms"], row["citation"])))
        if not row["on_disk"]:
            await self.jobs.get(dataset, None, await asyncio.to_thread(self.session.store.cleaning_of, dataset))
        await self.stand_in.train(dataset)
        await self.stand_in.serve(dataset)

    def _say_step(self) -> None:
        """Say which step of a job begins. How far it is within the step is not said."""
        running: Sequence[JobProgress] = [*filter(None, [self.jobs.progress]), *self.queue.progress.values()]
        step = next((progress.step for progress in running if progress.step), "")
        if step and step != self._step:
            self.say(f"{step[0].upper()}{step[1:].rstrip('.')}.")
        self._step = step

    # Lists

    def require_list(self) -> None:
        """Raise ``Problem`` if no dataset is open."""
        if self.session.opened is None:
            raise Problem("There is no list yet; dataset demo makes one at once, dataset lists all.")

    def names(self) -> list[str]:
        """Return the names of the viewers."""
        return [ref.label for ref in self.session.audience.viewers]

    async def list_movies(self, offset: int = 0) -> None:
        """List movies, from the one after the first ``offset``, numbered by their ranks."""
        self.require_list()
        session = self.session
        await session.replace_deleted_viewers()  # another window may have deleted them
        window = await session.ranked(offset, PAGE)
        rows, self.total, self.offset = window["rows"], window["total"], window["offset"]
        conditions = words.list_conditions(session.view, session.audience)
        by = f"by {session.orders[session.view.order]}" if session.view.order in session.orders else "sorted"
        title = ", ".join([f"Movies for {text.enumerate_names(self.names())}, {by}", *conditions])
        if not rows:
            self.say(f"{title}: none. clear removes the filter, and everything else that leaves movies out.")
            return
        self.say(f"{title}; {offset + 1:,} to {offset + len(rows):,} of {self.total:,}:")
        self.number(rows, offset + 1)
        for row in rows:
            details = None if session.audience.together else await session.details(row["id"])
            self.say(words.listed(row, details, self.names(), session.view.order))

    def number(self, movies: Sequence[NamedMovie], first: int = 1) -> None:
        """Let numbers, from ``first`` on, stand for these movies until others are numbered."""
        self.movies = dict(enumerate(movies, first))

    async def show_list(self, *said: str) -> None:
        """Say what was changed, and list the movies from the first one."""
        self.say(*said)
        await self.list_movies()

    async def show_change(self, done: Change | Done, notice: str, reverted_by: str = "undo") -> None:
        """Say what was done, for whom, and how far the list moved. The numbers stay until the next list."""
        if isinstance(done, Deleted):
            await self.session.replace_deleted_viewers()
        audience = self.session.audience
        if audience.together and done.viewer in audience.viewers:
            notice += f" as {done.viewer.label}"
        moved = (await self.session.ranked(self.offset, PAGE, after_rating=True))["moved"]
        self.say(f"{notice} · {wording.describe_moves(moved)} · {reverted_by} reverts it")

    # What a person names

    async def movie(self, typed: str) -> Details:
        """Return the movie with a number or a title. If several match, number them and raise ``Problem``."""
        self.require_list()
        numbered = self.numbered(typed)
        return await self.session.details(numbered["id"] if numbered else await self._id_of(typed))

    def numbered(self, typed: str) -> NamedMovie | None:
        """Return the movie that was listed with this number last; ``None`` for anything but a number.

        Raises ``Problem`` for another number.
        """
        if not typed:
            raise Problem("Say which movie: its number or its title.")
        number = number_in(typed)
        if number is None:
            return None
        movie = self.movies.get(number)
        if movie is None and len(typed) < YEAR:
            first, last = min(self.movies, default=0), max(self.movies, default=0)
            now = f"the numbers now are {first} to {last}" if self.movies else "list numbers the movies"
            raise Problem(f"No movie has the number {typed}; {now}.")
        return movie

    async def _id_of(self, typed: str) -> str:
        matches = (await self.session.search(typed))["movies"]
        same = [
            row for row in matches if typed.casefold() in (row["title"].casefold(), text.movie_title(row).casefold())
        ]
        if len(same or matches) == 1:
            return (same or matches)[0]["id"]
        if not matches:
            raise Problem(text.nothing_matches(typed, ["movie"]))
        near = (same or matches)[:PAGE]
        self.number(near)
        self.say(
            *(
                f"{number}. {text.movie_title(row)}, {text.plural(row['count'], 'rating')}"
                for number, row in enumerate(near, 1)
            )
        )
        raise Problem(f"Several movies match {text.cut(typed, text.QUOTED).rstrip()!r}; use a number of these.")

    async def viewer(self, typed: str) -> ViewerRef:
        """Return the profile with a name, or the user of the dataset with an id: ``anna``, ``user 12``.

        Raises ``Problem`` if there is neither.
        """
        store = self.session.store
        if ref := await asyncio.to_thread(store.find_profile, typed):
            return ref
        known = [ref.id for ref, _ in await asyncio.to_thread(store.profiles)]
        number = typed.casefold().removeprefix("user ").strip()
        if self.session.opened is not None and number:
            users = await self.session.engine.ask(Requests.find_users, search=number, offset=0, limit=1)
            if [row["id"] for row in users["rows"]] == [number]:
                return user(number, self.session.opened["dataset"])
        otherwise = "new NAME makes a profile, and user 1 is a user of the dataset."
        raise no_such(f"There is no viewer {typed!r}", typed, known, otherwise)

    async def show_to(self, *viewers: ViewerRef) -> None:
        """Make the list for these viewers. Raises ``Problem`` for too many."""
        first, *others = dict.fromkeys(viewers)
        audience = self.session.audience.of(first)
        for other in others:
            audience = audience.joined_by(other)
        if others:
            self.session.show_to(audience)
        else:
            await self.session.look_at(first)

    def end_interview(self) -> None:
        """End the interview, and make the list for the viewers for whom it was before."""
        if self.interview is not None:
            self.interview.end()
            self.say(f"{self.interview.viewer.label} rated {text.plural(self.interview.newly_rated, 'movie')}")
            self.interview = None

    def usage(self, name: str) -> Problem:
        """Return what to say about a command that lacks something."""
        command = named(name)
        return Problem(f"Type {command.shown}: {command.does}.")


def given(movie: NamedMovie | None) -> GivenRating | None:
    """Return a numbered movie if it is one of the listed ratings."""
    return cast(GivenRating, movie) if movie is not None and "stored" in movie else None


def offer(report: NewerDataset) -> str:
    """Return the sentence that offers a dataset with newer movies, and the command that accepts it."""
    return f"{newer_datasets.reason(report)}. {newer_datasets.offer(report)}; dataset {report['dataset']} opens it."
