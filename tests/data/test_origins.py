"""Where a movie comes from, inferred from the titles under which it is known."""

import pytest

from movietui.data.imdb.origins import (
    COUNTRIES,
    LANGUAGES,
    MAIN_LANGUAGE,
    MOST_COUNTRIES,
    OTHER_NAMES,
    Alias,
    origin_of,
)


def alias(text: str) -> Alias:
    """Return the row that a text such as ``US/en`` or ``*/ko`` stands for; a star marks the original title."""
    region, _, language = text.partition("/")
    return Alias(region.removeprefix("*"), language, region.startswith("*"))


@pytest.mark.parametrize(
    ("rows", "languages", "countries"),
    [
        ("", "", ""),
        ("*", "", ""),
        ("* KR", "ko", "KR"),
        ("*/ko KR", "ko", "KR"),
        ("*FR/fr US GB DE JP", "fr", "FR"),  # what the original row says is not doubted
        ("* FR BE/fr CA/fr", "fr", "FR BE CA"),
        ("* US GB CA/en AU", "en", ""),  # too many countries, but one language
        ("* US DE FR", "", "US DE FR"),
        ("* IN", "", "IN"),  # many languages
        ("* IN/hi", "hi", "IN"),
        ("* XWW/en US", "en", "US"),  # not a country
        ("* TW CN/cmn", "zh", "TW CN"),
        ("* ZZ/qq", "qq", ""),
        ("* FR FR", "fr", "FR"),
    ],
)
def test_origins(rows: str, languages: str, countries: str) -> None:
    expected = (tuple(languages.split()), tuple(countries.split()))
    assert origin_of(map(alias, rows.split())) == expected


def test_an_international_title_says_nothing_about_countries() -> None:
    regions = list(MAIN_LANGUAGE)[: MOST_COUNTRIES + 1]
    assert origin_of(Alias(region, "", False) for region in regions)[1] == ()
    assert origin_of(Alias(region, "", False) for region in regions[:-1])[1] == tuple(regions[:-1])


def test_the_codes_are_consistent() -> None:
    assert MAIN_LANGUAGE.keys() <= COUNTRIES.keys()
    assert {*MAIN_LANGUAGE.values()} <= LANGUAGES.keys()
    assert {*OTHER_NAMES.values()} <= COUNTRIES.keys() | LANGUAGES.keys()
    assert len({*LANGUAGES.values()}) == len(LANGUAGES)
    assert (LANGUAGES["ko"], COUNTRIES["KR"], COUNTRIES["SUHH"]) == ("Korean", "South Korea", "Soviet Union")
