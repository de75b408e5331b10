"""The structural count agrees with the vendor's recorded estimates."""

import numpy as np
import pytest

from nanotrigger.cost.report import NAMES, ResourceRow, Resources, total
from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.firmware.target import Target

SEEDS = 40
LECUN = (-(3**0.5), 3**0.5)  # of one input

# Dense(1→64) with ELU: 8,793 ALUTs, 7,113 FFs, 189 RAMs. Dense(1→2) has 6 RAMs, three to a table, so there are
# 63 tables here. To them belong 6,065 ALUTs beyond shell and counted products, and 5,989 FFs beyond those with ReLU.
ELU_VALUE = Resources(aluts=96, ffs=95, rams=3)


def elu_row(layer: str, values: int) -> ResourceRow:
    """Return what the tables of an ELU cost; no network of this package has one, but the records do."""
    return ResourceRow(name=layer, kind="activation", **{name: values * getattr(ELU_VALUE, name) for name in NAMES})


def mean_count(
    recorded_dense, limits: tuple[float, float], outputs: int, *, relu: bool = False, elu: int = 0
) -> np.ndarray:
    """Return ALUTs, FFs, RAMs and MLABs, the mean over random weights."""
    counts = []
    for seed in range(SEEDS):
        weights = np.random.default_rng(seed).uniform(*limits, size=(1, outputs))
        report = structural_report(recorded_dense(weights, relu=relu).unroll(), Target())
        used = total([*report.rows, elu_row("dense", elu)])
        counts.append([used.aluts, used.ffs, used.rams, used.mlabs])
    return np.mean(counts, axis=0)


# Records: test_keras_api_test_activations_io_parallel-oneAPI-{relu,leaky_relu}.json and
# test_keras_api_test_dense_io_parallel-oneAPI.json of oneAPI 2025.0.
@pytest.mark.parametrize(
    ("name", "limits", "outputs", "activation", "record", "tolerance"),
    [
        ("Dense(1→64) + ReLU", LECUN, 64, {"relu": True}, (3737, 1124, 0, 52), 0.10),
        ("Dense(1→64) + leaky ReLU of slope 1", LECUN, 64, {}, (2819, 1124, 0, 52), 0.10),
        ("Dense(1→2) + ELU", (1.0, 10.0), 2, {"elu": 2}, (413, 299, 6, 2), 0.25),
    ],
)
def test_recorded_estimates(recorded_dense, capsys, name, limits, outputs, activation, record, tolerance):
    aluts, ffs, rams, mlabs = mean_count(recorded_dense, limits, outputs, **activation)
    with capsys.disabled():
        print(
            f"\n{name}: {aluts:.0f} ALUTs (record {record[0]}, {aluts / record[0] - 1:+.1%}), "
            f"{ffs:.0f} FFs (record {record[1]}, {ffs / record[1] - 1:+.1%}), {mlabs:.0f} MLABs (record {record[3]})"
        )
    assert aluts == pytest.approx(record[0], rel=tolerance)
    assert ffs == pytest.approx(record[1], rel=tolerance)
    assert (rams, mlabs) == (record[2], record[3])
