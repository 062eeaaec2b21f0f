"""The terminal of the tests shows what a person would see."""

import pyte

from tests.movietui.terminal import displayed


def test_half_a_wide_character_that_is_overwritten_is_a_blank() -> None:
    screen = pyte.Screen(6, 1)
    stream = pyte.Stream(screen)
    stream.feed("映a映")
    assert displayed(screen) == ["映a映 "]
    stream.feed("\x1b[Hb")
    assert displayed(screen) == ["b a映 "]
