"""Shell completion: what is offered, and that real shells get names as one harmless word."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from click.shell_completion import CompletionItem, ZshComplete

from movietui.__main__ import COMPLETE
from movietui.cli import cli, completers
from movietui.cli.completion import Bash, quoted
from movietui.data import catalogue
from movietui.data.storage import locations
from movietui.protocol.code_path import HOME
from movietui.store.ratings import Store
from tests.movietui.commands import Run, document, refused

HOSTILE = (
    "a b",
    "c$(touch pwn)",
    "d'e",
    'f"g',
    "h`touch pwn`",
    "i;touch pwn",
    "j\\k",
    "l!m",
    "n*",
    "o~",
    "p, q",
    "r:s=t",
)
"""Names that a shell would split, expand or run if they were not quoted. Each begins with another letter."""
SHELLS = {
    "bash": ("--norc", "--noprofile", "-i"),
    "zsh": ("-f", "-i"),
    "fish": ("--no-config", "-i"),
}
SHOW = {
    # The shells look up the command in PATH to complete it, but run this function.
    "bash": 'movietui() { if [ -n "$_MOVIETUI_COMPLETE" ]; then command movietui; else printf \'<%s>\\n\' "$@"; fi; }',
    "zsh": "movietui() { printf '<%s>\\n' \"$@\"; }",
    "fish": "function movietui; printf '<%s>\\n' $argv; end",
}
LOAD = {
    "bash": 'eval "$(command movietui completion bash)"',
    "zsh": 'autoload -U compinit && compinit -u -D; eval "$(command movietui completion zsh)"',
    "fish": "command movietui completion fish | source",
}


def offered(*words: str) -> list[str]:
    """Return what is offered for the last word of a command."""
    shell = Bash(cli, {}, "movietui", COMPLETE)
    *before, typed = words
    return [item.value for item in shell.get_completions(list(before), typed)]


@pytest.fixture
def named(ready: Path) -> Path:
    """A home with the demo, and profiles with hostile names."""
    store = Store(locations.store())
    for name in HOSTILE:
        store.create_profile(name)
    store.close()
    return ready


def test_commands_options_and_choices_are_offered() -> None:
    assert "recommend" in offered("rec")
    assert {"list", "get", "remove", "clean", "show", "imdb"} == set(offered("data", ""))
    assert "--profile" in offered("recommend", "--pro")
    assert offered("completion", "") == ["bash", "zsh", "fish"]


def test_datasets_and_models_are_offered(ready: Path) -> None:
    assert offered("data", "show", "") == ["demo"]
    assert {"demo", "ml-100k"} <= set(offered("data", "get", ""))
    for command in (("train", "mf"), ("recommend",), ("similar", "x"), ("locate",)):
        assert offered(*command, "--dataset", "d") == ["demo"]
    assert {"bayes", "blend"} <= set(offered("train", "b"))
    assert "ease" in offered("evaluate", "mf", "ea")
    assert "mf" in offered("sweep", "start", "")
    assert offered("recommend", "--model", "eas") == ["ease"]
    assert "als" in offered("cluster", "train", "a")


def test_the_settings_of_the_named_models_are_offered() -> None:
    assert {"factors=", "sweeps="} <= set(offered("train", "mf", "--set", ""))
    assert offered("train", "mf", "--set", "fact") == ["factors="]
    assert "shrinkage=" in offered("evaluate", "mf", "item-knn", "--set", "shr")
    assert offered("sweep", "start", "bias", "--grid", "sw") == ["sweeps="]
    assert offered("train", "--set", "minu") == ["minutes="]  # of blend, the default
    assert offered("train", "bias", "--set", "minu") == []
    assert offered("train", "nothing", "--set", "") == []
    assert Bash(cli, {}, "movietui", COMPLETE).format_completion(CompletionItem("factors=")) == "plain,factors="


def test_users_are_offered(ready: Path) -> None:
    ids = catalogue.load("demo").users.ids
    assert set(offered("recommend", "--user", "12")) == {each for each in ids if each.startswith("12")}
    assert offered("recommend", "--dataset", "ml-1m", "--user", "1") == []


def test_profiles_lists_and_runs_are_offered(named: Path, run: Run) -> None:
    assert set(offered("recommend", "--profile", "")) == set(HOSTILE)
    title = offered("similar", "--dataset", "demo", "")[0]
    document(run("list", "--profile", "a b", "add", "Rainy evenings", title, "--dataset", "demo", "--json"))
    assert offered("list", "--profile", "a b", "show", "rain") == ["Rainy evenings"]
    assert offered("export", "--profile", "a b", "--list", "") == ["Rainy evenings"]
    assert offered("runs", "show", "") == ["2", "1"]


def test_movies_are_offered_for_every_argument_that_is_a_movie(ready: Path) -> None:
    some = offered("similar", "")
    assert len(some) == completers.MOST_NAMES
    for command in (("explain",), ("rate", "--profile", "a"), ("list", "--profile", "a", "add", "shelf")):
        assert offered(*command, "--dataset", "demo", some[0][:-1].lower()) == [some[0]]


def test_names_that_are_left_out_do_not_change_the_letters_that_all_share() -> None:
    @completers._completes
    def names(context: object) -> list[str]:
        return [*(f"Star Wars {number}" for number in range(99)), "Sting"]

    some = [item.value for item in names(None, None, "s")]  # type: ignore[arg-type]
    assert len(some) == completers.MOST_NAMES
    assert len({name[:3] for name in some}) == 2


def test_several_names_in_bash_keep_the_letters_that_are_typed(home: Path) -> None:
    store = Store(locations.store())
    for name in ("Anna", "ANTON"):
        store.create_profile(name)
    store.close()
    assert sorted(offered("recommend", "--profile", "an")) == ["anTON", "anna"]
    assert offered("recommend", "--profile", "ann") == ["Anna"]
    zsh = ZshComplete(cli, {}, "movietui", COMPLETE)
    assert [item.value for item in zsh.get_completions(["recommend", "--profile"], "an")] == ["Anna", "ANTON"]


def test_names_that_no_script_can_pass_on_are_not_offered(home: Path) -> None:
    @completers._completes
    def names(context: object) -> list[str]:
        return ["fine", "two\nlines", "\x1b[31mred", "a\tb"]

    assert [item.value for item in names(None, None, "")] == ["fine"]  # type: ignore[arg-type]


def test_completing_creates_nothing(home: Path) -> None:
    assert offered("recommend", "--profile", "") == []
    assert offered("data", "show", "") == []
    assert offered("similar", "a") == []
    assert not home.exists()


def test_completing_changes_no_file_of_an_open_store(named: Path) -> None:
    store = Store(locations.store())  # as the app has it open, with a write-ahead log
    store.choose("theme", "nord")
    before = {path: path.read_bytes() for path in named.rglob("*") if path.is_file() and path.suffix != ".sqlite3-shm"}
    assert "a b" in offered("recommend", "--profile", "")
    assert offered("similar", "")
    after = {path: path.read_bytes() for path in named.rglob("*") if path.is_file() and path.suffix != ".sqlite3-shm"}
    assert after == before
    store.close()


def test_a_damaged_store_is_no_obstacle(ready: Path) -> None:
    locations.store().write_bytes(b"this is no database\n" * 300)
    assert offered("recommend", "--profile", "") == []
    assert offered("data", "show", "") == ["demo"]


def complete(*words: str, shell: str = "bash") -> "subprocess.CompletedProcess[str]":
    """Complete the last word in a process of its own, as a shell does."""
    environment = {**os.environ, COMPLETE: f"{shell}_complete", "COMP_CWORD": str(len(words)), "PYTHONPATH": HOME}
    environment["COMP_WORDS"] = "\n".join(("movietui", *words))
    return subprocess.run(
        [sys.executable, "-m", "movietui"], env=environment, capture_output=True, text=True, timeout=60
    )


def test_a_process_that_completes_opens_no_app_and_imports_nothing_heavy(ready: Path) -> None:
    assert complete("data", "show", "d").stdout == "plain,demo\n"
    code = "import sys; from movietui.__main__ import main\n"
    code += "try: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    for words in (
        ("",),
        ("recommend", "--profile", ""),
        ("data", "get", ""),
        ("train", ""),
        ("similar", "a"),
        ("recommend", "--user", "1"),
    ):
        environment = {**os.environ, COMPLETE: "zsh_complete", "COMP_WORDS": " ".join(("movietui", *words))}
        environment |= {"COMP_CWORD": str(len(words)), "PYTHONPATH": HOME}
        process = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        heavy = {"numpy", "pandas", "pyarrow", "torch", "textual", "requests"} & set(process.stderr.split())
        assert not heavy, words
        assert process.stdout or "--profile" in words


def test_an_error_while_completing_prints_nothing(ready: Path) -> None:
    environment = {**os.environ, COMPLETE: "bash_complete", "PYTHONPATH": HOME}  # a broken script: no COMP_WORDS
    process = subprocess.run([sys.executable, "-m", "movietui"], env=environment, capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (1, "", "")


def test_bash_splits_an_option_and_its_value(ready: Path) -> None:
    assert complete("similar", "--dataset", "=", "d").stdout == "plain,demo\n"
    assert complete("similar", "--dataset=d").stdout == "plain,demo\n"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_bash_reads_a_quoted_name_as_one_word(text: str, quote: str, tmp_path: Path) -> None:
    word = quote + quoted(text, quote) + quote
    process = subprocess.run(
        ["bash", "--norc", "-c", f"printf %s {word}"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert process.stdout == text
    assert not list(tmp_path.glob("pwn"))


def test_completion_prints_a_script(run: Run) -> None:
    for shell in SHELLS:
        script = run("completion", shell).stdout
        assert COMPLETE in script
        assert document(run("completion", shell, "--json")) == {"shell": shell, "script": script}
    refused(run("completion", "fisch"), "did you mean fish", 2)


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A folder with a command ``movietui`` that runs this code."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "movietui"
    lines = ("import sys", f"sys.path.insert(0, {HOME!r})", "from movietui.__main__ import main", "main()")
    script.write_text(f"#!{sys.executable}\n" + "\n".join(lines) + "\n")
    script.chmod(0o755)
    return folder


class Shell:
    """An interactive shell with the completion of movietui; its ``movietui`` prints its arguments."""

    def __init__(self, name: str, command: Path, folder: Path) -> None:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        environment = {**os.environ, "PATH": f"{command}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "ready> "}
        environment |= {"LANG": "C.UTF-8", "HOME": str(folder), "fish_greeting": ""}
        self.child = pexpect.spawn(
            path,
            list(SHELLS[name]),
            cwd=str(folder),
            env=environment,
            timeout=60,
            encoding="utf-8",
            dimensions=(50, 300),
        )
        for number, line in enumerate((LOAD[name], SHOW[name])):
            self.child.sendline(
                f"{line}; echo loaded{number}-$((1 + 1))" if name != "fish" else f"{line}; echo loaded{number}-2"
            )
            self.child.expect(f"loaded{number}-2")

    def arguments(self, typed: str) -> list[str]:
        """Type a command, complete it with the tab key, and return the arguments that the shell passes."""
        self.child.send(f"{typed}\t")
        self.child.expect(r".")
        self.child.send("\r")
        self.child.expect(r"<recommend>\r?\n<--profile>\r?\n<((?s:.*?))>\r?\n")
        return [self.child.match[1]]


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_passes_a_completed_name_on_whole(name: str, named: Path, command: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shell = Shell(name, command, folder)
    for text in HOSTILE:
        assert shell.arguments(f"movietui recommend --profile {text[0]}") == [text]
        if name != "fish" and text in HOSTILE[:8]:
            assert shell.arguments(f'movietui recommend --profile "{text[0]}') == [text]
            assert shell.arguments(f"movietui recommend --profile '{text[0]}") == [text]
    assert not list(folder.glob("pwn"))
    shell.child.close(force=True)


@pytest.mark.parametrize("name", SHELLS)
def test_the_value_of_a_setting_follows_without_a_space(name: str, home: Path, command: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shell = Shell(name, command, folder)
    for line in ("train mf --set fact", "sweep start mf --grid fact"):
        shell.child.send(f"movietui {line}\t")
        shell.child.expect("ors=")  # after a bell in zsh
        shell.child.send("8,16\r")
        shell.child.expect(r"<((?:--set|--grid)>\r?\n<.*?)>\r?\n")
        assert shell.child.match[1].split()[-1] == "<factors=8,16"
    shell.child.close(force=True)


def test_types_of_items_reach_bash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMP_TYPED", raising=False)
    shell = Bash(cli, {}, "movietui", COMPLETE)
    assert shell.format_completion(CompletionItem("x y", "file")) == "file,x\\ y"
