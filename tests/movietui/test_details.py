"""The detail pane as text."""

from typing import Any

import pytest

from movietui.widgets.details import describe
from tests.movietui.fakes import FakeEngine


@pytest.mark.parametrize(
    ("known", "head"),
    [
        (
            {"minutes": 106, "directors": ["Bryan Singer"], "imdb": 8.6},
            ["1995 · Crime, Drama · 106 min", "Bryan Singer · IMDb 8.6", ""],
        ),
        ({"imdb": 8.0}, ["1995 · Crime, Drama", "IMDb 8.0", ""]),
        ({"directors": ["Joel Coen", "Ethan Coen"]}, ["1995 · Crime, Drama", "Joel Coen, Ethan Coen", ""]),
        ({"year": 0, "genres": [], "minutes": 9}, ["9 min", ""]),
        ({}, ["1995 · Crime, Drama", ""]),
        ({"year": 0, "genres": []}, []),
    ],
)
def test_what_is_not_known_is_left_out(known: dict[str, Any], head: list[str]) -> None:
    details = {**FakeEngine().details([{"kind": "user", "id": "1", "rated": []}], "45"), **known}
    lines = describe(details, ["a"], 40).plain.split("\n")  # type: ignore[arg-type]
    assert lines[: len(head)] == head
    assert lines[len(head)].startswith("expect")
