"""The keyword `prior` of `mixed`: a specification with priors, and what cannot be combined with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.priors.asked import read_map_priors
from sparsemixed.spec import ModelSpec


def with_prior(spec: ModelSpec, prior: Any) -> ModelSpec:
    """The specification with priors; as it is where they are None.

    Raises
    ------
    OptionError
        No priors, or options that rule them out.
    NotAvailableError
        Cluster-robust standard errors beside normal priors of coefficients.
    """
    if prior is None:
        return spec
    asked = read_map_priors(prior)
    options, dfmethod = spec.estimation, spec.estimation.dfmethod
    if spec.weights is not None and spec.weights.kind == "sampling":
        raise OptionError(
            "prior= and sampling weights exclude each other: a pseudolikelihood is no density to multiply by a prior"
        )
    if spec.vce.method.scores:
        raise OptionError(
            "prior= and vce(robust) exclude each other: scores of the likelihood do not add up to zero where it is penalised. "
            "vce(cr2) is available, for the coefficients"
        )
    if spec.vce.method.moments and asked.of_coefficients:
        raise NotAvailableError(
            f"normal priors of coefficients and vce({spec.vce.method.name}) exclude each other: it corrects for least "
            "squares, which coefficients with a prior are not; leave the option out"
        )
    if options.emonly or options.emiterate:
        raise OptionError("prior= and emonly, emiterate() exclude each other: EM steps know the likelihood alone")
    if options.solver == "krylov":
        raise OptionError("prior= and solver(krylov) exclude each other: it finds zeros of the score of the likelihood alone")
    if dfmethod is not None and dfmethod.method.takes_information:
        raise OptionError(
            f"prior= and dfmethod({dfmethod.name}) exclude each other: it rests on the distribution of REML estimates. "
            "dfmethod(residual), repeated, anova and betwithin are available, or sparsemixed.bayes"
        )
    return replace(spec, estimation=replace(options, prior=asked))
