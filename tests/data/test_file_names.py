"""Titles, years and ids in the names of movie files and folders."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movietui.data.imports import file_names, nfo
from movietui.data.imports.file_names import FileName, is_episode, is_extra, is_sample, is_season, parse, part_of
from movietui.data.titles import movie_key


@pytest.mark.parametrize(
    ("name", "title", "year"),
    [
        ("Heat (1995)", "Heat", 1995),
        ("Matrix, The (1999)", "The Matrix", 1999),
        ("Heat.1995.1080p.BluRay.x264-GRP", "Heat", 1995),
        ("2001.A.Space.Odyssey.1968.2160p.UHD.BluRay.REMUX.HDR.HEVC-GRP", "2001 A Space Odyssey", 1968),
        ("1917.2019.1080p", "1917", 2019),
        ("Blade.Runner.2049.2017.2160p.WEB-DL", "Blade Runner 2049", 2017),
        ("Blade Runner 2049", "Blade Runner 2049", 0),
        ("2012", "2012", 0),
        ("2012 (2009)", "2012", 2009),
        ("Wonder Woman 1984 (2020)", "Wonder Woman 1984", 2020),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009),
        ("S.W.A.T.2003.DVDRip", "S W A T", 2003),
        ("The.Proper.2010.PROPER.h.264", "The Proper", 2010),
        ("Cam.2018.1080p.WEB", "Cam", 2018),
        ("Web.2013", "Web", 2013),
        ("The_Thing_1982", "The Thing", 1982),
        ("[GRP] Spirited Away (2001) [1080p][x265]", "Spirited Away", 2001),
        ("Movie [2010] (extended)", "Movie", 2010),
        ("heat.x264-GRP", "heat", 0),
        ("Heat 1995 - Director's Cut 1080p", "Heat", 1995),
        ("Amélie.2001.MULTi.1080p", "Amélie", 2001),
        ("千と千尋の神隠し (2001)", "千と千尋の神隠し", 2001),
        ("\x1b[31mHeat\u202e (1995)", "Heat", 1995),
        ("...", "", 0),
        ("", "", 0),
    ],
)
def test_a_name_is_read(name: str, title: str, year: int) -> None:
    named = parse(name)
    assert (named.title, named.year) == (title, year)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Heat (1995) {imdb-tt0113277}", FileName("Heat", 1995, "tt0113277", labelled=True)),
        ("Heat (1995) [imdbid-tt0113277] [tmdbid-949]", FileName("Heat", 1995, "tt0113277", 949, labelled=True)),
        ("Heat.1995 {tmdb-949} {edition-Director's Cut}", FileName("Heat", 1995, "", 949)),
    ],
)
def test_the_ids_that_players_want_in_names_are_read(name: str, expected: FileName) -> None:
    assert parse(name) == expected


def test_parts_samples_extras_and_episodes_are_recognised() -> None:
    assert [part_of(name) for name in ("Heat - cd2", "Heat.disc1", "Dune Part 2", "Heat")] == [
        ("Heat", True),
        ("Heat", True),
        ("Dune", False),
        ("Heat", False),
    ]
    assert [is_sample(name) for name in ("sample", "heat-sample", "Sampled (2010)", "Free Sample (2012)")] == [
        True,
        True,
        False,
        False,
    ]
    assert all(map(is_extra, ("Heat-trailer", "Heat (1995)-behindthescenes", "trailer", "heat.trailer2")))
    assert not any(map(is_extra, ("Heat (1995)", "The Interview (2014)", "Trailer Park (2009)")))
    assert all(map(is_episode, ("Show S01E02", "show.s1.e2.720p", "Show 1x02")))
    assert not any(map(is_episode, ("10x10 (2018)", "Heat.1995.1920x1080", "Se7en (1995)")))
    assert all(map(is_season, ("Season 1", "Staffel 02", "S01")))
    assert not any(map(is_season, ("Open Season (2006)", "S01 (2010)")))


@given(st.text(max_size=80))
def test_any_name_is_read_without_controls(name: str) -> None:
    named = parse(name)
    assert named.title == " ".join(named.title.split())
    assert not any(ord(character) < 32 for character in named.title)
    assert movie_key(named.title, named.year)


def test_the_examples_in_docstrings_are_right() -> None:
    for module in (file_names, nfo):
        assert doctest.testmod(module).attempted
        assert not doctest.testmod(module).failed


@pytest.mark.parametrize(
    ("content", "imdb", "tmdb"),
    [
        ('<movie><uniqueid type="imdb" default="true">tt0113277</uniqueid></movie>', "tt0113277", 0),
        ("<uniqueid default='false' type='imdb'> tt0113277 </uniqueid>", "tt0113277", 0),
        ('<movie><imdbid>tt0113277</imdbid><tmdbid>949</tmdbid><uniqueid type="tmdb">949</uniqueid>', "tt0113277", 949),
        ("<movie><id>tt0113277</id></movie>", "tt0113277", 0),
        ("Seen at https://www.imdb.com/title/tt0113277/ and imdb.com/title/tt0113277", "tt0113277", 0),
        ("https://www.themoviedb.org/movie/949-heat", "", 949),
        ("imdb.com/title/tt0113277 imdb.com/title/tt0000001", "", 0),
        ('<uniqueid type="imdb">tt0113277</uniqueid> imdb.com/title/tt0000001', "tt0113277", 0),
        ('<!DOCTYPE x [<!ENTITY a "tt0113277">]><imdbid>&a;</imdbid>', "", 0),
        ("", "", 0),
    ],
)
def test_an_nfo_file_is_read(content: str, imdb: str, tmdb: int) -> None:
    described = nfo.parse(content.encode())
    assert (described.imdb, described.tmdb, described.series) == (imdb, tmdb, False)
    assert nfo.parse(content.encode("utf-16")) == described


def test_an_nfo_file_may_be_of_a_series_or_hostile() -> None:
    assert nfo.parse(b"<episodedetails><imdbid>tt0113277</imdbid>").series
    assert nfo.parse(b"<tvshow>").series
    assert nfo.parse(b" " * nfo.MAX_BYTES + b"<imdbid>tt0113277</imdbid>").imdb == ""
    for piece in (
        b'<uniqueid type="imdb"',
        b"<uniqueid ",
        b'type="imdb"',
        b"<id ",
        b"\xff\xfe\x00",
        b"imdb.com/title/tt",
    ):
        nfo.parse(piece * (nfo.MAX_BYTES // len(piece)))  # must not take quadratic time


def test_the_bytes_of_an_nfo_file_need_not_be_text() -> None:
    assert nfo.parse(b"\x00\xff<imdbid>tt0113277</imdbid>\xfe").imdb == "tt0113277"
