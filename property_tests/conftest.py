"""The same threads, hypothesis profiles and data as in tests/."""

from tests.conftest import manual_data, pytest_configure

__all__ = ["manual_data", "pytest_configure"]
