"""Named lists are imported, shown, undone with their import, and restored from a backup."""

from pathlib import Path

import pytest

from movietui.data import catalogue
from movietui.data.storage import locations
from movietui.protocol.viewers import profile
from movietui.store.backup import restore
from movietui.store.named_lists import ListEntry, StoredList
from movietui.store.ratings import ImportedMovie, ImportResult, Movie, Store
from tests.movietui.commands import refused
from tests.movietui.test_interchange import document, movies, run

ANNA = profile("anna")
RAN, HEAT = ListEntry("ran 1985", "Ran", 1985, "loud"), ListEntry("heat 1995", "Heat", 1995)


@pytest.fixture
def store(home: Path) -> Store:
    store = Store(locations.store())
    store.create_profile("anna")
    return store


def import_lists(store: Store, *lists: StoredList, movies: tuple[ImportedMovie, ...] = ()) -> ImportResult | None:
    return store.import_movies(ANNA, "letterboxd: x.zip", movies, lists)


def test_a_list_keeps_its_order_and_is_undone_with_its_step(store: Store) -> None:
    assert import_lists(store, StoredList("Snow", (RAN, HEAT))) == ImportResult(1)
    assert import_lists(store, StoredList("Snow", (RAN, HEAT))) is None
    assert store.list_named(ANNA, "snow").movies == (RAN, HEAT)
    assert import_lists(store, StoredList("Snow", (HEAT,)), StoredList("Rain", (RAN,))) == ImportResult(2)
    assert store.lists(ANNA) == [("Rain", 1), ("Snow", 1)]
    (step, before) = store.history(ANNA)
    assert (step.lists, step.changes, before.lists) == (("Snow", "Rain"), (), ("Snow",))
    undone = store.undo([ANNA])
    assert undone is not None
    assert undone.lists == ("Snow", "Rain")
    assert store.lists(ANNA) == [("Snow", 2)]
    store.redo([ANNA])
    assert store.lists(ANNA) == [("Rain", 1), ("Snow", 1)]
    store.undo([ANNA])
    store.rate(ANNA, Movie("x 1990", "X", 1990), 4)  # now the undone step can no longer be redone
    assert store.lists(ANNA) == [("Snow", 2)]
    assert store.rows("SELECT count(*) FROM lists") == [(1,)]
    assert (store.marks(ANNA), store.lists(profile("tom"))) == ([], [])


def test_an_import_of_a_list_is_undone_after_later_steps(store: Store) -> None:
    import_lists(store, StoredList("Snow", (RAN, HEAT)))
    import_lists(store, StoredList("Snow", (HEAT,)), StoredList("Rain", (RAN,)))
    store.rate(ANNA, Movie("x 1990", "X", 1990), 4)
    taken = store.take_back(store.history(ANNA)[1])
    assert taken is not None
    assert store.lists(ANNA) == [("Snow", 2)]
    assert store.take_back(store.history(ANNA)[2]) is None  # the list has been changed since
    store.undo([ANNA])
    assert store.lists(ANNA) == [("Rain", 1), ("Snow", 1)]


def test_a_list_is_deleted_and_restored_with_its_profile(store: Store) -> None:
    import_lists(store, StoredList("Snow", (RAN,)))
    deleted = store.delete_profile(ANNA)
    store.create_profile("tom")
    assert store.lists(ANNA) == []
    store.restore_profile(ANNA, deleted)
    assert store.lists(ANNA) == [("Snow", 1)]


@pytest.fixture
def demo(home: Path) -> None:
    catalogue.get("demo")


def test_commands_import_and_show_a_list(demo: None, tmp_path: Path) -> None:
    (title, year), (other, later) = movies(2)
    path = tmp_path / "old.csv"
    path.write_text(
        "Date,Name,Tags,URL,Description\n2020-05-16,Snow [days],,https://boxd.it/a,\n\n"
        "Position,Name,Year,URL,Description\n"
        f'1,"{other}",{later},https://boxd.it/b,loud\n2,"{title}",{year},https://boxd.it/c,\n3,Nowhere,1950,,\n'
    )
    arguments = ("import", path, "--profile", "anna", "--dataset", "demo")
    assert "3 titles would become the list “Snow [days]”" in run(*arguments, "--preview").stdout
    report = document(*arguments)
    assert (report["lists"], report["matched"], report["changes"]) == ([{"name": "Snow [days]", "movies": 3}], [], 1)
    assert document(*arguments)["changes"] == 0
    assert document("list", "--profile", "Anna") == {
        "profile": "anna",
        "lists": [{"name": "Snow [days]", "movies": 3}],
    }
    keys = catalogue.load("demo").movies.keys
    shown = document("list", "--profile", "anna", "show", "snow [days]")
    assert [(row["position"], row["title"], row["key"], row["note"]) for row in shown["movies"]] == [
        (1, other, keys[1], "loud"),
        (2, title, keys[0], None),
        (3, "Nowhere", "nowhere 1950", None),
    ]
    assert "Snow [days]" in run("list", "--profile", "anna").stdout
    assert f"{other} ({later})" in run("list", "--profile", "anna", "show", "Snow [days]").stdout
    refused(run("list", "--profile", "anna", "show", "Rain"), r"has no list 'Rain'; lists: Snow \[days\]")
    assert run("list", "--profile", "anna", "--dataset", "demo", "--seed", 1).exit_code == 0
    refused(run("list", "--profile", "tom"), "no profile 'tom'")
    restore(Path(document("backup", tmp_path / "b.sqlite3")["backup"]), tmp_path / "other.sqlite3")
    other_store = Store(tmp_path / "other.sqlite3")
    assert other_store.lists(ANNA) == [("Snow [days]", 3)]
    other_store.close()
    refused(run("restore", f"'{tmp_path}/no such.sqlite3' "), r"/no such.sqlite3 does not exist")


def test_a_file_without_ratings_needs_a_choice(demo: None, tmp_path: Path) -> None:
    (title, year), *_ = movies(1)
    path = tmp_path / "my evening.csv"
    path.write_text(f'Title,Year,Mood\n"{title}",{year},sad\n')
    arguments = ("import", f"'{path}'", "--profile", "anna", "--dataset", "demo")
    report = document(*arguments, "--preview")
    assert (report["asks"], report["lists"]) == (True, [{"name": "my evening", "movies": 1}])
    assert report["tables"][0]["not_read"] == ["Mood"]
    shown = run(*arguments).stdout
    assert "does not say whether you have seen its movies" in shown.replace("\n", " ")
    assert "Ignored columns: Mood" in shown.replace("\n", " ")
    store = Store(locations.store())
    assert store.marks(ANNA) == []
    document(*arguments, "--as", "seen")
    assert [marked.mark for marked in store.marks(ANNA)] == ["seen"]
    document(*arguments, "--as", "list:Tonight")
    assert [name for name, _ in store.lists(ANNA)] == ["my evening", "Tonight"]
    store.close()
    refused(run(*arguments, "--as", "list:"), "--as needs seen, watchlist or list:NAME", 2)
    refused(run(*arguments, "--as", "hidden"), "--as needs seen", 2)
    refused(run(*arguments, "--scale", "ten"), "--scale needs the highest rating", 2)
    refused(run(*arguments, "--column", "mood=Mood"), "--column needs WHAT=NAME", 2)
    refused(run(*arguments, "--column", "rating=Stars"), "has no column 'Stars'; its columns are")


def test_how_a_file_is_read_is_shown_and_can_be_changed(demo: None, tmp_path: Path) -> None:
    (title, year), *_ = movies(1)
    path = tmp_path / "mine.csv"
    path.write_text(f'Title,Year,Score,Taste\n"{title}",{year},4,2\n')
    arguments = ("import", path, "--profile", "anna", "--dataset", "demo", "--preview")
    shown = run(*arguments).stdout
    assert "mine.csv: ratings up to 5 (assumed); read: Title, Year, Score as rating" in shown
    assert "Ignored columns: Taste" in shown
    assert document(*arguments)["matched"][0]["stars"] == 4
    assert document(*arguments, "--scale", "1..10")["matched"][0]["stars"] == 2
    (table,) = document(*arguments, "--column", "rating=Taste", "--scale", "10")["tables"]
    assert (table["columns"]["Taste"], table["not_read"], table["scale_by"]) == ("rating", ["Score"], "chosen")


def test_kept_ratings_are_counted(demo: None, tmp_path: Path) -> None:
    (title, year), *_ = movies(1)
    path = tmp_path / "mine.csv"
    path.write_text(f'Title,Year,Rating\n"{title}",{year},4\n')
    run("rate", "--profile", "anna", f"{title} ({year})", 2, "--dataset", "demo")
    shown = run("import", path, "--profile", "anna", "--dataset", "demo").stdout
    assert "Kept 1 rating of anna, typed in or newer than in the file." in shown
