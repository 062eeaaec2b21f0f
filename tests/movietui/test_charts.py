"""Charts and tables in files: round ticks, and text that is shown literally."""

import doctest
from xml.etree import ElementTree

import pytest

from movietui.formatting import charts, escaping, evaluations
from movietui.formatting.cell_tables import as_csv, as_latex, as_markdown
from movietui.formatting.charts import Figure, Line, curves, figure_chart, line_chart, ticks

HOSTILE = '</text><script>&"\x1b[31m\\input{x}$_%#~^|'


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


@pytest.mark.parametrize("module", [charts, escaping, evaluations])
def test_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.8787, 0.8793), (-3, 250), (1e-9, 1e-8), (5, 5), (1, 12), (0.1, 0.30000000000000004)]
)
def test_ticks_are_few_round_numbers_inside_the_range(low: float, high: float) -> None:
    marks = ticks(low, high)
    assert 1 <= len(marks) <= 6
    assert all(low - 1e-9 <= mark <= high + 1e-9 for mark in marks)
    assert all(len(f"{mark:g}") <= 8 for mark in marks)


def test_text_in_charts_is_literal() -> None:
    lines = line_chart(HOSTILE, HOSTILE, HOSTILE, [[Line(HOSTILE, [(1, 2), (2, 1)])]])
    figures = figure_chart(HOSTILE, HOSTILE, {HOSTILE: [Figure(HOSTILE, 1, 0.1)]})
    for drawn in (lines, figures):
        assert "\x1b" not in drawn
        assert "<script" not in drawn
        assert any("</text><script>" in words for words in texts(drawn))


def test_charts_of_nothing_and_of_one_point() -> None:
    assert "There are no curves." in texts(line_chart("Loss", "epoch", "loss", []))
    one = ElementTree.fromstring(line_chart("Loss", "epoch", "loss", [[Line("a", [(1, 2.0)])]]))
    assert sum(element.tag.endswith("circle") for element in one.iter()) == 1
    assert texts(figure_chart("RMSE", "rmse", {})) == ["There are no figures."]
    equal = figure_chart("RMSE", "rmse", {"u": [Figure("a", 0.0), Figure("b", 0.0)]})
    assert "nan" not in equal


def test_the_stages_of_a_blend_are_not_drawn_as_a_curve() -> None:
    epoch = {"epoch": 1, "train_loss": 0.8, "validation_loss": 0.9}
    runs = [
        {"run": 1, "model": "mf", "dataset": "demo", "curve": [epoch]},
        {"run": 2, "model": "blend", "dataset": "demo", "curve": [{**epoch, "stage": "bayes"}]},
    ]
    drawn = " ".join(texts(curves(runs)))
    assert "run 1, mf on demo" in drawn
    assert "run 2" not in drawn


def test_epochs_are_whole_numbers() -> None:
    marks = texts(line_chart("Loss", "epoch", "loss", [[Line("a", [(1, 0.1), (2, 0.2)])]]))
    assert {"1", "2"} <= {*marks}
    assert "1.2" not in marks


def test_tables_escape_text_and_align_numbers() -> None:
    cells = [["name", "rmse", "n"], ["a_b & 5%", 0.87654321, 12], [HOSTILE, None, "-3 ± 1"]]
    latex = as_latex(cells)
    assert latex.splitlines()[0] == r"\begin{tabular}{lrr}"
    assert r"a\_b \& 5\% & 0.8765 & 12 \\" in latex
    assert r"\input" not in latex
    assert "&  & $-$3 $\\pm$ 1" in latex
    assert r"\textbackslash{}input\{x\}\$\_\%\#\textasciitilde{}\textasciicircum{}\textbar{}" in latex
    assert "0.87654321" in as_csv(cells)
    lines = as_markdown(cells).splitlines()
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
