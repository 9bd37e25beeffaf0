"""What a page says while it calibrates, fuzzed: every step, with a rover that obeys at once."""

import json
import math

import msgspec
from msgspec import structs

from benchmarks.fuzz.target import Family, Target, require
from calibration.steps.catalogue import CATALOGUE
from calibration.steps.step import Step
from rover.config import Config
from rover.messages import (
    ArmState,
    Maintained,
    Order,
    PowerReading,
    Rest,
    Telemetry,
    TurnServo,
    TurnWheel,
)
from tests.builders import osr_config
from tests.web.fake_control import still_rover
from web.step_desk import hear_frame
from web.talk import BadKeyError

_CONFIG = osr_config()
_END = b"\0"
_WAIT_S = 0.01
# A hold is forgotten after so long, and orders count no longer either.
_HOLD_S = 0.3
_encode = msgspec.json.Encoder().encode


class _Talk:
    """One step in front of a page that says anything."""

    def __init__(self, step: Step, config: Config) -> None:
        self._step = step
        self._limits = config.maintenance
        self._now_s = 100.0
        self._held_s = -math.inf
        self._turned_rad = 0.0
        self._telemetry = structs.replace(
            still_rover(),
            supplies=(PowerReading(15.9, 0.5, 100.0, "INA260 0x45"),),
        )
        self.understood = False

    def say(self, message: bytes) -> bool:
        """Pass one message on, and let the rover do what is ordered; whether it goes on."""
        self._now_s += message[0] * _WAIT_S if message else 0.0
        try:
            hear_frame(self._step, message[1:].decode("utf-8", "surrogateescape"), self._now_s)
        except BadKeyError:
            return False
        self.understood = True
        if _kind(message[1:]) == "hold":
            self._held_s = self._now_s
        order, since_s = self._step.order(self._now_s, self._now_s)
        require(since_s <= self._now_s, "nothing is wanted later than now")
        self._hold_order(order)
        self._step.see(self._obeyed(order))
        _encode(self._step.view())
        _encode(_plain(self._step))
        return self._step.outcome is None

    def _hold_order(self, order: Order) -> None:
        if isinstance(order, Rest):
            return
        require(self._step.maintains, "nothing moves before somebody has agreed to it")
        if isinstance(order, TurnWheel):
            require(order.duty == self._limits.duty, "a wheel turns as slowly as is configured")
            require(self._now_s - self._held_s <= _HOLD_S, "a wheel turns while it is held")
        else:
            require(math.isfinite(order.angle_rad), "a servo is led somewhere")

    def _obeyed(self, order: Order) -> Telemetry:
        maintained = Maintained("a page")
        if isinstance(order, TurnWheel):
            maintained = Maintained("a page", order.wheel, duty=order.duty)
            self._turned_rad += 0.3
        elif isinstance(order, TurnServo):
            maintained = Maintained("a page", order.wheel, steer_rad=order.angle_rad)
        wheels = tuple(
            structs.replace(wheel, position_rad=self._turned_rad)
            for wheel in self._telemetry.wheels
        )
        return structs.replace(
            self._telemetry,
            stamp_s=self._now_s,
            state=ArmState.MAINTENANCE if self._step.maintains else ArmState.DISARMED,
            maintenance=maintained,
            wheels=wheels,
        )


def _kind(message: bytes) -> object:
    found = json.loads(message)
    return found.get("type") if isinstance(found, dict) else None


def _plain(step: Step) -> dict[str, object]:
    return {".".join(path): value for path, value in step.changes().items()}


def _talk(data: bytes) -> bool:
    """Hold a whole conversation; the first byte says about which step."""
    entry = CATALOGUE[(data[0] if data else 0) % len(CATALOGUE)]
    talk = _Talk(entry.begin(_CONFIG, b""), _CONFIG)
    for message in data[1:].split(_END):
        if not talk.say(message):
            break
    return talk.understood


def _draft(data: bytes) -> bool:
    """Begin every step with what somebody has put in the place of its draft."""
    kept = False
    for entry in CATALOGUE:
        step = entry.begin(_CONFIG, data)
        require(not step.maintains, "a step that begins moves nothing")
        _encode(step.view())
        kept |= bool(step.draft())
    return kept


def _press(key: str) -> bytes:
    return b"\x05" + json.dumps({"type": "press", "key": key}).encode()


_HOLD, _HERE = b'\x05{"type":"hold"}', b'\x05{"type":"here"}'
_NUMBER = b'\x05{"type":"number","value":2.5}'
_TURN = (*(_HOLD,) * 30, b"\x40" + _HERE[1:], _HERE)
_TALKS = (
    b"\x00" + _END.join((_press("y"), *_TURN, _press("1"), _press("f"), *_TURN, _press("2"))),
    b"\x01"
    + _END.join((_press("y"), *_TURN * 3, _press("1"), _press("l"), _press("up"), _press("enter"))),
    b"\x02" + _END.join((_press("s"), _press("enter"), _press("enter"), _NUMBER, _press("w"))),
    b"\x03" + _END.join((_press("s"), _press("enter"), _HERE, _press("enter"), _NUMBER)),
    b"\x04" + _END.join((_NUMBER, _press("s"), _NUMBER, _press("w"))),
)
_KEYS = ("y", "n", "0", "1", "6", "f", "b", "a", "l", "r", "k", "w", "q", "s", "t", "enter", "up")
_TOKENS = (
    *(_END + _press(key) for key in _KEYS),
    *(_END + _HOLD, _END + _HERE, _END + _NUMBER),
    *(b"0.0", b"-1", b"1e999", b"NaN", b"null", b"[", b"{", b'"', b"\xed\xa0\x80"),
)


def _drafts() -> tuple[bytes, ...]:
    """Return what some of these conversations leave behind."""
    drafts = []
    for data in _TALKS:
        step = CATALOGUE[data[0]].begin(_CONFIG, b"")
        talk = _Talk(step, _CONFIG)
        for message in data[1:].split(_END):
            talk.say(message)
        drafts.append(step.draft())
    return tuple(draft for draft in drafts if draft)


TARGETS = (
    Target("calibrations", Family.WEBSOCKET, _talk, _TALKS, _TOKENS, weight=0.25),
    Target("drafts", Family.WEBSOCKET, _draft, _drafts(), _TOKENS, weight=0.25),
)
