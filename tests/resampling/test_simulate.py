"""Simulated responses have the model's mean and covariance, and depend on nothing but their number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, OptionError
from sparsemixed.postestimation.row_covariance import within_sample
from sparsemixed.resampling.draws import drawn
from sparsemixed.resampling.samplers import sampler_of
from sparsemixed.resampling.seeds import states, stream, streams
from sparsemixed.resampling.simulator import of_data, of_sample
from tests.resampling.models import LONG, MODELS, fitted


def linear_map(simulator) -> np.ndarray:
    """(n, numbers) what each of the random numbers of a draw adds to the response."""
    numbers = sum(each.n_numbers for each in simulator.effects) + len(simulator.mean)
    columns = []
    for unit in np.eye(numbers):
        begin, total = 0, np.zeros(len(simulator.mean))
        for each in simulator.effects:
            total += each.drawn(unit[begin : begin + each.n_numbers])
            begin += each.n_numbers
        columns.append(total + simulator.errors.times(unit[begin:]))
    return np.column_stack(columns)


@pytest.mark.parametrize("name", MODELS)
def test_draws_have_the_covariance_of_the_model(name):
    fit = fitted(name).fit
    half = linear_map(of_sample(fit, False, "simulate"))
    V = within_sample(fit).of(np.arange(fit.design.n_rows))
    np.testing.assert_allclose(half @ half.T, V, rtol=1e-9, atol=1e-9 * np.abs(V).max())


def test_columns_are_draws_by_their_number():
    fit = fitted("reml")
    many, few = fit.simulate(5, seed=3), fit.simulate(2, seed=3)
    assert many.iloc[:, :2].equals(few)
    assert not fit.simulate(seed=4)[0].equals(few[0])
    assert many.index.equals(LONG.index)
    rng = np.random.default_rng(np.random.SeedSequence(3).spawn(5)[4])
    np.testing.assert_array_equal(many[4], one_response(of_sample(fit.fit, False, "simulate"), rng))


def one_response(simulator, rng) -> np.ndarray:
    """A response (n,) by itself, effects and errors after each other from one stream."""
    z = rng.standard_normal(sum(each.n_numbers for each in simulator.effects) + len(simulator.mean))
    y, begin = simulator.mean.copy(), 0
    for term in simulator.effects:
        effects = z[begin : begin + term.n_numbers].reshape(term.n_groups, -1) @ term.root.T
        begin += term.n_numbers
        y += sum(term.columns[:, a] * effects[term.codes, a] for a in range(effects.shape[1]))
    errors, scale = z[begin:].copy(), simulator.errors.scale
    for rows, roots in simulator.errors.blocks:
        errors[rows] = (roots @ z[begin:][rows][:, :, None])[:, :, 0]
    return y + scale * errors


@pytest.mark.parametrize("name", MODELS)
def test_many_responses_at_once_have_every_digit_of_single_ones(name):
    simulator = of_sample(fitted(name).fit, False, "simulate")
    found = drawn(simulator, 2**70 + 3, 5, 12)
    for row, replicate in enumerate(range(5, 12)):
        np.testing.assert_array_equal(found[row], one_response(simulator, stream(2**70 + 3, replicate)))


@pytest.mark.parametrize("kind", ["residual", "wild", "parametric", "cluster"])
def test_replicates_are_drawn_by_their_own_streams(kind):
    sampler = sampler_of(fitted("reml").fit, kind, 4, None, None)
    some = sampler.replicates(3, 9)
    for row, replicate in enumerate(range(3, 9)):
        np.testing.assert_array_equal(some.beta[row], sampler.replicates(replicate, replicate + 1).beta[0])


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**64 - 1, 2**127 + 3, 2**128, 2**200 + 11])
def test_streams_are_those_of_numpy(seed):
    for begin in (0, 1000, 2**31 - 5, 2**32 - 8):
        found = states(seed, begin, begin + 8)
        for row, each in enumerate(range(begin, begin + 8)):
            expected = np.random.SeedSequence(seed, spawn_key=(each,))
            np.testing.assert_array_equal(found[row], expected.generate_state(4, np.uint64))
    for begin in (7, 2**32 - 2):
        for each, rng in enumerate(streams(seed, begin, begin + 4), begin):
            child = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(each,)))
            assert rng.bit_generator.state == child.bit_generator.state
            assert rng.standard_normal() == child.standard_normal()


def test_conditional_draws_are_about_the_fitted_values():
    fit = fitted("precision")
    found = fit.simulate(400, seed=1, conditional=True)
    error = np.sqrt(fit.fit.sigma2 / LONG.w.to_numpy())
    z = (found.mean(axis=1) - fit.predict(what="fitted")).to_numpy() / error * 20
    assert np.abs(z).max() < 5
    assert np.mean(z**2) == pytest.approx(1.0, abs=0.4)


def test_offsets_are_part_of_the_response():
    fit = fitted("offset")
    assert fit.refit(fit.simulate(seed=1)[0]).nobs == fit.nobs
    difference = fit.simulate(300, seed=1).mean(axis=1).to_numpy() - fit.predict(what="xb").to_numpy()
    assert np.abs(difference).mean() < 0.2


def test_other_rows_have_the_model_too():
    fit = fitted("reml")
    new = pd.DataFrame({"id": [1, 1, 900, 900], "time": [0, 2, 0, 2]}, index=list("abcd"))
    simulator, _, _ = of_data(fit.fit, new, conditional=False)
    half = linear_map(simulator)
    z, G = np.array([[0.0, 1.0], [2.0, 1.0]]), fit.cov_re.to_numpy()
    V = z @ G @ z.T + fit.fit.sigma2 * np.eye(2)
    np.testing.assert_allclose(half @ half.T, np.kron(np.eye(2), V), atol=1e-12)
    assert list(fit.simulate(2, seed=1, data=new).index) == list("abcd")
    known, _, _ = of_data(fit.fit, new, conditional=True)
    only_fitted = known.responses(np.zeros((1, sum(each.n_numbers for each in known.effects) + len(new))))[0]
    np.testing.assert_allclose(only_fitted[:2], fit.predict(new.iloc[:2], what="fitted"), rtol=1e-12)


@pytest.mark.parametrize("model", ["y time || id:, residuals(exponential, t(time))", "y time || school: || id: time"])
def test_other_rows_with_correlated_errors_and_nested_groups(model):
    fit = sparsemixed.mixed(model, LONG)
    same = linear_map(of_data(fit.fit, LONG, conditional=False)[0])
    V = within_sample(fit.fit).of(np.arange(len(LONG)))
    np.testing.assert_allclose(same @ same.T, V, atol=1e-9 * np.abs(V).max())


def test_a_fit_without_rows_needs_data(tmp_path):
    fitted("reml").save(tmp_path / "fit")
    fit = sparsemixed.load(tmp_path / "fit")
    with pytest.raises(DataError, match="does not hold its rows"):
        fit.simulate()
    assert fit.simulate(2, seed=1, data=LONG.drop(columns="y")).shape == (len(LONG), 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "n=0 is to be the number"),
        ({"n": 1.5}, "n=1.5"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": "a"}, "seed='a'"),
    ],
)
def test_bad_settings(options, words):
    with pytest.raises(OptionError, match=words):
        fitted("intercept").simulate(**options)


def test_weights_that_replicate_observations_are_refused():
    fit = sparsemixed.mixed("y time [fweight=w] || id:", LONG)
    with pytest.raises(OptionError, match="frequency weights stand for several observations"):
        fit.simulate()
    with pytest.raises(OptionError, match="frequency weights stand for several observations"):
        fit.bootstrap(10)
    with pytest.raises(OptionError, match="sampling weights"):
        sparsemixed.mixed("y time [pweight=w] || id:", LONG).jackknife()


def test_rows_with_missing_values_are_refused():
    with pytest.raises(DataError, match="1 rows of the data have missing values"):
        fitted("reml").simulate(data=LONG.assign(time=LONG.time.where(LONG.index != 3)))
