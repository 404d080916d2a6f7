import json
import logging
import shutil

import numpy as np
import pytest

from moxie.dynamics.checkpoints import Checkpoints, concatenate

LOG = logging.getLogger("moxie.test")
DEPENDENCIES = {"seed": 1}


def chain(folder, count, dependencies=DEPENDENCIES):
    """Commit `count` segments of ten steps; return the checkpoints."""
    checkpoints = Checkpoints(folder, dependencies, LOG)
    for index in range(len(checkpoints.open()), count):
        frames = folder / ".partial_frames.xtc"
        frames.write_bytes(bytes([index]))
        rows = np.full((2, 5), float(index))
        checkpoints.commit(index, 10 * (index + 1), rows, frames, f"state {index}", b"binary", {"samples": 2})
    return checkpoints


def test_segments_come_back_in_order_with_their_content(tmp_path):
    chain(tmp_path / "run", 4)
    segments = Checkpoints(tmp_path / "run", DEPENDENCIES, LOG).open()
    assert [segment.last_step for segment in segments] == [10, 20, 30, 40]
    assert np.concatenate([segment.samples for segment in segments])[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    concatenate([segment.frames for segment in segments], tmp_path / "all")
    assert (tmp_path / "all").read_bytes() == bytes([0, 1, 2, 3])


def test_more_than_ten_thousand_segments_come_back_in_order(tmp_path):
    chain(tmp_path / "run", 2)
    run = tmp_path / "run"
    for number in range(2, 10_003):
        (run / f"segment_{number:04d}").symlink_to(run / "segment_0001", target_is_directory=True)
    segments = Checkpoints(run, DEPENDENCIES, LOG).open()
    assert [segment.index for segment in segments] == list(range(10_003))


@pytest.mark.parametrize("damage", ["facts", "file"])
def test_what_is_no_checkpoint_is_set_aside(tmp_path, damage):
    chain(tmp_path / "run", 1)
    if damage == "facts":
        path = tmp_path / "run" / "segment_0000" / "segment.json"
        content = json.loads(path.read_text()) | {"facts": None}
        path.write_text(json.dumps(content))
    else:
        shutil.rmtree(tmp_path / "run")
        (tmp_path / "run").write_text("not a folder")
    assert chain(tmp_path / "run", 2).open()[-1].last_step == 20


def test_only_the_last_two_states_are_kept(tmp_path):
    chain(tmp_path / "run", 4)
    states = sorted(path.parent.name for path in (tmp_path / "run").glob("*/state.xml"))
    assert states == ["segment_0002", "segment_0003"]


def test_half_written_segment_does_not_exist(tmp_path):
    chain(tmp_path / "run", 2)
    (tmp_path / "run" / ".partial_0002").mkdir()
    (tmp_path / "run" / ".partial_0002" / "samples.npy").write_bytes(b"half")
    (tmp_path / "run" / ".partial_frames.xtc").write_bytes(b"half")
    assert len(Checkpoints(tmp_path / "run", DEPENDENCIES, LOG).open()) == 2
    assert not list((tmp_path / "run").glob(".partial*"))


@pytest.mark.parametrize("name", ["samples.npy", "frames.xtc", "state.xml", "checkpoint.bin", "segment.json"])
def test_damaged_segment_is_named_set_aside_and_the_one_before_is_used(tmp_path, caplog, name):
    chain(tmp_path / "run", 3)
    path = tmp_path / "run" / "segment_0002" / name
    path.write_bytes(path.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING):
        segments = Checkpoints(tmp_path / "run", DEPENDENCIES, LOG).open()
    assert [segment.index for segment in segments] == [0, 1]
    assert "segment_0002 is damaged" in caplog.text
    assert (tmp_path / "run" / "segment_0002.corrupt").exists()


def test_a_changed_number_in_a_segment_is_damage(tmp_path, caplog):
    chain(tmp_path / "run", 3)
    path = tmp_path / "run" / "segment_0002" / "segment.json"
    path.write_text(path.read_text().replace('"last_step": 30', '"last_step": 20'))
    assert len(Checkpoints(tmp_path / "run", DEPENDENCIES, LOG).open()) == 2
    assert "the checksum of segment.json is wrong" in caplog.text


def test_damage_before_the_kept_states_means_starting_anew(tmp_path):
    chain(tmp_path / "run", 4)
    (tmp_path / "run" / "segment_0001" / "samples.npy").write_bytes(b"")
    assert Checkpoints(tmp_path / "run", DEPENDENCIES, LOG).open() == []


def test_checkpoint_of_other_settings_is_set_aside_with_a_note(tmp_path, caplog):
    chain(tmp_path / "run", 2)
    with caplog.at_level(logging.WARNING):
        assert Checkpoints(tmp_path / "run", {"seed": 2}, LOG).open() == []
    assert "other settings or inputs" in caplog.text
    assert (tmp_path / "run.stale" / "segment_0001").exists()


def test_delete_leaves_nothing(tmp_path):
    chain(tmp_path / "run", 2).delete()
    assert list(tmp_path.iterdir()) == []
