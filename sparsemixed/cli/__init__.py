"""The command line: `main` is the program `sparsemixed`, and `python -m sparsemixed`."""

from sparsemixed.cli.program import main

__all__ = ["main"]
