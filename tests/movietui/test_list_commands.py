"""The commands that list and rate movies: recommend, rate, similar, explain, taste, search."""

import re
from pathlib import Path

import pytest

from movietui.data import catalogue
from movietui.data.storage import locations
from movietui.models.choices import ORDERS, WAYS
from movietui.protocol.viewers import profile
from movietui.store.ratings import Movie, Store
from tests.movietui.commands import Run, check_fields, document, refused


def test_recommended_movies_have_facts_from_imdb(run: Run, ready: Path, tables: Path) -> None:
    arguments = ("recommend", "--profile", "anna", "-k", 400, "--dataset", "demo", "--json")
    run("rate", "--profile", "anna", "Alien", 5, "--dataset", "demo")
    before = document(run(*arguments))["movies"]
    assert not any("imdb" in movie for movie in before)
    document(run("data", "imdb", "demo", "--from", tables, "--json"))
    after = document(run(*arguments))["movies"]
    assert [movie["id"] for movie in after] == [movie["id"] for movie in before]
    assert {movie["title"]: movie["imdb"] for movie in after if "imdb" in movie} == {
        "The Godfather": {
            "id": "tt0000011",
            "rating": 9.2,
            "votes": 900,
            "minutes": 175,
            "genres": ["Drama"],
            "directors": ["Francis Ford Coppola"],
            "cast": [],
            "languages": [],
            "countries": [],
        }
    }


def test_recommend_lists_movies_and_reasons(run: Run, ready: Path) -> None:
    result = document(run("recommend", "--user", 1, "-k", 3, "--dataset", "demo", "--json"))
    check_fields(result, "dataset", "model", "viewers", "movies")
    (viewer,) = result["viewers"]
    assert (viewer["kind"], viewer["id"]) == ("user", "1")
    assert viewer["ratings"] > 0
    assert [movie["rank"] for movie in result["movies"]] == [1, 2, 3]
    for movie in result["movies"]:
        fields = ("id", "title", "year", "genres", "stars", "uncertainty", "score", "stars_by_viewer", "count", "why")
        check_fields(movie, *fields)
        assert len(movie["stars_by_viewer"]) == 1
        for why in movie["why"]:
            check_fields(why, "id", "title", "stars", "share", "weight")
    output = run("recommend", "--user", 1, "-k", 3, "--dataset", "demo").stdout
    assert all(movie["title"] in re.sub(r"\s+", " ", output) for movie in result["movies"])


def test_recommend_makes_a_list_for_a_pair(run: Run, ready: Path) -> None:
    run("rate", "--profile", "anna", "The Godfather", 5, "--dataset", "demo")
    result = document(run("recommend", "--user", 1, "--profile", "ANNA", "-k", 2, "--dataset", "demo", "--json"))
    assert [(viewer["kind"], viewer["id"]) for viewer in result["viewers"]] == [("user", "1"), ("profile", "anna")]
    assert all(len(movie["stars_by_viewer"]) == 2 for movie in result["movies"])
    assert run("recommend", "--user", 1, "--user", 2, "--dataset", "demo").exit_code == 0


def test_recommend_combines_several_viewers_in_each_way(run: Run, small: Path) -> None:
    arguments = ("recommend", "--user", 1, "--user", 2, "-k", 400, "--dataset", "demo", "--json")
    lists = {way: [movie["id"] for movie in document(run(*arguments, "--together", way))["movies"]] for way in WAYS}
    assert len({tuple(result) for result in lists.values()}) == len(WAYS)
    assert set(lists["without misery"]) < set(lists["average"])
    least = [movie["id"] for movie in document(run(*arguments, "--misery", 1))["movies"]]
    assert least == lists["least misery"]
    anybody = [movie["id"] for movie in document(run(*arguments, "--unseen", "any"))["movies"]]
    everything = [movie["id"] for movie in document(run(*arguments, "--unseen", "none"))["movies"]]
    assert set(lists["weighted"]) < set(anybody) < set(everything)
    spread = [movie["id"] for movie in document(run(*arguments, "--standardise"))["movies"]]
    assert sorted(spread) == sorted(lists["weighted"])
    assert spread != lists["weighted"]
    wrong = run(*arguments, "--together", "average", "--misery", 1)
    assert wrong.exit_code == 2
    assert "--misery works only with" in wrong.stderr


def test_recommend_applies_a_filter(run: Run, ready: Path) -> None:
    arguments = ("recommend", "--user", 1, "-k", 400, "--dataset", "demo")
    whole = document(run(*arguments, "--json"))["movies"]
    for text, passes in (
        ("+Comedy 1980..1999", lambda movie: "Comedy" in movie["genres"] and 1980 <= movie["year"] <= 1999),
        ("-Drama", lambda movie: "Drama" not in movie["genres"]),
        (">=50", lambda movie: movie["count"] >= 50),
    ):
        report = document(run(*arguments, "--filter", text, "--json"))["movies"]
        assert [movie["id"] for movie in report] == [movie["id"] for movie in whole if passes(movie)]
        assert 0 < len(report) < len(whole)
    assert document(run(*arguments, "--filter", "xyzzy", "--json"))["movies"] == []
    assert run(*arguments, "--filter", "xyzzy").stdout.startswith("No unseen movie matches")
    refused(run(*arguments, "--filter", "+\x1b[31mOpera"), "There is no genre .*; choose one of Action")
    refused(
        run(*arguments, "--filter", "1999..1980"),
        "makes the filter ask for the years 1999 to 1980; put the earlier year first",
    )


def test_recommend_filters_by_facts_from_imdb(run: Run, ready: Path, tables: Path) -> None:
    arguments = ("recommend", "--user", 1, "-k", 400, "--dataset", "demo")
    refused(run(*arguments, "--filter", "<=110m"), "'<=110m', but demo has no runtimes; join it with IMDb")
    document(run("data", "imdb", "demo", "--from", tables, "--json"))
    result = document(run("recommend", "--profile", _nobody(run), *arguments[3:], "--filter", "@Ford >=175m", "--json"))
    assert [movie["title"] for movie in result["movies"]] == ["The Godfather"]
    refused(
        run(*arguments, "--filter", "@Fjord"), "There is no director 'Fjord' here; did you mean Francis Ford Coppola"
    )


def _nobody(run: Run) -> str:
    """Create a profile with one rating, and return its name."""
    document(run("rate", "--profile", "nobody", "Alien", 3, "--dataset", "demo", "--json"))
    return "nobody"


@pytest.mark.parametrize("option", ["--daring", "--recent"])
def test_recommend_refuses_a_dial_in_an_order_that_it_does_not_change(run: Run, ready: Path, option: str) -> None:
    wrong = run("recommend", "--user", 1, "--dataset", "demo", option, 0.5, "--order", "year")
    assert wrong.exit_code == 2
    assert f"{option} works only with --order liked or likely, not with year." in wrong.stderr


def test_recommend_lists_less_known_movies_with_daring(run: Run, ready: Path) -> None:
    arguments = ("recommend", "--user", 1, "-k", 400, "--dataset", "demo", "--json")
    safe = document(run(*arguments))["movies"]
    assert document(run(*arguments, "--daring", 0))["movies"] == safe
    daring = document(run(*arguments, "--daring", 1))["movies"]
    assert {movie["id"] for movie in daring} == {movie["id"] for movie in safe}
    assert sum(movie["count"] for movie in daring[:10]) < sum(movie["count"] for movie in safe[:10])
    assert run(*arguments, "--daring", 1.1).exit_code == 2


def test_recommend_draws_a_surprise(run: Run, ready: Path) -> None:
    arguments = ("recommend", "--user", 1, "--dataset", "demo")
    drawn = [document(run(*arguments, "--surprise", "--draw", 4, "--json"))["movies"] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 1
    output = run(*arguments, "--surprise", "--draw", 4).stdout.splitlines()
    assert output[0] == f"{drawn[0][0]['title']} ({drawn[0][0]['year']})"
    assert re.fullmatch(r"★ \d\.\d ±\.\d predicted(, because you liked .+ ★ .+|; .+)", output[1])
    surprises = {document(run(*arguments, "--surprise", "--json"))["movies"][0]["id"] for _ in range(6)}
    assert len(surprises) > 1
    assert "--draw works only with" in run(*arguments, "--draw", 4).stderr
    assert run(*arguments, "--surprise", "--filter", "xyzzy").stdout.startswith("No unseen movie matches")


def test_similar_lists_similar_movies(run: Run, ready: Path) -> None:
    arguments = ("similar", "the godfahter", "-k", 4, "--dataset", "demo")
    report = document(run(*arguments, "--json"))
    check_fields(report, "dataset", "model", "movie", "movies")
    assert report["movie"]["title"] == "The Godfather"
    assert [movie["rank"] for movie in report["movies"]] == [1, 2, 3, 4]
    for movie in report["movies"]:
        check_fields(movie, "id", "title", "year", "genres", "count", "similarity", "common", "shared")
        assert movie["id"] != report["movie"]["id"]
    output = run(*arguments).stdout
    assert output.startswith("Movies like The Godfather (1972)")
    by_model = document(run(*arguments, "--model", "mf", "--json"))
    assert by_model["model"] == "mf"
    assert by_model["movies"] != report["movies"]
    refused(run(*arguments, "--model", "bias"), "bias cannot compare movies")
    refused(run("similar", "xyzzy", "--dataset", "demo"), "demo has no movie 'xyzzy'")


def test_explain_gives_the_reasons_for_a_movie(run: Run, ready: Path) -> None:
    run("rate", "--profile", "anna", "The Godfather", 5, "--dataset", "demo")
    run("rate", "--profile", "anna", "Alien", 1, "--dataset", "demo")
    listed = document(run("recommend", "--profile", "anna", "-k", 1, "--dataset", "demo", "--json"))["movies"][0]
    arguments = ("explain", "--profile", "anna", f"{listed['title']} ({listed['year']})", "--dataset", "demo")
    report = document(run(*arguments, "--json"))
    (viewer,) = report["viewers"]
    assert (report["model"], report["movie"]["id"]) == ("mf", listed["id"])
    assert viewer["stars"] == listed["stars"]
    assert [why["id"] for why in viewer["why"]] == [why["id"] for why in listed["why"]]
    output = run(*arguments).stdout
    assert re.search(r"^anna: ★ \d\.\d \(.+\)$", output, re.MULTILINE)
    assert "Alien" not in {why["title"] for why in viewer["why"]}  # a disliked movie is not a reason
    rated = run("explain", "--profile", "anna", "The Godfather", "--dataset", "demo").stdout
    assert "anna rated it ★ 5" in rated
    pair = document(run(*arguments, "--user", 1, "--json"))["viewers"]
    assert [viewer["id"] for viewer in pair] == ["1", "anna"]
    assert len(re.findall(r"^(?:user 1|anna): ★", run(*arguments, "--user", 1).stdout, re.MULTILINE)) == 2
    refused(run("explain", "--profile", "nobody", "Alien", "--dataset", "demo"), "no profile 'nobody'")
    assert run("explain", "Alien", "--dataset", "demo").exit_code == 2


def test_taste_describes_viewers_and_pairs(run: Run, ready: Path) -> None:
    report = document(run("taste", "--user", 1, "--dataset", "demo", "--json"))
    (viewer,) = report["viewers"]
    check_fields(
        viewer, "kind", "id", "ratings", "mean", "crowd", "generosity", "genres", "decades", "likes", "dislikes"
    )
    for group in (*viewer["genres"], *viewer["decades"]):
        check_fields(group, "name", "ratings", "mean", "crowd", "difference", "beyond")
    assert "pair" not in report
    output = run("taste", "--user", 1, "--dataset", "demo").stdout
    assert all(group["name"] in output for group in viewer["genres"])
    pair = document(run("taste", "--user", 1, "--user", 2, "--dataset", "demo", "--json"))["pair"]
    check_fields(pair, "model", "alike", "divided", "would_divide")
    assert all(abs(movie["stars"][0] - movie["stars"][1]) >= 2 for movie in pair["divided"])
    assert pair["would_divide"]
    assert "would divide you" in run("taste", "--user", 1, "--user", 2, "--dataset", "demo").stdout
    store = Store(locations.store())
    store.create_profile("new")
    store.close()
    output = run("taste", "--profile", "new", "--dataset", "demo").stdout
    assert output.startswith("new: 0 ratings")
    assert "25 more ratings" in output


def test_taste_measures_the_model_for_a_profile(run: Run, ready: Path) -> None:
    store, movies = Store(locations.store()), catalogue.load("demo").movies
    anna = store.create_profile("anna")
    for row in range(30):
        movie = Movie(movies.keys[row], movies.titles[row], int(movies.years[row]))
        store.rate(anna, movie, 5.0 if row >= 27 else 3.0)
    store.close()
    arguments = ("taste", "--profile", "anna", "--dataset", "demo")
    report = document(run(*arguments, "--model", "bias", "--json"))["viewers"][0]["for_you"]
    check_fields(report, "model", "lacking", "older", "newest", "liked", "top", "by_model", "by_means")
    assert (report["model"], report["older"], report["newest"], report["liked"]) == ("bias", 24, 6, 3)
    rmse = report["by_model"]["rmse"]
    assert rmse["low"] < rmse["value"] < rmse["high"]
    assert document(run("taste", "--user", 1, "--dataset", "demo", "--json"))["viewers"][0]["for_you"] is None
    output = run(*arguments).stdout
    assert "the 6 newest ratings, predicted from the 24 before" in output
    assert re.search(r"mean ratings +\d\.\d\d .* of 3 liked", output)


def test_taste_needs_no_model(run: Run) -> None:
    document(run("data", "get", "demo", "--json"))
    assert document(run("taste", "--user", 1, "--dataset", "demo", "--json"))["viewers"]
    assert document(run("similar", "Alien", "--dataset", "demo", "--json"))["movies"]
    refused(run("taste", "--user", 1, "--user", 2, "--dataset", "demo"), "No model has been trained on demo yet")


def test_search_finds_movies_directors_and_users(run: Run, ready: Path, tables: Path) -> None:
    result = document(run("search", "godfahter", "--dataset", "demo", "--json"))
    assert result["movies"][0]["title"] == "The Godfather"
    assert (result["directors"], result["users"]) == ([], [])
    document(run("data", "imdb", "demo", "--from", tables, "--json"))
    result = document(run("search", "francis", "copola", "--dataset", "demo", "--json"))
    assert result["directors"] == [{"name": "Francis Ford Coppola", "movies": 1}]
    assert "Francis Ford Coppola" in run("search", "coppola", "--dataset", "demo").stdout
    assert document(run("search", 400, "-k", 1, "--dataset", "demo", "--json"))["users"][0]["id"] == "400"
    assert run("search", "xyzzy", "--dataset", "demo").stdout == "No movie, person or user matches 'xyzzy'.\n"


def test_search_without_imdb_says_how_to_find_directors(run: Run, ready: Path) -> None:
    output = " ".join(run("search", "xyzzy", "--dataset", "demo").stdout.split())
    assert output == "No movie or user matches 'xyzzy'. To find directors and actors, run movietui data imdb demo."


def test_search_shows_ratings_and_marks(run: Run, ready: Path, store: Store) -> None:
    run("rate", "--profile", "anna", "The Godfather", 4.5, "--dataset", "demo")
    store.mark(profile("anna"), Movie("alien 1979", "Alien", 1979), "watchlist")
    (movie,) = document(run("search", "godfather", "-k", 1, "--profile", "anna", "--dataset", "demo", "--json"))[
        "movies"
    ]
    assert movie["viewers"] == [{"kind": "profile", "id": "anna", "stars": 4.5, "mark": None}]
    arguments = ("search", "--profile", "anna", "--user", 1, "-k", 1, "--dataset", "demo")
    assert re.search(
        r"movie +The Godfather \(1972\) +\S+ ratings? +(★ \S+ )? +★ 4½", run(*arguments, "godfather").stdout
    )
    assert re.search(r"movie +Alien \(1979\) .* watchlist", run(*arguments, "alien").stdout)


def test_an_id_names_a_movie(run: Run, ready: Path) -> None:
    (movie,) = document(run("search", "godfather", "-k", 1, "--dataset", "demo", "--json"))["movies"]
    for typed in (movie["id"], f"id:{movie['id']}", movie["title"]):
        assert document(run("similar", typed, "-k", 1, "--dataset", "demo", "--json"))["movie"]["id"] == movie["id"]
        assert document(run("explain", typed, "--user", 1, "--dataset", "demo", "--json"))["movie"]["id"] == movie["id"]
        rated = document(run("rate", "--profile", "anna", typed, 4, "--dataset", "demo", "--json"))
        assert rated["movie"]["title"] == movie["title"]
    for command in ("similar", "explain", "rate"):
        assert "id from --json" in " ".join(run(command, "--help").stdout.split())


def test_unknown_users_are_refused(run: Run, ready: Path) -> None:
    for wrong in ("99999", "0", "-1", "abc", ""):
        refused(run("recommend", "--user", wrong, "--dataset", "demo"), f"demo has no user {wrong}")
    refused(
        run("recommend", "--user", 1, "--model", "popularity", "--dataset", "demo"), "No popularity has been trained"
    )


def test_rate_stores_a_rating(run: Run, ready: Path) -> None:
    rated = document(run("rate", "--profile", "Anna", "the godfather", "4.5", "--dataset", "demo", "--json"))
    assert rated["movie"] == {"title": "The Godfather", "year": 1972}
    assert rated["stars"] == 4.5
    output = run("rate", "--profile", "anna", "The Godfather (1972)", "5", "--dataset", "demo").stdout
    assert output == "Anna: The Godfather (1972) ★ 5, 1 rating in all\n"
    store = Store(locations.store())
    assert [(rated.movie.title, rated.stars) for rated in store.ratings(profile("Anna"))] == [("The Godfather", 5)]
    store.close()


def test_a_new_rating_changes_the_list(run: Run, ready: Path) -> None:
    run("rate", "--profile", "anna", "The Godfather", 5, "--dataset", "demo")
    before = document(run("recommend", "--profile", "anna", "-k", 50, "--dataset", "demo", "--json"))["movies"]
    run("rate", "--profile", "anna", before[0]["title"], 1, "--dataset", "demo")
    after = document(run("recommend", "--profile", "anna", "-k", 50, "--dataset", "demo", "--json"))["movies"]
    assert before[0]["id"] not in [movie["id"] for movie in after]
    assert [movie["id"] for movie in before[1:]] != [movie["id"] for movie in after[:49]]


@pytest.mark.parametrize("stars", ["0", "5.5", "3.3", "nan", "inf", "1e9"])
def test_stars_off_the_scale_are_refused(run: Run, ready: Path, stars: str) -> None:
    refused(run("rate", "--profile", "a", "The Godfather", stars, "--dataset", "demo"), "use 0.5 to 5 in half stars")


@pytest.mark.parametrize(("order", "field"), [("stars", "stars"), ("year", "year"), ("ratings", "count")])
def test_the_table_of_recommended_movies_says_its_order(run: Run, ready: Path, order: str, field: str) -> None:
    arguments = ("recommend", "--user", 1, "-k", 5, "--order", order, "--dataset", "demo")
    values = [movie[field] for movie in document(run(*arguments, "--json"))["movies"]]
    assert values == sorted(values, reverse=True)
    assert run(*arguments).stdout.startswith(f"For user 1, by {ORDERS[order]}\n")  # type: ignore[index]


def test_recommend_lists_recent_movies_with_recent(run: Run, ready: Path) -> None:
    arguments = ("recommend", "--user", 1, "-k", 400, "--dataset", "demo", "--json")
    any_year = document(run(*arguments))["movies"]
    assert document(run(*arguments, "--recent", 0))["movies"] == any_year
    recent = document(run(*arguments, "--recent", 1))["movies"]
    assert {movie["id"] for movie in recent} == {movie["id"] for movie in any_year}
    assert sum(movie["year"] for movie in recent[:10]) > sum(movie["year"] for movie in any_year[:10]) + 100
    assert run(*arguments, "--recent", 1.1).exit_code == 2
