"""Five pictures as they were when somebody looked at them.

The tolerance is a root mean square of 4 of 255 over all pixels: edges moved by a rounding error change less, a line elsewhere
or another colour more. Letters and ticks are those of one version of matplotlib; others skip. To make them anew, after looking:
`REMAKE_IMAGES=1 python -m pytest tests/plots/test_images.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.testing.compare import compare_images

import sparsemixed

FOLDER = Path(__file__).parent / "images"
VERSION = "3.11"
TOLERANCE = 4.0

pytestmark = pytest.mark.skipif(
    not matplotlib.__version__.startswith(f"{VERSION}."), reason=f"the images are those of matplotlib {VERSION}"
)


@pytest.fixture(scope="module")
def growth():
    seedlings = sparsemixed.datasets.load("seedlings")
    return sparsemixed.mixed("height ~ shade * week + (1 + week | plant)", seedlings, reml=True)


PICTURES = {
    "growth": lambda fit: fit.plot.growth(sample=4, style="light"),
    "margins": lambda fit: fit.plot.margins("shade", at={"week": [0, 4, 8]}, recastci="rarea", style="dark"),
    "caterpillar": lambda fit: fit.plot.caterpillar("week", top=15, style="light"),
    "residuals": lambda fit: fit.plot.residuals(style="dark"),
    "shrinkage": lambda fit: fit.plot.shrinkage(style="light"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_look_as_they_did(growth, name, tmp_path):
    axes = np.ravel(np.asarray(PICTURES[name](growth), dtype=object))
    kept, now = FOLDER / f"{name}.png", tmp_path / f"{name}.png"
    if os.environ.get("REMAKE_IMAGES"):
        axes[0].figure.savefig(kept, dpi=50)
        pytest.skip("made anew")
    axes[0].figure.savefig(now, dpi=50)
    assert compare_images(str(kept), str(now), tol=TOLERANCE) is None


def test_the_tolerance_tells_pictures_apart(growth, tmp_path):
    axes = growth.plot.caterpillar("week", top=15, style="light", sort="group")
    axes.figure.savefig(tmp_path / "caterpillar.png", dpi=50)
    assert compare_images(str(FOLDER / "caterpillar.png"), str(tmp_path / "caterpillar.png"), tol=TOLERANCE) is not None
