"""The format of saved fits is frozen: files of earlier versions are read, and a change of the format is made knowingly."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import pytest

import sparsemixed
from sparsemixed.inference.fit_cache import cached_values
from sparsemixed.inference.keys import KEYS
from sparsemixed.storage import format_1
from sparsemixed.storage.classes import DATACLASSES, FAMILIES
from sparsemixed.storage.fit_file import FORMAT
from sparsemixed.structures.residual_errors.banded import BandedErrors
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors

FILES = sorted((Path(__file__).parent / "saved_fits").glob("*.smx"))
"""Fits of 48 rows saved without their data by version 0.1.0 in format 1."""
SCHEMA = Path(__file__).parent / "saved_fits" / f"format_{FORMAT}.json"


def schema() -> dict:
    return {
        "keys": list(KEYS),
        "dataclasses": {
            name: sorted(field.name for field in dataclasses.fields(kind)) for name, kind in sorted(DATACLASSES.items())
        },
        "structures": {name: sorted(inspect.signature(kind).parameters) for name, kind in sorted(FAMILIES.items())},
    }


def test_the_format_is_the_one_written_down():
    """Whoever changes what files hold counts FORMAT up, keeps a way to read the format before, and writes the new one down.

    `python -m tests.storage.test_saved_format` writes it. A field with a default may join without a new number.
    """
    assert schema() == json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_of_the_first_format_are_read(path: Path):
    """Their tables, stored results and small-sample tests are there without the data, parameters under their own names."""
    fit = sparsemixed.load(path)
    small = fit.fit.spec.small_sample is not None
    assert str(fit) == fit.summary()
    assert "Residual" in str(fit.random_params)
    assert fit.test("time = 0", small=small).pvalue < 0.01
    assert {kept.key for kept in cached_values(fit.fit)} <= set(KEYS)
    assert len(fit.e["b"].columns) == fit.e["V"].shape[0] if fit.e["b"].shape[0] == 1 else fit.e["V"].shape[0] == len(fit.e["b"])


def test_a_file_of_the_first_format_has_its_parameters_sorted_out():
    """`(1 | id) + (1 | b) + (0 + z | id)`, whose table had var(z) of id under b."""
    fit = sparsemixed.load(next(path for path in FILES if path.stem == "crossed_slopes"))
    assert list(fit.random_params.index) == [
        ("id: Identity", "var(_cons)"),
        ("b: Identity", "var(_cons)"),
        ("id: Identity", "var(z)"),
        ("", "var(Residual)"),
    ]
    assert fit.random_params.estimate.iloc[:3].tolist() == pytest.approx([0.4417286, 0.0, 0.1745605], abs=1e-7)
    assert fit.tidy("ran_pars")["group"].tolist() == ["id", "b", "id", "Residual"]


@pytest.mark.parametrize(
    ("stem", "family", "title", "order"),
    [
        ("banded", BandedErrors, "Residual: Banded(1), by arm", 1),
        ("banded_full", BandedErrors, "Residual: Unstructured", 3),
        ("unstructured", UnstructuredErrors, "Residual: Unstructured", None),
    ],
)
def test_banded_errors_of_the_first_format_have_a_class_of_their_own(stem, family, title, order):
    """There they were unstructured ones with a band, which only the option's word told apart."""
    fit = sparsemixed.load(next(path for path in FILES if path.stem == stem))
    structure = fit.fit.design.residual.structure.within_level
    assert type(structure) is family
    assert structure.order == order
    assert set(fit.random_params.index.get_level_values("equation")) == {title}
    assert fit.e.get("res_order") == order


def test_every_name_of_the_first_format_has_a_key():
    assert set(format_1.KEYS.values()) <= set(KEYS)


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=1) + "\n", encoding="utf-8")
