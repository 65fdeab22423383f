"""`python -m initcheck` is the same program as `initcheck`."""

from __future__ import annotations

import sys

from initcheck.cli import main

if __name__ == "__main__":
    sys.exit(main())
