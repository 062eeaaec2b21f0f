"""Settings as text: switches are yes or no for people, and only differing settings are named."""

import doctest
import json

from movietui.formatting import settings
from movietui.formatting.run_files import FORMATS
from movietui.formatting.settings import differing, settings_text
from movietui.store.ratings import Store
from movietui.store.runs import Runs
from tests.movietui.commands import Run, document


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(settings).attempted
    assert not doctest.testmod(settings).failed


def test_a_queued_run_counts_with_what_was_typed_and_without_what_it_lacks() -> None:
    runs = [
        (1, "mf", {"factors": 10, "caution": 2.0, "tags": True}),
        (2, "mf", {"factors": "10", "tags": "no"}),
        (3, "mf", {"factors": "010", "caution": "2"}),
        (4, "bias", {"factors": 7}),
    ]
    assert differing(runs) == {1: "tags yes", 2: "tags no", 3: "", 4: ""}


def test_people_read_yes_and_no_and_programs_true_and_false(store: Store, run: Run) -> None:
    number = store.start_run("bayes", "demo", "none", "u1", 0, {"features": True, "tags": 0, "imdb": False})
    store.end_run(number, "done", metrics={"rmse": 0.9})
    whole = Runs(store).whole(number)
    assert "features=yes tags=0 imdb=no" in run("runs", "show", number).output
    assert document(run("runs", "show", number, "--json"))["settings"] == {"features": True, "tags": 0, "imdb": False}
    assert json.loads(FORMATS["json"]([whole]))[0]["settings"]["features"] is True
    assert "features=yes" in FORMATS["csv"]([whole])
    assert settings_text({"rate": 0.123456789, "on": True}) == "rate=0.123456789 on=yes"
    other = store.start_run("bayes", "demo", "none", "u1", 0, {"features": False, "tags": 0, "imdb": False})
    store.end_run(other, "done", metrics={"rmse": 0.8})
    shown = run("runs", "compare", number, other).output
    assert [line.split() for line in shown.splitlines() if line.startswith("features")] == [["features", "yes", "no"]]
