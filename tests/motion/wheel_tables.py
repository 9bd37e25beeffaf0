"""Rovers of all shapes: configurations made from a table of wheels, by hand or by hypothesis."""

from dataclasses import dataclass

from hypothesis import strategies as st

from rover.config import Config, MotionConfig, MotorConfig, SteerConfig, WheelConfig

# Wheels nearer together than this tell too little of a turn for nine digits to hold.
_APART_M = 0.05


@dataclass(frozen=True)
class Row:
    """One wheel; ``steer_deg`` is its range, None for a fixed wheel."""

    x_m: float
    y_m: float
    steer_deg: tuple[float, float] | None = (-90.0, 90.0)
    radius_m: float = 0.075
    max_speed_rad_s: float = 20.0


def rover_of(*rows: Row, max_curvature_per_m: float = 4.0) -> Config:
    """Return a rover with these wheels, called w0, w1 and so on."""
    wheels = {}
    for i, row in enumerate(rows):
        steer = None
        if row.steer_deg is not None:
            low, high = row.steer_deg
            steer = SteerConfig(channel=i, centre_deg=135.0, min_deg=low, max_deg=high)
        wheels[f"w{i}"] = WheelConfig(
            x_m=row.x_m,
            y_m=row.y_m,
            radius_m=row.radius_m,
            max_speed_rad_s=row.max_speed_rad_s,
            motor=MotorConfig(address=0x80 + i // 2, channel=1 + i % 2),
            steer=steer,
        )
    return Config(wheels=wheels, motion=MotionConfig(max_curvature_per_m=max_curvature_per_m))


def mirrored(config: Config) -> Config:
    """Return the rover with left and right exchanged."""
    return rover_of(
        *(
            Row(
                wheel.x_m,
                -wheel.y_m,
                (-wheel.steer.max_deg, -wheel.steer.min_deg) if wheel.steer else None,
                wheel.radius_m,
                wheel.max_speed_rad_s,
            )
            for wheel in config.wheels.values()
        ),
        max_curvature_per_m=config.motion.max_curvature_per_m,
    )


def _millimetres(low_m: float, high_m: float) -> st.SearchStrategy[float]:
    return st.integers(round(low_m * 1000), round(high_m * 1000)).map(lambda mm: mm / 1000)


_RADII = _millimetres(0.03, 0.2)
_SPEEDS = st.floats(5.0, 40.0)
_PLACES = st.tuples(_millimetres(-0.6, 0.6), _millimetres(-0.6, 0.6))


@st.composite
def _rows(draw: st.DrawFn, ranges: st.SearchStrategy[tuple[float, float] | None]) -> Row:
    x_m, y_m = draw(_PLACES)
    steer_deg = draw(ranges)
    return Row(0.0 if steer_deg is None else x_m, y_m, steer_deg, draw(_RADII), draw(_SPEEDS))


def _spread_out(rows: list[Row]) -> bool:
    return any(abs(a.x_m - b.x_m) + abs(a.y_m - b.y_m) > _APART_M for a in rows for b in rows)


_some_range = st.tuples(st.floats(-90.0, -5.0), st.floats(5.0, 90.0))

rolling_rovers = (
    st.lists(_rows(st.none() | _some_range), min_size=2, max_size=8)
    .filter(_spread_out)
    .map(lambda rows: rover_of(*rows))
)
"""Two to eight wheels anywhere, fixed ones on the y axis: none is ever dragged on an Arc."""

agile_rovers = (
    st.lists(_rows(st.just((-90.0, 90.0))), min_size=2, max_size=8)
    .filter(_spread_out)
    .map(lambda rows: rover_of(*rows))
)
"""Two to eight wheels anywhere that can all point anywhere: every Arc, Spin and Crab."""
