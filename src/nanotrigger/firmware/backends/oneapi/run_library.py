"""Child process: call one function of a compiled firmware library for every row of an array.

    python run_library.py LIBRARY FUNCTION INPUTS.npy OUTPUTS.npy

The arrays are float64. OUTPUTS.npy is mapped and filled in place, so that after an abort, which the
fixed-point types do on a failed assertion, it still tells how far the firmware came.

It is a process of its own so that an abort does not end the caller, and imports little to start fast.
"""

import ctypes
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_STACK = 1 << 30  # bytes; every layer's values are variables of one function, and only what is used takes memory


def run(library: str, function: str, inputs_file: str, outputs_file: str) -> None:
    """Call `function(const double *row, double *outputs)` for every row of the inputs."""
    inputs = np.ascontiguousarray(np.load(inputs_file))
    outputs = np.load(outputs_file, mmap_mode="r+")
    call = getattr(ctypes.CDLL(library), function)
    call.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    call.restype = None
    source, target = inputs.ctypes.data, outputs.ctypes.data
    for _ in range(len(inputs)):
        call(source, target)
        source += inputs.strides[0]
        target += outputs.strides[0]


if __name__ == "__main__":
    threading.stack_size(_STACK)
    with ThreadPoolExecutor(1) as executor:
        executor.submit(run, *sys.argv[1:]).result()
