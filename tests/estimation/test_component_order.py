"""Every table names the parameters of a term alike, wherever the term stands in the model."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import sparsemixed


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 400
    d = pd.DataFrame({"a": rng.integers(0, 25, n), "b": rng.integers(0, 18, n), "x": rng.normal(size=n), "z": rng.normal(size=n)})
    effects = rng.normal(size=(4, 25))
    y = d.x + effects[0][d.a] + 0.6 * effects[1][d.b] + 0.5 * effects[2][d.a] * d.z + 0.8 * effects[3][d.b] * d.x
    return d.assign(y=y + rng.normal(size=n))


TERMS = ("(1 | a)", "(0 + z | a)", "(1 + x | b)")


def named_parameters(fit: sparsemixed.Results) -> dict[tuple[str, str], float]:
    """Estimates by (group, label) from the data frame of the fit; labels are distinct within a group here."""
    return {(equation.split(":")[0], label): value for (equation, label), value in fit.random_params.estimate.items()}


@pytest.mark.parametrize("order", list(itertools.permutations(TERMS)), ids=" + ".join)
def test_tables_name_parameters_by_their_own_group(data: pd.DataFrame, order: tuple[str, ...]):
    reference = sparsemixed.mixed("y ~ x + (1 | a) + (0 + z | a) + (1 + x | b)", data, reml=True)
    fit = sparsemixed.mixed(f"y ~ x + {' + '.join(order)}", data, reml=True)
    assert fit.llf == pytest.approx(reference.llf, abs=1e-8)
    expected = named_parameters(reference)
    assert named_parameters(fit) == pytest.approx(expected, rel=1e-5)

    tidy = fit.tidy("ran_pars")
    shown = {(g if g != "Residual" else "", t): v for g, t, v in zip(tidy["group"], tidy["term"], tidy["estimate"], strict=True)}
    assert shown == pytest.approx(expected, rel=1e-5)

    section, printed = "", {}
    for line in fit.summary().splitlines():
        name, bar, values = line.partition("|")
        if bar and name.strip().endswith(("Identity", "Unstructured")):
            section = name.split(":")[0].strip()
        elif bar and name.strip().startswith(("var(", "cov(")):
            label = name.strip()
            printed["" if label == "var(Residual)" else section, label] = float(values.split()[0])
    assert printed == pytest.approx(expected, rel=1e-4)

    compared = sparsemixed.compare(fit, reference, se=False).frame
    assert np.allclose(*compared.to_numpy(float).T, rtol=1e-4, equal_nan=True)


@pytest.mark.parametrize("order", list(itertools.permutations(TERMS)), ids=" + ".join)
def test_stored_estimates_follow_the_order_typed(data: pd.DataFrame, order: tuple[str, ...]):
    """e(b) has log standard deviations and arctanh of correlations, equation after equation as typed."""
    fit = sparsemixed.mixed(f"y ~ x + {' + '.join(order)}", data, reml=True)
    estimates = named_parameters(fit)
    expected = []
    for term in order:
        if term == "(1 + x | b)":
            variances = estimates["b", "var(x)"], estimates["b", "var(_cons)"]
            expected += [0.5 * np.log(v) for v in variances]
            expected.append(np.arctanh(estimates["b", "cov(x,_cons)"] / np.sqrt(np.prod(variances))))
        else:
            expected.append(0.5 * np.log(estimates["a", "var(z)" if "z" in term else "var(_cons)"]))
    expected.append(0.5 * np.log(estimates["", "var(Residual)"]))
    assert fit.e["b"].to_numpy().ravel()[-len(expected) :] == pytest.approx(expected, rel=1e-8)
    assert fit.table.loc["b"].to_numpy()[-len(expected) :] == pytest.approx(expected, rel=1e-8)


def test_the_text_of_a_formula_and_of_a_command_agree(data: pd.DataFrame):
    formula = sparsemixed.mixed("y ~ x + (1 | a) + (0 + z | a)", data)
    command = sparsemixed.mixed("y x || a: z, noconstant || a:", data)
    assert named_parameters(formula) == pytest.approx(named_parameters(command), rel=1e-6)


def test_scores_stand_under_their_parameter(data: pd.DataFrame):
    """Scores of nested terms with a block typed between two of another level: columns are derivatives by what they name."""
    nested = data.assign(b=data.a * 10 + data.b % 3)
    one = sparsemixed.mixed("y ~ x + (1 | a) + (1 | b) + (0 + z | a)", nested).predict(what="scores")
    two = sparsemixed.mixed("y ~ x + (1 | a) + (0 + z | a) + (1 | b)", nested).predict(what="scores")
    names = {"lns1_1_1": "lns1_1_1", "lns1_2_1": "lns1_2_1", "lns2_1_1": "lns2_1_1", "lnsig_e": "lnsig_e"}
    for left, right in names.items():
        a, b = one[left, "_cons"].sort_index(), two[right, "_cons"].sort_index()
        assert a.to_numpy() == pytest.approx(b.to_numpy(), rel=1e-3, abs=1e-4)
