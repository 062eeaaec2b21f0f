"""The Bayesian factorisation machine."""

from models.bayes import Bayes, BayesSettings
from tests.models.contract import ModelContract


class TestBayes(ModelContract):
    kind = Bayes
    hurried = BayesSettings(sweeps=1)
    checkerboard_bound = 0.3
    tastes_bound = 0.66
