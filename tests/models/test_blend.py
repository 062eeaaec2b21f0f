"""The blend."""

from movietui.models.blend import Blend, BlendSettings
from tests.models.contract import ModelContract

QUICK = BlendSettings(factors=4, sweeps=30)


class TestBlend(ModelContract):
    kind = Blend
    settings = QUICK
    hurried = BlendSettings(factors=2, sweeps=4)
    checkerboard_bound = 1.2
    tastes_bound = 0.8
