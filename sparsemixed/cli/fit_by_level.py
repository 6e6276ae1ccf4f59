"""`fit --by`: the same model for the rows of each level."""

from __future__ import annotations

import argparse
from typing import Any

from sparsemixed.cli.endings import CONVERGED, NOT_CONVERGED, one_message, status_of
from sparsemixed.cli.one_model import fitted, printed, save
from sparsemixed.cli.record import fit_record, write_json
from sparsemixed.cli.streams import STANDARD, write_text
from sparsemixed.design.data.frame import read_frame
from sparsemixed.errors import OptionError, SparseMixedError
from sparsemixed.fitting.batches import in_batches
from sparsemixed.fitting.levels import Levels, file_for
from sparsemixed.reporting.ruled import ruled
from sparsemixed.solver.groups.profiled import expect


def fit_by_level(options: argparse.Namespace, data: Any, given: dict[str, Any], names: tuple[str, ...] = ()) -> int:
    """Fit, print and write for each level; the status is that of the worst, and an error where no level could be fitted.

    Parameters
    ----------
    names : tuple of str
        The variables, in place of the option --by.

    Raises
    ------
    OptionError
        The data are read in batches, or the fit of several levels is to go to standard output.
    SparseMixedError
        The model text is no model, or no level could be fitted.
    """
    _check(options, data, given)
    records: list[dict[str, Any]] = []
    errors: list[SparseMixedError] = []
    status = CONVERGED
    names = names or (options.by,)
    levels = Levels(read_frame(data), names[0] if len(names) == 1 else names)
    expect(len(levels))
    for level in levels:
        name = levels.written(level)
        by_level = level if len(names) == 1 else name
        try:
            results, seconds = fitted(options, levels.rows(level), given)
        except SparseMixedError as error:
            errors.append(error)
            records.append({"by_level": by_level, "error": one_message(error)})
            text = f"{one_message(error)}\n"
        else:
            records.append({"by_level": by_level, "error": None, **fit_record(results, seconds)})
            text = printed(options, results, seconds)
            if options.save:
                save(results, file_for(options.save, name), options.save_data)
            status = max(status, status_of(results))
        if not options.quiet:
            write_text(f"{ruled(levels.heading(level))}\n\n{text}\n")
    if options.json:
        write_json(options.json, {"by": " ".join(names), "fits": records})
    return _status(status, errors, len(records))


def _check(options: argparse.Namespace, data: Any, given: dict[str, Any]) -> None:
    if in_batches(data):
        raise OptionError("--by needs data in memory, and these are read in batches")
    if options.save == STANDARD:
        raise OptionError('--save - is one fit, and --by makes several; write --save "fit-{}.fit"')
    from sparsemixed.command import read_model

    read_model(options.command, given)


def _status(status: int, errors: list[SparseMixedError], n_levels: int) -> int:
    if len(errors) == n_levels:
        raise errors[0]
    return max(status, NOT_CONVERGED) if errors else status
