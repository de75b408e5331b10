"""The label of a figure, which may not be wrong."""

import dataclasses

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import (
    Sample,
    confusion_figure,
    feature_distributions,
    pairwise_roc_curves,
    probability_histograms,
    roc_curves,
)


def test_unit_is_written() -> None:
    assert Sample("Simulated collisions", 4_000_000, "test", unit="events").extent == "4,000,000 events, test split"


@pytest.mark.parametrize("size", [0, -1])
def test_size_must_be_positive(size: int) -> None:
    with pytest.raises(InputError, match=f"has size {size}"):
        Sample("Simulated jets", size, "test")


@pytest.mark.parametrize(
    "draw",
    [confusion_figure, pairwise_roc_curves, probability_histograms, roc_curves],
    ids=lambda d: d.__name__,
)
def test_size_must_be_that_of_the_data(draw, some_jets) -> None:
    wrong = dataclasses.replace(some_jets.sample, size=51)
    with pytest.raises(InputError, match="shows 50 jets, but its sample says 51"):
        draw(some_jets.logits, some_jets.labels, class_names=some_jets.class_names, sample=wrong)


def test_size_must_be_that_of_the_features(some_jets) -> None:
    with pytest.raises(InputError, match="shows 49 jets, but its sample says 50"):
        feature_distributions(
            some_jets.features[1:],
            some_jets.labels[1:],
            feature_names=some_jets.feature_names,
            class_names=some_jets.class_names,
            sample=some_jets.sample,
        )


def test_long_source_is_wrapped_clear_of_the_name() -> None:
    source = "Pythia 8.317 and FastJet 3.5.2, a stand-in for hls4ml_lhc_jets_hlf and not the OpenML data set"
    figure = roc_curves(np.eye(2), [0, 1], class_names=["g", "q"], sample=Sample(source, 2, "test"))
    name, notes = figure.subfigs[0].texts
    figure.draw_without_rendering()
    assert notes.get_text().count("\n") >= 2
    assert not name.get_window_extent().overlaps(notes.get_window_extent())
