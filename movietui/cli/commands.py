"""The classes of commands and of their arguments: groups of commands, names with suggestions, pasted paths.

Every command accepts ``--dataset`` and ``--seed``, so that a script can pass these options to any command.
"""

import contextlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from movietui.cli import completers
from movietui.data.language import tr
from movietui.data.near_names import either, near_names
from movietui.data.storage import log
from movietui.data.storage.paths import pasted
from movietui.formatting.printing import plain_output
from movietui.protocol.exit_codes import FAILED

SEEDS = click.IntRange(0, 2**32 - 1)
CLEANING = 'Cleaning rules: a preset and changes to it, such as "standard +old-movies:1950 -no-genre".'
_DATASET = "movietui.dataset"


class PastedPath(click.Path):
    """A path that was typed, or that a terminal pasted in quotes, with escapes, or as a URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path that the text stands for; see ``pasted``."""
        return pasted(value) if isinstance(value, str) else Path(value)


PASTED = PastedPath()


if TYPE_CHECKING:
    _Choice = click.Choice[str]
    _NumbersType = click.ParamType[tuple[int, ...]]
else:
    _Choice = click.Choice  # not generic before click 8.2
    _NumbersType = click.ParamType  # nor this one before 8.5


class Numbers(_NumbersType):
    """Different whole numbers, separated by commas."""

    name = "numbers"

    def __init__(self, each: click.IntRange) -> None:
        self.each = each

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the numbers, each once. Fail unless each is one of those allowed."""
        if not isinstance(value, str):
            return tuple(value)
        return tuple(dict.fromkeys(self.each(part.strip(), param, ctx) for part in value.split(",")))


SEED_LIST = Numbers(SEEDS)


class Named(_Choice):
    """One of a few names; the error for an unknown name suggests similar ones."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name. Fail, with suggestions, if it is not one of the choices."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            near = near_names(str(value), self.choices)
            if not near:
                raise
            self.fail(tr("{name!r} does not exist; did you mean {names}?", name=value, names=either(near)), param, ctx)


class Commands(click.Group):
    """A group in which every command accepts ``--dataset`` and ``--seed``.

    A command about one dataset accepts its name as NAME or with ``--dataset``. If a command has no use for an
    option, it accepts and ignores the option, and does not show it in its help.
    """

    group_class = type

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line. All output is made safe for the terminal, including click's messages and tracebacks."""
        with plain_output(), _traced():
            return super().main(*arguments, **options)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, and add to it the options ``--dataset`` and ``--seed`` unless it defines them."""
        super().add_command(cmd, name)
        if isinstance(cmd, click.Group):
            return
        parameters = {parameter.name: parameter for parameter in cmd.params}
        options = {option for parameter in cmd.params for option in parameter.opts}
        named = parameters.get("name")
        if "dataset" not in parameters and isinstance(named, click.Argument):
            named.required, named.callback = False, _dataset_name
            cmd.params.append(
                _option(
                    "--dataset",
                    help="The same as NAME.",
                    is_eager=True,
                    callback=_remember,
                    shell_complete=completers.stored_datasets,
                )
            )
        elif "dataset" not in parameters:
            cmd.params.append(_option("--dataset", hidden=True, shell_complete=completers.stored_datasets))
        if "--seed" not in options:
            cmd.params.append(_option("--seed", hidden=True, type=SEEDS))


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    """Print the traceback of an unhandled exception here, where output is made safe, and exit."""
    try:
        yield
    except Exception as error:
        log.record("command line", error)
        traceback.print_exc()
        sys.exit(FAILED)


def _option(name: str, **options: object) -> click.Option:
    return click.Option([name], expose_value=False, **options)  # type: ignore[arg-type]


def _remember(context: click.Context, option: click.Parameter, value: str | None) -> None:
    context.meta[_DATASET] = value


def _dataset_name(context: click.Context, argument: click.Parameter, value: str | None) -> str:
    """Return the dataset that NAME or ``--dataset`` names. Fail if the two differ or both are missing."""
    other: str | None = context.meta.get(_DATASET)
    if value and other and value != other:
        raise click.UsageError(
            tr("NAME is {name!r} but --dataset is {dataset!r}; give only one of them.", name=value, dataset=other),
            context,
        )
    if value is None and other is None:
        raise click.MissingParameter(ctx=context, param=argument)
    return value or other or ""
