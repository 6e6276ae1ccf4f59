"""Remake the figures: write the samples as CSV files and run the scripts on them. `make golden` calls this."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.golden import FOLDER
from tests.golden.samples import SAMPLES, MissingSampleError, sample

BUILD = Path("build") / "golden"
SHARED = "common.R"


def write_samples(folder: Path) -> None:
    """Every sample as a file, with a text that says what each is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (words, _) in SAMPLES.items():
        sample(name).to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.txt").write_text(words + "\n", encoding="utf-8")


def main(asked: list[str]) -> None:
    """Remake the files that are named, or all of them."""
    scripts = {path.stem: path for path in sorted(FOLDER.glob("*.R")) if path.name != SHARED}
    if unknown := sorted(set(asked) - set(scripts)):
        sys.exit(f"no script makes {', '.join(unknown)}; there are: {', '.join(scripts)}")
    rscript = shutil.which("Rscript")
    if rscript is None:
        sys.exit(f"R is not installed: see the first lines of {FOLDER / SHARED} for the packages that are needed")
    try:
        write_samples(BUILD)
    except MissingSampleError as error:
        sys.exit(f"nothing was remade: {error}")
    for name in asked or scripts:
        # Into the build folder first, so that a script which fails leaves the figures as they were.
        made = BUILD.resolve() / f"{name}.json"
        made.unlink(missing_ok=True)
        subprocess.run([rscript, scripts[name].name, str(BUILD.resolve()), str(made)], cwd=FOLDER, check=True)
        shutil.copyfile(made, FOLDER / made.name)


if __name__ == "__main__":
    main(sys.argv[1:])
