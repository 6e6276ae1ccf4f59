"""Where results are written: whole or not at all, and never over anything but a regular file."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from sparsemixed.errors import DataError, OptionError


def read_path(path: str | os.PathLike) -> Path:
    """A path, its `~` written out.

    Raises
    ------
    OptionError
        It is neither a text nor an `os.PathLike`.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise OptionError(f"the path of a file is a text or an os.PathLike; found {path!r:.60}")
    return Path(path).expanduser()


def check_destination(path: str | os.PathLike) -> None:
    """Refuse a file that cannot be written, before the work whose result it is to hold.

    Raises
    ------
    DataError
        A folder, a device, a pipe or a socket; a place in no folder; or no permission.
    """
    path = read_path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise DataError(f"`{path}` cannot be written: {error.strerror or error}") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise DataError(f"`{path}` is a folder; name a file to write")
    if mode is not None and not stat.S_ISREG(mode):
        raise DataError(f"`{path}` is no regular file; name one to write")
    target = _target(path)
    if not target.parent.is_dir():
        raise DataError(f"`{path}` cannot be written: there is no folder `{target.parent}`")
    if not (os.access(target.parent, os.W_OK) and (mode is None or os.access(target, os.W_OK))):
        raise DataError(f"`{path}` cannot be written: permission denied")


def _target(path: Path) -> Path:
    """What a symbolic link stands for: the link itself stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Name of an empty file in the same folder, which takes the place of `path` in one step when all has been written.

    The name is nobody else's, so that two threads, or two machines, may write to one path: the last one stays. A process that
    is killed leaves the old file as it was, and beside it `.sparsemixed-*.part`. The mode of a file that is replaced stays.

    Raises
    ------
    DataError
        As `check_destination`.
    OSError
        The disk is full, say.
    """
    check_destination(path)
    target = _target(read_path(path))
    ending = "".join(target.suffixes[-2:])[-20:]  # by which some writers tell their format
    unfinished = target.with_name(f".sparsemixed-{secrets.token_hex(8)}.part{ending}")
    try:
        _create(unfinished, target)
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _create(unfinished: Path, target: Path) -> None:
    """An empty file that nobody may read who may not read the old one; without an old one, as the system makes new files."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        old = target.stat()
    except FileNotFoundError:
        os.close(os.open(unfinished, flags, 0o666))
        return
    os.close(os.open(unfinished, flags, 0o600))
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):  # only the administrator writes files of others
            os.chown(unfinished, old.st_uid, old.st_gid)
    os.chmod(unfinished, stat.S_IMODE(old.st_mode))
