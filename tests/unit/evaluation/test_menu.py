"""What a detector adds to a menu: counted by hand, and honest where the background is too small."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import FILLED_CROSSINGS
from nanotrigger.evaluation.intervals import binomial_interval
from nanotrigger.evaluation.menu import menu_summary, menu_table
from nanotrigger.evaluation.working_point import working_point

NAMES = ["background", "suep", "nothing"]
# 100 background events of scores 0 to 99, of which the menu accepts those that end in 5; four signal events
SCORES = {"error": np.concatenate([np.arange(100.0), [98.5, 97.5, 95.5, 50.0]])}
LABELS = np.repeat([0, 1], [100, 4])
ACCEPTED = np.concatenate([np.arange(100) % 10 == 5, [True, False, False, False]])


def summary(**options):
    given = {"class_names": NAMES, "rates": [5.0, 0.5], "crossings": 100.0, **options}
    return menu_summary(SCORES, LABELS, ACCEPTED, **given)


def test_by_hand():
    found = summary()
    assert found["crossings_khz"] == 100
    assert found["menu"]["background"] == {"efficiency": 0.1, "interval": list(binomial_interval(10, 100))}
    assert found["menu"]["suep"]["efficiency"] == 0.25
    assert found["menu"]["nothing"] == {"efficiency": None, "interval": None}
    first, _ = found["signals"]["suep"]["error"]
    assert (first["rate_khz"], first["false_positive_rate"], first["reason"]) == (5, 0.05, None)
    assert (first["threshold"], first["background_events"]) == (94, 5)  # 95 to 99
    assert (first["efficiency"], first["pure_efficiency"]) == (0.75, 0.5)  # the menu has one of the three
    assert first["pure_rate_khz"] == pytest.approx(4)  # and 95 of the five
    assert first["pure_rate_interval"] == pytest.approx([100 * end for end in binomial_interval(4, 100)])
    plain = working_point(SCORES["error"][:100], SCORES["error"][100:], 0.05)
    assert first["interval"] == list(plain.interval)
    assert first["pure_interval"][0] < 0.5 < first["pure_interval"][1] < first["interval"][1]


def test_without_a_menu_all_is_pure():
    found = menu_summary(SCORES, LABELS, np.zeros(104, bool), class_names=NAMES, rates=[5.0], crossings=100.0)
    (point,) = found["signals"]["suep"]["error"]
    assert (point["pure_efficiency"], point["pure_interval"]) == (point["efficiency"], point["interval"])
    assert point["pure_rate_khz"] == pytest.approx(5)


def test_a_rate_that_the_background_does_not_support_has_a_reason():
    _, second = summary()["signals"]["suep"]["error"]
    assert second["efficiency"] is second["pure_efficiency"] is second["pure_rate_khz"] is None
    assert "100 background events support a false-positive rate of at least 0.01" in second["reason"]
    assert summary()["signals"]["nothing"]["error"][0]["reason"] == "no signal events"
    assert json.loads(json.dumps(summary(), allow_nan=False)) == summary()


def test_the_default_rates_are_of_filled_crossings():
    found = menu_summary(SCORES, LABELS, ACCEPTED, class_names=NAMES)
    points = found["signals"]["suep"]["error"]
    assert [point["rate_khz"] for point in points] == [1, 5, 10]
    assert points[2]["false_positive_rate"] == 10 / FILLED_CROSSINGS
    assert 26_000 < FILLED_CROSSINGS < 28_500


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rates": [100.0]}, "rate 100.0 kHz: must be above 0 and below the 100 kHz"),
        ({"rates": [0.0]}, "rate 0.0 kHz"),
        ({"class_names": ["background"]}, "hold no signal"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        summary(**changes)


@pytest.mark.parametrize("accepted", [ACCEPTED[1:], ACCEPTED.astype(int)])
def test_decisions_are_one_bool_an_event(accepted):
    with pytest.raises(InputError, match="give a bool for each of 104 events"):
        menu_summary(SCORES, LABELS, accepted, class_names=NAMES)


def test_the_table_has_a_row_for_each_signal_and_rate():
    text = io.StringIO()
    Console(file=text, width=120).print(menu_table(summary()))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.getvalue().splitlines() if "│" in line]
    assert [[cell.partition(" ")[0] for cell in row] for row in rows] == [
        ["suep", "25.00", "5", "75.00", "50.00", "4.00"],
        ["", "", "0.5", "–", "–", "–"],
        ["nothing", "–", "5", "–", "–", "–"],
        ["", "", "0.5", "–", "–", "–"],
    ]
    assert "–: 100 background events support a false-positive rate of at least 0.01" in text.getvalue()
