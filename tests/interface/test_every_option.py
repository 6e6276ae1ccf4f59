"""Every option of the manual's syntax has an effect that can be seen: none is accepted and ignored.

Each row holds two models, without and with the option, and what differs between their fits. Whether the difference is right
is the business of the tests of each option; `SAME` are defaults, which must change nothing.
"""

from __future__ import annotations

import importlib
import re
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command.options import OPTIONS

FIXED = "y x i.arm##i.site twin"
BASE = f"{FIXED} || id: week"
LOG = f"{BASE}, cov(un) log"
LONG = "y i.education c.average_of_everything || id:"
CONSTRAINTS = ["x = 0.5", "2.arm = 0.25"]


@lru_cache
def table():
    """40 ids of 5 weeks; two factors with an empty cell, a collinear column, long labels, weights of rows and of groups."""
    rng = np.random.default_rng(11)
    n = 40 * 5
    data = pd.DataFrame({"id": np.repeat(np.arange(40), 5), "week": np.tile(np.arange(5), 40), "x": rng.normal(size=n)})
    data["half"] = data["id"] % 2
    data["arm"], data["site"] = rng.integers(1, 4, n), rng.integers(1, 3, n)
    data.loc[(data["arm"] == 3) & (data["site"] == 2), "site"] = 1
    data["twin"] = 2 * data["x"]
    data["double"] = 2 * data["week"]
    data["clinic"] = data["id"] // 4
    labels = ["less than high school", "high school or equivalent", "some college"]
    data["education"] = pd.Categorical.from_codes(rng.integers(0, 3, n), labels, ordered=True)
    data["average_of_everything"] = rng.normal(size=n)
    data["w"], data["wid"] = rng.integers(1, 4, n), (data["id"] % 3 + 1)
    effects, slopes = rng.normal(size=40)[data["id"]], 0.4 * rng.normal(size=40)[data["id"]] * data["week"]
    data["y"] = 1 + 0.5 * data["x"] + effects + slopes + rng.normal(size=n)
    return data


@lru_cache
def fit(command):
    needs = "constraints" in command or "nocnsreport" in command
    return sparsemixed.mixed(command, table(), constraints=CONSTRAINTS if needs else None)


def text(found):
    return str(found)


def html(found):
    return found._repr_html_()


def llf(found):
    return round(found.llf, 6)


def iterations(found):
    return found.fit.iterations, len(found.fit.em_log), found.converged


def has(pattern):
    def there(found):
        return re.search(pattern, str(found)) is not None

    return there


def stored(*names):
    def values(found):
        return [found.e.get(name) for name in names]

    return values


# option -> model without it, model with it, what differs
EFFECTS = {
    # Fixed part, random equations
    "noconstant": ("y x || id:", "y x, noconstant || id:", lambda f: "_cons" in f.params),
    "noconstant of a random equation": (BASE, f"{BASE}, noconstant", stored("revars")),
    "constraints": ("y x i.arm || id:, constraints(1)", "y x i.arm || id:, constraints(1 2)", has(r"\( 2\)")),
    "covariance(independent)": (f"{BASE}, cov(identity)", f"{BASE}, covariance(independent)", llf),
    "covariance(exchangeable)": (BASE, f"{BASE}, covariance(exchangeable)", llf),
    "covariance(identity)": (BASE, f"{BASE}, covariance(identity)", llf),
    "covariance(unstructured)": (BASE, f"{BASE}, covariance(unstructured)", llf),
    "collinear": ("y x || id: week double", "y x || id: week double, collinear", stored("redim")),
    "fweight()": ("y x || id:", "y x [fweight=w] || id:, fweight(wid)", stored("N", "fweight1")),
    "pweight()": ("y x || id:", "y x [pweight=w] || id:, pweight(wid)", stored("ll", "pweight1")),
    "[fweight]": ("y x || id:", "y x [fweight=w] || id:", stored("N", "wtype", "wexp")),
    "[pweight]": ("y x || id:", "y x [pweight=w] || id:", stored("vce", "wtype")),
    "pwscale(size)": ("y x [pweight=w] || id:", "y x [pweight=w] || id:, pwscale(size)", llf),
    "pwscale(effective)": ("y x [pweight=w] || id:", "y x [pweight=w] || id:, pwscale(effective)", llf),
    "pwscale(gk)": ("y x [pweight=w] || id:, pweight(wid)", "y x [pweight=w] || id:, pweight(wid) pwscale(gk)", llf),
    # Method
    "mle": (f"{BASE}, reml", f"{BASE}, mle", stored("method", "ll")),
    "reml": (BASE, f"{BASE}, reml", stored("method", "ll")),
    **{
        f"dfmethod({name})": (f"{BASE}, reml", f"{BASE}, reml dfmethod({name})", stored("dfmethod", "ddf_m"))
        for name in ("residual", "repeated", "anova", "satterthwaite", "kroger")
    },
    "dfmethod(, eim)": (f"{BASE}, reml dfmethod(kroger, oim)", f"{BASE}, reml dfmethod(kroger, eim)", stored("df_min")),
    "dfmethod(, oim)": (f"{BASE}, reml dfmethod(sat)", f"{BASE}, reml dfmethod(sat, oim)", stored("df_min")),
    **{
        f"residuals({name})": ("y x || id:", f"y x || id:, residuals({name})", stored("ll", "rstructure", "resopt"))
        for name in (
            *("exchangeable, by(half)", "ar 1, t(week)", "ar 2, t(week)", "ma 1, t(week)", "unstructured, t(week)"),
            *("banded 1, t(week)", "toeplitz 2, t(week)", "exponential, t(week)", "independent, by(half)"),
        )
    },
    "residuals(exchangeable)": ("y x || id:, nocons", "y x || id:, nocons residuals(exchangeable)", stored("ll", "rstructlab")),
    "residuals(, by())": (
        "y x || id:, res(ar, t(week))",
        "y x || id:, res(ar, t(week) by(half))",
        stored("nrgroups", "rglabels"),
    ),
    "residuals(, t())": (
        "y x || id:, res(exp, t(week))",
        "y x || id:, res(exp, t(double))",
        lambda f: f.random_params.to_string(),
    ),
    # Standard errors
    "vce(oim)": ("y x [fweight=w] || id:, vce(robust)", "y x [fweight=w] || id:, vce(oim)", stored("vce")),
    "vce(robust)": ("y x || id:", "y x || id:, vce(robust)", has("Robust")),
    "vce(cluster)": ("y x || id:, vce(robust)", "y x || id:, vce(cluster clinic)", stored("clustvar", "N_clust")),
    # Reporting
    "level()": (BASE, f"{BASE}, level(90)", has(r"\[90% conf")),
    "variance": (f"{BASE}, stddeviations", f"{BASE}, variance", has(r"var\(week\)")),
    "stddeviations": (BASE, f"{BASE}, stddeviations", has(r"sd\(week\)")),
    "dftable(default)": (f"{BASE}, reml dfm(kr) dftable(ci)", f"{BASE}, reml dfm(kr) dftable(default)", has(r"P>\|t\|")),
    "dftable(ci)": (f"{BASE}, reml dfm(kr)", f"{BASE}, reml dfm(kr) dftable(ci)", has(r"P>\|t\|")),
    "dftable(pvalue)": (f"{BASE}, reml dfm(kr)", f"{BASE}, reml dfm(kr) dftable(pvalue)", has("DF       t")),
    "noretable": (BASE, f"{BASE}, noretable", has("Random-effects parameters")),
    "nofetable": (BASE, f"{BASE}, nofetable", has("Coefficient")),
    "estmetric": (BASE, f"{BASE}, estmetric", has(r"\nlns1_1_1 ")),
    "noheader": (BASE, f"{BASE}, noheader", has("Number of obs")),
    "nogroup": (BASE, f"{BASE}, nogroup", has("Group variable")),
    "nostderr": (BASE, f"{BASE}, nostderr", lambda f: bool(f.random_params["std_err"].isna().all())),
    "nocnsreport": ("y x || id:, constraints(1)", "y x || id:, constraints(1) nocnsreport", has(r"\( 1\)")),
    "noci": (BASE, f"{BASE}, noci", has("conf. interval")),
    "nopvalues": (BASE, f"{BASE}, nopvalues", has(r"P>\|z\|")),
    "noomitted": (BASE, f"{BASE}, noomitted", has(r"\(omitted\)")),
    "vsquish": (BASE, f"{BASE}, vsquish", has(r"\n {13}\|\n")),
    "noemptycells": (BASE, f"{BASE}, noemptycells", has(r"\(empty\)")),
    "baselevels": (BASE, f"{BASE}, baselevels", has(r"1  \|          0  \(base\)")),
    "allbaselevels": (f"{BASE}, baselevels", f"{BASE}, allbaselevels", has(r"1 2  \|          0  \(base\)")),
    "fvwrap()": (f"{LONG}, nolstretch", f"{LONG}, fvwrap(2) nolstretch", text),
    "fvwrapon(width)": (f"{LONG}, fvwrap(2) nolstretch", f"{LONG}, fvwrap(2) fvwrapon(width) nolstretch", text),
    "fvwrapon(word)": (
        f"{LONG}, fvwrap(2) fvwrapon(width) nolstretch",
        f"{LONG}, fvwrap(2) fvwrapon(word) nolstretch",
        text,
    ),
    "cformat()": (BASE, f"{BASE}, cformat(%8.2f)", has(r"_cons \| +\d\.\d\d ")),
    "pformat()": (BASE, f"{BASE}, pformat(%5.2f)", has(r"\d   0\.000 ")),
    "sformat()": (BASE, f"{BASE}, sformat(%8.4f)", has(r" -?\d\.\d{4}   0\.")),
    "nolstretch": (LONG, f"{LONG}, nolstretch", has("average_of~g")),
    "lstretch": (f"{LONG}, nolstretch", f"{LONG}, lstretch", has("average_of_everything")),
    "coeflegend": (BASE, f"{BASE}, coeflegend", has(r"_b\[x\]")),
    # EM
    "emiterate()": (f"{BASE}, emonly emiterate(3)", f"{BASE}, emonly emiterate(9)", iterations),
    "emtolerance()": (f"{BASE}, emonly emiterate(60)", f"{BASE}, emonly emiterate(60) emtolerance(0.01)", iterations),
    "emonly": (BASE, f"{BASE}, emonly", stored("emonly", "opt")),
    "emlog": (f"{BASE}, log emiterate(3)", f"{BASE}, log emiterate(3) emlog", text),
    "emdots": (f"{BASE}, log emiterate(3)", f"{BASE}, log emiterate(3) emdots", has(r"\n\.\.\.")),
    # Maximization
    "technique()": (BASE, f"{BASE}, technique(bfgs)", stored("technique")),
    "iterate()": (BASE, f"{BASE}, iterate(1)", iterations),
    "log": (BASE, f"{BASE}, log", has("Iteration 0")),
    "nolog": (f"{BASE}, log", f"{BASE}, nolog", has("Iteration 0")),
    "trace": (LOG, f"{LOG} trace", has(r" parameters \|")),
    "gradient": (LOG, f"{LOG} gradient", has("gradient ")),
    "hessian": (LOG, f"{LOG} hessian", has("-H ")),
    "showstep": (LOG, f"{LOG} showstep", has("Scaled step")),
    "showtolerance": (LOG, f"{LOG} showtolerance", has("nrtolerance")),
    "tolerance()": (f"{BASE}, nonrtol ltol(1)", f"{BASE}, nonrtol ltol(1) tolerance(10)", iterations),
    "ltolerance()": (f"{BASE}, nonrtol tol(10)", f"{BASE}, nonrtol tol(10) ltolerance(10)", iterations),
    "nrtolerance()": (BASE, f"{BASE}, nrtolerance(100)", iterations),
    "nonrtolerance": (f"{BASE}, tol(10) ltol(10)", f"{BASE}, tol(10) ltol(10) nonrtolerance", iterations),
    "matsqrt": (f"{BASE}, matlog", f"{BASE}, matsqrt", stored("optmetric")),
    "matlog": (BASE, f"{BASE}, matlog", stored("optmetric")),
}
SAME = {
    "residuals(independent)": "residuals(independent)",
    "covariance(independent) by default": "covariance(independent)",
    "fvwrap(1)": "fvwrap(1)",
    "technique(nr)": "technique(nr)",
}
ELSEWHERE = {"nofvlabel", "difficult", "small"}
"""Options with a test of their own below."""


@pytest.mark.parametrize("option", EFFECTS)
def test_option_has_an_effect(option):
    without, given, seen = EFFECTS[option]
    assert seen(fit(given)) != seen(fit(without))


@pytest.mark.parametrize("option", SAME)
def test_what_goes_without_saying_changes_nothing(option):
    asked, plain = fit(f"{BASE}, {SAME[option]}"), fit(BASE)
    assert text(asked) == text(plain)


def test_nofvlabel(tmp_path):
    data = table()[["y", "id", "arm"]].astype(float)
    data.to_stata(tmp_path / "labels.dta", write_index=False, value_labels={"arm": {1: "low", 2: "mid", 3: "high"}})
    fits = [sparsemixed.mixed(f"y i.arm || id:{end}", tmp_path / "labels.dta") for end in ("", ", nofvlabel")]
    assert ["mid  |" in str(found) for found in fits] == [True, False]
    assert ["<th" in html(found) and ">mid<" in html(found) for found in fits] == [True, False]


def test_difficult(monkeypatch):
    """The exact Hessian where large crossed designs do with the average information."""
    monkeypatch.setattr(importlib.import_module("sparsemixed.estimation.problems.solvers"), "EXACT_BELOW", 0)
    command = "y x || _all: R.clinic || week:, showtolerance"
    plain, exact = (str(sparsemixed.mixed(f"{command} {option}", table())) for option in ("", "difficult"))
    assert "limit 1e-07" in plain
    assert "limit 1e-11" in exact


def test_small():
    found = fit(f"{BASE}, reml dfmethod(kroger)")
    assert "P>|t|" in found.summary(small=True)
    assert "P>|z|" in found.summary(small=False)


REPLAYED = [
    *("noretable", "nofetable", "estmetric", "noheader", "nogroup", "noci", "nopvalues", "noomitted", "vsquish"),
    *("noemptycells", "baselevels", "allbaselevels", "coeflegend", "stddeviations"),
    *(("level", 90), ("cformat", "%8.2f"), ("pformat", "%5.2f"), ("sformat", "%8.4f")),
]


@pytest.mark.parametrize("option", REPLAYED, ids=str)
def test_replay_is_the_same_as_asking_at_once(option):
    """`summary(option=...)` of one fit prints what a fit with the option in its command prints, in all formats."""
    name, value = option if isinstance(option, tuple) else (option, True)
    asked = fit(f"{BASE}, {name}({value})" if isinstance(option, tuple) else f"{BASE}, {name}")
    plain = fit(BASE)
    assert plain.summary(**{name: value}) == str(asked)
    assert plain.to_latex(**{name: value}) == asked.to_latex()
    if name not in ("noheader", "nogroup", "vsquish"):  # which LaTeX has nothing of
        assert asked.to_latex() != plain.to_latex()
    if name != "vsquish":
        assert html(asked) != html(plain)


def test_no_option_is_forgotten():
    """Each name that the language knows stands above, but for those that Stata does not have, which have tests of their own."""
    ours = {"solver", "mc_tolerance", "seed", "tsset", "varabbrev", "robust", "cluster", "group"}
    named = {re.match(r"\[?(\w+)", option)[1] for option in EFFECTS} | ELSEWHERE
    assert {option.name for option in OPTIONS} - ours <= named
