"""The form for a model's settings. Checks what is typed, fills in presets and shows the equivalent command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.validation import Integer, Number
from textual.widgets import Input, Static

from movietui.data.problems import Problem
from movietui.models.choices import PRESETS, Preset
from movietui.protocol.messages import FieldRow, ModelRow
from movietui.ui.bindings import key_of
from movietui.ui.widgets.fields import Field, NumberInput

WIDGETS_AT_ONCE = 10
"""How many widgets of a form are created between other messages; each widget takes two milliseconds."""


class FormOptions(TypedDict):
    """What was typed into the form."""

    settings: dict[str, str]
    seed: int
    split_seed: int
    split: str
    """Empty for the default split; a named split is used without cleaning."""


class SettingsForm(Vertical):
    """The settings of a run."""

    class Changed(Message):
        """A field changed."""

    @dataclass
    class Sweep(Message):
        """A person wants to try several values of a field in a sweep."""

        field: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.model: ModelRow | None = None
        self.preset: Preset = PRESETS[0]
        self._complete = False
        """Whether all fields are those of the model, and none is left from the previous model."""

    def compose(self) -> ComposeResult:
        """Add empty widgets, which ``show`` fills."""
        yield Static(id="summary", markup=False)
        yield Static(id="preset", markup=False)
        yield Vertical(id="fields")
        yield Static(id="command", markup=False)

    async def show(self, model: ModelRow) -> None:
        """Show the form of a model with its tuned settings."""
        self.model, self.preset, self._complete = model, PRESETS[0], False
        source = f" From the package {model['package']}." if model["package"] else ""
        self.query_one("#summary", Static).update(Text(f"{model['summary']}{source}"))
        self._show_preset()
        fields = self.query_one("#fields", Vertical)
        parts = [part for field in model["settings"] for part in _setting(field)]
        parts += [
            Text("seed", "bold"),
            Field("0", id="set-seed", compact=True, validators=[Integer(0, 2**31 - 1)]),
            Text("split", "bold"),
            Field(placeholder="random90, then all", id="set-split", compact=True),
            Text("train only on the train part of a split, such as u1", "dim"),
            Text("split seed", "bold"),
            Field("0", id="set-split_seed", compact=True, validators=[Integer(0, 2**31 - 1)]),
        ]
        widgets = _widgets(parts)
        async with self.batch():
            await fields.remove_children()
            for start in range(0, len(widgets), WIDGETS_AT_ONCE):
                await fields.mount_all(widgets[start : start + WIDGETS_AT_ONCE])
        self._complete = True

    def switch_preset(self) -> None:
        """Fill in the other preset. Raise ``Problem`` if the model has no published settings."""
        if self.model is None:
            return
        other = PRESETS[1 - PRESETS.index(self.preset)]
        values = self._values_of(other)
        if values is None:
            raise Problem(f"None of the five earlier systems has {self.model['name']}, so it has only tuned settings.")
        self.preset = other
        for name, value in values.items():
            self.query_one(f"#set-{name}", Input).value = value
        self._show_preset()

    def _show_preset(self) -> None:
        presets = [name for name in PRESETS if self._values_of(name) is not None]
        line = Text(f"{key_of(self.screen, 'train.preset')}  ") if len(presets) > 1 else Text()
        for name in presets:
            line.append(f"{'●' if name == self.preset else '○'} {name}  ")
        self.query_one("#preset", Static).update(line)

    def _values_of(self, preset: str) -> dict[str, str] | None:
        """Return the values of a preset as a person would type them; ``None`` if the model has no such preset."""
        assert self.model is not None
        key = "default" if preset == PRESETS[0] else "published"
        values: dict[str, Any] = {field["name"]: field.get(key) for field in self.model["settings"]}
        return None if None in values.values() else {name: f"{value:g}" for name, value in values.items()}

    def options(self) -> FormOptions:
        """Return what was typed. Raise ``Problem`` if it is invalid."""
        settings: dict[str, str] = {}
        seeds, split = {"seed": "0", "split_seed": "0"}, ""
        for field in self.query_one("#fields").query(Input):
            name = (field.id or "").removeprefix("set-")
            result = field.validate(field.value)
            if result is not None and not result.is_valid:
                raise Problem(f"{name.replace('split_seed', 'split seed')}: {' '.join(result.failure_descriptions)}")
            if name in seeds:
                seeds[name] = field.value or "0"
            elif name == "split":
                split = field.value.strip()
            else:
                settings[name] = field.value
        seed, split_seed = int(seeds["seed"]), int(seeds["split_seed"])
        return {"settings": settings, "seed": seed, "split_seed": split_seed, "split": split}

    def values(self) -> dict[str, str]:
        """Return what is typed for each setting of the model, valid or not, by the name of the setting."""
        assert self.model is not None
        return {name: self.query_one(f"#set-{name}", Input).value for name in self._names()}

    def fill(self, values: Mapping[str, str]) -> None:
        """Put values into the fields."""
        for name in self._names():
            self.query_one(f"#set-{name}", Input).value = values[name]

    def _names(self) -> list[str]:
        return [field["name"] for field in self.model["settings"]] if self.model else []

    def command(self, dataset: str) -> str:
        """Return the equivalent command line. Raise ``Problem`` if what was typed is invalid."""
        assert self.model is not None
        options = self.options()
        changes = {name: _differences(options["settings"], self._values_of(name)) for name in PRESETS}
        preset = min(PRESETS, key=lambda name: len(changes[name]))
        words = ["movietui", "train", self.model["name"], "--dataset", dataset]
        words += ["--published"] * (preset == PRESETS[1])
        for name, value in changes[preset].items():
            words += ["--set", f"{name}={value}"]
        words += ["--seed", str(options["seed"])] if options["seed"] else []
        words += ["--split", options["split"], "--cleaning", "none"] if options["split"] else []
        words += ["--split-seed", str(options["split_seed"])] if options["split_seed"] else []
        return shlex.join(words)

    @on(NumberInput.Pressed)
    def sweep(self, event: NumberInput.Pressed) -> None:
        """Post ``Sweep`` for the field in which the key was pressed."""
        event.stop()
        self.post_message(self.Sweep((event.input.id or "").removeprefix("set-")))

    @on(Input.Changed)
    def check(self, event: Input.Changed) -> None:
        """Post ``Changed`` to the screen, which knows the dataset."""
        event.stop()
        self.post_message(self.Changed())

    def show_command(self, dataset: str) -> None:
        """Show the command line, or what is wrong with what was typed."""
        if self.model is None or not self._complete:
            return
        try:
            line = Text.assemble(self.command(dataset), (f"  {key_of(self.screen, 'train.copy')} copy", "dim"))
        except Problem as problem:
            line = Text(f"! {problem}", "bold")
        self.query_one("#command", Static).update(line)


def _differences(settings: Mapping[str, str], preset: Mapping[str, str] | None) -> dict[str, str]:
    """Return the values that differ from a preset.

    For a missing preset, return all values and one more, so that the preset that exists differs in fewer.
    """
    if preset is None:
        return {**settings, "": ""}
    return {name: value for name, value in settings.items() if float(value) != float(preset[name])}


def _setting(field: FieldRow) -> list[Text | Input]:
    """Return the parts of one setting: its name and range, its field, and its meaning."""
    validators = [(Integer if field["kind"] == "int" else Number)(field["low"], field["high"])]
    return [
        Text.assemble((field["name"], "bold"), (f"  {field['low']:g} … {field['high']:g}", "dim")),
        NumberInput(f"{field['default']:g}", keys="s", id=f"set-{field['name']}", validators=validators),
        Text(field["meaning"], "dim"),
    ]


def _widgets(parts: Sequence[Text | Input]) -> list[Static | Input]:
    """Return the widgets. All text between two fields is one widget, because creating each widget takes time."""
    widgets: list[Static | Input] = []
    lines: list[Text] = []
    for part in parts:
        if isinstance(part, Text):
            lines.append(part)
        else:
            widgets += [Static(Text("\n").join(lines)), part]
            lines = []
    return [*widgets, Static(Text("\n").join(lines))]
