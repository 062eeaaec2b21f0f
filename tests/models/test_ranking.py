"""Lists for one, two and more viewers."""

import doctest
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from movietui.data.problems import Problem
from movietui.models.base import History, history_of
from movietui.models.checkpoints import save
from movietui.models.choices import ORDERS, WAYS, Order, UnseenBy, Way
from movietui.models.mf import BiasedMF
from movietui.models.popularity import Popularity
from movietui.models.serving import groups
from movietui.models.serving.groups import (
    Aggregation,
    alikeness,
    borda,
    multiplicative,
    standardised,
    weighted,
)
from movietui.models.serving.ranking import Ranker, Viewer
from tests.models.builders import dataset, tastes

DATASET = tastes()[0]


@pytest.fixture(scope="module")
def model() -> BiasedMF:
    model = BiasedMF()
    model.fit(DATASET)
    return model


@pytest.fixture
def ranker(model: BiasedMF) -> Ranker:
    return Ranker(DATASET, model)


def user(row: int) -> Viewer:
    return Viewer("user", DATASET.users.ids[row], history_of(DATASET, row))


def profile(movies: Sequence[int], stars: Sequence[float]) -> Viewer:
    return Viewer("profile", "Ada", History(np.asarray(movies, np.int32), np.asarray(stars, np.float32)))


def test_candidates_are_rated_movies_that_no_viewer_has_seen_or_hidden(ranker: Ranker) -> None:
    viewers = [replace(user(1), hidden=[3, 4]), replace(user(2), hidden=[5], seen=[6])]
    seen = set(viewers[0].history.movies.tolist()) | set(viewers[1].history.movies.tolist()) | {6}
    expected = {row for row in range(90) if DATASET.counts[row]} - seen - {3, 4, 5}
    assert set(ranker.rank(viewers).order.tolist()) == expected


def test_a_movie_that_does_not_pass_the_filter_is_not_a_candidate(ranker: Ranker) -> None:
    whole = ranker.rank([user(1)]).order
    passing = np.arange(90) % 3 == 0
    order = ranker.rank([replace(user(1), hidden=[int(whole[0])])], passing=passing).order
    assert order.tolist() == [row for row in whole[1:].tolist() if row % 3 == 0]
    listed = ranker.recommend([user(1)], 90, passing=passing)["movies"]
    assert {movie["id"] for movie in listed} == {f"m{row}" for row in whole.tolist() if row % 3 == 0}


def test_movies_without_ratings_are_never_recommended() -> None:
    few = dataset([0, 1, 0], [0, 0, 2], [5, 4, 3], movies=5)
    model = Popularity()
    model.fit(few)
    assert Ranker(few, model).rank([profile([], [])]).order.tolist() == [0, 2]


def test_best_first_and_ties_by_count_then_row() -> None:
    few = dataset([0, 1, 2, 0, 1, 2, 0], [0, 1, 1, 2, 2, 3, 3], [3, 3, 3, 3, 3, 3, 3])
    model = BiasedMF()
    model.fit(few)
    model.parameters["movie_mean"][:] = 0
    model.parameters["movie_covariance"][:] = 0
    model.restore({**model.parameters, "counts": np.int32([1, 2, 2, 2])}, model.scale)
    model.settings = type(model.settings)(popularity=0)
    assert Ranker(few, model).rank([profile([], [])]).order.tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize("order", [order for order in ORDERS if order != "liked"])
def test_order_follows_the_score(ranker: Ranker, order: Order) -> None:
    ranked = ranker.rank([user(0), user(9)], order=order)
    assert (np.diff(ranked.score[ranked.order]) <= 0).all()


def test_the_list_of_a_single_viewer_has_the_expectations_of_the_model(ranker: Ranker, model: BiasedMF) -> None:
    ranked, expected = ranker.rank([user(7)], order="likely"), model.expect(model.fold_in(history_of(DATASET, 7)))
    np.testing.assert_allclose(ranked.stars, expected.stars, atol=1e-6)
    np.testing.assert_allclose(ranked.score, expected.score, atol=1e-5)
    np.testing.assert_allclose(ranked.uncertainty, expected.uncertainty, atol=1e-6)
    assert (ranked.agreement == 1).all()


def test_a_pair_is_the_same_either_way_round(ranker: Ranker) -> None:
    one, other = ranker.rank([user(3), user(4)]), ranker.rank([user(4), user(3)])
    for name in ("order", "score", "stars", "uncertainty", "agreement"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.stars_by_viewer, other.stars_by_viewer[::-1])


def test_a_viewer_listed_twice_gets_their_own_list(ranker: Ranker) -> None:
    alone, twice = ranker.rank([user(3)]), ranker.rank([user(3), user(3)])
    np.testing.assert_array_equal(alone.order, twice.order)
    np.testing.assert_allclose(alone.stars, twice.stars, atol=1e-6)


@settings(deadline=None)
@given(arrays(np.float32, (3, 7), elements=st.floats(-9, 9, width=32)), st.floats(0, 1))
def test_the_weighted_score_is_between_the_lowest_and_the_mean(values: np.ndarray, misery: float) -> None:
    combined = weighted(values, misery)
    assert (combined >= values.min(0) - 1e-4).all()
    assert (combined <= values.mean(0) + 1e-4).all()
    np.testing.assert_allclose(weighted(values, 0), values.mean(0), atol=1e-4)
    np.testing.assert_allclose(weighted(values, 1), values.min(0), atol=1e-4)


def test_the_weighted_score_of_two_is_the_mean_less_a_share_of_half_their_distance() -> None:
    combined = weighted(np.float32([[5, 2], [1, 3]]), 0.6)
    np.testing.assert_allclose(combined, [3 - 0.6 * 2, 2.5 - 0.6 * 0.5], rtol=1e-6)


def test_misery_moves_down_movies_that_divide_the_viewers(ranker: Ranker) -> None:
    viewers = [user(3), user(4)]
    gaps = []
    for misery in (0.0, 1.0):
        ranked = ranker.rank(viewers, how=Aggregation(misery=misery))
        gaps.append(np.ptp(ranked.stars_by_viewer[:, ranked.order[:10]], axis=0).mean())
    assert gaps[1] < gaps[0]


SCORES = np.float32([[5, 2, 4, 1], [1, 3, 4, 2], [3, 3, 1, 5]])
"""Scores of three members for four movies."""


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("average", [3, 8 / 3, 3, 8 / 3]),
        ("least misery", [1, 2, 1, 1]),
        ("most pleasure", [5, 3, 4, 5]),
        ("without misery", [-np.inf, 8 / 3, -np.inf, -np.inf]),
        ("multiplicative", [0, 4 ** (1 / 3), 0, 0]),
        ("borda", [(3 + 0 + 1.5) / 3, (1 + 2 + 1.5) / 3, (2 + 3 + 0) / 3, (0 + 1 + 3) / 3]),
        ("weighted", [3 - 0.6 * 2, 8 / 3 - 0.6 * 2 / 3, 3 - 0.6 * 2, 8 / 3 - 0.6 * 5 / 3]),
    ],
)
def test_ways_to_make_one_list_of_several(way: Way, expected: list[float]) -> None:
    combined = Aggregation(way, enough=2).score(SCORES, SCORES)
    np.testing.assert_allclose(combined, expected, rtol=1e-5)
    assert (Aggregation(way).stars(SCORES) <= 5).all()


def test_ways_are_chosen_by_name() -> None:
    assert set(WAYS) == set(get_args(Way))
    assert doctest.testmod(groups).failed == 0
    with pytest.raises(Problem, match="no way 'loudest'"):
        Aggregation("loudest")  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS)
def test_the_scores_of_a_single_viewer_are_not_aggregated(way: Way) -> None:
    np.testing.assert_array_equal(Aggregation(way, standardise=True).score(SCORES[:1], SCORES[:1]), SCORES[0])


def test_standardised_members_with_extreme_scores_weigh_no_more() -> None:
    quiet_and_loud = np.float32([[3, 3.2, 3.4], [5, 3, 1]])
    assert Aggregation("average").score(quiet_and_loud, quiet_and_loud).argmax() == 0
    combined = Aggregation("average", standardise=True).score(quiet_and_loud, quiet_and_loud)
    np.testing.assert_allclose(combined, 0, atol=1e-6)
    np.testing.assert_allclose(standardised(quiet_and_loud).std(1), 1, rtol=1e-5)
    assert np.isfinite(standardised(np.float32([[3, 3, 3]]))).all()


@settings(deadline=None)
@given(arrays(np.float32, (3, 7), elements=st.floats(-9, 9, width=32)))
def test_the_favourite_of_all_members_is_first(values: np.ndarray) -> None:
    values[:, 4] = 10
    for way in WAYS:
        assert Aggregation(way).score(values, values).argmax() == 4
    assert borda(values).max() == 6
    assert (multiplicative(values) >= 0).all()


def test_without_misery_leaves_out_movies_that_a_viewer_would_dislike(ranker: Ranker) -> None:
    viewers = [user(3), user(4)]
    ranked = ranker.rank(viewers, how=Aggregation("without misery", enough=3.2))
    assert 0 < len(ranked.order) < len(ranker.rank(viewers).order)
    assert (ranked.stars_by_viewer[:, ranked.order] >= 3.2).all()


def test_unseen_by_all_by_any_and_by_none(ranker: Ranker) -> None:
    a, b = profile([1, 2, 3], [5, 4, 3]), profile([3, 4], [5, 4])
    a, b = replace(a, seen=[1, 6, 7, 8], hidden=[9]), replace(b, seen=[2, 7], hidden=[8])
    by_all, by_any, by_none = (set(ranker.rank([a, b], unseen_by=who).order.tolist()) for who in get_args(UnseenBy))
    assert by_any - by_all == {1, 4, 6}
    assert by_all < by_any
    assert by_none - by_any == {2, 3, 7}
    assert not by_none & {8, 9}


def test_agreement_falls_with_the_distance_between_the_predictions(ranker: Ranker) -> None:
    assert ranker.agreement(np.float32([[5, 3, 4], [1, 3, 3]])).tolist() == [0, 1, 0.75]


def test_uncertainty_of_a_pair(ranker: Ranker) -> None:
    a, b = ranker.rank([user(3)]).uncertainty, ranker.rank([user(4)]).uncertainty
    np.testing.assert_allclose(ranker.rank([user(3), user(4)]).uncertainty, np.sqrt(a**2 + b**2) / 2, rtol=1e-5)


def test_only_viewers_who_changed_are_folded_in_again(model: BiasedMF, monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[int] = []
    fold_in = model.fold_in
    monkeypatch.setattr(model, "fold_in", lambda history: folded.append(len(history)) or fold_in(history))
    ranker = Ranker(DATASET, model)
    ranker.rank([profile([1, 2], [5, 4]), user(3)])
    ranker.rank([profile([1, 2], [5, 4]), user(3)], how=Aggregation(misery=0))
    assert folded == [2, len(user(3).history)]
    ranker.rank([profile([1, 2, 6], [5, 4, 1]), user(3)])
    assert folded[2:] == [3]
    ranker.rank([profile([1, 2, 6], [5, 4, 2])])
    assert folded[3:] == [3]
    dated = replace(profile([1, 2, 6], [5, 4, 2]).history, time=np.asarray([30, 10, 20]))
    ranker.rank([replace(profile([], []), history=dated)])
    assert folded[4:] == [3]


def test_a_new_rating_is_added_to_what_is_known(model: BiasedMF, monkeypatch: pytest.MonkeyPatch) -> None:
    extended: list[int] = []
    monkeypatch.setattr(model, "extend", lambda taste, history: extended.append(len(history)) or model.fold_in(history))
    ranker = Ranker(DATASET, model)
    for movies, stars in (([], []), ([1], [5]), ([1, 2], [5, 4]), ([1, 2, 6], [5, 3, 1]), ([2], [4]), ([1, 2], [5, 1])):
        ranker.rank([profile(movies, stars)])
    assert extended == [1, 2, 1, 2]


def test_json_has_the_agreed_fields(ranker: Ranker) -> None:
    document = json.loads(json.dumps(ranker.recommend([user(5)], 4)))
    assert (document["dataset"], document["model"]) == ("planted", "mf")
    assert document["viewers"] == [{"kind": "user", "id": "u5", "ratings": len(user(5).history)}]
    assert [movie["rank"] for movie in document["movies"]] == [1, 2, 3, 4]
    first = document["movies"][0]
    row = int(first["id"][1:])
    assert (first["title"], first["year"], first["count"]) == (f"Movie {row}", 1990, DATASET.counts[row])
    assert first["stars_by_viewer"] == [first["stars"]]
    assert set(first) >= {
        "rank",
        "id",
        "title",
        "year",
        "genres",
        "stars",
        "uncertainty",
        "score",
        "count",
        "why",
        "alike",
    }
    assert document["order"] == "liked"
    reasons = [reason for movie in ranker.recommend([user(5)], 90)["movies"] for reason in movie["why"]]
    assert reasons
    assert all(set(reason) == {"id", "title", "stars", "share", "weight", "shared"} for reason in reasons)


def test_why_names_liked_movies_that_raise_the_score(ranker: Ranker, model: BiasedMF) -> None:
    viewer = user(5)
    movies = ranker.rank([viewer]).order.tolist()
    stars = dict(zip(viewer.history.movies.tolist(), viewer.history.stars.tolist(), strict=True))
    named = 0
    for movie, why in zip(movies, ranker.why([viewer], movies), strict=True):
        shares = dict(zip(viewer.history.movies.tolist(), model.explain(viewer.history, movie).tolist(), strict=True))
        rows = [int(each["id"][1:]) for each in why["why"]]
        assert [each["share"] for each in why["why"]] == pytest.approx([shares[row] for row in rows], abs=1e-6)
        assert all(shares[row] > 0 and stars[row] >= 3.5 for row in rows)
        named += len(rows)
    assert named


def test_why_names_the_viewers_of_a_pair(ranker: Ranker) -> None:
    movies = ranker.recommend([user(5), user(6)], 90)["movies"]
    assert {reason["viewer"] for movie in movies for reason in movie["why"]} == {"u5", "u6"}
    assert all(len(movie["stars_by_viewer"]) == 2 for movie in movies)


def test_a_viewer_without_ratings_gets_a_list(ranker: Ranker) -> None:
    movies = ranker.recommend([profile([], [])])["movies"]
    assert len(movies) == 10
    assert all(movie["why"] == [] for movie in movies)


def test_the_list_is_empty_if_everything_was_seen(ranker: Ranker) -> None:
    assert ranker.recommend([profile(range(90), [3] * 90)])["movies"] == []


def test_alikeness() -> None:
    movies = np.arange(20)
    stars = np.resize([1, 3, 5, 4, 2], 20)
    a, b = profile(movies, stars).history, profile(movies[::-1], 6 - stars[::-1]).history
    same, opposite = alikeness(a, a), alikeness(a, b)
    assert same is not None
    assert opposite is not None
    assert same.correlation == pytest.approx(20 / 30)
    assert opposite.correlation == pytest.approx(-20 / 30)
    assert same.common == 20
    flat = alikeness(a, profile(movies, [4] * 20).history)
    assert flat is not None
    assert flat.correlation == 0
    assert alikeness(a, profile(np.arange(11, 31), stars).history) is None


def test_serving_imports_neither_torch_nor_pandas_nor_textual(model: BiasedMF, tmp_path: Path) -> None:
    save(tmp_path / "run", model, DATASET)
    program = f"""
import sys
from pathlib import Path
import numpy as np
from tests.models.builders import tastes
from movietui.models.checkpoints import load
from movietui.models.base import history_of
from movietui.models.serving.ranking import Ranker, Viewer
dataset = tastes()[0]
ranker = Ranker(dataset, load(Path({str(tmp_path / "run")!r}), dataset)[0])
assert ranker.recommend([Viewer("user", "u5", history_of(dataset, 5)), Viewer("user", "u6", history_of(dataset, 6))])
print(sorted({{"torch", "pandas", "textual"}} & set(sys.modules)))
"""
    root = Path(__file__).parents[2]
    process = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert process.stdout.strip() == "[]", process.stderr
