"""An interview without its screen: questions, answers and undo.

A rating is on disk before the next question is asked. Genres that the viewer likes or dislikes, and movies that they
have not seen, are remembered only while the interview lasts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.protocol.messages import InterviewAnswers, InterviewMovie, Question
from movietui.state.audience import Audience
from movietui.state.session import Session
from movietui.state.view import View
from movietui.store.ratings import Change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from movietui.protocol.messages import UnchosenMovie

Kind = Literal["genres", "card", "list", "one", "enough", "end"]
"""What is asked about: genres, the movies of a card, those of a list, or one movie that the viewer searched for. The
last two ask nothing: ``enough`` says that the list is good and the viewer may stop, ``end`` that no movies are left to
ask about."""

CARDS = 2
"""The number of cards before the lists of movies to rate. Two cards are answered quickly and tell tastes apart. A
third card would only say which movies the viewer prefers, while a list brings stars for all that they have seen."""
ENOUGH = 20
"""The number of ratings that it takes to recommend good movies; more ratings improve the list further."""
POINTS = 3
"""The points that the viewer can spend on a card."""
STARS_OF_POINTS = (None, 4.0, 4.5, 5.0)
"""The rating that a movie's points on a card stand for.

A movie without points may be unseen or liked less, so it is not rated. Someone who spends a point on a movie has seen
and likes it: if users of MovieLens 1M spend points according to their ratings (``tests.benchmarks.interview``), movies
with one, two and three points have 4.5, 4.7 and 4.5 stars on average (three points do not average more because users
often give all of them to the only movie that they have seen). So a point means that the viewer likes the movie, and
further points mean that they like it more. The card shows these ratings before they are stored.
"""
NOT_SEEN = 0.0
"""The answer about a movie of a list, instead of stars, if the viewer has not seen it."""
USUAL_ANSWERS = 1.5
"""How many ratings a question usually brings, measured with ``tests.benchmarks.interview``."""
USUAL_QUESTIONS = 3
"""The weight of ``USUAL_ANSWERS``, in questions, when the number of questions left is estimated."""


@dataclass(frozen=True)
class _State:
    """The state of an interview, which undo restores."""

    question: Question
    kind: Literal["genres", "card", "list"] = "card"
    cursor: int = 0
    spent: tuple[int, ...] = ()
    """For each point spent on the card, the index of the movie that got it, the latest last."""
    stars: Mapping[int, float] = field(default_factory=dict)
    """The answers about movies of the list, by index: stars or ``NOT_SEEN``."""
    unseen: tuple[str, ...] = ()
    unchosen: tuple[UnchosenMovie, ...] = ()
    genres: Mapping[str, int] = field(default_factory=dict)
    questions: int = 0
    """How many questions about movies have been answered."""
    cards: int = 0
    """How many of these questions were cards."""
    suggested: Literal["not yet", "now", "before"] = "not yet"
    """When the interview suggests to stop, because the list is good: not yet, in this state, or in an earlier one."""
    changes: int = 0
    """How many changes to the store this interview has made so far."""

    @property
    def answers(self) -> InterviewAnswers:
        """The answers that the engine needs, other than ratings."""
        return {"unseen": [*self.unseen], "unchosen": [*self.unchosen], "genres": dict(self.genres)}

    def index(self, movie: InterviewMovie) -> int | None:
        """Return the index of a movie in the question; ``None`` if the question is not about this movie."""
        keys = [each["key"] for each in self.question["movies"]]
        return keys.index(movie["key"]) if movie["key"] in keys else None


class Interview:
    """Asks one viewer questions. Until ``end`` is called, the list is for this viewer alone."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._before = session.audience, session.view
        self.viewer = session.audience.rater
        session.audience, session.view = Audience((self.viewer,), misery=session.audience.misery), View()
        session.changes.last = None
        self._held_before = dict(session.held.get(self.viewer, {}))
        self._now = _State({"movies": [], "if_unchosen": [], "rated": 0, "known": 0.0})
        self._past: list[_State] = []
        self._rated_before: int | None = None
        """The number of movies rated before the interview; ``None`` until the first question has arrived."""
        self._changes = 0
        self._last_rated: InterviewMovie | None = None
        """The movie whose rating ``nudge`` changes."""
        self.searched: InterviewMovie | None = None
        """A movie that the viewer searched for. It is asked about before the current question continues."""
        self.searched_stars: float | None = None
        """The viewer's previous rating of that movie; ``None`` if there is none."""

    def end(self) -> None:
        """Restore the audience and the view from before the interview, unless the list is for others by now."""
        if self._session.audience.viewers == (self.viewer,):
            self._session.audience, self._session.view = self._before

    # What is asked

    @property
    def started(self) -> bool:
        """Whether the first question has arrived."""
        return self._rated_before is not None

    @property
    def kind(self) -> Kind:
        """What is asked now."""
        if self.searched is not None:
            return "one"
        if self._now.suggested == "now":
            return "enough"
        return self._now.kind if self._now.kind == "genres" or self._now.question["movies"] else "end"

    @property
    def movies(self) -> Sequence[InterviewMovie]:
        """The movies that the question is about."""
        return self._now.question["movies"] if self.searched is None else [self.searched]

    @property
    def genres(self) -> Sequence[str]:
        """The genres that the viewer may like or dislike."""
        return self._session.opened["genres"] if self._session.opened is not None else []

    @property
    def liked_genres(self) -> Mapping[str, int]:
        """1 for each genre that the viewer likes, -1 for each that they dislike."""
        return self._now.genres

    @property
    def stars(self) -> Mapping[int, float]:
        """The answers about movies of the list, by index: stars or ``NOT_SEEN``."""
        return self._now.stars

    @property
    def points(self) -> list[int]:
        """The points spent on each movie of the card."""
        return [self._now.spent.count(index) for index in range(len(self._now.question["movies"]))]

    @property
    def cursor(self) -> int:
        """The index of the genre or movie that the cursor is on."""
        return self._now.cursor

    @property
    def strength(self) -> float:
        """The strength of the profile, from 0 to 1."""
        return self._now.question["known"]

    @property
    def questions(self) -> int:
        """How many questions about movies have been answered."""
        return self._now.questions

    @property
    def rated(self) -> int:
        """The number of movies of the dataset that the viewer has rated, including before the interview."""
        return self._now.question["rated"]

    @property
    def newly_rated(self) -> int:
        """The number of movies rated in the interview."""
        return self.rated - (self._rated_before or 0)

    @property
    def questions_left(self) -> int:
        """About how many more questions it takes to make the list good."""
        usual = (self.newly_rated + USUAL_ANSWERS * USUAL_QUESTIONS) / (self.questions + USUAL_QUESTIONS)
        return max(0, math.ceil((ENOUGH - self.rated) / usual)) + (self._now.kind == "genres")

    async def ask(self) -> None:
        """Request the current question; the engine may have opened another model since the last request."""
        first = not self.started
        self.searched = None
        now = await self._with_question(self._now)
        if first and now.question["rated"] < ENOUGH and self.genres:
            now = replace(now, kind="genres")
        self._set(now)

    async def _with_question(self, now: _State) -> _State:
        """Return a state with its next question. The interview itself does not change, in case the request fails."""
        question = await self._request(now, card=now.cards < CARDS)
        kind: Literal["genres", "card", "list"] = "card" if question["if_unchosen"] else "list"
        kind = now.kind if now.kind == "genres" else kind
        return replace(now, question=question, kind=kind, cursor=0, spent=(), stars={})

    async def _request(self, now: _State, *, card: bool) -> Question:
        self._check()
        few = self._rated_before is None or self._rated_before < ENOUGH  # with enough ratings, cards say nothing new
        question = await self._session.next_question(now.answers, card=card and few)
        if self._rated_before is None:
            self._rated_before = question["rated"]
            if question["if_unchosen"] and self._rated_before >= ENOUGH:
                return await self._request(now, card=False)
        return question

    def _set(self, now: _State) -> None:
        self._now = now
        above = {movie["key"]: movie["above"] for movie in now.unchosen}
        self._session.held[self.viewer] = {**self._held_before, **above}

    def _step(self, after: _State) -> None:
        """Move to a new state; ``undo`` returns to the current one."""
        self._past.append(self._now)
        self._set(replace(after, changes=self._changes))

    async def _next(self, after: _State) -> None:
        """Move on to the next question."""
        asked = await self._with_question(after)
        enough = asked.question["rated"] >= ENOUGH > (self._rated_before or 0)
        self._step(replace(asked, suggested="now" if enough and asked.suggested == "not yet" else asked.suggested))

    def _check(self) -> None:
        """Raise ``Problem`` if the list is no longer for this viewer alone, because another dataset was opened."""
        if self._session.audience.viewers != (self.viewer,):
            raise Problem(tr("The list is now for someone else; leave the interview."))

    # Answers

    def move_to(self, index: int) -> None:
        """Move the cursor to the genre or movie with this index, or the nearest one."""
        count = len(self.genres) if self.kind == "genres" else len(self.movies)
        if self.kind in ("genres", "card", "list"):
            self._now = replace(self._now, cursor=max(0, min(count - 1, index)))

    def like_genre(self, step: int) -> None:
        """Move the genre under the cursor one step up (1) or down (-1) on the scale disliked, neither, liked."""
        name = self.genres[self.cursor]
        liked = max(-1, min(1, self._now.genres.get(name, 0) + step))
        others = {other: sign for other, sign in self._now.genres.items() if other != name}
        self._step(replace(self._now, genres=others | ({name: liked} if liked else {})))

    def spend(self, index: int) -> None:
        """Give a point to a movie of the card. Raises ``Problem`` for an invalid index, or if no point is left."""
        if not 0 <= index < len(self.movies):
            raise Problem(tr("No movie has that number; give a point to one of these movies, or go on."))
        if len(self._now.spent) == POINTS:
            raise Problem(tr("You have given all {points} points; take one back first.", points=POINTS))
        self._step(replace(self._now, spent=(*self._now.spent, index), cursor=index))

    def take_back(self) -> None:
        """Take a point back from the movie under the cursor. Raises ``Problem`` if it has none."""
        spent = self._now.spent
        if self.cursor not in spent:
            raise Problem(tr("This movie has no point to take back."))
        last = len(spent) - 1 - spent[::-1].index(self.cursor)
        self._step(replace(self._now, spent=spent[:last] + spent[last + 1 :]))

    async def rate(self, stars: float) -> Change:
        """Rate the movie that was searched for, or else the movie under the cursor.

        In a list, the cursor then moves from the rated movie to the next one. A card that contains the rated movie is
        replaced by a new question.
        """
        movie, now = self.searched or self.movies[self.cursor], self._now
        change = await self._rate(movie, stars)
        index = now.index(movie)
        if index is not None and now.kind == "card":  # a rated movie must not be on a card
            after = await self._with_question(now)
        else:
            question = await self._request(now, card=False)
            if now.kind != "genres":
                question = {**now.question, "rated": question["rated"], "known": question["known"]}
            after = replace(now, question=question)
            if index is not None and now.kind == "list":
                after = self._answered(after, index, stars)
        if self.searched is not None:
            after = replace(after, cursor=now.cursor if after.kind == now.kind else 0)
        self._step(after)
        self.searched, self._last_rated = None, movie
        return change

    def not_seen(self) -> None:
        """Record that the viewer has not seen the movie under the cursor. Raises ``Problem`` if they rated it."""
        if self._now.stars.get(self.cursor, NOT_SEEN) != NOT_SEEN:
            raise Problem(tr("You have rated this movie; undo takes the rating back."))
        self._step(self._answered(self._now, self.cursor, NOT_SEEN))

    def _answered(self, now: _State, index: int, stars: float) -> _State:
        """Return a state with an answer about a movie of the list, and the cursor on the next one, if there is one."""
        cursor = min(len(now.question["movies"]) - 1, index + 1)
        return replace(now, stars={**now.stars, index: stars}, cursor=cursor)

    async def go_on(self) -> list[Change]:
        """Accept the answers and ask the next question; return the ratings that come from the answers.

        The movies of a card are rated by their points. A movie without points may be seen or unseen, but if no movie of
        the card has a point, all count as unseen. So do movies of a list that were not rated.
        """
        now = self._now
        if self.kind == "genres":
            await self._next(replace(now, kind="card"))
        elif self.kind == "list":
            rest = [movie["key"] for index, movie in enumerate(self.movies) if not now.stars.get(index, NOT_SEEN)]
            await self._next(replace(now, unseen=(*now.unseen, *rest), questions=now.questions + 1))
        elif self.kind == "card":
            return await self._rate_card()
        return []

    async def _rate_card(self) -> list[Change]:
        now, points = self._now, self.points
        ratings = [(movie, STARS_OF_POINTS[count]) for movie, count in zip(self.movies, points, strict=True)]
        changes = [await self._rate(movie, stars) for movie, stars in ratings if stars is not None]
        after = replace(now, cards=now.cards + 1, questions=now.questions + 1)
        if changes:
            unchosen = [each for each, count in zip(now.question["if_unchosen"], points, strict=True) if not count]
            after = replace(after, unchosen=(*now.unchosen, *unchosen))
        else:
            after = replace(after, unseen=(*now.unseen, *(movie["key"] for movie in self.movies)))
        await self._next(after)
        return changes

    async def none_seen(self) -> None:
        """Record that the viewer has seen no movie of the card. Raises ``Problem`` if points are spent."""
        if self._now.spent:
            raise Problem(tr("You have not confirmed your points yet; accept or undo them first."))
        await self._rate_card()

    async def ask_about(self, movie: str) -> None:
        """Ask about a movie that the viewer searched for, given by its id."""
        self._check()
        details = await self._session.details(movie)
        self.searched, self.searched_stars = details, details["by"][0]["rated"]

    def ask_more(self) -> None:
        """Continue with questions although the list is already good."""
        self._now = replace(self._now, suggested="before")

    async def nudge(self, step: float) -> Change:
        """Change the latest rating by ``step`` stars; the question stays the same."""
        change = await self._session.nudge(step)
        self._changes += 1
        index = self._now.index(self._last_rated) if self._last_rated is not None else None
        stars = self._now.stars
        if index is not None and index in stars and change.after is not None:
            stars = {**stars, index: change.after}
        self._now = replace(self._now, stars=stars, changes=self._changes)
        return change

    async def undo(self) -> bool:
        """Undo the latest point, genre or answer, and go back to its question.

        If the question is about a movie that the viewer searched for, only go back to the question before that. Return
        whether there was anything to undo.
        """
        if self.searched is not None:
            self.searched = None
            return True
        if not self._past:
            return False
        before = self._past[-1]
        while self._changes > before.changes:
            await self._session.undo()
            self._changes -= 1
        self._set(self._past.pop())
        return True

    async def _rate(self, movie: InterviewMovie, stars: float) -> Change:
        self._check()
        change = await self._session.rate(movie, stars)
        self._changes += 1
        return change
