"""Paths of classes in configurations of older runs lead to the same classes."""

import importlib

import pytest

from nanotrigger import data, tasks, training


@pytest.mark.parametrize(
    ("package", "name"),
    [(training, "JetTagging"), (training, "AnomalyDetection"), (data, "JetData"), (data, "EventData")],
)
def test_a_class_is_found_where_it_was(package, name):
    assert getattr(importlib.import_module(package.__name__), name) is getattr(tasks, name)


@pytest.mark.parametrize("package", [training, data])
def test_what_never_was_is_not_found(package):
    with pytest.raises(AttributeError, match=f"module {package.__name__} has no attribute Chess"):
        package.Chess  # noqa: B018
