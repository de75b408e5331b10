"""Epoch times of HGQ2's small jet network, 64-32-32-5: python hgq2_training.py DATA.npz BATCH EPOCHS.

Runs in an environment of its own, made by benchmarks/training.py. The last line is a JSON list of seconds.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from hgq.config import LayerConfigScope, QuantizerConfigScope
from hgq.layers import QDense
from hgq.utils.sugar import Dataset


class Clock(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.times = []

    def on_epoch_end(self, epoch, logs=None) -> None:
        self.times.append(time.perf_counter())


def network(features: int, classes: int, steps_at_once: int) -> keras.Model:
    with (
        QuantizerConfigScope(place="all", default_q_type="kbi", overflow_mode="SAT_SYM"),
        QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP"),
        LayerConfigScope(enable_ebops=True, beta0=1e-5),
    ):
        hidden = [QDense(units, activation="relu") for units in (64, 32, 32)]
        model = keras.Sequential([keras.layers.Input((features,)), *hidden, QDense(classes)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer, metrics = keras.optimizers.Adam(5e-3), ["accuracy"]
    model.compile(optimizer, loss, metrics=metrics, jit_compile=True, steps_per_execution=steps_at_once)
    return model


def main() -> None:
    path, batch, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    data = np.load(path)
    is_on_gpu = jax.default_backend() == "gpu"
    model = network(data["train"].shape[1], int(data["train_labels"].max()) + 1, steps_at_once=4 if is_on_gpu else 1)
    clock = Clock()
    splits = [(data[part], data[f"{part}_labels"]) for part in ("train", "validation")]
    if is_on_gpu:  # as in HGQ2's example
        train, validation = (Dataset(*arrays, batch_size=batch, device="gpu:0") for arrays in splits)
        given = {"x": train, "validation_data": validation}
    else:
        given = {"x": splits[0][0], "y": splits[0][1], "batch_size": batch, "validation_data": splits[1]}
    start = time.perf_counter()
    model.fit(**given, epochs=epochs, callbacks=[clock], verbose=0)
    print(json.dumps(np.diff([start, *clock.times]).tolist()))


if __name__ == "__main__":
    main()
