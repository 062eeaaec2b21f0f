"""Experiment files: what they may contain, and that nothing is measured twice."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.jobs import experiment_file
from movietui.jobs.experiment_file import MAX_BYTES
from movietui.models.bias import Bias, BiasSettings
from movietui.models.mf import BiasedMF
from movietui.models.settings import setting
from tests.movietui.commands import Run, check_fields, document, refused

EXAMPLE = Path(__file__).parents[2] / "docs" / "experiment.toml"
SMALL = """
seeds = [0]
[metrics]
rating = ["rmse"]
[[datasets]]
name = "demo"
splits = ["random80"]
[[models]]
name = "bias"
"""


@dataclass(frozen=True)
class LaterSettings(BiasSettings):
    """The settings of ``bias`` in a later version, with another default."""

    sweeps: int = setting(2, 1, 200)
    """How many times."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of an experiment file."""
    return tmp_path / "experiment.toml"


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """A list to which every fit adds its model and seed."""
    seen: list[tuple[str, int]] = []
    for kind in (Bias, BiasedMF):
        learn = kind._learn

        def fitted(model, *rest, learn=learn):  # type: ignore[no-untyped-def]
            seen.append((model.name, model.seed))
            return learn(model, *rest)

        monkeypatch.setattr(kind, "_learn", fitted)
    return seen


def test_the_second_time_nothing_is_fitted(run: Run, small: Path, fits: list[tuple[str, int]]) -> None:
    first = document(run("experiment", EXAMPLE, "--json"))
    check_fields(first, "title", "file", "order", "rows", "table", "differences", "datasets")
    assert first["fitted"] == 8
    assert sorted(set(fits)) == [("bias", 0), ("bias", 1), ("mf", 0), ("mf", 1)]
    assert [(row["label"], row["seed"], row["settings"]["sweeps"]) for row in first["rows"]] == [
        ("bias", 0, 12),
        ("bias", 1, 12),
        ("mf, 4 factors", 0, 6),
        ("mf, 4 factors", 1, 6),
    ]
    assert [row["fitted"] for row in first["rows"]] == [["rating", "ranking"]] * 4
    fits.clear()
    second = document(run("experiment", EXAMPLE, "--json"))
    assert fits == []
    assert second["fitted"] == 0
    assert (second["table"], [row["runs"] for row in second["rows"]]) == (
        first["table"],
        [row["runs"] for row in first["rows"]],
    )

    mf = [row["metrics"]["rmse"] for row in first["rows"] if row["model"] == "mf"]
    assert mf[0] != mf[1]
    aggregated = first["table"][1]["metrics"]["rmse"]
    assert aggregated["mean"] == pytest.approx(sum(mf) / 2)
    assert first["table"][1]["protocol"] == "random80"
    assert aggregated["std"] == pytest.approx(abs(mf[0] - mf[1]) / 2**0.5)
    output = run("experiment", EXAMPLE).stdout
    assert re.search(rf"demo +random80 +mf, 4 factors +{aggregated['mean']:.4f} ±{aggregated['std']:.4f} ", output)
    assert "8 evaluations, 0 of them now" in output

    fresh = document(run("experiment", EXAMPLE, "--fresh", "--json"))
    assert fresh["fitted"] == 8
    assert fresh["table"] == first["table"]


def test_only_what_is_missing_is_fitted(run: Run, small: Path, file: Path, fits: list[tuple[str, int]]) -> None:
    file.write_text(SMALL)
    document(run("experiment", file, "--json"))
    fits.clear()
    file.write_text(SMALL.replace("[0]", "[0, 5]") + "[[models]]\nname = 'mf'\nsettings = { sweeps = 1 }\n")
    document(run("experiment", file, "--json"))
    assert fits == [("bias", 5), ("mf", 0), ("mf", 5)]


def test_evaluations_are_those_of_evaluate(run: Run, small: Path, file: Path) -> None:
    file.write_text(SMALL.replace("[metrics]", "[metrics]\nranking = ['ndcg@10']\npair = ['rmse']"))
    (row,) = document(run("experiment", file, "--json"))["rows"]
    for name, task, metric in (
        ("rating rmse", "rating", "rmse"),
        ("ndcg@10", "ranking", "ndcg@10"),
        ("pair rmse", "pair", "rmse"),
    ):
        arguments = ("evaluate", "bias", "--dataset", "demo", "--split", "random80", "--task", task, "--json")
        measured = document(run(*arguments))[0]["metrics"]
        assert row["metrics"][name] == pytest.approx(measured[metric], abs=1e-12)
    runs = {run_["run"]: run_ for run_ in document(run("runs", "list", "--json"))}
    assert {task: runs[number]["task"] for task, number in row["runs"].items()} == {
        task: task for task in ("rating", "ranking", "pair")
    }
    assert {runs[number]["kind"] for number in row["runs"].values()} == {"evaluation"}


def test_folds_are_averaged_and_lists_have_any_length(run: Run, small: Path, file: Path) -> None:
    words = SMALL.replace("rating = ['rmse']", "").replace('["random80"]', '["kfold5-0", "kfold5-1"]')
    file.write_text(words.replace('rating = ["rmse"]', 'ranking = ["ndcg@5"]'))
    report = document(run("experiment", file, "--json"))
    values = [row["metrics"]["ndcg@5"] for row in report["rows"]]
    (line,) = report["table"]
    assert (line["protocol"], line["count"]) == ("kfold5", 2)
    assert line["metrics"]["ndcg@5"]["mean"] == pytest.approx(sum(values) / 2)
    arguments = (
        "evaluate",
        "bias",
        "--dataset",
        "demo",
        "--split",
        "kfold5-1",
        "--task",
        "ranking",
        "--k",
        "5",
        "--json",
    )
    assert document(run(*arguments))[0]["metrics"]["ndcg@5"] == pytest.approx(values[1], abs=1e-12)


def test_a_pinned_file_says_everything_that_could_change(
    run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: list[tuple[str, int]]
) -> None:
    pin = tmp_path / "pinned.toml"
    first = document(run("experiment", EXAMPLE, "--pin", pin, "--json"))
    refused(run("experiment", EXAMPLE, "--pin", pin), "already exists")
    pinned = tomllib.loads(pin.read_text("utf-8"))
    assert pinned["datasets"][0]["data"] == first["datasets"][0]["environment"]["data"]
    assert pinned["models"][0]["settings"] == {"sweeps": 12, "caution": 1.0}
    assert [figure["metrics"] for figure in pinned["figures"]] == [row["metrics"] for row in first["rows"]]
    fits.clear()
    # A later version has other defaults, on which the pinned file does not depend.
    monkeypatch.setattr(Bias, "settings_type", LaterSettings)
    assert document(run("experiment", EXAMPLE, "--json"))["fitted"] == 4
    fits.clear()
    second = document(run("experiment", pin, "--json"))
    assert fits == []
    assert second["table"] == first["table"]
    assert second["differences"] == []
    assert "All figures are those in the file." in run("experiment", pin).stdout
    again = tmp_path / "again.toml"
    run("experiment", pin, "--pin", again)
    assert again.read_text("utf-8") == pin.read_text("utf-8")


def test_a_pinned_file_finds_differences(run: Run, small: Path, tmp_path: Path) -> None:
    pin = tmp_path / "pinned.toml"
    first = document(run("experiment", EXAMPLE, "--pin", pin, "--json"))
    content = pin.read_text("utf-8")
    value = first["rows"][3]["metrics"]["mae"]
    edited = content.replace(str(value), str(value + 0.01), 1).replace('movietui = "', 'movietui = "0.0.')
    pin.write_text(edited, "utf-8")
    (difference,) = document(run("experiment", pin, "--json"))["differences"]
    assert (difference["metric"], difference["label"], difference["seed"]) == ("mae", "mf, 4 factors", 1)
    assert (difference["measured"], difference["expected"]) == (value, value + 0.01)
    output = run("experiment", pin).stdout
    assert f"mae of mf, 4 factors on demo, random80, seed 1: {value:.4f}, but {value + 0.01:.4f} in the file" in output
    assert "The file was pinned by movietui 0.0." in output
    fingerprint = first["datasets"][0]["environment"]["data"]
    pin.write_text(content.replace(fingerprint, "0" * 64), "utf-8")
    refused(
        run("experiment", pin), rf"the ratings of demo changed: .* {fingerprint[:12]}, but 000000000000 in the file"
    )
    pin.write_text(content.replace('imdb = ""', f'imdb = "{"1" * 64}"'), "utf-8")
    refused(run("experiment", pin), "the join with IMDb of demo changed: the fingerprint is empty, but 111111111111")


WRONG = (
    ("seeds = [0", "this is not TOML"),
    (f"{SMALL}\nname = 'x'", "this is not TOML: cannot overwrite"),
    (f"{SMALL}\nx = 1 2\n", "line 11: this is not TOML: expected newline"),
    ("x = " + "[" * 100_000, "nested too deeply|not TOML"),
    (f"x = {'9' * 10_000}", "not TOML"),
    (f"\x00{SMALL}", "not TOML"),
    (f"sedes = [1]\n{SMALL}", r"there is no key 'sedes'; did you mean seeds\?"),
    (f"xyzzy = 1\n{SMALL}", r"no key 'xyzzy'; the keys are title, movietui, order, seeds, metrics"),
    (f"title = 3\n{SMALL}", "title is 3; it must be a text of 1 to 200"),
    (f"title = ''\n{SMALL}", "title is ''; it must be a text"),
    (f"title = '{'x' * 201}'\n{SMALL}", "title is 'xxxx.*…; it must be a text of 1 to 200"),
    (f"order = 'like'\n{SMALL}", r"there is no order 'like'; did you mean likely or liked\?|did you mean liked"),
    (SMALL.replace("[0]", "0"), r"seeds is 0; it must be a list of whole numbers from 0"),
    (SMALL.replace("[0]", "[]"), r"seeds is \[\]; it must be a list"),
    (SMALL.replace("[0]", "[-1]"), r"seeds is \[-1\]; it must be a list"),
    (SMALL.replace("[0]", "[true]"), r"seeds is \[True\]; it must be a list"),
    (SMALL.replace("[0]", "[4294967296]"), r"it must be a list of whole numbers from 0 to 4294967295"),
    (SMALL.replace("[0]", "[1.0]"), r"it must be a list of whole numbers"),
    ("", "metrics is missing"),
    (SMALL.replace('["random80"]', '["latest"]\nsplit_seeds = [0, 1]'), "latest is the same with every split seed"),
    ("metrics = 3", r"metrics is 3; it must be a table: write \[metrics\] on a line"),
    (SMALL.replace("rating = ", "ratings = "), r", metrics: there is no key 'ratings'; did you mean rating\?"),
    (SMALL.replace('rating = ["rmse"]', ""), r'metrics: there are no metrics; write, for example, rating = \["rmse"\]'),
    (
        SMALL.replace('["rmse"]', '["rsme"]'),
        r"metrics: there is no rating metric 'rsme'; did you mean rmse.*\?",
    ),
    (SMALL.replace('["rmse"]', '["ndcg@10"]'), r"no rating metric 'ndcg@10'"),
    (SMALL.replace('["rmse"]', '"rmse"'), r"rating is 'rmse'; it must be a list of texts"),
    (SMALL.replace('["rmse"]', "[1]"), r"rating is \[1\]; it must be a list of texts"),
    (SMALL.replace("[[datasets]]", "[datasets]"), r"write \[\[datasets\]\] on a line for each"),
    (SMALL.replace("[[datasets]]", "[[data]]"), r"there is no key 'data'"),
    (SMALL.replace('name = "demo"', ""), r"\[\[datasets\]\] 1: name is missing"),
    (SMALL.replace('"demo"', '"nowhere"'), r"There is no dataset nowhere"),
    (SMALL.replace('"demo"', '"../x"'), r"cannot be the name of a dataset|no dataset"),
    (SMALL.replace('"demo"', '"demo"\ncleaning = "spotless"'), r"There is no cleaning 'spotless'"),
    (SMALL.replace("splits", "split"), r"\[\[datasets\]\] 1: there is no key 'split'; did you mean"),
    (SMALL.replace('["random80"]', '["random8"]'), r"There is no split 'random8'; did you mean random80 or random90\?"),
    (SMALL.replace('["random80"]', '["random80"]\nsplit_seeds = "0"'), r"split_seeds is '0'; it must be a list"),
    (SMALL.replace('["random80"]', "[]"), r"splits is \[\]; it must be a list of texts"),
    (SMALL.replace('"bias"', '"bais"'), r"\[\[models\]\] 1: There is no model 'bais'; did you mean bias\?"),
    (f'{SMALL}preset = "old"', r"\[\[models\]\] 1: there is no preset 'old'; it is one of tuned, published"),
    (f'{SMALL}preset = "published"', r"\[\[models\]\] 1: None of the five earlier systems has bias"),
    (f"{SMALL}settings = 3", r"\[\[models\]\] 1: settings is 3; it must be a table"),
    (f"{SMALL}settings = {{ depth = 3 }}", r"\[\[models\]\] 1, settings: There is no setting 'depth'"),
    (f"{SMALL}settings = {{ sweeps = 0 }}", r"settings: sweeps=0 is out of range"),
    (f"{SMALL}settings = {{ sweeps = 1.5 }}", r"settings: sweeps='1.5' is not a whole number"),
    (f"{SMALL}settings = {{ sweeps = true }}", r"settings: sweeps='True' is not a whole number"),
    (f"{SMALL}settings = {{ caution = nan }}", r"settings: caution=nan is out of range"),
    (f"{SMALL}settings = {{ sweeps = '3' }}", r"sweeps is '3'; it must be a number, or true or false"),
    (f"{SMALL}settings = {{ sweeps = 1979-05-27 }}", r"sweeps is .*date.*; it must be a number"),
    (f"{SMALL}[[models]]\nname = 'bias'", r"several models are called 'bias'; give each another label"),
    (
        f"{SMALL}[[datasets]]\nname = 'demo'\nsplits = ['u1']",
        r"several are demo, cleaning none; put their splits into one list",
    ),
    (SMALL.replace("[0]", f"{list(range(10_001))}"), "asks for 10,001 evaluations, more than 10,000"),
    (f"{SMALL}[[figures]]\nseed = 1", r"\[\[figures\]\] 1: metrics is missing"),
    (f"{SMALL}[[figures]]\nmetrics = {{ rmse = 'x' }}", r"\[\[figures\]\] 1: dataset is missing"),
)


@pytest.mark.parametrize(("content", "expected"), WRONG)
def test_a_wrong_file_gets_a_sentence(run: Run, small: Path, file: Path, content: str, expected: str) -> None:
    file.write_text(content, "utf-8")
    result = run("experiment", file)
    refused(result, expected)
    assert "experiment.toml" in result.stderr
    assert len(result.stderr) < 400


def test_a_file_that_cannot_be_read_is_a_problem(run: Run, tmp_path: Path) -> None:
    refused(run("experiment", tmp_path / "missing.toml"), "missing.toml cannot be read: No such file")
    refused(run("experiment", tmp_path), "cannot be read: it is a folder|Is a directory")
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    refused(run("experiment", large), "cannot be read: it has more than")
    large.write_bytes(b"\xff\xfe")
    refused(run("experiment", large), "this is not TOML")


def test_any_text_survives_being_pinned(file: Path) -> None:
    for title in ('a "quoted" \\ title', "del \x7f", "émoji 🎬", "tab\tand\nline"):
        file.write_text(SMALL, "utf-8")
        experiment = experiment_file.read(file)
        object.__setattr__(experiment, "title", title)
        pinned = experiment_file.pinned(experiment, "1", [{"data": "0", "imdb": ""}], [])
        assert tomllib.loads(pinned)["title"] == title


def test_an_example_is_complete(file: Path) -> None:
    """The example shows every key that a person writes."""
    words = EXAMPLE.read_text("utf-8")
    keys = "title seeds order metrics datasets cleaning splits split_seeds models label preset settings"
    for key in keys.split():
        assert re.search(rf"\b{key}\b", words), key
    experiment_file.read(EXAMPLE)
    with pytest.raises(Problem):
        experiment_file.read(file)
