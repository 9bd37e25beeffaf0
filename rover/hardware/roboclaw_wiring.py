"""From the wheel table to controllers: which output of which RoboClaw turns which wheel."""

from rover.config import Config
from rover.errors import ConfigError
from rover.hardware.roboclaw_controller import RoboclawController, WiredWheel
from rover.hardware.wheel_encoder import WheelEncoder


def wire_controllers(config: Config) -> tuple[RoboclawController, ...]:
    """Make one controller for each address in the wheel table, in the table's order.

    Raises ConfigError if two wheels share an output.
    """
    wired: dict[int, dict[int, WiredWheel]] = {}
    for index, (name, wheel) in enumerate(config.wheels.items()):
        motor = wheel.motor
        outputs = wired.setdefault(motor.address, {})
        if motor.channel in outputs:
            raise ConfigError(
                f"wheels.{name}.motor: output {motor.channel} of RoboClaw 0x{motor.address:02X} "
                "turns another wheel already: give each wheel its own"
            )
        encoder = WheelEncoder(
            config.roboclaw.ticks_per_wheel_turn,
            inverted=motor.inverted,
            max_speed_rad_s=wheel.max_speed_rad_s,
        )
        outputs[motor.channel] = WiredWheel(
            index, name, motor.inverted, motor.encoder_reversed, encoder
        )
    return tuple(
        RoboclawController(address, (outputs.get(1), outputs.get(2)), config.roboclaw)
        for address, outputs in wired.items()
    )


def outputs_by_wheel(
    controllers: tuple[RoboclawController, ...], count: int
) -> tuple[tuple[RoboclawController, int, WheelEncoder], ...]:
    """Return where the readings of each of ``count`` wheels are, in the wheel table's order.

    That is the controller, its output counted from 0, and the wheel's encoder.
    """
    found = {
        wheel.index: (controller, output, wheel.encoder)
        for controller in controllers
        for output, wheel in enumerate(controller.wheels)
        if wheel is not None
    }
    return tuple(found[index] for index in range(count))
