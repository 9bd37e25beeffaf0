"""A simulated rover on a manual clock, and a plain client that speaks to its units."""

import struct

from rover.clock import ManualClock
from rover.config import Config
from rover.hardware.bus.framing import check_reply, read_request, write_packet
from rover.sim.memory import SimulatedRover
from rover.sim.roboclaw_settings import CLASSIC, Firmware
from rover.sim.truth import Truth, WheelTruth
from tests.builders import osr_config

UNITS = (0x80, 0x81, 0x82)
MOTOR_ENABLE = 23
# What a read waits for at most; nothing on a healthy wire takes that long.
PATIENCE_S = 0.05


class Rig:
    """Sends what it is told, reads what comes back; motors enabled unless told otherwise."""

    def __init__(
        self,
        config: Config | None = None,
        *,
        paced: bool = True,
        firmware: Firmware = CLASSIC,
        enabled: bool = True,
    ) -> None:
        self.config = config or osr_config()
        self.clock = ManualClock()
        self.rover = SimulatedRover(self.config, self.clock, paced=paced, firmware=firmware)
        self.line = self.rover.serial_line
        if enabled:
            self.rover.lines.set_level(MOTOR_ENABLE, high=True)

    def exchange(self, request: bytes, count: int) -> bytes:
        self.line.write(request)
        return self.line.read(count, self.clock.now_s() + PATIENCE_S)

    def read(self, command: int, form: str, address: int = 0x80) -> tuple[int, ...]:
        """Return the values of a read command, its checksum verified."""
        layout = struct.Struct(">" + form)
        request = read_request(address, command)
        return layout.unpack(check_reply(request, self.exchange(request, layout.size + 2)))

    def write(self, command: int, form: str = "", *values: int, address: int = 0x80) -> bytes:
        """Send a write command; return what came back, 0xFF if all is well."""
        data = struct.pack(">" + form, *values)
        return self.exchange(write_packet(address, command, data), 1)

    def drive(self, qpps_by_wheel: dict[str, int] | int) -> None:
        """Hold wheel speeds in qpps, positive forward."""
        for address in UNITS:
            targets = [0, 0]
            for name, wheel in self.config.wheels.items():
                if wheel.motor.address == address:
                    qpps = qpps_by_wheel if isinstance(qpps_by_wheel, int) else qpps_by_wheel[name]
                    targets[wheel.motor.channel - 1] = -qpps if wheel.motor.inverted else qpps
            assert self.write(37, "ii", *targets, address=address) == b"\xff"

    def wait(self, duration_s: float) -> None:
        self.clock.sleep_s(duration_s)

    @property
    def truth(self) -> Truth:
        return self.rover.truth()

    def wheel(self, name: str) -> WheelTruth:
        return next(wheel for wheel in self.truth.wheels if wheel.name == name)

    def fastest_rad_s(self) -> float:
        return max(abs(wheel.speed_rad_s) for wheel in self.truth.wheels)
