"""Faults of the simulated devices, under the real processes."""

from dataclasses import replace

from benchmarks.faults.act import Act, until
from benchmarks.faults.fault import Driver
from benchmarks.faults.stage import Stage
from rover.config.sections import MotionConfig
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

_ADDRESSES = (0x80, 0x81, 0x82)
_SERVO_BOARD, _POWER_MONITOR = 0x40, 0x45
_HOT_C, _COOL_C = 110.0, 30.0
_FULL_V, _LOW_V, _VERY_LOW_V, _EMPTY_V = 16.0, 13.6, 13.15, 12.4
_M1_CURRENT = 1 << 12
_WHEEL = "left_middle"
# Before anything can be found.
_LET_GO_S = 0.1
# A battery is told low after a second of it, and read every 0.6 s.
_STAGE_S = 3.0
_STOP_BITS = tuple(range(16))
_SLOW_BITS = (19, 20, 21)
_TELL_BITS = (16, 17, 18, 22, 23, 24, 25, 26, 27, 28, 30, 31)
# Coming down to slow speed, wheels are slower than that for a moment.
_SLOW_SHARE = 0.7 * MotionConfig().slow_speed_mps / MotionConfig().max_speed_mps


def _faulty(
    *faults: Fault, undo: tuple[Fault, ...], lasts_s: float = 1.5, slows: bool = False
) -> Act:
    """Return an act of faults that are put in together, and what undoes them."""

    def put(stage: Stage, _driver: Driver) -> float:
        return min([stage.inject(fault) for fault in faults])

    def take_out(stage: Stage) -> None:
        for fault in undo:
            stage.inject(fault)

    share = _SLOW_SHARE if slows else 0.8
    return Act(put, mend=take_out, lasts_s=lasts_s, slows=slows, slowest_share=share)


def _a_bit_of(bits: tuple[int, ...], *, slows: bool = False) -> Act:
    """Return an act that sets one of ``bits`` in a controller's status, another in each run."""

    def put(stage: Stage, _driver: Driver) -> float:
        return stage.inject(InjectStatus(0x82, 1 << bits[stage.runs % len(bits)]))

    def take_out(stage: Stage) -> None:
        stage.inject(InjectStatus(0x82, 0))

    share = _SLOW_SHARE if slows else 0.8
    return Act(put, mend=take_out, prepare=_flash_newer, slows=slows, slowest_share=share)


def _flash_newer(stage: Stage) -> None:
    """Have units whose firmware has a name for every bit."""
    for address in _ADDRESSES:
        stage.inject(SetFirmware(address, Dialect.NEWER))


def _dies_and_is_let_go_of(stage: Stage, driver: Driver) -> float:
    died_s = stage.inject(SetEncoder(_WHEEL, EncoderState.DEAD))
    until(died_s + _LET_GO_S)
    stage.hand(driver).rest()
    return died_s


def _mend_encoder(stage: Stage) -> None:
    stage.inject(SetEncoder(_WHEEL, EncoderState.WORKS))


ACTS = {
    "controller-silent": _faulty(Silence(0x81), undo=(Silence(0x81, False),)),
    "controllers-silent": _faulty(
        *(Silence(address) for address in _ADDRESSES),
        undo=tuple(Silence(address, False) for address in _ADDRESSES),
    ),
    "serial-unplugged": _faulty(CutSerial(), undo=(CutSerial(False),)),
    "bytes-corrupted-1-percent": replace(
        _faulty(CorruptBytes(0.01), undo=(CorruptBytes(),)), real_margin=True
    ),
    "noise-bytes": _faulty(CorruptBytes(stray=1.0), undo=(CorruptBytes(),)),
    "short-reply-stuck": _faulty(ShortenReplies(0x81, 1), undo=(ShortenReplies(0x81, None),)),
    "controller-reset": _faulty(PowerCycle(0x81), undo=()),
    "status-stop-bits": _a_bit_of(_STOP_BITS),
    "status-slow-bits": _a_bit_of(_SLOW_BITS, slows=True),
    "status-tell-bits": _a_bit_of(_TELL_BITS),
    "over-current": _faulty(InjectStatus(0x82, _M1_CURRENT), undo=(InjectStatus(0x82, 0),)),
    "over-temperature": _faulty(
        SetTemperature(0x80, _HOT_C), undo=(SetTemperature(0x80, _COOL_C),)
    ),
    "wheel-stalled": _faulty(LockWheel(_WHEEL), undo=(LockWheel(_WHEEL, False),)),
    "encoder-dead": _faulty(
        SetEncoder(_WHEEL, EncoderState.DEAD), undo=(SetEncoder(_WHEEL, EncoderState.WORKS),)
    ),
    "encoder-dead-let-go": Act(_dies_and_is_let_go_of, mend=_mend_encoder),
    "encoder-reversed": _faulty(
        SetEncoder(_WHEEL, EncoderState.REVERSED), undo=(SetEncoder(_WHEEL, EncoderState.WORKS),)
    ),
    "battery-low": _faulty(
        SetBatteryVoltage(_LOW_V), undo=(SetBatteryVoltage(_FULL_V),), lasts_s=_STAGE_S
    ),
    "battery-very-low": _faulty(
        SetBatteryVoltage(_VERY_LOW_V),
        undo=(SetBatteryVoltage(_FULL_V),),
        lasts_s=_STAGE_S,
        slows=True,
    ),
    "battery-empty": _faulty(SetBatteryVoltage(_EMPTY_V), undo=(SetBatteryVoltage(_FULL_V),)),
    "power-sensor-lost": _faulty(
        UnplugI2c(_POWER_MONITOR), undo=(UnplugI2c(_POWER_MONITOR, False),)
    ),
    "power-sensors-disagree": _faulty(
        OffsetPower(2.0), undo=(OffsetPower(0.0),), lasts_s=_STAGE_S, slows=True
    ),
    "i2c-nack-once": _faulty(NackI2c(_SERVO_BOARD, 1), undo=()),
    "servo-board-gone": _faulty(UnplugI2c(_SERVO_BOARD), undo=(UnplugI2c(_SERVO_BOARD, False),)),
}
