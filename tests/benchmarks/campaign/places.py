"""The places in the app: every screen and panel that has bindings, and how to reach it from the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from movietui.ui import keymap
from tests.benchmarks.campaign.homes import EXPORT
from tests.benchmarks.campaign.terminals import SIZE, Watched


@dataclass(frozen=True)
class Route:
    """How to reach a screen, a part of one with its own bindings, or a panel from the list."""

    steps: Sequence[tuple[tuple[str, ...], str]]
    """The keys that lead there, in steps. Each step has a text that is on screen afterwards."""
    size: tuple[int, int] = SIZE


SETTINGS = ((("t",), "popularity"), (("e",), "enter train ·"))
RUNS = ((("t",), "popularity"), (("right",), "run 2 · mf"))
TO_IMPORT = ((("i",), "Import ─"), (("{export}", "enter"), "y import"))
PLACES: Mapping[str, Route] = {
    "BrowseScreen": Route(()),
    "DataScreen": Route(((("d",), "Datasets"),)),
    "TrainScreen": Route(((("t",), "popularity"),)),
    "InterviewScreen": Route(((("N",), "Getting to know"),)),
    "ViewersPane": Route(((("left",), "─ Viewers ─"),)),
    "FilterLine": Route(((("f",), "enter apply"),)),
    "DetailsPanel": Route(((("enter",), "y copy"),), (70, 20)),
    "HelpPanel": Route(((("?",), "Keys · Browse"),)),
    "ConfirmPanel": Route((*RUNS, (("D",), "Delete run 2?"))),
    "NamePanel": Route(((("n",), "New profile"),)),
    "PathPanel": Route(((("i",), "Import ─"),)),
    "CardPanel": Route(((("m",), "More like"), (("enter",), "as in the list"))),
    "SurprisePanel": Route(((("s",), "another ·"),)),
    "SearchPanel": Route(((("/",), "Search ─"),)),
    "HistoryPanel": Route(((("h",), "History · anna"),)),
    "RatingsPanel": Route(((("*",), "Ratings · anna"),)),
    "WritePanel": Route(((("Y",), "Copy or save ─"),)),
    "PagesPanel": Route(((("l",), "Where to watch"),)),
    "SimilarPanel": Route(((("m",), "More like The"),)),
    "ListsPanel": Route(((("c",), "Lists of anna"),)),
    "TastePanel": Route(((("T",), "Taste · anna"),)),
    "SwitchPanel": Route(((("M",), "Models of demo"),)),
    "PreviewPanel": Route(TO_IMPORT),
    "ChoicePanel": Route((*TO_IMPORT, (("enter",), "none of"))),
    "ImdbPanel": Route(((("d",), "● demo"), (("i",), "IMDb · demo"))),
    "QuitPanel": Route(
        ((("t",), "popularity"), (("enter",), "No epoch is complete yet"), (("q",), "Quit while models are training?"))
    ),
    "PrunePanel": Route((*RUNS, (("B",), "Keep the best"))),
    "ColumnsPanel": Route((*RUNS, (("C",), "Columns, from left to right"))),
    "TablesPanel": Route((*RUNS, (("enter",), "─ Run 2 ─"))),
    "SweepPanel": Route((*SETTINGS, (("s",), "Sweep "))),
    "command palette": Route(((("\x10",), "Search for commands"),)),
}
"""The routes by the class name of the screen or panel, and Textual's command palette."""

FIRST_START = "WelcomeScreen"
"""The only place that cannot be reached from the list: ``tests/movietui/test_welcome.py`` goes there."""


def with_keys() -> set[str]:
    """Return the names of all places that have their own bindings, except the first start."""
    classes = [*keymap.SCREENS.values(), *keymap.WIDGETS.values(), *chain.from_iterable(keymap.PANELS.values())]
    return {cls.rpartition(":")[2] for cls in classes} - {FIRST_START}


def go(terminal: Watched, name: str, home: Path) -> None:
    """Go from the list of movies to a place."""
    for pressed, text in PLACES[name].steps:
        for key in pressed:
            terminal.press(key.format(export=home / EXPORT))
        terminal.see(text)
        terminal.settle()


def wait_for_list(terminal: Watched) -> None:
    """Wait until the list of movies is drawn and the program is idle."""
    terminal.until(lambda: len(terminal.list_of_movies()) > 2, "the list")
    terminal.settle()


def begin(name: str, home: Path, command: Sequence[str] = (), typed: str = "", **more: str) -> Watched:
    """Start the program and go to a place.

    ``command``: what to run in the terminal instead of the program; ``typed``: text to type there, which starts the
    program; ``more``: more environment variables.
    """
    terminal = Watched(command, PLACES[name].size, more)
    try:
        if typed:
            terminal.type(typed)
        wait_for_list(terminal)
        go(terminal, name, home)
    except BaseException:
        terminal.kill()
        raise
    return terminal
