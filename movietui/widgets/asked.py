"""What an interview asks, and the list beside it, which tells no stars: people anchor on what is expected of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.style import Style
from rich.text import Text

from movietui import text
from movietui.interviewing import ENOUGH, POINTS, STARS_OF_POINTS, Interviewing
from movietui.replies import AskedFilm, MovieRow
from movietui.widgets.line_view import Line
from movietui.widgets.movie_list import MovieList

BAR = 40
"""The widest bar."""


class TitleList(MovieList, can_focus=False):
    """The top of a list to look at: ranks, what moved, titles and years."""

    DEFAULT_CSS = "TitleList { height: 1fr; }"

    def _under_cursor(self) -> Mapping[str, Style]:
        return self.drawn_with  # no key is for a row

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        rank, move, _ = self._columns(width)
        return text.cut(f"{'#':>{rank}}{'':{move + 2}}title", width - 6) + " year "

    def draw(self, row: MovieRow, width: int) -> Line:
        """Draw one movie."""
        rank, move, _ = self._columns(width)
        year = f" {row['year'] or '':>4} "
        return [
            (f"{row['rank']:>{rank}} ", "quiet"),
            self._move(row, move),
            (text.cut(f" {row['title']}", width - rank - 1 - move - len(year)), ""),
            (year, "quiet"),
        ]


def question(interview: Interviewing, width: int, height: int, key: Callable[[str], str]) -> Text:
    """Return what is asked, and how it is answered, in the room that there is. ``key`` names the key of an id."""
    if not interview.films:
        ends = f"{key('interview.stop')} ends this"
        return Text(f"There is nothing left to ask: all films that many know were asked about. {ends}.")
    ask = _card if interview.card else _single
    return ask(interview, width, height, key)


def _single(interview: Interviewing, width: int, height: int, key: Callable[[str], str]) -> Text:
    film = interview.films[0]
    half = f"{key('interview.half-less')} {key('interview.half-more')}"
    keys = (("1 … 5", "stars"), (key("interview.not-seen"), "not seen"), (half, "half off or on the last one"))
    told = [text.fitted(Text.assemble((f"{name:<7}", "bold"), meaning), width) for name, meaning in keys]
    return _stacked([[Text("How many stars?", "dim")], _film(film, "", width), told], height)


def _card(interview: Interviewing, width: int, height: int, key: Callable[[str], str]) -> Text:
    """Three films with their points; where room is short what is known of them gives way."""
    films = [
        _film(film, f"{place} {text.dots(points / POINTS, POINTS)} ", width)
        for place, (film, points) in enumerate(zip(interview.films, interview.points, strict=True), start=1)
    ]
    worth = "  ".join(
        f"{text.dots(points / POINTS, POINTS)} {text.number_of_stars(stars)}"
        for points, stars in enumerate(STARS_OF_POINTS)
        if stars is not None
    )
    goes_on, none = key("interview.go-on"), key("interview.not-seen")
    keys = Text.assemble(("1 2 3", "bold"), " point  ", (goes_on, "bold"), " go on  ", (none, "bold"), " none")
    head = [text.fitted(Text(f"{text.plural(POINTS, 'point')} to spend: what do you like?", "dim"), width)]
    tail = [text.fitted(Text(worth, "dim"), width), text.fitted(keys, width)]
    if len(head) + sum(map(len, films)) + len(tail) > height:
        films = [film[:1] for film in films]
    return _stacked([head, *films, tail], height)


def _stacked(parts: Sequence[Sequence[Text]], height: int) -> Text:
    """Return parts below each other, with an empty line between them where there is room."""
    roomy = sum(map(len, parts)) + len(parts) - 1 <= height
    lines = [line for part in parts for line in (*[Text()] * roomy, *part)]
    return Text("\n").join(lines[roomy:])


def _film(film: AskedFilm, before: str, width: int) -> list[Text]:
    """A film in two lines and, where its directors are known, a third."""
    year = f" {film['year']}" if film["year"] else ""
    room = max(1, width - len(before) - len(year))
    title = Text.assemble((before, "bold"), (text.cut(film["title"], room).rstrip(), "bold"), (year, "dim"))
    about = [", ".join(film["genres"]), ", ".join(film["directors"])]
    return [title, *(text.fitted(Text(" " * len(before) + line, "dim"), width) for line in about if line)]


def progress(interview: Interviewing, width: int) -> Text:
    """Return how well the viewer is known, and how much was answered."""
    share = f" {interview.known:.0%}"
    answers = f"{interview.answers} of about {ENOUGH}" if interview.answers < ENOUGH else f"{interview.answers}"
    enough = " · that is enough for a good list" if interview.answers >= ENOUGH else ""
    return Text("\n").join(
        [
            Text("how well you are known", "dim"),
            text.thin_bar(interview.known, 1, min(BAR, width - len(share))) + Text(share, "bold"),
            text.fitted(f"{answers} rated · {text.plural(interview.questions, 'question')}{enough}", width),
        ]
    )
