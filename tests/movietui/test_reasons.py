"""The words that say why a movie is recommended."""

import pytest

from movietui.formatting import reasons


@pytest.mark.parametrize(
    ("basis", "count", "mean", "who", "expected"),
    [
        ("ratings", 12, 4.5, "you", ""),
        ("alike", 12, 4.5, "you", "liked by people whose ratings agree with yours"),
        ("alike", 12, 4.5, "anna", "liked by people whose ratings agree with anna's"),
        ("everyone", 112, 4.5, "you", "simply very well liked: ★ 4.5 from 112 ratings"),
        ("everyone", 112, 3.96, "you", "simply very well liked: ★ 4.0 from 112 ratings"),
        ("everyone", 1, 3.0, "you", "everyone's average: ★ 3.0 from 1 rating"),
        ("everyone", 0, 0.0, "you", reasons.UNRATED),
    ],
)
def test_the_basis_is_named_if_there_is_no_rating_to_name(
    basis: str, count: int, mean: float, who: str, expected: str
) -> None:
    assert reasons.basis({"basis": basis, "alike": []}, count, mean, who) == expected


def test_people_with_the_same_taste_are_described_by_what_they_liked() -> None:
    viewer = {"basis": "alike", "alike": [{"title": "Chinatown"}, {"title": "Vertigo"}]}
    assert reasons.basis(viewer, 12, 4.5) == "liked by people who, like you, liked Chinatown and Vertigo"
    assert reasons.basis({**viewer, "basis": "everyone"}, 12, 4.5, "anna").startswith("simply very well liked")
    viewer["alike"] = viewer["alike"][:1]
    assert reasons.basis(viewer, 12, 4.5, "anna") == "liked by people who, like anna, liked Chinatown"


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


def test_without_a_reason_the_first_of_the_liked_movies_is_named() -> None:
    weak, strong = {"title": "Ran", "weight": 0.1}, {"title": "Alien", "weight": 0.3}
    assert reasons.foremost({"why": [weak, strong], "alike": []}) is strong
    assert reasons.foremost({"why": [], "alike": [weak, strong]}) is weak
    assert reasons.foremost({"why": [], "alike": []}) is None
