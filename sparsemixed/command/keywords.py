"""Options as keyword arguments with the types of their values, for editors and type checkers.

What an option takes and does is said by the table of options; these classes repeat its names, and tests hold the two together.
None leaves an option out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class DisplayKeywords(TypedDict, total=False):
    """Options of how a fit is shown."""

    level: float | None
    variance: bool | None
    stddeviations: bool | None
    noretable: bool | None
    nofetable: bool | None
    noheader: bool | None
    nogroup: bool | None
    nofvlabel: bool | None
    nocnsreport: bool | None
    dftable: Literal["default", "ci", "pvalue"] | None
    small: bool | None
    estmetric: bool | None
    coeflegend: bool | None
    noci: bool | None
    nopvalues: bool | None
    noomitted: bool | None
    noemptycells: bool | None
    baselevels: bool | None
    allbaselevels: bool | None
    vsquish: bool | None
    fvwrap: int | None
    fvwrapon: Literal["word", "width"] | None
    cformat: str | None
    pformat: str | None
    sformat: str | None
    lstretch: bool | None
    nolstretch: bool | None
    log: bool | None
    nolog: bool | None
    emlog: bool | None
    emdots: bool | None
    trace: bool | None
    gradient: bool | None
    hessian: bool | None
    showstep: bool | None
    showtolerance: bool | None


class FitKeywords(DisplayKeywords, total=False):
    """Options beside those that say which random effects, and whether by REML."""

    noconstant: bool | None
    collinear: bool | None
    mle: bool | None
    dfmethod: str | None
    residuals: str | None
    group: str | None
    constraints: str | Sequence[str] | Mapping[int, str] | None
    pwscale: Literal["size", "effective", "gk"] | None
    tsset: str | None
    varabbrev: bool | None
    vce: str | None
    robust: bool | None
    cluster: str | None
    nostderr: bool | None
    emonly: bool | None
    emiterate: int | None
    emtolerance: float | None
    iterate: int | None
    tolerance: float | None
    ltolerance: float | None
    nrtolerance: float | None
    nonrtolerance: bool | None
    technique: str | None
    matsqrt: bool | None
    matlog: bool | None
    difficult: bool | None
    solver: Literal["auto", "block", "dense", "sparse", "krylov"] | None
    mc_tolerance: float | None
    seed: int | None
    # Weights: the name of a column, an expression, or one value for each row; by level in a mapping
    fweights: ArrayLike | Mapping[str, ArrayLike] | None
    pweights: ArrayLike | Mapping[str, ArrayLike] | None
    precision_weights: ArrayLike | None


class ModelKeywords(FitKeywords, total=False):
    """Everything that `mixed` takes beside the model and the data."""

    reml: bool | None
    # As statsmodels says random effects and REML
    groups: ArrayLike | None
    re_formula: str | None
    vc_formula: Mapping[str, str] | None
    method: Literal["reml", "ml"] | None
    # Of a penalised likelihood: "boundary", or priors by parameter
    prior: Any
    # Of a text file
    delimiter: str | None
