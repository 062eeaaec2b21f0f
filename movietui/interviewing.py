"""An interview without a screen: what is asked, what was answered, and the way back.

Each answer that is a rating is on disk before the next question is asked for; what is not seen is only remembered for
as long as the interview lasts.
"""

from dataclasses import dataclass, replace

from data.problems import Problem
from movietui.replies import AskedFilm, Question
from movietui.session import Audience, Session, View
from movietui.store import Change

CARDS = 5
"""How many cards come before the single films."""
ENOUGH = 15
"""Answers after which a list is a good one; more make it better still."""
POINTS = 3
"""Points to spend on a card."""
STARS_OF_POINTS = (None, 4.0, 4.5, 5.0)
"""The rating that a film's points on a card stand for.

A film without points may be unseen as well as liked less, so it is not rated. Who spends a point on a film has seen it
and likes it: where users of MovieLens 1M spend them by their own ratings (``tests.benchmarks.interview``), films with
one, two and three points have 4.4, 4.7 and 4.4 stars on average (three often go to the only one that somebody has
seen). So any point is a like, and more of them a stronger one. The card says so before they are spent, and what it
says is what is stored.
"""


@dataclass(frozen=True)
class _Asked:
    """Where the interview is: all that undoing an answer brings back."""

    question: Question
    unseen: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    questions: int = 0
    """How many were answered."""
    answers: int = 0
    """How many films were rated."""
    changes: int = 0
    """How many changes to the store this interview made until here."""


class Interviewing:
    """Asks one viewer. The list is made for them alone until ``end``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._before = session.audience, session.view
        self.viewer = session.audience.rater
        session.audience, session.view = Audience((self.viewer,), misery=session.audience.misery), View()
        session.last_change = None
        self._now = _Asked({"films": [], "known": 0.0})
        self._past: list[_Asked] = []
        self.started = False
        """Whether the first question stands."""
        self._changes = 0
        self.points: list[int] = []
        """Spent on each of the films that are asked about."""

    def end(self) -> None:
        """Make the list for whom it was made before, as it was."""
        if self._session.audience.viewers == (self.viewer,):
            self._session.audience, self._session.view = self._before

    # What is asked

    @property
    def films(self) -> list[AskedFilm]:
        """What is asked about: three films on a card, one, or none at the end."""
        return self._now.question["films"]

    @property
    def card(self) -> bool:
        """Whether points are to be spent."""
        return len(self.films) > 1

    @property
    def known(self) -> float:
        """How well the viewer is known, from 0 to 1."""
        return self._now.question["known"]

    @property
    def questions(self) -> int:
        """How many questions were answered."""
        return self._now.questions

    @property
    def answers(self) -> int:
        """How many films were rated."""
        return self._now.answers

    async def ask(self) -> None:
        """Ask for the question that comes now."""
        await self._ask(self._now)

    async def _ask(self, now: _Asked) -> None:
        """Go on from a state, once its question is there: where none comes, the one before still stands."""
        self._check()
        question = await self._session.question(now.unseen, now.passed, card=now.questions < CARDS)
        self._now = replace(now, question=question)
        self.points = [0] * len(self.films)
        self.started = True

    def _check(self) -> None:
        """Raise ``Problem`` where another dataset took this viewer off the list meanwhile."""
        if self._session.audience.viewers != (self.viewer,):
            raise Problem("The list is for somebody else by now; esc ends this.")

    # Answers

    async def rate(self, stars: float) -> Change:
        """Rate the film that is asked about."""
        (film,) = self.films
        change = await self._rate(film, stars)
        await self._answered(rated=1)
        return change

    async def not_seen(self) -> None:
        """Go on without a rating: none of the films is known. Raises ``Problem`` where points were given to one."""
        if any(self.points):
            raise Problem("You gave points: go on with these, or take them back first.")
        await self._answered(unseen=tuple(film["film"] for film in self.films))

    def spend(self, place: int) -> bool:
        """Give a point to a film of the card; return whether all are spent. Raises ``Problem`` for another key."""
        if not 0 <= place < len(self.films):
            raise Problem("No film has that key; give a point to one of these, or go on.")
        if sum(self.points) < POINTS:  # else the card could not be taken, for example on a full disk
            self.points[place] += 1
        return sum(self.points) == POINTS

    async def take_card(self) -> list[Change]:
        """Rate the films of the card by their points.

        A film without points may be seen or not; where none has any, all are unseen.
        """
        given = [(film, STARS_OF_POINTS[points]) for film, points in zip(self.films, self.points, strict=True)]
        changes = [await self._rate(film, stars) for film, stars in given if stars is not None]
        rest = tuple(film["film"] for film, stars in given if stars is None)
        if changes:
            await self._answered(rated=len(changes), passed=rest)
        else:
            await self._answered(unseen=rest)
        return changes

    async def nudge(self, step: float) -> Change:
        """Change the rating given last by half a star; what is asked stays."""
        change = await self._session.nudge(step)
        self._changes += 1
        return change

    async def undo(self) -> bool:
        """Take back the points of the card, else the last answer, and ask again; return whether there was any."""
        if any(self.points):
            self.points = [0] * len(self.films)
            return True
        if not self._past:
            return False
        before = self._past.pop()
        while self._changes > before.changes:
            await self._session.undo()
            self._changes -= 1
        self._now = before
        self.points = [0] * len(self.films)
        return True

    async def _rate(self, film: AskedFilm, stars: float) -> Change:
        self._check()
        change = await self._session.rate(film, stars)
        self._changes += 1
        return change

    async def _answered(self, rated: int = 0, unseen: tuple[str, ...] = (), passed: tuple[str, ...] = ()) -> None:
        now = self._now
        after = replace(
            now,
            unseen=now.unseen + unseen,
            passed=now.passed + passed,
            questions=now.questions + 1,
            answers=now.answers + rated,
            changes=self._changes,
        )
        await self._ask(after)
        self._past.append(now)
