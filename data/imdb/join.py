"""Joins a dataset with IMDb: which title each movie is, and what IMDb says about it.

A join belongs to the movies as published, however they are cleaned, and lies in the dataset's folder. What a person
settled by hand lies apart from it, among what cannot be got again; it wins over whatever a join finds, and holds from
the moment it is said, because it is applied whenever a join is read.
"""

import contextlib
import hashlib
import json
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from data import cache, imdb_files, imdb_tables, locations, sealed
from data.dataset import Dataset, ImdbFacts
from data.imdb_matching import Found, Sought, Title, match, wanted_years
from data.movielens import MISSING, NO_GENRE
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.titles import plain

COURTESY = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
"""What IMDb asks to be shown with its data."""
BETWEEN = "\n"
"""What stands between the entries of a list in a column of text; ``plain`` leaves it in none."""

FACTS = ("movies", "titles")
"""The tables of a join that say what IMDb says; the others say how it was found."""

_ID = re.compile(r"tt[0-9]{7,15}")


@dataclass(frozen=True)
class Row:
    """A movie in the report of a join."""

    id: str
    title: str
    """As published."""
    reason: str = ""
    """Why it is not matched."""
    candidates: tuple[Title, ...] = ()
    """What it may be; what it is, where that was settled by hand."""


@dataclass(frozen=True)
class JoinReport:
    """What became of the movies of a dataset."""

    dataset: str
    by: Mapping[str, int]
    """How many movies were matched by ``id``, ``title`` and ``hand``."""
    ambiguous: tuple[Row, ...]
    """To be settled by hand."""
    unmatched: tuple[Row, ...]
    settled: tuple[Row, ...]
    """By hand; without candidate where the movie is none of them."""
    links: str
    """The dataset whose links were used; empty where there were none."""
    tables: Mapping[str, Mapping[str, int]]
    """How many rows and malformed lines each of IMDb's tables has."""
    notes: tuple[str, ...]
    seconds: float
    peak: int
    """The most bytes of memory that the process had when the join was done."""

    @property
    def matched(self) -> int:
        """How many movies were matched."""
        return sum(self.by.values())

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``movietui data imdb --json`` prints it."""
        rows = {
            f"{name}_movies": [
                {**asdict(row), "candidates": [title_json(title) for title in row.candidates]}
                for row in getattr(self, name)
            ]
            for name in ("ambiguous", "unmatched", "settled")
        }
        return {
            "dataset": self.dataset,
            "matched": self.matched,
            "ambiguous": len(self.ambiguous),
            "unmatched": len(self.unmatched),
            "by": dict(self.by),
            "links": self.links,
            "tables": {name: dict(counts) for name, counts in self.tables.items()},
            "notes": list(self.notes),
            "seconds": self.seconds,
            "peak_bytes": self.peak,
            "terms": COURTESY,
            **rows,
        }


def title_json(title: Title) -> dict[str, Any]:
    """Return a title as JSON-able values; what is not known is null or empty."""
    return {
        "id": title.id,
        "title": title.name,
        "original": title.original,
        "year": title.year or None,
        "kind": title.kind,
        "minutes": title.minutes or None,
        "rating": title.rating or None,
        "votes": title.votes,
        "genres": list(title.genres),
        "directors": list(title.directors),
    }


@dataclass(frozen=True)
class Choice:
    """What a person said that a movie is."""

    label: str
    """The movie's title as published; where another movie has its id now, the choice does not hold."""
    title: str | None
    """The id of the title; None where none of the candidates is the movie."""


@dataclass(frozen=True, eq=False)
class Join:
    """A join as it was stored, with what was settled by hand since."""

    dataset: str
    movies: sealed.Columns
    """By movie, as published: its id, and its place in ``titles``, -1 for none."""
    titles: sealed.Columns
    """By IMDb title that is matched or may be: id, year, minutes, genres, rating, votes, directors, people."""
    outcomes: sealed.Columns
    """By movie: label and way (see ``Found``). Empty where only facts are asked for and nothing was settled."""
    doubts: sealed.Columns
    """By movie without match: id, reason, candidates. Empty where only facts are asked for."""
    names: sealed.Columns
    """By IMDb title: kind, name, original. Empty where only facts are asked for."""
    facts: Mapping[str, Any]
    choices: Mapping[str, Choice]
    """By id of the movie."""

    @cached_property
    def row_of_title(self) -> Mapping[str, int]:
        """The row in ``titles`` of each id."""
        return {title: row for row, title in enumerate(self.titles["id"])}

    @cached_property
    def chosen(self) -> Mapping[str, Choice]:
        """What a person said that movies are, as far as it still holds, by id of the movie."""
        labels = dict(zip(self.movies["id"], self.outcomes["label"], strict=True)) if self.choices else {}
        return {movie: choice for movie, choice in self.choices.items() if labels.get(movie) == choice.label}

    @cached_property
    def place_of(self) -> Mapping[str, int]:
        """The row in ``titles`` of what each movie is matched with, -1 for nothing, by id of the movie."""
        found = dict(zip(self.movies["id"], self.movies["place"].tolist(), strict=True))
        for movie, choice in self.chosen.items():
            found[movie] = self.row_of_title.get(choice.title or "", -1)
        return found

    def place_of_any(self, entries: Sequence[str]) -> int:
        """The row in ``titles`` of a film with these entries, of the first match; what was said by hand comes first."""
        by_hand = [entry for entry in entries if entry in self.chosen]
        places = (self.place_of.get(entry, -1) for entry in by_hand or entries)
        return next((place for place in places if place >= 0), -1)

    def title(self, wanted: str) -> Title:
        """Return a title by its id."""
        row, of, names = self.row_of_title[wanted], self.titles, self.names
        return Title(
            id=wanted,
            kind=names["kind"][row],
            name=names["name"][row],
            original=names["original"][row],
            year=int(of["year"][row]),
            minutes=int(of["minutes"][row]),
            genres=_split(of["genres"][row]),
            rating=0.0 if np.isnan(of["rating"][row]) else round(float(of["rating"][row]), 1),
            votes=int(of["votes"][row]),
            directors=_split(of["directors"][row]),
            people=_split(of["people"][row]),
        )

    @property
    def fingerprint(self) -> str:
        """What differs where anything about the join does."""
        choices = sorted((movie, choice.label, choice.title or "") for movie, choice in self.choices.items())
        return hashlib.sha256(json.dumps([self.facts["files"], choices]).encode()).hexdigest()

    def report(self) -> JoinReport:
        """Return what became of the movies."""
        by = Counter({"id": 0, "title": 0, "hand": 0})
        rows: dict[str, list[Row]] = {"ambiguous": [], "unmatched": [], "settled": []}
        of, why = self.outcomes, self.doubts
        doubts = dict(zip(why["id"], zip(why["reason"], why["candidates"], strict=True), strict=True))
        for movie, label, way in zip(self.movies["id"], of["label"], of["way"], strict=True):
            choice = self.chosen.get(movie)
            if choice is None and way in by:
                by[way] += 1
            elif choice is None:
                reason, candidates = doubts[movie]
                rows[way].append(Row(movie, label, reason, tuple(map(self.title, _split(candidates)))))
            elif choice.title is None:
                rows["unmatched"].append(Row(movie, label, "none of the candidates, as was said by hand"))
                rows["settled"].append(Row(movie, label))
            elif choice.title in self.row_of_title:
                by["hand"] += 1
                rows["settled"].append(Row(movie, label, "", (self.title(choice.title),)))
            else:
                reason = f"{choice.title}, as was said by hand, was not among the titles read; join again"
                rows["unmatched"].append(Row(movie, label, reason))
        return JoinReport(
            dataset=self.dataset,
            by=dict(by),
            ambiguous=tuple(rows["ambiguous"]),
            unmatched=tuple(rows["unmatched"]),
            settled=tuple(rows["settled"]),
            links=self.facts["links"],
            tables=self.facts["tables"],
            notes=tuple(self.facts["notes"]),
            seconds=self.facts["seconds"],
            peak=self.facts["peak"],
        )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(BETWEEN)) if text else ()


# Joining


def join(name: str, folder: Path | None = None, report: Report = silent) -> JoinReport:
    """Join a dataset that is here with IMDb's tables, of a folder or downloaded, and keep the result.

    Raises ``Problem`` where the dataset is not here, or a table cannot be got or read; what was joined before stays.
    """
    started = time.perf_counter()
    digest, movies, links = _sought(name)
    choices = _choices(name)
    files = imdb_files.tables(folder, report)
    notes = [
        f"{table}.tsv.gz is not in {plain(str(folder))}: {lost}."
        for table, lost in imdb_files.FURTHER.items()
        if table not in files
    ]
    counts: dict[str, imdb_tables.Counted] = {}
    by_hand = {choice.title for choice in choices.values() if choice.title}
    linked = {movie.link for movie in movies if movie.link}
    titles, counts[imdb_files.NEEDED] = imdb_tables.titles(
        files[imdb_files.NEEDED], linked | by_hand, wanted_years(movies), report
    )
    if "title.ratings" in files:
        rated, counts["title.ratings"] = imdb_tables.ratings(
            files["title.ratings"], {title.id for title in titles}, report
        )
        titles = [
            replace(title, rating=rated[title.id][0], votes=rated[title.id][1]) if title.id in rated else title
            for title in titles
        ]
    report(Stage("Matching", 0, len(movies), "movies"))
    found = match(movies, titles)
    report(Stage("Matching", len(movies), len(movies), "movies", finished=True))
    kept = by_hand.union(*({each.title, *each.candidates} for each in found))
    titles = _with_directors([title for title in titles if title.id in kept], files, counts, report)
    for table, counted in counts.items():
        if counted.malformed:
            lines = "line was" if counted.malformed == 1 else "lines were"
            notes.append(f"{counted.malformed:,} malformed {lines} left out of {table}.")
    facts = {
        "links": links,
        "tables": {table: {"rows": counted.rows, "malformed": counted.malformed} for table, counted in counts.items()},
        "notes": notes,
        "seconds": time.perf_counter() - started,
        "peak": _peak(),
    }
    report(Stage("Storing", note=" ".join(notes)))
    tables = _tables(movies, found, titles)
    try:
        cache.save_imdb(name, digest, tables, facts)
    except cache.Replaced:
        raise Problem(f"{name} was replaced or removed while it was joined; join it again.") from None
    report(Stage("Storing", 1, 1, note=" ".join(notes), finished=True))
    return Join(name, **tables, facts=facts, choices=_choices(name)).report()


def _peak() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _sought(name: str) -> tuple[str, list[Sought], str]:
    """The digest of a dataset as published, its movies, and whose links they have."""
    digest, own = _published(name)
    movies, links = own["movies"], own.get("links")
    ids = dict(zip(links["movie_id"].tolist(), links["imdb_id"].tolist(), strict=True)) if links else {}
    sought = [
        Sought(
            str(movie),
            label,
            int(released[:4]) if released else 0,
            frozenset(genres.split("|")) - NO_GENRE,
            _link(ids.get(movie, MISSING)),
        )
        for movie, label, released, genres in zip(
            movies["movie_id"].tolist(), movies["title"], movies["release_date"], movies["genres"], strict=True
        )
    ]
    return (digest, sought, name) if links else (digest, *_with_links_of_another(sought))


def _link(number: int) -> str:
    return f"tt{number:07}" if number != MISSING else ""


def _published(name: str) -> tuple[str, dict[str, sealed.Columns]]:
    try:
        digest = str(cache.describe(name)["raw"])
        return digest, cache.published(name, digest, "movies", "links")
    except FileNotFoundError:
        raise Problem(f"{plain(name)} is not here yet; run movietui data get {plain(name)}.") from None
    except sealed.Damaged:
        raise Problem(f"The stored tables of {name} are damaged; run movietui data get {name} again.") from None


def _with_links_of_another(sought: Sequence[Sought]) -> tuple[list[Sought], str]:
    """Take links from the largest dataset here that has some, for movies of the same id, name and year in both.

    ML-1M has no links, but its ids are those of later releases.
    """
    for other in sorted(cache.names(), key=_size, reverse=True):
        with contextlib.suppress(FileNotFoundError, sealed.Damaged):
            tables = cache.published(other, cache.describe(other)["raw"], "movies", "links")
            if "links" not in tables:
                continue
            links = dict(zip(tables["links"]["movie_id"].tolist(), tables["links"]["imdb_id"].tolist(), strict=True))
            labels = dict(zip(tables["movies"]["movie_id"].tolist(), tables["movies"]["title"], strict=True))
            return [
                replace(movie, link=_link(links.get(int(movie.id), MISSING)))
                if movie.agrees(Sought(movie.id, labels.get(int(movie.id), "")))
                else movie
                for movie in sought
            ], other
    return list(sought), ""


def _size(name: str) -> int:
    try:
        return int(cache.describe(name)["movies"])
    except (FileNotFoundError, sealed.Damaged):
        return 0


def _with_directors(
    titles: Sequence[Title],
    files: Mapping[str, Path],
    counts: dict[str, imdb_tables.Counted],
    report: Report,
) -> list[Title]:
    if "title.crew" not in files or "name.basics" not in files:
        return list(titles)
    people, counts["title.crew"] = imdb_tables.directors(files["title.crew"], {title.id for title in titles}, report)
    wanted = {person for directed in people.values() for person in directed}
    names, counts["name.basics"] = imdb_tables.names(files["name.basics"], wanted, report)
    known = {title: tuple(person for person in directed if person in names) for title, directed in people.items()}
    return [
        replace(title, people=directed, directors=tuple(map(names.__getitem__, directed)))
        for title, directed in ((title, known.get(title.id, ())) for title in titles)
    ]


def _tables(movies: Sequence[Sought], found: Sequence[Found], titles: Sequence[Title]) -> dict[str, sealed.Columns]:
    """The join as tables; what only its report needs lies apart, so that facts are read at once."""
    places = {title.id: place for place, title in enumerate(titles)}
    doubts = [(movie.id, each) for movie, each in zip(movies, found, strict=True) if not each.title]
    return {
        "movies": {
            "id": [movie.id for movie in movies],
            "place": np.array([places.get(each.title, -1) for each in found], np.int32),
        },
        "outcomes": {"label": [movie.label for movie in movies], "way": [each.way for each in found]},
        "doubts": {
            "id": [movie for movie, _ in doubts],
            "reason": [each.reason for _, each in doubts],
            "candidates": [BETWEEN.join(each.candidates) for _, each in doubts],
        },
        "titles": {
            "id": [title.id for title in titles],
            **{
                key: np.array([getattr(title, key) for title in titles], np.int32)
                for key in ("year", "minutes", "votes")
            },
            "rating": np.array([title.rating or np.nan for title in titles], np.float32),
            **{
                key: [BETWEEN.join(getattr(title, key)) for title in titles]
                for key in ("genres", "directors", "people")
            },
        },
        "names": {key: [getattr(title, key) for title in titles] for key in ("kind", "name", "original")},
    }


# Reading a join


def load(name: str, *, only_facts: bool = False) -> Join | None:
    """Return the join of a dataset, or None where it was not joined or the join is damaged. Imports no pandas.

    Raises ``Problem`` where what was settled by hand cannot be read.
    """
    try:
        choices = _choices(name)
        tables, facts = cache.load_imdb(name, FACTS if only_facts and not choices else None)
        parts = ("movies", "titles", "outcomes", "doubts", "names")
        movies, titles, outcomes, doubts, names = (tables.get(part, {}) for part in parts)
        return Join(name, movies, titles, outcomes, doubts, names, facts, choices)
    except (FileNotFoundError, sealed.Damaged):
        return None


def attach(dataset: Dataset) -> Dataset:
    """Return the dataset with what IMDb says about its movies; as it is where it was not joined."""
    try:
        joined = load(dataset.name, only_facts=True)
    except Problem:  # without what was settled by hand the join may be wrong
        return dataset
    if joined is None:
        return dataset
    entries = [(movie, *dataset.movies.merged.get(movie, ())) for movie in dataset.movies.ids]
    rows = [joined.place_of_any(film) for film in entries]  # -1 is what is appended below
    places = np.array(rows, np.intp)

    def numbers(column: str, unknown: float) -> Any:
        values = joined.titles[column]
        return np.append(values, values.dtype.type(unknown))[places]

    def lists(column: str) -> tuple[tuple[str, ...], ...]:
        texts = joined.titles[column]
        split = {text: _split(text) for text in set(texts)}
        values = [*map(split.__getitem__, texts), ()]
        return tuple(map(values.__getitem__, rows))

    facts = ImdbFacts(
        rating=numbers("rating", np.nan),
        votes=numbers("votes", 0),
        minutes=numbers("minutes", 0),
        directors=lists("directors"),
        people=lists("people"),
        genres=lists("genres"),
        ids=tuple(map([*joined.titles["id"], ""].__getitem__, rows)),
        fingerprint=joined.fingerprint,
    )
    return replace(dataset, movies=replace(dataset.movies, imdb=facts))


# Settling by hand


def settle(name: str, movie: str, title: str | None) -> JoinReport:
    """Remember which title of IMDb a movie is, or with None that it is none of the candidates; return the new report.

    A title that was not among those read is remembered for the next join. Raises ``Problem`` where the dataset was not
    joined yet, has no such movie, or the title is not an id of IMDb.
    """
    joined = _joined(name)
    place = _place(joined, movie)
    if title is not None and not _ID.fullmatch(title):
        raise Problem(f"{plain(title)!r} is not the id of an IMDb title; it should look like tt0114709.")
    return _remember(joined, movie, Choice(joined.outcomes["label"][place], title))


def unsettle(name: str, movie: str) -> JoinReport:
    """Forget what was settled for a movie; return the new report. Raises ``Problem`` as ``settle`` does."""
    joined = _joined(name)
    _place(joined, movie)
    return _remember(joined, movie, None)


def _joined(name: str) -> Join:
    joined = load(name)
    if joined is None:
        raise Problem(f"{plain(name)} is not joined with IMDb yet; run movietui data imdb {plain(name)}.")
    return joined


def _place(joined: Join, movie: str) -> int:
    try:
        place: int = joined.movies["id"].index(movie)
    except ValueError:
        raise Problem(f"{joined.dataset} has no movie {movie}; take its id from the report of the join.") from None
    return place


def _remember(joined: Join, movie: str, choice: Choice | None) -> JoinReport:
    with sealed.alone(locations.imdb()):
        choices = {other: of for other, of in _choices(joined.dataset).items() if other != movie}
        if choice:
            choices[movie] = choice
        document = {movie: {"movie": choice.label, "imdb": choice.title} for movie, choice in choices.items()}
        sealed.write_json(_choices_file(joined.dataset), document)
    return replace(joined, choices=choices).report()


def _choices_file(name: str) -> Path:
    return locations.imdb() / f"{name}.json"


def _choices(name: str) -> dict[str, Choice]:
    """What was settled by hand. Raises ``Problem`` where the file is damaged: it is never written over then."""
    path = _choices_file(name)
    try:
        document = json.loads(path.read_bytes())
        choices = {movie: Choice(entry["movie"], entry["imdb"]) for movie, entry in document.items()}
        if not all(
            isinstance(choice.label, str) and isinstance(choice.title, str | None) for choice in choices.values()
        ):
            raise TypeError
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Problem(f"{path}, which holds what you settled by hand, cannot be read; repair or remove it.") from None
    return choices
