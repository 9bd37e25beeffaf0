"""A whole rover on the manual clock, driven at full speed, and its plant's own time."""

import functools
from pathlib import Path

from benchmarks.faults.fault import Driver
from rover.config import Config
from rover.messages import Arc, ArmState, RequestKind, Source, Stop
from rover.sim.roboclaw_output import MAX_DUTY
from tests.faults.hands import Hand, PadHand, pad_maker, phones
from tests.whole.memory_rover import MemoryRover

FULL = Arc(1.0, 0.0)
TICK_S = 0.01
# Half as long again as it takes to come to full speed.
_UP_TO_SPEED_S = 1.0
_PATIENCE_S = 5.0
_LOOK_EVERY_S = 0.2


class FaultRig(MemoryRover):
    """A rover, two phones and a pad. ``driver`` drives it, the others are at rest."""

    def __init__(
        self, folder: Path, driver: Driver = Driver.PHONE, config: Config | None = None
    ) -> None:
        bench, make_pad = pad_maker(folder)
        self._make_pad = make_pad
        # What a tick takes besides, as on a computer that is too busy.
        self.burden_s = 0.0
        super().__init__(config, make_pad=make_pad)
        self.pad_hand = PadHand(bench)
        self.phone, self.other_phone = phones(self.config, self.link, self.clock)
        self.other_phone.silent = True
        self.driver = driver
        self.hand: Hand = self.pad_hand if driver is Driver.PAD else self.phone
        self.running = True

    def tick(self, *args: object) -> None:
        for hand in (self.pad_hand, self.phone, self.other_phone):
            hand.speak(self.clock.now_s())
        self.clock.sleep_s(self.burden_s)
        if self.running:
            super().tick()
        else:
            self.clock.sleep_s(TICK_S)

    def at_full_speed(self) -> "FaultRig":
        """Arm and drive at full speed."""
        self.run(0.5)
        self.revive()
        self.run(_UP_TO_SPEED_S)
        slowest = min(wheel.speed_rad_s for wheel in self.truth().wheels)
        assert slowest > 0.95 * FULL.speed_mps / 0.075, "not at full speed"
        return self

    def revive(self) -> None:
        """Do what a person does to drive: rest, clear, arm, rest, push."""
        self.hand.rest()
        self.run(0.2)
        if self.state in {ArmState.FAULT, ArmState.ESTOP}:
            self._ask_until_accepted(RequestKind.CLEAR)
        if self.state is not ArmState.ARMED:
            self._ask_until_accepted(RequestKind.ARM)
            # The corners need their time after arming: limp servos can be anywhere.
            self.run(0.6)
        assert self.stands()
        self.hand.push()

    def _ask_until_accepted(self, kind: RequestKind) -> None:
        """Ask, as a person does who looks in between; devices come back in their own time."""
        end_s = self.clock.now_s() + _PATIENCE_S
        while not (answer := self.ask(kind)).accepted:
            assert self.clock.now_s() < end_s, answer.refusals
            self.run(_LOOK_EVERY_S)

    def drives(self, within_s: float = 1.0) -> bool:
        """Run until every wheel turns; tell whether that came to be."""
        end_s = self.clock.now_s() + within_s
        while self.clock.now_s() < end_s:
            self.tick()
            if min(abs(wheel.speed_rad_s) for wheel in self.truth().wheels) > 1.0:
                return True
        return False

    def stands_for(self, duration_s: float) -> bool:
        """Run for a while; tell whether no wheel moved meanwhile."""
        end_s = self.clock.now_s() + duration_s
        while self.clock.now_s() < end_s:
            self.tick()
            if not self.stands():
                return False
        return True

    def kill_control(self) -> None:
        """Let the control process be gone without a word."""
        self.running = False

    def restart_control(self) -> None:
        """Start control anew on the same devices: everything that it knew is forgotten."""
        self.start_loop(self._make_pad)
        self.pad_hand.plug_in_anew()
        self.running = True

    def outputs_idle(self) -> bool:
        """Whether every motor output is told nothing but zero duty."""
        units = self.simulated.devices.units
        return all(output.idle for unit in units for output in unit.outputs)

    def close(self) -> None:
        for hand in (self.pad_hand, self.phone):
            hand.close()


@functools.cache
def plant_time_s(*, ramps: bool, running_away: bool = False) -> float:
    """Return how long the wheels take to stand from full speed once they have been told.

    ``ramps``: by a Stop of an armed rover, on its ramp; otherwise by zero duty at once.
    ``running_away``: from the fastest that the motors can do, by zero duty.
    """
    if running_away:
        rover = MemoryRover().driving(FULL, 1.5)
        for unit in rover.simulated.devices.units:
            unit.drive(regulating=False, targets=(MAX_DUTY, MAX_DUTY))
        rover.clock.sleep_s(0.25)
    else:
        rover = MemoryRover().driving(FULL, 2.0)
        if ramps:
            rover.say(Stop("a yardstick"), Source.WEB)
            return rover.time_to_stand_s(1.0)
    rover.loop.arming.stop("a yardstick", rover.clock.now_s())
    return rover.time_to_stand_s(1.0)
