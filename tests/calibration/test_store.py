"""The calibration file: written whole, comments kept, undone."""

import fcntl
import itertools
import os
import stat
import tomllib
from pathlib import Path

import pytest

from calibration.store import CalibrationStore, calibration_path
from rover.clock import ManualClock
from rover.config.files import NOWHERE, load_config
from rover.config.pads import PadButtonsConfig, PadConfig, PadStickConfig, PadTriggerConfig
from rover.errors import ConfigError

PAD = PadConfig(
    left_stick_y=PadStickConfig("ABS_Y", -32000, 12.5, 32100, True, 140.25),
    right_trigger=PadTriggerConfig("ABS_RZ", 255, 0, 2.0),
    buttons=PadButtonsConfig(right_shoulder="BTN_TR", d_pad_left="ABS_HAT0X < 0"),
)
OTHER = PadConfig(buttons=PadButtonsConfig(right_shoulder="BTN_PINKIE"))


@pytest.fixture
def store(tmp_path) -> CalibrationStore:
    return CalibrationStore(tmp_path / "state" / "calibration.toml")


def pads(store: CalibrationStore) -> dict[str, PadConfig]:
    """Return the pads as the rover reads them."""
    return load_config(calibration_file=store.path, places=NOWHERE).config.gamepad.pads


def test_what_is_written_is_what_the_rover_reads(store):
    store.put_pad("045e:02ea", PAD)
    assert pads(store) == {"045e:02ea": PAD}


def test_what_else_is_in_the_file_stays_with_its_comments(store):
    store.path.parent.mkdir()
    mine = (
        "# measured in spring\n[wheels.left_front.steer]\ncentre_deg = 151.5 # well\n\n"
        '[gamepad.pads."0001:0002".buttons]\nright_shoulder = "BTN_TR" # mine\n'
    )
    store.path.write_text(mine)
    store.put_pad("045e:02ea", PAD)
    assert mine in store.path.read_text()
    assert set(pads(store)) == {"0001:0002", "045e:02ea"}
    store.undo_pad()
    assert store.path.read_text().strip() == mine.strip()


def test_each_undo_takes_one_calibration_back(store):
    store.put_pad("045e:02ea", OTHER)
    store.put_pad("045e:02ea", PAD)
    store.put_pad("054c:0268", OTHER)
    assert store.undo_pad() == "054c:0268 is not calibrated any more"
    assert pads(store) == {"045e:02ea": PAD}
    assert store.undo_pad() == "045e:02ea is again as it was calibrated before"
    assert pads(store) == {"045e:02ea": OTHER}
    assert store.undo_pad() == "045e:02ea is not calibrated any more"
    assert pads(store) == {}
    with pytest.raises(ConfigError, match="nothing to undo"):
        store.undo_pad()


def test_an_undo_leaves_what_was_calibrated_since_alone(store):
    store.put_pad("045e:02ea", PAD)
    text = store.path.read_text()
    store.path.write_text(text + "\n[wheels.left_front.steer]\ncentre_deg = 151.5\n")
    store.undo_pad()
    assert "centre_deg = 151.5" in store.path.read_text()
    assert pads(store) == {}


def test_the_history_does_not_grow_for_ever(store):
    for _ in range(30):
        store.put_pad("045e:02ea", PAD)
    assert len(list((store.path.parent / "calibration-history").iterdir())) == 20
    store.undo_pad()
    assert pads(store) == {"045e:02ea": PAD}


@pytest.mark.parametrize("text", ["[gamepad", "wheels = 3\n", "nonsense = 1\n"])
def test_a_file_that_is_wrong_is_not_touched(store, text):
    store.path.parent.mkdir()
    store.path.write_text(text)
    with pytest.raises(ConfigError, match="nothing was changed"):
        store.put_pad("045e:02ea", PAD)
    assert store.path.read_text() == text


@pytest.mark.parametrize("failing", [1, 3], ids=["the history", "the file"])
def test_a_write_that_fails_leaves_the_old_file_and_no_half_one(store, monkeypatch, failing):
    store.put_pad("045e:02ea", OTHER)
    before = store.path.read_text()
    calls = itertools.count(1)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if next(calls) == failing:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        store.put_pad("045e:02ea", PAD)
    assert store.path.read_text() == before
    assert [path.name for path in store.path.parent.rglob(".*")] == []
    store.put_pad("045e:02ea", PAD)
    assert pads(store) == {"045e:02ea": PAD}


def test_tables_in_one_line_are_understood(store):
    store.path.parent.mkdir()
    store.path.write_text(
        'gamepad = { pads = { "0001:0002" = { buttons = { south = "BTN_SOUTH" } } } }\n'
    )
    store.put_pad("045e:02ea", PAD)
    assert set(pads(store)) == {"0001:0002", "045e:02ea"}
    store.undo_pad()
    assert set(pads(store)) == {"0001:0002"}


def test_the_file_is_the_one_that_control_reads(tmp_path, monkeypatch):
    home = tmp_path / "home"
    named = tmp_path / "named.toml"
    assert calibration_path(named, {"HOME": str(home)}) == named
    assert calibration_path(None, {"HOME": str(home), "ROVER_CALIBRATION": "/x"}) == Path("/x")
    mine = home / ".local/state/rover/calibration.toml"
    mine.parent.mkdir(parents=True)
    mine.touch()
    assert calibration_path(None, {"HOME": str(home)}) == mine


def test_who_may_write_the_file_may_undo_too(tmp_path):
    """The page's server writes under a mask of its own, in a folder of the group's."""
    folder = tmp_path / "rover"
    folder.mkdir()
    folder.chmod(0o2775)
    before = os.umask(0o077)
    try:
        CalibrationStore(folder / "calibration.toml").put_pad("045e:02ea", PAD)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "calibration.toml").stat().st_mode) == 0o644
    assert stat.S_IMODE((folder / "calibration-history").stat().st_mode) == 0o2775


def test_a_program_that_never_ends_writing_is_not_waited_for(store, tmp_path):
    store.put_pad("045e:02ea", OTHER)
    lock = os.open(store.history.folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    before = store.path.read_text()
    try:
        hasty = CalibrationStore(store.path, clock=ManualClock())
        with pytest.raises(ConfigError, match="another program"):
            hasty.put_pad("045e:02ea", PAD)
    finally:
        os.close(lock)
    assert store.path.read_text() == before


WHEEL = ("wheels", "left_front")


def test_steps_are_written_key_by_key_and_taken_back(store):
    store.path.parent.mkdir()
    mine = "# mine\n[wheels.left_front.steer]\ncentre_deg = 151.5 # well\n"
    store.path.write_text(mine)
    store.put("motors", {(*WHEEL, "motor", "inverted"): True})
    store.put("odometry", {(*WHEEL, "radius_m"): 0.078})
    config = load_config(calibration_file=store.path, places=NOWHERE).config
    wheel = config.wheels["left_front"]
    assert (wheel.motor.inverted, wheel.radius_m) == (True, 0.078)
    assert wheel.steer.centre_deg == 151.5
    assert "centre_deg = 151.5 # well" in store.path.read_text()
    assert store.undo("motors") == {(*WHEEL, "motor", "inverted"): None}
    wheel = load_config(calibration_file=store.path, places=NOWHERE).config.wheels["left_front"]
    assert (wheel.motor.inverted, wheel.radius_m) == (False, 0.078)
    store.undo("odometry")
    assert "centre_deg = 151.5 # well" in store.path.read_text()
    assert tomllib.loads(store.path.read_text()) == tomllib.loads(mine)
    with pytest.raises(ConfigError, match="no calibration of the motors"):
        store.undo("motors")


def test_a_step_that_found_nothing_wrong_is_remembered(store):
    store.put("motors", {})
    assert not store.path.exists()
    record = store.history.latest("motors")
    assert record.before == {}
    assert record.when.tzinfo is not None
    store.undo("motors")
    assert store.history.latest("motors") is None


def test_what_does_not_fit_the_rest_is_not_written(store):
    def judge(file):
        load_config(calibration=file, places=NOWHERE)

    strict = CalibrationStore(store.path, judge)
    with pytest.raises(ConfigError, match="nothing was changed"):
        strict.put("motors", {(*WHEEL, "motor", "channel"): 2})
    assert not store.path.exists()
    assert store.history.latest("motors") is None


def test_drafts_are_kept_and_dropped(store):
    store.path.parent.mkdir()
    assert store.history.draft("motors") == b""
    store.history.save_draft("motors", b'{"a":1}')
    assert store.history.draft("motors") == b'{"a":1}'
    store.history.save_draft("motors", b"")
    assert store.history.draft("motors") == b""
    store.history.drop_draft("motors")


def test_a_record_that_is_spoilt_is_named(store):
    store.put("motors", {})
    (record,) = store.history.folder.iterdir()
    record.write_text("nonsense")
    with pytest.raises(ConfigError, match="remove it"):
        store.undo("motors")


def test_what_cannot_be_written_is_told_before_anything_is_found_out(tmp_path, monkeypatch):
    store = CalibrationStore(tmp_path / "new" / "calibration.toml")
    store.require_writable()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"is a folder.*--calibration"):
        CalibrationStore(tmp_path / "folder").require_writable()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"is no folder.*--calibration"):
        CalibrationStore(tmp_path / "file" / "calibration.toml").require_writable()
    (tmp_path / "folder" / "calibration-history").touch()
    with pytest.raises(ConfigError, match="is no folder"):
        CalibrationStore(tmp_path / "folder" / "calibration.toml").require_writable()
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(ConfigError, match=r"nothing may be written.*as the user who owns it"):
        store.require_writable()


def test_two_files_in_one_folder_have_histories_of_their_own(store):
    other = CalibrationStore(store.path.with_name("another.toml"))
    store.put("battery", {("power", "capacity_ah"): 4.4})
    with pytest.raises(ConfigError, match="nothing to undo"):
        other.undo("battery")
    assert "4.4" in store.path.read_text()
