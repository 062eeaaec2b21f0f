"""Every text on screen can be translated: ``tr`` marks it, the template has it, and the screens show it."""

import ast
import json
import os
import re
import shutil
import string
import subprocess
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from movietui.data import catalogue as datasets
from movietui.models.choices import METRICS
from movietui.models.registry import MODELS
from movietui.models.settings import describe
from tests import texts

LITERAL = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}|\$\w+|\[[^\]]*\]|%\w|\n")
"""What a translation keeps: placeholders and markup."""
NAMES = (
    *("movietui", "RMSE", "ml-latest-small", "standard", "random90", "tuned", "kB", "MB"),
    *("IMDb", "JustWatch", "Letterboxd", "https://www.justwatch.com/us/search"),
    *("esc", "tab", "space"),  # keys
    *("shift", "order", "Breiman", "Metzler", "Croft"),  # a formula and its references
)
"""What is the same in every language, besides the titles, models, settings and metrics."""


def made_up(text: str) -> str:
    """Translate a text into a made-up language: each letter becomes a Cyrillic one."""
    literals = LITERAL.findall(text)
    parts = [re.sub("[A-Za-z]", lambda letter: chr(ord(letter[0]) + 0x3C9), part) for part in LITERAL.split(text)]
    return "".join(part + after for part, after in zip(parts, [*literals, ""], strict=True))


def placeholders(text: str) -> set[str]:
    """Return the names in braces, also those in format specifications."""
    names = set[str]()
    for _, name, specification, _ in string.Formatter().parse(text):
        if name is not None:
            names |= {name} | placeholders(specification or "")
    return names


def test_the_template_has_all_texts() -> None:
    assert texts.TEMPLATE.read_text("utf-8") == texts.template(), "run make texts"


def test_no_text_is_put_together_and_placeholders_are_the_values() -> None:
    wrong = []
    for path in texts.modules():
        for call in texts.calls(path, "tr"):
            text = call.args[0]
            literal = text.value if isinstance(text, ast.Constant) else ""
            if isinstance(text, ast.JoinedStr | ast.BinOp) or (call.keywords and not literal):
                wrong.append(f"{path}:{call.lineno} puts the text together before it translates it")
            elif call.keywords and placeholders(literal) != {value.arg for value in call.keywords}:
                wrong.append(f"{path}:{call.lineno} has other values than placeholders")
    assert wrong == []


def test_what_a_problem_and_a_notice_say_is_translated() -> None:
    unmarked = []
    for path in texts.modules():
        for call in texts.calls(path, "Problem", "show_notice", "ClickException", "BadParameter", "UsageError"):
            for argument in call.args[:1]:
                parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                if any(isinstance(part, ast.Constant) and re.search("[a-z]{2}", str(part.value)) for part in parts):
                    unmarked.append(f"{path}:{call.lineno}")
    assert unmarked == []


def test_screens_are_translated(small_home: Path, home: Path, tmp_path: Path) -> None:
    shutil.copytree(small_home, home)
    for cleaned in home.glob("cache/datasets/demo/standard-*"):
        shutil.rmtree(cleaned)  # its report is in English
    english = texts.catalogue()
    translated = Catalog()
    for message in english:
        if message.id:
            one = isinstance(message.id, str)
            translated.add(message.id, made_up(message.id) if one else tuple(map(made_up, message.id)))
    folder = tmp_path / "languages" / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "movietui.mo").open("wb") as file:
        write_mo(file, translated)
    script = [sys.executable, "-m", "tests.movietui.made_up_language", str(tmp_path / "languages")]
    printed = subprocess.run(
        script, cwd=texts.ROOT, env={**os.environ, "LANGUAGE": "xx"}, capture_output=True, text=True, check=True
    ).stdout
    dataset = datasets.load("demo", "standard")
    settings = (setting.name for name in MODELS for setting in describe(MODELS[name].settings_type))
    movies, occupations = dataset.movies, dataset.users.occupation
    note = json.loads((home / "cache" / "datasets" / "demo" / "dataset.json").read_text("utf-8"))["note"]
    names = [*movies.titles, *movies.genre_names, *occupations, note, *MODELS, *settings, *METRICS, *NAMES]
    known = {*re.findall("[A-Za-z]+", " ".join(names))}
    english_words = {
        word: screen
        for screen, lines in json.loads(printed).items()
        for word in re.findall("[A-Za-z]{2,}", " ".join(lines))
        if not any(one.startswith(word) or one.endswith(word) for one in known)  # narrow columns cut words
    }
    assert english_words == {}
