"""Tags and the tag genome: which tags a movie has, with what weights, and how tags are read, stored and compared."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movietui.data import catalogue
from movietui.data.dataset import Dataset
from movietui.data.movielens import number_columns
from movietui.data.movielens import reader as movielens
from movietui.data.movielens.release import RawTags
from movietui.data.problems import Problem
from movietui.data.safe_text import INVISIBLE
from movietui.data.storage import cache, parquet
from movietui.data.tags import ENOUGH, MAX_LENGTH, MOST_TAGS, Tags, normalised
from tests.data.files import contents, write_folder
from tests.models.builders import tags_of

TWO = 2 / (2 + 2)
"""The weight of a tag that two users gave to a movie."""
ONE = 1 / (1 + 2)


def tag_lines(*given: tuple[int, int, str], separator: str = ",") -> list[str]:
    return [separator.join((str(user), str(movie), tag, "900000000")) for user, movie, tag in given]


def read(folder: Path, layout: str = "ml-latest-small", **files: list[str]) -> RawTags | None:
    changed = {
        name.replace("_", "-").replace("-csv", ".csv").replace("-dat", ".dat"): lines for name, lines in files.items()
    }
    return movielens.read(write_folder(folder / layout, contents(changed, layout))).tags


def by_movie(tags: RawTags | None) -> dict[int, dict[str, float]]:
    """Return the tags of each movie with their weights, in order."""
    weights: dict[int, dict[str, float]] = {}
    assert tags is not None
    for movie, tag, weight in zip(tags.movie_id.tolist(), tags.tag.tolist(), tags.weight.tolist(), strict=True):
        weights.setdefault(movie, {})[tags.names[tag]] = round(weight, 3)
    return weights


GIVEN = (
    (1, 5, "Twist Ending"),
    (2, 5, "twist  ending"),
    (2, 5, "twist-ending"),  # the same tag again
    (1, 6, "twist ending"),
    (1, 6, "In Netflix queue"),
    (1, 7, "In Netflix queue"),  # only one user gave this tag
    (3, 6, "sci-fi"),
    (4, 7, "Sci-Fi"),
)


@pytest.mark.parametrize("layout", ["ml-latest-small", "ml-10m"])
def test_tags_are_weighed_by_how_many_users_gave_them(tmp_path: Path, layout: str) -> None:
    name, separator = ("tags_csv", ",") if layout == "ml-latest-small" else ("tags_dat", "::")
    tags = by_movie(read(tmp_path, layout, **{name: tag_lines(*GIVEN, separator=separator)}))
    assert tags == {
        5: {"twist ending": round(TWO, 3)},
        6: {"sci-fi": round(ONE, 3), "twist ending": round(ONE, 3)},
        7: {"sci-fi": round(ONE, 3)},
    }


def test_a_tag_is_shown_as_most_people_write_it(tmp_path: Path) -> None:
    ways = ["based on a book", "Based-on-a-book", "based on a BOOK", "based on a book!"]
    tags = by_movie(read(tmp_path, tags_csv=tag_lines(*((user, 5, way) for user, way in enumerate(ways, 1)))))
    assert list(tags[5]) == ["based on a book"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Twist   ENDING ", "twist ending"),
        ("cafe\u0301", "caf\xe9"),
        ("a\x1b[31mb", "ab"),
        ("a\u200db", "ab"),
        ("x" * MAX_LENGTH, "x" * MAX_LENGTH),
        ("x" * (MAX_LENGTH + 1), ""),
        ("\t \x00", ""),
        ("[b]bold[/b]", "[b]bold[/b]"),
    ],
)
def test_tags_are_normalised(text: str, name: str) -> None:
    assert normalised(text) == name


@given(st.text())
def test_no_tag_controls_the_terminal(text: str) -> None:
    name = normalised(text)
    assert not INVISIBLE.search(name)
    assert normalised(name) == name
    assert len(name) <= MAX_LENGTH


def test_texts_that_are_not_tags_are_left_out(tmp_path: Path) -> None:
    for text in ("", '"  "', "x" * 60, "x" * 5000, "\u200b"):
        assert by_movie(read(tmp_path, tags_csv=tag_lines(*((user, 5, text) for user in (1, 2, 3))))) == {}
    assert read(tmp_path / "none") is None


def test_quotes_and_separators_in_tags(tmp_path: Path) -> None:
    lines = tag_lines(*((user, 5, text) for user in (1, 2) for text in ('"dark, funny"', '"say ""yes"""', ":)")))
    assert set(by_movie(read(tmp_path, tags_csv=lines))[5]) == {"dark, funny", 'say "yes"', ":)"}
    lines = tag_lines(*((user, 5, "time: travel") for user in (1, 2)), separator="::")
    assert set(by_movie(read(tmp_path, "ml-10m", tags_dat=lines))[5]) == {"time: travel"}


def test_malformed_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    bad = ["1,5,tag", "x,5,tag,900000000", "1,5,a tag,soon", '1,5,"open,900000000']
    files = contents({"tags.csv": [*tag_lines(*GIVEN), *bad]}, "ml-latest-small")
    files["tags.csv"] += b"1,5,caf\xe9,900000000\n"
    raw = movielens.read(write_folder(tmp_path / "few", files))
    assert [(line.file, line.line) for line in raw.malformed] == [("tags.csv", row) for row in range(10, 15)]
    assert raw.malformed[-1].reason == "the tag is not UTF-8 text"
    assert 5 in by_movie(raw.tags)
    with pytest.raises(
        Problem, match=r"more than 10 lines of tags\.csv are wrong; the first is line 10: it should have"
    ):
        read(tmp_path / "many", tags_csv=[*tag_lines(*GIVEN), *bad * 3])


@pytest.mark.parametrize("name", ["tags.csv", "genome-tags.csv", "genome-scores.csv"])
def test_another_header_is_refused(tmp_path: Path, name: str) -> None:
    files = contents({"tags.csv": tag_lines(*GIVEN), **genome({})}, "ml-latest-small")
    files[name] = b"one,two\n" + files[name]
    with pytest.raises(Problem, match=f"{name} in .* begins with 'one,two', not with"):
        movielens.read(write_folder(tmp_path / "files", files))


def genome(
    relevance: dict[tuple[int, int], str], names: Sequence[str] = ("Heist", "twist ending")
) -> dict[str, list[str]]:
    return {
        "genome-tags.csv": [f"{number},{name}" for number, name in enumerate(names, 1)],
        "genome-scores.csv": [f"{movie},{tag},{value}" for (movie, tag), value in relevance.items()],
    }


def read_genome(
    folder: Path, relevance: dict[tuple[int, int], str], *given: tuple[int, int, str]
) -> dict[int, dict[str, float]]:
    files = contents({**genome(relevance), "tags.csv": tag_lines(*given)}, "ml-latest-small")
    return by_movie(movielens.read(write_folder(folder / "genome", files)).tags)


def test_the_genome_has_what_is_relevant(tmp_path: Path) -> None:
    relevance = {
        (5, 1): "0.95000000000000018",
        (5, 2): "0.59",
        (6, 1): "0.6",
        (6, 2): "0.02",
        (7, 1): "1.5",
        (8, 9): "0.9",
    }
    tags = read_genome(tmp_path, relevance, (1, 5, "Twist-Ending"), (2, 6, "twist ending"), (3, 6, "twist ending"))
    assert tags == {
        5: {"heist": 0.95, "twist ending": round(ONE, 3)},
        6: {"heist": 0.6, "twist ending": round(TWO, 3)},
    }


def test_the_higher_of_two_weights_counts(tmp_path: Path) -> None:
    relevance = {(5, 2): "0.75", (6, 2): "0.61"}
    given = [(user, movie, "twist ending") for movie, users in ((5, 2), (6, 8)) for user in range(users)]
    assert read_genome(tmp_path, relevance, *given) == {5: {"twist ending": 0.75}, 6: {"twist ending": 0.8}}


def test_a_genome_without_its_tags_is_not_used(tmp_path: Path) -> None:
    files = contents(genome({(5, 1): "0.9"}), "ml-latest-small")
    folder = write_folder(tmp_path / "files", files)
    assert by_movie(movielens.read(folder).tags) == {5: {"heist": 0.9}}
    (folder / "genome-tags.csv").write_text("tagId,tag\none,heist\n")  # its only line is malformed
    assert by_movie(movielens.read(folder).tags) == {}
    (folder / "genome-tags.csv").unlink()
    assert movielens.read(folder).tags is None


def test_a_wrong_relevance_is_a_malformed_line(tmp_path: Path) -> None:
    files = contents(genome({(5, 1): "0.9", (5, 2): "high", (6, 1): ""}), "ml-latest-small")
    raw = movielens.read(write_folder(tmp_path / "files", files))
    assert [str(line) for line in raw.malformed] == [
        "genome-scores.csv line 3: the digits of the relevance 'high' are not a number in range"
    ]
    assert by_movie(raw.tags) == {5: {"heist": 0.9}}


@pytest.mark.parametrize("slow", [False, True])
def test_small_blocks_give_the_same_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: bool) -> None:
    relevance = {(movie, tag): f"0.{600 + 7 * movie + tag}" for movie in range(1, 31) for tag in (1, 2)}
    whole = read_genome(tmp_path / "whole", relevance, *GIVEN * 3)
    blocks = movielens.archive.Files.blocks
    monkeypatch.setattr(movielens.archive.Files, "blocks", lambda self, name, size=100: blocks(self, name, 100))
    if slow:
        monkeypatch.setattr(number_columns, "_fast", lambda *_: None)
    assert read_genome(tmp_path / "small", relevance, *GIVEN * 3) == whole


# Which tags a movie has


def test_a_tag_that_few_movies_have_tells_more() -> None:
    tags = tags_of([*((row, "funny", 0.6) for row in range(20)), (3, "heist", 0.6), (4, "heist", 0.1)], 21)
    assert (tags.of(3), tags.of(4), tags.of(20)) == (["heist", "funny"], ["funny", "heist"], [])
    assert tags.strong(4) == ["funny"]
    assert tags.names == ("funny", "heist")
    assert tags.rows_named("HEIST").tolist() == [3, 4]


def test_only_the_strongest_tags_are_kept() -> None:
    cells = [(0, f"tag {number:03}", 0.3 + number / 1000) for number in range(2 * MOST_TAGS)]
    tags = tags_of([*cells, (1, "tag 000", 0.9)], 2)
    assert tags.of(0) == [f"tag {number:03}" for number in reversed(range(MOST_TAGS, 2 * MOST_TAGS))]
    assert tags.of(1) == ["tag 000"]
    assert len(tags.names) == MOST_TAGS + 1


def test_the_order_of_the_cells_does_not_matter() -> None:
    cells = [(row % 7, f"tag {row % 5}", 0.2 + row % 3 / 4) for row in range(60)]
    one, two = tags_of(cells, 7), tags_of(cells[::-1], 7)
    assert one.names == two.names
    assert [one.of(row) for row in range(7)] == [two.of(row) for row in range(7)]
    assert one.weight.tolist() == two.weight.tolist()


def test_similarity_of_tags() -> None:
    rare = [(row, f"only {row} {number}", 0.9) for row in range(4) for number in range(5)]
    cells = [*rare, (0, "heist", 0.9), (1, "heist", 0.9), (2, "heist", 0.2), (4, "heist", 0.9)]
    similarity = tags_of(cells, 6).similarity(0)
    assert similarity[0] == pytest.approx(1)
    assert similarity[1] > similarity[2] > similarity[3] == similarity[5] == 0
    lonely = tags_of([(0, "heist", 0.3), (1, "heist", 0.3), (2, "x", 0.9)], 3)
    assert lonely.similarity(0)[1] == pytest.approx(np.float32(0.3) * np.log1p(3 / 2) / ENOUGH)


def test_movies_are_kin_by_a_strong_tag_that_is_not_common() -> None:
    common = [(row, "funny", 0.9) for row in range(40)]
    tags = tags_of([*common, (0, "heist", 0.9), (1, "heist", 0.9), (2, "heist", 0.3), (3, "x", 0.9)], 40)
    assert np.flatnonzero(tags.strong_kin(0)).tolist() == [0, 1]
    assert not tags.strong_kin(2).any()


# In a dataset


def stored(
    tmp_path: Path, given: Sequence[tuple[int, int, str]], changed: dict[str, list[str]], cleaning: str
) -> Dataset:
    folder = write_folder(tmp_path / "files", contents({"tags.csv": tag_lines(*given), **changed}, "ml-latest-small"))
    catalogue.get("tagged", folder)
    return catalogue.load("tagged", cleaning)


def test_tags_are_stored_with_the_movies(tmp_path: Path) -> None:
    once = stored(tmp_path, GIVEN, {}, "standard")
    again = catalogue.load("tagged", "standard")
    for dataset in (once, again):
        tags = dataset.movies.tags
        assert tags is not None
        assert {row: tags.of(row) for row in range(len(dataset.movies)) if tags.of(row)} == {
            dataset.movies.row["5"]: ["twist ending"],
            dataset.movies.row["6"]: ["sci-fi", "twist ending"],
            dataset.movies.row["7"]: ["sci-fi"],
        }
    assert again.fingerprint == once.fingerprint
    assert stored(tmp_path, GIVEN[:2], {}, "standard").fingerprint != once.fingerprint
    renamed = [(user, movie, "sea" if tag == "sci-fi" else tag) for user, movie, tag in GIVEN[:-1]]
    assert stored(tmp_path, [*renamed, (4, 7, "sea")], {}, "standard").fingerprint != once.fingerprint


def test_a_merged_movie_has_the_tags_of_all_its_entries_and_a_removed_one_none(tmp_path: Path) -> None:
    movies = [f"{movie},Movie {'x' if movie in (5, 6) else movie} (1995),Drama" for movie in range(1, 31)]
    movies[6] = "7,Movie 7 (1995),(no genres listed)"
    dataset = stored(tmp_path, GIVEN, {"movies.csv": movies}, "standard")
    tags, (merged,) = dataset.movies.tags, [movie for movie in ("5", "6") if movie in dataset.movies.row]
    assert tags is not None
    assert set(tags.of(dataset.movies.row[merged])) == {"twist ending", "sci-fi"}
    assert dataset.movies.tags_of(dataset.movies.row[merged]) == tags.of(dataset.movies.row[merged])
    assert tags.weight.max() == np.float32(TWO)
    assert "7" not in dataset.movies.row
    assert len(tags.tag) == 2


def test_tags_that_repeat_a_genre_are_not_shown(tmp_path: Path) -> None:
    dataset = stored(tmp_path, [(1, 5, "drama"), (2, 5, "DRAMA"), *GIVEN], {}, "none")
    row = dataset.movies.row["5"]
    assert dataset.movies.tags is not None
    assert sorted(dataset.movies.tags.of(row)) == ["drama", "twist ending"]
    assert dataset.movies.tags_of(row) == ["twist ending"]


def test_a_dataset_without_tags_has_none_and_the_same_fingerprint(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "files", contents(layout="ml-latest-small"))
    catalogue.get("plain", folder)
    dataset = catalogue.load("plain", "none")
    assert dataset.movies.tags is None
    assert dataset.movies.tags_of(0) == []
    tagged = stored(tmp_path, GIVEN, {}, "none")
    assert tagged.fingerprint != dataset.fingerprint


def _out_of_range(tags: Tags) -> Tags:
    return replace(tags, tag=tags.tag + np.int32(len(tags.names)))


def _unsorted(tags: Tags) -> Tags:
    changed = replace(tags, starts=tags.starts.copy())
    changed.__dict__["movie"] = tags.movie[::-1].copy()
    return changed


@pytest.mark.parametrize("damage", [_out_of_range, _unsorted])
def test_stored_tags_that_make_no_sense_are_rebuilt(tmp_path: Path, damage: Callable[[Tags], Tags]) -> None:
    dataset = stored(tmp_path, GIVEN, {}, "none")
    assert dataset.movies.tags is not None
    rules, report = cache.parse("none"), catalogue.report_of("tagged", "none")
    assert report is not None
    wrong = replace(dataset, movies=replace(dataset.movies, tags=damage(dataset.movies.tags)))
    digest = cache.describe("tagged")["raw"]
    cache.save_clean(digest, rules, wrong, report, {})
    with pytest.raises(parquet.Damaged):
        cache.load_clean("tagged", rules, cache.clean_folder("tagged", digest, rules))
    rebuilt = catalogue.load("tagged", "none").movies.tags
    assert rebuilt is not None
    assert rebuilt.tag.tolist() == dataset.movies.tags.tag.tolist()
