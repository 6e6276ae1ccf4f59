"""The file of a saved fit: a zip archive of one JSON document and the large arrays it names, each a .npy file without pickles."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sparsemixed.bayesian.posterior import SavedPosterior
from sparsemixed.design.values import Design, SampleSize
from sparsemixed.errors import DataError, SparseMixedError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.fit_cache import CachedValue, cached_values, restore_cache
from sparsemixed.inference.keys import KEYS
from sparsemixed.reporting.report import report
from sparsemixed.reporting.stored.results import StoredResults
from sparsemixed.spec import ModelSpec
from sparsemixed.storage.archive import MOST_MEMBERS, arrays, check_members, check_source, read_member
from sparsemixed.storage.decode import Decoder, UnknownName
from sparsemixed.storage.destination import check_destination, read_path, whole_file
from sparsemixed.storage.encode import Encoder
from sparsemixed.storage.format_1 import upgraded, with_components

FORMAT = 2
"""Counts up when a file could be misread by the version before; a field with a default needs no new number."""
DOCUMENT = "fit.json"
VERSION = sys.modules["sparsemixed"].__version__  # a package is always imported before its modules


def save_fit(fit: Fit, path: str | os.PathLike, data: bool = False, posterior: SavedPosterior | None = None) -> None:
    """Write a fit to a file, with all that was computed for it, and a posterior of its model; see `Results.save`."""
    check_destination(path)
    if data:
        _ = fit.design.y  # a fit that was loaded without data has none to save
    _compute_shown(fit)
    encoder = Encoder(rows=data)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "fit": encoder.encode(fit if data else _with_size(fit)),
        "remembered": _remembered(fit, encoder),
    }
    if posterior is not None:
        document["posterior"] = encoder.encode(_without_fit(posterior, None))
    if len(encoder.arrays) >= MOST_MEMBERS:
        raise DataError(f"the fit cannot be saved in `{path}`: it has more than {MOST_MEMBERS:,} arrays")
    try:
        with whole_file(path) as unfinished:
            _write(unfinished, document, encoder.arrays)
    except OSError as error:
        raise DataError(f"the fit cannot be saved in `{path}`: {error.strerror or error}") from error


def _without_fit(saved: SavedPosterior, fit: Fit | None) -> SavedPosterior:
    """With another fit, or none: the file has it once."""
    return dataclasses.replace(saved, posterior=dataclasses.replace(saved.posterior, fit=fit))  # type: ignore[arg-type]


def _compute_shown(fit: Fit) -> None:
    """Compute everything that the fit shows: what is kept of it then serves the same tables without the data."""
    report(fit, fit.spec.display)
    stored = StoredResults(fit)
    for name in stored:
        with contextlib.suppress(SparseMixedError):  # what cannot be shown now need not be shown later
            stored[name]


def _with_size(fit: Fit) -> Fit:
    """The same fit, with the numbers of rows and observations, and what tells its data from others, written down."""
    size = SampleSize(fit.design.n_rows, fit.design.n_obs, fit.design.response_square)
    return dataclasses.replace(fit, design=dataclasses.replace(fit.design, size=size)) if fit.design.has_rows else fit


def _remembered(fit: Fit, encoder: Encoder) -> list:
    """What was computed for the fit, but for values that no file can hold: those can be computed again where there are data."""
    kept = []
    for recollection in cached_values(fit):
        with contextlib.suppress(DataError):
            kept.append([encoder.encode(item) for item in tuple(recollection)])
    return kept


def _write(path: Path, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(_member(DOCUMENT), json.dumps(document, allow_nan=False))
        for name, values in arrays.items():
            with archive.open(_member(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, values, allow_pickle=False)


def _member(name: str) -> zipfile.ZipInfo:
    """Without the time of day: the same fit makes the same file."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def load_fit(path: str | os.PathLike) -> Fit:
    """Read a fit that `save_fit` wrote; see `load_file`."""
    return load_file(path)[0]


def load_file(path: str | os.PathLike) -> tuple[Fit, SavedPosterior | None]:
    """Read a fit that `save_fit` wrote, and its posterior if there is one; see `sparsemixed.load`.

    Raises
    ------
    DataError
        There is no such file, it cannot be read, is no saved fit, is damaged, or was saved by a newer version.
    """
    path = read_path(path)
    try:
        check_source(path)
        with path.open("rb") as file:
            return _undamaged(file, path)
    except OSError as error:
        raise DataError(f"`{path}` cannot be read: {error.strerror or error}") from error


def read_fit(file: BinaryIO, name: str | os.PathLike) -> Fit:
    """The same from an open file that can be read from any place, called `name` in messages.

    Raises
    ------
    DataError
        It is no saved fit, is damaged, or was saved by a newer version.
    """
    return _undamaged(file, name)[0]


def _undamaged(file: BinaryIO, name: str | os.PathLike) -> tuple[Fit, SavedPosterior | None]:
    try:
        return _read(file, Path(name))
    except (DataError, OSError):
        raise
    except Exception as error:  # damaged archives raise whatever their first wrong byte leads to
        raise DataError(f"the saved fit `{name}` is damaged ({type(error).__name__}); save it again") from error


def _read(file: BinaryIO, path: Path) -> tuple[Fit, SavedPosterior | None]:
    if not zipfile.is_zipfile(file):
        file.seek(0)
        raise DataError(f"the saved fit `{path}` is damaged or incomplete" if file.read(2) == b"PK" else _foreign(path))
    with zipfile.ZipFile(file) as archive:
        if DOCUMENT not in archive.namelist():
            raise DataError(_foreign(path))
        check_members(archive, DOCUMENT, path)
        document = json.loads(read_member(archive, DOCUMENT))
        number, version = document["format"], document["version"]
        if number > FORMAT:
            raise DataError(_newer(path, version, f"is of format {number}, this version reads up to format {FORMAT}"))
        decoder = Decoder(arrays(archive))
        try:
            document, parameters = upgraded(document, decoder) if number == 1 else (document, None)
            fit = decoder.decode(document["fit"])
            posterior = decoder.decode(document["posterior"]) if "posterior" in document else None
            values = [_recollection(*map(decoder.decode, entry)) for entry in document["remembered"]]
        except UnknownName as error:
            raise DataError(_newer(path, version, f"has {error}, which this version does not know")) from None
    _check(fit)
    fit = fit if parameters is None else with_components(fit, parameters)
    restore_cache(fit, values)
    return fit, _without_fit(posterior, fit) if isinstance(posterior, SavedPosterior) else None


def _recollection(key: str, arguments: tuple, value: Any) -> CachedValue:
    if key not in KEYS:
        raise UnknownName(key)
    return CachedValue(key, arguments, value)


def _foreign(path: Path) -> str:
    return f"`{path}` is not a fit saved by sparsemixed"


def _newer(path: Path, version: str, why: str) -> str:
    return f"the saved fit `{path}` {why}; it was saved by sparsemixed {version}, and this is {VERSION}"


def _check(fit: Any) -> None:
    """The least that must hold of a fit before anything is computed from it."""
    if not (isinstance(fit, Fit) and isinstance(fit.spec, ModelSpec) and isinstance(fit.design, Design)):
        raise ValueError("not a fit")
    p, q = len(fit.design.names), len(fit.theta)
    shapes = [(term.n_groups, term.k) for term in fit.design.random]
    if fit.beta.shape != (p,) or fit.root.shape[0] != p or fit.boundary.shape != (q,) or [u.shape for u in fit.u] != shapes:
        raise ValueError("arrays of the wrong shape")
