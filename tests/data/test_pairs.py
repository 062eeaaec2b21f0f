import zipfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue, pairs, splits
from movietui.data.dataset import Ratings
from movietui.data.pairs import Pairs, Triples
from movietui.data.problems import Problem

Triple = tuple[int, int, int, float]


def columns(user: object, movie: object, stars: object, time: object = None) -> Ratings:
    user = np.asarray(user, np.int32)
    when = np.arange(len(user)) if time is None else np.asarray(time)
    return Ratings(user, np.asarray(movie, np.int32), np.asarray(stars, np.float32), when.astype(np.int64))


def some(rows: int = 200) -> Ratings:
    """Return random ratings of 7 of 17 movies by 23 users, with times in random order; users rate some movies twice."""
    random = np.random.RandomState(4)
    movie = random.choice([0, 3, 4, 7, 8, 9, 16], rows)
    return columns(random.randint(0, 23, rows), movie, random.randint(1, 11, rows) / 2, random.permutation(rows))


def naive_triples(ratings: Ratings) -> list[Triple]:
    """Return all triples, computed naively."""
    newest: dict[tuple[int, int], float] = {}
    for row in np.argsort(ratings.time):
        newest[int(ratings.movie[row]), int(ratings.user[row])] = float(ratings.stars[row])
    return [
        (one[1], other[1], one[0], (newest[one] + newest[other]) / 2)
        for one, other in combinations(sorted(newest), 2)
        if one[0] == other[0]
    ]


def listed(triples: Triples) -> list[Triple]:
    columns = (triples.first, triples.second, triples.movie, triples.stars)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_blocks_contain_every_triple_once(at_once: int) -> None:
    pairs = Pairs.of(some())
    expected = naive_triples(some())
    blocks = list(pairs.triples(at_once))
    assert [len(block) for block in blocks[:-1]] == [at_once] * (len(blocks) - 1)
    assert 0 < len(blocks[-1]) <= at_once
    assert [triple for block in blocks for triple in listed(block)] == expected
    assert len(pairs) == len(expected)
    assert len(pairs) < sum(n * (n - 1) // 2 for n in np.bincount(some().movie))  # some users rated a movie twice


def test_columns_have_the_documented_types() -> None:
    block = next(Pairs.of(some()).triples())
    drawn = next(Pairs.of(some()).epoch(10, 10, seed=0))
    for triples in (block, drawn):
        kinds = [column.dtype for column in (triples.first, triples.second, triples.movie, triples.stars)]
        assert kinds == [np.int32, np.int32, np.int32, np.float32]


def test_blocks_give_the_rows_of_the_ratings() -> None:
    ratings = some()
    rows = [np.concatenate(side) for side in zip(*Pairs.of(ratings).blocks(50), strict=True)]
    one, other = (ratings.take(side) for side in rows)
    assert (one.movie == other.movie).all()
    triples = list(zip(one.user, other.user, one.movie, (one.stars + other.stars) / 2, strict=True))
    assert triples == naive_triples(ratings)


def test_two_ratings_by_one_user_are_not_a_pair_and_the_newer_one_counts() -> None:
    twice = columns([5, 5, 2], [1, 1, 1], [4, 2, 5], time=[9, 8, 1])
    (block,) = Pairs.of(twice).triples()
    assert listed(block) == [(2, 5, 1, 4.5)]
    alone = Pairs.of(twice.take(np.array([0, 1])))
    assert len(alone) == 0
    assert list(alone.triples()) == []


@pytest.mark.parametrize("ratings", [columns([], [], []), columns([0, 1, 1], [0, 1, 2], [5, 5, 5])])
def test_without_pairs(ratings: Ratings) -> None:
    none = Pairs.of(ratings)
    assert len(none) == 0
    assert list(none.blocks()) == []
    with pytest.raises(Problem, match="No movie has ratings from two users"):
        next(none.epoch(10, 5, seed=0))


def test_all_triples_are_drawn_and_equally_likely() -> None:
    expected = naive_triples(some(60))
    both_ways = {(a, b, movie, stars) for a, b, movie, stars in expected}
    both_ways |= {(b, a, movie, stars) for a, b, movie, stars in expected}
    size = 1000 * len(both_ways)
    drawn = [triple for batch in Pairs.of(some(60)).epoch(size, 4096, seed=1) for triple in listed(batch)]
    assert len(drawn) == size
    counts = dict.fromkeys(both_ways, 0)
    for triple in drawn:
        counts[triple] += 1  # raises KeyError for a triple that does not exist
    # Each count is binomial with a mean of 1000 and a deviation below 32.
    assert min(counts.values()) > 1000 - 5 * 32
    assert max(counts.values()) < 1000 + 5 * 32


def test_triples_are_drawn_in_random_order() -> None:
    (batch,) = Pairs.of(some()).epoch(5000, 5000, seed=0)
    halves = [np.bincount(half, minlength=17) for half in np.array_split(batch.movie, 2)]
    np.testing.assert_allclose(*halves, atol=5 * np.sqrt(5000 / 4))


def test_an_epoch_has_the_requested_size_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "DRAWN_AT_ONCE", 35)
    assert [len(batch) for batch in Pairs.of(some()).epoch(75, 10, seed=0)] == [10] * 7 + [5]
    assert [len(batch) for batch in Pairs.of(some()).epoch(120, 50, seed=0)] == [50, 50, 20]
    assert list(Pairs.of(some()).epoch(0, 10, seed=0)) == []


def test_seed_and_epoch_determine_the_draw() -> None:
    def drawn(seed: int, number: int) -> list[Triple]:
        return [triple for batch in Pairs.of(some()).epoch(200, 64, seed, number) for triple in listed(batch)]

    assert drawn(3, 0) == drawn(3, 0)
    assert drawn(3, 0) != drawn(3, 1)
    assert drawn(3, 0) != drawn(4, 0)


@pytest.mark.real
def test_counts_of_ml_100k(datasets_folder: Path) -> None:
    catalogue.get("ml-100k", datasets_folder / "ml-100k.zip")
    dataset = catalogue.load("ml-100k", "none")
    whole = Pairs.of(dataset.ratings)
    assert len(whole) == 8_353_595
    assert sum(len(block) for block in whole.triples()) == 8_353_595
    cut = splits.split(dataset, "kfold5-0")
    test = Pairs.of(dataset.ratings.take(cut.test))
    assert len(test) == 331_650
    assert sum(len(block) for block in test.triples()) == 331_650


@pytest.mark.real
def test_count_of_ml_1m(datasets_folder: Path) -> None:
    with zipfile.ZipFile(datasets_folder / "ml-1m.zip") as archive:
        numbers = archive.read("ml-1m/ratings.dat").replace(b"::", b" ").split()
    user, movie, stars, time = np.array(numbers, np.int64).reshape(-1, 4).T
    assert len(Pairs.of(columns(user, movie, stars, time))) == 407_702_952
