"""Data sets: found, refused, simulated."""

import numpy as np
import pandas as pd
import pytest

from sparsemixed import datasets
from sparsemixed.errors import DataError, OptionError


def test_a_manual_data_set_comes_from_the_folder(manual_data, monkeypatch):
    monkeypatch.setenv("SPARSEMIXED_DATA", str(manual_data("childweight").parent))
    table = datasets.load("childweight")
    assert len(table) == 198
    assert table["girl"].isin([0, 1]).all()
    assert table.attrs["value_labels"]["girl"] == {0: "boy", 1: "girl"}


def test_the_folder_comes_first(tmp_path, monkeypatch):
    pd.DataFrame({"id": [1, 2]}).to_stata(tmp_path / "pig.dta", write_index=False)
    monkeypatch.setenv("SPARSEMIXED_DATA", str(tmp_path))
    assert datasets.load("pig")["id"].tolist() == [1, 2]


@pytest.mark.parametrize("folder", [None, "empty"])
def test_a_failed_download_says_both_ways(folder, tmp_path, monkeypatch):
    import pooch

    def refuse(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    monkeypatch.delenv("SPARSEMIXED_DATA", raising=False)
    if folder:
        monkeypatch.setenv("SPARSEMIXED_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"SPARSEMIXED_DATA.*https://www\.stata-press\.com/data/r19/pig\.dta failed"):
        datasets.load("pig")


def test_unknown_name():
    with pytest.raises(DataError, match="unknown data set 'cow'; the manual's are pig"):
        datasets.load("cow")


def test_crossed():
    table = datasets.simulate_crossed(2000, 30, 10, seed=3)
    assert list(table.columns) == ["y", "x", "user", "item"]
    assert table.shape == (2000, 4)
    assert (table["user"].min(), table["user"].max(), table["item"].max()) == (1, 30, 10)
    assert table.equals(datasets.simulate_crossed(2000, 30, 10, seed=np.random.default_rng(3)))
    assert not table.equals(datasets.simulate_crossed(2000, 30, 10, seed=4))


def test_zipf_popularity():
    counts = datasets.simulate_crossed(20000, 5, 100, popularity="zipf", seed=1)["item"].value_counts()
    assert counts[1] / counts[10] == pytest.approx(10, rel=0.2)
    assert set(counts.index) <= set(range(1, 101))
    with pytest.raises(OptionError, match="popularity"):
        datasets.simulate_crossed(5, 5, 5, popularity="other")


def test_longitudinal():
    table = datasets.simulate_longitudinal(40, 5, seed=1)
    assert (table.groupby("id")["time"].apply(list) == [[0, 1, 2, 3, 4]] * 40).all()
    uneven = datasets.simulate_longitudinal(200, 5, unbalanced=True, seed=1)
    sizes = uneven.groupby("id").size()
    assert (sizes.min(), sizes.max(), len(sizes)) == (1, 5, 200)
    assert (uneven.groupby("id")["time"].min() == 0).all()
    with pytest.raises(OptionError, match="n_groups must be at least 1"):
        datasets.simulate_longitudinal(0, 5)


def test_simulated_effects_have_the_size_asked_for():
    table = datasets.simulate_longitudinal(3000, 2, sd_residual=0.0, seed=1)
    start = table.loc[table["time"] == 0, "y"].to_numpy()
    slope = table.loc[table["time"] == 1, "y"].to_numpy() - start
    assert start.std() == pytest.approx(1.0, abs=0.05)
    assert slope.std() == pytest.approx(0.3, abs=0.02)
    assert np.corrcoef(start, slope)[0, 1] == pytest.approx(0.2, abs=0.06)
