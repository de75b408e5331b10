"""Whether a run, an export, or any folder with SHA256SUMS is what was written, and proven."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nanotrigger.command import Parser, exit_code
from nanotrigger.errors import InputError
from nanotrigger.files import CHECKSUMS, compare_checksums, sha256, sha256_of_folder
from nanotrigger.firmware.backends import backend_of

_HELP = """
Say whether a run's folder, and the exports in it, are what was written and what they claim:

  python -m nanotrigger.verify checkpoints/jets_qat/2026-01-31_12-00-00

  files      everything has the SHA-256 of SHA256SUMS, which `sha256sum --check` reads too
  network    config.yaml builds the network of best.ckpt
  parity     no word differs between network, QONNX and firmware
  origin     parity.json speaks of these very files: checkpoint, model.onnx and firmware

The exit code is 0 if all of it holds, 1 if something does not, and 2 if there is nothing to verify.
"""


@dataclass(frozen=True)
class Finding:
    """What came of a check.

    Attributes:
        folder: that was checked.
        check: `files`, `network`, `parity` or `origin`.
        holds: whether it holds.
        text: what was seen.
    """

    folder: Path
    check: str
    holds: bool
    text: str


def verify(folder: Path) -> list[Finding]:
    """Check a run folder with the exports in it, an export, or the files of any folder with SHA256SUMS.

    Raises:
        InputError: the folder is neither, or a file in it cannot be read.
    """
    exports = [path.parent for path in sorted([*folder.glob("parity.json"), *folder.glob("*/parity.json")])]
    is_run = (folder / "config.yaml").is_file()
    if not is_run and not exports and not (folder / CHECKSUMS).is_file():
        raise InputError(f"{folder} is no run and no export: it has no config.yaml, parity.json or {CHECKSUMS}")
    findings = [] if folder in exports else [_files(folder)]
    if is_run and (folder / "best.ckpt").is_file():
        findings.append(_network(folder))
    for export in exports:
        findings += _export_findings(export)
    return findings


def _network(folder: Path) -> Finding:
    from nanotrigger.networks import build_network  # takes seconds to import: only where there is a network
    from nanotrigger.training.checkpoint import load_trained

    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    given = config["network"]
    kind = given["class_path"].rpartition(".")[2]
    configured: dict[str, Any] = build_network({"network": kind, **given["init_args"]}).configuration
    trained: Any = load_trained(folder / "best.ckpt").network
    of_checkpoint: dict[str, Any] = trained.configuration
    differs = [key for key in configured | of_checkpoint if configured.get(key) != of_checkpoint.get(key)]
    text = f"config.yaml and best.ckpt differ in network.{', '.join(differs)}" if differs else trained.description
    return Finding(folder, "network", not differs, text)


def _export_findings(folder: Path) -> Iterator[Finding]:
    yield _files(folder)
    parity = json.loads((folder / "parity.json").read_text(encoding="utf-8"))
    words = parity["differing_words"]
    if words is None and "largest_distance" in parity:
        distance = f"{parity['largest_distance']:,.0f} steps of {parity['output_format']}"
        text = f"an approximation of the file, at most {distance} from it: nothing is claimed to be equal"
    elif words is None:
        text = "a float network, quantized after training: nothing is claimed to be equal"
    else:
        text = f"{words:,} of {parity['words']:,} words differ, {parity['samples']:,} inputs"
    yield Finding(folder, "parity", not words, text)
    origin = _origin(folder, parity["sha256"], backend_of(parity).sources)
    yield Finding(folder, "origin", not origin, "; ".join(origin) or "these files are what parity.json speaks of")


def _files(folder: Path) -> Finding:
    differences = compare_checksums(folder)
    count = len((folder / CHECKSUMS).read_text(encoding="utf-8").splitlines())
    return Finding(folder, "files", not differences, "; ".join(differences) or f"{count} are what was written")


def _origin(folder: Path, hashes: dict[str, Any], sources: str) -> list[str]:
    """Return which of the files that parity.json speaks of are others."""
    others = []
    checkpoints = [path for path in (folder.parent / "best.ckpt", folder.parent / "last.ckpt") if path.is_file()]
    if checkpoints and "file" not in hashes and hashes["checkpoint"] not in map(sha256, checkpoints):
        others.append("the run's checkpoints are not the one that was exported")
    if sha256(folder / "model.onnx") != hashes["qonnx"]:
        others.append("model.onnx is another one")
    if sha256_of_folder(folder / sources) != hashes["firmware"]:
        others.append(f"{sources} is another one")
    return others


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 if something does not hold, 2 if nothing can be said."""
    return exit_code(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    parser = Parser(prog="python -m nanotrigger.verify", description=_HELP)
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a run or of an export")
    folder = parser.parse(arguments).folder
    try:
        findings = verify(folder)
    except (InputError, OSError):
        raise
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{folder}: damaged ({error!r})") from None
    for finding in findings:
        print(f"{'ok' if finding.holds else 'WRONG':5}  {finding.folder}  {finding.check:7}  {finding.text}")
    return 0 if all(finding.holds for finding in findings) else 1
