"""Prediction: Lightning's `predict` gives what the network gives, a tensor for each batch of the test split."""

import torch

from nanotrigger.networks import MLP, Autoencoder
from nanotrigger.tasks import AnomalyDetection, JetData, JetTagging
from nanotrigger.training.checkpoint import predict
from tests.unit.training.fits import trainer


def test_jets(tmp_path):
    data, network = JetData("simulated", batch_size=5000), MLP()
    outputs = trainer(1, tmp_path).predict(JetTagging(network), datamodule=data)
    assert [batch.shape for batch in outputs] == [(5000, 5), (5000, 5)]
    assert torch.equal(torch.cat(outputs), predict(network, data.rows("test")[0]))


def test_events_without_labels(few_events, tmp_path):
    network = Autoencoder()
    outputs = trainer(1, tmp_path).predict(AnomalyDetection(network), datamodule=few_events)
    assert torch.equal(torch.cat(outputs), predict(network.eval(), few_events.rows("test")[0]))


def test_a_module_is_called_like_its_network():
    network, features = MLP(), torch.randn(3, 16)
    assert torch.equal(JetTagging(network)(features), network(features))
