"""What all tests share: threads, profiles of hypothesis, and the folder of the manual's data sets."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from hypothesis import HealthCheck, settings

# With a process of tests on every core, threads of each would only wait for those of the others; where there have to be some,
# they wait asleep. Libraries read this when they are loaded, so that numba, which imports numpy, must not be imported before.
if "PYTEST_XDIST_WORKER" in os.environ:
    for blas in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ.setdefault(blas, "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Compiled functions make the first example slow, so no deadline.
SLOW_STARTS = [HealthCheck.too_slow]
settings.register_profile("dev", max_examples=25, deadline=None, suppress_health_check=SLOW_STARTS)
settings.register_profile(
    "ci", max_examples=25, deadline=None, derandomize=True, print_blob=True, suppress_health_check=SLOW_STARTS
)
settings.register_profile("nightly", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=SLOW_STARTS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_configure(config: pytest.Config) -> None:
    """The same for compiled loops; tests that are about threads ask for `all_threads`."""
    if hasattr(config, "workerinput"):
        import numba

        numba.set_num_threads(1)


def pytest_collection_finish() -> None:
    """Thousands of tests, and the modules they import, stay to the end: the collector of circles need not go through them."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def all_threads() -> Iterator[int]:
    """As many threads for compiled loops as there are; their number."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    yield numba.get_num_threads()
    numba.set_num_threads(before)


@pytest.fixture(autouse=True)
def few_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test as in a process that has met no small fits yet: later ones round the sums of their search in another order.

    Else what two equal fits have in common would depend on the tests before.
    """
    from sparsemixed.solver.groups import profiled

    monkeypatch.setattr(profiled, "_MET", [0])
    monkeypatch.setattr(profiled, "_EXPECTED", Event())


@pytest.fixture(scope="session")
def manual_data() -> Callable[[str], Path]:
    """Function from the name of one of the manual's data sets to its file; without the file the test is skipped."""

    def find(name: str) -> Path:
        folder = os.environ.get("SPARSEMIXED_DATA")
        path = Path(folder or ".").expanduser() / f"{name}.dta"
        if not folder or not path.is_file():
            pytest.skip(f"data set {name} is not there: name a folder that holds {name}.dta in SPARSEMIXED_DATA")
        return path

    return find
