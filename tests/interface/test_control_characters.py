"""Names and labels come from data: printed, they must not clear a screen, set a title, turn a line round or end the program."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import CommandError, DataError, SparseMixedError, printable

EVIL = "a\x1b[2J\x1b]0;title\x07\r\x00\x9b31m\u202eb"
UNSAFE = set("\x1b\x07\r\x00\x9b\u202e\t")


def data(**names: str) -> pd.DataFrame:
    table = simulate_longitudinal(12, 5, seed=1)
    table["arm"] = [EVIL if i % 2 else "plain" for i in table.id]
    return table.rename(columns=names)


def assert_safe(text: str) -> None:
    assert not UNSAFE & set(text)
    text.encode("utf-8")  # a lone half of a character cannot be printed


def test_levels_and_names_are_escaped():
    name = EVIL.replace("\0", "")  # which no command may have
    table = data(time=f"x{name}", id=f"g{name}")
    fit = sparsemixed.mixed(f"y ~ arm + `x{name}` + (1 | `g{name}`)", table, reml=True)
    other = sparsemixed.mixed("y ~ arm + (1 | arm)", table)
    for one in (fit, other):
        shown = [
            str(one),
            repr(one),
            one.to_markdown(),
            str(one.contrast("arm")),
            str(one.e),
            str(sparsemixed.compare(fit, other)),
        ]
        shown += [sparsemixed.compare(fit, other).to_markdown(), str(one.testparm("i.arm"))]
        for text in shown:
            assert_safe(text)
    assert r"\x1b[2J" in str(fit)
    assert name in " ".join(fit.params.index)  # as they are in what a program reads


@pytest.mark.parametrize("name", [EVIL, "\ud800", "\udfff\x1b"])
def test_messages_are_escaped(name: str):
    table = data()
    for model in (f"y `{name}` || id:", f"y ~ `{name}` + (1 | id)", f"y time if {name} || id:", f"y time, {name}", name):
        with pytest.raises(SparseMixedError) as found:
            sparsemixed.mixed(model, table)
        assert_safe(str(found.value))
    assert_safe(str(DataError(name)))


def test_the_caret_stands_under_its_place():
    text = "y\x1b[1m time\t?"
    lines = str(CommandError("found `?`", text, text.index("?"))).splitlines()
    assert lines[1].index("?") == lines[2].index("^")
    assert_safe("".join(lines))


def test_plain_text_stays():
    for text in ("", "weight of µ-opioids, 体重\nline two", "e\u0301 \U0001f40d"):
        assert printable(text) == text


def test_on_the_command_line(tmp_path):
    table = data()
    table["arm"] = [text.replace("\r", "").replace("\0", "") for text in table.arm]  # which would end a line or a file
    table.to_csv(tmp_path / "visits.csv", index=False)
    for command, status in (("y ~ arm + (1 | id)", 0), (f"y ~ {EVIL.replace(chr(0), '')}", 2)):
        done = subprocess.run(
            [sys.executable, "-m", "sparsemixed", "fit", tmp_path / "visits.csv", command], capture_output=True, cwd=tmp_path
        )
        assert done.returncode == status, done.stderr
        assert not {0x1B, 0x07, 0x0D, 0x9B} & set(done.stdout + done.stderr)
