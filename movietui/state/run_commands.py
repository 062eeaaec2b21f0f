"""The command lines that train or measure a model in the same way as a form or a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting.settings import comparable, setting_text, value_text
from movietui.models.choices import PRESETS, Preset, by_importance, has_another_length, sweep_task
from movietui.protocol.messages import ModelRow
from movietui.store.run_records import SPARK, VALIDATION, Run
from movietui.store.runs import SERVED_SPLIT


def preset_values(model: ModelRow, preset: Preset) -> dict[str, str] | None:
    """Return the settings of a preset as a person would type them; ``None`` if the model has no such preset."""
    values: dict[str, str] = {}
    for field in model["settings"]:
        value = field["default"] if preset == PRESETS[0] else field.get("published")
        if value is None:
            return None
        values[field["name"]] = setting_text(field["kind"], value)
    return values


def train_command(
    model: ModelRow, dataset: str, settings: Mapping[str, str], *, split: str, cleaning: str, seed: int, split_seed: int
) -> str:
    """Return the command that trains a model. ``settings``: all of them, as typed. ``split`` and ``cleaning`` may be
    empty, for the usual ones."""
    words = ["train", model["name"], "--dataset", dataset, *_settings(model, settings)]
    words += ["--seed", str(seed)] * bool(seed)
    words += ["--split", split] * bool(split)
    words += ["--cleaning", cleaning] * bool(cleaning)
    return _command([*words, *_split_seed(split_seed)])


def command_of(run: Run, model: ModelRow) -> str:
    """Return the command that makes a run again: with the same settings, ratings, split and seeds.

    A measurement of a sweep is made again by a sweep that tries only its settings. ``model``: the model of the run.
    Raises ``Problem`` if the model no longer has a setting of the run, or if the file of its split is unknown.
    """
    settings = _settings_of(run, model)
    if run.device == SPARK:
        words = ["cluster", "train", run.model, "--dataset", run.dataset, "--split", run.split]
        words += [*_settings(model, settings), *_seeds(run)]
        return _command(words + ["--master", str(run.cluster.get("master"))] * bool(run.cluster.get("master")))
    if run.kind == "training":
        split = run.request.get("split", "" if run.split == SERVED_SPLIT else run.split)
        return train_command(
            model,
            run.dataset,
            settings,
            split=_checked(split or "", run),
            cleaning=run.cleaning,
            seed=run.seed,
            split_seed=run.split_seed,
        )
    split = _checked(run.request.get("split") or run.split.removesuffix(VALIDATION), run)
    about = ["--dataset", run.dataset, "--split", split]
    order = ["--order", run.list_order] * bool(run.list_order)
    measured = ["--cleaning", run.cleaning, *order, *_seeds(run)]
    others = [name for name in by_importance(run.metrics) if has_another_length(name) and sweep_task(name)]
    if run.kind == "evaluation":
        task = run.task or "rating"
        columns = ["--metrics", ",".join(others)] * bool(others and task == "ranking")
        relevant = ["--relevant", value_text(run.request["relevant"])] if "relevant" in run.request else []
        words = [
            "evaluate",
            run.model,
            *about,
            "--task",
            task,
            *_settings(model, settings),
            *measured,
            *relevant,
            *columns,
        ]
        return _command(words)
    if not settings:
        raise Problem(
            tr(
                "Run {run} measured {model}, which has no settings that a sweep could try.",
                run=run.id,
                model=run.model,
            )
        )
    metric = next(iter(others), "ndcg@10") if run.task == "ranking" else "rmse"
    tried = _differences(settings, preset_values(model, PRESETS[0]) or {}) or dict([next(iter(settings.items()))])
    grid = [word for name, value in tried.items() for word in ("--grid", f"{name}={value}")]
    return _command(["sweep", run.model, *about, *grid, "--metric", metric, *measured])


def _settings_of(run: Run, model: ModelRow) -> dict[str, str]:
    """Return all settings of a run as typed; a queued run is stored only with those that differ from its preset."""
    known = {field["name"] for field in model["settings"]}
    if gone := [name for name in run.settings if name not in known]:
        raise Problem(
            tr(
                "{model} no longer has the setting {setting} of run {run}, so no command makes it again.",
                model=run.model,
                setting=gone[0],
                run=run.id,
            )
        )
    preset = PRESETS[bool(run.request.get("published"))]
    typed = {name: value_text(value) for name, value in run.settings.items()}
    return {**(preset_values(model, preset) or {}), **typed}


def _checked(split: str, run: Run) -> str:
    """Return a split that a command can name. The name of a file with its digest cannot be."""
    if ":" in split and "/" not in split:
        file = split.partition(":")[0]
        raise Problem(tr("The path of {file}, the split of run {run}, is not known.", file=file, run=run.id))
    return split


def _settings(model: ModelRow, settings: Mapping[str, str]) -> list[str]:
    """Return the options for settings: those that differ from the preset from which the fewest differ."""
    presets = {name: values for name in PRESETS if (values := preset_values(model, name)) is not None}
    changes = {name: _differences(settings, values) for name, values in presets.items()}
    nearest = min(changes, key=lambda name: len(changes[name]))
    options = ["--published"] * (nearest == PRESETS[1])
    return options + [word for name, value in changes[nearest].items() for word in ("--set", f"{name}={value}")]


def _differences(settings: Mapping[str, str], preset: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if comparable(value) != comparable(preset.get(name))}


def _seeds(run: Run) -> list[str]:
    return ["--seed", str(run.seed)] * bool(run.seed) + _split_seed(run.split_seed)


def _split_seed(seed: int) -> list[str]:
    return ["--split-seed", str(seed)] * bool(seed)


def _command(words: Sequence[str]) -> str:
    return shlex.join(["movietui", *words])
