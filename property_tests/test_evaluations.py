"""Evaluations are values, on designs and journeys drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsemixed.solver import recent
from tests.oracles import values
from tests.oracles.values import everything

SETTINGS = st.one_of(
    st.tuples(st.just(values.penalized), st.sampled_from(values.PENALIZED)),
    st.tuples(st.just(values.precision), st.sampled_from(values.PRECISION)),
)


@given(
    SETTINGS, st.booleans(), st.integers(0, 2**31 - 1), st.sampled_from([0.0, 600.0, recent.MAX_KEPT_NUMBERS]), st.integers(1, 5)
)
def test_derivatives_do_not_depend_on_what_is_evaluated_between(setting, reml, seed, room, visits):
    """Several evaluations alive at once, their derivatives asked for in any order, with room for some of them or for all."""
    make, case = setting
    objective, theta, design = make(*case, reml, seed)
    rng = np.random.default_rng(seed)
    thetas = [theta * rng.uniform(0.5, 1.2) for _ in range(visits)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent, "MAX_KEPT_NUMBERS", room)
        wanted = [everything(objective, objective.derivatives(objective.evaluate(each)), design) for each in thetas]
        evaluations = [objective.evaluate(each) for each in thetas]
        order = rng.permutation(visits)
        derivatives = {i: objective.derivatives(evaluations[i]) for i in order}
        for i in rng.permutation(visits):
            for name, found in everything(objective, derivatives[i], design).items():
                np.testing.assert_array_equal(found, wanted[i][name], err_msg=name)
