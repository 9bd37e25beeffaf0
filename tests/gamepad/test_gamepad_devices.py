"""Reading and finding pads: gone devices, storms, permissions, what is on the disk."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from rover.clock import ManualClock
from rover.errors import DeviceError
from rover.gamepad import Gamepad, GamepadUpdate
from rover.gamepad.device import MAX_EVENTS_PER_READ, NotAGamepadError, OpenPad, open_pad
from rover.gamepad.finder import NO_LIBRARY, NO_PAD, PadFinder
from rover.gamepad.identity import PadIdentity
from rover.gamepad.nodes import about_node, about_path
from rover.messages import Arc, RequestKind, Stop
from tests.builders import osr_config
from tests.gamepad import pads
from tests.gamepad.pads import ABS, KEY, KEYBOARD, PLAYSTATION, SYN, XBOX, Description
from tests.gamepad.socket_device import Bench, SocketDevice

CONFIG = osr_config()
FULL_SPEED = Arc(CONFIG.motion.max_speed_mps, 0.0)


class Computer:
    """A directory of input nodes and its sysfs."""

    def __init__(self, root: Path) -> None:
        self.directory = root / "dev" / "input"
        self.sysfs = root / "sys"
        self.bench = Bench()

    def plug(
        self,
        node: str,
        description: Description,
        *,
        in_sysfs: bool = True,
        properties: str = "",
        driver: str = "",
        uniq: str = "",
    ) -> str:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / node).touch()
        path = str(self.directory / node)
        self.bench.descriptions[path] = description
        if in_sysfs:
            about = self.sysfs / node / "device"
            (about / "capabilities").mkdir(parents=True)
            (about / "name").write_text(description.name + "\n")
            (about / "capabilities" / "key").write_text(_words(description.keys))
            (about / "capabilities" / "abs").write_text(_words(description.axes))
            (about / "properties").write_text(properties or "0")
            (about / "uniq").write_text(uniq + "\n")
            (about / "id").mkdir()
            for name in ("bustype", "vendor", "product", "version"):
                (about / "id" / name).write_text(f"{getattr(description.info, name):04x}\n")
            if driver:
                (about / "device").mkdir()
                (about / "device" / "driver").symlink_to(f"../../bus/hid/drivers/{driver}")
        return path

    def finder(self, device: str = "auto") -> PadFinder:
        return PadFinder(device, self.directory, self.sysfs, self.bench.open_at)

    def gamepad(self) -> Gamepad:
        return Gamepad(CONFIG, ManualClock(0.0), self.finder())


def _words(codes) -> str:
    """Return a set of codes as sysfs prints it where a long has 64 bits."""
    text = f"{sum(1 << code for code in codes):x}"
    text = text.zfill(-(-len(text) // 16) * 16)
    return " ".join(text[i : i + 16] for i in range(0, len(text), 16)) + "\n"


@pytest.fixture(autouse=True)
def _sixty_four_bits(monkeypatch):
    monkeypatch.setattr("rover.gamepad.nodes._LONG_BITS", 64)


@pytest.fixture
def computer(tmp_path) -> Iterator[Computer]:
    computer = Computer(tmp_path)
    yield computer
    computer.bench.close()


@pytest.fixture
def driving(computer) -> tuple[Gamepad, SocketDevice]:
    """A pad at full speed ahead."""
    computer.plug("event3", XBOX)
    gamepad = computer.gamepad()
    device = computer.bench.devices[-1]
    device.send()
    gamepad.poll(0.0)
    device.send((KEY, pads.BTN_TR, 1), (ABS, pads.ABS_Y, -32768))
    assert gamepad.poll(0.01).command.motion == FULL_SPEED
    return gamepad, device


def test_a_device_that_fails_is_unplugged_and_let_go_of(driving):
    gamepad, device = driving
    device.gone = True
    update = gamepad.poll(0.02)
    assert update.command.motion == Stop("gamepad unplugged")
    assert update.command.stamp_s == 0.02
    assert not update.connected
    assert gamepad.filenos() == ()
    assert device.closed


def test_a_device_that_goes_in_the_middle_of_a_read_is_unplugged(driving, monkeypatch):
    gamepad, device = driving
    device.send(*((ABS, pads.ABS_RX, value) for value in range(100)))
    reads = []

    def read_once():
        if reads:
            raise OSError(19, "No such device")
        reads.append(list(SocketDevice.read(device)))
        return reads[0]

    monkeypatch.setattr(device, "read", read_once)
    assert gamepad.poll(0.02).command.motion == Stop("gamepad unplugged")
    assert len(reads[0]) == 64
    assert device.closed


def test_a_device_that_ends_is_unplugged(driving):
    gamepad, device = driving
    device.end()
    assert not gamepad.poll(0.02).connected


def test_a_device_that_goes_while_it_is_asked_anew_is_unplugged(driving, monkeypatch):
    gamepad, device = driving
    device.send((SYN, pads.SYN_DROPPED, 0))

    def gone():
        raise OSError(19, "No such device")

    monkeypatch.setattr(device, "active_keys", gone)
    assert gamepad.poll(0.02).command.motion == Stop("gamepad unplugged")


def test_a_pad_that_goes_while_it_is_opened_is_not_there(computer, monkeypatch):
    computer.plug("event3", XBOX)

    def gone(_self):
        raise OSError(19, "No such device")

    monkeypatch.setattr(SocketDevice, "active_keys", gone)
    update = computer.gamepad().poll(0.0)
    assert not update.connected
    assert update.trouble.endswith("is gone: No such device")


def test_a_storm_is_read_in_bounded_parts_and_the_kernels_state_counts_meanwhile(driving):
    gamepad, device = driving
    fast = [(ABS, pads.ABS_RX, value % 1000) for value in range(9_999)]
    device.send(*fast)
    device.held = [pads.BTN_TR]
    device.values = {**device.values, pads.ABS_Y: 32767, pads.ABS_RX: 0}
    full_parts = 10_000 // MAX_EVENTS_PER_READ
    backwards = Arc(-CONFIG.motion.max_speed_mps, 0.0)
    for _ in range(full_parts):
        assert gamepad.poll(0.02).command.motion == backwards
    device.send((ABS, pads.ABS_RX, 0), (ABS, pads.ABS_Y, -32768))
    assert gamepad.poll(0.03).command.motion == FULL_SPEED


def test_a_dead_man_released_during_a_storm_stops_at_the_next_poll(driving):
    gamepad, device = driving
    device.send(*((ABS, pads.ABS_RX, value % 1000) for value in range(2_000)))
    device.send((KEY, pads.BTN_TR, 0))
    device.held = []
    assert gamepad.poll(0.02).command.motion == Stop("dead-man released")


def test_a_stop_that_is_found_after_a_loss_beats_what_was_asked_for_before_it(driving):
    gamepad, device = driving
    device.held = [pads.BTN_TR, pads.BTN_EAST]
    device.send((KEY, pads.BTN_START, 1), (SYN, 0, 0), (SYN, pads.SYN_DROPPED, 0))
    assert gamepad.poll(0.02).requests == (RequestKind.STOP,)


def test_events_after_a_loss_wait_for_the_end_of_their_report(driving):
    gamepad, device = driving
    device.held = [pads.BTN_TR]
    device.values[pads.ABS_Y] = -32768
    device.send((SYN, pads.SYN_DROPPED, 0), (ABS, pads.ABS_Y, 32767), report=False)
    assert gamepad.poll(0.02).command.motion == FULL_SPEED
    device.values[pads.ABS_Y] = 0
    device.send((ABS, pads.ABS_Y, 32767))
    assert gamepad.poll(0.03).command.motion == Arc(0.0, 0.0)
    device.send((ABS, pads.ABS_Y, 32767))
    assert gamepad.poll(0.04).command.motion == Arc(-CONFIG.motion.max_speed_mps, 0.0)


def test_reading_takes_no_more_than_its_share():
    device = SocketDevice(XBOX)
    pad = OpenPad(device, "here")
    device.send(*((ABS, pads.ABS_X, 1) for _ in range(MAX_EVENTS_PER_READ)))
    first, more = pad.read()
    assert len(first) == MAX_EVENTS_PER_READ
    assert more
    rest, more = pad.read()
    assert [(event.type, event.code) for event in rest] == [(SYN, 0)]
    assert not more
    assert pad.read() == ([], False)
    pad.close()


def test_keyboards_are_never_opened(computer):
    computer.plug("event0", KEYBOARD)
    computer.plug("event1", pads.MOTION_SENSORS)
    path = computer.plug("event10", XBOX)
    computer.plug("mouse0", XBOX)
    pad, trouble = computer.finder().find()
    assert pad.path == path
    assert trouble == ""
    assert computer.bench.opened == [path]


def test_the_lowest_number_drives_by_number_and_not_by_letter(computer):
    computer.plug("event10", XBOX)
    computer.plug("event9", PLAYSTATION)
    pad, _ = computer.finder().find()
    assert pad.name == PLAYSTATION.name


def test_a_touch_pad_and_motion_sensors_are_passed_over_by_what_they_are(computer):
    """They bear the pad's own name and numbers, and may have buttons that a pad has."""
    computer.plug("event0", XBOX, properties="1")
    computer.plug("event1", XBOX, properties="40")
    path = computer.plug("event2", XBOX)
    finder = computer.finder()
    pad, _ = finder.find()
    assert pad.path == path
    assert computer.bench.opened == [path]
    assert finder.others(pad) == ""


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("auto", "event3"),
        ("054c:09cc", "event4"),
        ("A4:53:85:00:00:02", "event5"),
        ("a4:53:85:00:00:02", "event5"),
        (PLAYSTATION.name, "event4"),
    ],
)
def test_a_pad_is_chosen_by_what_it_keeps_wherever_it_is_plugged_in(computer, wanted, chosen):
    sony = structs.replace(PLAYSTATION, info=pads.Info(5, 0x054C, 0x09CC))
    computer.plug("event3", XBOX)
    computer.plug("event4", sony, uniq="a4:53:85:00:00:01")
    computer.plug("event5", sony, uniq="a4:53:85:00:00:02")
    pad, trouble = computer.finder(wanted).find()
    assert pad.path.endswith(chosen)
    assert trouble == ""


def test_a_pad_that_is_wanted_and_not_there_is_told_with_those_that_are(computer):
    computer.plug("event3", XBOX)
    pad, trouble = computer.finder("054c:09cc").find()
    assert pad is None
    assert f"{XBOX.name} (1234:5678)" in trouble
    assert 'gamepad.device is "054c:09cc"' in trouble
    assert computer.bench.opened == []


def test_a_transmitter_without_a_button_is_told_what_to_do(computer):
    axes = {pads.ABS_X: pads.AbsInfo(0, 0, 255), pads.ABS_Y: pads.AbsInfo(0, 0, 255)}
    info = pads.Info(3, 0x0483, 0x572B)
    computer.plug("event3", Description("SPEKTRUM RECEIVER", [], axes, info=info))
    pad, trouble = computer.finder().find()
    assert pad is None
    assert "no right shoulder to be the dead-man" in trouble
    assert "rover calibrate gamepad" in trouble


def test_sysfs_tells_identity_driver_and_properties(computer):
    computer.plug("event7", XBOX, driver="xpad", properties="21", uniq="12:34")
    about = about_node("event7", computer.sysfs)
    assert about.identity == PadIdentity(3, 0x1234, 0x5678, 0x0100, XBOX.name, "12:34", "xpad")
    assert about.keys == set(XBOX.keys)
    assert about.axes == set(XBOX.axes)
    assert about.properties == {0, 5}
    assert about_node("event8", computer.sysfs) is None
    link = computer.directory / "by-id" / "usb-pad-event-joystick"
    link.parent.mkdir()
    link.symlink_to("../event7")
    assert about_path(str(link), computer.sysfs, computer.directory) == about
    # A node elsewhere is not the one of the same name in sysfs.
    assert about_path("/somewhere/event7", computer.sysfs, computer.directory) is None


def test_a_node_that_sysfs_does_not_know_is_opened_to_see(computer):
    computer.plug("event0", KEYBOARD, in_sysfs=False)
    path = computer.plug("event1", XBOX, in_sysfs=False)
    finder = computer.finder()
    pad, trouble = finder.find()
    assert pad.path == path
    assert trouble == ""
    assert finder.others(pad) == ""


def test_what_was_no_gamepad_is_not_opened_again_until_it_is_another_device(computer):
    path = computer.plug("event0", KEYBOARD, in_sysfs=False)
    finder = computer.finder()
    for _ in range(3):
        pad, trouble = finder.find()
        assert pad is None
        assert "BTN_SOUTH" in trouble
    assert computer.bench.opened == [path]
    # A new file takes the old one's place while the old one is still there: another inode.
    (computer.directory / "new").touch()
    (computer.directory / "new").replace(path)
    computer.bench.descriptions[path] = XBOX
    pad, _ = finder.find()
    assert pad.name == XBOX.name


def test_a_pad_without_permission_is_tried_until_it_opens(computer):
    path = computer.plug("event3", XBOX)
    computer.bench.errors[path] = DeviceError("no permission")
    gamepad = computer.gamepad()
    assert gamepad.poll(0.0) == GamepadUpdate(trouble="no permission")
    computer.bench.errors.clear()
    assert not gamepad.poll(0.5).connected
    assert gamepad.poll(1.0).connected


def test_a_computer_without_input_devices_has_no_gamepad(computer):
    assert not computer.directory.exists()
    assert computer.finder().find() == (None, NO_PAD)


def test_a_missing_library_is_a_sentence(computer, monkeypatch):
    computer.plug("event3", XBOX)
    monkeypatch.setitem(sys.modules, "evdev", None)
    update = computer.gamepad().poll(0.0)
    assert update == GamepadUpdate(trouble=NO_LIBRARY)
    assert "sudo apt install python3-evdev" in update.trouble


def test_a_configured_path_may_be_any_node(computer, tmp_path):
    path = tmp_path / "pad"
    finder = computer.finder(str(path))
    pad, trouble = finder.find()
    assert pad is None
    assert trouble.startswith(f"gamepad.device is {path}: No such file or directory")
    path.touch()
    computer.bench.descriptions[str(path)] = XBOX
    pad, trouble = finder.find()
    assert pad.name == XBOX.name
    assert finder.others(pad) == ""


def test_a_configured_file_that_is_no_device_is_refused(tmp_path):
    path = tmp_path / "pad"
    path.touch()
    assert PadFinder(str(path)).find() == (None, f"{path} is not an input device")
    with pytest.raises(NotAGamepadError, match="not an input device"):
        open_pad(str(path))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "sudo usermod -aG input"),
        (OSError(19, "No such device"), "cannot be opened: No such device"),
    ],
)
def test_why_a_pad_cannot_be_opened_is_said_with_what_to_do(monkeypatch, error, words):
    def refuse(_path):
        raise error

    monkeypatch.setattr("evdev.InputDevice", refuse)
    with pytest.raises(DeviceError, match=words):
        open_pad("/dev/input/event3")


def test_a_name_that_is_not_text_is_no_crash(monkeypatch):
    def refuse(_path):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    monkeypatch.setattr("evdev.InputDevice", refuse)
    with pytest.raises(NotAGamepadError, match="not text"):
        open_pad("/dev/input/event3")


@pytest.mark.parametrize("gone", [True, False])
def test_opening_what_is_no_use_leaves_nothing_open(monkeypatch, gone):
    device = SocketDevice(XBOX if gone else KEYBOARD)
    device.gone = gone
    monkeypatch.setattr("evdev.InputDevice", lambda _path: device)
    with pytest.raises(DeviceError, match="cannot be read" if gone else "BTN_SOUTH"):
        open_pad("/dev/input/event3")
    assert device.closed


def test_closing_lets_go_of_the_pad(driving):
    gamepad, device = driving
    gamepad.close()
    gamepad.close()
    assert device.closed
    assert gamepad.filenos() == ()


def test_modes_begin_anew_with_a_new_pad(computer):
    computer.plug("event3", XBOX)
    gamepad = computer.gamepad()
    device = computer.bench.devices[-1]
    device.send((KEY, pads.BTN_NORTH, 1))
    assert gamepad.poll(0.01).mode == "spin"
    device.gone = True
    gamepad.poll(0.02)
    again = gamepad.poll(0.03)
    assert again.connected
    assert again.mode == "arc"


def test_a_wheel_that_cannot_steer_keeps_crab_out_of_the_modes(computer):
    computer.plug("event3", XBOX)
    gamepad = computer.gamepad()
    seen = set()
    for i in range(6):
        computer.bench.devices[-1].send((KEY, pads.BTN_NORTH, 1), (KEY, pads.BTN_NORTH, 0))
        seen.add(gamepad.poll(0.01 * i).mode)
    assert any(wheel.steer is None for wheel in CONFIG.wheels.values())
    assert seen == {"arc", "spin"}
