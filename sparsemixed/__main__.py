"""`python -m sparsemixed` is the command line."""

import sys

from sparsemixed.cli import main

if __name__ == "__main__":
    sys.exit(main())
