"""The last, independent check before the wires.

The governor shapes; the gate permits. It shares no code and no numbers with the governor,
kinematics or arming, so that no single mistake there can turn a wheel too fast. Drivers
take nothing but PermittedTargets, and only the gate can make one. To refuse is to send an
explicit stop, every tick.
"""

import math
from dataclasses import InitVar, dataclass

from rover.config import Config
from rover.messages import ArmState, OneTarget, WheelTargets
from rover.units import rad_from_deg

_SEAL = object()

# Rounding in the chain above must not be refused: a millionth of a radian (per second).
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class PermittedTargets:
    """Targets that have passed the gate, for every wheel in the order of the wheel table.

    ``stamp_s`` is when they were permitted: a driver sends nothing that has lain about.
    ``power`` False asks for zero duty instead of a held speed; ``release`` lets the corner
    servos go limp. ``refused`` says why the gate stopped the wheels, empty if it did not.
    In MAINTENANCE there is no power but, at most, a ``duty`` for one wheel, or pulses for the
    servo of wheel number ``only_servo``, all others limp; it is None for all of them alike.
    Raises TypeError when made by anyone but the gate.
    """

    steer_rad: tuple[float, ...]
    wheel_rad_s: tuple[float, ...]
    stamp_s: float
    power: bool
    release: bool
    refused: str
    duty: tuple[float, ...]
    only_servo: int | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only the gate makes PermittedTargets: call Gate.permit")


class Gate:
    """Checks every tick's targets against the wheel table's own limits."""

    def __init__(self, config: Config) -> None:
        wheels = tuple(config.wheels.values())
        self._names = tuple(config.wheels)
        self._max_rad_s = tuple(wheel.max_speed_rad_s for wheel in wheels)
        self._steer_range = tuple(
            (wheel.steer.min_rad, wheel.steer.max_rad) if wheel.steer else (0.0, 0.0)
            for wheel in wheels
        )
        self._max_accel = config.gate.max_wheel_accel_rad_s2
        self._max_steer_rate = config.gate.max_steer_rate_rad_s
        self._still = tuple(0.0 for _ in wheels)
        self._last_wheel = self._still
        self._last_steer: tuple[float, ...] | None = None
        self._last_s = -math.inf
        self._one = _OneAtATime(config)

    def permit(self, targets: WheelTargets, state: ArmState, now_s: float) -> PermittedTargets:
        """Return what may go to the drivers at ``now_s``.

        Not armed means zero duty and limp servos. Armed targets pass unchanged or not at
        all: one that is not finite, out of its wheel's range, or changed faster than the
        gate allows is refused, which stops all wheels with the servos held where they are.
        """
        self._one.forget(now_s)
        if state is not ArmState.ARMED:
            self._last_steer = None
            return self._stop(now_s, refused="")
        refused = self._objection(targets, now_s)
        if refused:
            return self._stop(now_s, refused=refused)
        self._last_wheel, self._last_steer = targets.wheel_rad_s, targets.steer_rad
        self._last_s = now_s
        return PermittedTargets(
            targets.steer_rad,
            targets.wheel_rad_s,
            now_s,
            power=True,
            release=False,
            refused="",
            duty=self._still,
            only_servo=None,
            seal=_SEAL,
        )

    def permit_one(self, target: OneTarget, state: ArmState, now_s: float) -> PermittedTargets:
        """Return what may go to the drivers at ``now_s`` in MAINTENANCE: at most one thing.

        In any other state, and for whatever ``_OneAtATime`` objects to, that is nothing.
        """
        self._last_steer = None
        if state is not ArmState.MAINTENANCE:
            self._one.forget(now_s)
            return self._stop(now_s, refused="")
        refused = self._one.objection(target, now_s)
        if refused:
            return self._stop(now_s, refused=refused)
        self._last_wheel, self._last_s = self._still, now_s
        servo = next((i for i, angle in enumerate(target.steer_rad) if angle is not None), None)
        return PermittedTargets(
            tuple(angle or 0.0 for angle in target.steer_rad),
            self._still,
            now_s,
            power=False,
            release=servo is None,
            refused="",
            duty=target.duty,
            only_servo=servo,
            seal=_SEAL,
        )

    def _stop(self, now_s: float, *, refused: str) -> PermittedTargets:
        """Stop all wheels, the servos held where they are or limp if that is nowhere yet."""
        self._last_wheel, self._last_s = self._still, now_s
        steer = self._last_steer
        return PermittedTargets(
            steer_rad=steer if steer is not None else self._still,
            wheel_rad_s=self._still,
            stamp_s=now_s,
            power=False,
            release=steer is None,
            refused=refused,
            duty=self._still,
            only_servo=None,
            seal=_SEAL,
        )

    def _objection(self, targets: WheelTargets, now_s: float) -> str:
        """Return the first thing wrong with ``targets``, empty if nothing is."""
        steer, speed = targets.steer_rad, targets.wheel_rad_s
        count = len(self._names)
        if len(steer) != count or len(speed) != count:
            return f"targets for {len(steer)}/{len(speed)} wheels on a rover of {count}"
        # Non-finite first: every comparison below is False for NaN.
        for name, steer_rad, wheel_rad_s in zip(self._names, steer, speed, strict=True):
            if not (math.isfinite(steer_rad) and math.isfinite(wheel_rad_s)):
                return f"{name}: a target that is not a finite number"
        elapsed_s = max(0.0, min(now_s - self._last_s, 0.1))
        for i, name in enumerate(self._names):
            low, high = self._steer_range[i]
            if not low - _TOLERANCE <= steer[i] <= high + _TOLERANCE:
                return f"{name}: steering to {steer[i]:.3f} rad, allowed {low:.3f} to {high:.3f}"
            if abs(speed[i]) > self._max_rad_s[i] + _TOLERANCE:
                return f"{name}: {speed[i]:.2f} rad/s, allowed {self._max_rad_s[i]:.2f}"
            gained = _gained(self._last_wheel[i], speed[i])
            if gained > self._max_accel * elapsed_s + _TOLERANCE:
                return f"{name}: from {self._last_wheel[i]:.2f} to {speed[i]:.2f} rad/s at once"
            if self._last_steer is not None:
                step = abs(steer[i] - self._last_steer[i])
                if step > self._max_steer_rate * elapsed_s + _TOLERANCE:
                    return f"{name}: steering by {step:.3f} rad at once"
        return ""


class _OneAtATime:
    """What the gate knows of MAINTENANCE: its slow limits, and what moved last."""

    def __init__(self, config: Config) -> None:
        gate, steering = config.gate, config.steering
        self._names = tuple(config.wheels)
        self._duty, self._duty_rate = gate.maintenance_duty, gate.maintenance_duty_rate_per_s
        self._steer_rate, self._pause_s = (
            gate.maintenance_steer_rate_rad_s,
            gate.maintenance_pause_s,
        )
        # Where the servo itself can turn the wheel to: its limits are what may be wrong.
        self._ranges: list[tuple[float, float] | None] = []
        for wheel in config.wheels.values():
            if wheel.steer is None:
                self._ranges.append(None)
                continue
            centre, way = wheel.steer.centre_deg, wheel.steer.direction
            ends = (-centre * way, (steering.servo_range_deg - centre) * way)
            low, high = sorted(map(rad_from_deg, ends))
            most = gate.maintenance_steer_rad
            self._ranges.append((max(low, -most), min(high, most)))
        self._still = tuple(0.0 for _ in self._names)
        # Whether it was a wheel, or a servo, and which.
        self._moved: tuple[bool, int] | None = None
        self._moved_s = -math.inf
        self.forget(-math.inf)

    def forget(self, now_s: float) -> None:
        """Begin anew: servos start from straight ahead. What moved last is remembered."""
        self._angles = list(self._still)
        self._last_duty, self._last_s = self._still, now_s

    def objection(self, target: OneTarget, now_s: float) -> str:
        """Return the first thing wrong with ``target``, empty if nothing is; remember it then."""
        elapsed_s = max(0.0, min(now_s - self._last_s, 0.1))
        objection = self._first_wrong(target, now_s, elapsed_s)
        # What is refused is stopped: it starts from nothing again.
        self._last_duty = self._still if objection else target.duty
        self._last_s = now_s
        return objection

    def _first_wrong(self, target: OneTarget, now_s: float, elapsed_s: float) -> str:
        count = len(self._names)
        if len(target.duty) != count or len(target.steer_rad) != count:
            return f"{len(target.duty)}/{len(target.steer_rad)} targets on a rover of {count}"
        wheels = [(i, duty) for i, duty in enumerate(target.duty) if duty != 0.0]
        servos = [(i, angle) for i, angle in enumerate(target.steer_rad) if angle is not None]
        if len(wheels) + len(servos) > 1:
            return f"{len(wheels)} wheels and {len(servos)} servos at once, one thing may move"
        if not wheels and not servos:
            return ""
        [(i, value)] = wheels + servos
        moving = (bool(wheels), i)
        if moving != self._moved and not now_s - self._moved_s >= self._pause_s - _TOLERANCE:
            return f"{self._names[i]} so soon after another has moved"
        wrong = (self._of_wheel if wheels else self._of_servo)(i, value, elapsed_s)
        if not wrong:
            self._moved, self._moved_s = moving, now_s
        return wrong

    def _of_wheel(self, i: int, duty: float, elapsed_s: float) -> str:
        # Written so that a duty that is not a number is too much.
        if not abs(duty) <= self._duty + _TOLERANCE:
            return f"{self._names[i]}: duty {duty:.3f}, allowed {self._duty:.3f}"
        if _gained(self._last_duty[i], duty) > self._duty_rate * elapsed_s + _TOLERANCE:
            return f"{self._names[i]}: from duty {self._last_duty[i]:.3f} to {duty:.3f} at once"
        return ""

    def _of_servo(self, i: int, angle_rad: float, elapsed_s: float) -> str:
        allowed = self._ranges[i]
        if allowed is None:
            return f"{self._names[i]} has no servo"
        low, high = allowed
        # Written so that an angle that is not a number is out of range.
        if not low - _TOLERANCE <= angle_rad <= high + _TOLERANCE:
            return f"{self._names[i]}: steering to {angle_rad} rad, allowed {low:.3f} to {high:.3f}"
        step = abs(angle_rad - self._angles[i])
        if step > self._steer_rate * elapsed_s + _TOLERANCE:
            return f"{self._names[i]}: steering by {step:.3f} rad at once"
        self._angles[i] = angle_rad
        return ""


def _gained(last: float, now: float) -> float:
    """Return what is gained, in either direction; from the other one it counts from nothing."""
    return abs(now) - (abs(last) if last * now > 0.0 else 0.0)
