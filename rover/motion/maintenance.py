"""What moves in MAINTENANCE: one wheel or one servo, slowly, while its client goes on asking.

An order counts for ``maintenance.order_s`` from when the person gave it. Whatever ends the
motion, its client must say Rest before anything moves again; so it must between one thing and
another. A wheel gets zero duty at once when it is to stop: there is no ramp down.
"""

import math

from rover.config import Config
from rover.messages import Maintained, MaintenanceOrder, OneTarget, Rest, TurnServo, TurnWheel

# Clocks of processes on one computer are one clock; this is only for rounding.
_FUTURE_TOLERANCE_S = 0.005


class Maintenance:
    """The newest order, and the ramp towards it. ``enter`` before every use."""

    def __init__(self, config: Config) -> None:
        self._limits = config.maintenance
        self._names = tuple(config.wheels)
        self._steered = tuple(wheel.steer is not None for wheel in config.wheels.values())
        most = config.gate.maintenance_steer_rad
        centres = [
            (wheel.steer.centre_deg, wheel.steer.direction) if wheel.steer else (0.0, 1)
            for wheel in config.wheels.values()
        ]
        range_deg = config.steering.servo_range_deg
        # As far as each servo itself turns its wheel.
        self._ends = [
            (
                max(-most, math.radians(min(-centre * way, (range_deg - centre) * way))),
                min(most, math.radians(max(-centre * way, (range_deg - centre) * way))),
            )
            for centre, way in centres
        ]
        self._moved_s = -math.inf
        self._moved: tuple[type, int] | None = None
        self.enter("", -math.inf)

    def enter(self, who: str, now_s: float) -> None:
        """Begin anew for ``who``: nothing moves, servos are taken to stand straight ahead."""
        self._who = who
        self._heard_s = self._stamp_s = now_s
        self._order: TurnWheel | TurnServo | None = None
        self._must_rest = True
        self._duty = 0.0
        self._angles = [0.0] * len(self._names)

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
        self._heard_s = self._stamp_s = order.stamp_s
        wanted = order.order
        if isinstance(wanted, Rest):
            self._end()
            self._must_rest = False
            return ""
        trouble = self._objection(wanted)
        if trouble:
            self._end()
            return trouble
        if self._must_rest:
            return ""
        now = self._order
        if now is not None and (type(now), now.wheel) != (type(wanted), wanted.wheel):
            self._end()
            return f"{wanted.wheel} while {now.wheel} moves: rest in between"
        self._order = wanted
        return ""

    def silent(self, now_s: float) -> bool:
        """Whether the client has said nothing for so long that it has gone."""
        return not now_s - self._heard_s <= self._limits.silence_s

    def step(self, now_s: float, elapsed_s: float) -> OneTarget:
        """Return what may move for the next tick, ``elapsed_s`` after the last."""
        if not now_s - self._stamp_s <= self._limits.order_s and self._order is not None:
            self._end()
        duty = [0.0] * len(self._names)
        steer: list[float | None] = [None] * len(self._names)
        order = self._order
        if order is None:
            return OneTarget(tuple(duty), tuple(steer))
        i = self._names.index(order.wheel)
        moving = (type(order), i)
        if moving != self._moved and now_s - self._moved_s < self._limits.pause_s:
            return OneTarget(tuple(duty), tuple(steer))
        if isinstance(order, TurnWheel):
            self._duty = self._ramp(order.duty, elapsed_s)
            duty[i] = self._duty
        else:
            steer[i] = self._angles[i] = self._slew(i, order.angle_rad, elapsed_s)
        self._moved, self._moved_s = moving, now_s
        return OneTarget(tuple(duty), tuple(steer))

    def told(self) -> Maintained:
        """Return what to tell of it."""
        order = self._order
        if order is None:
            return Maintained(self._who)
        if isinstance(order, TurnWheel):
            return Maintained(self._who, order.wheel, duty=self._duty)
        return Maintained(
            self._who, order.wheel, steer_rad=self._angles[self._names.index(order.wheel)]
        )

    def _end(self) -> None:
        """Have nothing move until the client has said Rest."""
        self._order, self._must_rest, self._duty = None, True, 0.0

    def _objection(self, order: TurnWheel | TurnServo) -> str:
        if order.wheel not in self._names:
            return f"there is no wheel {order.wheel[:32]!r}"
        if isinstance(order, TurnWheel):
            return "" if math.isfinite(order.duty) else "a duty that is not a number"
        if not self._steered[self._names.index(order.wheel)]:
            return f"{order.wheel} has no servo"
        return "" if math.isfinite(order.angle_rad) else "an angle that is not a number"

    def _ramp(self, asked: float, elapsed_s: float) -> float:
        """Return the next duty: up by the ramp, down at once, through zero if it turns round."""
        wanted = max(-self._limits.duty, min(self._limits.duty, asked))
        if self._duty * wanted < 0.0:
            return 0.0
        most = abs(self._duty) + self._limits.duty_rate_per_s * elapsed_s
        return math.copysign(min(abs(wanted), most), wanted)

    def _slew(self, i: int, asked_rad: float, elapsed_s: float) -> float:
        low, high = self._ends[i]
        wanted, step = max(low, min(high, asked_rad)), self._limits.steer_rate_rad_s * elapsed_s
        now = self._angles[i]
        return now + max(-step, min(step, wanted - now))
