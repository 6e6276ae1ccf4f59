"""Cross-validation: the model fitted without some groups, and how well it predicts them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.command import read_model
from sparsemixed.design import build_design, concrete_spec
from sparsemixed.design.data.codes import combine, first_rows
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.sample import check_known, sample_rows
from sparsemixed.errors import DataError, OptionError, SparseMixedError, SparseMixedWarning
from sparsemixed.estimation import estimate
from sparsemixed.fitting.call import Call, frame_of, settled
from sparsemixed.postestimation.held_out import CrossValidated, held_out, root_mean_square
from sparsemixed.spec import ModelSpec, Sample
from sparsemixed.spec.names import names_in
from sparsemixed.spec.numbers import is_whole

WHAT = "cross_validate"


def cross_validated(call: Call, by: str, folds: int | Sequence[Any] | None, seed: int) -> CrossValidated:
    """Fit the model once for each fold, without its groups, and score these.

    Parameters
    ----------
    call : Call
    by : str
        A column of the data; rows that share its value are held out together.
    folds : int, sequence or None
        Number of folds, to which groups are dealt at random; a fold for each row of the data; or None, every group for itself.
    seed : int

    Raises
    ------
    OptionError
        Data that are read in batches; time-series operators; folds that make no sense.
    DataError
        A fold cannot be fitted or predicted; its number is named.
    """
    if not is_whole(seed) or seed < 0:
        raise OptionError(f"{WHAT}: random_state={seed!r} is to be an integer of zero or more")
    (by,) = names_in([by], f"{WHAT}: by")
    plain = settled(call)
    frame = frame_of(plain, WHAT)
    spec = concrete_spec(read_model(plain.model, plain.options, plain.options_win), frame)
    if spec.tsset is not None:
        raise OptionError(f"{WHAT}: tsset() and time-series operators look at other rows; make columns of the lags first")
    check_known(frame, (by,), spec)
    rows = _used(spec, frame, by)
    used, spec = frame.rows(rows.kept), replace(spec, sample=Sample())
    codes, labels = rows.distinct(by)
    fold = _folds(codes, len(labels), folds, rows, by, seed)
    tables = [_fold(spec, used, by, fold == k, k) for k in range(int(fold.max()) + 1)]
    scores, groups, predictions = zip(*tables, strict=True)
    whole = pd.concat(predictions)
    whole.index = pd.Index(rows.kept[whole.index], name="row")
    table = pd.DataFrame(scores, columns=["groups", "rows", "rmse", "log_score", "converged"])
    table.index = pd.RangeIndex(1, len(table) + 1, name="fold")
    return CrossValidated(table, pd.concat(groups), whole.sort_index(), by, " ".join(spec.text.split()))


def _used(spec: ModelSpec, frame: Frame, by: str) -> Rows:
    """The rows of the model in which the column of groups is not missing."""
    kept, missing = sample_rows(spec, frame), frame[by].missing
    return Rows(frame, kept if missing is None else kept[~missing[kept]])


def _folds(codes: np.ndarray, n_groups: int, folds: Any, rows: Rows, by: str, seed: int) -> np.ndarray:
    """(n,) the fold of each row, 0, 1, ..."""
    if folds is None:
        return codes.astype(np.int64)
    if is_whole(folds):
        if not 2 <= folds <= n_groups:
            raise OptionError(f"{WHAT}: folds={folds} does not lie between 2 and {n_groups}, the number of groups of {by}")
        dealt = np.random.default_rng(seed).permutation(n_groups) % folds
        return dealt[codes]
    if np.ndim(folds) != 1 or len(folds) != rows.frame.n_rows:
        raise OptionError(f"{WHAT}: folds is a number, None, or one value for each of the {rows.frame.n_rows} rows of the data")
    own = pd.factorize(np.asarray(folds)[rows.kept], sort=True)[0].astype(np.int32)
    if own.min() < 0 or own.max() < 1:
        raise OptionError(f"{WHAT}: folds has missing values, or one fold alone")
    first = first_rows(codes, n_groups)
    if int(combine(codes, own).max()) + 1 != n_groups or np.any(own[first][codes] != own):
        raise OptionError(f"{WHAT}: folds must not divide a group of {by}")
    return own.astype(np.int64)


def _fold(
    spec: ModelSpec, frame: Frame, by: str, out: np.ndarray, number: int
) -> tuple[tuple[int, int, float, float, bool], pd.DataFrame, pd.DataFrame]:
    """Scores of one fold, of its groups, and its predictions, with the rows `out` (n,) held out."""
    places = np.flatnonzero(out)
    try:
        with warnings.catch_warnings():
            # The column `converged` tells what matters of them.
            warnings.simplefilter("ignore", SparseMixedWarning)
            fit = estimate(spec, build_design(spec, frame.rows(np.flatnonzero(~out))))
            groups, predictions = held_out(fit, frame.rows(places), by)
    except SparseMixedError as error:
        raise DataError(f"{WHAT}: fold {number + 1}: {error}") from error
    groups.insert(0, "fold", number + 1)
    predictions.insert(0, "fold", number + 1)
    predictions.index = pd.Index(places)
    scores = (
        len(groups),
        len(places),
        root_mean_square(predictions),
        float(groups["log_density"].to_numpy(dtype=float).sum()),
        bool(fit.converged),
    )
    return scores, groups, predictions
