"""Words: what figures call a key of the configuration."""

from collections.abc import Sequence

_WORDS = {
    "network.input": "inputs",
    "network.weight": "weights",
    "network.bias": "biases",
    "network.activation": "activations",
    "network.output": "outputs",
    "network.hidden": "hidden layers",
    "pruning.sparsity": "sparsity",
    "export.precision": "the firmware's words",
    "export.clock_period": "clock period [ns]",
    "trainer.max_epochs": "epochs",
}


def in_words(keys: Sequence[str]) -> str:
    """Return keys that are scanned together in words; one that has none as it is spelled after its last dot.

    >>> in_words(["network.weight", "network.bias"]), in_words(["export.reuse_factor"])
    ('weights and biases', 'reuse factor')
    """
    return " and ".join(_WORDS.get(key) or key.rpartition(".")[2].replace("_", " ") for key in keys)
