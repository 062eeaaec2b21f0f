"""The boundaries where input enters the program: valid inputs, changes to these, and the exceptions allowed."""

import asyncio
import gzip
import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache as cache_of
from pathlib import Path
from random import Random
from typing import Any

from movietui.data import catalogue
from movietui.data.cleaning.cleaner import parse as parse_cleaning
from movietui.data.imdb import tables as imdb_tables
from movietui.data.imports import export_file as imports
from movietui.data.imports import file_names, nfo
from movietui.data.imports.fields import to_imdb
from movietui.data.movielens import reader as movielens
from movietui.data.problems import Problem
from movietui.data.query import filters
from movietui.data.safe_text import strip_controls
from movietui.data.storage import cache, disk, locations, name_index, parquet
from movietui.engine import __main__ as engine
from movietui.engine.service import Service
from movietui.models import checkpoints
from movietui.protocol import wire
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import profile
from movietui.state import child_processes
from movietui.store import backup
from movietui.store.ratings import Movie, Store
from movietui.store.run_records import Run
from movietui.ui import keymap
from tests.benchmarks.campaign import homes
from tests.benchmarks.campaign.mutations import TOKENS, VALUES, as_json, change_bytes, change_document, change_table
from tests.data import exports, files
from tests.data import imdb_tables as imdb_samples

ANNA = profile("anna")
WEIGHTS = {
    "filter": 250,
    "message to the engine": 100,
    "message from a child": 100,
    "export": 310,
    "movie file": 40,
    "zip": 80,
    "config": 60,
    "imdb table": 20,
    "dataset": 10,
    "store": 10,
    "backup": 5,
    "checkpoint": 10,
    "cache": 5,
}
"""How many of a thousand inputs each boundary gets; slow boundaries get few."""


@dataclass(frozen=True)
class Input:
    """An input for a boundary: a file's name and content. Boundaries that take text use only the content."""

    kind: str
    name: str
    content: bytes


@dataclass(frozen=True)
class _Boundary:
    make: Callable[[Random], tuple[str, bytes]]
    take: Callable[[Input], None]
    documented: tuple[type[Exception], ...] = (Problem,)
    """The exceptions that the program may raise."""


class Boundaries:
    """All boundaries, with the valid samples that they need."""

    def __init__(self, folder: Path) -> None:
        """Add a dataset and a model to the current home. ``folder``: where inputs are written."""
        self._folder = folder / "inputs"
        self._folder.mkdir(exist_ok=True)
        homes.check_output("train", "mf", "--dataset", "demo", "--set", "sweeps=3", "--set", "factors=2")
        self._dataset = catalogue.load("demo", "standard")
        (self._checkpoint,) = locations.checkpoints().iterdir()
        self._cleaning = parse_cleaning("standard")
        digest = cache.describe("demo")["raw"]
        self._clean = cache.clean_folder("demo", digest, self._cleaning)
        self._service = Service()
        self._service.open(dataset="demo", cleaning="standard", checkpoint=str(self._checkpoint))
        self._store = _store_sample(self._folder)
        self._all: Mapping[str, _Boundary] = {
            "filter": _Boundary(_filter, self._take_filter),
            "message to the engine": _Boundary(_request, self._take_request, (Problem, ValueError)),
            "message from a child": _Boundary(_child_lines, _take_child_lines, (Problem,)),
            "export": _Boundary(_export, self._take_export),
            "movie file": _Boundary(_movie_file, self._take_movie_file),
            "zip": _Boundary(_zip, self._take_zip),
            "config": _Boundary(_config, self._take_config, ()),
            "imdb table": _Boundary(_imdb, self._take_imdb),
            "dataset": _Boundary(_dataset, self._take_dataset),
            "store": _Boundary(self._make_store, self._take_store),
            "backup": _Boundary(self._make_store, self._take_backup),
            "checkpoint": _Boundary(self._make_checkpoint, self._take_checkpoint),
            "cache": _Boundary(self._make_cache, self._take_cache, (parquet.Damaged, FileNotFoundError, Problem)),
        }
        assert self._all.keys() == WEIGHTS.keys()

    def input(self, seed: int, weights: Mapping[str, int] = WEIGHTS) -> Input:
        """Return the input that a seed determines."""
        kind = self.kind(seed, weights)
        return Input(kind, *self._all[kind].make(Random(seed)))

    @staticmethod
    def kind(seed: int, weights: Mapping[str, int] = WEIGHTS) -> str:
        """Return the boundary that the input of a seed is for."""
        return Random(f"kind {seed}").choices(list(weights), list(weights.values()))[0]

    def take(self, case: Input) -> None:
        """Give an input to the program. Exceptions that are not documented pass through."""
        boundary = self._all[case.kind]
        try:
            boundary.take(case)
        except boundary.documented as error:
            message = str(error)
            if isinstance(error, Problem) and "Unexpected error" in message:
                raise AssertionError(message) from error

    def _file(self, case: Input) -> Path:
        path = self._folder / case.name
        path.write_bytes(case.content)
        return path

    # What each boundary does with an input

    def _take_filter(self, case: Input) -> None:
        text = case.content.decode("utf-8", "replace")
        filters.complete(text, self._dataset)
        filters.parse(text, self._dataset).passes(self._dataset)

    def _take_request(self, case: Input) -> None:
        request = wire.decode(case.content)
        request["id"] = 7
        reply = wire.decode(engine.reply(self._service, request))
        if reply["id"] != 7 or ("problem" in reply) == ("result" in reply):
            raise AssertionError(f"the engine replies {reply}")

    def _take_movie_file(self, case: Input) -> None:
        described = nfo.parse(case.content)
        named = file_names.parse(case.content.decode("utf-8", "replace")[:255])  # no file system has longer names
        for imdb in (described.imdb, named.imdb):
            if imdb and to_imdb(imdb) != imdb:
                raise AssertionError(f"{imdb!r} is no IMDb id")
        if strip_controls(named.title) != named.title:
            raise AssertionError(f"{named.title!r} can control a terminal")

    def _take_export(self, case: Input) -> None:
        imports.read(self._file(case))

    def _take_zip(self, case: Input) -> None:
        path = self._file(case)
        try:
            imports.read(path)
        finally:
            movielens.read(path)

    def _take_config(self, case: Input) -> None:
        keymap.read(self._file(case))

    def _take_imdb(self, case: Input) -> None:
        path = self._file(case)
        ids = {f"tt{number:07}" for number in range(9)}
        match case.name:
            case "title.basics.tsv.gz":
                imdb_tables.titles(path, ids, {"alien": (1970, 1990)})
            case "title.ratings.tsv.gz":
                imdb_tables.ratings(path, ids)
            case "title.crew.tsv.gz":
                imdb_tables.directors(path, ids)
            case "title.principals.tsv.gz":
                imdb_tables.cast(path, ids)
            case "title.akas.tsv.gz":
                imdb_tables.origins(path, dict.fromkeys(ids, "Alien"))
            case _:
                imdb_tables.names(path, {"nm0000001"})

    def _take_dataset(self, case: Input) -> None:
        layout, _, name = case.name.partition("/")
        folder = self._folder / "dataset"
        shutil.rmtree(folder, ignore_errors=True)
        movielens.read(files.write_folder(folder, {**files.contents(files.tags(layout), layout), name: case.content}))

    def _make_store(self, random: Random) -> tuple[str, bytes]:
        if random.random() < 0.3:
            return "store.sqlite3", change_bytes(self._store, random)
        path = self._folder / "making.sqlite3"
        path.write_bytes(self._store)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA ignore_check_constraints = ON")
            for _ in range(random.choice((1, 1, 2, 4))):
                table = random.choice(
                    ("viewers", "ratings", "marks", "steps", "changes", "runs", "choices", "movie_ids")
                )
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                value = random.choice((*VALUES, *TOKENS, b"../../../victim", "[" * 100_000, "{}", "[]"))
                if isinstance(value, list | dict):
                    value = json.dumps(value)
                try:
                    database.execute(f"UPDATE {table} SET {random.choice(columns)} = ?", (value,))
                except (sqlite3.Error, OverflowError, UnicodeEncodeError):
                    continue
        return "store.sqlite3", path.read_bytes()

    def _take_store(self, case: Input) -> None:
        for suffix in backup.SIDE_FILES:
            (self._folder / (case.name + suffix)).unlink(missing_ok=True)
        with closing(Store(self._file(case))) as store:
            for ref, _ in store.profiles():
                store.ratings(ref)
                store.marks(ref)
                store.history(ref)
            for run in store.runs():
                _ = run.curve
            store.serving_runs("demo")
            store.ids()
            store.settled()
            store.choices("filter:")
            store.rate(ANNA, Movie("alien 1979", "Alien", 1979), 3.0)
            store.undo([ANNA])

    def _take_backup(self, case: Input) -> None:
        path = self._folder / "restored" / "store.sqlite3"
        shutil.rmtree(path.parent, ignore_errors=True)
        backup.restore(self._file(case), path)
        for run in _read_runs(path):
            name = run.checkpoint
            if Path(name).name != name or not name:
                raise AssertionError(f"a restored run has the checkpoint {name!r}")

    def _make_checkpoint(self, random: Random) -> tuple[str, bytes]:
        path = self._checkpoint / random.choice((checkpoints.MANIFEST, checkpoints.MANIFEST, checkpoints.ARRAYS))
        content = path.read_bytes()
        if path.name == checkpoints.MANIFEST:
            return path.name, as_json(change_document(json.loads(content), random), random)
        return path.name, change_bytes(content, random)

    def _take_checkpoint(self, case: Input) -> None:
        folder = self._folder / "checkpoint"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._checkpoint, folder)
        (folder / case.name).write_bytes(case.content)
        with suppress(ValueError, TypeError, RecursionError):  # the file may no longer be a manifest
            # Write checksums that fit, as an attacker would; otherwise, the program would read nothing else.
            manifest = dict(json.loads((folder / checkpoints.MANIFEST).read_bytes()))
            manifest.pop("seal", None)
            if case.name == checkpoints.ARRAYS:
                manifest["checksum"] = disk.checksum(case.content)
            sealed = {**manifest, "seal": checkpoints._seal(manifest)}
            (folder / checkpoints.MANIFEST).write_text(json.dumps(sealed))
        checkpoints.load(folder, self._dataset)

    def _make_cache(self, random: Random) -> tuple[str, bytes]:
        path = random.choice([*self._clean.iterdir(), cache.folder_of("demo") / "dataset.json"])
        content = path.read_bytes()
        if path.suffix == ".json":
            return path.name, as_json(change_document(json.loads(content), random), random)
        return path.name, change_bytes(content, random)

    def _take_cache(self, case: Input) -> None:
        names = name_index.MOVIES, name_index.USERS
        if case.name in ("dataset.json", *names):
            path = (self._clean if case.name in names else cache.folder_of("demo")) / case.name
            before = path.read_bytes()
            path.write_bytes(case.content)
            try:
                for file in names:
                    name_index.read("demo", str(self._cleaning), file)
                catalogue.list_stored()
                cache.describe("demo")
            finally:
                path.write_bytes(before)
            return
        folder = self._folder / "clean"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._clean, folder)
        (folder / case.name).write_bytes(case.content)
        _seal_again(folder, case)
        _ = cache.load_clean("demo", self._cleaning, folder).ratings.user  # reads them
        cache.load_report(folder)
        cache.load_summary(folder)


def _seal_again(folder: Path, case: Input) -> None:
    """Update the checksum of the changed file and the seal of the manifest, so that the program reads these files."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_bytes())
        manifest.pop("seal", None)
        if case.name != path.name:
            for name, checksum in manifest["files"].items():
                if f"{name}.parquet" == case.name and isinstance(checksum, str):
                    manifest["files"][name] = disk.checksum(case.content)
        path.write_text(json.dumps({**manifest, "seal": parquet._seal(manifest)}))
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return  # the file is no longer a manifest


# Valid inputs and their changes


_PARTS = (
    *("+Comedy", "-Horror", "1980..1999", "1980..", "..1999", ">=50", "<=110m", ">=90m", "@Scorsese", '@"Joel Coen"'),
    *('"alien"', "alien", ">", "<", "+", "-", "@", '"', "..", "99999..1", ">=999999999999m", ":saved"),
    *("#space", "-#twist-ending", "lang:ko", "-country:us", 'country:"south korea"', "@Weaver", "-@", "#", "lang:"),
    *("list:shelf", '-list:"Rainy evenings"', "list:", 'list:"', "+list:x"),
)


def _filter(random: Random) -> tuple[str, bytes]:
    line = " ".join(random.sample(_PARTS, random.randint(0, 5))).encode()
    return "filter.txt", change_bytes(line, random)


_MOVIE_FILES = (
    "Heat.1995.1080p.BluRay.x264-GRP.cd1",
    "Matrix, The (1999) {imdb-tt0133093} [tmdbid-603]",
    '<movie><uniqueid type="imdb" default="true">tt0113277</uniqueid><imdbid>tt0113277</imdbid><tmdbid>949</tmdbid>',
    "https://www.imdb.com/title/tt0113277/ https://www.themoviedb.org/movie/949 <tvshow>",
)


def _movie_file(random: Random) -> tuple[str, bytes]:
    return "movie.nfo", change_bytes(random.choice(_MOVIE_FILES).encode() * random.choice((1, 2, 1000)), random)


_VIEWER = {"kind": "user", "id": "1", "rated": [["alien 1979", 4.0]], "seen": [], "hidden": []}
_QUERY = {"viewers": [_VIEWER], "misery": 0.6}
_PAIR = [_VIEWER, {**_VIEWER, "id": "2"}]
_DEMO = {"dataset": "demo", "cleaning": "standard"}
_REQUESTS: tuple[dict[str, Any], ...] = (
    {"do": "rank", "arguments": {"query": {**_QUERY, "filter": "+Comedy", "daring": 0.2}, "offset": 0, "limit": 10}},
    {
        "do": "rank",
        "arguments": {"query": {**_QUERY, "filter": "list:a", "lists": {"A": ["x"]}}, "offset": 0, "limit": 10},
    },
    {"do": "rank", "arguments": {"query": {**_QUERY, "viewers": _PAIR, "way": "borda"}, "offset": 0, "limit": 9}},
    {"do": "find_users", "arguments": {"search": "1", "offset": 0, "limit": 10}},
    {"do": "movie_details", "arguments": {"viewers": [_VIEWER], "movies": ["7"]}},
    {"do": "similar_movies", "arguments": {"movie": "7", "limit": 5}},
    {"do": "complete_filter", "arguments": {"text": "list:s", "lists": {"shelf": 3}}},
    {"do": "surprise", "arguments": {"query": _QUERY, "draw": 7}},
    {"do": "taste", "arguments": {"viewers": [_VIEWER]}},
    {"do": "search", "arguments": {"words": "alein"}},
    {"do": "removed_rows", "arguments": {**_DEMO, "rule": "no-genre", "offset": 0, "limit": 3}},
    {"do": "cleaning_report", "arguments": _DEMO},
    {"do": "imdb_report", "arguments": {"dataset": "demo"}},
)


def _request(random: Random) -> tuple[str, bytes]:
    return "request.json", as_json(change_document(random.choice(_REQUESTS), random), random)


_CHILD_MESSAGES: tuple[dict[str, Any], ...] = (
    {"id": 1, "result": {"rows": [], "total": 0}},
    {"id": 1, "problem": "There is no such movie."},
    {"event": "stage", "name": "Reading", "done": 1, "total": 2, "unit": "", "note": "", "rate": 0, "finished": False},
    {"event": "epoch", "phase": "curve", "epoch": 1, "of": 2, "train_loss": 0.9, "validation_loss": None},
    {"event": "failed", "problem": "There is no such model."},
    {"event": "done", "result": {"rows": []}},
)


def _child_lines(random: Random) -> tuple[str, bytes]:
    lines = [
        as_json(change_document(random.choice(_CHILD_MESSAGES), random), random) for _ in range(random.randint(1, 3))
    ]
    return "lines.json", b"\n".join(lines) + random.choice((b"\n", b"\n", b""))


def _take_child_lines(case: Input) -> None:
    """Let the app read the input as if a child process had sent it: first as from a job, then as from an engine."""

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        unhandled: list[str] = []
        loop.set_exception_handler(
            lambda _, context: unhandled.append(f"{context['message']} {context.get('exception')!r}")
        )

        async def start(*_: object, **__: object) -> Any:
            return _Child(case.content)

        original, child_processes._start = child_processes._start, start
        try:
            job = child_processes.Job()
            events = [event["event"] async for event in job.events({"do": "train"})]
            if not any(end in events for end in ("done", "failed", "cancelled")):
                raise AssertionError(f"the job ends without a final event, after {events}")
            engine = child_processes.Engine()
            await engine.start()
            try:
                await engine.ask(Requests.presets)
            except Problem:
                pass
            finally:
                await engine.close()
        finally:
            child_processes._start = original
        if unhandled:
            raise AssertionError(unhandled[0])

    asyncio.run(listen())


class _Child:
    """Stands in for a child process that sends the input and ends."""

    returncode = 0

    def __init__(self, content: bytes) -> None:
        self.stdin = self
        self.stdout, self.stderr = (asyncio.StreamReader(child_processes.LINE_LIMIT) for _ in range(2))
        self.pid = 0
        self._content = content
        self.stderr.feed_eof()

    def write(self, line: bytes) -> None:
        """Receive a request. In reply to the first one, send the whole input."""
        if not self.stdout.at_eof():
            self.stdout.feed_data(self._content)
            self.stdout.feed_eof()
        self._content = b""

    async def drain(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close standard input; standard output then ends too."""
        self.stdout.feed_eof()

    def is_closing(self) -> bool:
        """Return False: standard input stays open, so the client may always write to it."""
        return False

    def kill(self) -> None:
        """Do nothing: the process has ended."""

    terminate = kill_now = kill

    async def wait(self) -> int:
        """Return the exit code."""
        return self.returncode

    async def end(self) -> None:
        """Close standard input; the process itself has already ended."""
        self.close()


def _tables() -> dict[str, tuple[bytes, bytes]]:
    """Return exports by file name, each with the separator of its cells."""
    movies = [
        exports.letterboxd_row("Fargo", 1996, 4.5),
        exports.letterboxd_row("Amélie, or not", 2001, "0.5", "2021-01-05"),
        exports.letterboxd_row("Ran", 1985, 5, "2020-03-03", **{"watched date": "2020-03-01", "rewatch": "Yes"}),
    ]
    rows = [exports.imdb_row("tt0116282", 9, "Fargo", 1996), exports.imdb_row("tt0078748", 1, "Alien", 1979, "Video")]
    tables = {name.rpartition("/")[2]: exports.table(header, movies) for name, header in exports.LETTERBOXD.items()}
    tables |= {f"imdb-{name}.csv": exports.table(header, rows) for name, header in exports.IMDB.items()}
    tables["WATCHLIST.csv"] = exports.table(exports.IMDB_LIST, rows)
    movielens_row = {"movie_id": 1, "imdb_id": 114709, "tmdb_id": 862, "rating": 4.5, "title": "Toy Story (1995)"}
    tables["movielens.csv"] = exports.table(exports.MOVIELENS, [movielens_row])
    tmdb = {"tmdb id": 862, "imdb id": "tt0114709", "type": "movie", "name": "Toy Story", "release date": "1995-10-30"}
    tables["tmdb.csv"] = exports.table(exports.TMDB, [{**tmdb, "your rating": 8, "date rated": "2020-01-05T10:00:00Z"}])
    tables["own.csv"] = b"title,year,rating\nFargo,1996,4\nAlien,1979,3.5\n"
    tables["own.txt"] = b"Fargo (1996)\nAlien (1979)\n"
    separators = dict.fromkeys(tables, b",")
    tables["own;.csv"] = "Titel;Jahr;Note\nFargo;1996;4,5\n".encode("latin-1")
    return {name: (content, separators.get(name, b";")) for name, content in tables.items()}


_TABLES = _tables()
_TRAKT = [
    exports.trakt_entry("Fargo", 1996, imdb="tt0116282", tmdb=275, rated_at="2020-01-05T10:00:00.000Z", rating=9),
    exports.trakt_entry("Alien", 1979, watched_at="2020-01-05T10:00:00.000Z", plays=3),
    {"type": "show", "show": {"title": "Fargo", "year": 2014}},
]


def _export(random: Random) -> tuple[str, bytes]:
    if random.random() < 0.2:
        name = random.choice(("ratings-movies.json", "history-1.json", "lists-watchlist.json", "watched-movies.json"))
        return name, as_json(change_document(_TRAKT, random), random)
    name = random.choice(list(_TABLES))
    content, separator = _TABLES[name]
    if random.random() < 0.05:
        content = content.decode("latin-1").encode("utf-16")
    return name, change_table(content, separator, random)


def _zip(random: Random) -> tuple[str, bytes]:
    content = _packed(random.choice((*files.LAYOUTS, "export")), random.choice(_METHODS), random.choice(_FOLDERS))
    if random.random() < 0.3:  # damage the central directory: sizes, methods, offsets
        at = content.rfind(b"PK\1\2") + random.randrange(46)
        return "export.zip", content[:at] + random.randbytes(random.choice((1, 2, 4))) + content[at + 1 :]
    return "export.zip", change_bytes(content, random)


_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_FOLDERS = ("", "", "x/", "../", "/", "a/../../", "\x1b[31m", "C:\\", "likes/", "x" * 300)


@cache_of
def _packed(layout: str, method: int, folder: str) -> bytes:
    """Return an archive of a dataset or of an export."""
    exported = {name: content for name, (content, _) in _TABLES.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in (exported if layout == "export" else files.contents(layout=layout)).items():
            archive.writestr(folder + name, content)
    return file.getvalue()


def _config(random: Random) -> tuple[str, bytes]:
    content = b'[keys]\nbrowse.hide = "ctrl+x,F"\n"list.down" = "f9"\n[keys.train]\nuse = "U"\n'
    nested = b"a=" + b"[" * random.choice((10, 400, 20_000))
    return "config.toml", nested if random.random() < 0.01 else change_table(content, b" ", random)


def _imdb(random: Random) -> tuple[str, bytes]:
    tables = {
        "title.basics": (imdb_samples.BASICS, [imdb_samples.basics(number, "Alien", 1979) for number in range(9)]),
        "title.ratings": (imdb_samples.RATINGS, [imdb_samples.rating(number, 100) for number in range(9)]),
        "title.crew": (imdb_samples.CREW, [imdb_samples.crew(number, 1, 2) for number in range(9)]),
        "title.principals": (imdb_samples.PRINCIPALS, [imdb_samples.principal(n, n, n) for n in range(9)]),
        "title.akas": (imdb_samples.AKAS, [imdb_samples.aka(n, "Alien", "US", "en") for n in range(9)]),
        "name.basics": (imdb_samples.NAMES, [imdb_samples.person(number, "Joel Coen") for number in range(9)]),
    }
    name = random.choice(list(tables))
    content = change_table(imdb_samples.lines(*tables[name]), b"\t", random)
    packed = gzip.compress(content, 1, mtime=0)
    return f"{name}.tsv.gz", change_bytes(packed, random) if random.random() < 0.3 else packed


_SEPARATORS = {"u.data": b"\t", "u.item": b"|", "u.user": b"|"}


def _dataset(random: Random) -> tuple[str, bytes]:
    layout = random.choice(files.LAYOUTS)
    contents = files.contents(files.tags(layout), layout)
    name = random.choice(list(contents))
    separator = _SEPARATORS.get(name, b"::" if name.endswith(".dat") else b",")
    return f"{layout}/{name}", change_table(contents[name], separator, random)


def _store_sample(folder: Path) -> bytes:
    """Return the content of a store with a few ratings, an undone mark, two runs and a choice."""
    path = folder / "sample.sqlite3"
    with closing(Store(path)) as store:
        for number, stars in enumerate((4.0, 2.5, 5.0)):
            store.rate(ANNA, Movie(f"movie {number}", f"Movie {number}", 1990), stars)
        store.mark(ANNA, Movie("alien 1979", "Alien", 1979), "watchlist")
        store.undo([ANNA])
        run = store.start_run("mf", "demo", "standard", "random90", 0, {"factors": 4})
        store.end_run(run, "done", curve=[{"epoch": 1, "train_loss": 0.9}], metrics={"rmse": 0.9}, best_epoch=1)
        store.start_run("bias", "demo", "standard", "random90", 0, {})
        store.choose("filter:saved", "+Comedy")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    return path.read_bytes()


def _read_runs(path: Path) -> list[Run]:
    with closing(Store(path)) as store:
        return store.runs()
