"""Sparse factors by CHOLMOD and without it: both against dense algebra, whole fits against each other, and which one is taken."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import sparsemixed
from sparsemixed.datasets import simulate_crossed
from sparsemixed.errors import FactorTooLargeError, NumericalError
from sparsemixed.solver.factored import cholmod, choose, simplicial, sparse_factor
from sparsemixed.solver.factored.kernels import selected_inverse
from sparsemixed.solver.factored.places import places_in_factor
from tests.oracles.engine_cases import SHAPES, solvers_for
from tests.solver.test_engine import setting

LIBRARIES = {
    "cholmod": sparse_factor.Library(cholmod.SymbolicFactor, ""),
    "own": sparse_factor.OWN,
}


def random_matrix(size, density, seed):
    """Positive definite, with a random pattern."""
    rng = np.random.default_rng(seed)
    half = np.tril(np.where(rng.random((size, size)) < density, rng.uniform(-1.0, 1.0, (size, size)), 0.0), -1)
    half = half + half.T
    return half + np.diag(np.abs(half).sum(axis=0) + rng.uniform(0.5, 2.0, size))


def check_against_dense(matrix, natural, name):
    size = matrix.shape[0]
    lower = sp.csc_matrix(np.tril(matrix))
    symbolic = LIBRARIES[name].analyse(lower, natural)
    order = symbolic.permutation()
    assert sorted(order) == list(range(size))
    assert not natural or np.array_equal(order, np.arange(size))
    factor = symbolic.factor(lower)
    L = factor.lower()
    np.testing.assert_allclose((L @ L.T).toarray(), matrix[np.ix_(order, order)], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(L.toarray(), np.linalg.cholesky(matrix[np.ix_(order, order)]), rtol=1e-12, atol=1e-12)
    assert 2.0 * np.log(L.diagonal()).sum() == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-12, abs=1e-12)
    # The kernels need sorted rows with the diagonal first.
    assert all(np.all(np.diff(L.indices[a:b]) > 0) for a, b in zip(L.indptr[:-1], L.indptr[1:], strict=True))
    np.testing.assert_array_equal(L.indices[L.indptr[:-1]], np.arange(size))
    inverse = np.linalg.inv(matrix)
    b = np.random.default_rng(0).normal(size=(size, 3))
    for right in (b, np.asfortranarray(b), b[:, :0], b[:, :1]):
        np.testing.assert_allclose(factor.solve(right), inverse @ right, rtol=1e-11, atol=1e-12)
    out = np.empty(L.nnz)
    selected_inverse(L.indptr, L.indices, L.data, np.ones(size), np.zeros(size), np.full(size, -1), out)
    row, col = lower.indices, np.repeat(np.arange(size), np.diff(lower.indptr))
    np.testing.assert_allclose(out[places_in_factor(lower, order, L)], inverse[row, col], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("natural", [False, True])
@pytest.mark.parametrize("density", [0.0, 0.02, 0.1, 1.0])
@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_factors_equal_dense_algebra(size, density, natural, name):
    check_against_dense(random_matrix(size, density, [size, int(100 * density)]), natural, name)


@pytest.mark.parametrize("name", LIBRARIES)
def test_one_analysis_serves_many_matrices(name):
    """And a factor stays what it was when another one is made."""
    one, other = random_matrix(40, 0.1, 1), random_matrix(40, 0.1, 1) + np.eye(40)
    symbolic = LIBRARIES[name].analyse(sp.csc_matrix(np.tril(one)), False)
    first, second = (symbolic.factor(sp.csc_matrix(np.tril(m))) for m in (one, other))
    b = np.ones((40, 1))
    np.testing.assert_allclose(first.solve(b), np.linalg.solve(one, b), rtol=1e-12)
    np.testing.assert_allclose(second.solve(b), np.linalg.solve(other, b), rtol=1e-12)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("pivot", [-1.0, 0.0, np.nan, np.inf])
@pytest.mark.parametrize("where", [0, 7, 19])
def test_what_is_not_positive_definite(where, pivot, name):
    matrix = np.diag(np.ones(20))
    matrix[where, where] = pivot
    lower = sp.csc_matrix(np.tril(random_matrix(20, 0.0, 0)))
    lower.data[:] = np.diag(matrix)
    symbolic = LIBRARIES[name].analyse(lower, False)
    with pytest.raises(NumericalError, match="not positive definite"):
        symbolic.factor(lower).lower()


def test_the_fill_of_both_orders_is_alike():
    """SuperLU's order against CHOLMOD's, on a Schur complement of clusters and on a mesh, where orders matter."""
    mesh = sp.kron(sp.eye(40), sp.diags([np.ones(39), np.ones(40), np.ones(39)], [-1, 0, 1])) + sp.kron(
        sp.diags([np.ones(39), np.ones(39)], [-1, 1]), sp.eye(40)
    )
    lower = sp.csc_matrix(sp.tril(mesh + 8.0 * sp.eye(1600)))
    lower.sort_indices()
    nonzeros = {name: library.analyse(lower, False).factor(lower).lower().nnz for name, library in LIBRARIES.items()}
    plain = sparse_factor.OWN.analyse(lower, True).factor(lower).lower().nnz
    assert nonzeros["own"] < 1.4 * nonzeros["cholmod"]
    assert nonzeros["own"] < 0.7 * plain


# --- whole fits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "sparse" in solvers_for(shape)])
def test_objectives_agree(shape, reml, monkeypatch):
    found = {}
    for name, library in LIBRARIES.items():
        monkeypatch.setattr(sparse_factor, "LIBRARY", library)
        objective, _, theta, *_ = setting(shape, "sparse", reml)
        at = objective.evaluate(theta)
        derivatives = objective.derivatives(at)
        found[name] = np.concatenate(
            [[at.deviance, at.sigma2], at.beta, at.u, derivatives.gradient, derivatives.observed_information.profiled.ravel()]
        )
    np.testing.assert_allclose(found["own"], found["cholmod"], rtol=1e-10, atol=1e-10)


def ratings():
    """Two crossed factors, one nested in blocks, with times, weights of rows and of groups."""
    rng = np.random.default_rng(3)
    data = simulate_crossed(900, 60, 25, seed=2)
    data = data.sort_values("user", kind="stable").reset_index(drop=True)
    data["t"] = data.groupby("user").cumcount()
    data["school"] = data["user"] % 7
    data["z"] = rng.normal(size=len(data))
    data["w"] = rng.integers(1, 4, len(data))
    data["ws"] = 1.0 + data["school"] % 3
    data["wu"] = 1.0 + data["user"] % 2
    data["half"] = (data["z"] > 0).astype(int)
    return data


MODELS = {
    "crossed": "y x || _all: R.item || user:",
    "crossed, REML": "y x || _all: R.item || user:, reml",
    "slopes": "y x z || _all: R.item || user: z, covariance(unstructured) reml",
    "three factors": "y x || _all: R.item || _all: R.school || user:",
    "nested": "y x || school: || user:",
    "nested, crossed": "y x || _all: R.item || school: || user:, reml",
    "weights of rows": "y x [fw=w] || _all: R.item || user:",
    "weights of groups": "y x [pw=w] || school:, pweight(ws) || user:, pweight(wu)",
    "autoregressive errors": "y x || _all: R.item || user:, residuals(ar 1, t(t)) reml",
    "satterthwaite": "y x || _all: R.item || user:, reml dfmethod(satterthwaite)",
    "kenward-roger": "y x || _all: R.item || user:, reml dfmethod(kroger)",
    "a variance of zero": "y x || _all: R.half || user:, covariance(identity)",
    "formula": "y ~ x + (1 | item) + (1 + z || user)",
}


@pytest.mark.parametrize("model", MODELS)
def test_fits_agree(model, monkeypatch):
    data = ratings()
    fits = {}
    for name, library in LIBRARIES.items():
        monkeypatch.setattr(sparse_factor, "LIBRARY", library)
        fits[name] = sparsemixed.mixed(MODELS[model], data, solver="sparse")
    own, other = fits["own"], fits["cholmod"]
    assert own.converged
    assert other.converged
    assert (own.fit.solver, own.fit.iterations) == (other.fit.solver, other.fit.iterations)
    assert own.fit.solver == "sparse"
    assert own.llf == pytest.approx(other.llf, rel=1e-10)
    for what in (lambda fit: fit.params, lambda fit: fit.bse, lambda fit: fit.pvalues, lambda fit: fit.random_params):
        pd.testing.assert_frame_equal(*(pd.DataFrame(what(fit)) for fit in (own, other)), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(own.predict(data), other.predict(data), rtol=1e-8, atol=1e-9)


# --- which one -------------------------------------------------------------------------------------------------------


def test_the_note_is_part_of_the_status(monkeypatch):
    data = ratings()
    monkeypatch.setattr(sparse_factor, "LIBRARY", LIBRARIES["own"])
    fit = sparsemixed.mixed(MODELS["crossed"], data, solver="sparse")
    assert fit.status.endswith("Sparse factors without CHOLMOD, which takes less time for large ones: "
                               "pip install 'sparsemixed[cholmod]'")  # fmt: skip
    assert "CHOLMOD" not in str(fit)
    assert "CHOLMOD" not in sparsemixed.mixed(MODELS["crossed"], data, solver="dense").status
    monkeypatch.setattr(sparse_factor, "LIBRARY", LIBRARIES["cholmod"])
    assert "CHOLMOD" not in sparsemixed.mixed(MODELS["crossed"], data, solver="sparse").status


def run(setup):
    """What a new process prints that fits twice with sparse factors, once scikit-sparse was made what `setup` says."""
    program = f"""
    import logging, sys
    {setup}
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="log: %(message)s")
    logging.getLogger("numba").setLevel(logging.WARNING)
    import sparsemixed
    assert "sparsemixed.solver.factored.sparse_factor" not in sys.modules
    data = sparsemixed.datasets.simulate_crossed(400, 30, 12, seed=1)
    for reml in (False, True):
        fit = sparsemixed.mixed("y x || _all: R.item || user:", data, solver="sparse", reml=reml)
    print(fit.status)
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_scikit_sparse():
    """Nothing warns; the logger is told once, the status of every such fit says it."""
    text = run("sys.modules['sksparse'] = None")
    assert text.count("log: Sparse factors without CHOLMOD") == 1
    assert text.count("pip install 'sparsemixed[cholmod]'") == 2


def test_a_scikit_sparse_that_does_not_load(tmp_path):
    (tmp_path / "sksparse").mkdir()
    (tmp_path / "sksparse" / "__init__.py").touch()
    (tmp_path / "sksparse" / "cholmod.py").write_text("raise ImportError('libcholmod.so.3: no such file')")
    text = run(f"sys.path.insert(0, {str(tmp_path)!r})")
    assert text.count("because scikit-sparse does not load: libcholmod.so.3: no such file") == 2


def test_a_factor_that_is_too_large(monkeypatch):
    lower = sp.csc_matrix(np.tril(random_matrix(60, 0.1, 0)))
    symbolic = simplicial.SymbolicFactor(lower)
    monkeypatch.setattr(simplicial, "MOST_NONZEROS", 100)
    with pytest.raises(FactorTooLargeError, match=r"of order 60, is too large for the memory; solver\(krylov\) does without"):
        symbolic.factor(lower)

    def refuses(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(simplicial, "spilu", refuses)
    with pytest.raises(FactorTooLargeError, match="of order 60"):
        simplicial.SymbolicFactor(lower)


def test_a_fit_whose_factor_is_too_large(monkeypatch):
    """solver(sparse) says so whenever it is found out; solver(auto) goes on without a factor."""
    monkeypatch.setattr(sparse_factor, "LIBRARY", LIBRARIES["own"])
    monkeypatch.setattr(simplicial, "MOST_NONZEROS", 100)
    data = simulate_crossed(900, 60, 25, seed=2)
    with pytest.raises(FactorTooLargeError, match=r"solver\(krylov\) does without"):
        sparsemixed.mixed(MODELS["crossed"], data, solver="sparse")

    def refuses(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(simplicial, "spilu", refuses)
    for name, value in (("SMALL_DENSE_ORDER", 5), ("MOST_DENSE", 6), ("DENSE_SHARE", 2.0)):
        monkeypatch.setattr(choose, name, value)
    fit = sparsemixed.mixed(MODELS["crossed"], data)
    assert fit.fit.solver == "krylov"
    assert "CHOLMOD" not in fit.status
