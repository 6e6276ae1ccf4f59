"""Arrays with one entry per row of the data: a fit may be saved without them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sparsemixed.design.deferred import HoldsLater, complete
from sparsemixed.errors import DataError

ROWS = MappingProxyType({"rows": True})
"""Metadata of a dataclass field that grows with the data: `y: np.ndarray = field(metadata=ROWS)`."""
SECOND_FORM = MappingProxyType({"rows": True, "second_form": True})
"""The same of one that has what another field has in a form that costs less: no file needs it."""

NO_DATA = "this fit was saved without its data; save it with data=True, or fit again"


class HoldsRows(HoldsLater):
    """Base of dataclasses with such fields. A field that was left behind is not there, and whoever reads it is told why.

    So nothing that computes from rows has to ask first whether there are any.
    """

    if not TYPE_CHECKING:  # type checkers would take every misspelt attribute for one of these

        def __getattr__(self, name: str) -> Any:  # called only for what is not there
            field = getattr(type(self), "__dataclass_fields__", {}).get(name)
            if field is not None:
                complete(self)
                if name in vars(self):
                    return vars(self)[name]
            if field is not None and field.metadata.get("rows"):
                raise DataError(NO_DATA)
            return super().__getattr__(name)


def without_rows(value: Any, **changes: Any) -> Any:
    """A copy of a dataclass that holds rows, without them."""
    made = object.__new__(type(value))
    for name, about in type(value).__dataclass_fields__.items():
        if not about.metadata.get("rows"):
            object.__setattr__(made, name, changes[name] if name in changes else getattr(value, name))
    return made
