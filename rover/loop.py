"""One tick: hear, arbitrate, govern, steer, permit, drive, read, tell.

Everything is done by one thread, in this order, every tick. Drives are written before
anything is read, so that a stop is never behind a slow sensor.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rover.bus_lending import BusLender
from rover.clock import Clock
from rover.config import Config
from rover.devices import Bringup
from rover.ends import Lender, Link, Pad
from rover.hardware import Hardware
from rover.hardware.base import Reach, no_hurry
from rover.hearing import Hearing
from rover.messages import (
    ArmState,
    Condition,
    GovernedMotion,
    Reaction,
    Selected,
    Severity,
    Stop,
    WheelTargets,
)
from rover.motion.arbiter import Arbiter
from rover.motion.arming import MOVING_STATES, Arming
from rover.motion.battery import fresh_power, fresh_readings
from rover.motion.conditions import Observed, Watch
from rover.motion.corners import Corners
from rover.motion.gate import Gate, PermittedTargets
from rover.motion.governor import Governor
from rover.motion.kinematics import Kinematics
from rover.motion.maintenance import Maintenance
from rover.motion.odometry import Odometry
from rover.reloading import Reloads
from rover.telemetry import ConditionLog, Journal, MissedTicks, Snapshot, Teller

_Prepared = TypeVar("_Prepared")

# Nothing may be armed on what is not known yet.
_NOT_LOOKED_YET = Condition("starting", "control has not looked at its devices yet: ask again")
# Of the controllers' own deadline, what the loop may spend without commanding them. Beyond
# it they may have stopped the wheels, and going on at speed would be a start without a ramp.
_STALL_SHARE = 2 / 3
# After a longer pause ramps go on as if only so much time had passed.
_MAX_STEP_S = 0.1


class ControlLoop:
    """The rover's control loop, one ``tick`` at a time."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        hardware: Hardware,
        link: Link,
        pad: Pad,
        *,
        lender: Lender | None = None,
        journal: Journal | None = None,
    ) -> None:
        """``lender`` lends ``pad`` to whoever asks; None where no pad is lent.

        ``journal`` goes on from an earlier loop's.
        """
        self._clock = clock
        self._hardware = hardware
        self._link = link
        self.journal = journal or Journal()
        self._condition_log = ConditionLog(self.journal)
        self._bringup = Bringup(hardware, clock, self.journal)
        self._arbiter = Arbiter(config)
        self.arming = Arming()
        self._maintenance = Maintenance(config)
        self._bus = BusLender(hardware.drive, config.roboclaw.port, self.journal)
        self._reloads = Reloads(link, self.arming, self.journal)
        self._hearing = Hearing(
            clock,
            panel=hardware.panel,
            pad=pad,
            lender=lender,
            link=link,
            arbiter=self._arbiter,
            arming=self.arming,
            maintenance=self._maintenance,
            bus=self._bus,
            journal=self.journal,
            enter_state=self._enter_state,
            keep_reload=self._reloads.keep,
        )
        self._seen_state: ArmState | None = None
        self._motors: bool | None = None
        self._lamps: tuple[bool, bool, bool] | None = None
        self._watch = Watch(config)
        self._kinematics = Kinematics(config)
        self._corners = Corners(config)
        self._governor = Governor(config, self._kinematics, self._corners)
        self._gate = Gate(config)
        self._odometry = Odometry(self._kinematics)
        self._teller = Teller(
            config,
            can_crab=self._kinematics.can_crab,
            max_curvature_per_m=self._kinematics.max_curvature_per_m,
        )
        self._conditions: tuple[Condition, ...] = (_NOT_LOOKED_YET,)
        self._observed: Observed | None = None
        self._missed = MissedTicks(self.journal)
        self._last_s = clock.now_s()
        self._stall_s = config.roboclaw.serial_timeout_s * _STALL_SHARE
        self._commanded_s = -math.inf
        self._feedback_s = config.deadlines.feedback_s
        self._publish_period_s = 1.0 / config.loop.telemetry_hz
        self._publish_due_s = -math.inf

    def start(self) -> None:
        """Bring the devices up as far as they come; what does not is tried again later."""
        self._enter_state(self._clock.now_s())
        self._bringup.start()
        self._last_s = self._clock.now_s()

    def tick(self, missed_ticks: int = 0, hurry: Callable[[], bool] = no_hurry) -> bool:
        """Run one tick. An exception from it means that the rover must be shut down.

        ``hurry`` tells, while the wheels are read, whether it is time for the next tick. Returns
        whether this one reached the hardware, as ``Watchdog`` counts it.
        """
        self._hearing.hear(self._conditions)
        # Only now: a pad may have been opened meanwhile. And from here to here, as the gate counts
        # too: time that ramps have and the gate has not would be refused.
        now_s = self._clock.now_s()
        elapsed_s = min(max(now_s - self._last_s, 0.0), _MAX_STEP_S)
        self._last_s = now_s
        self._notice_stall(now_s)
        self._enter_state(now_s)
        decision = self._decide(now_s, elapsed_s)
        self._observe(now_s, decision.permitted, hurry)
        self._enter_state(now_s)
        self._light_lamps(now_s)
        if now_s >= self._publish_due_s:
            self._publish_due_s = max(now_s, self._publish_due_s + self._publish_period_s)
            self._publish(now_s, decision, missed_ticks)
        self._missed.update(missed_ticks, now_s)
        # May take its time, so only once the wheels have been told to stand.
        if not decision.permitted.power and self.arming.state not in MOVING_STATES:
            self._bus.settle(now_s, told=decision.reached)
            self._bringup.attempt(drive_is_away=not self._bus.is_ours)
        return decision.reached

    def reload(self, prepare: Callable[[], _Prepared]) -> _Prepared | None:
        """Answer who has asked in this tick for the configuration to be read anew.

        Returns what ``prepare`` has made of it, if this loop is to be shut down and another to
        go on with that; None, almost always, if this one goes on.
        """
        return self._reloads.settle(prepare, self._hearing.lent(), self._clock.now_s())

    def shut_down(self) -> None:
        """Stop the motors and let go of every device, whatever state they are in.

        The motor-enable line comes first: a serial port with bytes stuck in it may take the
        kernel half a minute to close.
        """
        hardware = self._hardware
        for close in (
            self._disable_motors,
            hardware.drive.close,
            hardware.panel.close,
            hardware.steering.close,
            hardware.power.close,
        ):
            try:
                close()
            except Exception as error:  # noqa: BLE001 - the next device must be closed too
                self.journal.add(
                    self._clock.now_s(),
                    Severity.ERROR,
                    "shutdown",
                    f"{close.__qualname__}: {error}",
                )

    def _disable_motors(self) -> None:
        self._hardware.panel.enable_motors(False)

    def _notice_stall(self, now_s: float) -> None:
        """Fault if the controllers have gone without a command for too long."""
        stalled_s = now_s - self._commanded_s
        if stalled_s > self._stall_s:
            self.arming.fault(f"the loop stood still for {stalled_s:.2f} s", now_s)

    def _enter_state(self, now_s: float) -> None:
        """Do what a change of the arming state demands, before anything moves again."""
        state = self.arming.state
        alarming = state in {ArmState.FAULT, ArmState.ESTOP}
        motors = not alarming and self._bus.motors
        if motors is not self._motors:
            self._motors = motors
            self._hardware.panel.enable_motors(motors)
        if state is self._seen_state:
            return
        self._arbiter.hold(now_s)
        self._governor.reset()
        self._corners.reset()
        self._maintenance.enter(self.arming.maintainer, now_s)
        self._seen_state = state
        severity = Severity.ERROR if alarming else Severity.INFO
        self.journal.add(now_s, severity, f"state-{state}", f"{state}: {self.arming.reason}")

    def _light_lamps(self, now_s: float) -> None:
        state = self.arming.state
        lamps = (
            state in MOVING_STATES,
            state in {ArmState.FAULT, ArmState.ESTOP},
            self._hearing.somebody(now_s),
        )
        if lamps != self._lamps:
            self._lamps = lamps
            armed, fault, link = lamps
            self._hardware.panel.show(armed=armed, fault=fault, link=link)
            self._hearing.show(armed=armed, fault=fault)

    def _decide(self, now_s: float, elapsed_s: float) -> "_Decision":
        """Choose the motion, shape it, permit it, and write it to the drives."""
        selected = self._arbiter.select(now_s)
        if self.arming.state is ArmState.MAINTENANCE:
            self._end_maintenance_on(selected, now_s)
        if self.arming.state is ArmState.MAINTENANCE:
            return self._maintain(selected, now_s, elapsed_s)
        armed = self.arming.state is ArmState.ARMED
        slow = any(condition.reaction is Reaction.SLOW for condition in self._conditions)
        governed = self._governor.step(selected, armed=armed, elapsed_s=elapsed_s, slow=slow)
        wanted = self._kinematics.targets(governed.motion)
        # Limp servos do not follow: where they are stays unknown until they have power.
        corners = self._corners
        steer_rad = corners.advance(wanted.steer_rad, elapsed_s) if armed else corners.angles_rad
        targets = WheelTargets(steer_rad, wanted.wheel_rad_s)
        permitted = self._gate.permit(targets, self.arming.state, now_s)
        reach = self._command(permitted, now_s)
        reached = reach.acknowledged if armed else reach.complete
        return _Decision(selected, governed, permitted, reached)

    def _command(self, permitted: PermittedTargets, now_s: float) -> Reach:
        """Write to the drives what is permitted; what the gate has refused is a fault."""
        self._commanded_s = now_s
        reach = self._hardware.drive.command(permitted)
        self._hardware.steering.command(permitted)
        if permitted.refused:
            self.arming.fault(f"the gate refused {permitted.refused}", now_s)
        return reach

    def _end_maintenance_on(self, selected: Selected, now_s: float) -> None:
        """End it at anybody's stop, and when its client has gone."""
        if isinstance(selected.motion, Stop) and selected.source is not None:
            reason = f"stopped by {selected.source}: {selected.motion.reason}"
            self.arming.end_maintenance(reason, now_s)
        elif self._maintenance.silent(now_s):
            reason = f"{self.arming.maintainer} has gone: nothing heard of its calibration"
            self.arming.end_maintenance(reason, now_s)

    def _maintain(self, selected: Selected, now_s: float, elapsed_s: float) -> "_Decision":
        """Move the one thing that the calibration asks for; who drives is not listened to."""
        governed = self._governor.step(selected, armed=False, elapsed_s=elapsed_s)
        target = self._maintenance.step(now_s, elapsed_s)
        permitted = self._gate.permit_one(target, self.arming.state, now_s)
        reach = self._command(permitted, now_s)
        return _Decision(selected, governed, permitted, reach.complete)

    def _observe(
        self, now_s: float, permitted: PermittedTargets, hurry: Callable[[], bool]
    ) -> None:
        """Read this tick's share of the sensors, and judge what they say."""
        hardware = self._hardware
        hardware.drive.poll(hurry)
        hardware.power.poll()
        feedback = hardware.drive.feedback()
        self._odometry.update(self._corners.angles_rad, feedback)
        self._observed = Observed(
            drive=hardware.drive.health(),
            steering=hardware.steering.health(),
            monitor=hardware.power.health(),
            panel=hardware.panel.health(),
            feedback=feedback,
            commanded_rad_s=permitted.wheel_rad_s,
            power=(hardware.power.power(), hardware.drive.power()),
            stop_pressed=hardware.panel.stop_pressed(),
            maintained=self.arming.state is ArmState.MAINTENANCE,
            bus_away=self._bus.away,
        )
        # Devices are read after ``now_s``; ages are counted from when they were.
        self._conditions = self._watch.conditions(self._observed, self._clock.now_s())
        self._condition_log.update(self._conditions, now_s)
        self.arming.observe(self._conditions, now_s)

    def _publish(self, now_s: float, decision: "_Decision", missed_ticks: int) -> None:
        observed = self._observed
        if observed is None:
            return
        moving_known = now_s - self._odometry.stamp_s <= self._feedback_s
        self._link.publish(
            self._teller.telemetry(
                Snapshot(
                    now_s=now_s,
                    state=self.arming.state,
                    refusals=self.arming.refusals(self._conditions, self._hearing.asking(now_s)),
                    selected=decision.selected,
                    governed=decision.governed,
                    permitted=decision.permitted,
                    feedback=observed.feedback,
                    pose=self._odometry.pose,
                    twist=self._odometry.twist if moving_known else None,
                    power=fresh_power(observed.power, now_s),
                    supplies=fresh_readings(observed.power, now_s),
                    conditions=self._conditions,
                    devices=observed.drive + observed.steering + observed.monitor + observed.panel,
                    events=self.journal.events(),
                    tick_s=self._clock.now_s() - now_s,
                    missed_ticks=missed_ticks,
                    gamepad=self._hearing.gamepad(),
                    maintenance=self._maintenance.told()
                    if self.arming.state is ArmState.MAINTENANCE
                    else None,
                )
            )
        )


@dataclass(frozen=True, slots=True)
class _Decision:
    """What a tick chose, what was made of it, what went to the wheels, and whether it got there."""

    selected: Selected
    governed: GovernedMotion
    permitted: PermittedTargets
    reached: bool
