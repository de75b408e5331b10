"""Jets by which a network is judged: the test split of its own data, or what is at hand."""

import numpy as np
import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.tasks.jets.data import JetData


class WithoutSample(JetData):
    """Jets of which no sample is shipped."""

    stand_in = None


@pytest.fixture(scope="module")
def data() -> JetData:
    data = JetData("simulated", split_seed=5)
    data.setup()
    return data


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_of_its_own_data(data, split):
    found = JetData.judged(data.record(), data.standardization, split=split)
    features, labels = data.rows(split)
    assert torch.equal(torch.from_numpy(found.features), features.double())
    np.testing.assert_array_equal(found.labels, labels)
    assert found.description == f"Simulated jets (Pythia 8, shipped sample), {split} split, 10,000 jets"


def test_other_features_are_refused(data):
    record = data.record() | {"feature_names": ["mass"]}
    with pytest.raises(InputError, match="simulated has the feature_names .*, the checkpoint mass; give data="):
        JetData.judged(record, data.standardization, source="simulated")


def test_data_that_are_gone_and_nothing_that_stands_in(data):
    record = data.record() | {"source": "gone.h5", "description": "gone.h5"}
    assert len(JetData.judged(record, data.standardization).labels) == 10_000  # the same file, by another name
    with pytest.raises(InputError, match=r"the training data \(gone.h5\) are not at hand; give data= other events"):
        WithoutSample.judged(record, data.standardization)


def test_the_shipped_constituents_stand_in_for_others(tmp_path):
    data = JetData("simulated", inputs="constituents", constituents=3)
    data.setup()
    features, labels = data.rows("validation")
    own = JetData.judged(data.record(), data.standardization, split="validation")
    assert torch.equal(torch.from_numpy(own.features).float(), features)
    gone = data.record() | {"source": str(tmp_path / "gone.h5"), "description": "gone.h5", "sha256": "0" * 64}
    found = JetData.judged(gone, data.standardization)
    assert found.features.shape == (50_000, 9)
    assert found.feature_names[-1] == "particle_3_phi"
    assert found.description.endswith("(gone.h5) are not at hand, the scaling is the checkpoint's own")
    np.testing.assert_array_equal(found.labels[data.split.validation], labels)
