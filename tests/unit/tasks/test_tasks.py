"""The list of tasks."""

import pytest

from nanotrigger.errors import InputError
from nanotrigger.tasks import task_named


def test_a_task_that_is_not_in_the_list_is_refused():
    with pytest.raises(InputError, match="task Chess is none of JetTagging, AnomalyDetection"):
        task_named("Chess")
