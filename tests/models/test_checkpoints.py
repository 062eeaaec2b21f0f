"""Checkpoints: saved models are restored, and anything else is rejected."""

import errno
import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.data.storage import disk
from movietui.models.base import history_of
from movietui.models.bias import Bias
from movietui.models.checkpoints import ARRAYS, FORMAT, MANIFEST, is_finite, load, read_manifest, save
from tests.models.builders import tastes

DATASET = tastes()[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = Bias(seed=7)
    model.fit(DATASET)
    save(tmp_path / "runs" / "one", model, DATASET, split="random90", fitted_on="train", metrics={"rmse": 0.5})
    return tmp_path / "runs" / "one"


def refusal(folder: Path, dataset: Dataset = DATASET) -> str:
    with pytest.raises(Problem) as caught:
        load(folder, dataset)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def change(folder: Path, **fields: object) -> None:
    """Write other values into a manifest, with a valid checksum."""
    manifest = json.loads((folder / MANIFEST).read_text()) | fields
    del manifest["seal"]
    seal = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps({**manifest, "seal": seal}))


def test_the_manifest_describes_the_checkpoint(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert (manifest.model, manifest.seed, manifest.split, manifest.fitted_on) == ("bias", 7, "random90", "train")
    assert (manifest.dataset, manifest.cleaning, manifest.fingerprint) == ("planted", "none", DATASET.fingerprint)
    assert manifest.metrics == {"rmse": 0.5}
    assert set(manifest.libraries) >= {"python", "numpy", "safetensors"}
    assert len(manifest.checksum) == 8


def test_arrays_are_restored_whatever_their_memory_layout(tmp_path: Path) -> None:
    model = Bias()
    model.fit(DATASET)
    table = np.arange(6, dtype=np.float32).reshape(2, 3).T
    model.restore({**model.parameters, "table": table}, model.scale)
    save(tmp_path / "run", model, DATASET)
    restored = load(tmp_path / "run", DATASET)[0].parameters
    np.testing.assert_array_equal(restored["table"], table)
    assert {name: restored[name].shape for name in restored} == {
        name: of.shape for name, of in model.parameters.items()
    }


def test_only_two_files_are_written(folder: Path) -> None:
    assert sorted(os.listdir(folder)) == [MANIFEST, ARRAYS]
    assert os.listdir(folder.parent) == ["one"]


def test_never_overwrites(folder: Path) -> None:
    before = (folder / ARRAYS).read_bytes()
    with pytest.raises(Problem, match="already"):
        save(folder, load(folder, DATASET)[0], DATASET)
    assert (folder / ARRAYS).read_bytes() == before


def test_another_dataset_is_refused_and_both_are_named(folder: Path) -> None:
    sentence = refusal(folder, replace(DATASET, name="ml-1m", fingerprint="0badcafe", cleaning="standard"))
    assert "planted" in sentence
    assert "ml-1m" in sentence
    assert "standard" in sentence


@pytest.mark.parametrize("cut", [0, 7, 100, -1])
def test_truncated_arrays_are_refused(folder: Path, cut: int) -> None:
    content = (folder / ARRAYS).read_bytes()
    (folder / ARRAYS).write_bytes(content[:cut])
    assert "is damaged" in refusal(folder)


def test_one_wrong_bit_is_refused(folder: Path) -> None:
    content = bytearray((folder / ARRAYS).read_bytes())
    content[-5] ^= 1
    (folder / ARRAYS).write_bytes(content)
    assert "is damaged" in refusal(folder)


def header_of(facts: object) -> bytes:
    return json.dumps({"counts": facts}).encode()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[]",
        b'{"counts": NaN}',
        header_of([]),
        header_of({"dtype": "I32", "shape": [1]}),
        header_of({"dtype": "I31", "shape": [1], "data_offsets": [0, 4]}),
        header_of({"dtype": [], "shape": [1], "data_offsets": [0, 4]}),
        header_of({"dtype": "I32", "shape": [2], "data_offsets": [0, 4]}),
        header_of({"dtype": "I32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]}),
        header_of({"dtype": "I32", "shape": [1], "data_offsets": [0, 3]}),
        header_of({"dtype": "I32", "shape": [1], "data_offsets": ["0", "4"]}),
        header_of({"dtype": "I32", "shape": [1], "data_offsets": [0, 4, 1, 1]}),
        header_of({"dtype": "I32", "shape": [100], "data_offsets": [0, 400]}),
    ],
)
@pytest.mark.parametrize("size", [None, 1 << 62])
def test_invalid_arrays_are_refused_even_if_the_checksum_is_right(
    folder: Path, header: bytes, size: int | None
) -> None:
    content = (len(header) if size is None else size).to_bytes(8, "little") + header + bytes(8)
    (folder / ARRAYS).write_bytes(content)
    change(folder, checksum=disk.checksum(content))
    assert "is damaged" in refusal(folder)


def test_a_removed_checkpoint_stays_loaded(folder: Path) -> None:
    model = load(folder, DATASET)[0]
    expected = model.expect(model.fold_in(history_of(DATASET, 3))).stars.tolist()
    shutil.rmtree(folder)
    assert model.expect(model.fold_in(history_of(DATASET, 3))).stars.tolist() == expected


def test_a_loaded_model_cannot_be_changed(folder: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        load(folder, DATASET)[0].parameters["movie"][0] = 0


@pytest.mark.parametrize("name", [ARRAYS, MANIFEST])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refusal(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "There is no checkpoint" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", f'{{"format": {FORMAT}}}', '{"format": "4"}', "\x00\xff"])
def test_a_damaged_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_bytes(text.encode("latin-1"))
    assert "is damaged" in refusal(folder)


def test_wrong_settings_are_refused(folder: Path) -> None:
    for settings in ({"sweeps": 0}, {"depth": 3}, {"sweeps": "many"}):
        change(folder, settings=settings)
        assert "is damaged" in refusal(folder)


def test_the_manifest_is_covered_by_its_checksum(folder: Path) -> None:
    """Even if a number is replaced by a plausible one, the manifest is refused."""
    text = (folder / MANIFEST).read_text()
    assert '"rmse": 0.5' in text
    (folder / MANIFEST).write_text(text.replace('"rmse": 0.5', '"rmse": 0.4'))
    assert "is damaged" in refusal(folder)
    (folder / MANIFEST).write_text(text)
    assert load(folder, DATASET)[1].metrics == {"rmse": 0.5}


@pytest.mark.parametrize(
    "facts",
    [
        {"scale": {"low": 5, "high": 1, "step": 1}},
        {"scale": {"low": "1", "high": 5, "step": 1}},
        {"scale": []},
        {"settings": [1]},
        {"metrics": {"rmse": None}},
        {"seed": "0"},
        {"checksum": 3},
        {"fitted_on": "all"},
        {"model": ["bias"]},
        {"libraries": "all"},
    ],
)
def test_facts_of_another_type_are_refused(folder: Path, facts: dict[str, object]) -> None:
    change(folder, **facts)
    assert "is damaged" in refusal(folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_invalid_numbers_are_refused(folder: Path, number: str) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"rmse": 0.5', f'"rmse": {number}'))
    assert "is damaged" in refusal(folder)


def test_deeply_nested_brackets_are_refused(folder: Path) -> None:
    (folder / MANIFEST).write_text("[" * 200_000)
    assert "is damaged" in refusal(folder)


def test_a_metric_that_is_not_a_number_is_not_written(tmp_path: Path) -> None:
    model = Bias()
    model.fit(DATASET)
    save(tmp_path / "one", model, DATASET, metrics={"rmse": float("nan"), "mae": 0.5})
    assert load(tmp_path / "one", DATASET)[1].metrics == {"mae": 0.5}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_large_numbers_are_finite(kind: type[np.floating]) -> None:
    largest = np.full((2, 3), np.finfo(kind).max, kind)
    assert is_finite(largest)
    assert is_finite(-largest.T)
    assert is_finite(largest[:0])
    largest[1, 2] = np.inf
    assert not is_finite(largest)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_arrays_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    model = Bias()
    model.fit(DATASET)
    name = next(name for name, values in model.parameters.items() if values.dtype.kind == "f" and values.size)
    model.parameters[name] = model.parameters[name].copy()
    model.parameters[name].reshape(-1)[0] = value
    save(tmp_path / "one", model, DATASET)
    assert "is damaged" in refusal(tmp_path / "one")


def test_arrays_of_another_number_of_movies_are_refused(tmp_path: Path) -> None:
    model = Bias()
    model.fit(DATASET)
    model.parameters["counts"] = model.parameters["counts"][:-1]
    save(tmp_path / "one", model, DATASET)
    assert "is damaged" in refusal(tmp_path / "one")


@pytest.mark.parametrize("name", [ARRAYS, MANIFEST])
@pytest.mark.parametrize("what", ["pipe", "folder", "device"])
def test_only_a_regular_file_is_read(folder: Path, name: str, what: str) -> None:
    (folder / name).unlink()
    if what == "pipe":
        os.mkfifo(folder / name)
    elif what == "folder":
        (folder / name).mkdir()
    else:
        (folder / name).symlink_to("/dev/zero")
    assert "cannot be read (it is " in refusal(folder)


def test_only_its_owner_can_read_a_checkpoint(folder: Path) -> None:
    """This holds with any umask, and for new parent folders too."""
    before = os.umask(0)
    try:
        model = Bias()
        model.fit(DATASET)
        save(folder.parent.parent / "others" / "two", model, DATASET)
    finally:
        os.umask(before)
    made = list((folder.parent.parent / "others").rglob("*"))
    assert len(made) == 3
    assert {path.stat().st_mode & 0o077 for path in [*made, folder.parent.parent / "others"]} == {0}


def test_an_unknown_model_is_refused(folder: Path) -> None:
    change(folder, model="crystal-ball")
    assert "model 'crystal-ball'" in refusal(folder)


def test_another_format_is_refused(folder: Path) -> None:
    change(folder, format=FORMAT + 1, colour="blue")
    assert "newer version of movietui; update movietui" in refusal(folder)
    change(folder, format=FORMAT - 1)
    assert "older version of movietui; train the model again" in refusal(folder)


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
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


def test_a_folder_inside_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    model = Bias()
    model.fit(DATASET)
    with pytest.raises(Problem):
        save(tmp_path / "file" / "one", model, DATASET)
