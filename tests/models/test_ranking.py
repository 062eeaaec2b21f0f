"""Lists for one, for two and for more."""

import doctest
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import models.ranking
from data.problems import Problem
from models.checkpoints import save
from models.mf import BiasedMF
from models.model import History, history_of
from models.popularity import Popularity
from models.ranking import (
    WAYS,
    Aggregation,
    Ranker,
    UnseenBy,
    Viewer,
    Way,
    alikeness,
    borda,
    multiplicative,
    standardised,
    together,
)
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


def test_candidates_are_what_nobody_saw_nobody_hid_and_somebody_rated(ranker: Ranker) -> None:
    viewers = [user(1), user(2)]
    hidden = {3, 4, 5}
    seen = set(viewers[0].history.movies.tolist()) | set(viewers[1].history.movies.tolist())
    expected = {row for row in range(90) if DATASET.counts[row]} - seen - hidden
    assert set(ranker.rank(viewers, hidden).order.tolist()) == expected


def test_what_does_not_pass_is_no_candidate(ranker: Ranker) -> None:
    whole = ranker.rank([user(1)]).order
    passing = np.arange(90) % 3 == 0
    found = ranker.rank([user(1)], {int(whole[0])}, passing=passing).order
    assert found.tolist() == [row for row in whole[1:].tolist() if row % 3 == 0]
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


def test_order_follows_the_score(ranker: Ranker) -> None:
    found = ranker.rank([user(0), user(9)])
    assert (np.diff(found.score[found.order]) <= 0).all()


def test_one_viewer_alone_is_what_the_model_expects(ranker: Ranker, model: BiasedMF) -> None:
    found, expected = ranker.rank([user(7)]), model.expect(model.fold_in(history_of(DATASET, 7)))
    np.testing.assert_allclose(found.stars, expected.stars, atol=1e-6)
    np.testing.assert_allclose(found.score, expected.score, atol=1e-5)
    np.testing.assert_allclose(found.uncertainty, expected.uncertainty, atol=1e-6)
    assert (found.agreement == 1).all()


def test_a_pair_is_the_same_either_way_round(ranker: Ranker) -> None:
    one, other = ranker.rank([user(3), user(4)]), ranker.rank([user(4), user(3)])
    for name in ("order", "score", "stars", "uncertainty", "agreement"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.stars_by_viewer, other.stars_by_viewer[::-1])


def test_somebody_twice_is_nobody_else(ranker: Ranker) -> None:
    alone, twice = ranker.rank([user(3)]), ranker.rank([user(3), user(3)])
    np.testing.assert_array_equal(alone.order, twice.order)
    np.testing.assert_allclose(alone.stars, twice.stars, atol=1e-6)


@settings(deadline=None)
@given(arrays(np.float32, (3, 7), elements=st.floats(-9, 9, width=32)), st.floats(0, 1))
def test_together_lies_between_the_least_pleased_and_the_mean(values: np.ndarray, misery: float) -> None:
    found = together(values, misery)
    assert (found >= values.min(0) - 1e-4).all()
    assert (found <= values.mean(0) + 1e-4).all()
    np.testing.assert_allclose(together(values, 0), values.mean(0), atol=1e-4)
    np.testing.assert_allclose(together(values, 1), values.min(0), atol=1e-4)


def test_of_two_it_is_the_mean_less_half_their_distance() -> None:
    found = together(np.float32([[5, 2], [1, 3]]), 0.6)
    np.testing.assert_allclose(found, [3 - 0.6 * 2, 2.5 - 0.6 * 0.5], rtol=1e-6)


def test_misery_moves_what_divides_them_down(ranker: Ranker) -> None:
    viewers = [user(3), user(4)]
    gaps = []
    for misery in (0.0, 1.0):
        found = ranker.rank(viewers, how=Aggregation(misery=misery))
        gaps.append(np.ptp(found.stars_by_viewer[:, found.order[:10]], axis=0).mean())
    assert gaps[1] < gaps[0]


SCORES = np.float32([[5, 2, 4, 1], [1, 3, 4, 2], [3, 3, 1, 5]])
"""Of three members for four movies."""


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
    found = Aggregation(way, enough=2).score(SCORES, SCORES)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert (Aggregation(way).stars(SCORES) <= 5).all()


def test_ways_are_known_by_name() -> None:
    assert set(WAYS) == set(get_args(Way))
    assert doctest.testmod(models.ranking).failed == 0
    with pytest.raises(Problem, match="no way 'loudest'"):
        Aggregation("loudest")  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS)
def test_somebody_alone_is_not_aggregated(way: Way) -> None:
    np.testing.assert_array_equal(Aggregation(way, standardise=True).score(SCORES[:1], SCORES[:1]), SCORES[0])


def test_standardised_the_loud_weigh_no_more() -> None:
    quiet_and_loud = np.float32([[3, 3.2, 3.4], [5, 3, 1]])
    assert Aggregation("average").score(quiet_and_loud, quiet_and_loud).argmax() == 0
    found = Aggregation("average", standardise=True).score(quiet_and_loud, quiet_and_loud)
    np.testing.assert_allclose(found, 0, atol=1e-6)
    np.testing.assert_allclose(standardised(quiet_and_loud).std(1), 1, rtol=1e-5)
    assert np.isfinite(standardised(np.float32([[3, 3, 3]]))).all()


@settings(deadline=None)
@given(arrays(np.float32, (3, 7), elements=st.floats(-9, 9, width=32)))
def test_what_all_put_first_is_first(values: np.ndarray) -> None:
    values[:, 4] = 10
    for way in WAYS:
        assert Aggregation(way).score(values, values).argmax() == 4
    assert borda(values).max() == 6
    assert (multiplicative(values) >= 0).all()


def test_without_misery_leaves_out_what_somebody_would_suffer(ranker: Ranker) -> None:
    viewers = [user(3), user(4)]
    found = ranker.rank(viewers, how=Aggregation("without misery", enough=3.2))
    assert 0 < len(found.order) < len(ranker.rank(viewers).order)
    assert (found.stars_by_viewer[:, found.order] >= 3.2).all()


def test_unseen_by_any_is_what_not_all_have_seen_and_by_none_all_there_is(ranker: Ranker) -> None:
    a, b = profile([1, 2, 3], [5, 4, 3]), profile([3, 4], [5, 4])
    by_all, by_any, by_none = (set(ranker.rank([a, b], unseen_by=who).order.tolist()) for who in get_args(UnseenBy))
    assert by_any - by_all == {1, 2, 4}
    assert 3 not in by_any
    assert by_all < by_any
    assert by_none - by_any == {3}


def test_agreement_is_the_share_of_the_scale_between_them(ranker: Ranker) -> None:
    assert ranker.agreement(np.float32([[5, 3, 4], [1, 3, 3]])).tolist() == [0, 1, 0.75]


def test_uncertainty_of_a_pair(ranker: Ranker) -> None:
    a, b = ranker.rank([user(3)]).uncertainty, ranker.rank([user(4)]).uncertainty
    np.testing.assert_allclose(ranker.rank([user(3), user(4)]).uncertainty, np.sqrt(a**2 + b**2) / 2, rtol=1e-5)


def test_only_who_changed_is_folded_in_again(model: BiasedMF, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_json_has_the_agreed_fields(ranker: Ranker) -> None:
    found = json.loads(json.dumps(ranker.recommend([user(5)], 4)))
    assert (found["dataset"], found["model"]) == ("planted", "mf")
    assert found["viewers"] == [{"kind": "user", "id": "u5", "ratings": len(user(5).history)}]
    assert [movie["rank"] for movie in found["movies"]] == [1, 2, 3, 4]
    first = found["movies"][0]
    row = int(first["id"][1:])
    assert (first["title"], first["year"], first["count"]) == (f"Movie {row}", 1990, DATASET.counts[row])
    assert first["stars_by_viewer"] == [first["stars"]]
    assert set(first) >= {"rank", "id", "title", "year", "genres", "stars", "uncertainty", "score", "count", "why"}
    assert 1 <= len(first["why"]) <= 3
    assert set(first["why"][0]) == {"id", "title", "stars", "share"}


def test_why_names_what_counts_most_for_or_against(ranker: Ranker, model: BiasedMF) -> None:
    viewer = user(5)
    movies = ranker.rank([viewer]).order.tolist()
    against = 0
    for movie, why in zip(movies, ranker.why([viewer], movies), strict=True):
        shares = model.explain(viewer.history, movie)
        largest = np.argsort(-np.abs(shares), kind="stable")[:3]
        assert [each["id"] for each in why] == [f"m{row}" for row in viewer.history.movies[largest]]
        assert [each["share"] for each in why] == pytest.approx(shares[largest].tolist(), abs=1e-6)
        against += sum(each["share"] < 0 for each in why)
    assert against


def test_why_of_a_pair_says_whose(ranker: Ranker) -> None:
    found = ranker.recommend([user(5), user(6)], 5)["movies"]
    assert {reason["viewer"] for movie in found for reason in movie["why"]} == {"u5", "u6"}
    assert all(len(movie["stars_by_viewer"]) == 2 for movie in found)


def test_nobody_rated_anything_and_there_is_still_a_list(ranker: Ranker) -> None:
    found = ranker.recommend([profile([], [])])["movies"]
    assert len(found) == 10
    assert all(movie["why"] == [] for movie in found)


def test_everything_seen_is_an_empty_list(ranker: Ranker) -> None:
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
from models.checkpoints import load
from models.model import history_of
from models.ranking import Ranker, Viewer
dataset = tastes()[0]
ranker = Ranker(dataset, load(Path({str(tmp_path / "run")!r}), dataset)[0])
assert ranker.recommend([Viewer("user", "u5", history_of(dataset, 5)), Viewer("user", "u6", history_of(dataset, 6))])
print(sorted({{"torch", "pandas", "textual"}} & set(sys.modules)))
"""
    root = Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert found.stdout.strip() == "[]", found.stderr
