"""The work of train.py: LightningCLI with a run folder, a warm start and an evaluation at the end."""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from pydoc import locate
from typing import Any

import lightning
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from nanotrigger.cli.arguments import SUBCOMMANDS, config_files
from nanotrigger.cli.configuration import MODE, change_paths, check_formats, lasting, repeatable
from nanotrigger.cli.keys import CALLBACKS, GROUPS, OPTIONS
from nanotrigger.cli.networks import add_network, fit_to_data
from nanotrigger.cli.processes import OneProcess, is_alone, settle_rank
from nanotrigger.cli.recorded import check_recorded
from nanotrigger.cli.run_folder import RunFolder, default_output, settle_last
from nanotrigger.cli.run_settings import RunSettings, changed_settings
from nanotrigger.cli.wording import said_plainly
from nanotrigger.command import PARSER_SETTINGS
from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.files import sha256, write_checksums
from nanotrigger.networks import check_listed, check_rebuilt
from nanotrigger.tasks import check_task
from nanotrigger.tasks.evaluate import evaluate_run, judge_elsewhere
from nanotrigger.training.checkpoint import load_trained, read_checkpoint
from nanotrigger.training.diagnosis import diagnose
from nanotrigger.training.module import RECORD
from nanotrigger.training.progress_bar import progress_bars
from nanotrigger.training.requirement import Requirement
from nanotrigger.training.run_checkpoints import History, LastCheckpoint, WholeCheckpoints, read_history


class TrainCLI(LightningCLI):
    """LightningCLI whose network is a group of its own, linked into the model."""

    trains = True
    _made: Path | None = None  # the run folder, if it had no name

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        try:
            super().__init__(*arguments, **settings)  # does all the work
        finally:
            if self._made is not None:
                with suppress(OSError):  # there is something in it, or other runs beside it
                    self._made.rmdir()
                    self._made.parent.rmdir()
                    self._made.parent.parent.rmdir()

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the groups that are ours."""
        for name, settings in OPTIONS.items():
            parser.add_argument(f"--{name}", **settings)
        add_network(parser, sys.argv[1:], lambda: self._settings.network)
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
        subcommand = self.subcommand = self.config.subcommand
        settings = self.config[subcommand]
        for group in GROUPS:
            if settings[group] is None:
                raise InputError(f"{group}=null: it has settings, which --print_config shows; leave it out")
        settle_rank(settings.trainer)
        check_task(settings.model.class_path, settings.data.class_path)
        check_listed(settings.network.class_path)
        if settings.experiment is not None and not re.fullmatch(r"\w[\w+-]*", settings.experiment):
            raise InputError(f"experiment={settings.experiment}: it names a folder; give letters, digits, + - and _")
        self._goes_on = settings.ckpt_path is not None
        if settings.ckpt_path == "last":
            settle_last(settings)
        seed = settings.seed_everything
        if not isinstance(seed, bool) and seed is not None and not 0 <= seed < 2**32:
            raise InputError(f"seed={seed}: must be at least 0 and below 2^32")
        check_formats(sys.argv[1:], settings.network.get("init_args"))
        self._changes: dict[str, tuple[Any, Any]] = {}  # of a run that goes on
        if settings.ckpt_path is not None:
            self._check_checkpoint(Path(settings.ckpt_path))
        elif subcommand != "fit":
            raise InputError(f"{subcommand} needs ckpt_path=RUN/best.ckpt")
        elif settings.warm_start.ckpt is not None and not Path(settings.warm_start.ckpt).is_file():
            raise InputError(f"warm_start.ckpt={settings.warm_start.ckpt}: no such file; give best.ckpt of a run")
        if subcommand == "fit" and settings.output is None:
            self._make_output(settings)
        if subcommand == "fit":  # for the other processes of a multi-device run
            sys.argv += [f"--output={settings.output}", f"--ckpt_path={settings.ckpt_path or 'null'}"]

    def _make_output(self, settings: Any) -> None:
        is_new = settings.ckpt_path is None and rank_zero_only.rank == 0 and self.trains
        output = default_output(settings, make=is_new)
        settings.output = str(output)
        self._made = output if is_new else None

    def before_instantiate_classes(self) -> None:
        """Settle the data source, so that config.yaml says what was used, and prepare the run folder's callbacks."""
        settings = self._settings
        source = settings.data.init_args.get("source")
        if source is not None:
            kind, others = locate(settings.data.class_path), vars(settings.data.init_args)
            settings.data.init_args.source = kind.resolve(source, others)  # type: ignore[attr-defined]
        if self.subcommand != "fit":
            return
        change_paths(settings, lambda path: lasting(path, Path(settings.output)))  # checkpoints state them
        self.folder = RunFolder(Path(settings.output), goes_on=self._goes_on)
        if rank_zero_only.rank == 0:
            self.folder.check()
        settings.checkpoint.dirpath = str(self.folder.path)
        self._run_settings = RunSettings(self.folder, self._config_text(self.folder.path), self._changes)
        self.trainer_defaults["callbacks"] = [
            self._run_settings,
            History(self.folder.path / "metrics.csv"),
            LastCheckpoint(self.folder.path),
            *progress_bars(settings.trainer),
        ]

    def instantiate_trainer(self, **kwargs: Any) -> lightning.Trainer:
        """Add the TensorBoard logger if it is asked for, and how checkpoints are written."""
        if self.subcommand == "fit" and self._settings.tensorboard:
            kwargs["logger"] = _tensorboard(self.folder.path)
        plugins = self._get(self.config_init, "trainer.plugins") or []
        kwargs["plugins"] = [WholeCheckpoints(), *(plugins if isinstance(plugins, list) else [plugins])]
        if is_alone(self._settings.trainer):
            kwargs["plugins"].append(OneProcess())
        try:
            return super().instantiate_trainer(**kwargs)
        except RuntimeError as error:
            if "SLURM" not in str(error):
                raise
            raise InputError(f"trainer.devices={self._settings.trainer.devices}: {error}") from None

    def instantiate_classes(self) -> None:
        """Build everything; check that checkpoints can hold the network.

        Raises:
            InputError: they cannot.
        """
        super().instantiate_classes()
        fit_to_data(self.model.network, self.datamodule)
        check_rebuilt(self.model.network)

    def before_fit(self) -> None:
        """Read the data and say which."""
        self.datamodule.setup()
        if self.trainer.is_global_zero:
            print(f"{self.datamodule}\nnetwork: {self.model.network.description}", flush=True)

    def _check_checkpoint(self, path: Path) -> None:
        self._trained = load_trained(path)
        if self.subcommand != "fit":
            return
        checkpoint = read_checkpoint(path)
        if "optimizer_states" not in checkpoint:
            raise InputError(
                f"ckpt_path={path} has no optimizer state to resume from; start with warm_start.ckpt={path}"
            )
        self._changes = changed_settings(checkpoint, path, self._config_text(path.parent))

    def _config_text(self, folder: Path) -> str:
        """Return config.yaml of a folder: where this run lies, and how it is tested, is no part of how to repeat it."""
        settings = self._settings.clone()
        settings.output = settings.ckpt_path = settings.checkpoint.dirpath = None
        settings.evaluate, settings.pdf = True, False
        change_paths(settings, lambda path: repeatable(path, folder))
        return str(self._parser(self.subcommand).dump(settings, skip_unset=False))

    def _run_subcommand(self, subcommand: str) -> None:
        source = self._settings.data.init_args.get("source")
        if subcommand != "fit" and source not in (None, self._trained.data["source"]):
            path = type(self.datamodule).path_of(source)
            if not path.is_file() or sha256(path) != self._trained.data["sha256"]:
                self._test_elsewhere(source)
                return
        try:
            super()._run_subcommand(subcommand)
        finally:
            if subcommand == "fit":
                self.folder.release()

    def _test_elsewhere(self, source: str) -> None:
        """Print how good the checkpoint's network is on another sample: a test is no resume."""
        self.model.check_same(read_checkpoint(Path(self._settings.ckpt_path))[RECORD])
        print(judge_elsewhere(self._trained, source))

    def after_fit(self) -> None:
        """Test the best checkpoint, on one process: test.json and figures. Write what the files' hashes are."""
        if not self.trainer.is_global_zero or self.trainer.fast_dev_run:
            return
        if not self._run_settings.has_begun:
            print(f"nothing is left to train: {self.trainer.current_epoch} epochs are done; raise trainer.max_epochs")
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
            history = read_history(self.folder.path / "metrics.csv")
            for sign in diagnose(load_trained(best).network, self.datamodule.rows("train")[0], history):
                print(f"warning: {sign}")
            if self._settings.evaluate:
                evaluate_run(self.folder.path, self.datamodule, pdf=self._settings.pdf)
        elif self._settings.evaluate and not wanted:  # else it is an error
            print(f"no epoch was trained and validated: {self.folder.path} has no best.ckpt and no test.json")
        write_checksums(self.folder.path)
        check_recorded(self.folder.path, self.trainer, has_begun=self._run_settings.has_begun)


class CheckCLI(TrainCLI):
    """A TrainCLI that builds everything for a training on one device, and does not train."""

    trains = False

    def _run_subcommand(self, subcommand: str) -> None:  # the last thing that LightningCLI does
        if self.trainer.world_size > 1:
            devices = self._settings.trainer.devices
            raise InputError(f"trainer.devices={devices}: a point is trained on one; workers=N trains N points at once")
        data = self.datamodule
        if isinstance(data, SplitData) and not data.path_of(data.source).is_file():
            data.setup()  # says so


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


def _tensorboard(folder: Path) -> TensorBoardLogger:
    try:
        return TensorBoardLogger(folder, name="", version="tensorboard")
    except ModuleNotFoundError:
        raise InputError('tensorboard=true needs TensorBoard: pip install -e ".[tensorboard]"') from None
