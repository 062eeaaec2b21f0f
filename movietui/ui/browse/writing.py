"""The key that copies or saves the list, a watchlist or ratings."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.binding import Binding

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage.atomic_files import write_file
from movietui.data.storage.paths import free_path, pasted
from movietui.formatting import text
from movietui.formatting.movie_files import (
    FORMATS,
    FormatName,
    MovieFile,
    letterboxd_note,
    listed,
    newest_first,
    ratings_file,
    shortlist_file,
    watchlist_file,
)
from movietui.models.choices import DEFAULT_ORDER
from movietui.protocol.viewers import ViewerRef
from movietui.store.profile_entries import entries_of
from movietui.ui.bindings import key_of
from movietui.ui.browse.controller import BrowseController
from movietui.ui.browse.list_pane import GROUP_TITLES, PAIR_TITLES
from movietui.ui.browse.write_panel import COUNTS, Choice, Source, WritePanel
from movietui.ui.controller import in_background
from movietui.ui.widgets.fields import LONGEST_PATH

if TYPE_CHECKING:
    from movietui.ui.app import MovieTui

COPY_LIMIT = 74_994
"""The most bytes that are copied. If the encoded text is longer, many terminals copy nothing."""
WRITE_KEYS = [
    Binding(
        "Y",
        "write",
        tr("Copy or save"),
        show=False,
        id="browse.write",
        tooltip=tr("Copy or save the list, watchlist or ratings"),
    ),
]


class WriteController(BrowseController):
    """Handles the key that copies or saves movies."""

    _format: FormatName = "markdown"
    _count = COUNTS[0]
    """The number of movies that was chosen last, as ``_format`` is the format."""

    @in_background("write", exclusive=True)
    async def action_write(self) -> None:
        """Ask what to write and where to, then copy or save it."""
        self.require_list()
        panel = WritePanel(self._sources(), self._format, self._count)
        choice = await self.app.push_screen_wait(panel)
        if choice is not None:
            self._format, self._count = choice.format, choice.count or self._count
            await write(self.app, choice)

    def _sources(self) -> list[Source]:
        """Return what can be written: the list that is shown, and the watchlist and ratings of each of its viewers."""
        audience, total = self.session.audience, self.list_pane.movies.total
        names = text.enumerate_names(self.list_pane.viewer_names())
        sources = [Source(tr("This list"), tr("for {viewers}", viewers=names), "movies", total, self._list)]
        for ref in audience.viewers:
            watchlist = tr("Watchlist of {viewer}", viewer=ref.label)
            sources.append(Source(watchlist, "", "watchlist", None, partial(self._watchlist, ref)))
        for ref in audience.viewers:
            ratings = tr("Ratings of {viewer}", viewer=ref.label)
            sources.append(Source(ratings, "", "ratings", None, partial(self._ratings, ref)))
        return sources

    async def _list(self, count: int) -> MovieFile:
        names = self.list_pane.viewer_names()
        rows = await self.list_pane.first_rows(count)
        if not rows:
            raise Problem(tr("The list is empty, so there is nothing to copy or save."))
        opened = self.session.opened
        assert opened is not None
        movies = [listed(row) for row in rows]
        conditions = await self._conditions()
        return shortlist_file(names, movies, opened["dataset"], opened["model"], conditions)

    async def _conditions(self) -> list[str]:
        """Return sentences, without full stops, about the order of the list and which movies it contains."""
        view, audience, query = self.session.view, self.session.audience, await self.session.query()
        sentences = [tr("Ordered by {order}", order=self.session.orders[query.get("order", DEFAULT_ORDER)])]
        if audience.together:
            titles = GROUP_TITLES if len(audience.viewers) > 2 else PAIR_TITLES
            share = (
                tr(", {share:.0%} of the way to least misery", share=audience.misery)
                if audience.way == "weighted"
                else ""
            )
            sentences.append(
                tr(
                    "{movies}, with the scores combined as “{way}”{share}",
                    movies=titles[audience.unseen_by],
                    way=audience.way,
                    share=share,
                )
            )
        if audience.together and audience.standardise:
            sentences.append(tr("The same scale for everyone"))
        if view.filter_text:
            sentences.append(tr("Filter: {filter}", filter=view.filter_text))
        if view.wanted != "all":
            all_want = tr("Only movies all of you want")
            sentences.append(all_want if view.wanted == "both" else tr("Only movies on the watchlist"))
        if view.daring:
            sentences.append(tr("{share:.0%} daring", share=view.daring))
        if view.recent:
            sentences.append(tr("{share:.0%} recent", share=view.recent))
        if audience.vetoes:
            vetoed = text.enumerate_names([veto.movie.title for veto in audience.vetoes])
            sentences.append(tr("Without {movies}", movies=vetoed))
        return sentences

    async def _watchlist(self, ref: ViewerRef, _: int) -> MovieFile:
        file = watchlist_file(ref.label, await asyncio.to_thread(entries_of, self.session.store, ref))
        if not file.movies:
            adds = key_of(self.screen, "browse.watchlist")
            raise Problem(
                tr("The watchlist of {viewer} is empty; {key} adds the selected movie.", viewer=ref.label, key=adds)
            )
        return file

    async def _ratings(self, ref: ViewerRef, _: int) -> MovieFile:
        rows = newest_first(await self.session.given_ratings(ref))
        if not rows:
            rate = key_of(self.screen, "browse.rate-1")
            raise Problem(
                tr(
                    "{viewer} has not rated anything yet; press {key} to rate the selected movie.",
                    viewer=ref.label,
                    key=rate,
                )
            )
        opened = self.session.opened
        assert opened is not None
        return ratings_file(ref.label, rows, opened["dataset"], opened["model"], [tr("Newest first")])


@dataclass(frozen=True)
class Target:
    """The file whose path a person typed."""

    path: Path
    taken: bool
    """Whether the file already exists, so that nothing has been written yet."""


async def write(app: MovieTui, choice: Choice) -> None:
    """Copy or save movies, and show what was done. Raises ``Problem`` if that is impossible."""
    file = await choice.source.make(choice.count)
    file_format = FORMATS[choice.format]
    content = await asyncio.to_thread(file_format.write, file)
    movies = f"{text.plural(len(file.movies), 'movie')} {file_format.phrase}"
    if choice.to == "clipboard":
        if (size := len(content.encode())) > COPY_LIMIT:
            raise Problem(
                tr(
                    "{movies} are {size}, too much for the clipboard of many terminals; save them to a file.",
                    movies=movies,
                    size=text.size(size),
                )
            )
        app.copy_lines(content)
        app.show_notice(tr("Copied {movies}", movies=movies))
        return
    proposed = await asyncio.to_thread(proposed_path, choice.source.stem, file_format.suffix)
    path = await _save(app, movies, content.encode(), proposed)
    if path is not None:
        note = letterboxd_note(content.encode()) if choice.format == "letterboxd" else ""
        saved = tr("Saved {movies} to {path}", movies=movies, path=path)
        app.show_notice(f"{saved} · {note}" if note else saved)


def proposed_path(stem: str, suffix: str) -> Path:
    """Return an unused path in the current folder or, if that is not writable, in Downloads or in the home folder."""
    folders = [Path.cwd(), Path.home() / "Downloads", Path.home()]
    folder = next((each for each in folders if each.is_dir() and os.access(each, os.W_OK)), folders[-1])
    return free_path(folder, stem, suffix)


async def _save(app: MovieTui, movies: str, content: bytes, proposed: Path) -> Path | None:
    """Ask for a path, write the file, and return the path; ``None`` if cancelled. Ask again before replacing a file."""
    from movietui.ui.panels import ConfirmPanel, NamePanel

    typed = str(proposed)
    while True:
        panel = NamePanel(
            tr("Save"),
            tr("Save {movies} to:", movies=movies),
            partial(_write_new, content),
            typed,
            example=tr("file"),
            longest=LONGEST_PATH,
        )
        target: Target | None = await app.push_screen_wait(panel)
        if target is None or not target.taken:
            return target.path if target is not None else None
        exists = tr("{path} already exists.", path=target.path)
        replaces = ConfirmPanel(tr("Replace this file?"), exists, tr("Replace"))
        if await app.push_screen_wait(replaces):
            await asyncio.to_thread(write_file, target.path, content, force=True)
            return target.path
        typed = str(target.path)


def _write_new(content: bytes, typed: str) -> Target:
    """Write a file unless it exists. Raises ``Problem`` without a typed name, or if the file cannot be written."""
    if not typed.strip():
        raise Problem(tr("Type a file name."))
    path = pasted(typed).absolute()
    if path.is_file():
        return Target(path, taken=True)
    write_file(path, content, force=False)
    return Target(path, taken=False)
