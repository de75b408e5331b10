"""`python -m nanotrigger COMMAND` is the command `nanotrigger`."""

import sys

from nanotrigger.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
