"""Scripts of statsmodels' documentation as they are, but for their import."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from tests.golden import golden, load

IMPORT = "import sparsemixed as smf\n"  # statsmodels.formula.api
SCRIPTS = {
    "pigs, intercepts": """
md = smf.mixedlm("Weight ~ Time", data, groups=data["Pig"])
mdf = md.fit(method=["lbfgs"])
print(mdf.summary())
""",
    "pigs, slopes": """
md = smf.mixedlm("Weight ~ Time", data, groups=data["Pig"], re_formula="~Time")
mdf = md.fit(method=["lbfgs"])
print(mdf.summary())
""",
    "nested": """
md = smf.mixedlm("y ~ 1", data, re_formula="1", vc_formula={"group2": "0 + C(group2)"}, groups="group1")
mdf = md.fit()
print(mdf.summary())
""",
    "crossed": """
oo = np.ones(data.shape[0])
vcf = {"g1": "0 + C(group1)", "g2": "0 + C(group2)"}
mdf = smf.mixedlm("y ~ 1", groups=oo, vc_formula=vcf, data=data).fit()
print(mdf.summary())
""",
}
SAMPLES = {"pigs, intercepts": "dietox", "pigs, slopes": "dietox", "nested": "nested_components", "crossed": "crossed_components"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run_after_changing_the_import(name, capsys):
    namespace = {"data": load(SAMPLES[name]), "np": np}
    exec(IMPORT + SCRIPTS[name], namespace)
    theirs, fit = golden("mixedlm")[name]["reml"], namespace["mdf"]
    assert fit.llf == pytest.approx(theirs["llf"], rel=1e-7)
    assert fit.params.to_dict() == pytest.approx(theirs["params"], rel=1e-4)
    assert "Mixed-effects REML regression" in capsys.readouterr().out


def test_what_fit_takes():
    data = load("dietox")
    model = sparsemixed.mixedlm("Weight ~ Time", data, groups="Pig")
    assert repr(model) == "<MixedLM 'Weight ~ Time', to be fitted by fit()>"
    assert model.fit(reml=False).llf == pytest.approx(golden("mixedlm")["pigs, intercepts"]["ml"]["llf"], rel=1e-7)
    assert model.fit(level=90).fit.spec.display.level == 90
    whole = sparsemixed.mixedlm("Weight ~ Time + (1 | Pig)", data).fit()
    assert whole.llf == model.fit().llf
    assert whole.update(". ~ . - Time").nobs == len(data)
    with pytest.raises(OptionError, match="method='lbgfs' is no optimiser of statsmodels; did you mean lbfgs"):
        model.fit(method=["lbgfs"])
    with pytest.raises(OptionError, match=r"unknown option free; independent random effects are \(x \|\| g\)"):
        model.fit(free=1)
