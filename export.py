"""Turn a checkpoint into verified firmware: python export.py ckpt=RUN/best.ckpt [key=value …]."""

import sys

from nanotrigger.cli.export import main

if __name__ == "__main__":
    sys.exit(main())
