"""The model that learns which movie comes next."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from movietui.data.dataset import Dataset
from movietui.models.base import History, history_of
from movietui.models.evaluation.measure import evaluate
from movietui.models.metrics import ListMeasures
from movietui.models.sasrec import GAPS, SasRec, SasRecSettings, gaps_of, states
from movietui.models.training import sasrec as training
from movietui.models.training.sasrec import Attention, CrossEntropy, Sequences, Watched
from tests.models.builders import dataset, tastes
from tests.models.contract import EMPTY, ModelContract

SMALL = SasRecSettings(length=12, factors=8, epochs=2, rate=0.01)
MOVIES = 12


def cycles(users: int = 60, seed: int = 4) -> Dataset:
    """Users who watch the movies in a cycle, each from another start, whose ratings are in no order in the file."""
    random = np.random.RandomState(seed)
    starts, lengths = random.randint(0, MOVIES, users), random.randint(4, MOVIES - 1, users)
    user = np.repeat(np.arange(users), lengths)
    step = np.concatenate([np.arange(length) for length in lengths])
    shuffled = random.permutation(len(user))
    watched = dataset(user, (starts[user] + step) % MOVIES, np.full(len(user), 4.0), movies=MOVIES + 1)
    ratings = watched.ratings.take(shuffled)
    return replace(watched, ratings=replace(ratings, time=step[shuffled].astype(np.int64) * 60 + 1))


@pytest.fixture(scope="module")
def of_cycles() -> SasRec:
    model = SasRec(SasRecSettings(length=8, factors=16, epochs=8, rate=0.01, blocks=1), seed=3)
    model.fit(cycles())
    return model


def watched(*movies: int) -> History:
    """Return a history whose order is the order of time."""
    return History(np.asarray(movies, np.int32), np.full(len(movies), 4, np.float32))


def packed_of(sequences: list[list[int]]) -> Sequences:
    """Return sequences of rows of movies, watched a second apart."""
    every = [np.asarray(rows, np.int32) for rows in sequences]
    watched = [Watched(rows, rows, np.ones(len(rows), np.float32), np.arange(len(rows)) + 1) for rows in every]
    return Sequences(watched, torch.device("cpu"))


class TestSasRec(ModelContract):
    kind = SasRec
    settings = SMALL
    checkerboard_bound = 2.1
    """Which movies a user rated says nothing there, and the model does not read the stars."""
    tastes_bound = 1.0
    reads_stars = False


def test_the_next_movie_of_a_cycle_comes_first(of_cycles: SasRec) -> None:
    for start in range(MOVIES):
        history = watched(*((start + np.arange(4)) % MOVIES).tolist())
        assert int(of_cycles.expect(of_cycles.fold_in(history)).score.argmax()) == (start + 4) % MOVIES


def test_the_last_movie_of_each_user_is_found_on_loo() -> None:
    """As a list is made: of the movies that the user has not rated, the next one comes first."""
    settings = SasRecSettings(length=8, factors=16, epochs=8, rate=0.01, blocks=1)
    everything = ListMeasures.at([1], relevant=0.5)
    measured = evaluate("sasrec", cycles(), "loo", "ranking", settings, order="likely", measures=everything)
    assert measured.metrics["hit@1"] > 0.95


def test_times_say_in_which_order_movies_were_watched(of_cycles: SasRec) -> None:
    ordered = watched(3, 4, 5, 6)
    shuffled = replace(ordered.take(np.asarray([2, 0, 3, 1])), time=np.asarray([50, 30, 60, 40]))
    at_once = replace(ordered, time=np.full(4, 30))
    first_unknown = replace(ordered, time=np.asarray([0, 0, 30, 31]))
    for history in (ordered, shuffled, at_once, first_unknown):
        assert int(of_cycles.expect(of_cycles.fold_in(history)).score.argmax()) == 7
    backwards = ordered.take(slice(None, None, -1))
    assert int(of_cycles.expect(of_cycles.fold_in(backwards)).score.argmax()) != 7


def test_a_gap_is_known_if_both_times_are() -> None:
    time = np.asarray([[0, 0, 30, 30, 31, 34, 1 << 62], [5, 6, 8, 12, 20, 36, 68]])
    np.testing.assert_array_equal(gaps_of(time), [[0, 0, 0, 1, 2, 3, GAPS - 1], [0, 2, 2, 3, 4, 5, 6]])


def test_what_comes_after_a_pause_differs_from_what_comes_at_once() -> None:
    """After a movie that came within a minute, the next one follows; after one that came a day later, the one after
    the next."""
    random = np.random.RandomState(1)
    seconds = np.where(random.random_sample((300, 7)) < 0.5, 60, 86_400)
    movies = np.cumsum(np.concatenate([random.randint(0, MOVIES, (300, 1)), 1 + (seconds[:, :-1] > 60)], 1), 1) % MOVIES
    time = 1 + np.cumsum(seconds, 1)
    made = dataset(np.repeat(np.arange(300), 7), movies.ravel(), np.full(300 * 7, 4.0), movies=MOVIES)
    model = SasRec(SasRecSettings(length=8, factors=16, epochs=10, rate=0.01, blocks=1))
    model.fit(replace(made, ratings=replace(made.ratings, time=time.ravel())))
    for pause, following in ((60, 6), (86_400, 7)):
        history = replace(watched(4, 5), time=np.asarray([100, 100 + pause]))
        assert int(model.expect(model.fold_in(history)).score.argmax()) == following


def test_numpy_computes_what_torch_trained() -> None:
    """Also for a number of heads that does not divide the size, and for the last movie alone."""
    settings = SasRecSettings(length=9, factors=10, heads=3, blocks=2, dropout=0.5)
    torch.manual_seed(1)
    network = Attention(settings, torch.randn(20, 10), torch.randn(20)).eval()
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.3 * torch.randn(value.shape))
        rows, gaps = torch.randint(20, (3, 9)), torch.randint(GAPS, (3, 9))
        expected = network(rows, gaps).numpy()
    inputs = network.arrays(), rows.numpy(), gaps.numpy()
    np.testing.assert_allclose(states(*inputs), expected, atol=1e-5)
    np.testing.assert_allclose(states(*inputs, last=True), expected[:, -1], atol=1e-5)


def test_a_later_movie_changes_nothing_earlier() -> None:
    torch.manual_seed(1)
    network = Attention(SasRecSettings(length=9, factors=8), torch.randn(20, 8), torch.zeros(20)).eval()
    sequences, gaps = torch.randint(20, (1, 9)).repeat(2, 1), torch.randint(GAPS, (1, 9))
    sequences[1, 5:] = (sequences[1, 5:] + 1) % 20
    before, after = (states(network.arrays(), each[None].numpy(), gaps.numpy())[0] for each in sequences)
    np.testing.assert_array_equal(before[:5], after[:5])
    assert (np.abs(before[5:] - after[5:]).max(1) > 1e-3).all()
    with torch.no_grad():
        padded, shorter = network(sequences, gaps)[0, :5], network(sequences[:1, :5], gaps[:, :5])[0]
    np.testing.assert_allclose(padded.numpy(), shorter.numpy(), atol=1e-6)


def test_the_loss_and_its_gradients_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "POSITIONS_AT_ONCE", 5)
    torch.manual_seed(2)
    state, movies, bias = (torch.randn(shape, requires_grad=True) for shape in ((12, 4), (7, 4), (7,)))
    target = torch.randint(7, (12,))
    logits = torch.addmm(bias, state, movies.T)
    theirs = cross_entropy(logits, target, reduction="sum")
    ours = CrossEntropy.apply(state, movies, bias, target)
    torch.testing.assert_close(ours, theirs)
    inputs = (state, movies, bias)
    for one, other in zip(
        torch.autograd.grad(0.5 * ours, inputs), torch.autograd.grad(0.5 * theirs, inputs), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_an_epoch_has_every_position_once_and_users_in_one_batch() -> None:
    random = np.random.RandomState(0)
    sequences = [random.randint(0, 9, size).tolist() for size in random.randint(2, 12, 50)]
    packed = packed_of(sequences)
    torch.manual_seed(0)
    batches = [batch.numpy() for batch in packed.batches(1, 20)]
    assert sorted(np.concatenate(batches).tolist()) == list(range(packed.count))
    assert len(batches) <= -(-packed.count // 20)
    owners = [set(packed.owner[batch].tolist()) for batch in batches]
    assert sum(map(len, owners)) == len(sequences)
    pairs = list(zip(packed.movie.tolist(), packed.next.tolist(), strict=True))
    assert pairs == [pair for each in sequences for pair in pairwise(each)]


def test_batches_of_one_user_are_those_of_all() -> None:
    """Padding changes nothing: the loss of a batch is the mean over its positions."""
    packed = packed_of([[1, 2, 3, 4, 5], [6, 1], [2, 4, 1]])
    torch.manual_seed(0)
    network = Attention(SasRecSettings(length=6, factors=8), torch.randn(7, 8), torch.zeros(7)).eval()
    with torch.no_grad():
        together = float(packed.loss(network, torch.arange(7)))
        alone = [float(packed.loss(network, part)) for part in torch.arange(7).split((4, 1, 2))]
    assert together == pytest.approx(np.average(alone, weights=(4, 1, 2)), rel=1e-5)


def test_training_begins_with_movies_watched_together() -> None:
    """In a cycle, these are neighbours; a movie that nobody watched has no direction."""
    packed = packed_of([[(start + step) % MOVIES for step in range(6)] for start in range(MOVIES)])
    torch.manual_seed(0)
    start = packed.embedding(MOVIES + 1, 8)
    assert float(start.norm(dim=1).mean()) == pytest.approx(1)
    products = start @ start.T
    across = products[range(MOVIES), [(movie + MOVIES // 2) % MOVIES for movie in range(MOVIES)]]
    beside = products[range(MOVIES), [(movie + 1) % MOVIES for movie in range(MOVIES)]]
    assert float(beside.min()) > float(across.max())
    assert float(start[MOVIES].norm()) < 1e-5
    assert packed.embedding(MOVIES, 20).shape == (MOVIES, 20)
    assert packed_of([]).embedding(3, 4).shape == (3, 4)


def test_only_the_last_movies_count(of_cycles: SasRec) -> None:
    history = watched(11, 2, 9, *range(8))
    last = watched(*range(8))
    np.testing.assert_allclose(
        np.delete(of_cycles.expect(of_cycles.fold_in(history)).score, [2, 9, 11]),
        np.delete(of_cycles.expect(of_cycles.fold_in(last)).score, [2, 9, 11]),
        atol=1e-6,
    )
    shares = of_cycles.explain_list(history, np.asarray([8, 10], np.int32))
    assert not shares[:, 0:2].any()
    assert np.abs(shares[:, 3:]).max() > 0.1


def test_a_long_history_is_explained_in_parts(of_cycles: SasRec, monkeypatch: pytest.MonkeyPatch) -> None:
    history, movies = watched(9, 4, 1, 2, 3), np.asarray([0, 5, 12], np.int32)
    whole = of_cycles.explain_list(history, movies)
    monkeypatch.setattr("movietui.models.sasrec.SEQUENCES_AT_ONCE", 2)
    np.testing.assert_allclose(of_cycles.explain_list(history, movies), whole, atol=1e-6)


def test_only_the_most_rated_movies_are_learned() -> None:
    train = tastes()[0]
    model = SasRec(replace(SMALL, movies=20, epochs=1))
    model.fit(train)
    assert model.parameters["embedding"].shape == (20, 8)
    learned = np.argsort(-train.counts, kind="stable")[:20].astype(np.int32)
    rest = np.setdiff1d(np.arange(len(train.movies)), learned).astype(np.int32)
    score = model.expect(model.fold_in(watched(*learned[:3], *rest[:2]))).score
    assert score[rest[2:]].max() == 0
    assert score[learned].min() > 0
    np.testing.assert_array_equal(
        np.delete(score, rest[:2]), np.delete(model.expect(model.fold_in(watched(*learned[:3]))).score, rest[:2])
    )
    assert not model.movie_vectors()[rest].any()
    unlearned = model.expect(model.fold_in(watched(*rest[:2])))
    nobody = model.expect(model.fold_in(EMPTY))
    np.testing.assert_array_equal(np.delete(unlearned.score, rest[:2]), np.delete(nobody.score, rest[:2]))


def test_a_large_dataset_is_learned_from_some_users(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[int] = []
    init = Sequences.__init__

    def count(self: Sequences, sequences: list[Watched], device: torch.device) -> None:
        learned.append(len(sequences))
        init(self, sequences, device)

    monkeypatch.setattr(Sequences, "__init__", count)
    train = tastes()[0]
    for limit in (10**9, len(train.ratings) // 3):
        monkeypatch.setattr(training, "LEARNED_RATINGS", limit)
        SasRec(replace(SMALL, epochs=1)).fit(train)
    assert learned[0] == len(train.users) - 15  # a tenth is the sample
    assert 0.2 * learned[0] < learned[1] < 0.5 * learned[0]


def test_the_sample_is_left_out_of_training() -> None:
    """Whatever the users of the sample rated, the network is the same."""
    train = cycles()
    settings = SasRecSettings(length=8, factors=8, epochs=1)
    sample = np.isin(train.ratings.user, training.sample_users(len(train.users), training.SAMPLE))
    time = np.where(sample, train.ratings.time[::-1], train.ratings.time)
    networks = []
    for ratings in (train.ratings, replace(train.ratings, time=time)):
        model = SasRec(settings)
        model.fit(replace(train, ratings=ratings))
        networks.append(model.parameters["embedding"])
    np.testing.assert_array_equal(*networks)


def test_more_ratings_do_not_raise_the_uncertainty(of_cycles: SasRec) -> None:
    train = cycles()
    history = history_of(train, 4)
    uncertainties = [
        float(of_cycles.expect(of_cycles.fold_in(each)).uncertainty.mean())
        for each in (EMPTY, history.take(slice(2)), history)
    ]
    assert uncertainties == sorted(uncertainties, reverse=True)
