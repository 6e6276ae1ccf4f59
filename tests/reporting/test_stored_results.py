"""Stata's stored results: every name of its manual, those of residuals(), and r(table)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.reporting.stored.results import WITHOUT_COUNTERPART, stored_rows

# "Stored results" of the manual, scalars, macros, matrices and functions.
LISTED = """
N k k_f k_r k_rs k_rc k_res N_clust nrgroups ar_p ma_q res_order df_m small F ddf_m df_max df_avg df_min ll chi2 p ll_c chi2_c
df_c p_c rank ic rc converged cmd cmdline depvar wtype wexp fweight1 pweight1 ivars title redim vartypes revars resopt rstructure
rstructlab rbyvar rglabels pwscale timevar dfmethod dftitle chi2type clustvar vce vcetype method opt optmetric emonly ml_method
technique datasignature datasignaturevars properties estat_cmd predict marginswtype marginswexp b Cns N_g g_min g_avg g_max tmap V
V_modelbased df V_df sample
"""
MANUAL = LISTED.split()
COMMANDS = [
    "y week || id:, reml dfmethod(kroger)",
    "y week [fweight=w] || id:, fweight(wid)",
    "y week [pweight=w] || id:, pweight(wid) pwscale(size)",
    "y week || id:, vce(robust)",
    "y week || id:, residuals(ar 1, t(week) by(arm))",
    "y week || id:, nocons residuals(ma 2, t(week))",
    "y week || id:, nocons residuals(banded 1, t(week))",
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"id": np.repeat(np.arange(40), 5), "week": np.tile(np.arange(1, 6), 40)})
    table["arm"] = np.array(["old drug", "new"])[table["id"] % 2]
    table["w"], table["wid"] = rng.integers(1, 3, 200), table["id"] % 3 + 1
    errors = rng.normal(size=(40, 5))
    for week in range(1, 5):
        errors[:, week] = 0.5 * errors[:, week - 1] + 0.9 * errors[:, week]
    table["y"] = 1.0 + 0.3 * table["week"] + rng.normal(size=40)[table["id"]] + errors.ravel()
    return table


def fitted(data, residuals, **options):
    return sparsemixed.mixed(f"y week || id:, noconstant residuals({residuals})", data, **options)


def test_every_name_of_the_manual_is_stored_by_some_fit(data):
    fits = [sparsemixed.mixed(command, data) for command in COMMANDS]
    fits.append(sparsemixed.mixed("y week || id:", data, constraints=["week = 0.3"]))
    stored = {name for fit in fits for name in fit.e}
    assert set(MANUAL) <= stored
    shapes = {"scalar": (int, float, np.number, list), "macro": str, "matrix": (pd.DataFrame, pd.Series, np.ndarray)}
    for fit in fits:
        kinds = {row.name: row.kind for row in stored_rows(fit.fit.spec)}
        for name in fit.e:
            assert isinstance(fit.e[name], shapes[kinds[name]]), name


def test_a_name_is_stored_once_and_explained():
    rows = stored_rows(read_model("y week || id:"))
    assert len({row.name for row in rows}) == len(rows)
    assert all((getattr(row.value, "func", row.value).__doc__ or "").strip() for row in rows)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("ar_p", r"residuals\(ar\)"),
        ("res_order", r"residuals\(banded\)"),
        ("rbyvar", r"by\(\)"),
        ("timevar", r"t\(\)"),
        ("tmap", r"residuals\(unstructured\)"),
        ("resopt", r"residuals\(\)"),
        ("wtype", "weights"),
        ("marginswexp", "weights"),
        ("pweight1", "weights of that level and kind"),
        ("Cns", r"constraints\(\)"),
        ("clustvar", r"vce\(robust\)"),
        ("ddf_m", r"dfmethod\(\)"),
        ("V_df", "kroger"),
        *((name, "no counterpart") for name in WITHOUT_COUNTERPART),
    ],
)
def test_what_a_fit_does_not_have_says_with_what_it_is_stored(data, name, option):
    fit = sparsemixed.mixed("y week || id:", data)
    assert name not in fit.e
    with pytest.raises(KeyError, match=option):
        fit.e[name]


NAMES = ("rstructure", "rstructlab", "ar_p", "ma_q", "res_order", "timevar", "rbyvar", "rglabels", "nrgroups", "k_res")
RESIDUALS = {
    "independent, by(arm)": ("independent", "Independent", None, None, None, None, "arm", 'new "old drug"', 2, 2),
    "exchangeable": ("exchangeable", "Exchangeable", None, None, None, None, None, None, 1, 2),
    "ar, t(week)": ("ar", "AR(1)", 1, None, None, "week", None, None, 1, 2),
    "ar 2, t(week) by(arm)": ("ar", "AR(2)", 2, None, None, "week", "arm", 'new "old drug"', 2, 6),
    "ma 2, t(week)": ("ma", "MA(2)", None, 2, None, "week", None, None, 1, 3),
    "unstructured, t(week)": ("unstructured", "Unstructured", None, None, None, "week", None, None, 1, 15),
    "banded 1, t(week)": ("banded", "Banded(1)", None, None, 1, "week", None, None, 1, 9),
    "toeplitz 2, t(week)": ("toeplitz", "Toeplitz(2)", None, None, 2, "week", None, None, 1, 3),
    "exponential, t(week)": ("exponential", "Exponential", None, None, None, "week", None, None, 1, 2),
}


@pytest.mark.parametrize("argument", RESIDUALS)
def test_residual_structures(data, argument):
    e = fitted(data, argument).e
    assert tuple(e.get(name) for name in NAMES) == RESIDUALS[argument]
    assert e["resopt"] == argument
    assert (e["k_r"], e["k_rs"], e["k_rc"]) == (0, 0, 0)
    assert e["k"] == e["k_f"] + e["k_r"] + e["k_res"] == e["b"].shape[1]


def test_residuals_by_keyword_and_with_random_effects(data):
    e = sparsemixed.mixed("y week || id: week, cov(un)", data, residuals="ar 1, t(week)").e
    assert e["resopt"] == "ar 1, t(week)"
    assert (e["k_r"], e["k_rs"], e["k_rc"], e["k_res"]) == (3, 2, 1, 2)


def test_times_of_unstructured_errors(data):
    levels = fitted(data, "unstructured, t(week)").e["tmap"]
    assert levels.to_numpy().tolist() == [[1.0, 2.0, 3.0, 4.0, 5.0]]


def deviations(fit):
    return fit.fit.deviations


def test_residual_deviations_are_ratios_to_the_first(data):
    """e(b) holds log(sd_k / sd_1), so that lnsig_e and the ratio make log(sd_k); its variance follows."""
    fit = fitted(data, "independent, by(arm)")
    b, V = fit.e["b"].iloc[0], fit.e["V"]
    first, second = (parameter.estimate for parameter in deviations(fit))
    assert b["lnsig_e", "_cons"] == pytest.approx(np.log(first))
    assert b["r_lns2ose", "_cons"] == pytest.approx(np.log(second / first))
    part = V.iloc[2:, 2:].to_numpy()
    std_err = fit.random_params["std_err"].to_numpy() / (2 * fit.random_params["estimate"].to_numpy())
    assert np.sqrt([part[0, 0], part.sum()]) == pytest.approx(std_err, rel=1e-9)
    names = [name for name, _ in fitted(data, "unstructured, t(week)").e["b"].columns]
    assert names[2:5] == ["lnsig_e", "r_lns1_2ose", "r_lns1_3ose"]


@pytest.mark.parametrize("argument", ["exchangeable", "unstructured, t(week)", "banded 1, t(week)", "exchangeable, by(arm)"])
def test_residual_covariances_become_correlations(data, argument):
    """With stddeviations and in e(b): value and standard error, from those of the variances."""
    fit = fitted(data, argument)
    variances = {p.label: p for p in fit.fit.variances}
    found = [p for p in deviations(fit) if p.kind == "correlation"]
    assert found
    assert not any(p.kind == "covariance" for p in deviations(fit))
    for p in found:
        covariance = variances[p.label.replace("corr(", "cov(")]
        lead, _, rest = covariance.label.partition("cov(")
        one, _, other = rest.rstrip(")").partition(",")
        pair = [variances[f"{lead}var({name})"] for name in (one, other or one)]
        assert p.estimate == pytest.approx(covariance.estimate / np.sqrt(pair[0].estimate * pair[1].estimate))
        by_logs = covariance.gradient / covariance.estimate - sum(v.gradient / (2 * v.estimate) for v in pair)
        assert p.gradient == pytest.approx(p.estimate * by_logs, abs=1e-12)
    assert any(name.startswith("r_atr") for name, _ in fit.e["b"].columns)


@pytest.mark.parametrize("dof", ["", "reml dfmethod(kroger)"])
def test_table(data, dof):
    fit = sparsemixed.mixed(f"y week i.w || id: week, level(90) {dof}", data)
    table: Any = fit.table
    assert list(table.index) == ["b", "se", "t" if dof else "z", "pvalue", "ll", "ul", "df", "crit", "eform"]
    assert table.columns.equals(fit.e["b"].columns)
    assert table.loc["b"].to_numpy() == pytest.approx(fit.e["b"].iloc[0].to_numpy())
    column = table["y", "week"]
    expected = [fit.params["week"], fit.bse["week"], fit.zvalues["week"], fit.pvalues["week"], *fit.conf_int().loc["week"]]
    assert column.iloc[:6].to_numpy() == pytest.approx(expected)
    assert column["ul"] == pytest.approx(column["b"] + column["crit"] * column["se"])
    assert column["df"] == pytest.approx(fit.df["week"] if dof else np.nan, nan_ok=True)
    base = table["y", "1b.w"]
    assert base["b"] == 0
    assert base.loc["se":"crit"].isna().all()
    residual = table["lnsig_e", "_cons"]
    assert residual["se"] == pytest.approx(np.sqrt(fit.e["V"].iloc[-1, -1]))
    assert np.isnan(residual["df"])


def test_saved_fits_store_the_same(data, tmp_path):
    for i, command in enumerate(COMMANDS):
        fit = sparsemixed.mixed(command, data)
        fit.save(tmp_path / f"{i}.fit")
        loaded = sparsemixed.load(tmp_path / f"{i}.fit")
        assert set(loaded.e) == set(fit.e) - {"sample"}
        for name in loaded.e:
            assert str(loaded.e[name]) == str(fit.e[name])
        pd.testing.assert_frame_equal(loaded.table, fit.table)
        assert loaded.summary(estmetric=True, baselevels=True) == fit.summary(estmetric=True, baselevels=True)


def test_the_signature_is_that_of_the_data(data):
    one, same, other = (sparsemixed.mixed("y week || id:", table) for table in (data, data.copy(), data.assign(y=-data["y"])))
    assert one.e["datasignature"] == same.e["datasignature"] != other.e["datasignature"]
    assert one.e["datasignaturevars"] == "y week id"
