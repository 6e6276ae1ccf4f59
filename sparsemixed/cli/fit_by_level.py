"""`fit --by`: the same model for the rows of each level."""

from __future__ import annotations

import argparse
from typing import Any

from sparsemixed.cli.endings import CONVERGED, NOT_CONVERGED, one_message, status_of
from sparsemixed.cli.levels import Levels, file_for
from sparsemixed.cli.one_model import fitted, printed, save
from sparsemixed.cli.record import fit_record, write_json
from sparsemixed.cli.streams import STANDARD, write_text
from sparsemixed.design.data.frame import read_frame
from sparsemixed.errors import OptionError, SparseMixedError, printable
from sparsemixed.fitting.batches import in_batches

RULE = "-" * 78


def fit_by_level(options: argparse.Namespace, data: Any, given: dict[str, Any]) -> int:
    """Fit, print and write for each level; the status is that of the worst, and an error where no level could be fitted.

    Raises
    ------
    OptionError
        The data are read in batches, or the fit of several levels is to go to standard output.
    SparseMixedError
        The model text is no model, or no level could be fitted.
    """
    if in_batches(data):
        raise OptionError("--by needs data in memory, and these are read in batches")
    if options.save == STANDARD:
        raise OptionError('--save - is one fit, and --by makes several; write --save "fit-{}.fit"')
    from sparsemixed.command import read_model

    read_model(options.command, given)
    records: list[dict[str, Any]] = []
    errors: list[SparseMixedError] = []
    status = CONVERGED
    levels = Levels(read_frame(data), options.by)
    for level in levels:
        name = levels.written(level)
        heading = f"{RULE}\n-> {printable(f'{options.by} = {name}')}\n\n"
        try:
            results, seconds = fitted(options, levels.rows(level), given)
        except SparseMixedError as error:
            errors.append(error)
            records.append({"by_level": level, "error": one_message(error)})
            text = f"{one_message(error)}\n"
        else:
            records.append({"by_level": level, "error": None, **fit_record(results, seconds)})
            text = printed(options, results, seconds)
            if options.save:
                save(results, file_for(options.save, name), options.save_data)
            status = max(status, status_of(results))
        if not options.quiet:
            write_text(f"{heading}{text}\n")
    if options.json:
        write_json(options.json, {"by": options.by, "fits": records})
    return _status(status, errors, len(records))


def _status(status: int, errors: list[SparseMixedError], n_levels: int) -> int:
    if len(errors) == n_levels:
        raise errors[0]
    return max(status, NOT_CONVERGED) if errors else status
