"""The same hypothesis profiles and data as in tests/."""

from tests.conftest import manual_data

__all__ = ["manual_data"]
