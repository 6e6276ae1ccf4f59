"""Hostile frames, models, options and calls after the fit: they end in a result or in an error of the package's own.

Time and memory are bounded too: no use of a frame of at most 60 rows may take more than 20 s of the processor or 2 GB.
"""

from __future__ import annotations

import resource
import time
import warnings
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import SparseMixedError

SECONDS, GIGABYTES = 20.0, 2.0

MODELS = (
    "y {x} || {g}:",
    "y {x} {z} || {g}: {x}",
    "y {x} || {g}: {x}, covariance({structure})",
    "y i.{f}##c.{x} || {g}:",
    "y i.{f} || _all: R.{f} || {g}:",
    "y {x} || {g}: || {f}: {z}, covariance({structure})",
    "y {x} || {g}:, noconstant residuals({errors}, t({t}))",
    "y {x} || {g}:, residuals({errors}, t({t}) by({f}))",
    "y {x} || {g}:, noconstant residuals(independent, by({f}))",
    "y {x} || {f}: || {g}:, residuals(independent, by({t}))",
    "y {x} || {f}: R.{t}, covariance(exchangeable)",
    "y {x} || {f}: R.{t}, covariance({structure})",
    "y {x} [fweight={z}] || {g}:",
    "y {x} [pweight={z}] || {g}:, pweight({x})",
    "y {x} if {z} > 0 || {g}:",
    "y L.{x} D.{z} || {g}:, tsset({g} {t})",
    "y ~ {x} * {f} + (1 | {g})",
    "y ~ {x} + ({x} + {z} || {g})",
    "y ~ C({f}) * {x} + (1 | {g}/{f})",
    "y ~ {x} + (1 | {g}) + (0 + {x} | {g}) + (1 | {t})",
    "y ~ 0 + {f} + (1 + {x} | {g}) + (1 | {f})",
    "y {x} || {g}:, vce(cluster {g})",
    "y {x} || {g}:, vce(cluster {f})",
    "y {x} || {f}:, vce(cr2 {g})",
    "y {x}",
)
WRONG_MODELS = (
    "y ~ C({f}) + I({x}) + (1 | {g}/{f})",
    "{g} {x} || y:",
    "y {x} || {g}:, constraints(1)",
)
"""Refused whatever the data are."""
STRUCTURES = (*("identity", "independent", "exchangeable", "unstructured") * 3, "toeplitz", "")
ERRORS = ("ar 1", "ar 3", "ma 1", "toeplitz 2", "banded 1", "unstructured", "exponential", "exchangeable", "independent", "ar 99")
OPTIONS: tuple[tuple[str, tuple], ...] = (
    ("reml", (True, False, None, "yes", 2)),
    ("dfmethod", ("satterthwaite", "kroger", "anova", "repeated", "residual", "betwithin", "kr, oim", "", 3, None)),
    ("vce", ("robust", "cr2 g", "cluster g", "oim", "nothing", ["robust"])),
    ("solver", ("dense", "sparse", "krylov", "auto", "fast", 1)),
    ("iterate", (0, 1, -1, 2.5, "ten", 10**12)),
    ("emiterate", (0, 3, -2, None)),
    ("level", (95, 10, 0, 100, float("nan"), "95")),
    ("precision_weights", ("x", "z", "nosuch", 5)),
    ("fweights", ("x", "z", None)),
    ("technique", ("bfgs", "dfp 3 nr 2", "nr 0", "steepest")),
    ("residuals", ("ar 1, t(x)", "unstructured, t(f)", "banded 3, t(z)", "x", 7)),
    ("tolerance", (1e-6, 0, -1, float("inf"))),
    ("constraints", ("x = 1", "x = z", "nosuch = 0", ["x = 1", "x = 2"], 4)),
    ("colour", ("blue",)),
    ("matlog", (True, "on")),
    ("difficult", (True,)),
    ("emonly", (True,)),
)


TEXTS = (
    *("x", "x = 0", "i.f", "f", "x = z", "1 = 2", "x = 0 = z", "", "(", "_cons", "x*x", "[y]x - 2*[y]z", "r.f", "nosuch"),
    *(3, None),
)
"""What is asked after the fit."""


def _values(rng: np.random.Generator, n: int) -> object:
    """A column of any kind, most of them fit for something."""
    small = rng.integers(0, 4, n)
    kinds = (
        lambda: rng.normal(size=n),
        lambda: rng.normal(size=n),
        lambda: small,
        lambda: small.astype(float),
        lambda: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
        lambda: np.where(rng.random(n) < 0.1, np.inf, rng.normal(size=n)),
        lambda: np.full(n, 3.0),
        lambda: np.full(n, np.nan),
        lambda: rng.normal(size=n) * 1e200,
        lambda: rng.normal(size=n) * 1e-200,
        lambda: 1e15 + small,
        lambda: np.array(["p", "q", "", "r s"])[small],
        lambda: np.array(["p\x00", "\ud800", "\x1b[2J", "q"], dtype=object)[small],
        lambda: pd.Categorical(np.array(["p", "q", "r", "s"])[small], categories=["s", "r", "q", "p", "never"]),
        lambda: np.array([True, False, None, True], dtype=object)[small],
        lambda: pd.array([True, False, None, True], dtype="boolean")[small],
        lambda: np.array([10**18, 10**18 + 1, 5, None], dtype=object)[small],
        lambda: np.array([Decimal("0.1"), Decimal("0.10000000000000000001"), None, Decimal(2)], dtype=object)[small],
        lambda: pd.to_datetime(np.array(["2020-01-01", "2020-02-01", None, "1700-01-01"], dtype=object)[small]),
        lambda: pd.array([1, 2, None, 4], dtype="Int64")[small],
        lambda: np.array([1 + 1j, 2, 3, 4])[small],
        lambda: np.array([[1], {}, "x", 2.0], dtype=object)[small],
        lambda: -rng.exponential(size=n),
        lambda: np.arange(n) % 2,
        lambda: np.arange(n),
        lambda: np.arange(n) * 86_400_000,
    )
    return kinds[rng.integers(len(kinds))]()


def _frame(rng: np.random.Generator) -> pd.DataFrame:
    n = int(rng.choice([0, 1, 2, 5, 20, 40, 60], p=[0.02, 0.03, 0.03, 0.07, 0.2, 0.3, 0.35]))
    good = pd.DataFrame({"y": rng.normal(size=n), "x": rng.normal(size=n), "z": rng.integers(1, 4, n)})
    good["g"], good["f"], good["t"] = np.arange(n) % 7, np.arange(n) % 3, np.arange(n) // 7
    for name in good.columns:
        if rng.random() < 0.1:
            values = _values(rng, n)
            # As objects: text that is not Unicode is refused by pandas, when its own type of text is left to it.
            good[name] = (
                pd.Series(values, dtype=object) if isinstance(values, np.ndarray) and values.dtype.kind == "O" else values
            )
    if rng.random() < 0.05:
        good.index = pd.Index(rng.integers(0, 3, n))
    if rng.random() < 0.05:
        good = good.rename(columns={"x": "x y"})
    return good


def _model(rng: np.random.Generator) -> str:
    def one(names: str) -> str:
        return str(rng.choice(list(names)))

    models = WRONG_MODELS if rng.random() < 0.04 else MODELS
    template = models[rng.integers(len(models))]
    structure, errors = STRUCTURES[rng.integers(len(STRUCTURES))], ERRORS[rng.integers(len(ERRORS))]
    return template.format(
        x=one("xxxxzf"), z=one("zzzzxg"), g=one("ggggfx"), f=one("ffffzg"), t=one("tttttz"), structure=structure, errors=errors
    )


def _after(fit: sparsemixed.Results, data: pd.DataFrame, rng: np.random.Generator) -> None:
    """One call after the fit, right or wrong."""
    text = TEXTS[rng.integers(len(TEXTS))]
    small = bool(rng.random() < 0.4)
    other = data.sample(frac=0.5, random_state=1).drop(columns="z") if rng.random() < 0.3 else data.head(3)
    whats = ("xb", "stdp", "fitted", "residuals", "rstandard", "reffects", "scores", "fited", 7)
    calls = (
        lambda: str(fit.test(text, small=small)),
        lambda: str(fit.testparm(text, small=small)),
        lambda: str(fit.lincom(text, small=small)),
        lambda: str(
            fit.contrast(text, mcompare=str(rng.choice(["noadjust", "bonferroni", "sidak", "scheffe", "tukey"])), small=small)
        ),
        lambda: str(fit.pwcompare(text, small=small)),
        lambda: str(fit.contrast(f"{text}, groups overall")),
        lambda: (str(fit.nlcom(text, small=small)), str(fit.testnl(text, small=small))),
        lambda: (str(fit.emmeans(text, contrast="eff", adjust="none")), str(fit.joint_tests(by=text))),
        lambda: fit.predict(what=whats[rng.integers(len(whats))]),
        lambda: fit.predict(other, whats[rng.integers(len(whats))]),
        lambda: fit.predict([1, 2, 3]),
        lambda: fit.estat.df(),
        lambda: fit.estat.ic(),
        lambda: (fit.random_effects, fit.random_effects_se),
        lambda: fit.conf_int(level=[95, 0, -3, 101, "x"][rng.integers(5)]),
        lambda: (fit.summary(), fit.to_latex(), fit.to_markdown(), fit._repr_html_()),
        lambda: fit.summary(stddeviations=True, cformat="%3q"),
        lambda: (dict(fit.e), fit.tidy(), fit.glance(), fit.table),
        lambda: sparsemixed.lrtest(fit, fit),
        lambda: str(sparsemixed.compare(fit, fit, stats=["N", "ll", text])),
        lambda: fit.save("/nonexistent/folder/fit.smx"),
    )
    calls[rng.integers(len(calls))]()


def use(seed: int) -> str:
    """One hostile session; the word says how far it came."""
    rng = np.random.default_rng(seed)
    data, model = _frame(rng), _model(rng)
    options = {}
    for _ in range(int(rng.choice([0, 0, 0, 0, 1, 2]))):
        name, values = OPTIONS[rng.integers(len(OPTIONS))]
        options[name] = values[rng.integers(len(values))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what warns is not what fails
        try:
            fit = sparsemixed.mixed(model, data, **options)
        except SparseMixedError:
            return "refused"
        for _ in range(4):
            with suppress(SparseMixedError):
                _after(fit, data, rng)
    return "fitted"


def _peak() -> float:
    """Largest resident size of the process (GB), where Linux lets it be set back since the last call."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak


def bounded(seed: int) -> str:
    outcome, seconds, growth = _measured(seed)
    if seconds >= SECONDS:
        _, seconds, _ = _measured(seed)  # the first use of a loop compiles it
    assert seconds < SECONDS, f"seed {seed} took {seconds:.0f} s"
    assert growth < GIGABYTES, f"seed {seed} took {growth:.1f} GB"
    return outcome


def _measured(seed: int) -> tuple[str, float, float]:
    """How far the session came, and its seconds of the processor and its growth (GB)."""
    _peak()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, time.process_time()
    try:
        outcome = use(seed)
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return outcome, time.process_time() - started, _peak() - before


def test_hostile_sessions():
    """Both ends are reached: a generator whose models were all refused would test nothing after the fit."""
    outcomes = [bounded(seed) for seed in range(150)]
    assert outcomes.count("fitted") > 50
    assert outcomes.count("refused") > 30


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_ten_thousand_hostile_sessions(part: int):
    failures = []
    for seed in range(1000 + 1000 * part, 2000 + 1000 * part):
        try:
            bounded(seed)
        except AssertionError as error:
            failures.append(str(error))
    assert not failures, "\n".join(failures)
