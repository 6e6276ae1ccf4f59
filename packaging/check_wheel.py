"""Build a wheel, install it from wheels alone into an empty environment without scikit-sparse, and fit models there.

    python packaging/check_wheel.py [--strict] [--constraint FILE]

Without a package index nothing can be installed: that is said, and is an error with --strict only. FILE holds the versions of
dependencies to install, as in packaging/lowest.txt.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
NOT_DONE = "wheel check: not done: "
NO_INDEX = ("ConnectionError", "new connection", "Name or service not known", "name resolution", "timed out", "unreachable")
"""What pip says when it reaches no package index."""


class UnreachableError(Exception):
    """No package index."""


def run(what: str, *command: str | Path, cwd: Path) -> str:
    """The output of a command; ends the program with all of it when the command fails."""
    start = time.monotonic()
    # What a user's shell may hold of another checkout or environment does not reach the empty one.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "SUITESPARSE"))}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stdout + done.stderr
        if "pip" in command and any(sign in said for sign in NO_INDEX):
            raise UnreachableError(next(line for line in said.splitlines() if any(sign in line for sign in NO_INDEX)).strip())
        sys.exit(f"{said}\nwheel check: '{what}' failed; everything it printed is above")
    print(f"wheel check: {what} ({time.monotonic() - start:.0f} s)", flush=True)
    return done.stdout


def check(folder: Path, constraint: Path | None) -> None:
    """The way through, in an empty folder."""
    pip = ("-m", "pip", "--disable-pip-version-check", "--retries", "2")
    run("build the wheel", sys.executable, *pip, "wheel", CHECKOUT, "--no-deps", "--wheel-dir", folder, cwd=folder)
    (wheel,) = folder.glob("sparsemixed-*.whl")
    run("make an empty environment", sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    versions = [] if constraint is None else ["--constraint", constraint.resolve()]
    # By this environment's pip, and nothing compiled that is never imported: both took longer than the fits.
    install = (*pip, "--python", python, "install", "--only-binary", ":all:", "--no-compile")
    run("install wheels", sys.executable, *install, *versions, wheel, cwd=folder)
    print(run("fit every kind of model", python, CHECKOUT / "packaging" / "tour.py", cwd=folder), end="")
    print(run("the command line", programs / "sparsemixed", "--version", cwd=folder), end="")


def main() -> None:
    """Check, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="fail where there is no package index")
    parser.add_argument("--constraint", type=Path, metavar="FILE", help="versions of dependencies")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(Path(folder), options.constraint)
        except UnreachableError as error:
            print(f"{NOT_DONE}no package index can be reached ({error})")
            sys.exit(1 if options.strict else 0)


if __name__ == "__main__":
    main()
