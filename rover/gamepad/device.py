"""One gamepad as an open device: its events and its state, read without ever waiting.

Only python-evdev's API of version 1.6 is used, which is what Debian 12 has.
"""

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from rover.config import GamepadConfig
from rover.errors import DeviceError
from rover.gamepad.codes import EV_ABS, EV_KEY
from rover.gamepad.identity import PadIdentity
from rover.gamepad.layout import why_cannot_drive
from rover.gamepad.mapping import AxisRange, PadCapabilities, mapping_of
from rover.gamepad.nodes import SYSFS, About, about_path, why_not_gamepad

if TYPE_CHECKING:
    from evdev import InputDevice, InputEvent

# python-evdev asks the kernel for up to so many events at once.
_BATCH = 64
_BATCHES = 4
MAX_EVENTS_PER_READ = _BATCH * _BATCHES


class NotAGamepadError(DeviceError):
    """The device is there, but it cannot drive a rover; trying again will not help."""


class OpenPad:
    """An open gamepad; ``mapping`` says which of its codes serves which control.

    Takes over an open ``evdev.InputDevice``. Raises NotAGamepadError if it cannot drive as
    ``config`` binds its controls. ``about`` is what sysfs tells of it, if it knows it.
    """

    def __init__(
        self,
        device: "InputDevice[str]",
        path: str,
        config: GamepadConfig | None = None,
        about: About | None = None,
    ) -> None:
        config = config or GamepadConfig()
        self._device = device
        self.path = path
        self.name = device.name
        self.about = about
        self.identity = _identity(device, about.identity.driver if about else "")
        self.capabilities = _capabilities(device, about.properties if about else frozenset())
        reason = why_not_gamepad(self.identity, self.capabilities, config)
        if reason:
            raise self._cannot_drive(reason)
        try:
            self.mapping = mapping_of(self.capabilities, self.identity, config)
        except DeviceError as error:
            raise NotAGamepadError(f"{error} ({path})") from error
        reason = why_cannot_drive(self.mapping, config.bindings)
        if reason:
            raise self._cannot_drive(reason)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there are events."""
        return self._device.fd

    def read(self) -> tuple[list["InputEvent"], bool]:
        """Return waiting events, at most MAX_EVENTS_PER_READ, and whether more may wait.

        Raises DeviceError when the device is gone.
        """
        events: list[InputEvent] = []
        for _ in range(_BATCHES):
            try:
                batch = list(self._device.read())
            except BlockingIOError:
                return events, False
            except OSError as error:
                raise self._gone(error.strerror) from error
            if not batch:
                # The kernel's devices never end, they fail; what stands in for one may end,
                # and would then be readable for ever.
                raise self._gone("end of file")
            events += batch
            if len(batch) < _BATCH:
                return events, False
        return events, True

    def snapshot(self) -> tuple[list[int], dict[int, int]]:
        """Ask the kernel which buttons are down and where the axes stand, now.

        Raises DeviceError when the device is gone.
        """
        try:
            keys = self._device.active_keys()
            axes = {code: self._device.absinfo(code).value for code in sorted(self.mapping.axes)}
        except OSError as error:
            raise self._gone(error.strerror) from error
        return keys, axes

    def close(self) -> None:
        """Let go of the device."""
        self._device.close()

    def _gone(self, why: str | None) -> DeviceError:
        return DeviceError(f"{self.name} ({self.path}) is gone: {why}")

    def _cannot_drive(self, reason: str) -> NotAGamepadError:
        return NotAGamepadError(f"{self.name} ({self.path}) cannot drive: {reason}")


def open_pad(
    path: str,
    config: GamepadConfig | None = None,
    sysfs: Path = SYSFS,
    opened: type[OpenPad] | None = None,
) -> OpenPad:
    """Open the input device at ``path``, which need not be a character device.

    ``opened`` is what is made of it, for who wants to know more than an OpenPad tells.
    Raises NotAGamepadError, or DeviceError with what to do about it. The evdev library must
    be there.
    """
    from evdev import InputDevice  # noqa: PLC0415 - Linux only

    try:
        device = InputDevice(path)
    except PermissionError as error:
        raise DeviceError(
            f"no permission to read the gamepad at {path}: sudo usermod -aG input $USER, "
            "then log in again"
        ) from error
    except OSError as error:
        if error.errno in {errno.ENOTTY, errno.EINVAL}:
            raise NotAGamepadError(f"{path} is not an input device") from error
        raise DeviceError(f"the gamepad at {path} cannot be opened: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NotAGamepadError(f"the name of the device at {path} is not text") from error
    try:
        return (opened or OpenPad)(device, path, config, about_path(path, sysfs))
    except NotAGamepadError:
        device.close()
        raise
    except OSError as error:
        device.close()
        raise DeviceError(f"the gamepad at {path} cannot be read: {error.strerror}") from error


def _identity(device: "InputDevice[str]", driver: str) -> PadIdentity:
    info = device.info
    return PadIdentity(
        info.bustype, info.vendor, info.product, info.version, device.name, device.uniq, driver
    )


def _capabilities(device: "InputDevice[str]", properties: frozenset[int]) -> PadCapabilities:
    # Properties come from sysfs: python-evdev breaks where a device does not tell them.
    codes = device.capabilities(absinfo=False)
    axes = {}
    for code in codes.get(EV_ABS, []):
        info = device.absinfo(code)
        axes[code] = AxisRange(info.min, info.max, info.flat)
    return PadCapabilities(frozenset(codes.get(EV_KEY, [])), axes, properties)
