"""Fits in threads, in forked and spawned processes, and where nothing can be written: each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl

import sparsemixed
from sparsemixed.child_processes import leave_signals_to_parent, signals_wait
from sparsemixed.datasets import simulate_crossed, simulate_longitudinal
from sparsemixed.solver import compiled, threads

PACKAGE = Path(sparsemixed.__file__).parent
LINUX = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
FITS = """
    import sparsemixed.solver.compiled
    sparsemixed.solver.compiled.SMALL = 0  # with threads, however small
    long = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    crossed = sparsemixed.datasets.simulate_crossed(1500, 40, 250, seed=1)
    def fit(k):
        models = [
            ("y time || id:, noconstant residuals(ar 1, t(time))", long),
            ("y x || _all: R.user || item:", crossed),
            ("y x || _all: R.user || item:, solver(krylov)", crossed),
        ]
        model, data = models[k % 3]
        return sparsemixed.mixed(model, data).llf
"""
"""Fits that between them enter most of the parallel loops."""


def run(script: str, **options: Any) -> str:
    """Standard output of a script."""
    return output_of(script, **options)[0]


def output_of(
    script: str, *, environment: dict[str, str] | None = None, folder: Path | None = None, before: str = FITS
) -> tuple[str, str]:
    """Standard output and errors of a script; threads are allowed, whatever the tests themselves run under."""
    variables = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    variables |= {"NUMBA_NUM_THREADS": "2", **(environment or {})}
    # Spawned processes import the main module anew, so that it must be a file.
    assert folder is not None
    file = folder / "script.py"
    file.write_text(textwrap.dedent(before) + textwrap.dedent(script))
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=200, env=variables)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip(), done.stderr


def test_threads_and_forks_after_a_fit_give_the_same_and_leave_blas_alone(tmp_path: Path):
    """One process for all, because its start and the first of its fits take most of the time."""
    script = """
        import multiprocessing
        from concurrent.futures import ThreadPoolExecutor
        from threadpoolctl import threadpool_info
        def blas(): return sorted(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        own, before = [fit(k) for k in range(3)], blas()
        if "fork" in multiprocessing.get_all_start_methods():
            with multiprocessing.get_context("fork").Pool(2) as pool:
                found = pool.map_async(fit, range(6), chunksize=1).get(120)
            print("fork:", found == 2 * own, [fit(k) for k in range(3)] == own, blas() == before)
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(fit, range(9)))
        print("threads:", found == 3 * own, blas() == before)
    """
    told = run(script, folder=tmp_path).splitlines()
    assert told == ["fork: True True True"] * hasattr(os, "fork") + ["threads: True True"]


def test_spawn_after_a_fit(tmp_path: Path):
    script = """
        import multiprocessing
        if __name__ == "__main__":
            own = [fit(k) for k in range(3)]
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map_async(fit, range(3), chunksize=1).get(120) == own)
    """
    assert run(script, folder=tmp_path) == "True"


@LINUX
def test_fork_while_another_thread_is_within_a_fit(tmp_path: Path):
    """It stands between two iterations, so that of all locks only those of this package can be closed."""
    script = """
        import multiprocessing, threading
        from threadpoolctl import threadpool_info
        def blas(k): return sorted(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        own, before = fit(0), blas(0)
        inside, go_on = threading.Event(), threading.Event()
        def wait(entry):
            inside.set()
            go_on.wait(60)
        thread = threading.Thread(target=lambda: sparsemixed.mixed("y x || _all: R.user || item:", crossed, progress=wait))
        thread.start()
        inside.wait(60)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.map_async(blas, [0]).get(60) == [before], pool.map_async(fit, [0]).get(60) == [own])
        go_on.set()
        thread.join()
        print(blas(0) == before)
    """
    # Where TBB is installed, numba itself remarks that its threads were at work.
    told = [line for line in run(script, folder=tmp_path).splitlines() if "join threads to shut down before fork" not in line]
    assert told == ["True True", "True"]


def test_a_fork_within_a_fit_goes_on_with_its_limit():
    """What the forking thread holds, it leaves in the child; what other threads hold is opened there."""
    limits, library = threads._Limits(), _Library()
    library.set_num_threads(4)
    original, threads._libraries = threads._libraries, lambda: [library]
    try:
        other = threading.Thread(target=limits.enter, args=([library],))
        other.start()
        other.join()
        limits.enter([library])
        limits._lock.acquire()
        limits.forked()  # the child: the other thread is not there
        assert library.threads == 1
        limits.leave([library])
        assert library.threads == 4
    finally:
        threads._libraries = original


class _Library:
    filepath, threads = "libblas", 0

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, number: int) -> None:
        self.threads = number


def test_fits_of_different_sizes_may_overlap():
    blas = [one for one in threadpoolctl.ThreadpoolController().lib_controllers if one.user_api == "blas"]
    before = [one.get_num_threads() for one in blas]
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        small, large = threads.blas_threads(10), threads.blas_threads(5000)
        small.__enter__()
        large.__enter__()
        assert {one.get_num_threads() for one in blas} == {1}
        small.__exit__(None, None, None)  # the first to enter leaves first
        large.__exit__(None, None, None)
        assert {one.get_num_threads() for one in blas} == {3}
        with pytest.raises(ZeroDivisionError), threads.blas_threads(10):
            raise ZeroDivisionError
        assert {one.get_num_threads() for one in blas} == {3}
    assert [one.get_num_threads() for one in blas] == before


@pytest.mark.parametrize(
    ("model", "data"),
    [
        ("y time || id: time, residuals(toeplitz 2, t(time)) reml", simulate_longitudinal(30, 6, seed=1, unbalanced=True)),
        ("y x || _all: R.user || item:, reml solver(sparse)", simulate_crossed(2000, 80, 500, seed=2)),
        ("y x || _all: R.user || item: x, solver(dense)", simulate_crossed(2000, 80, 60, seed=2)),
        ("y x || _all: R.user || item:, solver(krylov)", simulate_crossed(2000, 80, 500, seed=2)),
    ],
)
@pytest.mark.usefixtures("all_threads")
def test_loops_without_threads_give_the_same_numbers(model, data, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "SMALL", 0)
    with_threads = sparsemixed.mixed(model, data)
    monkeypatch.setattr(compiled, "SMALL", np.inf)
    alone = sparsemixed.mixed(model, data)
    assert alone.llf == with_threads.llf
    np.testing.assert_array_equal(alone.params, with_threads.params)
    np.testing.assert_array_equal(alone.random_params.to_numpy(float), with_threads.random_params.to_numpy(float))


def test_loops_over_few_numbers_are_one_stretch_and_others_as_many_as_there_are_threads(monkeypatch: pytest.MonkeyPatch):
    taken = []
    monkeypatch.setattr(compiled, "compiled_apart", lambda function: function)
    monkeypatch.setattr(threads.numba, "get_num_threads", lambda: 3)
    loop = compiled.compiled_stretches(lambda rows, *_: len(rows))(lambda begin, end, *_: taken.append((begin, end)))
    small, large = np.zeros(compiled.SMALL // 2 - 1), np.zeros(compiled.SMALL)
    loop(small, 3, small)
    assert taken == [(0, small.size)]
    taken.clear()
    loop(large, 3)
    loop(np.zeros((2, compiled.SMALL)), 3)  # fewer iterations than threads
    first, second = taken[:3], taken[3:]
    assert [row for begin, end in sorted(first) for row in range(begin, end)] == [*range(large.size)]
    assert len({end - begin for begin, end in first}) <= 2
    assert [row for begin, end in sorted(second) for row in range(begin, end)] == [0, 1]


def test_an_installation_that_cannot_be_written_and_no_home(tmp_path: Path):
    """Files where folders would have to be made stop even the administrator."""
    shutil.copytree(PACKAGE, tmp_path / "sparsemixed", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (tmp_path / "sparsemixed", *(tmp_path / "sparsemixed").rglob("*/")):
        if folder.is_dir():
            (folder / "__pycache__").write_text("")
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), "/dev/null/none")
    script = """
        data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
        print(sparsemixed.__file__)
        print(sparsemixed.mixed("y time || id:", data).llf)
    """
    printed = run(
        script,
        environment={**nowhere, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        folder=tmp_path,
        before="import sparsemixed\n",
    ).splitlines()
    assert printed[0] == str(tmp_path / "sparsemixed" / "__init__.py")
    assert float(printed[1]) == sparsemixed.mixed("y time || id:", simulate_longitudinal(60, 6, seed=1)).llf


@LINUX
def test_a_signal_between_a_fork_and_its_handlers_waits(capfd: pytest.CaptureFixture[str]):
    """A child copies its parent's handlers; until it has its own, a signal would end it with a traceback."""
    fork = multiprocessing.get_context("fork")

    def begin() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        leave_signals_to_parent()

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with signals_wait():
        child = fork.Process(target=begin)
        child.start()
    child.join()
    assert child.exitcode == 0
    assert capfd.readouterr().err == ""
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


@LINUX
def test_ctrl_c_during_a_bootstrap_in_processes_is_the_parents_alone(tmp_path: Path):
    """The terminal sends it to all; workers that printed tracebacks would bury what the parent says."""
    script = """
        import os, signal, threading, time
        result = sparsemixed.mixed("y x || _all: R.user || item:", sparsemixed.datasets.simulate_crossed(400, 20, 40, seed=1))
        def interrupt():
            children = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
            while len(open(children).read().split()) < 2:
                time.sleep(0.01)
            os.killpg(os.getpgid(0), signal.SIGINT)
        os.setpgid(0, 0)
        threading.Thread(target=interrupt, daemon=True).start()
        result.bootstrap(100_000, seed=1, n_jobs=2)
        print("went on")
    """
    out, err = output_of(script, folder=tmp_path, before="import sparsemixed\n")
    assert out == "went on"
    assert err.count("bootstrap: broken off after") == 1
    assert "Traceback" not in err
