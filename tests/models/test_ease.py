"""Linear models from all other movies to each."""

from models.ease import Ease
from tests.models.contract import ModelContract


class TestEase(ModelContract):
    kind = Ease
    checkerboard_bound = 0.8
    tastes_bound = 0.9
