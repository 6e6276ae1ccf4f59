"""A checksum of the data that a fit used, and the variables it is of."""

from __future__ import annotations

import hashlib

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.spec import ModelSpec


def signature_variables(spec: ModelSpec) -> str:
    """The variables of the model, each once: response, fixed part, random parts, residuals, weights, clusters."""
    names = [spec.response, *(factor.variable for term in spec.fixed for factor in term.factors)]
    for equation in spec.random:
        names += [*equation.grouping, *(factor.variable for term in equation.terms for factor in term.factors)]
        names += [] if equation.factor is None else [equation.factor]
    names += [variable for weight in (spec.weights.each if spec.weights else ()) for variable in weight.expression.variables]
    names += [name for name in (spec.residual.by, spec.residual.t, spec.vce.variable) if name]
    return " ".join(dict.fromkeys(names))


@cached_on_fit("data-signature")
def data_signature(fit: Fit) -> str:
    """Rows, columns and a checksum of what the model was fitted to; equal data have equal signatures, in this package only."""
    design = fit.design
    arrays = [design.y, design.X, *(array for term in design.random for array in (term.codes, term.columns))]
    arrays += [] if design.weights is None else [design.weights.rows, *design.weights.groups]
    arrays += [] if design.residual is None else [design.residual.codes, design.residual.t]
    arrays += [] if design.clusters is None else [design.clusters.codes]
    checksum = hashlib.blake2b(digest_size=8)
    for array in arrays:
        checksum.update(np.ascontiguousarray(array).view(np.uint8).data)
    return f"{design.n_rows}:{len(signature_variables(fit.spec).split())}:{checksum.hexdigest()}"
