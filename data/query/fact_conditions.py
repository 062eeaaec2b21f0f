"""Conditions of a filter on facts about a movie: ``@Scorsese``, ``#twist-ending``, ``lang:ko``, ``-country:us``.

``movietui.data.query.condition_text`` says how they are written.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from movietui.data.dataset import Dataset, ImdbFacts
from movietui.data.imdb.origins import COUNTRIES, LANGUAGES, OTHER_NAMES
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.query.condition_text import PREFIXES, Fact, person_condition, tag_condition
from movietui.data.titles import title_key

_CONDITION = re.compile(rf'([+-]?)({"|".join(PREFIXES)})(?:"([^"]*)"?|([^"]*))', re.IGNORECASE)
_ORIGINS: Mapping[Fact, str] = {"language": tr("languages"), "country": tr("countries")}
"""The facts that a join infers from ``title.akas``, with their plurals."""


@dataclass(frozen=True)
class Condition:
    """A fact that a movie must have or must not have."""

    fact: Fact
    values: frozenset[str]
    """The names of people or tags, or the codes of languages or countries; one of them is enough."""
    wanted: bool = True
    """Whether a movie must have one of the values, rather than none of them."""

    def rows(self, dataset: Dataset) -> list[int]:
        """Return the rows of the movies that have one of the values, in any order."""
        if self.fact == "tag":
            tags = dataset.movies.tags
            return [row for value in self.values for row in tags.rows_named(value).tolist()] if tags else []
        rows = _rows_by_value(self.fact, dataset.movies.imdb)
        return [row for value in self.values for row in rows.get(value, ())]

    def judged(self, dataset: Dataset) -> Iterable[int] | None:
        """Return the rows of the movies that can be judged, or None if all can.

        A movie whose language or country is unknown passes no condition on it, not even one that excludes a value.
        """
        imdb = dataset.movies.imdb
        if self.wanted or imdb is None or self.fact not in _ORIGINS:
            return None
        return [row for rows in _rows_by_value(self.fact, imdb).values() for row in rows]


def _rows_by_value(fact: Fact, imdb: ImdbFacts | None) -> Mapping[str, tuple[int, ...]]:
    if imdb is None:
        return {}
    return imdb.credited if fact == "person" else imdb.by_language if fact == "language" else imdb.by_country


def condition_in(part: str, dataset: Dataset) -> Condition | None:
    """Return the condition on facts in a part of a filter, or None if it is another kind of condition.

    Raises ``Problem`` if the value is missing or unknown, or if the dataset has no such facts.
    """
    match = _CONDITION.fullmatch(part)
    if match is None:
        return None
    fact, typed = PREFIXES[match[2].casefold()], match[3] if match[3] is not None else match[4]
    _require(fact, part, dataset)
    if not title_key(typed):
        missing = tr("name") if fact == "person" else fact
        raise Problem(
            tr(
                "The filter has {part!r} without a {missing}; write one after {prefix}.",
                part=part,
                missing=missing,
                prefix=match[2],
            )
        )
    return Condition(fact, _values(fact, typed, dataset), match[1] != "-")


def _require(fact: Fact, part: str, dataset: Dataset) -> None:
    imdb, tags = dataset.movies.imdb, dataset.movies.tags
    but = tr("The filter has {part!r}, but {dataset}", part=part, dataset=dataset.name)
    join = f"(movietui data imdb {dataset.name})"
    if fact == "tag":
        if tags is None or not tags.names:
            raise Problem(
                tr("{sentence} has no tags; use a dataset that has, such as ml-latest-small or ml-32m.", sentence=but)
            )
        return
    facts = _ORIGINS.get(fact, tr("directors"))
    if imdb is None:
        raise Problem(
            tr("{sentence} has no {facts}; join it with IMDb first {command}.", sentence=but, facts=facts, command=join)
        )
    if fact in _ORIGINS and not _rows_by_value(fact, imdb):
        raise Problem(
            tr(
                "{sentence} was joined without title.akas.tsv.gz, which has the {facts}; join it again {command}.",
                sentence=but,
                facts=facts,
                command=join,
            )
        )


def _values(fact: Fact, typed: str, dataset: Dataset) -> frozenset[str]:
    imdb, tags = dataset.movies.imdb, dataset.movies.tags
    if fact == "tag":
        assert tags is not None
        known = _matching(typed, {tags.names[index]: key for key, index in tags.index.items()}, exact=True)
        if not known:
            raise no_such(
                tr("There is no tag {typed!r} here", typed=typed),
                typed,
                tags.names,
                tr("in the app, type # and a letter to see some."),
            )
        return known
    assert imdb is not None
    if fact == "person":
        known = _matching(typed, imdb.name_keys)
        if not known:
            who = tr("director or actor") if imdb.acted else tr("director")
            join = tr("; to find actors too, join again (movietui data imdb {dataset})", dataset=dataset.name)
            otherwise = tr("check the name{again}.", again="" if imdb.acted else join)
            raise no_such(tr("There is no {who} {typed!r} here", who=who, typed=typed), typed, imdb.credited, otherwise)
        return known
    names = names_of(fact)
    known = frozenset(code for code in names if code.casefold() == typed.casefold())
    if not known and (other := OTHER_NAMES.get(title_key(typed))) in names:
        known = frozenset({str(other)})
    known = known or _matching(typed, {code: title_key(name) for code, name in names.items()}, exact=True)
    if not known:
        example = tr("ko or Korean") if fact == "language" else tr("kr or South-Korea")
        wrong = tr("There is no {fact} {typed!r}", fact=fact, typed=typed)
        otherwise = tr("write a code or name, like {example}.", example=example)
        raise no_such(wrong, typed, names.values(), otherwise)
    return known


def names_of(fact: Fact) -> Mapping[str, str]:
    """Return the names of languages or countries, by their codes."""
    return LANGUAGES if fact == "language" else COUNTRIES


def _matching(typed: str, keys: Mapping[str, str], *, exact: bool = False) -> frozenset[str]:
    """Return the values whose key contains the typed text at the start of a word.

    With ``exact``, return only the values whose key is the typed text, if there are any.
    """
    wanted = title_key(typed)
    same = frozenset(value for value, key in keys.items() if key == wanted) if exact else frozenset()
    return same or frozenset(value for value, key in keys.items() if f" {wanted}" in f" {key}")


def completions(typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    """Yield completions of a half-typed condition, each with the number of movies that meet it.

    A word without a prefix is completed to people and tags, and the beginning of ``lang:`` or ``country:`` to languages
    or countries.
    """
    match = _CONDITION.fullmatch(typed)
    if match is not None:
        fact, rest = PREFIXES[match[2].casefold()], match[3] if match[3] is not None else match[4]
        yield from _completed(fact, match[1].replace("+", ""), rest, dataset)
        return
    sign, rest = (typed[0], typed[1:]) if typed[0] in "+-" else ("", typed)
    if rest[:1].isalnum() and len(rest) > 1:
        for prefix, fact in PREFIXES.items():
            if prefix.startswith(rest.casefold()):
                yield from _completed(fact, sign.replace("+", ""), "", dataset)
        if not sign:
            yield from _completed("person", "", rest, dataset)
            yield from _completed("tag", "", rest, dataset)


def _completed(fact: Fact, sign: str, typed: str, dataset: Dataset) -> Iterable[tuple[str, int]]:
    imdb, tags, wanted = dataset.movies.imdb, dataset.movies.tags, f" {title_key(typed)}"
    prefix = sign + next(each for each, meant in PREFIXES.items() if meant == fact)
    if fact == "person" and imdb is not None and wanted != " ":
        for name, key in imdb.name_keys.items():
            if wanted in f" {key}" and '"' not in name:
                having = len(imdb.credited[name])
                yield sign + person_condition(name), _meeting(having, sign, len(dataset.movies))
    elif fact == "tag" and tags is not None:
        counts = tags.counts.tolist()
        for key, index in tags.index.items():
            if wanted in f" {key}":
                yield tag_condition(key, sign), _meeting(counts[index], sign, len(dataset.movies))
    elif fact in _ORIGINS:
        rows, names = _rows_by_value(fact, imdb), names_of(fact)
        judged = len({row for of_code in rows.values() for row in of_code})
        for code, of_code in rows.items():
            key = title_key(names.get(code, code))
            if wanted in f" {key}" or code.casefold() == wanted.strip():
                yield prefix + key.replace(" ", "-"), _meeting(len(of_code), sign, judged)


def _meeting(having: int, sign: str, movies: int) -> int:
    return movies - having if sign == "-" else having
