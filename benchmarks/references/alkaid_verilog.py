"""What is kept of a peer's networks, and their Verilog, written by alkaid.

alkaid is the adder optimizer of HGQ2 and of PQuantML; both are read by plugins of their own. The inputs of the Verilog
are quantized words, as those of ours, so that their rounding costs nothing. Registers stand after LEVELS of its adders,
without which Yosys needs many minutes for a network of 2,000 ALUTs.
"""

from pathlib import Path

import numpy as np
from alkaid.codegen import RTLModel
from alkaid.converter import trace_model
from alkaid.trace import FVArray, trace

TOP = "nanotrigger_datapath"
LEVELS = 5  # as in alkaid's documentation
MOST = 8000  # of what alkaid estimates, in look-up tables: larger ones are none of the race's budgets


class Record:
    """Networks from the smallest on.

    FOLDER/networks.npz has, of each, the accuracy on the validation and the test split, its size as alkaid estimates
    it, and of each layer the weights and the bits of every input; FOLDER/NUMBER the Verilog of each on the front.
    """

    def __init__(self, folder, framework):
        self.folder, self.framework = Path(folder), framework
        self.arrays, self.logics, self.left_out = {}, [], 0

    def add(self, model, scores, layers, formats, sample):
        """Add a network; return whether it is at most MOST, so that the next larger one is to be read.

        `formats` are the sign, integer and fractional bits of its inputs, `sample` words and the model's logits. alkaid
        0.8.2 sometimes fails where it turns inputs of one bit into look-up tables; it then has to do without them. A
        network without inputs, or whose logic gives other logits all the same, is left out.
        """
        given = FVArray.from_kif(*(np.asarray(part).astype(np.int64) for part in formats))
        for options in ({}, {"binary_lut": False}):
            try:
                logic = trace(*trace_model(model, inputs=(given,), framework=self.framework, solver_options=options))
            except (StopIteration, AssertionError):
                continue
            if np.array_equal(logic.predict(sample[0]).astype(np.float32), sample[1]):
                break
        else:
            self.left_out += 1
            return True
        number = len(self.logics)
        self.logics.append(logic)
        self.arrays |= {f"{part}_{number}": score for part, score in scores.items()} | {f"size_{number}": logic.cost}
        for depth, (weights, bits) in enumerate(layers):
            self.arrays |= {f"weights_{depth}_{number}": weights, f"bits_{depth}_{number}": bits}
        return logic.cost <= MOST

    def write(self):
        """Write the record, and the Verilog of the networks that are better than all that alkaid takes for smaller."""
        best = -1.0
        for number in sorted(range(len(self.logics)), key=lambda number: self.logics[number].cost):
            if self.arrays[f"validation_{number}"] > best:
                best = self.arrays[f"validation_{number}"]
                RTLModel(
                    self.logics[number],
                    self.folder / str(number),
                    prj_name=TOP,
                    print_latency=False,
                    latency_cutoff=LEVELS,
                ).write()
        np.savez(self.folder / "networks.npz", left_out=self.left_out, **self.arrays)
