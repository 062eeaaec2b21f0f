"""The names that are suggested for a wrong name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movietui.data.near_names import MAX_LENGTH, hint, near_names, no_such

NAMES = ("mf", "item-knn", "user-knn", "random80", "random90", "ml-100k", "ml-10m", "Zoë", "Film-Noir", "Ridley Scott")


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("itemknn", ["item-knn"]),
        ("item-kn", ["item-knn"]),
        ("radnom80", ["random80", "random90"]),
        ("random", ["random80", "random90"]),
        ("ml100k", ["ml-100k"]),
        ("ML-100K", ["ml-100k"]),
        ("zoe", ["Zoë"]),
        ("noir", ["Film-Noir"]),
        ("filmnoir", ["Film-Noir"]),
        ("Scot", ["Ridley Scott"]),
        ("mff", ["mf"]),
        ("xyzzy", []),
        ("", []),
        ("?!", []),
        ("a" * 10_000_000, []),
    ],
)
def test_near_names(typed: str, near: list[str]) -> None:
    assert near_names(typed, NAMES) == near


def test_at_most_three_names_are_suggested_each_once() -> None:
    assert near_names("u", ["u1", "u2", "u2", "u3", "u4"]) == []
    assert near_names("run1", ["run2", "run2", "run3", "run4", "run5"]) == ["run2", "run3", "run4"]


def test_the_sentence_about_a_wrong_name() -> None:
    assert str(no_such("There is no x 'uu1'", "uu1", ["u1"], "choose one.")) == "There is no x 'uu1'; did you mean u1?"
    assert hint("ndcg", ["ndcg@10", "ndcg@10_min", "rmse"], "choose.") == "did you mean ndcg@10 or ndcg@10_min?"
    assert hint("xyzzy", ["u1"], "choose one of u1.") == "choose one of u1."


@given(st.text(max_size=MAX_LENGTH), st.lists(st.text()))
def test_any_text_can_be_compared(typed: str, names: list[str]) -> None:
    assert set(near_names(typed, names)) <= set(names)
