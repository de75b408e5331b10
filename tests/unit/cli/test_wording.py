"""What the parser finds wrong is said in our words: the key as it was typed, the value and the remedy."""

import re
import sys

import pytest
import yaml

from nanotrigger.cli.arguments import config_files, train_arguments
from nanotrigger.cli.export import export_parser
from nanotrigger.cli.keys import check_keys
from nanotrigger.cli.training import CheckCLI, train
from nanotrigger.cli.wording import read_settings, said_plainly
from nanotrigger.command import one_line, settings_parser
from nanotrigger.errors import InputError
from tests.command import ROOT

CONFIGS = ROOT / "configs"
JARGON = re.compile(
    r"<class|typing\.|Namespace|NestedArg|Sequence|Union|NoneType|Parser key|dot import|--(?!print|help)"
)
FORMAT = "no format; write it like fixed<16,6> or ufixed<8,0>"
WHOLE, NUMBER, TRUTH = "must be a whole number", "must be a number", "must be true or false"


def said(monkeypatch, *words: str) -> str:
    """Return the line with which train.py refuses its arguments."""
    monkeypatch.setattr(sys, "argv", ["train.py"])
    with pytest.raises(Exception) as caught:
        arguments = train_arguments(words, CONFIGS)
        check_keys(arguments, [CONFIGS / "base.yaml", *config_files(arguments)])
        train(arguments, cli=CheckCLI)
    line = one_line(caught.value)
    assert line is not None, caught.value
    assert not JARGON.search(line), line
    return line


WRONG = [
    ("network.weight=int8", f"network.weight=int8: {FORMAT}, or give a list with one for each layer"),
    ("network.weight=fixed<4;2>", f"network.weight=fixed<4;2>: {FORMAT}, or give"),
    ("network.weight=fixed<4,2", f"network.weight=fixed<4,2: {FORMAT}, or give"),
    ("network.weight=fixed<0,2>", "network.weight=fixed<0,2>: the width must be 1 to 53 bits"),
    ("network.weight=fixed<4,2,TRN,WRAP>", "it rounds by RND_CONV or TRN and saturates by SAT or SAT_SYM"),
    ("network.weight=[fixed<4,2>,fixed<4;2>,fixed<4,2>,fixed<4,2>]", f"fixed<4,2>]: fixed<4;2>: {FORMAT}"),
    ("network.weight=[fixed<4,2>,fixed<4,2>]", "network.weight has 2 formats, the network 4 layers"),
    ("network.weight=4", f"network.weight=4: {FORMAT}"),
    ("network.weight={width: four, integer: 2}", f"network.weight.width=four: {WHOLE}"),
    ("network.weight={width: 4, integr: 2}", "unknown key network.weight.integr"),
    ("network.weight.width=four", f"network.weight.width=four: {WHOLE}"),
    ("network.weight.width=0", "network.weight=fixed<0,2>: the width must be 1 to 53 bits"),
    ("network.weight.width=19", "network.weight=fixed<19,2>: a network's formats have 1 to 18 bits"),
    ("network.weight.signed=maybe", f"network.weight.signed=maybe: {TRUTH}"),
    ("network.input=[fixed<4,2>]", "network.input=[fixed<4,2>]: no format"),
    ("network.activation=fixed<8,1>", "network.activation fixed<8,1>: ReLU has no negative values; use ufixed"),
    ("network.hidden=32,32", "network.hidden=32,32: write a list: [32,32]"),
    ("network.hidden=32", "network.hidden=32: write a list: [32]"),
    ("network.init_args.hidden=32,32", "network.init_args.hidden=32,32: write a list: [32,32]"),
    ("network.hidden=[a]", f"network.hidden=[a]: {WHOLE}"),
    ("network.hidden={a: 3}", "network.hidden={a: 3}: must be a list"),
    ("network.hidden=[32,32", "network.hidden=[32,32: must be a list"),
    ("network.wieght.width=3", "unknown key network.wieght.width; did you mean network.weight.width?"),
    ("network.features=3.5", f"network.features=3.5: {WHOLE}"),
    ("network.learned_bits=weights", "network.learned_bits=weights: choose one of weight, neuron, tensor"),
    ("network=foo", "network=foo: name a network, such as nanotrigger.networks.MLP"),
    ("network.class_path=foo.Bar", "network.class_path=foo.Bar: there is no such class (No module named 'foo')"),
    ("network=nanotrigger.networks.MPL", "network=nanotrigger.networks.MPL: there is no such class"),
    ("network.class_path=torch.Tensor", "network.class_path=torch.Tensor: it is of another kind; give a network, such"),
    ("model=nothing", "model=nothing: name a task, such as nanotrigger.tasks.JetTagging"),
    ("model.learning_rate=fast", f"model.learning_rate=fast: {NUMBER}"),
    ("model.schedule=cosin", "model.schedule=cosin: choose one of cosine, constant, plateau"),
    ("data.batch_size=many", f"data.batch_size=many: {WHOLE}"),
    ("trainer.max_epochs=many", f"trainer.max_epochs=many: {WHOLE}"),
    ("trainer.deterministic=maybe", f"trainer.deterministic=maybe: {TRUTH} or warn"),
    ("trainer.precision=17", "trainer.precision=17: choose one of 64, 32, 16,"),
    ("trainer.devices=x", "trainer.devices=x: "),
    ("trainer.logger=foo", "trainer.logger=foo: must be the whole path of a class or"),
    ("trainer=3", "trainer=3: must hold keys; write trainer.KEY=VALUE"),
    ("seed=x", "seed=x: must be true or false or a whole number"),
    ("evaluate=maybe", f"evaluate=maybe: {TRUTH}"),
    ("pruning.scope=channel", "pruning.scope=channel: choose one of layer, global"),
    ("pruning.exclude=dense_1", "pruning.exclude=dense_1: write a list: [dense_1]"),
    ("pruning=3", "pruning=3: must hold keys; write pruning.KEY=VALUE"),
    ("checkpoint.mode=3", "checkpoint.mode=3: "),
    ("foo", "foo: write key=value; --print_config shows all keys"),
    ("--network.weight.width", "network.weight.width has no value; write network.weight.width=VALUE"),
]


@pytest.mark.parametrize(("word", "line"), WRONG, ids=[word for word, _ in WRONG])
def test_jets_on_the_command_line(monkeypatch, word, line):
    assert line in said(monkeypatch, "experiment=jets_qat", word)


@pytest.mark.parametrize(
    ("experiment", "word", "line"),
    [
        ("ad_ae_qat", "network.tensors=3", "network.tensors=3: must be keys with values"),
        ("ad_ae_qat", "network.tensors={dense_3.weight: int8}", f"int8: {FORMAT}"),
        (
            "ad_ae_qat",
            "network.tensors.dense_3.weight.width=4",
            "unknown key network.tensors.dense_3.weight.width; a name with a dot goes into braces: network.tensors={",
        ),
        ("ad_vae_qat", "network.latent=fixed<4;2>", f"network.latent=fixed<4;2>: {FORMAT}"),
        ("ad_ae_qat", "data.signals=foo", "data.signals=foo: write a list: [foo]"),
        ("jets_budget", "budget.aluts=many", f"budget.aluts=many: {NUMBER}"),
        ("jets_budget", "budget.target.clock_period=x", f"budget.target.clock_period=x: {NUMBER}"),
    ],
)
def test_other_experiments(monkeypatch, experiment, word, line):
    assert line in said(monkeypatch, f"experiment={experiment}", word)


JETS = {
    "model": {"class_path": "nanotrigger.tasks.JetTagging"},
    "data": {"class_path": "nanotrigger.tasks.JetData"},
    "network": {"class_path": "nanotrigger.networks.MLP"},
}


def network(**arguments) -> dict:
    return {"network": {**JETS["network"], "init_args": arguments}}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (network(hidden="32,32"), "network.hidden=32,32: write a list: [32,32]"),
        (network(weight={"width": "four", "integer": 2}), f"network.weight.width=four: {WHOLE}"),
        (network(weight={"width": 4}), "network.weight={width: 4}: integer is missing"),
        (network(weight="int8"), f"network.weight=int8: {FORMAT}"),
        (network(wieght="fixed<4,2>"), "unknown key network.init_args.wieght; did you mean network.weight?"),
        ({"network": {"class_path": "nanotrigger.networks.MPL"}}, "network.class_path=nanotrigger.networks.MPL: there"),
        ({"network": 3}, "network=3: name a network"),
        ({"trainer": {"max_epochs": "many"}}, f"trainer.max_epochs=many: {WHOLE}"),
        ({"trainr": {"max_epochs": 3}}, "unknown key trainr; did you mean trainer?"),
        ({"pruning": {"scope": "x"}}, "pruning.scope=x: choose one of layer, global"),
    ],
)
def test_in_a_file(monkeypatch, tmp_path, changes, line):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({**JETS, **changes}))
    assert said(monkeypatch, "fit", "-c", str(file)).startswith(f"{file}: {line}")


@pytest.mark.parametrize(
    ("text", "line"),
    [("trainer: [\n", "{} is no YAML: "), ("- 3\n", "{} holds no keys; write key: value")],
)
def test_a_file_that_is_no_configuration(monkeypatch, tmp_path, text, line):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    assert said(monkeypatch, "fit", "-c", str(file)).startswith(line.replace("{}", str(file)))


def test_a_class_of_ones_own_has_its_keys_as_typed(monkeypatch, tmp_path):
    (tmp_path / "their_networks.py").write_text(
        "from nanotrigger.networks import MLP\nclass Mine(MLP):\n    def __init__(self, **others):\n"
        "        super().__init__(**others)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    line = said(monkeypatch, "experiment=jets_qat", "network.class_path=their_networks.Mine", "network.wieght.width=3")
    assert line.startswith("unknown key network.wieght.width; ")


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("clok_period=2", "unknown key export.clok_period; did you mean export.clock_period? --help"),
        ("clock_period=fast", f"export.clock_period=fast: {NUMBER}"),
        ("reuse_factor=1.5", f"export.reuse_factor=1.5: {WHOLE}"),
        ("softmax=maybe", f"export.softmax=maybe: {TRUTH}"),
        ("--clock_period", "export.clock_period has no value; write export.clock_period=VALUE"),
        ("foo", "foo: write key=value; --help shows all keys"),
    ],
)
def test_of_an_export(word, line):
    with pytest.raises(InputError) as caught:
        read_settings(export_parser(), ["ckpt=best.ckpt", word], prefix="export.")
    assert str(caught.value).startswith(line)


def test_what_is_missing_is_named():
    parser = settings_parser("")
    parser.add_argument("--ckpt", type=str, required=True)
    with pytest.raises(InputError, match="^ckpt is missing; give it as well"):
        read_settings(parser, [])


def test_what_is_right_is_read():
    parser = settings_parser("")
    parser.add_argument("--clock_period", type=float, default=5.0)
    assert read_settings(parser, ["clock_period=2"]).clock_period == 2


def test_a_logger_without_its_package():
    complaint = "Problem with given class_path 'lightning.WandbLogger':\n Requirement 'wandb>=0.12' not met."
    with pytest.raises(InputError, match="WandbLogger needs wandb: pip install wandb"), said_plainly([]):
        raise ValueError(complaint)
