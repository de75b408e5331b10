"""Print the structural count beside open synthesis, for random networks; takes some minutes.

    python benchmarks/synthesis.py

The networks are those of benchmarks/structural.py: jets at 2, 4, 6 and 8 bits, dense and with 75 % of the weights zero,
and the autoencoder. Datapath alone, with a register after every two levels of adders. What Yosys prints goes to
synthesis.log, in the temporary folder that the last line names.
"""

import tempfile
import time
from pathlib import Path

from structural import AUTOENCODER, JETS, random_network

from nanotrigger.cost.report import ResourceReport
from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.cost.sources.yosys import LOG, synthesis_report
from nanotrigger.firmware.target import Target

LEVELS = 2
NETWORKS = [("jets", JETS, bits, bits, sparsity) for bits in (2, 4, 6, 8) for sparsity in (0.0, 0.75)]
NETWORKS += [("autoencoder", AUTOENCODER, 4, 8, 0.0)]


def comparison(counted: ResourceReport, synthesized: ResourceReport) -> str:
    """Return ALUTs and FFs as counted and as synthesized, with the relative difference."""
    columns = []
    for name in ("aluts", "ffs"):
        mine, theirs = getattr(counted.used, name), getattr(synthesized.used, name)
        columns.append(f"{mine:>9,}{theirs:>9,}{mine / theirs - 1:>+8.1%}")
    return "".join(columns)


def main() -> None:
    """Print a line for each network."""
    log = Path(tempfile.mkdtemp(prefix="nanotrigger."), LOG)
    columns = "".join(f"{name:>9}{'Yosys':>9}{'':>8}" for name in ("ALUTs", "FFs"))
    print(f"{'network':<12}{'weights':>8}{'words':>7}{'zeros':>7}{columns}{'s':>7}")
    for name, widths, weight_bits, bits, sparsity in NETWORKS:
        network = random_network(widths, weight_bits, bits, sparsity)
        datapath = network.unroll()
        counted = structural_report(datapath, Target(), scope="datapath", levels=LEVELS)
        begin = time.perf_counter()
        synthesized = synthesis_report(datapath, Target(), log=log, levels=LEVELS)
        seconds = time.perf_counter() - begin
        row = f"{name:<12}{weight_bits:>8}{bits:>7}{sparsity:>7.0%}{comparison(counted, synthesized)}{seconds:>7.0f}"
        print(row, flush=True)
    print(f"log: {log}")


if __name__ == "__main__":
    main()
