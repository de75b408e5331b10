"""Starting Pythia, and settings that it refuses."""

import pytest

from nanotrigger.simulate.generator import start_pythia


@pytest.mark.parametrize(
    ("settings", "message"),
    [(["Colour:blue = on"], "does not know the setting 'Colour:blue = on'"), ([], "cannot start")],
)
def test_bad_settings_are_named(settings, message):
    pytest.importorskip("pythia8mc")
    with pytest.raises(RuntimeError, match=message):
        start_pythia([*settings, "ProcessLevel:all = on"], seed=1)
