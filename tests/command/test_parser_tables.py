"""The parsers' tables on disk: the same trees from them, and none is missed where they cannot be read or written."""

from __future__ import annotations

import pytest

from sparsemixed.command import parse
from sparsemixed.errors import CommandError

TEXT = "y i.arm##c.x [pw=w] if x > 2 in 1/9 || school: x, covariance(unstructured) || id:, reml"


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Parsers made anew, with a folder of their own for the tables."""
    monkeypatch.setattr(parse, "_kept_tables", lambda name: str(tmp_path / name))
    parse._parser.cache_clear()
    yield tmp_path
    parse._parser.cache_clear()


def again(text):
    parse._parser.cache_clear()
    return parse.parse_tree(text, text)


def test_trees_from_the_tables_are_those_of_the_grammar(fresh):
    made = again(TEXT)
    assert [file.name for file in fresh.iterdir()] == ["grammar.command"]
    read = again(TEXT)
    assert read == made
    assert [(token, token.start_pos) for token in read.scan_values(bool)] == [
        (token, token.start_pos) for token in made.scan_values(bool)
    ]
    with pytest.raises(CommandError, match="expected") as first:
        again("y x || id: time)")
    (fresh / "grammar.command").unlink()
    with pytest.raises(CommandError) as second:
        again("y x || id: time)")
    assert str(first.value) == str(second.value)


@pytest.mark.parametrize("content", [b"", b"not of lark\n", None])
def test_tables_that_are_broken_or_of_another_version_are_made_anew(fresh, content, capfd):
    made = again(TEXT)
    file = fresh / "grammar.command"
    file.write_bytes(file.read_bytes()[:-1000] if content is None else content)
    assert again(TEXT) == made
    assert capfd.readouterr().err == ""


def test_no_folder_no_tables(monkeypatch, tmp_path):
    monkeypatch.setattr(parse, "__file__", str(tmp_path / "parse.py"))
    (tmp_path / "__pycache__").write_text("a file where a folder should be")
    assert parse._kept_tables("grammar.command") is None
