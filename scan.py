"""Scan a grid of settings, or search a contest's winner: python scan.py study=NAME | experiment=NAME key=a,b,c."""

import sys
from pathlib import Path

from nanotrigger.cli.scan import main

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
