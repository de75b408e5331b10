"""Data sets that only seem to lie in a file are not read, and nothing else is opened for them."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from nanotrigger.data import hdf5
from nanotrigger.data.hdf5 import attributes, data_set, opened
from nanotrigger.data.particles import particle_sets, read_particles
from nanotrigger.errors import InputError
from nanotrigger.tasks.anomaly.data import event_sets
from nanotrigger.tasks.jets.sample import read_jets
from tests.made_events import make_events, write_events

SHAPE = (50, 19, 4)


@pytest.fixture
def hostile(tmp_path):
    """A file of links, beside the file in another folder to which they lead."""
    secret = write_events(tmp_path / "secret.h5", Particles=make_events(SHAPE[0]))
    (tmp_path / "given").mkdir()
    path = tmp_path / "given" / "events.h5"
    with h5py.File(path, "w") as file:
        file["external"] = h5py.ExternalLink("../secret.h5", "Particles")
        file["absolute"] = h5py.ExternalLink(str(secret), "Particles")
        file["soft"] = h5py.SoftLink("/own")
        file["own"] = np.zeros(SHAPE, np.float32)
        layout = h5py.VirtualLayout(SHAPE, np.float32)
        layout[:] = h5py.VirtualSource(str(secret), "Particles", SHAPE)
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("raw", SHAPE, np.float32, external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
        file.create_dataset("bomb", (10**9, 19, 4), np.float32, chunks=True)
        file["text"] = "jets"
        file.create_group("group")
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("external", "is a link to somewhere else"),
        ("absolute", "is a link to somewhere else"),
        ("soft", "is a link to somewhere else"),
        ("virtual", "lie in another file"),
        ("raw", "lie in another file"),
        ("bomb", "claims 304,000,000,000 bytes, more than the file can hold"),
        ("text", "no numbers"),
        ("group", "is no data set"),
    ],
)
def test_only_its_own_data_are_read(hostile, name, reason):
    (hostile.parent.parent / "secret.h5").unlink()  # were it opened, the reason would be another
    with pytest.raises(InputError, match=reason):
        read_particles(hostile, name)
    with opened(hostile, layout="") as file:
        assert data_set(file, "own").shape == SHAPE


def test_links_are_not_among_the_events(hostile):
    assert particle_sets(hostile) == {"own": 50, "virtual": 50, "raw": 50, "bomb": 10**9}


@pytest.mark.parametrize("name", ["X", "y"])
def test_jets_lie_in_their_file(hostile, name):
    path = hostile.with_name("jets.h5")
    with h5py.File(path, "w") as file:
        file.attrs["feature_names"], file.attrs["class_names"] = ["a", "b"], ["g", "q"]
        file["X"], file["y"] = np.zeros((4, 2)), np.array([0, 1, 0, 1])
        del file[name]
        file[name] = h5py.ExternalLink("../secret.h5", "Particles")
    with pytest.raises(InputError, match=f"{name} is a link to somewhere else"):
        read_jets(str(path))


def _with_names(path):
    """Write a file with text attributes, and return where the first text's number stands in it."""
    with h5py.File(path, "w") as file:
        file.attrs.create("feature_names", ["first", "second"], dtype=h5py.string_dtype())
        file.attrs["number"] = 3
    return path.read_bytes().index(b"GCOL") + 16


def test_attributes_are_text(tmp_path):
    _with_names(tmp_path / "file.h5")
    assert attributes(tmp_path / "file.h5") == {"feature_names": ("first", "second"), "number": ("3",)}


def test_attributes_without_end_are_an_error(tmp_path, monkeypatch):
    """The HDF5 library walks through texts by their sizes: one of the number 0 (free) and no size holds it for ever."""
    path = tmp_path / "file.h5"
    place = _with_names(path)
    content = bytearray(path.read_bytes())
    content[place] = 0
    content[place + 8] = 0
    path.write_bytes(content)
    monkeypatch.setattr(hdf5, "_SECONDS", 5)
    with pytest.raises(InputError, match="file.h5: not a readable HDF5 file .its texts have no end.; fetch"):
        attributes(path)


def test_a_library_that_crashes_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5.sys, "executable", "false")
    _with_names(tmp_path / "file.h5")
    with pytest.raises(InputError, match="reading its texts ended with 1"):
        attributes(tmp_path / "file.h5")


@pytest.fixture
def jets(tmp_path):
    """A file of four jets."""
    with h5py.File(tmp_path / "jets.h5", "w") as file:
        file.attrs["feature_names"], file.attrs["class_names"] = ["a", "b"], ["g", "q"]
        file["X"], file["y"] = np.zeros((4, 2)), np.array([0, 1, 0, 1])
    return tmp_path / "jets.h5"


HOLD = "import h5py, sys; file = h5py.File(sys.argv[1], sys.argv[2]); print(flush=True); input()"


def test_a_file_that_is_written_by_another_process(jets):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(jets), "a"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        writer.stdout.readline()
        for read in (read_jets, lambda path: particle_sets(Path(path))):
            with pytest.raises(InputError, match=f"{jets}: open for writing in another process, such as a notebook"):
                read(str(jets))
        writer.communicate("\n")
    assert len(read_jets(str(jets)).labels) == 4


def test_a_file_that_is_written_by_this_process(jets):
    with h5py.File(jets, "a"), pytest.raises(InputError, match="open for writing in another process"):
        read_jets(str(jets))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BlockingIOError(11, "unable to lock file, errno = 11, error message = 'busy'"), "close it there"),
        (OSError("file is already open for write or SWMR write"), "close it there"),
        (OSError(37, "unable to lock file, errno = 37, error message = 'No locks'"), "HDF5_USE_FILE_LOCKING=FALSE if"),
        (
            OSError(38, "unable to lock file, errno = 38, error message = 'No function'"),
            "HDF5_USE_FILE_LOCKING=FALSE if",
        ),
        (OSError("truncated file"), "not a readable HDF5 file .truncated file.; fetch or write it again"),
    ],
)
def test_why_a_file_cannot_be_opened(jets, monkeypatch, error, told):
    def refuse(*arguments):
        raise error

    monkeypatch.setattr(hdf5.h5py, "File", refuse)
    with pytest.raises(InputError, match=told):
        read_jets(str(jets))


def test_what_is_no_file_of_data_has_a_line_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "empty.h5").touch()
    (tmp_path / "secret.h5").write_text("x")
    path_open = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "secret.h5":  # whatever the permissions, root may read it
            raise PermissionError(13, "Permission denied", str(path))
        return path_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    for name, told in (("empty.h5", "an empty file"), ("secret.h5", "permission denied"), ("", "a folder")):
        for read in (read_jets, lambda path: particle_sets(Path(path))):
            with pytest.raises(InputError, match=f"{tmp_path / name}: {told}; "):
                read(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("a.h5", b"PAR1", "a Parquet file, no HDF5 file; call it NAME.parquet"),
        ("a.h5", b"root", "a ROOT file, no HDF5 file; call it NAME.root"),
        ("a.h5", b"PK\x03\x04", "a zip archive, as checkpoints and NumPy's .npz are, no HDF5 file; call it NAME.npz"),
        (
            "a.root",
            b"root",
            "a ROOT file, no HDF5 file; these data are read from other files",
        ),
    ],
)
def test_other_kinds_of_files_are_recognized(tmp_path, name, start, message):
    (tmp_path / name).write_bytes(start + bytes(600))
    with pytest.raises(InputError, match=f"{name}: {message}"):
        event_sets(str(tmp_path / name))
