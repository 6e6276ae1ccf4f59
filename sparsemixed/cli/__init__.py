"""The command line: `process` is the program `sparsemixed`, and `python -m sparsemixed`; `main` is a call of it."""

from sparsemixed.cli.program import main, process

__all__ = ["main", "process"]
