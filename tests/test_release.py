"""The pages that a release must keep up to date: licences, citation and changes."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from movietui import __version__

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "licences.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def names_of(requirements: list[str]) -> set[str]:
    """Return the names of the packages that are needed here, without those of extras."""
    parsed = map(Requirement, requirements)
    return {canonicalize_name(each.name) for each in parsed if each.marker is None or each.marker.evaluate()}


def test_the_table_has_the_dependencies_of_movietui_and_of_each_extra() -> None:
    rows = dict(re.findall(r"^\| ([\w.-]+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.M))
    expected = {name: ["movietui"] for name in names_of(PROJECT["dependencies"])}
    for extra, requirements in PROJECT["optional-dependencies"].items():
        for name in names_of(requirements):
            expected.setdefault(name, []).append(f"`movietui[{extra}]`")
    listed = {canonicalize_name(name): set(installed_with.split(", ")) for name, installed_with in rows.items()}
    del listed["package"]  # the heading
    assert listed == {name: set(extras) for name, extras in expected.items()}


def test_the_packages_that_come_with_them_are_listed() -> None:
    waiting, needed = names_of(PROJECT["dependencies"]), set()
    while waiting:
        needed.add(name := waiting.pop())
        try:
            waiting |= names_of(requires(name) or []) - needed
        except PackageNotFoundError:  # it is not needed here
            continue
    words = {canonicalize_name(word) for word in re.findall(r"[\w.-]+", PAGE)}
    assert {name for name in needed if not name.startswith(("nvidia-", "cuda-", "triton"))} <= words


def test_the_citation_and_the_changes_name_the_version_and_its_date() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    (version,) = re.findall(r"^version: (.+)$", citation, re.M)
    (date,) = re.findall(r'^date-released: "(.+)"$', citation, re.M)
    assert version == __version__
    assert f"\n## {version}, {date}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")
