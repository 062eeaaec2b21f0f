"""The words that say why a movie is recommended."""

import pytest

from movietui.formatting import reasons

NOTHING: dict[str, list[str]] = {"genres": [], "directors": [], "actors": [], "tags": []}
RAN, ALIEN = {"title": "Ran", "shared": NOTHING}, {"title": "Alien", "shared": {**NOTHING, "directors": ["Ann"]}}


@pytest.mark.parametrize(
    ("basis", "count", "mean", "who", "expected"),
    [
        ("ratings", 12, 4.5, "you", ""),
        ("everyone", 1, 3.0, "you", "everyone's average: ★ 3.0 from 1 rating"),
        ("everyone", 34, 0.0, "you", "watched by 34 users"),
        ("everyone", 0, 0.0, "you", reasons.UNRATED),
    ],
)
def test_the_basis_is_named_if_there_is_no_rating_to_name(
    basis: str, count: int, mean: float, who: str, expected: str
) -> None:
    viewer = {"basis": basis, "alike": [], "crowd": None, "standing": None, "similar": [], "examples": []}
    assert reasons.basis(viewer, count, mean, who) == expected


def test_people_with_the_same_taste_are_described_by_what_they_liked() -> None:
    crowd = {"theirs": 0.956, "everyone": 0.8, "people": 45}
    liked = [{"title": "Chinatown"}, {"title": "Vertigo"}]
    viewer = {"basis": "alike", "alike": liked, "crowd": crowd, "standing": None, "similar": [], "examples": []}
    assert reasons.basis(viewer, 12, 4.5) == (
        "liked by 96% of 45 people who, like you, liked Chinatown and Vertigo (80% of all)"
    )
    assert reasons.basis({**viewer, "alike": viewer["alike"][:1]}, 12, 4.5, "anna") == (
        "liked by 96% of 45 people who, like anna, liked Chinatown (80% of all)"
    )
    assert reasons.basis({**viewer, "alike": []}, 12, 4.5, "anna") == (
        "liked by 96% of 45 people whose ratings agree with anna's (80% of all)"
    )
    assert reasons.basis({**viewer, "alike": [], "similar": [RAN]}, 12, 4.5) == (
        "similar to Ran, which you liked; liked by 96% of 45 people whose ratings agree with yours (80% of all)"
    )


@pytest.mark.parametrize(
    ("best_of", "expected"),
    [
        ("", "one of the best liked movies of all: ★ 4.5 from 112 ratings"),
        ("War", "one of the best liked War movies: ★ 4.5 from 112 ratings"),
        ("1940s", "one of the best liked movies of the 1940s: ★ 4.5 from 112 ratings"),
        (None, "very well liked: ★ 4.5 from 112 ratings"),
    ],
)
def test_the_best_liked_movies_are_called_so(best_of: str | None, expected: str) -> None:
    viewer = {"basis": "everyone", "standing": {"best_of": best_of, "record": None}, "similar": [], "examples": []}
    assert reasons.basis(viewer, 112, 4.5) == expected


@pytest.mark.parametrize(("of", "movies"), [("", "movies"), ("War", "War movies"), ("1940s", "movies of the 1940s")])
def test_it_is_said_what_else_a_viewer_liked(of: str, movies: str) -> None:
    standing = {"best_of": "", "record": {"of": of, "liked": 11, "rated": 12}}
    viewer = {"basis": "everyone", "standing": standing, "similar": [], "examples": []}
    best = "one of the best liked movies of all: ★ 4.5 from 112 ratings"
    liked = f"{best}; you liked 11 of 12 other very well liked {movies}"
    assert reasons.basis(viewer, 112, 4.5) == liked
    assert reasons.basis({**viewer, "examples": [RAN, ALIEN]}, 112, 4.5) == f"{liked}, such as Ran and Alien (Ann)"


def test_it_is_said_to_which_liked_movies_a_movie_is_similar() -> None:
    standing = {"best_of": None, "record": None}
    viewer = {"basis": "everyone", "standing": standing, "similar": [RAN, ALIEN], "examples": []}
    similar = "similar to Ran and Alien (Ann), which anna liked"
    assert reasons.basis(viewer, 112, 4.1, "anna") == f"{similar}; very well liked: ★ 4.1 from 112 ratings"
    assert reasons.basis({**viewer, "standing": None}, 112, 3.5, "anna") == similar
    assert reasons.basis({**viewer, "standing": None}, 34, 0) == "similar to Ran and Alien (Ann), which you watched"


def test_a_bar_compares_a_reason_with_the_strongest() -> None:
    weighed = [{"weight": 0.02}, {"weight": 0.01}, {"weight": 0.001}, {"weight": 0.0}]
    assert [reasons.bar(each, weighed) for each in weighed] == ["●●●●●", "●●○○○", "●○○○○", "○○○○○"]
    assert reasons.bar({"weight": 0.0}, []) == "○○○○○"


def test_the_foremost_reason_is_named() -> None:
    weak = {"title": "Ran", "stars": 4.5, "weight": 0.1, "shared": NOTHING}
    strong = {"title": "Alien", "stars": 5.0, "weight": 0.3, "shared": NOTHING}
    of_anna, of_bo = [{**weak, "viewer": "anna"}], [{**strong, "viewer": "bo"}, {**weak, "viewer": "bo"}]
    assert reasons.strongest([*of_anna, *of_bo]) is of_bo[0]
    assert reasons.strongest([]) is None
    assert reasons.liked(strong) == "because you liked Alien ★ 5"
    assert reasons.liked(weak, "anna") == "because anna liked Ran ★ 4½"
    shared = {"genres": ["Horror"], "directors": ["Ridley Scott"], "actors": ["Sigourney Weaver"], "tags": ["space"]}
    assert reasons.liked({**strong, "shared": shared}) == (
        "because you liked Alien ★ 5 (Ridley Scott, Sigourney Weaver, space)"
    )


def test_without_a_reason_the_first_of_the_liked_movies_is_named() -> None:
    weak, strong = {"title": "Ran", "weight": 0.1}, {"title": "Alien", "weight": 0.3}
    assert reasons.foremost({"why": [weak], "alike": [strong]}) is weak
    assert reasons.foremost({"why": [], "alike": [weak, strong]}) is weak
    assert reasons.foremost({"why": [], "alike": []}) is None
