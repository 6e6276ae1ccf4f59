"""What is timed: one model on one data set in each case, from fast to slow."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One model on one data set, as each program wants to hear it.

    Attributes
    ----------
    title : str
    data : str
        Name of a data set of `data_sets.py`; several cases may share one.
    lmer : str
        Formula of lme4, from which the other programs' models are made; "" where it can say no such thing.
    model : str
        Command or formula for sparsemixed; the same formula by default.
    nlme : dict
        `fixed`, `random`, `correlation`, `weights` of lme(), or of gls() where there is no `random`.
    reml : bool
    by : str or None
        A column: one fit for each of its values; the seconds are those of all of them.
    times : int
        Repetitions of one that is asked for, where a fit takes milliseconds.
    by_name : bool
        Run only when it is named.
    weights : str or None
        A column of precision weights.
    options : dict
        Further keywords for sparsemixed.
    """

    title: str
    data: str
    lmer: str = ""
    model: str = ""
    nlme: dict[str, str] = field(default_factory=dict)
    reml: bool = False
    by: str | None = None
    times: int = 1
    by_name: bool = False
    weights: str | None = None
    options: dict[str, str] = field(default_factory=dict)


AUTOREGRESSIVE = "y x || id:, residuals(ar 1, t(visit))"
AUTOREGRESSIVE_NLME = {"fixed": "y ~ x", "random": "~ 1 | id", "correlation": "corAR1(form = ~ visit | id)"}
SLOPES = " + ".join(f"x{j}" for j in range(11))
EFFECTS = " + ".join(f"x{j}" for j in range(1, 8))
ERRORS = (("ar2", "ar 2", "AR(2)"), ("ma1", "ma 1", "MA(1)"), ("toeplitz3", "toeplitz 3", "Toeplitz(3)"))


def series(rows: int) -> dict[str, Case]:
    return {
        f"{name}-{rows}": Case(
            title=f"5 series of {rows:,} times, a tenth missing, random intercept, {words} errors",
            data=f"series-{rows}",
            model=f"y x || id:, residuals({option}, t(t))",
        )
        for name, option, words in ERRORS
    }


CASES = {
    "sleepstudy": Case(
        title="sleepstudy: 180 rows, 18 groups, correlated slopes, REML",
        data="sleepstudy",
        lmer="Reaction ~ Days + (1 + Days | Subject)",
        nlme={"fixed": "Reaction ~ Days", "random": "~ Days | Subject"},
        reml=True,
        times=30,
    ),
    "small-fits": Case(
        title="200 fits of 40 groups x 5 rows in a loop, random intercept, REML",
        data="small-fits",
        lmer="y ~ time + (1 | id)",
        reml=True,
        by="part",
    ),
    "ar-2000": Case(
        title="20,000 rows, 2,000 groups, random intercept, AR(1) errors",
        data="autoregressive-2000",
        model=AUTOREGRESSIVE,
        nlme=AUTOREGRESSIVE_NLME,
    ),
    **series(1500),
    "slopes-million": Case(
        title="1,000,000 rows, 100,000 groups, random slope",
        data="longitudinal",
        lmer="y ~ time + (1 + time | id)",
    ),
    "slopes-million-reml": Case(
        title="1,000,000 rows, 100,000 groups, random slope, REML",
        data="longitudinal",
        lmer="y ~ time + (1 + time | id)",
        reml=True,
    ),
    "insteval": Case(
        title="InstEval: s, d and dept crossed, ML",
        data="insteval",
        lmer="y ~ service + (1 | s) + (1 | d) + (1 | dept)",
        model="y service || _all: R.d || _all: R.dept || s:",
    ),
    "insteval-reml": Case(
        title="InstEval: s, d and dept crossed, REML",
        data="insteval",
        lmer="y ~ service + (1 | s) + (1 | d) + (1 | dept)",
        reml=True,
    ),
    "nested-million": Case(
        title="1,000,000 rows, 2,000 schools x 50 classes, REML",
        data="schools",
        lmer="y ~ x + (1 | school / room)",
        model="y x || school: || room:",
        nlme={"fixed": "y ~ x", "random": "~ 1 | school/room"},
        reml=True,
    ),
    "trial": Case(
        title="Trial: 1,000 patients x 10 visits with dropout, unstructured errors, REML",
        data="trial",
        model="y i.arm##i.visit base || id:, noconstant residuals(unstructured, t(visit))",
        nlme={
            "fixed": "y ~ factor(arm) * factor(visit) + base",
            "correlation": "corSymm(form = ~ visit | id)",
            "weights": "varIdent(form = ~ 1 | visit)",
        },
        reml=True,
    ),
    "experiment": Case(
        title="60 subjects x 240 items, four correlated effects of each, REML",
        data="experiment",
        lmer="y ~ a + b + c + (1 + a + b + c | subject) + (1 + a + b + c | item)",
        reml=True,
    ),
    "insteval-slope": Case(
        title="InstEval: random slope of service by d",
        data="insteval",
        lmer="y ~ service + (1 | s) + (1 + service | d) + (1 | dept)",
    ),
    "ar-million": Case(
        title="1,000,000 rows, 100,000 groups, random intercept, AR(1) errors",
        data="autoregressive",
        model=AUTOREGRESSIVE,
        nlme=AUTOREGRESSIVE_NLME,
    ),
    "many-slopes": Case(
        title="1,554 groups of 30 rows, intercept and 11 correlated slopes, REML",
        data="many-slopes",
        lmer=f"y ~ {SLOPES} + (1 + {SLOPES} | g)",
        nlme={"fixed": f"y ~ {SLOPES}", "random": f"~ {SLOPES} | g"},
        reml=True,
    ),
    "two-effects": Case(
        title="300,000 rows, 10,000 users x 1,500 items, two correlated effects of each, REML",
        data="two-effects",
        lmer="y ~ x + (1 + x | user) + (1 + x | item)",
        reml=True,
    ),
    "two-effects-2500": Case(
        title="300,000 rows, 10,000 users x 2,500 items, two correlated effects of each, REML",
        data="two-effects-2500",
        lmer="y ~ x + (1 + x | user) + (1 + x | item)",
        reml=True,
        by_name=True,
    ),
    "crossed-million": Case(
        title="1,000,000 rows, 50,000 users x 5,000 items",
        data="crossed",
        lmer="y ~ x + (1 | user) + (1 | item)",
    ),
    "crossed-million-reml": Case(
        title="1,000,000 rows, 50,000 users x 5,000 items, REML",
        data="crossed",
        lmer="y ~ x + (1 | user) + (1 | item)",
        reml=True,
    ),
    "maximal": Case(
        title="56 subjects x 32 items, eight correlated effects of each (72 parameters), singular, ML",
        data="maximal",
        lmer=f"y ~ {EFFECTS} + (1 + {EFFECTS} | subject) + (1 + {EFFECTS} | item)",
    ),
    "country-years": Case(
        title="40,000 rows, 2,000 firms, 2,000 fixed effects of country and year, REML",
        data="country-years",
        lmer="y ~ x + cell + (1 | firm)",
        nlme={"fixed": "y ~ x + cell", "random": "~ 1 | firm"},
        reml=True,
    ),
    **series(20_000),
    "ratings": Case(
        title="25,000,000 rows, 162,541 users x 59,047 items, REML",
        data="ratings",
        lmer="y ~ x + (1 | item) + (1 | user)",
        model="y x || _all: R.item || user:, solver(krylov)",
        reml=True,
        by_name=True,
    ),
}
