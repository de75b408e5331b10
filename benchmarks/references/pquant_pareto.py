"""Networks of PQuantML under a rising price: python pquant_pareto.py DATA.npz SECONDS SEED FOLDER [PRUNING].

Its jet example's network, 64-32-32-5, with bits of every weight and every activation (its high granularity
quantization, which is HGQ in PyTorch), in batches of 4096; β rises and the learning rate falls exponentially, by the
share of the processor time that has passed. Runs in an environment of its own, made by benchmarks/pareto.py. Networks
on its way down are kept and written as Verilog by alkaid, through PQuantML's own plugin; the time for that does not
count. What is kept is in `alkaid_verilog.Record`.

PRUNING is one of its methods on top of the price of bits, which prunes too: pdp, dst and so on; none by default. With
pdp, tried once, a layer came to have no weights left, which alkaid does not read. Its example has fixed formats and DST
for 1,000 epochs. Its integer bits of activations are those of the last batch, outside of which values wrap; they are
taken from the whole training split here before a network is kept.
"""

import copy
import os
import random
import sys
import time

os.environ["KERAS_BACKEND"] = "torch"

import numpy as np
import pquant
import torch
from alkaid_verilog import Record
from pquant.activations import PQActivation
from pquant.core.torch.layers import PQDense, post_epoch_functions, post_pretrain_functions, pre_epoch_functions

BATCH, KEPT, EPOCHS = 4096, 60, 1000  # EPOCHS: into which its pruning divides the time
RATES, BETAS, GAMMA = (5e-3, 1e-3), (1e-6, 6e-4), 1e-6
HIDDEN = (64, 32, 32)


class Network(torch.nn.Module):
    def __init__(self, config, features, classes):
        super().__init__()
        sizes = (features, *HIDDEN, classes)
        formats = [(1, 3, 3)] + [None] * len(HIDDEN)
        self.layers = torch.nn.ModuleList(
            PQDense(config, *pair, in_quant_bits=bits) for *pair, bits in zip(sizes, sizes[1:], formats, strict=False)
        )
        self.relu = PQActivation(config, "relu", quantize_input=False, quantize_output=False)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.relu(layer(x))
        return self.layers[-1](x)


def settings(pruning):
    config = getattr(pquant, f"{pruning}_config" if pruning != "none" else "pdp_config")()
    config.pruning_parameters.enable_pruning = pruning != "none"
    given = config.quantization_parameters
    given.use_high_granularity_quantization, given.granularity = True, "per_weight"
    given.hgq_beta, given.hgq_gamma = BETAS[0], GAMMA
    given.default_data_integer_bits, given.default_data_fractional_bits = 3.0, 4.0
    given.default_weight_integer_bits, given.default_weight_fractional_bits = 1.0, 5.0
    given.overflow_mode_data, given.overflow_mode_parameters = "WRAP", "WRAP"
    return config


def between(ends, share):
    return ends[0] * (ends[1] / ends[0]) ** share


def calibrated(model, features):
    """Return a copy whose weights are final and whose integer bits hold every activation of these rows."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        model.train()
        model(features)
    model.eval()
    for layer in model.layers:
        layer.apply_final_compression()
        layer.input_quantizer.apply_final_compression()
    return model


def course(model, config, data, seconds):
    """Train for so many seconds of the processor; yield networks on the way."""
    features, labels = torch.from_numpy(data["train"]), torch.from_numpy(data["train_labels"]).long()
    model(features[:BATCH])  # builds the quantizers
    post_pretrain_functions(model, config)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATES[0])
    start, count, share, epoch = time.process_time(), 0, 0.0, 0
    while share < 1:
        model.train()
        pre_epoch_functions(model, int(share * EPOCHS), EPOCHS)
        optimizer.param_groups[0]["lr"] = between(RATES, share)
        for layer in model.layers:
            layer.hgq_beta = between(BETAS, share)
        for rows in torch.randperm(len(features)).split(BATCH):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(features[rows]), labels[rows])
            (loss + pquant.get_model_losses(model, torch.tensor(0.0))).backward()
            optimizer.step()
        post_epoch_functions(model, int(share * EPOCHS), EPOCHS)
        epoch += 1
        share = (time.process_time() - start) / seconds
        if share * KEPT >= count + 1:
            count += 1
            begin = time.process_time()
            yield calibrated(model, features)
            start += time.process_time() - begin
    print(f"{epoch} epochs")


def add(record, model, data):
    """Add the network to the record; return whether larger ones fit."""
    scores = {}
    with torch.no_grad():
        for part in ("validation", "test"):
            right = model(torch.from_numpy(data[part])).argmax(dim=1).numpy() == data[f"{part}_labels"]
            scores[part] = np.mean(right)
        sample = torch.from_numpy(data["test"][:1000])
        first = model.layers[0].input_quantizer
        words, logits = first(sample).numpy().astype(np.float64), model(sample).numpy()
        layers = [(each.weight.numpy().T, each.input_quantizer.quantizer.b[0].numpy()) for each in model.layers]
        formats = [part.numpy() for part in (first.quantizer.k, first.quantizer.i, first.quantizer.f)]
    return record.add(model, scores, layers, formats, (words, logits))


def main():
    path, seconds, seed, folder = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    data = dict(np.load(path))
    config = settings(sys.argv[5] if len(sys.argv) > 5 else "none")
    model = Network(config, data["train"].shape[1], int(data["train_labels"].max()) + 1)
    record = Record(folder, "torch")
    for network in reversed(list(course(model, config, data, seconds))):
        if not add(record, network, data):
            break
    record.write()


if __name__ == "__main__":
    main()
