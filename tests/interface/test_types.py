"""What an editor and a type checker say of a user's script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sparsemixed

ROOT = Path(sparsemixed.__file__).parent.parent
SCRIPT = """\
import numpy as np
import pandas as pd
import sparsemixed

data = pd.read_csv("visits.csv")
fit = sparsemixed.mixed("y ~ time + (1 | id)", data, reml=True, level=90, solver="auto", fweights=np.ones(3))
other = sparsemixed.mixed("y ~ time", data, groups=data["id"], re_formula="~time", vc_formula={"b": "0 + C(b)"}, method="reml")
weighted = sparsemixed.mixed("y x || id:", data, pweights={"": "w", "id": data["w"]}, constraints=["x = 1"], dfmethod=None)
sparsemixed.mixedlm("y ~ x", data, groups="g").fit(reml=False, method=["lbfgs"], level=90).llf
fit.predict(what="fitted", new_levels="error")
fit.update(". ~ . + x", reml=False).anova(other, names=["a", "b"]).frame
fit.summary(stddeviations=True, cformat="%8.2f")
fit.margins("arm", at={"x": [1, 2]}, small=True).frame
fit.pwcompare("arm", mcompare="tukey"), fit.tidy("fixed"), fit.conf_int(alpha=0.1), fit.estat.ic(other)
sparsemixed.mixed("y ~ time", data, rmel=True)  # wrong: rmel
sparsemixed.mixed("y ~ time", data, levl=90)  # wrong: levl
sparsemixed.mixed("y ~ time", data, level="high")  # wrong: level
sparsemixed.mixed("y ~ time", data, solver="fast")  # wrong: fast
sparsemixed.mixed("y ~ time", data, reml="yes")  # wrong: reml
fit.predict(what="fited")  # wrong: fited
fit.predict(data, new_levels="zero")  # wrong: zero
fit.summary(levl=90)  # wrong: levl
fit.update(rmel=True)  # wrong: rmel
sparsemixed.mixedlm("y ~ x", data, groups="g").fit(levl=90)  # wrong: levl
fit.contrast("arm", mcompare="tukey")  # wrong: tukey
fit.tidy("random")  # wrong: random
fit.parms  # wrong: parms
fit.margins("arm", atmean=True)  # wrong: atmean
fit.profile(levl=90)  # wrong: levl
"""


@pytest.mark.slow
def test_slips_are_flagged_and_right_calls_are_not(tmp_path):
    pytest.importorskip("pyright")
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    settings = {"include": ["script.py"], "extraPaths": [str(ROOT)], "reportMissingTypeStubs": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    found: dict[int, str] = {}
    for one in json.loads(done.stdout)["generalDiagnostics"]:
        if one["severity"] == "error":
            found[one["range"]["start"]["line"]] = found.get(one["range"]["start"]["line"], "") + one["message"]
    wanted = {i: line.partition("# wrong: ")[2] for i, line in enumerate(SCRIPT.splitlines()) if "# wrong: " in line}
    assert {i: text for i, text in found.items() if i not in wanted} == {}
    assert set(found) == set(wanted)
    assert all(word in found[i] for i, word in wanted.items())
