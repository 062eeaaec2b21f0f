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
    viewer = {"basis": basis, "alike": [], "crowd": None, "standing": None}
    assert reasons.basis(viewer, count, mean, who) == expected


def test_people_with_the_same_taste_are_described_by_what_they_liked() -> None:
    crowd = {"theirs": 0.956, "everyone": 0.8, "people": 45}
    viewer = {"basis": "alike", "alike": [{"title": "Chinatown"}, {"title": "Vertigo"}], "crowd": crowd}
    assert reasons.basis(viewer, 12, 4.5) == (
        "liked by 96% of 45 people who, like you, liked Chinatown and Vertigo (80% of all)"
    )
    assert reasons.basis({**viewer, "alike": viewer["alike"][:1]}, 12, 4.5, "anna") == (
        "liked by 96% of 45 people who, like anna, liked Chinatown (80% of all)"
    )
    assert reasons.basis({**viewer, "alike": []}, 12, 4.5, "anna") == (
        "liked by 96% of 45 people whose ratings agree with anna's (80% of all)"
    )
    assert reasons.basis({**viewer, "basis": "watched"}, 12, 3.5) == (
        "watched by 96% of 45 people who, like you, watched Chinatown and Vertigo (80% of all)"
    )


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("", "one of the best liked movies of all: ★ 4.5 from 112 ratings"),
        ("War", "one of the best liked War movies: ★ 4.5 from 112 ratings"),
        ("1940s", "one of the best liked movies of the 1940s: ★ 4.5 from 112 ratings"),
    ],
)
def test_the_best_liked_movies_are_called_so(group: str, expected: str) -> None:
    viewer = {"basis": "everyone", "standing": {"group": group, "rank": 3, "liking": None}}
    assert reasons.basis(viewer, 112, 4.5) == expected


def test_the_best_of_what_a_viewer_likes_is_called_so() -> None:
    viewer = {"basis": "taste", "standing": {"group": "War", "rank": 3, "liking": {"mean": 4.26, "others": 3.5}}}
    assert reasons.basis(viewer, 112, 4.5) == (
        "you give War movies ★ 4.3 and others ★ 3.5, and this is one of the best liked: ★ 4.5 from 112 ratings"
    )
    assert reasons.basis(viewer, 112, 4.5, "anna").startswith("anna gives War movies ★ 4.3")


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
