"""Functions of estimates with delta-method standard errors, and tests of nonlinear hypotheses: `nlcom`, `testnl`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.command.nonlinear import read_combinations, read_nonlinear_hypotheses
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.delta_method import linearized
from sparsemixed.inference.hypotheses.hypothesis import terms_text
from sparsemixed.inference.hypotheses.wald import HypothesisTest, tabulated
from sparsemixed.postestimation.delta_tests import delta_test, method_for, notes_of

APPROXIMATE = "degrees of freedom are those of the local linear form, and approximate."
HELD = "the constraints of the model fix what has no standard error."


@dataclass(frozen=True)
class NonlinearCombinations:
    """Functions of estimates, each with its test against zero.

    Attributes
    ----------
    labels, expressions : tuple of str
        `_nl_1` where none was typed; the functions as typed.
    estimate, std_err, statistic, pvalue, low, high : (l,) float64
        NaN where there is no standard error.
    df : (l,) float64 or None
        Of t tests; None for z.
    covariance : (l, l) float64
    level : float
        Of the limits, in per cent.
    response : str
    note : str
        One remark on a line.
    """

    labels: tuple[str, ...]
    expressions: tuple[str, ...]
    estimate: np.ndarray
    std_err: np.ndarray
    statistic: np.ndarray
    pvalue: np.ndarray
    low: np.ndarray
    high: np.ndarray
    df: np.ndarray | None
    covariance: np.ndarray
    level: float
    response: str
    note: str = ""


def nlcom(fit: Fit, texts: Sequence[str], level: float, small: bool, df: float | None) -> NonlinearCombinations:
    """Estimates, standard errors, tests and limits of functions of coefficients and variance parameters.

    Raises
    ------
    CommandError
        For what cannot be understood, unknown names and functions.
    OptionError
        A function that is not defined at the estimates; `small` of variance parameters.
    """
    read = [(*one, text) for text in _checked(texts, "nlcom", "_b[x]/_b[z]") for one in read_combinations(text)]
    labels = tuple(label or f"_nl_{i}" for i, (label, _, _) in enumerate(read, start=1))
    repeated = next((label for label in labels if labels.count(label) > 1), None)
    if repeated is not None:
        raise OptionError(f"nlcom: two functions are called {repeated}")
    found = linearized(fit, [(form, text) for _, form, text in read])
    method = method_for(fit, found, small, df)
    K = found.coefficients(fit)
    covariance = found.covariance if method is None else K @ method.covariance(fit) @ K.T
    known = np.array([not why for why in found.undefined])
    held = known & np.all(found.jacobian[:, len(fit.beta) :] == 0, axis=1)
    held[held] = held_rows(fit, K[held])
    std_err = np.where(held, 0.0, np.sqrt(np.clip(np.diag(covariance), 0.0, None)))
    freedom = None if df is None else np.full(len(read), df)
    if method is not None:
        moves = known & ~held & np.any(np.where(known[:, None], K, 0.0) != 0, axis=1)
        degrees = [method.dof(fit, row[None]).df if ok else np.nan for row, ok in zip(K, moves, strict=True)]
        freedom = np.array([np.inf if one is None else one for one in degrees])
    t = tabulated(found.value, std_err, freedom, level)
    note = notes_of(found, [HELD] * bool(held.any()) + [APPROXIMATE] * (method is not None))
    return NonlinearCombinations(
        *(labels, tuple(form.text for _, form, _ in read)),
        *(t.estimate, std_err, t.statistic, t.pvalue, t.low, t.high, freedom),
        covariance=covariance,
        level=level,
        response=fit.spec.response,
        note=note,
    )


def testnl(fit: Fit, texts: Sequence[str], mtest: str | None, small: bool, df: float | None) -> HypothesisTest:
    """Wald test of nonlinear hypotheses R(phi) = 0: chi2 = R'inv(J V J')R, or F.

    Raises
    ------
    CommandError
        For what cannot be understood, unknown names and functions.
    OptionError
        Functions that are not defined at the estimates, hypotheses that follow from or contradict one another, `small` of
        variance parameters.
    """
    read = [(*one, text) for text in _checked(texts, "testnl", "_b[x]*_b[z] = 1") for one in read_nonlinear_hypotheses(text)]
    equations = tuple(equation for _, equation, _ in read)
    found = linearized(fit, [(form, text) for form, _, text in read])
    return replace(delta_test(fit, found, equations, mtest, small, df, APPROXIMATE), nonlinear=True)


def _checked(texts: Sequence[str], command: str, example: str) -> list[str]:
    checked = [terms_text(text, command, example) for text in texts]
    if not checked or not all(text.strip() for text in checked):
        raise OptionError(f"{command}: name at least one {'function' if command == 'nlcom' else 'equation'}, such as {example}")
    return checked
