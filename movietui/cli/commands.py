"""What subcommands have in common: every one takes the same options, so that a script may give them to all alike."""

import click

SEEDS = click.IntRange(0, 2**32 - 1)
CLEANING = 'Which cleaning rules are on: a preset and what is changed in it, "standard +old-movies:1950 -no-genre".'
_DATASET = "movietui.dataset"


class Commands(click.Group):
    """A group whose every command takes ``--dataset`` and ``--seed``.

    A command about one dataset takes it as NAME or as ``--dataset``. A command that has no use for one of the two
    takes it all the same and leaves it alone; its help does not mention it.
    """

    group_class = type

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command with what it lacks."""
        super().add_command(cmd, name)
        if isinstance(cmd, click.Group):
            return
        parameters = {parameter.name: parameter for parameter in cmd.params}
        named = parameters.get("name")
        if "dataset" not in parameters and isinstance(named, click.Argument):
            named.required, named.callback = False, _either
            cmd.params.append(_option("--dataset", help="The same as NAME.", is_eager=True, callback=_remember))
        elif "dataset" not in parameters:
            cmd.params.append(_option("--dataset", hidden=True))
        if "seed" not in parameters:
            cmd.params.append(_option("--seed", hidden=True, type=SEEDS))


def _option(name: str, **options: object) -> click.Option:
    return click.Option([name], expose_value=False, **options)  # type: ignore[arg-type]


def _remember(context: click.Context, option: click.Parameter, value: str | None) -> None:
    context.meta[_DATASET] = value


def _either(context: click.Context, argument: click.Parameter, value: str | None) -> str:
    """The dataset, whichever way it was named."""
    other: str | None = context.meta.get(_DATASET)
    if value and other and value != other:
        raise click.UsageError(f"NAME is {value!r} and --dataset {other!r}; name one.", context)
    if value is None and other is None:
        raise click.MissingParameter(ctx=context, param=argument)
    return value or other or ""
