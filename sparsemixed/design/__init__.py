"""From a model specification and data to arrays with names."""

from sparsemixed.design.build import build_design, rows_of_X
from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.design.names.expand import concrete_spec
from sparsemixed.design.names.learned import learned_spec

__all__ = ["Frame", "build_design", "concrete_spec", "learned_spec", "read_frame", "rows_of_X"]
