"""Epoch times of the course's QKeras networks: python qkeras_training.py jets|anomaly DATA.npz BATCH EPOCHS.

Runs in an environment of its own, made by benchmarks/training.py. The last line is a JSON list of seconds.
"""

import json
import sys
import time

import numpy as np
from qkeras import QActivation, QDense, quantized_bits, quantized_relu
from tensorflow import keras


class Clock(keras.callbacks.Callback):
    def __init__(self) -> None:
        self.times = []

    def on_epoch_end(self, epoch, logs=None) -> None:
        self.times.append(time.perf_counter())


def dense(units: int, quantizer, **options):
    return QDense(units, kernel_quantizer=quantizer, bias_quantizer=quantizer, **options)


def jets(features: int, classes: int) -> keras.Model:
    """The course's quantized tagger: 4-bit weights, 8-bit activations."""
    weights = {
        "quantizer": quantized_bits(4, 1, 1, alpha=1),
        "kernel_initializer": "lecun_uniform",
        "kernel_regularizer": keras.regularizers.l1(1e-4),
    }
    layers = [keras.layers.Input((features,))]
    for units in (32, 32, 32):
        layers += [dense(units, **weights), QActivation(quantized_relu(8, 1))]
    layers += [dense(classes, **weights), keras.layers.Activation("softmax")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def anomaly(features: int) -> keras.Model:
    """The how-to's quantized autoencoder: 8-bit weights, 16 bits at the bottleneck and the end."""
    narrow = {"quantizer": quantized_bits(8, 3, 1, alpha=1), "kernel_initializer": "he_uniform"}
    wide = {"quantizer": quantized_bits(16, 6, 1, alpha=1), "kernel_initializer": "he_uniform"}
    layers = [keras.layers.Input((features,)), QActivation(quantized_bits(18, 8, alpha=1))]
    for units in (32, 16):
        layers += [dense(units, **narrow), QActivation(quantized_relu(8))]
    layers += [dense(3, **wide), QActivation(quantized_bits(16, 6, alpha=1))]
    for units in (16, 32):
        layers += [dense(units, **narrow), QActivation(quantized_relu(8))]
    layers += [dense(features, **wide), QActivation(quantized_bits(16, 6, alpha=1))]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    return model


def main() -> None:
    task, path, batch, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    data = np.load(path)
    train, validation = data["train"], data["validation"]
    if task == "jets":
        model = jets(train.shape[1], int(data["train_labels"].max()) + 1)
        targets, judged = data["train_labels"], data["validation_labels"]
    else:
        model, targets, judged = anomaly(train.shape[1]), train, validation
    clock = Clock()
    start = time.perf_counter()
    model.fit(
        train,
        targets,
        batch_size=batch,
        epochs=epochs,
        validation_data=(validation, judged),
        callbacks=[clock],
        verbose=0,
    )
    print(json.dumps(np.diff([start, *clock.times]).tolist()))


if __name__ == "__main__":
    main()
