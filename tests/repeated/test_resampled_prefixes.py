"""`bootstrap:` and `jackknife:` as text: the replicates of the methods of these names, in Stata's layout."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sparsemixed
from sparsemixed.errors import CommandError, DataError, OptionError
from sparsemixed.reporting.resampled import Bootstrap, Jackknife
from sparsemixed.reporting.resampled_fit import ResampledFit

MODEL = "mixed y time || id:"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    found = sparsemixed.datasets.simulate_longitudinal(24, 5, seed=4)
    return found.assign(arm=found["id"] % 2, region=(found["id"] - 1) // 4, w=1 + found["id"] % 2)


def test_bootstrap_of_a_command(data):
    found = sparsemixed.mixed(f"bootstrap, reps(30) seed(3): {MODEL}", data)
    plain = sparsemixed.mixed(MODEL, data).bootstrap(30, kind="cluster", seed=3)
    assert isinstance(found, ResampledFit)
    assert found.replicates.equals(plain.replicates)
    assert found.bse.tolist() == plain.bse.iloc[:2].tolist()
    assert found.conf_int("percentile").equals(plain.conf_int("percentile"))
    assert found.e["N_reps"] == 30
    z = found.params["time"] / found.bse["time"]
    assert found.model_test().statistic == pytest.approx(z**2)


def test_standard_errors_and_limits_of_variances_are_of_their_logarithms(data):
    """Stata's replicates are of e(b), whose variances are in logs."""
    found = sparsemixed.mixed(f"bootstrap, reps(40) seed(1) level(90): {MODEL}", data)
    row = found.frame.loc["id: var(_cons)"]
    logs = np.log(found.replicates["id: var(_cons)"])
    assert row["std_err"] == pytest.approx(row["estimate"] * logs.std(ddof=1))
    half = stats.norm.ppf(0.95) * logs.std(ddof=1)
    assert row[["low", "high"]].tolist() == pytest.approx((row["estimate"] * np.exp([-half, half])).tolist())


def test_standard_deviations(data):
    found = sparsemixed.mixed(f"bootstrap, reps(12) seed(1): {MODEL}, stddeviations", data)
    variances = sparsemixed.mixed(f"bootstrap, reps(12) seed(1): {MODEL}", data)
    assert found.replicates["id: sd(_cons)"].to_numpy() == pytest.approx(
        np.sqrt(variances.replicates["id: var(_cons)"].to_numpy()), rel=1e-5
    )
    assert "sd(_cons)" in str(found)


def test_jackknife_of_a_command(data):
    found = sparsemixed.mixed(f"jackknife, cluster(id): {MODEL}", data)
    plain = sparsemixed.mixed(MODEL, data).jackknife()
    assert found.replicates.to_numpy().tolist() == plain.replicates.to_numpy().tolist()
    assert found.df == 23
    row, logs = found.frame.loc["id: var(_cons)"], np.log(found.replicates["id: var(_cons)"])
    assert row["std_err"] == pytest.approx(row["estimate"] * np.sqrt(23 / 24 * ((logs - logs.mean()) ** 2).sum()))
    half = stats.t.ppf(0.975, 23) * row["std_err"] / row["estimate"]
    assert row["high"] == pytest.approx(row["estimate"] * np.exp(half))
    by_region = sparsemixed.mixed(f"jackknife, cluster(region): {MODEL}", data)
    assert len(by_region.replicates) == 6


BOOTSTRAP = """\
                                     (Replications based on 24 clusters in id)
------------------------------------------------------------------------------
             |   Observed   Bootstrap                          Normal-based
           y | coefficient  std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
"""
RANDOM = """\
------------------------------------------------------------------------------
                             |   Observed   Bootstrap          Normal-based
  Random-effects parameters  |   estimate   std. err.     [95% conf. interval]
-----------------------------+------------------------------------------------
id: Identity                 |
"""
JACKKNIFE = """\
                                     (Replications based on 24 clusters in id)
------------------------------------------------------------------------------
             |   Observed   Jackknife
           y | coefficient  std. err.      t    P>|t|     [95% conf. interval]
-------------+----------------------------------------------------------------
"""


def test_layout(data):
    text = str(sparsemixed.mixed(f"bootstrap, reps(10) seed(1): {MODEL}", data))
    assert text.startswith("Mixed-effects ML regression                          Number of obs    =    120\n")
    assert "Replications     =     10\n" in text
    assert "Wald chi2(1)" in text
    assert BOOTSTRAP in text
    assert RANDOM in text
    text = str(sparsemixed.mixed(f"jackknife: {MODEL}", data))
    assert JACKKNIFE in text
    assert "F(1, 23.00)" in text


def test_expressions(data, tmp_path):
    path = tmp_path / "reps.csv"
    text = f"bootstrap r=_b[time]/_b[_cons] ll=e(ll), reps(8) seed(2) saving({path}): {MODEL}"
    found = sparsemixed.mixed(text, data)
    assert isinstance(found, Bootstrap)
    assert found.names == ("r", "ll")
    fit = sparsemixed.mixed(MODEL, data)
    assert found.observed.tolist() == pytest.approx([fit.params["time"] / fit.params["_cons"], fit.llf])
    assert pd.read_csv(path)["r"].tolist() == pytest.approx(found.replicates["r"].tolist())
    left_out = sparsemixed.mixed(f"jackknife r=_b[time]/_b[_cons]: {MODEL}", data)
    assert isinstance(left_out, Jackknife)
    assert len(left_out.replicates) == 24


def test_idcluster_names_the_groups_of_the_model(data):
    plain = sparsemixed.mixed(f"bootstrap, reps(10) seed(5) cluster(id): {MODEL}", data)
    new = sparsemixed.mixed("bootstrap, reps(10) seed(5) cluster(id) idcluster(newid): mixed y time || newid:", data)
    assert new.replicates.to_numpy().tolist() == plain.replicates.to_numpy().tolist()
    assert "clusters in id)" in str(new)


def test_clusters_and_strata(data):
    found = sparsemixed.mixed(f"bootstrap, reps(10) seed(5) cluster(region): {MODEL}", data)
    assert found.resampled.clusters == 6
    strata = sparsemixed.mixed(f"bootstrap, reps(10) seed(5) strata(arm): {MODEL}", data)
    plain = sparsemixed.mixed(MODEL, data).bootstrap(10, kind="cluster", seed=5, strata="arm")
    assert strata.replicates.equals(plain.replicates)


def test_fifty_by_default_and_by_in_front(data):
    found = sparsemixed.mixed(f"by arm: bootstrap, seed(1): {MODEL}", data)
    assert found[1].e["N_reps"] == 50
    assert "-> arm = 1\n\nMixed-effects ML regression" in str(found)
    assert found.frame["arm"].tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (f"bootstrap, reps(0): {MODEL}", OptionError, "at least 2"),
        (f"bootstrap, reps(5): {MODEL}, pweight(w)", OptionError, "sampling weights"),
        ("bootstrap, reps(5): mixed y time [fweight=w] || id:", OptionError, "frequency weights"),
        ("jackknife: mixed y time [fweight=w] || id:", OptionError, "frequency weights"),
        ("bootstrap, reps(5): mixed y || _all: R.time || id:", OptionError, "bootstrap"),
        ("jackknife: mixed y || _all: R.time || id:", OptionError, "jackknife"),
        (f"bootstrap, reps(5) cluster(time): {MODEL}", OptionError, "hold whole groups"),
        (f"bootstrap, reps(5) cluster(nothing): {MODEL}", (OptionError, DataError), "nothing"),
        (f"bootstrap, reps(5) idcluster(new): {MODEL}", OptionError, "idcluster"),
        (f"bootstrap, reps(5) cluster(nope) idcluster(new): {MODEL}", DataError, "no variable `nope`"),
        (f"bootstrap a=_b[tim], reps(5): {MODEL}", CommandError, "tim"),
        (f"bootstrap, reps(5) saving(x.xyz): {MODEL}", DataError, "cannot tell the format"),
        (f"bootstrap: jackknife: {MODEL}", OptionError, "cannot stand before jackknife"),
    ],
)
def test_one_clear_message(data, text, kind, message):
    with pytest.raises(kind, match=message):
        sparsemixed.mixed(text, data)
