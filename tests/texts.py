"""Collect the texts that people read in ``data/languages/movietui.pot``, from which translators work.

python -m tests.texts
"""

import ast
import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from movietui.models.registry import MODELS, plugin_of
from movietui.models.settings import describe

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "data" / "languages" / "movietui.pot"


def modules() -> Iterator[Path]:
    """Yield the modules of the program."""
    for folder in ("data", "models", "movietui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not any(part.is_symlink() for part in path.parents):
                yield path


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions or methods with one of ``names``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield node


def catalogue() -> Catalog:
    """Return all texts, each with the files that it is in, and the nouns that are counted, with their plurals."""
    collected = Catalog(project="movietui", charset="utf-8")
    for path in modules():
        places = [(str(path.relative_to(ROOT)), 0)]
        for text in filter(None, (_literal(call, 0) for call in calls(path, "tr", "mark"))):
            collected.add(text, locations=places)
        nouns = [_literal(call, 1) for call in calls(path, "tr_noun", "plural")]
        for noun in filter(None, [*nouns, *(_literal(call, 0) for call in calls(path, "mark_noun"))]):
            collected.add((noun, f"{noun}s"), locations=places)
    for name in (each for each in MODELS if plugin_of(each) is None):
        for setting in describe(MODELS[name].settings_type):
            collected.add(setting.meaning, locations=[("models", 0)])
    return collected


def _literal(call: ast.Call, position: int) -> str:
    """Return the text that an argument of a call is; empty if it is no literal."""
    argument = call.args[position]
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""


def template() -> str:
    """Return all texts as the template of a catalogue."""
    file = io.BytesIO()
    write_po(file, catalogue(), width=120, omit_header=True, sort_by_file=True, include_lineno=False)
    return file.getvalue().decode()


if __name__ == "__main__":
    TEMPLATE.write_text(template(), "utf-8")
