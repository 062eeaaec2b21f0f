"""Resuming interrupted training."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.data.problems import Cancelled
from movietui.data.progress import WHOLE, Stage
from movietui.models.base import AnyModel, Epoch, Fitted, ignore_epoch
from movietui.models.bayes import Bayes, BayesSettings
from movietui.models.blend import BlendSettings
from movietui.models.ease import Ease
from movietui.models.embedding_networks import DeepMFSettings
from movietui.models.embedding_products import SgdMFSettings
from movietui.models.evaluation.measure import build
from movietui.models.ials import Ials
from movietui.models.item_knn import ItemKNN
from movietui.models.registry import MODELS
from movietui.models.settings import Settings, parse
from movietui.models.training import bayes, resume, stages
from movietui.models.training.resume import EXPIRY_SECONDS, States
from tests.models.builders import tastes

TRAIN, HELD_OUT = tastes(40, 25)
TRAIN = replace(TRAIN, ratings=replace(TRAIN.ratings, time=1 + TRAIN.ratings.time * 997 % 3_000))  # ten sittings
GIBBS = BayesSettings(factors=3, sweeps=12, samples=5)
ADAM = DeepMFSettings(members=1, factors=8, hidden=16, epochs=3, kept_back=0.1)
DESCENT = SgdMFSettings(members=1, factors=8, epochs=3, adam=False, rate=0.05)
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.models.test_resume import ADAM, learn

def kill(epoch):
    if epoch.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)

learn(Path(sys.argv[1]), "deep-mf", ADAM, kill)
"""


def learn(
    folder: Path | None, name: str, settings: Settings, progress=ignore_epoch, resumed=ignore_epoch, seed: int = 2
):
    """Return a model and the result of its fit; with a folder, the training's state is saved there."""
    model = build(name, settings, seed)
    if folder is None:
        return model, model.fit(TRAIN, HELD_OUT, progress)
    with resume.resumable(States(folder, {"settings": repr(settings), "seed": seed}, resumed)):
        return model, model.fit(TRAIN, HELD_OUT, progress)


def stop(at: int):
    def watch(epoch: Epoch) -> None:
        if epoch.number == at:
            raise Cancelled

    return watch


def same(first: tuple[AnyModel, Fitted], second: tuple[AnyModel, Fitted]) -> bool:
    arrays = first[0].parameters, second[0].parameters
    return first[1] == second[1] and all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])


def test_a_killed_training_resumes_to_the_same_result(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, tmp_path], timeout=100, check=False)
    assert child.returncode == -signal.SIGKILL
    resumed_epochs: list[Epoch] = []
    seen: list[Epoch] = []
    again = learn(tmp_path, "deep-mf", ADAM, seen.append, resumed_epochs.append)
    assert [epoch.number for epoch in resumed_epochs] == [2]
    assert [epoch.number for epoch in seen] == [1, 2, 3]
    assert same(again, learn(None, "deep-mf", ADAM))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [name for name, kind in MODELS.items() if kind.on_device])
def test_every_network_resumes_to_the_same_result(tmp_path: Path, name: str) -> None:
    kind = MODELS[name].settings_type
    settings = parse(kind, {"epochs": "3", **({"members": "1"} if hasattr(kind(), "members") else {})})
    with pytest.raises(Cancelled):
        learn(tmp_path, name, settings, stop(1))
    resumed_epochs: list[Epoch] = []
    again = learn(tmp_path, name, settings, resumed=resumed_epochs.append)
    assert [epoch.number for epoch in resumed_epochs] == [1]
    assert same(again, learn(None, name, settings))


@pytest.mark.parametrize("at", [1, 2])
def test_any_optimizer_resumes_from_any_epoch(tmp_path: Path, at: int) -> None:
    with pytest.raises(Cancelled):
        learn(tmp_path, "sgd-mf", DESCENT, stop(at))
    resumed_epochs: list[Epoch] = []
    again = learn(tmp_path, "sgd-mf", DESCENT, resumed=resumed_epochs.append)
    assert [epoch.number for epoch in resumed_epochs] == [at]
    assert same(again, learn(None, "sgd-mf", DESCENT))


@pytest.mark.parametrize("settings", [GIBBS, replace(GIBBS, ordinal=True)])
@pytest.mark.parametrize("at", [1, 2, 3, 7])
def test_a_cancelled_sampler_resumes_at_its_sweep(tmp_path: Path, settings: BayesSettings, at: int) -> None:
    """With 12 sweeps, the first two are the burn-in: the samples and sums so far are part of the state."""
    with pytest.raises(Cancelled):
        learn(tmp_path, "bayes", settings, stop(at))
    resumed_epochs: list[Epoch] = []
    seen: list[Epoch] = []
    again = learn(tmp_path, "bayes", settings, seen.append, resumed_epochs.append)
    assert [epoch.number for epoch in resumed_epochs] == [at]
    assert [epoch.number for epoch in seen] == list(range(1, 13))
    assert same(again, learn(None, "bayes", settings))
    assert not list(tmp_path.iterdir())


def test_a_sampler_interrupted_within_a_sweep_resumes_after_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption comes at any time, not only between sweeps."""
    draw, drawn = bayes.draw_noise, iter(range(4))

    def draw_four_times(error: float, ratings: int, generator: Any) -> float:
        if next(drawn, None) is None:
            raise KeyboardInterrupt
        return draw(error, ratings, generator)

    with monkeypatch.context() as patched:
        patched.setattr(bayes, "draw_noise", draw_four_times)
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path, "bayes", GIBBS)
    resumed_epochs: list[Epoch] = []
    again = learn(tmp_path, "bayes", GIBBS, resumed=resumed_epochs.append)
    assert [epoch.number for epoch in resumed_epochs] == [4]
    assert same(again, learn(None, "bayes", GIBBS))


SAVING = "from movietui.models.training import bayes; bayes.SAVING_SHARE = 1e9\n"
"""Lets a sampler save its state after every sweep."""


def test_a_killed_sampler_resumes_at_the_last_saved_sweep(tmp_path: Path) -> None:
    script = SAVING + KILLED.replace("ADAM", "GIBBS").replace("deep-mf", "bayes")
    child = subprocess.run([sys.executable, "-c", script, tmp_path], timeout=100, check=False)
    assert child.returncode == -signal.SIGKILL
    resumed_epochs: list[Epoch] = []
    again = learn(tmp_path, "bayes", GIBBS, resumed=resumed_epochs.append)
    assert [epoch.number for epoch in resumed_epochs] == [2]
    assert same(again, learn(None, "bayes", GIBBS))


QUICK_BLEND = BlendSettings(factors=3, sweeps=6, vae=False)
STAGES = ("bayes", "item-knn", "ease", "ials")
"""The parts of a blend, in the order in which they are fitted."""
KINDS = {"bayes": Bayes, "item-knn": ItemKNN, "ease": Ease, "ials": Ials}
MODELS_FITTED = [KINDS[stage].name for stage in STAGES]
"""The names of the models of these parts. All are fitted to learn the weights, and then all are fitted to serve."""


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even those parts be saved that are fitted in no time."""
    monkeypatch.setattr(resume, "SAVED_SECONDS", 0.0)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that are fitted."""
    names: list[str] = []

    def counted(learn: Any) -> Any:
        def wrapper(self: AnyModel, *arguments: Any) -> Any:
            names.append(self.name)
            return learn(self, *arguments)

        return wrapper

    for kind in {*KINDS.values()}:
        monkeypatch.setattr(kind, "_learn", counted(kind._learn))
    return names


def stop_after(stage: str):
    def watch(epoch: Epoch) -> None:
        if epoch.stage == stage:
            raise Cancelled

    return watch


@pytest.mark.parametrize("stage", STAGES)
def test_the_parts_of_a_blend_that_were_fitted_are_not_repeated(
    tmp_path: Path, saved: None, fits: list[str], stage: str
) -> None:
    with pytest.raises(Cancelled):
        learn(tmp_path, "blend", QUICK_BLEND, stop_after(stage))
    seen: list[Epoch] = []
    fits.clear()
    again = learn(tmp_path, "blend", QUICK_BLEND, seen.append)
    assert fits == MODELS_FITTED[STAGES.index(stage) + 1 :]
    assert [epoch.stage for epoch in seen] == [*STAGES, "blend"]
    undisturbed = learn(None, "blend", QUICK_BLEND)
    assert same(again, undisturbed)
    assert {name: array.dtype for name, array in again[0].parameters.items()} == {
        name: array.dtype for name, array in undisturbed[0].parameters.items()
    }
    assert not list(tmp_path.iterdir())


def test_a_part_that_was_interrupted_is_repeated(
    tmp_path: Path, saved: None, fits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second fit of ``item-knn`` fails: all first fits and both of ``bayes`` are complete."""
    nearest, calls = ItemKNN.nearest, iter(range(1))

    def nearest_once(*arguments: Any) -> Any:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return nearest(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(ItemKNN, "nearest", nearest_once)
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path, "blend", QUICK_BLEND)
    assert fits == [*MODELS_FITTED, "bayes", "item-knn"]
    fits.clear()
    assert same(learn(tmp_path, "blend", QUICK_BLEND), learn(None, "blend", QUICK_BLEND))
    assert fits[: len(STAGES) - 1] == MODELS_FITTED[1:]


def test_the_sampler_of_a_blend_resumes_at_its_sweep(tmp_path: Path, saved: None, fits: list[str]) -> None:
    """Also in its second fit, after the first was saved."""

    def stop_after_fourth_sweep(stage: Stage) -> None:
        if stage.name == "bayes" and stage.unit == WHOLE and stage.done / stage.total > 0.5 * (1 + 0.5 * 3 / 6):
            raise Cancelled

    with pytest.raises(Cancelled), stages.reporting(stop_after_fourth_sweep):
        learn(tmp_path, "blend", QUICK_BLEND)
    assert fits == [*MODELS_FITTED, "bayes"]
    assert len([*tmp_path.iterdir()]) == len(STAGES) + 1
    fits.clear()
    resumed_epochs: list[Epoch] = []
    again = learn(tmp_path, "blend", QUICK_BLEND, resumed=resumed_epochs.append)
    assert [(epoch.number, epoch.of) for epoch in resumed_epochs] == [(4, 6)]
    assert fits[:2] == ["bayes", "item-knn"]
    assert same(again, learn(None, "blend", QUICK_BLEND))


def test_a_saved_part_replaces_the_states_of_its_sampler(tmp_path: Path, saved: None) -> None:
    with pytest.raises(Cancelled):
        learn(tmp_path, "blend", QUICK_BLEND, stop_after("bayes"))
    assert len([*tmp_path.iterdir()]) == len(STAGES) + 1  # the parameters of all fits so far


def test_a_part_that_is_fitted_fast_is_not_saved(tmp_path: Path, fits: list[str]) -> None:
    settings = replace(QUICK_BLEND, ease=False, ials=False)
    with pytest.raises(Cancelled):
        learn(tmp_path, "blend", settings, stop_after("item-knn"))
    fits.clear()
    again = learn(tmp_path, "blend", settings)
    assert fits == ["bayes", "item-knn"] * 2
    assert same(again, learn(None, "blend", settings))


def test_the_sampler_of_a_part_that_was_not_saved_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(QUICK_BLEND, ease=False, ials=False)
    with pytest.raises(Cancelled):
        learn(tmp_path, "blend", settings, stop_after("bayes"))
    undisturbed = learn(None, "blend", settings)
    monkeypatch.delattr(bayes, "draw_noise")  # both fits of the sampler are complete: no sweep is left
    assert same(learn(tmp_path, "blend", settings), undisturbed)


def test_parts_of_other_settings_data_and_versions_are_not_loaded(
    tmp_path: Path, saved: None, fits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(QUICK_BLEND, neighbours=False, ials=False)
    everything = ["bayes", "ease"] * 2

    def cut_off() -> None:
        with pytest.raises(Cancelled):
            learn(tmp_path, "blend", settings, stop_after("ease"))
        fits.clear()

    cut_off()
    changed = replace(settings, held_out=0.2)
    assert same(learn(tmp_path, "blend", changed), learn(None, "blend", changed))
    assert fits == everything * 2
    fits.clear()
    learn(tmp_path, "blend", settings, seed=3)
    assert fits == everything
    with monkeypatch.context() as patched:
        patched.setattr(resume, "version_of", lambda package: "0")
        fits.clear()
        learn(tmp_path, "blend", settings)
        assert fits == everything
    fits.clear()
    learn(tmp_path, "blend", settings)
    assert fits == []


@pytest.mark.parametrize("wrong", ["not finite", "missing", "other movies", "a pipe", "cut"])
def test_a_part_that_is_not_valid_is_fitted_again(tmp_path: Path, saved: None, fits: list[str], wrong: str) -> None:
    """Even if its digest is right, so that somebody must have written it like this."""
    settings = replace(QUICK_BLEND, neighbours=False, ials=False)
    with pytest.raises(Cancelled):
        learn(tmp_path, "blend", settings, stop_after("ease"))
    file = max(tmp_path.iterdir(), key=lambda each: each.name)  # that of the second fit of ease
    state = resume.State(file, ignore_epoch)
    saved_state = state.read()
    assert saved_state is not None
    facts, curve, tensors = saved_state
    changed = {
        "not finite": {"weights": tensors["weights"] * float("nan")},
        "other movies": {"counts": tensors["counts"][:-1]},
    }.get(wrong, {})
    if wrong == "missing":
        del tensors["counts"]
    state.write({name: value for name, value in facts.items() if name != "curve"}, curve, tensors | changed)
    if wrong == "a pipe":
        file.unlink()
        os.mkfifo(file)
    if wrong == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    fits.clear()
    assert same(learn(tmp_path, "blend", settings), learn(None, "blend", settings))
    assert fits[0] == "ease"


def test_a_sampler_with_a_large_state_starts_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayes, "LARGEST_STATE", 100)
    with pytest.raises(Cancelled):
        learn(tmp_path, "bayes", GIBBS, stop(3))
    assert not list(tmp_path.iterdir())
    assert same(learn(tmp_path, "bayes", GIBBS), learn(None, "bayes", GIBBS))


def test_several_trainings_have_separate_states(tmp_path: Path) -> None:
    """Fits that were complete before the interruption are not repeated."""
    resumed_epochs: list[Epoch] = []

    def both(progress=ignore_epoch) -> list[AnyModel]:
        models = [build("sgd-mf", DESCENT, seed) for seed in (1, 2)]
        with resume.resumable(States(tmp_path, {}, resumed_epochs.append)):
            models[0].fit(TRAIN)
            models[1].fit(TRAIN, None, progress)
        return models

    with pytest.raises(Cancelled):
        both(stop(2))
    again = both()
    assert [epoch.number for epoch in resumed_epochs] == [2]
    for seed, model in enumerate(again, 1):
        undisturbed = learn(None, "sgd-mf", DESCENT, seed=seed)[0]
        np.testing.assert_array_equal(model.parameters["user"], undisturbed.parameters["user"])


def test_other_settings_seeds_and_networks_start_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off() -> None:
        with pytest.raises(Cancelled):
            learn(tmp_path, "sgd-mf", DESCENT, stop(2))

    resumed_epochs: list[Epoch] = []
    cut_off()
    learn(tmp_path, "sgd-mf", replace(DESCENT, rate=0.04), resumed=resumed_epochs.append)
    learn(tmp_path, "sgd-mf", DESCENT, resumed=resumed_epochs.append, seed=3)
    assert not resumed_epochs
    (file,) = tmp_path.iterdir()  # the states of complete trainings are deleted, that of the interrupted one remains
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert same(learn(tmp_path, "sgd-mf", DESCENT, resumed=resumed_epochs.append), learn(None, "sgd-mf", DESCENT))
    cut_off()
    wider = replace(DESCENT, factors=40)
    monkeypatch.setattr(States, "next_state", lambda self: resume.State(file, resumed_epochs.append))
    assert same(learn(tmp_path, "sgd-mf", wider), learn(None, "sgd-mf", wider))
    assert not resumed_epochs


@pytest.mark.parametrize("at", [0.6, 0.999])
def test_a_state_with_one_wrong_bit_is_ignored(tmp_path: Path, at: float) -> None:
    """Wherever the bit is, training starts over, because a wrong state would lead to another result."""
    with pytest.raises(Cancelled):
        learn(tmp_path, "sgd-mf", DESCENT, stop(2))
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[int(len(content) * at)] ^= 1
    file.write_bytes(content)
    resumed_epochs: list[Epoch] = []
    assert same(learn(tmp_path, "sgd-mf", DESCENT, resumed=resumed_epochs.append), learn(None, "sgd-mf", DESCENT))
    assert not resumed_epochs


def test_a_pipe_is_ignored(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        learn(tmp_path, "sgd-mf", DESCENT, stop(1))
    (file,) = tmp_path.iterdir()
    file.unlink()
    os.mkfifo(file)
    assert same(learn(tmp_path, "sgd-mf", DESCENT), learn(None, "sgd-mf", DESCENT))


def test_expired_states_are_deleted(tmp_path: Path) -> None:
    old, recent = tmp_path / "a-1.safetensors", tmp_path / "b-1.safetensors"
    for file, age in ((old, EXPIRY_SECONDS + 60), (recent, 60)):
        file.touch()
        os.utime(file, (time.time() - age,) * 2)
    learn(tmp_path, "sgd-mf", replace(DESCENT, epochs=1))
    assert list(tmp_path.iterdir()) == [recent]


def test_training_continues_if_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = learn(tmp_path / "file" / "folder", "sgd-mf", DESCENT)
    assert same(result, learn(None, "sgd-mf", DESCENT))
