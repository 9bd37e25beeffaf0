"""Whoever breaks the rover: puts faults into the simulated devices and takes them out again."""

import math
from collections.abc import Callable

from benchmarks.soak.people import Scene, Script
from rover.sim.faults import (
    CorruptBytes,
    CutSerial,
    EncoderState,
    Fault,
    InjectStatus,
    LockWheel,
    NackI2c,
    OffsetPower,
    PowerCycle,
    PressStop,
    SetBatteryCharge,
    SetBatteryVoltage,
    SetEncoder,
    SetTemperature,
    ShortenReplies,
    Silence,
    UnplugI2c,
)

# All bits of the status word that firmware uses.
_STATUS_BITS = (*range(16), *range(16, 29), 30, 31)
_CHARGED_EVERY_S = 600.0
_NORMAL_CELSIUS = 30.0
_STALL_STEP_S = 0.01
_BROKEN_ENCODERS = (EncoderState.DEAD, EncoderState.REVERSED)


class Breaker:
    """Breaks one thing after the other, and sometimes two at once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        config = scene.rover.config
        self._wheels = tuple(config.wheels)
        self._addresses = sorted({wheel.motor.address for wheel in config.wheels.values()})
        self._i2c = (config.steering.address, config.power.address)
        self._kinds: tuple[tuple[str, Callable[[], Script]], ...] = (
            ("one controller silent", self._one_silent),
            ("all controllers silent", self._all_silent),
            ("controller reset", self._reset),
            ("status bit", self._status),
            ("wheel held", self._locked),
            ("I2C device unplugged", self._unplugged),
            ("bytes corrupted", self._noise),
            ("next packets corrupted", self._next_corrupted),
            ("battery voltage", self._battery),
            ("stop button", self._button),
            ("controller hot", self._hot),
            ("loop stands still", self._stall),
            ("encoder dead or reversed", self._encoder),
            ("I2C not acknowledged", self._nack),
            ("power monitor lies", self._lies),
            ("serial cable out", self._cut),
            ("replies stick", self._sticks),
        )

    def script(self) -> Script:
        """Break something, mend it, and leave the rover alone for a while."""
        chance = self._scene.chance
        while True:
            yield chance.uniform(1.0, 25.0)
            name, fault = chance.choice(self._kinds)
            self._scene.counts[f"fault: {name}"] += 1
            yield from fault()

    def charges(self) -> Script:
        """Change the battery now and then: thirty hours are more than one lasts."""
        while True:
            self._inject(SetBatteryCharge(self._scene.chance.uniform(0.5, 1.0)))
            yield _CHARGED_EVERY_S

    def _inject(self, fault: Fault) -> None:
        self._scene.rover.simulated.inject(fault)

    def _for(self, shortest_s: float, longest_s: float) -> float:
        """Return how long a fault stays, short ones being as likely as long ones."""
        part: float = self._scene.chance.random()
        return float(shortest_s * (longest_s / shortest_s) ** part)

    def _one_silent(self) -> Script:
        address = self._scene.chance.choice(self._addresses)
        self._inject(Silence(address))
        yield self._for(0.02, 6.0)
        self._inject(Silence(address, silent=False))

    def _all_silent(self) -> Script:
        for address in self._addresses:
            self._inject(Silence(address))
        yield self._for(0.02, 6.0)
        for address in self._addresses:
            self._inject(Silence(address, silent=False))

    def _reset(self) -> Script:
        self._scene.rules.reset(self._scene.now_s)
        self._inject(PowerCycle(self._scene.chance.choice(self._addresses)))
        yield 0.0

    def _status(self) -> Script:
        chance = self._scene.chance
        address = chance.choice(self._addresses)
        self._inject(InjectStatus(address, 1 << chance.choice(_STATUS_BITS)))
        yield self._for(0.02, 3.0)
        self._inject(InjectStatus(address, 0))

    def _locked(self) -> Script:
        scene = self._scene
        wheel = scene.chance.choice(self._wheels)
        number = self._wheels.index(wheel)
        scene.rules.wheels.kept_behind(number)
        self._inject(LockWheel(wheel))
        yield self._for(0.1, 3.0)
        self._inject(LockWheel(wheel, locked=False))
        scene.rules.wheels.freed(scene.now_s, number)

    def _unplugged(self) -> Script:
        address = self._scene.chance.choice(self._i2c)
        self._inject(UnplugI2c(address))
        yield self._for(0.02, 6.0)
        self._inject(UnplugI2c(address, unplugged=False))

    def _noise(self) -> Script:
        # More would now and then pass a checksum of 16 bits, which is nobody's fault.
        chance = self._scene.chance
        share, stray = chance.choice(
            ((0.001, 0.0), (0.01, 0.0), (0.03, 0.0), (0.05, 0.0), (0.0, 0.1))
        )
        left_s = self._for(0.5, 10.0)
        self._scene.rules.wheels.deaf_until(self._scene.now_s + left_s)
        self._inject(CorruptBytes(share=share, stray=stray))
        yield left_s
        self._inject(CorruptBytes())

    def _next_corrupted(self) -> Script:
        chance = self._scene.chance
        self._scene.rules.wheels.deaf_until(self._scene.now_s + 0.5)
        self._inject(CorruptBytes(requests=chance.randrange(6), replies=chance.randrange(6)))
        yield 0.5
        self._inject(CorruptBytes())

    def _battery(self) -> Script:
        scene = self._scene
        scene.rules.wheels.kept_behind()
        self._inject(SetBatteryVoltage(scene.chance.uniform(11.5, 16.8)))
        yield self._for(0.2, 6.0)
        self._inject(SetBatteryCharge(scene.chance.uniform(0.5, 1.0)))
        scene.rules.wheels.freed(scene.now_s)

    def _button(self) -> Script:
        self._scene.rules.requested(stop=True)
        self._scene.counts["stop button"] += 1
        self._inject(PressStop(True))
        yield self._for(0.02, 3.0)
        self._inject(PressStop(False))

    def _hot(self) -> Script:
        address = self._scene.chance.choice(self._addresses)
        self._inject(SetTemperature(address, self._scene.chance.uniform(0.0, 130.0)))
        yield self._for(0.2, 4.0)
        self._inject(SetTemperature(address, _NORMAL_CELSIUS))

    def _stall(self) -> Script:
        clock, rules = self._scene.rover.clock, self._scene.rules
        end_s = clock.now_s() + self._for(0.005, 5.0)
        while clock.now_s() < end_s:
            clock.sleep_s(min(_STALL_STEP_S, end_s - clock.now_s()))
            self._scene.rover.simulated.devices.advance_to(clock.now_s())
            rules.stalled(clock.now_s())
        yield 0.0

    def _encoder(self) -> Script:
        scene = self._scene
        wheel = scene.chance.choice(self._wheels)
        number = self._wheels.index(wheel)
        scene.rules.wheels.encoder_breaks(number)
        self._inject(SetEncoder(wheel, scene.chance.choice(_BROKEN_ENCODERS)))
        yield self._for(0.1, 4.0)
        self._inject(SetEncoder(wheel, EncoderState.WORKS))
        scene.rules.wheels.encoder_mended(number, scene.now_s)

    def _nack(self) -> Script:
        chance = self._scene.chance
        self._inject(NackI2c(chance.choice(self._i2c), chance.randrange(1, 40)))
        yield 0.0

    def _lies(self) -> Script:
        scene = self._scene
        scene.rules.shown.voltage_lies(math.inf)
        self._inject(OffsetPower(scene.chance.uniform(-6.0, 6.0)))
        yield self._for(0.2, 8.0)
        self._inject(OffsetPower(0.0))
        scene.rules.shown.voltage_lies(scene.now_s)

    def _cut(self) -> Script:
        self._inject(CutSerial())
        yield self._for(0.02, 6.0)
        self._inject(CutSerial(cut=False))

    def _sticks(self) -> Script:
        address = self._scene.chance.choice(self._addresses)
        left_s = self._for(0.02, 4.0)
        # A bus that waits for replies tells others late.
        self._scene.rules.wheels.deaf_until(self._scene.now_s + left_s)
        self._inject(ShortenReplies(address, self._scene.chance.randrange(6)))
        yield left_s
        self._inject(ShortenReplies(address, None))
