"""`by`: each level is fitted as if it were alone; what fails is a row with its message."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import CommandError, DataError, OptionError, SparseMixedError

MODEL = "mixed y time || id:"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    found = sparsemixed.datasets.simulate_longitudinal(48, 5, seed=4)
    return found.assign(arm=found["id"] % 2, site=np.where(found["id"] % 3 == 0, "north", "south"), w=found["id"] % 2 + 1)


def test_each_level_is_fitted_alone(data):
    found = sparsemixed.mixed(f"by arm: {MODEL}", data)
    assert list(found) == [0, 1]
    for level, fit in found.items():
        alone = sparsemixed.mixed(MODEL, data[data["arm"] == level])
        assert fit.llf == alone.llf
        assert fit.params.tolist() == alone.params.tolist()
    rows = found.frame
    assert rows["arm"].tolist() == [0] * 4 + [1] * 4
    assert rows["estimate"].tolist()[:2] == found[0].params.tolist()
    assert rows["std_err"].tolist()[4:6] == found[1].bse.tolist()
    assert rows["message"].isna().all()


@pytest.mark.parametrize(
    "text", ["bysort arm: mixed y time || id:", "qui by arm, sort: mixed y time || id:", "by arm: quietly mixed y time || id:",
             "by arm: eststo a: y ~ time + (1 | id)", "noisily bys arm (time): xtmixed y time || id:, variance"]
)  # fmt: skip
def test_ways_to_write_it(data, text):
    found, plain = sparsemixed.mixed(text, data), sparsemixed.by(MODEL, data, "arm")
    assert [fit.llf for fit in found.values()] == pytest.approx([fit.llf for fit in plain.values()])


def test_several_variables(data):
    found = sparsemixed.mixed(f"by arm site: {MODEL}", data)
    assert list(found) == [(0, "north"), (0, "south"), (1, "north"), (1, "south")]
    alone = sparsemixed.mixed(MODEL, data[(data["arm"] == 1) & (data["site"] == "north")])
    assert found[1, "north"].llf == alone.llf
    assert "-> arm = 1, site = north\n" in str(found)
    assert found.frame.columns.tolist()[:3] == ["arm", "site", "effect"]
    assert found.glance.index.names == ["arm", "site"]


def test_layout(data):
    found = sparsemixed.mixed(f"by arm: {MODEL}", data)
    line = "-" * 78
    assert str(found).startswith(f"{line}\n-> arm = 0\n\nMixed-effects ML regression")
    assert f"\n\n{line}\n-> arm = 1\n\nMixed-effects ML regression" in str(found)
    assert str(found[0]) in str(found)
    assert "-&gt; arm = 1" in found.to_html()
    assert "arm = 1" in found.compare().frame.columns


def test_value_labels_are_printed(data, tmp_path):
    data.assign(arm=pd.Categorical.from_codes(data["arm"], ["old", "new"])).to_stata(tmp_path / "d.dta", write_index=False)
    assert "-> arm = new\n" in str(sparsemixed.mixed(f"by arm: {MODEL}", str(tmp_path / "d.dta")))


def test_a_level_that_fails_is_a_row(data):
    some = data.copy()
    some.loc[some["arm"] == 1, "y"] = 3.0
    found = sparsemixed.by(MODEL, some, "arm")
    assert list(found) == [0]
    assert "constant" in found.errors[1]
    last = found.frame.iloc[-1]
    assert (last["arm"], last["message"]) == (1, found.errors[1])
    assert np.isnan(last["estimate"])
    assert "-> arm = 1\n\nthe response" in str(found) or found.errors[1] in str(found)
    with pytest.raises(KeyError, match="arm = 1 could not be fitted"):
        found[1]


def test_rows_without_a_level_belong_to_none(data):
    some = data.assign(arm=data["arm"].where(data["id"] > 4))
    found = sparsemixed.by(MODEL, some, "arm")
    assert [fit.nobs for fit in found.values()] == [some["arm"].eq(level).sum() for level in (0, 1)]


def test_options_go_to_every_fit(data):
    found = sparsemixed.by("y ~ time + (1 | id)", data, "arm", reml=True, dfmethod="satterthwaite")
    alone = sparsemixed.mixed("y ~ time + (1 | id)", data[data["arm"] == 1], reml=True, dfmethod="satterthwaite")
    assert found[1].df.tolist() == alone.df.tolist()
    assert found.frame["df"].tolist()[4:6] == alone.df.tolist()


def test_arrays_among_the_options_are_split_with_the_rows(data):
    found = sparsemixed.by(MODEL, data, "arm", fweights=data["w"])
    alone = sparsemixed.mixed(MODEL, data[data["arm"] == 1], fweights="w")
    assert found[1].llf == alone.llf


def test_other_prefixes_after_by(data):
    noise = np.random.default_rng(1)
    long = pd.concat([data.assign(time=data["time"] + 0.2 * noise.normal(size=len(data)), _mi_m=m) for m in (1, 2, 3)])
    found = sparsemixed.mixed(f"by arm: mi estimate: {MODEL}", long)
    alone = sparsemixed.mixed(f"mi estimate: {MODEL}", long[long["arm"] == 1])
    assert found[1].frame.to_numpy() == pytest.approx(alone.frame.to_numpy())
    assert "-> arm = 1\n\nMultiple-imputation estimates" in str(found)
    assert set(found.frame["arm"]) == {0, 1}


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("by arms: mixed y time || id:", DataError, "by: variable `arms` not found; did you mean arm"),
        ("by arm: mixed y tim || id:", CommandError, "variable `tim` not found"),
        ("by arm: svy: mixed y time || id:", CommandError, "the prefix svy"),
        ("mi estimate: by arm: mixed y time || id:", OptionError, "mi estimate cannot stand before by"),
        ("statsby, by(arm): statsby, by(site): mixed y time || id:", OptionError, "statsby cannot stand before statsby"),
        ("by arm:", CommandError, "no dependent variable"),
        ("by arm: regress y time", CommandError, "regress"),
    ],
)
def test_what_is_refused(data, text, kind, message):
    with pytest.raises(kind, match=message):
        sparsemixed.mixed(text, data)


def test_bad_arguments(data):
    for by in (3, [], [1], None):
        with pytest.raises(OptionError, match="by is the name of a variable"):
            sparsemixed.by(MODEL, data, by)
    with pytest.raises(DataError, match="missing in all rows"):
        sparsemixed.by(MODEL, data.assign(arm=np.nan), "arm")
    with pytest.raises(SparseMixedError):
        sparsemixed.by(MODEL, "no such file.csv", "arm")


def test_other_doors_say_where_prefixes_go(data):
    with pytest.raises(CommandError, match=r"sparsemixed\.by does the same"):
        sparsemixed.prepare(f"by arm: {MODEL}", data)
    with pytest.raises(CommandError, match=r"sparsemixed\.by does the same"):
        sparsemixed.cross_validate(f"by arm: {MODEL}", data, by="id")
