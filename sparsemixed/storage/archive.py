"""The zip archive of a saved fit: members are read only after their sizes have been found believable."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sparsemixed.errors import DataError

MOST_MEMBERS = 10_000
"""One for each large array of a fit: some hundreds at most."""
SMALL_ARCHIVE, SMALL_DOCUMENT = 2**30, 2**25
"""Bytes that all members, and the JSON alone, may always have when unpacked."""
MOST_GROWTH = 20
"""How many times its packed size a larger one may have: arrays of measurements shrink to no less than a third."""


def check_source(path: Path) -> None:
    """Refuse what cannot be read to an end: a device, a pipe, a socket.

    Raises
    ------
    DataError
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise DataError(f"`{path}` is a folder, not a saved fit")
    if not stat.S_ISREG(mode):
        raise DataError(f"`{path}` is no regular file, and no saved fit")


def check_members(archive: zipfile.ZipFile, document: str, path: Path) -> None:
    """Refuse an archive that is made to fill the memory, before any of it is unpacked.

    Raises
    ------
    DataError
    """
    members = archive.infolist()
    text = archive.getinfo(document)
    packed = sum({member.header_offset: member.compress_size for member in members}.values())  # stretches may be shared
    if (
        len(members) > MOST_MEMBERS
        or any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members)
        or sum(member.file_size for member in members) > max(SMALL_ARCHIVE, MOST_GROWTH * packed)
        or text.file_size > max(SMALL_DOCUMENT, MOST_GROWTH * text.compress_size)
    ):
        raise DataError(f"`{path}` is not a fit saved by sparsemixed: it would unpack to more than any fit does")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member, whole and with the right checksum, and never more of it than its size says."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as file:
        content = file.read(size)  # read() without a size would unpack everything before it cuts off the rest
    if len(content) != size:
        raise ValueError(f"{name} is short")
    return content


def arrays(archive: zipfile.ZipFile) -> Callable[[str], np.ndarray]:
    """Function from the name of an array to the array, read once."""
    found: dict[str, np.ndarray] = {}

    def array(name: str) -> np.ndarray:
        if name not in found:
            # Whole first: its checksum is compared before a single number in it is believed.
            found[name] = np.lib.format.read_array(io.BytesIO(read_member(archive, f"{name}.npy")), allow_pickle=False)
        return found[name]

    return array
