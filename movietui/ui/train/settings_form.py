"""The form for a model's settings. Explains and checks what is typed, fills in presets and shows the equivalent command
line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.validation import Function, Integer, Number, ValidationResult, Validator
from textual.widgets import Input, Static

from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.split_names import NAMES, check, check_seed, resolved
from movietui.formatting.explanations import model_lines
from movietui.formatting.settings import YES_NO as SWITCHED
from movietui.formatting.settings import setting_text
from movietui.models.choices import PRESETS, Preset
from movietui.protocol.messages import FieldRow, ModelRow
from movietui.state.run_commands import preset_values, train_command
from movietui.store.runs import SERVED_SPLIT
from movietui.ui.bindings import key_of
from movietui.ui.widgets.fields import FRACTION, WHOLE, Field, NumberInput, SwitchInput

WIDGETS_AT_ONCE = 10
"""How many widgets of a form are created between other messages; each widget takes two milliseconds."""
LARGEST_SEED = 2**31 - 1
SEED = tr("Another seed is another random start.")
SPLIT = tr("Train only on the train part of a split, such as random80.")
SPLIT_SEED = tr("Another seed puts other ratings in test.")


class FormOptions(TypedDict):
    """What was typed into the form."""

    settings: dict[str, str]
    seed: int
    split_seed: int
    split: str
    """Empty for the default split; a named split is used without cleaning."""


@dataclass(frozen=True)
class Entry:
    """A field of the form with its explanation."""

    label: Text
    field: Input
    meaning: str

    @property
    def name(self) -> str:
        """The name of what is typed."""
        return (self.field.id or "").removeprefix("set-")


class SplitValidator(Validator):
    """Refuses a split that the dataset cannot have, while it is typed."""

    def __init__(self, dataset: Callable[[], str]) -> None:
        super().__init__()
        self._dataset = dataset

    def validate(self, value: str) -> ValidationResult:
        """Check the name of a split or the path of a file; no split is valid, too."""
        try:
            if value.strip():
                check(value.strip(), self._dataset())
        except Problem as problem:
            return self.failure(str(problem))
        return self.success()


class SettingsForm(Vertical):
    """The settings of a run."""

    class Changed(Message):
        """A field changed."""

    @dataclass
    class Sweep(Message):
        """A person wants to try several values of a field in a sweep."""

        field: str

    def __init__(self, dataset: Callable[[], str], *, id: str) -> None:
        """``dataset`` returns the dataset that a run will be trained on."""
        super().__init__(id=id)
        self.model: ModelRow | None = None
        self.preset: Preset = PRESETS[0]
        self._dataset = dataset
        self._entries: list[Entry] = []
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
        summary, *others = model_lines(model)
        self.query_one("#summary", Static).update(
            Text("\n").join([Text(summary), *(Text(line, "dim") for line in others)])
        )
        self._show_preset()
        self._entries = [
            *map(_setting, model["settings"]),
            _seed("seed", tr("seed"), SEED),
            Entry(Text(tr("split"), "bold"), self._split_field(), SPLIT),
            _seed("split_seed", tr("split seed"), SPLIT_SEED),
        ]
        widgets: list[Static | Input] = [Static(self._entries[0].label, markup=False)]
        for index, entry in enumerate(self._entries):
            widgets += [entry.field, Static(self._below(index), markup=False, id=f"below-{entry.name}")]
        fields = self.query_one("#fields", Vertical)
        async with self.batch():
            await fields.remove_children()
            for start in range(0, len(widgets), WIDGETS_AT_ONCE):
                await fields.mount_all(widgets[start : start + WIDGETS_AT_ONCE])
        self._complete = True

    def _split_field(self) -> Input:
        return Field(
            placeholder=tr("{split}, then all", split=SERVED_SPLIT),
            id="set-split",
            compact=True,
            tooltip=SPLIT,
            validators=[SplitValidator(self._dataset)],
            suggester=SuggestFromList(NAMES),
        )

    def _below(self, index: int, problem: str = "") -> Text:
        """Return what is below a field: what is wrong with it, what it means, and the label of the next field.

        All of it is one widget, because creating each widget takes time.
        """
        entry, following = self._entries[index], self._entries[index + 1 : index + 2]
        lines = [Text(f"! {problem}", "bold")] if problem else []
        return Text("\n").join([*lines, Text(entry.meaning, "dim"), *(each.label for each in following)])

    def switch_preset(self) -> None:
        """Fill in the other preset. Raise ``Problem`` if the model has no published settings."""
        if self.model is None:
            return
        other = PRESETS[1 - PRESETS.index(self.preset)]
        values = preset_values(self.model, other)
        if values is None:
            raise Problem(
                tr(
                    "None of the five earlier systems has {model}, so it has only tuned settings.",
                    model=self.model["name"],
                )
            )
        self.preset = other
        for name, value in values.items():
            self.query_one(f"#set-{name}", Input).value = value
        self._show_preset()

    def _show_preset(self) -> None:
        assert self.model is not None
        presets = [name for name in PRESETS if preset_values(self.model, name) is not None]
        line = Text(f"{key_of(self.screen, 'train.preset')}  ") if len(presets) > 1 else Text()
        for name in presets:
            line.append(f"{'●' if name == self.preset else '○'} {name}  ")
        self.query_one("#preset", Static).update(line)

    def _problem(self, entry: Entry) -> str:
        """Return what is wrong with a field; empty if nothing is."""
        result = entry.field.validate(entry.field.value)
        if result is not None and not result.is_valid:
            return " ".join(result.failure_descriptions)
        if entry.name == "split_seed":
            try:
                check_seed(self.query_one("#set-split", Input).value.strip(), int(entry.field.value or "0"))
            except Problem as problem:
                return str(problem)
        return ""

    def wrong(self) -> tuple[Input, str] | None:
        """Return the first field that is wrong, with a sentence about it; ``None`` if all are right."""
        for entry in self._entries:
            if problem := self._problem(entry):
                name = entry.name.replace("split_seed", tr("split seed"))
                return entry.field, f"{name}: {problem}"
        return None

    def options(self) -> FormOptions:
        """Return what was typed. Raise ``Problem`` if it is invalid."""
        if wrong := self.wrong():
            raise Problem(wrong[1])
        typed = {entry.name: entry.field.value.strip() for entry in self._entries}
        seed, split, split_seed = typed.pop("seed"), typed.pop("split"), typed.pop("split_seed")
        return {
            "settings": typed,
            "seed": int(seed or "0"),
            "split_seed": int(split_seed or "0"),
            "split": resolved(split) if split else "",
        }

    def values(self) -> dict[str, str]:
        """Return what is typed for each setting of the model, valid or not, by the name of the setting."""
        assert self.model is not None
        return {name: self.query_one(f"#set-{name}", Input).value for name in self._names()}

    def fill(self, values: Mapping[str, str]) -> None:
        """Put values into the fields of settings."""
        for name in self._names():
            if name in values:
                self.query_one(f"#set-{name}", Input).value = values[name]

    def _names(self) -> list[str]:
        return [field["name"] for field in self.model["settings"]] if self.model else []

    def command(self) -> str:
        """Return the equivalent command line. Raise ``Problem`` if what was typed is invalid."""
        assert self.model is not None
        options = self.options()
        return train_command(
            self.model,
            self._dataset(),
            options["settings"],
            split=options["split"],
            cleaning="none" if options["split"] else "",
            seed=options["seed"],
            split_seed=options["split_seed"],
        )

    @on(NumberInput.Pressed)
    def sweep(self, event: NumberInput.Pressed) -> None:
        """Post ``Sweep`` for the field in which the key was pressed."""
        event.stop()
        self.post_message(self.Sweep((event.input.id or "").removeprefix("set-")))

    @on(Input.Changed)
    def check(self, event: Input.Changed) -> None:
        """Say below each field what is wrong with it, and post ``Changed`` to the screen."""
        event.stop()
        if self._complete:
            for index, entry in enumerate(self._entries):
                if (
                    entry.field is event.input or entry.name == "split_seed"
                ):  # whether that is right depends on the split
                    self.query_one(f"#below-{entry.name}", Static).update(self._below(index, self._problem(entry)))
        self.post_message(self.Changed())

    @on(events.DescendantFocus)
    @on(events.Resize)
    def reveal(self) -> None:
        """Scroll to the focused field and to its explanation below."""
        for entry in self._entries:
            if entry.field.has_focus:
                below = self.query_one(f"#below-{entry.name}")
                self.call_after_refresh(below.scroll_visible, animate=False)
                self.call_after_refresh(entry.field.scroll_visible, animate=False)

    def show_command(self) -> None:
        """Show the command line, or what is wrong with what was typed."""
        if self.model is None or not self._complete:
            return
        try:
            copies = tr("  {key} copy", key=key_of(self.screen, "train.copy"))
            line = Text.assemble(self.command(), (copies, "dim"))
        except Problem as problem:
            line = Text(f"! {problem}", "bold")
        self.query_one("#command", Static).update(line)


def _setting(field: FieldRow) -> Entry:
    """Return the entry of a setting, with its range beside its name."""
    name, kind, meaning = field["name"], field["kind"], field["meaning"]
    value, tooltip = setting_text(kind, field["default"]), Content(meaning)
    if kind == "bool":
        label = Text.assemble((name, "bold"), (tr("  yes or no"), "dim"))
        return Entry(
            label, SwitchInput(value, keys="s", id=f"set-{name}", tooltip=tooltip, validators=[_yes_or_no()]), meaning
        )
    label = Text.assemble((name, "bold"), (f"  {field['low']:g} … {field['high']:g}", "dim"))
    digits, validator = (WHOLE, Integer) if kind == "int" else (FRACTION, Number)
    restrict = f"-?{digits}" if field["low"] < 0 else digits
    validators = [validator(field["low"], field["high"])]
    entry = NumberInput(value, keys="s", restrict=restrict, id=f"set-{name}", tooltip=tooltip, validators=validators)
    return Entry(label, entry, meaning)


def _yes_or_no() -> Validator:
    return Function(lambda value: value in SWITCHED.values(), tr("Type y or n."))


def _seed(name: str, label: str, meaning: str) -> Entry:
    field = NumberInput(
        "0", keys="", restrict=WHOLE, id=f"set-{name}", tooltip=meaning, validators=[Integer(0, LARGEST_SEED)]
    )
    return Entry(Text(label, "bold"), field, meaning)
