"""What users type, read into a `ModelSpec`: Stata commands and lme4-style formulas."""

from sparsemixed.command.expression import Expression, read_expression
from sparsemixed.command.model import read_model

__all__ = ["Expression", "read_expression", "read_model"]
