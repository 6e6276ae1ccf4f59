"""Loops are compiled while Python does not look for garbage, and leave it as it was."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from numba.core.compiler import Compiler
from numba.core.errors import TypingError

from sparsemixed.solver.compiled import compiled


@pytest.fixture(params=[True, False], ids=["collects", "does not"])
def collects(request):
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_garbage_is_looked_for_again_after_a_loop_is_compiled(collects, monkeypatch):
    while_compiling = []

    def compile_extra(self, func):
        while_compiling.append(gc.isenabled())
        return compile_as_numba(self, func)

    compile_as_numba = Compiler.compile_extra
    monkeypatch.setattr(Compiler, "compile_extra", compile_extra)

    def total(x):
        s = 0.0
        for i in range(x.size):
            s += x[i] * np.zeros(1)[0]
        return s

    loop = compiled(total)
    monkeypatch.setattr(loop._cache, "load_overload", lambda *_: None)
    assert loop(np.ones(3)) == 0.0
    assert while_compiling
    assert not any(while_compiling)
    assert gc.isenabled() == collects


def test_and_after_one_that_cannot_be(collects):
    def wrong(x):
        return x.no_such_attribute

    with pytest.raises(TypingError):
        compiled(wrong)(1.0)
    assert gc.isenabled() == collects
