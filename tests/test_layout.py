"""The house rules that can be read off the source: which stage may import which, file lengths, no loose ends."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparsemixed

PACKAGE = Path(sparsemixed.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

STAGES = (
    ("errors",),
    ("structures",),
    ("solver",),
    ("time_series", "linear_form", "wildcards"),
    ("spec",),
    ("command", "design"),
    ("estimation",),
    ("inference",),
    ("postestimation",),
    ("resampling",),
    ("reporting",),
    ("storage",),
    ("results",),
    ("api",),
    ("cli",),
)
"""Left to right: a stage imports from the ones before it; two on the same line know nothing of each other.

`storage`, fits in files, stands after `reporting`: it computes what a fit shows before the data are left behind.
"""

RANK = {stage: rank for rank, stages in enumerate(STAGES) for stage in stages}
FACES = {"__init__", "__main__", "datasets"}
"""Not stages: they may import anything, and only the last stage may import them."""
LONGEST = 450


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def stage_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything that a file imports, also inside functions."""
    package = ("sparsemixed", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = list(package[: len(package) + 1 - node.level]) if node.level else []
            origin += [node.module] if node.module else []
            # `from sparsemixed import spec` imports the module spec: the names count as well.
            yield from ((node.lineno, ".".join([*origin, alias.name])) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_one_way(path: Path):
    stage = stage_of(path)
    if stage in FACES:
        return
    assert stage in RANK, f"{name_of(path)} belongs to no stage: add it to STAGES or move it"
    wrong = []
    for line, module in imported_modules(path):
        parts = module.split(".")
        if parts[0] != "sparsemixed" or parts[1:2] == [stage] or (stage == "cli" and parts[1:2] and parts[1] in FACES):
            continue
        if len(parts) == 1 or RANK.get(parts[1], len(STAGES)) >= RANK[stage]:
            wrong.append(f"line {line} imports {module}")
    assert not wrong, f"{name_of(path)} ({stage}) reaches to its right: {wrong}"


def test_scikit_sparse_is_behind_one_file():
    users = {name_of(path) for path in FILES for _, module in imported_modules(path) if module.split(".")[0] == "sksparse"}
    assert len(users) == 1, f"imported in {sorted(users)}: its two interfaces are to be known in exactly one place"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_file_is_short_and_finished(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST, f"{name_of(path)}: split it by concept"
    assert not [mark for mark in ("TODO", "FIXME") if mark in text]
