"""The simulated rover in memory, on a clock that a test holds: deterministic, as fast as it gets.

Reading the serial line lets the clock run on to when the bytes would have arrived, or to the
deadline; everything else takes no time.
"""

from rover.clock import Clock
from rover.config import Config
from rover.errors import DeviceError
from rover.sim.bus import RoboclawBus
from rover.sim.devices import SimulatedDevices
from rover.sim.faults import Fault
from rover.sim.miswired import build
from rover.sim.roboclaw_settings import CLASSIC, Firmware
from rover.sim.truth import Truth


class MemorySerialLine:
    """A SerialLine to the simulated units: on the wire that they share, or a unit's USB."""

    def __init__(
        self, devices: SimulatedDevices, clock: Clock, usb: RoboclawBus | None = None
    ) -> None:
        self._devices = devices
        self._bus = usb or devices.bus
        self._clock = clock

    def write(self, data: bytes) -> None:
        """Put ``data`` on the wire, without waiting until it has been sent."""
        self._bus.write(data, self._clock.now_s())

    def read(self, count: int, deadline_s: float) -> bytes:
        """Return ``count`` bytes, or fewer if the clock passes ``deadline_s`` first."""
        bus = self._bus
        while True:
            arrival_s = bus.arrival_s(count)
            if arrival_s is not None and arrival_s <= deadline_s:
                self._pass_to(arrival_s)
                return bus.take(count, arrival_s)
            event_s = bus.next_event_s()
            if event_s is None or event_s > deadline_s:
                break
            self._pass_to(event_s)
            bus.run_to(event_s)
        self._pass_to(deadline_s)
        now_s = max(deadline_s, self._clock.now_s())
        self._devices.advance_to(now_s)
        return bus.take(count, now_s)

    def flush_input(self) -> None:
        """Throw away what has come in and was not read."""
        now_s = self._clock.now_s()
        self._devices.advance_to(now_s)
        self._bus.discard_received(now_s)

    def discard_output(self) -> int:
        """Nothing waits: what is written is on the wire."""
        return 0

    def close(self) -> None:
        """Let go of the line."""

    def _pass_to(self, time_s: float) -> None:
        self._clock.sleep_s(time_s - self._clock.now_s())


class MemoryI2cBus:
    """An I2cBus to the simulated devices."""

    def __init__(self, devices: SimulatedDevices, clock: Clock) -> None:
        self._devices = devices
        self._clock = clock

    def transfer(self, address: int, write: bytes, read_count: int) -> bytes:
        """Do one combined transfer. Raises DeviceError if nobody acknowledges."""
        data = self._devices.transfer(address, write, read_count, self._clock.now_s())
        if data is None:
            raise DeviceError(f"simulated I2C bus: nothing answers at address 0x{address:02X}")
        return data

    def close(self) -> None:
        """Let go of the bus."""


class MemoryLines:
    """A LineEndpoint to the simulated lines."""

    def __init__(self, devices: SimulatedDevices, clock: Clock) -> None:
        self._devices = devices
        self._clock = clock

    def set_level(self, line: int, high: bool) -> None:
        """Drive ``line``."""
        self._devices.drive_line(line, high=high, now_s=self._clock.now_s())

    def level(self, line: int) -> bool:
        """Tell whether ``line`` is high."""
        return self._devices.lines.level(line)


class SimulatedRover:
    """A whole rover's devices: ``serial_line``, ``i2c`` and ``lines`` for the drivers.

    ``truth`` and ``inject`` are for tests. ``paced`` False makes the wire infinitely fast;
    ``firmware`` is every unit's; ``wrong`` names what is built wrong in it (``miswired``).
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        *,
        paced: bool = True,
        firmware: Firmware = CLASSIC,
        wrong: str = "",
    ) -> None:
        self._clock = clock
        self.devices = build(config, clock.now_s(), wrong, paced=paced, firmware=firmware)
        self.serial_line = MemorySerialLine(self.devices, clock)
        self.i2c = MemoryI2cBus(self.devices, clock)
        self.lines = MemoryLines(self.devices, clock)

    def usb_line(self, unit: int) -> MemorySerialLine:
        """Return the line to a unit's own USB port, by its place among them."""
        return MemorySerialLine(self.devices, self._clock, self.devices.plug_in_usb(unit))

    def truth(self) -> Truth:
        """Return what is so now."""
        return self.devices.truth(self._clock.now_s())

    def inject(self, fault: Fault) -> None:
        """Put ``fault`` into the rover. Raises ValueError if it has no such part."""
        self.devices.inject(fault, self._clock.now_s())
