"""Few events, for trainings of seconds."""

import pytest

from nanotrigger.data import EventData
from tests.made_events import make_events, write_events


@pytest.fixture(scope="session")
def few_events(tmp_path_factory) -> EventData:
    """300 background events, 192 of them for training, in batches of 32."""
    path = write_events(tmp_path_factory.mktemp("few") / "few.h5", background=make_events(300))
    return EventData(str(path), batch_size=32)
