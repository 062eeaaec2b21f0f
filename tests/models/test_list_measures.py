"""Ranking metrics at any length and threshold, compared with a plain implementation and with trec_eval."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import Dataset, Ratings
from movietui.models.choices import METRICS, by_importance, higher_is_better, metric_named
from movietui.models.evaluation.measure import evaluate, measures_for, order_for
from movietui.models.metrics import (
    BY_USER,
    DEFAULT_MEASURES,
    OF_ALL_LISTS,
    STRONG_MEASURES,
    ListMeasures,
    Lists,
    Ranked,
    gini,
    rank_users,
    ranking_metrics,
)
from tests.models.builders import by_score, dataset, tastes

CUTS = (1, 3, 7, 30)


@pytest.fixture(scope="module")
def parts() -> tuple[Dataset, Ratings]:
    random = np.random.RandomState(4)
    rated = random.random_sample((40, 60)) < 0.2
    tested = (random.random_sample((40, 60)) < 0.3) & ~rated
    train = dataset(*np.nonzero(rated), random.randint(1, 6, rated.sum()), 40, 60)
    return train, dataset(*np.nonzero(tested), random.randint(1, 6, tested.sum()), 40, 60).ratings


def lists_of(parts: tuple[Dataset, Ratings], measures: ListMeasures) -> Lists:
    train, test = parts
    scores = np.random.RandomState(6).normal(size=(40, 60)).astype(np.float32)
    return rank_users(train, test, lambda user: Ranked(by_score(train, user, scores[user]), scores[user]), 0, measures)


def plain(parts: tuple[Dataset, Ratings], relevant: float, capped: bool, k: int) -> dict[str, float]:
    """Return the metrics from sorted lists and sets, one user after the other."""
    train, test = parts
    scores = np.random.RandomState(6).normal(size=(40, 60)).astype(np.float32)
    sums = dict.fromkeys(("ndcg", "precision", "recall", "map", "mrr", "hit"), 0.0)
    users, liked, rated_in_list = 0, 0, 0
    listed = dict.fromkeys([movie for movie in range(60) if train.counts[movie]], 0)
    for user in range(40):
        stars = dict(zip(test.movie[test.user == user].tolist(), test.stars[test.user == user].tolist(), strict=True))
        good = {movie for movie, given in stars.items() if given >= relevant}
        if not good:
            continue
        users += 1
        seen = {int(movie) for movie in train.ratings.movie[train.ratings.user == user]}
        whole = sorted(set(listed) - seen, key=lambda movie: -scores[user, movie])
        first = whole[:k]
        ranks = [rank for rank, movie in enumerate(first, 1) if movie in good]
        ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(k, len(good)) + 1))
        sums["ndcg"] += sum(1 / np.log2(rank + 1) for rank in ranks) / ideal
        sums["precision"] += len(ranks) / k
        sums["recall"] += len(ranks) / (min(k, len(good)) if capped else len(good))
        sums["map"] += sum(number / rank for number, rank in enumerate(ranks, 1)) / len(good)
        sums["mrr"] += next((1 / rank for rank, movie in enumerate(whole, 1) if movie in good), 0)
        sums["hit"] += bool(ranks)
        liked += len(ranks)
        rated_in_list += len(set(first) & set(stars))
        for movie in first:
            listed[movie] += 1
    ordered = sorted(listed.values())
    unequal = sum(abs(one - other) for one in ordered for other in ordered) / (2 * len(ordered) * sum(ordered))
    return {
        **{f"{name}@{k}": total / users for name, total in sums.items() if name != "mrr"},
        "mrr": sums["mrr"] / users,
        f"liked@{k}": liked / rated_in_list,
        f"gini@{k}": unequal,
        f"coverage@{k}": sum(count > 0 for count in ordered) / len(ordered),
    }


@pytest.mark.parametrize(("relevant", "capped"), [(4.0, False), (4.0, True), (2.0, False), (5.0, True)])
def test_metrics_equal_a_plain_implementation(parts: tuple[Dataset, Ratings], relevant: float, capped: bool) -> None:
    measures = ListMeasures.at(CUTS, relevant, capped)
    metrics = ranking_metrics(lists_of(parts, measures), parts[0])
    assert set(metrics) == {*measures.names, "ndcg@1_margin", "users"}
    for k in CUTS:
        expected = plain(parts, relevant, capped, k)
        assert {name: metrics[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("relevant", [4.0, 2.0])
def test_metrics_equal_those_of_trec_eval(parts: tuple[Dataset, Ratings], relevant: float) -> None:
    trec = pytest.importorskip("pytrec_eval")
    lists = lists_of(parts, replace(ListMeasures.at(CUTS, relevant), depth=60))
    test = parts[1]
    qrels: dict[str, dict[str, int]] = {}
    for user, movie, stars in zip(test.user.tolist(), test.movie.tolist(), test.stars.tolist(), strict=True):
        if user in lists.users:
            qrels.setdefault(str(user), {})[str(movie)] = int(stars >= relevant)
    run = {
        str(user): {str(movie): float(60 - rank) for rank, movie in enumerate(row) if movie >= 0}
        for user, row in zip(lists.users.tolist(), lists.movies.tolist(), strict=True)
    }
    cuts = ",".join(map(str, CUTS))
    wanted = {f"{name}.{cuts}" for name in ("ndcg_cut", "P", "recall", "map_cut", "success")} | {"recip_rank"}
    by_user = trec.RelevanceEvaluator(qrels, wanted).evaluate(run)
    theirs = {
        name: float(np.mean([values[name] for values in by_user.values()])) for name in next(iter(by_user.values()))
    }
    ours = ranking_metrics(lists, parts[0])
    names = {"ndcg_cut": "ndcg", "P": "precision", "recall": "recall", "map_cut": "map", "success": "hit"}
    assert ours["mrr"] == pytest.approx(theirs["recip_rank"])
    for their_name, our_name in names.items():
        for k in CUTS:
            assert ours[f"{our_name}@{k}"] == pytest.approx(theirs[f"{their_name}_{k}"]), (our_name, k)


def test_every_metric_of_the_table_can_be_computed() -> None:
    families = {name.partition("@")[0] for name in DEFAULT_MEASURES.names}
    assert families == {*BY_USER, *OF_ALL_LISTS}


def test_lists_are_as_long_as_the_metrics_need(parts: tuple[Dataset, Ratings]) -> None:
    assert lists_of(parts, ListMeasures(("ndcg@5", "mrr"))).movies.shape[1] == 5
    assert lists_of(parts, ListMeasures(("ndcg@5", "mrr"), depth=9)).movies.shape[1] == 9
    deep = lists_of(parts, ListMeasures(("mrr",), depth=60))
    one = lists_of(parts, ListMeasures(("mrr", "hit@1")))
    np.testing.assert_array_equal(one.by_user("mrr"), deep.by_user("mrr"))  # mrr needs no long list
    assert (one.first > 1).any()


def test_gini_of_equal_and_of_one_sided_lists() -> None:
    counts = np.ones(4, np.int32)
    assert gini(np.asarray([[0, 1], [2, 3]]), counts) == pytest.approx(0)
    assert gini(np.asarray([[0], [0]]), counts) == pytest.approx(3 / 4)
    assert gini(np.asarray([[-1]]), counts) == 0


def test_metrics_at_other_lengths_are_known() -> None:
    assert higher_is_better("recall@50")
    assert higher_is_better("ndcg@100")
    assert not higher_is_better("gini@5")
    metric = metric_named("ndcg@100")
    assert metric is not None
    assert (metric.name, metric.headline) == ("ndcg@100", True)
    assert metric.measures.startswith("discounted gain of the first 100,")
    assert metric_named("ndcg@10") is METRICS["ndcg@10"]
    for unknown in ("ndcg@0", "ndcg@", "rmse@5", "ndcg@010", "ndcg@5_gap", "nothing@10", "ndcg@10_mean_margin"):
        assert metric_named(unknown) is None, unknown
    assert by_importance(["hit@5", "recall@50", "ndcg@5", "nothing", "ndcg@20"]) == [
        *("ndcg@5", "ndcg@20"),
        *("recall@50", "hit@5"),
    ]


def test_strong_has_the_published_metrics_and_order() -> None:
    assert measures_for("strong") is STRONG_MEASURES
    assert STRONG_MEASURES.names[:3] == ("ndcg@100", "recall@20", "recall@50")
    assert STRONG_MEASURES.capped
    assert not measures_for("random80").capped
    assert (order_for("strong"), order_for("loo")) == ("likely", "liked")
    small = tastes(users=120, movies=60, share=0.6)[0]
    measured = evaluate("popularity", small, "strong", "ranking")
    assert measured.order == "likely"
    assert {*STRONG_MEASURES.names} < {*measured.metrics}
    assert evaluate("popularity", small, "strong", "ranking", order="liked").order == "liked"
