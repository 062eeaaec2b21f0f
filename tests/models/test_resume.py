"""Trainings that were cut off and go on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.problems import Cancelled
from models import keeping
from models.deep import DeepMFSettings
from models.evaluation import build
from models.keeping import FORGOTTEN, Keeper
from models.model import AnyModel, Epoch, Fitted, unwatched
from models.products import SgdMFSettings
from models.settings import Settings
from tests.models.builders import tastes

TRAIN, HELD_OUT = tastes(40, 25)
ADAM = DeepMFSettings(members=1, factors=8, hidden=16, epochs=3, kept_back=0.1)
DESCENT = SgdMFSettings(members=1, factors=8, epochs=3, adam=False, rate=0.05)
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.models.test_keeping import ADAM, learn

def kill(epoch):
    if epoch.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)

learn(Path(sys.argv[1]), "deep-mf", ADAM, kill)
"""


def learn(folder: Path | None, name: str, settings: Settings, progress=unwatched, resumed=unwatched, seed: int = 2):
    """Fit a model, kept in a folder if any is named."""
    model = build(name, settings, seed)
    if folder is None:
        return model, model.fit(TRAIN, HELD_OUT, progress)
    with keeping.keeping(Keeper(folder, {"settings": repr(settings), "seed": seed}, resumed)):
        return model, model.fit(TRAIN, HELD_OUT, progress)


def stop(at: int):
    def watch(epoch: Epoch) -> None:
        if epoch.number == at:
            raise Cancelled

    return watch


def same(first: tuple[AnyModel, Fitted], second: tuple[AnyModel, Fitted]) -> bool:
    arrays = first[0].parameters, second[0].parameters
    return first[1] == second[1] and all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])


def test_a_killed_training_goes_on_to_the_same_result(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, tmp_path], timeout=100, check=False)
    assert child.returncode == -signal.SIGKILL
    heard: list[Epoch] = []
    seen: list[Epoch] = []
    again = learn(tmp_path, "deep-mf", ADAM, seen.append, heard.append)
    assert [epoch.number for epoch in heard] == [2]
    assert [epoch.number for epoch in seen] == [1, 2, 3]
    assert same(again, learn(None, "deep-mf", ADAM))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("at", [1, 2])
def test_any_optimizer_goes_on_from_any_epoch(tmp_path: Path, at: int) -> None:
    with pytest.raises(Cancelled):
        learn(tmp_path, "sgd-mf", DESCENT, stop(at))
    heard: list[Epoch] = []
    again = learn(tmp_path, "sgd-mf", DESCENT, resumed=heard.append)
    assert [epoch.number for epoch in heard] == [at]
    assert same(again, learn(None, "sgd-mf", DESCENT))


def test_several_trainings_are_told_apart(tmp_path: Path) -> None:
    """As when a model is trained for its curve, to be measured and to serve: what is done is not done again."""
    heard: list[Epoch] = []

    def both(progress=unwatched) -> list[AnyModel]:
        models = [build("sgd-mf", DESCENT, seed) for seed in (1, 2)]
        with keeping.keeping(Keeper(tmp_path, {}, heard.append)):
            models[0].fit(TRAIN)
            models[1].fit(TRAIN, None, progress)
        return models

    with pytest.raises(Cancelled):
        both(stop(2))
    again = both()
    assert [epoch.number for epoch in heard] == [2]
    for seed, model in enumerate(again, 1):
        undisturbed = learn(None, "sgd-mf", DESCENT, seed=seed)[0]
        np.testing.assert_array_equal(model.parameters["user"], undisturbed.parameters["user"])


def test_other_settings_seeds_and_networks_start_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off() -> None:
        with pytest.raises(Cancelled):
            learn(tmp_path, "sgd-mf", DESCENT, stop(2))

    heard: list[Epoch] = []
    cut_off()
    learn(tmp_path, "sgd-mf", replace(DESCENT, rate=0.04), resumed=heard.append)
    learn(tmp_path, "sgd-mf", DESCENT, resumed=heard.append, seed=3)
    assert not heard
    (file,) = tmp_path.iterdir()  # theirs are gone, that of the first is still there
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert same(learn(tmp_path, "sgd-mf", DESCENT, resumed=heard.append), learn(None, "sgd-mf", DESCENT))
    cut_off()
    wider = replace(DESCENT, factors=40)
    monkeypatch.setattr(Keeper, "begin", lambda self: keeping.State(file, heard.append))
    assert same(learn(tmp_path, "sgd-mf", wider), learn(None, "sgd-mf", wider))
    assert not heard


def test_states_that_nobody_goes_on_with_are_deleted(tmp_path: Path) -> None:
    old, recent = tmp_path / "a-1.safetensors", tmp_path / "b-1.safetensors"
    for file, age in ((old, FORGOTTEN + 60), (recent, 60)):
        file.touch()
        os.utime(file, (time.time() - age,) * 2)
    learn(tmp_path, "sgd-mf", replace(DESCENT, epochs=1))
    assert list(tmp_path.iterdir()) == [recent]


def test_where_nothing_can_be_written_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = learn(tmp_path / "file" / "folder", "sgd-mf", DESCENT)
    assert same(found, learn(None, "sgd-mf", DESCENT))
