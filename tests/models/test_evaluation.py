"""Evaluating, comparing and training."""

from itertools import combinations

import numpy as np
import pytest

import models.evaluation
from data.pairs import Pairs
from data.problems import Cancelled, Problem
from data.splits import split
from models import evaluation
from models.bias import Bias, BiasSettings, Generosity
from models.evaluation import build, choose, compare, evaluate, measure_coverage, measure_pair_lists, train
from models.mf import BiasedMF, BiasedMFSettings
from models.model import Epoch, Expectation
from tests.models.builders import dataset, rmse, tastes

DATASET = tastes()[0]


def test_json_has_the_agreed_fields() -> None:
    found = evaluate("bias", DATASET, "random80", seed=3).as_json()
    assert list(found["metrics"]) == ["rmse", "mse", "mae", "accuracy", "mse_scaled"]
    assert set(found["seconds"]) == {"fit", "predict"}
    rest = {name: value for name, value in found.items() if name not in ("metrics", "seconds")}
    assert rest == {
        "model": "bias",
        "dataset": "planted",
        "split": "random80",
        "split_seed": 0,
        "task": "rating",
        "seed": 3,
        "settings": "tuned",
        "cleaning": "none",
        "n_train": len(DATASET.ratings) - round(len(DATASET.ratings) / 5),
        "n_test": round(len(DATASET.ratings) / 5),
    }


def test_rating_is_that_of_a_model_fitted_on_train() -> None:
    parts = split(DATASET, "kfold5-2")
    model = Bias()
    model.fit(DATASET.with_ratings(parts.train))
    test = DATASET.ratings.take(parts.test)
    expected = rmse(model.predict(test.user, test.movie), test.stars)
    assert evaluate("bias", DATASET, "kfold5-2").metrics["rmse"] == pytest.approx(expected, rel=1e-6)


def test_ranking_and_pair_have_their_metrics() -> None:
    ranking = evaluate("popularity", DATASET, "random80", "ranking")
    assert list(ranking.metrics) == [
        "ndcg@10",
        "recall@10",
        "recall@20",
        "hit@10",
        "coverage@10",
        "novelty@10",
        "diversity@10",
    ]
    assert ranking.prediction is None
    pair = evaluate("bias", DATASET, "random80", "pair").metrics
    lists = ["ndcg@10_mean", "ndcg@10_min", "ndcg@10_gap", "pairs"]
    assert list(pair) == ["rmse", "mae", "mse_scaled", "triples", *lists]
    assert pair["rmse"] < evaluate("bias", DATASET, "random80").metrics["rmse"]


def test_taste_ranks_better_than_popularity() -> None:
    found = {name: evaluate(name, DATASET, "random80", "ranking").metrics["ndcg@10"] for name in ("popularity", "mf")}
    assert found["mf"] > found["popularity"] * 1.2


class TestCoverage:
    def test_by_hand(self) -> None:
        """With an uncertainty of 0.6 and a noise of 0.64, the 80 % interval reaches 1.2816 stars to both sides."""
        train = dataset([0, 0, 1], [0, 1, 1], [3, 3, 3], movies=5)
        test = dataset([0, 0, 0, 1], [2, 3, 4, 0], [4, 4.25, 4.3, 1.7], movies=5).ratings

        class Known(Bias):
            def expect(self, taste: Generosity) -> Expectation:
                three, unsure = np.full(5, 3, np.float32), np.full(5, 0.6, np.float32)
                return Expectation(three, unsure, three)

        model = Known()
        model.fit(train)
        model.parameters["noise"] = np.asarray(0.64)
        assert measure_coverage(model, train, test) == {"coverage80": 0.5}

    def test_of_several_samples_the_mean_is_told(self) -> None:
        model = Bias()
        model.restore({"noise": np.asarray([0.6, 0.68]), "counts": np.zeros(2, np.int32)}, DATASET.scale)
        np.testing.assert_allclose(model.noise(None), [0.64, 0.64])

    def test_who_scatters_more_and_what_scatters_more_is_told(self) -> None:
        scatter = {"user_scatter": np.asarray([[2, 1], [4, 1]]), "movie_scatter": np.asarray([[1, 3], [1, 1]])}
        model = Bias()
        model.restore({"noise": np.asarray([0.5, 0.5]), "counts": np.zeros(2, np.int32), **scatter}, DATASET.scale)
        np.testing.assert_allclose(model.noise(0), [(1 + 2) / 2, (3 + 2) / 2])
        np.testing.assert_allclose(model.noise(None), [0.5, (1.5 + 0.5) / 2])

    def test_what_scatters_as_believed_is_covered_as_promised(self) -> None:
        """Ratings that are a number for each movie and normal scatter, not rounded: 80 % lie within."""
        random = np.random.default_rng(0)
        user, movie = (grid.ravel() for grid in np.indices((60, 50)))
        stars = random.normal(3, 0.3, 50)[movie] + random.normal(0, 0.4, len(user))
        whole = dataset(user, movie, stars)
        found = evaluate("bias", whole, "random80", intervals=True).metrics
        assert list(found)[-1] == "coverage80"
        assert found["coverage80"] == pytest.approx(0.8, abs=0.04)

    def test_of_many_users_some_are_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        train, test = tastes()
        model = build("bias")
        model.fit(train)
        every = measure_coverage(model, train, test)["coverage80"]
        monkeypatch.setattr(models.evaluation, "ASKED", 20)
        some = [measure_coverage(model, train, test, seed)["coverage80"] for seed in (0, 0, 1)]
        assert some[0] == some[1] != some[2]
        assert some[0] == pytest.approx(every, abs=0.15)

    def test_a_model_that_does_not_tell_has_none(self) -> None:
        assert build("popularity").noise(None) is None
        assert "coverage80" not in evaluate("popularity", DATASET, "random80", intervals=True).metrics


class TestPairLists:
    def test_by_hand(self) -> None:
        # Users 0 and 1 have seen movies 0 to 2, all others user 3 alone.
        train = dataset([0, 0, 1, 1, 3, 3, 3, 3, 3, 3], [0, 1, 1, 2, 2, 3, 4, 5, 6, 7], [5] * 10)
        # What user 0 likes and user 1 has seen is for neither: movie 1. User 2 likes nothing that 0 or 1 have not seen.
        test = dataset([0, 0, 1, 1, 2, 1, 0], [5, 4, 0, 5, 1, 7, 3], [5, 4, 5, 4, 5, 3, 3.5], 4, 8).ratings
        model = build("popularity")
        model.fit(train)
        # All of movies 3 to 7 have one rating, so the list is 3, 4, 5, 6, 7.
        second, third = 1 / np.log2(3), 1 / np.log2(4)
        found = measure_pair_lists(model, train, test)
        first_member, second_member = (second + third) / (1 + second), third
        assert found["pairs"] == 1
        assert found["ndcg@10_mean"] == pytest.approx((first_member + second_member) / 2)
        assert found["ndcg@10_min"] == pytest.approx(min(first_member, second_member))

    def test_knowing_both_tastes_is_better(self) -> None:
        train, test = tastes()
        found = {}
        for name in ("bias", "mf"):
            model = build(name)
            model.fit(train)
            found[name] = measure_pair_lists(model, train, test)
        assert found["mf"]["pairs"] == found["bias"]["pairs"] == models.evaluation.LISTED_PAIRS
        assert found["mf"]["ndcg@10_mean"] > found["bias"]["ndcg@10_mean"] * 1.2
        assert found["mf"]["ndcg@10_min"] > found["bias"]["ndcg@10_min"] * 1.2

    def test_which_pairs_follows_from_the_seed(self) -> None:
        train, test = tastes()
        model = build("bias")
        model.fit(train)
        one, same, other = (measure_pair_lists(model, train, test, seed) for seed in (1, 1, 2))
        assert one == same != other

    @pytest.mark.parametrize("many", [2, 3, 7])
    def test_every_pair_can_be_drawn(self, many: int) -> None:
        drawn = list(models.evaluation._pairs_of(many, seed=0))
        assert sorted(drawn) == sorted(combinations(range(many), 2))
        if many == 7:
            assert drawn != sorted(drawn)

    @pytest.mark.parametrize("stars", [[3, 3], [5, 3]])
    def test_without_pairs_that_is_said(self, stars: list[float]) -> None:
        train = dataset([0, 1, 1], [0, 1, 2], [5, 5, 5])
        model = build("popularity")
        model.fit(train)
        with pytest.raises(Problem, match="choose another split"):
            measure_pair_lists(model, train, dataset([0, 1], [2, 0], stars, 2, 3).ratings)


def test_the_split_has_its_own_seed() -> None:
    a, b = (evaluate("popularity", DATASET, "random80", split_seed=seed) for seed in (0, 1))
    assert not np.array_equal(a.test.user, b.test.user)


def test_own_settings_are_called_so() -> None:
    assert evaluate("bias", DATASET, "random80", settings=BiasSettings(sweeps=1)).settings == "own"
    assert evaluate("bias", DATASET, "random80", settings=BiasSettings()).settings == "tuned"


def test_published_settings_are_those_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    published = BiasSettings(sweeps=3)
    monkeypatch.setattr(Bias, "published", published)
    assert choose("bias") == BiasSettings()
    assert choose("bias", published=True) == published
    assert choose("bias", True, {"caution": "2"}) == BiasSettings(sweeps=3, caution=2)
    assert evaluate("bias", DATASET, "random80", settings=published).settings == "published"
    with pytest.raises(Problem, match=r"None of the source systems has popularity; .*bias"):
        choose("popularity", published=True)
    with pytest.raises(Problem, match="There is no model 'oracle'"):
        choose("oracle", published=True)


@pytest.mark.parametrize(
    ("name", "split_name", "task"),
    [("mff", "random80", "rating"), ("mf", "random70", "rating"), ("mf", "u1", "rating"), ("mf", "random80", "rank")],
)
def test_what_is_not_known_is_said(name: str, split_name: str, task: str) -> None:
    with pytest.raises(Problem):
        evaluate(name, DATASET, split_name, task)  # type: ignore[arg-type]


def test_compared_with_itself_there_is_no_difference() -> None:
    found = evaluate("bias", DATASET, "random80")
    same = compare(found, found)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_difference_is_that_of_the_rmse_and_turns_around() -> None:
    mf, bias = evaluate("mf", DATASET, "random80"), evaluate("bias", DATASET, "random80")
    found, turned = compare(mf, bias), compare(bias, mf)
    assert found.value == pytest.approx(mf.metrics["rmse"] - bias.metrics["rmse"], abs=1e-6)
    assert found.low < found.value < found.high < 0
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_the_interval_is_that_of_drawing_users_again() -> None:
    mf, bias = evaluate("mf", DATASET, "random80"), evaluate("bias", DATASET, "random80")
    found = compare(mf, bias)
    stars, user = mf.test.stars, mf.test.user
    a, b = (np.bincount(user, (each.prediction - stars) ** 2, minlength=150) for each in (mf, bias))
    rows = np.bincount(user, minlength=150)
    random = np.random.RandomState(0)
    drawn = np.stack([np.bincount(random.randint(0, 150, 150), minlength=150) for _ in range(4000)])
    differences = np.sqrt(drawn @ a / (drawn @ rows)) - np.sqrt(drawn @ b / (drawn @ rows))
    low, high = np.percentile(differences, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.15 * (high - low))


def test_other_rows_cannot_be_compared() -> None:
    with pytest.raises(Problem, match="same split"):
        compare(evaluate("bias", DATASET, "kfold5-0"), evaluate("bias", DATASET, "kfold5-1"))
    with pytest.raises(Problem, match="same task"):
        compare(evaluate("bias", DATASET, "random80", "ranking"), evaluate("bias", DATASET, "random80"))


def test_too_many_triples_are_measured_but_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    held = evaluate("bias", DATASET, "random80", "pair")
    monkeypatch.setattr(evaluation, "HELD", held.metrics["triples"] - 1)
    found = evaluate("bias", DATASET, "random80", "pair")
    assert (found.metrics, found.pair_errors) == (held.metrics, None)
    with pytest.raises(Problem, match="smaller dataset"):
        compare(found, held)


def test_pairs_are_compared_as_those_who_share_a_user() -> None:
    """Against the sum over all two triples that have a user in common."""
    few = DATASET.with_ratings(np.flatnonzero(DATASET.ratings.movie < 12))
    mf, bias = (evaluate(name, few, "random80", "pair") for name in ("mf", "bias"))
    found = compare(mf, bias)
    assert found.metric == "rmse"
    assert found.value == pytest.approx(mf.metrics["rmse"] - bias.metrics["rmse"])
    one, other = (np.concatenate(side) for side in zip(*Pairs.of(mf.test).blocks(), strict=True))
    a, b = mf.test.user[one], mf.test.user[other]
    shared = (a[:, None] == a) | (a[:, None] == b) | (b[:, None] == a) | (b[:, None] == b)
    rest = mf.pair_errors.astype(float) ** 2 - bias.pair_errors.astype(float) ** 2
    rest -= rest.mean()
    deviation = np.sqrt(rest @ shared @ rest) / len(rest) / (mf.metrics["rmse"] + bias.metrics["rmse"])
    assert found.high - found.low == pytest.approx(2 * 1.96 * deviation, rel=1e-3)


def test_lists_are_compared_user_by_user() -> None:
    mf, popularity = (evaluate(name, DATASET, "random80", "ranking") for name in ("mf", "popularity"))
    found = compare(mf, popularity)
    assert found.metric == "ndcg@10"
    assert found.value == pytest.approx(mf.metrics["ndcg@10"] - popularity.metrics["ndcg@10"])
    each = mf.lists.ndcg - popularity.lists.ndcg
    reach = 1.96 * each.std() / np.sqrt(len(each))
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach), rel=1e-3)


class TestTrain:
    def test_serves_what_was_fitted_on_all_ratings(self) -> None:
        seen: list[tuple[str, Epoch]] = []
        found = train("mf", DATASET, "random90", True, BiasedMFSettings(sweeps=3), 4, lambda *each: seen.append(each))
        assert [phase for phase, _ in seen] == ["curve"] * 3 + ["measure"] * 3 + ["serve"] * 3
        assert all((epoch.validation_loss is not None) == (phase == "curve") for phase, epoch in seen)
        assert found.fitted.curve == tuple(epoch for phase, epoch in seen if phase == "curve")
        assert found.fitted_on == "all ratings"
        assert int(found.model.counts.sum()) == len(DATASET.ratings)
        whole = BiasedMF(BiasedMFSettings(sweeps=3), seed=4)
        whole.fit(DATASET)
        np.testing.assert_array_equal(found.model.parameters["movie_mean"], whole.parameters["movie_mean"])

    def test_or_what_was_measured(self) -> None:
        found = train("bias", DATASET, "random80", refit_all=False)
        assert found.fitted_on == "train"
        assert int(found.model.counts.sum()) == len(split(DATASET, "random80").train)
        assert list(found.seconds) == ["curve", "measure"]

    def test_measures_as_evaluate_does(self) -> None:
        found = train("mf", DATASET, "random80").metrics
        assert found["rmse"] == evaluate("mf", DATASET, "random80").metrics["rmse"]
        assert found["ndcg@10"] == evaluate("mf", DATASET, "random80", "ranking").metrics["ndcg@10"]

    @pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
    @pytest.mark.parametrize("at", ["curve", "measure", "serve"])
    def test_can_be_stopped_in_every_phase(self, at: str, stop: type[BaseException]) -> None:
        def watch(phase: str, epoch: Epoch) -> None:
            if phase == at:
                raise stop

        with pytest.raises(stop):
            train("bias", DATASET, progress=watch)
