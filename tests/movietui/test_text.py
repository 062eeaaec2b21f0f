"""Texts for people, the progress of jobs, and the messages between processes."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from movietui.data.problems import Problem
from movietui.data.safe_text import strip_controls
from movietui.formatting import text
from movietui.formatting.run_progress import progress_text
from movietui.models.choices import CLOSED_FORM
from movietui.protocol.viewers import ViewerRef, profile, user
from movietui.protocol.wire import decode, encode, sentence
from movietui.state.job_progress import JobProgress
from movietui.ui.train.run_table import FACT
from tests.movietui.hostile import TITLES


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [(0.55, 2, ".55"), (-0.55, 2, "-.55"), (1.2, 2, "1.20"), (0, 1, ".0"), (0.999, 2, "1.00"), (10.04, 1, "10.0")],
)
def test_decimals_have_no_leading_zero(value: float, digits: int, expected: str) -> None:
    assert text.decimals(value, digits) == expected


@pytest.mark.parametrize(
    ("value", "short"),
    [(5, "★ 5"), (4.5, "★ 4½"), (0.5, "★ ½"), (0, "★ 0"), (1, "★ 1")],
)
def test_stars_are_written_with_halves(value: float, short: str) -> None:
    assert text.number_of_stars(value) == short


def test_bars_and_dots_show_shares() -> None:
    assert text.bars([0, 1, 4, 8]) == "▁▁▄█"
    assert text.bars([]) == ""
    assert text.bars([0, 0]) == ""
    assert text.dots(0.8) == "●●●●○"
    assert text.dots(-3) == "○○○○○"
    assert text.dots(7) == "●●●●●"


def test_a_thin_bar_has_the_requested_width() -> None:
    assert text.thin_bar(1, 2, 10).plain == "━━━━━─────"
    assert text.thin_bar(5, 2, 10).plain == "━" * 10
    assert text.thin_bar(1, 0, 10).plain == "─" * 10


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_960, "10 kB"),
        (12_000, "12 kB"),
        (999_499, "999 kB"),
        (999_999, "1.0 MB"),
        (4_924_029, "4.9 MB"),
        (999_999_999, "1.0 GB"),
        (3_200_000_000, "3.2 GB"),
    ],
)
def test_a_size_has_a_fitting_unit(count: float, expected: str) -> None:
    assert text.size(count) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (42.4, "42 s"), (61, "1 min 1 s"), (119.7, "2 min 0 s")],
)
def test_a_duration_has_fitting_units(seconds: float, expected: str) -> None:
    assert text.duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(2.46, "2.5 s"), (42.4, "42 s"), (59.6, "1m 0s"), (485, "8m 5s"), (3599, "59m 59s"), (86_340, "23h 59m")],
)
def test_a_short_duration_fits_its_column(seconds: float, expected: str) -> None:
    assert text.short_duration(seconds) == expected
    assert len(expected) < FACT["fit"].cells


def test_counts_and_people_are_described() -> None:
    assert [text.plural(count, "rating") for count in (0, 1, 1204)] == ["0 ratings", "1 rating", "1,204 ratings"]
    assert text.person({"age": 28, "gender": "M", "occupation": "writer"}) == "28 M writer"
    assert text.person({"age": 0, "gender": "", "occupation": ""}) == ""
    assert text.person({"age": 7}) == " 7"


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_fitted_fills_the_width(title: str) -> None:
    for width in (1, 2, 3, 7, 30, 80):
        for right in (False, True):
            assert text.fitted(strip_controls(title), width, right=right).cell_len == width


@pytest.mark.parametrize("title", ["Fargo", "The Usual Suspects", "七人の侍 Seven Samurai", "é" * 30, "[b]x[/b]", ""])
@pytest.mark.parametrize("right", [False, True])
def test_cut_fills_the_width(title: str, right: bool) -> None:
    for width in range(1, 24):
        cut = text.cut(title, width, right=right)
        assert cell_len(cut) == width
        whole = cell_len(title) <= width
        assert (cut.strip() == title) if whole else cut.endswith("…")


def test_cut_puts_numbers_to_the_right() -> None:
    assert text.cut("12", 5, right=True) == "   12"
    assert text.cut("12", 5) == "12   "
    assert text.cut("12", 0) == ""


def test_fitted_to_no_width_is_empty() -> None:
    assert text.fitted("Fargo", 0).plain == ""


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab[]/漢字é★😀 ½"), max_size=60), st.integers(1, 50))
def test_fitted_keeps_the_beginning(content: str, width: int) -> None:
    drawn = text.fitted(content, width)
    assert drawn.cell_len == width
    assert content.startswith(drawn.plain.rstrip().removesuffix("…").rstrip())


def test_fitted_leaves_its_argument_alone_and_keeps_styles() -> None:
    styled = Text("abcdef", "bold")
    assert text.fitted(styled, 3).plain == "ab…"
    assert styled.plain == "abcdef"
    assert text.fitted(styled, 8).style == "bold"


@pytest.mark.parametrize(
    ("rate", "left", "expected"),
    [
        (3.1e6, 72.0, "3.1 MB/s, 1 min 12 s left"),
        (900.0, None, "900 B/s"),
        (0.0, None, ""),
    ],
)
def test_a_pace_is_the_speed_and_the_time_left(rate: float, left: float | None, expected: str) -> None:
    assert text.pace(rate, left) == expected


# Jobs


def stage(name: str, done: float = 0, total: float = 0, unit: str = "", note: str = "", finished: bool = False) -> dict:
    return {
        "event": "stage",
        "name": name,
        "done": done,
        "total": total,
        "unit": unit,
        "note": note,
        "finished": finished,
        "rate": 2e6,
        "seconds_left": None if finished else 8.0,
    }


def epoch(number: int, phase: str = "curve", of: int = 5) -> dict:
    return {"event": "epoch", "phase": phase, "epoch": number, "of": of, "train_loss": 0.5, "validation_loss": 0.6}


def test_each_stage_is_kept_once_with_its_last_event() -> None:
    progress = JobProgress("get ml-100k", {})
    for event in (stage("Downloading", 10, 100, "bytes"), stage("Downloading", 100, 100, "bytes"), stage("Reading")):
        progress = progress.after(event)
    assert [one["name"] for one in progress.stages] == ["Downloading", "Reading"]
    assert progress.stages[0]["done"] == 100
    assert progress.step == "Reading"
    assert progress.after(stage("Cleaning", note="rule 7 of 12")).step == "rule 7 of 12"


def test_the_curve_is_that_of_the_first_phase() -> None:
    progress = JobProgress("train mf", {})
    for event in (epoch(1), epoch(2), epoch(1, "measure"), epoch(1, "serve")):
        progress = progress.after(event)
    assert [point["epoch"] for point in progress.curve] == [1, 2]
    assert progress.step == "training on all ratings"


def test_a_fit_with_stages_has_no_epochs() -> None:
    progress = JobProgress("train blend", {}).after(epoch(2) | {"stage": "item-knn"})
    assert progress.reached == "stage 2 of 5"
    assert progress.after(epoch(1, of=1) | {"stage": CLOSED_FORM}).reached == ""
    stored = {"phase": "curve", "epoch": 1, "of": 1, "left": None, "unit": "stage"}
    assert progress_text(stored) == "learning"
    assert progress_text(stored | {"of": 6, "left": 60.0}) == "learning, stage 1 of 6, 1 min 0 s left"


def test_an_event_does_not_change_the_previous_progress() -> None:
    before = JobProgress("train mf", {})
    before.after(epoch(1))
    assert (before.curve, before.done) == ((), 0)


def test_other_events_change_nothing() -> None:
    progress = JobProgress("x", {}, step="reading")
    assert progress.after({"event": "done", "result": {}}) is progress


def inside(name: str, done: int = 0, total: int = 0, note: str = "", rate: float = 0.0) -> dict:
    return stage(name, done, total, "ratings", note) | {"event": "inside", "rate": rate}


def test_the_progress_of_a_fit_is_shown_between_its_epochs() -> None:
    progress = JobProgress("train ncf", {}).after(stage("Reading", 5, 5, "files"))
    progress = progress.after(inside("similarities"))
    assert (progress.step, progress.reached, progress.total) == ("learning", "similarities", 0)
    progress = progress.after(inside("ratings", 300, 1200, "epoch 1 of 5", 98_765.4))
    assert progress.reached == "epoch 1 of 5, 25% · 98,765 ratings/s"
    progress = progress.after(epoch(1))
    assert progress.reached == "epoch 1 of 5"
    progress = progress.after(inside("ratings", 600, 1200, "epoch 2 of 5", 100.0))
    assert (progress.reached, progress.done, len(progress.curve)) == ("epoch 2 of 5, 50% · 100 ratings/s", 1, 1)


def test_progress_is_described() -> None:
    progress = JobProgress("x", {}, phase="curve", phase_began=100.0, now=104.0, done=3, total=5, unit="epoch")
    assert progress.seconds_left == pytest.approx(4.0)
    assert progress.reached == "epoch 3 of 5, 4.0 s left"
    assert JobProgress("x", {}, done=1, total=5, unit="epoch").reached == "epoch 1 of 5"
    assert JobProgress("x", {}, done=2e6, total=5e6, unit="bytes").reached == "2.0 MB of 5.0 MB"
    assert JobProgress("x", {}, done=2e6, unit="bytes").reached == "2.0 MB"
    downloading = JobProgress("x", {}).after(stage("Downloading", 2e6, 5e6, "bytes"))
    assert (downloading.seconds_left, downloading.reached) == (8.0, "2.0 MB of 5.0 MB, 8.0 s left")
    assert downloading.after(stage("Cleaning", 1, 5, "rules", finished=True)).seconds_left is None
    assert JobProgress("x", {}, done=1200, total=5000, unit="lines").reached == "1,200 of 5,000 lines"
    assert JobProgress("x", {}).reached == ""


# The pipe


def test_a_message_is_one_line() -> None:
    for title in (*TITLES, "line\u2028separator\x85and\x0bmore"):
        line = encode({"title": title})
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert decode(line) == {"title": title}


def test_only_a_json_object_is_a_message() -> None:
    for line in (b"[1]\n", b"7\n"):
        with pytest.raises(ValueError, match="JSON object"):
            decode(line)
    with pytest.raises(json.JSONDecodeError):
        decode(b"no json\n")
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"stars": math.nan})


def test_an_error_becomes_a_sentence() -> None:
    assert sentence(Problem("There is no user 7.")) == "There is no user 7."
    assert "Not enough memory" in sentence(MemoryError())
    try:
        _ = {}["missing"]  # type: ignore[var-annotated]
    except KeyError as error:
        expected = sentence(error)
    assert "KeyError" in expected
    assert "test_text.py:" in expected
    assert "\n" not in expected


# Viewers


def test_profiles_and_users_are_different_viewers() -> None:
    assert profile("anna") == ViewerRef("profile", "anna")
    assert profile("anna").label == "anna"
    assert user("7", "demo").label == "user 7"
    assert len({profile("7"), user("7", "demo"), user("7", "ml-1m")}) == 3
