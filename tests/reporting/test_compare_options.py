"""What a table of several fits shows: keep, drop, b, se, t, p, stars, formats."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import OptionError


@pytest.fixture(scope="module")
def fits():
    data = simulate_longitudinal(40, 5, seed=3)
    data["arm"] = data.id % 3
    return [sparsemixed.mixed(model, data) for model in ("y time i.arm || id:", "y time i.arm || id: time")]


def test_statistics_and_p_values(fits):
    found = sparsemixed.compare(*fits, t=True, p=True)
    part = found.frame.xs("fixed")
    np.testing.assert_allclose(part.loc[("time", "t"), "(2)"], fits[1].zvalues["time"], rtol=1e-12)
    np.testing.assert_allclose(part.loc[("time", "pvalue"), "(2)"], fits[1].pvalues["time"], rtol=1e-12)
    assert "t" not in found.frame.xs("id").index.get_level_values("what")
    text = str(found)
    assert "Standard errors in parentheses, statistics in brackets, p-values in braces." in " ".join(text.split())
    assert f"[{fits[1].zvalues['time']:.2f}]" in text
    bare = sparsemixed.compare(*fits, b=False, se=False, p=True).frame.xs("fixed")
    assert set(bare.index.get_level_values("what")) == {"pvalue"}


def test_names_that_are_kept_and_dropped(fits):
    found = sparsemixed.compare(*fits, keep="time *.arm").frame
    assert set(found.xs("fixed").index.get_level_values("name")) == {"time", "1.arm", "2.arm"}
    assert "id" not in found.index.get_level_values("part")
    found = sparsemixed.compare(*fits, drop=["id:*", "_cons"]).frame
    assert set(found.index.get_level_values("part")) == {"fixed", "Residual", "Statistics"}
    with pytest.raises(OptionError, match="no fit has a parameter 'tme'; did you mean time"):
        sparsemixed.compare(*fits, keep="tme")


def test_stars_and_formats(fits):
    text = str(sparsemixed.compare(*fits, stars=(0.1, 0.2), formats={"b": "%9.2f", "se": "%9.3f", "stats": "%9.1f"}))
    assert "* p < 0.2, ** p < 0.1." in text
    assert f"{fits[0].params['time']:.2f}**" in text.replace("0.", "0.")
    assert f"({fits[0].bse['time']:.3f})" in text
    assert f"{fits[0].llf:.1f}" in text
    for options, message in [
        ({"stars": (5,)}, "must be levels between 0 and 1"),
        ({"formats": {"z": "%9.2f"}}, "formats= has 'z'; its keys are b, se, t, p, stats"),
        ({"b": False, "se": False}, "there is nothing to show"),
        ({"keeps": "time"}, "unknown option keeps; did you mean keep"),
    ]:
        with pytest.raises(OptionError, match=message):
            sparsemixed.compare(*fits, **options)
