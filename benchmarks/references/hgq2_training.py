"""Epoch times of HGQ2's small jet network, 64-32-32-5: python hgq2_training.py DATA.npz BATCH EPOCHS.

Runs in an environment of its own, made by benchmarks/training.py. The last line is a JSON list of seconds.
"""

import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from hgq.config import LayerConfigScope, QuantizerConfigScope
from hgq.layers import QDense


class Clock(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.times = []

    def on_epoch_end(self, epoch, logs=None) -> None:
        self.times.append(time.perf_counter())


def network(features: int, classes: int) -> keras.Model:
    with (
        QuantizerConfigScope(place="all", default_q_type="kbi", overflow_mode="SAT_SYM"),
        QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP"),
        LayerConfigScope(enable_ebops=True, beta0=1e-5),
    ):
        hidden = [QDense(units, activation="relu") for units in (64, 32, 32)]
        model = keras.Sequential([keras.layers.Input((features,)), *hidden, QDense(classes)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss, metrics=["accuracy"], jit_compile=True)
    return model


def main() -> None:
    path, batch, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    data = np.load(path)
    model = network(data["train"].shape[1], int(data["train_labels"].max()) + 1)
    clock = Clock()
    start = time.perf_counter()
    model.fit(
        data["train"],
        data["train_labels"],
        batch_size=batch,
        epochs=epochs,
        validation_data=(data["validation"], data["validation_labels"]),
        callbacks=[clock],
        verbose=0,
    )
    print(json.dumps(np.diff([start, *clock.times]).tolist()))


if __name__ == "__main__":
    main()
