"""Nothing is found out with a rover that is configured otherwise than whoever calibrates reads."""

import pytest
from msgspec import structs

from calibration.steps.conversation import require_same_rover
from rover.config.build import build_mark
from rover.errors import LinkError
from tests.builders import osr_config
from tests.steps.wired import with_changes
from tests.whole.memory_rover import MemoryRover

CALIBRATED = [
    {("wheels", "left_front", "motor", "inverted"): True},
    {("wheels", "left_front", "motor", "encoder_reversed"): True},
    {("wheels", "left_front", "steer", "centre_deg"): 140.0},
    {("wheels", "left_front", "radius_m"): 0.08},
    {("steering", "pulse_max_us"): 2400.0},
    {("power", "voltage_scale"): 1.02},
    {("roboclaw", "voltage_scale"): 1.02},
]


def test_the_rover_that_is_meant_is_calibrated():
    rover = MemoryRover(osr_config())
    rover.run(0.5)
    require_same_rover(rover.telemetry, osr_config())
    # How it is reached, and how it drives, is not found out here.
    other = with_changes(
        osr_config(), {("roboclaw", "port"): "/dev/other", ("motion", "accel_mps2"): 0.7}
    )
    require_same_rover(rover.telemetry, other)


@pytest.mark.parametrize("changes", CALIBRATED, ids=lambda changes: ".".join(next(iter(changes))))
def test_control_that_has_not_read_a_file_yet_is_not_calibrated(changes):
    """A wheel that turns backwards by the old file would be turned round a second time."""
    config = osr_config()
    changed = with_changes(config, changes)
    assert changed != config
    rover = MemoryRover(config)
    rover.run(0.5)
    with pytest.raises(LinkError, match="rover reload"):
        require_same_rover(rover.telemetry, changed)


def test_control_of_another_version_is_known_by_its_wheels():
    config = osr_config()
    rover = MemoryRover(config)
    rover.run(0.5)
    silent = structs.replace(rover.telemetry, build="")
    require_same_rover(silent, config)
    fewer = dict(list(config.wheels.items())[1:])
    with pytest.raises(LinkError):
        require_same_rover(silent, structs.replace(config, wheels=fewer))
    assert build_mark(config) != build_mark(structs.replace(config, wheels=fewer))
