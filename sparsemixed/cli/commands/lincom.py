"""`lincom`: linear combinations of coefficients."""

from __future__ import annotations

import argparse

from sparsemixed.cli.hypothesis_arguments import add_combination_arguments, write_combination

EXAMPLES = """\
examples:
  sparsemixed lincom visits.fit "2.drug - 3.drug"
  sparsemixed lincom visits.fit "time + 6*2.drug#c.time" --level 90 --small --format markdown

An expression that begins with a minus sign follows two of them: lincom visits.fit -- "-time".
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT and EXPRESSION."""
    add_combination_arguments(parser, "the combination")


def run(options: argparse.Namespace) -> int:
    """Estimate, and write the table."""
    return write_combination(options, "lincom")
