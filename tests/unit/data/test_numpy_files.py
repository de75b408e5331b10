"""Files of NumPy: nothing is unpickled, and no claim is believed that the file cannot keep."""

import io
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from nanotrigger.data.numpy_files import headers, read_array
from nanotrigger.data.particles import particle_sets, read_particles
from nanotrigger.errors import InputError
from nanotrigger.tasks.anomaly.data import event_sets
from tests.made_events import make_events

EVENTS = make_events(5)


class Harmful:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_no_pickle_is_opened(tmp_path, capsys, name):
    objects = np.array([Harmful()], object)
    np.save(tmp_path / name, objects) if name.endswith(".npy") else np.savez(tmp_path / name, a=objects)
    with pytest.raises(InputError, match="a holds Python objects, which could run code"):
        read_array(tmp_path / name, "a")
    assert capsys.readouterr().out == ""


def claiming(shape: tuple[int, ...]) -> bytes:
    """Return a `.npy` file that claims a shape and holds a few bytes."""
    file = io.BytesIO()
    npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(40)


@pytest.mark.parametrize("shape", [(10**12, 4), (2**62, 8), (10**5,)])
def test_claims_are_checked(tmp_path, shape):
    (tmp_path / "a.npy").write_bytes(claiming(shape))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", claiming(shape))
    for name in ("a.npy", "a.npz"):
        assert headers(tmp_path / name)["a"].shape == shape
        with pytest.raises(InputError, match=f"{name}: (a claims|not a readable file of NumPy)"):
            read_array(tmp_path / name, "a")


@pytest.mark.parametrize("content", [b"", b"no file of NumPy", b"\x93NUMPY\x09\x00", b"PK\x03\x04", claiming((-1,))])
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_damaged_files_are_named(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: not a readable file of NumPy"):
        headers(tmp_path / name)


def test_events_of_numpy(tmp_path):
    np.save(tmp_path / "mine.npy", EVENTS)
    np.savez(tmp_path / "all.npz", background=EVENTS, leptoquark=EVENTS[:3], x=np.zeros(4))
    assert list(event_sets(str(tmp_path / "mine.npy"))) == ["background"]
    assert list(event_sets(str(tmp_path / "all.npz"))) == ["background", "leptoquark"]
    np.save(tmp_path / "hTo4l.npy", EVENTS)
    assert list(event_sets(str(tmp_path / "mine.npy"), [str(tmp_path / "hTo4l.npy")])) == ["background", "hTo4l"]
    assert particle_sets(tmp_path / "all.npz") == {"background": 5, "leptoquark": 3}
    expected = EVENTS[:, :, :3].reshape(5, -1)
    assert np.array_equal(read_particles(tmp_path / "mine.npy"), expected)
    assert np.array_equal(read_particles(tmp_path / "all.npz", "leptoquark"), expected[:3])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 18, 4)), r"mine.npy has Particles \(5, 18, 4\); events are a data set Particles of shape"),
        (EVENTS.astype(str), "Particles holds <U.*, no numbers"),
        (np.where(EVENTS == 1, np.nan, EVENTS), "is nan; remove such events"),
    ],
)
def test_arrays_that_are_no_events(tmp_path, array, message):
    np.save(tmp_path / "mine.npy", array)
    with pytest.raises(InputError, match=message):
        for name in particle_sets(tmp_path / "mine.npy"):
            read_particles(tmp_path / "mine.npy", name)
