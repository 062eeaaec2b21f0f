"""Cleans a dataset by named rules in a fixed order, and tells what each took away.

Which rules are on is one line of text, a preset and what is changed in it: ``standard +old-movies:1950 -no-genre``. A
rule that is off still tells what it would have taken away at its place. Importing this module imports no pandas.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data.movielens import Raw
from data.problems import Problem
from data.progress import Report, Stage, silent
from data.rules import BY_ID, RULES, Outcome, Row, Rule
from data.tables import Tables, tables_of
from data.titles import plain

VERSION = 3
"""Raised whenever a rule changes what it does, so that tables cleaned before are made again."""

_AS_PUBLISHED = ("malformed-lines", "missing-values", "titles")
PRESETS: Mapping[str, tuple[str, ...]] = {
    # Every rating, user and movie as published; only what is shown of a title is made readable.
    "none": _AS_PUBLISHED,
    "standard": (
        *_AS_PUBLISHED,
        "outside-scale",
        "duplicate-ratings",
        "unknown-ids",
        "same-title-twice",
        "no-genre",
        "gender",
        "unused-columns",
    ),
    # What their authors say they did, no more: see README, "Cleaning".
    "as in 004": (
        *_AS_PUBLISHED,
        "no-genre",
        "no-year",
        "old-movies",
        "few-ratings-movies",
        "gender",
        "unused-columns",
    ),
    "as in 002": (*_AS_PUBLISHED, "newest-of-title"),
}
_CHANGE = re.compile(r"([+-])([a-z-]+)(?::([0-9]{1,9}))?")


@dataclass(frozen=True)
class Cleaning:
    """Which rules are on."""

    numbers: tuple[tuple[str, int], ...]
    """The rules that are on, in the order in which they are applied, each with its number (0 where it takes none)."""

    @classmethod
    def of(cls, numbers: Mapping[str, int]) -> "Cleaning":
        """Return the cleaning with these rules on."""
        return cls(tuple((rule.id, numbers[rule.id]) for rule in RULES if rule.id in numbers))

    def __str__(self) -> str:
        """Return the text: the preset that differs least, and how. Equal rules have equal texts."""
        shortest: list[str] = min((self._from(preset) for preset in PRESETS), key=len)
        return " ".join(shortest)

    def _from(self, preset: str) -> list[str]:
        theirs, ours = dict(_preset(preset).numbers), dict(self.numbers)
        changes = []
        for rule in RULES:
            if rule.id in theirs and rule.id not in ours:
                changes.append(f"-{rule.id}")
            elif rule.id in ours and ours[rule.id] != theirs.get(rule.id):
                number = "" if ours[rule.id] == rule.number else f":{ours[rule.id]}"
                changes.append(f"+{rule.id}{number}")
        return [preset, *changes]


def _preset(name: str) -> Cleaning:
    return Cleaning.of({rule: BY_ID[rule].number for rule in PRESETS[name]})


def parse(text: str) -> Cleaning:
    """Return the rules that a text names, for example ``as in 004 +few-ratings-users:50 -titles``.

    Raises ``Problem`` for a preset, a rule or a number that there is not.
    """
    words = text.split()
    first = next((place for place, word in enumerate(words) if word[0] in "+-"), len(words))
    preset = " ".join(words[:first])
    if preset not in PRESETS:
        raise Problem(f"There is no cleaning {plain(preset)!r}; choose one of {', '.join(PRESETS)}.")
    numbers = dict(_preset(preset).numbers)
    for word in words[first:]:
        match = _CHANGE.fullmatch(word)
        rule = BY_ID.get(match[2]) if match else None
        if match is None or rule is None:
            raise Problem(f"There is no cleaning rule {plain(word)!r}; put + or - before one of {', '.join(BY_ID)}.")
        if match[1] == "+":
            numbers[rule.id] = _number(rule, match[3])
        elif match[3]:
            raise Problem(f"{plain(word)!r} turns a rule off and gives it a number; leave one of the two out.")
        elif rule.always:
            raise Problem(f"The rule {rule.id} cannot be off: what it takes is no rating.")
        else:
            numbers.pop(rule.id, None)
    return Cleaning.of(numbers)


def _number(rule: Rule, digits: str | None) -> int:
    if digits is None:
        return rule.number
    if not rule.number:
        raise Problem(f"The rule {rule.id} takes no number; write +{rule.id}.")
    if not rule.low <= int(digits) <= rule.high:
        raise Problem(f"The number of {rule.id} goes from {rule.low} to {rule.high}, not {digits}.")
    return int(digits)


@dataclass(frozen=True)
class RuleResult:
    """What one rule took away, or would have taken away where it is off."""

    rule: str
    title: str
    on: bool
    always: bool
    """Whether it cannot be off."""
    number: int
    """What it was applied with; 0 where it takes no number."""
    before: int
    """Ratings before the rule (lines, for malformed ones)."""
    removed: int
    """Ratings taken away."""
    removed_movies: int
    removed_users: int
    changed: int
    """Values changed, for rules that take nothing away."""
    note: str
    examples: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {**self.__dict__, "examples": list(self.examples)}


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did to a dataset, and what was left."""

    dataset: str
    preset: str
    """The cleaning as text: a preset and what was changed in it."""
    rules: tuple[RuleResult, ...]
    ratings: int
    users: int
    movies: int

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``movietui data clean --json`` prints it."""
        return {**self.__dict__, "rules": [rule.to_json() for rule in self.rules]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CleaningReport":
        """Return the report that ``to_json`` wrote. Raises ``KeyError`` or ``TypeError`` for another document."""
        rules = tuple(RuleResult(**{**rule, "examples": tuple(rule["examples"])}) for rule in document["rules"])
        return cls(**{**document, "rules": rules})


@dataclass(frozen=True)
class RemovedRows:
    """A window of the rows that a rule took or changed, or would have where it is off."""

    rule: str
    title: str
    on: bool
    columns: tuple[str, ...]
    total: int
    offset: int
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields; numbers as numbers, everything else as text."""
        rows = [[plain(cell) if isinstance(cell, str) else cell for cell in row] for row in self.rows]
        return {**self.__dict__, "columns": list(self.columns), "rows": rows}


@dataclass(frozen=True, eq=False)
class _Step:
    """A rule that was applied."""

    number: int
    before: Tables
    outcome: Outcome
    told: RuleResult

    def after(self, on: bool) -> Tables:
        return self.outcome.after if on else self.before


class Cleaner:
    """Cleans one dataset as often as somebody changes the rules: what comes before the change is not done again."""

    def __init__(self, name: str, raw: Raw) -> None:
        self._name = name
        self._tables = tables_of(raw)
        self._steps: dict[str, _Step] = {}

    def clean(self, cleaning: Cleaning, report: Report = silent) -> tuple[Tables, CleaningReport]:
        """Return what the rules leave, in its order, and what they took."""
        tables, results = self._tables, []
        for on, step in self._walk(cleaning, report):
            results.append(replace(step.told, on=on))
            tables = step.after(on)
        report(Stage("Cleaning", len(RULES), len(RULES), "rules", finished=True))
        counts = tables.ratings, int(np.count_nonzero(tables.kept_users)), int(np.count_nonzero(tables.kept_movies))
        return tables, CleaningReport(self._name, str(cleaning), tuple(results), *counts)

    def removed(self, cleaning: Cleaning, rule: str, offset: int, limit: int) -> RemovedRows:
        """Return a window of the rows that a rule takes at its place. Raises ``Problem`` for an unknown rule."""
        if rule not in BY_ID:
            raise Problem(f"There is no cleaning rule {plain(rule)!r}; choose one of {', '.join(BY_ID)}.")
        on, step = next(walked for walked in self._walk(cleaning, silent) if walked[1].told.rule == rule)
        taken = step.outcome.taken
        rows = tuple(taken.rows(offset, offset + limit))
        return RemovedRows(rule, step.told.title, on, taken.columns, taken.total, offset, rows)

    def _walk(self, cleaning: Cleaning, report: Report) -> Iterator[tuple[bool, _Step]]:
        """Apply the rules one after the other, and tell of each whether it is on."""
        numbers, tables = dict(cleaning.numbers), self._tables
        for done, rule in enumerate(RULES):
            number = numbers.get(rule.id, rule.number)
            report(Stage("Cleaning", done, len(RULES), "rules", rule.title.format(number)))
            step = self._step(rule, number, tables)
            tables = step.after(rule.id in numbers)
            yield rule.id in numbers, step

    def _step(self, rule: Rule, number: int, tables: Tables) -> _Step:
        step = self._steps.get(rule.id)
        if step is None or step.before is not tables or step.number != number:
            step = self._steps[rule.id] = _applied(rule, number, tables)
        return step


def _applied(rule: Rule, number: int, tables: Tables) -> _Step:
    outcome = rule.apply(tables, number)
    before, removed = tables.ratings, tables.ratings - outcome.after.ratings
    if rule.id == "malformed-lines":
        raw = tables.published.raw
        removed = sum(line.file == raw.ratings_file for line in raw.malformed)
        before += removed
    told = RuleResult(
        rule=rule.id,
        title=rule.title.format(number),
        on=True,
        always=rule.always,
        number=number,
        before=before,
        removed=removed,
        removed_movies=int(np.count_nonzero(tables.movies & ~outcome.after.movies)),
        removed_users=int(np.count_nonzero(tables.users & ~outcome.after.users)),
        changed=outcome.changed,
        note=outcome.note,
        examples=tuple(plain(example) for example in outcome.taken.examples()),
    )
    return _Step(number, tables, outcome, told)


def clean(name: str, raw: Raw, cleaning: Cleaning, report: Report = silent) -> tuple[Tables, CleaningReport]:
    """Apply the rules. What is left keeps its order. Raises ``Problem`` where no rating is left."""
    tables, told = Cleaner(name, raw).clean(cleaning, report)
    if not tables.ratings:
        last = next(rule.rule for rule in reversed(told.rules) if rule.on and rule.removed)
        raise Problem(
            f"Nothing is left of {name} after cleaning: the rule {last} took the last ratings; choose other rules, or "
            "check the files it was read from."
        )
    return tables, told
