"""The pictures and sessions in ``docs/pictures``: the pages show all of them, and the app still looks like that."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from movietui.store.ratings import Store
from movietui.ui.app import FIRST_START, UNFINISHED
from tests.docs_pictures import FOLDER, OTHER_HOMES, SESSION, SESSIONS, SHOWN, THEME, WIDE, record
from tests.frames import Frame, animation, frame_of, picture
from tests.movietui.driving import Driver, started
from tests.pictures import visit

TOP = Path(__file__).parents[2]
PAGES = (TOP / "README.md", *sorted((TOP / "docs").glob("*.md")))
DRAW = "make pictures draws them again"


def rows_of(svg: str) -> list[str]:
    """Return the text of the rows of a picture, without the blanks between its parts."""
    rows = ElementTree.fromstring(svg).findall("./{*}g/{*}g")
    return [" ".join(each.text or "" for each in row.findall("{*}text")) for row in rows]


def fixed(row: str) -> list[str]:
    """Return the words of a row without figures and names."""
    return re.findall(r"\b[a-z]{2,}\b", row)


def test_the_pages_show_every_picture() -> None:
    linked = {name for page in PAGES for name in re.findall(r"pictures/([\w-]+)\.svg\)", page.read_text("utf-8"))}
    drawn = {path.stem for path in FOLDER.glob("*.svg")}
    assert linked == drawn == {*SHOWN, *OTHER_HOMES, *SESSIONS}, DRAW


@pytest.mark.usefixtures("ready")
async def test_the_pictures_look_like_the_app() -> None:
    svgs: dict[str, str] = {}

    async def save(driver: Driver, name: str) -> None:
        svgs[name] = picture(frame_of(driver.app))

    await visit(save, WIDE, THEME, only=["browse-rated"])
    committed, now = (rows_of(svg) for svg in ((FOLDER / "browse-rated.svg").read_text("utf-8"), svgs["browse-rated"]))
    assert len(committed) == len(now) == WIDE[1], DRAW
    for line in (0, 2, -3, -1):  # the title line, the headings, what they mean, and the keys
        assert fixed(committed[line]) == fixed(now[line]), DRAW


@pytest.mark.usefixtures("ready")
async def test_the_first_session_can_be_played(store: Store) -> None:
    store.choose(FIRST_START, UNFINISHED)
    scenes = SESSIONS["session-list"]
    async with started(SESSION, theme=THEME, wait=False) as driver:
        frames = await record(driver, scenes)
    svg = animation(frames)
    ElementTree.fromstring(svg)
    assert all(scene.caption.split()[-1] in svg for scene in scenes)


def test_an_animation_draws_the_same_cells_once() -> None:
    same, other = ((("same", "#fff", "#000", False, False),), (("other", "#fff", "#000", True, False),))
    svg = animation([Frame((same, same)), Frame((same, other)), Frame((same, same))])
    assert (svg.count(">same<"), svg.count(">other<")) == (2, 1)
    assert "{33.33%{visibility:hidden}66.67%{visibility:visible}}" in svg
    assert "{0%{visibility:hidden}33.33%{visibility:visible}66.67%{visibility:hidden}}" in svg
