"""Quadratic forms and their expectations against their definitions with dense matrices."""

import numpy as np
import pytest

from sparsemixed.estimation.quadratic_forms import QuadraticForms, Repeated
from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products


def _dense(blocks: list[np.ndarray]) -> np.ndarray:
    """A block-diagonal matrix of all blocks (J, k, k), term by term."""
    size = sum(len(b) * b.shape[1] for b in blocks)
    out, at = np.zeros((size, size)), 0
    for block in (one for term in blocks for one in term):
        out[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("p", [0, 3])
@pytest.mark.parametrize("sizes", [((7, 2),), ((9, 1), (5, 3)), ((8, 2), (6, 1), (4, 2))])
def test_forms_equal_their_dense_definitions(sizes, p, weighted):
    rng = np.random.default_rng(len(sizes) + p)
    n = 60
    terms = [TermData(rng.integers(0, j, n).astype(np.int32), j, rng.normal(size=(n, k))) for j, k in sizes]
    X, y = np.linalg.qr(rng.normal(size=(n, p)))[0], rng.normal(size=n)
    cp = cross_products(terms, X, y)
    directions = [Repeated(t, m + m.T) for t, (_, k) in enumerate(sizes) for m in rng.normal(size=(2, k, k))]
    directions = directions[1:] + directions[:1]  # those of a term need not stand together
    W = [b + b.transpose(0, 2, 1) for b in (rng.normal(size=(j, k, k)) for j, k in sizes)]
    forms = QuadraticForms(cp, cp.ZtXy[:, :p], directions, W if weighted else None)

    Z = np.zeros((n, cp.q))
    for term, start in zip(terms, cp.slices, strict=True):
        for row, code in enumerate(term.codes):
            k = term.columns.shape[1]
            Z[row, start.start + k * code : start.start + k * code + k] = term.columns[row]
    w = _dense(W) if weighted else np.eye(cp.q)
    D = [
        _dense([np.broadcast_to(d.matrix if t == d.term else np.zeros((k, k)), (j, k, k)) for t, (j, k) in enumerate(sizes)])
        for d in directions
    ]
    S, B, z = [w @ d @ w for d in D], Z.T @ (np.eye(n) - X @ X.T) @ Z, rng.normal(size=cp.q)
    close = {"rtol": 1e-11, "atol": 1e-9}
    np.testing.assert_allclose(forms.products(), [[np.trace(s @ B @ d @ B) for d in D] for s in S], **close)
    np.testing.assert_allclose(forms.traces(), [np.trace(s @ B) for s in S], **close)
    np.testing.assert_allclose(forms.raw_traces(), [np.trace(d @ Z.T @ Z) for d in D], **close)
    np.testing.assert_allclose(forms.values(z), [z @ s @ z for s in S], **close)


def test_no_directions_have_no_forms():
    rng = np.random.default_rng(0)
    term = TermData(np.arange(6, dtype=np.int32), 6, np.ones((6, 1)))
    cp = cross_products([term], np.full((6, 1), 6**-0.5), rng.normal(size=6))
    forms = QuadraticForms(cp, cp.ZtXy[:, :1], [])
    assert forms.products().shape == (0, 0)
    assert forms.traces().shape == (0,)
