"""Runs of replicates in files, to be looked at and to be gone on with: arrays and one text, without pickles."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Fit
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.resampling.runs import Run

TEXTS = ("boundary", "message")


@dataclass(frozen=True)
class RunFile:
    """Where a run is kept, and what it is of.

    Attributes
    ----------
    path : Path
    about : dict
        Of texts and numbers: model, kind, seed, names, and what tells the data.
    """

    path: Path
    about: dict

    def keep(self, run: Run) -> None:
        """Write it, in place of what was there; a file is whole or not there.

        Raises
        ------
        DataError
            It cannot be written.
        """
        arrays = {field.name: getattr(run.estimates, field.name) for field in fields(Replicates) if field.name not in TEXTS}
        texts = {name: list(getattr(run.estimates, name)) for name in TEXTS}
        arrays["about"] = _as_bytes({**self.about, **texts})
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            with beside.open("wb") as file:
                np.savez(file, values=run.values, **arrays)
            os.replace(beside, self.path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise DataError(f"the replicates cannot be saved in {self.path}: {error.strerror or error}") from None

    def read(self) -> Run | None:
        """The run to go on with; None where there is no file.

        Raises
        ------
        DataError
            The file is something else, or a run of another model, other data, another kind or seed.
        """
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            about = json.loads(bytes(arrays.pop("about")))
            texts = {name: np.array(about.pop(name), dtype=object) for name in TEXTS}
            values = arrays.pop("values")
            run = Run(values, Replicates(**arrays, **{name: text.reshape(len(values)) for name, text in texts.items()}))
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            raise DataError(f"{self.path} is no file of replicates; saving= does not write over it") from None
        other = [name for name, value in self.about.items() if about.get(name) != value]
        if other:
            raise DataError(
                f"{self.path} holds replicates of another run: {other[0]} differs ({about.get(other[0])!r} there, "
                f"{self.about[other[0]]!r} here); name another file"
            )
        return run


def _as_bytes(value: dict) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


def run_file(path: str | os.PathLike, fit: Fit, about: dict) -> RunFile:
    """The file of a run of a fit."""
    square, llf = fit.design.response_square, fit.llf
    data = {"observations": fit.design.n_rows, "response": float(f"{square:.12g}"), "llf": float(f"{llf:.12g}")}
    return RunFile(Path(path), {"model": fit.spec.text, **about, **data})
