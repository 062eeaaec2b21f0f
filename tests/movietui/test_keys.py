"""Custom keys: the entries of ``config.toml``, errors in it, and the default file, which documents every key."""

import ast
import inspect
import json
import os
import pkgutil
import re
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

import movietui.state
import movietui.ui
from movietui.cli import cli
from movietui.data.storage import locations
from movietui.protocol.messages import ListQuery
from movietui.store.ratings import Store
from movietui.ui import keymap
from movietui.ui.bindings import keys_that
from movietui.ui.train.panels import describe_end
from tests.movietui.driving import LARGE, shown, started
from tests.movietui.fakes import FakeEngine


def last_query(faked: FakeEngine) -> ListQuery:
    return next(arguments["query"] for name, arguments in reversed(faked.asked) if name == "rank")


def write(text: str) -> Path:
    path = locations.config()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


async def test_custom_keys_replace_the_default_keys(faked: FakeEngine, store: Store) -> None:
    write('[keys]\nbrowse.watchlist = "+"\nbrowse.undo = "ctrl+u,F"\n"list.down" = "f9"\nbrowse.new = "ctrl+n"\n')
    async with started(LARGE, engine=faked) as driver:
        assert "movietui" not in driver.app.notice.plain
        await driver.press("f9")
        assert driver.movies.cursor == 1
        await driver.press("w")
        await driver.pilot.pause(0.1)
        assert not driver.app.notice.plain
        await driver.press("plus")
        await driver.wait_for_notice("added ")
        await driver.press("F")
        await driver.wait_for_notice("undid")
        await driver.press("plus")
        await driver.wait_for_notice("added ")
        await driver.press("ctrl+u")
        await driver.wait_for_notice("undid")
        await driver.press("question_mark")
        await driver.see("Keys · Browse")
        await driver.see("^u F")
        await driver.type("watchlist")
        rows = [line for line in shown(driver.app).splitlines() if "Add to the watchlist" in line]
        assert "+" in rows[0].split()
        assert "w" not in rows[0].split()


async def test_the_keys_that_quit_are_known(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        assert keys_that(driver.app, "quit") == {"q", "ctrl+c"}
    write('[keys]\n"app.quit" = "f10,Q"\n')
    async with started(LARGE, engine=faked) as driver:
        assert keys_that(driver.app, "quit") == {"f10", "Q", "ctrl+c"}


async def test_marks_of_moved_rows_stay_with_a_custom_key(faked: FakeEngine) -> None:
    write('[keys]\nbrowse.rate-5 = "R"\n')
    async with started(LARGE, engine=faked) as driver:
        await driver.press("R")
        await driver.wait_for_notice("rated")
        await driver.until(lambda: driver.movies.marked, "the marks")
        await driver.press("R")
        await driver.until(lambda: len(last_query(faked)["viewers"][0]["rated"]) == 2, "the second")
        await driver.until(lambda: driver.movies.marked, "the marks")
        await driver.press("j")
        assert not driver.movies.marked


async def test_invalid_entries_are_reported_and_the_others_used(faked: FakeEngine) -> None:
    path = write('[keys]\nbrowse.nothing = "w"\nbrowse.surprise = "Z"\nbrowse.taste = 7\n')
    async with started(LARGE, engine=faked) as driver:
        await driver.wait_for_notice(
            f"{path} line 2: there is no key binding 'browse.nothing'; movietui config --defaults lists all of them."
        )
        assert "1 more: movietui config lists them." in driver.app.notice.plain
        await driver.press("Z")
        await driver.see("Z another")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[keys]\nx = \n", "line 2: invalid value; the default keys are used."),
        ("[keys\n", "line 1: expected "),
        ("# one\n[colours]\na = 1\n", "line 2: there is no section 'colours'; the only one is [keys]."),
        ("keys = 3\n", "line 1: write [keys]"),
        (
            '[keys]\nbrowse.hide = "nonsense"\n',
            "line 2: 'nonsense' is not a key; write, for example, browse.hide = \"x\".",
        ),
        ('[keys]\nbrowse.hide = "hyperctrl+x"\n', "line 2: 'hyperctrl+x' is not a key"),
        ('[keys]\nbrowse.hide = ""\n', "line 2: '' is not a key"),
        ('[keys]\n\nbrowse.hide = "w"\n', "line 3: 'w' is also the key of browse.watchlist"),
        ('[keys.browse]\nhide = "d"\n', "line 2: 'd' is also the key of screen.data"),
        ('[keys]\nlist.up = "t"\n', "line 2: 't' is also the key of screen.train"),
        ('[keys]\nhistory.only-this = "r"\n', "line 2: 'r' is also the key of browse.redo"),
        ('[keys]\npanel.page-down = "j"\n', "line 2: 'j' is also the key of list.down"),
        ('[keys]\ninterview.not-seen = "j"\n', "line 2: 'j' is also the key of list.down"),
        ('[keys]\nbrowse.hide = "\\u001b[31m"\n', "line 2: "),
    ],
)
def test_entries_that_cannot_be_used_are_reported(home: Path, content: str, expected: str) -> None:
    path = write(content)
    custom = keymap.read(path)
    assert custom.keys == {}
    (problem,) = custom.problems
    assert problem.startswith(f"{path} {expected}")
    assert problem.isprintable()


def test_files_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    assert keymap.read(tmp_path / "none.toml") == keymap.Keymap()
    assert "cannot be read" in keymap.read(tmp_path).problems[0]
    (tmp_path / "odd.toml").write_bytes(b"[keys]\nx = '\xff'\n")
    assert "the default keys are used" in keymap.read(tmp_path / "odd.toml").problems[0]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: path.write_text("[keys]\nx = " + "[" * 50_000), "nested too deeply"),
        (lambda path: path.write_text("[keys]\nx = " + "{a=" * 50_000), "nested too deeply"),
        (lambda path: path.write_bytes(b"[keys]\nx = '\xff'\n"), "can't decode byte"),
        (lambda path: path.write_bytes(b"\0" * 2_000_000), "it has more than 1,048,576 bytes"),
        (lambda path: path.mkdir(), "it is a folder"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
        (lambda path: path.write_text("[keys.a" + ".a" * 20_000 + "]\nb = 1\n"), "nested too deeply"),
        (lambda path: path.write_text("[keys]\nx = " + "1" * 9999), "the default keys are used"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported(home: Path, make: Callable[[Path], object], expected: str) -> None:
    path = locations.config()
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    custom = keymap.read(path)
    assert custom.keys == {}
    assert expected in " ".join(custom.problems)
    assert str(path) in custom.problems[0]


async def test_a_file_that_cannot_be_used_does_not_prevent_the_start(faked: FakeEngine) -> None:
    path = write("[keys]\nx = " + "[" * 50_000)
    async with started(LARGE, engine=faked) as driver:
        await driver.wait_for_notice(f"{path}: brackets or names are nested too deeply; the default keys are used.")


def test_two_keys_can_be_swapped(home: Path) -> None:
    path = write('[keys]\nbrowse.hide = "w"\nbrowse.watchlist = "x"\nbrowse.rename = "R"\ntrain.mark = ","\n')
    expected = {"browse.hide": "w", "browse.watchlist": "x", "browse.rename": "R", "train.mark": "comma"}
    assert keymap.read(path) == keymap.Keymap(expected)


def test_the_default_file_documents_every_key(home: Path) -> None:
    runner = CliRunner()
    text = runner.invoke(cli, ["config", "--defaults"]).stdout
    assert tomllib.loads(text) == {"keys": {}}
    actions = keymap.list_actions()
    assert len(actions) > 60
    assert all(action.description and f'\n# {action.id} = "{action.keys}" ' in text for action in actions)
    # Even with every line uncommented, the file changes nothing and has no errors.
    path = write("\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines()))
    custom = keymap.read(path)
    assert custom.problems == ()
    assert custom.keys == {action.id: action.keys for action in actions}


def test_every_key_has_an_id_and_a_description() -> None:
    """Every screen, panel and widget with keys is checked."""
    actions = {action.id: action for action in keymap.list_actions()}
    checked = 0
    for module in pkgutil.walk_packages(movietui.ui.__path__, "movietui.ui."):
        for kind in filter(inspect.isclass, vars(import_module(module.name)).values()):
            ours = kind.__module__.startswith("movietui.")
            for binding in vars(kind).get("BINDINGS", ()) if ours else ():
                if binding.system:  # ctrl+c cannot be changed
                    continue
                assert binding.id in actions, f"the key for {binding.action!r} in {kind.__name__} has no id"
                assert actions[binding.id].description
                assert actions[binding.id].keys == binding.key
                checked += 1
    assert checked > 200


async def test_panels_use_and_name_custom_keys(faked: FakeEngine) -> None:
    write('[keys]\nbrowse.undo = "U"\nbrowse.history = "Q"\npanel.back = "f3,f4"\nlist.down = "f9"\n')
    async with started(LARGE, engine=faked) as driver:
        await driver.rate()
        await driver.press("Q")
        await driver.see("U undo · r redo · enter undo to here · x undo only this")
        await driver.press("u", "U")
        await driver.see("undid")
        await driver.press("Q", "T")
        await driver.see("↑ f9 scroll · f3 back")
        await driver.press("escape")
        assert driver.app.screen is not driver.browse
        await driver.press("f4")
        assert driver.app.screen is driver.browse


async def test_sentences_name_custom_keys(faked: FakeEngine, store: Store) -> None:
    write(
        '[keys]\nbrowse.undo = "f6"\nbrowse.redo = "f7"\nbrowse.pair = "f8"\nbrowse.wanted = "f9"\n'
        'browse.watchlist = "f5"\nbrowse.filter = "f3"\ntrain.use = "f4"\nbrowse.search = "f2"\n'
        'interview.go-on = "f10"\nbrowse.turn = "f11"\n'
    )
    async with started(LARGE, engine=faked) as driver:
        await driver.see("f2 search")
        await driver.rate()
        await driver.wait_for_notice("f6 undo")
        await driver.press("f6")
        await driver.wait_for_notice("f7 redo")
        await driver.press("a")
        await driver.wait_for_notice("select a second viewer and press f8")
        await driver.press("f9")
        await driver.see("f5 adds a movie")
        await driver.see("f9 the watchlist")
        await driver.press("f9", "f3")
        await driver.type("+even")
        await driver.press("enter")
        await driver.see("f3 +even")
        await driver.press("left", "down", "f8")
        await driver.wait_for_notice("f11: whose rating is next")
        await driver.press("N")
        await driver.see("f10    next")
        run = store.serving_runs("demo")[0]
        assert f"press f4 on run {run.id} to use it" in describe_end(driver.app, run)


async def test_sentences_about_missing_ratings_name_custom_keys(faked: FakeEngine, store: Store) -> None:
    write('[keys]\nbrowse.rate-1 = "f6"\n')
    store.create_profile("anna")
    async with started(LARGE, engine=faked) as driver:
        await driver.press("asterisk")
        await driver.see("No ratings yet. Press f6 on a movie in the list to rate it.")
        await driver.press("escape", "T")
        await driver.see("anna has no ratings here yet; press f6 on a movie in the list.")


def test_no_sentence_of_the_state_names_a_key() -> None:
    """Modules in ``state`` have no screen, so they cannot know which key an action has."""
    for path in Path(movietui.state.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"\b[Pp]ress\b|\b(?:ctrl|alt|shift)\+|\besc(?:ape)?\b", node.value), (
                    path,
                    node.value,
                )


def test_config_prints_the_path_and_the_entries(home: Path) -> None:
    runner = CliRunner()
    assert "config.toml does not exist yet" in " ".join(runner.invoke(cli, ["config"]).stdout.split())
    write('[keys]\nbrowse.hide = "Q"\nwrong = "x"\n')
    output = " ".join(runner.invoke(cli, ["config"]).stdout.split())
    assert "browse.hide Q" in output
    assert "line 3: there is no key binding 'wrong'" in output
    assert str(locations.config()) in runner.invoke(cli, ["config", "--json"]).stdout


def test_config_lists_every_key_with_its_section(home: Path) -> None:
    actions = json.loads(CliRunner().invoke(cli, ["config", "--defaults", "--json"]).stdout)
    hide = next(action for action in actions if action["id"] == "browse.hide")
    assert hide == {"id": "browse.hide", "keys": "x", "does": "Never show the movie again", "section": "Browse"}
