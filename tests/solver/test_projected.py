"""Sums over blocks of H = Z'inv(V0)Z against H itself, in every way that they are taken."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.solver.aligned import aligned
from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products
from sparsemixed.solver.factored import (
    dense,
    projected,
    projected_blocks,
    projected_columns,
    projected_head,
    projected_pairs,
    projected_remainder,
)
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.solver.factored.elimination_pattern import elimination_pattern
from sparsemixed.solver.factored.kernels_pairs import pair_products
from sparsemixed.solver.factored.kernels_projected import through_groups
from sparsemixed.solver.factored.projected import ProjectedSums
from sparsemixed.solver.factored.projected_intercepts import InterceptHead
from tests.oracles import dense_oracle as oracle

N = 90
HEADS = {
    "full rows": (0.0, "ExplicitHead"),
    "full basis": (0.0, "BasisHead"),
    "entries": (2.0, "BasisHead"),
    "pairs": (2.0, "PairHead"),
}
"""How the first term enters: as a full matrix or as entries, H_00 itself or by a basis."""
SIZES = {
    "two": ((13, 3), (7, 2)),
    "three": ((17, 2), (6, 1), (4, 3)),
    "wide": ((11, 1), (5, 9)),
    "many": ((41, 1), (9, 2)),
    "intercepts": ((19, 1), (6, 1), (4, 1)),
}
"""Groups and columns of every term, the one to eliminate first."""


def design(rng, sizes):
    """Terms of N rows, Z, and a nonsingular Lambda."""
    terms, factors = [], []
    for groups, k in sizes:
        codes = rng.permutation(np.arange(N) % groups).astype(np.int32)
        terms.append(TermData(codes, groups, np.column_stack([np.ones(N), rng.normal(size=(N, k - 1))])))
        factors.append(np.tril(rng.normal(size=(k, k))) * 0.4 + 0.5 * np.eye(k))
    return terms, oracle.random_design(terms), factors


def moves_of(rng, factors, n=5):
    """Symmetric W_k (n, k, k) of every term: the first of the first term alone, one of the last alone, and one of nothing."""
    moves = [rng.normal(size=(n, len(factor), len(factor))) for factor in factors]
    moves = [move + move.transpose(0, 2, 1) for move in moves]
    for move in moves[1:]:
        move[0] = 0.0
    for move in moves[:-1]:
        move[1] = 0.0
    moves[0][2] = moves[-1][2] = 0.0
    return moves


@pytest.fixture(params=HEADS)
def head(request, monkeypatch):
    share, name = HEADS[request.param]
    monkeypatch.setattr(dense, "FULL_SHARE", share)
    monkeypatch.setattr(projected_head, "less_work", lambda cp, members: name == "ExplicitHead")
    monkeypatch.setattr(projected_head, "pairs_are_less_work", lambda cp, basis: name == "PairHead")
    return getattr(projected_head, name)


@pytest.mark.parametrize(("chunk", "order"), [(1, 3000), (1 << 20, 3000), (1, 0), (1 << 20, 0)])
@pytest.mark.parametrize("remainder", ["ByInverse", "ByProducts", "singular"])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_sums_are_those_of_H(sizes, remainder, chunk, order, head, monkeypatch):
    rng = np.random.default_rng([len(sizes), chunk])
    terms, Z, factors = design(rng, sizes)
    if remainder == "ByProducts":
        monkeypatch.setattr(projected_remainder, "SMALLEST_SHARE", np.inf)
    if remainder == "singular":  # one direction of each, all of the last one
        factors = [factor * (np.arange(len(factor)) > 0) for factor in factors]
        factors[-1] = 0.0 * factors[-1]
    monkeypatch.setattr(projected, "CHUNK", chunk)
    monkeypatch.setattr(projected, "LEAST_ROWS", 1)
    if chunk == 1:
        monkeypatch.setattr(projected_pairs, "PANEL_NUMBERS", 0)  # eight groups side by side
    else:
        monkeypatch.setattr(projected_pairs, "STRETCHES", 1)
        monkeypatch.setattr(projected_pairs, "ROWS_SHARE", 10.0)
    monkeypatch.setattr(projected, "SPENT_ORDER", order)
    cp = cross_products(terms, np.ones((N, 1)), rng.normal(size=N))
    system = penalized_system(cp, "dense").factor(factors)
    moves = moves_of(rng, factors)
    inverse, solved = system.schur.inverse.copy(), system.schur.solve(np.eye(cp.q_schur))
    found = ProjectedSums(system, system.schur, factors, moves)
    # Whatever was given up on the way is there again, to the last digit.
    np.testing.assert_array_equal(system.schur.inverse, inverse)
    np.testing.assert_allclose(system.schur.solve(np.eye(cp.q_schur)), solved, rtol=1e-12, atol=1e-14)
    name = "ByInverse" if remainder == "ByInverse" else "ByProducts"
    assert isinstance(found._remainder, getattr(projected_remainder, name))
    # Without all cells laid out, one effect for each group of the first term has a way of its own; and pairs are taken without
    # the remaining terms' own rows, which nearly singular factors do not give.
    expected_head = projected_head.BasisHead if head is projected_pairs.PairHead and remainder != "ByInverse" else head
    if cp.k[0] == 1 and not system.schur.storage.full:
        expected_head = InterceptHead
    assert isinstance(found._head, expected_head)

    root = oracle.repeated(factors, cp.n_groups)
    H = Z.T @ np.linalg.solve(np.eye(N) + Z @ root @ root.T @ Z.T, Z)
    through = [H @ oracle.repeated([move[k] for move in moves], cp.n_groups) for k in range(len(moves[0]))]
    expected = np.array([[np.sum(a * b.T) for b in through] for a in through])
    np.testing.assert_allclose(found.products, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
    for own, where, k in zip(found.own, cp.slices, cp.k, strict=True):
        blocks = H[where, where].reshape(-1, k, (where.stop - where.start) // k, k)
        np.testing.assert_allclose(own, np.einsum("iaib->ab", blocks), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("part_numbers", [1, 64, 1 << 17])
@pytest.mark.parametrize("m", [1, 16, 21])
@pytest.mark.parametrize("k0", [1, 2, 3, 4])
def test_rows_of_groups_there_and_back(k0, m, part_numbers, monkeypatch):
    monkeypatch.setattr(projected_columns, "PART_NUMBERS", part_numbers)
    rng = np.random.default_rng([k0, m])
    groups = rng.permutation(np.arange(N) % 12).astype(np.int32)
    levels = rng.integers(0, 5, N).astype(np.int32)
    levels[groups == 3] = 0
    terms = [
        TermData(groups, 13, rng.normal(size=(N, k0))),  # one of the groups meets nothing
        TermData(levels, 6, rng.normal(size=(N, 2))),
        TermData(rng.integers(0, 3, N).astype(np.int32), 3, rng.normal(size=(N, 1))),
        TermData(rng.integers(0, 2, N).astype(np.int32), 2, rng.normal(size=(N, 3))),
    ]
    cp = cross_products(terms, np.ones((N, 1)), rng.normal(size=N))
    basis, C = rng.normal(size=(3, k0, k0)), rng.normal(size=(m, cp.q_schur))
    basis[0, -1] = 0.0
    order = projected_columns.column_entries(cp, elimination_pattern(cp), cp.cross)
    out = np.zeros((3 * cp.q_schur, -(-m // 16) * 16))
    panels, R = projected_columns.panels_of(C), aligned(order.most_groups * k0, 16)
    through_groups(cp.indptr, cp.columns, cp.cross, *order, basis, panels, R, out)
    F = np.zeros((cp.sizes[0], cp.q_schur))
    for i in range(13):
        for e in range(cp.indptr[i], cp.indptr[i + 1]):
            F[i * k0 : (i + 1) * k0, cp.columns[e]] = cp.cross[e]
    for found, B in zip(out.reshape(3, cp.q_schur, -1), basis, strict=True):
        np.testing.assert_allclose(found[:, :m], F.T @ np.kron(np.eye(13), B) @ F @ C.T, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_traces_of_products_that_come_by_columns(order):
    sets = [slice(0, 2), slice(2, 7), slice(7, 8), slice(8, 11)]
    Y = np.random.default_rng(1).normal(size=(3, 11, 11))
    found = projected_columns.ColumnTraces(sets)
    for i in order:
        found.add(sets[i], Y[:, :, sets[i]])
    traces = found.traces()
    np.testing.assert_allclose(traces, [[np.trace(a @ b) for b in Y] for a in Y], rtol=1e-12, atol=1e-12)
    again = projected_columns.ColumnTraces(sets)
    for where in sets:
        again.add(where, Y[:, :, where])
    np.testing.assert_array_equal(traces, again.traces())  # whoever comes first
    lent = np.full((11, 11), np.nan)
    within = projected_columns.ColumnTraces(sets, lent)
    for come, i in enumerate(order):
        within.add(sets[i], Y[:, :, sets[i]])
        assert np.isnan(lent[np.concatenate([np.arange(11)[sets[j]] for j in order[come + 1 :]] or [[]]).astype(int)]).all()
    np.testing.assert_array_equal(traces, within.traces())


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize(("begin", "end"), [(0, 31), (5, 24), (30, 31)])
@pytest.mark.parametrize("k0", [1, 2, 3])
def test_products_of_pairs_of_groups(k0, begin, end, lanes):
    rng = np.random.default_rng([k0, begin, lanes])
    groups, widths, terms = 31, np.array([2, 1]), np.array([0, 12, 19])
    F = rng.normal(size=(groups * k0, terms[-1])) * np.repeat(rng.random((groups, terms[-1])) < 0.5, k0, axis=0)
    met = F.reshape(groups, k0, -1).any(axis=1)
    group, column = np.nonzero(met)
    indptr = np.concatenate([[0], np.cumsum(met.sum(axis=1))])
    entries = np.ascontiguousarray(F.reshape(groups, k0, -1)[group, :, column])
    N = rng.normal(size=(terms[-1], terms[-1]))
    N += N.T
    sizes = [*(widths * k0), k0 * k0]
    gram, own = np.zeros((sum(size * size for size in sizes), 8)), np.empty((end - begin, k0, k0))
    scratch = projected_pairs.pair_memory(len(N), k0, end - begin, lanes)
    pair_products(indptr, column.astype(np.int32), entries, N, begin, end, lanes, terms, widths, *scratch, gram, own)

    X = (F @ N @ F.T).reshape(groups, k0, groups, k0).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(own, X[range(begin, end), range(begin, end)], rtol=1e-11, atol=1e-11)
    below = (N @ F.T).reshape(-1, groups, k0)[:, begin:end]
    expected = [
        below[first:last].reshape(-1, k, end - begin, k0).transpose(0, 2, 1, 3).reshape(-1, k * k0)
        for first, last, k in zip(terms[:-1], terms[1:], widths, strict=True)
    ]
    later = [(i, j) for j in range(begin, end) for i in range(j + 1, groups)]
    expected.append(np.array([X[pair] for pair in later]).reshape(-1, k0 * k0))
    start = 0
    for blocks, size in zip(expected, sizes, strict=True):
        found = gram[start : start + size * size].sum(axis=1).reshape(size, size)
        np.testing.assert_allclose(np.tril(found), np.tril(blocks.T @ blocks), rtol=1e-10, atol=1e-10)
        start += size * size


def test_the_basis_has_as_few_members_as_the_matrices_need():
    eye, full = np.eye(3).reshape(1, 9), np.arange(18.0).reshape(2, 9)
    for weights, members in ((eye, 1), (np.vstack([eye, 2.0 * eye]), 1), (np.zeros((2, 9)), 0), (full, 2)):
        weights = (weights + weights.reshape(-1, 3, 3).transpose(0, 2, 1).reshape(weights.shape)) / 2
        basis, coordinates = projected_head.symmetric_basis(weights, 3)
        assert len(basis) == members
        np.testing.assert_allclose(coordinates @ basis.reshape(members, 9), weights, atol=1e-12)
        np.testing.assert_allclose(basis, basis.transpose(0, 2, 1), atol=1e-14)


@pytest.mark.parametrize("n", [3, 4, 11])
def test_traces_of_products_block_by_block(n, monkeypatch):
    monkeypatch.setattr(projected_blocks, "BLOCK", 4)
    left, right = np.random.default_rng(n).normal(size=(2, n, n))
    assert projected_blocks.trace_product(left, right) == pytest.approx(np.trace(left @ right), rel=1e-12)
    assert projected_blocks.trace_product(left, left) == pytest.approx(np.trace(left @ left), rel=1e-12)
