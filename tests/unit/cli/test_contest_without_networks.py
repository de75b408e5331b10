"""A contest of which no point ended with a network."""

from nanotrigger.cli.scanning import _settle
from nanotrigger.scan.plan import Contest


def test_points_that_reached_no_budget_are_not_compared_with_the_threshold(tmp_path, capsys):
    assert not _settle(None, Contest(threshold=0.74, points=2), [], tmp_path, tmp_path / "leaderboard.json")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: no point ended with a network")
    assert "0.0000" not in line
