"""Adds the pages at the top of the repository to the site, and lets no page load anything from elsewhere."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

TOP = Path(__file__).parent.parent
HOME = "README.md"
LICENSE = "LICENSE"
LOADS = re.compile(r"""<(?:script|img|link|iframe|source|object)\b[^>]*\b(?:src|href|data)=["']?(?:https?:)?//[^>]*>""")
IN_STYLES = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, the first as the start page, and the licence."""
    for path in sorted(TOP.glob("*.md")):
        files.append(File.generated(config, _on_site(path.name), content=path.read_text("utf-8")))
    files.append(File.generated(config, _on_site(LICENSE), abs_src_path=str(TOP / LICENSE)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links between ``docs`` and the top of the repository work on the site, where both are in one folder."""

    def link(match: re.Match[str]) -> str:
        path, anchor = match[1], match[2] or ""
        inside = path.removeprefix("../" if page.file.src_uri.count("/") == 0 else "../../").removeprefix("docs/")
        return f"]({_on_site(inside)}{anchor})" if (TOP / inside).is_file() or path.startswith("docs/") else match[0]

    return re.sub(r"\]\(([^()#:\s]+)(#[^()\s]*)?\)", link, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Fail if a page would load something from elsewhere."""
    if loaded := LOADS.search(output):
        raise PluginError(f"{page.file.src_uri} loads something from elsewhere: {loaded[0]}")
    return output


def on_post_build(config: MkDocsConfig) -> None:
    """Fail if a style sheet or a picture would load something from elsewhere."""
    for path in Path(config.site_dir).rglob("*"):
        if path.suffix in (".css", ".svg") and IN_STYLES.search(path.read_text("utf-8")):
            raise PluginError(f"{path} loads something from elsewhere.")


def _on_site(path: str) -> str:
    return {HOME: "index.md", LICENSE: "LICENSE.txt"}.get(path, path)
