"""The documentation builds as a site, without a warning, and its formulas are set."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("mkdocstrings")

DOCS = Path(__file__).parent.parent / "docs"
FORMULA = re.compile(r"^\$\$\n(.*?)\n\$\$$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MATHEMATICS = re.compile(r"inv\(|[\u2202\u2207\u03a3\u03a6\u039b]|tr\(")
"""What no program prints: a derivative, a sum, the letters of matrices."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site: SPARSEMIXED_SITE, where it shall stay for the browser check, or one of its own."""
    folder = Path(os.environ.get("SPARSEMIXED_SITE") or tmp_path_factory.mktemp("docs") / "site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "-f",
        str(DOCS / "site" / "mkdocs.yml"),
        "-d",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_builds_and_its_formulas_are_set(site):
    assert (site / "tutorial.html").exists()
    pages = [page for page in DOCS.glob("*.md") if FORMULA.search(page.read_text(encoding="utf-8"))]
    assert {"likelihood", "derivatives", "iterative", "profile"} <= {page.stem for page in pages}
    for page in pages:
        html = (site / f"{page.stem}.html").read_text(encoding="utf-8")
        lines = [line for block in FORMULA.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
        drawn = re.findall(r'<div class="formula"><svg (.*?)</svg></div>', html, re.DOTALL)
        assert len(drawn) == len(lines), page.name
        assert all(
            'role="img"' in one and "<path" in one and "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", one) for one in drawn
        )
        assert "$$" not in html


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_no_formula_is_shown_as_code(page):
    blocks = [body for word, body in FENCE.findall(page.read_text(encoding="utf-8")) if word in ("", "text", "math")]
    assert [body for body in blocks if MATHEMATICS.search(body)] == []
