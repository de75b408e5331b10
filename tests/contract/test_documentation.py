"""What the documentation gives: commands that are accepted, and the numbers of the records."""

import re
import shlex
import sys

import pytest

from nanotrigger.cli.arguments import config_files, train_arguments
from nanotrigger.cli.export import export_parser, read_target
from nanotrigger.cli.keys import check_keys
from nanotrigger.cli.training import CheckCLI, train
from nanotrigger.command import dashed
from tests.command import ROOT
from tests.made_parquet import make_columns, write_archive

CONFIGS = ROOT / "configs"
REFERENCE = ROOT / "checkpoints" / "reference"
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), REFERENCE / "README.md")
# an elision, a placeholder in <>, an option of the parser; a run that was trained; several GPUs; one's own signals;
# recipes for one's own data, which tests/unit/docs/test_own_data.py follows; loggers of others
LEFT_OUT = re.compile(
    r"…|<|--|(ckpt_path=RUN)|(accelerator=gpu)|(data\.signals=)|(data\.features=)|(own\.h5)|(trainer\.logger=)"
)


def commands(name: str) -> list[str]:
    """Return the arguments of all commands of a name, each once."""
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    call = rf"(?:python {name}\.py|nanotrigger {name}) ([^`#|\n]+)"
    found = {words.strip() for text in texts for words in re.findall(call, text)}
    return sorted(words for words in found if not LEFT_OUT.search(words))


@pytest.fixture(scope="module")
def fetched(tmp_path_factory):
    """A folder of fetched data, with zero bias of the CMS Level-1 set."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "cms_l1").mkdir()
    write_archive(folder / "cms_l1" / "train.tar", {"zerobias/run/train": make_columns(2000)}, rows=2000)
    return folder


@pytest.mark.parametrize("command", commands("train"))
def test_trainings(command, monkeypatch, fetched):
    if "experiment=l1" in command:
        monkeypatch.setenv("NANOTRIGGER_DATA", str(fetched))
    start = REFERENCE / ("jets_float.ckpt" if "=jets" in command else "ad_ae.ckpt")
    words = re.sub(r"(data/\w+|FILE)\.h5", "simulated", command).replace("RUN/best.ckpt", str(start))
    monkeypatch.setattr(sys, "argv", ["train.py"])
    arguments = train_arguments(shlex.split(words.replace("=N", "=500")), CONFIGS)
    check_keys(arguments, config_files(arguments))
    train(arguments, cli=CheckCLI)


@pytest.mark.parametrize("command", commands("export"))
def test_exports(command):
    read_target(export_parser().parse_args(dashed(shlex.split(command))))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_numbers_are_those_of_the_records(path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import tables

    document = path.read_text(encoding="utf-8")
    assert document == tables.rendered(document), "python docs/tables.py writes them"


def test_there_are_some():
    assert len(commands("train")) > 20
    assert len(commands("export")) > 5
