"""`completion`: scripts by which shells complete commands, made by the library shtab from the parser itself."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from sparsemixed.cli.streams import write_text
from sparsemixed.errors import OptionError

EXAMPLES = """\
examples:
  sparsemixed completion bash > ~/.local/share/bash-completion/completions/sparsemixed
  sparsemixed completion zsh > ~/.zfunc/_sparsemixed

It needs the package shtab: pip install "sparsemixed[completion]".
"""
SHELLS = ("bash", "zsh", "tcsh")
FILES = ("DATA", "FIT", "JOBS", "OUT")
"""Arguments that name files."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which shell."""
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    try:
        shtab = import_module("shtab")
    except ImportError:
        raise OptionError('completions need the package shtab: pip install "sparsemixed[completion]"') from None
    write_text(shtab.complete(whole_parser(shtab.FILE), shell=options.shell) + "\n")
    return 0


def whole_parser(files: Any) -> argparse.ArgumentParser:
    """The parser, with the options of models among those of the commands that take them; `files` completes names of files."""
    from sparsemixed.cli.program import parser
    from sparsemixed.command.shell import option_words

    top = parser()
    (commands,) = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    for name, one in commands.choices.items():
        if one.get_default("takes_words"):
            taken = {word for action in one._actions for word in action.option_strings}
            for word, takes_argument in option_words(name == "fit"):
                if word not in taken:
                    one.add_argument(word, **({} if takes_argument else {"action": "store_true"}))
        for action in one._actions:
            if action.metavar in FILES:
                action.complete = files  # type: ignore[attr-defined]  # where shtab looks
    return top
