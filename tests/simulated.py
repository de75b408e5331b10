"""What Icarus Verilog computes of a datapath."""

import subprocess
from pathlib import Path

import numpy as np

from nanotrigger.datapath.datapath import Datapath, Words
from nanotrigger.datapath.schedule import schedule
from nanotrigger.verilog.write import has_negative_outputs, output_width, verilog

BENCH = """
`default_nettype none
module bench;
    reg clock = 0, reset = 1, in_valid = 0;
    reg [{high}:0] features;
    reg [{high}:0] events [0:{last}];
    wire out_valid;
    wire [{outputs_high}:0] outputs;
    integer event_number;
    always #1 clock = ~clock;
    nanotrigger network (.clock(clock), .reset(reset), .in_valid(in_valid), .features(features), .out_valid(out_valid),
                         .outputs(outputs));
    always @(negedge clock) if (out_valid) $display("%h", outputs);
    initial begin
        $readmemh("events.hex", events);
        repeat (2) @(posedge clock);
        #0.5 reset = 0;
        in_valid = 1;
        for (event_number = 0; event_number <= {last}; event_number = event_number + 1) begin
            features = events[event_number];
            @(posedge clock); #0.5;
        end
        in_valid = 0;
        repeat ({latency} + 2) @(posedge clock);
        $finish;
    end
endmodule
"""


def simulated_words(datapath: Datapath, inputs: Words, folder: Path, *, levels: int = 3) -> Words:
    """Return output words, shape (events, outputs), of input words, shape (events, inputs)."""
    plan, width = schedule(datapath, levels), output_width(datapath)
    bits = datapath.input_width
    lines = []
    for row in inputs.tolist():
        packed = sum((word & ((1 << bits) - 1)) << (place * bits) for place, word in enumerate(row))
        lines.append(f"{packed:x}\n")
    (folder / "events.hex").write_text("".join(lines))
    bench = BENCH.format(
        high=len(inputs[0]) * bits - 1,
        last=len(inputs) - 1,
        outputs_high=len(datapath.outputs) * width - 1,
        latency=plan.count,
    )
    (folder / "bench.v").write_text(verilog(plan) + bench)
    build = ["iverilog", "-g2012", "-Wall", "-Wno-timescale", "-o", "bench.vvp", "bench.v"]
    compiled = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=True)
    assert not compiled.stderr, compiled.stderr
    done = subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder, capture_output=True, text=True, check=True)
    rows = []
    for line in done.stdout.split():
        packed = int(line, 16)
        words = [packed >> (place * width) & ((1 << width) - 1) for place in range(len(datapath.outputs))]
        signed = has_negative_outputs(datapath)
        rows.append([word - (1 << width) if signed and word >> (width - 1) else word for word in words])
    return np.array(rows, np.int64)
