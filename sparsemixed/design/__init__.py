"""From a model specification and data to arrays with names."""

from sparsemixed.design.build import build_design, rows_of_X
from sparsemixed.design.concrete import concrete_spec
from sparsemixed.design.frame import Frame, read_frame

__all__ = ["Frame", "build_design", "concrete_spec", "read_frame", "rows_of_X"]
