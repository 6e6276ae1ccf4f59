"""The priors that were asked for, found for every covariance matrix of a model: from names to terms of the penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.normal_coefficients import NormalCoefficients, normal_coefficients
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.parameters import Place, ThetaMap
from sparsemixed.estimation.prior_penalty import PriorPenalty
from sparsemixed.estimation.prior_terms import BlockTerm, boundary_term, correlation_term, matrix_term, scale_term
from sparsemixed.priors.asked import Lookup, MapPriors
from sparsemixed.priors.matrices import LKJ, BoundaryAvoiding, HuangWand, MatrixPrior, Wishart
from sparsemixed.priors.single import LARGEST, Beta, Exponential, Fixed, Flat, Gamma, Normal, Prior, Uniform
from sparsemixed.structures.random.unstructured import Unstructured


def penalty_of(
    asked: MapPriors,
    layout: ThetaMap,
    n_theta: int,
    one_variance: bool,
    coefficients: Sequence[str],
    orthogonal: OrthonormalCoordinates,
    reml: bool,
) -> PriorPenalty:
    """The priors laid out for theta.

    Parameters
    ----------
    asked : MapPriors
    layout : ThetaMap
    n_theta : int
        Parameters of the errors among them.
    one_variance : bool
        Whether errors are independent with one variance, which may then have a prior.
    coefficients : sequence of str
    orthogonal : OrthonormalCoordinates
    reml : bool

    Raises
    ------
    OptionError, NotAvailableError
        Priors of parameters that are not there, or that have no mode that can be found.
    """
    own = dict(asked.own)
    if layout.holds:
        raise NotAvailableError(f"prior: {layout.holds[0].words}: the data say nothing of it; leave it out of the model")
    lookup = Lookup(own, "prior")
    blocks = tuple((place, tuple(_block_terms(lookup, place))) for place in layout.places)
    residual = _scale(lookup, ("Residual", "e"), "", None) if one_variance else None
    normal = _coefficients(lookup, coefficients, orthogonal)
    lookup.check_used()
    return PriorPenalty(n_theta, blocks, residual, normal, reml)


def _coefficients(lookup: Lookup, names: Sequence[str], orthogonal: OrthonormalCoordinates) -> NormalCoefficients | None:
    """Normal priors of the coefficients, on their own scale; None where there are none."""
    priors: list[Prior] = []
    for name in names:
        key, prior = lookup.find((name,), ("b", "coefficients")) or ("", Flat())
        if not isinstance(prior, (Normal, Flat)):
            raise OptionError(f"prior: {key!r} has {prior!r}; coefficients take Normal")
        priors.append(prior)
    if not any(isinstance(prior, Normal) for prior in priors):
        return None
    if orthogonal.constraints is not None:
        raise NotAvailableError("prior: normal priors of coefficients under constraints() are not available")
    return normal_coefficients(priors, orthogonal)


def _block_terms(lookup: Lookup, place: Place) -> list[BlockTerm]:
    structure, equation, m = place.block.structure, place.block.equation, place.block.structure.m
    terms, found = [], lookup.find((f"{equation}: Sigma", equation), ("Sigma",))
    if found is not None:
        return [_of_matrix(found, structure, m)]
    shown = structure.display(structure.nearest(np.eye(m)), place.block.names)
    variances = [row.of for row in shown if row.kind == "variance"]
    for k, name in enumerate(variances):
        scale = _scale(lookup, (name,), equation, k)
        if scale is not None:
            terms.append(scale_term(*scale, k))
    if len(shown) > len(variances):
        terms += _correlation(lookup, place, m)
    return terms


def _of_matrix(found: tuple[str, Any], structure: Any, m: int) -> BlockTerm:
    key, prior = found
    if isinstance(prior, BoundaryAvoiding):
        return boundary_term(structure, prior)
    if not isinstance(prior, MatrixPrior):
        raise OptionError(f"prior: {key!r} has {prior!r}, which is no prior of covariance matrices")
    if not isinstance(structure, Unstructured):
        raise NotAvailableError(f"prior: {key!r} has {prior!r}, a prior of unstructured matrices; here take BoundaryAvoiding")
    if isinstance(prior, HuangWand):
        raise NotAvailableError(
            f"prior: {key!r} has {prior!r}, whose density of the matrix's entries is infinite where a variance is zero; give the "
            "standard deviations HalfT, and the correlations LKJ"
        )
    prior.check(m)
    if isinstance(prior, Wishart):
        if prior.df < m + 1:
            raise OptionError(f"prior: {prior!r} has its mode at a singular matrix; df must be at least {m + 1}")
    return matrix_term(prior, m)


def _scale(lookup: Lookup, names: tuple[str, ...], equation: str, place: int | None) -> tuple[Prior, str] | None:
    """The prior of one standard deviation or variance, and which of the two it is of."""
    kinds = [f"{kind}({name})" for name in names for kind in ("sd", "var")]
    levels = [tuple(kinds) if equation else (*kinds, "sigma"), ("sd", "var")]
    if equation:
        levels = [tuple(f"{equation}: {kind}" for kind in kinds), levels[0], (f"{equation}: sd", f"{equation}: var"), levels[1]]
    found = lookup.find(*levels)
    if found is None or isinstance(found[1], Flat):
        return None
    key, prior = found
    of = "var" if key.rpartition(": ")[2].startswith("var") else "sd"
    if not isinstance(prior, Prior) or isinstance(prior, (Normal, Beta)):
        raise OptionError(f"prior: {key!r} has {prior!r}; one positive number is meant")
    if isinstance(prior, Fixed) and (place is not None or not 1.0 / LARGEST < prior.value < LARGEST):
        what = (
            "must be positive, and a number of moderate size"
            if place is None
            else "is fixed; only the residual variance can be known here"
        )
        raise NotAvailableError(f"prior: {key!r}={prior.value:g} {what}")
    _check_mode(key, prior, of)
    return prior, of


def _check_mode(key: str, prior: Prior, of: str) -> None:
    """Refuse densities of which the maximum has no derivatives."""
    if isinstance(prior, Uniform):
        raise NotAvailableError(f"prior: {key!r} has {prior!r}: a flat density between limits moves no estimate; leave it out")
    corner = isinstance(prior, Exponential) or (isinstance(prior, Gamma) and prior.shape == 1.0)
    if (of == "sd" and corner) or (isinstance(prior, Gamma) and prior.shape < 1.0):
        raise NotAvailableError(
            f"prior: {key!r} has {prior!r}, whose density is largest at zero, with a corner: an estimate of zero has no "
            "derivatives. Take HalfT, HalfNormal, Gamma with a shape above 1, or BoundaryAvoiding"
        )


def _correlation(lookup: Lookup, place: Place, m: int) -> list[BlockTerm]:
    equation, free = place.block.equation, isinstance(place.block.structure, Unstructured)
    pair = f"corr({','.join(place.block.names)})"
    found = lookup.find((f"{equation}: {pair}",), (pair,), (f"{equation}: corr",), ("corr",))
    if found is None or isinstance(found[1], Flat):
        return []
    key, prior = found
    if not free:
        raise NotAvailableError(f"prior: {key!r}: a correlation that effects share has none here; take BoundaryAvoiding")
    if isinstance(prior, LKJ):
        least = prior.eta
    elif m == 2 and isinstance(prior, Beta) and (prior.low, prior.high) == (-1.0, 1.0):
        least = min(prior.a, prior.b)
    else:
        raise OptionError(f"prior: {key!r} has {prior!r}; correlations take LKJ, and a single one Beta over (-1, 1)")
    if least < 1.0:
        raise OptionError(f"prior: {key!r} has {prior!r}, which is largest at correlations of one")
    return [correlation_term(prior, m)]
