"""statsmodels: the examples of its documentation of MixedLM. Run by a Python that has statsmodels, `make golden` does it.

Its optimisers stop early, so each fit goes on from where the one before it stopped until the log likelihood moves no more.
"""

from __future__ import annotations

import datetime
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels
import statsmodels.api as sm

SAMPLES, DESTINATION = map(Path, sys.argv[1:])
READ: dict[str, dict] = {}
warnings.simplefilter("ignore")


def sample(name: str) -> pd.DataFrame:
    data = pd.read_csv(SAMPLES / f"{name}.csv")
    sums = {n: float(x.sum()) if pd.api.types.is_numeric_dtype(x) else float(x.nunique()) for n, x in data.items()}
    READ[name] = {"what": (SAMPLES / f"{name}.txt").read_text().strip(), "rows": len(data), "sums": sums}
    return data


def ours(name: str) -> str:
    return "_cons" if name == "Intercept" else name


def digits(value: float) -> float:
    return float(f"{value:.12g}")


def fitted(model, reml: bool, **options):
    # Only optimisers with gradients heed `free`.
    searches = (["bfgs"], ["bfgs", "lbfgs"]) if options else (["powell", "lbfgs"], ["bfgs", "powell"])
    fit = model.fit(reml=reml, method=searches[0], **options)
    for _ in range(20):
        again = model.fit(reml=reml, method=searches[1], start_params=fit.params_object, **options)
        moved, fit = again.llf - fit.llf, again if again.llf >= fit.llf else fit
        if moved < 1e-9:
            break
    return fit


def figures(model, reml: bool, **options) -> dict:
    fit = fitted(model, reml, **options)
    names = [ours(name) for name in model.exog_names]
    k = len(names)
    t = fit.t_test(np.eye(k))
    wald = fit.wald_test(np.eye(k, len(fit.params)), scalar=True)
    low, high = np.asarray(fit.conf_int(alpha=0.1))[:k].T
    variances = {"Residual": fit.scale}
    if fit.k_re:
        cov = np.asarray(fit.cov_re)
        variances |= {f"cov_re {i}{j}": cov[i, j] for i in range(len(cov)) for j in range(i + 1)}
    variances |= {f"vcomp {name}": value for name, value in zip(model.exog_vc.names, fit.vcomp, strict=True)}

    def by_name(values) -> dict:
        return {name: digits(value) for name, value in zip(names, np.ravel(values), strict=True)}

    return {
        "llf": digits(fit.llf),
        "df_resid": int(fit.df_resid),
        "params": by_name(fit.fe_params),
        "bse": by_name(fit.bse_fe),
        "tvalues": by_name(t.tvalue),
        "wald": {"statistic": digits(np.squeeze(wald.statistic)), "pvalue": digits(np.squeeze(wald.pvalue))},
        "low 90": by_name(low),
        "high 90": by_name(high),
        "variances": {name: digits(value) for name, value in variances.items()},
        "resid": {str(i): digits(fit.resid.iloc[i]) for i in (0, 1, len(fit.resid) - 1)},
        "fittedvalues": {str(i): digits(fit.fittedvalues.iloc[i]) for i in (0, 1, len(fit.resid) - 1)},
    }


dietox, sitka, schools = sample("dietox"), sample("sitka"), sample("schools")
nested, crossed = sample("nested_components"), sample("crossed_components")
sitka["Intercept"] = 1
endog, exog = sitka["size"], sitka[["Intercept", "Time"]]
mixedlm = sm.MixedLM.from_formula
one = np.ones(len(crossed))
free = sm.regression.mixed_linear_model.MixedLMParams.from_components(np.ones(2), np.eye(2))
room = {"classroom": "0 + C(classroom)"}
pretest = {"classroom": "0 + C(classroom)", "pretest": "0 + pretest"}
crossing = {"g1": "0 + C(group1)", "g2": "0 + C(group2)"}
group2 = {"group2": "0 + C(group2)"}
score = "test_score ~ age + pretest"

MODELS = {
    "pigs, intercepts": ('mixedlm("Weight ~ Time", dietox, groups=dietox["Pig"])', {}),
    "pigs, slopes": ('mixedlm("Weight ~ Time", dietox, groups=dietox["Pig"], re_formula="~Time")', {}),
    "pigs, independent slopes": ('mixedlm("Weight ~ Time", dietox, groups=dietox["Pig"], re_formula="~Time")', {"free": free}),
    "trees, intercepts": ('sm.MixedLM(endog, exog, groups=sitka["tree"], exog_re=exog["Intercept"])', {}),
    "trees, slopes": ('sm.MixedLM(endog, exog, groups=sitka["tree"], exog_re=exog.copy())', {}),
    "nested": ('mixedlm("y ~ 1", re_formula="1", vc_formula=group2, groups="group1", data=nested)', {}),
    "crossed": ('mixedlm("y ~ 1", groups=one, vc_formula=crossing, data=crossed)', {}),
    "classrooms": ('mixedlm("test_score ~ age", vc_formula=room, re_formula="1", groups="school", data=schools)', {}),
    "classrooms, pretest": ('mixedlm(score, vc_formula=pretest, re_formula="1", groups="school", data=schools)', {}),
    "classrooms, correlated": ('mixedlm(score, vc_formula=room, re_formula="1 + pretest", groups="school", data=schools)', {}),
}
found = {}
for name, (call, options) in MODELS.items():
    sys.stderr.write(f"{name}\n")
    model = eval(call)
    found[name] = {"call": call + (", free" if options else "")}
    found[name] |= {"reml" if reml else "ml": figures(model, reml, **options) for reml in (True, False)}
provenance = {
    "kind": "computed",
    "script": "mixedlm.py",
    "program": f"Python {sys.version.split()[0]}",
    "packages": {"statsmodels": statsmodels.__version__, "numpy": np.__version__, "pandas": pd.__version__},
    "date": str(datetime.date.today()),
    "samples": READ,
}
DESTINATION.write_text(json.dumps({"provenance": provenance, "figures": found}, indent=2) + "\n", encoding="utf-8")
