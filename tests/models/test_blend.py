"""The blend."""

from movietui.models.base import AnyModel, Epoch, Fitted
from movietui.models.blend import Blend, BlendSettings
from tests.models.contract import ModelContract

QUICK = BlendSettings(factors=4, sweeps=30)


class TestBlend(ModelContract):
    kind = Blend
    settings = QUICK
    hurried = BlendSettings(factors=2, sweeps=4)
    checkerboard_bound = 1.2
    tastes_bound = 0.8

    def test_the_points_of_the_curve_are_its_parts_and_the_whole(
        self, validated: tuple[AnyModel, Fitted, list[Epoch]]
    ) -> None:
        stages = [epoch.stage for epoch in validated[2]]
        assert stages == ["bayes", "item-knn", "ease", "ials-0", "ials-1", "ials-2", "blend"]
