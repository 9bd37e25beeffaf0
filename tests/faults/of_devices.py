"""Faults of what control drives and reads, on the manual clock."""

from msgspec import structs

from benchmarks.faults.matrix import BY_KEY
from rover.messages import ArmState, Reaction
from rover.sim.faults import (
    CorruptBytes,
    CutSerial,
    Dialect,
    EncoderState,
    Fault,
    InjectStatus,
    LockWheel,
    NackI2c,
    OffsetPower,
    PowerCycle,
    SetBatteryVoltage,
    SetEncoder,
    SetFirmware,
    SetTemperature,
    ShortenReplies,
    Silence,
    UnplugI2c,
)
from tests.builders import osr_config
from tests.faults.rig import FULL, TICK_S, FaultRig, plant_time_s
from tests.faults.trial import Act, Trial, nothing

_ADDRESSES = (0x80, 0x81, 0x82)
_FIRST_WHEELS = ("left_front", "left_rear", "right_front")
_SERVO_BOARD, _POWER_MONITOR = 0x40, 0x45
_WHEELS = ("left_front", "right_middle")
_ALL_NAMED = "".join(f"(?=.*0x{address:02X})" for address in _ADDRESSES)
# The battery that the simulated rover comes with, and one that is charged anew.
_GOOD_V = 16.0


def _inject(*faults: Fault) -> Act:
    def inject(rig: FaultRig) -> None:
        for fault in faults:
            rig.simulated.inject(fault)

    return inject


def _both(first: Act, second: Act) -> Act:
    def both(rig: FaultRig) -> None:
        first(rig)
        second(rig)

    return both


def _name(address: int) -> str:
    return f"0x{address:02X}"


def _tells_the_truth(rig: FaultRig) -> None:
    """See that on a bad wire no wrong value is used: what is told of the wheels is true."""
    # A minute: what is merely unlikely comes about within that.
    for _ in range(1200):
        rig.run(0.05)
        assert rig.state is ArmState.ARMED, rig.loop.arming.reason
        for view, wheel in zip(rig.telemetry.wheels, rig.truth().wheels, strict=True):
            assert view.speed_rad_s is not None
            assert abs(view.speed_rad_s - wheel.speed_rad_s) < 1.0
            assert view.current_a is not None
            assert abs(view.current_a) < 3.0


def _have_their_timeouts(rig: FaultRig) -> None:
    """See that a controller that has forgotten its serial timeout has been told it again."""
    rig.run(1.0)
    timeout_s = rig.config.roboclaw.serial_timeout_s
    assert all(c.timeout_s == timeout_s for c in rig.truth().controllers)


def _dies_and_is_let_go_of(wheel: str, after_s: float) -> Act:
    def let_go(rig: FaultRig) -> None:
        rig.simulated.inject(SetEncoder(wheel, EncoderState.DEAD))
        rig.run(after_s)
        rig.hand.rest()

    return let_go


def _has_zero_duty(rig: FaultRig) -> None:
    """See that no velocity loop is left to hold a wheel that it does not see."""
    assert rig.outputs_idle()


def _creep(stick: float, duration_s: float) -> Act:
    def creep(rig: FaultRig) -> None:
        rig.phone.push(drive=stick)
        rig.run(duration_s)
        assert not rig.stands()

    return creep


def _stand(rig: FaultRig) -> None:
    rig.hand.rest()
    rig.run(1.0)


def _tap_until_it_is_found(wheel: str) -> Act:
    """Tap the stick with the encoder dead; after each tap every wheel stands within 0.4 s."""

    def tap(rig: FaultRig) -> None:
        rig.simulated.inject(SetEncoder(wheel, EncoderState.DEAD))
        while rig.state is ArmState.ARMED:
            rig.hand.push()
            rig.run(0.1)
            rig.hand.rest()
            rig.run(0.4)
            assert rig.stands()

    return tap


CONTROLLERS = {
    "controller-silent": tuple(
        Trial(
            _inject(Silence(address)),
            _inject(Silence(address, silent=False)),
            name=_name(address),
            reason=_name(address),
        )
        for address in _ADDRESSES
    ),
    "controllers-silent": (
        Trial(
            _inject(*(Silence(address) for address in _ADDRESSES)),
            _inject(*(Silence(address, silent=False) for address in _ADDRESSES)),
            reason=_ALL_NAMED,
        ),
    ),
    "serial-unplugged": (
        Trial(_inject(CutSerial()), _inject(CutSerial(cut=False)), reason=_ALL_NAMED),
    ),
    "bytes-corrupted-1-percent": (
        Trial(_inject(CorruptBytes(share=0.01)), while_driving=_tells_the_truth),
    ),
    "noise-bytes": (
        Trial(_inject(CorruptBytes(stray=1.0)), _inject(CorruptBytes()), reason="RoboClaw"),
    ),
    "short-reply-stuck": tuple(
        Trial(
            _inject(ShortenReplies(address, length)),
            _inject(ShortenReplies(address, None)),
            name=f"{_name(address)}, {length} bytes",
            # After a whole acknowledgement it is the encoders that are missing.
            reason=f"{_name(address)}|encoder reading .* {wheel}",
        )
        for address, wheel in zip(_ADDRESSES, _FIRST_WHEELS, strict=True)
        for length in (0, 1, 5)
    ),
    "controller-reset": tuple(
        Trial(
            _inject(PowerCycle(address)),
            then=_have_their_timeouts,
            name=_name(address),
            reason=_name(address),
        )
        for address in _ADDRESSES
    ),
}

# What each bit of the status word does: worked out from the vendor's list of errors and
# warnings, not from the table in rover/hardware/roboclaw_status.py.
# "Main battery low" as an error is newer firmware's.
_NEWER_BIT = 14
_STOP_BITS = tuple(bit for bit in range(16) if bit != _NEWER_BIT)
_SLOW_BITS = (19, 20, 21)
_TELL_BITS = (16, 17, 18, 22, 23, 24, 25, 26, 27, 28, 30, 31)
# Of the 16-bit word of older firmware, the bits that the simulator can be made to show, by their
# places in the word of 32.
_STOP_BITS_16 = (0, 1, 2, 3, 4, 5, 6, 7)


def _firmware(dialect: Dialect) -> Act:
    """Flash all units with another firmware; that a status has another width stops nothing."""

    def flash(rig: FaultRig) -> None:
        for address in _ADDRESSES:
            rig.simulated.inject(SetFirmware(address, dialect))
        rig.run(1.0)
        assert not rig.stands()

    return flash


def _clear_bits(address: int) -> Act:
    return _inject(InjectStatus(address, 0))


def _each_stops(bits: tuple[int, ...]) -> Act:
    """After a first bit try the others, one by one: each must stop a rover that drives again."""
    bound_s = BY_KEY["status-stop-bits"].bound_s
    assert bound_s is not None

    def each(rig: FaultRig) -> None:
        for bit in bits:
            rig.simulated.inject(InjectStatus(0x82, 0))
            rig.revive()
            assert rig.drives(), bit
            rig.simulated.inject(InjectStatus(0x82, 1 << bit))
            rig.run(bound_s + TICK_S)
            assert rig.state is ArmState.FAULT, bit
            assert rig.loop.arming.reason.startswith("RoboClaw 0x82 reports"), bit
            assert rig.outputs_idle(), bit
            rig.time_to_stand_s(plant_time_s(ramps=False))
        rig.simulated.inject(InjectStatus(0x82, 0))

    return each


def _each(bits: tuple[int, ...], reaction: Reaction) -> Act:
    """Set one bit after the other on a rover that drives; see what each does, and that it ends."""

    def each(rig: FaultRig) -> None:
        for bit in bits:
            rig.simulated.inject(InjectStatus(0x81, 1 << bit))
            rig.run(0.8)
            conditions = rig.telemetry.conditions
            assert [condition.reaction for condition in conditions] == [reaction], (bit, conditions)
            speed_mps = rig.truth().twist.vx_mps
            slow_mps = rig.config.motion.slow_speed_mps
            if reaction is Reaction.SLOW:
                assert abs(speed_mps - slow_mps) < 0.02, bit
            else:
                assert abs(speed_mps - FULL.speed_mps) < 0.05, bit
            rig.simulated.inject(InjectStatus(0x81, 0))
            rig.run(0.2)

    return each


REPORTED = {
    "status-stop-bits": (
        Trial(
            _inject(InjectStatus(0x82, 1)),
            _each_stops(_STOP_BITS[1:]),
            name="of 32",
            reason="0x82 reports",
        ),
        Trial(
            _inject(InjectStatus(0x82, 1 << _NEWER_BIT)),
            _clear_bits(0x82),
            name=f"bit {_NEWER_BIT} of 32",
            reason="0x82 reports",
            before=_firmware(Dialect.NEWER),
        ),
        Trial(
            _inject(InjectStatus(0x82, 1)),
            _each_stops(_STOP_BITS_16[1:]),
            name="of 16",
            reason="0x82 reports",
            before=_firmware(Dialect.OLD_STATUS),
        ),
    ),
    "status-slow-bits": (Trial(nothing, while_driving=_each(_SLOW_BITS, Reaction.SLOW)),),
    "status-tell-bits": (Trial(nothing, while_driving=_each(_TELL_BITS, Reaction.TELL)),),
    "over-current": tuple(
        Trial(
            _inject(InjectStatus(0x80, bits)),
            _clear_bits(0x80),
            name=name,
            reason="current",
        )
        for name, bits in (
            ("M1", 1 << 12),
            ("M2", 1 << 13),
            # Such a unit has the boot bit set all the time.
            ("M1, after boot", 1 << 12 | 1 << 29),
        )
    ),
    "over-temperature": (
        Trial(
            _inject(SetTemperature(0x81, 110.0)),
            _inject(SetTemperature(0x81, 30.0)),
            reason="0x81 reports temperature",
        ),
    ),
}

WHEELS = {
    "wheel-stalled": tuple(
        Trial(
            _inject(LockWheel(wheel)),
            _inject(LockWheel(wheel, locked=False)),
            name=wheel,
            reason=wheel,
        )
        for wheel in _WHEELS
    ),
    "encoder-dead": tuple(
        Trial(
            _inject(SetEncoder(wheel, EncoderState.DEAD)),
            _inject(SetEncoder(wheel, EncoderState.WORKS)),
            name=wheel,
            reason=wheel,
            running_away=True,
        )
        for wheel in _WHEELS
    ),
    "encoder-dead-let-go": tuple(
        Trial(
            _dies_and_is_let_go_of(wheel, after_s),
            _inject(SetEncoder(wheel, EncoderState.WORKS)),
            then=_has_zero_duty,
            name=f"{wheel}, after {after_s:g} s",
            running_away=True,
        )
        for wheel in _WHEELS
        for after_s in (0.02, 0.1)
    ),
    "encoder-dead-slow": tuple(
        Trial(
            _inject(SetEncoder(_WHEELS[0], EncoderState.DEAD)),
            _inject(SetEncoder(_WHEELS[0], EncoderState.WORKS)),
            before=_creep(stick, creeping_s),
            name=f"{stick:g} of the stick for {creeping_s:g} s",
            reason=_WHEELS[0],
            running_away=True,
        )
        for stick in (0.1, 0.2)
        for creeping_s in (2.0, 3.1)
    ),
    "encoder-dead-taps": tuple(
        Trial(
            _tap_until_it_is_found(wheel),
            _inject(SetEncoder(wheel, EncoderState.WORKS)),
            before=_stand,
            name=wheel,
            reason=wheel,
            running_away=True,
        )
        for wheel in _WHEELS
    ),
    "encoder-reversed": tuple(
        Trial(
            _inject(SetEncoder(wheel, EncoderState.REVERSED)),
            _inject(SetEncoder(wheel, EncoderState.WORKS)),
            name=wheel,
            reason=wheel,
            running_away=True,
        )
        for wheel in _WHEELS
    ),
}


def _tells(code: str) -> Act:
    def tells(rig: FaultRig) -> None:
        assert code in {condition.code for condition in rig.telemetry.conditions}
        assert abs(rig.truth().twist.vx_mps - FULL.speed_mps) < 0.05

    return tells


def _slows(code: str) -> Act:
    def slows(rig: FaultRig) -> None:
        assert code in {condition.code for condition in rig.telemetry.conditions}
        assert abs(rig.truth().twist.vx_mps - rig.config.motion.slow_speed_mps) < 0.02

    return slows


def _told_by_a_controller(rig: FaultRig) -> None:
    _tells("power-monitor")(rig)
    power = rig.telemetry.power
    assert power is not None
    assert "RoboClaw" in power.device
    assert rig.telemetry.stamp_s - power.stamp_s < 2.0


def _nobody_reads_the_battery(rig: FaultRig) -> None:
    """Have the controllers' voltage grow old: they answer everything but that."""
    rig.simulated.inject(UnplugI2c(_POWER_MONITOR))
    last = rig.hardware.drive.power()
    rig.hardware.drive.power = lambda: last


def _read_the_battery_again(rig: FaultRig) -> None:
    del rig.hardware.drive.power
    rig.simulated.inject(UnplugI2c(_POWER_MONITOR, unplugged=False))
    rig.run(3.0)


_CHARGED = _both(_inject(SetBatteryVoltage(_GOOD_V)), lambda rig: rig.run(2.0))

BATTERY = {
    "battery-low": (Trial(_inject(SetBatteryVoltage(13.6)), while_driving=_tells("battery-low")),),
    "battery-very-low": (
        Trial(_inject(SetBatteryVoltage(13.15)), while_driving=_slows("battery-very-low")),
    ),
    "battery-empty": (Trial(_inject(SetBatteryVoltage(12.4)), _CHARGED, reason="battery"),),
    "power-sensor-lost": (
        Trial(_inject(UnplugI2c(_POWER_MONITOR)), while_driving=_told_by_a_controller),
    ),
    "all-power-sensors-lost": (
        Trial(
            _nobody_reads_the_battery,
            _read_the_battery_again,
            reason="nothing measures the battery",
        ),
    ),
    "power-sensors-disagree": (
        Trial(_inject(OffsetPower(2.0)), while_driving=_slows("battery-disagree"), name="high"),
        Trial(_inject(OffsetPower(-1.5)), while_driving=_slows("battery-disagree"), name="low"),
    ),
}


def _with_a_servo_near_its_end():
    """Return a rover whose left front servo cannot turn its wheel as far to the right as asked."""
    config = osr_config()
    wheels = dict(config.wheels)
    steer = structs.replace(wheels["left_front"].steer, centre_deg=290.0)
    wheels["left_front"] = structs.replace(wheels["left_front"], steer=steer)
    return structs.replace(config, wheels=wheels)


STEERING = {
    "i2c-nack-once": (Trial(_inject(NackI2c(_SERVO_BOARD, 1)), while_driving=nothing),),
    "servo-board-gone": (
        Trial(
            _inject(UnplugI2c(_SERVO_BOARD)),
            _inject(UnplugI2c(_SERVO_BOARD, unplugged=False)),
            reason="PCA9685",
        ),
        Trial(
            _inject(NackI2c(_SERVO_BOARD, 10_000)),
            _inject(NackI2c(_SERVO_BOARD, 0)),
            name="NACKs without end",
            reason="PCA9685",
        ),
    ),
    "servo-at-limit": (
        Trial(
            lambda rig: rig.phone.push(turn=-1.0),
            reason="left_front",
            config=_with_a_servo_near_its_end(),
        ),
    ),
}

TRIALS = CONTROLLERS | REPORTED | WHEELS | BATTERY | STEERING
