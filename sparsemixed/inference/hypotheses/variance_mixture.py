"""The chi-bar-squared distribution of a likelihood-ratio test for one more random effect, where it is known."""

from __future__ import annotations

from collections import Counter

from sparsemixed.estimation.fit import Fit
from sparsemixed.structures.random.base import RandomStructure

Block = tuple[str, str | None, tuple[str, ...], type[RandomStructure], int]
"""Equation, factor, names of the effects, structure and number of parameters of one block of random effects."""


def mixture_freedoms(small: Fit, full: Fit) -> tuple[int, int] | None:
    """Degrees of freedom of the two halves of the mixture, or None where it is not of this kind.

    One more variance puts the null hypothesis on the boundary of a half line: the statistic is an even mixture of
    chi2(c) and chi2(c + 1), where c counts the covariances that come with the variance and the coefficients that the
    smaller model lacks (Self & Liang 1987, case 5; Stram & Lee 1994, cases 1 to 3).
    """
    less, more = _blocks(small), _blocks(full)
    gone, new = list((less - more).elements()), list((more - less).elements())
    coefficients = full.design.rank - small.design.rank
    if coefficients < 0 or len(new) != 1 or _errors(small) != _errors(full):
        return None
    covariances = _covariances_gained(gone, new[0])
    return None if covariances is None else (coefficients + covariances, coefficients + covariances + 1)


def _covariances_gained(gone: list[Block], new: Block) -> int | None:
    """Covariances that come with exactly one more variance; None if the change is another one."""
    equation, factor, names, structure, n_theta = new
    if not gone:
        return 0 if n_theta == 1 else None  # a factor linear in one parameter: one variance, whatever it multiplies
    if len(gone) != 1 or gone[0][:2] != (equation, factor) or not set(gone[0][2]) < set(names):
        return None
    _, _, before, was, _ = gone[0]
    alone = len(before) == 1
    if len(names) != len(before) + 1 or not (alone or was == structure):
        return None
    return structure.covariances_gained(len(before))


def _blocks(fit: Fit) -> Counter[Block]:
    blocks = (block for term in fit.design.random for block in term.blocks)
    return Counter((b.equation, b.factor, b.names, type(b.structure), b.structure.n_theta) for b in blocks)


def _errors(fit: Fit) -> tuple[str, int] | None:
    """Residual structure as printed and its number of parameters; None for independent errors with one variance."""
    part = fit.design.residual
    return None if part is None else (part.equation, part.structure.n_rho)
