"""The words that say why a movie is recommended."""

import pytest

from movietui.formatting import reasons


@pytest.mark.parametrize(
    ("basis", "likers", "agreed_on", "mean", "who", "expected"),
    [
        ("ratings", None, [], 4.5, "you", ""),
        ("alike", (28, 30), [], 4.5, "you", "liked by 28 of 30 people whose ratings agree most with yours"),
        (
            "alike",
            (28, 30),
            ["Ran", "Alien"],
            4.5,
            "anna",
            "liked by 28 of 30 people whose ratings agree most with anna's, above all on Ran and Alien",
        ),
        ("fans", (57, 61), ["Ran"], 4.5, "you", "liked by 57 of 61 people who liked Ran at least as much as you"),
        ("everyone", (1100, 1200), [], 4.5, "you", "simply very well liked: by 1,100 of 1,200 people, ★ 4.5"),
        (
            "everyone",
            (5, 12),
            [],
            3.0,
            "anna",
            "no single rating of anna's stands out; 5 of 12 people liked it, ★ 3.0",
        ),
        ("everyone", None, [], 0.0, "you", reasons.UNRATED),
    ],
)
def test_the_basis_is_named_if_there_is_no_rating_to_name(
    basis: str, likers: tuple[int, int] | None, agreed_on: list[str], mean: float, who: str, expected: str
) -> None:
    people = likers and {"liked": likers[0], "people": likers[1]}
    assert reasons.basis({"basis": basis, "likers": people, "agreed_on": agreed_on}, mean, who) == expected


def test_fans_of_a_reason_are_counted_if_there_are_enough() -> None:
    reason = {"title": "Ran", "fans": {"people": 42, "liked": 39}}
    assert reasons.fans(reason) == "39 of 42"
    assert reasons.fans_sentence(reason) == "liked by 39 of 42 people who liked Ran at least as much as you"
    assert reasons.fans_sentence({**reason, "fans": {"people": 42, "liked": 23}}) == ""
    for few in (None, {"people": 9, "liked": 9}):
        assert reasons.fans({**reason, "fans": few}) == reasons.fans_sentence({**reason, "fans": few}) == ""


def test_a_bar_compares_a_reason_with_the_strongest() -> None:
    weighed = [{"weight": 0.02}, {"weight": 0.01}, {"weight": 0.0}]
    assert [reasons.bar(each, weighed) for each in weighed] == ["●●●●●", "●●○○○", "○○○○○"]
    assert reasons.bar({"weight": 0.0}, []) == "○○○○○"


def test_the_strongest_reason_is_named() -> None:
    nothing: dict[str, list[str]] = {"genres": [], "directors": [], "actors": [], "tags": []}
    weak = {"title": "Ran", "stars": 4.5, "weight": 0.1, "shared": nothing}
    strong = {"title": "Alien", "stars": 5.0, "weight": 0.3, "shared": nothing}
    assert reasons.strongest([weak, strong]) is strong
    assert reasons.strongest([]) is None
    assert reasons.liked(strong) == "because you liked Alien ★ 5"
    assert reasons.liked(weak, "anna") == "because anna liked Ran ★ 4½"
    shared = {"genres": ["Horror"], "directors": ["Ridley Scott"], "actors": ["Sigourney Weaver"], "tags": ["space"]}
    assert reasons.liked({**strong, "shared": shared}) == (
        "because you liked Alien ★ 5 (Ridley Scott, Sigourney Weaver, space)"
    )
