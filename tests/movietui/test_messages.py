"""Messages repeat the fields of dataclasses, because the process that draws must not import these."""

from typing import Any, get_type_hints

import pytest

from movietui.data.cleaning import cleaner
from movietui.data.imports.entries import Choices
from movietui.data.progress import Stage
from movietui.protocol import jobs, messages, viewers
from movietui.store.ratings import Ids, StoredMovie
from movietui.store.run_records import Run

NOT_SENT = {"checkpoint", "position", "curve_text", "request", "identity"}
"""The fields of a run that only the store needs."""


@pytest.mark.parametrize(
    ("message", "cls", "in_json"),
    [
        (messages.RuleRow, cleaner.RuleResult, {"examples": list[str]}),
        (messages.CleaningReport, cleaner.CleaningReport, {"rules": list[messages.RuleRow]}),
        (
            messages.RemovedRows,
            cleaner.RemovedRows,
            {"columns": list[str], "rows": list[list[str | int | float]]},
        ),
        (messages.IdsFields, Ids, {}),
        (messages.StoredMovieRow, StoredMovie, {"ids": messages.IdsFields, "aliases": list[str]}),
        (viewers.ViewerKey, viewers.ViewerRef, {}),
        (jobs.StageFields, Stage, {}),
    ],
)
def test_a_message_has_the_fields_of_its_class(message: type, cls: type, in_json: dict[str, Any]) -> None:
    """``in_json``: the fields whose types differ in the message, because JSON has no tuples or classes."""
    assert get_type_hints(message) == get_type_hints(cls) | in_json


def test_a_run_row_has_the_fields_of_a_run() -> None:
    fields = {name: kind for name, kind in get_type_hints(Run).items() if name not in NOT_SENT}
    fields["run"] = fields.pop("id")
    assert get_type_hints(messages.RunRow) == fields | {"checkpoint_bytes": int, "kind": str}


def test_choices_of_an_import_have_the_fields_of_their_class() -> None:
    assert get_type_hints(messages.ImportChoices).keys() == get_type_hints(Choices).keys()
