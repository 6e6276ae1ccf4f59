"""A fit's numbers under the names of Stata's stored results `e()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.values import Clusters
from sparsemixed.errors import printable
from sparsemixed.estimation.fit import Fit, VarianceParameter
from sparsemixed.inference.degrees.table import coefficient_covariance, coefficient_degrees, degrees_summary
from sparsemixed.inference.estimation_metric import metric_estimates
from sparsemixed.inference.fit_cache import cached_values
from sparsemixed.inference.hypotheses.likelihood_ratio import against_linear_model, n_parameters
from sparsemixed.inference.hypotheses.wald import model_test
from sparsemixed.reporting.stored.residuals import ALWAYS as RESIDUALS
from sparsemixed.reporting.stored.residuals import stored_residuals
from sparsemixed.reporting.stored.signature import data_signature, signature_variables
from sparsemixed.reporting.tables.titles import title, vce_title
from sparsemixed.spec import ModelSpec, SmallSample, Weight

STORED_WITH: dict[str, str] = {
    "sample": "the data, save(data=True)",
    **dict.fromkeys(("F", "ddf_m", "df_max", "df_avg", "df_min", "df", "dfmethod", "dftitle"), "dfmethod() or vce(cr2)"),
    "V_df": "dfmethod(kroger) or vce(cr2)",
    "Cns": "constraints()",
    **dict.fromkeys(("N_clust", "clustvar", "V_modelbased"), "vce(robust), vce(cluster), vce(cr2) and the like"),
    **dict.fromkeys(("wtype", "wexp", "fweightk", "pweightk", "pwscale"), "weights of that level or kind"),
    "resopt": "residuals()",
    "ar_p": "residuals(ar)",
    "ma_q": "residuals(ma)",
    "res_order": "residuals(banded) or residuals(toeplitz)",
    **dict.fromkeys(("rbyvar", "rglabels"), "residuals(, by())"),
    "timevar": "residuals(, t()) of a structure that uses it",
    "tmap": "residuals(unstructured) or residuals(banded)",
    **dict.fromkeys(("marginswtype", "marginswexp"), "weights of the observations"),
    "ml_method": "a gradient-based search, which emonly leaves out",
    "datasignature": "the data, save(data=True)",
}
"""Names that only some fits have: name -> what stores it."""

WITHOUT_COUNTERPART = dict.fromkeys(("asbalanced", "asobserved"), "it tells what `fvset design` declared of factor variables")
"""Names of Stata's that no fit has, and why."""


def _linear(fit: Fit, attribute: str) -> float:
    test = against_linear_model(fit)
    return float("nan") if test is None else float(getattr(test, attribute))


def _matrix(fit: Fit, covariance: bool, model_based: bool = False) -> pd.DataFrame:
    estimates = metric_estimates(fit, model_based)
    index = pd.MultiIndex.from_tuples(estimates.names, names=["equation", "name"])
    if covariance:
        return pd.DataFrame(estimates.V, index=index, columns=index)
    return pd.DataFrame(estimates.b[None, :], index=["y1"], columns=index)


def _command_line(text: str) -> str:
    """A command with its first word; a formula as it stands."""
    return text if "~" in text or text.split()[:1] == ["mixed"] else f"mixed {text}"


def _per_block(fit: Fit, value: Callable) -> str:
    return " ".join(str(value(block)) for block in fit.random_blocks)


def _random(fit: Fit) -> tuple[VarianceParameter, ...]:
    """The variance parameters of the random effects."""
    return tuple(parameter for component in fit.components[:-1] for parameter in component.variances)


def _technique(fit: Fit) -> str:
    """The techniques as typed, with the lengths of their turns where there are several."""
    asked = fit.spec.estimation.technique
    return asked[0][0] if len(asked) == 1 else " ".join(f"{name} {count}" for name, count in asked)


SCALARS: dict[str, Callable[[Fit], Any]] = {
    "N": lambda fit: fit.design.nobs,
    "N_g": lambda fit: [row.n_groups for row in fit.design.groups],
    "g_min": lambda fit: [row.minimum for row in fit.design.groups],
    "g_avg": lambda fit: [row.average for row in fit.design.groups],
    "g_max": lambda fit: [row.maximum for row in fit.design.groups],
    "k": n_parameters,
    "k_f": lambda fit: fit.design.rank,
    "k_r": lambda fit: len(_random(fit)),
    "k_rs": lambda fit: sum(v.kind == "variance" for v in _random(fit)),
    "k_rc": lambda fit: sum(v.kind == "covariance" for v in _random(fit)),
    "k_res": lambda fit: len(fit.components[-1].variances),
    "df_m": lambda fit: int(model_test(fit, False).df),
    "ll": lambda fit: fit.llf,
    "chi2": lambda fit: model_test(fit, False).statistic,
    "p": lambda fit: model_test(fit).pvalue,
    "small": lambda fit: int(fit.spec.small_sample is not None),
    "ll_c": lambda fit: fit.llf_linear,
    "chi2_c": lambda fit: _linear(fit, "statistic"),
    "df_c": lambda fit: _linear(fit, "df"),
    "p_c": lambda fit: _linear(fit, "pvalue"),
    "rank": lambda fit: fit.design.rank + int(np.count_nonzero(np.diag(metric_estimates(fit).V)[len(fit.design.columns) :])),
    "ic": lambda fit: fit.iterations,
    "rc": lambda fit: 0 if fit.converged else 430,
    "converged": lambda fit: int(fit.converged),
    "nrgroups": RESIDUALS["nrgroups"],
}

MACROS: dict[str, Callable[[Fit], str]] = {
    "cmd": lambda fit: "mixed",
    "cmdline": lambda fit: _command_line(fit.spec.text),
    "depvar": lambda fit: fit.spec.response,
    "ivars": lambda fit: " ".join(dict.fromkeys(row.name for row in fit.design.groups)),
    "title": lambda fit: title(fit.spec),
    "redim": lambda fit: _per_block(fit, lambda block: block.structure.n_effects),
    "vartypes": lambda fit: _per_block(fit, lambda block: block.structure.title),
    "revars": lambda fit: _per_block(fit, lambda block: " ".join(block.names)),
    "rstructure": RESIDUALS["rstructure"],
    "rstructlab": RESIDUALS["rstructlab"],
    "chi2type": lambda fit: "Wald",
    "vce": lambda fit: fit.spec.vce.name,
    "vcetype": lambda fit: vce_title(fit.spec.vce.name),
    "method": lambda fit: fit.spec.estimation.method.upper(),
    "opt": lambda fit: "EM" if fit.spec.estimation.emonly else "trust region",
    "optmetric": lambda fit: fit.spec.estimation.metric,
    "emonly": lambda fit: "emonly" if fit.spec.estimation.emonly else "",
    "technique": _technique,
    "properties": lambda fit: "b V",
    "estat_cmd": lambda fit: "Results.estat",
    "predict": lambda fit: "Results.predict",
    "datasignaturevars": lambda fit: signature_variables(fit.spec),
}

MATRICES: dict[str, Callable[[Fit], Any]] = {
    "b": lambda fit: _matrix(fit, covariance=False),
    "V": lambda fit: _matrix(fit, covariance=True),
    "sample": lambda fit: fit.design.kept.copy(),
}


def constraint_matrix(fit: Fit) -> pd.DataFrame:
    """C and d over everything in e(b), as e(Cns): (m, k + 1), one row per constraint."""
    constraints, estimates = fit.design.constraints, metric_estimates(fit)
    assert constraints is not None
    matrix = np.zeros((len(constraints.d), len(estimates.names) + 1))
    matrix[:, [i for i, column in enumerate(fit.design.columns) if column.status == "estimated"]] = constraints.C
    matrix[:, -1] = constraints.d
    columns = pd.MultiIndex.from_tuples([*estimates.names, ("_Cns", "_r")], names=["equation", "name"])
    return pd.DataFrame(matrix, index=[f"r{i + 1}" for i in range(len(matrix))], columns=columns)


def _asked(fit: Fit) -> SmallSample:
    """The fit's method of degrees of freedom; only fits with one have these results."""
    assert fit.spec.small_sample is not None
    return fit.spec.small_sample


def _degrees(fit: Fit) -> np.ndarray:
    return coefficient_degrees(fit, _asked(fit))


def _model_f(fit: Fit, attribute: str) -> float:
    """The header's F test; NaN where the degrees of freedom of the coefficients differ and it is chi-squared."""
    test = model_test(fit)
    return float(getattr(test, attribute)) if test.kind == "F" else float("nan")


def _adjusted(fit: Fit) -> pd.DataFrame:
    names = list(fit.design.names)
    return pd.DataFrame(coefficient_covariance(fit, _asked(fit)).copy(), index=names, columns=names)


SMALL_SAMPLE: dict[str, Callable[[Fit], Any]] = {
    "F": lambda fit: _model_f(fit, "statistic"),
    "ddf_m": lambda fit: _model_f(fit, "ddf"),
    "df_min": lambda fit: degrees_summary(_degrees(fit))[0],
    "df_avg": lambda fit: degrees_summary(_degrees(fit))[1],
    "df_max": lambda fit: degrees_summary(_degrees(fit))[2],
    "dfmethod": lambda fit: _asked(fit).name,
    "dftitle": lambda fit: _asked(fit).method.title,
    "df": lambda fit: pd.Series(_degrees(fit).copy(), index=list(fit.design.names)),
}
"""Stored with `dfmethod()`, and with `vce()` that brings degrees of freedom."""

CLUSTERED: dict[str, Callable[[Fit], Any]] = {
    "N_clust": lambda fit: _clusters(fit).number,
    "clustvar": lambda fit: _clusters(fit).name,
}
"""Stored with robust standard errors from clusters that have a name."""


def _clusters(fit: Fit) -> Clusters:
    assert fit.design.clusters is not None
    return fit.design.clusters


def stored_search(fit: Fit) -> dict[str, Callable[[Fit], Any]]:
    """The kind of evaluator, with first and second derivatives, in Stata's words; and the checksum of the data."""
    found: dict[str, Callable[[Fit], Any]] = {} if fit.spec.estimation.emonly else {"ml_method": lambda fit: "d2"}
    known = fit.design.has_rows or any(kept.key == "data-signature" for kept in cached_values(fit))
    return found | {"datasignature": data_signature} if known else found


def stored_vce(fit: Fit) -> dict[str, Callable[[Fit], Any]]:
    """What is stored of `vce()` but its name: the clusters, and the covariance matrix without them."""
    if fit.design.clusters is None:
        return {}
    found: dict[str, Callable[[Fit], Any]] = dict(CLUSTERED) if fit.design.clusters.name else {}
    return found | {"V_modelbased": lambda fit: _matrix(fit, covariance=True, model_based=True)}


def stored_weights(spec: ModelSpec) -> dict[str, str]:
    """What is stored of a model's weights: `wtype` and `wexp` (the rows'), `fweight1` or `pweight1` (the highest level's),
    `fweight2` ..., and `pwscale`; each only if there is such a weight."""
    weights = spec.weights
    if weights is None:
        return {}
    levels = list(dict.fromkeys(equation.grouping for equation in spec.random))
    found = {} if weights.rows is None else _of_rows(weights.name, weights.rows)
    found |= {f"{weights.name}{levels.index(w.grouping or ()) + 1}": w.text for w in weights.groups}
    return found if weights.scale is None else found | {"pwscale": weights.scale}


def _of_rows(kind: str, weight: Weight) -> dict[str, str]:
    """The rows' weight, which margins use too."""
    expression = f"= {weight.text}"
    return {"wtype": kind, "wexp": expression, "marginswtype": kind, "marginswexp": expression}


class StoredResults(Mapping[str, Any]):
    """Read-only mapping of Stata's names to numbers, texts and data frames, each computed when asked for.

    Group counts (`N_g`, `g_min`, `g_avg`, `g_max`) are lists, one entry per level from the top. `sample` holds the
    positions of the rows used. `k` = `k_f` + `k_r` + `k_res`.
    """

    def __init__(self, fit: Fit):
        self._fit = fit
        self._found = {**SCALARS, **MACROS, **MATRICES}
        if not fit.design.has_rows:
            del self._found["sample"]
        asked = fit.spec.small_sample
        self._found |= stored_residuals(fit) | stored_search(fit) | stored_vce(fit)
        self._found |= {name: lambda fit, text=text: text for name, text in stored_weights(fit.spec).items()}
        if fit.design.constraints is not None:
            self._found["Cns"] = constraint_matrix
        if asked is not None:
            self._found.update(SMALL_SAMPLE)
            if asked.method.own_covariance:
                self._found["V_df"] = _adjusted

    def __getitem__(self, name: str) -> Any:
        if name in self._found:
            return self._found[name](self._fit)
        if name in STORED_WITH:
            raise KeyError(f"e({name}) is stored only with {STORED_WITH[name]}")
        if name in WITHOUT_COUNTERPART:
            raise KeyError(f"e({name}) has no counterpart here: {WITHOUT_COUNTERPART[name]}")
        raise KeyError(f"no stored result e({name}); there are {', '.join(self._found)}")

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        whole = [name for name in self if name in MATRICES or name in ("df", "V_df", "V_modelbased", "Cns", "tmap")]
        lines = [f"e({name}) = {self[name]}" for name in self if name not in whole]
        return printable("\n".join([*lines, *(f"e({name}): {type(self[name]).__name__}" for name in whole)]))
