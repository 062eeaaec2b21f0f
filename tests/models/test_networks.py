"""The training loop, and layers in numpy compared with the same layers in torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from movietui.data.problems import Cancelled
from movietui.data.progress import Meter, Stage
from movietui.models.autorec import AutoRec, AutoRecSettings
from movietui.models.base import AnyModel, Epoch, ignore_epoch
from movietui.models.embedding_products import SgdMF, SgdMFSettings
from movietui.models.networks import Plan, forward, forward_with_slope, layers_of, seeded, to_arrays, train
from movietui.models.pair import Pair, PairSettings
from movietui.models.training.stages import reporting
from movietui.models.training.towers import Tower, dropout_mask
from tests.models.builders import tastes

RANDOM = np.random.RandomState(0)
INPUTS = RANDOM.normal(size=(600, 3)).astype(np.float32)
TARGETS = np.abs(INPUTS[:, 0]) - 2 * INPUTS[:, 1]
"""The planted target, which no single linear layer can represent."""
PLAN = Plan(epochs=30, batch=64, rate=0.02, min_batches=1)


def learn(
    plan: Plan, seed: int = 0, members: int = 1, normalise: bool = False, rows: int = 500
) -> tuple[Tower, list[Epoch]]:
    inputs, targets = torch.from_numpy(INPUTS), torch.from_numpy(TARGETS)
    with seeded(seed):
        tower = Tower(members, (3, 16, 8, 1), normalise=normalise)

        def error(index: torch.Tensor) -> torch.Tensor:
            batch = inputs[index].expand(members, -1, -1)
            return (tower(batch)[:, :, 0] - targets[index]).square().mean()

        def step(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            loss = error(index)
            return loss, loss

        fitted = train(tower, step, rows, plan, ignore_epoch, lambda: float(error(torch.arange(500, 600))))
    return tower, list(fitted.curve)


@pytest.mark.parametrize("momentum", [None, 0.9])
@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("falling", [False, True])
def test_learns_the_planted_target(momentum: float | None, normalise: bool, falling: bool) -> None:
    plan = Plan(30, 64, 0.02, momentum, falling, min_batches=1)
    tower, curve = learn(plan, normalise=normalise)
    assert [epoch.number for epoch in curve] == list(range(1, 31))
    assert curve[-1].validation_loss < 0.15 < np.var(TARGETS) / 10
    output = forward(tower.layers(), INPUTS[500:])[0, :, 0]
    assert np.mean((output - TARGETS[500:]) ** 2) == pytest.approx(curve[-1].validation_loss, rel=1e-3)


def test_the_same_seed_gives_the_same_network_and_leaves_torch_alone() -> None:
    torch.manual_seed(5)
    first = learn(PLAN, seed=1)[0].layers()
    drawn = torch.rand(())
    torch.manual_seed(5)
    assert torch.rand(()) == drawn
    again, other = learn(PLAN, seed=1)[0].layers(), learn(PLAN, seed=2)[0].layers()
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        assert not np.array_equal(a[0], c[0])


def test_a_train_loss_that_is_measured_replaces_that_of_the_steps() -> None:
    tower = Tower(1, (3, 4, 1))

    def step(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        loss = tower(torch.from_numpy(INPUTS)[index][None]).square().mean()
        return loss, loss

    measured = iter((0.5, 0.25))
    plan = Plan(2, 64, 0.02, min_batches=1)
    fitted = train(tower, step, 100, plan, ignore_epoch, train_loss=lambda: next(measured))
    assert [epoch.train_loss for epoch in fitted.curve] == [0.5, 0.25]


def test_members_differ() -> None:
    tower = learn(PLAN, members=3)[0]
    output = forward(tower.layers(), INPUTS[500:])[:, :, 0]
    errors = np.mean((output - TARGETS[500:]) ** 2, axis=1)
    assert (errors < 0.15).all()
    assert len(set(errors)) == 3
    assert np.mean((output.mean(0) - TARGETS[500:]) ** 2) < errors.mean()


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_dropout_leaves_out_a_share_and_keeps_the_sum(share: float) -> None:
    with seeded(0):
        mask = dropout_mask(torch.ones(3, 11_111, 3), share)
    assert mask.shape == (3, 11_111, 3)
    assert float((mask == 0).float().mean()) == pytest.approx(share, abs=0.01)
    assert float(mask.mean()) == pytest.approx(1, abs=0.02)
    assert len(mask.unique()) == 2


@pytest.mark.parametrize("normalise", [False, True])
def test_numpy_gives_the_output_of_torch(normalise: bool) -> None:
    tower = learn(PLAN, members=2, normalise=normalise)[0]
    with torch.no_grad():
        expected = tower(torch.from_numpy(INPUTS).expand(2, -1, -1)).numpy()
    layers = layers_of(to_arrays(tower.layers(), "tower"), "tower")
    assert len(layers) == 3
    np.testing.assert_allclose(forward(layers, INPUTS), expected, atol=1e-5)
    output, slope = forward_with_slope(layers, np.broadcast_to(INPUTS, (2, *INPUTS.shape)))
    np.testing.assert_allclose(output, expected[:, :, 0], atol=1e-5)
    inputs = torch.from_numpy(INPUTS).repeat(2, 1, 1).requires_grad_()
    tower(inputs).sum().backward()
    np.testing.assert_allclose(slope, inputs.grad.numpy(), atol=1e-5)


def test_the_best_epoch_is_restored_and_patience_ends_training() -> None:
    weight = torch.nn.Parameter(torch.zeros(()))
    network = torch.nn.ParameterList([weight])
    losses = iter([3.0, 1.0, 2.0, 2.0, 0.0])
    seen: list[float] = []

    def step(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (weight - 1).square(), (weight - 1).square()

    def held_out() -> float:
        seen.append(weight.item())
        return next(losses)

    with seeded(0):
        plan = Plan(9, 4, 0.1, momentum=0.0, patience=2, min_batches=1)
        fitted = train(network, step, 4, plan, ignore_epoch, held_out=held_out)
    assert fitted.best_epoch == 2
    assert len(fitted.curve) == 4
    assert weight.item() == seen[1]


def test_the_ratings_of_an_epoch_are_reported_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "EVERY", 0.0)
    reported: list[Stage] = []
    with reporting(reported.append):
        tower, _ = learn(replace(PLAN, epochs=2))
    assert [(stage.note, stage.done) for stage in reported if stage.done in (0, 320, 500)] == [
        (f"epoch {epoch} of 2", done) for epoch in (1, 2) for done in (0, 320, 500)
    ]
    assert {stage.total for stage in reported} == {500}
    many = len(reported)
    again, _ = learn(replace(PLAN, epochs=2))
    assert len(reported) == many  # after the block, nothing is reported
    for one, other in zip(tower.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("model", "unit"),
    [
        (AutoRec(AutoRecSettings(hidden=4, members=1, epochs=1)), "movies"),
        (AutoRec(AutoRecSettings(hidden=4, members=1, epochs=1, by_user=True)), "users"),
        (Pair(PairSettings(members=1, epochs=1, triples=0.1, factors=0)), "triples"),
        (SgdMF(SgdMFSettings(members=1, epochs=1)), "ratings"),
    ],
)
def test_the_progress_says_what_is_counted(model: AnyModel, unit: str) -> None:
    reported: list[Stage] = []
    with reporting(reported.append):
        model.fit(tastes()[0])
    assert {(stage.name, stage.unit) for stage in reported} == {(unit, unit)}


def test_cancelling_ends_training() -> None:
    def stop(epoch: Epoch) -> None:
        raise Cancelled

    network = torch.nn.Linear(1, 1)

    def step(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        loss = network(index[:, None].float()).square().mean()
        return loss, loss

    with seeded(0), pytest.raises(Cancelled):
        train(network, step, 5, PLAN, stop)


def test_no_row_or_one_row_is_enough() -> None:
    for rows in (0, 1):
        tower, curve = learn(Plan(2, 8, 0.1), normalise=True, rows=rows)
        assert len(curve) == 2
        assert np.isfinite(forward(tower.layers(), INPUTS)).all()


def test_little_data_still_makes_many_batches() -> None:
    calls: list[int] = []
    network = torch.nn.Linear(1, 1)

    def step(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(len(index))
        loss = network(index[:, None].float()).square().mean()
        return loss, loss

    with seeded(0):
        train(network, step, 1000, Plan(1, 512, 1e-3), ignore_epoch)
    assert len(calls) == 100
    assert set(calls) == {10}
