"""Shell completion: the scripts for bash, zsh and fish, and the replies to these scripts.

Click does most of it. Here is what it leaves out: names with spaces, quotes or ``$`` must reach bash as one harmless
word, those with commas must reach fish whole, and no space may follow the equals sign of a setting.
"""

from __future__ import annotations

import os
import re
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    shell_complete,
)

from movietui.cli.commands import Named
from movietui.cli.completers import beginning
from movietui.cli.output import as_json, handle_errors, print_json
from movietui.protocol.exit_codes import FAILED

PROGRAM = "movietui"
_PLAIN = re.compile(r"[\w%+,./-]+")
"""Text that bash reads as it stands. The rest of its ``COMP_WORDBREAKS``, such as the colon, would split a word."""
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' item
    COMPREPLY=()
    while read -r item; do
        case $item in
            dir,*) compopt -o dirnames ;;
            file,*) compopt -o default ;;
            plain,*)
                COMPREPLY+=("${item#plain,}")
                [[ $item == *= ]] && compopt -o nospace
                ;;
        esac
    done < <(COMP_TYPED="${COMP_WORDS[COMP_CWORD]}" COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a response names settings described
    local type name help
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) %(complete_var)s=zsh_complete \\
        %(prog_name)s 2>/dev/null)}")
    for type name help in ${response}; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain)
                if [[ $help != _ ]]; then
                    described+=("$name:$help")
                elif [[ $name == *= ]]; then
                    settings+=("$name")
                else
                    names+=("$name")
                fi
                ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#settings )) && compadd -U -V unsorted -S '' -a settings
    (( $#names )) && compadd -U -V unsorted -a names
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = """\
function %(complete_func)s
    set -l typed (commandline -ct)
    env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD="$typed" %(prog_name)s 2>/dev/null \\
        | while read -l item
        switch $item
            case 'dir,*'
                __fish_complete_directories $typed
            case 'file,*'
                __fish_complete_path $typed
            case 'plain,*'
                string replace -- plain, '' $item
        end
    end
end

complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""


@add_completion_class
class Bash(BashComplete):
    """Completes for bash, with each name quoted as the word is that is being typed."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one at the cursor. Bash splits ``--option=value`` into three."""
        words, typed = super().get_completion_args()
        joined = [word for before, word in zip(["", *words], words, strict=False) if not _joins(before, word)]
        return joined, typed

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return what is offered. Bash inserts what several names have in common, so they begin as the word does."""
        items = super().get_completions(args, incomplete)
        typed = incomplete.rpartition("=")[2] if incomplete.startswith("-") else incomplete
        if len(items) > 1:
            for item in items:
                item.value = typed + item.value[len(typed) :] if beginning([item.value], typed) else item.value
        return items

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return a line of the reply: the type and the value."""
        name, equals, rest = item.value.partition("=")
        if equals and not rest:  # a setting, whose value follows
            return f"{item.type},{name}="
        return f"{item.type},{quoted(item.value, os.environ.get('COMP_TYPED', ''))}"


def _joins(before: str, word: str) -> bool:
    return word == "=" and before.startswith("--")


@add_completion_class
class Zsh(ZshComplete):
    """Completes for zsh, with no space after a setting, whose value follows."""

    source_template = _ZSH


@add_completion_class
class Fish(FishComplete):
    """Completes for fish, which quotes names by itself."""

    source_template = _FISH


def quoted(text: str, typed: str) -> str:
    """Return text that bash reads as one word and never expands.

    ``typed``: the word so far; a quote at its start stays open until the end of the word.
    """
    match typed[:1]:
        case "'":
            return text.replace("'", "'\\''")
        case '"':
            # Between double quotes, a backslash does not keep ! from recalling an earlier command.
            return re.sub(r'([\\"$`])', r"\\\1", text).replace("!", "\"'!'\"")
        case _:
            return "".join(each if _PLAIN.fullmatch(each) else f"\\{each}" for each in text)


def complete(variable: str) -> int:
    """Reply to a shell that completes a command, and return the exit code.

    Whatever is wrong, such as a damaged store, print no message: it would appear in the middle of the typed line.
    """
    from movietui.cli import cli

    try:
        return shell_complete(cli, {}, PROGRAM, variable, os.environ[variable])
    except Exception:
        return FAILED


@click.command()
@click.argument("shell", type=Named(("bash", "zsh", "fish")))
@as_json
@handle_errors
def completion(shell: str, json_: bool) -> None:
    """Print a script that lets SHELL complete commands, options and names: bash, zsh or fish.

    \b
    For bash, add this line to ~/.bashrc:   eval "$(movietui completion bash)"
    For zsh, to ~/.zshrc after compinit:    eval "$(movietui completion zsh)"
    For fish, run: movietui completion fish > ~/.config/fish/completions/movietui.fish
    """
    from movietui.__main__ import COMPLETE
    from movietui.cli import cli

    kind: Any = get_completion_class(shell)
    script = _script(kind(cli, {}, PROGRAM, COMPLETE))
    if json_:
        print_json({"shell": shell, "script": script})
        return
    click.echo(script, nl=False)


def _script(shell: ShellComplete) -> str:
    # Click's class for bash asks the installed bash for its version first.
    return shell.source_template % shell.source_vars()
