"""The process of a training: alone or one of several, as the settings say, whatever a batch system's variables say.

Lightning takes SLURM_NTASKS, SLURM_PROCID, LOCAL_RANK and the like for its own. They are there too in a notebook, and
in a job that starts several trainings of one device each.
"""

import logging
import os
import warnings
from typing import Any

import torch
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.pytorch.utilities import rank_zero_only

_RANK_BY_VARIABLES = rank_zero_only.rank  # as Lightning read it when it was imported


class OneProcess(LightningEnvironment):
    """The environment of a training that nobody else has a part in."""

    @property
    def creates_processes_externally(self) -> bool:
        """False: nobody else starts processes of this training."""
        return False

    def local_rank(self) -> int:
        """Return 0."""
        return 0

    def node_rank(self) -> int:
        """Return 0."""
        return 0


def is_alone(trainer: Any) -> bool:
    """Return whether the settings of a trainer are for one device of one computer."""
    devices = trainer.devices
    count = len(devices) if isinstance(devices, list) else devices
    return bool(trainer.num_nodes == 1 and str(count) == "1")


def settle_rank(trainer: Any) -> None:
    """Let Lightning believe the variables only where several devices are asked for; settings of a trainer."""
    rank_zero_only.rank = 0 if is_alone(trainer) else _RANK_BY_VARIABLES


def prepare_process() -> None:
    """Train on one thread unless OMP_NUM_THREADS is set, without third-party remarks that a user can do nothing about.

    So small a network is faster on one thread, and gives the same sums whatever the number of cores.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    _silence_remarks()


def _silence_remarks() -> None:
    """Silence third-party remarks that a user can do nothing about."""
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated")
    warnings.filterwarnings("ignore", message="Be aware that when using `ckpt_path`, callbacks used to create")
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    warnings.filterwarnings("ignore", message="The number of training batches .* is smaller than the logging interval")
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
