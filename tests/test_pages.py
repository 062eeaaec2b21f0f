"""The pages of the documentation: their links work, and each page can be reached from the README."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^()\s#:]*)(?:#([^()\s]*))?\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


def links(page: Path) -> list[tuple[Path, str]]:
    """Return the files that a page links to, each with the anchor; links to other sites are left out."""
    text = "".join(line for line in page.read_text("utf-8").splitlines(keepends=True) if not line.startswith("    "))
    links = LINK.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    return [((page.parent / path).resolve() if path else page, anchor) for path, anchor in links]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub and the site make them."""
    headings = HEADING.findall(re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL))
    words = (re.sub(r"\[([^]]*)\]\([^)]*\)|`", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in words}


def test_every_link_leads_somewhere() -> None:
    wrong = [
        f"{page.name}: {path.name}#{anchor}"
        for page in PAGES
        for path, anchor in links(page)
        if not path.exists() or (anchor and anchor not in anchors(path))
    ]
    assert wrong == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), {ROOT / "README.md"}
    while waiting:
        reached.add(page := waiting.pop())
        waiting |= {path for path, _ in links(page) if path.suffix == ".md" and path.exists()} - reached
    assert {page.name for page in PAGES} == {page.name for page in reached if page.is_relative_to(ROOT)}
