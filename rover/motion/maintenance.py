"""What moves in MAINTENANCE: one wheel or one servo, slowly, while its client goes on asking.

An order counts for ``maintenance.order_s`` from when the person gave it. Whatever ends the
motion, its client must say Rest before anything moves again; so it must between one thing and
another. A wheel gets zero duty at once when it is to stop: there is no ramp down.
"""

import math

from rover.config import Config, SteerConfig
from rover.messages import Maintained, MaintenanceOrder, OneTarget, Rest, TurnServo, TurnWheel

# Clocks of processes on one computer are one clock; this is only for rounding.
_FUTURE_TOLERANCE_S = 0.005


class Maintenance:
    """The newest order, and the ramp towards it. ``enter`` before every use."""

    _order: TurnWheel | TurnServo | None

    def __init__(self, config: Config) -> None:
        self._limits = config.maintenance
        self._names = tuple(config.wheels)
        # How far each servo that there is may turn its wheel.
        self._ends = {
            name: _ends_rad(wheel.steer, config)
            for name, wheel in config.wheels.items()
            if wheel.steer is not None
        }
        self._moved: tuple[type, str] | None = None
        self._moved_s = -math.inf
        self.enter("", -math.inf)

    def enter(self, who: str, now_s: float) -> None:
        """Begin anew for ``who``: nothing moves, servos are taken to stand straight ahead."""
        self._who = who
        self._stamp_s = now_s
        self._angles = dict.fromkeys(self._names, 0.0)
        self._end()

    def receive(self, order: MaintenanceOrder, now_s: float) -> str:
        """Take an order in; return why it is refused, empty if it is not. Refused ones end motion.

        What is older than the newest is passed over in silence, and so is a motion before Rest.
        """
        age_s = now_s - order.stamp_s
        # Written so that a time that is not a number is refused.
        if not -_FUTURE_TOLERANCE_S <= age_s <= self._limits.order_s:
            self._end()
            return f"an order that is {age_s:.2f} s old: {self._limits.order_s:g} s are allowed"
        if order.stamp_s < self._stamp_s:
            return ""
        # Its client may have been silent for too long since the last step.
        self._end_if_overdue(now_s)
        self._stamp_s = order.stamp_s
        wanted, now = order.order, self._order
        if isinstance(wanted, Rest):
            self._end()
            self._must_rest = False
            return ""
        trouble = self._objection(wanted)
        if not trouble and now is not None and _thing(now) != _thing(wanted):
            trouble = f"{wanted.wheel} while {now.wheel} moves: rest in between"
        if trouble:
            self._end()
        elif not self._must_rest:
            self._order = wanted
        return trouble

    def silent(self, now_s: float) -> bool:
        """Whether the client has said nothing for so long that it has gone."""
        return not now_s - self._stamp_s <= self._limits.silence_s

    def step(self, now_s: float, elapsed_s: float) -> OneTarget:
        """Return what may move for the next tick, ``elapsed_s`` after the last."""
        self._end_if_overdue(now_s)
        duty = dict.fromkeys(self._names, 0.0)
        steer_rad: dict[str, float | None] = dict.fromkeys(self._names)
        order = self._order
        if order is not None and self._has_its_turn(order, now_s):
            if isinstance(order, TurnWheel):
                duty[order.wheel] = self._duty = self._ramp(order.duty, elapsed_s)
            else:
                steer_rad[order.wheel] = self._angles[order.wheel] = self._slew(order, elapsed_s)
            self._moved, self._moved_s = _thing(order), now_s
        return OneTarget(tuple(duty.values()), tuple(steer_rad.values()))

    def told(self) -> Maintained:
        """Return what to tell of it."""
        order = self._order
        if order is None:
            return Maintained(self._who)
        if isinstance(order, TurnWheel):
            return Maintained(self._who, order.wheel, duty=self._duty)
        return Maintained(self._who, order.wheel, steer_rad=self._angles[order.wheel])

    def _end(self) -> None:
        """Have nothing move until the client has said Rest."""
        self._order, self._must_rest, self._duty = None, True, 0.0

    def _end_if_overdue(self, now_s: float) -> None:
        if self._order is not None and not now_s - self._stamp_s <= self._limits.order_s:
            self._end()

    def _has_its_turn(self, order: TurnWheel | TurnServo, now_s: float) -> bool:
        return _thing(order) == self._moved or now_s - self._moved_s >= self._limits.pause_s

    def _objection(self, order: TurnWheel | TurnServo) -> str:
        if order.wheel not in self._names:
            return f"there is no wheel {order.wheel[:32]!r}"
        if isinstance(order, TurnWheel):
            return "" if math.isfinite(order.duty) else "a duty that is not a number"
        if order.wheel not in self._ends:
            return f"{order.wheel} has no servo"
        return "" if math.isfinite(order.angle_rad) else "an angle that is not a number"

    def _ramp(self, asked: float, elapsed_s: float) -> float:
        """Return the next duty: up by the ramp, down at once, through zero if it turns round."""
        wanted = max(-self._limits.duty, min(self._limits.duty, asked))
        if self._duty * wanted < 0.0:
            return 0.0
        most = abs(self._duty) + self._limits.duty_rate_per_s * elapsed_s
        return math.copysign(min(abs(wanted), most), wanted)

    def _slew(self, order: TurnServo, elapsed_s: float) -> float:
        """Return the next angle: towards what is asked for, at the slow rate."""
        low, high = self._ends[order.wheel]
        step = self._limits.steer_rate_rad_s * elapsed_s
        now = self._angles[order.wheel]
        return now + max(-step, min(step, max(low, min(high, order.angle_rad)) - now))


def _thing(order: TurnWheel | TurnServo) -> tuple[type, str]:
    """Return what an order moves: a wheel or a servo, and which."""
    return type(order), order.wheel


def _ends_rad(steer: SteerConfig, config: Config) -> tuple[float, float]:
    """Return the wheel's angles at the servo's own ends, as far as the gate allows them."""
    right, left = sorted(
        (servo_deg - steer.centre_deg) * steer.direction
        for servo_deg in (0.0, config.steering.servo_range_deg)
    )
    most = config.gate.maintenance_steer_rad
    return max(-most, math.radians(right)), min(most, math.radians(left))
