"""The blend."""

from pathlib import Path

import numpy as np

from movietui.data.dataset import Dataset
from movietui.data.progress import WHOLE, Stage
from movietui.models.base import AnyModel, Epoch, Fitted, Model, history_of
from movietui.models.blend import WEIGHTS, Blend, BlendSettings
from movietui.models.checkpoints import load, save
from movietui.models.training.stages import reporting
from tests.models.builders import tastes
from tests.models.contract import ModelContract

QUICK = BlendSettings(factors=4, sweeps=30, vae=False)


class TestBlend(ModelContract):
    kind = Blend
    settings = QUICK
    hurried = BlendSettings(factors=2, sweeps=4, vae=False)
    checkerboard_bound = 1.2
    tastes_bound = 0.8

    def test_the_points_of_the_curve_are_its_parts_and_the_whole(
        self, validated: tuple[AnyModel, Fitted, list[Epoch]]
    ) -> None:
        stages = [epoch.stage for epoch in validated[2]]
        assert stages == ["bayes", "item-knn", "ease", "ials", "blend"]

    def test_the_fit_on_all_ratings_keeps_the_weights(self, quick: tuple[AnyModel, Fitted, Dataset]) -> None:
        measured, _, train = quick
        model = measured.for_all_ratings()
        stages: list[Stage] = []
        with reporting(stages.append):
            curve = model.fit(train).curve
        for name in WEIGHTS:
            np.testing.assert_array_equal(model.parameters[name], measured.parameters[name])
        assert model.counts.sum() == len(train.ratings)
        assert [epoch.train_loss for epoch in curve] == [None] * 5
        shares = [stage.done for stage in stages if stage.unit == WHOLE]
        assert shares == sorted(shares)
        assert (shares[0], shares[-1]) == (125, 1000)  # after the first of four sweeps of bayes, half of the time


def test_a_vae_contributes_to_the_order(tmp_path: Path) -> None:
    train, stages = tastes(60, 40)[0], []
    model = Blend(BlendSettings(factors=2, sweeps=4, neighbours=False, ials=False))
    model.fit(train, progress=lambda epoch: stages.append(epoch.stage))
    assert stages == ["bayes", "ease", "vae", "blend"]
    assert len(model.parameters["order"]) == len(stages)  # the last one is for the number of ratings
    assert model.parameters["order"][2] > 0
    save(tmp_path / "run", model, train)
    loaded, history = load(tmp_path / "run", train)[0], history_of(train, 3)
    before, after = (each.expect(each.fold_in(history)) for each in (model, loaded))
    np.testing.assert_array_equal(after.score, before.score)
    movies = np.asarray([0, 30], np.int32)
    shares = loaded.explain_list(history, movies)
    np.testing.assert_allclose(shares, Model.explain_list(loaded, history, movies), atol=1e-4)
