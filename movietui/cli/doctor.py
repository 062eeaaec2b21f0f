"""``movietui doctor``: checks whether everything that movietui needs is there and works."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from movietui.cli.output import as_json, handle_errors, print_json, print_rich
from movietui.cli.standard_files import OUTPUT
from movietui.data.language import tr
from movietui.data.storage.atomic_files import require_free, write_file
from movietui.protocol.exit_codes import FAILED

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command()
@click.option(
    "--report",
    "output",
    type=OUTPUT,
    metavar="FILE",
    help="A new file for a report to send with a description of a problem; - is standard output. It has what doctor "
    "shows, the keys that you set and the log, but no rating, title or name of a profile.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@as_json
@handle_errors
def doctor(output: Path | None, force: bool, json_: bool) -> None:
    """Check the installation, the terminal, the folders, the store, models, datasets and the network.

    Nothing is changed. The exit code is 1 if a line says fail.
    """
    from movietui.cli import checks

    if output:
        require_free(output, force=force)
    results = checks.run_checks()
    if output:
        write_file(output, checks.report(results).encode("utf-8"), force=force)
    fails = any(each.state == "fail" for each in results)
    if json_:
        rows = [{"check": each.name, "state": each.state, "text": each.text, "advice": each.advice} for each in results]
        print_json({"ok": not fails, "checks": rows})
    else:
        table = Table.grid(padding=(0, 2))
        for _ in range(3):
            table.add_column(overflow="fold")
        for each in results:
            words = each.text + (f"\n→ {each.advice}" if each.advice else "")
            table.add_row(Text(each.state, STYLES[each.state]), each.name, words)
        print_rich(table)
        if output:
            print_rich(tr("Read the report in {path} before you send it.", path=output))
    if fails:
        sys.exit(FAILED)
