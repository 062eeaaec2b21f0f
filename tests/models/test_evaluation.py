"""Evaluating, comparing and training."""

from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
import pytest

from movietui.data.dataset import ImdbFacts
from movietui.data.pairs import Pairs
from movietui.data.problems import Cancelled, Problem
from movietui.data.splits import split
from movietui.models.base import Epoch, Expectation
from movietui.models.bayes import Bayes, BayesSettings
from movietui.models.bias import Bias, BiasSettings, Generosity
from movietui.models.blend import BlendSettings
from movietui.models.choices import Task, phases
from movietui.models.evaluation import measure
from movietui.models.evaluation.comparison import compare
from movietui.models.evaluation.measure import (
    build,
    choose,
    evaluate,
    measure_coverage,
    measure_pair_lists,
    train,
)
from movietui.models.metrics import pair_errors
from movietui.models.mf import BiasedMF, BiasedMFSettings
from tests.models.builders import dataset, rmse, tastes

DATASET = tastes()[0]


def test_json_has_the_agreed_fields() -> None:
    document = evaluate("bias", DATASET, "random80", seed=3).as_json()
    assert list(document["metrics"]) == ["rmse", "mse", "mae", "accuracy", "mse_scaled", "rmse_margin"]
    assert set(document["seconds"]) == {"fit", "fit_cpu", "predict"}
    rest = {name: value for name, value in document.items() if name not in ("metrics", "seconds")}
    assert rest == {
        "model": "bias",
        "dataset": "planted",
        "split": "random80",
        "protocol": "random80",
        "split_seed": 0,
        "task": "rating",
        "seed": 3,
        "order": None,
        "relevant": None,
        "settings": "tuned",
        "values": asdict(BiasSettings()),
        "cleaning": "none",
        "imdb": "",
        "n_train": len(DATASET.ratings) - round(len(DATASET.ratings) / 5),
        "n_test": round(len(DATASET.ratings) / 5),
    }


def test_an_evaluation_names_the_join_with_imdb() -> None:
    none = np.zeros(len(DATASET.movies))
    imdb = ImdbFacts(
        none, none.astype(int), none.astype(int), ((),) * len(none), ((),) * len(none), fingerprint="c0ffee"
    )
    joined = replace(DATASET, movies=replace(DATASET.movies, imdb=imdb))
    assert evaluate("bias", joined, "random80").as_json()["imdb"] == "c0ffee"


def test_the_processor_time_of_a_fit_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that waits takes wall time, but no processor time."""
    monkeypatch.setattr(measure.time, "process_time", iter((2.0, 3.5)).__next__)
    monkeypatch.setattr(measure.time, "perf_counter", iter((10.0, 17.0, 18.0)).__next__)
    seconds = evaluate("bias", DATASET, "random80").as_json()["seconds"]
    assert seconds == {"fit": 7.0, "fit_cpu": 1.5, "predict": 1.0}


def test_the_rmse_is_that_of_a_model_fitted_on_train() -> None:
    parts = split(DATASET, "kfold5-2")
    model = Bias()
    model.fit(DATASET.with_ratings(parts.train))
    test = DATASET.ratings.take(parts.test)
    expected = rmse(model.predict(test.user, test.movie), test.stars)
    assert evaluate("bias", DATASET, "kfold5-2").metrics["rmse"] == pytest.approx(expected, rel=1e-6)


def test_the_tasks_ranking_and_pair_have_their_own_metrics() -> None:
    ranking = evaluate("popularity", DATASET, "random80", "ranking")
    assert list(ranking.metrics) == [
        "ndcg@10",
        "liked@10",
        "disliked@10",
        "believed@10",
        "inverted@10",
        "recall@10",
        "recall@20",
        "hit@10",
        "precision@10",
        "map@10",
        "mrr",
        "coverage@10",
        "gini@10",
        "novelty@10",
        "diversity@10",
        "ndcg@10_margin",
        "users",
    ]
    assert ranking.prediction is None
    pair = evaluate("bias", DATASET, "random80", "pair").metrics
    lists = ["ndcg@10_mean", "ndcg@10_min", "ndcg@10_gap", "pairs"]
    assert list(pair) == ["rmse", "mae", "mse_scaled", "triples", *lists]
    assert pair["rmse"] < evaluate("bias", DATASET, "random80").metrics["rmse"]


def test_taste_ranks_better_than_popularity() -> None:
    ndcg = {name: evaluate(name, DATASET, "random80", "ranking").metrics["ndcg@10"] for name in ("popularity", "mf")}
    assert ndcg["mf"] > ndcg["popularity"] * 1.2


@pytest.mark.parametrize("task", ["rating", "pair"])
def test_a_model_that_reads_time_is_measured_with_and_without_the_moments(task: Task) -> None:
    """The moments of the test ratings, and nothing else of them, are used."""
    sittings = replace(DATASET, ratings=replace(DATASET.ratings, time=1 + DATASET.ratings.time * 997 % 3_000))
    undated = replace(sittings, ratings=replace(sittings.ratings, time=np.zeros_like(sittings.ratings.time)))
    model = Bayes(BayesSettings(factors=2, sweeps=6, implicit=0))
    result = evaluate(model, sittings, "random80", task)
    test = result.parts.test
    for metric, stars in (
        ("rmse", model.predict_at(test.user, test.movie, test.time)),
        ("rmse_undated", model.predict(test.user, test.movie)),
    ):
        if task == "rating":
            expected = rmse(stars, test.stars)
        else:
            errors = np.concatenate([*pair_errors(lambda a, b, stars=stars: (stars[a] + stars[b]) / 2, test)])
            expected = np.sqrt(np.mean(errors.astype(np.float64) ** 2))
        assert result.metrics[metric] == pytest.approx(expected, rel=1e-5)
    assert result.metrics["rmse"] != result.metrics["rmse_undated"]
    assert "rmse_undated" not in evaluate(model, undated, "random80", task).metrics
    assert "rmse_undated" not in evaluate("bias", sittings, "random80", task).metrics


class TestCoverage:
    def test_by_hand(self) -> None:
        """With an uncertainty of 0.6 and a noise of 0.64, the 80 % interval extends 1.2816 stars to either side."""
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

    def test_noise_is_the_mean_over_samples(self) -> None:
        model = Bias()
        model.restore({"noise": np.asarray([0.6, 0.68]), "counts": np.zeros(2, np.int32)}, DATASET.scale)
        np.testing.assert_allclose(model.noise(None), [0.64, 0.64])

    def test_noise_follows_the_scatter_of_users_and_movies(self) -> None:
        scatter = {"user_scatter": np.asarray([[2, 1], [4, 1]]), "movie_scatter": np.asarray([[1, 3], [1, 1]])}
        model = Bias()
        model.restore({"noise": np.asarray([0.5, 0.5]), "counts": np.zeros(2, np.int32), **scatter}, DATASET.scale)
        np.testing.assert_allclose(model.noise(0), [(1 + 2) / 2, (3 + 2) / 2])
        np.testing.assert_allclose(model.noise(None), [0.5, (1.5 + 0.5) / 2])

    def test_coverage_is_nominal_if_ratings_scatter_as_assumed(self) -> None:
        """Ratings are a value for each movie plus normal scatter, not rounded, so 80 % of them are in the interval."""
        random = np.random.default_rng(0)
        user, movie = (grid.ravel() for grid in np.indices((60, 50)))
        stars = random.normal(3, 0.3, 50)[movie] + random.normal(0, 0.4, len(user))
        whole = dataset(user, movie, stars)
        metrics = evaluate("bias", whole, "random80", intervals=True).metrics
        assert list(metrics)[-1] == "coverage80"
        assert metrics["coverage80"] == pytest.approx(0.8, abs=0.04)

    def test_coverage_is_measured_on_a_sample_of_users(self, monkeypatch: pytest.MonkeyPatch) -> None:
        train, test = tastes()
        model = build("bias")
        model.fit(train)
        every = measure_coverage(model, train, test)["coverage80"]
        monkeypatch.setattr(measure, "COVERAGE_USERS", 20)
        some = [measure_coverage(model, train, test, seed)["coverage80"] for seed in (0, 0, 1)]
        assert some[0] == some[1] != some[2]
        assert some[0] == pytest.approx(every, abs=0.15)

    def test_a_model_without_noise_has_no_coverage(self) -> None:
        assert build("popularity").noise(None) is None
        assert "coverage80" not in evaluate("popularity", DATASET, "random80", intervals=True).metrics


class TestPairLists:
    def test_by_hand(self) -> None:
        # Movies 0 to 2 have been seen by user 0 or 1; only user 3 has seen the others.
        train = dataset([0, 0, 1, 1, 3, 3, 3, 3, 3, 3], [0, 1, 1, 2, 2, 3, 4, 5, 6, 7], [5] * 10)
        # A movie that one member likes and the other has seen is relevant to neither. User 2 likes only a movie that
        # user 0 or 1 has seen.
        test = dataset([0, 0, 1, 1, 2, 1, 0], [5, 4, 0, 5, 1, 7, 3], [5, 4, 5, 4, 5, 3, 3.5], 4, 8).ratings
        model = build("popularity")
        model.fit(train)
        # Movies 3 to 7 have one rating each, so the list is 3, 4, 5, 6, 7.
        second, third = 1 / np.log2(3), 1 / np.log2(4)
        metrics = measure_pair_lists(model, train, test)
        first_member, second_member = (second + third) / (1 + second), third
        assert metrics["pairs"] == 1
        assert metrics["ndcg@10_mean"] == pytest.approx((first_member + second_member) / 2)
        assert metrics["ndcg@10_min"] == pytest.approx(min(first_member, second_member))

    def test_a_model_of_taste_makes_better_lists_for_pairs(self) -> None:
        train, test = tastes()
        metrics = {}
        for name in ("bias", "mf"):
            model = build(name)
            model.fit(train)
            metrics[name] = measure_pair_lists(model, train, test)
        assert metrics["mf"]["pairs"] == metrics["bias"]["pairs"] == measure.LISTED_PAIRS
        assert metrics["mf"]["ndcg@10_mean"] > metrics["bias"]["ndcg@10_mean"] * 1.2
        assert metrics["mf"]["ndcg@10_min"] > metrics["bias"]["ndcg@10_min"] * 1.2

    def test_the_seed_determines_the_pairs(self) -> None:
        train, test = tastes()
        model = build("bias")
        model.fit(train)
        one, same, other = (measure_pair_lists(model, train, test, seed) for seed in (1, 1, 2))
        assert one == same != other

    @pytest.mark.parametrize("many", [2, 3, 7])
    def test_every_pair_can_be_drawn(self, many: int) -> None:
        drawn = list(measure._pairs_of(many, seed=0))
        assert sorted(drawn) == sorted(combinations(range(many), 2))
        if many == 7:
            assert drawn != sorted(drawn)

    @pytest.mark.parametrize("stars", [[3, 3], [5, 3]])
    def test_having_no_pairs_is_a_problem(self, stars: list[float]) -> None:
        train = dataset([0, 1, 1], [0, 1, 2], [5, 5, 5])
        model = build("popularity")
        model.fit(train)
        with pytest.raises(Problem, match="choose another split"):
            measure_pair_lists(model, train, dataset([0, 1], [2, 0], stars, 2, 3).ratings)


def test_the_split_has_a_separate_seed() -> None:
    a, b = (evaluate("popularity", DATASET, "random80", split_seed=seed) for seed in (0, 1))
    assert not np.array_equal(a.parts.test.user, b.parts.test.user)


def test_changed_settings_are_called_own() -> None:
    assert evaluate("bias", DATASET, "random80", settings=BiasSettings(sweeps=1)).settings == "own"
    assert evaluate("bias", DATASET, "random80", settings=BiasSettings()).settings == "tuned"


def test_published_settings_are_those_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    published = BiasSettings(sweeps=3)
    monkeypatch.setattr(Bias, "published", published)
    assert choose("bias") == BiasSettings()
    assert choose("bias", published=True) == published
    assert choose("bias", True, {"caution": "2"}) == BiasSettings(sweeps=3, caution=2)
    assert evaluate("bias", DATASET, "random80", settings=published).settings == "published"
    with pytest.raises(Problem, match=r"None of the five earlier systems has popularity; .*bias"):
        choose("popularity", published=True)
    with pytest.raises(Problem, match="There is no model 'oracle'"):
        choose("oracle", published=True)


@pytest.mark.parametrize(
    ("name", "split_name", "task"),
    [("mff", "random80", "rating"), ("mf", "random70", "rating"), ("mf", "u1", "rating"), ("mf", "random80", "rank")],
)
def test_unknown_names_are_problems(name: str, split_name: str, task: str) -> None:
    with pytest.raises(Problem):
        evaluate(name, DATASET, split_name, task)  # type: ignore[arg-type]


def test_an_evaluation_does_not_differ_from_itself() -> None:
    measured = evaluate("bias", DATASET, "random80")
    same = compare(measured, measured)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_difference_is_that_of_the_rmse_and_changes_sign_if_reversed() -> None:
    mf, bias = evaluate("mf", DATASET, "random80"), evaluate("bias", DATASET, "random80")
    difference, reversed_difference = compare(mf, bias), compare(bias, mf)
    assert difference.value == pytest.approx(mf.metrics["rmse"] - bias.metrics["rmse"], abs=1e-6)
    assert difference.low < difference.value < difference.high < 0
    assert (reversed_difference.low, reversed_difference.high) == pytest.approx((-difference.high, -difference.low))


def test_the_interval_is_that_of_a_bootstrap_over_users() -> None:
    mf, bias = evaluate("mf", DATASET, "random80"), evaluate("bias", DATASET, "random80")
    difference = compare(mf, bias)
    stars, user = mf.parts.test.stars, mf.parts.test.user
    a, b = (np.bincount(user, (each.prediction - stars) ** 2, minlength=150) for each in (mf, bias))
    rows = np.bincount(user, minlength=150)
    random = np.random.RandomState(0)
    drawn = np.stack([np.bincount(random.randint(0, 150, 150), minlength=150) for _ in range(4000)])
    differences = np.sqrt(drawn @ a / (drawn @ rows)) - np.sqrt(drawn @ b / (drawn @ rows))
    low, high = np.percentile(differences, [2.5, 97.5])
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=0.15 * (high - low))


def test_evaluations_on_different_rows_cannot_be_compared() -> None:
    with pytest.raises(Problem, match="same split"):
        compare(evaluate("bias", DATASET, "kfold5-0"), evaluate("bias", DATASET, "kfold5-1"))
    with pytest.raises(Problem, match="same task"):
        compare(evaluate("bias", DATASET, "random80", "ranking"), evaluate("bias", DATASET, "random80"))


def test_too_many_triples_are_measured_but_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = evaluate("bias", DATASET, "random80", "pair")
    monkeypatch.setattr(measure, "MOST_TRIPLES", measured.metrics["triples"] - 1)
    with_too_many = evaluate("bias", DATASET, "random80", "pair")
    assert (with_too_many.metrics, with_too_many.pair_errors) == (measured.metrics, None)
    with pytest.raises(Problem, match="smaller dataset"):
        compare(with_too_many, measured)


def test_triples_that_share_a_user_are_compared_as_dependent() -> None:
    """The reference is the sum over all pairs of triples that share a user."""
    few = DATASET.with_ratings(np.flatnonzero(DATASET.ratings.movie < 12))
    mf, bias = (evaluate(name, few, "random80", "pair") for name in ("mf", "bias"))
    difference = compare(mf, bias)
    assert difference.metric == "rmse"
    assert difference.value == pytest.approx(mf.metrics["rmse"] - bias.metrics["rmse"])
    one, other = (np.concatenate(side) for side in zip(*Pairs.of(mf.parts.test).blocks(), strict=True))
    a, b = mf.parts.test.user[one], mf.parts.test.user[other]
    shared = (a[:, None] == a) | (a[:, None] == b) | (b[:, None] == a) | (b[:, None] == b)
    differences = mf.pair_errors.astype(float) ** 2 - bias.pair_errors.astype(float) ** 2
    differences -= differences.mean()
    deviation = (
        np.sqrt(differences @ shared @ differences) / len(differences) / (mf.metrics["rmse"] + bias.metrics["rmse"])
    )
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * deviation, rel=1e-3)


def test_lists_are_compared_user_by_user() -> None:
    mf, popularity = (evaluate(name, DATASET, "random80", "ranking") for name in ("mf", "popularity"))
    difference = compare(mf, popularity)
    assert difference.metric == "ndcg@10"
    assert difference.value == pytest.approx(mf.metrics["ndcg@10"] - popularity.metrics["ndcg@10"])
    each = mf.lists.by_user("ndcg@10") - popularity.lists.by_user("ndcg@10")
    reach = 1.96 * each.std() / np.sqrt(len(each))
    assert (difference.low, difference.high) == pytest.approx(
        (difference.value - reach, difference.value + reach), rel=1e-3
    )


class TestTrain:
    def test_serves_the_model_fitted_on_all_ratings(self) -> None:
        seen: list[tuple[str, Epoch]] = []
        trained = train("mf", DATASET, "random90", True, BiasedMFSettings(sweeps=3), 4, lambda *each: seen.append(each))
        assert [phase for phase, _ in seen] == ["curve"] * 3 + ["measure"] * 3 + ["serve"] * 3
        assert all((epoch.validation_loss is not None) == (phase == "curve") for phase, epoch in seen)
        assert trained.fitted.curve == tuple(epoch for phase, epoch in seen if phase == "curve")
        assert trained.fitted_on == "all ratings"
        assert int(trained.model.counts.sum()) == len(DATASET.ratings)
        whole = BiasedMF(BiasedMFSettings(sweeps=3), seed=4)
        whole.fit(DATASET)
        np.testing.assert_array_equal(trained.model.parameters["movie_mean"], whole.parameters["movie_mean"])

    def test_serves_the_measured_model_without_a_refit(self) -> None:
        trained = train("bias", DATASET, "random80", refit_all=False)
        assert trained.fitted_on == "train"
        assert int(trained.model.counts.sum()) == len(split(DATASET, "random80").train)
        assert list(trained.seconds) == ["curve", "measure"]

    def test_a_model_that_holds_out_ratings_has_a_curve_without_a_fit_of_its_own(self) -> None:
        seen: list[tuple[str, Epoch]] = []
        settings = BlendSettings(factors=2, sweeps=2, vae=False)
        trained = train("blend", DATASET, settings=settings, progress=lambda *each: seen.append(each))
        assert dict.fromkeys(phase for phase, _ in seen) == dict.fromkeys(["measure", "serve"])
        assert trained.fitted.curve == tuple(epoch for phase, epoch in seen if phase == "measure")
        assert all(epoch.train_loss for epoch in trained.fitted.curve)
        assert phases("blend", len(DATASET.ratings)) == {"measure": 1, "serve": 0.5}
        assert phases("mf", len(DATASET.ratings), refit_all=False) == {"curve": 1, "measure": 1}

    def test_measures_the_same_as_evaluate(self) -> None:
        metrics = train("mf", DATASET, "random80").metrics
        assert metrics["rmse"] == evaluate("mf", DATASET, "random80").metrics["rmse"]
        assert metrics["ndcg@10"] == evaluate("mf", DATASET, "random80", "ranking").metrics["ndcg@10"]

    @pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
    @pytest.mark.parametrize("at", ["curve", "measure", "serve"])
    def test_can_be_stopped_in_every_phase(self, at: str, stop: type[BaseException]) -> None:
        def watch(phase: str, epoch: Epoch) -> None:
            if phase == at:
                raise stop

        with pytest.raises(stop):
            train("bias", DATASET, progress=watch)
