"""Groups that numbers name are found among those fitted without an object for any of them: the same as by their values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.design import new_rows as module
from sparsemixed.design.data.frame import read_frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.new_rows import MISSING, NEW, new_rows
from sparsemixed.errors import DataError

GROUPS = {
    "integers": [3, -7, 12, 40],
    "long integers": [2**53 + 1, 2**53 + 2, 7, 2**53 + 3],
    "decimals": [0.1, 0.2, 0.30000000000000004, -4.0],
    "texts": ["a", "b", "c", "d"],
}


@pytest.mark.parametrize("kind", GROUPS)
def test_groups_of_new_rows(kind, monkeypatch):
    rng = np.random.default_rng(0)
    names = np.array(GROUPS[kind])
    data = pd.DataFrame({"y": rng.normal(size=60), "g": names[np.arange(60) % 3]})
    fit = sparsemixed.mixed("y || g:", data).fit
    asked = pd.Series([names[3], names[0], None, names[2], names[1], names[3]], dtype=object)
    others = pd.DataFrame({"g": asked if kind in ("texts", "long integers") else asked.astype(float)})
    if kind == "long integers":
        others = others.dropna().astype(np.int64)
    (term,) = fit.design.random
    assert (module._numbered_groups(term, _rows(others)) is None) == (kind == "texts" or kind == "integers")
    found = new_rows(term, fit.design, fit.spec, _rows(others)).codes
    monkeypatch.setattr(module, "_numbered_groups", lambda *_: None)
    np.testing.assert_array_equal(found, new_rows(term, fit.design, fit.spec, _rows(others)).codes)
    order = {name: place for place, name in enumerate(sorted(names[:3]))}
    wanted = [MISSING if pd.isna(name) else order.get(name, NEW) for name in others["g"]]
    np.testing.assert_array_equal(found, wanted)


def test_texts_where_there_were_numbers():
    data = pd.DataFrame({"y": np.random.default_rng(0).normal(size=60), "g": np.arange(60) % 3})
    fit = sparsemixed.mixed("y || g:", data).fit
    with pytest.raises(DataError, match="held numbers in the data fitted and holds text"):
        new_rows(fit.design.random[0], fit.design, fit.spec, _rows(pd.DataFrame({"g": ["0", "1"]})))


def _rows(data):
    return Rows(read_frame(data), np.arange(len(data)))
