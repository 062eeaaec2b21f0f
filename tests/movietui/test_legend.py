"""Symbols and figures are explained under the list, in tooltips, and in the help."""

from movietui.store.ratings import Store
from movietui.ui.browse.legend import LegendLine
from movietui.ui.wording import LEGEND
from tests.movietui.driving import LARGE, SIZES, SMALL, Driver, lines, position, shown, started
from tests.movietui.fakes import FakeEngine


@SIZES
async def test_a_line_explains_the_columns_until_it_is_hidden(
    faked: FakeEngine, store: Store, size: tuple[int, int]
) -> None:
    async with started(size, engine=faked) as driver:
        assert lines(driver.app)[-3].startswith(" ★ predicted   ± give or take   n ratings   ▲▼ moved ")
        assert lines(driver.app)[-3].rstrip().endswith("L hides this")
        await driver.pair_with_next()
        await driver.see("A B for each of you")
        assert "give or take" not in lines(driver.app)[-3]
        await driver.press("L")
        await driver.wait_for_notice("L explains the columns again")
        await driver.until(lambda: "for each of you" not in shown(driver.app), "the end of the line")
        await driver.until(lambda: store.choice("legend") == "hidden", "the choice")
    async with started(size, engine=faked) as driver:
        assert "predicted   ±" not in shown(driver.app)
        await driver.press("L")
        await driver.see("★ predicted")
        await driver.until(lambda: store.choice("legend") == "", "the choice")
    async with started(size, engine=faked) as driver:
        await driver.see("L hides this")
        x, y = position(driver.app, "L hides this")
        await driver.pilot.click(offset=(x + 4, y))
        await driver.until(lambda: "L hides this" not in shown(driver.app), "the end of the line")


async def test_the_line_fits_the_window(faked: FakeEngine) -> None:
    async with started((60, 24), engine=faked) as driver:
        await driver.see("L hides this")
        for width in (140, 60, 80, 61):
            await driver.pilot.resize_terminal(width, 24)
            await driver.until(lambda width=width: driver.app.screen.size.width == width, "the width")
            await driver.until(lambda: ("n ratings" in lines(driver.app)[-3]) == ("n" in driver.movies.terms()), "n")
            assert lines(driver.app)[-3].rstrip().endswith("L hides this")


async def explained(driver: Driver, text: str, words: str, right: int = 0) -> None:
    """Rest the mouse on a text on the screen, and wait until words appear beside it.

    ``right``: how many cells to the right of the start of the text. If the text moves or is drawn again, the mouse
    follows, as a person's would.
    """
    while words not in shown(driver.app):
        await driver.see(text)
        x, y = position(driver.app, text)
        for _ in range(2):  # the first move only hides the explanation of another part of the same widget
            await driver.pilot.hover(offset=(x + right, y))
        drawn = lines(driver.app)
        await driver.until(
            lambda drawn=drawn: words in shown(driver.app) or lines(driver.app) != drawn,
            "an explanation, or another screen",
        )


async def test_the_mouse_explains_headings_and_figures(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked, tooltips=True) as driver:
        await driver.see("in common")
        for heading, term in (("predicted ", "predicted"), ("predicted ", "±"), (" n ", "n")):
            x, y = position(driver.app, heading)
            await explained(driver, heading, LEGEND[term].meaning, right=1)
            await driver.pilot.hover(offset=(x, y + 5))
            await driver.until(
                lambda term=term: LEGEND[term].meaning not in shown(driver.app), "the end of the explanation"
            )
        for text, term in (("RMSE", "RMSE"), ("ndcg", "ndcg"), ("●●●●●", "●")):
            await explained(driver, text, LEGEND[term].meaning)
        await driver.pair_with_next()
        for heading, term in (("both  A", "together"), ("A 1 ", "each"), ("agree", "agree")):
            await explained(driver, heading, LEGEND[term].meaning)


async def test_the_first_page_of_the_help_explains_the_same(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.press("question_mark")
        await driver.see("Keys · Browse")
        for term in LEGEND.values():
            await driver.see(term.meaning)
    async with started(SMALL, engine=faked) as driver:
        await driver.press("question_mark")
        await driver.see(LEGEND["predicted"].meaning)


def test_every_term_fits_one_line() -> None:
    assert all(len(f"{term.sign}  {term.meaning}") <= 72 for term in LEGEND.values())


async def test_the_line_is_drawn_again_only_for_other_columns(faked: FakeEngine) -> None:
    async with started(LARGE, engine=faked) as driver:
        await driver.rate()
        line = driver.browse.query_one(LegendLine)
        drawn: list[object] = []
        line.refresh = lambda *of, **by: drawn.append(of) or line  # type: ignore[method-assign]
        await driver.rate()
        assert not drawn
        await driver.pair_with_next()
        assert drawn
