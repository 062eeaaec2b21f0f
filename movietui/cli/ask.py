"""``movietui ask``: the plain mode."""

from __future__ import annotations

from collections.abc import Sequence

import click

from movietui.cli.lists import for_viewers, model_option
from movietui.cli.output import as_json, dataset_option, handle_errors, open_store, print_json


@click.command()
@for_viewers
@model_option
@dataset_option
@as_json
@handle_errors
def ask(users: Sequence[str], profiles: Sequence[str], model: str | None, dataset: str | None, json_: bool) -> None:
    """Talk about movies in lines of text, without a screen: for screen readers, pipes and simple terminals.

    Type commands, such as list, why 1, rate 1 4.5, filter +Comedy, with NAME, undo and help. Commands can also come
    from a pipe, one on each line; the conversation ends with the last one.
    """
    from movietui.ask.start import Transcript, run

    viewers = [f"user {one}" for one in users] + list(profiles)
    transcript = Transcript() if json_ else None
    run(open_store(), dataset or "", viewers, model or "", transcript=transcript)
    if transcript:
        print_json(transcript.turns)
