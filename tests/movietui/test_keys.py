"""Keys of a person's own: what the file asks for, what is wrong in it, and the file that explains itself."""

import inspect
import pkgutil
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

import movietui.screens
import movietui.widgets
from data import locations
from movietui import keys
from movietui.cli import cli
from movietui.screens.run_panels import how_it_ended
from movietui.store import Store
from tests.movietui.driving import LARGE, shown, started
from tests.movietui.fakes import FakeEngine


def write(text: str) -> Path:
    path = locations.config()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


async def test_other_keys(faked: FakeEngine, store: Store) -> None:
    write('[keys]\nbrowse.watchlist = "+"\nbrowse.undo = "ctrl+u,F"\n"list.down" = "f9"\nbrowse.new = "ctrl+n"\n')
    async with started(LARGE, engine=faked) as driver:
        assert "movietui" not in driver.app.outcome.plain
        await driver.press("f9")
        assert driver.movies.cursor == 1
        await driver.press("w")
        await driver.pilot.pause(0.1)
        assert not driver.app.outcome.plain
        await driver.press("plus")
        await driver.told("put ")
        await driver.press("F")
        await driver.told("took back")
        await driver.press("plus")
        await driver.told("put ")
        await driver.press("ctrl+u")
        await driver.told("took back")
        await driver.press("question_mark")
        await driver.see("Keys · Browse")
        await driver.press(*["pagedown"] * 6)
        await driver.see("^u F")
        told = [line for line in shown(driver.app).splitlines() if "Put the movie on the watchlist" in line]
        assert "+" in told[0].split()
        assert "w" not in told[0].split()


async def test_marks_of_what_moved_stay_with_a_key_of_ones_own(faked: FakeEngine) -> None:
    write('[keys]\nbrowse.rate-5 = "R"\n')
    async with started(LARGE, engine=faked) as driver:
        await driver.press("R")
        await driver.told("rated")
        await driver.until(lambda: driver.movies.marked, "the marks")
        await driver.press("R")
        await driver.until(lambda: len(faked.asked[-1][1].get("viewers", [{}])[0].get("rated", [])) == 2, "the second")
        await driver.until(lambda: driver.movies.marked, "the marks")
        await driver.press("j")
        assert not driver.movies.marked


async def test_what_is_wrong_is_told_and_the_rest_used(faked: FakeEngine) -> None:
    path = write('[keys]\nbrowse.nothing = "w"\nbrowse.surprise = "S"\nbrowse.taste = 7\n')
    async with started(LARGE, engine=faked) as driver:
        await driver.told(f"{path} line 2: there is no 'browse.nothing'; movietui config --defaults lists all.")
        assert "1 more: movietui config lists them." in driver.app.outcome.plain
        await driver.press("S")
        await driver.see("S another")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[keys]\nx = \n", "line 2: invalid value; all keys are as they were."),
        ("[keys\n", "line 1: expected "),
        ("# one\n[colours]\na = 1\n", "line 2: there is no part 'colours', only [keys]."),
        ("keys = 3\n", "line 1: write [keys]"),
        ('[keys]\nbrowse.hide = "nonsense"\n', "line 2: 'nonsense' is no key; write for example browse.hide = \"x\"."),
        ('[keys]\nbrowse.hide = "hyperctrl+x"\n', "line 2: 'hyperctrl+x' is no key"),
        ('[keys]\nbrowse.hide = ""\n', "line 2: '' is no key"),
        ('[keys]\n\nbrowse.hide = "w"\n', "line 3: 'w' is the key of browse.watchlist too"),
        ('[keys.browse]\nhide = "d"\n', "line 2: 'd' is the key of screen.data too"),
        ('[keys]\nlist.up = "t"\n', "line 2: 't' is the key of screen.train too"),
        ('[keys]\nhistory.only-this = "r"\n', "line 2: 'r' is the key of browse.redo too"),
        ('[keys]\npanel.page-down = "j"\n', "line 2: 'j' is the key of list.down too"),
        ('[keys]\ninterview.not-seen = "j"\n', "line 2: 'j' is the key of list.down too"),
        ('[keys]\nbrowse.hide = "\\u001b[31m"\n', "line 2: "),
    ],
)
def test_what_cannot_be_used(home: Path, content: str, told: str) -> None:
    path = write(content)
    found = keys.read(path)
    assert found.keys == {}
    (problem,) = found.problems
    assert problem.startswith(f"{path} {told}")
    assert problem.isprintable()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert keys.read(tmp_path / "none.toml") == keys.Keymap()
    assert "cannot be read" in keys.read(tmp_path).problems[0]
    (tmp_path / "odd.toml").write_bytes(b"[keys]\nx = '\xff'\n")
    assert "all keys are as they were" in keys.read(tmp_path / "odd.toml").problems[0]


def test_keys_that_change_places(home: Path) -> None:
    path = write('[keys]\nbrowse.hide = "w"\nbrowse.watchlist = "x"\nbrowse.rename = "R"\ntrain.mark = ","\n')
    expected = {"browse.hide": "w", "browse.watchlist": "x", "browse.rename": "R", "train.mark": "comma"}
    assert keys.read(path) == keys.Keymap(expected)


def test_the_file_explains_itself(home: Path) -> None:
    runner = CliRunner()
    text = runner.invoke(cli, ["config", "--defaults"]).stdout
    assert tomllib.loads(text) == {"keys": {}}
    every = keys.known()
    assert len(every) > 60
    assert all(each.does and f'\n# {each.id} = "{each.keys}" ' in text for each in every)
    # As it is with every line in force, it changes nothing and nothing in it is wrong.
    path = write("\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines()))
    found = keys.read(path)
    assert found.problems == ()
    assert found.keys == {each.id: each.keys for each in every}


def test_every_key_has_an_id_and_is_told_of() -> None:
    """Of every screen, panel and part of one that there is."""
    every = {each.id: each for each in keys.known()}
    found = 0
    for package in (movietui.screens, movietui.widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for kind in filter(inspect.isclass, vars(import_module(module.name)).values()):
                ours = kind.__module__.startswith("movietui.")
                for binding in vars(kind).get("BINDINGS", ()) if ours else ():
                    assert binding.id in every, f"{kind.__name__} does {binding.action!r} by a key that has no id"
                    assert every[binding.id].does
                    assert every[binding.id].keys == binding.key
                    found += 1
    assert found > 200


async def test_panels_have_the_keys_of_the_list_and_say_so(faked: FakeEngine) -> None:
    write('[keys]\nbrowse.undo = "U"\nbrowse.history = "H"\npanel.back = "f3,f4"\nlist.down = "f9"\n')
    async with started(LARGE, engine=faked) as driver:
        await driver.rate()
        await driver.press("H")
        await driver.see("U undo · r redo · enter back to here · x only this one")
        await driver.press("u", "U")
        await driver.see("took back")
        await driver.press("H", "T")
        await driver.see("↑ f9 scroll · f3 goes back")
        await driver.press("escape")
        assert driver.app.screen is not driver.browse
        await driver.press("f4")
        assert driver.app.screen is driver.browse


async def test_sentences_name_the_keys_in_force(faked: FakeEngine, store: Store) -> None:
    write(
        '[keys]\nbrowse.undo = "f6"\nbrowse.redo = "f7"\nbrowse.pair = "f8"\nbrowse.shelf = "f9"\n'
        'browse.watchlist = "f5"\nbrowse.filter = "f3"\ntrain.use = "f4"\nbrowse.search = "f2"\n'
        'interview.go-on = "f10"\nbrowse.turn = "f11"\n'
    )
    async with started(LARGE, engine=faked) as driver:
        await driver.see("f2 search")
        await driver.rate()
        await driver.told("f6 undoes")
        await driver.press("f6")
        await driver.told("f7 gives it again")
        await driver.press("a")
        await driver.told("f8 on a second viewer makes one")
        await driver.press("f9")
        await driver.see("f5 puts a movie")
        await driver.see("f9 the watchlist")
        await driver.press("f9", "f3")
        await driver.type("+even")
        await driver.press("enter")
        await driver.see("f3 +even")
        assert driver.browse.about[-1].startswith("f8 ")
        await driver.press("left", "down", "f8")
        await driver.told("f11: whose rating is next")
        await driver.press("N")
        await driver.see("f10 go on")
        run = store.serving_runs("demo")[0]
        assert f"f4 on run {run.id} uses it" in how_it_ended(driver.app, run)


def test_where_the_file_lies(home: Path) -> None:
    runner = CliRunner()
    assert "config.toml is not there yet" in " ".join(runner.invoke(cli, ["config"]).stdout.split())
    write('[keys]\nbrowse.hide = "H"\nwrong = "x"\n')
    told = " ".join(runner.invoke(cli, ["config"]).stdout.split())
    assert "browse.hide H" in told
    assert "line 3: there is no 'wrong'" in told
    assert str(locations.config()) in runner.invoke(cli, ["config", "--json"]).stdout
