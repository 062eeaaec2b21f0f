"""Ranks lists and returns windows of them, in which each movie can have its rank in the previous list."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.answers.lists import rows_of
from movietui.data.dataset import Bools, Dataset, Floats
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.query.filters import parse
from movietui.data.query.list_conditions import KnownLists
from movietui.engine.open_dataset import OpenDataset, viewers_of
from movietui.models.choices import DEFAULT_ORDER, ORDERS, Order, order_by_taste
from movietui.models.serving.groups import Aggregation, alikeness
from movietui.models.serving.ranking import RankedList, Ranker, Viewer, surprise
from movietui.protocol.messages import ListQuery, ListWindow, MovieRow

DIGITS = 4
NEAR = 100
"""How many movies at the top of a list count towards ``moved``; few people look further down."""


@dataclass(frozen=True, eq=False)
class _Shown:
    """The order of a list that was shown, and the viewers that it was for."""

    viewers: tuple[tuple[str, str], ...]
    rows: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Ranked:
    """The list that was ranked last, because scrolling requests one window of it after another."""

    opened: OpenDataset
    query: ListQuery
    people: list[Viewer]
    ranked: RankedList


def rank(ranker: Ranker, query: ListQuery) -> tuple[list[Viewer], RankedList]:
    """Return the viewers of a list and its ranked movies. Raises ``Problem`` for a value out of range."""
    misery, daring = _share("misery", query["misery"]), _share("daring", query.get("daring", 0.0))
    recent = _share("recent", query.get("recent", 0.0))
    people = viewers_of(ranker, query["viewers"])
    how = Aggregation(way=query.get("way", "weighted"), misery=misery, standardise=query.get("standardise", False))
    return people, ranker.rank(
        people,
        how=how,
        passing=_passing(ranker.dataset, query),
        unseen_by=query.get("unseen_by", "all"),
        daring=daring,
        order=_order(query),
        recent=recent,
    )


def by_taste(query: ListQuery) -> ListQuery:
    """Return the query of the same list in an order that puts good movies first; see ``order_by_taste``."""
    return {**query, "order": order_by_taste(_order(query))}


def _order(query: ListQuery) -> Order:
    """Return the order of a list. Raises ``Problem`` for an unknown order."""
    order = query.get("order", DEFAULT_ORDER)
    if order not in ORDERS:
        raise Problem(tr("There is no order {order!r}; choose one of {orders}.", order=order, orders=", ".join(ORDERS)))
    return order


def _share(name: str, value: float) -> float:
    """Return a share that a query sets, such as ``misery``. Raises ``Problem`` if it is not from 0 to 1."""
    if not 0 <= value <= 1:
        raise Problem(tr("{name}={value:g} is out of range; use 0 to 1.", name=name, value=value))
    return value


def _passing(dataset: Dataset, query: ListQuery) -> Bools | None:
    """Return which movies pass the filter, ``excluded`` and ``among`` of a query, shape (movies,); ``None`` for all."""
    owners = tuple(viewer["id"] for viewer in query["viewers"] if viewer["kind"] == "profile")
    lists = KnownLists(owners, query.get("lists", {}))
    passing = parse(words, dataset, lists).passes(dataset) if (words := query.get("filter", "")) else None
    excluded, among = rows_of(dataset, query.get("excluded", ())), query.get("among")
    if passing is None and (excluded or among is not None):
        passing = np.ones(len(dataset.movies), bool)
    if passing is not None:
        passing[excluded] = False
        if among is not None:
            passing &= np.isin(np.arange(len(passing)), rows_of(dataset, among))
    return passing


class Lists:
    """Makes the lists of the open dataset, and remembers what the previous list looked like."""

    def __init__(self) -> None:
        self._latest: _Ranked | None = None
        self._shown: _Shown | None = None
        self._before: _Shown | None = None

    def window(self, opened: OpenDataset, query: ListQuery, offset: int, limit: int, compare: bool) -> ListWindow:
        """Return a window of a list; see ``Requests.rank``."""
        if self._latest is None or self._latest.opened is not opened or self._latest.query != query:
            self._latest = _Ranked(opened, query, *rank(opened.ranker, query))
        people, ranked = self._latest.people, self._latest.ranked
        viewers = tuple((ratings["kind"], ratings["id"]) for ratings in query["viewers"])
        shown = self._shown
        if shown is None or shown.viewers != viewers or not np.array_equal(shown.rows, ranked.order):
            self._before = shown if compare and shown is not None and shown.viewers == viewers else None
            self._shown = _Shown(viewers, ranked.order)
        elif compare:
            self._before = shown
        before = self._before_each(ranked)
        rows = ranked.order[offset : offset + limit]
        alike = alikeness(people[0].history, people[1].history) if len(people) == 2 else None
        near = ranked.order[:NEAR]
        ranks = np.arange(1, len(near) + 1)
        return {
            "total": len(ranked.order),
            "offset": offset,
            "rows": _movies(opened, ranked, offset + 1, rows, before),
            "rated": [len(person.history) for person in people],
            "alike": None if alike is None else {"value": alike.correlation, "common": alike.common},
            "moved": 0 if before is None else int(np.sum((before[near] > 0) & (before[near] != ranks))),
        }

    def _before_each(self, ranked: RankedList) -> NDArray[np.intp] | None:
        """Return the previous rank of each movie, 0 if it had none, shape (movies,); ``None`` without a previous list.

        A movie that leaves the list, or returns to it because of an undo, shifts all movies below it by one. This does
        not count as a move, so previous ranks are corrected for it.
        """
        if self._before is None:
            return None
        is_listed = np.zeros(len(ranked.score), bool)
        is_listed[ranked.order] = True
        stayed = self._before.rows[is_listed[self._before.rows]]
        ranks = np.zeros(len(ranked.score), np.intp)
        ranks[stayed] = np.arange(1, len(stayed) + 1)
        both = ranked.order[ranks[ranked.order] > 0]
        shift = np.zeros(len(ranked.score), np.intp)
        shift[ranked.order] = np.arange(1, len(ranked.order) + 1)
        ranks[both] += shift[both] - np.arange(1, len(both) + 1)
        return ranks


def draw_surprise(opened: OpenDataset, query: ListQuery, draw: int) -> MovieRow | None:
    """Return one of the good movies of a list; see ``Requests.surprise``."""
    _, ranked = rank(opened.ranker, by_taste(query))
    drawn = surprise(ranked.order, draw)
    if not len(drawn):
        return None
    return _movies(opened, ranked, int(np.flatnonzero(ranked.order == drawn[0])[0]) + 1, drawn, None)[0]


def _movies(
    opened: OpenDataset, ranked: RankedList, first: int, rows: NDArray[np.intp], before: NDArray[np.intp] | None
) -> list[MovieRow]:
    """Return the movies in these rows of the dataset, in the order of the rows, with ranks from ``first`` on."""
    ranks = range(first, first + len(rows))
    return [
        {
            "rank": rank,
            "before": rank_before or None,
            **opened.named_movie(row),
            "ids": opened.matcher.links.of(row),
            "stars": stars,
            "uncertainty": uncertainty,
            "by": by,
            "agreement": agreement,
            "count": count,
            "wanted": "",
        }
        for rank, rank_before, row, stars, uncertainty, by, agreement, count in zip(
            ranks,
            ranks if before is None else before[rows].tolist(),
            rows.tolist(),
            _rounded(ranked.stars[rows]),
            _rounded(ranked.uncertainty[rows]),
            _rounded(ranked.stars_by_viewer[:, rows].T),
            _rounded(ranked.agreement[rows]),
            opened.dataset.counts[rows].tolist(),
            strict=True,
        )
    ]


def _rounded(values: Floats) -> list[Any]:
    """Return values with the digits that can matter on screen: encoding and decoding more takes time."""
    rounded: list[Any] = values.astype(np.float64).round(DIGITS).tolist()
    return rounded
