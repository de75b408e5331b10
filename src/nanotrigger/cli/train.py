"""train.py: LightningCLI with a run folder, a warm start and an evaluation at the end."""

import logging
import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from pydoc import locate
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, LambdaCallback
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from nanotrigger.cli.arguments import SUBCOMMANDS, train_arguments
from nanotrigger.cli.errors import exit_with_one_line
from nanotrigger.cli.help import ExampleHelpFormatter
from nanotrigger.cli.run_folder import RunFolder, default_output, settle_last
from nanotrigger.errors import InputError
from nanotrigger.files import write_checksums, write_text
from nanotrigger.networks import DenseNetwork
from nanotrigger.precision.budget import Budget
from nanotrigger.tasks.evaluate import evaluate_run
from nanotrigger.training.checkpoint import load_trained, read_checkpoint
from nanotrigger.training.history import History
from nanotrigger.training.pruning import Pruning
from nanotrigger.training.requirement import Requirement
from nanotrigger.training.run_checkpoints import BestCheckpoint, LastCheckpoint, WholeCheckpoints
from nanotrigger.training.warm_start import WarmStart

_DESCRIPTION = """
Train, validate or test a network:

  python train.py experiment=jets_qat                              a run in checkpoints/jets_qat/<time>
  python train.py experiment=jets_qat network.weight.width=6       any key=value; --print_config shows all
  python train.py experiment=jets_qat experiment=course            later experiments override earlier ones
  python train.py experiment=jets_qat pruning.sparsity=0.75        prune while training
  python train.py experiment=jets_budget budget.aluts=600          train the bits too, until it costs no more
  python train.py experiment=ad_ae                                 anomaly detection; also ad_vae, ad_ae_qat …
  python train.py ckpt_path=RUN/last.ckpt                          resume a run in its folder
  python train.py experiment=jets_qat output=RUN ckpt_path=last    the same, or begin it: for jobs that are repeated
  python train.py test ckpt_path=RUN/best.ckpt                     test a checkpoint
  python train.py fit --config FILE --trainer.max_epochs 5         the same in Lightning's own form
"""

_GROUPS = ("trainer", "model", "data", "network", "warm_start", "pruning", "budget", "checkpoint", "early_stopping")


class TrainCLI(LightningCLI):
    """LightningCLI whose network is a group of its own, linked into the model."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the groups that are ours."""
        parser.add_argument("--experiment", type=str | None, default=None, help="name of the run's folder")
        parser.add_argument("--output", type=str | None, default=None, help="run folder")
        parser.add_argument("--tensorboard", type=bool, default=False, help="log to TensorBoard as well")
        parser.add_argument("--evaluate", type=bool, default=True, help="test the best checkpoint at the end")
        parser.add_subclass_arguments(DenseNetwork, "network", required=True, help="the network")
        parser.link_arguments("network", "model.init_args.network", apply_on="instantiate")
        parser.add_lightning_class_args(WarmStart, "warm_start")
        parser.add_lightning_class_args(Pruning, "pruning")
        parser.add_lightning_class_args(Budget, "budget")
        parser.add_lightning_class_args(BestCheckpoint, "checkpoint")
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.set_defaults(
            {
                "early_stopping.monitor": "val_loss",
                "early_stopping.patience": 1_000_000,  # epochs: only a loss that is not finite stops a training
                "early_stopping.check_on_train_epoch_end": False,  # a training may have no validation
                "checkpoint.filename": "best",
                "checkpoint.monitor": "val_accuracy",
                "checkpoint.mode": "max",
                "checkpoint.save_on_train_epoch_end": True,
                "checkpoint.enable_version_counter": False,
            }
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return Lightning's subcommands without `predict`, for which export.py is the tool."""
        return {name: hidden for name, hidden in LightningCLI.subcommands().items() if name in SUBCOMMANDS}

    @property
    def _settings(self) -> Any:
        return self.config[self.subcommand]

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse; check the checkpoint before Lightning reads it; settle the run folder.

        Raises:
            InputError: a checkpoint that is needed and missing, damaged, or cannot be resumed.
        """
        super().parse_arguments(parser, args)
        subcommand = self.config.subcommand
        settings = self.config[subcommand]
        for group in _GROUPS:
            if settings[group] is None:
                raise InputError(f"{group}=null: it has settings, which --print_config shows; leave it out")
        if settings.experiment is not None and not re.fullmatch(r"\w[\w+-]*", settings.experiment):
            raise InputError(f"experiment={settings.experiment}: it names a folder; give letters, digits, + - and _")
        self._goes_on = settings.ckpt_path is not None
        if settings.ckpt_path == "last":
            settle_last(settings)
        seed = settings.seed_everything
        if not isinstance(seed, bool) and seed is not None and not 0 <= seed < 2**32:
            raise InputError(f"seed={seed}: must be at least 0 and below 2^32")
        _check_fields(sys.argv[1:], settings.network.init_args)
        if settings.ckpt_path is not None:
            _check_checkpoint(Path(settings.ckpt_path), resume=subcommand == "fit")
        elif subcommand != "fit":
            raise InputError(f"{subcommand} needs ckpt_path=RUN/best.ckpt")
        if subcommand == "fit" and settings.output is None:
            settings.output = str(default_output(settings))
        if subcommand == "fit":  # for the other processes of a multi-device run
            sys.argv += [f"--output={settings.output}", f"--ckpt_path={settings.ckpt_path or 'null'}"]

    def before_instantiate_classes(self) -> None:
        """Settle the data source, so that config.yaml says what was used, and prepare the run folder's callbacks."""
        settings = self._settings
        source = settings.data.init_args.get("source")
        if source is not None:
            settings.data.init_args.source = locate(settings.data.class_path).resolve(source)  # type: ignore[attr-defined]
        if self.subcommand != "fit":
            return
        self._folder = RunFolder(Path(settings.output), goes_on=self._goes_on)
        if rank_zero_only.rank == 0:
            self._folder.check()
        settings.checkpoint.dirpath = str(self._folder.path)
        self.trainer_defaults["callbacks"] = [
            LambdaCallback(on_train_start=self.write_config),
            History(self._folder.path / "metrics.csv"),
            LastCheckpoint(self._folder.path),
        ]

    def instantiate_trainer(self, **kwargs: Any) -> lightning.Trainer:
        """Add the TensorBoard logger if it is asked for, and how checkpoints are written."""
        if self.subcommand == "fit" and self._settings.tensorboard:
            kwargs["logger"] = _tensorboard(self._folder.path)
        plugins = self._get(self.config_init, "trainer.plugins") or []
        kwargs["plugins"] = [WholeCheckpoints(), *(plugins if isinstance(plugins, list) else [plugins])]
        return super().instantiate_trainer(**kwargs)

    def before_fit(self) -> None:
        """Read the data and say which."""
        self.datamodule.setup()
        if self.trainer.is_global_zero:
            print(f"{self.datamodule}\nnetwork: {self.model.network.description}", flush=True)

    def write_config(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Write config.yaml, once everything has been checked and the first step is due; hold the folder."""
        if trainer.is_global_zero and not trainer.fast_dev_run:
            self._folder.hold()
            settings = self._settings.clone()
            # where this run lies, and who tests it, is no part of how to repeat it
            settings.output = settings.ckpt_path = settings.checkpoint.dirpath = None
            settings.evaluate = True
            config = self._parser(self.subcommand).dump(settings, skip_unset=False)
            write_text(self._folder.path / "config.yaml", config)

    def _run_subcommand(self, subcommand: str) -> None:
        try:
            super()._run_subcommand(subcommand)
        finally:
            if subcommand == "fit":
                self._folder.release()

    def after_fit(self) -> None:
        """Test the best checkpoint, on one process: test.json and figures. Write what the files' hashes are."""
        if not self.trainer.is_global_zero or self.trainer.fast_dev_run:
            return
        requirements = [callback for callback in self.trainer.callbacks if isinstance(callback, Requirement)]
        for requirement in requirements:
            if requirement.has_work:
                self._folder.hold()  # Lightning may have had nothing left to train
                seed = self._settings.seed_everything or 0
                requirement.after_training(self.trainer, self._folder.path, seed=seed)
        best = self._folder.path / "best.ckpt"
        wanted = "".join(requirement.shortfall for requirement in requirements)
        if best.exists():
            for remark in filter(None, (requirement.remark(best) for requirement in requirements)):
                print(remark)
            if self._settings.evaluate:
                evaluate_run(self._folder.path, self.datamodule)
        elif self._settings.evaluate or wanted:
            print(f"no epoch was trained and validated{wanted}: {self._folder.path} has no best.ckpt and no test.json")
        write_checksums(self._folder.path)


class CheckCLI(TrainCLI):
    """A TrainCLI that builds everything for a training on one device, and does not train."""

    def _run_subcommand(self, subcommand: str) -> None:  # the last thing that LightningCLI does
        if self.trainer.world_size > 1:
            devices = self._settings.trainer.devices
            raise InputError(f"trainer.devices={devices}: a point is trained on one; workers=N trains N points at once")


def main(root: Path) -> None:
    """Run `train.py` with `sys.argv`; exit with 0, or 2 and one line on stderr for bad input.

    Args:
        root: the folder that holds `configs`.
    """
    prepare_process()
    configs = root / "configs"
    exit_with_one_line(lambda: train(train_arguments(sys.argv[1:], configs), configs))


def prepare_process() -> None:
    """Train on one thread unless OMP_NUM_THREADS is set, without third-party remarks that a user can do nothing about.

    So small a network is faster on one thread, and gives the same sums whatever the number of cores.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    _quiet()


def train(arguments: Sequence[str], configs: Path, *, cli: type[TrainCLI] = TrainCLI) -> None:
    """Train as `train.py` does.

    Args:
        arguments: of LightningCLI, as `train_arguments` returns them.
        configs: the folder that holds base.yaml.
        cli: what is done with the arguments.
    """
    sys.argv[1:] = arguments  # the other processes of a multi-device run are started with these
    base = {
        "default_config_files": [str(configs / "base.yaml")],
        "exit_on_error": False,
        "allow_abbrev": False,
    }
    cli(
        lightning.LightningModule,
        lightning.LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        auto_configure_optimizers=False,
        save_config_callback=None,
        load_from_checkpoint_support=False,  # our checkpoints hold no hyper_parameters
        trainer_defaults={"logger": False},
        parser_kwargs={
            "description": _DESCRIPTION,
            "formatter_class": ExampleHelpFormatter,
            "exit_on_error": False,
            "allow_abbrev": False,
            **dict.fromkeys(SUBCOMMANDS, base),
        },
    )


def _check_fields(arguments: Sequence[str], network: Any) -> None:
    """Refuse `network.weight.width=6` where the formats are a list, of which the parser would change the last only."""
    for argument in arguments:
        match = re.match(r"--network\.(?:init_args\.)?(\w+)\.\w+", argument)
        if match and isinstance(network.get(match[1]), list):
            raise InputError(f"{argument[2:]}: network.{match[1]} has a format for each layer; give the list, or one")


def _check_checkpoint(path: Path, *, resume: bool) -> None:
    load_trained(path)
    if resume and "optimizer_states" not in read_checkpoint(path):
        raise InputError(f"ckpt_path={path} has no optimizer state to resume from; start with warm_start.ckpt={path}")


def _tensorboard(folder: Path) -> TensorBoardLogger:
    try:
        return TensorBoardLogger(folder, name="", version="tensorboard")
    except ModuleNotFoundError:
        raise InputError('tensorboard=true needs TensorBoard: pip install -e ".[tensorboard]"') from None


def _quiet() -> None:
    """Silence third-party remarks that a user can do nothing about."""
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated")
    warnings.filterwarnings("ignore", message="Be aware that when using `ckpt_path`, callbacks used to create")
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
