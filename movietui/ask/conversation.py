"""The conversation: reads a command, does it, and says what happened, one line after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from movietui.ask import words
from movietui.ask.grammar import named, number_in, parse
from movietui.data.language import tr
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
from movietui.state.session import NoModel, Session
from movietui.store.ratings import Change, Step
from movietui.store.run_records import Run
from movietui.ui import wording

if TYPE_CHECKING:
    from movietui.ask.imports import Preview

PAGE = 10
"""How many movies are listed at once."""
YEAR = 4
"""A number with this many digits is a title, such as 1984, unless a movie was listed with it."""
DURING_INTERVIEW = ("rate", "undo", "next", "point", "like", "dislike", "help", "why")
"""The commands that do not end an interview."""


class Conversation:
    """One conversation about the lists of a session.

    ``say`` is called with each line. With ``trains``, a better model trains while the person types, as in the app.
    """

    def __init__(self, session: Session, say: Callable[[str], object], *, trains: bool = False) -> None:
        self.session = session
        self._say = say
        self._trains = trains
        self._step = ""
        self._offer_is_news = False
        """Whether a better model is ready that has not been offered yet."""
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
        self.preview: Preview | None = None
        """The preview of an import that was said last, until it is imported."""
        self.trains_on = False
        """Whether a background process goes on training after the end."""

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
        if self._trains:
            await self.queue.open()
        if viewers:
            await self.show_to(*[await self.viewer(name) for name in viewers])
        self.say(tr("Type a command, such as why 1 or rate 1 4.5. help lists the commands, quit leaves."))
        if self.session.opened is None:
            return
        (viewer, *_) = self.session.audience.viewers
        if viewer.kind == "user" and not viewers:
            self.say(
                tr(
                    "You have no profile yet, so this list is for {viewer}: type new and your name to make one.",
                    viewer=viewer.label,
                )
            )
        await self.list_movies()

    async def _open_first(self) -> None:
        self.say(tr("There is no dataset yet, so movietui gets one and learns from it."))
        try:
            await self.get(DEFAULT_DATASET)
        except Problem as problem:
            self.say(
                str(problem),
                tr("Try again with dataset ml-100k, or type dataset demo: real movies, invented ratings."),
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
            self.say(tr("Stopped."))
        await self._offer_better_model()

    async def _offer_better_model(self) -> None:
        """Say once that a better model is ready, but not during an interview."""
        if self.interview is None and (self._offer_is_news or await self.stand_in.check()):
            self._offer_is_news = False
            if (run := self.stand_in.offered) is not None:
                self.say(
                    tr(
                        "A better model is ready: compare {model} says what it changes, model {model} uses it.",
                        model=run.model,
                    )
                )

    async def close(self) -> None:
        """Stop what still runs. Nothing is lost: changes are stored when they are made."""
        await self.jobs.cancel()
        await self.queue.close(stay=self.trains_on)
        await self.session.engine.close()

    # Datasets and models

    async def open(self, dataset: str, model: str = "") -> None:
        """Open a dataset with the newest run of a model; without ``model``, with the run in use.

        If it has no model that can be loaded, get it if necessary, and train the quick model.
        """
        if model:
            runs = await asyncio.to_thread(self.session.store.serving_runs, dataset)
            await self.serve(dataset, self.run_of(model, runs))
            return
        try:
            await self.serve(dataset)
        except NoModel:
            await self.get(dataset)

    async def serve(self, dataset: str, run: Run | None = None) -> None:
        """Open a dataset with a run, see ``StandIn.serve``; then train or offer a better model."""
        await self.stand_in.serve(dataset, run)
        self._offer_is_news = await self.stand_in.improve(trains=self._trains)
        if self.stand_in.note:
            self.say(self.stand_in.note)

    def run_of(self, model: str, runs: Sequence[Run]) -> Run:
        """Return the newest run of a model. Raises ``Problem`` if there is none."""
        for run in runs:
            if run.model == model:
                return run
        names = list(dict.fromkeys(run.model for run in runs))
        otherwise = (
            tr("trained: {models}.", models=", ".join(names))
            if names
            else tr("movietui train {model} trains it.", model=model)
        )
        raise no_such(tr("{model!r} has not been trained here", model=model), model, names, otherwise)

    async def get(self, dataset: str) -> None:
        """Get a dataset that is not on disk, train the quick model on it, and open it."""
        rows = await self.session.engine.ask(Requests.datasets)
        row = next((row for row in rows if row["name"] == dataset), None)
        if row is None:
            raise no_such(
                tr("There is no dataset {dataset!r}", dataset=dataset),
                dataset,
                [each["name"] for each in rows],
                tr("dataset lists them."),
            )
        download = (
            tr(", {size} to download", size=text.size(row["download"]))
            if row["download"] and not row["on_disk"]
            else ""
        )
        takes = text.about(row["seconds"]) if row["seconds"] else tr("a while")
        self.say(
            tr(
                "Getting {dataset}{download}; the first list takes {duration}.",
                dataset=row["title"],
                download=download,
                duration=takes,
            )
        )
        self.say(*filter(None, (row["terms"], row["citation"])))
        if not row["on_disk"]:
            await self.jobs.get(dataset, None, await asyncio.to_thread(self.session.store.cleaning_of, dataset))
        await self.stand_in.train(dataset)
        await self.serve(dataset)

    def _say_step(self) -> None:
        """Say which step begins of a job that the person waits for. How far it is within the step is not said."""
        quick = self.queue.progress.get(self.stand_in.quick_run or 0)
        running: Sequence[JobProgress] = [*filter(None, [self.jobs.progress, quick])]
        step = next((progress.step for progress in running if progress.step), "")
        if step and step != self._step:
            self.say(f"{step[0].upper()}{step[1:].rstrip('.')}.")
        self._step = step

    # Lists

    def require_list(self) -> None:
        """Raise ``Problem`` if no dataset is open."""
        if self.session.opened is None:
            raise Problem(tr("There is no list yet; dataset demo makes one at once, dataset lists all."))

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
        by = (
            tr("by {order}", order=session.orders[session.view.order])
            if session.view.order in session.orders
            else tr("sorted")
        )
        title = ", ".join(
            [tr("Movies for {viewers}, {order}", viewers=text.enumerate_names(self.names()), order=by), *conditions]
        )
        if not rows:
            self.say(
                tr("{title}: none. clear removes the filter, and everything else that leaves movies out.", title=title)
            )
            return
        self.say(
            tr(
                "{title}; {first:,} to {last:,} of {total:,}:",
                title=title,
                first=offset + 1,
                last=offset + len(rows),
                total=self.total,
            )
        )
        self.number(rows, offset + 1)
        alone = not session.audience.together
        details = await session.all_details([row["id"] for row in rows]) if alone else [None] * len(rows)
        for row, each in zip(rows, details, strict=True):
            self.say(words.listed(row, each, self.names(), session.view.order))

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
            notice = tr("{notice} as {viewer}", notice=notice, viewer=done.viewer.label)
        moved = (await self.session.ranked(self.offset, PAGE, after_rating=True))["moved"]
        self.say(
            tr(
                "{notice} · {moves} · {command} reverts it",
                notice=notice,
                moves=wording.describe_moves(moved),
                command=reverted_by,
            )
        )

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
            raise Problem(tr("Say which movie: its number or its title."))
        number = number_in(typed)
        if number is None:
            return None
        movie = self.movies.get(number)
        if movie is None and len(typed) < YEAR:
            first, last = min(self.movies, default=0), max(self.movies, default=0)
            now = (
                tr("the numbers now are {first} to {last}", first=first, last=last)
                if self.movies
                else tr("list numbers the movies")
            )
            raise Problem(tr("No movie has the number {number}; {hint}.", number=typed, hint=now))
        return movie

    async def _id_of(self, typed: str) -> str:
        matches = (await self.session.search(typed))["movies"]
        same = [
            row for row in matches if typed.casefold() in (row["title"].casefold(), text.movie_title(row).casefold())
        ]
        if len(same or matches) == 1:
            return (same or matches)[0]["id"]
        if not matches:
            raise Problem(text.nothing_matches(typed, [tr("movie")]))
        near = (same or matches)[:PAGE]
        self.number(near)
        self.say(
            *(
                f"{number}. {text.movie_title(row)}, {text.plural(row['count'], 'rating')}"
                for number, row in enumerate(near, 1)
            )
        )
        raise Problem(
            tr("Several movies match {words!r}; use a number of these.", words=text.cut(typed, text.QUOTED).rstrip())
        )

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
        otherwise = tr("new NAME makes a profile, and user 1 is a user of the dataset.")
        raise no_such(tr("There is no viewer {viewer!r}", viewer=typed), typed, known, otherwise)

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

    def own_profile(self) -> str:
        """Return the name of the profile that rates next. Raises ``Problem`` for a user of the dataset."""
        rater = self.session.audience.rater
        if rater.kind != "profile":
            raise Problem(tr("This needs a profile; new NAME makes one."))
        return rater.id

    def end_interview(self) -> None:
        """End the interview, and make the list for the viewers for whom it was before."""
        if self.interview is not None:
            self.interview.end()
            movies = text.plural(self.interview.newly_rated, "movie")
            self.say(tr("{viewer} rated {movies}", viewer=self.interview.viewer.label, movies=movies))
            self.interview = None

    def usage(self, name: str) -> Problem:
        """Return what to say about a command that lacks something."""
        command = named(name)
        return Problem(tr("Type {command}: {purpose}.", command=command.shown, purpose=command.does))


def given(movie: NamedMovie | None) -> GivenRating | None:
    """Return a numbered movie if it is one of the listed ratings."""
    return cast(GivenRating, movie) if movie is not None and "stored" in movie else None


def offer(report: NewerDataset) -> str:
    """Return the sentence that offers a dataset with newer movies, and the command that accepts it."""
    return tr(
        "{reason}. {offer}; dataset {dataset} opens it.",
        reason=newer_datasets.reason(report),
        offer=newer_datasets.offer(report),
        dataset=report["dataset"],
    )
