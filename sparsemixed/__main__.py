"""`python -m sparsemixed` is the command line."""

import sys

from sparsemixed.cli import process

if __name__ == "__main__":
    sys.exit(process())
