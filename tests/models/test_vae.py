"""The variational autoencoder over rows of ratings."""

import numpy as np
import pytest
import torch

from movietui.models.base import History, history_of
from movietui.models.networks import seeded
from movietui.models.training import vae as training
from movietui.models.vae import Vae, VaeSettings
from tests.models.builders import dataset, tastes
from tests.models.contract import ModelContract

SMALL = VaeSettings(hidden=40, code=10, members=2, epochs=30, batch=20, rate=0.01)


class TestVae(ModelContract):
    kind = Vae
    settings = SMALL
    hurried = VaeSettings(hidden=8, code=4, epochs=2)
    checkerboard_bound = 1.0
    tastes_bound = 0.9
    """As good as biases: half of these tastes are dislikes, which are rated too."""

    def test_numpy_scores_as_torch_does(self, model: Vae) -> None:
        train = tastes()[0]
        users = np.asarray([0, 17, 149])
        settings, column = model.settings, model.parameters["column"]
        batch = training.Lists.of(train, users, column, settings).take(torch.arange(3))
        with seeded(4), torch.no_grad():
            network = training.Autoencoders(90, settings)
            for offset in (network.bias, network.code_bias, network.offset):
                offset.normal_()
            codes, _ = network.codes(*network.sums(batch, batch.values))
            probabilities = network.scores(codes).softmax(2).mean(0)
        served = Vae(settings)
        served.restore(model.parameters | network.serving(), train.scale)
        for row, user in enumerate(users.tolist()):
            scores = served.learned_scores(history_of(train, user))
            np.testing.assert_allclose(scores, torch.log1p(90 * probabilities[row]).numpy(), atol=1e-5)

    def test_a_batch_has_the_ratings_of_its_users(self) -> None:
        train = dataset([0, 2, 0, 2, 2, 1], [3, 1, 0, 3, 2, 1], [5, 4, 2, 1, 3, 1], 5, 4)
        lists = training.Lists.of(train, np.asarray([0, 1, 2, 4]), np.asarray([0, 1, -1, 2, -1]), VaeSettings())
        batch = lists.take(torch.tensor([2, 3, 0, 1]))
        assert batch.starts.tolist() == [0, 1, 1, 3]
        assert batch.row.tolist() == [0, 2, 2]
        assert batch.column.tolist() == [1, 2, 0]
        assert batch.values.tolist() == [3, 4, 1]

    def test_movies_similar_to_liked_ones_lead_the_list(self, of_checkerboard: Vae) -> None:
        liked = History(np.asarray([2, 6, 11], np.int32), np.asarray([5, 5, 1], np.float32))
        score = of_checkerboard.expect(of_checkerboard.fold_in(liked)).score
        even, odd = np.setdiff1d(np.arange(0, 40, 2), liked.movies), np.setdiff1d(np.arange(1, 40, 2), liked.movies)
        assert score[even].min() > score[odd].max()

    def test_a_rating_with_the_value_zero_contributes_nothing(self, model: Vae) -> None:
        history = History(np.asarray([1, 2, 3], np.int32), np.asarray([1, 4, 5], np.float32))
        shares = model.explain_list(history, np.asarray([7, 1], np.int32))
        assert shares[:, 0].tolist() == [0, -0.5]
        assert (shares[:, 1:] != 0).all()

    def test_only_the_most_rated_movies_are_learned(self) -> None:
        train = tastes()[0]
        model = Vae(VaeSettings(hidden=8, code=4, epochs=1, movies=20))
        model.fit(train)
        learned = np.argsort(-train.counts, kind="stable")[:20]
        score = model.fold_in(history_of(train, 3)).score
        assert set(np.flatnonzero(score)) == set(learned)
        vectors = model.movie_vectors()
        assert set(np.flatnonzero(vectors.any(1))) == set(learned)
        rest = np.setdiff1d(np.arange(len(train.movies)), learned)[:4].astype(np.int32)
        history = History(rest[:2], np.asarray([5, 4], np.float32))
        assert (model.explain_list(history, rest[2:]) == 0).all()

    def test_the_network_never_sees_the_sample(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor more users than have ``LEARNED_RATINGS`` ratings together; all others are still served."""
        train, seen = tastes()[0], []
        of = training.Lists.of
        monkeypatch.setattr(
            training.Lists, "of", lambda train, users, *rest: seen.append(users) or of(train, users, *rest)
        )
        model = Vae(self.hurried)
        model.fit(train)
        monkeypatch.setattr(training, "LEARNED_RATINGS", len(train.ratings) // 2)
        model.fit(train)
        assert len(seen[0]) == len(train.users) - 15
        assert len(seen[1]) < len(train.users) * 0.7
        assert np.isfinite(model.expect(model.fold_in(history_of(train, 3))).score).all()
