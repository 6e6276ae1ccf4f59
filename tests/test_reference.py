"""The reference has every name that a user can get: of the package, of what its functions return, and of the command line."""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import re
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import sparsemixed
from sparsemixed.cli.program import COMMANDS
from sparsemixed.plots.face import PICTURES, kind_of
from sparsemixed.postestimation.estat.table import SUBCOMMANDS

PAGE = (Path(__file__).parent.parent / "docs" / "reference.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^::: (sparsemixed[\w.]*)$", PAGE, re.MULTILINE)
WORDS = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
INNER = {
    "Fit": "the numbers behind a fit, for those who extend the package",
    "Run": "what a bootstrap keeps in its file",
}
"""Classes of annotations that users are not meant to take hold of, and why."""


def resolved(name):
    """The object of a dotted name."""
    parts = name.split(".")
    for stop in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:stop]))
        except ModuleNotFoundError:
            continue
        for part in parts[stop:]:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


@cache
def documented():
    """Objects that have an entry, those in an entry's module included."""
    found = {}
    for name in ENTRIES:
        one = resolved(name)
        found[id(one)] = one
        if isinstance(one, ModuleType):
            own = [value for key, value in vars(one).items() if not key.startswith("_")]
            found |= {id(value): value for value in own if getattr(value, "__module__", "") == one.__name__}
    return found


@cache
def classes():
    """Every class of the package by its name."""
    found = {}
    for module in pkgutil.walk_packages(sparsemixed.__path__, "sparsemixed."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(import_module(module.name)).items():
            if inspect.isclass(value) and value.__module__.startswith("sparsemixed"):
                found[name] = value
    return found


def own_members(one):
    """Public functions, methods and properties that a class itself has."""
    for name, value in vars(one).items():
        if not name.startswith("_"):
            value = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
            if isinstance(value, (property, cached_property)) or inspect.isfunction(value):
                yield name, value


def returned(value):
    """Names of the package's classes in what a function or property is said to return."""
    function = value.fget if isinstance(value, property) else value.func if isinstance(value, cached_property) else value
    said = getattr(function, "__annotations__", {}).get("return", "")
    words = WORDS.findall(said if isinstance(said, str) else getattr(said, "__name__", ""))
    return [classes()[word] for word in words if word in classes() and word not in INNER]


def faces():
    """Documented classes and functions."""
    return [one for one in documented().values() if not isinstance(one, ModuleType)]


def test_entries_are_there_once():
    assert [name for name in ENTRIES if ENTRIES.count(name) > 1] == []
    assert all(resolved(name) is not None for name in ENTRIES)


def test_the_package():
    names = set(sparsemixed.__all__) - {"__version__"}
    missing = [name for name in names if id(getattr(sparsemixed, name)) not in documented()]
    assert missing == []
    head = PAGE.split("## Fitting")[0]
    assert [name for name in names if not re.search(rf"sparsemixed\.{name}\b", head)] == []


def test_what_functions_return():
    missing = set()
    for one in faces():
        own = [(one.__name__, one)] if inspect.isfunction(one) else own_members(one) if inspect.isclass(one) else []
        for name, value in own:
            missing |= {
                f"{back.__module__}.{back.__name__} of {name}" for back in returned(value) if id(back) not in documented()
            }
    assert missing == set()


def test_what_classes_inherit():
    """Entries show what a class itself has."""
    missing = set()
    for one in filter(inspect.isclass, faces()):
        for base in one.__mro__[1:]:
            if (
                base.__module__.startswith("sparsemixed")
                and id(base) not in documented()
                and (any(True for _ in own_members(base)) or dataclasses.is_dataclass(base))
            ):
                missing.add(f"{base.__module__}.{base.__name__} of {one.__name__}")
    assert missing == set()


def test_what_is_shown_has_a_docstring():
    """Entries leave out members without one."""
    missing = set()
    for one in faces():
        own = own_members(one) if inspect.isclass(one) else ()
        missing |= {f"{one.__name__}.{name}" for name, value in own if not inspect.getdoc(getattr(value, "func", value))}
        if inspect.isclass(one) or inspect.isfunction(one):
            missing |= set() if one.__doc__ else {one.__name__}
    assert missing == set()


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name):
    assert id(kind_of(name).data) in documented()


def test_the_command_line():
    rows = dict(re.findall(r"^\| `sparsemixed (\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert rows == COMMANDS


def test_subcommands_of_estat():
    rows = re.findall(r"^\| `estat\.(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(SUBCOMMANDS)
