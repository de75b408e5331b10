"""What the race of benchmarks/pareto.py counts, chooses and shows."""

import math
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def race(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import pareto

    return pareto


def test_networks_of_a_peer(race, tmp_path):
    source = tmp_path / "0" / "src"
    source.mkdir(parents=True)
    (source / "a.v").write_text("module a;")
    (source / "a_wrapper.v").write_text("module wrapper;")
    layers = {
        "weights_0_0": np.array([[0.75, -0.5], [0.0, 1.25]]),
        "bits_0_0": np.array([4.0, 2.0]),
        "weights_1_0": np.array([[1.0], [-0.375]]),
        "bits_1_0": np.array([3.0, 0.0]),
    }
    other = {"weights_0_10": np.ones((2, 2)), "bits_0_10": np.ones(2)}  # of a network that has no Verilog
    np.savez(tmp_path / "networks.npz", size_0=7.5, validation_0=0.7, test_0=0.71, **layers, **other)
    ebops = (2 + 1) * 4 + 3 * 2 + 1 * 3  # 0.75 has two bits, 1.25 three, powers of two one
    assert list(race.recorded(tmp_path)) == [(7.5, ebops, 0.7, 0.71, "module a;")]


def test_front_is_what_no_smaller_network_beats(race):
    points = [(100, 0.70), (90, 0.72), (200, 0.75), (120, 0.72), (205, 0.76), (300, 0.74)]
    candidates = [race.Candidate(size, 0, validation, 0.0, "") for size, validation in points]
    assert [each.size for each in race.front(candidates)] == [90, 200, 205]


def test_better_networks_are_mapped_until_one_is_within_a_budget(race, monkeypatch):
    tried = []

    def mapped(network):
        tried.append(network.size)
        return race.Point(int(network.size) + 10, network.ebops, network.validation, network.test)

    monkeypatch.setattr(race, "mapped", mapped)
    monkeypatch.setattr(race, "BUDGETS", (100, 220))
    sizes = {80: 0.70, 90: 0.71, 95: 0.72, 200: 0.73, 215: 0.74, 230: 0.75, 300: 0.76}
    candidates = [race.Candidate(size, 0, validation, 0.0, "") for size, validation in sizes.items()]
    assert [point.aluts for point in race.points_of(candidates)] == [100, 105, 210, 225, 240]
    assert tried == [95, 90, 230, 215, 200]  # each once; 80 is no better, 300 much larger than the budget


POINTS = [(290, 300, 0.70, 0.71), (560, 600, 0.74, 0.735), (900, 800, 0.73, 0.745), (1400, 1500, 0.75, 0.751)]


def test_networks_are_chosen_by_validation_and_scored_by_test(race):
    points = [race.Point(*point) for point in POINTS]
    assert math.isnan(race.best(points, 289))
    assert race.best(points, 565) == race.best(points, 1000) == 0.735  # although 0.745 is there
    assert race.least(points, 0.74) == 900
    assert race.least(points, 0.76) == math.inf


def test_table_is_what_the_figure_reads(race):
    points = [race.Point(*point) for point in POINTS]
    text = race.table({"Nanotrigger": [points, points[1:]], "HGQ2": [points[:1]] * 2, "PQuantML": [[]] * 2})
    assert "   300  71.00 (71.00 to 71.00), 1 none  71.00" in text
    assert "  75 %  1,400 (1,400 to 1,400)          none" in text
    axes = race.figure(text).axes[0]
    ours, hgq, pquant, published = (line.get_ydata() for line in axes.get_lines()[:4])
    assert ours[0] == hgq[0] == 71.0
    assert ours[-1] == 75.1
    assert np.isnan(pquant).all()
    assert list(published) == [accuracy for _, accuracy in race.PUBLISHED]
