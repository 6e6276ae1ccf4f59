"""Files of the first format: values went by the names of functions, variance parameters by their rank in a list, and banded
errors were unstructured ones with a band."""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import Any

from sparsemixed.estimation.fit import Component, Fit, VarianceParameter
from sparsemixed.storage.decode import Decoder
from sparsemixed.structures.residual_errors.banded import BandedErrors
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors

OF_LEVELS = UnstructuredErrors.__name__
KEYS = {
    "data_signature.data_signature": "data-signature",
    "dof_table.coefficient_degrees": "coefficient-degrees",
    "dof_table.coefficient_covariance": "coefficient-covariance",
    "fixed_derivatives._linear": "derivatives-linear",
    "fixed_derivatives._known": "derivatives-at-optimum",
    "fixed_derivatives._random": "derivatives-random",
    "cluster_derivatives.cluster_derivatives": "derivatives-residual",
    "cluster_robust.cluster_moments": "cluster-moments",
    "linear_parameters.variances_of_zero": "variances-of-zero",
    "robust.scores": "cluster-scores",
    "vce.beta_covariance": "beta-covariance",
    "vce.theta_covariance": "theta-covariance",
    "anova_dof.rank_of_design": "anova-rank",
    "degrees._degrees": "method-degrees",
}
"""Name in a file -> key."""


def upgraded(document: dict[str, Any], decoder: Decoder) -> tuple[dict[str, Any], tuple[tuple, tuple]]:
    """The document in today's format but for its components, and the lists of variances and deviations to make them from."""
    ((kind, content),) = document["fit"].items()
    content = dict(content)
    parameters = (decoder.decode(content.pop("variances")), decoder.decode(content.pop("deviations")))
    content["components"] = {"tuple": []}
    banded = content["spec"]["ModelSpec"]["residual"]["ResidualSpec"]["name"] == BandedErrors.name
    content["design"] = _with_bands(content["design"], banded)
    kept = [[KEYS.get(key, key), *rest] for key, *rest in document["remembered"]]
    return document | {"fit": {kind: content}, "remembered": kept}, parameters


def _with_bands(json: Any, banded: bool) -> Any:
    """Part of a document, unstructured errors in it of the class that they have today."""
    if isinstance(json, list):
        return [_with_bands(item, banded) for item in json]
    if not isinstance(json, dict):
        return json
    if OF_LEVELS not in json:
        return {key: _with_bands(item, banded) for key, item in json.items()}
    arguments = dict(json[OF_LEVELS])
    band = arguments.pop("band")
    return {BandedErrors.__name__: arguments | {"band": band}} if banded else {OF_LEVELS: arguments}


def with_components(fit: Fit, parameters: tuple[tuple, tuple]) -> Fit:
    """The fit with components made of its lists, which are in the order of `design.random`, the residuals' last."""
    variances, deviations = map(iter, parameters)
    found, start = [], 0
    for block in (block for term in fit.design.random for block in term.blocks):
        size = block.structure.n_theta
        found.append(Component(block, start, start + size, *(tuple(islice(rest, size)) for rest in (variances, deviations))))
        start += size
    found.sort(key=lambda component: component.block.position if component.block is not None else -1)
    residual: tuple[tuple[VarianceParameter, ...], ...] = (tuple(variances), tuple(deviations))
    return dataclasses.replace(fit, components=(*found, Component(None, start, len(fit.theta), *residual)))
