"""What a model and its criterion are called, as printed above the tables."""

from __future__ import annotations

from sparsemixed.spec import VCE, ModelSpec


def has_pseudolikelihood(spec: ModelSpec) -> bool:
    """Whether what is maximised is taken for no likelihood of the data: with sampling weights, and with robust inference."""
    return spec.vce.method.scores or (spec.weights is not None and spec.weights.kind == "sampling")


def vce_title(name: str) -> str:
    """What standard errors by a `vce()` are called above their column; nothing for the model's own."""
    return VCE[name].title


def std_err_heading(name: str) -> str:
    """Heading of the column of standard errors by a `vce()`: `Robust std. err.`."""
    return f"{vce_title(name)} std. err." if vce_title(name) else "Std. err."


def title(spec: ModelSpec) -> str:
    """The title of a fit, without the method where it goes without saying."""
    method = "" if has_pseudolikelihood(spec) else f"{spec.estimation.method.upper()} "
    return f"Mixed-effects {'' if spec.estimation.prior is None else 'penalized '}{method}regression"


def criterion_name(spec: ModelSpec) -> str:
    """What is maximised."""
    if has_pseudolikelihood(spec):
        return "Log pseudolikelihood"
    return "Log restricted-likelihood" if spec.estimation.method == "reml" else "Log likelihood"


def searched_criterion(spec: ModelSpec) -> str:
    """What the search raises, as its log calls it: the same, but for penalised likelihoods."""
    own = criterion_name(spec)
    return own if spec.estimation.prior is None else f"Penalized {own[0].lower()}{own[1:]}"
