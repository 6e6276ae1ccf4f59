"""Texts that are no commands: what was found, what was expected, and the caret."""

import subprocess
import sys

import pytest

from sparsemixed.command import read_model
from sparsemixed.errors import CommandError


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("y x || id", 9, "starts with its level variable and a colon"),
        ("y x || id week", 10, "found `week`, expected `:`"),
        ("y x |id:", 4, "found `\\|`"),
        ("y x || :", 7, "found `:`, expected a name"),
        ("y x || 3id:", 7, "found `3id`"),
        ("y x || i.id:", 8, "found `.`, expected `:`"),
        ("y x,, reml | id:", 11, "found `\\|`"),
        ("y x || id:, cov(un", 18, "expected .*`\\)`"),
        ("y x if (x > 2 || id:", 14, "a parenthesis is not closed"),
        ("y x if x = 2 || id:", 9, "compare with `==`"),
        ("y x if foo(2)", 7, "unknown function foo"),
        ("y x if x > 2 if x < 3", 13, "a second if"),
        ("y x in 0/3", 7, "counted from 1"),
        ("y x in 5/2", 7, "ends before it starts"),
        ("y x in a", 7, "a range of rows"),
        ("y `x' || id:", 2, "macros are not expanded"),
        ("y x [w]", 4, "weights say of what kind they are"),
        ("y x || id:, if x > 2", 12, "before its comma"),
        ("y x || id:, reml in 1/3", 17, "before its comma"),
        ("y x; z", 3, "found `;`"),
        ("y ~", None, None),
    ],
)
def test_place_and_reason(text, position, message):
    if position is None:
        assert read_model(text, {}).fixed == ()
        return
    with pytest.raises(CommandError, match=message) as caught:
        read_model(text, {})
    assert caught.value.text == text
    assert caught.value.position == position


def test_the_caret_stands_under_the_place_in_its_line():
    with pytest.raises(CommandError) as caught:
        read_model("y x ///\n || id: week, reml level(5)", {})
    assert str(caught.value).splitlines()[1:] == ["   || id: week, reml level(5)", "                           ^"]


def test_nesting_and_other_types():
    with pytest.raises(CommandError, match="nested too deeply"):
        read_model(f"y x if {'!' * 5000}x", {})
    with pytest.raises(CommandError, match="must be a text, found int"):
        read_model(3, {})


def test_formulaic_is_not_imported_for_commands():
    code = (
        "import sys; from sparsemixed.command import read_model; read_model('y x || id:', {}); print('formulaic' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]
