"""The iterative solver against factorizations: products, solutions, traces, determinants, and whole fits."""

from __future__ import annotations

import importlib
import pickle
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.design.deferred import is_later
from sparsemixed.errors import NotAvailableError, NumericalError, OptionError
from sparsemixed.estimation.objectives import iterative as stochastic
from sparsemixed.estimation.start import moments_iterative
from sparsemixed.solver import compiled
from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products
from sparsemixed.solver.factored import choose
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.solver.iterative import system as krylov
from sparsemixed.solver.iterative.conjugate_gradients import conjugate_gradients
from sparsemixed.solver.iterative.lanczos import log_determinant, quadratures
from sparsemixed.solver.iterative.probe_traces import Probes, ProbeTraces
from sparsemixed.solver.iterative.system import KrylovSystem

SHAPES = {
    "intercepts": ((60, 25), (1, 1)),
    "slopes": ((60, 25), (2, 2)),
    "slope and small": ((60, 25, 5), (1, 2, 1)),
    "all slopes": ((60, 25, 5), (2, 3, 2)),
    "four": ((60, 25, 9, 4), (2, 1, 1, 2)),
}
"""Groups and columns of each term."""


@pytest.fixture(params=[True, False], ids=["coupled", "blocks"])
def coupling(request, monkeypatch):
    """With the small terms coupled exactly in the preconditioner, and without."""
    if not request.param:
        monkeypatch.setattr(krylov, "COUPLED_NUMBERS", 0.0)
    return request.param


def systems(shape, seed=0, n=700):
    """The iterative system and the dense one, at the same Lambda."""
    rng = np.random.default_rng(seed)
    terms, factors = [], []
    for groups, k in zip(*SHAPES[shape], strict=True):
        codes = rng.integers(0, groups, n).astype(np.int32)
        codes[:groups] = np.arange(groups)
        terms.append(TermData(codes, groups, np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])))
        factors.append(np.tril(rng.uniform(0.2, 0.8, (k, k))))
    X = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=n)]))[0]
    cp = cross_products(terms, X, rng.normal(size=n))
    dense = penalized_system(cp, "dense").factor(factors)
    return KrylovSystem(cp).factor(factors), dense, dense.logdet


def diagonal_blocks(dense):
    """Diagonal blocks of inv(M) of every term."""
    found = dense.inverse_blocks
    return [found.first, *(v[p.own] for p, v in zip(dense.cp.pairs, found.pairs, strict=True) if p.t == p.u)]


@pytest.mark.parametrize("shape", SHAPES)
def test_products_and_solutions(shape, coupling):
    iterative, dense, _ = systems(shape)
    b = np.random.default_rng(1).normal(size=(iterative.cp.q, 3))
    np.testing.assert_allclose(iterative.times_ZtZ(b), iterative.cp.matrix @ b, atol=1e-10)
    np.testing.assert_allclose(iterative.solve(b), dense.solve(b), atol=1e-8)
    small = coupling and len(SHAPES[shape][0]) > 2
    assert type(iterative.preconditioner).__name__ == ("Coupled" if small else "Blocks")


@pytest.mark.parametrize("shape", SHAPES)
def test_preconditioner_is_a_square(shape, coupling):
    """P = R'R with the determinant it says, and its defect's trace."""
    iterative, _, _ = systems(shape)
    q = iterative.cp.q_schur
    half = iterative.preconditioner.half(np.eye(q))
    np.testing.assert_allclose(iterative.preconditioner.half_transpose(np.eye(q)), half.T, atol=1e-12)
    assert -2.0 * np.linalg.slogdet(half)[1] == pytest.approx(iterative.preconditioner.logdet, rel=1e-11)
    scaled = half.T @ iterative.schur(np.eye(q)) @ half
    assert ProbeTraces(iterative).trace_of_defect() == pytest.approx(q - np.trace(scaled), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("exhaust", [False, True], ids=["deflated", "exhausted"])
@pytest.mark.parametrize("shape", SHAPES)
def test_traces_are_exact_when_every_direction_is(shape, coupling, exhaust):
    """With all of space deflated nothing is random: what the control variates take out they must put back."""
    iterative, dense, _ = systems(shape)
    probes = Probes(iterative.cp.q_schur, 0)
    probes.add(1)
    if exhaust:
        probes.exhaust()
        assert probes.count == 0
    else:
        probes.deflate(np.eye(iterative.cp.q_schur))
    traces = ProbeTraces(iterative)
    for found, sums, wanted in zip(traces.blocks(probes), traces.block_sums(probes), diagonal_blocks(dense), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())
        np.testing.assert_allclose(sums[0], wanted.sum(axis=0), rtol=1e-5, atol=1e-5 * np.abs(wanted.sum(axis=0)).max())


@pytest.mark.parametrize("shape", SHAPES)
def test_traces_are_unbiased(shape, coupling):
    iterative, dense, _ = systems(shape)
    probes = Probes(iterative.cp.q_schur, 3)
    probes.add(60)
    for sums, wanted in zip(ProbeTraces(iterative).block_sums(probes), diagonal_blocks(dense), strict=True):
        error = sums.mean(axis=0) - wanted.sum(axis=0)
        assert np.all(np.abs(error) <= 4.5 * sums.std(axis=0) / np.sqrt(len(sums)) + 1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_log_determinant(shape, coupling):
    iterative, _, logdet = systems(shape)
    found = log_determinant(iterative, 0, 0.02)
    assert found.error <= 0.02
    assert found.value == pytest.approx(logdet, abs=4.5 * found.error + 1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_squares_of_all_cells_by_components(shape):
    """What starting values are made of, against Z'Z itself."""
    cp = systems(shape)[0].cp
    label, count = moments_iterative._component_of_columns(cp)
    s = np.random.default_rng(0).uniform(size=cp.q)
    at = np.eye(count)[label]
    wanted = at.T @ (s[:, None] * cp.matrix.toarray() ** 2) @ at
    np.testing.assert_allclose(moments_iterative._squares(cp, s, label, count), wanted, rtol=1e-12)


def test_columns_rest_when_they_are_solved():
    """Some at once, some after a few products, one from where it is solved already; each as if it were alone."""
    rng = np.random.default_rng(0)
    half = rng.normal(size=(40, 40))
    A, b = np.eye(40) + half @ half.T, rng.normal(size=(40, 5))
    b[:, 1], b[:, 3] = np.linalg.eigh(A)[1][:, 4], 0.0
    start = rng.normal(size=(40, 5))
    start[:, 2], start[:, 3] = np.linalg.solve(A, b[:, 2]), 0.0
    for begun in (None, start, np.asfortranarray(start)):
        together = conjugate_gradients(lambda x: A @ x, np.asfortranarray(b), 1e-12, 400, begun)
        for c in range(5):
            first = None if begun is None else begun[:, [c]]
            alone = conjugate_gradients(lambda x: A @ x, b[:, [c]], 1e-12, 400, first)
            np.testing.assert_allclose(together.x[:, [c]], alone.x, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(together.x, np.linalg.solve(A, b), rtol=1e-8, atol=1e-9)


def test_quadratures_of_a_known_matrix():
    rng = np.random.default_rng(0)
    vectors = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    values = rng.uniform(0.05, 1.0, 30)
    A, b = vectors * values @ vectors.T, rng.normal(size=(30, 4))
    wanted = np.einsum("ic,ij,jc->c", b, vectors * np.log(values) @ vectors.T, b)
    np.testing.assert_allclose(quadratures(lambda x: A @ x, b, np.log), wanted, rtol=1e-6)


def test_conjugate_gradients_say_when_they_cannot():
    A = np.diag(np.logspace(0, 8, 200))
    b = np.ones((200, 2))
    with pytest.raises(NumericalError, match="did not converge in 50 iterations"):
        conjugate_gradients(lambda x: A @ x, b, 1e-12, 50)
    with pytest.raises(NumericalError, match="not positive definite"):
        conjugate_gradients(lambda x: -A @ x, b, 1e-12, 50)
    solved = conjugate_gradients(lambda x: A[:20, :20] @ x, b[:20], 1e-12, 400, np.ones((20, 2)))
    np.testing.assert_allclose(solved.x, np.linalg.solve(A[:20, :20], b[:20]), rtol=1e-8)


def ratings(n=8_000, users=900, items=300, clusters=1, inside=0.0, seed=5):
    """Crossed ratings; a share `inside` of them within clusters of users and items."""
    rng = np.random.default_rng(seed)
    u, i = rng.integers(0, users, n), rng.integers(0, items, n)
    i = np.where(rng.random(n) < inside, (u % clusters + (i // clusters) * clusters) % items, i)
    x, group, z = rng.normal(size=n), i // 25, rng.integers(0, 12, n)
    y = 1.0 + 0.3 * x + 0.5 * rng.normal(size=users)[u] + 0.5 * rng.normal(size=items)[i] + rng.normal(size=n)
    y += 0.4 * rng.normal(size=12)[z] + 0.3 * rng.normal(size=items)[group] + 0.4 * rng.normal(size=users)[u] * x
    y += 0.3 * rng.normal(size=items)[i] * x
    return pd.DataFrame({"y": y, "x": x, "u": u, "i": i, "z": z, "g": group})


HARD = {
    "two factors": ("y ~ x + (1 | u) + (1 | i)", {}),
    "clustered": ("y ~ x + (1 | u) + (1 | i)", {"clusters": 25, "inside": 0.98}),
    "nearly nested": ("y ~ x + (1 | u) + (1 | i)", {"clusters": 50, "inside": 0.999}),
    "a small third": ("y ~ x + (1 | u) + (1 | i) + (1 | z)", {}),
    "items in groups": ("y ~ x + (1 | u) + (1 | i) + (1 | g)", {}),
    "random slope": ("y ~ x + (1 + x | u) + (1 | i)", {}),
    "slopes in both": ("y ~ x + (1 + x | u) + (1 + x || i)", {}),
    "few ratings": ("y ~ x + (1 | u) + (1 | i)", {"n": 3000, "users": 600, "items": 450}),
}


@pytest.fixture
def only_probes(monkeypatch):
    """Random probes to the end, as where exact traces are out of reach."""
    monkeypatch.setattr(stochastic, "EXHAUSTIVE_WORK", 0.0)


@pytest.mark.parametrize("name", HARD)
def test_small_fits_are_exact(name):
    """Where all unit vectors are affordable only the tolerances of the two searches are left between the fits."""
    model, options = HARD[name]
    data = ratings(**options)
    exact = sparsemixed.mixed(model, data, reml=True, difficult=True)
    fit = sparsemixed.mixed(model, data, reml=True, solver="krylov")
    assert fit.fit.monte_carlo.error == fit.fit.monte_carlo.probes == 0
    inside = exact.random_params["std_err"].notna()
    found, wanted = fit.random_params[inside], exact.random_params[inside]
    assert np.all(np.abs(found["estimate"] - wanted["estimate"]) <= 1e-5 * wanted["std_err"])
    np.testing.assert_allclose(fit.params, exact.params, rtol=1e-6)
    np.testing.assert_allclose(fit.cov_params(), exact.cov_params(), rtol=1e-6)
    for own, other in zip(fit.fit.u_var, exact.fit.u_var, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5 * np.abs(other).max())
    assert "without random probes" in str(fit)


@pytest.mark.usefixtures("only_probes")
@pytest.mark.parametrize(
    ("name", "reml"),
    [
        pytest.param(name, reml, marks=[] if reml == bool(k % 2) else pytest.mark.slow)
        for k, name in enumerate(HARD)
        for reml in (True, False)
    ],
)
def test_fits_agree_with_exact_ones(name, reml):
    """Estimates within 1 % of a standard error, what the Monte Carlo error promises; the rest by what it rests on."""
    model, options = HARD[name]
    data = ratings(**options)
    exact = sparsemixed.mixed(model, data, reml=reml)
    fit = sparsemixed.mixed(model, data, reml=reml, solver="krylov")
    assert fit.converged
    assert fit.fit.solver == "krylov"
    monte_carlo = fit.fit.monte_carlo
    assert monte_carlo.error <= 0.01
    inside = exact.random_params["std_err"].notna()
    found, wanted = fit.random_params[inside], exact.random_params[inside]
    # Two and a half Monte Carlo errors; half of one per cent at the least.
    reach = max(2.5 * monte_carlo.error, 0.005)
    assert np.all(np.abs(found["estimate"] - wanted["estimate"]) <= reach * wanted["std_err"])
    # The average information is not the observed one: they agree to the root of the number of groups.
    np.testing.assert_allclose(found["std_err"], wanted["std_err"], rtol=0.05)
    assert fit.llf == pytest.approx(exact.llf, abs=max(3.5 * monte_carlo.llf_error, 0.05))
    np.testing.assert_allclose(fit.params, exact.params, rtol=1e-4)
    np.testing.assert_allclose(fit.bse, exact.bse, rtol=1e-3)


@pytest.mark.usefixtures("only_probes")
def test_predictions_agree_with_exact_ones():
    data = ratings()
    exact, fit = (sparsemixed.mixed("y ~ x + (1 + x | u) + (1 | i)", data, solver=s) for s in ("dense", "krylov"))
    for u, other in zip(fit.fit.u, exact.fit.u, strict=True):
        np.testing.assert_allclose(u, other, atol=1e-3 * np.abs(other).max())
    for own, other in zip(fit.fit.u_var, exact.fit.u_var, strict=True):
        spread, wanted = np.sqrt(np.einsum("iaa->ia", own)), np.sqrt(np.einsum("iaa->ia", other))
        np.testing.assert_allclose(spread, wanted, rtol=0.1)
        assert np.sqrt(np.mean((spread / wanted - 1.0) ** 2)) < 0.02


@pytest.mark.usefixtures("only_probes")
def test_uncertain_predictions_wait_until_they_are_asked_for(monkeypatch):
    """The same from two threads at once, after a copy, and at once."""
    data = ratings(n=3000, users=600, items=450)
    fits = [sparsemixed.mixed("y ~ x + (1 | u) + (1 | i)", data, solver="krylov").fit for _ in range(3)]
    assert all(is_later(fit, "u_var") and not is_later(fit, "u") for fit in fits)
    with ThreadPoolExecutor(2) as threads:
        by_threads = [*threads.map(lambda _: fits[0].u_var, range(2))]
    copied = pickle.loads(pickle.dumps(fits[1])).u_var
    assert not is_later(fits[1], "u_var")
    for found in (*by_threads, copied):
        for one, other in zip(found, fits[2].u_var, strict=True):
            np.testing.assert_array_equal(one, other)


def test_satterthwaite_needs_no_factorization():
    data = ratings()
    model = "y ~ x + (1 | u) + (1 | i)"
    exact, fit = (sparsemixed.mixed(model, data, reml=True, solver=s, dfmethod="satterthwaite, oim") for s in ("dense", "krylov"))
    np.testing.assert_allclose(fit.df, exact.df, rtol=0.05)


@pytest.mark.usefixtures("only_probes")
def test_the_same_seed_gives_the_same_numbers():
    data = ratings()
    fits = [sparsemixed.mixed("y ~ x + (1 | u) + (1 | i)", data, solver="krylov", seed=s) for s in (1, 1, 2)]
    pd.testing.assert_frame_equal(fits[0].random_params, fits[1].random_params, check_exact=True)
    assert fits[0].llf == fits[1].llf
    assert fits[0].llf != fits[2].llf


@pytest.mark.usefixtures("only_probes")
def test_numbers_do_not_depend_on_threads(all_threads, monkeypatch):
    monkeypatch.setattr(compiled, "SMALL", 0)
    data, fits = ratings(n=3000, users=600, items=450), []
    for threads in (all_threads, 1):
        numba.set_num_threads(threads)
        fits.append(sparsemixed.mixed("y ~ x + (1 | u) + (1 | i)", data, solver="krylov"))
    np.testing.assert_allclose(fits[0].random_params, fits[1].random_params, rtol=1e-8)
    assert fits[0].llf == pytest.approx(fits[1].llf, rel=1e-8)


@pytest.mark.usefixtures("only_probes")
def test_a_tighter_tolerance_takes_more_probes(monkeypatch):
    data = ratings(n=3000, users=600, items=450)
    monkeypatch.setattr(stochastic, "CHEAP_WORK", 0.0)
    loose, tight = (sparsemixed.mixed("y ~ x + (1 | u) + (1 | i)", data, solver="krylov", mc_tolerance=m) for m in (0.05, 0.0005))
    assert tight.fit.monte_carlo.probes > loose.fit.monte_carlo.probes
    assert tight.fit.monte_carlo.error <= 0.0005


def test_what_it_is_not_for():
    data = ratings(n=2000, users=200, items=50)
    with pytest.raises(OptionError, match="several crossed factors"):
        sparsemixed.mixed("y ~ x + (1 | u)", data, solver="krylov")
    with pytest.raises(OptionError, match="not available with weights of groups"):
        sparsemixed.mixed("y x || z: || u:, fweight(w) solver(krylov)", data.assign(u=data["u"] * 100 + data["z"], w=2))
    with pytest.raises(OptionError, match=r"not available with residuals\(\)"):
        sparsemixed.mixed("y x || u:, residuals(independent, by(z)) solver(krylov)", data)


def test_a_factorization_where_conjugate_gradients_are_slow(monkeypatch):
    """solver(auto) goes on with CHOLMOD; solver(krylov) says what to do; where no factor fits, the message has its size."""
    data, model = ratings(n=3000, users=400, items=300), "y ~ x + (1 | u) + (1 | i)"
    monkeypatch.setattr(krylov, "MOST_ITERATIONS", 2)
    with pytest.raises(NumericalError, match=r"use solver\(sparse\)"):
        sparsemixed.mixed(model, data, solver="krylov")
    monkeypatch.setattr(choose, "SMALL_DENSE_ORDER", 10)
    monkeypatch.setattr(choose, "MOST_DENSE", 100)
    fit = sparsemixed.mixed(model, data)
    assert fit.fit.solver == "sparse"
    assert fit.llf == pytest.approx(sparsemixed.mixed(model, data, solver="dense").llf, abs=1e-6)
    monkeypatch.setattr(importlib.import_module("sparsemixed.estimation.problems.solvers"), "MAX_LAST_RESORT_NONZEROS", 1.0)
    with pytest.raises(NumericalError, match=r"no solver has an answer: .* nonzeros"):
        sparsemixed.mixed(model, data)


def test_chosen_where_no_factorization_is_within_reach(monkeypatch):
    data = ratings(n=8000, users=900, items=500)
    monkeypatch.setattr(choose, "MOST_DENSE", 450)
    fit = sparsemixed.mixed("y ~ x + (1 | u) + (1 | i)", data, reml=True)
    assert fit.fit.solver == "krylov"
    with pytest.raises(NotAvailableError, match="out of reach"):
        fit.estat.df(methods=["kroger"])
    assert np.all(np.isfinite(fit.estat.df(methods=["satterthwaite"], information="oim")))


@pytest.mark.parametrize("name", ["two factors", "a small third", "slopes in both", "nearly nested"])
def test_exact_fits_start_where_iterative_ones_end(name, monkeypatch):
    """The same optimum with fewer factorizations; where the iterative solver has no answer, the moments' start."""
    model, options = HARD[name]
    data = ratings(**options)
    fit = sparsemixed.mixed(model, data, reml=True)
    monkeypatch.setattr(importlib.import_module("sparsemixed.estimation.problems.solvers"), "DEAR_ORDER", 50)
    other = sparsemixed.mixed(model, data, reml=True)
    assert other.fit.factorizations <= fit.fit.factorizations
    assert other.llf == pytest.approx(fit.llf, abs=1e-6)
    np.testing.assert_allclose(other.random_params["estimate"], fit.random_params["estimate"], rtol=1e-3, atol=1e-6)
