"""The last, independent check before the wires.

The governor shapes; the gate permits. It shares no code and no numbers with the governor,
kinematics or arming, so that no single mistake there can turn a wheel too fast. Drivers
take nothing but PermittedTargets, and only the gate can make one. To refuse is to send an
explicit stop, every tick.
"""

import math
from dataclasses import InitVar, dataclass

from rover.config import Config
from rover.messages import ArmState, WheelTargets

_SEAL = object()

# Rounding in the chain above must not be refused: a millionth of a radian (per second).
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class PermittedTargets:
    """Targets that have passed the gate, for every wheel in the order of the wheel table.

    ``stamp_s`` is when they were permitted: a driver sends nothing that has lain about.
    ``power`` False asks for zero duty instead of a held speed; ``release`` lets the corner
    servos go limp. ``refused`` says why the gate stopped the wheels, empty if it did not.
    Raises TypeError when made by anyone but the gate.
    """

    steer_rad: tuple[float, ...]
    wheel_rad_s: tuple[float, ...]
    stamp_s: float
    power: bool
    release: bool
    refused: str
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

    def permit(self, targets: WheelTargets, state: ArmState, now_s: float) -> PermittedTargets:
        """Return what may go to the drivers at ``now_s``.

        Not armed means zero duty and limp servos. Armed targets pass unchanged or not at
        all: one that is not finite, out of its wheel's range, or changed faster than the
        gate allows is refused, which stops all wheels with the servos held where they are.
        """
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
            if self._speeds_up_too_fast(i, speed[i], elapsed_s):
                return f"{name}: from {self._last_wheel[i]:.2f} to {speed[i]:.2f} rad/s at once"
            if self._last_steer is not None:
                step = abs(steer[i] - self._last_steer[i])
                if step > self._max_steer_rate * elapsed_s + _TOLERANCE:
                    return f"{name}: steering by {step:.3f} rad at once"
        return ""

    def _speeds_up_too_fast(self, i: int, wheel_rad_s: float, elapsed_s: float) -> bool:
        """Whether wheel ``i`` gains more speed, in either direction, than the gate allows."""
        last = self._last_wheel[i]
        gained = abs(wheel_rad_s) - (abs(last) if last * wheel_rad_s > 0 else 0.0)
        return gained > self._max_accel * elapsed_s + _TOLERANCE
