"""What oneAPI tells an export: checks, names, and the testbench's data."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.firmware.backends import BACKENDS, backend_named, backend_of
from nanotrigger.firmware.record import Firmware, Layer, write_record
from nanotrigger.firmware.target import Target
from nanotrigger.numbers import FixedPoint

FORMAT = FixedPoint(16, 6)
ONEAPI = BACKENDS["oneapi"]


def test_the_testbench_gets_the_same_events_as_values(tmp_path):
    inputs, outputs = np.array([[1, -2], [3, 32767]]), np.array([[5], [-6]])
    layers = [
        Layer(name, name, name, name, size, 1, {"result": "fixed<16,6>"}, name)
        for name, size in (("in", 2), ("out", 1))
    ]
    write_record(Firmware("small", "Agilex7", 5.0, "io_parallel", tuple(layers)), tmp_path)
    ONEAPI.write_testbench(tmp_path, inputs, outputs, formats=(FORMAT, FixedPoint(12, 4)))
    values, expected = (
        np.loadtxt(tmp_path / "tb_data" / name) for name in ("tb_input_features.dat", "tb_output_predictions.dat")
    )
    assert (values == inputs * 2.0**-10).all()
    assert (expected == outputs[:, 0] * 2.0**-8).all()
    script = (tmp_path / "host_sycl" / "run.sh").read_text()
    assert "-D NETWORK=small_double -D INPUTS=2 -D OUTPUTS=1" in script
    assert f"-D INPUT_STEP={(2.0**-10).hex()} -D OUTPUT_STEP={(2.0**-8).hex()}" in script


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("jets_qat", "jets_qat"), ("Jets, 4 bits", "jets_4_bits"), ("4bits", "nn_4bits_"), ("defines", "nn_defines_")],
)
def test_every_experiment_gives_a_name_that_cpp_can_bear(wanted, name):
    assert ONEAPI.project_name(wanted) == name


def test_a_target_is_checked_before_any_work():
    ONEAPI.check(Target())
    with pytest.raises(InputError, match="reuse_factor 0: must be at least 1"):
        ONEAPI.check(Target(reuse_factor=0))


def test_an_unknown_back_end_is_named_with_those_that_there_are():
    with pytest.raises(InputError, match="backend=verilog: must be oneapi"):
        backend_named("verilog")


@pytest.mark.parametrize("parity", [{}, {"target": {"softmax": True}}, {"target": {"backend": "oneapi"}}])
def test_a_former_export_is_of_the_default(parity):
    assert backend_of(parity) is ONEAPI
