"""What a pad can show: a light bar or lamps by sysfs, rumble by evdev.

All of it may wait for the pad's radio: not for the loop.
"""

from enum import Enum
from pathlib import Path

from rover.gamepad.codes import EV_FF, FF_RUMBLE

_RUMBLE_MS = 400
_STRONG, _WEAK = 0xC000, 0x8000


class Lamp(Enum):
    """What the lamps say: a colour where there are colours, else how many of four burn."""

    DISARMED = ((0, 0, 40), 1)
    ARMED = ((0, 96, 0), 2)
    LOW_BATTERY = ((96, 48, 0), 3)
    FAULT = ((160, 0, 0), 4)


class PadLamps:
    """The lamps of one pad, by the ``device`` folder that it has in sysfs.

    A light bar with ``multi_intensity`` (hid-playstation), one of three lamps red, green and
    blue (hid-sony), or a row of lamps that number the player (hid-nintendo, hid-playstation).
    """

    def __init__(self, device: Path) -> None:
        try:
            leds = sorted((device / "leds").iterdir())
        except OSError:
            leds = []
        self._bar = next((led for led in leds if (led / "multi_intensity").exists()), None)
        by_ending = {led.name.rpartition(":")[2]: led for led in leds}
        self._three = [by_ending[name] for name in ("red", "green", "blue") if name in by_ending]
        row = [f"player-{number}" for number in range(1, 5)]
        self._row = [by_ending[name] for name in row if name in by_ending]

    def show(self, lamp: Lamp) -> None:
        """Have the lamps say this. Raises OSError if they cannot be set."""
        colour, burning = lamp.value
        if self._bar is not None:
            names = (self._bar / "multi_index").read_text().split()
            part = dict(zip(("red", "green", "blue"), colour, strict=True))
            levels = " ".join(str(part.get(name, 0)) for name in names)
            (self._bar / "multi_intensity").write_text(levels)
            (self._bar / "brightness").write_text(_most(self._bar))
        elif len(self._three) == len(colour):
            for led, level in zip(self._three, colour, strict=True):
                (led / "brightness").write_text(str(level))
        for place, led in enumerate(self._row):
            (led / "brightness").write_text(_most(led) if place < burning else "0")


def _most(led: Path) -> str:
    return (led / "max_brightness").read_text().strip()


class Rumble:
    """The motors of one pad, by a descriptor of its own; opened when first wanted."""

    def __init__(self, path: str) -> None:
        from evdev import InputDevice, ff  # noqa: PLC0415 - Linux only

        self._device = InputDevice(path)
        try:
            kind = ff.EffectType(ff_rumble_effect=ff.Rumble(_STRONG, _WEAK))
            # -1 asks the driver for a place.
            effect = ff.Effect(FF_RUMBLE, -1, 0, ff.Trigger(0, 0), ff.Replay(_RUMBLE_MS, 0), kind)
            self._effect = self._device.upload_effect(effect)
        except BaseException:
            self._device.close()
            raise

    def play(self) -> None:
        """Rumble once, for less than half a second. Raises OSError if it cannot."""
        self._device.write(EV_FF, self._effect, 1)
        self._device.write(0, 0, 0)

    def close(self) -> None:
        """Let go of the pad, which ends the rumbling."""
        self._device.close()
