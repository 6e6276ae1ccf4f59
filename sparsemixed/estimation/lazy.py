"""Values that are computed when they are first asked for, and once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Read like a property, which is what a protocol asks for; type checkers do not see that of a cached one.
    lazy_property = property
else:
    lazy_property = cached_property
