"""`nlcom`: nonlinear functions of coefficients and variance parameters."""

from __future__ import annotations

import argparse

from sparsemixed.cli.hypothesis_arguments import add_combination_arguments, write_combination

EXAMPLES = """\
examples:
  sparsemixed nlcom visits.fit "_b[2.drug]/_b[3.drug]"
  sparsemixed nlcom visits.fit "icc: var(_cons)/(var(_cons) + var(Residual))" --level 90 --format markdown

An expression that begins with a minus sign follows two of them: nlcom visits.fit -- "-time^2".
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT and EXPRESSION."""
    add_combination_arguments(parser, "the functions")


def run(options: argparse.Namespace) -> int:
    """Estimate, and write the table."""
    return write_combination(options, "nlcom")
