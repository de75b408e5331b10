"""The distance of events from their reconstruction, against sums done by hand."""

import itertools
import math

import pytest
import torch

from nanotrigger.tasks.anomaly.scores import Distance, reconstruction_error

ABSENT = torch.tensor([-1.0, -2.0])
FEATURES = torch.tensor([[0.0, 1.0, 3.0, -2.0, 0.0, 0.0]])  # the second object is absent
OUTPUTS = torch.tensor([[1.0, 1.0, -3.0, -3.0, 2.0, 0.0]])  # differences 1, 0, -6 and -1, 2, 0
ANGLE = (2 * math.pi - 6) ** 2
ALL = [Distance(*flags) for flags in itertools.product((False, True), repeat=3)]


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (Distance(), (1 + 36 + 1 + 4) / 6),
        (Distance(masked=True), (1 + 36) / 3),
        (Distance(angular_phi=True), (1 + ANGLE + 1 + 4) / 6),
        (Distance(positive_pt=True), (1 + 36 + 0 + 4) / 6),
        (Distance(masked=True, angular_phi=True, positive_pt=True), (1 + ANGLE) / 3),
    ],
)
def test_by_hand(distance, expected):
    found = reconstruction_error(FEATURES, OUTPUTS, ABSENT, distance)
    torch.testing.assert_close(found, torch.tensor([expected]))


def test_plain_is_the_mean_squared_error():
    features, outputs = torch.randn(2, 10, 6)
    found = reconstruction_error(features, outputs, ABSENT, Distance())
    torch.testing.assert_close(found, (features - outputs).square().mean(dim=1))


@pytest.mark.parametrize(
    ("difference", "around"),
    [(0.5, 0.5), (3.0, 3.0), (3.5, 2 * math.pi - 3.5), (-6.0, 2 * math.pi - 6), (4 * math.pi + 0.25, 0.25)],
)
def test_angles_go_around_the_circle(difference, around):
    features, outputs = torch.zeros(2, 1, 3).double()
    outputs[0, 2] = difference
    found = reconstruction_error(features, outputs, ABSENT[:1].double(), Distance(angular_phi=True))
    assert found.item() == pytest.approx(around**2 / 3)


def test_momenta_above_zero_are_left_alone():
    outputs = FEATURES + 0.5
    loose, strict = (reconstruction_error(FEATURES, outputs, ABSENT, Distance(positive_pt=on)) for on in (False, True))
    assert torch.equal(loose, strict)


def test_an_event_without_objects_has_no_masked_error():
    features = torch.tensor([[-1.0, 0.0, 0.0, -2.0, 0.0, 0.0]])
    assert reconstruction_error(features, OUTPUTS, ABSENT, Distance(masked=True)).tolist() == [0.0]


@pytest.mark.parametrize("distance", ALL, ids=str)
def test_gradients_are_finite(distance):
    features = torch.cat([FEATURES, torch.tensor([[-1.0, 0.0, 0.0, -2.0, 0.0, 0.0]])])
    for outputs in (features.clone(), OUTPUTS.repeat(2, 1)):
        outputs.requires_grad_()
        reconstruction_error(features, outputs, ABSENT, distance).mean().backward()
        assert outputs.grad.isfinite().all()
