"""The one table of what a file may hold: reading one makes instances of these classes and of no others."""

from __future__ import annotations

from dataclasses import is_dataclass
from functools import cache
from importlib import import_module
from pkgutil import resolve_name
from types import ModuleType

from sparsemixed import linear_form
from sparsemixed.bayesian import posterior
from sparsemixed.design import values
from sparsemixed.estimation import fit, scores
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.inference.covariance import cluster_robust, vce
from sparsemixed.inference.information import values as information
from sparsemixed.postestimation.margins import cell_means
from sparsemixed.postestimation.prediction import joint_values
from sparsemixed.spec import DFMETHODS, computed, model
from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.random.table import STRUCTURES
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES


def _dataclasses(module: ModuleType) -> list[type]:
    return [one for one in vars(module).values() if is_dataclass(one) and one.__module__ == module.__name__]  # type: ignore


_COMPUTING = [resolve_name(method.computed_by) for method in DFMETHODS.values()]

DATACLASSES: dict[str, type] = {
    one.__name__: one
    for one in (
        # What was asked, the design, and the fit: all of these modules, so that a new part of a fit can be saved at once.
        *(one for module in (linear_form, model, computed, values, fit, posterior) for one in _dataclasses(module)),
        LogEntry,
        # What was computed for the fit
        *(information.FixedDerivatives, information.SecondOrder, cluster_robust.ClusterMoments, vce.ThetaCovariance),
        *(scores.Scores, cell_means.CellMeans, cell_means.RowStatistics),
        *(joint_values.JointErrors, joint_values.PairErrors),
        *(one for one in _COMPUTING if isinstance(one, type) and is_dataclass(one)),
    )
}
"""Frozen dataclasses by name; their fields may be anything that the codec knows."""

PRIORS = ("asked", "matrices", "single")
"""Files of `priors` whose dataclasses a penalised fit holds; imported when a file has one."""


@cache
def _priors() -> dict[str, type]:
    modules = (import_module(f"sparsemixed.priors.{name}") for name in PRIORS)
    return {one.__name__: one for module in modules for one in _dataclasses(module)}


def class_of(name: str) -> type | None:
    """The dataclass of a name in files; None of other names."""
    return DATACLASSES.get(name) or _priors().get(name)


FAMILIES: dict[str, type[RandomStructure] | type[ResidualStructure]] = {
    family.__name__: family for family in (*STRUCTURES.values(), *RESIDUAL_STRUCTURES.values(), ByLevel)
}
"""Structures by the name of their class; each keeps the arguments of its constructor under their names."""

EXPRESSIONS: dict[str, dict[str, str]] = {"Sample": {"condition": "condition_text"}, "Weight": {"expression": "text"}}
"""Class -> fields that hold a parsed expression -> the field with its text, from which it is parsed again."""
