"""The store: profiles, ratings and marks, and with the classes below it runs and choices, in one SQLite file.

A person's ratings are the one thing here that cannot be had again: a change is on disk when the call returns.

Whatever a person does to films is a step: a rating, a mark, or an import of many films. Steps are undone and done
again as a whole, in the order in which they were made, which no clock has a say in.
"""

import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from data.imports.entries import Mark
from data.problems import Problem
from movietui.database import now
from movietui.run_records import RunRecords
from movietui.viewers import LONGEST_NAME, Asked, ViewerRef, is_name, profile

STARS = (0.5, 5.0)
MARKS: tuple[Mark, ...] = get_args(Mark)
NOT_OFFERED: tuple[Mark, ...] = ("hidden", "seen", "liked")
RATING = "rating"
IMPORT = "import"
MARKED = 1.0
"""The value of a mark that is set."""
DELETED = "deleted "
"""What the dataset of a deleted profile begins with, before the moment; profiles that are there have none."""
DELETED_DAYS = 30
"""How long a deleted profile can still be brought back."""


@dataclass(frozen=True)
class Film:
    """A movie as the store keeps it."""

    key: str
    title: str
    year: int
    """0 where unknown."""


@dataclass(frozen=True)
class Rated:
    """A rating of the store."""

    film: Film
    stars: float
    at: str
    """When, ISO 8601 in UTC."""


@dataclass(frozen=True)
class Marked:
    """A mark of the store."""

    film: Film
    mark: Mark
    at: str


@dataclass(frozen=True)
class Change:
    """A rating or mark that was given, changed or taken back; ``None`` stands for none."""

    viewer: ViewerRef
    film: Film
    before: float | None
    after: float | None
    """Stars; of a mark 1."""
    kind: str = RATING
    """``rating``, or which mark."""


@dataclass(frozen=True)
class Step:
    """What a person did at once and undoes at once."""

    viewer: ViewerRef
    kind: str
    """``rating``, which mark, or ``import``."""
    at: str
    changes: tuple[Change, ...]
    """What it did, from what was to what is: of a step that is being undone, the other way round."""
    note: str = ""
    """Of an import: where it came from."""
    undone: bool = False
    number: int = field(default=0, compare=False)
    """What the store calls it; later ones have greater numbers. 0 of one that was just begun."""


@dataclass(frozen=True)
class Ids:
    """What other places call a film; empty or 0 where that is not known."""

    imdb: str = ""
    """``tt0116282``."""
    tmdb: int = 0
    movielens: int = 0


@dataclass(frozen=True)
class Given:
    """A film that an import brings."""

    film: Film
    """By the key of the film that it was found to be; title and year as it was brought."""
    own: str
    """The key of that title and year."""
    stars: float | None
    marks: tuple[Mark, ...] = ()
    at: str = ""
    """When, ISO 8601 in UTC; empty where that is not known."""
    ids: Ids = Ids()


def check_stars(stars: float) -> None:
    """Raise ``Problem`` for stars that cannot be given."""
    if not STARS[0] <= stars <= STARS[1] or stars * 2 != int(stars * 2):
        raise Problem(f"{stars:g} is no rating; stars go from {STARS[0]:g} to {STARS[1]:g} in halves.")


def _row_of(ref: ViewerRef) -> tuple[str, str, str]:
    """The columns that name a viewer."""
    return ref.kind, ref.dataset, ref.id


def _places(values: Collection[object]) -> str:
    """As many question marks."""
    return ",".join("?" * len(values))


class Store(RunRecords):
    """All of it: what people did to films, and by inheritance runs and choices."""

    def deeds(self) -> tuple[Any, ...]:
        """Return what differs from the last time once anybody rated, marked, undid or changed a profile."""
        people = "SELECT group_concat(dataset || ':' || name, '/') FROM viewers"
        (found,) = self.rows(f"SELECT max(id), count(*), total(undone), ({people}) FROM steps")
        return tuple(found)

    # Profiles

    def profiles(self) -> list[tuple[ViewerRef, int]]:
        """Return all profiles and how many ratings each has, by name."""
        rows = self.rows(
            "SELECT name, (SELECT count(*) FROM ratings WHERE viewer = viewers.id) FROM viewers"
            " WHERE kind = 'profile' AND dataset = '' ORDER BY name COLLATE NOCASE"
        )
        return [(profile(name), count) for name, count in rows]

    def create_profile(self, name: str) -> ViewerRef:
        """Add a profile without ratings. Raises ``Problem`` for an empty, overlong or taken name."""
        name = self._free_name(name)
        with self.change():
            self._viewer(profile(name))
        return profile(name)

    def _free_name(self, name: str, besides: str = "") -> str:
        """Return a name as it is kept. Raises ``Problem`` where it is none, or another profile's."""
        name = " ".join(name.split())
        if not is_name(name):
            raise Problem(f"A profile needs a name of 1 to {LONGEST_NAME} letters, digits or signs.")
        taken = [ref.id for ref, _ in self.profiles() if ref.id.casefold() == name.casefold() and ref.id != besides]
        if taken:
            raise Problem(f"There is a profile {taken[0]!r} already; choose another name.")
        return name

    def rename_profile(self, ref: ViewerRef, name: str) -> ViewerRef:
        """Call a profile otherwise; all that is its stays. Raises ``Problem`` as ``create_profile`` does."""
        name = self._free_name(name, besides=ref.id)
        with self.change():
            self._named(ref, "name = ?", name)
        return profile(name)

    def delete_profile(self, ref: ViewerRef) -> str:
        """Delete a profile, and return what ``restore_profile`` brings it back by for ``DELETED_DAYS`` days.

        Those deleted before that are forgotten for good.
        """
        deleted = DELETED + now()
        oldest = DELETED + (datetime.now(UTC) - timedelta(days=DELETED_DAYS)).isoformat(timespec="milliseconds")
        with self.change():
            self._named(ref, "dataset = ?", deleted)
            self._db.execute("DELETE FROM viewers WHERE kind = 'profile' AND dataset <> '' AND dataset < ?", (oldest,))
        return deleted

    def restore_profile(self, ref: ViewerRef, deleted: str) -> None:
        """Bring a deleted profile back. Raises ``Problem`` where its name was taken since."""
        self._free_name(ref.id)
        with self.change():
            self._named(replace(ref, dataset=deleted), "dataset = ?", "")

    def _named(self, ref: ViewerRef, change: str, value: str) -> None:
        """Change one column of a viewer who is there. Inside a change only."""
        query = f"UPDATE viewers SET {change} WHERE kind = ? AND dataset = ? AND name = ?"
        if not self._db.execute(query, (value, *_row_of(ref))).rowcount:
            raise Problem(f"There is no profile {ref.id!r} any more.")

    def find_profile(self, name: str) -> ViewerRef | None:
        """Return the profile of that name, whatever its case."""
        wanted = " ".join(name.split()).casefold()
        return next((ref for ref, _ in self.profiles() if ref.id.casefold() == wanted), None)

    def _viewer(self, ref: ViewerRef) -> int:
        """Return the row of a viewer, making it where there is none. Inside a change only."""
        key = _row_of(ref)
        self._db.execute(
            "INSERT INTO viewers (kind, dataset, name, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*key, now()),
        )
        found = self._db.execute("SELECT id FROM viewers WHERE kind = ? AND dataset = ? AND name = ?", key)
        return int(found.fetchone()[0])

    # Ratings and marks

    def ratings(self, ref: ViewerRef) -> list[Rated]:
        """Return what a viewer rated here, in the order given, whatever the clock said."""
        rows = self.rows(
            "SELECT film, title, year, stars, rated_at FROM ratings JOIN viewers ON viewers.id = ratings.viewer"
            " WHERE kind = ? AND dataset = ? AND name = ? ORDER BY place",
            *_row_of(ref),
        )
        return [Rated(Film(film, title, year), stars, at) for film, title, year, stars, at in rows]

    def marks(self, ref: ViewerRef, *only: Mark) -> list[Marked]:
        """Return the marks of a viewer, all or only some kinds, in the order given."""
        wanted = only or MARKS
        rows = self.rows(
            "SELECT film, title, year, mark, marked_at FROM marks JOIN viewers ON viewers.id = marks.viewer"
            f" WHERE kind = ? AND dataset = ? AND name = ? AND mark IN ({_places(wanted)}) ORDER BY place",
            *_row_of(ref),
            *wanted,
        )
        return [Marked(Film(film, title, year), mark, at) for film, title, year, mark, at in rows]

    def asked(self, ref: ViewerRef) -> Asked:
        """Return a viewer as the engine is asked about them, each film by all keys that it has, in the order given."""
        of_viewer = "JOIN viewers ON viewers.id = ratings.viewer WHERE kind = ?1 AND dataset = ?2 AND name = ?3"
        rows = self.rows(
            f"SELECT film, film, stars, place, 0 FROM ratings {of_viewer} UNION ALL"
            f" SELECT ratings.film, alias, stars, place, 1 FROM ratings JOIN aliases ON aliases.film = ratings.film"
            f" {of_viewer} ORDER BY 4, 5, 2",
            *_row_of(ref),
        )
        own = {film for film, *_ in rows}
        stars: dict[str, float] = {}
        for film, key, value, *_ in rows:
            if key == film or key not in own:
                stars.setdefault(key, value)
        return {"kind": ref.kind, "id": ref.id, "rated": list(stars.items())}

    def not_offered(self, ref: ViewerRef) -> set[str]:
        """Return the keys of the films that are in no list for a viewer, beside those rated: seen, liked or hidden."""
        return self.keys_marked(ref, *NOT_OFFERED)

    def keys_marked(self, ref: ViewerRef, *marks: Mark) -> set[str]:
        """Return all keys of the films that have one of the marks."""
        keys = {marked.film.key for marked in self.marks(ref, *marks)}
        return keys.union(*self._aliases(keys).values()) if keys else keys

    def rate(self, ref: ViewerRef, film: Film, stars: float) -> Change:
        """Give a film stars, in halves. On disk when this returns. Raises ``Problem`` for stars out of scale."""
        check_stars(stars)
        return self._do(ref, film, RATING, stars)

    def mark(self, ref: ViewerRef, film: Film, mark: Mark) -> Change:
        """Mark a film. On disk when this returns."""
        return self._do(ref, film, mark, MARKED)

    def unmark(self, ref: ViewerRef, film: Film, mark: Mark) -> Change:
        """Take a mark off a film. On disk when this returns."""
        return self._do(ref, film, mark, None)

    def _do(self, ref: ViewerRef, film: Film, kind: str, value: float | None) -> Change:
        with self.change():
            viewer, moment = self._viewer(ref), now()
            film = replace(film, key=self._key_of(viewer, film.key))
            before = self._value(viewer, film, kind)[0]
            if value != before:
                self._record(self._begin(viewer, kind, moment), viewer, film, kind, value, moment)
        return Change(ref, film, before, value, kind)

    def take_in(self, ref: ViewerRef, note: str, films: Sequence[Given]) -> Step | None:
        """Add what an import brings, as one step. On disk when this returns; None where it changes nothing.

        What a profile has already is kept, but for a rating that is older than the one brought. A mark that was taken
        off after the time that is brought stays off. Films are in the order in which they are to be listed.
        """
        changes = []
        with self.change():
            viewer, moment, step = self._viewer(ref), now(), 0
            taken_off = self._taken_off(viewer)
            for given in films:
                film = replace(given.film, key=self._key_of(viewer, given.film.key, given.own))
                self._know(film.key, given)
                brought: list[tuple[str, float]] = [(mark, MARKED) for mark in given.marks]
                if given.stars is not None:
                    check_stars(given.stars)
                    brought.append((RATING, given.stars))
                elif self._value(viewer, film, RATING)[0] is not None:
                    brought = [(mark, value) for mark, value in brought if mark != "seen"]  # rated says as much
                for kind, value in brought:
                    before, at, _ = self._value(viewer, film, kind)
                    newer = before is None or (kind == RATING and given.at > (at or ""))
                    if value == before or not newer or taken_off.get((film.key, kind), "") >= (given.at or moment):
                        continue
                    step = step or self._begin(viewer, IMPORT, moment, note)
                    self._record(step, viewer, film, kind, value, given.at or moment)
                    changes.append(Change(ref, film, before, value, kind))
        return Step(ref, IMPORT, moment, tuple(changes), note) if changes else None

    def undo(self, refs: Sequence[ViewerRef]) -> Step | None:
        """Take back the newest step of any of the viewers that was not taken back yet."""
        return self._step(refs, undone=False)

    def redo(self, refs: Sequence[ViewerRef]) -> Step | None:
        """Do again what was taken back last, unless one of the viewers did something since."""
        return self._step(refs, undone=True)

    def history(self, ref: ViewerRef) -> list[Step]:
        """Return all steps of a viewer, newest first, with those that are undone and can be done again."""
        rows = self.rows(
            f"SELECT steps.id, steps.kind, note, at, undone, {_CHANGE} FROM steps"
            " JOIN viewers ON viewers.id = steps.viewer JOIN changes ON changes.step = steps.id"
            " WHERE viewers.kind = ? AND dataset = ? AND name = ? ORDER BY steps.id DESC, changes.id",
            *_row_of(ref),
        )
        steps = []
        for (number, kind, note, at, undone), each in itertools.groupby(rows, key=lambda row: row[:5]):
            changes = tuple(
                Change(ref, Film(*film), before, after, changed)
                for *film, changed, before, after in (r[5:] for r in each)
            )
            steps.append(Step(ref, kind, at, changes, note, undone > 0, number))
        return steps

    def take_back(self, step: Step) -> Step | None:
        """Take one step back by a new one, whatever was done since; what was changed again since stays as it is.

        None where nothing is left of it.
        """
        changes: list[Change] = []
        with self.change():
            viewer, moment, new = self._viewer(step.viewer), now(), 0
            rows = self._db.execute(
                f"SELECT given_before, {_CHANGE} FROM changes JOIN steps ON steps.id = step"
                " WHERE step = ? AND viewer = ? AND undone = 0 ORDER BY changes.id DESC",
                (step.number, viewer),
            ).fetchall()
            for given, *named, kind, before, after in rows:
                film = Film(*named)
                if self._value(viewer, film, kind)[0] == after:
                    new = new or self._begin(viewer, step.kind, moment, step.note)
                    self._record(new, viewer, film, kind, before, given or moment)
                    changes.append(Change(step.viewer, film, after, before, kind))
        return replace(step, at=moment, changes=tuple(changes), number=new) if changes else None

    def _step(self, refs: Sequence[ViewerRef], *, undone: bool) -> Step | None:
        with self.change():
            viewers = {self._viewer(ref): ref for ref in refs}
            found = self._db.execute(
                "SELECT id, viewer, kind, note, at FROM steps"
                f" WHERE viewer IN ({_places(viewers)}) AND (undone > 0) = ?"
                # What was undone may be done again only from the newest step that still stands onwards.
                " AND (NOT ? OR id > (SELECT coalesce(max(id), 0) FROM steps"
                f" WHERE viewer IN ({_places(viewers)}) AND undone = 0))"
                f" ORDER BY {'undone' if undone else 'id'} DESC LIMIT 1",
                (*viewers, undone, undone, *viewers),
            ).fetchone()
            if found is None:
                return None
            step, viewer, kind, note, at = found
            rows = self._db.execute(
                f"SELECT id, given_before, place_before, given_after, {_CHANGE} FROM changes WHERE step = ?"
                f" ORDER BY id {'' if undone else 'DESC'}",
                (step,),
            ).fetchall()
            changes = []
            for place, given_before, place_before, given_after, *film, changed, before, after in rows:
                if undone:
                    self._put(viewer, Film(*film), changed, after, given_after, place)
                    changes.append(Change(viewers[viewer], Film(*film), before, after, changed))
                else:
                    self._put(viewer, Film(*film), changed, before, given_before, place_before)
                    changes.append(Change(viewers[viewer], Film(*film), after, before, changed))
            last = "0" if undone else "(SELECT max(undone) + 1 FROM steps)"
            self._db.execute(f"UPDATE steps SET undone = {last} WHERE id = ?", (step,))
        return Step(viewers[viewer], kind, at, tuple(changes), note, not undone, step)

    # The parts of a step. Inside a change only.

    def _begin(self, viewer: int, kind: str, moment: str, note: str = "") -> int:
        """Begin a step; what was undone before it cannot be done again."""
        self._db.execute("DELETE FROM steps WHERE viewer = ? AND undone > 0", (viewer,))
        cursor = self._db.execute(
            "INSERT INTO steps (viewer, kind, note, at) VALUES (?, ?, ?, ?)", (viewer, kind, note, moment)
        )
        return int(cursor.lastrowid or 0)

    def _record(self, step: int, viewer: int, film: Film, kind: str, value: float | None, given: str) -> None:
        """Change one thing, and write down what was before."""
        before, given_before, place_before = self._value(viewer, film, kind)
        cursor = self._db.execute(
            "INSERT INTO changes"
            " (step, film, title, year, kind, before, given_before, place_before, after, given_after)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (step, film.key, film.title, film.year, kind, before, given_before, place_before, value, given),
        )
        self._put(viewer, film, kind, value, given, cursor.lastrowid)

    def _value(self, viewer: int, film: Film, kind: str) -> tuple[float | None, str | None, int | None]:
        """Return the stars of a rating or the value of a mark, when it was given, and its place in the order."""
        if kind == RATING:
            found = self._db.execute(
                "SELECT stars, rated_at, place FROM ratings WHERE viewer = ? AND film = ?", (viewer, film.key)
            )
        else:
            found = self._db.execute(
                f"SELECT {MARKED}, marked_at, place FROM marks WHERE viewer = ? AND film = ? AND mark = ?",
                (viewer, film.key, kind),
            )
        return found.fetchone() or (None, None, None)

    def _put(
        self, viewer: int, film: Film, kind: str, value: float | None, given: str | None, place: int | None
    ) -> None:
        """Set or remove a rating or a mark."""
        row = (viewer, film.key)
        named = (*row, film.title, film.year)
        if kind == RATING and value is None:
            self._db.execute("DELETE FROM ratings WHERE viewer = ? AND film = ?", row)
        elif kind == RATING:
            self._db.execute(
                "INSERT INTO ratings (viewer, film, title, year, stars, rated_at, place) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET stars = excluded.stars, rated_at = excluded.rated_at,"
                " place = excluded.place",
                (*named, value, given, place),
            )
        elif value is None:
            self._db.execute("DELETE FROM marks WHERE viewer = ? AND film = ? AND mark = ?", (*row, kind))
        else:
            self._db.execute(
                "INSERT INTO marks (viewer, film, title, year, mark, marked_at, place) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*named, kind, given, place),
            )

    def _taken_off(self, viewer: int) -> dict[tuple[str, str], str]:
        """Return when marks were taken off, by film and kind."""
        return {
            (film, kind): at
            for film, kind, at in self._db.execute(
                "SELECT film, changes.kind, max(at) FROM changes JOIN steps ON steps.id = step"
                " WHERE viewer = ? AND undone = 0 AND after IS NULL GROUP BY film, changes.kind",
                (viewer,),
            )
        }

    # Films that go by several keys

    def _key_of(self, viewer: int, key: str, own: str = "") -> str:
        """Return the key by which a viewer has a film already, else the first one. Inside a change only."""
        keys = [key, own] if own and own != key else [key]
        others = self._aliases(keys)
        keys += [other for each in keys for other in others.get(each, ())]
        if len(keys) == 1:
            return key
        for each in keys:
            if self._db.execute(
                "SELECT 1 FROM ratings WHERE viewer = ?1 AND film = ?2"
                " UNION ALL SELECT 1 FROM marks WHERE viewer = ?1 AND film = ?2",
                (viewer, each),
            ).fetchone():
                return each
        return key

    def _aliases(self, keys: Collection[str]) -> Mapping[str, list[str]]:
        """Return the further keys of films, by key."""
        found: dict[str, list[str]] = {}
        query = "SELECT film, alias FROM aliases WHERE film IN (SELECT value FROM json_each(?)) ORDER BY film, alias"
        for film, alias in self.rows(query, json.dumps(list(keys))):
            found.setdefault(film, []).append(alias)
        return found

    def _know(self, key: str, given: Given) -> None:
        """Remember what a film is called elsewhere. Inside a change only."""
        for other in {given.film.key, given.own} - {key}:
            self._tie(key, other)
        ids = given.ids
        if ids != Ids():
            self._db.execute(
                "INSERT INTO films (film, imdb, tmdb, movielens) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " imdb = iif(excluded.imdb = '', imdb, excluded.imdb),"
                " tmdb = iif(excluded.tmdb = 0, tmdb, excluded.tmdb),"
                " movielens = iif(excluded.movielens = 0, movielens, excluded.movielens)",
                (key, ids.imdb, ids.tmdb, ids.movielens),
            )

    def _tie(self, one: str, other: str) -> None:
        rows = ((one, other), (other, one))
        self._db.executemany("INSERT INTO aliases VALUES (?, ?) ON CONFLICT DO NOTHING", rows)

    def ids(self) -> dict[str, Ids]:
        """Return what is known of the ids of films, by key."""
        rows = self.rows("SELECT film, imdb, tmdb, movielens FROM films")
        return {film: Ids(*ids) for film, *ids in rows}

    def settle(self, own: str, film: str | None) -> None:
        """Remember which film a title of an import is, both by key; None for none that a dataset has.

        What was imported of that title before follows with the next import.
        """
        with self.change():
            before = self._db.execute("SELECT film FROM settled WHERE own = ?", (own,)).fetchone()
            if before and before[0]:
                self._db.execute(
                    "DELETE FROM aliases WHERE (film = ?1 AND alias = ?2) OR (film = ?2 AND alias = ?1)",
                    (own, before[0]),
                )
            self._db.execute(
                "INSERT INTO settled VALUES (?, ?) ON CONFLICT DO UPDATE SET film = excluded.film", (own, film or "")
            )

    def settled(self) -> dict[str, str | None]:
        """Return which film each title is that was settled by hand."""
        return {own: film or None for own, film in self.rows("SELECT own, film FROM settled")}


_CHANGE = "film, title, year, changes.kind, before, after"
"""The columns of a change, in the order that ``Store.history`` and ``Store._step`` read them."""
