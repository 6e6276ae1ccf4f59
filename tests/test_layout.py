"""The house rules that can be read off the source: who may import whom, lengths, what stands where, no loose ends.

`NOT_YET` names what still breaks a rule. It may only shrink: an entry that no longer breaks its rule fails the test too.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import sparsemixed
from sparsemixed.spec import VCE, degrees_methods

PACKAGE = Path(sparsemixed.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

STAGES = (
    ("errors", "lapack", "delayed", "child_processes"),
    ("structures",),
    ("solver",),
    ("time_series", "linear_form", "nonlinear_form", "wildcards", "numerals", "exact_numbers"),
    ("spec",),
    ("priors",),
    ("command", "design"),
    ("estimation",),
    ("inference",),
    ("postestimation",),
    ("resampling",),
    ("plots",),
    ("bayesian",),
    ("reporting",),
    ("storage",),
    ("fitting",),
    ("borrowed",),
    ("results",),
    ("repeated",),
    ("api", "comparisons", "bayes_prefix"),
    ("two_steps", "sklearn"),
    ("cli",),
)
"""Left to right: a stage imports from the ones before it; two on the same line know nothing of each other.

`storage`, fits in files, stands after `reporting`: it computes what a fit shows before the data are left behind.
"""

WINGS = {
    "structures": (("random", "residual_errors"),),
    "solver": (("crossproducts",), ("factored", "residual", "groups"), ("iterative",)),
    "design": (("data",), ("groups",), ("computed",), ("fixed", "weights"), ("names",)),
    "estimation": (("start", "objectives", "search"), ("sources",), ("problems",), ("ends",)),
    "inference": (("covariance", "information"), ("degrees",), ("hypotheses",), ("profile",)),
    "reporting": (("tables",), ("formats", "stored"), ("pages",)),
    "cli": (("batch",), ("commands",)),
}
"""The same inside a stage: its folders, left to right. Files that lie beside them may stand anywhere between, as long as no
folder reaches through them to itself or to its right.
"""

NOT_YET: dict[str, set[str]] = {
    "wings": set(),
}

NAMED = {
    "inference/degrees/table.py": [method.computed_by for method in degrees_methods().values()],
    "inference/covariance/cluster_robust.py": [method.moments for method in VCE.values() if method.moments],
}
"""File -> what it imports by the names that declarations give, `module:object`."""

RANK = {stage: rank for rank, stages in enumerate(STAGES) for stage in stages}
FACES = {"__init__", "__main__", "datasets"}
"""Not stages: they may import anything, and only the last stage may import them."""
LONGEST_FILE = 400
LONGEST_FUNCTION = 45
"""Lines, its docstring among them; kernels are exempt."""
DISTRIBUTIONS = "inference/hypotheses/distributions.py"


def expect(rule: str, broken: set[str], advice: str) -> None:
    """Nothing breaks a rule but what `NOT_YET` names, and all that it names still does."""
    known = NOT_YET.get(rule, set())
    assert not broken - known, f"{advice}: {sorted(broken - known)}"
    assert not known - broken, f"kept by now: take off NOT_YET[{rule!r}] {sorted(known - broken)}"


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def stage_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module", autouse=True)
def no_trees_are_left() -> Iterator[None]:
    """Of all files they are millions of objects, through which the collector of circles would go in every later test."""
    yield
    nodes.cache_clear()


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything that a file imports, also inside functions."""
    package = ("sparsemixed", *path.relative_to(PACKAGE).parent.parts)
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = list(package[: len(package) + 1 - node.level]) if node.level else []
            origin += [node.module] if node.module else []
            # `from sparsemixed import spec` imports the module spec: the names count as well.
            yield from ((node.lineno, ".".join([*origin, alias.name])) for alias in node.names)


def test_imports_point_one_way():
    staged = {path: stage_of(path) for path in FILES if stage_of(path) not in FACES}
    homeless = [name_of(path) for path, stage in staged.items() if stage not in RANK]
    assert not homeless, f"{homeless} belong to no stage: add them to STAGES or move them"
    wrong = []
    for path, stage in staged.items():
        for line, module in imported_modules(path):
            parts = module.split(".")
            if parts[0] != "sparsemixed" or parts[1:2] == [stage] or (stage == "cli" and parts[1:2] and parts[1] in FACES):
                continue
            if len(parts) == 1 or RANK.get(parts[1], len(STAGES)) >= RANK[stage]:
                wrong.append(f"{name_of(path)}, line {line} ({stage}) imports {module}")
    assert not wrong, f"imports that reach to their right: {wrong}"


def test_scikit_sparse_is_behind_one_file():
    users = {name_of(path) for path in FILES for _, module in imported_modules(path) if module.split(".")[0] == "sksparse"}
    assert len(users) == 1, f"imported in {sorted(users)}: its two interfaces are to be known in exactly one place"


def test_files_are_short_and_finished():
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in FILES}
    long = [name for name, text in texts.items() if text.count("\n") > LONGEST_FILE]
    assert not long, f"split them by concept: {long}"
    unfinished = [name for name, text in texts.items() if "TODO" in text or "FIXME" in text]
    assert not unfinished


# --- imports between files and wings ---------------------------------------------------------------------------------


def file_of(module: str) -> Path | None:
    """The file of a dotted name, or of the module that a name comes from; None outside the package."""
    parts = module.split(".")
    if parts[0] != "sparsemixed":
        return None
    for end in range(len(parts), 0, -1):
        place = PACKAGE.joinpath(*parts[1:end])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if end > 1 and path.exists():
                return path
    return PACKAGE / "__init__.py"


@cache
def arrows() -> dict[Path, set[Path]]:
    """File -> files that it imports, by any import: at the top, inside functions, for type checkers only, by name."""
    found = {path: {file_of(module) for _, module in imported_modules(path)} for path in FILES}
    for name, modules in NAMED.items():
        found[PACKAGE / name] |= {file_of(module.partition(":")[0]) for module in modules}
    return {path: {other for other in others if other is not None and other != path} for path, others in found.items()}


def reached(graph: dict, start) -> set:
    """Everything that a node leads to; itself only on a circle."""
    found, waiting = set(), list(graph.get(start, ()))
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph.get(node, ())
    return found


def test_no_file_imports_itself_through_others():
    # Not the faces: a package's __init__ imports what is inside, and importing a module imports its package first.
    graph = {path: {other for other in others if stage_of(other) not in FACES} for path, others in arrows().items()}
    lead = {path: reached(graph, path) for path in graph}
    circles = {", ".join(sorted(name_of(b) for b in lead[a] if a in lead[b])) for a in lead if a in lead[a]}
    expect("circles", circles, "circles of imports")


@pytest.mark.parametrize("stage", sorted(WINGS))
def test_wings_point_one_way(stage: str):
    rank = {wing: place for place, wings in enumerate(WINGS[stage]) for wing in wings}

    def unit_of(path: Path) -> str:
        """The wing, or the file's own name where it lies beside them."""
        parts = path.relative_to(PACKAGE).parts
        return parts[1]

    inside = [path for path in FILES if stage_of(path) == stage and len(path.relative_to(PACKAGE).parts) > 1]
    folders = {unit_of(path) for path in inside if not unit_of(path).endswith(".py")}
    assert folders == set(rank), f"WINGS[{stage!r}] and the folders of {stage}/ differ in {sorted(folders ^ set(rank))}"
    graph: dict[str, set[str]] = {}
    for path in inside:
        to = {unit_of(other) for other in arrows()[path] if other in inside and unit_of(other) != "__init__.py"}
        graph.setdefault(unit_of(path), set()).update(to - {unit_of(path)})
    back = {
        f"{stage}/{wing} -> {stage}/{other}"
        for wing in rank
        for other in reached({unit: to for unit, to in graph.items() if unit == wing or unit not in rank}, wing)
        if other in rank and rank[other] >= rank[wing]
    }
    known = {arrow for arrow in NOT_YET["wings"] if arrow.startswith(f"{stage}/")}
    assert not back - known, f"arrows that point right or along the line: {sorted(back - known)}"
    assert not known - back, f"kept by now: take off NOT_YET['wings'] {sorted(known - back)}"


# --- lengths ---------------------------------------------------------------------------------------------------------


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def is_kernel_file(path: Path) -> bool:
    return path.name.startswith("kernels")


def test_functions_are_short():
    long = {
        f"{name_of(path)} {node.name}"
        for path in FILES
        if not is_kernel_file(path)
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }
    expect("functions", long, f"functions of more than {LONGEST_FUNCTION} lines")


# --- what stands where -----------------------------------------------------------------------------------------------


def importers(*modules: str) -> set[str]:
    """Files that import a module or something from it."""
    wanted = tuple(f"{module}." for module in modules)
    return {name_of(path) for path in FILES for _, module in imported_modules(path) if f"{module}.".startswith(wanted)}


def test_compiled_loops_are_in_kernels():
    wrong = importers("sparsemixed.solver.compiled") - {name_of(path) for path in FILES if is_kernel_file(path)}
    assert not wrong, f"compiled functions belong into kernels.py of their wing: {sorted(wrong)}"
    unsafe = importers("numba.njit", "numba.jit")
    assert not unsafe, f"loops are compiled by solver/compiled.py, which knows of threads and forks; not in {sorted(unsafe)}"


def test_p_values_are_in_one_file():
    found = importers("scipy.stats", "scipy.special")
    densities = {"priors/special.py", "bayesian/special.py"}  # log densities and their distribution functions
    assert found == {DISTRIBUTIONS} | densities, f"tails and quantiles belong into {DISTRIBUTIONS}; they are in {sorted(found)}"


def test_only_reports_lay_out_text():
    """What is computed holds numbers and words; lines, widths and what print() shows are made in `reporting` and after it."""
    before = [path for path in FILES if RANK.get(stage_of(path), len(STAGES)) < RANK["reporting"] and stage_of(path) != "errors"]
    printing = {name_of(path) for path in before if any(node.name in ("__str__", "_repr_html_") for node in functions(path))}
    broken = {name_of(path) for path in before} & (importers("textwrap") | printing)
    expect("text", broken, "text is laid out in reporting/")


def test_estimation_is_typed_throughout():
    files = [path for path in FILES if stage_of(path) == "estimation"]
    ignoring = {name_of(path) for path in files if "type: ignore" in path.read_text(encoding="utf-8")}
    expect("type: ignore", ignoring, "estimation/interface.py says what these types are")


# --- docstrings ------------------------------------------------------------------------------------------------------


@cache
def modules() -> list[ModuleType]:
    names = [path.relative_to(PACKAGE.parent).with_suffix("").parts for path in FILES if path.name != "__main__.py"]
    return [importlib.import_module(".".join(parts).removesuffix(".__init__")) for parts in names]


def own_classes(module: ModuleType) -> list[type]:
    return [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]


@cache
def protocols() -> list[tuple[type, dict[str, object]]]:
    """Every protocol of the package with its methods and properties."""
    every = [one for module in modules() for one in own_classes(module) if getattr(one, "_is_protocol", False)]
    return [
        (one, {name: member for base in reversed(one.__mro__) for name, member in vars(base).items() if is_member(name, member)})
        for one in every
    ]


def is_member(name: str, member: object) -> bool:
    if name.startswith("_"):
        return False
    return inspect.isfunction(member) or isinstance(member, (property, classmethod, staticmethod)) or is_cached(member)


def is_cached(member: object) -> bool:
    return type(member).__name__ == "cached_property"


def is_explained(member: object) -> bool:
    return bool((getattr(member, "__doc__", None) or "").strip())


def explained_elsewhere(owner: type, name: str) -> bool:
    """Whether a base class, or a protocol that the class meets, says what the method does."""
    if any(name in vars(base) and is_explained(vars(base)[name]) for base in owner.__mro__[1:]):
        return True
    has = set(dir(owner)) | {field for base in owner.__mro__ for field in vars(base).get("__annotations__", {})}
    return any(name in members and is_explained(members[name]) and has >= set(members) for _, members in protocols())


def unexplained(module: ModuleType) -> Iterator[str]:
    """Public functions, classes and methods of a module that nothing explains."""
    for name, one in vars(module).items():
        mine = getattr(one, "__module__", None) == module.__name__ and not name.startswith("_")
        if mine and inspect.isfunction(one) and not is_explained(one):
            yield name
        if mine and inspect.isclass(one):
            # A dataclass without a docstring is given one by Python, its signature.
            if not is_explained(one) or (one.__doc__ or "").startswith(f"{name}("):
                yield name
            members = ((word, member) for word, member in vars(one).items() if is_member(word, member))
            yield from (f"{name}.{w}" for w, member in members if not is_explained(member) and not explained_elsewhere(one, w))


def test_everything_public_is_explained():
    bare = {f"{module.__name__.removeprefix('sparsemixed.')} {name}" for module in modules() for name in unexplained(module)}
    expect("docstrings", bare, "public and without a docstring")
