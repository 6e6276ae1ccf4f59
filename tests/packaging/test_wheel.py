"""What users install: a wheel of its own environment fits, and the versions that are written down agree."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def bounds(lines: list[str], sign: str) -> dict[str, str]:
    """Package -> version of the requirements with this sign."""
    found = (re.fullmatch(rf"\s*-?\s*([\w-]+)\s*{sign}\s*([\d.]+)\s*", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def same_version(one: str, other: str) -> bool:
    return [int(part) for part in one.split(".") if int(part)] == [int(part) for part in other.split(".") if int(part)]


def test_the_lowest_versions_are_those_that_are_tested():
    asked = bounds(PROJECT["dependencies"], ">=")
    tested = bounds((CHECKOUT / "packaging" / "lowest.txt").read_text(encoding="utf-8").splitlines(), "==")
    assert len(asked) == len(PROJECT["dependencies"])
    assert asked.keys() == tested.keys()
    assert [name for name in asked if not same_version(asked[name], tested[name])] == []


def test_the_conda_recipe_asks_for_the_same():
    text = (CHECKOUT / "packaging" / "conda" / "recipe.yaml").read_text(encoding="utf-8")
    run = text.partition("  run:\n")[2].partition("\n\n")[0]
    recipe = bounds(run.splitlines(), ">=")
    assert recipe == bounds([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["cholmod"]], ">=")
    assert f'version: "{PROJECT["version"]}"' in text


def test_nothing_to_compile_is_a_dependency():
    assert not [line for line in PROJECT["dependencies"] if "scikit-sparse" in line]


@pytest.mark.slow
def test_a_wheel_in_an_empty_environment():
    script = CHECKOUT / "packaging" / "check_wheel.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if "not done" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert "saved and loaded" in done.stdout
