"""Lags and differences by merging on the time, and what must hold between operators, on random panels."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from sparsemixed.command import read_model
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.time_series import TimeOperator, split_name


@st.composite
def panels(draw):
    """Distinct (id, t) in random order, with missing values everywhere."""
    cells = st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.one_of(st.none(), st.integers(-5, 8)))
    keys = draw(st.lists(cells, min_size=1, max_size=30, unique=True))
    value = st.one_of(st.none(), st.integers(-9, 9))
    values = draw(st.lists(value, min_size=len(keys), max_size=len(keys)))
    # Rows with a missing panel or time are in no panel; the rest are distinct.
    return pd.DataFrame({"id": [k[0] for k in keys], "t": [k[1] for k in keys], "y": values}).astype(float)


time_operators = st.builds(
    TimeOperator,
    st.integers(-4, 4),
    st.integers(0, 3),
    st.lists(st.integers(2, 5), max_size=2).map(lambda seasons: tuple(sorted(seasons))),
)


def column(data, name):
    spec = read_model("y", {"tsset": "id t"})
    return model_frame(spec, data)[name].numbers()


@given(panels(), time_operators)
def test_values_are_sums_over_merges(data, operator):
    known = data.dropna(subset=["id", "t"])
    earlier = known.set_index(["id", "t"])["y"].to_dict()

    def value(row):
        if pd.isna(row.id) or pd.isna(row.t):
            return np.nan
        terms = [weight * earlier.get((row.id, row.t - lag), np.nan) for lag, weight in operator.weights().items()]
        return np.nan if any(pd.isna(term) for term in terms) else float(sum(terms))

    if operator.text:
        np.testing.assert_array_equal(column(data, operator.on("y")), [value(row) for row in data.itertuples()])


@given(time_operators, time_operators)
def test_names_are_read_back_and_operators_multiply(first, second):
    both = first * second
    assert both == second * first
    assert split_name(both.on("x") if both.text else "L0.x") == (both, "x")
    assert read_model(f"y {both.on('x')}", {}).fixed[0].factors[0].variable == both.on("x")
    product = {}
    for lag, weight in first.weights().items():
        for other, factor in second.weights().items():
            product[lag + other] = product.get(lag + other, 0) + weight * factor
    assert both.weights() == {lag: weight for lag, weight in sorted(product.items()) if weight}
