"""The start of a process, and its end: what a small fit does not load, and what it may not lose by that."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numba.core.caching import FunctionCache

from sparsemixed import lapack
from sparsemixed.solver import compiled, load

HEAVY = (
    "scipy.linalg",
    "scipy.sparse",
    "scipy.special",
    "scipy.optimize",
    "numba.np.arraymath",
    "numba.np.arrayobj",
    "numba.np.ufunc.omppool",
    "formulaic",
    "matplotlib",
    "sparsemixed.solver.iterative",
    "sparsemixed.solver.residual.whitened",
    "sparsemixed.solver.factored.dense",
    "sparsemixed.estimation.objectives.patterns",
    "sparsemixed.postestimation.predict",
)


def run(program: str, status: int = 0) -> str:
    """What a new process prints."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


def fitted(model: str, after: str = "") -> str:
    return run(f"""
        import sys
        import numpy as np
        import pandas as pd
        import sparsemixed
        id, time = np.arange(300) // 6, np.arange(300.0) % 6
        y = np.sin(37.0 * id) + 0.3 * time * np.cos(11.0 * id) + np.sin(91.0 * np.arange(300)) + time
        print(sparsemixed.mixed({model!r}, pd.DataFrame({{"y": y, "time": time, "id": id}})))
        print([name for name in {HEAVY!r} if name in sys.modules])
        {after}
    """)


@pytest.mark.parametrize("model", ["y time || id: time, covariance(unstructured)", "y ~ 1 + time + (time | id)"])
def test_a_small_fit_loads_nothing_that_it_does_not_need(model):
    first = fitted(model)  # which compiles, where its loops are not kept yet
    second = fitted(model)
    assert second.splitlines()[-1] == "[]"
    assert second.splitlines()[:-1] == first.splitlines()[:-1]


def test_what_was_left_out_is_loaded_when_something_is_compiled():
    program = """
        import numba
        @numba.njit
        def solution(matrix, right):
            return np.linalg.solve(matrix, right) @ np.ones(2) + len({1.0, 2.0})
        print(solution(2.0 * np.eye(2), np.ones(2)))
    """
    printed = fitted("y time || id:", textwrap.indent(textwrap.dedent(program), 8 * " ").strip())
    assert printed.splitlines()[-1] == "3.0"


def test_loops_that_were_loaded_are_compiled_into_others(tmp_path, monkeypatch):
    """The machine code of a file is loaded alone; what its callers are compiled from is read when there is one."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "code"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    (tmp_path / "loops.py").write_text(
        textwrap.dedent("""
        from sparsemixed.solver.compiled import compiled, compiled_part

        @compiled_part
        def half(x):
            return 0.5 * x

        @compiled
        def total(values):
            out = 0.0
            for value in values:
                out += half(value)
            return out
        """)
    )
    once = """
        import numpy as np, loops
        from sparsemixed.solver.load import is_kept
        print(is_kept(loops.total), loops.total(np.arange(4.0)), sum(loops.total.stats.cache_hits.values()), is_kept(loops.total))
    """
    more = """
        @loops.compiled
        def twice(values):
            return 2.0 * loops.total(values) + loops.half(values[1])
        print(twice(np.arange(4.0)), sum(loops.half.stats.cache_hits.values()), loops.total(np.arange(3.0)))
    """
    assert run(once) == "False 3.0 0 True\n"
    assert run(once + more) == "True 3.0 1 True\n6.5 1 1.5\n"


CROSSED = """
    import sys
    import numpy as np
    import pandas as pd
    import sparsemixed
    rng = np.random.default_rng(1)
    g, h, x = rng.integers(0, 60, 3000), rng.integers(0, 40, 3000), rng.normal(size=3000)
    y = x + rng.normal(size=60)[g] + rng.normal(size=40)[h] + rng.normal(size=3000)
    print(sparsemixed.mixed("y ~ x + (1 + x | g) + (1 + x | h)", pd.DataFrame({"y": y, "x": x, "g": g, "h": h}), reml=True))
    print([name for name in ("scipy.linalg", "scipy.sparse", "scipy.optimize", "numba.np.arrayobj") if name in sys.modules])
"""


def test_a_crossed_fit_loads_no_part_of_scipy_but_its_lapack():
    first, second = run(CROSSED), run(CROSSED)
    assert second.splitlines()[-1] == "[]"
    assert second.splitlines()[:-1] == first.splitlines()[:-1]


def test_this_version_of_numba_is_known():
    """Of a new one `load_overload` is to be read once more: does it still load the compiler, and nothing else that code needs?"""
    assert load.known()


@pytest.mark.parametrize(("known", "kind"), [(True, load.Kept), (False, FunctionCache)])
def test_another_version_loads_as_it_likes_best(monkeypatch, known, kind):
    monkeypatch.setattr(compiled, "known", lambda: known)
    assert type(compiled.compiled(lambda x: x)._cache) is kind


def test_the_functions_are_those_of_scipy():
    from scipy.linalg import blas
    from scipy.linalg import lapack as full

    for name in ("dgeqrf", "dorgqr", "dpotrf", "dsyevd", "dtrtri", "dpotrs", "dpotri", "dtrtrs"):
        assert getattr(lapack.lapack, name) is getattr(full, name)
    for name in ("dtrmm", "dtrsm", "dsyrk", "dsymm"):
        assert getattr(lapack.blas, name) is getattr(blas, name)


def test_without_their_files_the_functions_come_from_scipys_modules(monkeypatch):
    monkeypatch.setattr(lapack.PathFinder, "find_spec", lambda *arguments: None)
    assert lapack._alone("lapack").__name__ == "scipy.linalg.lapack"
    np.testing.assert_allclose(lapack._alone("lapack").dpotrf(4.0 * np.eye(2), lower=1)[0], 2.0 * np.eye(2))


ENDING = """
    import atexit, sys
    class Kept:
        def __del__(self):
            print("taken apart")
    kept = Kept()
    from sparsemixed.cli import program
    def main():
        atexit.register(print, "handled")
        print("printed")
        {main}
    program.main = main
    sys.exit(program.process())
"""


def test_the_programs_process_is_not_taken_apart():
    assert run(ENDING.format(main="return 3"), status=3).split("\n") == ["printed", "handled", ""]


@pytest.mark.parametrize(("main", "status"), [("sys.exit(2)", 2), ("raise KeyError", 1)])
def test_a_process_that_does_not_come_to_its_end_ends_as_any_other(main, status):
    assert run(ENDING.format(main=main), status=status).split("\n")[:2] == ["printed", "handled"]
