"""Which rules are on, as text."""

import pytest

from data.cleaning import PRESETS, parse
from data.problems import Problem
from data.rules import RULES


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("none", "none"),
        ("  as   in 004 ", "as in 004"),
        ("standard +titles -old-movies", "standard"),
        ("standard -no-genre +old-movies", "standard -no-genre +old-movies"),
        ("standard +old-movies -no-genre +old-movies:1930", "standard -no-genre +old-movies"),
        ("standard +few-ratings-users:50", "standard +few-ratings-users:50"),
        ("as in 004 +few-ratings-movies:10", "as in 004 +few-ratings-movies:10"),
        ("none +newest-of-title", "as in 002"),
        ("none " + " ".join(f"+{rule}" for rule in PRESETS["standard"]), "standard"),
    ],
)
def test_a_cleaning_has_one_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def test_every_rule_can_be_turned_in_every_preset() -> None:
    for preset in PRESETS:
        for rule in RULES:
            text = f"{preset} +{rule.id}"
            assert dict(parse(text).numbers)[rule.id] == rule.number
            assert parse(str(parse(text))) == parse(text)
            if not rule.always:
                without = parse(f"{preset} -{rule.id}")
                assert rule.id not in dict(without.numbers)
                assert parse(str(without)) == without


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("thorough", "There is no cleaning 'thorough'; choose one of none, standard, as in 004, as in 002."),
        ("", "There is no cleaning ''"),
        ("+old-movies", "There is no cleaning ''"),
        ("standard +old", r"There is no cleaning rule '\+old'; put \+ or - before one of malformed-lines, "),
        ("standard old-movies", "There is no cleaning 'standard old-movies'"),
        ("standard +old-movies no-genre", "There is no cleaning rule 'no-genre'"),
        ("standard -old-movies:1950", "turns a rule off and gives it a number"),
        ("standard +no-genre:3", "The rule no-genre takes no number"),
        ("standard +few-ratings-users:0", "goes from 1 to 1000000, not 0"),
        ("standard +old-movies:12", "goes from 1871 to 2100, not 12"),
        ("none -missing-values", "missing-values cannot be off"),
        ("standard +old-movies:\x1b[2J", "There is no cleaning rule"),
    ],
)
def test_a_cleaning_that_there_is_not(text: str, sentence: str) -> None:
    with pytest.raises(Problem, match=sentence) as told:
        parse(text)
    assert "\x1b" not in str(told.value)
