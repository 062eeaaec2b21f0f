"""``movietui serve``: the app in browsers on this machine, for its owner or as a public demo."""

from __future__ import annotations

import re
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from movietui.cli.output import as_json, handle_errors, print_json
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.protocol import code_path

PORT = 8765


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="The port on this machine; 0 is any free one.",
)
@click.option(
    "--public-demo",
    is_flag=True,
    help="Show the demo to strangers: each page has its own throw-away copy, without network and without files.",
)
@click.option("--url", metavar="ADDRESS", help="The address of a proxy, with which visitors open the public demo.")
@as_json
@handle_errors
def serve(port: int, public_demo: bool, url: str | None, json_: bool) -> None:
    """Open the app in browsers on this machine, until ctrl+c.

    Prints an address with a key. Nobody without the key can use the app, and no other machine can reach it.
    """
    if url and not public_demo:
        raise click.UsageError(tr("--url is the address of a public demo; add --public-demo."))
    if url and not re.fullmatch(r"https?://[\w.:-]+/?", url, re.ASCII):
        raise click.UsageError(tr("--url {url!r} is not an address such as https://demo.example.org.", url=url))
    if find_spec("textual_serve") is None:
        raise Problem(tr("movietui serve needs textual-serve; run pip install 'movietui[web]'."))
    from movietui.web import demo, server

    def ready(address: str) -> None:
        if json_:
            print_json({"address": address, "public_demo": public_demo})
        else:
            click.echo(tr("movietui is at {address}\nctrl+c ends it.", address=address))
        sys.stdout.flush()

    with server.listen(port) as listening:
        if not public_demo:
            server.AppServer(code_path.command("movietui"), listening).run(ready)
            return
        with tempfile.TemporaryDirectory(prefix="movietui-demo-") as folder:
            click.echo(tr("Preparing the demo …"), err=True)
            template = Path(folder, "template")
            demo.prepare(template)
            command = code_path.command("movietui.web", str(template))
            server.AppServer(command, listening, url=url or "", public=True).run(ready)
