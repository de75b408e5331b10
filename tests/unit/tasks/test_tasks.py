"""The list of tasks."""

import pytest

from nanotrigger.errors import InputError
from nanotrigger.tasks import TASKS, JetTagging, check_task, task_named

JETS, EVENTS = "nanotrigger.tasks.JetData", "nanotrigger.tasks.EventData"


class Unlisted(JetTagging):
    """A task that nobody has added to the list."""


def test_a_task_that_is_not_in_the_list_is_refused():
    with pytest.raises(InputError, match="task Chess is none of JetTagging, AnomalyDetection"):
        task_named("Chess")


def test_tasks_are_listed_by_the_names_of_their_classes():
    assert {name: task.__name__ for name, task in TASKS.items()} == {name: name for name in TASKS}


@pytest.mark.parametrize("task", TASKS.values())
def test_every_task_says_what_it_must(task):
    assert task.title
    assert task.quality.key.isidentifier()
    assert "loss" in task.history_panels
    assert not task.__abstractmethods__
    assert not task.data_module.__abstractmethods__


@pytest.mark.parametrize(
    ("model", "data"),
    [
        ("nanotrigger.tasks.JetTagging", JETS),
        ("nanotrigger.tasks.AnomalyDetection", EVENTS),
        ("nanotrigger.training.JetTagging", "nanotrigger.data.JetData"),  # as older runs have them
    ],
)
def test_a_task_and_its_data_may_be_trained(model, data):
    check_task(model, data)


@pytest.mark.parametrize(
    ("model", "data", "message"),
    [
        (f"{__name__}.Unlisted", JETS, 'add it by nanotrigger.tasks.TASKS["Unlisted"] = Unlisted'),
        ("lightning.LightningModule", JETS, "none of the tasks JetTagging, AnomalyDetection"),
        ("nanotrigger.tasks.JetTagging", EVENTS, "JetTagging learns from the features of JetData; give that"),
    ],
)
def test_what_cannot_be_judged_is_refused(model, data, message):
    with pytest.raises(InputError) as caught:
        check_task(model, data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
