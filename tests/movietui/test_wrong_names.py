"""A wrong name in a command or in ``config.toml`` leads to one sentence, with the name that was probably meant."""

from pathlib import Path

import pytest

from movietui.ui import keymap
from tests.movietui.commands import Run, refused

DEMO = ("--dataset", "demo")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("data", "show", "dmo"), r"There is no dataset dmo; did you mean demo\? To use your own, run"),
        (("recommend", "--user", 1, "--dataset", "dmo"), r"There is no dataset dmo; did you mean demo\?"),
        (("recommend", "--profile", "ana", *DEMO), r"There is no profile 'ana'; did you mean anna\?"),
        (("export", "--profile", "anan", "--format", "csv", "--output", "x.csv"), r"did you mean anna\?"),
        (("recommend", "--user", "4000", *DEMO), r"demo has no user 4000; did you mean 400"),
        (("recommend", "--user", 1, "--model", "bais", *DEMO), r"There is no model 'bais'; did you mean bias\?"),
        (
            ("recommend", "--user", 1, "--filter", "+Comdey", *DEMO),
            r"no genre 'Comdey'; did you mean Comedy\?",
        ),
        (("train", "itemknn", *DEMO), r"There is no model 'itemknn'; did you mean item-knn\?"),
        (("train", "mf", "--split", "randm80", *DEMO), r"There is no split 'randm80'; did you mean random80"),
        (("train", "mf", "--set", "factor=3", *DEMO), r"There is no setting 'factor'; did you mean factors\?"),
        (("train", "mf", "--cleaning", "standad", *DEMO), r"There is no cleaning 'standad'; did you mean standard\?"),
        (("data", "clean", "demo", "--cleaning", "standard +no-gener"), r"did you mean \+no-genre\?"),
        (("runs", "prune", "--keep", 1, "--metric", "rmes"), r"No run has the metric 'rmes'; did you mean rmse"),
        (("rate", "--profile", "anna", "The Godfather (1973)", 4, *DEMO), r"did you mean The Godfather \(1972\)"),
        (("list", "--profile", "ana"), r"There is no profile 'ana'; did you mean anna\?"),
    ],
)
def test_a_wrong_name_is_refused_with_a_suggestion(
    run: Run, ready: Path, arguments: tuple[object, ...], expected: str
) -> None:
    run("rate", "--profile", "anna", "Alien", 5, *DEMO)
    refused(run(*arguments), expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("recommend", "--user", 1, "--order", "lked"), r"'--order': 'lked' does not exist; did you mean liked\?"),
        (("recommend", "--user", 1, "--order", "xyzzy"), r"'--order': 'xyzzy' is not one of"),
        (("recommend", "--user", 1, "--together", "averge"), r"did you mean average\?"),
        (("evaluate", "mf", "--task", "rankin"), r"did you mean ranking\?"),
        (("export", "--profile", "a", "--output", "x", "--format", "letterbox"), r"did you mean letterboxd\?"),
        (("import", "x.csv", "--profile", "a", "--column", "titel=Name"), r"did you mean title\?"),
        (("import", "x.csv", "--profile", "a", "--as", "sen"), r"not 'sen'; did you mean seen\?"),
    ],
)
def test_a_wrong_choice_is_refused_with_a_suggestion(
    run: Run, home: Path, arguments: tuple[object, ...], expected: str
) -> None:
    refused(run(*arguments), expected, 2)


def test_a_wrong_filter_for_runs_gets_a_suggestion(run: Run, ready: Path) -> None:
    assert "There is no run with dataset dmo; did you mean demo?" in run("runs", "list", "--dataset", "dmo").stdout
    assert "There is no run with model xyzzy; movietui train starts" in run("runs", "list", "--model", "xyzzy").stdout


def test_a_wrong_key_binding_gets_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[keys]\n"browse.surprize" = "x"\n')
    (problem,) = keymap.read(path).problems
    assert problem.endswith("there is no key binding 'browse.surprize'; did you mean surprise?"), problem
