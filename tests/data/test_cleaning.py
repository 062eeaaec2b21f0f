import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data import cleaning, movielens, tables
from data.cleaning import PRESETS, Cleaner, CleaningReport, parse
from data.dataset import Dataset, Scale
from data.encoding import encode
from data.movielens import MISSING, Raw
from data.problems import Cancelled, Problem
from data.progress import Stage
from data.rules import BY_ID, RULES
from data.titles import parse_label
from tests.data.files import contents, lines, movie_line, write_folder


def read(tmp_path: Path, **added: list[str]) -> Raw:
    whole = lines()
    changed = {name.replace("_", "."): whole[name.replace("_", ".")] + more for name, more in added.items()}
    return movielens.read(write_folder(tmp_path / "files", contents(changed)))


def clean(
    tmp_path: Path, text: str = "standard", **added: list[str]
) -> tuple[Dataset, CleaningReport, dict[str, cleaning.RuleResult]]:
    tables, report = cleaning.clean("small", read(tmp_path, **added), parse(text))
    return encode("small", tables, text), report, {result.rule: result for result in report.rules}


def ratings_of(dataset: Dataset) -> list[tuple[str, str, float]]:
    ratings = dataset.ratings
    return [
        (dataset.users.ids[user], dataset.movies.ids[movie], float(stars))
        for user, movie, stars in zip(ratings.user, ratings.movie, ratings.stars, strict=True)
    ]


def rated(user: int, movie: int, stars: float = 4, time: int = 890_000_000) -> str:
    return f"{user}\t{movie}\t{stars}\t{time}"


RATINGS = len(lines()["u.data"])


def test_nothing_is_taken_from_a_clean_dataset(tmp_path: Path) -> None:
    for preset in cleaning.PRESETS:
        dataset, report, _ = clean(tmp_path, preset)
        assert (report.ratings, report.users, report.movies) == (RATINGS, 12, 30)
        assert [result.removed for result in report.rules] == [0] * len(RULES)
        assert [row[0] for row in ratings_of(dataset)] == [line.split("\t")[0] for line in lines()["u.data"]]


@pytest.mark.parametrize(
    ("rule", "line", "example"),
    [
        ("malformed-lines", "nonsense", "u.data line 241: 1 fields instead of 4"),
        ("missing-values", "1\t2\t\t880000000", "user 1, movie 2, ? stars"),
        ("missing-values", "\t2\t3\t880000000", "user ?, movie 2, 3 stars"),
        ("outside-scale", rated(1, 99, 6), "user 1, movie 99, 6 stars"),
        ("outside-scale", rated(1, 99, 0), "0 stars"),
        ("outside-scale", rated(1, 99, 3.5), "3.5 stars"),
        ("unknown-ids", rated(1, 99), "user 1, movie 99, 4 stars"),
        ("unknown-ids", rated(77, 2), "user 77, movie 2, 4 stars"),
    ],
)
def test_a_bad_line_is_taken_by_its_rule(tmp_path: Path, rule: str, line: str, example: str) -> None:
    _, report, results = clean(tmp_path, u_data=[line])
    assert results[rule].removed == 1
    assert results[rule].before == RATINGS + 1
    assert example in results[rule].examples[0]
    assert report.ratings == RATINGS
    assert sum(result.removed for result in report.rules if result.on) == 1


def test_the_newest_of_two_ratings_stays(tmp_path: Path) -> None:
    user, movie, _, _ = lines()["u.data"][0].split("\t")
    dataset, _, results = clean(tmp_path, u_data=[rated(int(user), int(movie), 1), rated(int(user), int(movie), 2)])
    left = [stars for *pair, stars in ratings_of(dataset) if pair == [user, movie]]
    assert left == [2]  # of two at the same second the later line
    assert results["duplicate-ratings"].removed == 2
    assert results["duplicate-ratings"].examples[1].endswith("movie " + movie + ", 1 stars")


def test_the_same_film_twice_is_merged(tmp_path: Path) -> None:
    twin = [movie_line(31, "Twins, The (1995)", genres=("Comedy",)), movie_line(32, "the TWINS (1995)")]
    other_year = [movie_line(33, "Twins, The (1996)"), movie_line(34, "Untitled", ""), movie_line(35, "Untitled", "")]
    new = [
        rated(1, 31, 1, 890_000_000),
        rated(1, 32, 5, 880_000_000),
        rated(2, 32, 5),
        rated(3, 32, 3),
        rated(4, 33),
        rated(4, 34),
        rated(4, 35),
    ]
    dataset, report, results = clean(tmp_path, u_item=[*twin, *other_year], u_data=new)
    merged = [(user, stars) for user, movie, stars in ratings_of(dataset) if movie == "32"]
    assert merged == [("1", 1), ("2", 5), ("3", 3)]
    assert "31" not in dataset.movies.ids
    assert {"33", "34", "35"} <= set(dataset.movies.ids)
    result = results["same-title-twice"]
    assert (result.removed, result.removed_movies) == (1, 1)
    assert result.examples == ("the TWINS (1995): 31 and 32 merged, 3 ratings",)
    assert report.movies == 34


@pytest.mark.parametrize("first", [("unknown",), ("Comedy", "Crime"), ()])
def test_a_merged_film_has_what_any_entry_says(tmp_path: Path, first: tuple[str, ...]) -> None:
    twin = [
        movie_line(31, "Twins (1995)", "", genres=first),
        movie_line(32, "Twins (1995)", "14-Aug-1995"),
        movie_line(33, "Twins (1995)", "14-Sep-1995", genres=("unknown",)),
    ]
    dataset, _, _ = clean(tmp_path, u_item=twin, u_data=[rated(1, 31), rated(2, 31), rated(3, 32)])
    row = dataset.movies.row["31"]
    assert dataset.movies.genres_of(row) == [*(genre for genre in first if genre != "unknown"), "Drama"]
    assert dataset.movies.months[row] == 8
    assert dataset.counts[row] == 3
    assert dataset.movies.merged == {"31": ("32", "33")}


def test_merging_leaves_double_ratings_of_one_movie_to_their_own_rule(tmp_path: Path) -> None:
    _, _, results = clean(
        tmp_path,
        "none",
        u_item=[movie_line(31, "Twins (1995)"), movie_line(32, "Twins (1995)")],
        u_data=[rated(1, 31), rated(1, 32), *[lines()["u.data"][0]] * 3],
    )
    assert results["same-title-twice"].removed == 1
    assert results["duplicate-ratings"].removed == 3


def test_of_many_ratings_at_the_same_second_the_last_line_stays(tmp_path: Path) -> None:
    movie = movie_line(31, "New (1995)")
    many = [rated(user, 31, 1 + turn % 4) for turn in range(50) for user in range(1, 13)]
    last = [rated(user, 31, 5) for user in range(1, 13)]
    dataset, _, _ = clean(tmp_path, u_item=[movie], u_data=many + last)
    assert [stars for _, movie, stars in ratings_of(dataset) if movie == "31"] == [5] * 12


def test_movies_without_genre_go_with_their_ratings(tmp_path: Path) -> None:
    _, report, results = clean(
        tmp_path,
        u_item=[movie_line(31, "A (1995)", genres=("unknown",)), movie_line(32, "B (1995)", genres=())],
        u_data=[rated(1, 31), rated(2, 31), rated(1, 32)],
    )
    result = results["no-genre"]
    assert (result.removed, result.removed_movies, report.ratings, report.movies) == (3, 2, RATINGS, 30)
    assert result.examples == ("A (1995), 2 ratings", "B (1995), 1 rating")


def test_rules_that_are_off_tell_what_they_would_take(tmp_path: Path) -> None:
    added = {
        "u_item": [movie_line(31, "Old (1922)"), movie_line(32, "Nameless", "")],
        "u_data": [rated(1, 31), rated(1, 32), rated(2, 32), rated(14, 1)],
        "u_user": ["13|30|F|none|00000", "14|30|F|none|00000"],
    }
    _, report, results = clean(tmp_path, **added)
    assert report.ratings == RATINGS + 4
    told = {
        rule: (result.on, result.removed, result.removed_movies, result.removed_users)
        for rule, result in results.items()
        if result.removed or result.removed_users
    }
    assert told == {
        "no-year": (False, 2, 1, 0),
        "old-movies": (False, 1, 1, 0),
        "few-ratings-movies": (False, 3, 2, 0),
        "few-ratings-users": (False, 1, 0, 2),
    }
    assert all(result.before == RATINGS + 4 for result in report.rules)


def test_the_report_is_json_and_back(tmp_path: Path) -> None:
    _, report, _ = clean(tmp_path, u_data=[rated(1, 99)])
    document = json.loads(json.dumps(report.to_json()))
    assert set(document) == {"dataset", "preset", "rules", "ratings", "users", "movies"}
    assert {"rule", "on", "before", "removed", "examples"} <= set(document["rules"][0])
    assert CleaningReport.from_json(document) == report


def test_nothing_left(tmp_path: Path) -> None:
    raw = movielens.read(write_folder(tmp_path / "x", contents({"u.data": [rated(99, 99)]})))
    for text, rule in (("standard", "unknown-ids"), ("none +few-ratings-movies", "few-ratings-movies")):
        with pytest.raises(Problem, match=f"^Nothing is left of small after cleaning: the rule {rule} took the last"):
            cleaning.clean("small", raw, parse(text))


def test_stages_and_stopping(tmp_path: Path) -> None:
    raw = movielens.read(write_folder(tmp_path / "x", contents()))
    stages: list[Stage] = []
    cleaning.clean("small", raw, parse("standard"), stages.append)
    assert [stage.done for stage in stages] == list(range(len(RULES) + 1))
    assert stages[-1].finished

    def stop(stage: Stage) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        cleaning.clean("small", raw, parse("standard"), stop)


# Which rules are on, as text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("none", "none"),
        ("  as   in 004 ", "as in 004"),
        ("standard +titles -old-movies", "standard"),
        ("standard -no-genre +old-movies", "standard -no-genre +old-movies"),
        ("standard +old-movies -no-genre +old-movies:1930", "standard -no-genre +old-movies"),
        ("standard +few-ratings-users:50", "standard +few-ratings-users:50"),
        ("as in 004 +few-ratings-movies:10", "as in 004 +few-ratings-movies:10"),
        ("none +newest-of-title", "as in 002"),
        ("none " + " ".join(f"+{rule}" for rule in PRESETS["standard"]), "standard"),
    ],
)
def test_a_cleaning_has_one_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def test_every_rule_can_be_turned_in_every_preset() -> None:
    for preset in PRESETS:
        for rule in RULES:
            text = f"{preset} +{rule.id}"
            assert dict(parse(text).numbers)[rule.id] == rule.number
            assert parse(str(parse(text))) == parse(text)
            if not rule.always:
                without = parse(f"{preset} -{rule.id}")
                assert rule.id not in dict(without.numbers)
                assert parse(str(without)) == without


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("thorough", "There is no cleaning 'thorough'; choose one of none, standard, as in 004, as in 002."),
        ("", "There is no cleaning ''"),
        ("+old-movies", "There is no cleaning ''"),
        ("standard +old", r"There is no cleaning rule '\+old'; put \+ or - before one of malformed-lines, "),
        ("standard old-movies", "There is no cleaning 'standard old-movies'"),
        ("standard +old-movies no-genre", "There is no cleaning rule 'no-genre'"),
        ("standard -old-movies:1950", "turns a rule off and gives it a number"),
        ("standard +no-genre:3", "The rule no-genre takes no number"),
        ("standard +few-ratings-users:0", "goes from 1 to 1000000, not 0"),
        ("standard +old-movies:12", "goes from 1871 to 2100, not 12"),
        ("none -missing-values", "missing-values cannot be off"),
        ("standard +old-movies:\x1b[2J", "There is no cleaning rule"),
    ],
)
def test_a_cleaning_that_there_is_not(text: str, sentence: str) -> None:
    with pytest.raises(Problem, match=sentence) as told:
        parse(text)
    assert "\x1b" not in str(told.value)


# The further rules


def test_the_newest_of_a_title_stays(tmp_path: Path) -> None:
    films = [
        movie_line(31, "Sabrina (1954)", genres=("Comedy", "Romance")),
        movie_line(32, "Sabrina (1995)", genres=("Romance", "Comedy")),
        movie_line(33, "Sabrina (1970)", genres=("Comedy",)),
        movie_line(34, "Sabrina", "", genres=("Comedy", "Romance")),
        movie_line(35, "SABRINA (1995)", genres=("Comedy", "Romance")),
    ]
    new = [rated(1, 31), rated(2, 31), rated(1, 32), rated(1, 33)]
    dataset, _, results = clean(tmp_path, "as in 002", u_item=films, u_data=new)
    assert dataset.movies.ids[-4:] == ("32", "33", "34", "35")
    result = results["newest-of-title"]
    assert (result.removed, result.removed_movies) == (2, 1)
    assert result.examples == ("Sabrina (1954), 2 ratings",)


@pytest.mark.parametrize(
    ("change", "left"),
    [("+few-ratings-users:21", 10), ("+few-ratings-users:20", 12), ("+few-ratings-users", 12)],
)
def test_a_rule_is_applied_with_its_number(tmp_path: Path, change: str, left: int) -> None:
    more = [rated(user, 31) for user in range(3, 13)]
    _, report, results = clean(tmp_path, f"standard {change}", u_item=[movie_line(31, "New (1995)")], u_data=more)
    assert report.users == left
    assert results["few-ratings-users"].removed_users == 12 - left
    assert results["few-ratings-users"].title == f"users, under {results['few-ratings-users'].number} ratings"


def test_movies_that_were_never_rated_are_told(tmp_path: Path) -> None:
    films = [movie_line(31, "Never (1995)"), movie_line(32, "Once (1995)")]
    _, report, results = clean(tmp_path, "standard +few-ratings-movies:2", u_item=films, u_data=[rated(1, 32)])
    result = results["few-ratings-movies"]
    assert (result.removed, result.removed_movies, report.movies) == (1, 2, 30)
    assert result.note == "1 never rated"
    assert result.examples == ("Once (1995), 1 rating", "Never (1995), 0 ratings")


def test_titles_in_reading_order_or_as_published(tmp_path: Path) -> None:
    films = [movie_line(31, "Usual Suspects, The (1995) "), movie_line(32, "Plain")]
    read_, _, results = clean(tmp_path, "standard", u_item=films)
    published, _, off = clean(tmp_path, "standard -titles", u_item=films)
    assert read_.movies.titles[-2:] == ("The Usual Suspects", "Plain")
    assert published.movies.titles[-2:] == ("Usual Suspects, The (1995) ", "Plain")
    assert read_.movies.keys == published.movies.keys
    assert published.movies.label(30) == "Usual Suspects, The (1995) "
    assert read_.movies.label(30) == "The Usual Suspects (1995)"
    told = results["titles"]
    assert (told.removed, told.changed, told.examples[0]) == (
        0,
        31,
        "Usual Suspects, The (1995)  is The Usual Suspects",
    )
    assert told.note == "31 years split off, 1 titles put in reading order, 1 trimmed"
    assert (off["titles"].on, off["titles"].changed) == (False, 31)


def test_gender_is_coded_or_left(tmp_path: Path) -> None:
    people = ["13|30|female|none|1", "14|30||none|2", "15|30|x|none|3"]
    coded, _, results = clean(tmp_path, u_user=people)
    left, _, _ = clean(tmp_path, "standard -gender", u_user=people)
    expected = [{"F": 0, "M": 1}[line.split("|")[2]] for line in lines()["u.user"]]
    assert coded.users.gender_code.tolist() == [*expected, 0, -1, -1]
    assert coded.users.gender == left.users.gender
    assert len(left.users.gender_code) == 0
    assert (results["gender"].changed, results["gender"].note) == (13, "7 F, 6 M")


def test_zip_codes_are_dropped_or_kept(tmp_path: Path) -> None:
    dropped, _, results = clean(tmp_path)
    kept, _, _ = clean(tmp_path, "none", u_data=[rated(99, 1)])
    assert dropped.users.zip_code == ()
    assert kept.users.zip_code == (*(line.split("|")[4] for line in lines()["u.user"]), "")
    assert results["unused-columns"].changed == 12
    assert dropped.fingerprint != kept.fingerprint


def test_a_dataset_without_demographics(tmp_path: Path) -> None:
    whole = read(tmp_path, u_data=[rated(99, 1)])
    dates = whole.movies.assign(release_date="")
    raw = replace(whole, users=whole.users[["user_id"]], movies=dates)
    tables_, report = cleaning.clean("bare", raw, parse("none +gender +unused-columns"))
    dataset = encode("bare", tables_, "none")
    users = dataset.users
    assert len(users) == 13
    assert (len(users.age), users.gender, users.occupation, len(users.gender_code)) == (0, (), (), 0)
    assert len(dataset.movies.months) == 0
    assert [result.changed for result in report.rules[-2:]] == [0, 0]


def test_months_of_release(tmp_path: Path) -> None:
    films = [movie_line(31, "Dated (1995)", "14-Aug-1995"), movie_line(32, "Undated (1995)", "")]
    dataset, _, _ = clean(tmp_path, u_item=films)
    assert dataset.movies.months.tolist() == [1] * 30 + [8, 0]
    films[0] = movie_line(31, "Dated (1995)", "14-Sep-1995")
    assert clean(tmp_path, u_item=films)[0].fingerprint != dataset.fingerprint


# Against the plain way: each rule row by row in Python


def dirty(seed: int, *, in_order: bool, far: int = 0) -> Raw:
    """A random dataset with every dirt; ``far`` spreads the ids."""
    import pandas as pd

    random = np.random.RandomState(seed)
    size = 400
    columns = pd.DataFrame(
        {
            "user_id": random.randint(1, 20, size) * (1 + far),
            "movie_id": random.randint(1, 30, size) * (1 + far),
            "stars": random.choice([0.0, 1.0, 2.5, 3.0, 4.0, 5.0, 6.0, np.nan], size, p=[0.05, *[0.15] * 6, 0.05]),
            "time": random.randint(1, 6, size),
        }
    ).astype({"user_id": "int64", "movie_id": "int64", "time": "int64"})
    for name in ("user_id", "movie_id", "time"):
        columns.loc[random.rand(size) < 0.01, name] = MISSING
    if in_order:
        columns = columns.drop_duplicates(["user_id", "movie_id"]).sort_values(["user_id", "movie_id"])
    movies = pd.DataFrame(
        {
            "movie_id": (np.arange(1, 28) * (1 + far))[random.permutation(27)],
            "title": [f"Film {random.randint(15)} ({random.choice([1920, 1990])})" for _ in range(27)],
            "release_date": "",
            "genres": random.choice(["", "Drama", "Comedy|Drama", "Drama|Comedy"], 27),
        }
    )
    users = pd.DataFrame({"user_id": (np.arange(1, 18) * (1 + far))[random.permutation(17)]})
    return Raw(columns.reset_index(drop=True), movies, users, ("Comedy", "Drama"), Scale())


Rating = tuple[int, int, float, int]


def plain_way(raw: Raw, on: dict[str, int]) -> list[Rating]:
    """Clean row by row."""
    rows: list[Rating] = [tuple(row) for row in raw.ratings.itertuples(index=False, name=None)]
    movies = {row.movie_id: (parse_label(row.title), row.genres) for row in raw.movies.itertuples()}
    users = set(raw.users["user_id"])
    rows = [row for row in rows if MISSING not in (row[0], row[1], row[3]) and row[2] == row[2]]
    if "outside-scale" in on:
        rows = [row for row in rows if row[2] in (1, 2, 3, 4, 5)]

    def newest(rows: list[Rating], among: set[int] | None = None) -> list[Rating]:
        last: dict[tuple[int, int], tuple[int, int]] = {}
        for place, row in enumerate(rows):
            last[row[:2]] = max(last.get(row[:2], (-1, -1)), (row[3], place))
        return [
            row
            for place, row in enumerate(rows)
            if last[row[:2]][1] == place or (among is not None and row[1] not in among)
        ]

    if "duplicate-ratings" in on:
        rows = newest(rows)
    if "unknown-ids" in on:
        rows = [row for row in rows if row[0] in users and row[1] in movies]
    counts = Counter(row[1] for row in rows)
    if "same-title-twice" in on:
        into: dict[int, int] = {}
        joined = set()
        for label in {label for label, _ in movies.values()}:
            same = sorted((film for film in movies if movies[film][0] == label), key=lambda m: (-counts[m], m))
            into.update(dict.fromkeys(same, same[0]))
            joined |= {same[0]} if len(same) > 1 else set()
            genres = {genre for film in same for genre in movies[film][1].split("|") if genre}
            movies.update({film: (label, "|".join(genres)) for film in same})
        rows = newest([(row[0], into.get(row[1], row[1]), *row[2:]) for row in rows], joined)
        movies = {film: facts for film, facts in movies.items() if into[film] == film}
    gone: set[int] = set()
    if "newest-of-title" in on:
        for film, ((title, year), genres) in movies.items():
            gone |= {
                film
                for (other, later), others in movies.values()
                if other == title and set(others.split("|")) == set(genres.split("|")) and later > year
            }
    if "no-genre" in on:
        gone |= {film for film, (_, genres) in movies.items() if not genres}
        gone |= {row[1] for row in rows if row[1] not in movies}  # nothing is known of them
    if "old-movies" in on:
        gone |= {film for film, ((_, year), _) in movies.items() if year < on["old-movies"]}
    rows = [row for row in rows if row[1] not in gone]
    for rule, place in (("few-ratings-movies", 1), ("few-ratings-users", 0)):
        if rule in on:
            counts = Counter(row[place] for row in rows)
            rows = [row for row in rows if counts[row[place]] >= on[rule]]
    return rows


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("in_order", "far"), [(False, 0), (True, 0), (False, 10**12)])
def test_the_rules_against_the_plain_way(seed: int, in_order: bool, far: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PIECE", 64 if far == 0 else 16)
    raw = dirty(seed, in_order=in_order, far=far)
    random = np.random.RandomState(seed)
    cleaner = Cleaner("dirty", raw)
    for _ in range(12):
        changes = [f"{random.choice(['+', '-'])}{rule.id}" for rule in RULES[2:12] if rule.id != "no-year"]
        chosen = parse(" ".join(["none", *changes, "+few-ratings-movies:3", "+few-ratings-users:5"]))
        cleaned, report = cleaner.clean(chosen)  # from what the cleaner remembers of the rules before
        dataset = encode("dirty", cleaned, str(chosen))
        expected = plain_way(raw, dict(chosen.numbers))
        times = dataset.ratings.time.tolist()
        found = [(int(u), int(m), s, t) for (u, m, s), t in zip(ratings_of(dataset), times, strict=True)]
        assert found == expected
        assert report.ratings == len(expected)
        assert (report.users, report.movies) == (len(dataset.users), len(dataset.movies))
        assert report == cleaning.Cleaner("dirty", raw).clean(chosen)[1]


@pytest.mark.parametrize(
    "kinds", [("int32", "float32", "int32"), ("uint16", "float64", "int64"), ("int64", "int8", "int64")]
)
def test_columns_of_any_width(tmp_path: Path, kinds: tuple[str, str, str]) -> None:
    raw = read(tmp_path, u_item=[movie_line(31, "Film Number 1 (1995)")], u_data=[rated(1, 31), rated(2, 31)])
    ids, stars, time = kinds
    narrow = raw.ratings.astype({"user_id": ids, "movie_id": ids, "stars": stars, "time": time})
    one, two = (
        encode("small", cleaning.clean("small", replace(raw, ratings=columns), parse("standard"))[0], "standard")
        for columns in (raw.ratings, narrow)
    )
    assert one.fingerprint == two.fingerprint


# The rows that a rule took


def test_the_rows_that_a_rule_took(tmp_path: Path) -> None:
    bad = [f"{user}\t99\t4\t88000000{user}" for user in range(1, 8)]
    cleaner = Cleaner("small", read(tmp_path, u_data=bad))
    shown = cleaner.removed(parse("standard"), "unknown-ids", 5, 3).to_json()
    assert shown == {
        "rule": "unknown-ids",
        "title": "unknown user or movie",
        "on": True,
        "columns": ["user", "movie", "title", "stars", "rated on"],
        "total": 7,
        "offset": 5,
        "rows": [[6, 99, "Movie 99", 4.0, "1997-11-20"], [7, 99, "Movie 99", 4.0, "1997-11-20"]],
    }
    off = cleaner.removed(parse("none"), "unknown-ids", 0, 1)
    assert (off.on, off.total, len(off.rows)) == (False, 7, 1)


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("malformed-lines", ["u.data", 241, "1 fields instead of 4"]),
        ("missing-values", ["?", 2, "Film Number 2 (1995)", "?", "?"]),
        ("same-title-twice", ["Film Number 1", 1995, "1 and 31", 5, 1]),
        ("few-ratings-movies", [32, "Rare", 1922, "Comedy, Drama", 1]),
        ("few-ratings-users", [13, 0]),
        ("titles", [32, "Rare (1922)", "Rare", 1922]),
        ("gender", [1, "M", 1]),
        ("unused-columns", [1, "00001"]),
    ],
)
def test_rows_of_every_kind(tmp_path: Path, rule: str, row: list[Any]) -> None:
    films = [movie_line(31, "Film Number 1 (1995)"), movie_line(32, "Rare (1922)", genres=("Comedy", "Drama"))]
    rates_1 = next(line.split("\t")[0] for line in lines()["u.data"] if line.split("\t")[1] == "1")
    data = ["nonsense", "\t2\t\t", f"{rates_1}\t31\t3\t990000000", rated(1, 32)]
    raw = read(tmp_path, u_item=films, u_data=data, u_user=["13|30||none|1"])
    shown = json.loads(json.dumps(Cleaner("small", raw).removed(parse("standard"), rule, 0, 100).to_json()))
    assert row in shown["rows"]
    assert shown["total"] == len(shown["rows"])
    assert all(len(cells) == len(shown["columns"]) for cells in shown["rows"])


def test_rows_of_a_rule_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no cleaning rule 'dust'; choose one of malformed-lines"):
        Cleaner("small", read(tmp_path)).removed(parse("none"), "dust", 0, 1)


def test_a_change_only_does_again_what_follows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[str] = []
    apply = cleaning._applied
    monkeypatch.setattr(cleaning, "_applied", lambda rule, *rest: applied.append(rule.id) or apply(rule, *rest))
    cleaner = Cleaner("small", read(tmp_path, u_item=[movie_line(31, "Old (1922)")], u_data=[rated(1, 31)]))
    cleaner.clean(parse("standard"))
    assert applied == list(BY_ID)
    applied.clear()
    cleaner.clean(parse("standard +old-movies"))
    assert applied == ["few-ratings-movies", "few-ratings-users", "titles", "gender", "unused-columns"]
    applied.clear()
    cleaner.clean(parse("standard +old-movies +few-ratings-users:3"))
    assert applied == ["few-ratings-users"]


# The published files


def told(published: Path, name: str, text: str) -> tuple[CleaningReport, dict[str, cleaning.RuleResult]]:
    report = cleaning.clean(name, movielens.read(published / f"{name}.zip"), parse(text))[1]
    return report, {result.rule: result for result in report.rules}


DIRT = {
    # Ratings and movies that each rule takes of the rows as published.
    "ml-100k": {
        "same-title-twice": (307, 18),
        "newest-of-title": (85, 3),
        "no-genre": (10, 2),
        "no-year": (9, 1),
        "old-movies": (56, 2),
        "few-ratings-movies": (713, 333),
    },
    "ml-1m": {
        "newest-of-title": (4672, 21),
        "old-movies": (1741, 37),
        "few-ratings-movies": (598, 177 + 290),  # 177 were never rated
    },
    "ml-latest-small": {
        "same-title-twice": (4, 5),
        "newest-of-title": (297, 45),
        "no-genre": (47, 34),
        "no-year": (17, 12),
        "old-movies": (141, 47),
        "few-ratings-movies": (10_562, 6092),
    },
}


@pytest.mark.parametrize("name", DIRT)
def test_the_dirt_of_the_published_files(published: Path, name: str) -> None:
    _, results = told(published, name, "none")
    found = {rule: (result.removed, result.removed_movies) for rule, result in results.items()}
    assert {rule: counts for rule, counts in found.items() if counts != (0, 0)} == DIRT[name]
    assert {result.before for result in results.values()} == {results["missing-values"].before}
    never = {"ml-1m": "177 never rated", "ml-latest-small": "18 never rated"}.get(name, "")
    assert results["few-ratings-movies"].note == never


def test_what_changes_in_the_published_100k(published: Path) -> None:
    report, results = told(published, "ml-100k", "standard")
    assert (report.ratings, report.users, report.movies) == (99_683, 943, 1662)
    assert results["titles"].note.endswith("3 trimmed")
    assert results["gender"].note == "273 F, 670 M"
    assert results["unused-columns"].changed == 943


def test_source_004_on_the_published_100k(published: Path) -> None:
    report, results = told(published, "ml-100k", "as in 004")
    # "100000 ratings by 943 users on 1682 items"; movies with less than 5 ratings, without genre or before 1930 go.
    assert (results["missing-values"].before, report.users) == (100_000, 943)
    assert (report.ratings, report.movies) == (99_224, 1347)
    assert results["few-ratings-movies"].removed_movies == 333 - 2  # one without genre and one old went before
    assert results["same-title-twice"].on is False
