"""Points a configuration at the devices of `rover hardware-sim` instead of real ones."""

from pathlib import Path

from msgspec import structs

from rover.config import Config


def simulated(config: Config, directory: Path) -> Config:
    """Return ``config`` for the simulated devices in ``directory``.

    Only where the devices are changes; and the simulated servos are mounted exactly as the
    configuration says, so the steering counts as calibrated.
    """
    i2c = f"socket:{directory / 'i2c'}"
    return structs.replace(
        config,
        roboclaw=structs.replace(config.roboclaw, port=str(directory / "serial0")),
        steering=structs.replace(config.steering, i2c_bus=i2c, calibrated=True),
        power=structs.replace(config.power, i2c_bus=i2c),
        panel=structs.replace(config.panel, gpio=f"socket:{directory / 'gpio'}"),
    )
