"""Settings of a model: a frozen dataclass. Each field declares its range, and the docstring below it gives its
meaning."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem

S = TypeVar("S", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """The settings of a model. Values outside their range raise ``Problem``."""

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            value, low, high = getattr(self, entry.name), entry.metadata["low"], entry.metadata["high"]
            if not low <= value <= high:
                raise Problem(
                    tr(
                        "{setting}={value:g} is out of range; use {low:g} to {high:g}.",
                        setting=entry.name,
                        value=value,
                        low=low,
                        high=high,
                    )
                )


@dataclass(frozen=True)
class Field:
    """One setting, with everything that a form shows of it."""

    name: str
    kind: type[int] | type[float] | type[bool]
    default: float
    low: float
    high: float
    meaning: str


def setting(default: float, low: float, high: float) -> Any:
    """Declare a field of a settings dataclass, with its default and its range, which includes both ends."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


def describe(settings: type[Settings]) -> tuple[Field, ...]:
    """Return the fields of a settings class, in the order in which they are declared."""
    if settings not in _described:
        meanings = _docstrings(settings)
        _described[settings] = tuple(_field(entry, tr(meanings[entry.name])) for entry in dataclasses.fields(settings))
    return _described[settings]


_described: dict[type[Settings], tuple[Field, ...]] = {}
"""Cached because reading the source takes long."""


def _field(entry: "dataclasses.Field[Any]", meaning: str) -> Field:
    default: Any = entry.default
    return Field(entry.name, type(default), default, entry.metadata["low"], entry.metadata["high"], meaning)


def parse(settings: type[S], texts: Mapping[str, str], base: S | None = None) -> S:
    """Return ``base``, or the defaults, with the changes in ``texts``: the values, as text, by name of the setting.

    Raises ``Problem`` for an unknown setting, and for a value that is unreadable or out of range.
    """
    fields = {entry.name: entry for entry in describe(settings)}
    values: dict[str, float] = {}
    for name, text in texts.items():
        if name not in fields:
            known = tr("choose from {names}", names=", ".join(fields)) if fields else tr("this model has none")
            raise no_such(tr("There is no setting {setting!r}", setting=name), name, fields, f"{known}.")
        values[name] = _value(fields[name], text)
    return dataclasses.replace(base or settings(), **values)


def _value(entry: Field, text: str) -> float:
    if entry.kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() in words:
            return words[text.lower()]
        raise Problem(tr("{setting}={value!r} must be yes or no.", setting=entry.name, value=text))
    try:
        return entry.kind(text)
    except ValueError:
        kind = tr("a whole number") if entry.kind is int else tr("a number")
        raise Problem(
            tr(
                "{setting}={value!r} is not {kind}; use {low:g} to {high:g}.",
                setting=entry.name,
                value=text,
                kind=kind,
                low=entry.low,
                high=entry.high,
            )
        ) from None


def _docstrings(settings: type[Settings]) -> dict[str, str]:
    """Return the docstring below each field, read from the source, because Python does not keep it.

    A field that is redeclared without a docstring keeps the inherited one.
    """
    meanings: dict[str, str] = {}
    for kind in reversed(settings.__mro__[: settings.__mro__.index(Settings)]):
        meanings |= _docstrings_in(kind)
    return meanings


def _docstrings_in(settings: type) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(settings))).body[0]
    assert isinstance(body, ast.ClassDef)
    meanings: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            meanings[statement.target.id] = inspect.cleandoc(str(following.value.value)).replace("\n", " ")
    return meanings
