import pytest
from hypothesis import given
from hypothesis import strategies as st

from movietui.data.titles import movie_key, parse_label


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Fargo (1996)", ("Fargo", 1996)),
        ("  Fargo   (1996) ", ("Fargo", 1996)),
        ("Usual Suspects, The (1995)", ("The Usual Suspects", 1995)),
        ("Beautiful Mind, A (2001)", ("A Beautiful Mind", 2001)),
        ("Amour, L' (2012)", ("L'Amour", 2012)),
        ("Amour, L\u2019 (2012)", ("L\u2019Amour", 2012)),
        ("Vitelloni, I (1953)", ("I Vitelloni", 1953)),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            ("The City of Lost Children (La Cité des enfants perdus)", 1995),
        ),
        ("Seventh Seal, The (Sjunde inseglet, Det) (1957)", ("The Seventh Seal (Det Sjunde inseglet)", 1957)),
        ("Serpent, The (a.k.a. Bikini Killer, The) (1986)", ("The Serpent (a.k.a. The Bikini Killer)", 1986)),
        ("Time of the Great Giving (1995) (V)", ("Time of the Great Giving", 1995)),
        ("Fawlty Towers (1975\u20131979)", ("Fawlty Towers", 1975)),
        ("Cosmos (2014-)", ("Cosmos", 2014)),
        ("2001: A Space Odyssey (1968)", ("2001: A Space Odyssey", 1968)),
        ("Paris, Texas (1984)", ("Paris, Texas", 1984)),
        ("Girl, Interrupted (1999)", ("Girl, Interrupted", 1999)),
        ("1984 (1956)", ("1984", 1956)),
        ("unknown", ("unknown", 0)),
        ("(1995)", ("(1995)", 0)),
        ("Film (9999)", ("Film (9999)", 0)),
        ("The", ("The", 0)),
        (", The (1990)", (", The", 1990)),
        ("", ("", 0)),
        ("[REC] (2007)", ("[REC]", 2007)),
        ("[bold red]Film[/] (2007)", ("[bold red]Film[/]", 2007)),
        ("千と千尋の神隠し (2001)", ("千と千尋の神隠し", 2001)),
    ],
)
def test_parse_label(label: str, expected: tuple[str, int]) -> None:
    assert parse_label(label) == expected


def test_a_title_in_reading_order_is_unchanged() -> None:
    for label in ("The Usual Suspects (1995)", "L'Amour (2012)", "Det Sjunde inseglet (1957)"):
        title, year = parse_label(label)
        assert f"{title} ({year})" == label


@pytest.mark.parametrize(
    ("title", "year", "key"),
    [
        ("La Cité des enfants perdus", 1995, "la cite des enfants perdus 1995"),
        ("Schindler's List", 1993, "schindlers list 1993"),
        ("Schindler\u2019s List", 1993, "schindlers list 1993"),
        ("WALL·E", 2008, "wall e 2008"),
        ("Straße", 0, "strasse 0"),
        ("Smørrebrød", 2000, "smorrebrod 2000"),
        ("Cafe\u0301", 2000, "cafe 2000"),
        ("$", 1971, "$ 1971"),
        ("がんばれ", 1990, "がんばれ 1990"),
    ],
)
def test_movie_key(title: str, year: int, key: str) -> None:
    assert movie_key(title, year) == key


def test_different_titles_have_different_keys() -> None:
    assert movie_key("かき", 1990) != movie_key("がき", 1990)
    assert movie_key("$", 1971) != movie_key("*", 1971)


@given(st.text(st.characters(codec="ascii"), max_size=30))
def test_the_fast_path_for_ascii_titles_gives_the_same_key(title: str) -> None:
    # An accent makes the title take the slow path, which handles all alphabets.
    assert movie_key("e" + title, 1995) == movie_key("é" + title, 1995)
