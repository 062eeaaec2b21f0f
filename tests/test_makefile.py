"""``make run`` installs the build of torch for processors if there is no GPU and its index replies."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.data.server import Server, serving

MAKEFILE = Path(__file__).parents[1] / "Makefile"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the default torch is for processors")


def index_of(server: Server) -> str:
    return server.url.removesuffix("/torch/")


def make(target: str, server: Server, *, folder: Path = MAKEFILE.parent, gpu: Path = Path("/nowhere")) -> str:
    """Return what ``make`` prints if the server has the index of torch."""
    variables = (f"PYTHON={sys.executable}", f"CPU_TORCH={index_of(server)}", f"GPU={gpu}", "REPLY_SECONDS=0.5")
    command = ["make", "-s", "-C", folder, target, *variables]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_torch_is_taken_from_the_index_for_processors(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).symlink_to(MAKEFILE.with_name(name))
    with serving("torch/") as server:
        option = f"--extra-index-url {index_of(server)}"
        assert make("cpu-torch", server) == option
        called = make(".venv/run.stamp", server, folder=tmp_path)
    assert called.startswith(f"-m pip install --quiet --no-compile {option} -c constraints.txt")


def test_pip_takes_the_default_torch_if_the_index_does_not_reply() -> None:
    with serving("torch/") as server:
        server.content, server.stalls = b"x", True
        assert make("cpu-torch", server) == ""
    assert make("cpu-torch", server) == ""  # nothing listens any more


def test_a_gpu_gets_the_default_torch() -> None:
    with serving("torch/") as server:
        assert make("cpu-torch", server, gpu=MAKEFILE) == ""
        assert server.requests == []
