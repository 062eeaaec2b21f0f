"""The commands that import a file: its preview, what is decided about it, and the import."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from movietui.ask.conversation import Conversation, offer
from movietui.ask.grammar import command, number_in, one_of
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage.paths import pasted
from movietui.formatting import text
from movietui.formatting.import_previews import (
    MEANINGS,
    NONE,
    PARTS,
    SCALES,
    ImportRow,
    content,
    count,
    first_part,
    is_scale_open,
    rows,
)
from movietui.protocol.messages import ImportChoices, ImportedRow, ImportReport
from movietui.protocol.requests import Requests
from movietui.protocol.viewers import profile
from movietui.ui.wording import describe_import


@dataclass(frozen=True)
class Preview:
    """A file that may be imported, and what was decided about it."""

    path: str
    name: str
    """The profile that the file would be imported into."""
    report: ImportReport
    choices: ImportChoices = field(default_factory=lambda: ImportChoices())
    """How the file is read."""
    settled: dict[str, str] = field(default_factory=dict)
    """The chosen movies, by the keys of the titles."""


@command(
    "import", "[FILE]", tr("preview ratings and lists from Letterboxd, IMDb, Trakt and others; alone, import them")
)
async def import_(talk: Conversation, rest: str) -> None:
    """Preview a file or, without one, import the file that was previewed last."""
    talk.require_list()
    if rest:
        name = talk.own_profile()
        path = str(pasted(rest).absolute())
        await _show(talk, Preview(path, name, await _read(talk, path, {})))
    else:
        await _import(talk, _preview(talk))


async def _read(talk: Conversation, path: str, choices: ImportChoices) -> ImportReport:
    return await talk.session.engine.ask(Requests.preview_import, path=path, choices=choices)


def _preview(talk: Conversation) -> Preview:
    if talk.preview is None:
        raise Problem(tr("There is no preview yet; import FILE shows one."))
    return talk.preview


async def _show(talk: Conversation, preview: Preview) -> None:
    """Say what an import would do, and what can still be decided."""
    talk.preview = preview
    report, dataset = preview.report, preview.report["dataset"]
    parts = {**PARTS, "unmatched": tr("not in {dataset}", dataset=dataset)}
    counts = [f"{count(report, part):,} {words}" for part, words in parts.items() if count(report, part)]
    talk.say(
        tr(
            "{file}, {format}: {content} for {profile}",
            file=Path(preview.path).name,
            format=report["format"],
            content=content(report),
            profile=preview.name,
        )
    )
    talk.say(*filter(None, [", ".join(counts)]))
    talk.say(*(line for table in report["tables"] for line in text.describe_table(table)), *report["notes"])
    talk.say(
        *(
            tr("List {list}: {titles}", list=each["name"], titles=text.plural(each["movies"], "title"))
            for each in report["lists"]
        )
    )
    if is_scale_open(report):
        talk.say(tr("The file does not state its scale: read 5, read 10 or read 100 chooses it."))
    if report["asks"] or "meaning" in preview.choices:
        meaning = MEANINGS[preview.choices.get("meaning", "list")]
        talk.say(
            tr(
                "Movies without a rating are imported as {meaning}: read seen, list or watchlist changes it.",
                meaning=meaning,
            )
        )
    talk.say(tr("Nothing is imported yet: import alone does it, review says the titles."))


@command("review", "[PART]", tr("in a preview, say titles: {parts}", parts=", ".join(PARTS)))
async def review(talk: Conversation, rest: str) -> None:
    """Number the titles of one part of the preview."""
    preview = _preview(talk)
    part = one_of(rest, tuple(PARTS), tr("part")) if rest else first_part(preview.report)
    shown, total = rows(preview.report, part), count(preview.report, part)
    if not shown:
        raise Problem(tr("There is nothing under {part}.", part=PARTS[part]))
    talk.say(tr("{part}, {shown:,} of {total:,}:", part=PARTS[part].capitalize(), shown=len(shown), total=total))
    talk.say(*(f"{number}. {_title(preview, row)}" for number, row in enumerate(shown, 1)))
    if part == "ambiguous":
        talk.say(tr("pick 1 2 takes the second movie for the first title, pick 1 none takes none."))


def _title(preview: Preview, row: ImportRow) -> str:
    if "location" in row:
        return f"{row['title'] or row['location']}, {row['reason']}"
    parts = [text.movie_title(row)]
    parts += [text.number_of_stars(row["stars"])] if row["stars"] is not None else []
    parts += row["marks"]
    candidates = [*row.get("candidates", ()), NONE]
    chosen = next((each for each in candidates if each["id"] == preview.settled.get(row["key"])), None)
    if "movie" in row:
        parts.append(tr("matched with {movie} by {method}", movie=text.movie_title(row["movie"]), method=row["by"]))
    elif chosen is not None:
        parts.append(tr("chosen: {movie}", movie=text.movie_title(chosen)))
    elif len(candidates) > 1:
        numbered = [f"{number} {text.movie_title(each)}" for number, each in enumerate(candidates[:-1], 1)]
        parts.append(tr("could be {movies}", movies=", ".join(numbered)))
    else:
        parts.append(row["reason"])
    return ", ".join(parts)


@command("pick", "NUMBER NUMBER|none", tr("in a preview, choose which movie a title that needs review means"))
async def pick(talk: Conversation, rest: str) -> None:
    """Choose a candidate for an ambiguous title."""
    preview = _preview(talk)
    number, _, choice = rest.partition(" ")
    ambiguous: list[ImportedRow] = preview.report["ambiguous"]
    row = dict(enumerate(ambiguous, 1)).get(number_in(number) or 0)
    if row is None:
        raise talk.usage("pick")
    chosen = (
        NONE
        if choice.strip().casefold() == "none"
        else dict(enumerate(row["candidates"], 1)).get(number_in(choice.strip()) or 0)
    )
    if chosen is None:
        raise talk.usage("pick")
    talk.preview = replace(preview, settled={**preview.settled, row["key"]: chosen["id"]})
    talk.say(
        tr(
            "{title}: {movie}; import alone imports the file.",
            title=text.movie_title(row),
            movie=text.movie_title(chosen),
        )
    )


@command(
    "read", "5|10|100|list|seen|watchlist", tr("in a preview, say what ratings are out of, or what other movies are")
)
async def read(talk: Conversation, rest: str) -> None:
    """Read the file in another way, and preview it again."""
    preview = _preview(talk)
    scales = {f"{scale}": scale for scale in SCALES}
    choice = one_of(rest, (*scales, *MEANINGS), tr("way to read a file"))
    choices: ImportChoices = {**preview.choices}
    if choice in scales:
        choices["scale"] = scales[choice]
    else:
        choices["meaning"] = next(meaning for meaning in MEANINGS if meaning == choice)
    report = await _read(talk, preview.path, choices)
    await _show(talk, replace(preview, report=report, choices=choices))


async def _import(talk: Conversation, preview: Preview) -> None:
    talk.preview = None
    result = await talk.session.import_file(preview.name, preview.path, preview.settled, preview.choices)
    viewer = profile(result["profile"])
    if viewer not in talk.session.audience.viewers:
        await talk.session.look_at(viewer)
    talk.say(
        *result["notes"],
        describe_import(result, preview.path) + (tr(" · undo reverts it") if result["changes"] else ""),
    )
    if result["newer"] is not None:
        talk.say(offer(result["newer"]))
    await talk.list_movies()
