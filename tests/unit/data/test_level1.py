"""The CMS Level-1 set: both of its layouts, read block by block, and every kind of damage."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from nanotrigger.data import parquet
from nanotrigger.data.level1 import SCALE, check_objects, in_physical_units, read_accepted, read_objects
from nanotrigger.data.parquet import count_events, event_names, is_parquet
from nanotrigger.data.particles import FEATURE_NAMES
from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint
from tests.made_parquet import make_columns, write_archive, write_parquet

HAND = {
    ("jets", "jetIEt"): [[20, 90, 0], []],
    ("jets", "jetIEta"): [[-5, 7, 3], []],
    ("jets", "jetIPhi"): [[100, 143, 9], []],
    ("egammas", "egIEt"): [[1, 2, 3, 4, 5, 6], [8]],
    ("egammas", "egIEta"): [[10, 20, 30, 40, 50, 60], [-114]],
    ("egammas", "egIPhi"): [[1, 2, 3, 4, 5, 6], [72]],
    ("muons", "muonIEt"): [[0, 3, 30], [511]],
    ("muons", "muonIEta"): [[11, -12, 13], [225]],
    ("muons", "muonIPhi"): [[5, 6, 575], [288]],
    ("MET", "Et"): [[33], [4095]],
    ("MET", "phi"): [[140], [0]],
    ("seeds", "L1bit"): [True, False],
}


def expected(columns) -> np.ndarray:
    """The features, event by event and object by object."""
    events = np.zeros((len(columns["MET", "Et"]), 19, 3))
    kinds = (("MET", "", 0, 1), ("egammas", "egI", 1, 4), ("muons", "muonI", 5, 4), ("jets", "jetI", 9, 10))
    for folder, prefix, first, most in kinds:
        for event, pts in enumerate(columns[folder, f"{prefix}Et"]):
            found = [place for place in sorted(range(len(pts)), key=lambda i: -pts[i]) if pts[place] > 0][:most]
            for place, at in enumerate(found, start=first):
                phi = columns[folder, "phi" if folder == "MET" else f"{prefix}Phi"][event][at]
                eta = 0 if folder == "MET" else columns[folder, f"{prefix}Eta"][event][at]
                events[event, place] = pts[at], eta, phi
    return events.reshape(len(events), 57)


def test_the_hardest_objects_by_hand(tmp_path):
    found = read_objects(write_parquet(tmp_path / "a.parquet", HAND), "Particles")
    assert found.dtype == np.float32
    first = dict(zip(FEATURE_NAMES, found[0].tolist(), strict=True))
    assert (first["met_pt"], first["met_eta"], first["met_phi"]) == (33, 0, 140)
    assert [first[f"egamma_{place}_pt"] for place in (1, 2, 3, 4)] == [6, 5, 4, 3]
    assert [first[f"muon_{place}_phi"] for place in (1, 2, 3, 4)] == [575, 6, 0, 0]  # a pT of 0 is no muon
    assert [first[f"jet_{place}_eta"] for place in (1, 2, 3)] == [7, -5, 0]
    np.testing.assert_array_equal(found, expected(HAND))


@pytest.mark.parametrize("block", [1, 7, 250, 1000])
def test_blocks_change_nothing(tmp_path, monkeypatch, block):
    columns = make_columns(250)
    path = write_parquet(tmp_path / "a.parquet", columns, row_group_size=60)
    monkeypatch.setattr(parquet, "_ROWS", block)
    np.testing.assert_array_equal(read_objects(path, "Particles"), expected(columns))
    np.testing.assert_array_equal(read_objects(path, "Particles", 99), expected(columns)[:99])
    assert read_accepted(path, "Particles", 99).tolist() == columns["seeds", "L1bit"][:99]
    assert (count_events(path, "Particles"), event_names(path)) == (250, ["Particles"])


def test_an_archive_holds_background_and_signals(tmp_path):
    runs = [make_columns(230, seed=1), make_columns(120, seed=2)]
    signal, simulated = make_columns(50, seed=3, momentum=200), make_columns(10, seed=4)
    samples = {f"./zerobias/run{place}/test": columns for place, columns in enumerate(runs)}
    samples |= {"./signal/haa-4b-ma15/test": signal, "./background/SingleNeutrino/test": simulated}
    path = write_archive(tmp_path / "test.tar", samples)
    assert event_names(path) == ["background", "haa-4b-ma15"]
    assert count_events(path, "background") == 350
    both = np.concatenate([expected(columns) for columns in runs])
    np.testing.assert_array_equal(read_objects(path, "background"), both)
    np.testing.assert_array_equal(read_objects(path, "background", 240), both[:240])
    np.testing.assert_array_equal(read_objects(path, "haa-4b-ma15"), expected(signal))
    assert read_accepted(path, "haa-4b-ma15").tolist() == signal["seeds", "L1bit"]
    write_archive(path, {"zerobias/run0/test": runs[0]})
    assert event_names(path) == ["background"]  # an index of another content is forgotten


def test_numbers_may_be_plain_and_lists_padded_or_large(tmp_path):
    columns = dict(HAND)
    columns["MET", "Et"], columns["MET", "phi"] = [33, 4095], [140.0, 0.0]
    columns["seeds", "L1bit"] = [[1], [0]]
    columns["jets", "jetIEt"] = pa.array([[20, 90, 0], [0, 0, 0]], pa.list_(pa.int16(), 3))
    columns["jets", "jetIEta"] = pa.array([[-5, 7, 3], [0, 0, 0]], pa.large_list(pa.int8()))
    columns["jets", "jetIPhi"] = [[100, 143, 9], [0, 0, 0]]
    columns["egammas", "egIEt"] = [[1, 2, 3, 4, 5, 6], [8]]
    path = write_parquet(tmp_path / "a.parquet", columns)
    np.testing.assert_array_equal(read_objects(path, "Particles"), expected(HAND))
    assert read_accepted(path, "Particles").tolist() == [True, False]


def test_absent_lists_are_empty(tmp_path):
    columns = {**HAND, **{("jets", f"jetI{end}"): [[1], None] for end in ("Et", "Eta", "Phi")}}
    found = read_objects(write_parquet(tmp_path / "a.parquet", columns), "Particles")
    assert found[:, 27].tolist() == [1, 0]


def test_scaled_words_are_exact_in_the_experiments_format():
    number = FixedPoint(15, 7)
    words = np.arange(4096)[:, None] * np.ones(57)
    pt = np.array([name.endswith("pt") for name in FEATURE_NAMES])
    for values in (words, np.where(pt, words, -words)):
        np.testing.assert_array_equal(number.quantize(values / SCALE), values / SCALE)


def test_units_are_those_of_the_record():
    values = in_physical_units(read_units())
    named = dict(zip(FEATURE_NAMES, values[0].tolist(), strict=True))
    assert (named["met_pt"], named["jet_1_pt"], named["muon_1_pt"]) == (5.0, 5.0, 4.5)
    assert named["jet_1_eta"] == pytest.approx(0.435)
    assert named["muon_1_eta"] == pytest.approx(0.10875)
    assert named["egamma_1_phi"] == pytest.approx(10 * 2 * np.pi / 144)
    assert named["muon_1_phi"] == pytest.approx(10 * 2 * np.pi / 576)
    assert not values[1].any()
    assert in_physical_units(np.full((1, 57), 143.0))[0, 2] == pytest.approx(-2 * np.pi / 144)


def read_units() -> np.ndarray:
    return np.array([[10.0] * 57, [0.0] * 57])


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        (("jets", "jetIEta"), None, "no column jets_jetIEta; give Parquet in the layout of the CMS Level-1 set, or"),
        (("seeds", "L1bit"), None, "no column L1bit"),
        (("jets", "jetIEta"), [[-5, 7], []], "jets_jetIEt and jets_jetIEta have 3 and 2 entries for an event"),
        (("MET", "phi"), [[1], []], "MET_Et and MET_phi have 1 and 0 entries for an event"),
        (("MET", "Et"), [[1], [None]], "MET_Et has entries without a value; give the integers of the trigger"),
        (("MET", "Et"), [[1], [2.5]], "MET_Et has 2.5, which is no whole number from -4095 to 4095"),
        (("MET", "Et"), [[1], [float("nan")]], "MET_Et has nan"),
        (("MET", "Et"), [[1], [70000]], "MET_Et has 70000"),
        (("MET", "Et"), [["a"], ["b"]], "MET_Et holds string, no numbers"),
        (("MET", "Et"), [[1] * 65, []], "MET_Et has 65 entries for an event"),
        (("seeds", "L1bit"), [1, 2], "L1bit is not one 0 or 1 for each event"),
        (("seeds", "L1bit"), [[1], []], "L1bit is not one 0 or 1 for each event"),
    ],
)
def test_what_is_no_hardware_unit_is_refused(tmp_path, key, values, message):
    columns = {name: entries for name, entries in ({**HAND, key: values}).items() if entries is not None}
    path = write_parquet(tmp_path / "a.parquet", columns)
    for read in (read_objects, check_objects):
        with pytest.raises(InputError) as caught:
            read(path, "Particles")
        assert str(caught.value).startswith(f"{path}: ")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "other", "bytes", "empty", "gone", "rows"])
def test_damage_is_one_line(tmp_path, damage):
    path = write_parquet(tmp_path / "a.parquet", make_columns(300))
    content = path.read_bytes()
    changes = {
        "cut": lambda: path.write_bytes(content[: len(content) // 2]),
        "other": lambda: path.write_text("<html>"),
        "bytes": lambda: path.write_bytes(content[:200] + bytes(2000) + content[2200:]),
        "empty": lambda: path.write_bytes(b""),
        "gone": path.unlink,
        "rows": lambda: pq.write_table(pq.read_table(path).slice(0, 0), path),
    }
    changes[damage]()
    with pytest.raises(InputError, match=r"a\.parquet: ") as caught:
        read_objects(path, "Particles")
    assert "\n" not in str(caught.value)


def test_archives_that_are_damaged_or_none(tmp_path):
    columns = make_columns(30)
    path = write_archive(tmp_path / "a.tar", {"zerobias/run/test": columns}, rows=10)
    path.write_bytes(path.read_bytes()[:-30_000])
    with pytest.raises(InputError, match=r"a\.tar: "):
        read_objects(path, "background")
    without = {key: values for key, values in columns.items() if key[0] != "jets"}
    write_archive(path, {"zerobias/run/test": without})
    with pytest.raises(InputError, match="no column background/jets; give Parquet in the layout"):
        read_objects(path, "background")
    shorter = {key: values[: 20 if key[0] == "jets" else 30] for key, values in columns.items()}
    write_archive(path, {"zerobias/run/test": shorter}, rows=10)
    with pytest.raises(InputError, match="2 files in jets, .*which must be the same events; fetch it again"):
        read_objects(path, "background")
    write_archive(path, {"zerobias/run/test": shorter}, rows=100)
    with pytest.raises(InputError, match="20 rows in jets, .*which must be the same events; fetch it again"):
        read_objects(path, "background")
    write_archive(path, {"elsewhere/run/test": columns})
    with pytest.raises(InputError, match="no file zerobias/SAMPLE"):
        event_names(path)


def test_files_are_known_by_name(tmp_path):
    assert [is_parquet(tmp_path / name) for name in ("a.parquet", "A.TAR", "a.h5")] == [True, True, False]
