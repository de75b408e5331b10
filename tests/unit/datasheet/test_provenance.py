"""Which version wrote an export: by git in a checkout, and by nothing that lies in a checkout of something else."""

import subprocess
from importlib.metadata import version

from nanotrigger.datasheet.provenance import Provenance, provenance, read_provenance, write_provenance

VERSION = version("nanotrigger")


def git(folder, *words):
    command = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_commit_of_a_checkout(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "errors.py").write_text("")
    git(tmp_path, "init")
    assert provenance(package).commit is None  # the file is none of the checkout's
    git(tmp_path, "add", "package")
    git(tmp_path, "commit", "-m", "first")
    git(tmp_path, "remote", "add", "origin", "https://name:word@example.org/trigger.git")
    found = provenance(package)
    assert found == Provenance(VERSION, "https://example.org/trigger.git", git(tmp_path, "rev-parse", "HEAD"))
    (package / "errors.py").write_text("# changed")
    assert provenance(package).modified
    write_provenance(found, tmp_path)
    assert read_provenance(tmp_path) == found


def test_outside_a_checkout_the_version_remains(tmp_path):
    assert provenance(tmp_path) == Provenance(VERSION)
    assert read_provenance(tmp_path) is None
