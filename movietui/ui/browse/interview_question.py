"""Draws the questions of an interview, and the list beside them without stars, which would influence the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from movietui.data.language import tr
from movietui.formatting import text
from movietui.protocol.messages import InterviewMovie, MovieRow
from movietui.state.interview import ENOUGH, NOT_SEEN, POINTS, STARS_OF_POINTS, Interview
from movietui.ui.browse.movie_list import YEAR, MovieList
from movietui.ui.widgets.columns import REST, Column

BAR = 40
"""The width, in cells, of the widest bar."""
PROGRESS_LINES = 3
"""The number of lines of the progress with the strength of the profile."""
ROOMY = 14
"""The fewest lines of a pane that shows the strength of the profile."""
WIDE = 36
"""The fewest cells of a pane that says that movies left unrated count as not seen."""
SIGNS = {1: "+", 0: " ", -1: "−"}
"""The sign before a genre: liked (1), neither (0) or disliked (-1)."""

Keys = Callable[[str], str]
"""Takes the ids of actions, separated by spaces, and returns their keys."""


class TitleList(MovieList, can_focus=False):
    """The top of a list, without a cursor: ranks, moves, titles and years."""

    DEFAULT_CSS = "TitleList { height: 1fr; }"

    def _under_cursor(self) -> Mapping[str, Style]:
        return self.line_styles  # no key applies to a row

    def columns(self, width: int) -> Sequence[Column[MovieRow]]:
        """Return rank, move, title and year, but no stars."""
        return [*self._rank_and_move(width), Column(f" {tr('title')}", REST, lambda row, _: f" {row['title']}"), YEAR]


def question(interview: Interview, width: int, height: int, keys: Keys) -> Text:
    """Return the question and how to answer it, in the available space."""
    ask = {
        "genres": _genres,
        "card": _card,
        "list": _list,
        "one": _one,
        "enough": _enough,
        "end": _end,
    }[interview.kind]
    return ask(interview, width, height, keys)


def genre_rows(interview: Interview, width: int) -> int:
    """Return the number of rows in which the genres are shown, column by column."""
    cells = max(map(cell_len, interview.genres), default=0) + 5
    return max(1, -(-len(interview.genres) // max(1, width // cells)))


def _genres(interview: Interview, width: int, height: int, keys: Keys) -> Text:
    """Return the genres in columns, or only the rows around the cursor if space is short."""
    names, rows = interview.genres, genre_rows(interview, width)
    columns = -(-len(names) // rows)

    def cell(index: int) -> Text:
        if index >= len(names):
            return Text()
        sign = SIGNS[interview.liked_genres.get(names[index], 0)]
        style = "bold" if sign.strip() else ""
        return Text.assemble((_pointer(interview, index), "bold"), (f"{sign} ", "bold"), (names[index], style))

    lines = [
        Text().join(text.fitted(cell(row + rows * column), width // columns) for column in range(columns))
        for row in range(rows)
    ]
    head = [_fitting(width, tr("Which kinds of movies do you like?"), tr("Which kinds do you like?"))]
    likes, goes_on = keys("interview.more-of interview.less-of"), keys("interview.go-on")
    tail = _key_lines(width, (likes, tr("like, dislike")), (goes_on, tr("next; you may choose none")))
    if len(head) + rows + len(tail) > height:
        short = Text.assemble((likes, "bold"), f" {tr('choose')}  ", (goes_on, "bold"), f" {tr('next')}")
        tail = [text.fitted(short, width)]
    room = max(1, height - len(head) - len(tail))
    first = max(0, min(interview.cursor % rows - room // 2, rows - room))
    return _stack([head, lines[first : first + room], tail], height)


def _card(interview: Interview, width: int, height: int, keys: Keys) -> Text:
    points = interview.points

    def before(index: int) -> str:
        return f"{_pointer(interview, index)}{index + 1} {text.dots(points[index] / POINTS, POINTS)} "

    left = POINTS - sum(points)
    points_left = text.plural(left, "point")
    left_to_give = (
        tr("{points} to give: which do you like?", points=points_left),
        tr("{points}: what do you like?", points=points_left),
    )
    all_given = (tr("All points given; you can still change them"), tr("All points given"))
    head = [_fitting(width, *(left_to_give if left else all_given))]
    worth = "  ".join(
        f"{text.dots(points / POINTS, POINTS)} {text.number_of_stars(stars)}"
        for points, stars in enumerate(STARS_OF_POINTS)
        if stars is not None
    )
    give = Text.assemble(
        (keys("interview.more-of interview.less-of"), "bold"),
        f" {tr('point')}  ",
        (keys("interview.go-on"), "bold"),
        f" {tr('next')}  ",
        (keys("interview.not-seen"), "bold"),
        f" {tr('seen none')}",
    )
    tail = [text.fitted(Text(worth, "dim"), width), text.fitted(give, width)]
    return _movies(interview, before, head, tail, width, height)


def _list(interview: Interview, width: int, height: int, keys: Keys) -> Text:
    def before(index: int) -> str:
        stars = interview.stars.get(index)
        answer = "" if stars is None else "–" if stars == NOT_SEEN else text.number_of_stars(stars)
        return f"{_pointer(interview, index)}{text.cut(answer, 4)} "

    head = [_fitting(width, tr("Rate those you have seen"))]
    goes_on = tr("next, rest not seen") if width >= WIDE else tr("next")
    rate = Text.assemble(("1-5", "bold"), f" {tr('rate')}  ", (keys("interview.go-on"), "bold"), f" {goes_on}")
    return _movies(interview, before, head, [text.fitted(rate, width)], width, height)


def _one(interview: Interview, width: int, height: int, keys: Keys) -> Text:
    lines = _key_lines(width, ("1 … 5", tr("stars")), (keys("interview.not-seen"), tr("back without a rating")))
    before = interview.searched_stars
    gave = "" if before is None else tr("You gave {stars}.", stars=text.number_of_stars(before))
    ask = [f"{gave} {tr('How many stars now?')}", f"{gave} {tr('Now?')}"] if gave else [tr("How many stars?")]
    return _stack([[_fitting(width, *ask)], _movie(interview.movies[0], "", width), lines], height)


def _enough(interview: Interview, width: int, height: int, keys: Keys) -> Text:
    lines = _key_lines(width, (keys("interview.go-on"), tr("show it")), (keys("interview.more"), tr("more questions")))
    return _stack([[text.fitted(Text(tr("That's enough for a good list."), "bold"), width)], lines], height)


def _end(interview: Interview, width: int, height: int, keys: Keys) -> Text:
    shows = tr("Press {key} for your list", key=keys("interview.go-on"))
    return Text(tr("No questions left: you were asked about every well-known movie. {shows}.", shows=shows))


def _fitting(width: int, *versions: str) -> Text:
    """Return the first version of a text that fits, or else the last version, cut."""
    return text.fitted(Text(text.longest_fitting(width, *versions), "dim"), width)


def _pointer(interview: Interview, index: int) -> str:
    return "▸" if interview.cursor == index else " "


def _key_lines(width: int, *meanings: tuple[str, str]) -> list[Text]:
    """Return a line for each entry of ``meanings``, which has keys and what they do."""
    return [text.fitted(Text.assemble((f"{keys:<7}", "bold"), meaning), width) for keys, meaning in meanings]


def _movies(
    interview: Interview,
    before: Callable[[int], str],
    head: Sequence[Text],
    tail: Sequence[Text],
    width: int,
    height: int,
) -> Text:
    """Return ``head``, then the movies of the question, then ``tail``.

    ``before`` takes the index of a movie and returns the text before its title. If space is short, each movie has only
    two lines, or one.
    """
    draw = partial(_movie, width=width)
    movies = [draw(movie, before(index)) for index, movie in enumerate(interview.movies)]
    for lines in (2, 1):
        if len(head) + sum(map(len, movies)) + len(tail) > height:
            movies = [movie[:lines] for movie in movies]
    return _stack([head, *movies, tail], height)


def _stack(parts: Sequence[Sequence[Text]], height: int) -> Text:
    """Return parts below each other, with empty lines between them if there is room."""
    roomy = sum(map(len, parts)) + len(parts) - 1 <= height
    lines = [line for part in parts for line in (*[Text()] * roomy, *part)]
    return Text("\n").join(lines[roomy:])


def _movie(movie: InterviewMovie, before: str, width: int) -> list[Text]:
    """Return lines with the title and year, the genres and the directors of a movie. Unknown facts are left out."""
    year = f" {movie['year']}" if movie["year"] else ""
    room = max(1, width - cell_len(before) - len(year))
    title = Text.assemble((before, "bold"), (text.cut(movie["title"], room).rstrip(), "bold"), (year, "dim"))
    about = [", ".join(movie["genres"]), ", ".join(movie["directors"])]
    indent = " " * cell_len(before)
    return [title, *(text.fitted(Text(indent + line, "dim"), width) for line in about if line)]


def progress(interview: Interview, width: int, height: int) -> Text:
    """Return the number of rated movies and, if there is room, the strength of the profile.

    Until the ratings are enough for a good list, also return how many questions are left.
    """
    if interview.rated >= ENOUGH:
        counts = [
            tr("{count:,} rated · enough for a good list", count=interview.rated),
            tr("{count:,} rated · enough", count=interview.rated),
        ]
    else:
        rated = tr("{rated} of {needed}", rated=interview.rated, needed=ENOUGH)
        questions = text.plural(interview.questions_left, "question")
        counts = [
            tr("{rated} rated · about {questions} left", rated=rated, questions=questions),
            tr("{rated} · {questions} left", rated=rated, questions=questions),
            f"{rated} · {questions}",
        ]
    lines = [_fitting(width, *counts)]
    if height >= PROGRESS_LINES:
        share = f" {interview.strength:.0%}"
        bar = text.thin_bar(interview.strength, 1, min(BAR, width - len(share))) + Text(share, "bold")
        lines = [Text(tr("profile strength"), "dim"), bar, *lines]
    return Text("\n").join(lines)
