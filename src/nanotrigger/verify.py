"""Verify a run, an export, or any folder with SHA256SUMS: python -m nanotrigger.verify RUN."""

import sys

from nanotrigger.cli.verify import main

if __name__ == "__main__":
    sys.exit(main())
