"""The plain mode: mostly in process with a fake engine, and once through a real pipe."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from movietui.ask import commands, is_wanted
from movietui.ask.conversation import Conversation
from movietui.ask.grammar import COMMANDS, movie_and_stars, parse
from movietui.ask.start import Transcript, run
from movietui.ask.words import spoken, why
from movietui.data import catalogue
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.protocol.viewers import profile, user
from movietui.state.child_processes import EngineClient
from movietui.state.session import Session
from movietui.store.ratings import Movie, Store
from movietui.store.runs import Runs
from tests.movietui.at_hand import EngineAtHand
from tests.movietui.fakes import FakeEngine, FakeJob
from tests.movietui.hostile import POISON, RAW
from tests.movietui.processes import gone

assert commands  # defines the commands
DRAWN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f★●○▲▼±·…½\u2500-\u259f\u2800-\u28ff]")
"""Matches what a screen reader cannot say: controls, the signs of the screens, boxes and braille."""
NUMBERED = re.compile(r"([0-9]+)\. (The \w+ \w+ [0-9]+)")


class Talk:
    """A conversation, and what it said."""

    def __init__(self, store: Store, engine: EngineClient, *, trains: bool = False) -> None:
        self.said: list[str] = []
        self.it = Conversation(Session(store, engine), self.said.append, trains=trains)

    async def begin(self, *viewers: str) -> list[str]:
        await self.it.begin("demo", viewers, "")
        return self._new()

    async def __call__(self, *lines: str) -> list[str]:
        """Type lines, and return what the last one made the conversation say."""
        for line in lines:
            self._new()
            await self.it.do(line)
        return self._new()

    def _new(self) -> list[str]:
        new, self.said[:] = list(self.said), []
        return new


@pytest.fixture
def talk(store: Store, faked: FakeEngine) -> Talk:
    store.create_profile("Anna")
    store.create_profile("Bob")
    return Talk(store, faked)


def titles(lines: list[str]) -> dict[int, str]:
    return {int(match[1]): match[2] for line in lines if (match := NUMBERED.match(line))}


async def test_the_list_is_numbered_and_says_how_good_and_why(talk: Talk) -> None:
    lines = await talk.begin("Anna")
    assert list(titles(lines)) == list(range(1, 11))
    assert re.match(r"Movies for Anna, by how much you would like it; 1 to 10 of [0-9]+:", lines[-11])
    first = lines[-10]
    assert re.match(r"1\. The .+ \([0-9]{4}\), [0-9.]+ stars, probably between [0-9.]+ and [0-9.]+; \w", first)


async def test_more_and_back_go_through_the_list(talk: Talk, store: Store) -> None:
    first = titles(await talk.begin("Anna"))
    second = titles(await talk("more"))
    assert list(second) == list(range(11, 21))
    assert titles(await talk("b")) == first
    assert await talk("back") == ["The list begins here; more goes on."]
    assert titles(await talk("list 11")) == second
    await talk("rate 12 4")
    assert [each.movie.title for each in store.ratings(profile("Anna"))] == [second[12]]


async def test_a_rating_is_on_disk_when_it_is_said_and_can_be_undone(talk: Talk, store: Store) -> None:
    listed = titles(await talk.begin("Anna"))
    said = await talk("rate 3 4.5")
    assert said[0].startswith(f"rated {listed[3]} 4.5 stars; ")
    with_another = Store(locations.store())
    assert [(each.movie.title, each.stars) for each in with_another.ratings(profile("Anna"))] == [(listed[3], 4.5)]
    with_another.close()
    assert (await talk("undo"))[0].startswith(f"undid {listed[3]}")
    assert store.ratings(profile("Anna")) == []
    assert (await talk("redo"))[0].startswith(f"redid {listed[3]} 4.5 stars")
    assert listed[3] not in titles(await talk("list")).values()


async def test_a_number_stands_for_the_same_movie_until_movies_are_listed_again(talk: Talk, store: Store) -> None:
    listed = titles(await talk.begin("Anna"))
    await talk("rate 1 2", "rate 2 5")
    assert {each.movie.title for each in store.ratings(profile("Anna"))} == {listed[1], listed[2]}


async def test_a_movie_can_be_named_by_its_title(talk: Talk, store: Store) -> None:
    listed = titles(await talk.begin("Anna"))
    await talk(f"rate {listed[7].lower()} 3½")
    assert [(each.movie.title, each.stars) for each in store.ratings(profile("Anna"))] == [(listed[7], 3.5)]


async def test_several_matches_of_a_title_are_numbered(talk: Talk, store: Store) -> None:
    await talk.begin("Anna")
    *matches, which = await talk("rate golden 4")
    assert which == "Several movies match 'golden'; use a number of these."
    assert store.ratings(profile("Anna")) == []
    await talk("rate 2 4")
    assert [each.movie.title for each in store.ratings(profile("Anna"))] == [titles(matches)[2]]


async def test_marks(talk: Talk, store: Store) -> None:
    listed = titles(await talk.begin("Anna"))
    said = [(await talk(line))[0] for line in ("watchlist 1", "hide 2", "seen 3")]
    assert [line.partition("; ")[0] for line in said] == [
        f"added {listed[1]} to the watchlist",
        f"hid {listed[2]}",
        f"marked {listed[3]} as seen",
    ]
    assert list(titles(await talk("only watchlist")).values()) == [listed[1]]
    now = titles(await talk("clear"))
    assert now[1] == listed[1]
    assert not {listed[2], listed[3]} & set(now.values())


async def test_filters_dials_and_orders(talk: Talk) -> None:
    await talk.begin("Anna")
    assert ", filter +even; 1 to 10 of" in (await talk("filter +even"))[0]
    assert (await talk("keep pairs"))[-1] == "Saved +even as :pairs"
    assert ", filter" not in (await talk("filter"))[0]
    assert ", filter +even;" in (await talk("f :pairs"))[0]
    assert ", filter +odd;" in (await talk("genre"))[0]
    assert ", filter +odd 1990..1999;" in (await talk("decade"))[0]
    assert ", 10% daring, 10% recent;" in (await talk("clear", "daring", "recent"))[0]
    assert "daring" not in (await talk("safe", "anyyear"))[0]
    assert "by title" in (await talk("sort title"))[0]
    assert await talk("daring") == ["This works only in another order; type sort liked or sort likely first."]
    assert await talk("sort tilte") == ["There is no order 'tilte'; did you mean title?"]


async def test_a_pair_has_a_list_and_each_of_it_rates(talk: Talk, store: Store) -> None:
    await talk.begin("Anna")
    lines = await talk("with Bob")
    assert lines[0].startswith("Movies for Anna and Bob, ")
    assert re.search(r" stars together, Anna [0-9.]+, Bob [0-9.]+, agreement [0-9]+%", lines[1])
    await talk("rate 1 5", "turn")
    assert " as Bob; " in (await talk("rate 2 2"))[0]
    assert len(store.ratings(profile("Anna"))) == len(store.ratings(profile("Bob"))) == 1
    listed = titles(await talk("list"))
    assert (await talk("veto 1"))[0].startswith(f"vetoed {listed[1]} as Bob")
    assert f"without {listed[1]}" in (await talk("list"))[0]
    assert "70% towards least misery" in (await talk("misery"))[0]
    assert "60% towards least misery" in (await talk("average"))[0]
    assert (await talk("way borda"))[0] == "borda: the mean of a movie's ranks in your lists"
    assert "the same scale for everyone" in (await talk("scale"))[0]
    assert "some of you may have seen them" in (await talk("unseen any"))[0]
    assert (await talk("alone"))[0].startswith("Movies for Anna, ")
    assert await talk("veto 1") == ["Vetoes are for shared lists; to remove a movie from your own list, hide it."]
    assert await talk("way") == ["This needs a pair or group; with NAME makes one."]


async def test_a_group_of_four_and_no_more(talk: Talk) -> None:
    await talk.begin("Anna")
    assert (await talk("with Bob, 7, user 8"))[0].startswith("Movies for Anna, Bob, user 7 and user 8, ")
    assert await talk("with Bob, 7, 8, 9") == ["A list is for at most 4 viewers; remove one first."]
    assert talk.it.session.audience.viewers[-1] == user("8", "demo")


async def test_profiles_come_and_go(talk: Talk, store: Store) -> None:
    assert "type new and your name to make one" not in " ".join(await talk.begin("Anna"))
    assert (await talk("new Zoe"))[0].startswith("Hello Zoe.")
    assert await talk("rename Zora") == ["Zoe is now Zora"]
    assert (await talk("delete Zora"))[0] == "Deleted Zora; undo restores it"
    assert store.find_profile("Zora") is None
    assert (await talk("undo"))[0].startswith("undid the deletion of Zora")
    assert "Zora, 0 ratings" in await talk("viewers")
    assert await talk("profile Ana") == ["There is no viewer 'Ana'; did you mean Anna?"]


async def test_without_a_profile_it_says_how_to_make_one(store: Store, faked: FakeEngine) -> None:
    lines = await Talk(store, faked).begin()
    assert "You have no profile yet, so this list is for user 1: type new and your name to make one." in lines


async def test_ratings_of_another_window_are_in_the_next_list(talk: Talk) -> None:
    listed = titles(await talk.begin("Anna"))
    (row,) = (await talk.it.session.ranked(0, 1))["rows"]
    other = Store(locations.store())
    other.rate(profile("Anna"), Movie(row["key"], row["title"], row["year"]), 4.0)
    other.close()
    assert listed[1] not in titles(await talk("list")).values()


async def test_history_and_ratings(talk: Talk, store: Store) -> None:
    listed = titles(await talk.begin("Anna"))
    await talk("rate 1 4", "watchlist 2", "rate 3 2")
    steps = await talk("history")
    assert [line.partition(" (")[0] for line in steps[:3]] == [f"1. {listed[3]}", f"2. {listed[2]}", f"3. {listed[1]}"]
    assert (await talk("revert 2"))[0].startswith(f"undid adding {listed[2]} to the watchlist")
    assert len(store.ratings(profile("Anna"))) == 2
    assert listed[1] in (await talk("ratings"))[1]
    assert (await talk("unrate 2"))[0].startswith(f"removed the rating of {listed[1]}")
    assert (await talk("history", "upto 9"))[0].startswith("Type upto NUMBER: ")
    assert (await talk("history", "upto 5"))[0] == "undid 5 steps"
    assert store.ratings(profile("Anna")) == []


async def test_what_is_said_about_a_movie(talk: Talk) -> None:
    listed = titles(await talk.begin("Anna"))
    lines = await talk("why 2")
    assert lines[0].startswith(listed[2])
    assert any(line.startswith("Predicted for you: ") for line in lines)
    assert "IMDb: https://www.imdb.com/" in " ".join(await talk("where 2"))
    assert len(titles(await talk("similar 2"))) == 10
    assert (await talk("surprise"))[-1] == "Its number is 0: rate 0 4, watchlist 0."
    assert (await talk("rate 0 4"))[0].startswith("rated ")
    assert await talk("taste")
    assert titles(await talk("search golden"))


async def test_each_line_about_a_movie_begins_with_a_capital_letter(talk: Talk) -> None:
    await talk.begin("Anna")
    details = await talk.it.movie("1")
    (by,) = details["by"]
    lines = [*why({**details, "by": [{**by, "rated": 4.0, "why": []}]}, ["Anna"])]
    assert "You rated it ★ 4" in lines
    assert not any(line[0].islower() for line in lines)


async def test_an_interview(talk: Talk, store: Store) -> None:
    await talk.begin("Anna", "Bob")
    assert any(line.startswith("Which genres do you like? even, odd.") for line in await talk("interview"))
    assert await talk("like even", "dislike odd") == ["You like even; you dislike odd"]
    card = titles(await talk("next"))
    assert await talk("point 2") == ["2 points left"]
    assert titles(await talk("undo")) == card
    await talk("point 1", "point 1", "next")
    assert [(each.movie.title, each.stars) for each in store.ratings(profile("Anna"))] == [(card[1], 4.5)]
    questions = titles(await talk("next"))
    assert (await talk("rate 1 4"))[0].startswith(f"rated {questions[1]} 4 stars")
    lines = await talk("list")
    assert lines[0] == "Anna rated 2 movies"
    assert lines[1].startswith("Movies for Anna and Bob, ")
    assert await talk("point 1") == ["This is for an interview; type interview to begin one."]


async def test_models_and_datasets(talk: Talk) -> None:
    await talk.begin("Anna")
    assert await talk("model") == ["3. mf, in use", "1. bias"]
    assert (await talk("model bias"))[0] == "Using run 1, bias, for the list"
    assert "1. bias, in use" in await talk("model")
    assert (await talk("compare mf"))[0].endswith(" movies are in both lists")
    assert await talk("model bia") == ["'bia' has not been trained here; did you mean bias?"]
    assert any(line.startswith("demo, ") and line.endswith(", in use") for line in await talk("dataset"))
    assert await talk("newer") == ["No dataset with newer movies is offered; dataset lists all."]


async def test_files(talk: Talk, tmp_path: Path) -> None:
    await talk.begin("Anna")
    assert await talk(f"save 3 {tmp_path}/list.md") == [f"Saved 3 movies as Markdown to {tmp_path}/list.md"]
    assert await talk(f"save {tmp_path}/list.txt") == [
        "list.txt ends in neither .md nor .csv, so movietui does not know how to write it."
    ]
    assert "already exists" in (await talk(f"save {tmp_path}/list.md"))[0]
    assert await talk(f"save 3 letterboxd {tmp_path}/list.csv") == [
        f"Saved 3 movies for Letterboxd to {tmp_path}/list.csv"
    ]
    assert (tmp_path / "list.csv").read_text().startswith("tmdbID,imdbID,Title,Year,Rating")
    assert await talk(f"save letterboxd {tmp_path}/more.md") == [
        "more.md does not end in .csv, so movietui does not know how to write it."
    ]


async def test_the_reasons_of_a_page_are_one_request(talk: Talk, faked: FakeEngine) -> None:
    await talk.begin("Anna")
    assert [do for do, _ in faked.asked].count("movie_details") == 1


async def test_an_import_is_previewed_first(ready: Path, store: Store, tmp_path: Path) -> None:
    talk, file = Talk(store, EngineAtHand()), tmp_path / "mine.csv"  # the fake engine reads no files
    try:
        await talk.begin()
        await talk("new Anna")
        demo = catalogue.load("demo").movies
        (one, year), (two, other) = ((demo.titles[row], int(demo.years[row])) for row in range(2))
        file.write_text(f"Title,Year,Rating\n{one},{year},8\n{two},{other + 3},6\nNo Such Movie At All,1990,4\n")
        lines = await talk(f"import {file}")
        assert lines[0].startswith("mine.csv, ")
        assert lines[0].endswith(": 3 movies for Anna")
        assert lines[1] == "1 needs review, 1 matched, 1 not in demo"
        assert lines[-1] == "Nothing is imported yet: import alone does it, review says the titles."
        assert store.ratings(profile("Anna")) == []
        lines = await talk("review")
        assert lines[:2] == ["Needs review, 1 of 1:", f"1. {two} ({other + 3}), 3 stars, could be 1 {two} ({other})"]
        assert (await talk("review matched"))[1].startswith(f"1. {one} ({year}), 4 stars, matched with {one} ({year})")
        assert (await talk("review unmatched"))[1].startswith("1. No Such Movie At All (1990), 2 stars, ")
        assert (await talk("pick 1 7"))[0].startswith("Type pick NUMBER NUMBER|none: ")
        assert await talk("pick 1 1") == [f"{two} ({other + 3}): {two} ({other}); import alone imports the file."]
        assert (await talk("review"))[1].endswith(f"chosen: {two} ({other})")
        assert any("ratings up to 100" in line for line in await talk("read 100"))
        await talk("read 10")
        assert any(line.startswith("Anna now has 3 movies from mine.csv, 2 of") for line in await talk("import"))
        assert sorted(each.stars for each in store.ratings(profile("Anna"))) == [2, 3, 4]
        assert await talk("import") == ["There is no preview yet; import FILE shows one."]
    finally:
        await talk.it.close()


async def test_a_better_model_trains_while_a_person_types(store: Store, faked: FakeEngine) -> None:
    FakeJob.made = []
    runs = Runs(store)
    quick = runs.queue_stand_in("mf", "demo", {"cleaning": "standard", "settings": {}})
    runs.begin(quick, "standard", {})
    store.end_run(quick, "done", metrics={"rmse": 0.93})
    piped = Talk(store, faked)
    await piped.begin()
    assert not piped.it.queue.running
    talk = Talk(store, faked, trains=True)
    talk.it.queue.new_job = lambda: FakeJob(store)
    assert not any("blend" in line for line in await talk.begin())
    (job,) = FakeJob.made
    assert (await talk("viewers"))[-1].startswith("The list is for user 1; ")
    job.metrics = {"rmse": 0.87}
    job.end()
    await talk.it.queue.drained()
    ready = "A better model is ready: compare blend says what it changes, model blend uses it."
    assert (await talk("viewers"))[-1] == ready
    assert ready not in await talk("viewers")
    assert (await talk("model blend"))[0].endswith(", blend, for the list")
    await talk.it.close()


async def test_training_stops_or_goes_on_when_a_person_leaves(talk: Talk, store: Store) -> None:
    talk.it.queue.new_job = lambda: FakeJob(store)
    await talk.begin()
    await talk.it.queue.add("bias", "demo", {"cleaning": "standard"})
    assert await talk("quit") == ["The training stops, and goes on the next time."]
    assert (talk.it.over, talk.it.trains_on) == (True, False)
    assert await talk("quit train") == []
    assert talk.it.trains_on
    await talk("quit")
    await talk.it.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lst", "There is no command 'lst'; did you mean list?"),
        ("frobnicate", "There is no command 'frobnicate'; help lists the commands."),
        ("rate", "Say which movie and how many stars: rate 3 4.5, or rate fargo 4."),
        ("rate 1 many", "Say which movie and how many stars: rate 3 4.5, or rate fargo 4."),
        ("rate 99 4", "No movie has the number 99; the numbers now are 1 to 10."),
        ("rate 1 9", "9 isn't a valid rating; use 0.5 to 5 in half stars."),
        ("why", "Say which movie: its number or its title."),
        ("hide xyzzyx", "No movie matches 'xyzzyx'."),
        ("help rat", "There is no command 'rat'; did you mean rate, ratings or unrate?"),
        ("genre up", "Type genre [back]: list only movies of the next genre, or of the one before."),
        ("filter +evne", "There is no genre 'evne'; choose one of even, odd."),
    ],
)
async def test_a_wrong_command_is_one_sentence_and_changes_nothing(
    talk: Talk, store: Store, line: str, said: str
) -> None:
    await talk.begin("Anna")
    assert await talk(line) == [said]
    assert store.history(profile("Anna")) == []
    assert len(titles(await talk("list"))) == 10


async def test_nothing_drawn_is_said(talk: Talk) -> None:
    lines = await talk.begin("Anna")
    for line in ("rate 1 4.5", "why 2", "with Bob", "taste", "history", "ratings", "search golden", "help", "undo"):
        lines += await talk(line)
    assert not [line for line in lines if DRAWN.search(line)]


async def test_the_help_explains_each_command_once(talk: Talk) -> None:
    lines = await talk("help")
    assert [line.partition(" ")[0].rstrip(":") for line in lines[:-1]] == list(COMMANDS)
    shorts = [each.short for each in COMMANDS.values() if each.short]
    assert len(set(shorts)) == len(shorts)
    assert not set(shorts) & set(COMMANDS)


def test_lines_are_read_in_any_case_and_with_spaces() -> None:
    command, rest = parse("  WHY   The Birds ")
    assert (command.name, rest) == ("why", "The Birds")
    assert movie_and_stars("2001: A Space Odyssey 4,5") == ("2001: A Space Odyssey", 4.5)
    with pytest.raises(Problem, match="Say which movie"):
        movie_and_stars("4")


def test_signs_are_words() -> None:
    assert spoken("★ 3½ → ★ ½ · ★ 4.0 ±.5") == "3.5 stars to 0.5 stars; 4.0 stars plus or minus .5"


@pytest.mark.parametrize(
    ("term", "driver", "wanted"), [("dumb", "", True), ("xterm", "", False), ("dumb", "x:Y", False)]
)
def test_a_dumb_terminal_gets_the_plain_mode(
    monkeypatch: pytest.MonkeyPatch, term: str, driver: str, wanted: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    if driver:
        monkeypatch.setenv("TEXTUAL_DRIVER", driver)
    else:
        monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    assert is_wanted() is wanted


def movietui(home: Path, *arguments: str, typed: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "movietui", *arguments],
        env={**os.environ, "MOVIETUI_HOME": str(home), **environment},
        input=typed.encode(),
        capture_output=True,
        check=False,
    )


def test_a_pipe_through_a_dumb_terminal(ready: Path) -> None:
    result = movietui(ready, typed="new Anna\n\nlst\nrate 1 4.5\nrate 2 3", TERM="dumb")
    output = result.stdout.decode()
    assert (result.returncode, result.stderr) == (0, b"")
    assert not DRAWN.search(output)
    assert "> " not in output
    assert "did you mean list?" in output
    store = Store(locations.store())
    assert sorted(each.stars for each in store.ratings(profile("Anna"))) == [3.0, 4.5]
    store.close()


def test_json_has_what_was_typed_and_what_was_said(
    store: Store, faked: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("why 1\nlst\nquit\nwhy 2\n"))
    transcript = Transcript()
    run(store, "demo", ["user 1"], "", faked, transcript)
    begin, why, wrong, leave = transcript.turns
    assert (begin["typed"], why["typed"], leave) == ("", "why 1", {"typed": "quit", "said": []})
    assert list(titles(begin["said"])) == list(range(1, 11))
    assert wrong["said"] == ["There is no command 'lst'; did you mean list?"]
    assert capsys.readouterr().out == ""


def test_hostile_titles_cannot_control_a_terminal(hostile: Path) -> None:
    result = movietui(hostile, "--plain", typed=f"list\nwhy 1\nsearch {POISON}\n{POISON}\nrate 1 4\n")
    assert result.returncode == 0
    assert b"rated " in result.stdout
    assert not RAW.search(result.stdout.decode())


def test_a_rating_survives_when_it_is_killed(ready: Path) -> None:
    talk = subprocess.Popen(
        [sys.executable, "-m", "movietui", "ask"],
        env={**os.environ, "MOVIETUI_HOME": str(ready), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert talk.stdin is not None
    assert talk.stdout is not None
    talk.stdin.write(b"new Anna\nrate 1 4.5\n")
    talk.stdin.flush()
    while not talk.stdout.readline().startswith(b"rated "):
        assert talk.poll() is None
    talk.kill()
    talk.communicate()
    assert gone(talk.pid)
    store = Store(locations.store())
    assert [each.stars for each in store.ratings(profile("Anna"))] == [4.5]
    store.close()
