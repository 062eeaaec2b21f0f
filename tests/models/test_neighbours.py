"""Neighbours."""

from models.neighbours import ItemKNN, UserKNN
from tests.models.contract import ModelContract


class TestUserKNN(ModelContract):
    kind = UserKNN
    checkerboard_bound = 1.0
    tastes_bound = 0.8


class TestItemKNN(ModelContract):
    kind = ItemKNN
    checkerboard_bound = 1.0
    tastes_bound = 0.8
