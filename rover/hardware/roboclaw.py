"""The wheels: any number of RoboClaws on one serial bus.

Every tick each controller gets one packet for both its motors and tells both its encoders;
speeds are worked out from these. One further transaction a tick is spent in turn: currents and
status of every controller first, then one of its battery, temperature or serial timeout. With
three controllers at 100 Hz that is 83 bytes, 7.2 ms of wire a tick instead of the 135 bytes and
11.7 ms of reading all; positions are 10 ms old at most (20 ms while input cuts ticks short),
currents and status 70 ms, the rest 630 ms.
"""

import math
from collections.abc import Callable

from rover.clock import Clock
from rover.config import Config
from rover.errors import DeviceError, DeviceTimeoutError
from rover.hardware.base import Reach, no_hurry
from rover.hardware.bus.serial_line import SerialLine
from rover.hardware.roboclaw_controller import RoboclawController
from rover.hardware.roboclaw_port import RoboclawPort
from rover.hardware.roboclaw_reading import ReadingPlan
from rover.hardware.roboclaw_wiring import outputs_by_wheel, wire_controllers
from rover.messages import DeviceHealth, PowerReading, WheelFeedback, WheelReading
from rover.motion.gate import PermittedTargets

_START_ATTEMPTS = 3
# Permitting and sending take a few milliseconds, one silent controller 30 more.
_TARGETS_AGE_S = 0.1
# How long ago a controller may have answered to be worth another try within a tick; one that
# is lost answers no more after ``deadlines.controller_s``.
_LATELY_S = 0.1
# How often a lost controller is asked again: each time costs a tick the reply margin.
_ASK_LOST_EVERY_S = 0.5
# Slow values must stay fresh at slow loop rates too: so many reads in turn a second.
_READS_IN_TURN_HZ = 100.0
# Of the time after which an encoder's silence is a fault.
_OVERDUE_SHARE = 0.3
# Fourteen times as long as currents take to be read in turn.
_CURRENT_S = 1.0
# The first controller's voltage is preferred as long as it is younger than this.
_BATTERY_AGE_S = 2.0


class RoboclawDrive:
    """The WheelDrive of a rover with RoboClaws; ``open_line`` opens the bus's serial port."""

    def __init__(self, config: Config, clock: Clock, open_line: Callable[[], SerialLine]) -> None:
        self._whole_config = config
        self._config = config.roboclaw
        self._silence_s = config.deadlines.controller_s
        self._feedback_s = config.deadlines.feedback_s
        self._clock = clock
        self._open_line = open_line
        self._silent: set[RoboclawController] = set()
        self._brought_up = False
        # Whether the last command let the wheels turn.
        self._powered = False
        # Why the port is not opened, while somebody else has it.
        self._away = ""
        self._know_nothing()

    def _know_nothing(self) -> None:
        """Have controllers and a port of which nothing is known yet."""
        config = self._whole_config
        self._controllers = wire_controllers(config)
        self._port = RoboclawPort(config, self._clock, self._open_line, self._controllers)
        self._by_wheel = outputs_by_wheel(self._controllers, len(config.wheels))
        self._silent.clear()
        in_turn = max(1, math.ceil(_READS_IN_TURN_HZ / config.loop.rate_hz))
        self._plan = ReadingPlan(self._controllers, in_turn)

    def start(self) -> None:
        """Open the port, identify every controller, set and read back its serial timeout.

        Leaves alone what is ready already. Raises DeviceError naming the addresses that did not
        answer and the likeliest cause; a port that could not be opened is tried again after a
        second at the earliest.
        """
        if self._away:
            raise DeviceError(self._away)
        self._port.open()
        answers = [self._bring_up(controller) for controller in self._controllers]
        if not self._port.is_open:
            raise DeviceError(self._port.trouble)
        if not all(answers):
            missing = [unit for unit in self._controllers if not self._is_ready(unit)]
            raise DeviceError(self._port.complaint(missing))

    def command(self, targets: PermittedTargets) -> Reach:
        """Send each controller one packet: both speeds, or zero duty without power.

        Zero duty too for wheels that shall stand, once they do (``speed_packet``); instead of
        targets that were permitted more than 0.1 s ago, because the process was stopped in
        between, and right after a speed that became so old while it was sent; and for a
        controller whose serial timeout is not confirmed. A lost one gets it twice a second, to
        find out whether it is back, and counts as missing in the ticks between. Of those that
        did not take theirs but have answered lately one gets it once more: on a noisy wire most
        failures are a flipped bit.
        """
        self._powered = targets.power or any(targets.duty)
        self._silent.clear()
        acknowledged: set[RoboclawController] = set()
        now_s = self._clock.now_s()
        for controller in self._port.order:
            if controller.lost:
                if now_s < controller.retry_s:
                    continue
                controller.retry_s = now_s + _ASK_LOST_EVERY_S
            told = self._tell(controller, targets)
            (acknowledged if told else self._silent).add(controller)
        hopeful = [unit for unit in self._silent if self._clock.now_s() - unit.heard_s < _LATELY_S]
        # One a tick, whoever has waited longest: the others wait for it meanwhile.
        again = min(hopeful, key=lambda unit: unit.heard_s, default=None)
        if again is not None and self._tell(again, targets):
            self._silent.remove(again)
            acknowledged.add(again)
        missed = [unit for unit in self._controllers if unit not in acknowledged]
        return Reach(bool(acknowledged), complete=not any(map(self._is_ready, missed)))

    def _tell(self, controller: RoboclawController, targets: PermittedTargets) -> bool:
        """Send one controller its part of ``targets``; whether it has acknowledged."""
        moves = targets.power or controller.has_duty(targets.duty)
        if not (moves and controller.confirmed and self._is_fresh(targets)):
            return self._port.send(controller, controller.let_go())
        packet = (
            controller.speed_packet(targets.wheel_rad_s, self._clock.now_s())
            if targets.power
            else controller.duty_packet(targets.duty)
        )
        told = self._port.send(controller, packet)
        if self._is_fresh(targets):
            return told
        # Frozen between the look at the clock and the write, nobody knows on which side of it:
        # the speed may have gone out just now, old as it is.
        text = "the process stood still while it sent a speed: zero duty was sent after it"
        controller.failed(DeviceTimeoutError(text), self._clock.now_s(), self._silence_s)
        return self._port.send(controller, controller.let_go())

    def _is_fresh(self, targets: PermittedTargets) -> bool:
        return self._clock.now_s() - targets.stamp_s <= _TARGETS_AGE_S

    def poll(self, hurry: Callable[[], bool] = no_hurry) -> None:
        """Read both encoders of every controller, and whatever else has its turn.

        A controller that has come back is brought up instead, one a tick, while the wheels have
        no power. One that did not take this tick's command is not asked. When ``hurry`` says
        after a reading that the tick must end, the next one begins with the rest.
        """
        self._brought_up = False
        for reading in self._plan.share(self._port.order):
            if isinstance(reading, RoboclawController):
                self._read_encoders(reading)
            else:
                self._read_next_in_turn()
            if hurry() and not self._overdue():
                break

    def _overdue(self) -> bool:
        """Whether some encoder must be read now, however late the tick is.

        On a noisy wire every tick is late by its failures; cut short each time, none of them
        would come to read all encoders before the oldest is a fault.
        """
        oldest_s = self._clock.now_s() - self._feedback_s * _OVERDUE_SHARE
        return any(
            encoder.stamp_s < oldest_s and controller.confirmed and controller not in self._silent
            for controller, _, encoder in self._by_wheel
        )

    def read_everything(self) -> None:
        """Read encoders, the controllers' own speeds and currents of all, in one go.

        With ``command`` these are the 135 bytes of a full cycle on three controllers.
        """
        for controller in self._controllers:
            for transaction in (
                controller.read_encoders,
                controller.read_speeds,
                controller.read_currents,
            ):
                self._port.attempt(controller, transaction)

    def feedback(self) -> WheelFeedback:
        """Return what was read last, in the order of the wheel table.

        Speed is the mean over the last 50 ms. Speeds older than ``deadlines.feedback_s`` and
        currents older than a second are None: a wheel may have done anything since.
        """
        now_s = self._clock.now_s()
        return WheelFeedback(
            tuple(
                WheelReading(
                    position_rad=encoder.position_rad,
                    position_stamp_s=encoder.stamp_s,
                    counted_since_s=encoder.since_s,
                    speed_rad_s=encoder.speed_rad_s
                    if now_s - encoder.stamp_s <= self._feedback_s
                    else None,
                    current_a=controller.currents_a[output]
                    if controller.currents_a and now_s - controller.currents_stamp_s <= _CURRENT_S
                    else None,
                    current_stamp_s=controller.currents_stamp_s,
                )
                for controller, output, encoder in self._by_wheel
            )
        )

    def power(self) -> PowerReading | None:
        """Return the main battery's voltage, in steps of 0.1 V, as one controller sees it.

        That is the first in the wheel table whose reading is fresh, else the newest.
        """
        readings = [unit.power for unit in self._controllers if unit.power is not None]
        if not readings:
            return None
        oldest_s = self._clock.now_s() - _BATTERY_AGE_S
        return next(
            (reading for reading in readings if reading.stamp_s >= oldest_s),
            max(readings, key=lambda reading: reading.stamp_s),
        )

    def temperatures_c(self) -> tuple[float | None, ...]:
        """Return the controllers' own temperatures as last read, in the order of ``health``."""
        return tuple(controller.temperature_c for controller in self._controllers)

    def health(self) -> tuple[DeviceHealth, ...]:
        """Return one entry a controller, in the order in which the wheel table names them."""
        now_s = self._clock.now_s()
        return tuple(controller.health(now_s, self._silence_s) for controller in self._controllers)

    def let_go(self, reason: str) -> None:
        """Close the port at once and forget the controllers; ``start`` raises ``reason``."""
        self._port.close()
        self._know_nothing()
        self._away = reason
        self._port.hang_up(reason)

    def take_back(self) -> None:
        """Open the port again; the first it says is zero duty. Raises DeviceError if it cannot."""
        # Whoever had it may have let go of it just now: no need to wait for the next second.
        self._port.close()
        self._port.open()
        self._away = ""

    def stop(self) -> None:
        """Command zero duty on every controller, lost ones too; a silent one is tried twice."""
        self._port.stop()

    def close(self) -> None:
        """Stop the motors and let go of the port."""
        try:
            self.stop()
        finally:
            self._port.close()

    def _is_ready(self, controller: RoboclawController) -> bool:
        return controller.health(self._clock.now_s(), self._silence_s).ready

    def _bring_up(self, controller: RoboclawController) -> bool:
        """Whether ``controller`` is ready, or could be made so within a few attempts."""
        if self._is_ready(controller):
            return True
        return any(
            self._port.attempt(controller, controller.identify)
            and self._port.attempt(controller, controller.confirm_settings)
            for _ in range(_START_ATTEMPTS)
        )

    def _read_encoders(self, controller: RoboclawController) -> None:
        """Read the encoders of a controller that answers, or bring one up that has come back.

        Not on a rover that has power: that a controller was reset or lost must be seen, and take
        the power away, before it is made ready again.
        """
        if controller.lost or controller in self._silent:
            return
        if controller.confirmed:
            if not self._port.attempt(controller, controller.read_encoders):
                self._silent.add(controller)
        elif not self._brought_up and not self._powered:
            self._brought_up = True
            self._bring_back(controller)

    def _bring_back(self, controller: RoboclawController) -> None:
        """Make a controller ready that answers again: it may have lost its settings."""
        ready = (controller.identified or self._port.attempt(controller, controller.identify)) and (
            self._port.attempt(controller, controller.confirm_settings)
        )
        if not ready:
            self._silent.add(controller)

    def _read_next_in_turn(self) -> None:
        silent = self._silent
        turn = self._plan.next_in_turn(lambda unit: unit.confirmed and unit not in silent)
        if turn is not None and not self._port.attempt(*turn):
            self._plan.again(*turn)
            if not turn[0].confirmed:
                # Found to have been reset: that must be seen before it is made ready again.
                silent.add(turn[0])
