"""Calibration: the few numbers of the structural count that only the vendor's reports can tell.

The records are oneAPI 2025.0's early estimates for Agilex 7 at 5 ns, in the test suite of hls4ml (Apache-2.0): files
`test_keras_api_test_{activations,dense}_io_parallel-oneAPI*.json`, models in `test_keras_api.py`. Everything is
fixed<16,6>, truncated and wrapped. Weights are random: lecun-uniform, ±sqrt(3), for Dense(1→64), and uniform from 1 to
10 for Dense(1→2). The leaky ReLU has slope 1 and is no logic: 2,819 ALUTs, where ReLU makes it 3,737.

Two choices of the count rest on the same records. Multiples are summed from the top digit and share partial sums:
without sharing the count of Dense(1→64) is about half above the record, summed from the lowest digit about 15 % below.
The output register has the width of the output's format, whatever the range: 1,124 flip-flops for either activation.
"""

from nanotrigger.cost.report import Resources

# ALUTs: kernel `Myproject` in summary.ndjson of a streamed Dense(16→5), whose layers are kernels of their own, so that
# only the shell is left. FFs: Dense(1→64) with ReLU or leaky ReLU, 1,124, less 64 output words of 16 bits.
SHELL = Resources(aluts=95, ffs=100)

# Dense(1→64) with ELU: 8,793 ALUTs, 7,113 FFs, 189 RAMs. Dense(1→2) has 6 RAMs, three to a table, so there are
# 63 tables here. To them belong 6,065 ALUTs beyond shell and counted products, and 5,989 FFs beyond those with ReLU.
ELU_VALUE = Resources(aluts=96, ffs=95, rams=3)

# The output pipe holds 20 bits in an MLAB: 52 MLABs for 64 words of 16 bits, 2 for two words.
MLAB_BITS = 20
