"""C++ whose neurons share adders computes the same words; what cannot be written so is refused."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends.oneapi.checks import check_target
from nanotrigger.firmware.backends.oneapi.shared_adders import HEADER
from nanotrigger.firmware.target import Target
from nanotrigger.numbers import FixedPoint
from tests.made_firmware import differing
from tests.made_graphs import Layer, Result, chain


def test_layers_are_functions_that_compute_the_same(tmp_path):
    random = np.random.default_rng(0)
    relu, last = Result(FixedPoint(5, 3, signed=False), relu=True), Result(FixedPoint(9, 6))
    weights = random.integers(-15, 16, (6, 8)), random.integers(-15, 16, (8, 5))
    biases = random.integers(-9, 10, 8), random.integers(-9, 10, 5)
    first = Layer("a", weights[0], 0.25, biases[0], 0.5, results=(relu,))
    graph = chain(FixedPoint(6, 3), (first, Layer("b", weights[1], 0.25, biases[1], 0.125, results=(last,))))
    features = {"features": np.concatenate([random.normal(0, 2, (400, 6)), random.choice([-9.0, 9.0], (64, 6))])}
    assert differing(graph, features, tmp_path, adders="shared") == 0
    header = (tmp_path / "hls" / "src" / "firmware" / HEADER).read_text()
    assert header.count("inline void") == 2
    assert "nnet::dense_resource" not in (tmp_path / "hls" / "src" / "firmware" / "made.cpp").read_text()


@pytest.mark.parametrize("other", [{"io_type": "io_stream"}, {"reuse_factor": 2}, {"precision": "fixed<16,6>"}])
def test_only_what_is_unrolled_and_quantized_shares_adders(other):
    check_target(Target(**other))
    with pytest.raises(InputError, match="adders=shared: is for quantized networks with io_type=io_parallel"):
        check_target(Target(adders="shared", **other))
