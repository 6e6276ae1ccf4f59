"""Every figure has a source, every script its figures, and both sides fitted the same data."""

from __future__ import annotations

import pytest

from tests.golden import FILES, FOLDER, document, golden, load
from tests.golden.__main__ import PYTHON, SHARED
from tests.golden.samples import SAMPLES, fingerprint

COMPUTED = [name for name in FILES if document(name)["provenance"]["kind"] == "computed"]
PRINTED = [name for name in FILES if name not in COMPUTED]
USED = [(name, sample) for name in COMPUTED for sample in document(name)["provenance"]["samples"]]


@pytest.mark.parametrize("name", COMPUTED)
def test_computed_figures_name_their_script_and_its_versions(name):
    provenance = document(name)["provenance"]
    assert set(provenance) == {"kind", "script", "program", "packages", "date", "samples"}
    assert provenance["script"] == f"{name}.{'py' if name in PYTHON else 'R'}"
    assert (FOLDER / provenance["script"]).is_file()
    assert provenance["packages"]
    assert all(figures["call"] for figures in golden(name).values())


@pytest.mark.parametrize("name", PRINTED)
def test_printed_figures_say_where(name):
    provenance = document(name)["provenance"]
    assert set(provenance) == {"kind", "program", "source", "what"}
    assert provenance["kind"] == "printed"
    assert not (FOLDER / f"{name}.R").exists()


def test_every_script_has_left_its_figures():
    assert {path.stem for path in FOLDER.glob("*.R")} - {SHARED.removesuffix(".R")} | set(PYTHON) == set(COMPUTED)


def test_every_sample_is_fitted():
    assert {sample for _, sample in USED} == set(SAMPLES)


@pytest.mark.parametrize(("name", "sample"), USED)
def test_the_program_read_the_sample_that_the_tests_read(name, sample):
    """Sums of columns as the script saw them, to the twelve digits of the file."""
    recorded, data = document(name)["provenance"]["samples"][sample], load(sample)
    assert recorded["what"] == SAMPLES[sample][0]
    assert recorded["rows"] == len(data)
    assert fingerprint(data) == pytest.approx(recorded["sums"], rel=1e-9, abs=1e-9)
    assert list(data) == list(recorded["sums"])


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_by_a_test(name):
    tests = (path for path in FOLDER.parent.rglob("test_*.py") if path.parent != FOLDER)
    assert any(f'golden("{name}")' in path.read_text(encoding="utf-8") for path in tests)
