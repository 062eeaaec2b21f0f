import json
from pathlib import Path

import numpy as np
import pytest

from data import locations
from data.problems import Problem
from data.titles import plain
from movietui import tasks
from movietui.engine import answer
from movietui.replies import Wish
from movietui.serving import Service
from movietui.viewers import Asked
from tests.data.imdb_tables import basics, crew, person, rating, write_tables
from tests.movietui.fakes import FakeEngine
from tests.movietui.homes import checkpoint_of
from tests.movietui.hostile import OCCUPATION, TITLES

APART = ("divided", "would_divide")


def asked(user: str = "1", *rated: tuple[str, float]) -> Asked:
    return {"kind": "user", "id": user, "rated": list(rated)}


def stranger(*rated: tuple[str, float]) -> Asked:
    return {"kind": "profile", "id": "anna", "rated": list(rated)}


@pytest.fixture
def service(ready: Path) -> Service:
    opened = Service()
    opened.open("demo", "standard", checkpoint_of("mf"))
    return opened


def test_the_engine_answers_all_that_the_screens_ask(home: Path) -> None:
    asked = [name for name in vars(FakeEngine) if callable(getattr(FakeEngine, name)) and not name.startswith("_")]
    for name in set(asked) - {"start", "close", "ask"}:
        told = json.loads(answer(Service(), {"id": 1, "do": name}))
        assert f"KeyError: '{name}'" not in told.get("problem", "")


def test_what_is_opened(ready: Path) -> None:
    opened = Service().open("demo", "standard", checkpoint_of("mf"))
    assert (opened["dataset"], opened["model"], opened["invented"]) == ("demo", "mf", True)
    assert (opened["users"], opened["first_user"]) == (400, "1")
    assert opened["movies"] > 300
    assert 0 < opened["metrics"]["rmse"] < 1


def test_nothing_is_open() -> None:
    for question in (
        lambda service: service.rank([asked()], 0.6, 0, 10),
        lambda service: service.people("", 0, 10),
        lambda service: service.details([asked()], "1"),
    ):
        with pytest.raises(Problem, match="No dataset is open"):
            question(Service())


def test_what_was_open_stays_open(service: Service) -> None:
    before = service.rank([asked()], 0.6, 0, 10)
    for dataset, checkpoint in (("demo", "none"), ("ml-100k", checkpoint_of("mf")), ("nothing", "none")):
        with pytest.raises(Problem):
            service.open(dataset, "standard", str(locations.checkpoints() / checkpoint))
    assert service.rank([asked()], 0.6, 0, 10) == before


def test_an_interview_asks_about_films_that_are_not_rated(service: Service) -> None:
    card = service.interview(stranger(), [], [], True)
    assert card["known"] == 0
    assert len({film["film"] for film in card["films"]}) == 3
    counts = sorted(service.dataset.counts.tolist(), reverse=True)
    for film in card["films"]:
        row = service.dataset.movies.row[film["id"]]
        assert service.dataset.counts[row] >= counts[150]
        assert (film["title"], film["genres"]) == (
            service.dataset.movies.titles[row],
            service.dataset.movies.genres_of(row),
        )
        assert not {"stars", "score", "mean"} & set(film)
    first, second, third = (film["film"] for film in card["films"])
    after = service.interview(stranger((first, 5.0)), [second], [third], False)
    assert len(after["films"]) == 1
    assert after["films"][0]["film"] not in (first, second, third)
    assert after["known"] > 0
    everything = [(film, 3.0) for film in service.dataset.movies.keys]
    assert service.interview(stranger(*everything), [], [], True)["films"] == []


def test_windows_are_parts_of_one_list(service: Service) -> None:
    whole = service.rank([asked()], 0.6, 0, 10_000)
    assert whole["total"] == len(whole["rows"])
    assert [row["rank"] for row in whole["rows"]] == list(range(1, whole["total"] + 1))
    assert len({row["id"] for row in whole["rows"]}) == whole["total"]
    assert whole["total"] + whole["seen"][0] == len(service.dataset.movies)
    pieces = [row for start in range(0, whole["total"], 70) for row in service.rank([asked()], 0.6, start, 70)["rows"]]
    assert pieces == whole["rows"]
    scores = [row["score"] for row in whole["rows"]]
    assert scores == sorted(scores, reverse=True)
    past = service.rank([asked()], 0.6, 5000, 70)
    assert (past["rows"], past["total"], past["offset"]) == ([], whole["total"], 5000)


def test_rated_films_leave_and_move_the_rest(service: Service) -> None:
    first = service.rank([stranger()], 0.6, 0, 10_000)
    assert first["moved"] == 0
    assert all(row["before"] == row["rank"] for row in first["rows"])
    film = first["rows"][4]
    second = service.rank([stranger((film["film"], 1.0))], 0.6, 0, 100, compare=True)
    assert second["total"] == first["total"] - 1
    assert second["seen"] == [1]
    stayed = [row["id"] for row in first["rows"] if row["id"] != film["id"]]
    for row in second["rows"]:
        assert row["before"] == stayed.index(row["id"]) + 1
    moved = [row for row in second["rows"] if row["before"] != row["rank"]]
    assert second["moved"] == len(moved) > 0


def test_further_windows_keep_saying_what_moved(service: Service) -> None:
    film = service.rank([stranger()], 0.6, 0, 1)["rows"][0]["film"]
    rated = stranger((film, 1.0))
    first = service.rank([rated], 0.6, 0, 50, compare=True)
    again = service.rank([rated], 0.6, 0, 50)
    assert again["rows"] == first["rows"]
    assert any(row["before"] != row["rank"] for row in again["rows"])
    next_window = service.rank([rated], 0.6, 50, 50)
    assert [row["rank"] for row in next_window["rows"]] == list(range(51, 101))
    assert any(row["before"] != row["rank"] for row in next_window["rows"])


def test_what_comes_back_is_new(service: Service) -> None:
    film = service.rank([stranger()], 0.6, 0, 1)["rows"][0]
    service.rank([stranger((film["film"], 4.0))], 0.6, 0, 50, compare=True)
    back = service.rank([stranger()], 0.6, 0, 10_000, compare=True)
    (row,) = (row for row in back["rows"] if row["id"] == film["id"])
    assert row["before"] is None


def test_another_viewer_is_not_compared(service: Service) -> None:
    service.rank([asked("1")], 0.6, 0, 50)
    found = service.rank([asked("2")], 0.6, 0, 50, compare=True)
    assert found["moved"] == 0
    assert all(row["before"] == row["rank"] for row in found["rows"])


def test_another_run_beside_the_one_at_work(service: Service) -> None:
    wish = Wish(only="+Drama")
    before = service.rank([asked("2")], 0.6, 0, 10, **wish)["rows"]
    told = service.beside([asked("2")], 0.6, "standard", checkpoint_of("bias"), 10, **wish)
    firsts = {movie["first"]: movie["title"] for movie in told["movies"] if movie["first"]}
    assert firsts == {row["rank"]: row["title"] for row in before}
    assert service.rank([asked("2")], 0.6, 0, 10, compare=True, **wish)["moved"] == 0
    service.open("demo", "standard", checkpoint_of("bias"))
    then = service.rank([asked("2")], 0.6, 0, 10, **wish)["rows"]
    seconds = {movie["second"]: movie["title"] for movie in told["movies"] if movie["second"]}
    assert seconds == {row["rank"]: row["title"] for row in then}
    assert told["common"] == len({row["id"] for row in before} & {row["id"] for row in then}) < 10


def test_another_model_is_not_compared(service: Service) -> None:
    service.rank([asked()], 0.6, 0, 50)
    service.open("demo", "standard", checkpoint_of("bias"))
    assert service.rank([asked()], 0.6, 0, 50, compare=True)["moved"] == 0


def test_a_rating_that_changes_nothing_moves_nothing(service: Service) -> None:
    film = service.rank([stranger()], 0.6, 0, 1)["rows"][0]["film"]
    service.rank([stranger((film, 4.0))], 0.6, 0, 50, compare=True)
    again = service.rank([stranger((film, 4.0))], 0.6, 0, 50, compare=True)
    assert again["moved"] == 0
    assert all(row["before"] == row["rank"] for row in again["rows"])


def test_the_overlay_is_above_the_dataset(service: Service) -> None:
    first = service.rank([asked()], 0.6, 0, 10)
    known = [("no such film 1899", 5.0), (first["rows"][0]["film"], 2.0)]
    second = service.rank([asked("1", *known)], 0.6, 0, 10)
    assert second["seen"][0] == first["seen"][0] + 1
    changed = service.dataset.movies.keys[int(service.dataset.ratings.movie[service.dataset.ratings.user == 0][0])]
    third = service.rank([asked("1", (changed, 0.5))], 0.6, 0, 10)
    assert third["seen"] == first["seen"]
    assert [row["score"] for row in third["rows"]] != [row["score"] for row in first["rows"]]


def test_a_pair(service: Service) -> None:
    alone = [{row["id"]: row for row in service.rank([asked(one)], 0.6, 0, 999)["rows"]} for one in ("1", "2")]
    found = service.rank([asked("1"), asked("2")], 0.6, 0, 999)
    assert {row["id"] for row in found["rows"]} == set(alone[0]) & set(alone[1])
    assert len(found["seen"]) == 2
    for row in found["rows"][:30]:
        assert row["by"] == pytest.approx([one[row["id"]]["stars"] for one in alone])
        assert min(row["by"]) - 1e-6 <= row["stars"] <= max(row["by"]) + 1e-6
        assert 0 <= row["agreement"] <= 1
    average = service.rank([asked("1"), asked("2")], 0.0, 0, 20)["rows"]
    least = service.rank([asked("1"), asked("2")], 1.0, 0, 20)["rows"]
    assert np.mean([min(row["by"]) for row in least]) >= np.mean([min(row["by"]) for row in average])


def test_alike_needs_common_films(service: Service) -> None:
    assert service.rank([asked("1"), stranger()], 0.6, 0, 5)["alike"] is None
    same = service.rank([asked("1"), asked("1")], 0.6, 0, 5)["alike"]
    assert same is not None
    assert same["value"] > 0.5
    assert same["common"] == service.rank([asked("1")], 0.6, 0, 1)["seen"][0]


def test_unknown_users_are_told_who_there_is(service: Service) -> None:
    for question in (
        lambda: service.rank([asked("99999")], 0.6, 0, 10),
        lambda: service.rank([asked("1"), asked("x")], 0.6, 0, 10),
        lambda: service.details([asked("")], service.dataset.movies.ids[0]),
    ):
        with pytest.raises(Problem, match=r"demo has no user .*; its 400 users go from 1 to 400"):
            question()


# Details


def test_details(service: Service) -> None:
    row = service.rank([asked()], 0.6, 0, 1)["rows"][0]
    found = service.details([asked()], row["id"])
    assert (found["title"], found["year"], found["count"]) == (row["title"], row["year"], row["count"])
    assert found["genres"]
    assert sum(found["histogram"]) == found["count"]
    assert len(found["histogram"]) == 5
    assert found["mean"] == pytest.approx(np.dot(found["histogram"], range(1, 6)) / found["count"])
    (mine,) = found["by"]
    assert mine["stars"] == pytest.approx(row["stars"])
    assert 1 <= mine["low"] <= mine["stars"] <= mine["high"] <= 5
    assert 1 <= len(mine["why"]) <= 5
    sizes = [abs(why["share"]) for why in mine["why"]]
    assert sizes == sorted(sizes, reverse=True)
    assert set(mine["shared"]) <= set(found["genres"])


def test_why_names_what_was_rated(service: Service) -> None:
    row = service.rank([stranger()], 0.6, 0, 3)["rows"]
    (nothing,) = service.details([stranger()], row[0]["id"])["by"]
    assert (nothing["why"], nothing["shared"]) == ([], [])
    (one,) = service.details([stranger((row[1]["film"], 5.0))], row[0]["id"])["by"]
    assert [(why["title"], why["year"], why["stars"]) for why in one["why"]] in (
        [],
        [(row[1]["title"], row[1]["year"], 5.0)],
    )


def test_details_for_a_pair(service: Service) -> None:
    assert len(service.details([asked("1"), asked("2")], service.dataset.movies.ids[0])["by"]) == 2


@pytest.fixture
def joined(service: Service, tmp_path: Path) -> Service:
    """The service after the demo was joined with a table that knows two of its films, one of them twice."""
    people = [person(21, "Francis Ford Coppola")]
    titles = [
        basics(11, "The Godfather", 1972, minutes=175),
        basics(12, "Alien", 1979),
        basics(13, "Alien", 1979, minutes="\\N"),
    ]
    write_tables(tmp_path / "imdb", titles, [rating(11, 900, 9.2)], [crew(11, 21)], people)
    assert service.imdb("demo") is None
    tasks.imdb("demo", tmp_path / "imdb")
    return service


def id_of(service: Service, title: str) -> str:
    movies = service.dataset.movies
    return movies.ids[movies.titles.index(title)]


def test_details_know_what_imdb_says(joined: Service) -> None:
    godfather = id_of(joined, "The Godfather")
    before = joined.details([asked()], godfather)
    assert (before["minutes"], before["directors"], before["imdb"], before["link"]) == (0, [], 0, "")
    ranked = joined.rank([asked()], 0.6, 0, 10)
    report = joined.imdb("demo")  # which also tells what is open
    assert report is not None
    assert report["matched"] == 1
    found = joined.details([asked()], godfather)
    assert (found["minutes"], found["directors"], found["imdb"]) == (175, ["Francis Ford Coppola"], 9.2)
    assert found["link"] == "tt0000011"
    unknown = joined.details([asked()], id_of(joined, "Alien"))
    assert (unknown["minutes"], unknown["directors"], unknown["imdb"]) == (0, [], 0)
    assert joined.rank([asked()], 0.6, 0, 10) == ranked
    joined.open("demo", "standard", checkpoint_of("mf"))
    assert joined.details([asked()], godfather)["minutes"] == 175


def test_settling(joined: Service) -> None:
    alien = id_of(joined, "Alien")
    report = joined.imdb("demo")
    assert report is not None
    assert [(row["id"], [title["id"] for title in row["candidates"]]) for row in report["ambiguous_movies"]] == [
        (alien, ["tt0000012", "tt0000013"])
    ]
    settled = joined.settle("demo", alien, "tt0000012")
    assert (settled["by"]["hand"], settled["ambiguous"]) == (1, 0)
    assert joined.details([asked()], alien)["minutes"] == 100
    assert joined.settle("demo", alien, None)["unmatched"] == report["unmatched"] + 1
    assert joined.details([asked()], alien)["minutes"] == 0
    assert joined.unsettle("demo", alien) == report
    with pytest.raises(Problem, match="nothing is not joined"):
        joined.settle("nothing", alien, None)


def test_no_such_movie(service: Service) -> None:
    with pytest.raises(Problem, match="demo has no movie 99999"):
        service.details([asked()], "99999")


# People


def test_everybody(service: Service) -> None:
    first = service.people("", 0, 100)
    assert (first["total"], first["offset"], len(first["rows"])) == (400, 0, 100)
    last = service.people("  ", 390, 100)
    assert [row["id"] for row in last["rows"]] == [str(user) for user in range(391, 401)]
    assert sum(row["ratings"] for row in service.people("", 0, 400)["rows"]) == len(service.dataset.ratings)


def test_an_id_comes_first(service: Service) -> None:
    found = service.people("4", 0, 500)
    assert found["rows"][0]["id"] == "4"
    assert {str(user) for user in range(1, 401) if str(user).startswith("4")} <= {row["id"] for row in found["rows"]}
    assert service.people("400", 0, 5)["rows"][0]["id"] == "400"
    assert [row["id"] for row in service.people(" 399 ", 0, 5)["rows"]] == ["399"]
    ages = {str(row["age"]) for row in service.people("", 0, 400)["rows"]}
    for age in ages:  # whose age it is comes after whose id it is
        assert service.people(age, 0, 1)["rows"][0]["id"] == age


def test_words_find_people(service: Service) -> None:
    everybody = service.people("", 0, 400)["rows"]
    some = next(row for row in everybody if row["occupation"])
    job, gender, age = some["occupation"], some["gender"], some["age"]
    for words in (job, job.upper(), f"{gender} {job}", f"{job} {age} {gender}"):
        found = service.people(words, 0, 400)["rows"]
        assert some in found
        assert all(job in row["occupation"] for row in found)
    exact = service.people(f"{job} {age} {gender}", 0, 400)["rows"]
    assert all((row["age"], row["gender"]) == (age, gender) for row in exact)
    assert some in service.people(job[:-2], 0, 400)["rows"]


def test_nobody(service: Service) -> None:
    found = service.people("zzzz", 0, 100)
    assert (found["total"], found["rows"]) == (0, [])


def test_people_of_the_next_dataset(service: Service, hostile_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert service.people("", 0, 5)["dataset"] == "demo"
    monkeypatch.setenv("MOVIETUI_HOME", str(hostile_home))
    service.open("hostile", "standard", checkpoint_of("bias"))
    found = service.people("", 0, 5)
    assert (found["dataset"], found["total"]) == ("hostile", 25)


# What there is


def test_datasets(service: Service) -> None:
    rows = {row["name"]: row for row in service.datasets()}
    assert rows["demo"]["state"] == "invented"
    assert rows["demo"]["ratings"] > 20_000
    assert rows["ml-100k"]["state"] == "available"
    assert rows["ml-100k"]["terms"]
    assert rows["ml-100k"]["citation"]


def test_models_have_forms(service: Service) -> None:
    models = {model["name"]: model for model in service.models()}
    assert next(iter(models)) == "blend"
    assert {"popularity", "bias", "mf"} <= set(models)
    for model in models.values():
        assert model["summary"]
        for field in model["settings"]:
            assert field["low"] <= field["default"] <= field["high"]
            assert field["kind"] in ("int", "float", "bool")
            assert field["meaning"]


def test_the_report_of_a_dataset(service: Service) -> None:
    report = service.report("demo", "standard")
    assert report is not None
    assert report["dataset"] == "demo"
    assert report["rules"]
    assert service.report("demo", "none") is None


def test_a_preview_of_a_cleaning(service: Service) -> None:
    shown = service.preview("demo", "none +few-ratings-movies:80")
    (rule,) = (rule for rule in shown["rules"] if rule["rule"] == "few-ratings-movies")
    assert (rule["on"], rule["number"], rule["title"]) == (True, 80, "movies, under 80 ratings")
    assert shown["ratings"] + rule["removed"] == rule["before"]
    assert service.report("demo", shown["preset"]) is None  # nothing is stored
    window = service.removed("demo", shown["preset"], "few-ratings-movies", 1, 2)
    assert window["total"] == rule["removed_movies"]
    assert window["columns"] == ["movie", "title", "year", "genres", "ratings"]
    assert [len(row) for row in window["rows"]] == [5, 5]
    assert 80 > window["rows"][0][4] >= window["rows"][1][4]
    json.dumps([shown, window])


def test_facts_and_charts_of_a_dataset(service: Service) -> None:
    facts = service.show("demo", "standard")
    assert facts is not None
    assert [chart["name"] for chart in facts["charts"]][:2] == ["ratings", "genres"]
    assert service.show("demo", "as in 004") is None  # cleaning is a job's work


def test_titles_come_through_without_what_steers_a_terminal(hostile: Path) -> None:
    service = Service()
    service.open("hostile", "standard", checkpoint_of("bias"))
    rows = service.rank([stranger()], 0.6, 0, 100)["rows"]
    titles = {row["title"] for row in rows}
    assert {"[red]x[/red]", "Foo [/b]", "[REC]²", "X" * 300, "七人の侍と千と千尋の神隠しと東京物語と羅生門"} <= titles
    for title in titles:
        assert title == plain(title)
        assert title.isprintable() or "\u200d" in title
    assert len(titles) == len(TITLES)
    for row in service.people("", 0, 100)["rows"]:
        assert row["occupation"] == plain(OCCUPATION)
    for listed in service.datasets():
        assert listed["title"] == plain(listed["title"])


# Which movies, and in which order


def test_a_list_holds_what_was_wished(service: Service) -> None:
    whole = service.rank([stranger()], 0.6, 0, 9999)["rows"]
    films = [row["film"] for row in whole]
    left = service.rank([stranger()], 0.6, 0, 9999, left_out=films[:3])["rows"]
    assert [row["film"] for row in left] == films[3:]
    among = service.rank([stranger()], 0.6, 0, 9999, among=[films[7], films[2], "no such film"])["rows"]
    assert [row["film"] for row in among] == [films[2], films[7]]
    assert service.rank([stranger()], 0.6, 0, 10, among=[])["total"] == 0
    genre = service.dataset.movies.genre_names[0]
    only = service.rank([stranger()], 0.6, 0, 9999, only=f"+{genre}", left_out=films[:3])["rows"]
    assert 0 < len(only) < len(left)
    assert all(genre in service.details([], row["id"])["genres"] for row in only[:20])
    with pytest.raises(Problem, match="no genre 'nothing'"):
        service.rank([stranger()], 0.6, 0, 10, only="+nothing")
    assert [row["film"] for row in service.rank([stranger()], 0.6, 0, 50, daring=1.0)["rows"]] != films[:50]


def test_a_pair_is_joined_as_wished(service: Service) -> None:
    two = [asked("1"), asked("2")]
    lists = [
        [row["id"] for row in service.rank(two, 0.6, 0, 9999, **wish)["rows"]]
        for wish in ({}, {"way": "most pleasure"}, {"standardise": True}, {"unseen_by": "any"})
    ]
    assert len({tuple(each) for each in lists}) == 4
    assert set(lists[3]) > set(lists[0])


def test_a_surprise_is_of_the_list(service: Service) -> None:
    rows = service.rank([asked()], 0.6, 0, 9999)["rows"]
    drawn = [service.surprise([asked()], 0.6, draw) for draw in range(12)]
    assert len({row["id"] for row in drawn if row}) > 1
    assert all(row and rows[row["rank"] - 1]["id"] == row["id"] for row in drawn)
    assert service.surprise([asked()], 0.6, 0, among=[]) is None


def test_what_is_found_and_like(service: Service) -> None:
    movies = service.dataset.movies
    alike = service.similar(movies.ids[0], 5)
    assert len(alike) == 5
    assert movies.ids[0] not in [row["id"] for row in alike]
    assert [row["similarity"] for row in alike] == sorted((row["similarity"] for row in alike), reverse=True)
    with pytest.raises(Problem, match="has no movie 99999"):
        service.similar("99999", 5)
    assert movies.ids[0] in [row["id"] for row in service.find(movies.titles[0])["movies"]]
    assert service.find("144")["users"][0]["id"] == "144"
    assert all(way["line"].startswith("x +D") for way in service.complete("x +D"))
    assert service.complete("x +D")


def test_a_taste_is_of_who_asks(service: Service) -> None:
    told = service.taste([asked("1"), stranger()])
    assert [person["ratings"] for person in told["viewers"]] == [len(service.dataset.rows_of(0)), 0]
    assert "pair" in told
    assert "pair" not in service.taste([asked("1")])


def test_what_is_hidden_is_not_named(service: Service) -> None:
    pair = [asked("1"), asked("2")]
    keys, ids = service.dataset.movies.keys, service.dataset.movies.ids

    def named(*hidden: str, seen: tuple[str, ...] = ()) -> list[list[str]]:
        told = service.taste(pair, [*seen, *hidden], hidden)
        groups = [told["viewers"][0]["likes"], told["viewers"][0]["dislikes"], *(told["pair"][of] for of in APART)]
        return [[movie["id"] for movie in group] for group in groups]

    before = named()
    first = [group[0] for group in before]
    films = [keys[ids.index(movie)] for movie in first]
    for group, after in zip(before, named(*films), strict=True):
        left = [movie for movie in group if movie not in first]
        assert after[: len(left)] == left
        assert not {*after} & {*first}
    assert named(seen=tuple(films))[:3] == before[:3]
    assert first[3] not in named(seen=tuple(films))[3]
    alike = [row["id"] for row in service.similar(ids[0], 6)]
    assert [row["id"] for row in service.similar(ids[0], 5, [keys[ids.index(alike[0])]])] == alike[1:]


def test_windows_of_one_list_are_ranked_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked: list[object] = []
    whole = Service._list
    monkeypatch.setattr(Service, "_list", lambda *asked, **more: ranked.append(asked) or whole(*asked, **more))
    rows = [service.rank([asked()], 0.6, offset, 20)["rows"] for offset in (0, 20, 40)]
    assert [row["rank"] for window in rows for row in window] == list(range(1, 61))
    assert len(ranked) == 1
    rated = asked("1", (rows[0][0]["film"], 5.0))
    assert rows[0][0]["id"] not in {row["id"] for row in service.rank([rated], 0.6, 0, 20)["rows"]}
    service.rank([rated], 0.6, 0, 20, only=">=20")
    service.rank([rated], 0.5, 0, 20)
    assert len(ranked) == 4
    service.open("demo", "standard", checkpoint_of("mf"))
    service.rank([rated], 0.5, 0, 20)
    assert len(ranked) == 5
