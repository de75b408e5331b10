"""train.py: its arguments; what trains is imported once they are right."""

import sys
from collections.abc import Sequence
from pathlib import Path

from jsonargparse import ArgumentParser

from nanotrigger.cli.arguments import SUBCOMMANDS, config_files, train_arguments
from nanotrigger.cli.configs import BASE, SHIPPED
from nanotrigger.cli.keys import check_keys
from nanotrigger.command import exit_code, import_from_here, settings_parser

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
_SUBCOMMANDS = {
    "fit": "train, and test the best checkpoint; what is done if none is named",
    "validate": "judge a checkpoint on the validation split",
    "test": "judge a checkpoint on the test split",
}


def main(root: Path | None = None) -> int:
    """Run `train.py` with `sys.argv` and return its exit code: 0, 2 and one line on stderr for bad input.

    Args:
        root: the folder that holds `configs`, by default the package's own.
    """
    return exit_code(lambda: _run(sys.argv[1:], root / "configs" if root else SHIPPED))


def _run(arguments: Sequence[str], configs: Path) -> None:
    words = train_arguments(arguments, configs)
    if words[0] not in SUBCOMMANDS:
        _help_parser().print_help()
        return
    import_from_here()  # networks of the user's
    check_keys(words, [BASE, *config_files(words)])
    from nanotrigger.cli.processes import prepare_process  # takes seconds
    from nanotrigger.cli.training import train

    prepare_process()
    train(words)


def _help_parser() -> ArgumentParser:
    """Return a parser that says what train.py does; `train.py fit --help` explains every key."""
    parser = settings_parser(_DESCRIPTION, "train")
    parser.add_argument("-c", "--config", action="config", help="path of a configuration in YAML")
    subcommands = parser.add_subcommands(required=False)
    for name, text in _SUBCOMMANDS.items():
        subcommands.add_subcommand(name, ArgumentParser(), help=text)
    return parser


if __name__ == "__main__":
    sys.exit(main())
