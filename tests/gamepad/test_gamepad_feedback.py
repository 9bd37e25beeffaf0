"""What a pad shows, and its battery: by files as sysfs has them, and a thread beside the loop."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from evdev import ecodes, ff

from rover.clock import ManualClock
from rover.config import GamepadConfig
from rover.gamepad import Gamepad
from rover.gamepad.aside import Aside
from rover.gamepad.battery import PadBattery, read_battery
from rover.gamepad.device import OpenPad
from rover.gamepad.feedback import Lamp, PadLamps, Rumble
from rover.gamepad.identity import PadIdentity
from rover.gamepad.nodes import About
from tests.builders import osr_config
from tests.gamepad.pads import XBOX
from tests.gamepad.socket_device import OnlyPad, SocketDevice

_WITHIN_S = 10.0


def folder(root: Path, **files: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text + "\n")
    return root


def supply(device: Path, **files: str) -> None:
    folder(device / "power_supply" / "ps-controller-battery-aa", **files)


def led(device: Path, name: str, **files: str) -> Path:
    return folder(device / "leds" / name, **{"brightness": "0", "max_brightness": "255", **files})


@pytest.mark.parametrize(
    ("files", "battery"),
    [
        ({"capacity": "80", "status": "Discharging"}, PadBattery(80, low=False)),
        ({"capacity": "15", "status": "Discharging"}, PadBattery(15, low=True)),
        ({"capacity": "16"}, PadBattery(16, low=False)),
        ({"capacity": "5", "status": "Charging"}, PadBattery(5, low=False)),
        ({"capacity_level": "Low", "status": "Unknown"}, PadBattery(None, low=True)),
        ({"capacity_level": "Critical"}, PadBattery(None, low=True)),
        ({"capacity_level": "Normal"}, PadBattery(None, low=False)),
        ({"capacity_level": "Unknown"}, None),
        ({"capacity": "garbage"}, None),
        ({"capacity": "-3"}, None),
        ({"status": "Full"}, None),
    ],
)
def test_what_sysfs_tells_of_a_battery(tmp_path, files, battery):
    supply(tmp_path, **files)
    assert read_battery(tmp_path) == battery


def test_a_pad_without_a_battery_has_none(tmp_path):
    assert read_battery(tmp_path) is None


def test_a_battery_that_was_low_is_not_well_at_once(tmp_path):
    supply(tmp_path, capacity="20")
    assert read_battery(tmp_path, was_low=True).low
    supply(tmp_path, capacity="25")
    assert not read_battery(tmp_path, was_low=True).low


def test_a_light_bar_shows_a_colour(tmp_path):
    bar = led(
        tmp_path, "input15:rgb:indicator", multi_index="green red blue", multi_intensity="0 0 0"
    )
    PadLamps(tmp_path).show(Lamp.FAULT)
    assert (bar / "multi_intensity").read_text() == "0 160 0"
    assert (bar / "brightness").read_text() == "255"


def test_three_lamps_show_a_colour(tmp_path):
    leds = [led(tmp_path, f"0005:054C:09CC.0001:{name}") for name in ("red", "green", "blue")]
    PadLamps(tmp_path).show(Lamp.LOW_BATTERY)
    assert [(one / "brightness").read_text() for one in leds] == ["96", "48", "0"]


def test_a_row_of_lamps_shows_a_number(tmp_path):
    row = [
        led(tmp_path, f"0005:057E:2009.0001:green:player-{n}", max_brightness="1")
        for n in range(1, 5)
    ]
    for lamp, burning in ((Lamp.FAULT, 4), (Lamp.ARMED, 2), (Lamp.DISARMED, 1)):
        PadLamps(tmp_path).show(lamp)
        assert [(one / "brightness").read_text().strip() for one in row] == [
            "1" if place < burning else "0" for place in range(4)
        ]


def test_a_pad_without_lamps_shows_nothing(tmp_path):
    PadLamps(tmp_path).show(Lamp.ARMED)


class FakeRumble(Rumble):
    """Motors that tell a test that they turned, and wait or fail as it wants."""

    def __init__(self) -> None:
        self.played: queue.Queue[str] = queue.Queue()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error: Exception | None = None
        self.closed = threading.Event()

    def play(self) -> None:
        self.played.put("begun")
        self.may_go_on.wait(_WITHIN_S)
        if self.error is not None:
            raise self.error
        self.played.put("done")

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def rumble() -> FakeRumble:
    return FakeRumble()


@pytest.fixture
def beside(tmp_path, rumble) -> Iterator[Callable[..., Aside]]:
    made: list[Aside] = []

    def beside(*, can_rumble: bool = True, **config) -> Aside:
        made.append(
            Aside(
                "Some Pad",
                "/dev/input/event3",
                tmp_path,
                GamepadConfig(**config),
                can_rumble=can_rumble,
                open_rumble=lambda _path: rumble,
            )
        )
        return made[-1]

    yield beside
    rumble.may_go_on.set()
    for aside in made:
        aside.close()
        aside._thread.join(_WITHIN_S)
        assert not aside._thread.is_alive()


def until(holds: Callable[[], object]) -> object:
    """Wait for what another thread does."""
    end_s = time.monotonic() + _WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < end_s, "it never happened"
        time.sleep(0.001)
    return found


def test_the_lamps_follow_the_state(tmp_path, beside):
    bar = led(tmp_path, "x:rgb:y", multi_index="red green blue", multi_intensity="0 0 0")
    aside = beside(can_rumble=False)

    def shown(colour: str) -> bool:
        return (bar / "multi_intensity").read_text() == colour

    until(lambda: shown("0 0 40"))
    aside.show(armed=True, fault=False)
    until(lambda: shown("0 96 0"))
    aside.show(armed=False, fault=True)
    until(lambda: shown("160 0 0"))


def test_it_rumbles_once_for_each_new_fault(beside, rumble):
    aside = beside()
    aside.show(armed=True, fault=False)
    aside.show(armed=False, fault=True)
    assert [rumble.played.get(timeout=_WITHIN_S) for _ in range(2)] == ["begun", "done"]
    aside.show(armed=False, fault=False)
    aside.show(armed=False, fault=True)
    assert [rumble.played.get(timeout=_WITHIN_S) for _ in range(2)] == ["begun", "done"]
    # The same fault goes on; the thread takes that in before it ends.
    aside.show(armed=False, fault=True)
    until(lambda: not aside._wake.is_set())
    aside.close()
    assert rumble.closed.wait(_WITHIN_S)
    assert rumble.played.empty()


def test_a_pad_that_is_stuck_keeps_nobody_waiting_and_gets_the_newest(tmp_path, beside, rumble):
    bar = led(tmp_path, "x:rgb:y", multi_index="red green blue", multi_intensity="0 0 0")
    rumble.may_go_on.clear()
    aside = beside()
    aside.show(armed=False, fault=True)
    assert rumble.played.get(timeout=_WITHIN_S) == "begun"
    # It is stuck now. All of these return, though nothing takes them.
    for turn in range(1000):
        aside.show(armed=turn % 2 == 0, fault=False)
    aside.show(armed=True, fault=False)
    assert aside.trouble() == ""
    assert aside.notes() == ()
    assert (bar / "multi_intensity").read_text() == "160 0 0"
    rumble.may_go_on.set()
    until(lambda: (bar / "multi_intensity").read_text() == "0 96 0")


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), SystemError("evdev")])
def test_what_fails_once_is_told_once_and_not_tried_again(beside, rumble, error):
    rumble.error = error
    aside = beside()
    for _ in range(3):
        aside.show(armed=False, fault=True)
        aside.show(armed=False, fault=False)
    (note,) = until(aside.notes)
    assert note.startswith("Some Pad: no rumble, it was refused: ")
    aside.show(armed=False, fault=True)
    aside.close()
    aside._thread.join(_WITHIN_S)
    assert rumble.played.get_nowait() == "begun"
    assert rumble.played.empty()
    assert aside.notes() == ()


def test_a_light_bar_that_may_not_be_set_is_told_once(tmp_path, beside):
    bar = led(tmp_path, "x:rgb:y", multi_index="red green blue", multi_intensity="0 0 0")
    (bar / "multi_intensity").unlink()
    (bar / "multi_intensity").mkdir()
    aside = beside()
    (note,) = until(aside.notes)
    assert note == "Some Pad: no lamps, it was refused: Is a directory"
    aside.show(armed=True, fault=False)
    assert not (bar / "brightness").read_text().startswith("255")


def test_what_the_configuration_does_not_want_is_left_alone(tmp_path, beside, rumble):
    bar = led(tmp_path, "x:rgb:y", multi_index="red green blue", multi_intensity="0 0 0")
    supply(tmp_path, capacity="3")
    aside = beside(rumble=False, lamps=False)
    aside.show(armed=False, fault=True)
    until(aside.trouble)
    aside.close()
    aside._thread.join(_WITHIN_S)
    assert rumble.played.empty()
    assert (bar / "multi_intensity").read_text() == "0 0 0\n"


def test_a_battery_that_is_nearly_empty_is_trouble(tmp_path, beside):
    supply(tmp_path, capacity="9", status="Discharging")
    aside = beside(can_rumble=False)
    assert until(aside.trouble) == (
        "Some Pad: its battery is at 9 %: charge it, or it will switch off"
    )


class FakeInput:
    """Records what is asked of evdev, with evdev's own structures."""

    def __init__(self, path: str, refuses: OSError | None = None) -> None:
        self.path = path
        self.refuses = refuses
        self.effects: list[ff.Effect] = []
        self.written: list[tuple[int, int, int]] = []
        self.closed = False

    def upload_effect(self, effect: ff.Effect) -> int:
        if self.refuses:
            raise self.refuses
        self.effects.append(effect)
        return 7

    def write(self, kind: int, code: int, value: int) -> None:
        self.written.append((kind, code, value))

    def close(self) -> None:
        self.closed = True


def test_an_effect_is_uploaded_once_and_played_by_its_number(monkeypatch):
    device = FakeInput("/dev/input/event3")
    monkeypatch.setattr("evdev.InputDevice", lambda _path: device)
    rumble = Rumble(device.path)
    rumble.play()
    rumble.play()
    rumble.close()
    (effect,) = device.effects
    assert effect.type == ecodes.FF_RUMBLE
    assert effect.id == -1
    assert 0 < effect.ff_replay.length < 500
    assert effect.u.ff_rumble_effect.strong_magnitude > 0
    assert device.written == [(ecodes.EV_FF, 7, 1), (ecodes.EV_SYN, ecodes.SYN_REPORT, 0)] * 2
    assert device.closed


def test_a_pad_that_takes_no_effect_is_not_left_open(monkeypatch):
    device = FakeInput("/dev/input/event3", OSError(28, "No space left on device"))
    monkeypatch.setattr("evdev.InputDevice", lambda _path: device)
    with pytest.raises(OSError, match="No space left"):
        Rumble(device.path)
    assert device.closed


def test_the_pad_that_drives_shows_the_state_and_tells_its_battery_until_it_goes(tmp_path):
    bar = led(tmp_path, "x:rgb:y", multi_index="red green blue", multi_intensity="0 0 0")
    supply(tmp_path, capacity="9")
    about = About(tmp_path, PadIdentity(), frozenset(), frozenset(), frozenset())
    device = SocketDevice(XBOX)
    pad = OpenPad(device, "/dev/input/event3", about=about)
    gamepad = Gamepad(osr_config(), ManualClock(0.0), OnlyPad(pad))
    (thread,) = [one for one in threading.enumerate() if one.name == "pad"]
    gamepad.show(armed=True, fault=False)
    # A battery that is low is shown before armed.
    until(lambda: (bar / "multi_intensity").read_text() == "96 48 0")
    update = gamepad.poll(0.01)
    assert update.connected
    assert "its battery is at 9 %" in update.trouble
    aside = gamepad._aside
    # What is refused again when a pad has come back is told once.
    for told in (("no rumble",), ()):
        aside._notes.append("no rumble")
        assert gamepad.poll(0.02).notes == told
    device.gone = True
    assert not gamepad.poll(0.02).connected
    thread.join(_WITHIN_S)
    assert not thread.is_alive()
    gamepad.close()
    device.close()
