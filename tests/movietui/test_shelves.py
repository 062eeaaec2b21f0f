"""Lists are changed by hand, filled from files and folders, filtered by, exported, and undone."""

import os
import threading
from pathlib import Path

import pytest

from movietui.answers import named_lists
from movietui.answers.lists import same_movies
from movietui.data import catalogue
from movietui.data.imports.matching import Matcher
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.backup import restore
from movietui.store.named_lists import ListEntry, StoredList
from movietui.store.ratings import LIST, Ids, Movie, Store
from tests.data.exports import IMDB_LIST, imdb_row, table
from tests.data.files import write_zip
from tests.data.labelled import dataset
from tests.movietui.commands import Run, document, refused

ANNA, TOM = profile("anna"), profile("tom")
RAN, HEAT = ListEntry("ran 1985", "Ran", 1985), ListEntry("heat 1995", "Heat", 1995)


@pytest.fixture
def demo(home: Path) -> None:
    catalogue.get("demo")


@pytest.fixture
def labels(demo: None) -> list[str]:
    """The titles and years of the first movies of the demo."""
    movies = catalogue.load("demo").movies
    return [f"{movies.titles[row]} ({movies.years[row]})" for row in range(6)]


@pytest.fixture
def folder(tmp_path: Path, labels: list[str]) -> Path:
    """A folder with the files of the first three movies of the demo, of a movie that it lacks, and of an episode."""
    for name in (*labels[:3], "Not In The Demo (1950)"):
        path = tmp_path / "movies" / name / f"{name}.mkv"
        path.parent.mkdir(parents=True)
        path.touch()
    (tmp_path / "movies" / "Show S01E01.mkv").touch()
    return tmp_path / "movies"


def on_list(run: Run, name: str = "shelf") -> set[str]:
    movies = document(run("list", "--profile", "anna", "show", name, "--json"))["movies"]
    return {f"{movie['title']} ({movie['year']})" for movie in movies}


# The store


def test_a_list_is_changed_and_undone_as_one_step(store: Store) -> None:
    store.create_profile("anna")
    assert store.change_list(ANNA, " Snow  days ", lambda movies: (*movies, RAN), "added Ran").added == [RAN]
    changed = store.change_list(ANNA, "SNOW days", lambda movies: (*movies, HEAT), "added Heat")
    assert (changed.stored, changed.before, changed.added) == (StoredList("Snow days", (RAN, HEAT)), (RAN,), [HEAT])
    assert store.change_list(ANNA, "snow days", lambda movies: movies, "nothing").added == []
    assert [(step.kind, step.note, step.lists) for step in store.history(ANNA)] == [
        (LIST, "added Heat", ("Snow days",)),
        (LIST, "added Ran", ("Snow days",)),
    ]
    store.undo([ANNA])
    assert store.list_named(ANNA, "snow days").movies == (RAN,)
    store.redo([ANNA])
    assert store.change_list(ANNA, "snow days", lambda movies: (), "removed the list").removed == [RAN, HEAT]
    assert store.lists(ANNA) == []
    store.take_back(store.history(ANNA)[0])
    assert store.list_named(ANNA, "snow days").movies == (RAN, HEAT)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "\x1b[31m"])
def test_an_invalid_name_changes_nothing(store: Store, name: str) -> None:
    store.create_profile("anna")
    with pytest.raises(Problem, match="name of a list has 1 to 200 characters"):
        store.change_list(ANNA, name, lambda movies: (RAN,), "added Ran")
    assert (store.lists(ANNA), store.history(ANNA)) == ([], [])


def test_two_windows_that_add_at_the_same_time_lose_nothing(store: Store) -> None:
    store.create_profile("anna")
    first_reads, second_asks = threading.Event(), threading.Event()

    def slowly(movies: tuple[ListEntry, ...]) -> tuple[ListEntry, ...]:
        first_reads.set()
        second_asks.wait(30)
        return (*movies, RAN)

    def in_another_window() -> None:
        other = Store(locations.store())
        first_reads.wait(30)
        second_asks.set()
        other.change_list(ANNA, "snow", lambda movies: (*movies, HEAT), "added Heat")
        other.close()

    window = threading.Thread(target=in_another_window)
    window.start()
    store.change_list(ANNA, "snow", slowly, "added Ran")
    window.join()
    assert store.list_named(ANNA, "snow").movies == (RAN, HEAT)


def test_changed_lists_are_backed_up_and_restored(store: Store, tmp_path: Path, run: Run) -> None:
    store.create_profile("anna")
    store.change_list(ANNA, "snow", lambda movies: (RAN, HEAT), "added 2 movies")
    store.rate(ANNA, Movie("ran 1985", "Ran", 1985), 4)
    with store.change():  # as if somebody had changed the file
        store.execute("INSERT INTO steps (viewer, kind, at) VALUES (1, 'hidden', '2020-01-01T00:00:00+00:00')")
        store.execute("INSERT INTO lists (viewer, step, name) VALUES (1, 3, 'of a mark')")
    backup = Path(document(run("backup", tmp_path / "b.sqlite3", "--json"))["backup"])
    restore(backup, tmp_path / "restored.sqlite3")
    restored = Store(tmp_path / "restored.sqlite3")
    assert restored.lists(ANNA) == [("snow", 2)]
    assert [step.kind for step in restored.history(ANNA)] == ["rating", LIST]
    restored.undo([ANNA])
    restored.undo([ANNA])
    assert restored.lists(ANNA) == []
    restored.close()


def test_a_list_counts_in_another_dataset(store: Store) -> None:
    store.create_profile("anna")
    old = dataset(("Se7en (1995)", "Emma (1996)"), name="old")
    new = dataset(("Seven (a.k.a. Se7en) (1995)", "Emma (2020)", "Ran (1985)"), name="new")
    listed = (ListEntry(old.movies.keys[0], "Se7en", 1995), ListEntry(old.movies.keys[1], "Emma", 1996), RAN)
    store.change_list(ANNA, "snow", lambda movies: listed, "added 3 movies")
    assert same_movies(store, new, [ANNA], lists=None).lists(ANNA) == {"snow": [new.movies.keys[0], new.movies.keys[2]]}
    assert same_movies(store, old, [ANNA], lists=None).lists(ANNA) == {"snow": list(old.movies.keys)}
    assert same_movies(store, old, [ANNA]).lists(ANNA, {"other"}) == {"snow": []}


# Commands


def test_movies_are_added_and_removed(run: Run, labels: list[str]) -> None:
    listed = ("list", "--profile", "anna", "--dataset", "demo")
    added = document(run(*listed, "add", "Rainy evenings", labels[0], "id:2", "--json"))
    assert (added["profile"], added["list"], added["movies"]) == ("anna", "Rainy evenings", 2)
    assert f"{added['added'][0]['title']} ({added['added'][0]['year']})" == labels[0]
    assert document(run(*listed, "add", "rainy evenings", labels[0], "--json"))["added"] == []
    assert "now has 3 movies, 1 added" in run(*listed, "add", "rainy evenings", labels[3]).stdout
    gone = document(run(*listed, "remove", "rainy evenings", labels[0].rpartition(" (")[0], "id:2", "--json"))
    assert (gone["movies"], len(gone["removed"])) == (1, 2)
    refused(
        run(*listed, "remove", "rainy evenings", labels[0]), "has no movie .* show 'Rainy evenings' lists its movies"
    )
    refused(run(*listed, "add", "x", "No Such Movie At All"), "No Such Movie At All")
    refused(run(*listed, "remove", "rainy evning"), "anna has no list 'rainy evning'; did you mean Rainy evenings")
    assert "removed the list “Rainy evenings”" in run(*listed, "remove", "rainy evenings").stdout
    assert document(run(*listed, "--json"))["lists"] == []
    assert "movietui list --profile anna scan DIR makes one" in run(*listed).stdout.replace("\n", " ")
    store = Store(locations.store())
    assert [store.history(ANNA)[0].note, store.history(ANNA)[1].note] == ["removed the list", "removed 2 movies"]
    store.undo([ANNA])
    assert store.lists(ANNA) == [("Rainy evenings", 1)]
    store.close()


def test_a_movie_that_the_dataset_lacks_is_removed_by_its_title(run: Run, demo: None, store: Store) -> None:
    store.create_profile("anna")
    twins = (ListEntry("hamlet 1990", "Hamlet", 1990), ListEntry("hamlet 1996", "Hamlet", 1996), RAN)
    store.change_list(ANNA, "snow", lambda movies: twins, "added 3 movies")
    listed = ("list", "--profile", "anna", "--dataset", "demo", "remove", "snow")
    refused(run(*listed, "hamlet"), r"several movies called 'hamlet': Hamlet \(1990\), Hamlet \(1996\); add the year")
    run(*listed, "hamlet (1996)", "RAN")
    assert store.list_named(ANNA, "snow").movies == twins[:1]


def test_a_folder_becomes_a_shelf(run: Run, folder: Path, labels: list[str]) -> None:
    scan = ("list", "--profile", "anna", "scan", folder, "--dataset", "demo")
    report = document(run(*scan, "--json"))
    assert (report["profile"], report["list"], report["movies"], report["files"]) == ("anna", "shelf", 4, 4)
    assert report["counts"] == {"matched": 3, "ambiguous": 0, "unmatched": 1}
    assert (report["ignored"], report["format"]) == ({"episodes": 1}, "folder")
    assert [row["title"] for row in report["unmatched"]] == ["Not In The Demo"]
    assert on_list(run) == {*labels[:3], "Not In The Demo (1950)"}
    shown = run(*scan).stdout.replace("\n", " ")
    assert "Ignored: episodes (1)." in shown
    assert "4 movie files, 3 matched, 0 ambiguous, 1 unmatched in demo" in shown
    assert "“shelf” has the same 4 movies as before" in shown
    assert f"{labels[0]}/{labels[0]}.mkv" in run("list", "--profile", "anna", "show", "shelf").stdout


def test_a_second_scan_updates_the_shelf_as_one_step(run: Run, folder: Path, labels: list[str]) -> None:
    scan = ("list", "--profile", "anna", "scan", folder, "Disk 1", "--dataset", "demo")
    run(*scan)
    (folder / labels[0]).rename(folder.parent / "away")
    (folder / f"{labels[4]}.mkv").touch()
    report = document(run(*scan, "--json"))
    assert [len(report[what]) for what in ("added", "removed")] == [1, 1]
    assert on_list(run, "disk 1") == {*labels[1:3], labels[4], "Not In The Demo (1950)"}
    store = Store(locations.store())
    assert store.history(ANNA)[0].note == f"scan of {folder}"
    store.undo([ANNA])
    store.close()
    assert on_list(run, "disk 1") == {*labels[:3], "Not In The Demo (1950)"}


def test_movies_in_a_folder_that_cannot_be_read_stay_on_the_shelf(
    run: Run, folder: Path, labels: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = ("list", "--profile", "anna", "scan", folder, "--dataset", "demo")
    run(*scan)
    real = os.open

    def refuse(path: object, *arguments: object, **named: object) -> int:
        if path == labels[0]:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "open", refuse)
    (folder / labels[1]).rename(folder.parent / "away")
    report = document(run(*scan, "--json"))
    assert report["notes"] == [f"Could not read {labels[0]}; 1 movie there stays on the list."]
    assert on_list(run) == {labels[0], labels[2], "Not In The Demo (1950)"}


def test_a_scan_that_finds_nothing_leaves_the_shelf(run: Run, folder: Path) -> None:
    scan = ("list", "--profile", "anna", "scan", folder, "--dataset", "demo")
    run(*scan)
    before = on_list(run)
    folder.rename(folder.parent / "unmounted")
    refused(run(*scan), "There is no folder .*; check the path")
    folder.mkdir()
    refused(run(*scan), "contains no movie; choose the folder with your movie files")
    assert on_list(run) == before


def test_an_ambiguous_title_is_settled_by_hand(run: Run, folder: Path) -> None:
    movies = catalogue.load("demo").movies
    for row in range(4, 6):
        (folder / f"{movies.titles[row]}.mkv").touch()  # without a year
    scan = ("list", "--profile", "anna", "scan", folder, "--dataset", "demo")
    report = document(run(*scan, "--json"))
    ambiguous = report["ambiguous"]
    assert ambiguous, "choose other movies: these are matched without a year"
    assert "repeat the command with --settle" in run(*scan).stdout.replace("\n", " ")
    title, choice = ambiguous[0]["title"], ambiguous[0]["candidates"][0]["id"]
    settled = document(run(*scan, "--settle", f"{title}={choice}", "--json"))
    assert settled["counts"]["ambiguous"] == len(ambiguous) - 1
    assert document(run(*scan, "--json"))["counts"] == settled["counts"]  # remembered
    refused(run(*scan, "--settle", "Nothing (1990)=1"), r"There is no title 'Nothing \(1990\)'")
    refused(run(*scan, "--settle", "Nothing"), "--settle needs TITLE=MOVIE", 2)


def test_a_list_is_imported_from_a_file(run: Run, tmp_path: Path, labels: list[str]) -> None:
    path = tmp_path / "tonight.txt"
    path.write_text(f"{labels[0]}\n- {labels[1]}\n{labels[0]}\nNowhere (1950)\n")
    listed = ("list", "--profile", "anna", "import", path)
    report = document(run(*listed, "--dataset", "demo", "--json"))
    assert (report["list"], report["movies"], report["counts"]["matched"]) == ("tonight", 3, 3)
    assert on_list(run, "tonight") == {labels[0], labels[1], "Nowhere (1950)"}
    path.write_text(labels[2])
    assert document(run(*listed, "TONIGHT", "--dataset", "demo", "--json"))["movies"] == 1
    assert on_list(run, "tonight") == {labels[2]}
    path.write_text("")
    refused(run(*listed, "--dataset", "demo"), "is empty")


def test_lists_of_services_and_libraries_are_imported(run: Run, tmp_path: Path, labels: list[str]) -> None:
    title, _, year = labels[0][:-1].rpartition(" (")
    listed = ("list", "--profile", "anna", "--dataset", "demo")
    imdb = tmp_path / "imdb.csv"
    imdb.write_bytes(table(IMDB_LIST, [{**imdb_row("tt1234567", "", title, year), "position": 1}]))
    assert document(run(*listed, "import", imdb, "Old", "--json"))["counts"]["matched"] == 1
    jellyfin = tmp_path / "jellyfin.csv"
    jellyfin.write_text(
        "Name,ProductionYear,Type,CommunityRating,ProviderIds\n"
        f'"{title}",{year},Movie,7.1,"imdb=tt7654321"\nLost,2004,Series,8.2,\nPilot,2004,Episode,8,\n'
    )
    report = document(run(*listed, "scan", jellyfin, "--json"))
    assert (report["list"], report["movies"], report["files"], report["format"]) == ("shelf", 1, 0, "csv")
    assert report["notes"][0] == "Skipped 2 rows."
    assert report["matched"][0]["imdb"] == "tt7654321"
    letterboxd = {f"lists/{name}.csv": b"Position,Name,Year,URL\n1,X,1990,\n" for name in ("snow", "rain")}
    archive = write_zip(tmp_path / "letterboxd.zip", letterboxd, "")
    refused(run(*listed, "import", archive), "has 2 lists; choose one of .*; movietui import imports all of them")
    assert document(run(*listed, "import", archive, "Rain", "--json"))["list"] == "Rain"
    store = Store(locations.store())
    assert store.ratings(ANNA) == []
    store.close()


def test_ids_of_a_list_find_its_movies_in_another_dataset(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(table(IMDB_LIST, [{**imdb_row("tt0116282", "", "Fargo, or so", 1997), "position": 1}]))
    named_lists.import_list(store, "anna", path, "snow", Matcher(dataset(("Ran (1985)",), name="old")))
    (movie,) = store.list_named(ANNA, "snow").movies
    assert store.ids([movie.key]) == {movie.key: Ids("tt0116282")}
    (described,) = store.describe([movie.key])
    assert (described.title, described.ids.imdb) == ("Fargo, or so", "tt0116282")


def test_a_list_is_exported_and_imported_again(run: Run, folder: Path, tmp_path: Path) -> None:
    run("list", "--profile", "anna", "scan", folder, "--dataset", "demo")
    export = ("export", "--profile", "anna", "--list", "SHELF", "--output", tmp_path / "shelf.csv", "--format")
    report = document(run(*export, "csv", "--json"))
    assert (report["list"], len(report["movies"])) == ("shelf", 4)
    document(run("list", "--profile", "anna", "import", tmp_path / "shelf.csv", "Copy", "--dataset", "demo", "--json"))
    first, copy = (document(run("list", "--profile", "anna", "show", name, "--json")) for name in ("shelf", "copy"))
    assert first["movies"] == copy["movies"]
    assert document(run(*export, "letterboxd", "--force", "--json"))["note"] == ""
    assert (tmp_path / "shelf.csv").read_text().startswith("tmdbID,imdbID,Title,Year")
    refused(run(*export, "imdb", "--force"), "--list works only with --format csv or letterboxd", 2)
    refused(run("export", "--profile", "anna", "--list", "x", "--output", "x", "--format", "csv"), "has no list 'x'")


def test_recommend_filters_by_lists(run: Run, ready: Path) -> None:
    movies = catalogue.load("demo").movies
    anna = [f"{movies.titles[row]} ({movies.years[row]})" for row in range(3)]
    tom = [f"{movies.titles[row]} ({movies.years[row]})" for row in range(2, 5)]
    run("list", "--profile", "anna", "--dataset", "demo", "add", "Tonight", *anna)
    run("list", "--profile", "tom", "--dataset", "demo", "add", "tonight", *tom)

    def titles(*arguments: str) -> set[str]:
        report = document(run("recommend", "--dataset", "demo", "-k", "300", *arguments, "--json"))
        return {f"{movie['title']} ({movie['year']})" for movie in report["movies"]}

    assert titles("--profile", "anna", "--filter", "list:tonight") == set(anna)
    assert titles("--profile", "anna", "--profile", "tom", "--filter", "list:tonight") == {*anna, *tom}
    assert titles("--profile", "tom", "--filter", "-list:tonight").isdisjoint(tom)
    assert titles("--user", "1", "--profile", "tom", "--filter", "list:tonight") <= set(tom)
    wrong = ("recommend", "--dataset", "demo", "--filter", "list:tonigt")
    refused(
        run(*wrong, "--profile", "anna", "--profile", "tom"), "no list 'tonigt' of anna and tom; did you mean Tonight"
    )
    refused(run(*wrong, "--user", "1"), "a user of a dataset has no lists; choose a profile")
