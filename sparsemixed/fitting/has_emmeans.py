"""Estimated marginal means as methods of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call

if TYPE_CHECKING:
    from sparsemixed.reporting.emmeans import MeansContrastResult, MeansResult
    from sparsemixed.reporting.joint_tests import JointTestsTable

Weights = Literal["equal", "proportional", "outer", "cells", "flat"]
Adjust = Literal["none", "tukey", "dunnett", "mvt", "scheffe", "bonferroni", "sidak", "holm", "fdr"]
Method = Literal["pairwise", "revpairwise", "trt.vs.ctrl", "trt.vs.ctrl1", "trt.vs.ctrlk", "consec", "poly", "eff", "del.eff"]


class HasEmmeans:
    """A fit with its call, of which marginal means are computed."""

    fit: Fit
    call: Call | None

    def emmeans(
        self,
        specs: str | Sequence[str],
        by: str | Sequence[str] = (),
        at: Mapping[str, Any] | None = None,
        pairwise: bool = False,
        adjust: Adjust | None = None,
        level: float | None = None,
        *,
        weights: Weights = "equal",
        contrast: Method | Mapping[str, Sequence[float]] | None = None,
        reference: Any = None,
    ) -> MeansResult | MeansContrastResult:
        """Estimated marginal means as R's emmeans has them: covariates at their means, other factors averaged over.

        Tests have the fit's degrees of freedom, and are z where it has no `dfmethod`.

        Parameters
        ----------
        specs, by : str or list
            Variables whose means are shown; within each combination of the levels of `by` they are compared. A covariate needs
            its values in `at`.
        at : mapping, optional
            Values of covariates and levels of factors that the reference grid has; means are over those that are not shown.
        pairwise, contrast, reference : bool, str or mapping, optional
            `pairwise` (all pairs, the first level minus the second; also `pairwise=True`), `revpairwise`, `trt.vs.ctrl` (against
            the level `reference`; `ctrl1`, `ctrlk`: the first or last), `consec`, `poly`, `eff`, `del.eff`, or coefficients by
            name, `{"old - new": [1, -0.5, -0.5]}`.
        adjust : {"none", "tukey", "dunnett", "mvt", "scheffe", "bonferroni", "sidak", "holm", "fdr"}, optional
            Of the contrasts within each combination of `by`. By default tukey for pairs, dunnett for comparisons with one level,
            mvt for consecutive levels, fdr for effects. dunnett and mvt take the correlations of the contrasts as they are;
            limits with holm and fdr are Bonferroni's.
        level : float, optional
            In per cent.
        weights : {"equal", "proportional", "outer", "cells", "flat"}
            Of the combinations of factors averaged over: equal; by how often each is observed; by how often the levels of each
            factor are; by how often each is observed with the levels shown; equal for those that are.

        Returns
        -------
        MeansResult, or MeansContrastResult with contrasts
            `means`, and `contrasts` where they are asked for, are frames of single quantities, indexed by levels.
        """
        options = {"by": by, "at": at, "pairwise": pairwise, "adjust": adjust, "weights": weights, "contrast": contrast}
        return self._emmeans("emmeans", specs, {**options, "reference": reference}, level)

    def emtrends(
        self,
        specs: str | Sequence[str],
        var: str,
        by: str | Sequence[str] = (),
        at: Mapping[str, Any] | None = None,
        pairwise: bool = False,
        adjust: Adjust | None = None,
        level: float | None = None,
        *,
        weights: Weights = "equal",
        contrast: Method | Mapping[str, Sequence[float]] | None = None,
        reference: Any = None,
    ) -> MeansResult | MeansContrastResult:
        """Slopes of a covariate by the levels of factors, and their contrasts; everything but `var` as in `emmeans`.

        Parameters
        ----------
        specs : str or list
        var : str
            The covariate. Where its slope depends on itself, it is taken at its mean or averaged over the values in `at`.
        """
        options = {"by": by, "at": at, "pairwise": pairwise, "adjust": adjust, "weights": weights, "contrast": contrast}
        return self._emmeans("emtrends", specs, {**options, "reference": reference, "trend": var}, level)

    def joint_tests(
        self, by: str | Sequence[str] = (), at: Mapping[str, Any] | None = None, *, weights: Weights = "equal"
    ) -> JointTestsTable:
        """F tests of the contrasts of marginal means for every term, within each combination of the levels of `by`.

        In balanced and complete designs they are those of `anova(type=3)` with covariates at their means; with empty cells they
        test what is estimable.
        """
        from sparsemixed.postestimation.emmeans.joint_tests import joint_tests  # delayed for a quick start, as below
        from sparsemixed.postestimation.emmeans.request import grid_values, grid_weights, variable_names
        from sparsemixed.reporting.joint_tests import JointTestsTable

        command = "joint_tests"
        asked = variable_names(by, "by", command), grid_values(at, command), grid_weights(weights, command)
        return JointTestsTable.of(joint_tests(self.fit, self._grid_sample(), *asked))

    def _emmeans(
        self, command: str, specs: Any, options: dict[str, Any], level: float | None
    ) -> MeansResult | MeansContrastResult:
        from sparsemixed.postestimation.emmeans.means import contrasts, means
        from sparsemixed.postestimation.emmeans.request import read_request
        from sparsemixed.reporting.emmeans import MeansContrastResult, MeansResult
        from sparsemixed.spec.numbers import check_level

        level = check_level(self.fit.spec.display.level if level is None else level)
        asked = read_request(command, specs, options, self.fit.spec.small_sample is not None, level)
        found = means(self.fit, asked, self._grid_sample(), command)
        shown = MeansResult.on_grid(self.fit, found)
        if not asked.contrast:
            return shown
        return MeansContrastResult.between(shown, contrasts(self.fit, found, asked), asked.by)

    def _grid_sample(self) -> Any:
        from sparsemixed.fitting.margin_sample import margin_sample

        # The grid has a covariate at the mean of its observations: how precise each of them is does not count.
        weights = self.fit.spec.weights
        return margin_sample(self.fit, self.call, weighted=weights is None or weights.kind != "precision")
