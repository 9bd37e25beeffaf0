"""The rover's body on level ground: its velocity and pose from how its wheels really roll.

Each wheel asks for two things: that the ground under it moves along its heading as fast as
it rolls, and not at all sideways. The body's planar velocity is the one that violates these
wishes least (weighted least squares); what is left over is slip. A wheel scrubs sideways
more easily than it skids along its rolling direction, hence the smaller weight there. It is
worked out here on its own, on purpose: the simulator must not repeat a mistake of the
kinematics it is there to test.
"""

import math
from collections.abc import Sequence

from rover.messages import Pose, Twist
from rover.units import wrap_rad

_ROLL_WEIGHT = 1.0
_SIDE_WEIGHT = 0.5
# Below this turn in one step an arc is a straight line to the last bit that matters.
_STRAIGHT_RAD = 1e-9

Row = tuple[float, float, float]


class Body:
    """Pose and velocity of the body; x forward, y left, counter-clockwise positive."""

    def __init__(self, positions_m: Sequence[tuple[float, float]]) -> None:
        self._positions_m = tuple(positions_m)
        self._steer_rad: tuple[float, ...] | None = None
        self._gains: tuple[Row, ...] = ()
        self.x_m = self.y_m = self.yaw_rad = 0.0
        self.vx_mps = self.vy_mps = self.yaw_rate_rad_s = 0.0

    @property
    def pose(self) -> Pose:
        """Where it truly is, from where it started."""
        return Pose(self.x_m, self.y_m, wrap_rad(self.yaw_rad))

    @property
    def twist(self) -> Twist:
        """How it truly moves, in its own frame."""
        return Twist(self.vx_mps, self.vy_mps, self.yaw_rate_rad_s)

    def step(self, dt_s: float, steer_rad: tuple[float, ...], rolling_mps: Sequence[float]) -> None:
        """Move for ``dt_s`` with the wheels at ``steer_rad`` rolling at ``rolling_mps``.

        The path within a step is the arc of the mean of the old and the new velocity.
        """
        if steer_rad != self._steer_rad:
            self._gains = _gains(self._positions_m, steer_rad)
            self._steer_rad = steer_rad
        vx = vy = yaw_rate = 0.0
        for (gain_x, gain_y, gain_yaw), speed_mps in zip(self._gains, rolling_mps, strict=True):
            vx += gain_x * speed_mps
            vy += gain_y * speed_mps
            yaw_rate += gain_yaw * speed_mps
        self._move(
            0.5 * (self.vx_mps + vx) * dt_s,
            0.5 * (self.vy_mps + vy) * dt_s,
            0.5 * (self.yaw_rate_rad_s + yaw_rate) * dt_s,
        )
        self.vx_mps, self.vy_mps, self.yaw_rate_rad_s = vx, vy, yaw_rate

    def _move(self, dx_m: float, dy_m: float, turn_rad: float) -> None:
        """Follow a constant velocity that adds up to these, in the frame at its start."""
        if abs(turn_rad) > _STRAIGHT_RAD:
            along = math.sin(turn_rad) / turn_rad
            across = (1.0 - math.cos(turn_rad)) / turn_rad
            dx_m, dy_m = along * dx_m - across * dy_m, across * dx_m + along * dy_m
        cos_yaw, sin_yaw = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        self.x_m += cos_yaw * dx_m - sin_yaw * dy_m
        self.y_m += sin_yaw * dx_m + cos_yaw * dy_m
        self.yaw_rad += turn_rad


def _gains(
    positions_m: tuple[tuple[float, float], ...], steer_rad: tuple[float, ...]
) -> tuple[Row, ...]:
    """Return per wheel how its rolling speed adds to (vx, vy, yaw rate).

    With a row a_i = (cos, sin, x sin - y cos) for rolling and b_i = (-sin, cos, x cos + y sin)
    for sideways, the normal matrix is sum(w_r a a' + w_s b b'), and the gain of wheel i is
    its inverse times w_r a_i. Where fewer than two wheels leave the velocity undetermined
    (a singular matrix), a tiny weight keeps the body still in that direction.
    """
    rows: list[Row] = []
    m00 = m01 = m02 = m11 = m12 = m22 = 0.0
    for (x_m, y_m), angle_rad in zip(positions_m, steer_rad, strict=True):
        cos, sin = math.cos(angle_rad), math.sin(angle_rad)
        roll = (cos, sin, x_m * sin - y_m * cos)
        side = (-sin, cos, x_m * cos + y_m * sin)
        rows.append(roll)
        for weight, (a, b, c) in ((_ROLL_WEIGHT, roll), (_SIDE_WEIGHT, side)):
            m00 += weight * a * a
            m01 += weight * a * b
            m02 += weight * a * c
            m11 += weight * b * b
            m12 += weight * b * c
            m22 += weight * c * c
    if not rows:
        return ()
    m22 += 1e-12
    # Cofactors of the symmetric matrix.
    c00 = m11 * m22 - m12 * m12
    c01 = m02 * m12 - m01 * m22
    c02 = m01 * m12 - m02 * m11
    c11 = m00 * m22 - m02 * m02
    c12 = m01 * m02 - m00 * m12
    c22 = m00 * m11 - m01 * m01
    scale = _ROLL_WEIGHT / (m00 * c00 + m01 * c01 + m02 * c02)
    return tuple(
        (
            scale * (c00 * a + c01 * b + c02 * c),
            scale * (c01 * a + c11 * b + c12 * c),
            scale * (c02 * a + c12 * b + c22 * c),
        )
        for a, b, c in rows
    )
