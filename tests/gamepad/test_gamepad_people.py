"""What people see of gamepads: the list of them, their raw events, the live view."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from rover.clock import ManualClock
from rover.config import GamepadConfig
from rover.errors import DeviceError
from rover.gamepad import GamepadUpdate
from rover.gamepad.codes import Axis, Control, Key
from rover.gamepad.device import OpenPad
from rover.gamepad.listing import print_survey
from rover.gamepad.mapping import KeyButton, PadMapping
from rover.gamepad.picture import picture, places
from rover.gamepad.raw_pad import Event, RawPad
from rover.gamepad.survey import Survey, event_nodes, nodes_that_may_be_pads, survey
from rover.gamepad.watch import Watch, motion_text
from rover.messages import Arc, Crab, Spin, Stop
from tests.builders import osr_config
from tests.gamepad.pads import ABS, KEY, SYN, SYN_DROPPED, XBOX
from tests.gamepad.recorded import PADS, RECORDINGS
from tests.gamepad.socket_device import SocketDevice


def test_every_device_is_told_for_what_it_is(bed):
    config = osr_config()
    roles: dict[str, str] = {}
    for recording in RECORDINGS:
        for node in recording.nodes:
            number = bed.plug(node.description)
            roles[f"/dev/input/event{number}"] = node.role
    found = bed.survey(config)
    assert [entry.path for entry in found.entries] == list(roles)
    assert sum(entry.drives for entry in found.entries) == 1
    expected = {
        "motion sensors": "motion sensors",
        "touchpad": "touch pad or pointer",
        "keyboard": "keyboard",
        "keyboard and mouse": "keyboard",
        "power button": "power button",
    }
    for entry in found.entries:
        role = roles[entry.path]
        assert (entry.what == "gamepad") is (role == "pad"), entry
        assert entry.what == expected.get(role, entry.what)
        assert entry.drives or entry.why_not
    assert "rover gamepad watch" in found.next_step


def test_a_device_is_read_raw_as_it_is(bed):
    recording = next(one for one in PADS if one.name == "xbox_one_s_bluetooth")
    node = bed.plug(recording.pad.description)
    opened = bed.open(node)
    assert opened.capabilities == structs.replace(
        recording.pad.capabilities, properties=frozenset()
    )
    assert opened.raws == {c: axis.value for c, axis in recording.pad.description.axes.items()}
    bed.send(node, (ABS, Axis.Z, 65535), (KEY, 0x9E, 1), (KEY, 0x9E, 2), (KEY, 0x9E, 0))
    read = bed.read()
    assert read.heard == [Event(ABS, Axis.Z, 65535), Event(KEY, 0x9E, 1), Event(KEY, 0x9E, 0)]
    assert read.raws[Axis.Z] == 65535


@pytest.fixture
def socket_pad() -> Iterator[tuple[RawPad, SocketDevice]]:
    device = SocketDevice(XBOX)
    yield RawPad(device, "/dev/input/event3"), device
    device.close()


def test_what_a_raw_pad_did_while_events_were_lost_is_made_up_for(socket_pad):
    pad, device = socket_pad
    device.send((KEY, Key.TR, 1))
    assert pad.read() == [Event(KEY, Key.TR, 1)]
    # The kernel's queue overflowed: a release and a push are lost, and a press is half told.
    device.held = [int(Key.EAST)]
    device.values[Axis.Y] = -32768
    device.send((SYN, SYN_DROPPED, 0), (KEY, Key.WEST, 1))
    lost = {Event(KEY, Key.TR, 0), Event(KEY, Key.EAST, 1), Event(ABS, Axis.Y, -32768)}
    assert set(pad.read()) == lost
    assert pad.down == {Key.EAST}
    assert pad.raws[Axis.Y] == -32768


@pytest.mark.parametrize("how", ["fails", "ends", "fails while it is asked anew"])
def test_a_raw_pad_that_goes_is_told_of_in_a_sentence(socket_pad, how):
    pad, device = socket_pad
    if how == "ends":
        device.end()
    elif how == "fails":
        device.gone = True
    else:
        device.send((SYN, SYN_DROPPED, 0))
        device.active_keys = _gone
    with pytest.raises(DeviceError, match="unplugged or switched off"):
        pad.read()


def _gone() -> list[int]:
    raise OSError(19, "No such device")


def test_the_live_view_shows_what_is_held_and_what_the_rover_would_do(bed):
    node = bed.plug(structs.replace(XBOX, battery_percent=8))
    config = osr_config()
    # Its battery, which is read meanwhile, may follow.
    assert "; stand still; 0 events/s" in bed.watch(config)
    # Before a pad has reported anything, nobody knows where its triggers are.
    bed.send(node)
    bed.look()
    bed.press(node, Key.TR)
    bed.look()
    bed.move(node, Axis.Y, -32768)
    line = bed.look()
    assert "left stick y -1.00" in line
    assert "right shoulder +1.00" in line
    assert "dead-man held" in line
    assert f"{config.motion.max_speed_mps:+.2f} m/s, straight" in line
    assert "2 events/s" in line
    bed.release(node, Key.TR)
    assert "dead-man up" in bed.look()
    bed.press(node, Key.TR)
    assert "dead-man held, but something was not at rest" in bed.look()
    shown = bed.reply.text[1]
    assert "ABS_Y" in shown
    assert "-32768" in shown
    bed.unplug(node)
    assert "unplugged" in bed.look()


def test_watching_leaves_lamps_and_rumble_to_control(monkeypatch):
    made = []

    class Recorder:
        def __init__(self, config, _clock, _finder) -> None:
            made.append(config.gamepad)

        def poll(self, _now_s: float) -> GamepadUpdate:
            return GamepadUpdate(connected=True)

    monkeypatch.setattr("rover.gamepad.watch.Gamepad", Recorder)
    Watch(osr_config(), ManualClock(), "auto")
    assert [(one.lamps, one.rumble) for one in made] == [(False, False)]


def test_watching_ends_by_itself_in_lines_or_drawn(bed):
    bed.plug(XBOX)
    piped, drawn = bed.watch_for_a_while(osr_config())
    assert piped.splitlines() == ["at rest; dead-man up (right shoulder); stand still; 0 events/s"]
    assert "dead-man" in drawn
    assert "Ctrl-C" in drawn


@pytest.mark.parametrize(
    ("motion", "text"),
    [
        (None, "nothing"),
        (Arc(0.0, 0.0), "stand still"),
        (Arc(0.5, 0.0), "+0.50 m/s, straight"),
        (Arc(-0.5, 2.0), "-0.50 m/s, circle of 0.50 m, left"),
        (Arc(0.5, -1.0), "circle of 1.00 m, right"),
        (Spin(1.0), "57 degrees/s, left"),
        (Crab(0.5, 0.5), "+0.50 m/s, sliding at +29 degrees"),
        (Stop("dead-man released"), "stop: dead-man released"),
    ],
)
def test_a_motion_is_told_in_words(motion, text):
    assert text in motion_text(motion)


# The list, where there is no umockdev to pretend it.


class Computer:
    """A folder of nodes and what sysfs tells of them; every pad refuses to be opened."""

    def __init__(self, root: Path) -> None:
        self.directory, self.sysfs = root / "input", root / "sys"
        self.directory.mkdir()
        self.trouble = "no permission to read the gamepad"

    def plug(self, node: str, keys: int, axes: int, *, battery: str = "") -> None:
        (self.directory / node).touch()
        device = self.sysfs / node / "device"
        (device / "capabilities").mkdir(parents=True)
        (device / "name").write_text(f"The {node}\n")
        words = f"{keys:x}"
        words = words.zfill(-(-len(words) // 16) * 16)
        keyed = " ".join(words[i : i + 16] for i in range(0, len(words), 16))
        (device / "capabilities" / "key").write_text(keyed)
        (device / "capabilities" / "abs").write_text(f"{axes:x}")
        if battery:
            supply = device / "device" / "power_supply" / "pad"
            supply.mkdir(parents=True)
            (supply / "capacity").write_text(battery)
            (supply / "status").write_text("Charging\n")

    def survey(self) -> Survey:
        def refuse(_path: str):
            raise DeviceError(self.trouble)

        return survey(GamepadConfig(), self.directory, self.sysfs, refuse)


PAD_KEYS = 1 << Key.SOUTH | 1 << Key.TR


@pytest.fixture
def computer(tmp_path, monkeypatch) -> Computer:
    monkeypatch.setattr("rover.gamepad.nodes._LONG_BITS", 64)
    return Computer(tmp_path)


def test_a_pad_that_may_not_be_read_says_which_command_helps(computer):
    computer.plug("event3", PAD_KEYS, 0b11, battery="81\n")
    found = computer.survey()
    assert "usermod -aG input" in found.next_step
    assert found.entries[0].battery == "at 81 %"
    assert "no permission" in found.entries[0].why_not


def test_a_pad_that_is_named_by_a_link_is_the_one_that_drives(computer):
    computer.plug("event3", PAD_KEYS, 0b11)
    computer.plug("event4", PAD_KEYS, 0b11)
    link = computer.directory / "by-id"
    link.symlink_to(computer.directory / "event4")
    device = SocketDevice(XBOX)
    found = survey(
        GamepadConfig(device=str(link)),
        computer.directory,
        computer.sysfs,
        lambda path: OpenPad(device, path),
    )
    assert [entry.drives for entry in found.entries] == [False, True]


def test_with_nothing_there_the_next_step_is_to_plug_in_or_pair(computer):
    assert "plug the pad" in computer.survey().next_step
    computer.plug("event0", 1 << 30, 0)
    found = computer.survey()
    assert found.entries[0].what == "keyboard"
    assert "No gamepad is there" in found.next_step


def test_a_joystick_can_be_calibrated_and_a_keyboard_cannot(computer):
    computer.plug("event10", 0b1111 << 0x120, 0b111)
    computer.plug("event2", 1 << 30, 0)
    computer.plug("event9", 0, 0b1111)
    assert event_nodes(computer.directory) == ["event2", "event9", "event10"]
    may_be = nodes_that_may_be_pads(computer.directory, computer.sysfs)
    assert [Path(path).name for path in may_be] == ["event9", "event10"]


def test_the_list_is_a_table_for_people_and_json_for_programs(computer, capsys):
    computer.plug("event3", PAD_KEYS, 0b11)
    print_survey(computer.survey(), as_json=False)
    shown = capsys.readouterr().out
    assert "The event3" in shown
    assert "usermod" in shown
    print_survey(computer.survey(), as_json=True)
    assert '"name": "The event3"' in capsys.readouterr().out


def test_the_drawn_pad_does_what_the_hand_does():
    mapping = PadMapping({Control.SOUTH: KeyButton(Key.SOUTH)})
    assert places(mapping, {int(Key.SOUTH)}, {}) == {Control.SOUTH: 1.0}
    rest = dict.fromkeys(Control, 0.0)
    still = picture(rest).plain
    for control, place in ((Control.LEFT_STICK_X, -1.0), (Control.RIGHT_TRIGGER, 0.5)):
        assert picture({**rest, control: place}).plain != still
    pressed = picture({**rest, Control.SOUTH: 1.0})
    assert pressed.plain == still
    assert pressed.spans != picture(rest).spans
