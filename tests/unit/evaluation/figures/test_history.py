"""The training history from the columns of a metrics.csv."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import training_history

PANELS = {"loss": "Cross-entropy [nats]", "accuracy": "Accuracy"}
NOTES = ["Simulated jets (Pythia 8)", "1,000 jets for training"]


def test_rows_without_a_number_are_left_out() -> None:
    history = {"epoch": [0, 0, 1, 1], "train_loss": [np.nan, 1.2, np.nan, 0.9]}
    (axes,) = training_history({"": history}, notes=NOTES, panels=PANELS).axes
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_xydata(), [[0, 1.2], [1, 0.9]])
    assert line.get_label() == "Training"


def test_legend_names_a_curve_that_only_one_panel_has() -> None:
    history = {"epoch": [0, 1], "train_loss": [1.2, 0.9], "val_accuracy": [0.6, 0.7]}
    figure = training_history({"": history}, notes=NOTES, panels=PANELS)
    (legend,) = figure.subfigs[1].legends
    assert [text.get_text() for text in legend.get_texts()] == ["Training", "Validation"]


def test_loss_may_be_another() -> None:
    figure = training_history(
        {"": {"epoch": [0], "val_loss": [2.0]}}, notes=NOTES, panels={"loss": "Mean squared error"}
    )
    assert figure.axes[0].get_ylabel() == "Mean squared error"


@pytest.mark.parametrize("history", [{}, {"train_loss": [1.0]}, {"epoch": [0], "learning_rate": [1e-3]}])
def test_missing_columns_are_named(history: dict[str, list[float]]) -> None:
    with pytest.raises(InputError, match="give epoch and train_loss"):
        training_history({"": history}, notes=NOTES, panels=PANELS)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(InputError, match="columns of one file"):
        training_history({"": {"epoch": [0, 1], "train_loss": [1.0]}}, notes=NOTES, panels=PANELS)


def test_runs_over_each_other_have_a_colour_each_and_splits_their_dashes() -> None:
    history = {"epoch": [0, 1], "train_loss": [1.2, 0.9], "val_loss": [1.3, 1.0]}
    lines = training_history({"float": history, "4 bits": history}, notes=NOTES, panels=PANELS).axes[0].get_lines()
    names = ["float, training", "float, validation", "4 bits, training", "4 bits, validation"]
    assert [line.get_label() for line in lines] == names
    colours, dashes = ([str(getattr(line, f"get_{what}")()) for line in lines] for what in ("color", "linestyle"))
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert dashes[0] == dashes[2] != dashes[1] == dashes[3]
