"""Import: which file, what it would bring, which movie an ambiguous film is, and into whose profile."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from data.problems import Problem
from data.titles import plain
from movietui import text
from movietui.bindings import back, choose, hint, key_of
from movietui.screens.panels import NamePanel, PathPanel
from movietui.session import Session
from movietui.viewers import LONGEST_NAME, is_name
from movietui.widgets.line_view import Line
from movietui.widgets.row_list import RowList
from movietui.widgets.told import told

Film = dict[str, Any]
FILES = (".zip", ".csv", ".json")
NONE: Film = {"id": "none", "title": "none of these", "year": None}
"""Stands behind the candidates of a film."""
PARTS = {"ambiguous": "to settle", "matched": "found", "unmatched": "not found", "skipped": "left out"}
MARKS = {"watchlist": "w", "seen": "v", "hidden": "x", "liked": "♥"}


def titled(film: Mapping[str, Any]) -> str:
    """Return a film's title with its year."""
    return f"{film['title']} ({film['year']})" if film["year"] else str(film["title"])


def ask_for_file(session: Session) -> PathPanel:
    """Return the panel that asks for a file, and ends with its path and what it would bring."""

    async def look_into(path: str) -> tuple[str, dict[str, Any]]:
        return path, await session.look_into(path)

    return PathPanel(
        "Import",
        "What Letterboxd, IMDb, Trakt, MovieLens or TMDB gave you, or a table of your own: "
        "a zip, the folder that it unpacks to, or a file of it.",
        "~/Downloads/letterboxd.zip",
        files=FILES,
        make=look_into,
    )


class FilmRows(RowList[Film]):
    """Films of an import, with what each was found to be, or why not."""

    DEFAULT_CSS = "FilmRows { height: 1fr; margin: 1 0 0 0; }"
    has_head = True

    def __init__(self) -> None:
        super().__init__(id="films")
        self.part = "matched"
        self.settled: dict[str, Film] = {}
        """The candidates that were chosen here, by the key of the film."""

    def name_of(self, row: Film) -> object:
        """Return what tells the film from others of its list."""
        return row.get("key"), row.get("place")

    def _room(self, width: int) -> int:
        return (width - 12) * 2 // 5

    def head(self, width: int) -> str:
        """Return the names of the columns."""
        what = {"ambiguous": "may be", "matched": "is"}.get(self.part, "why")
        return text.cut(f"   {text.cut('film', self._room(width))} gave    {what}", width)

    def draw(self, row: Film, width: int) -> Line:
        """Draw one film."""
        room = self._room(width)
        if self.part == "skipped":
            film = row["title"] or row["place"]
            return [("   ", ""), (text.cut(film, room), ""), (text.cut(f"         {row['reason']}", width), "quiet")]
        gave = text.number_of_stars(row["stars"]) if row["stars"] is not None else ""
        gave += "".join(MARKS[mark] for mark in row["marks"])
        if "movie" in row:
            what, way = titled(row["movie"]), f" by {row['by']} "
        elif row["key"] in self.settled:
            what, way = titled(self.settled[row["key"]]), ""
        else:
            what, way = ", ".join(map(titled, row.get("candidates", ()))) or row["reason"], ""
        sign = " ✔ " if row["key"] in self.settled else " ? " if self.part == "ambiguous" else "   "
        left = width - 12 - room
        way = way if left >= 36 else ""
        return [
            (sign, "up" if sign == " ✔ " else ""),
            (text.cut(titled(row), room), ""),
            (f" {text.cut(gave, 7)} ", "stars"),
            (text.cut(what, left - len(way)), "" if "movie" in row or sign == " ✔ " else "quiet"),
            (way, "quiet"),
        ]


class PreviewPanel(ModalScreen[tuple[str, dict[str, str]] | None]):
    """What an import would bring. Ends with the profile that it is for and what was settled, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back(name="Leave it"),
        choose("choose", "Settle, import"),
        Binding("y", "import", "Import", id="import.do", tooltip="Import what is shown"),
        Binding("n", "name", "For whom", id="import.name", tooltip="Say whose films these are"),
        Binding("right,tab", "step(1)", show=False, id="import.next", tooltip="The next list of films"),
        Binding("left,shift+tab", "step(-1)", show=False, id="import.before", tooltip="The list of films before"),
        *(
            Binding(
                str(place),
                f"part('{part}')",
                show=False,
                id=f"import.{part}",
                tooltip=f"Films that are {words}",
            )
            for place, (part, words) in enumerate(PARTS.items(), start=1)
        ),
    ]

    def __init__(self, session: Session, path: str, told: dict[str, Any], name: str) -> None:
        """``name``: the profile that it is for, as far as that is known."""
        super().__init__()
        self._session, self._told, self._name = session, told, name
        self._path = path

    def compose(self) -> ComposeResult:
        """Show the counts, one part of the films, and what the keys do."""
        with Vertical(classes="panel wide") as panel:
            panel.border_title = Content(f"Import · {plain(Path(self._path).name)} · {self._told['format']}")
            panel.border_subtitle = Content(
                hint(self, ("import.before import.next", "other lists"), ("panel.back", "leaves everything as it was"))
            )
            yield Static(id="parts", markup=False)
            yield FilmRows()
            yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        """Begin with what is to be done."""
        self.action_part(next((part for part in PARTS if self._told[part]), "matched"))
        self.set_focus(self.films)

    @property
    def films(self) -> FilmRows:
        """The films of one part."""
        return self.query_one(FilmRows)

    @property
    def _open(self) -> int:
        """How many films are still to be settled."""
        return len({row["key"] for row in self._told["ambiguous"]} - self.films.settled.keys())

    def _tell(self) -> None:
        line = Text(no_wrap=True)
        for place, (part, words) in enumerate(PARTS.items(), start=1):
            here = part == self.films.part
            style = Style(reverse=here, bold=here, meta={"@click": f"screen.part('{part}')"})
            line.append(f" {place} {words} {len(self._told[part]):,} ", style).append(" ")
        self.query_one("#parts", Static).update(line)
        films = sum(len(self._told[part]) for part in ("ambiguous", "matched", "unmatched"))
        into = f"into {self._name}" if self._name else "into a profile"
        told = Text.assemble((key_of(self, "import.do"), "bold"), f" imports {text.plural(films, 'film')} {into}")
        if self._name:
            told.append(" · ").append(key_of(self, "import.name"), "bold").append(" another profile")
        if self.films.part == "ambiguous" and self.films.total:
            told.append(" · ").append(key_of(self, "panel.choose"), "bold").append(" settles it")
        lacking = self._open + len(self._told["unmatched"])
        if lacking:
            lack = text.plural(lacking, "film")
            told.append(f"\n{lack} without a movie here: kept as seen, and exported again", "dim")
        self.query_one("#hint", Static).update(told)

    def action_part(self, part: str) -> None:
        """Show one part."""
        films = self.films
        films.part, films.cursor = part, 0
        films.fill(len(self._told[part]), 0, list(self._told[part]))
        empty = {"ambiguous": "Nothing is left to settle.", "unmatched": "All films were found."}
        films.say(empty.get(part, "There are none."))
        self._tell()

    def action_step(self, step: int) -> None:
        """Show the next part, or the one before."""
        parts = list(PARTS)
        self.action_part(parts[(parts.index(self.films.part) + step) % len(parts)])

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """Settle the film under the cursor; where there is nothing to settle, import."""
        row = self.films.current
        if self.films.part != "ambiguous" or row is None:
            self.action_import()
        else:
            self.app.push_screen(ChoicePanel(row), partial(self._settle, row["key"]))

    def _settle(self, key: str, chosen: Film | None) -> None:
        if chosen is not None:
            self.films.settled[key] = chosen
            self.films.refresh()
            self.films.action_move(1)
            self._tell()

    @work(exclusive=True, group="import")
    @told
    async def action_import(self) -> None:
        """End with what is to be done, once it is known for whom."""
        name = self._name or await self._ask_name()
        if name:
            settled = {key: movie["id"] for key, movie in self.films.settled.items()}
            self.dismiss((name, settled))

    @work(exclusive=True, group="import")
    @told
    async def action_name(self) -> None:
        """Ask for whom it is."""
        self._name = await self._ask_name() or self._name
        self._tell()

    async def _ask_name(self) -> str | None:
        store = self._session.store

        def named(typed: str) -> str:
            name = " ".join(typed.split())
            known = store.find_profile(name)
            if known is None and not is_name(name):
                raise Problem(f"A profile needs a name of 1 to {LONGEST_NAME} letters, digits or signs.")
            return known.id if known else name

        known = ", ".join(ref.id for ref, _ in await self._session.on_store(store.profiles))
        words = "Whose films are these? A new name makes a profile" + (f"; there are {known}." if known else ".")
        name: str | None = await self.app.push_screen_wait(NamePanel("Import for", words, named))
        return name


class Candidates(RowList[Film]):
    """What a film may be; the last row is none of them."""

    DEFAULT_CSS = "Candidates { height: auto; max-height: 12; margin: 1 0 0 0; }"

    def draw(self, row: Film, width: int) -> Line:
        """Draw one candidate."""
        return [(text.cut(f" {titled(row)}", width), "quiet" if row is NONE else "")]


class ChoicePanel(ModalScreen[Film | None]):
    """Asks which movie a film is. Ends with the candidate, or ``NONE`` of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back(name="Later"),
        choose("choose", "This one"),
    ]

    def __init__(self, film: Film) -> None:
        super().__init__()
        self._film = film

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(f"Which one is {titled(self._film)}?")
            panel.border_subtitle = Content(hint(self, ("panel.choose", "takes it"), ("panel.back", "later")))
            yield Static(f"It is not clear: {self._film['reason']}.", markup=False)
            yield Candidates(id="candidate-rows")

    def on_mount(self) -> None:
        """List the candidates."""
        rows = [*self._film["candidates"], NONE]
        candidates = self.query_one(Candidates)
        candidates.fill(len(rows), 0, rows)
        self.set_focus(candidates)

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the row under the cursor."""
        self.dismiss(self.query_one(Candidates).current)


def outcome(told: Mapping[str, Any], path: str) -> str:
    """Return how an import ended, in a sentence."""
    name, file = told["profile"], plain(Path(path).name)
    films = sum(len(told[part]) for part in ("ambiguous", "matched", "unmatched"))
    if not told["changes"]:
        return f"{name} has all {text.plural(films, 'film')} of {file} already; nothing is changed"
    found = f"{len(told['matched']):,} of them in {told['dataset']}"
    return f"{name} has {text.plural(films, 'film')} of {file}, {found}"
