"""What a build adds to the wheel: the man pages, made from the help of the commands, and the commit.

Everything else that setuptools must know is in ``pyproject.toml``.
"""

import os
import sys
import time
from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build
from setuptools.command.sdist import sdist

SOURCE = Path(__file__).parent
sys.path.insert(0, str(SOURCE))  # a build backend does not


def record_commit(package: Path) -> None:
    """Write the commit into a folder with the package movietui, unless it is unknown."""
    from movietui.commit import RECORD, commit_of

    if commit := commit_of(SOURCE):
        (package / RECORD).write_text(f"{commit}\n", "ascii")


class BuildExtras(Command):
    """Writes the man pages, and the commit beside the code."""

    editable_mode = False

    def initialize_options(self) -> None:
        """Do nothing: there are no options."""
        self.build_base: str | None = None
        self.build_lib: str | None = None

    def finalize_options(self) -> None:
        """Use the folders of the command ``build``."""
        self.set_undefined_options("build", ("build_base", "build_base"), ("build_lib", "build_lib"))

    def run(self) -> None:
        """Write the files. In an editable install, the code is in the checkout, which knows its commit."""
        from movietui.cli import cli
        from movietui.cli.manual import SECTION, pages

        assert self.build_base is not None
        assert self.build_lib is not None
        today = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))  # the same build, the same pages
        folder = Path(self.build_base) / "man"
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, page in pages(cli, time.strftime("%Y-%m-%d", today)).items():
            paths.append(folder / f"{name}.{SECTION}")
            paths[-1].write_text(page, "utf-8")
        self.distribution.data_files = [(f"share/man/man{SECTION}", [str(path) for path in paths])]
        if not self.editable_mode:
            record_commit(Path(self.build_lib) / "movietui")


class Build(build):
    """Also builds the extras."""

    sub_commands = [*build.sub_commands, ("build_extras", None)]


class Sdist(sdist):
    """Records the commit, which an unpacked source distribution cannot ask git for."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Write the tree, and the commit into it."""
        super().make_release_tree(base_dir, files)
        record_commit(Path(base_dir) / "movietui")


setup(cmdclass={"build": Build, "build_extras": BuildExtras, "sdist": Sdist})
