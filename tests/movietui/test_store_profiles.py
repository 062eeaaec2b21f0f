"""The names that profiles may have."""

import pytest

from movietui.data.problems import Problem
from movietui.protocol.viewers import profile
from movietui.store.ratings import Store


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Anna   Maria ", "Anna Maria"),
        ("[bold]x[/]", "[bold]x[/]"),
        ("李小龍", "李小龍"),
        ("a" * 40, "a" * 40),
        ("O'Brien; DROP TABLE viewers", "O'Brien; DROP TABLE viewers"),
        ("user 7", "user 7"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("Sally 👩🏽\u200d🚀", "Sally 👩🏽\u200d🚀"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
    ],
)
def test_valid_names_are_accepted(store: Store, typed: str, name: str) -> None:
    assert store.create_profile(typed) == profile(name)
    assert store.profiles() == [(profile(name), 0)]
    assert store.find_profile(typed.upper()) == profile(name)


MISPLACED_JOINERS = ["\u200d", "an\u200dna", "👨\u200d", "\u200d👨", "👨\u200dx", "x\u200d👨", "👨\u200d\u200d👩"]


@pytest.mark.parametrize(
    "typed", ["", "   ", "\t\n", "a" * 41, "a\x1b[31m", "a\x07b", "a\u202eb", "🏴\U000e0067", *MISPLACED_JOINERS]
)
def test_invalid_names_are_refused(store: Store, typed: str) -> None:
    with pytest.raises(Problem, match="1 to 40"):
        store.create_profile(typed)
    assert store.profiles() == []


def test_a_name_is_unique_ignoring_case(store: Store) -> None:
    store.create_profile("Anna Maria")
    with pytest.raises(Problem, match="'Anna Maria' already"):
        store.create_profile("anna  MARIA")
    assert store.find_profile("nobody") is None


def test_profiles_are_listed_by_name(store: Store) -> None:
    for name in ("tom", "Anna", "bob"):
        store.create_profile(name)
    assert [ref.id for ref, _ in store.profiles()] == ["Anna", "bob", "tom"]
