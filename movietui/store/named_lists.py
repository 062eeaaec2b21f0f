"""The named lists of each profile, such as shelves and lists imported from Letterboxd.

A step that changes a list stores a new version of it; undoing the step restores the previous version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from movietui.data.imports.entries import LONGEST_LIST_NAME
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.query.list_conditions import command, folded
from movietui.data.safe_text import strip_controls
from movietui.protocol.viewers import ViewerRef
from movietui.store.run_records import RunRecords


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A movie of a list."""

    key: str
    title: str
    year: int = 0
    """0 if unknown."""
    note: str = ""


@dataclass(frozen=True)
class StoredList:
    """A list with its movies in order."""

    name: str
    movies: tuple[ListEntry, ...]


def known_name(name: str, names: Iterable[str]) -> str | None:
    """Return ``name`` if it is among the names, else the first of them that is equal when ``folded``, else ``None``."""
    same = [each for each in names if folded(each) == folded(name)]
    return name if name in same else next(iter(same), None)


def check_list_name(name: str) -> str:
    """Return the name of a list as it is stored. Raises ``Problem`` if the name is empty or too long."""
    name = " ".join(strip_controls(name).split())
    if not 0 < len(name) <= LONGEST_LIST_NAME:
        raise Problem(
            tr("The name of a list has 1 to {longest} characters; choose another name.", longest=LONGEST_LIST_NAME)
        )
    return name


_CURRENT_LISTS = (
    "SELECT lists.id, lists.name, removed FROM lists JOIN steps ON steps.id = lists.step"
    " WHERE lists.viewer = ? AND undone = 0 AND lists.id = (SELECT max(other.id) FROM lists AS other"
    " JOIN steps ON steps.id = other.step WHERE undone = 0 AND other.viewer = lists.viewer AND other.name = lists.name)"
)
"""Selects the current version of each list: the newest one whose step is not undone."""


_LISTED_COLUMNS = "movie title year note"


class NamedLists(RunRecords):
    """The part of the store that holds named lists."""

    def _viewer_of(self, ref: ViewerRef) -> int:
        """Return the id of a viewer's row; 0 for a viewer who is not in the store."""
        query = "SELECT id FROM viewers WHERE kind = ? AND dataset = ? AND name = ?"
        rows = self.rows(query, ref.kind, ref.dataset, ref.id)
        return int(rows[0][0]) if rows else 0

    def lists(self, ref: ViewerRef) -> list[tuple[str, int]]:
        """Return the names of a viewer's lists, in alphabetical order, each with its number of movies."""
        rows = self.rows(
            f"SELECT name, (SELECT count(*) FROM listed WHERE list = current.id) FROM ({_CURRENT_LISTS}) AS current"
            " WHERE NOT removed ORDER BY name COLLATE NOCASE",
            self._viewer_of(ref),
        )
        return [(name, count) for name, count in self.valid_rows("lists", "name", rows)]

    def list_named(self, ref: ViewerRef, name: str) -> StoredList:
        """Return a list by its name; see ``known_name``. Raises ``Problem`` if there is none."""
        names = [each for each, _ in self.lists(ref)]
        match = known_name(name, names)
        if match is None:
            if not names:
                adds = command(ref.id, "add NAME MOVIE")
                raise Problem(tr("{profile} has no lists yet; {command} makes one.", profile=ref.id, command=adds))
            wrong = tr("{profile} has no list {name!r}", profile=ref.id, name=name)
            raise no_such(wrong, name, names, tr("lists: {names}.", names=", ".join(names)))
        return StoredList(match, self._movies(self._viewer_of(ref), match))

    def _movies(self, viewer: int, name: str) -> tuple[ListEntry, ...]:
        rows = self.rows(
            f"SELECT movie, title, year, note FROM ({_CURRENT_LISTS}) AS current"
            " JOIN listed ON listed.list = current.id WHERE current.name = ? AND NOT removed ORDER BY position",
            viewer,
            name,
        )
        return tuple(ListEntry(*row) for row in self.valid_rows("listed", _LISTED_COLUMNS, rows))

    # Parts of a step. Call only inside ``with change()``.

    def _differing(self, viewer: int, lists: Iterable[StoredList]) -> list[StoredList]:
        """Return the lists that differ from the viewer's current ones."""
        return [each for each in lists if self._movies(viewer, each.name) != each.movies]

    def _put_list(self, step: int, viewer: int, name: str, movies: Sequence[ListEntry]) -> None:
        """Store the version of a list that a step makes; without movies, the list is removed."""
        cursor = self.execute(
            "INSERT INTO lists (viewer, step, name, removed) VALUES (?, ?, ?, ?)", viewer, step, name, not movies
        )
        self._db.executemany(
            "INSERT INTO listed (list, position, movie, title, year, note) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (cursor.lastrowid, position, movie.key, movie.title, movie.year, movie.note)
                for position, movie in enumerate(movies, 1)
            ),
        )

    def _lists_of_step(self, step: int) -> tuple[str, ...]:
        """Return the names of the lists that a step changed."""
        rows = self.rows("SELECT name FROM lists WHERE step = ? ORDER BY id", step)
        return tuple(name for (name,) in self.valid_rows("lists", "name", rows))

    def _lists_before(self, step: int, viewer: int) -> list[StoredList]:
        """Return the previous versions of the lists that a step changed and that have not changed since.

        For a list that did not exist before the step, return a version without movies.
        """
        previous = []
        current = self.rows(f"SELECT id, name FROM ({_CURRENT_LISTS})", viewer)
        of_step = {row for (row,) in self.rows("SELECT id FROM lists WHERE step = ?", step)}
        for row, name in current:
            if row not in of_step:
                continue
            before = self.rows(
                "SELECT lists.id FROM lists JOIN steps ON steps.id = lists.step"
                " WHERE lists.viewer = ? AND name = ? AND undone = 0 AND lists.id < ? ORDER BY lists.id DESC LIMIT 1",
                viewer,
                name,
                row,
            )
            query = "SELECT movie, title, year, note FROM listed WHERE list = ? ORDER BY position"
            rows = self.valid_rows("listed", _LISTED_COLUMNS, self.rows(query, before[0][0])) if before else []
            movies = tuple(ListEntry(*each) for each in rows)
            previous.append(StoredList(name, movies))
        return previous
