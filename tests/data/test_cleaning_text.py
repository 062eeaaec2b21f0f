"""How cleanings are written and read as text."""

import pytest

from movietui.data.cleaning.cleaner import PRESETS, parse
from movietui.data.cleaning.rules import RULES
from movietui.data.problems import Problem


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
def test_equal_cleanings_have_equal_texts(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def test_every_rule_can_be_turned_on_and_off_in_every_preset() -> None:
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
        ("standard +dust", r"There is no cleaning rule '\+dust'; put \+ or - before one of malformed-lines, "),
        ("standard +old", r"There is no cleaning rule '\+old'; did you mean \+old-movies\?"),
        ("standard -old:1950", r"There is no cleaning rule '-old:1950'; did you mean -old-movies\?"),
        ("standrad", r"There is no cleaning 'standrad'; did you mean standard\?"),
        ("standard old-movies", "There is no cleaning 'standard old-movies'"),
        ("standard +old-movies no-genre", "There is no cleaning rule 'no-genre'"),
        ("standard -old-movies:1950", "turns a rule off and gives it a number; leave out the number"),
        ("standard +no-genre:3", r"The rule no-genre has no number; write \+no-genre\."),
        ("standard +few-ratings-users:0", "The number of few-ratings-users must be from 1 to 1000000, not 0"),
        ("standard +old-movies:12", "The number of old-movies must be from 1871 to 2100, not 12"),
        ("none -missing-values", "The rule missing-values is always on: the rows it removes cannot be used"),
        ("standard +old-movies:\x1b[2J", "There is no cleaning rule"),
    ],
)
def test_an_invalid_cleaning_is_explained(text: str, sentence: str) -> None:
    with pytest.raises(Problem, match=sentence) as error:
        parse(text)
    assert "\x1b" not in str(error.value)
