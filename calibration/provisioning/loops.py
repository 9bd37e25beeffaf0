"""Velocity loops found by driving each wheel in the air, one after the other.

Every run is bounded in time and current and watched (``run``). Before the first, the controllers
have their serial timeout and their limits, read back; after the last, whatever has happened, all
have zero duty, motor-enable is low and their memory is as it was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from calibration.provisioning.identify import DutyRun, MotorFit, identify
from calibration.provisioning.kept import VELOCITIES, Kept, Loop, Snapshot, differing
from calibration.provisioning.recording import StepResponse, step_response
from calibration.provisioning.run import (
    duty_run,
    let_go,
    speed_run,
    wait_until_standing,
    why_not_powered,
)
from calibration.provisioning.tuning import (
    MOST_OVERSHOOT,
    STEP_PART,
    Gains,
    Supply,
    design,
    modelled_step,
    revised,
)
from calibration.provisioning.unit import Unit
from calibration.provisioning.watch import Bounds, Motor
from rover.config import Config
from rover.errors import DeviceError
from rover.hardware.base import Panel
from rover.units import qpps_from_rad_s, rad_s_from_qpps

_PROBE_DUTY, _PROBE_RAMP_S, _PROBE_S = 0.3, 0.4, 1.0
_DUTIES = (0.35, 0.70)
_DUTY_RAMP_S, _DUTY_S = 0.5, 2.0
_STEP_S = 1.2
_MOST_TRIES = 5
# Fed forward by QPPS, a wheel comes near to what it was asked for with any gains.
_HARDLY_TURNS = 0.3
# The motors' power needs a moment after motor-enable has been raised.
_POWERED_AFTER_S = 0.1
# A rover is to be as fast as its weakest wheel, with a margin for load.
_USABLE_PART = 0.9
# What the controller's tenths of volts, and a motor that warms up, make uncertain.
_CLOSE_ENOUGH = 1.03


@dataclass(frozen=True, slots=True)
class WheelLoop:
    """What was found of one wheel."""

    motor: Motor
    fit: MotorFit
    loop: Loop
    before: StepResponse
    after: StepResponse


class Driver:
    """Drives the wheels of ``units``; ``guard`` is asked before each look and raises to end it."""

    def __init__(
        self, config: Config, panel: Panel, guard: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self._config = config
        self._panel = panel
        self._outer_guard = guard
        self._say = say
        power = config.power
        self._supply = Supply(
            nominal_v=(power.low_v + power.full_v) / 2, low_v=power.minimum_v, full_v=power.full_v
        )

    def measure(
        self, units: Sequence[tuple[Unit, int, Snapshot, Snapshot]]
    ) -> tuple[WheelLoop, ...]:
        """Measure every wheel.

        A unit comes with the address that the configuration has for it, what it keeps, and what
        it should keep but for its loops. Raises DeviceError or what ``guard`` raises.
        """
        try:
            for unit, _, old, new in units:
                _load(unit, old, new)
            with self._powered([unit for unit, *_ in units]):
                found = [
                    self._wheel(Motor(unit, output, wheel, self._bounds(wheel)), old, new)
                    for unit, address, old, new in units
                    for output, wheel in enumerate(self._outputs(address))
                    if wheel
                ]
        finally:
            left = [unit.name for unit, _, old, _ in units if not _put_back(unit, old)]
            if left:
                self._say(
                    f"{', '.join(left)} may have new settings in memory, the old ones are in "
                    "flash: switch the power off and on."
                )
        return tuple(found)

    def _outputs(self, address: int) -> tuple[str, str]:
        by_output = {
            wheel.motor.channel: name
            for name, wheel in self._config.wheels.items()
            if wheel.motor.address == address
        }
        return by_output.get(1, ""), by_output.get(2, "")

    def _bounds(self, wheel: str) -> Bounds:
        roboclaw = self._config.roboclaw
        return Bounds(
            roboclaw.stall_current_a,
            roboclaw.max_current_a,
            qpps_from_rad_s(
                self._config.wheels[wheel].max_speed_rad_s, roboclaw.ticks_per_wheel_turn
            )
            / _USABLE_PART,
        )

    @contextmanager
    def _powered(self, units: Sequence[Unit]) -> Iterator[None]:
        """Let the motors have power, and take it away again in every case."""
        self._panel.start()
        try:
            self._panel.enable_motors(True)
            units[0].wire.clock.sleep_s(_POWERED_AFTER_S)
            for unit in units:
                against = why_not_powered(unit)
                if against:
                    raise DeviceError(f"{unit.name} does not drive: {against}")
            yield
        finally:
            try:
                for unit in units:
                    let_go(unit)
            finally:
                self._panel.close()

    def _guard(self) -> None:
        self._outer_guard()
        if self._panel.stop_pressed():
            raise DeviceError("the stop button is pressed: the wheels were stopped")

    def _wheel(self, motor: Motor, old: Snapshot, new: Snapshot) -> WheelLoop:
        guard = self._guard
        self._say(f"{motor.name}: does it turn, and count forward?")
        wait_until_standing(motor, guard)
        duty_run(motor, _PROBE_DUTY, _PROBE_RAMP_S, _PROBE_S, guard)
        runs = []
        for duty in _DUTIES:
            self._say(f"{motor.name}: {duty:.0%} duty")
            wait_until_standing(motor, guard)
            recording = duty_run(motor, duty, _DUTY_RAMP_S, _DUTY_S, guard)
            runs.append(DutyRun(duty, _DUTY_RAMP_S, recording))
        fit = _identified(motor, runs)
        qpps = fit.full_speed_qpps(self._supply.nominal_v)
        target_qpps = STEP_PART * qpps
        self._say(f"{motor.name}: a step with the loop as it is")
        before = self._step(motor, old.loop(motor.output), target_qpps, newer=new.newer)
        gains = design(fit, self._supply)
        for tried in range(1, _MOST_TRIES + 1):
            loop = gains.loop(qpps)
            self._say(
                f"{motor.name}: a step with P {gains.p:.2f}, I {gains.i_per_s:.2f}, "
                f"QPPS {loop.qpps}"
            )
            after = self._step(motor, loop, target_qpps, newer=new.newer)
            if after.final < _HARDLY_TURNS:
                raise DeviceError(
                    f"{motor.name} hardly turns when it is asked for {target_qpps:.0f} counts a "
                    "second: look at the battery, and at what the controller says (rover doctor)"
                )
            better = self._better(fit, gains, after)
            if better is None:
                # The next wheel, another controller's perhaps, turns only when this one stands.
                wait_until_standing(motor, guard)
                return WheelLoop(motor, fit, loop, before, after)
            if tried < _MOST_TRIES:
                gains = better
        raise DeviceError(
            f"{motor.name}: no loop was found in {_MOST_TRIES} tries; the last overshot by "
            f"{after.overshoot:.0%} ({MOST_OVERSHOOT:.0%} are allowed) and rose in "
            f"{_seconds(after.rise_s)}. Its loop is as it was"
        )

    def _better(self, fit: MotorFit, gains: Gains, seen: StepResponse) -> Gains | None:
        _, rise_s = modelled_step(fit, self._supply, gains, self._supply.nominal_v)
        return revised(gains, seen, rise_s)

    def _step(self, motor: Motor, loop: Loop, target_qpps: float, *, newer: bool) -> StepResponse:
        wait_until_standing(motor, self._guard)
        motor.unit.write(VELOCITIES[motor.output], loop.values, newer=newer)
        recording = speed_run(motor, target_qpps, _STEP_S, self._guard)
        return step_response(recording, target_qpps)


def by_output(found: Sequence[WheelLoop], unit: Unit) -> Mapping[int, Loop]:
    """Return the loops that were found for a controller, by output from 0."""
    return {entry.motor.output: entry.loop for entry in found if entry.motor.unit == unit}


def advice(found: Sequence[WheelLoop], config: Config) -> str:
    """Say what the wheels can do, and what that means for the configuration; empty if nothing."""
    ticks = config.roboclaw.ticks_per_wheel_turn
    weakest = min(found, key=lambda entry: entry.loop.qpps)
    usable_rad_s = _USABLE_PART * rad_s_from_qpps(weakest.loop.qpps, ticks)
    too_fast = [
        name
        for name, wheel in config.wheels.items()
        if name in {entry.motor.wheel for entry in found}
        and wheel.max_speed_rad_s > usable_rad_s * _CLOSE_ENOUGH
    ]
    if not too_fast:
        return ""
    return (
        f"The weakest wheel, {weakest.motor.wheel}, does {weakest.loop.qpps} counts a second at "
        f"full duty: set max_speed_rad_s of all wheels to at most {usable_rad_s:.1f}, nine tenths "
        "of it, so that none is asked for more than it can do."
    )


def _identified(motor: Motor, runs: Sequence[DutyRun]) -> MotorFit:
    try:
        return identify(runs)
    except DeviceError as error:
        raise DeviceError(f"{motor.name}: {error}") from error


def _load(unit: Unit, old: Snapshot, new: Snapshot) -> None:
    """Have a controller work with its new settings, but for its address and rate. Read back."""
    unit.stop()
    for kept in differing(old, new):
        if kept is not Kept.CONFIG:
            unit.write(kept, new.values[kept], newer=new.newer)
    now = unit.snapshot(old)
    for kept in differing(now, new):
        if kept is not Kept.CONFIG:
            raise DeviceError(f"{unit.name} does not take its {kept}: no wheel was turned")


def _put_back(unit: Unit, old: Snapshot) -> bool:
    """Have a controller work with its old settings again; whether it does."""
    try:
        for kept in differing(unit.snapshot(old), old):
            unit.write(kept, old.values[kept], newer=old.newer)
        return not differing(unit.snapshot(old), old)
    except DeviceError:
        return False


def _seconds(time_s: float | None) -> str:
    return "never" if time_s is None else f"{time_s:.2f} s"
