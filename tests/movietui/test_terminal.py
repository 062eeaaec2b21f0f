"""The emulated terminal of the tests shows what a person would see."""

import pyte

from tests.movietui.terminal import displayed


def test_what_is_left_of_a_half_overwritten_wide_character_is_a_blank() -> None:
    screen = pyte.Screen(6, 1)
    stream = pyte.Stream(screen)
    stream.feed("映a映")
    assert displayed(screen) == ["映a映 "]
    stream.feed("\x1b[Hb")
    assert displayed(screen) == ["b a映 "]
