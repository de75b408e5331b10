"""The work of train.py: LightningCLI with a run folder, a warm start and an evaluation at the end."""

import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from pydoc import locate
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import LambdaCallback
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from nanotrigger.cli.arguments import SUBCOMMANDS, config_files
from nanotrigger.cli.configuration import MODE, PATH_KEYS, repeatable
from nanotrigger.cli.keys import CALLBACKS, GROUPS, OPTIONS
from nanotrigger.cli.run_folder import RunFolder, default_output, settle_last
from nanotrigger.cli.wording import said_plainly
from nanotrigger.command import PARSER_SETTINGS
from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.files import write_checksums, write_text
from nanotrigger.networks import DenseNetwork
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import check_task
from nanotrigger.tasks.evaluate import evaluate_run
from nanotrigger.training.checkpoint import load_trained, read_checkpoint
from nanotrigger.training.requirement import Requirement
from nanotrigger.training.run_checkpoints import History, LastCheckpoint, WholeCheckpoints


class TrainCLI(LightningCLI):
    """LightningCLI whose network is a group of its own, linked into the model."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the groups that are ours."""
        for name, settings in OPTIONS.items():
            parser.add_argument(f"--{name}", **settings)
        parser.add_subclass_arguments(DenseNetwork, "network", required=True, help="the network")
        parser.link_arguments("network", "model.init_args.network", apply_on="instantiate")
        for group, path in CALLBACKS.items():
            parser.add_lightning_class_args(locate(path), group)
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
        for group in GROUPS:
            if settings[group] is None:
                raise InputError(f"{group}=null: it has settings, which --print_config shows; leave it out")
        check_task(settings.model.class_path, settings.data.class_path)
        if settings.experiment is not None and not re.fullmatch(r"\w[\w+-]*", settings.experiment):
            raise InputError(f"experiment={settings.experiment}: it names a folder; give letters, digits, + - and _")
        self._goes_on = settings.ckpt_path is not None
        if settings.ckpt_path == "last":
            settle_last(settings)
        seed = settings.seed_everything
        if not isinstance(seed, bool) and seed is not None and not 0 <= seed < 2**32:
            raise InputError(f"seed={seed}: must be at least 0 and below 2^32")
        _check_formats(sys.argv[1:], settings.network.init_args)
        if settings.ckpt_path is not None:
            _check_checkpoint(Path(settings.ckpt_path), resume=subcommand == "fit")
        elif subcommand != "fit":
            raise InputError(f"{subcommand} needs ckpt_path=RUN/best.ckpt")
        elif settings.warm_start.ckpt is not None and not Path(settings.warm_start.ckpt).is_file():
            raise InputError(f"warm_start.ckpt={settings.warm_start.ckpt}: no such file; give best.ckpt of a run")
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
        _change_paths(settings, lambda path: _lasting(path, Path(settings.output)))  # checkpoints state them
        self.folder = RunFolder(Path(settings.output), goes_on=self._goes_on)
        if rank_zero_only.rank == 0:
            self.folder.check()
        settings.checkpoint.dirpath = str(self.folder.path)
        self.trainer_defaults["callbacks"] = [
            LambdaCallback(on_train_start=self.write_config),
            History(self.folder.path / "metrics.csv"),
            LastCheckpoint(self.folder.path),
        ]

    def instantiate_trainer(self, **kwargs: Any) -> lightning.Trainer:
        """Add the TensorBoard logger if it is asked for, and how checkpoints are written."""
        if self.subcommand == "fit" and self._settings.tensorboard:
            kwargs["logger"] = _tensorboard(self.folder.path)
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
            self.folder.hold()
            settings = self._settings.clone()
            # where this run lies, and who tests it, is no part of how to repeat it
            settings.output = settings.ckpt_path = settings.checkpoint.dirpath = None
            settings.evaluate = True
            _change_paths(settings, lambda path: repeatable(path, self.folder.path))
            config = self._parser(self.subcommand).dump(settings, skip_unset=False)
            write_text(self.folder.path / "config.yaml", config)

    def _run_subcommand(self, subcommand: str) -> None:
        try:
            super()._run_subcommand(subcommand)
        finally:
            if subcommand == "fit":
                self.folder.release()

    def after_fit(self) -> None:
        """Test the best checkpoint, on one process: test.json and figures. Write what the files' hashes are."""
        if not self.trainer.is_global_zero or self.trainer.fast_dev_run:
            return
        requirements = [callback for callback in self.trainer.callbacks if isinstance(callback, Requirement)]
        for requirement in requirements:
            if requirement.has_work:
                self.folder.hold()  # Lightning may have had nothing left to train
                seed = self._settings.seed_everything or 0
                requirement.after_training(self.trainer, self.folder.path, seed=seed)
        best = self.folder.path / "best.ckpt"
        wanted = "".join(requirement.shortfall for requirement in requirements)
        if best.exists():
            for remark in filter(None, (requirement.remark(best) for requirement in requirements)):
                print(remark)
            if self._settings.evaluate:
                evaluate_run(self.folder.path, self.datamodule)
        elif self._settings.evaluate or wanted:
            print(f"no epoch was trained and validated{wanted}: {self.folder.path} has no best.ckpt and no test.json")
        write_checksums(self.folder.path)


class CheckCLI(TrainCLI):
    """A TrainCLI that builds everything for a training on one device, and does not train."""

    def _run_subcommand(self, subcommand: str) -> None:  # the last thing that LightningCLI does
        if self.trainer.world_size > 1:
            devices = self._settings.trainer.devices
            raise InputError(f"trainer.devices={devices}: a point is trained on one; workers=N trains N points at once")
        data = self.datamodule
        if isinstance(data, SplitData) and not data.path_of(data.source).is_file():
            data.setup()  # says so


def prepare_process() -> None:
    """Train on one thread unless OMP_NUM_THREADS is set, without third-party remarks that a user can do nothing about.

    So small a network is faster on one thread, and gives the same sums whatever the number of cores.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    _quiet()


def train(arguments: Sequence[str], configs: Path, *, cli: type[TrainCLI] = TrainCLI) -> TrainCLI:
    """Train as `train.py` does, and return what did.

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
        "parser_mode": MODE,
    }
    with said_plainly(arguments, [configs / "base.yaml", *config_files(arguments)]):
        return _run(cli, base)


def _run(cli: type[TrainCLI], base: dict[str, Any]) -> TrainCLI:
    return cli(
        lightning.LightningModule,
        lightning.LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        auto_configure_optimizers=False,
        save_config_callback=None,
        load_from_checkpoint_support=False,  # our checkpoints hold no hyper_parameters
        trainer_defaults={"logger": False},
        parser_kwargs={
            **PARSER_SETTINGS,
            "parser_mode": MODE,
            **dict.fromkeys(SUBCOMMANDS, base),
        },
    )


def _check_formats(arguments: Sequence[str], network: Any) -> None:
    """Refuse formats that cannot exist, by their key, and keys of which the parser would change one format of many.

    `network.weight.width=6` is such a key where the formats are a list.
    """
    for name, value in network.as_dict().items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, dict) and "width" in number:
                try:
                    FixedPoint(**number)
                except InputError as error:
                    raise InputError(f"network.{name}={error}") from None
    for argument in arguments:
        match = re.match(r"--network\.(?:init_args\.)?(\w+)\.\w+", argument)
        if match and isinstance(network.get(match[1]), list):
            raise InputError(f"{argument[2:]}: network.{match[1]} has a format for each layer; give the list, or one")


def _change_paths(settings: Any, change: Callable[[str], str]) -> None:
    """Change the paths in settings of the parser."""
    for key in PATH_KEYS:
        place = key.replace("data.", "data.init_args.")
        value = settings.get(place)
        if isinstance(value, str):
            settings[place] = change(value)
        elif isinstance(value, list):
            settings[place] = [change(path) for path in value]


def _lasting(path: str, folder: Path) -> str:
    """Return a path that leads to the same file whatever the current folder will be, from a folder of checkpoints."""
    is_file = Path(path).is_file()
    return str(Path(path).absolute()) if is_file and repeatable(path, folder) != path else path


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
