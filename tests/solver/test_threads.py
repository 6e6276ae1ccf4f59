"""Pieces of work that threads share: their order, and processes that are forked while there are threads."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import numba
import pytest

from sparsemixed.solver.threads import shared_out


@pytest.fixture
def two_threads():
    before = numba.get_num_threads()
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    yield
    numba.set_num_threads(before)


def squares() -> list[int]:
    return shared_out(lambda begin, end: sum(i * i for i in range(begin, end)), range(0, 90, 10), range(10, 100, 10))


def test_results_are_in_the_order_of_the_pieces(two_threads):
    expected = [sum(i * i for i in range(begin, begin + 10)) for begin in range(0, 90, 10)]
    assert squares() == expected
    known = {thread.name for thread in threading.enumerate()}
    assert squares() == expected
    assert {thread.name for thread in threading.enumerate()} <= known | {"sparsemixed_0", "sparsemixed_1"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_threads_of_its_own(two_threads):
    expected = squares()
    child = os.fork()
    if not child:
        os._exit(0 if squares() == expected else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_numba_starts_no_threads_to_say_how_many_it_would_have():
    program = """
        import numba
        from numba.np.ufunc import parallel
        from sparsemixed.solver.threads import number_of_threads
        print(number_of_threads(), parallel._is_initialized, number_of_threads() == numba.get_num_threads())
        numba.set_num_threads(1)
        print(number_of_threads())
    """
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "2 False True\n1\n"


def test_pieces_are_shared_out_in_order_and_errors_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(numba, "get_num_threads", lambda: 3)
    bounds = [*range(21)]
    names: list[str] = []
    meeting = threading.Barrier(3)

    def work(begin: int, end: int) -> int:
        names.append(threading.current_thread().name)
        if begin < 3:
            meeting.wait(60)  # of two threads of the pool and this one
        if begin == 17:
            raise ZeroDivisionError
        return begin * end

    assert shared_out(work, bounds[:16], bounds[1:17]) == [i * (i + 1) for i in range(16)]
    assert threading.current_thread().name in names
    with pytest.raises(ZeroDivisionError):
        shared_out(work, bounds[:-1], bounds[1:])
