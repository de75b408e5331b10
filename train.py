"""Train, validate or test a network: python train.py experiment=jets_qat [key=value …]."""

import sys
from pathlib import Path

from nanotrigger.cli.train import main

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
