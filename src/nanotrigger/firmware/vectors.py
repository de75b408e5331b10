"""Test vectors: inputs that saturate and tie, and files of integer words for an FPGA engineer."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotrigger.files import whole_file, write_text
from nanotrigger.numbers import FixedPoint

Array = NDArray[np.float64]
MAXIMUM_EVENTS = 10_000  # of test data in the files
_FILES = ("inputs.txt", "expected.txt")
_VALUES = 1 << 23  # of inputs of which each is at a limit in one event


def extreme_inputs(number: FixedPoint, features: int, *, rows: int = 1024, seed: int = 0) -> Array:
    """Return inputs at and beyond the edges of a format, shape (at least `rows`, features).

    Each feature alone at its limits (of very many some, spread over all), all features at random limits, far beyond
    them, on ties between two words, and anywhere in the range. All are float32 values, so that no witness has to round
    them.
    """
    generator = np.random.default_rng(seed)
    limits = np.array([number.minimum, number.maximum])
    places = spread(features, _VALUES // features)
    alone = np.concatenate([np.where(np.arange(features) == places[:, None], limit, 0.0) for limit in limits])
    uniform = [np.full((1, features), value) for value in (*limits, 0.0, number.step, -number.step)]
    shape = (-(-max(rows - len(alone) - len(uniform), 4) // 4), features)
    corners = generator.choice(limits, shape)
    beyond = generator.choice(limits, shape) * generator.uniform(1.0, 16.0, shape)
    ties = (generator.integers(number.minimum_word, number.maximum_word + 1, shape) + 0.5) * number.step
    anywhere = generator.uniform(1.1 * number.minimum, 1.1 * number.maximum, shape)
    inputs = np.concatenate([alone, *uniform, corners, beyond, ties, anywhere])
    return inputs.astype(np.float32).astype(np.float64)


def spread(count: int, most: int) -> NDArray[np.intp]:
    """Return at most so many of the places from 0 to `count`, spread over all of them.

    >>> spread(9, 3)
    array([0, 4, 8])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


def write_vectors(
    folder: Path, inputs: NDArray[np.int64], outputs: NDArray[np.int64], *, formats: tuple[FixedPoint, FixedPoint]
) -> None:
    """Write input and expected output words, one event a line, and a README on their format.

    Args:
        folder: receives inputs.txt, expected.txt and README.md.
        inputs: words, shape (events, inputs).
        outputs: words of the verified network, shape (events, outputs).
        formats: of the inputs and of the outputs.
    """
    for name, words in zip(_FILES, (inputs, outputs), strict=True):
        with whole_file(folder / name) as temporary:
            np.savetxt(temporary, words, fmt="%d")
    given, expected = formats
    write_text(
        folder / "README.md",
        f"""# Test vectors

`inputs.txt` and `expected.txt` hold {len(inputs):,} events, one a line, as decimal integer words separated by
blanks: {inputs.shape[1]} inputs of type `{given}` and {outputs.shape[1]} outputs of type `{expected}`
(`fixed<width,integer>` as in ac_fixed: the sign bit counts as an integer bit; two's complement).
A word times 2^-{given.width - given.integer} is the input's value, times 2^-{expected.width - expected.integer} the
output's. The firmware must give exactly these outputs.
""",
    )


def read_vectors(folder: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the input and the expected output words that `write_vectors` wrote, shapes as there."""
    inputs, outputs = (np.loadtxt(folder / name, dtype=np.int64, ndmin=2) for name in _FILES)
    return inputs, outputs
