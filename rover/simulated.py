"""Points a configuration at the devices of `rover hardware-sim` instead of real ones."""

from pathlib import Path

from msgspec import structs

from rover.config import Config

# Real electronics answer at once; a simulation waits for its turn on the computer.
_REPLY_MARGIN_S = 0.03


def simulated(config: Config, directory: Path) -> Config:
    """Return ``config`` for the simulated devices in ``directory``.

    Where the devices are changes, and how long they may take. The simulated servos are
    mounted exactly as the configuration says, so the steering counts as calibrated.
    """
    i2c = f"socket:{directory / 'i2c'}"
    return structs.replace(
        config,
        roboclaw=structs.replace(
            config.roboclaw,
            port=str(directory / "serial0"),
            reply_margin_s=max(_REPLY_MARGIN_S, config.roboclaw.reply_margin_s),
        ),
        steering=structs.replace(config.steering, i2c_bus=i2c, calibrated=True),
        power=structs.replace(config.power, i2c_bus=i2c),
        panel=structs.replace(config.panel, gpio=f"socket:{directory / 'gpio'}"),
        camera=structs.replace(config.camera, source="synthetic"),
    )
