"""A training on one device is alone, whatever a batch system's variables say; several are as Lightning has them."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nanotrigger.cli import processes
from nanotrigger.cli.processes import OneProcess, is_alone, settle_rank
from tests.command import ROOT, command
from tests.conftest import QUIET, train

STEP = ("experiment=jets_qat", "data.source=simulated", "trainer.max_epochs=1", "trainer.limit_train_batches=1")
STEP = (*STEP, "evaluate=false", *QUIET)
VARIABLES = {
    "SLURM, ntasks alone": {"SLURM_NTASKS": "4"},
    "SLURM, second task": {"SLURM_NTASKS": "4", "SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "7"},
    "torchrun": {"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "GROUP_RANK": "1"},
    "left over": {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "3", "NODE_RANK": "1", "MASTER_ADDR": "192.0.2.1"},
    "MPI": {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4", "PMI_RANK": "1", "PMI_SIZE": "4"},
    "LSF": {
        **{"LSB_JOBID": "1", "LSB_DJOB_RANKFILE": "/nowhere", "JSM_NAMESPACE_LOCAL_RANK": "1"},
        **{"JSM_NAMESPACE_RANK": "1", "JSM_NAMESPACE_SIZE": "2"},
    },
}


def settings(devices, num_nodes=1):
    return SimpleNamespace(devices=devices, num_nodes=num_nodes)


def test_what_is_one_device():
    assert all(is_alone(settings(devices)) for devices in (1, "1", [0], [3]))
    assert not any(is_alone(settings(devices)) for devices in (2, "2", [0, 1], "auto", -1))
    assert not is_alone(settings(1, num_nodes=2))


def test_a_rank_counts_where_there_are_several(monkeypatch):
    monkeypatch.setattr(processes, "_RANK_BY_VARIABLES", 1)
    monkeypatch.setattr(processes.rank_zero_only, "rank", 1)
    settle_rank(settings(1))
    assert processes.rank_zero_only.rank == 0
    settle_rank(settings(2))
    assert processes.rank_zero_only.rank == 1


@pytest.mark.parametrize("variables", VARIABLES.values(), ids=VARIABLES)
def test_one_device_trains_as_if_the_variables_were_not_there(tmp_path, monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    environment = OneProcess()
    assert (environment.local_rank(), environment.node_rank(), environment.creates_processes_externally) == (
        0,
        0,
        False,
    )
    done = train(*STEP, f"output={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "best.ckpt").is_file()


@pytest.mark.slow
def test_the_second_task_of_a_job_array_trains_from_nothing(tmp_path):
    """Lightning reads its rank when it is imported."""
    variables = os.environ | VARIABLES["SLURM, second task"]
    done = command("train.py", *STEP, f"output={tmp_path / 'run'}", env=variables)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "best.ckpt").is_file()
    done = command("train.py", *STEP, "trainer.max_epochs=many", env=variables)
    assert done.returncode == 2
    assert done.stderr.startswith("error: trainer.max_epochs=many: ")


def test_several_devices_under_slurm_are_told_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "2")
    done = train(*STEP, f"output={tmp_path / 'run'}", "trainer.devices=2", "trainer.accelerator=cpu")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "trainer.devices=2: You set `--ntasks=2`" in done.stderr


@pytest.mark.slow
def test_several_devices_under_slurm_train_together(tmp_path):
    """Two tasks that srun started."""
    of_all = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_NODELIST": "localhost"}
    of_all |= {"SLURM_JOB_ID": "771", "SLURM_JOB_NAME": "x", "SLURM_NODEID": "0", "MASTER_ADDR": "127.0.0.1"}
    devices = ("trainer.devices=2", "trainer.accelerator=cpu", "trainer.strategy=ddp")
    words = [sys.executable, str(ROOT / "train.py"), *STEP, *devices]
    tasks = [
        subprocess.Popen(words, env=os.environ | of_all | {"SLURM_PROCID": rank, "SLURM_LOCALID": rank}, cwd=tmp_path)
        for rank in ("0", "1")
    ]
    assert [task.wait() for task in tasks] == [0, 0]
    (run,) = (tmp_path / "checkpoints" / "jets_qat").iterdir()
    assert (run / "best.ckpt").is_file()
