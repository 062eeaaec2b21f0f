"""JSON from outside: infinite numbers, NaN and documents that would break the parser are refused."""

import pytest

from movietui.data.storage.strict_json import finite, loads


@pytest.mark.parametrize(
    "content",
    [
        *("NaN", "[1, -Infinity]", '{"a": {"b": Infinity}}', "1e999", "-1e999", "9" * 5000),
        *("[" * 200_000, '{"a":' * 200_000, b"\xff\xfe", b'"\x80"', "", "{", "[1,]"),
    ],
)
def test_hostile_documents_are_refused(content: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        loads(content)


def test_ordinary_documents_are_accepted() -> None:
    assert loads(b'{"a": [1, 2.5, -3e-2, true, null, "\\u00e9"]}') == {"a": [1, 2.5, -0.03, True, None, "é"]}
    assert loads(str(2**63)) == 2**63


def test_values_that_could_not_be_read_again_are_dropped() -> None:
    nan, infinity = float("nan"), float("inf")
    assert finite({"rmse": nan, "mae": 0.7, "by": {"a": infinity, "b": None}}) == {"mae": 0.7, "by": {"b": None}}
    assert finite([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": nan}]) == [{"epoch": 1, "loss": 0.5}]
