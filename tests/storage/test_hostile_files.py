"""Files that are made to harm, places that are no files, and saves that meet each other or are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.errors import DataError
from sparsemixed.results import Results
from sparsemixed.storage import archive
from sparsemixed.storage.destination import whole_file
from sparsemixed.storage.table_file import write_table
from tests.oracles import manual_fits

POSIX = pytest.mark.skipif(os.name != "posix", reason="devices, pipes and modes of files")


@pytest.fixture(scope="module")
def fit() -> Results:
    return Results(manual_fits.example_3())


# Reading


def refused_cheaply(path: Path, message: str) -> None:
    """Refused with a message, soon and within 100 MB."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(DataError, match=message):
            sparsemixed.load(path)
        assert time.perf_counter() - start < 20
        assert tracemalloc.get_traced_memory()[1] < 1e8
    finally:
        tracemalloc.stop()


def packed(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


MORE = "would unpack to more than any fit does"


def test_a_document_that_unpacks_to_much_more(tmp_path: Path):
    refused_cheaply(packed(tmp_path / "bomb", {"fit.json": b" " * 10**8}), MORE)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_no_fit_uses(method: int, tmp_path: Path):
    refused_cheaply(packed(tmp_path / "bomb", {"fit.json": b" " * 10**7}, method), MORE)


def test_a_member_that_unpacks_to_more_than_it_says(tmp_path: Path):
    """200 MB under the size of a kilobyte: read only that far, and its checksum is then wrong."""
    path = packed(tmp_path / "lies", {"fit.json": b" " * 2 * 10**8})
    content = path.read_bytes()
    size = (2 * 10**8).to_bytes(4, "little")
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, (1000).to_bytes(4, "little")))
    refused_cheaply(path, "is damaged")


def test_many_arrays_that_share_their_bytes(tmp_path: Path):
    """Each entry believable by itself: a megabyte that would unpack to 0.9 TB."""
    path = packed(tmp_path / "shared", {"fit.json": b"{}", "0.npy": bytes(10**8)})
    with zipfile.ZipFile(path, "a") as file:
        (array,) = (one for one in file.infolist() if one.filename == "0.npy")
        for k in range(1, 9000):
            copy = zipfile.ZipInfo(f"{k}.npy")
            for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(copy, name, getattr(array, name))
            file.filelist.append(copy)
            file.NameToInfo[copy.filename] = copy
        file._didModify = True
    refused_cheaply(path, MORE)


def test_many_members(tmp_path: Path):
    refused_cheaply(packed(tmp_path / "many", {f"{k}.npy": b"" for k in range(11_000)} | {"fit.json": b"{}"}), MORE)


@pytest.mark.parametrize(
    "value",
    [
        {"frame": [10**11, [["a", "float64", {"numbers": ["<f8", [1], [0.0]]}]]]},
        {"frame": [2, [["a", "S2000000000", {"numbers": ["<f8", [2], [0.0, 1.0]]}]]]},
        {"objects": [[10**6, 10**6], []]},
        {"numbers": ["<f8", [10**6, 10**6], []]},
        {"Sample": {"condition": None, "condition_text": "(" * 10**6, "rows": None}},
        {"array": "long"},
    ],
    ids=["rows", "widths", "objects", "numbers", "expression", "array"],
)
def test_values_that_claim_to_be_large(value, fit: Results, tmp_path: Path):
    fit.save(tmp_path / "saved")
    with zipfile.ZipFile(tmp_path / "saved") as file:
        members = {name: file.read(name) for name in file.namelist()}
    document = json.loads(members["fit.json"])
    document["fit"]["Fit"]["u"] = value
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80)
    path = packed(tmp_path / "changed", members | {"fit.json": json.dumps(document).encode(), "long.npy": array})
    with pytest.raises(DataError, match=r"is damaged|does not know"):
        sparsemixed.load(path)


def test_compressible_fits_are_no_bombs(fit: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The limit of growth holds for large files alone; here nearly everything is large."""
    fit.save(tmp_path / "saved")
    monkeypatch.setattr(archive, "SMALL_ARCHIVE", 1000)
    monkeypatch.setattr(archive, "SMALL_DOCUMENT", 1000)
    assert str(sparsemixed.load(tmp_path / "saved")) == str(fit)
    monkeypatch.setattr(archive, "MOST_GROWTH", 1)
    with pytest.raises(DataError, match=MORE):
        sparsemixed.load(tmp_path / "saved")


@POSIX
def test_places_that_never_end_are_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.fit")
    os.symlink("/dev/zero", tmp_path / "link.fit")
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(tmp_path / "socket.fit"))
        for path in ("/dev/zero", "/dev/urandom", tmp_path / "pipe.fit", tmp_path / "link.fit", tmp_path / "socket.fit"):
            with pytest.raises(DataError, match="is no regular file"):
                sparsemixed.load(path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="no such data file"):
        sparsemixed.mixed("y x || g:", tmp_path / "pipe.csv")


# Writing


@POSIX
def test_places_that_are_no_files_are_not_written(fit: Results, tmp_path: Path, capsys):
    os.mkfifo(tmp_path / "pipe.csv")
    os.symlink("/dev/null", tmp_path / "link")
    os.symlink("loop", tmp_path / "loop")
    for path in ("/dev/null", tmp_path / "pipe.csv", tmp_path / "link"):
        with pytest.raises(DataError, match="is no regular file"):
            fit.save(path)
    with pytest.raises(DataError, match="cannot be written"):
        fit.save(tmp_path / "loop")
    with pytest.raises(DataError, match="is no regular file"):
        write_table(fit.params.to_frame(), tmp_path / "pipe.csv")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe.csv").st_mode)
    for option in ("--save", "--json"):
        assert cli.main(["fit", "none.dta", "y x", option, "/dev/null"]) == 2
        assert "is no regular file" in capsys.readouterr().err


@POSIX
def test_links_stay_and_modes_stay(fit: Results, tmp_path: Path):
    (tmp_path / "private").mkdir()
    target, link = tmp_path / "private" / "saved.fit", tmp_path / "link.fit"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    fit.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert str(sparsemixed.load(link)) == str(fit)
    target.unlink()
    fit.save(link)  # a link to nowhere: made there
    assert str(sparsemixed.load(target)) == str(fit)
    old = os.umask(0o027)
    try:
        fit.save(tmp_path / "new.fit")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new.fit").stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.fit", "new.fit", "private"]


@POSIX
def test_nobody_else_reads_what_is_not_finished(tmp_path: Path):
    path = tmp_path / "saved.csv.gz"
    path.write_text("old")
    path.chmod(0o600)
    with whole_file(path) as unfinished:
        assert unfinished.name.endswith(".csv.gz")
        assert stat.S_IMODE(unfinished.stat().st_mode) == 0o600
        assert path.read_text() == "old"
        unfinished.write_text("new")
    assert path.read_text() == "new"
    with pytest.raises(FileNotFoundError), whole_file(path) as unfinished:
        unfinished.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").unlink()
    assert (path.read_text(), os.listdir(tmp_path)) == ("new", ["saved.csv.gz"])


def test_saves_from_threads_to_one_path(fit: Results, tmp_path: Path):
    path = tmp_path / "saved.fit"
    other = Results(manual_fits.example_1())
    texts = {str(fit), str(other)}
    fit.save(path)
    done = threading.Event()

    def read() -> int:
        n = 0
        while not done.is_set():
            assert str(sparsemixed.load(path)) in texts
            n += 1
        return n

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(read)
        saves = [pool.submit((fit, other)[k % 2].save, path) for k in range(40)]
        for save in saves:
            save.result(60)
        done.set()
        assert reader.result(60) > 0
    assert os.listdir(tmp_path) == ["saved.fit"]


@POSIX
def test_a_killed_save_leaves_the_old_file(fit: Results, tmp_path: Path):
    path = tmp_path / "saved.fit"
    fit.save(path)
    before = path.read_bytes()
    script = """
        import sys, time, sparsemixed
        from sparsemixed.storage import fit_file
        fit = sparsemixed.load("saved.fit")
        def stop(*arguments, **options):
            print("writing", flush=True)
            time.sleep(60)
        fit_file.np.lib.format.write_array = stop
        fit.save("saved.fit")
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "writing\n"
        child.send_signal(signal.SIGKILL)
    assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 2
    fit.save(path)
    assert str(sparsemixed.load(path)) == str(fit)


def test_a_name_as_long_as_the_system_allows(fit: Results, tmp_path: Path):
    path = tmp_path / ("f" * 250 + ".fit")
    fit.save(path)
    assert str(sparsemixed.load(path)) == str(fit)


def test_arrays_that_a_fit_may_have(fit: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What cannot be loaded is not saved."""
    from sparsemixed.storage import fit_file

    monkeypatch.setattr(fit_file, "MOST_MEMBERS", 1)
    with pytest.raises(DataError, match="has more than 1 arrays"):
        Results(manual_fits.example_3()).save(tmp_path / "saved.fit")
    assert np.isfinite(fit.llf)
