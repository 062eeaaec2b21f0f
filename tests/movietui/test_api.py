"""What ``import movietui`` offers to Python programs, and the notebook that shows it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import movietui as mt
from movietui.data.dataset import Dataset, Ints
from movietui.jobs.evaluate import EvaluateRequest
from movietui.jobs.evaluate import evaluate as evaluate_job
from movietui.models.settings import describe
from movietui.protocol import code_path
from movietui.store.ratings import Store
from tests.models.builders import tastes

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def demo(ready: Path) -> Dataset:
    return mt.load("demo")


@pytest.fixture
def bias(demo: Dataset) -> mt.Recommender:
    return mt.Recommender("bias", sweeps=3).fit(demo)


class MostRated:
    """A model that is not one of ours."""

    def fit(self, train: Dataset) -> None:
        self.counts = train.counts

    def score(self, users: Ints, movies: Ints) -> Any:
        return self.counts[movies]


def test_importing_movietui_imports_nothing_heavy_until_a_name_is_used() -> None:
    code = (
        "import sys, movietui; before = {*sys.modules}; movietui.load; print('numpy' in before, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=code_path.environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_every_public_name_exists_and_is_documented() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    for name in mt.__all__:
        assert getattr(mt, name) is not None
        assert name in dir(mt)
        assert f"`{name}" in text
    with pytest.raises(AttributeError, match="nothing"):
        _ = mt.nothing


def test_a_split_has_the_rows_of_the_command_line(demo: Dataset) -> None:
    train, test = mt.split(demo, "random80", seed=3)
    assert (len(train.ratings), len(test.ratings)) == (22_404, 5_601)
    again = mt.split(demo, "random80")
    assert not np.array_equal(test.ratings.movie, again.test.ratings.movie)


def test_recommended_movies_have_the_ids_of_the_data_and_are_unseen(demo: Dataset, bias: mt.Recommender) -> None:
    listed = bias.recommend("12", k=5)
    assert [*listed["rank"]] == [1, 2, 3, 4, 5]
    assert set(listed) == {"rank", "movie", "title", "year", "stars", "uncertainty", "score"}
    rows = [demo.movies.row[movie] for movie in listed["movie"]]
    assert [demo.movies.titles[row] for row in rows] == [*listed["title"]]
    assert not {*rows} & {*demo.ratings_of(demo.users.row["12"]).movie.tolist()}
    pd.testing.assert_frame_equal(bias.recommend(12, k=5), listed)
    several = bias.recommend(np.asarray([12, 13]), k=5)
    assert [*several["user"]] == ["12"] * 5 + ["13"] * 5
    assert [*several["movie"][:5]] == [*listed["movie"]]


def test_somebody_new_is_folded_in(demo: Dataset, bias: mt.Recommender) -> None:
    movie = demo.movies.ids[4]
    generous, strict = (bias.recommend(ratings={movie: stars}, k=400) for stars in (5, 1))
    assert movie not in [*generous["movie"]]
    assert generous["stars"].mean() > strict["stars"].mean()


def test_predictions_are_those_of_the_model(demo: Dataset, bias: mt.Recommender) -> None:
    predicted = bias.predict(["3", 4], [demo.movies.ids[7], demo.movies.ids[0]])
    rows = np.asarray([demo.users.row["3"], demo.users.row["4"]], np.int32)
    np.testing.assert_array_equal(predicted, bias.model.predict(rows, np.asarray([7, 0], np.int32)))


def test_figures_are_those_of_the_command_line(demo: Dataset, store: Store) -> None:
    request = EvaluateRequest(["bias"], "demo", ["random80"], settings={"sweeps": "3"}, seeds=[2], split_seeds=[1])
    recommender = mt.Recommender("bias", sweeps=3, seed=2).fit(demo)
    measured = mt.evaluate(recommender, demo, "random80", split_seed=1)
    assert measured.metrics == evaluate_job(store, request)[0]["metrics"]
    assert (measured.settings, measured.seed) == ("own", 2)
    assert len(recommender.model.parameters["counts"]) == 392  # the model fitted before is still there
    assert recommender.model.counts.sum() == len(demo.ratings)


def test_an_object_of_ones_own_is_measured_like_our_models(demo: Dataset) -> None:
    scored = mt.evaluate(MostRated(), demo, "random80", "ranking")
    ours = mt.evaluate("popularity", demo, "random80", "ranking", order="likely")
    left_out = {"believed@10", "inverted@10"}
    assert scored.metrics == {name: value for name, value in ours.metrics.items() if name not in left_out}
    assert (scored.model, scored.settings, scored.order) == ("MostRated", "own", "likely")
    difference = mt.compare(scored, ours)
    assert difference.value == 0
    rated = mt.evaluate(MostRated(), demo, "random80")
    assert rated.metrics["rmse"] > 1  # numbers of ratings are not stars, and are clipped to the scale


def test_lists_have_any_length_and_threshold(demo: Dataset) -> None:
    """The threshold moves the figures; the object of one's own is measured like our model."""
    by_length = mt.evaluate("popularity", demo, "random80", "ranking", k=[3, 7], relevant=2.5).metrics
    assert {"ndcg@3", "recall@7", "ndcg@3_margin"} <= {*by_length}
    assert "ndcg@10" not in by_length
    assert by_length["hit@3"] > mt.evaluate("popularity", demo, "random80", "ranking", k=3).metrics["hit@3"]
    result = mt.evaluate(MostRated(), demo, "random80", "ranking", k=3).metrics
    assert {"ndcg@3", "hit@3"} <= {*result}


def test_objects_are_shown_in_one_short_line(demo: Dataset, bias: mt.Recommender) -> None:
    assert repr(demo) == "demo: 28,005 ratings of 392 movies by 400 users"
    assert repr(mt.Recommender("mf", factors=4, seed=1)) == "Recommender('mf', factors=4, seed=1)"
    assert repr(bias) == f"Recommender('bias', sweeps=3), fitted on {demo!r}"
    measured = repr(mt.evaluate("popularity", demo, "random80"))
    assert measured.startswith("popularity on random80 of demo: rmse ")
    assert "array" not in measured
    assert repr(mt.MODELS).startswith("21 models: popularity, bias, mf,")
    movies = replace(demo.movies, unrated=12)
    assert repr(replace(demo, movies=movies)).endswith(
        "28,005 ratings of 380 movies by 400 users, and 12 unrated movies"
    )


def test_files_are_read_from_a_path_as_text(home: Path, tmp_path: Path) -> None:
    lines = [f"{user},{item},{10 * (1 + (user * item) % 10)}" for user in range(6) for item in range(6)]
    (tmp_path / "mine.csv").write_text("\n".join(["who,what,how", *lines]), encoding="utf-8")
    got = mt.get("mine", str(tmp_path / "mine.csv"), columns=["who", "what", "how", "-"], scale="0..100")
    assert (got.ratings, got.users) == (36, 6)
    assert str(mt.load("mine").ratings_scale).startswith("0 to 100")


def test_an_object_of_ones_own_cannot_be_measured_on_new_users(demo: Dataset) -> None:
    with pytest.raises(
        mt.Problem, match=r"MostRated cannot fold in new users, so it cannot be measured on this split\."
    ):
        mt.evaluate(MostRated(), demo, "new-users", "ranking")


class Short(MostRated):
    def score(self, users: Ints, movies: Ints) -> Any:
        return [1.0]


class NotANumber(MostRated):
    def score(self, users: Ints, movies: Ints) -> Any:
        return np.full(len(movies), np.nan)


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (lambda mt, data, bias: mt.load("dem"), r"There is no dataset dem; did you mean demo\?"),
        (lambda mt, data, bias: mt.load(3), "name of a dataset must be text; it is of the type int"),
        (lambda mt, data, bias: mt.split(data, "random8"), "did you mean random80"),
        (lambda mt, data, bias: mt.split("demo"), r"must come from load\(\) or from_frame\(\); it is of the type str"),
        (lambda mt, data, bias: mt.Recommender("bais"), r"There is no model 'bais'; did you mean bias\?"),
        (lambda mt, data, bias: mt.Recommender(bias), "name of a model must be text"),
        (lambda mt, data, bias: mt.Recommender("mf", factor=3), r"no setting 'factor'; did you mean factors\?"),
        (lambda mt, data, bias: mt.Recommender("mf", factors=1.5), "is not a whole number"),
        (lambda mt, data, bias: mt.Recommender("mf", factors=10**9), "out of range"),
        (lambda mt, data, bias: mt.Recommender("ease", published=True), "None of the five earlier systems has ease"),
        (lambda mt, data, bias: mt.Recommender("mf").recommend("1"), r"is not fitted yet; call fit\(train\) first"),
        (lambda mt, data, bias: mt.Recommender("mf").model, "is not fitted yet"),
        (lambda mt, data, bias: mt.Recommender("mf").fit(data.ratings), "must come from load"),
        (lambda mt, data, bias: bias.recommend("x99"), "demo has no user x99"),
        (lambda mt, data, bias: bias.recommend(), "either the ids of users or ratings"),
        (lambda mt, data, bias: bias.recommend(1.5), "of the type float"),
        (lambda mt, data, bias: bias.recommend([["1"]]), r"among the users is \['1'\]"),
        (lambda mt, data, bias: bias.recommend("1", k=0), "k is the number of movies"),
        (lambda mt, data, bias: bias.recommend("1", order="best"), "no order 'best'"),
        (lambda mt, data, bias: bias.recommend(ratings=[5]), "stars by the id of the movie"),
        (lambda mt, data, bias: bias.recommend(ratings={"x99": 5}), "no movie with the id x99"),
        (lambda mt, data, bias: bias.recommend(ratings={"1": 6}), "give 1 to 5 stars"),
        (lambda mt, data, bias: bias.recommend(ratings={"1": float("nan")}), "give 1 to 5 stars"),
        (lambda mt, data, bias: bias.predict(["1"], ["1", "2"]), "1 users for 2 movies"),
        (lambda mt, data, bias: bias.predict("12", ["1"]), "must be a list of ids"),
        (lambda mt, data, bias: mt.evaluate(MostRated, data), r"is a class; pass an object of it"),
        (lambda mt, data, bias: mt.evaluate(3, data), "int lacks fit and score"),
        (lambda mt, data, bias: mt.evaluate("mf", "demo"), "must come from load"),
        (lambda mt, data, bias: mt.evaluate("mf", data, task="rate"), "no task 'rate'"),
        (lambda mt, data, bias: mt.evaluate("mf", data, k=5), 'evaluate them with task="ranking"'),
        (lambda mt, data, bias: mt.evaluate("mf", data, task="ranking", k=[5, 0]), "0 is not"),
        (lambda mt, data, bias: mt.evaluate("mf", data, task="ranking", relevant="4"), "more than 0, not '4'"),
        (lambda mt, data, bias: mt.evaluate("mf", data, task="ranking", k=5.0), "5.0 is not"),
        (lambda mt, data, bias: mt.evaluate("mf", data, task="ranking", k=None), "None is not"),
        (lambda mt, data, bias: mt.evaluate("mf", data, task="ranking", order="best"), "no order 'best'"),
        (lambda mt, data, bias: mt.evaluate("mf", data, 5), "name of a split must be text"),
        (lambda mt, data, bias: mt.evaluate("mf", data, split_seed="a"), "A seed is a whole number, .* not 'a'"),
        (lambda mt, data, bias: mt.split(data, 5), "name of a split must be text"),
        (lambda mt, data, bias: mt.split(data, seed=-1), "A seed is a whole number, .* not -1"),
        (lambda mt, data, bias: mt.Recommender("mf", seed="a"), "A seed is a whole number"),
        (lambda mt, data, bias: bias.recommend("1", order=["likely"]), "no order \\['likely'\\]"),
        (lambda mt, data, bias: mt.compare(bias, 5), "needs two evaluations, .* of the type Recommender"),
        (lambda mt, data, bias: mt.get("mine", 5), "path must be text or a Path"),
        (lambda mt, data, bias: mt.get(5), "name of a dataset must be text"),
        (lambda mt, data, bias: mt.evaluate(Short(), data), "return one number for each pair"),
        (lambda mt, data, bias: mt.evaluate(NotANumber(), data), "returned NaN or infinity"),
    ],
)
def test_errors_of_use_are_sentences(demo: Dataset, bias: mt.Recommender, use: Any, sentence: str) -> None:
    with pytest.raises(mt.Problem, match=sentence) as caught:
        use(mt, demo, bias)
    assert str(caught.value)[-1] in ".?"
    assert "\n" not in str(caught.value)


def test_no_setting_has_the_name_of_another_argument() -> None:
    for kind in mt.MODELS.values():
        assert not {"name", "published", "seed", "self"} & {field.name for field in describe(kind.settings_type)}


def test_a_model_of_ours_can_be_passed_itself() -> None:
    dataset = tastes(users=60, movies=40)[0]
    model = mt.MODELS["bias"]()
    assert mt.evaluate(model, dataset, "random80").metrics == mt.evaluate("bias", dataset, "random80").metrics
    assert model.parameters == {}


FRAME = pd.DataFrame(
    {
        "user": ["b", "a", 7, "b"] * 10,
        "Movie ID": [f"m{number % 13}" for number in range(40)],
        "stars": [5.0, 3.0, 1.0, 4.0] * 10,
        "title": [f"Movie\x1b[31m {number % 13}" for number in range(40)],
    }
)


def test_a_table_becomes_a_dataset_with_its_ids() -> None:
    data = mt.from_frame(FRAME.set_index("title", drop=False), "mine")
    assert (data.name, len(data.ratings), data.cleaning) == ("mine", 40, "none")
    assert [data.users.ids[row] for row in data.ratings.user[:4]] == ["b", "a", "7", "b"]
    assert [data.movies.ids[row] for row in data.ratings.movie] == [*FRAME["Movie ID"]]
    assert data.movies.titles[3] == "Movie 3"
    assert [*data.ratings.stars[:4]] == [5, 3, 1, 4]
    assert (data.scale.low, data.scale.high, data.scale.step) == (1.0, 5.0, 1.0)
    assert data.fingerprint != mt.from_frame(FRAME.replace({"user": {"a": "c"}}), "mine").fingerprint
    listed = mt.Recommender("popularity").fit(data).recommend("7", k=1)
    assert listed["movie"][0] not in [*FRAME["Movie ID"][2::4]]
    percent = mt.from_frame(FRAME.assign(stars=FRAME["stars"] * 20), scale="0..100")
    assert str(percent.ratings_scale).startswith("0 to 100")
    assert mt.from_frame(FRAME.drop(columns="stars")).implicit


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        ([1], "needs a pandas table, not a list"),
        (
            FRAME.drop(columns="user"),
            r"needs a column user and a column item; its columns are Movie ID, stars, title\.",
        ),
        (FRAME.head(0), "at least one row"),
        (FRAME.assign(user=None), "Every row must have a user"),
        (FRAME.assign(stars=["x"] + [3] * 39), "The table cannot be read: the rating .x. is not a number"),
        (FRAME.assign(stars="x"), "40 of 40 rows"),
    ],
)
def test_a_table_that_is_no_dataset_is_refused(frame: Any, sentence: str) -> None:
    with pytest.raises(mt.Problem, match=sentence):
        mt.from_frame(frame)


# The notebook

NOTEBOOK = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
CELLS = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_stored_without_results() -> None:
    assert CELLS
    assert [cell for cell in CELLS if cell["outputs"] or cell["execution_count"] is not None] == []


def test_the_notebook_runs(home: Path, tmp_path: Path) -> None:
    """The cells run as one program that shows the value of each expression, as a notebook does.

    A real kernel would add some twenty packages to the tests and check nothing more, because no cell needs a kernel.
    """
    cells = ["".join(cell["source"]) for cell in CELLS]
    show = "exec(compile(ast.Interactive(ast.parse(cell).body), f'cell {number}', 'single'))"
    program = f"import ast\nfor number, cell in enumerate({cells!r}, 1):\n    {show}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=code_path.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "There is no setting 'factor'; did you mean factors?" in done.stdout
    assert "MostRated on random80 of demo: ndcg@10" in done.stdout
