"""Whoever receives a run can see that it is what was written, and what is not."""

import json
import shutil

import pytest

from nanotrigger.cli.verify import main
from nanotrigger.files import CHECKSUMS, compare_checksums, sha256, write_checksums
from tests.command import ROOT, command
from tests.conftest import train


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of one step with its export."""
    folder = tmp_path_factory.mktemp("verify") / "run"
    limits = ("trainer.max_epochs=1", "trainer.limit_train_batches=1", "evaluate=false")
    done = train("experiment=jets_qat", "data.source=simulated", *limits, f"output={folder}")
    assert done.returncode == 0, done.stderr
    done = command("export.py", f"ckpt={folder / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def wrong(folder, capsys) -> dict[str, str]:
    """Return what does not hold: check → text."""
    code = main([str(folder)])
    rows = [line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines()]
    found = {check: text for verdict, _, check, text in rows if verdict == "WRONG"}
    assert code == bool(found)
    return found


def test_all_of_it_holds(run, capsys):
    assert main([str(run)]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[2] for line in printed.splitlines()] == ["files", "network", "files", "parity", "origin"]
    assert "0 of 55,125 words differ" in printed
    assert (run / CHECKSUMS).read_text().count("\n") == 4
    assert main([str(run / "export")]) == 0


def test_the_reference_is_what_was_written():
    assert compare_checksums(ROOT / "checkpoints" / "reference") == []


def test_a_changed_and_a_lost_file_are_named(run, capsys):
    (run / "metrics.csv").write_text("epoch,val_loss\n0,0.0\n")
    (run / "last.ckpt").unlink()
    assert wrong(run, capsys) == {
        "files": "last.ckpt is missing; metrics.csv is not the file that was written",
    }


def test_another_network_is_seen(run, capsys):
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("width: 4", "width: 5"))
    write_checksums(run)
    assert "differ in network.weight" in wrong(run, capsys)["network"]


def test_firmware_of_another_network_is_seen(run, capsys):
    for name in ("model.onnx", "hls/src/firmware/parameters.h"):
        with (run / "export" / name).open("ab") as file:
            file.write(b" ")
    write_checksums(run / "export")
    assert wrong(run, capsys) == {"origin": "model.onnx is another one; hls/src/firmware is another one"}


def test_a_checkpoint_that_was_not_exported_is_seen(run, capsys):
    for name in ("best.ckpt", "last.ckpt"):
        shutil.copy2(ROOT / "checkpoints" / "reference" / "jets_qat.ckpt", run / name)
    write_checksums(run)
    assert wrong(run, capsys) == {"origin": "the run's checkpoints are not the one that was exported"}


def test_a_claim_that_fails_is_seen(run, capsys):
    path = run / "export" / "parity.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"differing_words": 3}))
    write_checksums(run / "export")
    assert wrong(run, capsys) == {"parity": "3 of 55,125 words differ, 11,025 inputs"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (CHECKSUMS, None, f"has no {CHECKSUMS}"),
        (CHECKSUMS, f"{'0' * 64}  ../secret\n", "is no checksum of a file in this folder"),
        (CHECKSUMS, f"{'0' * 64}  /etc/passwd\n", "is no checksum of a file in this folder"),
        (CHECKSUMS, "nonsense", "is no checksum of a file in this folder"),
        ("config.yaml", "network: [", "damaged"),
        ("config.yaml", "network: 3", "damaged"),
        ("best.ckpt", "", "best.ckpt: damaged checkpoint"),
        ("export/parity.json", "{", "damaged"),
        ("export/parity.json", "{}", "damaged"),
        ("export/parity.json", "[]", "damaged"),
    ],
)
def test_what_cannot_be_read_is_one_line(run, capsys, name, content, reason):
    if content is None:
        (run / name).unlink()
    else:
        (run / name).write_text(content)
    assert main([str(run)]) == 2
    error = capsys.readouterr().err
    assert reason in error and error.count("\n") == 1


def test_another_folder_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "is no run and no export" in capsys.readouterr().err


def test_checksums_leave_out_what_has_its_own(tmp_path):
    for name in ("a", "b/c", "d/e", ".hidden", "b/.f"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    write_checksums(tmp_path / "d")
    write_checksums(tmp_path)
    write_checksums(tmp_path)
    lines = [f"{sha256(tmp_path / name)}  {name}\n" for name in ("a", "b/c")]
    assert (tmp_path / CHECKSUMS).read_text() == "".join(lines)
