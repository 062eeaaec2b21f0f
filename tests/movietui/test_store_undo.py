"""Undo and redo of ratings and marks."""

import random

import pytest

from movietui.store.ratings import Change, Store
from tests.movietui.stored import ALIEN, ANNA, BRAZIL, FARGO, TOM, marked, redone, stars_of, undone


def test_ratings_are_undone_and_redone_in_order(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.rate(ANNA, FARGO, 2)
    store.rate(ANNA, ALIEN, 5)
    assert undone(store, [ANNA]) == Change(ANNA, ALIEN, 5, None)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 2, 4)
    assert stars_of(store, ANNA) == {"Fargo": 4}
    assert redone(store, [ANNA]) == Change(ANNA, FARGO, 4, 2)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 2, 4)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 4, None)
    assert undone(store, [ANNA]) is None
    assert stars_of(store, ANNA) == {}
    assert [redone(store, [ANNA]) is not None for _ in range(4)] == [True, True, True, False]
    assert stars_of(store, ANNA) == {"Fargo": 2, "Alien": 5}


def test_undo_outlives_the_window(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.close()
    again = Store(store.path)
    assert undone(again, [ANNA]) == Change(ANNA, FARGO, 4, None)
    again.close()


def test_viewers_undo_only_their_own_steps(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    store.rate(TOM, ALIEN, 3)
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 4, None)
    assert undone(store, [ANNA]) is None
    assert stars_of(store, TOM) == {"Alien": 3}
    assert undone(store, [ANNA, TOM]) == Change(TOM, ALIEN, 3, None)
    assert redone(store, [TOM]) == Change(TOM, ALIEN, None, 3)


def test_a_new_rating_ends_redo(store: Store) -> None:
    store.rate(ANNA, FARGO, 4)
    undone(store, [ANNA])
    store.rate(ANNA, ALIEN, 3)
    assert redone(store, [ANNA]) is None
    assert stars_of(store, ANNA) == {"Alien": 3}


def test_redo_restores_the_step_undone_last(store: Store) -> None:
    store.rate(ANNA, FARGO, 5)
    undone(store, [ANNA])
    store.rate(ANNA, FARGO, 1)
    undone(store, [ANNA])
    assert redone(store, [ANNA]) == Change(ANNA, FARGO, None, 1)
    assert redone(store, [ANNA]) is None


@pytest.mark.parametrize("seed", range(6))
def test_any_mix_of_rating_undo_and_redo_gives_the_right_ratings(store: Store, seed: int) -> None:
    """The viewers of a pair share one undo stack, as in an editor."""
    chance = random.Random(seed)
    pair = [ANNA, TOM]
    now: dict[tuple[str, str], float] = {}
    undoable: list[tuple[tuple[str, str], float | None, float | None]] = []
    redoable: list[tuple[tuple[str, str], float | None, float | None]] = []

    def put(key: tuple[str, str], stars: float | None) -> None:
        if stars is None:
            now.pop(key, None)
        else:
            now[key] = stars

    for _ in range(60):
        action = chance.choice(["rate", "rate", "undo", "undo", "redo"])
        if action == "rate":
            ref, movie, stars = chance.choice(pair), chance.choice([FARGO, ALIEN, BRAZIL]), chance.randint(1, 10) / 2
            key = (ref.id, movie.title)
            store.rate(ref, movie, stars)
            if now.get(key) == stars:  # nothing changed, so there is nothing to undo
                continue
            undoable.append((key, now.get(key), stars))
            redoable.clear()
            put(key, stars)
        elif action == "undo":
            change = undone(store, pair)
            assert (change is None) == (not undoable)
            if undoable:
                entry = undoable.pop()
                redoable.append(entry)
                put(entry[0], entry[1])
        else:
            change = redone(store, pair)
            assert (change is None) == (not redoable)
            if redoable:
                entry = redoable.pop()
                undoable.append(entry)
                put(entry[0], entry[2])
        result = {(ref.id, title): stars for ref in pair for title, stars in stars_of(store, ref).items()}
        assert result == now


def test_undo_covers_ratings_and_marks(store: Store) -> None:
    store.mark(ANNA, FARGO, "watchlist")
    store.rate(ANNA, FARGO, 4)
    store.unmark(ANNA, FARGO, "watchlist")
    store.mark(ANNA, ALIEN, "hidden")
    report = [(step.kind, len(step.changes), step.undone) for step in store.history(ANNA)]
    assert report == [("hidden", 1, False), ("watchlist", 1, False), ("rating", 1, False), ("watchlist", 1, False)]
    assert undone(store, [ANNA]) == Change(ANNA, ALIEN, 1, None, "hidden")
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, None, 1, "watchlist")
    assert marked(store, ANNA) == [("Fargo", "watchlist")]
    assert undone(store, [ANNA]) == Change(ANNA, FARGO, 4, None)
    assert [step.undone for step in store.history(ANNA)] == [True, True, True, False]
    for _ in range(3):
        store.redo([ANNA])
    assert (marked(store, ANNA), stars_of(store, ANNA)) == ([("Alien", "hidden")], {"Fargo": 4})
    assert store.redo([ANNA]) is None
    assert store.history(TOM) == []
    assert store.history(ANNA)[2].changes == (Change(ANNA, FARGO, None, 4),)
