"""Checkpoints: what was saved comes back, and nothing else does."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.dataset import Dataset
from data.problems import Problem
from models.bias import Bias
from models.checkpoints import ARRAYS, MANIFEST, load, read_manifest, save
from tests.models.builders import tastes

DATASET = tastes()[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = Bias(seed=7)
    model.fit(DATASET)
    save(tmp_path / "runs" / "one", model, DATASET, split="random90", fitted_on="train", metrics={"rmse": 0.5})
    return tmp_path / "runs" / "one"


def refused(folder: Path, dataset: Dataset = DATASET) -> str:
    with pytest.raises(Problem) as caught:
        load(folder, dataset)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def change(folder: Path, **fields: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | fields))


def test_the_manifest_says_what_it_is(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert (manifest.model, manifest.seed, manifest.split, manifest.fitted_on) == ("bias", 7, "random90", "train")
    assert (manifest.dataset, manifest.cleaning, manifest.fingerprint) == ("planted", "none", DATASET.fingerprint)
    assert manifest.metrics == {"rmse": 0.5}
    assert set(manifest.libraries) >= {"python", "numpy", "safetensors"}
    assert len(manifest.sha256) == 64


def test_arrays_come_back_however_they_lie_in_memory(tmp_path: Path) -> None:
    model = Bias()
    model.fit(DATASET)
    table = np.arange(6, dtype=np.float32).reshape(2, 3).T
    model.restore({**model.parameters, "table": table}, model.scale)
    save(tmp_path / "run", model, DATASET)
    found = load(tmp_path / "run", DATASET)[0].parameters
    np.testing.assert_array_equal(found["table"], table)
    assert {name: found[name].shape for name in found} == {name: of.shape for name, of in model.parameters.items()}


def test_nothing_but_two_files_is_written(folder: Path) -> None:
    assert sorted(os.listdir(folder)) == [MANIFEST, ARRAYS]
    assert os.listdir(folder.parent) == ["one"]


def test_never_overwrites(folder: Path) -> None:
    before = (folder / ARRAYS).read_bytes()
    with pytest.raises(Problem, match="already"):
        save(folder, load(folder, DATASET)[0], DATASET)
    assert (folder / ARRAYS).read_bytes() == before


def test_another_dataset_is_refused_and_both_are_named(folder: Path) -> None:
    sentence = refused(folder, replace(DATASET, name="ml-1m", fingerprint="0badcafe", cleaning="standard"))
    assert "planted" in sentence
    assert "ml-1m" in sentence
    assert "standard" in sentence


@pytest.mark.parametrize("cut", [0, 7, 100, -1])
def test_truncated_arrays_are_refused(folder: Path, cut: int) -> None:
    content = (folder / ARRAYS).read_bytes()
    (folder / ARRAYS).write_bytes(content[:cut])
    assert "is damaged" in refused(folder)


def test_one_wrong_bit_is_refused(folder: Path) -> None:
    content = bytearray((folder / ARRAYS).read_bytes())
    content[-5] ^= 1
    (folder / ARRAYS).write_bytes(content)
    assert "is damaged" in refused(folder)


@pytest.mark.parametrize("name", [ARRAYS, MANIFEST])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refused(folder)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    assert "There is no checkpoint" in refused(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1}', '{"format": "1"}', "\x00\xff"])
def test_a_damaged_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_bytes(text.encode("latin-1"))
    assert "is damaged" in refused(folder)


def test_wrong_settings_are_refused(folder: Path) -> None:
    for settings in ({"sweeps": 0}, {"depth": 3}, {"sweeps": "many"}):
        change(folder, settings=settings)
        assert "is damaged" in refused(folder)


def test_an_unknown_model_is_refused(folder: Path) -> None:
    change(folder, model="crystal-ball")
    assert "model 'crystal-ball'" in refused(folder)


def test_a_newer_format_is_refused(folder: Path) -> None:
    change(folder, format=2, colour="blue")
    assert "newer version" in refused(folder)


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    model = Bias()
    model.fit(DATASET)
    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(Problem, match="No space left"):
        save(tmp_path / "one", model, DATASET)
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model = Bias()
    model.fit(DATASET)
    with pytest.raises(Problem):
        save(tmp_path / "file" / "one", model, DATASET)
