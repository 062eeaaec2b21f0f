"""The commands of an interview, which asks about genres and movies that reveal a viewer's taste."""

from __future__ import annotations

from movietui.ask.conversation import Conversation
from movietui.ask.grammar import command, number_in, one_of
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.protocol.messages import Details
from movietui.state.interview import POINTS, Interview
from movietui.ui import wording


@command("interview", "", tr("answer questions, which improves the list fast"))
async def interview(talk: Conversation, rest: str) -> None:
    """Interview the viewer who rates next."""
    talk.require_list()
    talk.interview = Interview(talk.session)
    await talk.interview.ask()
    talk.say(tr("Any other command, such as list, ends the interview; your ratings are saved."))
    _ask(talk, talk.interview)


def _ask(talk: Conversation, asked: Interview) -> None:
    """Say what the interview asks now."""
    if asked.kind == "enough":
        ratings = text.plural(asked.rated, "rating")
        talk.say(tr("{ratings}: your list is good now. list shows it, next asks more.", ratings=ratings))
        return
    if asked.kind == "end":
        talk.say(tr("There is nothing left to ask; list shows your list."))
        return
    if asked.kind == "genres":
        talk.say(
            tr("Which genres do you like? {genres}.", genres=", ".join(asked.genres)),
            tr("Type like or dislike and a genre, then next."),
        )
        return
    talk.number(asked.movies)
    for number, movie in enumerate(asked.movies, 1):
        talk.say(", ".join([f"{number}. {text.movie_title(movie)}", *movie["genres"], *movie["directors"]]))
    if asked.kind == "card":
        talk.say(
            tr("Give up to {points} points to movies that you like: point 1, and again for more.", points=POINTS),
            tr("Then next; without points, none of them counts as seen."),
        )
    else:
        talk.say(tr("Rate those that you have seen, such as rate 1 4; then next."))


async def rate(talk: Conversation, asked: Interview, movie: Details, stars: float) -> None:
    """Rate a movie, whether or not the question is about it. A card with the movie is replaced."""
    before = [each["id"] for each in asked.movies]
    await asked.ask_about(movie["id"])
    change = await asked.rate(stars)
    talk.say(
        tr(
            "{change} · {share:.0%} of your taste is known",
            change=wording.describe_change(change),
            share=asked.strength,
        )
    )
    if [each["id"] for each in asked.movies] != before:
        _ask(talk, asked)


async def undo(talk: Conversation, asked: Interview) -> None:
    """Undo the last answer, and ask its question again."""
    if not await asked.undo():
        raise Problem(tr("There is nothing to undo in this interview."))
    talk.say(tr("Undone."))
    _ask(talk, asked)


def _interview(talk: Conversation) -> Interview:
    if talk.interview is None:
        raise Problem(tr("This is for an interview; type interview to begin one."))
    return talk.interview


@command("next", "", tr("in an interview: go on to the next question"))
async def next_(talk: Conversation, rest: str) -> None:
    """Accept the answers, and ask the next question."""
    asked = _interview(talk)
    if asked.kind == "enough":
        asked.ask_more()
    else:
        await asked.go_on()
    _ask(talk, asked)


@command("point", "NUMBER", tr("in an interview: give this movie a point"))
async def point(talk: Conversation, rest: str) -> None:
    """Give a point to a movie of the card."""
    asked = _interview(talk)
    if asked.kind != "card":
        raise Problem(tr("Points are for cards; rate these movies with stars, such as rate 1 4."))
    asked.spend((number_in(rest) or 0) - 1)
    talk.say(tr("{points} left", points=text.plural(POINTS - sum(asked.points), "point")))


async def _like(talk: Conversation, rest: str, step: int) -> None:
    asked = _interview(talk)
    if asked.kind != "genres":
        raise Problem(tr("Genres are only asked about at the beginning of an interview."))
    genres = [name.casefold() for name in asked.genres]
    asked.move_to(genres.index(one_of(rest, genres, tr("genre"))))
    asked.like_genre(step)
    liked = [name for name, sign in asked.liked_genres.items() if sign > 0]
    disliked = [name for name, sign in asked.liked_genres.items() if sign < 0]
    talk.say(
        tr(
            "You like {liked}; you dislike {disliked}",
            liked=", ".join(liked) or tr("none yet"),
            disliked=", ".join(disliked) or tr("none yet"),
        )
    )


@command("like", "GENRE", tr("in an interview: say that you like a genre"))
async def like(talk: Conversation, rest: str) -> None:
    """Like a genre."""
    await _like(talk, rest, 1)


@command("dislike", "GENRE", tr("in an interview: say that you dislike a genre"))
async def dislike(talk: Conversation, rest: str) -> None:
    """Dislike a genre."""
    await _like(talk, rest, -1)
