"""GPIO lines through gpiozero, on a Raspberry Pi's pins or on the simulator's.

The pin factory here lets the same gpiozero devices (OutputDevice, LED, InputDevice, Button) run on
lines that are somewhere else, in memory or behind a socket.
"""

import time
import warnings
from typing import Protocol

from gpiozero import Device
from gpiozero.exc import BadPinFactory, GPIOZeroError, PinInvalidFunction, PinSetInput
from gpiozero.pins import Factory, PinInfo
from gpiozero.pins.pi import PiFactory, PiPin

from rover.errors import DeviceError
from rover.hardware.bus.endpoint import Done, EndpointClient, LineLevel, LineRead, LineWrite

_SOCKET = "socket:"
# A Raspberry Pi 4B: any board with the 40-pin header has the same lines 0-27.
_BOARD_REVISION = 0xC03111


class LineEndpoint(Protocol):
    """GPIO lines by BCM number."""

    def set_level(self, line: int, high: bool) -> None:
        """Drive ``line``. Raises DeviceError if it cannot be done."""
        ...

    def level(self, line: int) -> bool:
        """Tell whether ``line`` is high; an open input with its pull-up is. Raises DeviceError."""
        ...


class SocketLines:
    """The simulator's lines behind a Unix socket."""

    def __init__(self, client: EndpointClient) -> None:
        self._client = client

    def set_level(self, line: int, high: bool) -> None:
        """Drive ``line``. Raises DeviceError."""
        reply = self._client.request(LineWrite(line, high))
        if not isinstance(reply, Done):
            raise DeviceError(f"{self._client.path}: {reply} answers driving line {line}")

    def level(self, line: int) -> bool:
        """Tell whether ``line`` is high. Raises DeviceError."""
        reply = self._client.request(LineRead(line))
        if not isinstance(reply, LineLevel):
            raise DeviceError(f"{self._client.path}: {reply} answers reading line {line}")
        return reply.high

    def close(self) -> None:
        """Hang up."""
        self._client.close()


class EndpointPin(PiPin):  # type: ignore[misc]  # gpiozero has no type annotations
    """One line of an endpoint, polled: it fires no edge events, its state is always fresh."""

    def __init__(self, factory: "EndpointFactory", info: PinInfo) -> None:
        super().__init__(factory, info)
        self._endpoint = factory.endpoint
        self._line = int(info.name.removeprefix("GPIO"))
        self._function = "input"
        self._pull = info.pull or "floating"
        self._bounce: float | None = None
        self._edges = "both"

    def close(self) -> None:
        """Become an input again; nothing is driven."""
        self.when_changed = None
        self._function = "input"

    def _get_function(self) -> str:
        return self._function

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f"{self!r} can be input or output, not {value}")
        self._function = value

    def _get_state(self) -> int:
        return int(self._endpoint.level(self._line))

    def _set_state(self, value: float) -> None:
        if self._function != "output":
            raise PinSetInput(f"{self!r} is an input")
        self._endpoint.set_level(self._line, bool(value))

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        self._pull = value

    def _get_bounce(self) -> float | None:
        return self._bounce

    def _set_bounce(self, value: float | None) -> None:
        self._bounce = value

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        self._edges = value

    def _enable_event_detect(self) -> None:
        """Do nothing: the panel polls."""

    def _disable_event_detect(self) -> None:
        """Do nothing: nothing was enabled."""


class EndpointFactory(PiFactory):  # type: ignore[misc]  # gpiozero has no type annotations
    """A gpiozero pin factory on the lines of ``endpoint``.

    Use it as any other: ``LED(25, pin_factory=EndpointFactory(lines))``.
    """

    def __init__(self, endpoint: LineEndpoint) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.pin_class = EndpointPin

    def close(self) -> None:
        """Close the pins, and hang up if the endpoint is a socket."""
        super().close()
        if isinstance(self.endpoint, SocketLines):
            self.endpoint.close()

    def _get_revision(self) -> int:
        return _BOARD_REVISION

    @staticmethod
    def ticks() -> float:
        """Return monotonic seconds, as gpiozero's own factories do."""
        return time.monotonic()

    @staticmethod
    def ticks_diff(later: float, earlier: float) -> float:
        """Return the seconds between two ``ticks``."""
        return later - earlier


def open_pin_factory(spec: str) -> Factory:
    """Return a gpiozero pin factory, the caller's to close.

    "gpiozero" is this computer's own pins, by the library that gpiozero prefers (lgpio on a
    Raspberry Pi) or that GPIOZERO_PIN_FACTORY names; "socket:PATH" is the simulator's lines.
    Raises DeviceError with one sentence that says what was tried and the likeliest cause.
    """
    if spec.startswith(_SOCKET):
        client = EndpointClient(spec.removeprefix(_SOCKET))
        client.connect()
        return EndpointFactory(SocketLines(client))
    if spec != "gpiozero":
        raise DeviceError(
            f'panel.gpio is "{spec}": "gpiozero", "none" or "socket:PATH" are allowed'
        )
    with warnings.catch_warnings(record=True) as fallbacks:
        warnings.simplefilter("always")
        try:
            Device.ensure_pin_factory()
        except (BadPinFactory, GPIOZeroError, ImportError, OSError) as error:
            tried = "; ".join(str(warning.message) for warning in fallbacks) or str(error)
            raise DeviceError(
                "no GPIO pins on this computer: on a Raspberry Pi install python3-lgpio with apt "
                f'and join the group gpio, elsewhere set panel.gpio = "none" ({tried})'
            ) from error
    # Taken out of gpiozero's global place: who opened it closes it, and may open it again.
    factory, Device.pin_factory = Device.pin_factory, None
    return factory
