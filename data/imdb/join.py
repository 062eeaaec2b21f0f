"""Joins a dataset with IMDb: matches each movie with an IMDb title, and adds IMDb's facts about that title.

A join covers the movies as published, however they are cleaned, and is stored in the dataset's folder. The matches that
the user chose by hand are stored elsewhere, with the data that cannot be downloaded again. They take precedence over
the matches of a join, and take effect at once, because they are applied whenever a join is loaded.
"""

import contextlib
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from movietui.data.dataset import Dataset, ImdbFacts
from movietui.data.imdb import table_files, unrated
from movietui.data.imdb import tables as imdb_tables
from movietui.data.imdb.names_index import Names, NamesBuilder
from movietui.data.imdb.title_matching import LabelledMovie, Match, Title, match, wanted_years
from movietui.data.language import tr
from movietui.data.movielens.release import MISSING, NO_GENRE
from movietui.data.peak_memory import peak_bytes
from movietui.data.problems import Problem
from movietui.data.progress import Report, Stage, silent
from movietui.data.storage import cache, disk, locations, parquet, strict_json
from movietui.data.titles import movie_key

ATTRIBUTION = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
"""The notice that IMDb requires with its data."""
SEPARATOR = "\n"
"""Separates the values in a cell that holds a list; no value contains it, because ``strip_controls`` removes it."""

FACTS = ("movies", "titles", "unrated")
"""The tables of a join that contain IMDb's facts; the others contain names and say how each movie was matched."""
JOINED = (*FACTS, "outcomes", "doubts", "names")
ALL_NAMES = "every"
"""The table of a join that indexes the names of all movies on IMDb; see ``movietui.data.imdb.names_index``."""

_ID = re.compile(r"tt[0-9]{7,15}")


@dataclass(frozen=True)
class Row:
    """A movie in the report of a join."""

    id: str
    title: str
    """As published."""
    reason: str = ""
    """Why the movie has no match; empty in ``JoinReport.settled``."""
    candidates: tuple[Title, ...] = ()
    """The possible matches; in ``JoinReport.settled``, only the chosen title."""


@dataclass(frozen=True)
class JoinReport:
    """The outcome of a join for the movies of a dataset."""

    dataset: str
    by: Mapping[str, int]
    """How many movies were matched in each way: by ``id``, by ``title`` and by ``hand``."""
    ambiguous: tuple[Row, ...]
    """Movies with possible matches, one of which the user can choose by hand."""
    unmatched: tuple[Row, ...]
    settled: tuple[Row, ...]
    """Movies for which the user made a choice by hand, unless the join did not read the chosen title. A row has the
    chosen title as its only candidate, or no candidates if the user rejected all of them."""
    links: str
    """The name of the dataset whose links were used; empty if no links were used."""
    tables: Mapping[str, Mapping[str, int]]
    """The number of rows and of malformed lines of each of IMDb's tables."""
    notes: tuple[str, ...]
    seconds: float
    peak: int
    """The peak memory of the process until the end of the join, in bytes."""

    @property
    def matched(self) -> int:
        """The number of matched movies."""
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
            "terms": ATTRIBUTION,
            **rows,
        }


def title_json(title: Title) -> dict[str, Any]:
    """Return an IMDb title as values for JSON; unknown values are None, 0 or empty."""
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
    """What the user chose by hand as the match of a movie."""

    label: str
    """The movie's title as published. If the movie with this id now has another title, the choice is ignored."""
    title: str | None
    """The id of the chosen IMDb title; None if the user chose none of the candidates."""


@dataclass(frozen=True, eq=False)
class Join:
    """A stored join, with the matches that the user chose by hand."""

    dataset: str
    movies: parquet.Columns
    """One row per movie as published: its id, and the row of its match in ``titles`` (-1 if none)."""
    titles: parquet.Columns
    """One row per matched, possible or unrated title: id, year, minutes, genres, rating, votes, directors, people (the
    ids of the directors), cast, languages, countries."""
    unrated: parquet.Columns
    """One row per movie that ``movietui.data.imdb.unrated`` chose: its row in ``titles``, its name, and its
    ``movie_key``, which is stored because it takes a while to compute."""
    outcomes: parquet.Columns
    """One row per movie: label and way (see ``Match``). Empty if only the facts are loaded."""
    doubts: parquet.Columns
    """One row per movie without a match: id, reason, candidates. Empty if only the facts are loaded."""
    names: parquet.Columns
    """One row per title: kind, name, original. Empty if only the facts are loaded."""
    facts: Mapping[str, Any]
    """Facts about the join itself: links, tables, notes, seconds, peak memory; for a stored join, also checksums."""
    choices: Mapping[str, Choice]
    """The matches that the user chose by hand, by movie id."""

    @cached_property
    def row_of_title(self) -> Mapping[str, int]:
        """The row of each title in ``titles``, by its id."""
        return {title: row for row, title in enumerate(self.titles["id"])}

    @cached_property
    def chosen(self) -> Mapping[str, Choice]:
        """The choices that are not ignored, by movie id; see ``Choice.label``."""
        labels = dict(zip(self.movies["id"], self.outcomes["label"], strict=True)) if self.choices else {}
        return {movie: choice for movie, choice in self.choices.items() if labels.get(movie) == choice.label}

    @cached_property
    def title_row_of(self) -> Mapping[str, int]:
        """The row of each movie's match in ``titles`` (-1 if it has none), by movie id."""
        matches = dict(zip(self.movies["id"], self.movies["place"].tolist(), strict=True))
        for movie, choice in self.chosen.items():
            matches[movie] = self.row_of_title.get(choice.title or "", -1)
        return matches

    def title_row_of_any(self, entries: Sequence[str]) -> int:
        """Return the row in ``titles`` of the match of a movie with merged entries, or -1 if it has none.

        The first entry with a match counts. If the user made a choice for some of the entries, only these are
        considered.
        """
        by_hand = [entry for entry in entries if entry in self.chosen]
        title_rows = (self.title_row_of.get(entry, -1) for entry in by_hand or entries)
        return next((row for row in title_rows if row >= 0), -1)

    def title(self, wanted: str) -> Title:
        """Return the title with this id."""
        row, titles, names = self.row_of_title[wanted], self.titles, self.names
        return Title(
            id=wanted,
            kind=names["kind"][row],
            name=names["name"][row],
            original=names["original"][row],
            year=int(titles["year"][row]),
            minutes=int(titles["minutes"][row]),
            genres=_split(titles["genres"][row]),
            rating=0.0 if np.isnan(titles["rating"][row]) else round(float(titles["rating"][row]), 1),
            votes=int(titles["votes"][row]),
            directors=_split(titles["directors"][row]),
            director_ids=_split(titles["people"][row]),
            cast=_split(titles["cast"][row]),
            languages=_split(titles["languages"][row]),
            countries=_split(titles["countries"][row]),
        )

    @property
    def fingerprint(self) -> str:
        """A digest that changes whenever the join or a choice changes."""
        choices = sorted((movie, choice.label, choice.title or "") for movie, choice in self.choices.items())
        return hashlib.sha256(json.dumps([self.facts["files"], choices]).encode()).hexdigest()

    def report(self) -> JoinReport:
        """Return the report on how each movie was matched."""
        by = Counter({"id": 0, "title": 0, "hand": 0})
        rows: dict[str, list[Row]] = {"ambiguous": [], "unmatched": [], "settled": []}
        labels, ways = self.outcomes["label"], self.outcomes["way"]
        reasons = zip(self.doubts["reason"], self.doubts["candidates"], strict=True)
        doubts = dict(zip(self.doubts["id"], reasons, strict=True))
        for movie, label, way in zip(self.movies["id"], labels, ways, strict=True):
            choice = self.chosen.get(movie)
            if choice is None and way in by:
                by[way] += 1
            elif choice is None:
                reason, candidates = doubts[movie]
                rows[way].append(Row(movie, label, reason, tuple(map(self.title, _split(candidates)))))
            elif choice.title is None:
                rows["unmatched"].append(Row(movie, label, tr("you chose none of the candidates")))
                rows["settled"].append(Row(movie, label))
            elif choice.title in self.row_of_title:
                by["hand"] += 1
                rows["settled"].append(Row(movie, label, "", (self.title(choice.title),)))
            else:
                reason = tr("you chose {title}, which the join did not read; join again", title=choice.title)
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
    return tuple(text.split(SEPARATOR)) if text else ()


# Joining


def join(name: str, folder: Path | None = None, report: Report = silent) -> JoinReport:
    """Join a stored dataset with IMDb's tables, downloaded or from a folder; store the join and return its report.

    Raises ``Problem`` if the dataset is not on disk or is replaced meanwhile, or if a table cannot be fetched or read;
    an earlier join then stays as it is.
    """
    started = time.perf_counter()
    digest, movies, links = _movies_to_match(name)
    choices = _choices(name)
    read = table_files.tables(folder, report)
    files, notes = read.files, list(read.notes)
    counts: dict[str, imdb_tables.ReadCounts] = {}
    by_hand = {choice.title for choice in choices.values() if choice.title}
    linked = {movie.link for movie in movies if movie.link}
    all_names = NamesBuilder()
    rated_by_many = imdb_tables.popular(files["title.ratings"], unrated.LEAST_VOTES) if "title.ratings" in files else {}
    popular = imdb_tables.PopularMovies(rated_by_many)
    titles, counts[table_files.REQUIRED] = imdb_tables.titles(
        files[table_files.REQUIRED], linked | by_hand, wanted_years(movies), report, all_names, popular
    )
    names = all_names.columns()
    if "title.ratings" in files:
        rated, counts["title.ratings"] = imdb_tables.ratings(
            files["title.ratings"], {title.id for title in titles}, report
        )
        names["votes"] = imdb_tables.votes(files["title.ratings"], np.asarray(names["number"]))
        titles = [
            replace(title, rating=rated[title.id][0], votes=rated[title.id][1]) if title.id in rated else title
            for title in titles
        ]
    report(Stage(tr("Matching"), 0, len(movies), tr("movies")))
    matches = match(movies, titles)
    report(Stage(tr("Matching"), len(movies), len(movies), tr("movies"), finished=True))
    needed = by_hand.union(*({each.title, *each.candidates} for each in matches))
    others = unrated.choose(popular.titles, needed | linked)
    titles = [*(title for title in titles if title.id in needed), *others]
    titles = _with_people(titles, files, counts, report)
    titles = _with_origins(titles, files, counts, report)
    for table, counted in counts.items():
        if counted.malformed:
            lines = tr("line was") if counted.malformed == 1 else tr("lines were")
            skipped = tr(
                "{count:,} malformed {lines} skipped in {table}.", count=counted.malformed, lines=lines, table=table
            )
            notes.append(skipped)
    facts = {
        "links": links,
        "tables": {table: {"rows": counted.rows, "malformed": counted.malformed} for table, counted in counts.items()},
        "notes": notes,
        "seconds": time.perf_counter() - started,
        "peak": peak_bytes(),
    }
    report(Stage(tr("Storing"), note=" ".join(notes)))
    tables = _tables(movies, matches, titles, len(others))
    try:
        cache.save_imdb(name, digest, {**tables, ALL_NAMES: names}, facts)
    except cache.Replaced:
        raise Problem(tr("{dataset} was replaced or removed during the join; join it again.", dataset=name)) from None
    report(Stage(tr("Storing"), 1, 1, note=" ".join(notes), finished=True))
    return Join(name, **tables, facts=facts, choices=_choices(name)).report()


def _movies_to_match(name: str) -> tuple[str, list[LabelledMovie], str]:
    """Return the digest of a dataset's raw tables, its movies, and the name of the dataset that their links come from.

    The name is empty if no dataset on disk has links.
    """
    digest, tables = _published(name)
    movies, links = tables["movies"], tables.get("links")
    ids = _imdb_ids(links) if links else {}
    to_match = [
        LabelledMovie(
            movie,
            label,
            int(released[:4]) if released else 0,
            frozenset(genres.split("|")) - NO_GENRE,
            _link(ids.get(movie, MISSING)),
        )
        for movie, label, released, genres in zip(
            cache.published_ids(movies), movies["title"], movies["release_date"], movies["genres"], strict=True
        )
    ]
    return (digest, to_match, name) if links else (digest, *_with_links_of_another(to_match))


def _imdb_ids(links: parquet.Columns) -> dict[str, int]:
    """Return the number of the IMDb id of each movie, by movie id."""
    return dict(zip(map(str, links["movie_id"].tolist()), links["imdb_id"].tolist(), strict=True))


def _link(number: int) -> str:
    return f"tt{number:07}" if number != MISSING else ""


def _published(name: str) -> tuple[str, dict[str, parquet.Columns]]:
    try:
        digest = str(cache.describe(name)["raw"])
        return digest, cache.published(name, digest, "movies", "links")
    except FileNotFoundError:
        raise Problem(tr("{dataset} is not on disk yet; run movietui data get {dataset}.", dataset=name)) from None
    except parquet.Damaged:
        raise Problem(
            tr("The stored tables of {dataset} are damaged; run movietui data get {dataset} again.", dataset=name)
        ) from None


def _with_links_of_another(to_match: Sequence[LabelledMovie]) -> tuple[list[LabelledMovie], str]:
    """Add the links of the largest dataset on disk that has links, and return the movies and the name of that dataset.

    A movie gets a link only if its id, name and year agree in both datasets. ML-1M, for example, has no links, but uses
    the same ids as later releases.
    """
    for other in sorted(cache.names(), key=_size, reverse=True):
        with contextlib.suppress(FileNotFoundError, parquet.Damaged):
            tables = cache.published(other, cache.describe(other)["raw"], "movies", "links")
            if "links" not in tables:
                continue
            links = _imdb_ids(tables["links"])
            labels = dict(zip(cache.published_ids(tables["movies"]), tables["movies"]["title"], strict=True))
            return [
                replace(movie, link=_link(links.get(movie.id, MISSING)))
                if movie.agrees(LabelledMovie(movie.id, labels.get(movie.id, "")))
                else movie
                for movie in to_match
            ], other
    return list(to_match), ""


def _size(name: str) -> int:
    try:
        return int(cache.describe(name)["movies"])
    except (FileNotFoundError, parquet.Damaged):
        return 0


def _with_people(
    titles: Sequence[Title],
    files: Mapping[str, Path],
    counts: dict[str, imdb_tables.ReadCounts],
    report: Report,
) -> list[Title]:
    """Add the directors and the cast; both stay unknown without the table of names, each without its own table."""
    if "name.basics" not in files:
        return list(titles)
    ids = {title.id for title in titles}
    directed: dict[str, tuple[str, ...]] = {}
    acted: dict[str, tuple[str, ...]] = {}
    if "title.crew" in files:
        directed, counts["title.crew"] = imdb_tables.directors(files["title.crew"], ids, report)
    if "title.principals" in files:
        acted, counts["title.principals"] = imdb_tables.cast(files["title.principals"], ids, report)
    wanted = {person for credits_ in (directed, acted) for people in credits_.values() for person in people}
    names, counts["name.basics"] = imdb_tables.names(files["name.basics"], wanted, report)

    def known(people: Sequence[str]) -> tuple[str, ...]:
        return tuple(person for person in people if person in names)

    return [
        replace(
            title,
            director_ids=(credited := known(directed.get(title.id, ()))),
            directors=tuple(map(names.__getitem__, credited)),
            cast=tuple(map(names.__getitem__, known(acted.get(title.id, ())))),
        )
        for title in titles
    ]


def _with_origins(
    titles: Sequence[Title],
    files: Mapping[str, Path],
    counts: dict[str, imdb_tables.ReadCounts],
    report: Report,
) -> list[Title]:
    """Add the original languages and the countries, if there is a table with them."""
    if "title.akas" not in files:
        return list(titles)
    originals = {title.id: title.original for title in titles}
    origins, counts["title.akas"] = imdb_tables.origins(files["title.akas"], originals, report)
    return [
        replace(title, languages=languages, countries=countries)
        for title, (languages, countries) in ((title, origins.get(title.id, ((), ()))) for title in titles)
    ]


def _tables(
    movies: Sequence[LabelledMovie], matches: Sequence[Match], titles: Sequence[Title], others: int
) -> dict[str, parquet.Columns]:
    """Return a join as tables; columns that are not IMDb's facts have separate tables, so that the facts load fast.

    ``others`` is how many titles at the end are unrated movies.
    """
    first_other = len(titles) - others
    title_rows = {title.id: row for row, title in enumerate(titles)}
    doubts = [(movie.id, each) for movie, each in zip(movies, matches, strict=True) if not each.title]
    return {
        "movies": {
            "id": [movie.id for movie in movies],
            "place": np.array([title_rows.get(each.title, -1) for each in matches], np.int32),
        },
        "unrated": {
            "row": np.arange(first_other, len(titles), dtype=np.int32),
            "name": [title.name for title in titles[first_other:]],
            "key": [movie_key(title.name, title.year) for title in titles[first_other:]],
        },
        "outcomes": {"label": [movie.label for movie in movies], "way": [each.way for each in matches]},
        "doubts": {
            "id": [movie for movie, _ in doubts],
            "reason": [each.reason for _, each in doubts],
            "candidates": [SEPARATOR.join(each.candidates) for _, each in doubts],
        },
        "titles": {
            "id": [title.id for title in titles],
            **{
                key: np.array([getattr(title, key) for title in titles], np.int32)
                for key in ("year", "minutes", "votes")
            },
            "rating": np.array([title.rating or np.nan for title in titles], np.float32),
            **{
                column: [SEPARATOR.join(getattr(title, name)) for title in titles]
                for column, name in (
                    ("genres", "genres"),
                    ("directors", "directors"),
                    ("people", "director_ids"),
                    ("cast", "cast"),
                    ("languages", "languages"),
                    ("countries", "countries"),
                )
            },
        },
        "names": {key: [getattr(title, key) for title in titles] for key in ("kind", "name", "original")},
    }


# Reading a join


def load(name: str, *, only_facts: bool = False) -> Join | None:
    """Return the stored join of a dataset, or None if it is missing or damaged. Does not import pandas.

    With ``only_facts``, the tables that only the report needs are not loaded, unless the user chose a match by hand.
    Raises ``Problem`` if the file with the user's choices cannot be read.
    """
    try:
        choices = _choices(name)
        tables, facts = cache.load_imdb(name, FACTS if only_facts and not choices else JOINED)
        movies, titles, others, outcomes, doubts, names = (tables.get(part, {}) for part in JOINED)
        return Join(name, movies, titles, others, outcomes, doubts, names, facts, choices)
    except (FileNotFoundError, parquet.Damaged):
        return None


def attach(dataset: Dataset) -> Dataset:
    """Return the dataset with IMDb's facts, and with the unrated movies of its join after its own movies.

    A dataset without a usable join is returned unchanged.
    """
    dataset = dataset.without_unrated()  # if it has facts of an earlier join, these are replaced
    try:
        joined = load(dataset.name, only_facts=True)
    except Problem:  # without the user's choices, the join may be wrong
        return dataset
    if joined is None:
        return dataset
    entries = [(movie, *dataset.movies.merged.get(movie, ())) for movie in dataset.movies.ids]
    rows = [joined.title_row_of_any(ids) for ids in entries]  # -1 is the value appended below
    matched = {*rows}
    columns = zip(joined.unrated["row"].tolist(), joined.unrated["name"], joined.unrated["key"], strict=True)
    others = [each for each in columns if each[0] not in matched]  # the user may have matched some by hand
    rows += [row for row, _, _ in others]
    title_rows = np.array(rows, np.intp)

    def numbers(column: str, unknown: float) -> Any:
        values = joined.titles[column]
        return np.append(values, values.dtype.type(unknown))[title_rows]

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
        director_ids=lists("people"),
        cast=lists("cast"),
        languages=lists("languages"),
        countries=lists("countries"),
        genres=lists("genres"),
        ids=tuple(map([*joined.titles["id"], ""].__getitem__, rows)),
        fingerprint=joined.fingerprint,
    )
    years = [int(joined.titles["year"][row]) for row, _, _ in others]
    names, keys = [name for _, name, _ in others], [key for _, _, key in others]
    return replace(dataset, movies=unrated.append_to(dataset.movies, names, years, keys, facts))


@dataclass(frozen=True)
class Knowledge:
    """The names on IMDb that are stored with a join."""

    titles: Mapping[str, tuple[str, str, int]]
    """The name, original name and year of each matched, possible or unrated title, by its id."""
    names: Names
    """All movies on IMDb, by name."""


def knowledge_of(dataset: Dataset) -> Knowledge | None:
    """Return the names stored with a dataset's join, or None without a usable join. Does not import pandas."""
    if dataset.movies.imdb is None:
        return None
    try:
        tables, _ = cache.load_imdb(dataset.name, ("titles", "names", ALL_NAMES))
        titles, names = tables["titles"], tables["names"]
        columns = (titles["id"], names["name"], names["original"], titles["year"])
        known = {id_: (name, original, int(year)) for id_, name, original, year in zip(*columns, strict=True)}
        return Knowledge(known, Names(tables[ALL_NAMES]))
    except (FileNotFoundError, parquet.Damaged, KeyError):
        return None


# Choosing by hand


def settle(name: str, movie: str, title: str | None) -> JoinReport:
    """Store the user's choice of an IMDb title for a movie, and return the new report.

    ``title`` is the id of the title, or None if no candidate is the movie. A title that the join did not read is used
    from the next join on. Raises ``Problem`` if the dataset is not joined or has no such movie, or if ``title`` is not
    an IMDb id.
    """
    joined = _load_joined(name)
    row = _movie_row(joined, movie)
    if title is not None and not _ID.fullmatch(title):
        raise Problem(tr("{title!r} is not an IMDb id; it should look like tt0114709.", title=title))
    return _save_choice(joined, movie, Choice(joined.outcomes["label"][row], title))


def unsettle(name: str, movie: str) -> JoinReport:
    """Remove the user's choice for a movie, and return the new report.

    Raises ``Problem`` if the dataset is not joined or has no such movie.
    """
    joined = _load_joined(name)
    _movie_row(joined, movie)
    return _save_choice(joined, movie, None)


def _load_joined(name: str) -> Join:
    joined = load(name)
    if joined is None:
        raise Problem(
            tr("{dataset} has not been joined with IMDb yet; run movietui data imdb {dataset}.", dataset=name)
        )
    return joined


def _movie_row(joined: Join, movie: str) -> int:
    try:
        row: int = joined.movies["id"].index(movie)
    except ValueError:
        raise Problem(
            tr("{dataset} has no movie {movie}; use an id from the join's report.", dataset=joined.dataset, movie=movie)
        ) from None
    return row


def _save_choice(joined: Join, movie: str, choice: Choice | None) -> JoinReport:
    with parquet.lock_folder(locations.imdb()):
        choices = {other: known for other, known in _choices(joined.dataset).items() if other != movie}
        if choice:
            choices[movie] = choice
        document = {movie: {"movie": choice.label, "imdb": choice.title} for movie, choice in choices.items()}
        parquet.write_json(_choices_file(joined.dataset), document)
    return replace(joined, choices=choices).report()


def _choices_file(name: str) -> Path:
    return locations.imdb_choices(name)


def _choices(name: str) -> dict[str, Choice]:
    """Return the user's choices. Raises ``Problem`` if their file is damaged, so that it is never overwritten."""
    path = _choices_file(name)
    try:
        document = strict_json.loads(disk.read(path))
        choices = {movie: Choice(entry["movie"], entry["imdb"]) for movie, entry in document.items()}
        if not all(
            isinstance(choice.label, str) and isinstance(choice.title, str | None) for choice in choices.values()
        ):
            raise TypeError
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Problem(
            tr("{path}, the file with your choices, cannot be read; repair or remove it.", path=path)
        ) from None
    return choices
