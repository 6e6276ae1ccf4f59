"""Residual structures as printed: sections, labels, scales of the limits, the test against the linear model, its note."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from tests.oracles.weighted_cases import nested

Z = 1.959963984540054
STRENGTH = "strength i.program##i.day if inlist(day, 0, 4, 6, 8, 12) || id:, noconstant residuals({}, t(day){})"
LONG_NOTE = (
    "Note: The reported degrees of freedom assumes the null hypothesis is not on the boundary of the parameter space. "
    "If this is not true, then the reported test is conservative."
)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"id": np.repeat(np.arange(40), 5), "week": np.tile(np.arange(5), 40)})
    table["arm"] = table["id"] % 2
    errors = rng.normal(size=(40, 5))
    for week in range(1, 5):
        errors[:, week] = 0.5 * errors[:, week - 1] + 0.9 * errors[:, week]
    table["y"] = 1.0 + 0.3 * table["week"] + rng.normal(size=40)[table["id"]] + errors.ravel()
    return table


def limits(row, to, back, slope):
    half = Z * row["std_err"] * slope(row["estimate"])
    return [back(to(row["estimate"]) - half), back(to(row["estimate"]) + half)]


SCALES = {
    "atanh": (np.arctanh, np.tanh, lambda x: 1 / (1 - x**2)),
    "natural": (lambda x: x, lambda x: x, lambda x: 1.0),
    "log": (np.log, np.exp, lambda x: 1 / x),
    "logit": (lambda x: np.log(x / (1 - x)), lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 / (x * (1 - x))),
}
STRUCTURES = {
    "independent, by(arm)": ("Residual: Independent, by arm", {"0: var(e)": "log", "1: var(e)": "log"}),
    "exchangeable": ("Residual: Exchangeable", {"var(e)": "log", "cov(e)": "natural"}),
    "ar 1, t(week)": ("Residual: AR(1)", {"rho": "atanh", "var(e)": "log"}),
    "ar 2, t(week)": ("Residual: AR(2)", {"phi1": "natural", "phi2": "natural", "var(e)": "log"}),
    "ma 1, t(week)": ("Residual: MA(1)", {"theta1": "natural", "var(e)": "log"}),
    "ma 2, t(week)": ("Residual: MA(2)", {"theta1": "natural", "theta2": "natural", "var(e)": "log"}),
    "toeplitz 2, t(week)": ("Residual: Toeplitz(2)", {"rho1": "atanh", "rho2": "atanh", "var(e)": "log"}),
    "exponential, t(week)": ("Residual: Exponential", {"rho": "logit", "var(e)": "log"}),
    "banded 1, t(week)": (
        "Residual: Banded(1)",
        {f"var(e{i})": "log" for i in range(5)} | {f"cov(e{i},e{i + 1})": "natural" for i in range(4)},
    ),
    "unstructured, t(week)": (
        "Residual: Unstructured",
        {f"var(e{i})": "log" for i in range(5)} | {f"cov(e{i},e{j})": "natural" for i in range(5) for j in range(i + 1, 5)},
    ),
    "ar 1, t(week) by(arm)": (
        "Residual: AR(1), by arm",
        {"0: rho": "atanh", "0: var(e)": "log", "1: rho": "atanh", "1: var(e)": "log"},
    ),
    "exchangeable, by(arm)": (
        "Residual: Exchangeable, by arm",
        {"0: var(e)": "log", "0: cov(e)": "natural", "1: var(e)": "log", "1: cov(e)": "natural"},
    ),
}


@pytest.mark.parametrize("argument", STRUCTURES)
def test_labels_and_scales_of_the_limits(data, argument):
    title, scales = STRUCTURES[argument]
    found = sparsemixed.mixed(f"y week || id:, noconstant residuals({argument})", data).random_params
    assert list(found.index) == [(title, label) for label in scales]
    for (_, label), row in found.iterrows():
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(limits(row, *SCALES[scales[label]]), rel=1e-9), label


@pytest.mark.parametrize("argument", STRUCTURES)
def test_standard_deviations(data, argument):
    fits = [sparsemixed.mixed(f"y week || id:, noconstant residuals({argument}) {show}", data) for show in ("", "stddeviations")]
    variances, deviations = (f.random_params["estimate"].droplevel("equation") for f in fits)
    for label, value in variances.items():
        if "var(" in label:
            assert deviations[label.replace("var(", "sd(")] == pytest.approx(np.sqrt(value), rel=1e-12)
        elif "cov(" not in label:
            assert deviations[label] == value
    assert not deviations.index.str.contains(r"var\(").any()


def random_part(text):
    """The table of variance parameters and what follows it, blanks collapsed."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return lines[next(i for i, line in enumerate(lines) if line.startswith("Random-effects parameters")) :]


def test_an_empty_random_part_has_its_line_and_the_long_note(manual_data):
    """Example 9 of the manual."""
    text = str(sparsemixed.mixed(STRENGTH.format("exponential", ""), manual_data("exercise")))
    lines = random_part(text)
    rule = "-----------------------------+------------------------------------------------"
    assert lines[1:5] == [rule, "id: (empty) |", rule, "Residual: Exponential |"]
    assert [line.split(" | ")[0] for line in lines[5:7]] == ["rho", "var(e)"]
    assert lines[8] == "LR test vs. linear model: chi2(1) = 292.17 Prob > chi2 = 0.0000"
    assert " ".join(text.split()).endswith(LONG_NOTE)
    assert "linear regression" not in text


def test_levels_of_by_have_their_value_labels_and_the_title_takes_two_lines(manual_data):
    """Example 7 of the manual."""
    command = "gcf followup base_gcf cda age || patient: followup, cov(un) || tooth:, residuals(independent, by(followup)) reml"
    text = str(sparsemixed.mixed(command, manual_data("veneer")))
    lines = random_part(text)
    start = lines.index("Residual: Independent, |")
    assert lines[start + 1] == "by followup |"
    assert [line.split(" | ")[0] for line in lines[start + 2 : start + 4]] == ["3 months: var(e)", "6 months: var(e)"]
    assert max(map(len, text.splitlines())) <= 78
    assert text.endswith("Note: LR test is conservative and provided only for reference.")


def test_random_effects_with_a_structure_have_the_short_note(data):
    text = str(sparsemixed.mixed("y week || id:, residuals(ar 1, t(week))", data))
    assert "LR test vs. linear model: chi2(2) = " in text
    assert text.endswith("Note: LR test is conservative and provided only for reference.")


@pytest.mark.parametrize("argument", STRUCTURES)
def test_degrees_of_freedom_of_the_test_against_the_linear_model(data, argument):
    found = sparsemixed.mixed(f"y week || id:, noconstant residuals({argument})", data)
    assert found.e["df_c"] == len(STRUCTURES[argument][1]) - 1
    assert found.e["chi2_c"] == pytest.approx(2 * (found.llf - sparsemixed.mixed("y week", data).llf), rel=1e-6)


def test_all_formats_show_the_section(data):
    found = sparsemixed.mixed("y week || id:, noconstant residuals(ar 1, t(week) by(arm))", data)
    for text in (found._repr_html_(), found.to_latex()):
        assert "Residual: AR(1), by arm" in text
        assert "0: rho" in text
        assert "(empty)" in text


def test_a_correlation_at_its_limit_is_named():
    """Group means with no variance left drive an exchangeable correlation to -1 / (m - 1), where its parameter is infinite."""
    data = nested(217, 60)
    for unit in (1.0, 10.0):
        fit = sparsemixed.mixed("y x || b:, noconstant residuals(exchangeable)", data.assign(y=unit * data["y"]))
        assert "a correlation of the residuals is at its limit" in fit.status
        variance, covariance = fit.random_params["estimate"]
        assert covariance / variance == pytest.approx(-1.0 / (data.groupby("b").size().max() - 1))
