import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movietui.data import catalogue, features, splits
from movietui.data.dataset import Dataset, ImdbFacts, Movies, Ratings, Scale, Users
from movietui.data.features import Averages, Block
from movietui.data.problems import Problem
from tests.models.builders import dataset, tags_of

GENRES = ("Comedy", "Drama", "War")


def numbers(*values: int) -> np.ndarray:
    return np.asarray(values, np.int32)


USERS = Users(
    ids=("1", "2", "3", "4"),
    age=numbers(20, 40, 0, 60),
    gender=("M", "F", "", "M"),
    occupation=("writer", "artist", "writer", ""),
)
MOVIES = Movies(
    ids=("1", "2", "3"),
    titles=("A", "B", "C"),
    years=numbers(1990, 0, 2000),
    genres=np.asarray([[1, 1, 0], [0, 0, 0], [0, 1, 0]], bool),
    genre_names=GENRES,
    keys=("a 1990", "b 0", "c 2000"),
    months=numbers(1, 0, 12),
    imdb=ImdbFacts(
        rating=np.float32([6, np.nan, 8]),
        votes=numbers(99, 0, 999),
        minutes=numbers(90, 100, 0),
        directors=(("Joel Coen", "Ethan Coen"), (), ("Joel Coen", "Ann Lee", "Bo Lee", "Bo Lee")),
        director_ids=(("nm1", "nm2"), (), ("nm1", "nm3", "nm4", "nm4")),
    ),
)
USER = numbers(0, 0, 0, 1, 1, 3)
MOVIE = numbers(0, 1, 2, 0, 2, 2)
STARS = np.float32([5, 3, 1, 4, 4, 2])


def small_dataset(**changed: object) -> Dataset:
    ratings = Ratings(USER, MOVIE, STARS, np.arange(len(USER), dtype=np.int64))
    whole = Dataset("small", ratings, USERS, MOVIES, Scale(), "0")
    return replace(whole, **changed)  # type: ignore[arg-type]


def check(block: Block | None, rows: int) -> Block:
    """Return the block, after checking what must be true of every block.

    Each has a final row, float32 and finite values, and one mean and one deviation per column.
    """
    assert block is not None
    assert block.values.shape == (rows + 1, len(block.names))
    assert {each.dtype for each in (block.values, block.mean, block.deviation)} == {np.dtype(np.float32)}
    assert np.isfinite(block.values).all()
    assert block.mean.shape == block.deviation.shape == (len(block.names),)
    return block


class TestDemographics:
    def test_ages_are_scaled_and_unknown_ages_become_the_mean(self) -> None:
        people = features.demographics(USERS)
        assert people is not None
        age = check(people.age, 4)
        deviation = np.std([20, 40, 60])
        assert (age.mean, age.deviation) == (pytest.approx([40]), pytest.approx([deviation]))
        expected = [-20 / deviation, 0, 0, 20 / deviation, 0]
        np.testing.assert_allclose(age.values[:, 0], expected, rtol=1e-6)
        np.testing.assert_allclose(age.encode(np.array([60.0])), expected[3], rtol=1e-6)
        assert age.encode(np.array([np.nan])) == 0

    def test_categories(self) -> None:
        people = features.demographics(USERS)
        assert people is not None
        assert people.gender.values.tolist() == [1, 0, 2, 1, 2]
        assert people.occupation.categories == ("artist", "writer")
        assert people.occupation.values.tolist() == [1, 0, 1, 2, 2]
        assert people.gender.values.dtype == people.occupation.values.dtype == people.age_group.values.dtype == np.int32
        hot = check(people.gender.one_hot(), 4)
        assert hot.names == ("gender F", "gender M")
        assert hot.values.tolist() == [[0, 1], [1, 0], [0, 0], [0, 1], [0, 0]]

    @pytest.mark.parametrize("gender", [("m", " f ", "", "male"), ("M", "Female", "other", "MALE")])
    def test_genders_are_coded_as_in_cleaning(self, gender: tuple[str, ...]) -> None:
        people = features.demographics(replace(USERS, gender=gender))
        assert people is not None
        assert people.gender.values.tolist() == [1, 0, 2, 1, 2]
        assert people.gender.values.dtype == np.int32

    @pytest.mark.parametrize(("age", "group"), [(7, 0), (17, 0), (18, 1), (24, 1), (25, 2), (55, 5), (56, 6), (0, 7)])
    def test_age_groups_are_those_of_ml_1m(self, age: int, group: int) -> None:
        people = features.demographics(replace(USERS, age=numbers(age, 30, 30, 30)))
        assert people is not None
        assert people.age_group.values.tolist() == [group, 2, 2, 2, 7]
        assert len(people.age_group.categories) == 7

    @pytest.mark.parametrize("users", [Users(("1", "2")), Users(("1",), numbers(0), ("",), ("",))])
    def test_unknown_demographics_are_none(self, users: Users) -> None:
        assert features.demographics(users) is None
        with pytest.raises(Problem, match="small does not say the age, gender or occupation of its users; choose"):
            features.demographic_inputs(small_dataset(users=users))

    @pytest.mark.parametrize("known", ["age", "gender", "occupation"])
    def test_one_known_column_is_enough(self, known: str) -> None:
        people = features.demographics(Users(USERS.ids, **{known: getattr(USERS, known)}))
        assert people is not None
        for name, index in (("gender", people.gender), ("occupation", people.occupation)):
            assert ((index.values == len(index.categories)).all()) == (name != known)
        assert people.age.values.any() == (known == "age")


class TestMovies:
    def test_genres_with_unknown_first(self) -> None:
        block = check(features.genres(MOVIES), 3)
        assert block.names == ("unknown", *GENRES)
        assert block.values.tolist() == [[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]]

    def test_year(self) -> None:
        block = check(features.year(MOVIES), 3)
        assert block.values[:, 0].tolist() == [-1, 0, 1, 0]
        assert (block.mean.tolist(), block.deviation.tolist()) == ([1995], [5])
        assert features.year(replace(MOVIES, years=numbers(0, 0, 0))) is None

    def test_a_constant_column_is_not_divided_by_zero(self) -> None:
        block = check(features.year(replace(MOVIES, years=numbers(1999, 1999, 0))), 3)
        assert not block.values.any()
        assert block.encode(np.array([2000])).tolist() == [1]

    @pytest.mark.parametrize("unknown", [np.empty(0, np.int32), numbers(0, 0, 0)])
    def test_month(self, unknown: np.ndarray) -> None:
        index = features.month(MOVIES)
        assert index is not None
        assert index.values.tolist() == [0, 12, 11, 12]
        assert index.values.dtype == np.int32
        assert index.one_hot().names[11] == "month Dec"
        assert features.month(replace(MOVIES, months=unknown)) is None

    def test_directors_with_few_movies_share_an_id(self) -> None:
        bag = features.directors(MOVIES)
        assert bag is not None
        assert bag.names == ("Joel Coen", features.OTHER_DIRECTORS)
        assert bag.ids.tolist() == [0, 1, 0, 1]
        assert bag.offsets.tolist() == [0, 2, 2, 4]
        every = features.directors(MOVIES, least=1)
        assert every is not None
        assert every.names == ("Ann Lee", "Bo Lee", "Ethan Coen", "Joel Coen", features.OTHER_DIRECTORS)
        assert every.ids.tolist() == [3, 2, 3, 0, 1]
        assert every.ids.dtype == every.offsets.dtype == np.int32

    def test_two_directors_with_one_name_stay_separate(self) -> None:
        assert MOVIES.imdb is not None
        namesakes = replace(MOVIES.imdb, director_ids=(("nm1", "nm2"), (), ("nm5", "nm3", "nm4", "nm4")))
        bag = features.directors(replace(MOVIES, imdb=namesakes))
        assert bag is not None
        assert bag.names == (features.OTHER_DIRECTORS,)
        assert bag.ids.tolist() == [0, 0]

    @pytest.mark.parametrize("rows", [[0], [2, 1, 0], [1, 1], [-1, 2, 2], []])
    def test_a_bag_returns_the_ids_of_rows(self, rows: list[int]) -> None:
        bag = features.directors(MOVIES, least=1)
        assert bag is not None
        ids, offsets = bag.take(numbers(*rows))
        bags = [part.tolist() for part in np.split(ids, offsets)[1:]]
        assert bags == [[[3, 2], [], [3, 0, 1], []][row] for row in rows]
        assert ids.dtype == offsets.dtype == np.int32

    def test_imdb(self) -> None:
        block = check(features.imdb(MOVIES), 3)
        assert block.names == ("rating on IMDb", "votes on IMDb", "minutes", "rated on IMDb")
        expected = [[-1, -1, -1, 1], [0, 0, 1, 0], [1, 1, 0, 1], [0, 0, 0, 0]]
        np.testing.assert_allclose(block.values, expected, atol=1e-5)
        np.testing.assert_allclose(block.mean, [7, np.log(np.sqrt(100 * 1000)), 95, 0], rtol=1e-6)

    def test_without_imdb(self) -> None:
        alone = replace(MOVIES, imdb=None)
        assert features.imdb(alone) is None
        assert features.directors(alone) is None


class TestInputs:
    def test_columns_and_their_order(self) -> None:
        inputs = features.demographic_inputs(small_dataset())
        assert inputs.names == (
            "age",
            *("gender F", "gender M"),
            *("occupation artist", "occupation writer"),
            *("unknown", *GENRES),
        )
        columns = inputs.of(numbers(1, -1), numbers(0, 1))
        assert columns.dtype == np.float32
        assert columns.tolist() == [[0, 1, 0, 1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1, 0, 0, 0]]

    @pytest.mark.real
    def test_ml_100k_has_43_inputs(self, datasets_folder: Path) -> None:
        catalogue.get("ml-100k", datasets_folder / "ml-100k.zip")
        dataset = catalogue.load("ml-100k", "none")
        inputs = features.demographic_inputs(dataset)
        assert len(inputs.names) == 43
        assert inputs.names[:5] == ("age", "gender F", "gender M", "occupation administrator", "occupation artist")
        assert inputs.names[23:26] == ("occupation writer", "unknown", "Action")
        assert inputs.names[42] == "Western"
        columns = inputs.of(dataset.ratings.user, dataset.ratings.movie)
        assert columns.shape == (100_000, 43)
        assert (columns[:, 1:3].sum(1) == 1).all()
        assert (columns[:, 3:24].sum(1) == 1).all()
        # The first line of u.data is a rating by user 196, who is 49, male and a writer, of movie 242, a comedy.
        assert [inputs.names[column] for column in np.flatnonzero(columns[0, 1:]) + 1] == [
            "gender M",
            "occupation writer",
            "Comedy",
        ]
        ages = inputs.users.values[:-1, 0]
        assert (ages.mean(), ages.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))
        assert inputs.users.mean[0] == pytest.approx(34.05, abs=0.01)


class TestAverages:
    def test_by_hand(self) -> None:
        users, movies = Averages.of_users(small_dataset()), Averages.of_movies(small_dataset())
        overall = STARS.mean()
        assert users.counts.tolist() == [3, 2, 0, 1, 0]
        expected = [(9 + 5 * overall) / 8, (8 + 5 * overall) / 7, overall, (2 + 5 * overall) / 6, overall]
        np.testing.assert_allclose(users.stars(numbers(0, 1, 2, 3, -1)), expected, rtol=1e-6)
        assert movies.counts.tolist() == [2, 1, 3, 0]
        assert movies.stars(numbers(0))[0] == pytest.approx((9 + 5 * overall) / 7, rel=1e-6)

    def test_an_average_without_one_rating_uses_the_others(self) -> None:
        averages = Averages.of_movies(small_dataset())
        means = averages.stars_without(MOVIE, STARS)
        for row in range(len(STARS)):
            others = small_dataset().with_ratings(np.delete(np.arange(len(STARS)), row))
            rest = replace(Averages.of_movies(others), overall=averages.overall)
            assert means[row] == pytest.approx(rest.stars(MOVIE[[row]])[0], rel=1e-6)

    def test_block(self) -> None:
        block = check(Averages.of_users(small_dataset()).block("user"), 4)
        assert block.names == ("average of user", "ratings of user")
        rated = block.values[[0, 1, 3]]
        np.testing.assert_allclose(rated.mean(0), [0, 0], atol=1e-6)
        np.testing.assert_allclose(rated.std(0), [1, 1], rtol=1e-5)
        assert (block.values[2] == block.values[-1]).all()
        assert block.values[-1, 1] < rated[:, 1].min()


class TestTastes:
    def test_by_hand(self) -> None:
        tastes = features.tastes(small_dataset())
        block = check(tastes.block, 4)
        names = ("unknown", *GENRES)
        what = [f"{kind} of {genre}" for kind in ("ratings", "liking") for genre in names]
        assert block.names == ("average", "ratings", *what)
        raw = block.values * block.deviation + block.mean
        overall = STARS.mean()
        average = (9 + 5 * overall) / 8
        # User 0 gave 5 stars to a movie that is a comedy and a drama, 3 to a movie without a genre, and 1 to a drama.
        counts = np.log1p([1, 1, 2, 0])
        liking = [(3 - average) / 6, (5 - average) / 6, (6 - 2 * average) / 7, 0]
        np.testing.assert_allclose(raw[0], [average, np.log1p(3), *counts, *liking], atol=1e-5)
        np.testing.assert_allclose(raw[-1], [overall, *[0] * 9], atol=1e-5)

    def test_a_folded_in_viewer_is_encoded_as_the_user_was(self) -> None:
        dataset = small_dataset()
        tastes = features.tastes(dataset)
        for user in range(len(USERS)):
            rows = dataset.rows_of(user)
            np.testing.assert_allclose(tastes.encode(MOVIE[rows], STARS[rows]), tastes.block.values[user], atol=1e-5)
        nobody = tastes.encode(np.empty(0, np.int32), np.empty(0, np.float32))
        np.testing.assert_allclose(nobody, tastes.block.values[-1], atol=1e-5)

    def test_columns_are_scaled_over_the_users_who_rated(self) -> None:
        rated = features.tastes(small_dataset()).block.values[[0, 1, 3]]
        np.testing.assert_allclose(rated.mean(0), 0, atol=1e-5)
        assert set(rated.std(0).round(4).tolist()) == {0, 1}  # nobody rated a war movie

    def test_without_ratings_features_are_finite(self) -> None:
        nothing = small_dataset().with_ratings(np.empty(0, np.intp))
        assert np.isfinite(features.tastes(nothing).block.values).all()
        assert Averages.of_users(nothing).stars(numbers(0)).tolist() == [3]


def test_train_features_do_not_depend_on_test_ratings() -> None:
    demo = catalogue.load("demo", "none")
    cut = splits.split(demo, "kfold5-0")
    stars = demo.ratings.stars.copy()
    stars[cut.test] = 1
    changed = replace(demo, ratings=replace(demo.ratings, stars=stars))
    for feature in (
        lambda train: features.tastes(train).block,
        lambda train: Averages.of_users(train).block("user"),
        lambda train: Averages.of_movies(train).block("movie"),
    ):
        one, other = (feature(dataset.with_ratings(cut.train)) for dataset in (demo, changed))
        np.testing.assert_array_equal(one.values, other.values)
        assert (feature(demo).values != one.values).any()


def test_directions_of_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [(row, f"{'heist' if row < 6 else 'space'} {number}", 0.9) for row in range(12) for number in range(3)]
    movies = dataset([0], [0], [3], movies=14).movies
    assert features.tags(movies, 2) is None
    movies = replace(movies, tags=tags_of([*groups, (12, "heist 0", 0.5)], 14))
    block = check(features.tags(movies, 2), 14)
    assert block.names == ("tags 1", "tags 2")
    values = block.values
    np.testing.assert_array_equal(values[13:], 0)  # a movie without tags, and the unknown movie
    np.testing.assert_allclose((values**2).sum(0) / 13, 1, rtol=1e-5)
    one, other = values[:6], values[6:12]
    assert np.ptp(one, 0).max() < 1e-5 > np.ptp(other, 0).max()
    assert abs(one[0] @ other[0]) < 1e-4  # a direction for each group
    assert np.abs(values[12]).max() > 0.1
    monkeypatch.setattr(features, "ROWS_AT_ONCE", 5)
    again = features.tags(movies, 2)
    assert again is not None
    np.testing.assert_allclose(again.values, values, atol=1e-5)
    assert check(features.tags(movies, 99), 14).values.shape[1] <= 6


def test_blocks_side_by_side() -> None:
    both = features.genres(MOVIES).beside(check(features.year(MOVIES), 3))
    assert both.names == ("unknown", *GENRES, "year")
    assert both.encode(np.array([0, 0, 1, 0, 2000])).tolist() == [0, 0, 1, 0, 1]
    check(both, 3)


def test_features_load_neither_torch_nor_pandas() -> None:
    code = "import sys, movietui.data.features, movietui.data.pairs\n"
    code += "print({'torch', 'pandas', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
