"""One RoboClaw read through: all that it tells of itself, each value asked for a few times."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from calibration.doctor.bench import QuestionLine
from rover.clock import Clock
from rover.errors import BadReplyError, DeviceTimeoutError
from rover.hardware.bus import framing
from rover.hardware.roboclaw_bus import RoboclawBus

_TRIES = 4
# Between two looks at the encoders; a wheel that turns at a walking child's pace (0.3 m/s) makes
# two dozen counts in it.
_LOOK_AGAIN_S = 0.05
_STILL_COUNTS = 8
# Older firmware's answer and newer's: the modes of S3 to S5, and the main battery's limits.
_PINS_BYTES, _LIMITS_BYTES = (3, 5), (4, 5)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Loop:
    """A velocity loop as the controller keeps it; gains are parts of 65536."""

    p: int
    i: int
    d: int
    qpps: int


@dataclass(frozen=True, slots=True)
class UnitReading:
    """What one controller says; None where it did not, or its firmware does not know the question.

    ``s3`` is the first of its input's modes, ``newer`` whether it answers as newer firmware.
    """

    address: int
    firmware: str
    status: bytes | None
    main_v: float | None
    logic_v: float | None
    temperature_c: float | None
    encoders: tuple[int, int] | None
    turning: bool
    timeout_s: float | None
    lowest_main_v: float | None
    max_currents_a: tuple[float, float] | None
    loops: tuple[Loop, Loop] | None
    encoder_modes: tuple[int, int] | None
    config_word: int | None
    s3: int | None
    newer: bool

    @property
    def name(self) -> str:
        """How people call it."""
        return f"RoboClaw 0x{self.address:02X}"


class Questioner:
    """Asks over a line of questions, and keeps count of what came out of it."""

    def __init__(self, line: QuestionLine, baud: int, margin_s: float, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._bus = RoboclawBus(line, baud, margin_s, clock)
        self.answered = 0
        self.spoilt = 0

    def version(self, address: int) -> str | None:
        """Return the firmware's version, None if none comes."""
        return self._ask(lambda: self._bus.read_version(address))

    def one_of(self, address: int, command: int, counts: tuple[int, ...]) -> bytes | None:
        """Return an answer that is as long as one of ``counts``, by the firmware."""
        request = framing.read_request(address, command)
        return self._ask(lambda: self._bus.read_one_of(request, counts))

    def values(self, address: int, command: int, form: str) -> tuple[int, ...] | None:
        """Return an answer's integers, laid out as ``form`` says."""
        layout = struct.Struct(">" + form)
        data = self.one_of(address, command, (layout.size,))
        return None if data is None else layout.unpack(data)

    def status(self, address: int) -> bytes | None:
        """Return the status word, 2 or 4 bytes."""
        return self._ask(lambda: self._bus.read_status(address, None))

    def pause(self, duration_s: float) -> None:
        """Say nothing for so long."""
        self._clock.sleep_s(duration_s)

    def _ask(self, question: Callable[[], Value]) -> Value | None:
        """Ask until an answer is right; who says nothing at all is asked twice."""
        for tried in range(_TRIES):
            before = self._line.received
            try:
                value = question()
            except (DeviceTimeoutError, BadReplyError):
                if self._line.received > before:
                    self.spoilt += 1
                elif tried:
                    return None
                continue
            self.answered += 1
            return value
        return None


def read_unit(ask: Questioner, address: int, firmware: str) -> UnitReading:
    """Read the controller at ``address`` through."""
    first = ask.values(address, 78, "II")
    turning = False
    if first is not None:
        ask.pause(_LOOK_AGAIN_S)
        again = ask.values(address, 78, "II")
        turning = again is not None and any(
            abs(framing.count_difference(new, old)) > _STILL_COUNTS
            for new, old in zip(again, first, strict=True)
        )
    if turning:
        return _turning(address, firmware)
    pins = ask.one_of(address, 75, _PINS_BYTES)
    limits = ask.one_of(address, 59, _LIMITS_BYTES)
    battery, logic = ask.values(address, 24, "H"), ask.values(address, 25, "H")
    temperature = ask.values(address, 82, "H")
    timeout = ask.values(address, 15, "B")
    word = ask.values(address, 99, "H")
    modes = ask.values(address, 91, "BB")
    currents = [ask.values(address, command, "II") for command in (135, 136)]
    loops = [ask.values(address, command, "IIII") for command in (55, 56)]
    return UnitReading(
        address=address,
        firmware=firmware,
        status=ask.status(address),
        main_v=battery[0] / 10.0 if battery else None,
        logic_v=logic[0] / 10.0 if logic else None,
        temperature_c=temperature[0] / 10.0 if temperature else None,
        encoders=None if first is None else _signed(first),
        turning=False,
        timeout_s=timeout[0] / 10.0 if timeout else None,
        lowest_main_v=int.from_bytes(limits[:2], "big") / 10.0 if limits else None,
        max_currents_a=_pair([c[0] / 100.0 for c in currents if c]),
        loops=_pair([Loop(*loop) for loop in loops if loop]),
        encoder_modes=(modes[0], modes[1]) if modes else None,
        config_word=word[0] if word else None,
        s3=pins[0] if pins else None,
        newer=pins is not None and len(pins) == max(_PINS_BYTES),
    )


def _turning(address: int, firmware: str) -> UnitReading:
    """Return the least that is to be said: each further question would keep the wheels turning."""
    return UnitReading(
        address,
        firmware,
        status=None,
        main_v=None,
        logic_v=None,
        temperature_c=None,
        encoders=None,
        turning=True,
        timeout_s=None,
        lowest_main_v=None,
        max_currents_a=None,
        loops=None,
        encoder_modes=None,
        config_word=None,
        s3=None,
        newer=False,
    )


def _pair(values: list[Value]) -> tuple[Value, Value] | None:
    match values:
        case [first, second]:
            return first, second
    return None


def _signed(counts: tuple[int, ...]) -> tuple[int, int]:
    first, second = (framing.count_difference(count, 0) for count in counts)
    return first, second
