"""The manual page and the completions know every command and option of the parser, and no others."""

import argparse
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import sparsemixed
from sparsemixed.cli.commands.completion import SHELLS, whole_parser
from sparsemixed.cli.endings import BROKEN_OFF, CONVERGED, INTERNAL_ERROR, NOT_CONVERGED, USER_ERROR
from sparsemixed.cli.program import COMMANDS, main, parser

PAGE = Path(__file__).parents[2] / "packaging" / "man" / "sparsemixed.1"
EVERYWHERE = {"-h", "--help", "--debug"}


def subparsers(top):
    (found,) = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    return found.choices


def options_of(one):
    """Long ones; a letter that stands for one is told beside it."""
    return {word for action in one._actions for word in action.option_strings if word.startswith("--")} - EVERYWHERE


def arguments_of(one):
    arguments = [action for action in one._actions if not action.option_strings]
    forms = {"+": "{}...", "*": "[{}...]"}
    return [forms.get(action.nargs, "{}").format(action.metavar) for action in arguments]


def test_the_manual_page_says_what_the_parser_takes():
    text = PAGE.read_text(encoding="utf-8")
    commands = text.partition(".SH COMMANDS\n")[2].partition(".SH EXIT STATUS")[0]
    sections = dict(re.findall(r"^\.SS (.*)\n((?:(?!\.SS ).*\n)*)", commands, re.MULTILINE))
    told = {}
    for heading, body in sections.items():
        name, *arguments = heading.split()
        words = re.findall(r"^\.BI? (\\-\\-\S+)", body, re.MULTILINE)
        told[name] = (arguments, {word.replace("\\-", "-") for word in words})
        assert len(words) == len(told[name][1])
    assert told == {name: (arguments_of(one), options_of(one)) for name, one in subparsers(parser()).items()}
    assert list(told) == list(COMMANDS)
    statuses = re.findall(r"^\.B (\d+)$", text.partition(".SH EXIT STATUS")[2], re.MULTILINE)
    assert [int(status) for status in statuses] == [CONVERGED, NOT_CONVERGED, USER_ERROR, INTERNAL_ERROR, BROKEN_OFF]
    assert f'"sparsemixed {sparsemixed.__version__}"' in text


def test_options_with_an_argument_name_it_on_the_manual_page():
    text = PAGE.read_text(encoding="utf-8")
    for one in subparsers(parser()).values():
        for action in one._actions:
            if set(action.option_strings) - EVERYWHERE:
                (word,) = (word for word in action.option_strings if word.startswith("--"))
                macro = ".B" if action.nargs == 0 else ".BI"
                assert f"\n{macro} {word.replace('-', chr(92) + '-')}" in text, word


@pytest.mark.skipif(not (shutil.which("mandoc") or shutil.which("groff")), reason="neither mandoc nor groff")
def test_the_manual_page_is_well_formed():
    tool = ["mandoc", "-Tlint", "-Wwarning"] if shutil.which("mandoc") else ["groff", "-man", "-ww", "-z"]
    done = subprocess.run([*tool, str(PAGE)], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


def test_completions_know_every_command_and_option(capsys):
    shtab = pytest.importorskip("shtab")
    words = {name: options_of(one) for name, one in subparsers(whole_parser(shtab.FILE)).items()}
    assert {"--reml", "--level", "--pweights", "--json"} <= words["fit"]
    assert {"--level", "--noheader"} <= words["show"]
    assert "--reml" not in words["show"]
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        script = capsys.readouterr().out
        assert all(name in script for name in COMMANDS)
        assert all(word.lstrip("-") in script for own in words.values() for word in own)
        if shell == "bash" and shutil.which("bash"):
            assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_every_word_that_is_completed_is_known():
    """Options that completions offer are those that the commands take."""
    from sparsemixed.command.shell import display_options, model_options, option_words
    from sparsemixed.errors import OptionError

    refusals = []
    for fitting, read in ((True, model_options), (False, display_options)):
        for word, takes_argument in option_words(fitting):
            try:
                read([word, "1"] if takes_argument else [word])
            except OptionError as error:  # 1 may be no value of it
                refusals.append(str(error))
    assert not [text for text in refusals if "unknown option" in text or "says how to fit" in text]
    assert len(refusals) < 10
