"""The panels of an import: for the file, for the preview, for the profile, and for an ambiguous title."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.formatting.import_previews import (
    MEANINGS,
    NONE,
    PARTS,
    SCALES,
    ImportRow,
    Part,
    content,
    count,
    first_part,
    is_scale_open,
    rows,
)
from movietui.protocol.messages import ImportChoices, ImportedRow, ImportReport, MovieChoice
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import LONGEST_NAME, is_name
from movietui.state.session import Session
from movietui.ui.bindings import back_key, choose_key, hint, key_of
from movietui.ui.panels import NamePanel, PathPanel
from movietui.ui.problems import shows_problems
from movietui.ui.screens import Panel
from movietui.ui.theme import starred
from movietui.ui.widgets.line_view import Line
from movietui.ui.widgets.row_list import RowList

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

FILES = (".zip", ".csv", ".json", ".tsv", ".txt")
MARKS = {"watchlist": "w", "seen": "v", "hidden": "x", "liked": "♥"}


def ask_for_file(session: Session) -> PathPanel:
    """Return a panel that asks for a file and ends with its path and its preview."""

    async def read_preview(path: str) -> tuple[str, ImportReport]:
        return path, await session.engine.ask(Requests.preview_import, path=path, choices={})

    return PathPanel(
        tr("Import"),
        tr(
            "An export from Letterboxd, IMDb, Trakt, MovieLens or TMDB, or a table of your own: a zip, an unpacked "
            "folder or a single file."
        ),
        "~/Downloads/letterboxd.zip",
        files=FILES,
        make=read_preview,
    )


async def ask_what_to_import(app: MovieTui, profile: str) -> tuple[str, Chosen] | None:
    """Ask for a file, show its preview, and return its path and what to import; ``None`` if cancelled.

    ``profile`` is the profile to propose. If it is empty, the preview asks for a profile. Call this in a worker.
    """
    choice = await app.push_screen_wait(ask_for_file(app.session))
    if choice is None:
        return None
    path, preview = choice
    chosen = await app.push_screen_wait(PreviewPanel(app.session, path, preview, profile))
    if chosen is None:
        app.show_notice(tr("Import cancelled; nothing changed."))
        return None
    return path, chosen


class ImportRows(RowList[ImportRow]):
    """One part of the preview: titles with their matches, candidates or reasons, or what was skipped."""

    DEFAULT_CSS = "ImportRows { height: 1fr; margin: 1 0 0 0; }"
    has_header = True

    def __init__(self) -> None:
        super().__init__(id="import-rows")
        self.part: Part = "matched"
        self.settled: dict[str, MovieChoice] = {}
        """What was chosen in ``ChoicePanel``, by the key of the title."""

    def row_key(self, row: ImportRow) -> object:
        """Return the key of a title, or the location of what was skipped."""
        return row["location"] if "location" in row else row["key"]

    def _title_cells(self, width: int) -> int:
        return (width - 12) * 2 // 5

    def header(self, width: int) -> str:
        """Return the headings."""
        heading = {"ambiguous": tr("could be"), "matched": tr("matched with")}.get(self.part, tr("reason"))
        movie = text.cut(tr("movie"), self._title_cells(width))
        return text.cut(f"   {movie} {tr('yours'):<7} {heading}", width)

    def draw(self, row: ImportRow, width: int) -> Line:
        """Draw a title, or what was skipped."""
        room = self._title_cells(width)
        if "location" in row:
            title = row["title"] or row["location"]
            return [("   ", ""), (text.cut(title, room), ""), (text.cut(f"         {row['reason']}", width), "quiet")]
        gave = text.number_of_stars(row["stars"]) if row["stars"] is not None else ""
        gave += "".join(MARKS[mark] for mark in row["marks"])
        if "movie" in row:
            by = tr("by {property}", property=row["by"])
            what, way = text.movie_title(row["movie"]), f" {by} "
        elif row["key"] in self.settled:
            what, way = text.movie_title(self.settled[row["key"]]), ""
        else:
            what, way = ", ".join(map(text.movie_title, row.get("candidates", ()))) or row["reason"], ""
        sign = " ✓ " if row["key"] in self.settled else " ? " if self.part == "ambiguous" else "   "
        left = width - 12 - room
        way = way if left >= 36 else ""
        return [
            (sign, "up" if sign == " ✓ " else ""),
            (text.cut(text.movie_title(row), room), ""),
            *starred(f" {text.cut(gave, 7)} ", ""),
            (text.cut(what, left - len(way)), "" if "movie" in row or sign == " ✓ " else "quiet"),
            (way, "quiet"),
        ]


Chosen = tuple[str, dict[str, str], ImportChoices]
"""The profile to import into, the chosen candidates, and how the file is read."""


class PreviewPanel(Panel[Chosen | None]):
    """A preview of an import, and how the file is read. Ends with what to import, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(name=tr("Cancel")),
        choose_key("choose", tr("Choose")),
        Binding("y", "import", tr("Import"), id="import.do", tooltip=tr("Start the import")),
        Binding("n", "name", tr("Profile"), id="import.name", tooltip=tr("Choose the profile to import into")),
        Binding(
            "s", "scale", tr("Scale"), id="import.scale", tooltip=tr("Read the ratings as stars out of 5, 10 or 100")
        ),
        Binding(
            "m",
            "meaning",
            tr("Meaning"),
            id="import.meaning",
            tooltip=tr("Treat movies without a rating as a list, as seen, or as a watchlist"),
        ),
        Binding("right,tab", "step(1)", show=False, id="import.next", tooltip=tr("Next part of the preview")),
        Binding(
            "left,shift+tab", "step(-1)", show=False, id="import.before", tooltip=tr("Previous part of the preview")
        ),
        *(
            Binding(
                str(number),
                f"part('{part}')",
                show=False,
                id=f"import.{part}",
                tooltip=tr("Show what is listed as “{part}”", part=words),
            )
            for number, (part, words) in enumerate(PARTS.items(), start=1)
        ),
    ]

    def __init__(self, session: Session, path: str, preview: ImportReport, name: str) -> None:
        """``name`` is the profile to import into; empty if it is not known yet."""
        super().__init__()
        self._session, self._preview, self._name = session, preview, name
        self._path = path
        self._choices: ImportChoices = {}

    def compose(self) -> ComposeResult:
        """Show the counts, one part of the titles, and the keys."""
        with Vertical(classes="panel wide") as panel:
            file, file_format = Path(self._path).name, self._preview["format"]
            panel.border_title = Content(tr("Import · {file} · {format}", file=file, format=file_format))
            panel.border_subtitle = Content(
                hint(self, ("import.before import.next", tr("other parts")), ("panel.back", tr("cancel")))
            )
            yield Static(id="parts", markup=False)
            yield Static(id="reading", markup=False)
            yield ImportRows()
            yield Static(id="hint", markup=False)

    def on_mount(self) -> None:
        """Show the titles that need review or, without such titles, the next part that is not empty."""
        self.action_part(first_part(self._preview))
        self.set_focus(self.movies)

    @property
    def movies(self) -> ImportRows:
        """The titles of one part."""
        return self.query_one(ImportRows)

    @property
    def _undecided(self) -> int:
        """How many titles are still ambiguous."""
        shown = {row["key"] for row in self._preview["ambiguous"]}
        return count(self._preview, "ambiguous") - len(shown & self.movies.settled.keys())

    def _reading(self) -> str:
        """Return how the file is read, and the keys that change this."""
        tables = self._preview["tables"]
        lines = [line for table in tables[:1] for line in text.describe_table(table)]
        if is_scale_open(self._preview):
            scale = hint(self, ("import.scale", tr("another scale")))
            lines.append(tr("The file does not state its scale · {hint}", hint=scale))
        for each in self._preview["lists"][:2]:
            titles = text.plural(each["movies"], "title")
            lines.append(tr("List “{list}”: {titles}", list=each["name"], titles=titles))
        if self._preview["asks"] or "meaning" in self._choices:
            words = MEANINGS[self._choices.get("meaning", "list")]
            changes = hint(self, ("import.meaning", tr("change")))
            lines.append(
                tr(
                    "Imported as {movies}; the file does not say if its movies are seen or wanted · {hint}",
                    movies=words,
                    hint=changes,
                )
            )
        return "\n".join([*lines, *self._preview["notes"][: 0 if self._preview["asks"] else 2]])

    def _show_summary(self) -> None:
        line = Text(no_wrap=True)
        for number, (part, words) in enumerate(PARTS.items(), start=1):
            active = part == self.movies.part
            style = Style(reverse=active, bold=active, meta={"@click": f"screen.part('{part}')"})
            line.append(f" {number} {words} {count(self._preview, part):,} ", style).append(" ")
        self.query_one("#parts", Static).update(line)
        self.query_one("#reading", Static).update(Text(self._reading(), "dim"))
        movies = content(self._preview)
        imports = (
            tr("imports {movies} into {profile}", movies=movies, profile=self._name)
            if self._name
            else tr("imports {movies} into a profile", movies=movies)
        )
        summary = Text.assemble((key_of(self, "import.do"), "bold"), f" {imports}")
        if self._name:
            summary.append(" · ").append(key_of(self, "import.name"), "bold").append(f" {tr('another profile')}")
        if self.movies.part == "ambiguous" and self.movies.total:
            summary.append(" · ").append(key_of(self, "panel.choose"), "bold").append(f" {tr('choose the movie')}")
        unmatched = self._undecided + count(self._preview, "unmatched")
        if unmatched:
            not_matched = tr(
                "{movies} not matched: saved in your profile, not used here", movies=text.plural(unmatched, "movie")
            )
            summary.append(f"\n{not_matched}", "dim")
        self.query_one("#hint", Static).update(summary)

    def action_part(self, part: Part) -> None:
        """Show one part."""
        movies = self.movies
        movies.part, movies.cursor = part, 0
        shown = rows(self._preview, part)
        movies.fill(len(shown), 0, shown)
        movies.set_placeholder(
            {
                "matched": tr("No movie was matched."),
                "ambiguous": tr("Nothing needs review."),
                "unmatched": tr("Every movie was matched."),
                "skipped": tr("Nothing was skipped."),
            }[part]
        )
        self._show_summary()

    def action_step(self, step: int) -> None:
        """Show the next or the previous part."""
        parts = list(PARTS)
        self.action_part(parts[(parts.index(self.movies.part) + step) % len(parts)])

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """Ask which movie the selected title means, if the title is ambiguous. Otherwise, import."""
        row = self.movies.current
        if self.movies.part != "ambiguous" or row is None or "location" in row:
            self.action_import()
        else:
            self.app.push_screen(ChoicePanel(row), partial(self._settle, row["key"]))

    def _settle(self, key: str, chosen: MovieChoice | None) -> None:
        if chosen is not None:
            self.movies.settled[key] = chosen
            self.movies.refresh()
            self.movies.action_move(1)
            self._show_summary()

    @work(exclusive=True, group="import")
    @shows_problems
    async def action_import(self) -> None:
        """End with what to import, after asking for a profile if none is known."""
        name = self._name or await self._ask_name()
        if name:
            settled = {key: movie["id"] for key, movie in self.movies.settled.items()}
            self.dismiss((name, settled, self._choices))

    @work(exclusive=True, group="import")
    @shows_problems
    async def action_scale(self) -> None:
        """Read the ratings again on the next scale."""
        scales = [table["scale"] for table in self._preview["tables"] if table["scale"]]
        if scales:
            later = [scale for scale in SCALES if scale > scales[0]]
            await self._read_again({**self._choices, "scale": later[0] if later else SCALES[0]})

    @work(exclusive=True, group="import")
    @shows_problems
    async def action_meaning(self) -> None:
        """Treat movies without a rating in the next way: as a list, as seen, or as the watchlist."""
        if self._preview["asks"] or "meaning" in self._choices:
            meanings = list(MEANINGS)
            now = meanings.index(self._choices.get("meaning", meanings[0]))
            await self._read_again({**self._choices, "meaning": meanings[(now + 1) % len(meanings)]})

    async def _read_again(self, choices: ImportChoices) -> None:
        self._preview = await self._session.engine.ask(Requests.preview_import, path=self._path, choices=choices)
        self._choices = choices
        self.action_part(first_part(self._preview))

    @work(exclusive=True, group="import")
    @shows_problems
    async def action_name(self) -> None:
        """Ask for the profile to import into."""
        self._name = await self._ask_name() or self._name
        self._show_summary()

    async def _ask_name(self) -> str | None:
        store = self._session.store

        def named(typed: str) -> str:
            name = " ".join(typed.split())
            known = store.find_profile(name)
            if known is None and not is_name(name):
                raise Problem(tr("A profile name has 1 to {longest} letters, digits or symbols.", longest=LONGEST_NAME))
            return known.id if known else name

        known = ", ".join(ref.id for ref, _ in await asyncio.to_thread(store.profiles))
        existing = tr("; existing profiles: {names}", names=known) if known else ""
        words = tr("Whose movies are these? A new name creates a profile{existing}.", existing=existing)
        name: str | None = await self.app.push_screen_wait(NamePanel(tr("Import into"), words, named))
        return name


class Candidates(RowList[MovieChoice]):
    """The candidates for a title, then ``NONE``."""

    DEFAULT_CSS = "Candidates { height: auto; max-height: 12; margin: 1 0 0 0; }"

    def draw(self, row: MovieChoice, width: int) -> Line:
        """Draw one candidate."""
        return [(text.cut(f" {text.movie_title(row)}", width), "quiet" if row is NONE else "")]


class ChoicePanel(Panel[MovieChoice | None]):
    """Asks which movie a title means. Ends with a candidate or ``NONE``, or ``None`` to decide later."""

    BINDINGS: ClassVar[list[BindingType]] = [
        back_key(name=tr("Later")),
        choose_key("choose", tr("This one")),
    ]

    def __init__(self, row: ImportedRow) -> None:
        super().__init__()
        self._row = row

    def compose(self) -> ComposeResult:
        """Show the question."""
        with Vertical(classes="panel") as panel:
            panel.border_title = Content(tr("Which movie is {movie}?", movie=text.movie_title(self._row)))
            panel.border_subtitle = Content(hint(self, ("panel.choose", tr("choose")), ("panel.back", tr("later"))))
            yield Static(tr("This needs your decision: {reason}.", reason=self._row["reason"]), markup=False)
            yield Candidates(id="candidate-rows")

    def on_mount(self) -> None:
        """List the candidates."""
        rows = [*self._row["candidates"], NONE]
        candidates = self.query_one(Candidates)
        candidates.fill(len(rows), 0, rows)
        self.set_focus(candidates)

    @on(RowList.Clicked)
    def action_choose(self) -> None:
        """End with the selected row."""
        self.dismiss(self.query_one(Candidates).current)
