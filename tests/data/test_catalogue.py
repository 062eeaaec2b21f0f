import errno
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue
from movietui.data.cleaning.cleaner import PRESETS
from movietui.data.dataset import Dataset, Scale
from movietui.data.fetch import sources
from movietui.data.movielens import reader as movielens
from movietui.data.movielens.release import Raw
from movietui.data.problems import Cancelled, Problem
from movietui.data.progress import Report, Stage
from movietui.data.storage import atomic_files, cache, locations, parquet
from tests.data.cleaned import by_rule
from tests.data.files import MOVIES, contents, lines, movie_line, write_folder, write_zip

ROOT = Path(__file__).parents[2]
RATINGS = len(lines()["u.data"])


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} if folder.exists() else set()


def assert_same(one: Dataset, two: Dataset) -> None:
    assert one.fingerprint == two.fingerprint
    assert (one.name, one.cleaning, one.scale) == (two.name, two.cleaning, two.scale)
    for key in ("user", "movie", "stars", "time"):
        first, second = getattr(one.ratings, key), getattr(two.ratings, key)
        assert first.dtype == second.dtype
        assert (first == second).all()
    assert (one.users.ids, one.users.gender, one.users.occupation) == (
        two.users.ids,
        two.users.gender,
        two.users.occupation,
    )
    assert one.users.zip_code == two.users.zip_code
    for key in ("age", "gender_code"):
        assert getattr(one.users, key).tolist() == getattr(two.users, key).tolist()
    assert one.movies.months.tolist() == two.movies.months.tolist()
    assert (one.movies.ids, one.movies.titles, one.movies.keys) == (two.movies.ids, two.movies.titles, two.movies.keys)
    assert (one.movies.years == two.movies.years).all()
    assert one.movies.genres.dtype == two.movies.genres.dtype == np.dtype(bool)
    assert (one.movies.genres == two.movies.genres).all()


def test_get_load_and_load_again(small_zip: Path) -> None:
    result = catalogue.get("small", small_zip)
    assert (result.source, result.ratings, result.users, result.movies) == ("path", RATINGS, 12, MOVIES)
    for preset in PRESETS:
        assert_same(catalogue.load("small", preset), catalogue.load("small", preset))
    loaded = catalogue.load("small")
    assert loaded.ratings.stars.flags.writeable
    assert catalogue.load("small", "none").fingerprint != loaded.fingerprint  # the preset standard drops the zip codes
    assert catalogue.get("small").source == "cache"


def test_tables_of_several_groups_of_rows(small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP", 7)
    catalogue.get("small", small_zip)
    assert_same(catalogue.load("small", "none"), catalogue.load("small", "none"))


def test_rows_of_the_preset_none_are_those_of_the_file(small_zip: Path) -> None:
    catalogue.get("small", small_zip)
    dataset = catalogue.load("small", "none")
    rows = zip(dataset.ratings.user, dataset.ratings.movie, dataset.ratings.stars, dataset.ratings.time, strict=True)
    assert [
        f"{dataset.users.ids[user]}\t{dataset.movies.ids[movie]}\t{stars:g}\t{time}"
        for user, movie, stars, time in rows
    ] == lines()["u.data"]


def test_movies_are_encoded(tmp_path: Path) -> None:
    items = [
        movie_line(7, "Usual Suspects, The (1995)", "14-Aug-1996", ("Crime", "Thriller")),
        movie_line(5, "Nameless", "14-Aug-1996", ()),
        movie_line(6, "[b]", "", ("unknown",)),
    ]
    # The ids are out of order, both in the files and in the ratings.
    rated = ["3\t7\t5\t880000000", "3\t99\t4\t880000001", "88\t5\t1\t880000002"]
    files = contents({"u.item": items, "u.data": rated})
    catalogue.get("own", write_folder(tmp_path / "files", files))
    dataset = catalogue.load("own", "none")
    movies = dataset.movies
    assert movies.ids == ("7", "5", "6", "99")
    assert movies.titles == ("The Usual Suspects", "Nameless", "[b]", "Movie 99")
    assert movies.years.tolist() == [1995, 1996, 0, 0]
    assert movies.genres_of(0) == ["Crime", "Thriller"]
    assert "unknown" not in movies.genre_names
    assert dataset.users.ids[-1] == "88"
    assert len(dataset.users.gender) == len(dataset.users.age) == len(dataset.users)
    assert [dataset.users.ids[user] for user in dataset.ratings.user] == ["3", "3", "88"]
    assert [movies.ids[movie] for movie in dataset.ratings.movie] == ["7", "99", "5"]
    assert movies.rows_by_key["the usual suspects 1995"] == (0,)


def test_the_list_of_datasets(small_zip: Path) -> None:
    names = ["ml-100k", "ml-1m", "ml-latest-small", "ml-10m", "ml-20m", "ml-25m", "ml-32m", "ml-latest"]
    assert [(listed.name, listed.state) for listed in catalogue.list_datasets()] == [
        ("demo", "invented"),
        *((name, "available") for name in names),
    ]
    assert {listed.bytes for listed in catalogue.list_datasets()} == {0}
    catalogue.get("small", small_zip)
    listed = {listed.name: listed for listed in catalogue.list_datasets()}
    assert (listed["small"].state, listed["small"].ratings, listed["small"].users) == ("ready", RATINGS, 12)
    assert listed["small"].bytes == listed["small"].disk > 1000
    assert (listed["small"].first_year, listed["small"].last_year) == (None, None)  # not cleaned yet
    years = catalogue.load("small").movies.years
    (small,) = (each for each in catalogue.list_datasets() if each.name == "small")
    assert (small.first_year, small.last_year) == (years[years > 0].min(), years.max())
    large = listed["ml-32m"]
    assert (large.on_disk, large.ratings, large.movies, large.last_year) == (False, 32_000_204, 87_585, 2023)
    assert large.disk > large.download == 238_950_008
    json.dumps([each.to_json() for each in listed.values()])


def test_the_years_of_a_release_that_changes_are_its_own(small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources.SOURCES, "ml-latest", replace(sources.SOURCES["ml-latest"], ratings_file="u.data"))
    catalogue.get("ml-latest", small_zip)
    years = catalogue.load("ml-latest").movies.years
    (latest,) = (each for each in catalogue.list_datasets() if each.name == "ml-latest")
    assert latest.last_year == years.max() != 2023


def test_the_note_about_a_scale_counts_stars(small_zip: Path) -> None:
    raw = movielens.read(small_zip)
    for low, words in ((2.0, "2 is shown as 1 star, and 10 as 5"), (1.0, "1 is shown as 0.5 stars, and 10 as 5")):
        assert words in catalogue._scale_note(replace(raw, scale=Scale(low, 10.0, low)))


def test_a_different_checksum_or_size_is_noted(small_zip: Path) -> None:
    note = catalogue.get("ml-100k", small_zip).note
    assert "its checksum is not that of the published archive" in note
    assert "240 ratings; the published dataset has 100,000" in note
    assert catalogue.get("ml-100k").note == note


def test_malformed_lines_are_noted(tmp_path: Path) -> None:
    files = contents({"u.data": ["nonsense", *lines()["u.data"]]})
    assert catalogue.get("own", write_folder(tmp_path / "files", files)).note == "1 malformed line was skipped."
    assert by_rule(catalogue.clean("own"))["malformed-lines"].removed == 1


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "A", "-x", "a b", "x\x1b[31m", "x" * 65, ".hidden"])
def test_invalid_dataset_names(name: str, small_zip: Path, home: Path) -> None:
    with pytest.raises(Problem, match="cannot be the name") as error:
        catalogue.get(name, small_zip)
    assert "\x1b" not in str(error.value)
    with pytest.raises(Problem):
        catalogue.load(name)
    assert everything(home) == set()


def test_unknown_datasets(small_zip: Path) -> None:
    for call in (catalogue.get, catalogue.load, catalogue.clean, catalogue.show):
        with pytest.raises(Problem, match="There is no dataset ml-99; datasets: demo, ml-100k"):
            call("ml-99")
    with pytest.raises(Problem, match="The name demo is reserved"):
        catalogue.get("demo", small_zip)


def test_the_error_for_a_missing_dataset_says_how_to_get_it() -> None:
    with pytest.raises(Problem, match=r"^ml-100k is not on disk yet; run movietui data get ml-100k\.$"):
        catalogue.load("ml-100k")


def test_without_network_the_error_names_both_remedies(home: Path) -> None:
    with pytest.raises(Problem) as error:
        catalogue.get("ml-100k")
    sentence = str(error.value)
    assert "switched off" in sentence
    assert "movietui data get ml-100k --from PATH" in sentence
    assert "demo" in sentence
    assert everything(home) == set()


def test_the_report_is_stored(small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue.get("small", small_zip)
    report = catalogue.clean("small")

    def never(*_: object) -> None:
        raise AssertionError("cleaned again")

    monkeypatch.setattr(catalogue, "cleaned", never)
    assert catalogue.clean("small") == report
    with pytest.raises(AssertionError):
        catalogue.clean("small", "none")


def test_other_rules_do_not_reuse_the_old_tables(small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue.get("small", small_zip)
    assert catalogue.load("small").ratings.stars.size == RATINGS
    few = catalogue.load("small", "standard +few-ratings-movies:8")
    assert (len(few.ratings) < RATINGS, few.cleaning) == (True, "standard +few-ratings-movies:8")
    assert len(catalogue.load("small", "standard +few-ratings-movies:7").ratings) > len(few.ratings)
    monkeypatch.setattr(cache, "VERSION", 0)
    assert catalogue.report_of("small") is None


def test_a_stored_cleaning_is_reused_however_it_is_written(small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue.get("small", small_zip)
    report = catalogue.clean("small", "standard +old-movies -no-genre")
    monkeypatch.setattr(catalogue, "cleaned", None)
    assert catalogue.clean("small", "standard  -no-genre +old-movies:1930") == report
    assert catalogue.load("small", "standard +old-movies -no-genre").cleaning == report.preset
    assert catalogue.get("small", small_zip).ratings == RATINGS  # removes folders that are no longer used
    assert catalogue.report_of("small", "standard -no-genre +old-movies") == report


def test_a_preview_stores_nothing(small_zip: Path, home: Path) -> None:
    catalogue.get("small", small_zip)
    before = everything(home)
    shown = catalogue.preview("small", "standard +few-ratings-movies:8")
    rows = catalogue.removed_rows("small", "standard", "few-ratings-movies", 0, 10)
    assert everything(home) == before
    assert shown == catalogue.clean("small", "standard +few-ratings-movies:8")
    assert (rows.on, rows.total) == (False, 0)


@pytest.mark.parametrize(
    "look",
    [
        lambda: catalogue.preview("demo", "standard"),
        lambda: catalogue.removed_rows("demo", "standard", "no-genre", 0, 10),
    ],
    ids=["preview", "removed rows"],
)
def test_looking_at_a_demo_that_was_removed_does_not_bring_it_back(look: Callable[[], object]) -> None:
    catalogue.get("demo")
    catalogue.remove("demo")
    with pytest.raises(Problem, match="demo is not on disk yet"):
        look()
    assert cache.names() == []


def test_a_preview_uses_the_current_file(tmp_path: Path, small_zip: Path) -> None:
    catalogue.get("small", small_zip)
    assert catalogue.preview("small", "none").ratings == RATINGS
    catalogue.get("small", write_folder(tmp_path / "files", contents({"u.data": lines()["u.data"][:100]})))
    assert catalogue.preview("small", "none").ratings == 100
    with pytest.raises(Problem, match="There is no dataset tiny"):
        catalogue.preview("tiny", "none")
    with pytest.raises(Problem, match="There is no cleaning 'spotless'"):
        catalogue.preview("small", "spotless")


@pytest.mark.parametrize("stage", ["Cleaning", "Encoding", "Storing"])
def test_a_dataset_replaced_during_cleaning_is_cleaned_again(tmp_path: Path, small_zip: Path, stage: str) -> None:
    other = write_folder(tmp_path / "files", contents({"u.data": lines()["u.data"][:100]}))
    seen: list[str] = []

    def swap(step: Stage) -> None:
        if step.name == stage and not seen:
            seen.append(stage)
            catalogue.get("small", other)

    catalogue.get("small", small_zip)
    assert catalogue.clean("small", "none", swap).ratings == 100
    assert seen
    assert len(catalogue.load("small", "none").ratings) == 100
    catalogue.get("small", small_zip)
    assert catalogue.preview("small", "none").ratings == RATINGS == len(catalogue.load("small", "none").ratings)


def test_a_preview_is_cached_under_the_digest_of_its_tables(
    tmp_path: Path, small_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_folder(tmp_path / "files", contents({"u.data": lines()["u.data"][:100]}))
    load_raw = cache.load_raw

    def late(*arguments: str) -> Raw:
        monkeypatch.setattr(cache, "load_raw", load_raw)
        catalogue.get("small", other)  # after the digest has been read, and before the tables are read
        return load_raw(*arguments)

    catalogue.get("small", small_zip)
    catalogue._cleaner.cache_clear()
    monkeypatch.setattr(cache, "load_raw", late)
    assert catalogue.preview("small", "none").ratings == 100
    catalogue.get("small", small_zip)
    assert catalogue.preview("small", "none").ratings == RATINGS


@pytest.mark.parametrize("stage", ["Cleaning", "Encoding", "Storing"])
@pytest.mark.parametrize("call", [catalogue.clean, catalogue.load, catalogue.show])
def test_a_dataset_removed_during_cleaning(small_zip: Path, call: Callable[..., object], stage: str) -> None:
    def remove(step: Stage) -> None:
        if step.name == stage and cache.names():
            catalogue.remove("small")

    catalogue.get("small", small_zip)
    with pytest.raises(Problem, match="There is no dataset small"):
        call("small", report=remove)
    assert not cache.folder_of("small").exists()


def test_another_file_under_the_same_name_replaces_the_old(tmp_path: Path, small_zip: Path) -> None:
    catalogue.get("small", small_zip)
    first = catalogue.load("small")
    folders = everything(cache.folder_of("small"))
    catalogue.get("small", write_folder(tmp_path / "files", contents({"u.data": lines()["u.data"][:100]})))
    assert len(catalogue.load("small").ratings) == 100
    assert catalogue.load("small").fingerprint != first.fingerprint
    assert len(everything(cache.folder_of("small"))) == len(folders)  # the old tables are removed


def damages() -> list[Callable[[Path], None]]:
    def cut(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:-10])

    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        path.write_bytes(content)

    def empty(path: Path) -> None:
        path.write_bytes(b"")

    return [cut, flip, empty, Path.unlink]


@pytest.mark.parametrize("damage", damages())
@pytest.mark.parametrize("file", ["ratings.parquet", "movies.parquet", "users.parquet", "manifest.json"])
def test_damaged_cleaned_tables_are_rebuilt(small_zip: Path, file: str, damage: Callable[[Path], None]) -> None:
    catalogue.get("small", small_zip)
    before = catalogue.load("small")
    (path,) = cache.folder_of("small").glob(f"standard-*/{file}")
    damage(path)
    stages: list[Stage] = []
    assert_same(catalogue.load("small", report=stages.append), before)
    assert "damaged" in stages[0].note
    stages.clear()
    assert_same(catalogue.load("small", report=stages.append), before)
    assert stages == []


@pytest.mark.parametrize("damage", damages())
@pytest.mark.parametrize("file", ["raw-*/ratings.parquet", "raw-*/manifest.json", "dataset.json"])
def test_damaged_raw_tables(small_zip: Path, file: str, damage: Callable[[Path], None]) -> None:
    catalogue.get("small", small_zip)
    catalogue.load("demo")
    for name in ("small", "demo"):
        (path,) = cache.folder_of(name).glob(file)
        damage(path)
    assert len(catalogue.load("demo", "none").ratings) > 20_000
    with pytest.raises(Problem, match=r"movietui data get small --from PATH"):
        catalogue.load("small", "none")
    assert catalogue.get("small", small_zip).ratings == RATINGS
    assert len(catalogue.load("small", "none").ratings) == RATINGS


def stopping_after(number: int, stop: type[BaseException]) -> Report:
    """Return a function to report to, which raises ``stop`` after this many calls."""
    seen = 0

    def report(stage: Stage) -> None:
        nonlocal seen
        seen += 1
        if seen > number:
            raise stop

    return report


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
def test_stopping_leaves_nothing_half_written(small_zip: Path, home: Path, stop: type[BaseException]) -> None:
    stopped = 0
    for number in range(40):
        try:
            catalogue.get("small", small_zip, stopping_after(number, stop))
            break
        except stop:
            stopped += 1
            assert not any(".tmp" in name for name in everything(home))
    assert stopped >= 3
    for number in range(40):
        try:
            catalogue.load("small", "standard", stopping_after(number, stop))
            break
        except stop:
            stopped += 1
            assert not any(".tmp" in name for name in everything(home))
    assert stopped >= 10
    assert len(catalogue.load("small").ratings) == RATINGS


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_leaves_the_old_tables(
    small_zip: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    expected: type[BaseException] = Problem if isinstance(error, OSError) else KeyboardInterrupt
    other = write_zip(tmp_path / "other.zip", contents({"u.data": lines()["u.data"][:100]}))
    write_new = atomic_files.write_new
    for allowed in range(6):  # three tables, the manifest, dataset.json
        written = 0

        def full(path: Path, content: bytes, durable: bool = True, allowed: int = allowed) -> None:
            nonlocal written
            if written == allowed:
                path.write_bytes(content[: len(content) // 2])
                raise error
            written += 1
            write_new(path, content, durable=durable)

        monkeypatch.setattr(atomic_files, "write_new", write_new)
        catalogue.get("small", small_zip)
        catalogue.load("small")
        before = everything(home)
        monkeypatch.setattr(atomic_files, "write_new", full)
        if allowed == 5:
            assert catalogue.get("small", other).ratings == 100
            break
        with pytest.raises(expected) as raised:
            catalogue.get("small", other)
        if isinstance(error, OSError):
            assert "disk is full" in str(raised.value)
        assert everything(home) == before
        assert len(catalogue.load("small").ratings) == RATINGS


def test_a_disk_that_is_full_from_the_start(small_zip: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes, durable: bool = True) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic_files, "write_new", full)
    with pytest.raises(Problem, match="disk is full"):
        catalogue.get("small", small_zip)
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert not (locations.datasets() / "small").exists()


def test_a_home_that_cannot_be_written(tmp_path: Path, small_zip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MOVIETUI_HOME", str(tmp_path / "file"))
    assert len(catalogue.list_datasets()) == len(sources.SOURCES)
    with pytest.raises(Problem, match="could not be written"):
        catalogue.get("small", small_zip)


def test_the_facts_shown(small_zip: Path) -> None:
    catalogue.get("ml-100k", small_zip)
    facts = catalogue.show("ml-100k", "standard +old-movies")
    json.dumps(facts, allow_nan=False)
    assert facts["preset"] == "standard +old-movies"
    assert facts["ratings"] == RATINGS == sum(facts["stars"].values())
    assert "Harper" in facts["citation"]
    assert "research" in facts["terms"]
    assert catalogue.show("ml-100k", "standard +old-movies") == facts  # now from the stored summary


def fresh(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    ).stdout.strip()


HEAVY = "print(sorted({'pandas', 'torch', 'textual', 'requests'} & set(sys.modules)))"


def test_a_fresh_process_loads_without_heavy_modules(small_zip: Path) -> None:
    catalogue.get("small", small_zip)
    catalogue.load("small")
    code = "import sys; from movietui.data import catalogue; d = catalogue.load('small'); catalogue.clean('small'); "
    code += "catalogue.show('small'); catalogue.list_datasets(); assert len(d.ratings) == 240; "
    assert fresh(code + HEAVY) == "[]"


def test_nothing_in_data_imports_torch_or_textual() -> None:
    # ``pacing`` is left out, because it imports requests and is imported only when a download begins. ``cluster`` is
    # left out, because only ``movietui cluster`` imports it.
    paths = [
        path.relative_to(ROOT).with_suffix("")
        for path in (ROOT / "data").rglob("*.py")
        if path.stem not in ("__init__", "pacing") and path.parent.name != "cluster"
    ]
    names = " ".join(".".join(("movietui", *path.parts)) for path in paths)
    assert "movietui.data.movielens.number_columns" in names
    code = f"import sys, importlib; [importlib.import_module(name) for name in '{names}'.split()]; "
    assert fresh(code + HEAVY) == "[]"


def test_processes_that_read_parquet_exit_cleanly() -> None:
    # When pyarrow's threads read a Python file object, they can abort the interpreter at exit.
    catalogue.load("demo")
    code = "from movietui.data.storage import cache; from movietui.data import catalogue; catalogue.load('demo'); "
    code += "cache.load_raw('demo', cache.describe('demo')['raw'])"
    processes = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)]
    results = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
    assert results == [(b"", 0)] * 3


def test_several_processes_at_once(small_zip: Path) -> None:
    catalogue.get("small", small_zip)
    code = "from movietui.data import catalogue; print(catalogue.load('small').fingerprint)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert {process.communicate(timeout=300)[0].strip() for process in processes} == {
        catalogue.load("small").fingerprint
    }
    assert not any(".tmp" in name for name in everything(locations.datasets()))


@pytest.mark.real
def test_published_files(datasets_folder: Path) -> None:
    result = catalogue.get("ml-100k", datasets_folder / "ml-100k.zip")
    assert (result.ratings, result.users, result.movies) == (100_000, 943, 1682)
    assert "its checksum is not that of the published archive" in result.note
    raw, clean = catalogue.load("ml-100k", "none"), catalogue.load("ml-100k")
    assert (len(raw.ratings), len(raw.movies)) == (100_000, 1682)
    assert (len(clean.ratings), len(clean.users), len(clean.movies)) == (99_683, 943, 1662)
    assert raw.movies.label(raw.movies.row["12"]) == "The Usual Suspects (1995)"
    assert sum(len(rows) > 1 for rows in raw.movies.rows_by_key.values()) == 18
