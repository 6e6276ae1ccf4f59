"""Random models with their random terms permuted, in both languages: every table holds the same rows by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsemixed

TERMS = {
    "(1 | a)": "_all: R.a",
    "(1 | b)": "_all: R.b",
    "(0 + z | a)": None,
    "(0 + x + z || b)": None,
    "(1 + x | c)": None,
    "(0 + z | c)": None,
}
"""Terms of formulas, no two of which have a parameter of the same name and group, and their words in commands."""


def frame(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n, groups = 120, {"a": 8, "b": 6, "c": 10}
    d = pd.DataFrame({name: rng.integers(0, size, n) for name, size in groups.items()})
    d["x"], d["z"] = rng.normal(size=(2, n))
    shifts = sum(rng.normal(size=size)[d[name]] for name, size in groups.items())
    slopes = rng.normal(size=8)[d.a] * d.z + rng.normal(size=6)[d.b] * d.x + rng.normal(size=10)[d.c] * d.x
    return d.assign(y=d.x + shifts + slopes + rng.normal(size=n))


def rows(fit: sparsemixed.Results) -> dict[str, pd.Series]:
    """Every table of variance parameters, sorted by name."""
    tidy = fit.tidy("ran_pars")
    names = pd.MultiIndex.from_arrays([tidy["group"], tidy["term"]])
    metric = pd.Series(fit.e["b"].to_numpy().ravel()[-len(tidy) :], index=names)
    return {
        "random_params": fit.random_params["estimate"].sort_index(),
        "std_err": fit.random_params["std_err"].sort_index(),
        "tidy": pd.Series(tidy["estimate"].to_numpy(), index=names).sort_index(),
        "e(b)": np.exp(metric[[label[1].startswith("var(") for label in metric.index]]).sort_index(),
    }


@settings(max_examples=max(settings().max_examples // 2, 15))
@given(
    st.integers(0, 50), st.lists(st.sampled_from(sorted(TERMS)), min_size=2, max_size=4, unique=True), st.randoms(), st.booleans()
)
def test_permuted_formulas_print_the_same_rows(seed, terms, random, reml):
    shuffled = terms.copy()
    random.shuffle(shuffled)
    one, two = (sparsemixed.mixed(f"y ~ x + {' + '.join(order)}", frame(seed), reml=reml) for order in (terms, shuffled))
    assert one.llf == pytest.approx(two.llf, abs=1e-6)
    # Two searches end within 5e-4 standard errors of each other; a value under a wrong name would be off by far more.
    for table, expected in rows(one).items():
        found = rows(two)[table]
        assert list(found.index) == list(expected.index), table
        assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=2e-2, abs=2e-3, nan_ok=True), table


@given(st.integers(0, 50), st.permutations([term for term, words in TERMS.items() if words]), st.booleans())
def test_commands_and_formulas_print_the_same_values(seed, terms, reml):
    data = frame(seed)
    formula = sparsemixed.mixed(f"y ~ x + {' + '.join(terms)}", data, reml=reml)
    command = sparsemixed.mixed(f"y x || {' || '.join(str(TERMS[term]) for term in terms)}", data, reml=reml)
    by_formula = {equation.split(":")[0]: value for (equation, _), value in formula.random_params.estimate.items()}
    by_command = {
        label[6:-1]: value for (_, label), value in command.random_params.estimate.items() if label.startswith("var(R.")
    }
    assert {name: by_formula[name] for name in by_command} == pytest.approx(by_command, rel=1e-4, abs=1e-6)
