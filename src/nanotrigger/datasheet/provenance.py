"""Provenance: which Nanotrigger wrote an export, down to the commit, kept in the export as provenance.json."""

import json
import re
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from nanotrigger.files import write_json

FILE = "provenance.json"

_PACKAGE = "nanotrigger"
_FOLDER = Path(__file__).parents[1]


@dataclass(frozen=True)
class Provenance:
    """A version of this package.

    Attributes:
        version: of the package.
        repository: address of the git repository; None if it is not known.
        commit: that was checked out; None outside a git checkout.
        modified: whether files of the package were not those of the commit.
    """

    version: str
    repository: str | None = None
    commit: str | None = None
    modified: bool = False


def provenance(folder: Path = _FOLDER) -> Provenance:
    """Return which version this is: by git in a checkout, by pip's record where it installed from a repository.

    Args:
        folder: of the package's modules.
    """
    package = distribution(_PACKAGE)
    if _git(folder, "ls-files", "errors.py"):  # not one that lies, ignored, in a checkout of something else
        address, commit = _git(folder, "remote", "get-url", "origin"), _git(folder, "rev-parse", "HEAD")
        modified = _git(folder, "status", "--porcelain", ".") is not None
        return Provenance(package.version, _public(address), commit, modified)
    record: dict[str, Any] = json.loads(package.read_text("direct_url.json") or "{}")
    commit = record.get("vcs_info", {}).get("commit_id")
    return Provenance(package.version, _public(record.get("url")) if commit else None, commit)


def write_provenance(record: Provenance, folder: Path) -> None:
    """Write provenance.json into the folder of an export."""
    write_json(folder / FILE, asdict(record))


def read_provenance(folder: Path) -> Provenance | None:
    """Return the record of an export; None if it has none."""
    path = folder / FILE
    return Provenance(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def _git(folder: Path, *words: str) -> str | None:
    """Return what git says of the folder; None if it says nothing, is not installed or knows no such folder."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, errors="replace")
    except OSError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _public(address: str | None) -> str | None:
    """Return the address of a repository without a name and password; None if it is a path of this machine.

    >>> _public("https://name:word@example.org/nanotrigger.git"), _public("/home/name/nanotrigger")
    ('https://example.org/nanotrigger.git', None)
    """
    if address is None or not re.match(r"(https?|ssh|git)://|[\w.-]+@[\w.-]+:", address):
        return None
    return re.sub(r"^(\w+://)[^/@]*@", r"\1", address)
