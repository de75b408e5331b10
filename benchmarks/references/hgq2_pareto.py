"""Networks of HGQ2 under a rising price: python hgq2_pareto.py DATA.npz SECONDS SEED FOLDER.

Its small jet network, 64-32-32-5, with bits of every weight and every activation, in batches of 8192; β rises and the
learning rate falls exponentially, by the share of the processor time that has passed. Runs in an environment of its
own, made by benchmarks/pareto.py. Networks on its way down are kept, each calibrated on the training split and written
as Verilog by alkaid; the time for that does not count. What is kept is in `alkaid_verilog.Record`.

Its example (example/small_jet_tagger.ipynb) has a fixed β of 5e-6 for 3,000 epochs and batches of 33,200 on a GPU; β
rises here as in its authors' scans. Formats are kif with WRAP, for weights too: SAT_SYM, the example's, leaves weights
with leading zeros. Values are rounded to the nearest, its default. Cut off instead (round_mode TRN for activations, one
seed) they gave 73.4 % at 1,995 ALUTs and 73.7 % at 2,424, against 73.0 % at 1,970 and 73.3 % at 2,815.
"""

import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from alkaid_verilog import Record
from hgq.config import LayerConfigScope, QuantizerConfigScope
from hgq.layers import QDense
from hgq.utils import trace_minmax

BATCH, KEPT = 8192, 60
RATES, BETAS = (5e-3, 1e-3), (1e-6, 6e-4)  # at the beginning and at the end
HIDDEN = (64, 32, 32)


def network(features, classes):
    with (
        QuantizerConfigScope(place="all", default_q_type="kif", overflow_mode="WRAP"),
        LayerConfigScope(enable_ebops=True, beta0=BETAS[0]),
    ):
        hidden = [QDense(units, activation="relu") for units in HIDDEN]
        model = keras.Sequential([keras.layers.Input((features,)), *hidden, QDense(classes)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATES[0]), loss, metrics=["accuracy"], jit_compile=True)
    return model


def between(ends, share):
    return ends[0] * (ends[1] / ends[0]) ** share


class Course(keras.callbacks.Callback):
    """Set β and the learning rate by the share of the time that has passed; keep networks; stop in time."""

    def __init__(self, seconds, data):
        super().__init__()
        self.seconds, self.data = seconds, data
        self.start = time.process_time()
        self.kept = []

    @property
    def share(self):
        return min((time.process_time() - self.start) / self.seconds, 1.0)

    def on_epoch_begin(self, epoch, logs=None):
        for layer in self.model.layers:
            layer._beta.assign(between(BETAS, self.share))
        self.model.optimizer.learning_rate.assign(between(RATES, self.share))

    def on_epoch_end(self, epoch, logs=None):
        share = self.share
        if share * KEPT >= len(self.kept) + 1:
            begin = time.process_time()
            trace_minmax(self.model, self.data["train"], batch_size=50_000)
            self.kept.append(self.model.get_weights())
            self.start += time.process_time() - begin
        if share >= 1:
            self.model.stop_training = True


def add(record, model, data):
    """Add the network to the record; return whether larger ones fit."""
    scores = {}
    for part in ("validation", "test"):
        logits = model.predict(data[part], batch_size=50_000, verbose=0)
        scores[part] = np.mean(logits.argmax(axis=1) == data[f"{part}_labels"])
    layers = [
        (np.array(layer.qkernel), np.array(layer.iq.bits_((1, layer.kernel.shape[0])))[0]) for layer in model.layers
    ]
    quantizer = model.layers[0].iq.quantizer
    shape = (1, data["train"].shape[1])
    formats = [np.array(quantizer.bw_mapper.bw_to_x(part, shape))[0] for part in quantizer.kif]
    sample = data["test"][:1000]
    words = np.array(model.layers[0].iq(sample), dtype=np.float64)
    return record.add(model, scores, layers, formats, (words, model.predict(sample, verbose=0)))


def main():
    path, seconds, seed, folder = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    keras.utils.set_random_seed(seed)
    data = dict(np.load(path))
    model = network(data["train"].shape[1], int(data["train_labels"].max()) + 1)
    course = Course(seconds, data)
    model.fit(data["train"], data["train_labels"], batch_size=BATCH, epochs=1_000_000, callbacks=[course], verbose=0)
    record = Record(folder, "keras")
    for weights in reversed(course.kept):
        model.set_weights(weights)
        if not add(record, model, data):
            break
    record.write()


if __name__ == "__main__":
    main()
