"""Networks of others: what a checkpoint could not name, or not build anew, is refused before it is trained."""

import pytest
import torch
from torch import Tensor

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP, NETWORKS, Autoencoder, VariationalAutoencoder, check_listed, check_rebuilt
from nanotrigger.numbers import FixedPoint

NUMBER, NARROW = FixedPoint(16, 6), FixedPoint(4, 2, narrow=True)
QUANTIZED = {"input": NUMBER, "weight": NARROW, "bias": NARROW, "activation": FixedPoint(8, 1, signed=False)}


class Same(MLP):
    """A classifier that starts elsewhere."""

    def __init__(self, **others) -> None:
        super().__init__(**others)
        torch.nn.init.ones_(self.layers.dense_1.weight)


class Scaled(MLP):
    """A classifier with an argument that its configuration does not hold."""

    def __init__(self, scale: float = 1.0, **others) -> None:
        super().__init__(**others)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * super().forward(features)


class Kept(Scaled):
    """The same with one that holds it."""

    def __init__(self, scale: float = 1.0, **others) -> None:
        super().__init__(scale, **others)
        self.configuration = {**self.configuration, "scale": scale}


class Narrow(MLP):
    """A classifier that does not take the arguments in its configuration."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__(hidden=[4], classes=classes)


class Wider(Autoencoder):
    """An autoencoder with a layer more than it is built with."""

    def __init__(self, **others) -> None:
        super().__init__(**others)
        self.more = torch.nn.Linear(2, 2 + len(NETWORKS))


OWN = (Same, Scaled, Kept, Narrow, Wider)


@pytest.fixture
def listed(monkeypatch):
    for kind in OWN:
        monkeypatch.setitem(NETWORKS, kind.__name__, kind)


@pytest.mark.parametrize("kind", NETWORKS.values())
def test_ours_are_listed(kind):
    check_listed(f"{kind.__module__}.{kind.__qualname__}")


def test_another_one_is_listed_or_refused(listed):
    for kind in OWN:
        check_listed(f"{__name__}.{kind.__name__}")
    NETWORKS.pop("Same")
    with pytest.raises(
        InputError, match=r"Same: none of the networks MLP, .*add nanotrigger.networks.NETWORKS.\"Same\""
    ):
        check_listed(f"{__name__}.Same")
    NETWORKS["Same"] = MLP  # another one has the name
    with pytest.raises(InputError, match="give it a name of its own"):
        check_listed(f"{__name__}.Same")


@pytest.mark.parametrize(
    "network",
    [
        MLP,
        lambda: MLP(hidden=[], **QUANTIZED),
        lambda: MLP(hidden=[4], **{**QUANTIZED, "weight": [NARROW, NUMBER]}, learned_bits="neuron"),
        Autoencoder,
        lambda: VariationalAutoencoder(hidden=[8], **QUANTIZED),
        Same,
        lambda: Kept(scale=2.0),
        lambda: Scaled(scale=1.0),
    ],
)
def test_a_network_that_is_the_same_when_built_anew(listed, network):
    built = network()
    torch.manual_seed(3)
    check_rebuilt(built)
    assert built.training
    assert torch.equal(torch.rand(2), torch.manual_seed(3) and torch.rand(2))  # the training draws what it would


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (lambda: Scaled(scale=2.0), "network Scaled: built anew from its `configuration`.* computes other outputs"),
        (Narrow, "network Narrow: .*unexpected keyword argument 'features'"),
    ],
)
def test_a_network_that_is_another_one_when_built_anew(listed, network, told):
    with pytest.raises(InputError, match=told):
        check_rebuilt(network())


def test_a_network_with_other_tensors_when_built_anew(listed, monkeypatch):
    network = Wider()
    monkeypatch.setitem(NETWORKS, "One more", MLP)
    with pytest.raises(InputError, match="network Wider: .*size mismatch"):
        check_rebuilt(network)
