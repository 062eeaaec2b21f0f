"""The store, one SQLite file: profiles, ratings and marks here; lists, runs and choices in the base classes.

What a person rated, marked or imported cannot be recreated, so each change is on disk when the call returns.

Each thing that a person does is a step: it sets or removes a rating or a mark, changes a list, or imports many movies.
A step is undone or redone as a whole. Steps are numbered in the order in which they are made, so their order does not
depend on a clock.
"""

import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, get_args

from movietui.data.imports.entries import Mark
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.protocol.viewers import LONGEST_NAME, ViewerRef, is_name, profile
from movietui.store.database import now
from movietui.store.named_lists import ListEntry, NamedLists, StoredList, check_list_name, known_name

STARS = (0.5, 5.0)
MARKS: tuple[Mark, ...] = get_args(Mark)
SEEN: tuple[Mark, ...] = ("seen", "liked")
"""The marks of movies that the viewer has seen."""
RATING = "rating"
IMPORT = "import"
LIST = "list"
"""The kind of a step that changes one list, and nothing else."""
BATCH_SIZE = 5000
"""How many movies of an import are looked up together."""
MARKED = 1.0
"""The value of a mark that is set."""
DELETED = "deleted "
"""In the column ``dataset`` of a deleted profile, this precedes the time of the deletion. Other profiles have an empty
column."""
DELETED_DAYS = 30
"""For how many days a deleted profile can be restored."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a movie at other services; empty or 0 if unknown."""

    imdb: str = ""
    """Such as ``tt0116282``."""
    tmdb: int = 0
    movielens: int = 0


NO_IDS = Ids()


@dataclass(frozen=True, slots=True)
class Movie:
    """A movie as stored."""

    key: str
    title: str
    year: int
    """0 if unknown."""
    ids: Ids = field(default=Ids(), compare=False)
    """The movie's ids, as far as the dataset in which it is rated or marked has them."""


@dataclass(frozen=True)
class StoredMovie:
    """A stored movie, with everything known that identifies it."""

    key: str
    title: str
    year: int
    """0 if unknown."""
    ids: Ids
    aliases: tuple[str, ...]
    """Other keys of the movie, from imports."""


@dataclass(frozen=True)
class Rated:
    """A stored rating."""

    movie: Movie
    stars: float
    at: str
    """When it was given, ISO 8601 in UTC."""


@dataclass(frozen=True)
class Marked:
    """A stored mark."""

    movie: Movie
    mark: Mark
    at: str


@dataclass(frozen=True)
class Change:
    """A change of a rating or mark; ``before`` or ``after`` is ``None`` if the movie had none at that time."""

    viewer: ViewerRef
    movie: Movie
    before: float | None
    after: float | None
    """The stars, or 1 for a mark."""
    kind: str = RATING
    """``rating``, or the name of the mark."""


@dataclass(frozen=True)
class Step:
    """Something that a person did, and can undo as a whole."""

    viewer: ViewerRef
    kind: str
    """``rating``, the name of a mark, ``import`` or ``list``."""
    at: str
    changes: tuple[Change, ...]
    """The changes. In the result of an undo, ``before`` and ``after`` are swapped."""
    note: str = ""
    """The source of an import, or what happened to a list."""
    undone: bool = False
    lists: tuple[str, ...] = ()
    """The names of the lists that an import or a change of a list added, changed or removed."""
    number: int = field(default=0, compare=False)
    """The number of the step in the store, where later steps have greater numbers."""


class ImportedMovie(NamedTuple):
    """A movie of an import."""

    movie: Movie
    """The movie with the title and year in the file, and with the key of its match or, without one, ``import_key``."""
    import_key: str
    """The key made from the title and year in the file."""
    stars: float | None
    marks: tuple[Mark, ...] = ()
    at: str = ""
    """When it was rated or marked, ISO 8601 in UTC; empty if unknown."""
    ids: Ids = NO_IDS
    alone: bool = False
    """Whether no other entry of the import can be the same movie, so that the import need not remember its values."""


@dataclass(frozen=True)
class ImportResult:
    """What an import changed."""

    changes: int
    """The number of changed ratings, marks and lists."""
    stayed: int = 0
    """The number of ratings that differ from the import but stayed.

    A rating stays if it is at least as new as the imported one or, if the imported one has no date, if it was not
    imported itself.
    """


@dataclass(frozen=True)
class ListChange:
    """What a change to a list did."""

    stored: StoredList
    """The list after the change; it has no movies if it was removed."""
    before: tuple[ListEntry, ...]
    """The movies before the change."""

    @property
    def added(self) -> list[ListEntry]:
        """The movies that were not on the list before, in order."""
        return _without(self.stored.movies, self.before)

    @property
    def removed(self) -> list[ListEntry]:
        """The movies that are no longer on the list, in order."""
        return _without(self.before, self.stored.movies)


def _without(movies: Iterable[ListEntry], others: Iterable[ListEntry]) -> list[ListEntry]:
    keys = {other.key for other in others}
    return [movie for movie in movies if movie.key not in keys]


_HALVES = frozenset(half / 2 for half in range(int(STARS[0] * 2), int(STARS[1] * 2) + 1))


def check_stars(stars: float) -> None:
    """Raise ``Problem`` for stars that are not from 0.5 to 5 in steps of 0.5."""
    if stars not in _HALVES:
        raise Problem(
            tr(
                "{stars:g} isn't a valid rating; use {low:g} to {high:g} in half stars.",
                stars=stars,
                low=STARS[0],
                high=STARS[1],
            )
        )


def _row_of(ref: ViewerRef) -> tuple[str, str, str]:
    """Return the values of the columns that identify a viewer: kind, dataset and name."""
    return ref.kind, ref.dataset, ref.id


def _placeholders(values: Collection[object]) -> str:
    """Return as many question marks as there are values, with commas."""
    return ",".join("?" * len(values))


def _values_of(imported: ImportedMovie) -> list[tuple[str, float]]:
    """Return the marks and the rating of an imported movie, each as its kind and its value."""
    marks: list[tuple[str, float]] = [(mark, MARKED) for mark in imported.marks]
    if imported.stars is None:
        return marks
    check_stars(imported.stars)
    return [*marks, (RATING, imported.stars)]


_NOTHING: tuple[None, str, None, bool] = (None, "", None, False)
_Value = tuple[float | None, str, int | None, bool]
"""The stars of a rating or the value of a mark, when it was given, the id of the change that set it, and whether it was
imported (for a mark, which has only one value, always true)."""


@dataclass
class _ImportBatch:
    """The state of an import while it is written."""

    viewer: int
    moment: str
    note: str
    removed: Mapping[tuple[str, str], str]
    """When ratings and marks were removed, by movie and kind."""
    new: bool
    """Whether the viewer had no ratings or marks before the import."""
    step: int = 0
    next: int = 0
    """The number of the next change."""
    changes: int = 0
    stayed: int = 0
    written: dict[tuple[str, str], _Value] = field(default_factory=dict)
    """The values written so far, by movie and kind; only those of movies that the import may contain again."""


class Store(NamedLists):
    """The whole store. Ratings and marks are here; lists, runs and choices are in the base classes."""

    def steps_version(self) -> tuple[Any, ...]:
        """Return a value that changes whenever a step is made, undone or redone, or a profile changes."""
        viewers = "SELECT group_concat(dataset || ':' || name, '/') FROM viewers"
        # The time is included because a step that replaces an undone step gets the same number.
        newest = "SELECT at FROM steps ORDER BY id DESC LIMIT 1"
        (row,) = self.rows(f"SELECT max(id), ({newest}), count(*), total(undone), ({viewers}) FROM steps")
        return tuple(row)

    # Profiles

    def profiles(self) -> list[tuple[ViewerRef, int]]:
        """Return all profiles in the order of their names, each with its number of ratings."""
        rows = self.rows(
            "SELECT name, (SELECT count(*) FROM ratings WHERE viewer = viewers.id) FROM viewers"
            " WHERE kind = 'profile' AND dataset = '' ORDER BY name COLLATE NOCASE"
        )
        return [(profile(name), count) for name, count in self.valid_rows("viewers", "name", rows)]

    def create_profile(self, name: str) -> ViewerRef:
        """Create a profile. Raises ``Problem`` if the name is invalid or taken."""
        name = self._free_name(name)
        with self.change():
            self._viewer(profile(name))
        return profile(name)

    def _free_name(self, name: str, besides: str = "") -> str:
        """Return a name as it is stored. Raises ``Problem`` if it is invalid, or if another profile has it.

        ``besides`` is the current name of a profile that is to be renamed; it does not count as taken.
        """
        name = " ".join(name.split())
        if not is_name(name):
            raise Problem(tr("A profile name has 1 to {longest} letters, digits or symbols.", longest=LONGEST_NAME))
        taken = [ref.id for ref, _ in self.profiles() if ref.id.casefold() == name.casefold() and ref.id != besides]
        if taken:
            raise Problem(tr("The profile {name!r} already exists; choose another name.", name=taken[0]))
        return name

    def rename_profile(self, ref: ViewerRef, name: str) -> ViewerRef:
        """Rename a profile. Raises ``Problem`` if the name is invalid or taken, or if the profile no longer exists."""
        name = self._free_name(name, besides=ref.id)
        with self.change():
            self._update_profile(ref, "name = ?", name)
        return profile(name)

    def delete_profile(self, ref: ViewerRef) -> str:
        """Delete a profile; return what ``restore_profile`` needs to restore it within ``DELETED_DAYS`` days.

        Profiles that were deleted longer ago are removed for good. Raises ``Problem`` if the profile no longer exists.
        """
        deleted = DELETED + now()
        oldest = DELETED + (datetime.now(UTC) - timedelta(days=DELETED_DAYS)).isoformat(timespec="milliseconds")
        with self.change():
            self._update_profile(ref, "dataset = ?", deleted)
            self._db.execute("DELETE FROM viewers WHERE kind = 'profile' AND dataset <> '' AND dataset < ?", (oldest,))
        return deleted

    def restore_profile(self, ref: ViewerRef, deleted: str) -> None:
        """Restore a deleted profile. Raises ``Problem`` if its name is now taken or the profile no longer exists."""
        self._free_name(ref.id)
        with self.change():
            self._update_profile(replace(ref, dataset=deleted), "dataset = ?", "")

    def _update_profile(self, ref: ViewerRef, change: str, value: str) -> None:
        """Change one column of an existing profile. Call only inside ``with change()``."""
        query = f"UPDATE viewers SET {change} WHERE kind = ? AND dataset = ? AND name = ?"
        if not self._db.execute(query, (value, *_row_of(ref))).rowcount:
            raise Problem(tr("The profile {name!r} no longer exists.", name=ref.id))

    def find_profile(self, name: str) -> ViewerRef | None:
        """Return the profile with this name, ignoring case; ``None`` if there is none."""
        wanted = " ".join(name.split()).casefold()
        return next((ref for ref, _ in self.profiles() if ref.id.casefold() == wanted), None)

    def _viewer(self, ref: ViewerRef) -> int:
        """Return the id of a viewer's row, which is created if there is none. Call only inside ``with change()``."""
        key = _row_of(ref)
        self._db.execute(
            "INSERT INTO viewers (kind, dataset, name, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*key, now()),
        )
        row = self._db.execute("SELECT id FROM viewers WHERE kind = ? AND dataset = ? AND name = ?", key)
        return int(row.fetchone()[0])

    # Ratings and marks

    def ratings(self, ref: ViewerRef) -> list[Rated]:
        """Return the ratings of a viewer, in the order in which they were given."""
        rows = self.rows(
            "SELECT movie, title, year, stars, rated_at FROM ratings JOIN viewers ON viewers.id = ratings.viewer"
            " WHERE kind = ? AND dataset = ? AND name = ? ORDER BY change",
            *_row_of(ref),
        )
        valid_rows = self.valid_rows("ratings", "movie title year stars rated_at", rows)
        return [Rated(Movie(key, title, year), stars, at) for key, title, year, stars, at in valid_rows]

    def stars(self, ref: ViewerRef) -> list[tuple[str, float, int]]:
        """Return the keys, the stars and the moments of a viewer's ratings, like ``ratings`` but several times as fast.

        A moment is in seconds since 1970 in UTC, 0 if it cannot be read.
        """
        rows = self.rows(
            "SELECT movie, stars, coalesce(CAST(strftime('%s', rated_at) AS INTEGER), 0)"
            " FROM ratings JOIN viewers ON viewers.id = ratings.viewer"
            " WHERE kind = ? AND dataset = ? AND name = ? ORDER BY change",
            *_row_of(ref),
        )
        return self.valid_rows("ratings", "movie stars", rows)

    def marks(self, ref: ViewerRef, *only: Mark) -> list[Marked]:
        """Return the marks of a viewer, all or only some kinds, in the order in which they were given."""
        wanted = only or MARKS
        rows = self.rows(
            "SELECT movie, title, year, mark, marked_at FROM marks JOIN viewers ON viewers.id = marks.viewer"
            f" WHERE kind = ? AND dataset = ? AND name = ? AND mark IN ({_placeholders(wanted)}) ORDER BY change",
            *_row_of(ref),
            *wanted,
        )
        valid_rows = self.valid_rows("marks", "movie title year mark marked_at", rows)
        return [Marked(Movie(key, title, year), mark, at) for key, title, year, mark, at in valid_rows]

    def movie_keys(self, ref: ViewerRef) -> list[str]:
        """Return the keys of all movies that a viewer marked or rated: first those without a rating, then the others.

        In both groups, the movies are in the order in which they were last rated or marked.
        """
        rows = self.rows(
            "WITH viewer AS (SELECT id FROM viewers WHERE kind = ? AND dataset = ? AND name = ?)"
            " SELECT movie FROM ("
            "  SELECT movie, 0 AS rated, change FROM marks WHERE viewer = (SELECT id FROM viewer)"
            "  UNION ALL SELECT movie, 1, change FROM ratings WHERE viewer = (SELECT id FROM viewer)"
            " ) GROUP BY movie ORDER BY max(rated), max(change), movie",
            *_row_of(ref),
        )
        return [key for (key,) in self.valid_rows("ratings", "movie", rows)]

    def describe(self, keys: Collection[str]) -> list[StoredMovie]:
        """Return what is known about stored movies, ordered by key.

        Of several titles of a movie, that of the newest rating or mark counts; if there is none, that of a list.
        """
        if not keys:
            return []
        wanted = json.dumps(sorted(keys))
        rows = self.rows(
            "WITH wanted AS (SELECT value FROM json_each(?)) SELECT movie, title, year, max(change) FROM ("
            " SELECT movie, title, year, change FROM ratings WHERE movie IN wanted"
            " UNION ALL SELECT movie, title, year, change FROM marks WHERE movie IN wanted"
            " UNION ALL SELECT movie, title, year, 0 FROM listed WHERE movie IN wanted"
            ") GROUP BY movie ORDER BY movie",
            wanted,
        )
        ids, aliases = self.ids(keys), self._aliases(keys)
        return [
            StoredMovie(key, title, year, ids.get(key, Ids()), tuple(aliases.get(key, ())))
            for key, title, year, _ in self.valid_rows("ratings", "movie title year change", rows)
        ]

    def rate(
        self, ref: ViewerRef, movie: Movie, stars: float, written: Callable[[Change], object] = lambda change: None
    ) -> Change:
        """Rate a movie. The rating is on disk when this returns. Raises ``Problem`` for invalid stars.

        ``written`` is called a few milliseconds earlier, when queries already return the rating.
        """
        check_stars(stars)
        return self._do(ref, movie, RATING, stars, written)

    def unrate(self, ref: ViewerRef, movie: Movie) -> Change:
        """Remove a rating. The change is on disk when this returns."""
        return self._do(ref, movie, RATING, None)

    def mark(self, ref: ViewerRef, movie: Movie, mark: Mark) -> Change:
        """Mark a movie. The mark is on disk when this returns."""
        return self._do(ref, movie, mark, MARKED)

    def unmark(self, ref: ViewerRef, movie: Movie, mark: Mark) -> Change:
        """Remove a mark. The change is on disk when this returns."""
        return self._do(ref, movie, mark, None)

    def _do(
        self,
        ref: ViewerRef,
        movie: Movie,
        kind: str,
        value: float | None,
        written: Callable[[Change], object] = lambda change: None,
    ) -> Change:
        with self.change():
            viewer, moment = self._viewer(ref), now()
            movie = replace(movie, key=self._key_of(viewer, movie.key))
            self._learn(movie.key, movie.ids)
            before = self._value(viewer, movie, kind)[0]
            if value != before:
                self._record(self._begin(viewer, kind, moment), viewer, movie, kind, value, moment)
            change = Change(ref, movie, before, value, kind)
            written(change)
        return change

    def import_movies(
        self, ref: ViewerRef, note: str, movies: Iterable[ImportedMovie], lists: Sequence[StoredList] = ()
    ) -> ImportResult | None:
        """Add an import as one step, which is on disk when this returns.

        Existing values are kept, except ratings older than the imported ones. An imported rating without a date
        replaces only a rating that was imported too. A rating or mark that was removed after its time in the import
        stays removed. The store keeps the order of ``movies``. Returns ``None`` if the import changes nothing and no
        different rating was kept.
        """
        with self.change():
            viewer = self._viewer(ref)
            new = not self.rows(
                "SELECT 1 FROM ratings WHERE viewer = ? UNION ALL SELECT 1 FROM marks WHERE viewer = ? LIMIT 1",
                *(viewer, viewer),
            )
            batch = _ImportBatch(viewer, now(), note, self._removed(viewer), new)
            remaining = iter(movies)
            while chunk := list(itertools.islice(remaining, BATCH_SIZE)):
                self._write_changes(batch, self._changes_of(batch, chunk))
            if batch.step:
                self._put_all(batch)
            for each in self._differing(viewer, lists):
                batch.step = batch.step or self._begin(viewer, IMPORT, batch.moment, note)
                batch.changes += 1
                self._put_list(batch.step, viewer, each.name, each.movies)
        return ImportResult(batch.changes, batch.stayed) if batch.changes or batch.stayed else None

    def change_list(
        self, ref: ViewerRef, name: str, change: Callable[[tuple[ListEntry, ...]], Sequence[ListEntry]], note: str
    ) -> ListChange:
        """Change a list as one step, which is on disk when this returns. ``name`` is matched as by ``known_name``.

        ``change`` gets the movies of the list, or none for a new list, and returns its new movies. A list without
        movies is removed. No other process can change the list meanwhile. If nothing changes, there is no step. Raises
        ``Problem`` for an invalid name.
        """
        name = check_list_name(name)
        with self.change():
            viewer = self._viewer(ref)
            name = known_name(name, (each for each, _ in self.lists(ref))) or name
            before = self._movies(viewer, name)
            after = tuple(change(before))
            if after != before:
                self._put_list(self._begin(viewer, LIST, now(), note), viewer, name, after)
        return ListChange(StoredList(name, after), before)

    def undo(self, refs: Sequence[ViewerRef]) -> Step | None:
        """Undo the newest step of any of the viewers, and return it; ``None`` if there is none."""
        return self._step(refs, undone=False)

    def redo(self, refs: Sequence[ViewerRef]) -> Step | None:
        """Redo the step that was undone last, and return it.

        Returns ``None`` if there is none, or if one of the viewers has done something since.
        """
        return self._step(refs, undone=True)

    def history(self, ref: ViewerRef) -> list[Step]:
        """Return all steps of a viewer, newest first, including undone ones that can be redone."""
        rows = self.rows(
            f"SELECT steps.id, steps.kind, note, at, undone, {_CHANGE} FROM steps"
            " JOIN viewers ON viewers.id = steps.viewer LEFT JOIN changes ON changes.step = steps.id"
            " WHERE viewers.kind = ? AND dataset = ? AND name = ? ORDER BY steps.id DESC, changes.id",
            *_row_of(ref),
        )
        steps = []
        rows = self.valid_rows("steps", "id kind note at undone", rows)
        for (number, kind, note, at, undone), each in itertools.groupby(rows, key=lambda row: row[:5]):
            changes = tuple(
                Change(ref, Movie(*movie), before, after, changed)
                for *movie, changed, before, after in self.valid_rows(
                    "changes", _CHANGE_COLUMNS, (row[5:] for row in each if row[8] is not None)
                )
            )
            lists = self._lists_of_step(number) if kind in (IMPORT, LIST) else ()  # no other step changes lists
            if lists or (changes and (kind == IMPORT or [one.kind for one in changes] == [kind])):
                steps.append(Step(ref, kind, at, changes, note, undone > 0, lists, number))
        return steps

    def take_back(self, step: Step) -> Step | None:
        """Undo a step with a new step, whatever has been done since, and return the new step.

        Values and lists that have changed again since are kept. Returns ``None`` if nothing is left to undo.
        """
        changes: list[Change] = []
        with self.change():
            viewer, moment, new = self._viewer(step.viewer), now(), 0
            rows = self._db.execute(
                f"SELECT given_before, {_CHANGE} FROM changes JOIN steps ON steps.id = step"
                " WHERE step = ? AND viewer = ? AND undone = 0 ORDER BY changes.id DESC",
                (step.number, viewer),
            ).fetchall()
            for moment_before, *named, kind, before, after in self.valid_rows(
                "changes", f"given_before {_CHANGE_COLUMNS}", rows
            ):
                movie = Movie(*named)
                if self._value(viewer, movie, kind)[0] == after:
                    new = new or self._begin(viewer, step.kind, moment, step.note)
                    self._record(new, viewer, movie, kind, before, moment_before or moment)
                    changes.append(Change(step.viewer, movie, after, before, kind))
            lists = self._lists_before(step.number, viewer)
            for each in lists:
                new = new or self._begin(viewer, step.kind, moment, step.note)
                self._put_list(new, viewer, each.name, each.movies)
        names = tuple(each.name for each in lists)
        return replace(step, at=moment, changes=tuple(changes), lists=names, number=new) if new else None

    def _step(self, refs: Sequence[ViewerRef], *, undone: bool) -> Step | None:
        with self.change():
            viewers = {self._viewer(ref): ref for ref in refs}
            row = self._db.execute(
                "SELECT id, viewer, kind, note, at FROM steps"
                f" WHERE viewer IN ({_placeholders(viewers)}) AND (undone > 0) = ?"
                # Only steps after the newest one that is not undone can be redone.
                " AND (NOT ? OR id > (SELECT coalesce(max(id), 0) FROM steps"
                f" WHERE viewer IN ({_placeholders(viewers)}) AND undone = 0))"
                f" ORDER BY {'undone' if undone else 'id'} DESC LIMIT 1",
                (*viewers, undone, undone, *viewers),
            ).fetchone()
            if row is None:
                return None
            step, viewer, kind, note, at = row
            rows = self._db.execute(
                f"SELECT id, given_before, change_before, given_after, {_CHANGE} FROM changes WHERE step = ?"
                f" ORDER BY id {'' if undone else 'DESC'}",
                (step,),
            ).fetchall()
            changes = []
            valid_rows = self.valid_rows(
                "changes", f"id given_before change_before given_after {_CHANGE_COLUMNS}", rows
            )
            for change, given_before, change_before, given_after, *movie, changed, before, after in valid_rows:
                if undone:
                    self._put(viewer, Movie(*movie), changed, after, given_after, change)
                    changes.append(Change(viewers[viewer], Movie(*movie), before, after, changed))
                else:
                    self._put(viewer, Movie(*movie), changed, before, given_before, change_before)
                    changes.append(Change(viewers[viewer], Movie(*movie), after, before, changed))
            last = "0" if undone else "(SELECT max(undone) + 1 FROM steps)"
            self._db.execute(f"UPDATE steps SET undone = {last} WHERE id = ?", (step,))
            lists = self._lists_of_step(step)
        return Step(viewers[viewer], kind, at, tuple(changes), note, not undone, lists, step)

    # Parts of a step. Call only inside ``with change()``.

    def _begin(self, viewer: int, kind: str, moment: str, note: str = "") -> int:
        """Start a step and return its number. Delete the undone steps of the viewer: they can no longer be redone."""
        self._db.execute("DELETE FROM steps WHERE viewer = ? AND undone > 0", (viewer,))
        cursor = self._db.execute(
            "INSERT INTO steps (viewer, kind, note, at) VALUES (?, ?, ?, ?)", (viewer, kind, note, moment)
        )
        return int(cursor.lastrowid or 0)

    def _record(self, step: int, viewer: int, movie: Movie, kind: str, value: float | None, moment: str) -> None:
        """Change one value, and record the previous one."""
        before, given_before, change_before = self._value(viewer, movie, kind)
        cursor = self._db.execute(
            "INSERT INTO changes"
            " (step, movie, title, year, kind, before, given_before, change_before, after, given_after)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (step, movie.key, movie.title, movie.year, kind, before, given_before, change_before, value, moment),
        )
        self._put(viewer, movie, kind, value, moment, cursor.lastrowid)

    def _value(self, viewer: int, movie: Movie, kind: str) -> tuple[float | None, str | None, int | None]:
        """Return the stars of a rating or the value of a mark, the time it was given, and the id of the change.

        All three are ``None`` if the viewer has no such rating or mark.
        """
        if kind == RATING:
            row = self._db.execute(
                "SELECT stars, rated_at, change FROM ratings WHERE viewer = ? AND movie = ?", (viewer, movie.key)
            )
        else:
            row = self._db.execute(
                f"SELECT {MARKED}, marked_at, change FROM marks WHERE viewer = ? AND movie = ? AND mark = ?",
                (viewer, movie.key, kind),
            )
        columns = "stars rated_at change" if kind == RATING else "- marked_at change"
        valid_rows = self.valid_rows("ratings" if kind == RATING else "marks", columns, row)
        return valid_rows[0] if valid_rows else (None, None, None)

    def _put(
        self, viewer: int, movie: Movie, kind: str, value: float | None, moment: str | None, change: int | None
    ) -> None:
        """Set or remove a rating or mark."""
        row = (viewer, movie.key)
        named = (*row, movie.title, movie.year)
        if kind == RATING and value is None:
            self._db.execute("DELETE FROM ratings WHERE viewer = ? AND movie = ?", row)
        elif kind == RATING:
            self._db.execute(
                "INSERT INTO ratings (viewer, movie, title, year, stars, rated_at, change) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET stars = excluded.stars, rated_at = excluded.rated_at,"
                " change = excluded.change",
                (*named, value, moment, change),
            )
        elif value is None:
            self._db.execute("DELETE FROM marks WHERE viewer = ? AND movie = ? AND mark = ?", (*row, kind))
        else:
            self._db.execute(
                "INSERT INTO marks (viewer, movie, title, year, mark, marked_at, change) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*named, kind, moment, change),
            )

    def _removed(self, viewer: int) -> dict[tuple[str, str], str]:
        """Return when ratings and marks were removed, by movie and kind."""
        return {
            (key, kind): at
            for key, kind, at in self._db.execute(
                "SELECT movie, changes.kind, max(at) FROM changes JOIN steps ON steps.id = step"
                " WHERE viewer = ? AND undone = 0 AND after IS NULL GROUP BY movie, changes.kind",
                (viewer,),
            )
        }

    # Parts of an import. Call only inside ``with change()``.

    def _changes_of(self, batch: _ImportBatch, movies: Sequence[ImportedMovie]) -> list[tuple[Any, ...]]:
        """Return the rows of the changes that imported movies make, and store the movies' aliases and ids."""
        has_aliases = self._db.execute("SELECT 1 FROM aliases LIMIT 1").fetchone() is not None
        names = (
            {name for one in movies for name in (one.movie.key, one.import_key)}
            if has_aliases or not batch.new
            else set()
        )
        others = self._aliases(names) if has_aliases else {}
        existing = {} if batch.new else self._values(batch.viewer, names.union(*others.values()))
        present = {key for key, _ in existing} | {key for key, _ in batch.written}
        untouched = batch.new and not batch.removed
        rows: list[tuple[Any, ...]] = []
        alias_pairs, ids = [], []
        batch.next = batch.next or self._next_change()
        for one in movies:
            movie, moment = one.movie, one.at or batch.moment
            key, alone = movie.key, one.alone and movie.key == one.import_key
            if others or not alone:
                keys = dict.fromkeys((movie.key, one.import_key))
                keys |= dict.fromkeys(other for name in tuple(keys) for other in others.get(name, ()))
                key = next((name for name in keys if name in present), movie.key)
                alias_pairs += [(key, other) for other in {movie.key, one.import_key} - {key}]
                alone = one.alone and len(keys) == 1
            if one.ids != NO_IDS:
                ids.append((key, one.ids.imdb, one.ids.tmdb, one.ids.movielens))
            is_new = alone and untouched  # true for nearly all movies of a large import
            for kind, value in _values_of(one) if is_new else self._new_values(batch, existing, key, one):
                before, at, change, _ = _NOTHING if is_new else self._current_value(batch, existing, key, kind)
                rows.append((batch.next, key, movie.title, movie.year, kind, before, at or None, change, value, moment))
                if not alone:
                    batch.written[key, kind] = (value, moment, batch.next, True)
                    present.add(key)
                batch.next += 1
        self._db.executemany(_INSERT_ALIAS, [pair for keys in alias_pairs for pair in (keys, keys[::-1])])
        self._db.executemany(_INSERT_IDS, sorted(ids))
        return rows

    def _new_values(
        self, batch: _ImportBatch, existing: Mapping[tuple[str, str], _Value], key: str, one: ImportedMovie
    ) -> Iterator[tuple[str, float]]:
        """Yield the marks and the rating of an imported movie that change the profile.

        Count in ``batch.stayed`` the viewer's ratings that differ but are not replaced.
        """
        rated = (
            one.stars is None and self._current_value(batch, existing, key, RATING)[0] is not None
        )  # a rating implies that the movie was seen
        for kind, value in _values_of(one):
            before, at, _, imported = self._current_value(batch, existing, key, kind)
            if value == before or (kind == "seen" and rated):
                continue
            if before is not None and not (one.at > at or (imported and not one.at)):
                batch.stayed += 1
            elif batch.removed.get((key, kind), "") < (one.at or batch.moment):
                yield kind, value

    @staticmethod
    def _current_value(batch: _ImportBatch, existing: Mapping[tuple[str, str], _Value], key: str, kind: str) -> _Value:
        return batch.written.get((key, kind)) or existing.get((key, kind), _NOTHING)

    def _next_change(self) -> int:
        return int(self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM changes").fetchone()[0])

    def _values(self, viewer: int, keys: Collection[str]) -> dict[tuple[str, str], _Value]:
        """Return the ratings and marks that a viewer gave movies, by movie and kind."""
        wanted = json.dumps(list(keys))
        ratings = self._db.execute(
            "SELECT ratings.movie, stars, rated_at, change, coalesce(steps.kind = ?, 0) FROM ratings"
            " LEFT JOIN changes ON changes.id = ratings.change LEFT JOIN steps ON steps.id = changes.step"
            " WHERE ratings.viewer = ? AND ratings.movie IN (SELECT value FROM json_each(?))",
            (IMPORT, viewer, wanted),
        )
        values: dict[tuple[str, str], _Value] = {
            (key, RATING): (stars, at, change, bool(imported)) for key, stars, at, change, imported in ratings
        }
        marks = self._db.execute(
            "SELECT movie, mark, marked_at, change FROM marks"
            " WHERE viewer = ? AND movie IN (SELECT value FROM json_each(?))",
            (viewer, wanted),
        )
        return values | {(key, mark): (MARKED, at, change, True) for key, mark, at, change in marks}

    def _write_changes(self, batch: _ImportBatch, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write changes as part of the step of the import."""
        if not rows:
            return
        batch.step = batch.step or self._begin(batch.viewer, IMPORT, batch.moment, batch.note)
        batch.changes += len(rows)
        self._db.executemany(
            "INSERT INTO changes"
            " (step, id, movie, title, year, kind, before, given_before, change_before, after, given_after)"
            f" VALUES ({batch.step}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def _put_all(self, batch: _ImportBatch) -> None:
        """Set the ratings and marks that an import changes.

        They are inserted in the order of the tables' primary keys, so that a million take only seconds.
        """
        selection = "SELECT ?, movie, title, year, {}, given_after, id FROM changes WHERE step = ? AND kind {} ?"
        self._db.execute(
            "INSERT INTO ratings (viewer, movie, title, year, stars, rated_at, change)"
            f" {selection.format('after', '=')} ORDER BY movie, id"
            " ON CONFLICT DO UPDATE SET stars = excluded.stars, rated_at = excluded.rated_at, change = excluded.change",
            (batch.viewer, batch.step, RATING),
        )
        self._db.execute(
            "INSERT INTO marks (viewer, movie, title, year, mark, marked_at, change)"
            f" {selection.format('kind', '<>')} ORDER BY movie, kind, id ON CONFLICT DO NOTHING",
            (batch.viewer, batch.step, RATING),
        )

    # Movies with several keys

    def _key_of(self, viewer: int, key: str) -> str:
        """Return the key under which a viewer has a movie, or else ``key``. Call only inside ``with change()``."""
        others = self._aliases([key]).get(key, ())
        for each in (key, *others) if others else ():
            if self._db.execute(
                "SELECT 1 FROM ratings WHERE viewer = :viewer AND movie = :movie"
                " UNION ALL SELECT 1 FROM marks WHERE viewer = :viewer AND movie = :movie",
                {"viewer": viewer, "movie": each},
            ).fetchone():
                return each
        return key

    def _aliases(self, keys: Collection[str]) -> Mapping[str, list[str]]:
        """Return the aliases of movies, by key."""
        aliases: dict[str, list[str]] = {}
        query = "SELECT movie, alias FROM aliases WHERE movie IN (SELECT value FROM json_each(?)) ORDER BY movie, alias"
        for key, alias in self.valid_rows("aliases", "movie alias", self.rows(query, json.dumps(list(keys)))):
            aliases.setdefault(key, []).append(alias)
        return aliases

    def _learn(self, key: str, ids: Ids) -> None:
        """Store the known ids of a movie. Call only inside ``with change()``."""
        if ids != Ids():
            self._db.execute(_INSERT_IDS, (key, ids.imdb, ids.tmdb, ids.movielens))

    def ids(self, keys: Collection[str] | None = None) -> dict[str, Ids]:
        """Return the stored ids of all movies, or of those with these keys, by key."""
        query = "SELECT movie, imdb, tmdb, movielens FROM movie_ids"
        if keys is not None:
            query += " WHERE movie IN (SELECT value FROM json_each(?))"
        rows = self.rows(query, *([] if keys is None else [json.dumps(list(keys))]))
        return {key: Ids(*ids) for key, *ids in self.valid_rows("movie_ids", "movie imdb tmdb movielens", rows)}

    def learn_ids(self, ids_by_key: Mapping[str, Ids]) -> None:
        """Store the ids of those movies that have no stored ids yet, given by key."""
        known = self.ids(ids_by_key.keys())
        if new := {key: ids for key, ids in ids_by_key.items() if key not in known}:
            with self.change():
                for key, ids in new.items():
                    self._learn(key, ids)

    def settle(self, import_key: str, key: str | None) -> None:
        """Store which movie an imported title is, both given by key; ``None`` if the movie is in no dataset.

        The next import also applies the choice to what was imported under this title before.
        """
        with self.change():
            before = self._db.execute("SELECT movie FROM settled WHERE imported = ?", (import_key,)).fetchone()
            if before and before[0]:
                self._db.execute(
                    "DELETE FROM aliases WHERE (movie = :one AND alias = :other) OR (movie = :other AND alias = :one)",
                    {"one": import_key, "other": before[0]},
                )
            self._db.execute(
                "INSERT INTO settled VALUES (?, ?) ON CONFLICT DO UPDATE SET movie = excluded.movie",
                (import_key, key or ""),
            )

    def settled(self) -> dict[str, str | None]:
        """Return the keys of the movies that were chosen by hand, by import key; ``None`` for a movie of no dataset."""
        rows = self.valid_rows("settled", "imported movie", self.rows("SELECT imported, movie FROM settled"))
        return {import_key: key or None for import_key, key in rows}


_INSERT_ALIAS = "INSERT INTO aliases VALUES (?, ?) ON CONFLICT DO NOTHING"
_INSERT_IDS = (
    "INSERT INTO movie_ids (movie, imdb, tmdb, movielens) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " imdb = iif(excluded.imdb = '', imdb, excluded.imdb),"
    " tmdb = iif(excluded.tmdb = 0, tmdb, excluded.tmdb),"
    " movielens = iif(excluded.movielens = 0, movielens, excluded.movielens)"
)
"""Stores the ids of a movie; unknown ids do not replace known ones."""
_CHANGE = "movie, title, year, changes.kind, before, after"
"""The columns of a change, in the order in which ``Store.history``, ``take_back`` and ``_step`` read them."""
_CHANGE_COLUMNS = "movie title year kind before after"
"""The columns of ``_CHANGE``, with the names that ``validation`` uses."""
