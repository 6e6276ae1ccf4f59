"""statsmodels' way to a fit in two steps, `mixedlm(...).fit()`: a script that has it runs after its import was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from sparsemixed.api import mixed
from sparsemixed.command.keywords import FitKeywords
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.results import Results

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

OPTIMISERS = ("lbfgs", "bfgs", "cg", "powell", "nm", "newton", "ncg", "basinhopping", "minimize")
"""What statsmodels calls its optimisers."""


@dataclass(frozen=True, repr=False)
class MixedLM:
    """A model that is yet to be fitted; see `mixedlm`.

    Attributes
    ----------
    formula : str
    data : anything that `mixed` takes
    borrowed : mapping
        `groups`, `re_formula` and `vc_formula`, as far as they were given.
    """

    formula: str
    data: Any
    borrowed: Mapping[str, Any]

    def fit(self, reml: bool = True, method: str | Sequence[str] | None = None, **options: Unpack[FitKeywords]) -> Results:
        """Fit the model: `mixed` with REML as the default.

        Parameters
        ----------
        reml : bool
            REML, statsmodels' default; False for maximum likelihood.
        method : str or sequence of str, optional
            An optimiser of statsmodels, which changes nothing: there is one optimiser here, which ends at the maximum that
            they look for.
        **options
            As in `mixed`.

        Raises
        ------
        SparseMixedError
            As `mixed`; also for a `method` that statsmodels does not have.
        """
        for name in [method] if isinstance(method, str) else method or ():
            if name not in OPTIMISERS:
                raise OptionError(
                    f"method={name!r} is no optimiser of statsmodels{suggestion(str(name), OPTIMISERS)}; leave it out"
                )
        given: dict[str, Any] = {**self.borrowed, **options}
        return mixed(self.formula, self.data, reml=reml, **given)

    def __repr__(self) -> str:
        return f"<MixedLM {self.formula!r}, to be fitted by fit()>"


def mixedlm(
    formula: str,
    data: Any,
    re_formula: str | None = None,
    vc_formula: Mapping[str, str] | None = None,
    *,
    groups: ArrayLike | None = None,
) -> MixedLM:
    """statsmodels' `mixedlm`: a model whose `fit()` returns `Results`.

    Parameters
    ----------
    formula : str
        Of the fixed part, or a whole formula of `mixed` if no other argument says random effects.
    data : anything that `mixed` takes
    re_formula : str, optional
        Random effects of the groups, correlated with each other; an intercept by default.
    vc_formula : mapping of str to str, optional
        Variance components by name, each a formula of one term: `{"room": "0 + C(room)"}`.
    groups : str or array_like, optional
        The name of a column, or one value for each row.

    Returns
    -------
    MixedLM

    Examples
    --------
    >>> import sparsemixed as smf
    >>> data = smf.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> smf.mixedlm("y ~ time", data, groups=data["id"]).fit(method=["lbfgs"]).nobs
    300
    """
    given = {"groups": groups, "re_formula": re_formula, "vc_formula": vc_formula}
    return MixedLM(formula, data, {name: value for name, value in given.items() if value is not None})
