"""Remake the figures: write the samples as CSV files and run the scripts on them. `make golden` calls this."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.golden import FOLDER, flat
from tests.golden.samples import SAMPLES, MissingSampleError, sample

BUILD = Path("build") / "golden"
SHARED = "common.R"
PYTHON = ("mixedlm",)
"""Scripts in Python, for whose packages GOLDEN_PYTHON may name another interpreter than this one."""


def write_samples(folder: Path) -> None:
    """Every sample as a file, with a text that says what each is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (words, _) in SAMPLES.items():
        sample(name).to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.txt").write_text(words + "\n", encoding="utf-8")


def report(name: str, made: Path) -> None:
    """Say how far the figures are from those that they replace: programs' searches end where rounding decides, at 1e-7 or so."""
    before = FOLDER / made.name
    if not before.is_file():
        return
    new, old = (flat(json.loads(path.read_text(encoding="utf-8"))["figures"]) for path in (made, before))
    both = [key for key in new.keys() & old.keys() if not isinstance(new[key], str)]
    moved = {key: abs(new[key] - old[key]) / max(abs(old[key]), 1e-12) for key in both}
    most = max(both, key=lambda key: moved[key])
    sys.stdout.write(f"{name}: {len(new.keys() - old.keys())} new, {len(old.keys() - new.keys())} gone; ")
    sys.stdout.write(f"largest relative change {moved[most]:.1e}, of {most}\n")


def main(asked: list[str]) -> None:
    """Remake the files that are named, or all of them."""
    scripts = {path.stem: path for path in sorted(FOLDER.glob("*.R")) if path.name != SHARED}
    scripts |= {name: FOLDER / f"{name}.py" for name in PYTHON}
    if unknown := sorted(set(asked) - set(scripts)):
        sys.exit(f"no script makes {', '.join(unknown)}; there are: {', '.join(scripts)}")
    rscript = shutil.which("Rscript")
    python = os.environ.get("GOLDEN_PYTHON", sys.executable)
    if rscript is None and not set(asked or scripts) <= set(PYTHON):
        sys.exit(f"R is not installed: see the first lines of {FOLDER / SHARED} for the packages that are needed")
    try:
        write_samples(BUILD)
    except MissingSampleError as error:
        sys.exit(f"nothing was remade: {error}")
    for name in asked or scripts:
        # Into the build folder first, so that a script which fails leaves the figures as they were.
        made = BUILD.resolve() / f"{name}.json"
        made.unlink(missing_ok=True)
        program = python if name in PYTHON else rscript
        subprocess.run([str(program), scripts[name].name, str(BUILD.resolve()), str(made)], cwd=FOLDER, check=True)
        report(name, made)
        shutil.copyfile(made, FOLDER / made.name)


if __name__ == "__main__":
    main(sys.argv[1:])
