"""Cleans a dataset by named rules in a fixed order, and reports what each rule removed.

A line of text says which rules are on: a preset and the changes to it, as in ``standard +old-movies:1950 -no-genre``. A
rule that is off still reports what it would have removed at its turn. Importing this module does not import pandas.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from movietui.data.cleaning.rules import BY_ID, RULES, Outcome, Row, Rule
from movietui.data.cleaning.working_tables import AnyTables, Tables, tables_of
from movietui.data.language import tr
from movietui.data.movielens.release import Raw
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.progress import CLEANING, Report, Stage, silent

VERSION = 7
"""Increase this whenever a rule, the summary of a dataset or what is stored with its cleaned tables changes, so that
they are rebuilt."""

_AS_PUBLISHED = ("malformed-lines", "missing-values", "titles")
PRESETS: Mapping[str, tuple[str, ...]] = {
    # All rows that can be used, as published; only titles are made readable.
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
    # The presets "as in …" do what the authors of systems 004 and 002 say they did, and nothing more; see docs/data.md.
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
    """The rules that are on, with their numbers."""

    numbers: tuple[tuple[str, int], ...]
    """The rules that are on, in the order in which they apply, each with its number (0 for a rule without a number)."""

    @classmethod
    def of(cls, numbers: Mapping[str, int]) -> "Cleaning":
        """Return the cleaning with these rules on, given by their ids and numbers."""
        return cls(tuple((rule.id, numbers[rule.id]) for rule in RULES if rule.id in numbers))

    def __str__(self) -> str:
        """Return the preset that needs the fewest changes, and these changes. Equal cleanings have equal texts."""
        shortest: list[str] = min((self._from(preset) for preset in PRESETS), key=len)
        return " ".join(shortest)

    def _from(self, preset: str) -> list[str]:
        preset_numbers, numbers = dict(_preset(preset).numbers), dict(self.numbers)
        changes = []
        for rule in RULES:
            if rule.id in preset_numbers and rule.id not in numbers:
                changes.append(f"-{rule.id}")
            elif rule.id in numbers and numbers[rule.id] != preset_numbers.get(rule.id):
                number = "" if numbers[rule.id] == rule.number else f":{numbers[rule.id]}"
                changes.append(f"+{rule.id}{number}")
        return [preset, *changes]


def _preset(name: str) -> Cleaning:
    return Cleaning.of({rule: BY_ID[rule].number for rule in PRESETS[name]})


def parse(text: str) -> Cleaning:
    """Parse a cleaning, for example ``as in 004 +few-ratings-users:50 -titles``.

    Raises ``Problem`` for an unknown preset or rule, for a number that is invalid or out of place, and if a rule that
    is always on is turned off.
    """
    words = text.split()
    first = next((index for index, word in enumerate(words) if word[0] in "+-"), len(words))
    preset = " ".join(words[:first])
    if preset not in PRESETS:
        raise no_such(
            tr("There is no cleaning {preset!r}", preset=preset),
            preset,
            PRESETS,
            tr("choose one of {presets}.", presets=", ".join(PRESETS)),
        )
    numbers = dict(_preset(preset).numbers)
    for word in words[first:]:
        match = _CHANGE.fullmatch(word)
        rule = BY_ID.get(match[2]) if match else None
        if match is None or rule is None:
            signed = [("-" if word[0] == "-" else "+") + name for name in BY_ID]
            otherwise = tr("put + or - before one of {rules}.", rules=", ".join(BY_ID))
            raise no_such(
                tr("There is no cleaning rule {word!r}", word=word), word.partition(":")[0], signed, otherwise
            )
        if match[1] == "+":
            numbers[rule.id] = _number(rule, match[3])
        elif match[3]:
            raise Problem(tr("{word!r} turns a rule off and gives it a number; leave out the number.", word=word))
        elif rule.always:
            raise Problem(
                tr(
                    "The rule {rule} is always on: the rows it removes cannot be used; leave out {word}.",
                    rule=rule.id,
                    word=word,
                )
            )
        else:
            numbers.pop(rule.id, None)
    return Cleaning.of(numbers)


def _number(rule: Rule, digits: str | None) -> int:
    if digits is None:
        return rule.number
    if not rule.number:
        raise Problem(tr("The rule {rule} has no number; write +{rule}.", rule=rule.id))
    if not rule.low <= int(digits) <= rule.high:
        raise Problem(
            tr(
                "The number of {rule} must be from {low} to {high}, not {number}.",
                rule=rule.id,
                low=rule.low,
                high=rule.high,
                number=digits,
            )
        )
    return int(digits)


@dataclass(frozen=True)
class RuleResult:
    """What one rule removed, or would have removed if it were on."""

    rule: str
    title: str
    on: bool
    always: bool
    """Whether the rule cannot be turned off."""
    number: int
    """The number with which the rule was applied; 0 for a rule without a number."""
    low: int
    high: int
    """The smallest and the largest number that the rule can have."""
    before: int
    """Ratings before the rule was applied; for ``malformed-lines``, lines of the file with the ratings."""
    removed: int
    """Ratings removed; for ``malformed-lines``, lines of that file."""
    removed_movies: int
    removed_users: int
    changed: int
    """Values changed or left out; only for rules that remove no rows."""
    note: str
    examples: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {**self.__dict__, "examples": list(self.examples)}


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did to a dataset, and what remains."""

    dataset: str
    preset: str
    """The cleaning as text: a preset and the changes to it."""
    rules: tuple[RuleResult, ...]
    ratings: int
    users: int
    movies: int

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``movietui data clean --json`` prints it."""
        return {**self.__dict__, "rules": [rule.to_json() for rule in self.rules]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CleaningReport":
        """Return the report that ``to_json`` wrote. Raises ``KeyError`` or ``TypeError`` if it has other fields."""
        rules = tuple(RuleResult(**{**rule, "examples": tuple(rule["examples"])}) for rule in document["rules"])
        return cls(**{**document, "rules": rules})


@dataclass(frozen=True)
class RemovedRows:
    """Some of the rows that a rule removed or changed, or would have removed or changed if it were on.

    ``total`` counts all rows that the rule affects; ``rows`` has some of them, from ``offset`` on.
    """

    rule: str
    title: str
    on: bool
    columns: tuple[str, ...]
    total: int
    offset: int
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON-able values; the cells of the rows are numbers or text."""
        return {**self.__dict__, "columns": list(self.columns), "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True, eq=False)
class _Step:
    """A rule that was applied to some tables, with its outcome."""

    number: int
    before: Tables
    outcome: Outcome[Tables]
    result: RuleResult

    def after(self, on: bool) -> Tables:
        return self.outcome.after if on else self.before


class Cleaner:
    """Cleans one dataset repeatedly while the rules change; the steps before the first change are not repeated."""

    def __init__(self, name: str, raw: Raw) -> None:
        self._name = name
        self._tables = tables_of(raw)
        self._steps: dict[str, _Step] = {}

    def clean(self, cleaning: Cleaning, report: Report = silent) -> tuple[Tables, CleaningReport]:
        """Return the rows that remain, in their original order, and the report."""
        tables, results = self._tables, []
        for on, step in self._walk(cleaning, report):
            results.append(replace(step.result, on=on))
            tables = step.after(on)
        report(Stage(CLEANING, len(RULES), len(RULES), tr("rules"), finished=True))
        counts = (
            tables.ratings,
            int(np.count_nonzero(tables.remaining_users)),
            int(np.count_nonzero(tables.remaining_movies)),
        )
        return tables, CleaningReport(self._name, str(cleaning), tuple(results), *counts)

    def removed_rows(self, cleaning: Cleaning, rule: str, offset: int, limit: int) -> RemovedRows:
        """Return at most ``limit`` of the rows that a rule removes or changes, from ``offset`` on.

        Raises ``Problem`` for an unknown rule.
        """
        if rule not in BY_ID:
            raise no_such(
                tr("There is no cleaning rule {rule!r}", rule=rule),
                rule,
                BY_ID,
                tr("choose one of {rules}.", rules=", ".join(BY_ID)),
            )
        on, step = next(walked for walked in self._walk(cleaning, silent) if walked[1].result.rule == rule)
        affected = step.outcome.affected
        rows = tuple(affected.rows(offset, offset + limit))
        return RemovedRows(rule, step.result.title, on, affected.columns, affected.total, offset, rows)

    def rule_that_removed(self, cleaning: Cleaning, movie: str) -> str:
        """Return the title of the rule that removed this movie or merged it into another; empty if none did."""
        row = list(map(str, self._tables.published.ids_of_movies)).index(movie)
        titles = (
            step.result.title
            for on, step in self._walk(cleaning, silent)
            if on and step.before.movies[row] and not step.outcome.after.movies[row]
        )
        return next(titles, "")

    def _walk(self, cleaning: Cleaning, report: Report) -> Iterator[tuple[bool, _Step]]:
        """Apply the rules in order; for each rule, yield whether it is on, and its step."""
        numbers, tables = dict(cleaning.numbers), self._tables
        for done, rule in enumerate(RULES):
            number = numbers.get(rule.id, rule.number)
            report(Stage(CLEANING, done, len(RULES), tr("rules"), rule.title.format(number)))
            step = self._step(rule, number, tables)
            tables = step.after(rule.id in numbers)
            yield rule.id in numbers, step

    def _step(self, rule: Rule, number: int, tables: Tables) -> _Step:
        step = self._steps.get(rule.id)
        if step is None or step.before is not tables or step.number != number:
            step = self._steps[rule.id] = _apply(rule, number, tables)
        return step


def _apply(rule: Rule, number: int, tables: Tables) -> _Step:
    outcome = rule.apply(tables, number)
    return _Step(number, tables, outcome, result_of(rule, number, tables, outcome))


def result_of(rule: Rule, number: int, tables: AnyTables, outcome: Outcome[AnyTables]) -> RuleResult:
    """Return what a rule did to the tables before it, as if it were on."""
    before, removed = tables.ratings, tables.ratings - outcome.after.ratings
    if rule.id == "malformed-lines":
        removed = tables.malformed_ratings
        before += removed
    return RuleResult(
        rule=rule.id,
        title=rule.title.format(number),
        on=True,
        always=rule.always,
        number=number,
        low=rule.low,
        high=rule.high,
        before=before,
        removed=removed,
        removed_movies=int(np.count_nonzero(tables.movies & ~outcome.after.movies)),
        removed_users=tables.total_users - outcome.after.total_users,
        changed=outcome.changed,
        note=outcome.note,
        examples=tuple(outcome.affected.examples()),
    )


def clean(name: str, raw: Raw, cleaning: Cleaning, report: Report = silent) -> tuple[Tables, CleaningReport]:
    """Return the tables after cleaning, in the original order, and the report.

    Raises ``Problem`` if no rating remains.
    """
    tables, result = Cleaner(name, raw).clean(cleaning, report)
    check_any_left(result)
    return tables, result


def check_any_left(report: CleaningReport) -> None:
    """Raise ``Problem`` if no rating remains after cleaning."""
    if not report.ratings:
        last = next((rule.rule for rule in reversed(report.rules) if rule.on and rule.removed), None)
        raise Problem(
            tr(
                "No ratings of {dataset} are left after cleaning: the rule {rule} removed the last ones; choose other "
                "rules, or check the source files.",
                dataset=report.dataset,
                rule=last,
            )
            if last
            else tr("{dataset} has no ratings; check the source files.", dataset=report.dataset)
        )
