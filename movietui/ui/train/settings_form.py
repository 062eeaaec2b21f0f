"""The form of a model's settings: checked as it is typed, with presets and the command line that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.validation import Integer, Number
from textual.widgets import Input, Static

from data.problems import Problem
from movietui.replies import FieldRow, ModelRow
from movietui.widgets.number_input import Field, NumberInput

PRESETS = ("tuned", "published")
MADE_AT_ONCE = 10
"""How many widgets of a form are made before it is somebody else's turn: each takes two milliseconds."""


class SettingsForm(Vertical):
    """What a run is started with."""

    class Changed(Message):
        """Something else was typed."""

    @dataclass
    class Sweep(Message):
        """Other values of a field are to be tried."""

        field: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.model: ModelRow | None = None
        self.preset = PRESETS[0]

    def compose(self) -> ComposeResult:
        """Leave room for the fields."""
        yield Static(id="summary", markup=False)
        yield Static(id="preset", markup=False)
        yield Vertical(id="fields")
        yield Static(id="command", markup=False)

    async def show(self, model: ModelRow) -> None:
        """Show the form of a model with its tuned settings."""
        self.model, self.preset = model, PRESETS[0]
        self.query_one("#summary", Static).update(Text(model["summary"]))
        self._show_preset()
        fields = self.query_one("#fields", Vertical)
        parts = [part for field in model["settings"] for part in _form(field)]
        parts += [
            Text("seed", "bold"),
            Field("0", id="set-seed", compact=True, validators=[Integer(0, 2**31 - 1)]),
            Text("split", "bold"),
            Field(placeholder="random90, then all", id="set-split", compact=True),
            Text("the train part of a split only, such as u1", "dim"),
        ]
        widgets = _widgets(parts)
        async with self.batch():
            await fields.remove_children()
            for place in range(0, len(widgets), MADE_AT_ONCE):
                await fields.mount_all(widgets[place : place + MADE_AT_ONCE])

    def turn_preset(self) -> None:
        """Fill in the other preset. Raises ``Problem`` where the model has no published settings."""
        if self.model is None:
            return
        other = PRESETS[1 - PRESETS.index(self.preset)]
        values = self._values_of(other)
        if values is None:
            raise Problem(f"None of the source systems has {self.model['name']}; its settings are tuned by us.")
        self.preset = other
        for name, value in values.items():
            self.query_one(f"#set-{name}", Input).value = value
        self._show_preset()

    def _show_preset(self) -> None:
        known = [name for name in PRESETS if self._values_of(name) is not None]
        line = Text("P  ") if len(known) > 1 else Text()
        for name in known:
            line.append(f"{'●' if name == self.preset else '○'} {name}  ")
        self.query_one("#preset", Static).update(line)

    def _values_of(self, preset: str) -> dict[str, str] | None:
        """The values of a preset as a person would type them; ``None`` where the model has no such."""
        assert self.model is not None
        key = "default" if preset == PRESETS[0] else "published"
        values: dict[str, Any] = {field["name"]: field.get(key) for field in self.model["settings"]}
        return None if None in values.values() else {name: f"{value:g}" for name, value in values.items()}

    def options(self) -> dict[str, Any]:
        """Return what was typed. Raises ``Problem`` where it cannot be used."""
        settings: dict[str, str] = {}
        seed, split = "0", ""
        for field in self.query_one("#fields").query(Input):
            name = (field.id or "").removeprefix("set-")
            result = field.validate(field.value)
            if result is not None and not result.is_valid:
                raise Problem(f"{name}: {' '.join(result.failure_descriptions)}")
            if name == "seed":
                seed = field.value or "0"
            elif name == "split":
                split = field.value.strip()
            else:
                settings[name] = field.value
        return {"settings": settings, "seed": int(seed), **({"split": split, "cleaning": "none"} if split else {})}

    def values(self) -> dict[str, str]:
        """Return what the fields of the settings hold, checked or not."""
        assert self.model is not None
        return {name: self.query_one(f"#set-{name}", Input).value for name in self._names()}

    def fill(self, values: Mapping[str, str]) -> None:
        """Put values into the fields of the settings."""
        for name in self._names():
            self.query_one(f"#set-{name}", Input).value = values[name]

    def _names(self) -> list[str]:
        return [field["name"] for field in self.model["settings"]] if self.model else []

    def command(self, dataset: str) -> str:
        """Return the command line that does the same. Raises ``Problem`` where what was typed cannot be used."""
        assert self.model is not None
        options = self.options()
        changes = {name: _changed(options["settings"], self._values_of(name)) for name in PRESETS}
        preset = min(PRESETS, key=lambda name: len(changes[name]))
        words = ["movietui", "train", self.model["name"], "--dataset", dataset]
        words += ["--published"] * (preset == PRESETS[1])
        for name, value in changes[preset].items():
            words += ["--set", f"{name}={value}"]
        words += ["--seed", str(options["seed"])] if options["seed"] else []
        words += ["--split", options["split"], "--cleaning", "none"] if "split" in options else []
        return shlex.join(words)

    @on(NumberInput.Pressed)
    def sweep(self, event: NumberInput.Pressed) -> None:
        """Ask for other values of the field."""
        event.stop()
        self.post_message(self.Sweep((event.input.id or "").removeprefix("set-")))

    @on(Input.Changed)
    def check(self, event: Input.Changed) -> None:
        """Tell the screen, which knows the dataset."""
        event.stop()
        self.post_message(self.Changed())

    def tell(self, dataset: str) -> None:
        """Show the command line, or what is wrong with what was typed."""
        if self.model is None:
            return
        try:
            told = Text.assemble(self.command(dataset), ("  y copies", "dim"))
        except Problem as problem:
            told = Text(f"! {problem}", "bold")
        self.query_one("#command", Static).update(told)


def _changed(settings: Mapping[str, str], preset: Mapping[str, str] | None) -> dict[str, str]:
    """What is not as in the preset; more than all where there is no such preset."""
    if preset is None:
        return {**settings, "": ""}
    return {name: value for name, value in settings.items() if float(value) != float(preset[name])}


def _form(field: FieldRow) -> list[Text | Input]:
    """Return one setting: its name and range, the field, its meaning."""
    validators = [(Integer if field["kind"] == "int" else Number)(field["low"], field["high"])]
    return [
        Text.assemble((field["name"], "bold"), (f"  {field['low']:g} … {field['high']:g}", "dim")),
        NumberInput(f"{field['default']:g}", keys="s", id=f"set-{field['name']}", validators=validators),
        Text(field["meaning"], "dim"),
    ]


def _widgets(parts: Sequence[Text | Input]) -> list[Static | Input]:
    """Return what is mounted: all text between two fields is one widget, because each takes a millisecond."""
    widgets: list[Static | Input] = []
    lines: list[Text] = []
    for part in parts:
        if isinstance(part, Text):
            lines.append(part)
        else:
            widgets += [Static(Text("\n").join(lines)), part]
            lines = []
    return [*widgets, Static(Text("\n").join(lines))]
