"""hls4ml's own tests of its oneAPI backend, compiled with g++ in place of icpx: python benchmarks/hls4ml_tests.py.

pip fetches hls4ml's source distribution, which has the tests; what they import goes into an environment of its own.
Every test whose parameters name oneAPI runs, with the options of hls4ml's continuous integration and a process for each
file; what compiles is `compile_library`, as in an export. Ends with 1 if more than four tests fail. With arguments,
these files of tests only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from foreign_networks import distribution
from training import REFERENCES, ROOT, environment

SOURCE = "hls4ml==1.3.0"
OPTIONS = ("--randomly-seed=42", "--randomly-dont-reorganize", "--randomly-dont-reset-seed")
MOST_FAILURES = 4

Outcomes = dict[str, tuple[str, str]]  # outcome and cause by the name of the test


def run(python: Path, file: Path, results: Path) -> Outcomes:
    """Run the tests of a file that concern oneAPI."""
    paths = os.pathsep.join(str(path) for path in (ROOT / "src", REFERENCES))
    changes = {"PYTHONPATH": paths, "RESULTS": str(results), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [python, "-m", "pytest", "-q", "-p", "hls4ml_host", *OPTIONS, "-k", "oneAPI", file.name]
    with results.with_suffix(".log").open("w", encoding="utf-8") as log:
        subprocess.run(command, cwd=file.parent, env=os.environ | changes, stdout=log, stderr=log, check=False)
    outcomes: Outcomes = {}
    for line in results.read_text(encoding="utf-8").splitlines():
        test, outcome, cause = json.loads(line)
        if outcomes.get(test, ("",))[0] != "failed":  # what cleans up after a failed test may pass
            outcomes[test] = outcome, cause
    return outcomes


def count(outcomes: Outcomes) -> tuple[int, int, int]:
    """Return how many passed, were skipped, and neither."""
    found = [outcome for outcome, _ in outcomes.values()]
    passed, skipped = found.count("passed"), found.count("skipped")
    return passed, skipped, len(found) - passed - skipped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="names such as test_rnn.py")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-references")
    options = parser.parse_args()
    python = environment(options.environments, "hls4ml")
    everything: Outcomes = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tests = next(distribution(SOURCE, folder).glob("*/test/pytest"))
        files = sorted(file for file in tests.glob("test_*.py") if "oneapi" in file.read_text().lower())
        print(f"{'file':<28}{'passed':>8}{'skipped':>9}{'failed':>8}{'s':>7}", flush=True)
        for file in files:
            if options.files and file.name not in options.files:
                continue
            results = folder / f"{file.stem}.jsonl"
            results.touch()
            begin = time.perf_counter()
            outcomes = run(python, file, results)
            if outcomes:
                counts = "{:>8}{:>9}{:>8}".format(*count(outcomes))
                print(f"{file.name:<28}{counts}{time.perf_counter() - begin:>7.0f}", flush=True)
            everything |= outcomes
    passed, skipped, failed = count(everything)
    print(f"{'all':<28}{passed:>8}{skipped:>9}{failed:>8}")
    for test, (outcome, cause) in everything.items():
        if outcome != "passed":
            print(f"{outcome} {test.removeprefix('test/pytest/')}: {cause}")
    return int(failed > MOST_FAILURES or not passed)


if __name__ == "__main__":
    sys.exit(main())
