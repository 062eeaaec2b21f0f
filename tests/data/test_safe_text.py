import pytest

from movietui.data.safe_text import strip_controls, strip_invisible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07film", "film"),
        ("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bPsixel\x1b\\x", "x"),
        ("\x1b]0;title without an end \x1b[31mred", "0;title without an end red"),  # no text is lost
        ("\x9d" * 100_000, ""),
        ("\x9d" * 100_000 + "\x1b", ""),  # takes linear time
        ("a\x1b", "a"),
        ("a\x00b\x07c\x7fd\x85e", "abcd e"),
        ("\u202egnp.exe", "gnp.exe"),
        ("one\r\ntwo\tthree", "one two three"),
        ("a\ud800b", "ab"),
        ("zero\u200bwidth so\xadft \ufeff\u2060\u115f\u3164\U000e0041tag", "zerowidth soft tag"),
        ("[red]é 千 ½ 👩\u200d🚀 می\u200cخواهم ❤\ufe0f[/red]", "[red]é 千 ½ 👩\u200d🚀 می\u200cخواهم ❤\ufe0f[/red]"),
    ],
)
def test_strip_controls(text: str, expected: str) -> None:
    assert strip_controls(text) == expected


def test_strip_invisible() -> None:
    assert strip_invisible("👩\u200d🚀 می\u200cخواهم ❤\ufe0f") == "👩🚀 میخواهم ❤"
    assert strip_invisible("\x1b[31mred\u2028[b]é 千[/b]") == "red [b]é 千[/b]"
    for code in (*range(32), *range(0x7F, 0xA0), 0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F)):
        assert strip_invisible(f"a{chr(code)}b") in ("ab", "a b", "a")
    for code in (*range(0x2060, 0x2070), 0xFEFF, *range(0xE0000, 0xE1000), *range(0xD800, 0xE000)):
        assert strip_invisible(f"a{chr(code)}b") == "ab"
