"""The one place where units are converted. Inside, everything is SI and radians."""

import math


def rad_s_from_rpm(speed_rpm: float) -> float:
    """Revolutions per minute to rad/s."""
    return speed_rpm * math.tau / 60.0


def rad_from_deg(angle_deg: float) -> float:
    """Degrees to radians."""
    return math.radians(angle_deg)


def deg_from_rad(angle_rad: float) -> float:
    """Radians to degrees."""
    return math.degrees(angle_rad)


def qpps_from_rad_s(speed_rad_s: float, ticks_per_turn: float) -> float:
    """Wheel speed in rad/s to encoder counts (quadrature pulses) per second."""
    return speed_rad_s * ticks_per_turn / math.tau


def rad_s_from_qpps(speed_qpps: float, ticks_per_turn: float) -> float:
    """Encoder counts (quadrature pulses) per second to wheel speed in rad/s."""
    return speed_qpps * math.tau / ticks_per_turn


def rad_from_ticks(ticks: float, ticks_per_turn: float) -> float:
    """Encoder counts to wheel angle in radians."""
    return ticks * math.tau / ticks_per_turn


def wrap_rad(angle_rad: float) -> float:
    """Return the same direction within (-pi, pi]."""
    wrapped = math.remainder(angle_rad, math.tau)
    return math.pi if wrapped == -math.pi else wrapped
