"""Any input device as it is: its events and its state, whatever they mean.

For people who look at a pad or calibrate it; control reads its pad through ``device``.
"""

import errno
from typing import TYPE_CHECKING

from msgspec import Struct

from rover.errors import DeviceError
from rover.gamepad.codes import EV_ABS, EV_KEY, EV_SYN, SYN_DROPPED, SYN_REPORT
from rover.gamepad.identity import PadIdentity
from rover.gamepad.mapping import AxisRange, PadCapabilities

if TYPE_CHECKING:
    from evdev import InputDevice

NO_PERMISSION = "sudo usermod -aG input $USER, then log out and in again"
# More than a pad at 8 kHz says between two looks.
_MOST_READS = 64


class Event(Struct, frozen=True):
    """A button that went down (1) or up (0), or an axis that moved: type, code, value."""

    kind: int
    code: int
    value: int


class RawPad:
    """An open input device. ``down`` and ``raws`` are its state as last heard.

    Every method raises DeviceError if the device is gone.
    """

    def __init__(self, device: "InputDevice[str]", path: str) -> None:
        self._device = device
        self.path = path
        info = device.info
        self.identity = PadIdentity(
            info.bustype, info.vendor, info.product, info.version, device.name, device.uniq
        )
        codes = device.capabilities(absinfo=False)
        axes: dict[int, AxisRange] = {}
        self.raws: dict[int, int] = {}
        for code in codes.get(EV_ABS, []):
            told = device.absinfo(code)
            axes[code] = AxisRange(told.min, told.max, told.flat)
            self.raws[code] = told.value
        self.capabilities = PadCapabilities(frozenset(codes.get(EV_KEY, [])), axes)
        self.down = set(device.active_keys())
        self._dropping = False

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there are events."""
        return self._device.fd

    def read(self) -> list[Event]:
        """Return what has happened since the last look, in its order, without waiting.

        Where the kernel has lost events, what they came to is made up for.
        """
        heard: list[Event] = []
        for _ in range(_MOST_READS):
            try:
                batch = list(self._device.read())
            except BlockingIOError:
                break
            except OSError as error:
                raise self._gone(error) from error
            if not batch:
                raise self._gone(OSError(errno.ENODEV, "end of file"))
            for event in batch:
                if event.type == EV_SYN and event.code == SYN_DROPPED:
                    self._dropping = True
                elif self._dropping and event.type == EV_SYN and event.code == SYN_REPORT:
                    self._dropping = False
                    heard += self._ask_anew()
                elif not self._dropping and event.type in {EV_KEY, EV_ABS}:
                    heard += self._note(event.type, event.code, event.value)
        return heard

    def grab(self) -> None:
        """Take the device for oneself: no other program hears it until it is closed.

        So nothing that is done with the pad reaches control.
        """
        try:
            self._device.grab()
        except OSError as error:
            raise DeviceError(
                f"{self.identity.name} ({self.path}) is held by another program: end that first"
            ) from error

    def ungrab(self) -> None:
        """Let others hear the device again."""
        try:
            self._device.ungrab()
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Let go of the device."""
        self._device.close()

    def _note(self, kind: int, code: int, value: int) -> list[Event]:
        if kind == EV_ABS:
            self.raws[code] = value
        elif value == 1:
            self.down.add(code)
        elif value == 0:
            self.down.discard(code)
        else:
            return []  # a key that repeats is held, and has been told already
        return [Event(kind, code, value)]

    def _ask_anew(self) -> list[Event]:
        try:
            down = set(self._device.active_keys())
            raws = {code: self._device.absinfo(code).value for code in self.raws}
        except OSError as error:
            raise self._gone(error) from error
        changes = [(EV_KEY, code, int(code in down)) for code in sorted(down ^ self.down)]
        changes += [(EV_ABS, code, raw) for code, raw in raws.items() if raw != self.raws[code]]
        return [event for change in changes for event in self._note(*change)]

    def _gone(self, error: OSError) -> DeviceError:
        return DeviceError(
            f"{self.identity.name} ({self.path}) was unplugged or switched off: {error.strerror}"
        )


def open_raw(path: str) -> RawPad:
    """Open the input device at ``path``. Raises DeviceError with what to do about it."""
    try:
        from evdev import InputDevice  # noqa: PLC0415 - Linux only
    except ImportError as error:
        raise DeviceError(
            "no gamepad can be read, the evdev library is missing: sudo apt install python3-evdev"
        ) from error
    try:
        device = InputDevice(path)
    except PermissionError as error:
        raise DeviceError(f"no permission to read {path}: {NO_PERMISSION}") from error
    except OSError as error:
        raise DeviceError(f"{path} cannot be opened: {error.strerror}") from error
    try:
        return RawPad(device, path)
    except OSError as error:
        device.close()
        raise DeviceError(f"{path} cannot be read: {error.strerror}") from error
