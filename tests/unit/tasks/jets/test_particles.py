"""Jets as particles and as images: what is read, how it is laid out and scaled, and what a checkpoint keeps of it."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from nanotrigger.data.split import Standardization
from nanotrigger.errors import InputError
from nanotrigger.networks import MLP
from nanotrigger.tasks import JetTagging
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.tasks.jets.images import jet_images
from nanotrigger.tasks.jets.sample import read_jets, resolve_source
from nanotrigger.training.checkpoint import TrainedNetwork

JETS, PARTICLES = 60, 20


def particles() -> np.ndarray:
    """Return jets of two to twenty particles in steps of 1/512, padded with zeros, shape (60, 20, 3)."""
    random = np.random.default_rng(3)
    shares = np.sort(random.integers(1, 100, (JETS, PARTICLES)))[:, ::-1]
    deltas = random.integers(-180, 181, (JETS, PARTICLES, 2))
    found = np.concatenate([shares[..., None], deltas], axis=2) / 512
    found[np.arange(PARTICLES) >= np.arange(JETS)[:, None] % 19 + 2] = 0
    return found.astype(np.float32)


CONSTITUENTS = particles()
LABELS = np.arange(JETS) % 3
CLASSES = ["g", "q", "t"]


def write(path: Path, **arrays: np.ndarray | list[str] | None) -> str:
    """Write a file of jets, HDF5 or of NumPy by its name; None leaves out."""
    content = {"constituents": CONSTITUENTS, "y": LABELS, "class_names": CLASSES} | arrays
    content = {name: value for name, value in content.items() if value is not None}
    if path.suffix == ".npz":
        np.savez(path, **content)
        return str(path)
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            (file.attrs if name.endswith("_names") else file)[name] = value
    return str(path)


@pytest.fixture
def path(tmp_path) -> str:
    return write(tmp_path / "jets.h5")


def data_of(path: str, **settings) -> JetData:
    data = JetData(path, **settings)
    data.setup()
    return data


@pytest.mark.parametrize("name", ["jets.h5", "jets.npz"])
def test_the_hardest_constituents(tmp_path, name):
    sample = read_jets(write(tmp_path / name), "constituents", constituents=4)
    assert sample.shape == (4, 3)
    np.testing.assert_array_equal(sample.features, CONSTITUENTS[:, :4].reshape(JETS, 12))
    assert sample.feature_names[:4] == ("particle_1_pt", "particle_1_eta", "particle_1_phi", "particle_2_pt")
    assert len(sample.feature_names) == 12
    assert sample.class_names == ("g", "q", "t")
    assert read_jets(str(tmp_path / name), "constituents").shape == (16, 3)


def test_images_hold_what_lies_inside(path):
    sample = read_jets(path, "image", constituents=20)
    assert sample.shape == (16, 16, 1)
    assert sample.feature_names[:2] == ("cell_1_1", "cell_1_2")
    assert len(set(sample.feature_names)) == 256
    images = sample.features.reshape(JETS, 16, 16)
    for image, jet in zip(images, CONSTITUENTS, strict=True):
        expected = np.zeros((16, 16))
        for share, eta, phi in jet.astype(float):
            expected[int(20 * eta + 8), int(20 * phi + 8)] += share
        np.testing.assert_array_equal(image, expected)
    fewer = read_jets(path, "image", constituents=4).features
    np.testing.assert_array_equal(fewer.sum(axis=1), CONSTITUENTS[:, :4, 0].sum(axis=1))


def test_particles_beyond_an_image_are_left_out():
    beyond = np.array([[[0.5, 0.41, 0.0], [0.25, 0.0, -0.41], [0.125, -0.39, 0.39]]], np.float32)
    (image,) = jet_images(beyond)
    assert image.sum() == image[0, 15, 0] == 0.125


@pytest.mark.parametrize("inputs", ["constituents", "image"])
def test_what_is_absent_is_zero_and_places_share_their_scale(path, inputs):
    data = data_of(path, inputs=inputs)
    features, labels = data.rows("train")
    raw = torch.from_numpy(data.sample.features)[data.split.train]
    assert features.shape == (len(labels), np.prod(data.shape))
    assert torch.equal(features == 0, raw == 0)
    assert not data.standardization.mean.any()
    scales = data.standardization.scale.reshape(data.shape)
    assert torch.equal(scales, scales.reshape(-1, data.shape[-1])[0].expand(data.shape))
    places = raw.double().numpy().reshape(-1, data.shape[-1])
    there = places[places.any(axis=1)]
    ratio = np.sqrt(np.square(there).mean(axis=0)) / scales.reshape(-1, data.shape[-1])[0].numpy()
    assert ((ratio > 2**-0.5) & (ratio < 2**0.5)).all()
    assert not (scales.log2() % 1).any()
    assert torch.equal(features.double() * data.standardization.scale, raw.double())  # nothing is rounded


def test_a_feature_that_is_always_zero_keeps_its_scale():
    fitted = Standardization.fit_places(torch.tensor([[0.0, 2.0, 0.0, 0.0], [0.0, 2.0, 0.0, 2.0]]), (2, 2))
    assert fitted.scale.tolist() == [1.0, 2.0, 1.0, 2.0]
    assert Standardization.fit_places(torch.zeros(3, 4), (2, 2)).scale.tolist() == [1.0] * 4


def test_the_record_says_what_differs_from_features(path, tmp_path):
    data = data_of(path, inputs="constituents", constituents=8)
    record = data.record()
    assert (record["shape"], record["inputs"], record["constituents"]) == ([8, 3], "constituents", 8)
    assert str(data).startswith(f"data: {Path(path).name}, 60 jets of 8 x 3 values: 36 training")
    flat = data_of(write(tmp_path / "flat.h5", X=CONSTITUENTS[:, :, 0], feature_names=[f"z{n}" for n in range(20)]))
    assert flat.shape == (20,)
    assert not {"shape", "inputs", "constituents"} & set(flat.record())


@pytest.mark.parametrize("inputs", ["constituents", "image"])
def test_judged_on_the_same_inputs(path, tmp_path, inputs):
    data = data_of(path, inputs=inputs, constituents=5)
    found = JetData.judged(data.record(), data.standardization)
    assert torch.equal(torch.from_numpy(found.features).float(), data.rows("test")[0])
    assert found.feature_names == data.sample.feature_names
    half = write(tmp_path / "half.h5", constituents=CONSTITUENTS[:30], y=LABELS[:30])
    other = JetData.judged(data.record(), data.standardization, source=half)
    expected = data.standardization.apply(torch.from_numpy(data.sample.features[:30]))
    np.testing.assert_array_equal(other.features, expected)
    few = write(tmp_path / "few.h5", constituents=CONSTITUENTS[:, :4])
    with pytest.raises(InputError, match=r"few.h5 has 4 constituents of each jet: set data.constituents=4"):
        JetData.judged(data.record(), data.standardization, source=few)


SHAPED = CONSTITUENTS[:, :4]
IMAGES = np.arange(JETS * 12, dtype=np.float32).reshape(JETS, 2, 3, 2)


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
@pytest.mark.parametrize(
    ("X", "names", "first"),
    [
        (SHAPED, ["z", "eta", "phi"], "particle_1_z"),
        (IMAGES, ["tracks", "towers"], "cell_1_1_tracks"),
        (IMAGES[..., :1], ["towers"], "cell_1_1"),
        (IMAGES, [f"name {number}" for number in range(12)], "name 0"),
    ],
)
def test_own_particles_and_images(tmp_path, X, names, first, suffix):
    data = data_of(write(tmp_path / f"mine{suffix}", X=X, constituents=None, feature_names=names))
    assert data.shape == X.shape[1:]
    assert data.record()["shape"] == list(X.shape[1:])
    assert "inputs" not in data.record()
    assert data.sample.feature_names[0] == first
    np.testing.assert_array_equal(data.sample.features, X.reshape(JETS, -1))
    found = JetData.judged(data.record(), data.standardization)
    assert torch.equal(torch.from_numpy(found.features).float(), data.rows("test")[0])


def test_own_particles_without_names(tmp_path):
    sample = read_jets(write(tmp_path / "mine.npz", X=SHAPED))
    assert sample.feature_names[2:4] == ("particle_1_feature_3", "particle_2_feature_1")


def test_others_than_those_of_the_training(tmp_path):
    data = data_of(write(tmp_path / "mine.h5", X=SHAPED, feature_names=["z", "eta", "phi"]))
    names = data.record()["feature_names"]
    flat = write(tmp_path / "flat.h5", X=SHAPED.reshape(JETS, 12), feature_names=names)
    with pytest.raises(InputError, match=r"flat.h5 has jets of shape \[12\], the checkpoint \[4, 3\]; give data="):
        JetData.judged(data.record(), data.standardization, source=flat)


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"constituents": None, "X": SHAPED}, "has no constituents: simulate with --constituents 16, give data.source"),
        ({"constituents": CONSTITUENTS[:, :6]}, "has 6 constituents of each jet: set data.constituents=6, or simulate"),
        ({"constituents": CONSTITUENTS[..., :2]}, "constituents has shape (60, 20, 2); expected (jets, particles, 3)"),
        ({"constituents": CONSTITUENTS[:, 0]}, "constituents has shape (60, 3); expected (jets, particles, 3)"),
        ({"constituents": CONSTITUENTS[:50]}, "constituents has shape (50, 16, 3) and y (60,)"),
        ({"constituents": CONSTITUENTS[:0], "y": LABELS[:0]}, "constituents has shape (0, 16, 3) and y (0,)"),
        (
            {"constituents": np.where(np.arange(20)[:, None] == 2, np.nan, CONSTITUENTS)},
            "constituents[0, 2, 0] (particle_3_pt) is nan, and 180 values in all",
        ),
    ],
)
@pytest.mark.parametrize("inputs", ["constituents", "image"])
def test_files_without_such_constituents(tmp_path, changes, message, inputs, suffix):
    path = write(tmp_path / f"bad{suffix}", **changes)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_jets(path, inputs)
    assert path in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("X", "names", "message"),
    [
        (
            np.zeros((JETS, 2, 2, 2, 2)),
            ["a", "b"],
            "expected (jets, features), (jets, particles, features) or (jets, he",
        ),
        (SHAPED, ["z", "eta"], "2 feature_names for 12 columns of X"),
        (np.where(np.arange(3) == 2, np.inf, SHAPED), ["z", "eta", "phi"], "X[0, 0, 2] (particle_1_phi) is inf"),
    ],
)
def test_own_arrays_that_do_not_fit(tmp_path, X, names, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_jets(write(tmp_path / "bad.h5", X=X, feature_names=names))


def test_no_constituents_at_openml(tmp_path, monkeypatch):
    monkeypatch.setenv("NANOTRIGGER_DATA", str(tmp_path))
    write(tmp_path / "jets_openml.h5", X=SHAPED[..., 0], feature_names=list("abcd"))
    with pytest.raises(InputError, match="data.inputs=image: openml has no constituents; give data.source=simulated"):
        read_jets("openml", "image")
    assert resolve_source("auto", "constituents") == "simulated_constituents"  # though openml is there
    assert JetData.resolve("simulated", {"inputs": "image"}) == "simulated_constituents"
    assert JetData.resolve("auto", {}) == "openml"
    assert JetData.resolve("my.h5", {"inputs": "image"}) == "my.h5"


def test_the_number_of_constituents_is_checked():
    with pytest.raises(InputError, match="data.constituents=0: a jet has at least 1"):
        JetData(inputs="constituents", constituents=0)


def test_networks_that_fit(path):
    data = data_of(path, inputs="constituents")
    data.check_network((16, 3), 3)
    data.check_network((48,), 3)
    message = (
        r"the network takes jets of shape \[3, 16\], and .*jets.h5 has \[16, 3\]; give it that shape, or data.inputs"
    )
    with pytest.raises(InputError, match=message):
        data.check_network((3, 16), 3)
    with pytest.raises(InputError, match=r"network.features=16: .* has 48 features; set network.features=48"):
        data.check_network((16,), 3)
    with pytest.raises(InputError, match=r"network.classes=5: .* has 3 classes"):
        data.check_network((16, 3), 5)


HISTORY = {"epoch": [0, 0], "train_loss": [np.nan, 1.0], "val_loss": [1.0, np.nan]}


@pytest.mark.parametrize(
    ("inputs", "figure", "axes", "labels"),
    [
        ("constituents", "particles", 3, [r"$p_\mathrm{T}$ / jet $p_\mathrm{T}$", r"$\Delta\eta$", r"$\Delta\phi$"]),
        ("image", "images", 4, [r"$\Delta\phi$"] * 3),
    ],
)
def test_a_test_draws_what_the_network_sees(path, inputs, figure, axes, labels):
    data = data_of(path, inputs=inputs)
    network = MLP(int(np.prod(data.shape)), (4,), 3).eval()
    record = data.record()
    trained = TrainedNetwork(network, "JetTagging", record, Standardization(**record.pop("standardization")), 0, "")
    found = JetTagging.evaluation(trained, data, HISTORY)
    assert "features" not in found.figures
    drawn = found.figures[figure]
    assert [panel.get_xlabel() for panel in drawn.axes][: len(labels)] == labels
    assert len(drawn.axes) == axes
    assert found.summary["samples"] == 12
