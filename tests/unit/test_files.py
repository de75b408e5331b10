"""Files and folders appear whole or not at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from nanotrigger import files
from nanotrigger.errors import InputError
from nanotrigger.files import new_folder, sha256, sha256_of_folder, whole_file, whole_folder, write_json, write_text


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_text(path, "content\n")
    write_json(tmp_path / "new" / "file.json", {"a": 1})
    assert path.read_text() == "content\n"
    assert sorted(file.name for file in path.parent.iterdir()) == ["file.json", "file.txt"]
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failure_keeps_the_former_file(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "former")
    with pytest.raises(ZeroDivisionError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_whose_folder_is_moved_while_it_is_written_appears_in_a_new_one(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    sync = files._sync

    def move_and_sync(path):
        if not (tmp_path / "moved").exists():
            folder.rename(tmp_path / "moved")
        sync(path)

    monkeypatch.setattr(files, "_sync", move_and_sync)
    write_text(folder / "file.txt", "content")
    assert [path.name for path in folder.iterdir()] == ["file.txt"]
    assert (folder / "file.txt").read_text() == "content"


def test_a_failure_keeps_the_former_folder(tmp_path):
    folder = tmp_path / "export"
    with whole_folder(folder, marker="mark") as new:
        (new / "mark").touch()
        (new / "old").touch()
    with pytest.raises(ZeroDivisionError), whole_folder(folder, marker="mark") as new:
        (new / "mark").touch()
        raise ZeroDivisionError
    assert (folder / "old").exists()
    with whole_folder(folder, marker="mark") as new:
        (new / "mark").touch()
    assert not (folder / "old").exists()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_of_something_else_is_not_deleted(tmp_path):
    (tmp_path / "thesis.tex").touch()
    message = r"has other content \(mark is missing\)"
    with pytest.raises(InputError, match=message), whole_folder(tmp_path, marker="mark"):
        pass
    assert (tmp_path / "thesis.tex").exists()


def test_hashes(tmp_path):
    (tmp_path / "a").write_text("abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    before = sha256_of_folder(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert sha256_of_folder(tmp_path) != before


def test_each_process_makes_a_folder_of_its_own(tmp_path):
    """Also when all of them ask in the same second."""
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_folder(tmp_path / "a" / "2026-01-01_12-00-00"), range(8)))
    names = ["2026-01-01_12-00-00", *(f"2026-01-01_12-00-00.{number}" for number in range(2, 9))]
    assert sorted(folder.name for folder in folders) == names
    assert sorted(folder.name for folder in (tmp_path / "a").iterdir()) == names
