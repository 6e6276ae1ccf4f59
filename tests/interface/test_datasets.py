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


def test_examples_ship_with_the_package(monkeypatch):
    monkeypatch.delenv("SPARSEMIXED_DATA", raising=False)
    for name, rows in (("seedlings", 462), ("districts", 788), ("tastings", 1200), ("clinics", 530)):
        table = datasets.load(name)
        assert len(table) == rows
        assert not table.isna().to_numpy().any()
    assert {path.stem for path in datasets.path("clinics").parent.glob("*.csv")} == set(datasets.EXAMPLES)
    with pytest.raises(DataError, match=r"unknown data set 'seedling'; did you mean seedlings\?"):
        datasets.load("seedling")


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


PAGE = b"<html><body>Please log in</body></html>"


@pytest.mark.parametrize("came", ["nothing", "half", "page", "other", "whole"])
@pytest.mark.parametrize("cached", [None, "half", "page", "other", "whole"])
def test_a_broken_download_is_not_kept(cached, came, manual_data, tmp_path, monkeypatch):
    """Neither one of today nor one of an earlier run, and what is whole is fetched once."""
    import pooch

    whole = manual_data("pig").read_bytes()
    kinds = {"half": whole[: len(whole) // 2], "page": PAGE, "other": manual_data("t43").read_bytes(), "whole": whole}
    file = tmp_path / "pig.dta"
    if cached:
        file.write_bytes(kinds[cached])

    def retrieve(url, known_hash, fname, path):
        if not (path / fname).exists():
            if came == "nothing":
                raise OSError("no network")
            (path / fname).write_bytes(kinds[came])
        return str(path / fname)

    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path)
    monkeypatch.setattr(pooch, "retrieve", retrieve)
    monkeypatch.delenv("SPARSEMIXED_DATA")
    if "whole" in (cached, came):
        assert len(datasets.load("pig")) == 432
        assert file.read_bytes() == whole
    else:
        why = "OSError" if came == "nothing" else "what came is not the data set"
        with pytest.raises(DataError, match=rf"the download from https://\S+ failed \({why}\)"):
            datasets.load("pig")
        assert not file.exists()


def test_the_sizes_are_those_of_the_files(manual_data):
    for name, size in datasets.MANUAL.items():
        assert datasets.read_file(manual_data(name))[0].shape == size


def test_unknown_name():
    with pytest.raises(DataError, match=r"unknown data set 'cow'; examples are seedlings, .*, the manual's are pig"):
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
