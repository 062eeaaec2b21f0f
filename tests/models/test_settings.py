"""Settings."""

import inspect
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movietui.data.problems import Problem
from movietui.models import MODELS
from movietui.models import settings as module
from movietui.models.item_knn import ItemKNNSettings
from movietui.models.mf import BiasedMFSettings
from movietui.models.neighbours import NeighbourSettings
from movietui.models.settings import describe, parse

KINDS = sorted({model.settings_type for model in MODELS.values()}, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_has_a_meaning_and_a_default_in_its_range(kind: type) -> None:
    for field in describe(kind):
        assert field.meaning.endswith(".")
        assert field.low <= field.default <= field.high


def test_a_model_is_loaded_without_reading_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it would take a tenth of a second until the first list."""
    monkeypatch.setattr(module, "_described", {})
    monkeypatch.delattr(inspect, "getsource")
    assert ItemKNNSettings(neighbours=7).neighbours == 7


@settings(deadline=None)
@given(st.data())
def test_values_in_range_are_parsed(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    texts, expected = {}, asdict(kind())
    for field in describe(kind):
        if field.kind is bool:
            expected[field.name] = data.draw(st.booleans())
        elif field.kind is int:
            expected[field.name] = data.draw(st.integers(int(field.low), int(field.high)))
        else:
            expected[field.name] = data.draw(st.floats(field.low, field.high))
        texts[field.name] = repr(expected[field.name])
    assert asdict(parse(kind, texts)) == expected


@settings(deadline=None)
@given(st.floats())
def test_a_value_out_of_range_is_a_problem(value: float) -> None:
    field = next(field for field in describe(BiasedMFSettings) if field.name == "caution")
    if field.low <= value <= field.high:
        assert BiasedMFSettings(caution=value).caution == value
    else:
        with pytest.raises(Problem, match="caution"):
            BiasedMFSettings(caution=value)


@pytest.mark.parametrize(
    ("texts", "word"),
    [
        ({"factor": "3"}, "factors"),
        ({"factors": "three"}, "whole"),
        ({"factors": "2.5"}, "whole"),
        ({"caution": "x"}, "number"),
    ],
)
def test_a_text_that_cannot_be_parsed_is_a_problem(texts: dict[str, str], word: str) -> None:
    with pytest.raises(Problem, match=word):
        parse(BiasedMFSettings, texts)


def test_parsing_starts_from_a_base() -> None:
    base = BiasedMFSettings(factors=4)
    assert parse(BiasedMFSettings, {"sweeps": "2"}, base) == BiasedMFSettings(factors=4, sweeps=2)


def test_settings_inherit_fields_and_their_meaning() -> None:
    common, item_knn = describe(NeighbourSettings), describe(ItemKNNSettings)
    assert [field.name for field in item_knn] == [field.name for field in common]
    meanings = [{field.name: field.meaning for field in fields} for fields in (common, item_knn)]
    assert meanings[0]["doubt"] == meanings[1]["doubt"]
    assert meanings[0]["neighbours"] != meanings[1]["neighbours"]
