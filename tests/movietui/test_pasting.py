"""Text that is pasted into a field becomes one line that fits."""

import time

import pytest
from textual import events

from movietui.store.ratings import Store
from movietui.ui.widgets.fields import LONGEST, Field
from tests.movietui.driving import started
from tests.movietui.fakes import FakeEngine


@pytest.mark.parametrize(
    ("pasted", "value"),
    [
        ("silent\r\nriver\n\n", "silent river"),
        ("\n\n", ""),
        ("si\x1b[31mlent\x00", "silent"),
        ("x" * LONGEST, "x" * LONGEST),
    ],
)
async def test_a_paste_becomes_one_line(faked: FakeEngine, pasted: str, value: str) -> None:
    async with started(engine=faked) as driver:
        await driver.press("slash")
        await driver.see("typos are fine")
        field = driver.app.screen.query_one(Field)
        field.post_message(events.Paste(pasted))
        await driver.until(lambda: field.value == value, "the paste")


async def test_a_long_paste_is_cut_and_a_notice_says_so(faked: FakeEngine, store: Store) -> None:
    async with started(engine=faked) as driver:
        await driver.press("n")
        await driver.until(lambda: bool(driver.app.screen.query("#name")), "the field")
        field = driver.app.screen.query_one("#name", Field)
        field.value = "ab"
        field.cursor_position = 1
        began = time.process_time()
        field.post_message(events.Paste("anna " * 2_000_000))
        await driver.until(lambda: len(field.value) == field.max_length, "the start of the paste")
        assert time.process_time() - began < 5
        assert field.value == "a" + ("anna " * 8)[: field.max_length - 2] + "b"
        await driver.wait_for_notice(f"only its first {field.max_length - 2} characters fit")


async def test_a_paste_replaces_the_selection(faked: FakeEngine) -> None:
    async with started(engine=faked) as driver:
        await driver.press("slash")
        await driver.type("alien")
        field = driver.app.screen.query_one(Field)
        field.select_all()
        field.post_message(events.Paste("fargo"))
        await driver.until(lambda: field.value == "fargo", "the paste")
