"""The process of a training: alone or one of several, as the settings say, whatever a batch system's variables say.

Lightning takes SLURM_NTASKS, SLURM_PROCID, LOCAL_RANK and the like for its own. They are there too in a notebook, and
in a job that starts several trainings of one device each.
"""

import logging
import warnings
from typing import Any

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


def silence_remarks() -> None:
    """Silence third-party remarks that a user can do nothing about."""
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated")
    warnings.filterwarnings("ignore", message="Be aware that when using `ckpt_path`, callbacks used to create")
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
