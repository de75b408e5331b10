"""What `make demo` does: train.py, then export.py, in one process that imports everything once."""

import sys
from pathlib import Path

from nanotrigger.cli import export, train

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run train.py with the arguments, one of which is output=RUN, and export.py; return the first exit code but 0."""
    arguments = sys.argv[1:]
    run = Path(next(word.removeprefix("output=") for word in arguments if word.startswith("output=")))
    sys.argv = ["train.py", *arguments]
    print(f"python {' '.join(sys.argv)}", flush=True)
    code = train.main(ROOT)
    if code:
        return code
    sys.argv = ["export.py", f"ckpt={run / 'best.ckpt'}"]
    print(f"python {' '.join(sys.argv)}", flush=True)
    return export.main()


if __name__ == "__main__":
    sys.exit(main())
