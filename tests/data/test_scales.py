"""Scales of ratings: how a scale is found, and how ratings become stars."""

import numpy as np
import pytest

from movietui.data import scales
from movietui.data.dataset import Scale
from movietui.data.movielens.release import HALF_STARS, WHOLE_STARS
from movietui.data.problems import Problem


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 4, 5], Scale(1, 5, 1)),
        ([0.5, 1, 2.5, 5], Scale(0.5, 5, 0.5)),
        ([0, 3, 5], Scale(0, 5, 0.5)),
        ([2, 4, 6, 8, 10], Scale(2, 10, 2)),
        ([3, 7, 10], Scale(1, 10, 1)),
        ([0, 7, 10], Scale(0, 10, 1)),
        ([0, 37, 99], Scale(0, 100, 1)),
        ([-9.95, 0.29, 9.37], Scale(-9.95, 9.37, 0.01)),
        ([0, 0.3, 200], Scale(0, 200, 0.1)),
    ],
)
def test_the_scale_of_a_few_ratings(values: list[float], expected: Scale) -> None:
    scale = scales.find(np.float32(values))
    assert (scale.low, scale.high, scale.step) == pytest.approx((expected.low, expected.high, expected.step), rel=1e-6)


@pytest.mark.parametrize(
    ("values", "expected"),
    [(range(1, 8), Scale(1, 7, 1)), (range(3, 6), Scale(3, 5, 1)), (range(3, 98), Scale(3, 100, 1))],
)
def test_the_ends_of_the_scale_of_many_ratings_are_those_that_occur(values: range, expected: Scale) -> None:
    assert scales.find(np.float32([*values] * 400)) == expected


def test_a_few_mistakes_do_not_change_the_scale() -> None:
    assert scales.find(np.float32([*range(1, 6)] * 400 + [55])) == WHOLE_STARS


def test_the_scale_of_a_layout_stays_if_most_ratings_are_on_it() -> None:
    values = np.float32([*range(1, 6)] * 20)
    assert scales.of_layout(HALF_STARS, np.append(values, np.float32([9, 0, np.nan]))) == HALF_STARS
    assert scales.of_layout(HALF_STARS, 2 * values) == Scale(2, 10, 2)


@pytest.mark.parametrize("values", [[], [np.nan], [3, 3, 3] * 1000, [0, 1e9]])
def test_ratings_that_have_no_scale(values: list[float]) -> None:
    with pytest.raises(Problem):
        scales.find(np.float32(values))


@pytest.mark.parametrize(
    ("text", "scale"), [("0..100", Scale(0, 100, 0)), ("-10..10", Scale(-10, 10, 0)), ("1..4.5", Scale(1, 4.5, 0))]
)
def test_a_scale_as_text(text: str, scale: Scale) -> None:
    assert scales.parse(text) == scale


@pytest.mark.parametrize("text", ["", "5", "5..1", "1-5", "1..5..9", "1..99999999", "a..b"])
def test_texts_that_are_not_scales(text: str) -> None:
    with pytest.raises(Problem, match="is not a scale; write the lowest and the highest rating"):
        scales.parse(text)


def test_a_scale_gets_the_largest_step_that_fits() -> None:
    assert scales.with_steps(Scale(0, 100, 0), np.float32([0, 25, 50, 110])).step == 1
    assert scales.with_steps(Scale(1, 5, 0), np.float32([1, 3.25])).step == 0.25
    assert scales.with_steps(Scale(-10, 10, 0), np.float32([np.pi])).step == 0


@pytest.mark.parametrize("scale", [WHOLE_STARS, HALF_STARS])
def test_stars_stay_as_they_are(scale: Scale) -> None:
    stars = np.float32([1, 2.5, 5])
    assert scale.in_stars == scale
    assert scale.to_stars(stars) is stars
    assert scale.ratings_of(stars) is stars


@pytest.mark.parametrize(
    ("scale", "ratings", "stars"),
    [
        (Scale(2, 10, 2), [2, 8, 10], [1, 4, 5]),
        (Scale(1, 10, 1), [1, 7, 10], [0.5, 3.5, 5]),
        (Scale(0, 100, 1), [0, 50, 100], [0.5, 2.75, 5]),
        (Scale(-10, 10, 0), [-10, 0, 10], [0.5, 2.75, 5]),
    ],
)
def test_ratings_in_stars_and_back(scale: Scale, ratings: list[float], stars: list[float]) -> None:
    np.testing.assert_allclose(scale.to_stars(np.float32(ratings)), stars)
    np.testing.assert_allclose(scale.from_stars(np.float32(stars)), ratings, atol=1e-5)
    assert scale.in_stars.low == stars[0]
    assert scale.in_stars.high == 5


def test_ratings_come_back_without_rounding_errors() -> None:
    scale = Scale(0, 100, 1)
    ratings = np.arange(101, dtype=np.float32)
    assert scale.ratings_of(scale.to_stars(ratings)).tolist() == ratings.tolist()
