"""The whole control loop in one process, driving a circle on a clock that the benchmark holds.

Everything is the real thing but the far ends: serial line, I2C bus and GPIO lines are given,
the gamepad's device is a socket, and the client is in the same process.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import NotMeasuredError
from rover.clock import ManualClock
from rover.config import Config
from rover.gamepad import Gamepad
from rover.gamepad.codes import EV_KEY, Key
from rover.gamepad.finder import PadFinder
from rover.hardware import Hardware
from rover.hardware.bus.i2c import I2cBus
from rover.hardware.bus.lines import EndpointFactory, LineEndpoint
from rover.hardware.bus.serial_line import SerialLine
from rover.hardware.gpio import GpioPanel
from rover.hardware.ina260 import Ina260Monitor
from rover.hardware.pca9685 import Pca9685Steering
from rover.hardware.roboclaw import RoboclawDrive
from rover.link import ControlClient, ControlLink
from rover.loop import ControlLoop
from rover.messages import Arc, ArmState, Motion, Source
from rover.pacing import Pacer
from tests.gamepad.pads import XBOX
from tests.gamepad.socket_device import Bench

_NEUTRAL = Arc(0.0, 0.0)
_CIRCLE = Arc(0.5, 1.0)
# Ticks until the devices are up, and until the corners are known to stand straight.
_SETTLING = 100
# A page sends 50 commands a second: at 100 Hz with every second tick.
_COMMAND_EVERY = 2
_HEARD_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class FarEnds:
    """What the drivers talk to."""

    line: SerialLine
    i2c: I2cBus
    lines: LineEndpoint


class WholeLoop:
    """Control, a client and a pad. ``drive_circle`` first, then ``tick``, then ``close``."""

    def __init__(self, config: Config, clock: ManualClock, directory: Path, ends: FarEnds) -> None:
        self._clock = clock
        self.hardware = Hardware(
            drive=RoboclawDrive(config, clock, lambda: ends.line),
            steering=Pca9685Steering(config, clock, lambda: ends.i2c),
            power=Ina260Monitor(config, clock, lambda: ends.i2c),
            panel=GpioPanel(config, lambda: EndpointFactory(ends.lines)),
        )
        self._link = ControlLink(directory)
        self._client = ControlClient(directory)
        node = directory / "pad"
        node.touch()
        self._pads = Bench()
        self._pads.descriptions[str(node)] = XBOX
        self.pad = Gamepad(config, clock, PadFinder(str(node), open_at=self._pads.open_at))
        self.loop = ControlLoop(config, clock, self.hardware, self._link, self.pad)
        self._pacer = Pacer(1.0 / config.loop.rate_hz, clock.now_s())
        self._motion: Motion = _NEUTRAL
        self._count = 0

    def drive_circle(self) -> None:
        """Bring everything up, arm by the gamepad, and let the client ask for a circle."""
        deadline_s = time.monotonic() + _HEARD_WITHIN_S
        while not self._link.pending():
            # What a socket sends before it is connected is lost.
            self._say()
            time.sleep(0.01)
            if time.monotonic() > deadline_s:
                raise NotMeasuredError("the client's commands do not reach control")
        self.loop.start()
        for _ in range(_SETTLING):
            self.tick()
        self._pads.devices[0].send((EV_KEY, Key.START, 1), (EV_KEY, Key.START, 0))
        for _ in range(_SETTLING):
            self.tick()
        if self.loop.arming.state is not ArmState.ARMED:
            events = "; ".join(event.text for event in self.loop.journal.events())
            raise NotMeasuredError(f"the rover does not arm: {events}")
        self._motion = _CIRCLE
        for _ in range(_SETTLING):
            self.tick()

    def tick(self) -> float:
        """Let time pass until a tick is due and run it; return its processor time (s)."""
        self._clock.advance_to(self._pacer.due_s)
        self._count += 1
        if self._count % _COMMAND_EVERY == 0:
            self._say()
            # It is on its way through the kernel; what must be measured is taking it in.
            while not self._link.pending():
                pass
        self._pacer.started(self._clock.now_s())
        start_s = time.process_time()
        self.loop.tick(self._pacer.missed)
        return time.process_time() - start_s

    def close(self) -> None:
        """Let go of everything; the devices are left as they are."""
        self.pad.close()
        self._pads.close()
        self._client.close()
        self._link.close()

    def _say(self) -> None:
        self._client.drive(Source.WEB, self._motion, self._clock.now_s())
