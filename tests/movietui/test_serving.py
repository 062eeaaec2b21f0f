"""The engine's service, which replies to requests about the demo with a trained model."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls, strip_invisible
from movietui.data.storage import locations
from movietui.engine import lists
from movietui.engine.__main__ import reply
from movietui.engine.service import Service
from movietui.jobs import datasets
from movietui.protocol.messages import InterviewAnswers, ListQuery, ViewerRatings
from movietui.protocol.requests import NAMES, Requests
from tests.data.imdb_tables import aka, basics, crew, person, principal, rating, write_tables
from tests.movietui.homes import checkpoint_of
from tests.movietui.hostile import OCCUPATION, TITLES

PAIR_GROUPS = ("divided", "would_divide")


def a_user(user: str = "1", *rated: tuple[str, float]) -> ViewerRatings:
    return {"kind": "user", "id": user, "rated": list(rated), "seen": [], "hidden": []}


def stranger(*rated: tuple[str, float]) -> ViewerRatings:
    return {"kind": "profile", "id": "anna", "rated": list(rated), "seen": [], "hidden": []}


def query_for(*viewers: ViewerRatings, **more: Any) -> ListQuery:
    """Return the query for a list for these viewers, with other fields set too."""
    return {"viewers": list(viewers), "misery": 0.6, **more}  # type: ignore[typeddict-item]


@pytest.fixture
def service(ready: Path) -> Service:
    opened = Service()
    opened.open(dataset="demo", cleaning="standard", checkpoint=checkpoint_of("mf"))
    return opened


def test_every_request_of_the_protocol_gets_a_reply(home: Path) -> None:
    assert len(NAMES) == 29
    for name in NAMES:
        assert getattr(Service, name) is not getattr(Requests, name)
        report = json.loads(reply(Service(), {"id": 1, "do": name, "arguments": {}}))
        assert "there is no request" not in report.get("problem", "")


@pytest.mark.parametrize(
    "name",
    [
        *("__init__", "__class__", "__dict__", "_open", "_lists", "_import", "_read_join", "opened", "nothing", ""),
        *(7, None, ["rank"], {"rank": 1}),
    ],
)
def test_nothing_else_can_be_called_from_the_pipe(home: Path, name: object) -> None:
    report = json.loads(reply(Service(), {"id": 1, "do": name, "arguments": {}}))
    assert report["id"] == 1
    assert "please report it" in report["problem"]
    assert "there is no request" in report["problem"] or "unhashable" in report["problem"]


@pytest.mark.parametrize("arguments", [None, 7, [], "x", {"self": 1}, {"dataset": "demo"}, {"__class__": 1}])
def test_wrong_arguments_are_reported_in_a_sentence(home: Path, arguments: object) -> None:
    report = json.loads(reply(Service(), {"id": 1, "do": "open", "arguments": arguments}))
    assert "please report it" in report["problem"]


def test_open_describes_the_dataset(ready: Path) -> None:
    opened = Service().open(dataset="demo", cleaning="standard", checkpoint=checkpoint_of("mf"))
    assert (opened["dataset"], opened["model"], opened["invented"]) == ("demo", "mf", True)
    assert (opened["users"], opened["first_user"]) == (400, "1")
    assert opened["movies"] > 300
    assert 0 < opened["metrics"]["rmse"] < 1


def test_requests_fail_if_nothing_is_open() -> None:
    for request in (
        lambda service: service.rank(query=query_for(a_user()), offset=0, limit=10),
        lambda service: service.find_users(search="", offset=0, limit=10),
        lambda service: service.movie_details(viewers=[a_user()], movies=["1"])[0],
    ):
        with pytest.raises(Problem, match="No dataset is open"):
            request(Service())


def test_a_failed_open_keeps_the_open_dataset(service: Service) -> None:
    before = service.rank(query=query_for(a_user()), offset=0, limit=10)
    for dataset, checkpoint in (("demo", "none"), ("ml-100k", checkpoint_of("mf")), ("nothing", "none")):
        with pytest.raises(Problem):
            service.open(dataset=dataset, cleaning="standard", checkpoint=str(locations.checkpoints() / checkpoint))
    assert service.rank(query=query_for(a_user()), offset=0, limit=10) == before


def test_an_interview_asks_about_movies_that_the_viewer_has_not_rated(service: Service) -> None:
    nothing: InterviewAnswers = {"unseen": [], "unchosen": [], "genres": {}}
    card = service.next_question(viewer=stranger(), answers=nothing, card=True)
    assert (card["known"], card["rated"]) == (0, 0)
    keys = [movie["key"] for movie in card["movies"]]
    assert len({*keys}) == 5
    assert [movie["key"] for movie in card["if_unchosen"]] == keys
    counts = sorted(service.opened.dataset.counts.tolist(), reverse=True)
    for movie in card["movies"]:
        row = service.opened.dataset.movies.row[movie["id"]]
        assert service.opened.dataset.counts[row] >= counts[150]
        assert (movie["title"], movie["genres"]) == (
            service.opened.dataset.movies.titles[row],
            service.opened.dataset.movies.genres_of(row),
        )
        assert not {"stars", "score", "mean"} & set(movie)
    answers: InterviewAnswers = {
        "unseen": keys[1:2],
        "unchosen": card["if_unchosen"][2:],
        "genres": {service.opened.dataset.movies.genre_names[0]: 1, "of another dataset": -7},
    }
    after = service.next_question(viewer=stranger((keys[0], 5.0)), answers=answers, card=False)
    assert after["if_unchosen"] == []
    assert len(after["movies"]) == 6
    assert not {*keys} & {movie["key"] for movie in after["movies"]}
    assert after["known"] > 0
    assert after["rated"] == 1
    hiding: ViewerRatings = {**stranger(), "hidden": keys[:2]}
    movies = service.next_question(viewer=hiding, answers=nothing, card=True)["movies"]
    assert not {*keys[:2]} & {movie["key"] for movie in movies}
    everything = [(movie, 3.0) for movie in service.opened.dataset.movies.keys]
    assert service.next_question(viewer=stranger(*everything), answers=nothing, card=True)["movies"] == []


def test_a_movie_without_points_keeps_its_place(service: Service) -> None:
    card = service.next_question(viewer=stranger(), answers={"unseen": [], "unchosen": [], "genres": {}}, card=True)
    chosen, *without_points = card["if_unchosen"]
    places = {movie["key"]: movie["above"] for movie in without_points}
    before = [row["key"] for row in service.rank(query=query_for(stranger()), offset=0, limit=10_000)["rows"]]
    for key, above in places.items():
        others = [movie for movie in before[: before.index(key)] if movie not in places and movie != chosen["key"]]
        assert len(others) == above
    viewer: ViewerRatings = {**stranger((chosen["key"], 5.0)), "held": [*places.items()]}
    after = [row["key"] for row in service.rank(query=query_for(viewer), offset=0, limit=10_000)["rows"]]
    for key, above in places.items():
        assert len([movie for movie in after[: after.index(key)] if movie not in places]) >= above
    next_card = service.next_question(
        viewer=stranger((chosen["key"], 5.0)),
        answers={"unseen": [], "unchosen": without_points, "genres": {}},
        card=True,
    )["if_unchosen"]
    keys = [movie["key"] for movie in next_card]
    for movie in next_card:  # their places in the list that is shown
        assert movie["above"] == len([key for key in after[: after.index(movie["key"])] if key not in keys])
    genre = service.opened.dataset.movies.genre_names[0]
    query: ListQuery = {**query_for(viewer), "filter": f"+{genre}"}
    filtered = [row["key"] for row in service.rank(query=query, offset=0, limit=10_000)["rows"]]
    assert filtered == [key for key in after if key in {*filtered}]
    assert 0 < len(filtered) < len(after)


def test_windows_are_parts_of_one_list(service: Service) -> None:
    whole = service.rank(query=query_for(a_user()), offset=0, limit=10_000)
    assert whole["total"] == len(whole["rows"])
    assert [row["rank"] for row in whole["rows"]] == list(range(1, whole["total"] + 1))
    assert len({row["id"] for row in whole["rows"]}) == whole["total"]
    assert whole["total"] + whole["rated"][0] == len(service.opened.dataset.movies)
    pieces = [
        row
        for start in range(0, whole["total"], 70)
        for row in service.rank(query=query_for(a_user()), offset=start, limit=70)["rows"]
    ]
    assert pieces == whole["rows"]
    likely = service.rank(query={**query_for(a_user()), "order": "likely"}, offset=0, limit=10_000)["rows"]
    assert sorted(row["id"] for row in likely) == sorted(row["id"] for row in whole["rows"])
    by_stars = service.rank(query={**query_for(a_user()), "order": "stars"}, offset=0, limit=10_000)["rows"]
    assert sorted(row["id"] for row in by_stars) == sorted(row["id"] for row in whole["rows"])
    stars = [row["stars"] for row in by_stars]
    assert stars == sorted(stars, reverse=True)
    past = service.rank(query=query_for(a_user()), offset=5000, limit=70)
    assert (past["rows"], past["total"], past["offset"]) == ([], whole["total"], 5000)


def test_rated_movies_leave_the_list_and_change_ranks(service: Service) -> None:
    first = service.rank(query=query_for(stranger()), offset=0, limit=10_000)
    assert first["moved"] == 0
    assert all(row["before"] == row["rank"] for row in first["rows"])
    movie = first["rows"][4]
    second = service.rank(query=query_for(stranger((movie["key"], 1.0))), offset=0, limit=100, compare=True)
    assert second["total"] == first["total"] - 1
    assert second["rated"] == [1]
    seen_too: ViewerRatings = {**stranger((movie["key"], 1.0)), "seen": [first["rows"][0]["key"]]}
    assert service.rank(query=query_for(seen_too), offset=0, limit=1)["rated"] == [1]
    stayed = [row["id"] for row in first["rows"] if row["id"] != movie["id"]]
    for row in second["rows"]:
        assert row["before"] == stayed.index(row["id"]) + 1
    moved = [row for row in second["rows"] if row["before"] != row["rank"]]
    assert second["moved"] == len(moved) > 0


def test_further_windows_keep_the_previous_ranks(service: Service) -> None:
    movie = service.rank(query=query_for(stranger()), offset=0, limit=1)["rows"][0]["key"]
    rated = stranger((movie, 1.0))
    first = service.rank(query=query_for(rated), offset=0, limit=50, compare=True)
    again = service.rank(query=query_for(rated), offset=0, limit=50)
    assert again["rows"] == first["rows"]
    assert any(row["before"] != row["rank"] for row in again["rows"])
    next_window = service.rank(query=query_for(rated), offset=50, limit=50)
    assert [row["rank"] for row in next_window["rows"]] == list(range(51, 101))
    assert any(row["before"] != row["rank"] for row in next_window["rows"])


def test_a_movie_that_returns_has_no_previous_rank(service: Service) -> None:
    movie = service.rank(query=query_for(stranger()), offset=0, limit=1)["rows"][0]
    service.rank(query=query_for(stranger((movie["key"], 4.0))), offset=0, limit=50, compare=True)
    back = service.rank(query=query_for(stranger()), offset=0, limit=10_000, compare=True)
    (row,) = (row for row in back["rows"] if row["id"] == movie["id"])
    assert row["before"] is None


def test_lists_of_two_viewers_are_not_compared(service: Service) -> None:
    service.rank(query=query_for(a_user("1")), offset=0, limit=50)
    result = service.rank(query=query_for(a_user("2")), offset=0, limit=50, compare=True)
    assert result["moved"] == 0
    assert all(row["before"] == row["rank"] for row in result["rows"])


def test_the_list_is_compared_with_that_of_another_run(service: Service) -> None:
    query: ListQuery = {"viewers": [a_user("2")], "misery": 0.6, "filter": "+Drama"}
    before = service.rank(query=query, offset=0, limit=10)["rows"]
    report = service.compare_lists(query=query, cleaning="standard", checkpoint=checkpoint_of("bias"), limit=10)
    firsts = {movie["first"]: movie["title"] for movie in report["movies"] if movie["first"]}
    assert firsts == {row["rank"]: row["title"] for row in before}
    assert service.rank(query=query, offset=0, limit=10, compare=True)["moved"] == 0
    service.open(dataset="demo", cleaning="standard", checkpoint=checkpoint_of("bias"))
    then = service.rank(query=query, offset=0, limit=10)["rows"]
    seconds = {movie["second"]: movie["title"] for movie in report["movies"] if movie["second"]}
    assert seconds == {row["rank"]: row["title"] for row in then}
    assert report["common"] == len({row["id"] for row in before} & {row["id"] for row in then}) < 10


def test_lists_of_two_models_are_not_compared(service: Service) -> None:
    service.rank(query=query_for(a_user()), offset=0, limit=50)
    service.open(dataset="demo", cleaning="standard", checkpoint=checkpoint_of("bias"))
    assert service.rank(query=query_for(a_user()), offset=0, limit=50, compare=True)["moved"] == 0


def test_a_rating_that_changes_nothing_moves_nothing(service: Service) -> None:
    movie = service.rank(query=query_for(stranger()), offset=0, limit=1)["rows"][0]["key"]
    service.rank(query=query_for(stranger((movie, 4.0))), offset=0, limit=50, compare=True)
    again = service.rank(query=query_for(stranger((movie, 4.0))), offset=0, limit=50, compare=True)
    assert again["moved"] == 0
    assert all(row["before"] == row["rank"] for row in again["rows"])


def test_stored_ratings_replace_those_of_the_dataset(service: Service) -> None:
    first = service.rank(query=query_for(a_user()), offset=0, limit=10)
    known = [("no such film 1899", 5.0), (first["rows"][0]["key"], 2.0)]
    second = service.rank(query=query_for(a_user("1", *known)), offset=0, limit=10)
    assert second["rated"][0] == first["rated"][0] + 1
    changed = service.opened.dataset.movies.keys[
        int(service.opened.dataset.ratings.movie[service.opened.dataset.ratings.user == 0][0])
    ]
    third = service.rank(query=query_for(a_user("1", (changed, 0.5))), offset=0, limit=10)
    assert third["rated"] == first["rated"]
    assert [row["stars"] for row in third["rows"]] != [row["stars"] for row in first["rows"]]


def test_a_pair_gets_movies_that_neither_has_seen(service: Service) -> None:
    alone = [
        {row["id"]: row for row in service.rank(query=query_for(a_user(one)), offset=0, limit=999)["rows"]}
        for one in ("1", "2")
    ]
    result = service.rank(query=query_for(a_user("1"), a_user("2")), offset=0, limit=999)
    assert {row["id"] for row in result["rows"]} == set(alone[0]) & set(alone[1])
    assert len(result["rated"]) == 2
    for row in result["rows"][:30]:
        assert row["by"] == pytest.approx([one[row["id"]]["stars"] for one in alone])
        assert min(row["by"]) - 1e-6 <= row["stars"] <= max(row["by"]) + 1e-6
        assert 0 <= row["agreement"] <= 1
    average = service.rank(query={"viewers": [a_user("1"), a_user("2")], "misery": 0.0}, offset=0, limit=20)["rows"]
    least = service.rank(query={"viewers": [a_user("1"), a_user("2")], "misery": 1.0}, offset=0, limit=20)["rows"]
    assert np.mean([min(row["by"]) for row in least]) >= np.mean([min(row["by"]) for row in average])


def test_alike_needs_common_movies(service: Service) -> None:
    assert service.rank(query=query_for(a_user("1"), stranger()), offset=0, limit=5)["alike"] is None
    same = service.rank(query=query_for(a_user("1"), a_user("1")), offset=0, limit=5)["alike"]
    assert same is not None
    assert same["value"] > 0.5
    assert same["common"] == service.rank(query=query_for(a_user("1")), offset=0, limit=1)["rated"][0]


def test_unknown_users_are_refused_with_the_valid_range(service: Service) -> None:
    for request in (
        lambda: service.rank(query=query_for(a_user("99999")), offset=0, limit=10),
        lambda: service.rank(query=query_for(a_user("1"), a_user("x")), offset=0, limit=10),
        lambda: service.movie_details(viewers=[a_user("")], movies=[service.opened.dataset.movies.ids[0]])[0],
    ):
        with pytest.raises(Problem, match=r"demo has no user .*; its 400 users are 1 to 400"):
            request()


# Details


def test_details_describe_a_movie_and_the_prediction(service: Service) -> None:
    row = service.rank(query=query_for(a_user()), offset=0, limit=1)["rows"][0]
    result = service.movie_details(viewers=[a_user()], movies=[row["id"]])[0]
    assert (result["title"], result["year"], result["count"]) == (row["title"], row["year"], row["count"])
    assert result["genres"]
    assert sum(result["histogram"]) == result["count"]
    assert len(result["histogram"]) == 5
    assert result["mean"] == pytest.approx(np.dot(result["histogram"], range(1, 6)) / result["count"])
    (mine,) = result["by"]
    assert mine["stars"] == pytest.approx(row["stars"], abs=1e-4)
    assert 1 <= mine["low"] <= mine["stars"] <= mine["high"] <= 5
    assert mine["rated"] is None


def test_each_prediction_rests_on_something(service: Service) -> None:
    rows = service.rank(query=query_for(a_user()), offset=0, limit=60)["rows"]
    bases = set()
    for movie in service.movie_details(viewers=[a_user()], movies=[row["id"] for row in rows]):
        (mine,) = movie["by"]
        bases.add(mine["basis"])
        assert len(mine["why"]) in (range(1, 4) if mine["basis"] == "ratings" else [0])
        assert all(0 < why["weight"] <= 1 and why["stars"] >= 3.5 for why in mine["why"])
        assert all(why["stars"] < 3 for why in mine["against"])
        assert set(mine["shared"]) <= set(movie["genres"])
        if mine["crowd"]:
            assert mine["basis"] == "alike"
            assert mine["crowd"]["theirs"] > mine["crowd"]["everyone"]
        if mine["standing"]:
            assert mine["basis"] == "everyone"
            assert movie["mean"] >= 3.95
        assert not mine["similar"] or not (mine["why"] or mine["alike"])
        assert not mine["examples"] or not (mine["why"] or mine["alike"] or mine["similar"])
    assert bases == {"ratings", "alike", "everyone"}


def test_reasons_are_rated_movies(service: Service) -> None:
    row = service.rank(query=query_for(stranger()), offset=0, limit=3)["rows"]
    (nothing,) = service.movie_details(viewers=[stranger()], movies=[row[0]["id"]])[0]["by"]
    assert (nothing["why"], nothing["shared"], nothing["basis"]) == ([], [], "everyone")
    (one,) = service.movie_details(viewers=[stranger((row[1]["key"], 5.0))], movies=[row[0]["id"]])[0]["by"]
    assert [(why["title"], why["year"], why["stars"]) for why in one["why"]] in (
        [],
        [(row[1]["title"], row[1]["year"], 5.0)],
    )


def test_details_are_for_both_members_of_a_pair(service: Service) -> None:
    assert (
        len(
            service.movie_details(viewers=[a_user("1"), a_user("2")], movies=[service.opened.dataset.movies.ids[0]])[0][
                "by"
            ]
        )
        == 2
    )


@pytest.fixture
def joined(service: Service, tmp_path: Path) -> Service:
    """The service. The demo has just been joined with tables that have two of its movies, one of them twice."""
    people = [person(21, "Francis Ford Coppola")]
    titles = [
        basics(11, "The Godfather", 1972, minutes=175),
        basics(12, "Alien", 1979),
        basics(13, "Alien", 1979, minutes="\\N"),
    ]
    acting, known_as = [principal(11, 1, 22), principal(11, 2, 21)], [aka(11, "The Godfather", "US")]
    people += [person(22, "Marlon Brando")]
    write_tables(tmp_path / "imdb", titles, [rating(11, 900, 9.2)], [crew(11, 21)], people, acting, known_as)
    assert service.imdb_report(dataset="demo") is None
    datasets.join_imdb("demo", tmp_path / "imdb")
    return service


def id_of(service: Service, title: str) -> str:
    movies = service.opened.dataset.movies
    return movies.ids[movies.titles.index(title)]


def test_details_have_facts_from_imdb(joined: Service) -> None:
    godfather = id_of(joined, "The Godfather")
    before = joined.movie_details(viewers=[a_user()], movies=[godfather])[0]
    assert (before["minutes"], before["directors"], before["imdb"], before["link"]) == (0, [], 0, "")
    ranked = joined.rank(query=query_for(a_user()), offset=0, limit=10)
    report = joined.imdb_report(dataset="demo")  # which also updates the open dataset
    assert report is not None
    assert report["matched"] == 1
    result = joined.movie_details(viewers=[a_user()], movies=[godfather])[0]
    assert (result["minutes"], result["directors"], result["imdb"]) == (175, ["Francis Ford Coppola"], 9.2)
    assert (result["cast"], result["tags"]) == (["Marlon Brando", "Francis Ford Coppola"], [])
    assert (result["languages"], result["countries"]) == (["English"], ["United States"])
    assert result["link"] == "tt0000011"
    matches = joined.search(words="brando")
    assert (matches["directors"], matches["actors"]) == ([], [{"name": "Marlon Brando", "movies": 1}])
    matches = joined.search(words="coppola")
    assert (matches["directors"], matches["actors"]) == ([{"name": "Francis Ford Coppola", "movies": 1}], [])
    assert (matches["tags"], matches["joined"], matches["tagged"]) == ([], True, False)
    only = joined.rank(query=query_for(a_user(), filter='@"marlon brando" lang:en country:usa'), offset=0, limit=9)
    assert {row["title"] for row in only["rows"]} <= {"The Godfather"}
    unknown = joined.movie_details(viewers=[a_user()], movies=[id_of(joined, "Alien")])[0]
    assert (unknown["minutes"], unknown["directors"], unknown["imdb"]) == (0, [], 0)
    again = joined.rank(query=query_for(a_user()), offset=0, limit=10)["rows"]
    assert [row["key"] for row in again] == [row["key"] for row in ranked["rows"]]
    joined.open(dataset="demo", cleaning="standard", checkpoint=checkpoint_of("mf"))
    assert joined.movie_details(viewers=[a_user()], movies=[godfather])[0]["minutes"] == 175


def test_a_join_never_gives_an_open_dataset_movies_that_its_model_does_not_know(
    service: Service, tmp_path: Path
) -> None:
    """A model that cannot predict unrated movies serves without these, however often the join is read."""
    before = service.opened.dataset.movies.ids
    titles = [basics(11, "The Godfather", 1972, minutes=175), basics(14, "Brand New", 2020)]
    write_tables(tmp_path / "imdb", titles, [rating(11, 900, 9.2), rating(14, 5000, 8.0)])
    datasets.join_imdb("demo", tmp_path / "imdb")
    for _ in range(2):
        assert service.imdb_report(dataset="demo") is not None
        assert service.opened.dataset.movies.ids == before
        assert service.movie_details(viewers=[a_user()], movies=[id_of(service, "The Godfather")])[0]["minutes"] == 175
        assert service.rank(query=query_for(a_user(), filter="1970..1979"), offset=0, limit=5)["rows"]


def test_an_imdb_title_can_be_chosen_and_forgotten(joined: Service) -> None:
    alien = id_of(joined, "Alien")
    report = joined.imdb_report(dataset="demo")
    assert report is not None
    assert [(row["id"], [title["id"] for title in row["candidates"]]) for row in report["ambiguous_movies"]] == [
        (alien, ["tt0000012", "tt0000013"])
    ]
    settled = joined.choose_imdb_title(dataset="demo", movie=alien, title="tt0000012")
    assert (settled["by"]["hand"], settled["ambiguous"]) == (1, 0)
    assert joined.movie_details(viewers=[a_user()], movies=[alien])[0]["minutes"] == 100
    assert joined.choose_imdb_title(dataset="demo", movie=alien, title=None)["unmatched"] == report["unmatched"] + 1
    assert joined.movie_details(viewers=[a_user()], movies=[alien])[0]["minutes"] == 0
    assert joined.forget_imdb_title(dataset="demo", movie=alien) == report
    with pytest.raises(Problem, match="nothing has not been joined"):
        joined.choose_imdb_title(dataset="nothing", movie=alien, title=None)


def test_an_unknown_movie_is_refused(service: Service) -> None:
    with pytest.raises(Problem, match="demo has no movie 99999"):
        service.movie_details(viewers=[a_user()], movies=["99999"])[0]


# Users


def test_an_empty_search_finds_all_users(service: Service) -> None:
    first = service.find_users(search="", offset=0, limit=100)
    assert (first["total"], first["offset"], len(first["rows"])) == (400, 0, 100)
    last = service.find_users(search="  ", offset=390, limit=100)
    assert [row["id"] for row in last["rows"]] == [str(user) for user in range(391, 401)]
    assert sum(row["ratings"] for row in service.find_users(search="", offset=0, limit=400)["rows"]) == len(
        service.opened.dataset.ratings
    )


def test_a_user_with_the_id_is_found_first(service: Service) -> None:
    result = service.find_users(search="4", offset=0, limit=500)
    assert result["rows"][0]["id"] == "4"
    assert {str(user) for user in range(1, 401) if str(user).startswith("4")} <= {row["id"] for row in result["rows"]}
    assert service.find_users(search="400", offset=0, limit=5)["rows"][0]["id"] == "400"
    assert [row["id"] for row in service.find_users(search=" 399 ", offset=0, limit=5)["rows"]] == ["399"]
    ages = {str(row["age"]) for row in service.find_users(search="", offset=0, limit=400)["rows"]}
    for age in ages:  # users of that age come after the user with that id
        assert service.find_users(search=age, offset=0, limit=1)["rows"][0]["id"] == age


def test_words_find_users(service: Service) -> None:
    everybody = service.find_users(search="", offset=0, limit=400)["rows"]
    some = next(row for row in everybody if row["occupation"])
    job, gender, age = some["occupation"], some["gender"], some["age"]
    for words in (job, job.upper(), f"{gender} {job}", f"{job} {age} {gender}"):
        result = service.find_users(search=words, offset=0, limit=400)["rows"]
        assert some in result
        assert all(job in row["occupation"] for row in result)
    exact = service.find_users(search=f"{job} {age} {gender}", offset=0, limit=400)["rows"]
    assert all((row["age"], row["gender"]) == (age, gender) for row in exact)
    assert some in service.find_users(search=job[:-2], offset=0, limit=400)["rows"]


def test_a_search_may_find_nobody(service: Service) -> None:
    result = service.find_users(search="zzzz", offset=0, limit=100)
    assert (result["total"], result["rows"]) == (0, [])


def test_a_search_finds_users_of_the_open_dataset(
    service: Service, hostile_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.find_users(search="", offset=0, limit=5)["dataset"] == "demo"
    monkeypatch.setenv("MOVIETUI_HOME", str(hostile_home))
    service.open(dataset="hostile", cleaning="standard", checkpoint=checkpoint_of("bias"))
    result = service.find_users(search="", offset=0, limit=5)
    assert (result["dataset"], result["total"]) == ("hostile", 25)


# Datasets, models and reports


def test_datasets_are_listed_with_their_state(service: Service) -> None:
    rows = {row["name"]: row for row in service.datasets()}
    assert rows["demo"]["state"] == "invented"
    assert rows["demo"]["ratings"] > 20_000
    assert rows["ml-100k"]["state"] == "available"
    assert rows["ml-100k"]["terms"]
    assert rows["ml-100k"]["citation"]


def test_models_are_listed_with_their_settings(service: Service) -> None:
    models = {model["name"]: model for model in service.models()}
    assert next(iter(models)) == "blend"
    assert {"popularity", "bias", "mf"} <= set(models)
    for model in models.values():
        assert model["summary"]
        for field in model["settings"]:
            assert field["low"] <= field["default"] <= field["high"]
            assert field["kind"] in ("int", "float", "bool")
            assert field["meaning"]


def test_only_a_cleaned_dataset_has_a_cleaning_report(service: Service) -> None:
    report = service.cleaning_report(dataset="demo", cleaning="standard")
    assert report is not None
    assert report["dataset"] == "demo"
    assert report["rules"]
    assert service.cleaning_report(dataset="demo", cleaning="none") is None


def test_a_preview_of_cleaning_stores_nothing(service: Service) -> None:
    shown = service.preview_cleaning(dataset="demo", cleaning="none +few-ratings-movies:80")
    (rule,) = (rule for rule in shown["rules"] if rule["rule"] == "few-ratings-movies")
    assert (rule["on"], rule["number"], rule["title"]) == (True, 80, "movies, under 80 ratings")
    assert shown["ratings"] + rule["removed"] == rule["before"]
    assert service.cleaning_report(dataset="demo", cleaning=shown["preset"]) is None  # nothing is stored
    window = service.removed_rows(
        dataset="demo", cleaning=shown["preset"], rule="few-ratings-movies", offset=1, limit=2
    )
    assert window["total"] == rule["removed_movies"]
    assert window["columns"] == ["movie", "title", "year", "genres", "ratings"]
    assert [len(row) for row in window["rows"]] == [5, 5]
    assert 80 > window["rows"][0][4] >= window["rows"][1][4]
    json.dumps([shown, window])


def test_only_a_cleaned_dataset_has_a_summary(service: Service) -> None:
    summary = service.dataset_summary(dataset="demo", cleaning="standard")
    assert summary is not None
    assert [chart["name"] for chart in summary["charts"]][:2] == ["ratings", "genres"]
    assert (
        service.dataset_summary(dataset="demo", cleaning="as in 004") is None
    )  # a job does the cleaning, not the engine


def test_titles_lose_control_characters(hostile: Path) -> None:
    service = Service()
    service.open(dataset="hostile", cleaning="standard", checkpoint=checkpoint_of("bias"))
    rows = service.rank(query=query_for(stranger()), offset=0, limit=100)["rows"]
    titles = {row["title"] for row in rows}
    assert {"[red]x[/red]", "Foo [/b]", "[REC]²", "X" * 300, "七人の侍と千と千尋の神隠しと東京物語と羅生門"} <= titles
    for title in titles:
        assert title == strip_controls(title)
        assert title.isprintable() or "\u200d" in title
    assert len(titles) == len(TITLES)
    for row in service.find_users(search="", offset=0, limit=100)["rows"]:
        assert strip_invisible(row["occupation"]) == strip_invisible(OCCUPATION)
    for listed in service.datasets():
        assert listed["title"] == strip_controls(listed["title"])


# Which movies, and in which order


def test_a_list_contains_the_requested_movies(service: Service) -> None:
    whole = service.rank(query=query_for(stranger()), offset=0, limit=9999)["rows"]
    movie_keys = [row["key"] for row in whole]
    remaining = service.rank(query=query_for(stranger(), excluded=movie_keys[:3]), offset=0, limit=9999)["rows"]
    assert [row["key"] for row in remaining] == movie_keys[3:]
    chosen = service.rank(
        query=query_for(stranger(), among=[movie_keys[7], movie_keys[2], "no such film"]),
        offset=0,
        limit=9999,
    )["rows"]
    assert [row["key"] for row in chosen] == [movie_keys[2], movie_keys[7]]
    assert service.rank(query=query_for(stranger(), among=[]), offset=0, limit=10)["total"] == 0
    genre = service.opened.dataset.movies.genre_names[0]
    filtered = service.rank(
        query=query_for(stranger(), filter=f"+{genre}", excluded=movie_keys[:3]),
        offset=0,
        limit=9999,
    )["rows"]
    assert 0 < len(filtered) < len(remaining)
    assert all(genre in service.movie_details(viewers=[], movies=[row["id"]])[0]["genres"] for row in filtered[:20])
    with pytest.raises(Problem, match="no genre 'nothing'"):
        service.rank(query=query_for(stranger(), filter="+nothing"), offset=0, limit=10)
    assert [
        row["key"] for row in service.rank(query=query_for(stranger(), daring=1.0), offset=0, limit=50)["rows"]
    ] != movie_keys[:50]


def test_a_pair_is_combined_as_requested(service: Service) -> None:
    two = [a_user("1"), a_user("2")]
    each = [
        [row["id"] for row in service.rank(query={"viewers": two, "misery": 0.6, **wish}, offset=0, limit=9999)["rows"]]
        for wish in ({}, {"way": "most pleasure"}, {"standardise": True}, {"unseen_by": "any"})
    ]
    assert len({tuple(one) for one in each}) == 4
    assert set(each[3]) > set(each[0])


@pytest.mark.parametrize("name", ["misery", "daring", "recent"])
@pytest.mark.parametrize("value", [-0.1, 1.1, 1e308, float("nan")])
def test_a_share_out_of_range_is_refused(service: Service, name: str, value: float) -> None:
    query = query_for(a_user("1"), a_user("2"), **{name: value})
    with pytest.raises(Problem, match=rf"^{name}={re.escape(format(value, 'g'))} is out of range; use 0 to 1\.$"):
        service.rank(query=query, offset=0, limit=10)
    with pytest.raises(Problem, match=f"{name}=.* is out of range"):
        service.surprise(query=query, draw=0)


def test_a_surprise_is_a_movie_of_the_list(service: Service) -> None:
    rows = service.rank(query=query_for(a_user()), offset=0, limit=9999)["rows"]
    drawn = [service.surprise(query=query_for(a_user()), draw=draw) for draw in range(12)]
    assert len({row["id"] for row in drawn if row}) > 1
    assert all(row and rows[row["rank"] - 1]["id"] == row["id"] for row in drawn)
    assert service.surprise(query={"viewers": [a_user()], "misery": 0.6, "among": []}, draw=0) is None


def test_search_and_similar_movies_and_completion_find_movies(service: Service) -> None:
    movies = service.opened.dataset.movies
    alike = service.similar_movies(movie=movies.ids[0], limit=5)
    assert len(alike) == 5
    assert movies.ids[0] not in [row["id"] for row in alike]
    assert [row["similarity"] for row in alike] == sorted((row["similarity"] for row in alike), reverse=True)
    with pytest.raises(Problem, match="has no movie 99999"):
        service.similar_movies(movie="99999", limit=5)
    assert movies.ids[0] in [row["id"] for row in service.search(words=movies.titles[0])["movies"]]
    assert service.search(words="144")["users"][0]["id"] == "144"
    assert all(way["line"].startswith("x +D") for way in service.complete_filter(text="x +D", lists={}))
    assert service.complete_filter(text="x +D", lists={})


def test_a_taste_covers_all_its_viewers(service: Service) -> None:
    report = service.taste(viewers=[a_user("1"), stranger()])
    assert [viewer["ratings"] for viewer in report["viewers"]] == [len(service.opened.dataset.rows_of(0)), 0]
    assert "pair" in report
    assert "pair" not in service.taste(viewers=[a_user("1")])


def test_hidden_movies_are_not_named(service: Service) -> None:
    pair = [a_user("1"), a_user("2")]
    keys, ids = service.opened.dataset.movies.keys, service.opened.dataset.movies.ids

    def named(*hidden: str, seen: tuple[str, ...] = ()) -> list[list[str]]:
        marked: list[ViewerRatings] = [{**pair[0], "hidden": list(hidden)}, {**pair[1], "seen": list(seen)}]
        report = service.taste(viewers=marked)
        groups = [
            report["viewers"][0]["likes"],
            report["viewers"][0]["dislikes"],
            *(report["pair"][name] for name in PAIR_GROUPS),
        ]
        return [[movie["id"] for movie in group] for group in groups]

    before = named()
    first = [group[0] for group in before]
    movie_keys = [keys[ids.index(movie)] for movie in first]
    for group, after in zip(before, named(*movie_keys), strict=True):
        remaining = [movie for movie in group if movie not in first]
        assert after[: len(remaining)] == remaining
        assert not {*after} & {*first}
    assert named(seen=tuple(movie_keys))[:3] == before[:3]
    assert first[3] not in named(seen=tuple(movie_keys))[3]
    alike = [row["id"] for row in service.similar_movies(movie=ids[0], limit=6)]
    assert [
        row["id"] for row in service.similar_movies(movie=ids[0], limit=5, hidden=[keys[ids.index(alike[0])]])
    ] == alike[1:]


def test_windows_of_one_list_are_ranked_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked: list[object] = []
    rank = lists.rank
    monkeypatch.setattr(lists, "rank", lambda *arguments: ranked.append(arguments) or rank(*arguments))
    rows = [service.rank(query=query_for(a_user()), offset=offset, limit=20)["rows"] for offset in (0, 20, 40)]
    assert [row["rank"] for window in rows for row in window] == list(range(1, 61))
    assert len(ranked) == 1
    rated = a_user("1", (rows[0][0]["key"], 5.0))
    assert rows[0][0]["id"] not in {
        row["id"] for row in service.rank(query=query_for(rated), offset=0, limit=20)["rows"]
    }
    service.rank(query={"viewers": [rated], "misery": 0.6, "filter": ">=20"}, offset=0, limit=20)
    service.rank(query={"viewers": [rated], "misery": 0.5}, offset=0, limit=20)
    assert len(ranked) == 4
    service.open(dataset="demo", cleaning="standard", checkpoint=checkpoint_of("mf"))
    service.rank(query={"viewers": [rated], "misery": 0.5}, offset=0, limit=20)
    assert len(ranked) == 5
