"""Saved fits: the same tables, tests and predictions after loading, without the data; and files that are no saved fits."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.design import values
from sparsemixed.errors import DataError, OptionError, SparseMixedError
from sparsemixed.estimation import fit as fit_module
from sparsemixed.inference.fit_cache import cached_values
from sparsemixed.results import Results
from sparsemixed.spec import model
from sparsemixed.storage import fit_file
from sparsemixed.storage.classes import DATACLASSES, EXPRESSIONS, FAMILIES
from sparsemixed.storage.decode import Decoder
from sparsemixed.storage.encode import Encoder
from tests.oracles import manual_fits

NO_DATA = "this fit was saved without its data; save it with data=True, or fit again"


def visits() -> pd.DataFrame:
    data = simulate_longitudinal(36, 6, seed=4)
    data["drug"] = np.array(["placebo", "low", "high"])[data["id"] % 3]
    data["clinic"] = data["id"] % 5
    data["w"] = 1.0 + data["id"] % 2
    return data


MODELS = {
    "random slopes": ("y time || id: time, covariance(unstructured) reml", {}),
    "nested": ("y time || clinic: || id: time", {}),
    "crossed": ("y time || _all: R.time || id:, reml", {}),
    "exchangeable factor": ("y time || clinic: R.drug, covariance(exchangeable)", {}),
    "no random effects": ("y time i.clinic, reml dfmethod(residual)", {}),
    "formula with strings": ("y ~ drug * time + (1 + time | id)", {"reml": True, "dfmethod": "betwithin"}),
    "kroger": ("y i.clinic##c.time || id: time, reml dfmethod(kroger)", {}),
    "satterthwaite, oim": ("y time || id: time, reml dfmethod(satterthwaite, oim)", {}),
    "anova": ("y time || id: time, reml dfmethod(anova)", {}),
    "repeated": ("y time i.clinic || id:, reml dfmethod(repeated)", {}),
    "condition": ('y time if (time < 5 & inlist(drug, "low", "high")) | w == 2 in 3/200 || id:', {}),
    "frequency weights": ("y time [fweight=w] || id:", {}),
    "sampling weights": ("y time [pweight=w/2] || clinic: || id:, pweight(w)", {}),
    "precision weights": ("y ~ time + (1 | id)", {"precision_weights": "1/w"}),
    "robust": ("y time || id: time, vce(cluster clinic)", {}),
    "cluster-robust": ("y time || id:, reml vce(cr2)", {}),
    "constraints": ("y i.clinic time || id:, reml dfmethod(kroger) constraints(7)", {"constraints": {7: "1.clinic = 2.clinic"}}),
    "autoregressive, by": ("y time || id:, reml residuals(ar 1, t(time) by(w)) dfmethod(kroger)", {}),
    "heteroskedastic": ("y time || id:, residuals(independent, by(drug))", {}),
    "banded": ("y time || id:, noconstant residuals(banded 1, t(time))", {}),
    "exchangeable errors": ("y time || id:, noconstant residuals(exchangeable, by(drug)) stddeviations", {}),
    "toeplitz": ("y time || id:, noconstant residuals(toeplitz 2, t(time))", {}),
    "moving average": ("y time || clinic: || id:, noconstant residuals(ma 1, t(time))", {}),
    "exponential": ("y time || id:, residuals(exponential, t(time))", {}),
    "time series": ("y time L.y || id:", {"tsset": "id time"}),
    "collinear and empty": ("y time i.clinic#i.clinic c.time || id: time w", {}),
}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return visits()


@pytest.fixture(scope="module")
def fitted(data):
    """Function from the name of a model to its fit, made once."""
    done: dict[str, Results] = {}

    def fit(name: str) -> Results:
        if name not in done:
            text, options = MODELS[name]
            done[name] = sparsemixed.mixed(text, data, **options)
        return done[name]

    return fit


def reloaded(fit: Results, folder, data: bool = False) -> Results:
    fit.save(folder / "saved.fit", data=data)
    return sparsemixed.load(folder / "saved.fit")


@pytest.mark.parametrize("name", MODELS)
def test_without_the_data_everything_shown_is_the_same(name, fitted, data, tmp_path):
    fit = fitted(name)
    same = reloaded(fit, tmp_path)
    for display in ({}, {"stddeviations": True, "level": 90}, {"small": False, "log": True}):
        assert same.summary(**display) == fit.summary(**display)
    assert same.to_latex() == fit.to_latex()
    assert same._repr_html_() == fit._repr_html_()
    assert repr(same) == repr(fit)
    assert (same.nobs, same.aic, same.bic, same.status) == (fit.nobs, fit.aic, fit.bic, fit.status)
    assert set(fit.e) - set(same.e) == {"sample"}
    for key in same.e:
        assert_equal(same.e[key], fit.e[key])
    for ours, theirs in ((same.random_effects, fit.random_effects), (same.random_effects_se, fit.random_effects_se)):
        assert list(ours) == list(theirs)
        for key in ours:
            pd.testing.assert_frame_equal(ours[key], theirs[key], check_exact=True)
    assert same.fit.spec == fit.fit.spec
    for what in ("xb", "stdp", "fitted"):
        pd.testing.assert_series_equal(same.predict(data, what), fit.predict(data, what), check_exact=True)


@pytest.mark.parametrize("name", MODELS)
def test_without_the_data_hypotheses_are_tested_as_before(name, fitted, tmp_path):
    fit = fitted(name)
    same = reloaded(fit, tmp_path)
    tested = [column for column in fit.params.index if column != "_cons"]
    for small in (False, *[True] * (fit.fit.spec.small_sample is not None)):
        for what in ("time", tested):
            assert str(same.test(what, small=small)) == str(fit.test(what, small=small))
        assert str(same.lincom("2*time - 1", small=small)) == str(fit.lincom("2*time - 1", small=small))


@pytest.mark.parametrize("name", MODELS)
def test_what_needs_the_data_says_so(name, fitted, data, tmp_path):
    fit = fitted(name)
    bare, whole = reloaded(fit, tmp_path), reloaded(fit, tmp_path, data=True)
    for what in ("fitted", "residuals", "xb", "reffects"):
        with pytest.raises(DataError, match=NO_DATA):
            bare.predict(what=what)
        assert_equal(whole.predict(what=what), fit.predict(what=what))
    with pytest.raises(DataError, match=NO_DATA):
        bare.save(tmp_path / "again.fit", data=True)
    with pytest.raises(KeyError, match=r"save\(data=True\)"):
        bare.e["sample"]
    assert_equal(whole.e["sample"], fit.e["sample"])


def assert_equal(ours, theirs):
    if isinstance(theirs, pd.DataFrame):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    elif isinstance(theirs, (pd.Series, np.ndarray)):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    else:
        np.testing.assert_equal(ours, theirs)


def test_other_degrees_of_freedom_need_the_data(fitted, tmp_path):
    fit = fitted("random slopes")
    bare, whole = reloaded(fit, tmp_path), reloaded(fit, tmp_path, data=True)
    for method in ("kroger", "anova", "repeated", "betwithin"):
        with pytest.raises(DataError, match=NO_DATA):
            bare.estat.df(method)
        with pytest.raises(DataError, match=NO_DATA):
            bare.estat.df(post=method)
        assert_equal(whole.estat.df(method), fit.estat.df(method))
    assert str(whole.estat.df(post="kroger")) == str(fit.estat.df(post="kroger"))
    assert_equal(bare.estat.df("residual"), fit.estat.df("residual"))  # needs no more than the number of rows


def test_what_was_computed_before_saving_is_kept(data, tmp_path):
    fit = sparsemixed.mixed("y i.clinic time || id:, reml", data)
    table = fit.estat.df(["kroger", "anova", "betwithin"])
    assert_equal(reloaded(fit, tmp_path).estat.df(["kroger", "anova", "betwithin"]), table)
    posted = fit.estat.df(post="kroger")
    assert str(reloaded(posted, tmp_path)) == str(posted)


def test_contrasts_weighted_by_observations(fitted, tmp_path):
    fit = fitted("kroger")
    same = reloaded(fit, tmp_path)
    for terms in ("gw.clinic", "r.clinic", "p.clinic"):
        assert_equal(same.contrast(terms, small=True).effects, fit.contrast(terms, small=True).effects)


def test_saving_again_makes_the_same_file(fitted, tmp_path):
    for name in ("kroger", "sampling weights", "autoregressive, by", "formula with strings"):
        fitted(name).save(tmp_path / "one.fit")
        sparsemixed.load(tmp_path / "one.fit").save(tmp_path / "two.fit")
        assert (tmp_path / "one.fit").read_bytes() == (tmp_path / "two.fit").read_bytes()


def test_value_labels_stay(manual_data, tmp_path):
    fit = sparsemixed.mixed("weight i.girl##c.age || id: age, covariance(unstructured)", manual_data("childweight"))
    same = reloaded(fit, tmp_path)
    assert str(same) == str(fit)
    assert same.summary(nofvlabel=True) == fit.summary(nofvlabel=True) != str(fit)


def test_fits_that_have_not_converged(data, tmp_path):
    fit = sparsemixed.mixed("y time || id: time, iterate(0)", data)
    same = reloaded(fit, tmp_path)
    assert not same.converged
    assert (str(same), same.status) == (str(fit), fit.status)


def test_the_file_does_not_grow_with_the_rows(tmp_path):
    """Groups and coefficients take room, rows do not."""
    sizes = []
    for visits_each in (20, 400):
        data = simulate_longitudinal(30, visits_each, seed=1)
        fit = sparsemixed.mixed("y time || id: time, vce(robust)", data)
        fit.save(tmp_path / "saved.fit")
        sizes.append((tmp_path / "saved.fit").stat().st_size)
        # 30 groups, and the percentiles of time that margins use: 101 whatever the number of rows
        assert max(len(values) for values in arrays_of(tmp_path / "saved.fit")) <= 101
    assert max(sizes) < 10_000


def arrays_of(path):
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".npy"):
                with archive.open(name) as file:
                    yield np.lib.format.read_array(file, allow_pickle=False)


def test_a_fresh_process_predicts(fitted, data, tmp_path):
    fit = fitted("formula with strings")
    fit.save(tmp_path / "saved.fit")
    new = data.sample(20, random_state=1).drop(columns="y")
    new.to_csv(tmp_path / "new.csv", index=False)
    script = (
        "import sparsemixed\n"
        "fit = sparsemixed.load('saved.fit')\n"
        "for what in ('xb', 'stdp', 'fitted'):\n"
        "    print(*map(float.hex, fit.predict('new.csv', what)))\n"
        "print(fit)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    lines = done.stdout.splitlines()
    for line, what in zip(lines, ("xb", "stdp", "fitted"), strict=False):
        assert [float.fromhex(x) for x in line.split()] == pytest.approx(fit.predict(new, what), rel=1e-12)
    assert "\n".join(lines[3:]) == str(fit)


# Groups and levels of every type


@pytest.mark.parametrize(
    "name",
    [
        lambda i: f"group {i}",
        lambda i: f'é\n"{i}\0',
        lambda i: 2**60 + i,
        lambda i: i + 0.1,
        lambda i: datetime.date(2020, 1, 1 + i),
        lambda i: pd.Timestamp(2020, 1, 1 + i, 12, 30),
        lambda i: pd.Timestamp(2020, 1, 1 + i, tz="Europe/Brussels"),
        lambda i: pd.Timedelta(days=i, nanoseconds=i),
        lambda i: datetime.time(i, 30),
        lambda i: pd.Period("2020-01", "M") + i,
    ],
    ids=["text", "odd text", "large integers", "decimals", "dates", "times", "zones", "durations", "clock", "periods"],
)
def test_groups_named_by_anything(name, tmp_path):
    data = simulate_longitudinal(12, 5, seed=2)
    data["id"] = [name(i) for i in data["id"]]
    fit = sparsemixed.mixed("y time || id:", data)
    same = reloaded(fit, tmp_path)
    pd.testing.assert_frame_equal(same.random_effects["id"], fit.random_effects["id"], check_exact=True)
    assert_equal(same.predict(data, "fitted"), fit.predict(what="fitted"))


# The codec


def coded(value):
    encoder = Encoder(rows=True)
    text = json.dumps(encoder.encode(value), allow_nan=False)
    return Decoder(encoder.arrays.__getitem__).decode(json.loads(text))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.tuples(inner, inner) | st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(ANYTHING)
def test_plain_values_come_back(value):
    assert repr(coded(value)) == repr(value)


LARGE = np.random.default_rng(1).normal(size=(20, 30))


def test_arrays_come_back():
    for array in (
        np.arange(6.0).reshape(2, 3),
        np.zeros((0, 3)),
        np.array([True]),
        np.array(5),
        np.array(["2020"], "M8[ns]"),
        LARGE,
        LARGE.T,
    ):
        back = coded(array)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.flags.f_contiguous == array.flags.f_contiguous
        np.testing.assert_array_equal(back, array)
    mixed = np.array([[1, None], ["a", (2, 3)]], dtype=object)
    assert coded(mixed).tolist() == mixed.tolist()
    assert coded(np.float64(1.5)) == 1.5
    with pytest.raises(DataError, match="type object cannot be saved"):
        Encoder(rows=True).encode(object())


@pytest.mark.parametrize("module", [model, values, fit_module])
def test_every_part_of_a_fit_can_be_saved(module):
    own = {name: one for name, one in vars(module).items() if dataclasses.is_dataclass(one) and one.__module__ == module.__name__}
    assert own.items() <= DATACLASSES.items()


def test_structures_keep_the_arguments_of_their_constructors(fitted):
    for family in FAMILIES.values():
        parameters = inspect.signature(family).parameters
        arguments = {"m": 3, "order": 2, "largest": 4, "labels": ("a", "b"), "band": 1, "basis": np.eye(3) * 2.0, "leading": 2}
        if "structures" in parameters:
            arguments["structures"] = (FAMILIES["Autoregressive"](2), FAMILIES["Autoregressive"](2))
        structure = family(**{name: value for name, value in arguments.items() if name in parameters})
        assert repr(Encoder(True).encode(coded(structure))) == repr(Encoder(True).encode(structure))
        assert type(coded(structure)) is family


def test_expressions_are_saved_as_their_text():
    for name, fields in EXPRESSIONS.items():
        assert {field.name for field in dataclasses.fields(DATACLASSES[name])} >= {*fields, *fields.values()}


def test_a_file_of_an_older_version_takes_defaults(fitted, tmp_path):
    fit = fitted("random slopes")
    fit.save(tmp_path / "saved.fit")
    rewrite(tmp_path / "saved.fit", lambda document: document["fit"]["Fit"]["spec"]["ModelSpec"].pop("vce"))
    assert str(sparsemixed.load(tmp_path / "saved.fit")) == str(fit)


# Files that are none


def rewrite(path, change):
    """Change the JSON of a saved fit."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members["fit.json"])
    change(document)
    members["fit.json"] = json.dumps(document).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "saved.fit"
    Results(manual_fits.example_3()).save(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=99), "is of format 99, this version reads up to format 2; it was saved by sparsemixed"),
        (lambda d: d["fit"]["Fit"].update(magic=1), "has Fit.magic, which this version does not know; it was saved by"),
        (lambda d: d.update(fit={"Magic": {}}), "has Magic, which this version does not know"),
        (lambda d: d.update(fit=5), "is damaged"),
        (lambda d: d.update(fit={"array": "fit"}), "is damaged"),
        (lambda d: d["fit"]["Fit"].pop("sigma2"), "is damaged"),
        (lambda d: d["fit"]["Fit"].update(beta={"array": "9999"}), "is damaged"),
        (lambda d: d["fit"]["Fit"].update(beta=3.0), "is damaged"),
        (lambda d: d.pop("fit"), "is damaged"),
        (lambda d: d.clear(), "is damaged"),
        (lambda d: d.update(fit=nested(100_000)), "is damaged"),
    ],
)
def test_unknown_and_broken_content(saved, tmp_path, change, message):
    path = tmp_path / "changed.fit"
    path.write_bytes(saved)
    rewrite(path, change)
    with pytest.raises(DataError, match=message):
        sparsemixed.load(path)


def nested(depth):
    """Deeper than any recursion: written by hand, because json would not write it."""
    return Deep(depth)


class Deep(int):
    """Encoded as that many lists inside each other."""


@pytest.fixture(autouse=True)
def _deep_json(monkeypatch):
    write = json.dumps

    def dumps(value, **options):
        if isinstance(value, dict) and isinstance(value.get("fit"), Deep):
            depth, value = value["fit"], value | {"fit": "HERE"}
            return write(value, **options).replace('"HERE"', '{"list": [' * depth + "]}" * depth)
        return write(value, **options)

    monkeypatch.setattr(json, "dumps", dumps)


def test_pickles_are_not_read(saved, tmp_path):
    path = tmp_path / "pickled.fit"
    path.write_bytes(saved)
    with zipfile.ZipFile(path, "a") as archive, archive.open("evil.npy", "w") as file:
        np.lib.format.write_array(file, np.array([print], dtype=object), allow_pickle=True)
    rewrite(path, lambda document: document["fit"]["Fit"].update(beta={"array": "evil"}))
    with pytest.raises(DataError, match="damaged"):
        sparsemixed.load(path)


def test_files_that_are_no_saved_fits(saved, tmp_path, manual_data):
    cases = {
        "empty": (b"", "is not a fit saved by sparsemixed"),
        "text": (b"y,x\n1,2\n", "is not a fit saved by sparsemixed"),
        "half": (saved[: len(saved) // 2], "is damaged or incomplete"),
        "short": (saved[:-1], "is damaged"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message):
            sparsemixed.load(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(DataError, match=r"other\.zip` is not a fit saved by sparsemixed"):
        sparsemixed.load(tmp_path / "other.zip")
    with pytest.raises(DataError, match="is not a fit saved by sparsemixed"):
        sparsemixed.load(manual_data("pig"))
    with pytest.raises(DataError, match="No such file"):
        sparsemixed.load(tmp_path / "none.fit")
    with pytest.raises(DataError, match="is a folder"):
        sparsemixed.load(tmp_path)


@given(places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes_raise_our_error_or_do_no_harm(saved, tmp_path_factory, places):
    content = bytearray(saved)
    for where, byte in places:
        content[int(where * len(content))] = byte
    assert_harmless(content, tmp_path_factory)


@given(st.tuples(st.floats(0, 1), st.floats(0, 1), st.binary(max_size=20)))
def test_cut_and_pasted_bytes_raise_our_error_or_do_no_harm(saved, tmp_path_factory, change):
    first, second, inserted = change
    start, stop = sorted(int(where * len(saved)) for where in (first, second))
    assert_harmless(saved[:start] + inserted + saved[stop:], tmp_path_factory)


@given(st.binary(max_size=200))
def test_any_bytes_raise_our_error(tmp_path_factory, content):
    assert_harmless(content, tmp_path_factory)


def assert_harmless(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzzed.fit"
    path.write_bytes(content)
    try:
        fit = sparsemixed.load(path)
    except DataError:
        return
    assert str(fit) == str(Results(manual_fits.example_3()))


# Writing


def test_what_is_no_path_is_refused(fitted):
    fit = fitted("random slopes")
    for call in (fit.save, sparsemixed.load, fit.report):
        for wrong in (3, None, ["fit.smx"]):
            with pytest.raises(OptionError, match="a text or an os"):
                call(wrong)


def test_places_that_cannot_be_written(fitted, tmp_path):
    fit = fitted("random slopes")
    with pytest.raises(DataError, match="is a folder"):
        fit.save(tmp_path)
    with pytest.raises(DataError, match=r"cannot be written: there is no folder"):
        fit.save(tmp_path / "none" / "saved.fit")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_save_leaves_the_old_file(fitted, tmp_path, monkeypatch):
    path = tmp_path / "saved.fit"
    fitted("nested").save(path)
    before = path.read_bytes()

    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fit_file.np.lib.format, "write_array", fail)
    with pytest.raises(DataError, match="No space left on device"):
        fitted("random slopes").save(path)
    assert os.listdir(tmp_path) == ["saved.fit"]
    assert path.read_bytes() == before


def test_values_that_no_file_can_hold_are_left_out(fitted, tmp_path, monkeypatch):
    fit = fitted("random slopes")
    seen = cached_values(fit.fit)
    extra = [*seen, type(seen[0])("some.function", (), object())]
    monkeypatch.setattr(fit_file, "cached_values", lambda fit: extra)
    assert str(reloaded(fit, tmp_path)) == str(fit)


def test_errors_are_ours():
    assert issubclass(DataError, SparseMixedError)


@pytest.mark.parametrize("options", [{}, {"reml": True}, {"constraints": ["time = 0.5"], "reml": True}, {"fweights": "w"}])
def test_likelihood_ratios_without_data(tmp_path, options):
    """Of two fits without data, or of one of them, the test is the same as with data."""
    data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=3)
    data["w"] = data["id"] % 3 + 1
    fits = [sparsemixed.mixed(f"y time || id: {slope}", data, **options) for slope in ("", "time")]
    bare = [saved_and_loaded(fit, tmp_path) for fit in fits]
    wanted = str(sparsemixed.lrtest(*fits))
    for pair in ((bare[0], bare[1]), (bare[0], fits[1]), (fits[0], bare[1])):
        assert str(sparsemixed.lrtest(*pair)) == wanted


def saved_and_loaded(fit, folder):
    path = folder / "one.fit"
    fit.save(path)
    return sparsemixed.load(path)


@pytest.mark.parametrize(
    ("change", "model", "options", "message"),
    [
        ({"y": lambda d: d["y"] + 1e-4}, "y time || id:", {}, "different responses"),
        ({}, "y time || id:", {"fweights": "w"}, "different weights"),
        ({}, "y time z || id:", {"reml": True}, "different fixed parts or constraints"),
        ({}, "y time || id:", {"reml": True, "constraints": ["time = 0.5"]}, "different fixed parts or constraints"),
        ({"time": lambda d: d["time"].where(d["id"] > 1)}, "y time || id:", {}, "observations; fit both models on the same rows"),
    ],
)
def test_other_data_are_told_without_the_data(tmp_path, change, model, options, message):
    data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=3)
    data["w"], data["z"] = data["id"] % 3 + 1, data["id"] % 2
    more = saved_and_loaded(sparsemixed.mixed("y time || id: time", data, reml=options.get("reml", False)), tmp_path)
    other = saved_and_loaded(sparsemixed.mixed(model, data.assign(**change), **options), tmp_path)
    with pytest.raises(OptionError, match=message):
        sparsemixed.lrtest(more, other)
