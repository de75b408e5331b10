"""Keys of train.py are known without importing what has them; none that the full parser knows is refused."""

import sys
from pathlib import Path

import pytest
import yaml

from nanotrigger.cli.arguments import config_files, train_arguments
from nanotrigger.cli.keys import check_keys
from nanotrigger.cli.signatures import keys_of_class
from nanotrigger.cli.training import train
from nanotrigger.errors import InputError
from tests.command import ROOT

CONFIGS = ROOT / "configs"
EXPERIMENTS = sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))


def check(*words: str) -> None:
    check_arguments(train_arguments(words, CONFIGS))


def check_arguments(arguments: list[str]) -> None:
    check_keys(arguments, [CONFIGS / "base.yaml", *config_files(arguments)])


def keys_in(settings: dict, prefix: str = "") -> list[str]:
    """Return all keys of a configuration, those of groups and those in them."""
    found = []
    for name, value in settings.items():
        found.append(f"{prefix}{name}")
        found += keys_in(value, f"{prefix}{name}.") if isinstance(value, dict) else []
    return found


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_key_that_the_full_parser_prints_is_accepted(experiment, monkeypatch, capsys):
    names = ["jets_qat", "course"] if experiment == "course" else [experiment]
    arguments = train_arguments([f"experiment={name}" for name in names], CONFIGS)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    with pytest.raises(SystemExit):
        train([*arguments, "--print_config"])
    keys = keys_in(yaml.safe_load(capsys.readouterr().out))
    assert {"network.init_args.weight", "trainer.max_epochs", "checkpoint.monitor", "pruning.sparsity"} <= set(keys)
    for key in keys:
        check_arguments([*arguments, f"--{key}=0"])
        check_arguments([*arguments, f"--{key.replace('.init_args.', '.')}", "0"])


@pytest.mark.parametrize(
    "words",
    [
        ["--print_config"],
        ["--print_config=skip_default"],
        ["seed=3", "experiment=jets_qat"],
        ["network.weight=[{width: 3}]", "network.weight.width=4"],
        ["network.class_path=nanotrigger.networks.Autoencoder", "network.latent_size=3"],
        ["network=nanotrigger.networks.VariationalAutoencoder", "network.slope=0.1"],
        ["network={class_path: nanotrigger.networks.Autoencoder}", "network.tensors.dense_1.weight.width=3"],
        ["network.class_path=somewhere.Else", "network.anything=3"],
        ["network.class_path=MLP", "network.anything=3"],
        ["trainer.logger=CSVLogger", "trainer.logger.save_dir=x"],
        ["--trainer.callbacks+=ModelSummary", "--trainer.callbacks.max_depth=2"],
        ["--trainer.callbacks.help=ModelSummary"],
        ["--model.help"],
        ["network.learned_bits=weight"],
        ["ckpt_path=last", "checkpoint.mode=min", "early_stopping.patience=3", "data.dict_kwargs={}"],
    ],
)
def test_what_may_be_right_is_left_to_the_full_parser(words):
    check("experiment=jets_qat", *words)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("network.wieght=3", "unknown key network.wieght; did you mean network.weight? --print_config shows all keys"),
        ("network.init_args.wieght=3", "unknown key network.init_args.wieght; did you mean network.weight?"),
        ("network.input.widht=3", "unknown key network.input.widht; did you mean network.input.width?"),
        ("network.hidden.x=3", "unknown key network.hidden.x; did you mean network.hidden?"),
        ("network.latent_size=3", "unknown key network.latent_size; "),
        ("data.bach_size=3", "unknown key data.bach_size; did you mean data.batch_size?"),
        ("early_stopping.patients=3", "unknown key early_stopping.patients; did you mean early_stopping.patience?"),
        ("sed=3", "unknown key sed; did you mean seed?"),
        ("qqqq=3", "unknown key qqqq; --print_config shows all keys"),
    ],
)
def test_wrong_keys_name_the_nearest(word, message):
    with pytest.raises(InputError) as refused:
        check("experiment=jets_qat", word)
    assert str(refused.value).startswith(message)


def test_a_class_of_ones_own_is_read_or_left_alone(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    Path(tmp_path, "mine").mkdir()
    Path(tmp_path, "mine", "__init__.py").write_text("from .net import Net, Open, Strange\n")
    Path(tmp_path, "mine", "net.py").write_text(
        "from nanotrigger.networks import MLP\nfrom nowhere import Base\nraise SystemExit('imported')\n"
        "class Net(MLP):\n    def __init__(self, depth: int = 3, **others):\n        super().__init__(**others)\n"
        "class Open(MLP):\n    pass\n"
        "class Strange(Base):\n    def __init__(self, *, depth, **others):\n        super().__init__(**others)\n"
    )
    words = ("experiment=jets_qat", "network.class_path=mine.Net", "network.depth=3", "network.features=3")
    check(*words)
    with pytest.raises(InputError, match="did you mean network.depth"):
        check(*words, "network.dept=3")
    assert keys_of_class("mine.Open") == keys_of_class("nanotrigger.networks.MLP")
    assert keys_of_class("mine.Strange") is None
    assert "mine" not in sys.modules
