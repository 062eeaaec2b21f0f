"""Splits whose users in test are new: a model never sees them before it folds them in."""

import numpy as np
import pytest

from movietui.data.problems import Problem
from movietui.models.base import History
from movietui.models.bias import Bias
from movietui.models.evaluation.comparison import sums_of
from movietui.models.evaluation.measure import build, evaluate, lists_of_users, train
from movietui.models.evaluation.parts import split_dataset
from movietui.models.evaluation.subgroups import list_subgroups, subgroups
from movietui.models.metrics import ranking_metrics
from tests.models.builders import rmse, tastes

DATASET = tastes(users=150, movies=60, share=0.6)[0]


@pytest.mark.parametrize("split_name", ["new-users", "strong"])
def test_stars_are_those_of_folding_in_the_other_ratings(split_name: str) -> None:
    parts = split_dataset(DATASET, split_name)
    assert parts.users_are_new
    model = build("mf")
    model.fit(parts.train)
    predicted = parts.predict(model)
    uncertainty = parts.uncertainty(model)
    for user in np.unique(parts.test.user).tolist():
        known = parts.known.ratings_of(user)
        rows = parts.test.user == user
        assert not np.isin(known.movie, parts.test.movie[rows]).any()
        assert not (parts.train.ratings.user == user).any()
        expected = model.expect(model.fold_in(History(known.movie, known.stars)))
        np.testing.assert_allclose(predicted[rows], expected.stars[parts.test.movie[rows]])
        np.testing.assert_allclose(uncertainty[rows], expected.uncertainty[parts.test.movie[rows]])
    measured = evaluate("mf", DATASET, split_name)
    assert measured.metrics["rmse"] == pytest.approx(rmse(predicted, parts.test.stars))


def test_folding_in_is_better_than_knowing_nothing_about_a_user() -> None:
    parts = split_dataset(DATASET, "new-users")
    model = build("mf")
    model.fit(parts.train)
    unknown = model.predict(parts.test.user, parts.test.movie)
    assert rmse(parts.predict(model), parts.test.stars) < rmse(unknown, parts.test.stars) * 0.9


def test_usual_splits_predict_as_the_model_does() -> None:
    parts = split_dataset(DATASET, "random80")
    assert not parts.users_are_new
    model = build("bias")
    model.fit(parts.train)
    np.testing.assert_array_equal(parts.predict(model), model.predict(parts.test.user, parts.test.movie))


def test_lists_of_new_users_leave_out_what_they_were_folded_in_from() -> None:
    parts = split_dataset(DATASET, "strong")
    model = build("popularity")
    model.fit(parts.train)
    lists = lists_of_users(model, parts.known, parts.test, "likely")
    for row, user in enumerate(lists.users.tolist()):
        known = parts.known.ratings_of(user).movie
        assert not np.isin(lists.movies[row], known).any()
        listed = lists.movies[row][lists.movies[row] >= 0]
        assert (parts.train.counts[listed] > 0).all()
        assert lists.means[row] == pytest.approx(parts.known.ratings_of(user).stars.mean())


def test_an_evaluation_ranks_for_the_new_users() -> None:
    parts = split_dataset(DATASET, "new-users")
    model = build("mf")
    model.fit(parts.train)
    expected = ranking_metrics(lists_of_users(model, parts.known, parts.test), parts.train)
    assert evaluate("mf", DATASET, "new-users", "ranking").metrics == expected


def test_models_do_not_take_a_new_user_for_one_that_they_know() -> None:
    rows: list[int | None] = []

    class Noted(Bias):
        def noise(self, user: int | None) -> None:
            rows.append(user)

        def fold_in(self, history: History):  # type: ignore[no-untyped-def]
            rows.append(history.user)
            return super().fold_in(history)

    parts = split_dataset(DATASET, "new-users")
    model = Noted()
    model.fit(parts.train)
    parts.predict(model)
    assert {*rows} == {None}


def test_pairs_of_new_users_are_a_problem() -> None:
    with pytest.raises(Problem, match="are new, so there are no pairs"):
        evaluate("bias", DATASET, "new-users", "pair")


def test_coverage_and_training_fold_in_new_users() -> None:
    metrics = evaluate("mf", DATASET, "new-users", intervals=True).metrics
    assert 0.6 < metrics["coverage80"] < 0.95
    trained = train("mf", DATASET, "new-users", refit_all=False)
    assert trained.metrics["rmse"] == pytest.approx(metrics["rmse"])
    assert trained.metrics["ndcg@10"] > 0


def test_subgroups_count_the_ratings_that_new_users_are_folded_in_from() -> None:
    measured = evaluate("bias", DATASET, "new-users")
    assert measured.prediction is not None
    groups = [group for group in subgroups(measured.parts, measured.prediction) if group.by == "ratings of the user"]
    assert {group.group for group in groups} <= {"1–19", "20–49"}
    assert sum(group.rows for group in groups) == len(measured.parts.test)


def test_lists_by_subgroup_average_to_the_whole() -> None:
    measured = evaluate("mf", DATASET, "random80", "ranking")
    assert measured.lists is not None
    groups = list_subgroups(measured.parts, measured.lists)
    assert {group.by for group in groups} == {"ratings of the user", "age", "gender", "occupation"}
    for by in ("ratings of the user", "gender"):
        of_one = [group for group in groups if group.by == by]
        assert sum(group.users for group in of_one) == len(measured.lists.users)
        for name in ("ndcg@10", "map@10", "mrr"):
            mean = sum(group.users * group.metrics[name] for group in of_one) / len(measured.lists.users)
            assert mean == pytest.approx(measured.metrics[name])


def test_sums_of_lists_are_by_user() -> None:
    measured = evaluate("mf", DATASET, "new-users", "ranking")
    sums = sums_of(measured)
    assert sums.metric == "ndcg@10"
    assert sums.totals.sum() / sums.rows.sum() == pytest.approx(measured.metrics["ndcg@10"])
    assert (
        np.flatnonzero(sums.rows).tolist()
        == np.unique(measured.parts.test.user[measured.parts.test.stars >= 4]).tolist()
    )
