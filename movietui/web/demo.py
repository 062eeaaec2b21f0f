"""The public demo: each visitor gets a copy of a home with the demo, which is removed when the page is closed."""

import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

from movietui.data.fetch.downloads import OFFLINE
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import log, public_demo
from movietui.protocol import code_path
from movietui.state.first_list import DEMO

COMMANDS = (
    ("train", "bias", "--dataset", DEMO),
    ("train", "mf", "--dataset", DEMO),
    ("runs", "use", "2"),  # so that no better model is trained for each visitor
)
"""The commands that make the home of which visitors get copies."""
LIMITS = {
    resource.RLIMIT_CPU: 15 * 60,
    resource.RLIMIT_FSIZE: 256 * 2**20,
    resource.RLIMIT_DATA: 4 * 2**30,
    resource.RLIMIT_CORE: 0,
}
"""What each process of a visitor may use: seconds of processor time, and bytes of a file, of memory, of a core dump."""
NICE = 10
"""How much the processes of visitors stand back behind others."""


def prepare(home: Path) -> None:
    """Make the home of which visitors get copies. Takes some seconds. Raises ``Problem``."""
    environment = {**code_path.environment(), **_variables(home)}
    for arguments in COMMANDS:
        command = code_path.command("movietui", *arguments)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.splitlines() or [tr("no reason given")])[-1]
            raise Problem(tr("The demo could not be prepared: {reason}", reason=reason))


def visit(template: Path) -> int:
    """Run the app in a copy of the home ``template``, beside it, and return the exit code of the app.

    If the process is killed, the copy stays until the server removes the folder of all copies.
    """
    with tempfile.TemporaryDirectory(prefix="visit-", dir=template.parent) as folder:
        home = Path(folder, "home")
        shutil.copytree(template, home)
        os.environ.update(_variables(home), **{public_demo.VARIABLE: "1"})
        os.chdir(folder)
        os.nice(NICE)
        for limit, amount in LIMITS.items():
            _, most = resource.getrlimit(limit)
            amount = amount if most == resource.RLIM_INFINITY else min(amount, most)
            resource.setrlimit(limit, (amount, amount))
        log.record_uncaught("public demo")
        from movietui.ui.start import run

        return run()


def _variables(home: Path) -> dict[str, str]:
    return {"MOVIETUI_HOME": str(home), OFFLINE: "1"}
