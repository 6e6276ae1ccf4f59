"""Tests of hypotheses, combinations of estimates and comparisons as methods of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.hypothesis_tests import TestResult
from sparsemixed.spec.numbers import check_level

if TYPE_CHECKING:
    from sparsemixed.reporting.linear_combination import LincomResult
    from sparsemixed.reporting.nonlinear import NlcomResult

OfPvalues = Literal["noadjust", "bonferroni", "holm", "sidak"]


class HasTests:
    """What can be asked of the estimates of `fit`; nothing here fits again."""

    fit: Fit

    def test(
        self,
        hypothesis: Any,
        values: Any = None,
        small: bool = False,
        *,
        mtest: OfPvalues | bool | None = None,
        df: float | None = None,
        accumulate: TestResult | None = None,
    ) -> TestResult:
        """Wald test of a linear hypothesis.

        Parameters
        ----------
        hypothesis : str, list of str, array (l, p), mapping, Series or DataFrame
            A text, `"2.drug = 3.drug = 0"`, `"2*x1 - 3*x2 = 4"`, `"(a = b) (c = 2)"`; names, each of which is zero,
            `"week age"`, `["week"]`; rows over the estimated coefficients; or weights by name, `{"x1": 2, "x2": -3}`. Names are
            those of the tables, or statsmodels' and R's: `drug[T.2]:age`, `drug2:age`, `Intercept`. Variance parameters are
            named as in e(b), `[lns1_1_1]_cons`, or as printed, `var(_cons)`. Options may follow a comma: `"a = b, mtest(holm)"`.
        values : array (l,), optional
            Right-hand sides of an array's rows.
        small : bool
            F test with the degrees of freedom of the fit's `dfmethod` instead of chi-squared.
        mtest : {"noadjust", "bonferroni", "holm", "sidak"}, optional
            Test the equations one by one as well, with p-values adjusted for their number.
        df : float, optional
            Denominator degrees of freedom, for F tests.
        accumulate : TestResult, optional
            An earlier test, whose hypotheses are tested along.
        """
        from sparsemixed.command.hypothesis_options import (
            read_test,  # delayed, with what it needs, for a quick start, as all below
        )
        from sparsemixed.postestimation.linear_tests import hypothesis_test

        text, asked = read_test("test", hypothesis, {"small": small, "mtest": mtest, "df": df})
        before = accumulate
        found = hypothesis_test(self.fit, text, values, asked.get("small", False), asked.get("df"), asked.get("mtest"), before)
        return TestResult.of(found)

    def testparm(
        self,
        terms: str,
        equal: bool = False,
        small: bool = False,
        *,
        mtest: OfPvalues | bool | None = None,
        df: float | None = None,
    ) -> TestResult:
        """Test that all coefficients of terms such as `i.drug`, `i.drug#c.age` or `x*` are zero, or `equal`.

        `small`, `mtest` and `df` as in `test`.
        """
        from sparsemixed.command.hypothesis_options import read_test
        from sparsemixed.postestimation.linear_tests import parameter_test

        text, asked = read_test("testparm", terms, {"small": small, "mtest": mtest, "df": df, "equal": equal})
        options = (asked.get("equal", False), asked.get("small", False), asked.get("df"), asked.get("mtest"))
        return TestResult.of(parameter_test(self.fit, text, *options))

    def lincom(
        self, expression: str, level: float | None = None, small: bool = False, *, df: float | None = None
    ) -> LincomResult:
        """Estimate, test and confidence interval of a linear expression: `"2.drug - 3.drug"`.

        Variance parameters are named as in e(b), `[lns1_1_1]_cons`, or as printed, `var(_cons) + var(Residual)`. Options may
        follow a comma: `"x1 - x2, level(90)"`; `df` gives the degrees of freedom of a t test.
        """
        from sparsemixed.command.hypothesis_options import read_combination
        from sparsemixed.postestimation.linear_tests import lincom
        from sparsemixed.reporting.linear_combination import LincomResult

        text, asked = read_combination("lincom", expression, {"level": level, "small": small, "df": df})
        options = (self._level(asked.get("level")), asked.get("small", False), asked.get("df"))
        return LincomResult.of(lincom(self.fit, text, *options))

    def nlcom(self, *expressions: str, level: float | None = None, small: bool = False, df: float | None = None) -> NlcomResult:
        """Estimates, standard errors and limits of functions of coefficients and variance parameters, by the delta method.

        Parameters
        ----------
        *expressions : str
            `"_b[x]/_b[z]"`, `"icc: var(_cons)/(var(_cons) + var(Residual))"`, `"(first: exp(x)) (second: x^2)"`: names as in
            `test`; those of columns that formulas compute, and with colons, in `_b[]`. Options may follow a comma.
        level : float, optional
        small : bool
            t tests with the degrees of freedom of the fit's `dfmethod` for the local linear form; for coefficients alone.
        df : float, optional
            Given degrees of freedom of t tests; by default z.

        Raises
        ------
        CommandError
            For what cannot be understood, unknown names and functions.
        OptionError
            A function that is not defined at the estimates.
        """
        from sparsemixed.command.hypothesis_options import read_combination
        from sparsemixed.postestimation.nonlinear import nlcom
        from sparsemixed.reporting.nonlinear import NlcomResult

        texts, asked = _several("nlcom", expressions, {"level": level, "small": small, "df": df}, read_combination)
        found = nlcom(self.fit, texts, self._level(asked.get("level")), asked.get("small", False), asked.get("df"))
        return NlcomResult.of(found)

    def testnl(
        self,
        *hypotheses: str,
        mtest: OfPvalues | bool | None = None,
        small: bool = False,
        df: float | None = None,
    ) -> TestResult:
        """Wald test of nonlinear hypotheses: `"_b[x]*_b[z] = 1"`, `"(a = b^2) (var(_cons) = 2*var(Residual))"`.

        Options may follow a comma; `mtest`, `small` and `df` as in `test`, `small` with the degrees of freedom of the local
        linear form.

        Raises
        ------
        CommandError
            For what cannot be understood, unknown names and functions.
        OptionError
            Functions that are not defined at the estimates, hypotheses that follow from or contradict one another.
        """
        from sparsemixed.command.hypothesis_options import read_test
        from sparsemixed.postestimation.nonlinear import testnl

        texts, asked = _several("testnl", hypotheses, {"mtest": mtest, "small": small, "df": df}, read_test)
        return TestResult.of(testnl(self.fit, texts, asked.get("mtest"), asked.get("small", False), asked.get("df")))

    def _level(self, level: float | None) -> float:
        return check_level(self.fit.spec.display.level if level is None else level)


def _several(command: str, texts: tuple[Any, ...], keywords: dict[str, Any], read: Any) -> tuple[list[Any], dict[str, Any]]:
    """Several texts, of which the last may have options."""
    if len(texts) == 1 and isinstance(texts[0], (list, tuple)):
        texts = tuple(texts[0])
    last, asked = read(command, texts[-1] if texts else "", keywords)
    return [*texts[:-1], last], asked
