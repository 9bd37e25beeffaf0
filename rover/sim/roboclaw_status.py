"""Status bits of a RoboClaw, and the two layouts in which command 90 sends them."""

from enum import IntFlag


class Status(IntFlag):
    """Bits of the 32-bit status: errors in the low half, warnings in the high one."""

    ESTOP = 1 << 0
    TEMPERATURE = 1 << 1
    TEMPERATURE_2 = 1 << 2
    MAIN_HIGH = 1 << 3
    LOGIC_HIGH = 1 << 4
    LOGIC_LOW = 1 << 5
    M1_FAULT = 1 << 6
    M2_FAULT = 1 << 7
    M1_SPEED = 1 << 8
    M2_SPEED = 1 << 9
    M1_POSITION = 1 << 10
    M2_POSITION = 1 << 11
    M1_CURRENT = 1 << 12
    M2_CURRENT = 1 << 13
    MAIN_LOW = 1 << 14
    WARN_M1_OVERCURRENT = 1 << 16
    WARN_M2_OVERCURRENT = 1 << 17
    WARN_MAIN_HIGH = 1 << 18
    WARN_MAIN_LOW = 1 << 19
    WARN_TEMPERATURE = 1 << 20
    WARN_TEMPERATURE_2 = 1 << 21
    WARN_BOOT = 1 << 29


NOTHING = Status(0)

# While one of these stands, the motors have no power.
SHUTS_DOWN = (
    Status.ESTOP
    | Status.TEMPERATURE
    | Status.TEMPERATURE_2
    | Status.MAIN_HIGH
    | Status.MAIN_LOW
    | Status.LOGIC_HIGH
    | Status.LOGIC_LOW
    | Status.M1_FAULT
    | Status.M2_FAULT
)

# The 16-bit layout, bit 0 first, by the same conditions; its two home bits are never set.
_OLD_LAYOUT = (
    Status.WARN_M1_OVERCURRENT,
    Status.WARN_M2_OVERCURRENT,
    Status.ESTOP,
    Status.TEMPERATURE,
    Status.TEMPERATURE_2,
    Status.MAIN_HIGH,
    Status.LOGIC_HIGH,
    Status.LOGIC_LOW,
    Status.M1_FAULT,
    Status.M2_FAULT,
    Status.WARN_MAIN_HIGH,
    Status.WARN_MAIN_LOW,
    Status.WARN_TEMPERATURE,
    Status.WARN_TEMPERATURE_2,
)


def status_bytes(status: int, bits: int) -> bytes:
    """Return the reply's data for ``status`` in the layout of 16 or 32 ``bits``."""
    if bits == 16:  # noqa: PLR2004 - the layout's own width
        old = sum(1 << i for i, flag in enumerate(_OLD_LAYOUT) if status & flag)
        return old.to_bytes(2, "big")
    return (status & 0xFFFFFFFF).to_bytes(4, "big")
