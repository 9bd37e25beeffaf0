"""From what a person saw of every output to how the rover is really wired. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median

from msgspec import Struct

from calibration.steps.step import Changes, Value
from calibration.steps.turning import EncoderFinding, Turn
from calibration.steps.view import Row
from rover.config import Config, MotorConfig
from rover.config.toml_lines import KeyPath

# A motor that turns so much slower than the others at the same duty is worn, or rubs.
_WEAK_PART = 0.6
# What is drawn by a motor that is connected at all, though it does not turn.
_CONNECTED_A = 0.1


class Seen(Struct, frozen=True):
    """What was seen of the output that the configuration gives to the wheel ``configured``.

    ``moved`` is the wheel that moved, empty if none did, and ``forward`` which way.
    """

    configured: str
    moved: str
    forward: bool
    turn: Turn


def contradiction(seen: Sequence[Seen]) -> str:
    """Say why these cannot all be so, empty if they can."""
    by_wheel: dict[str, str] = {}
    for one in seen:
        if not one.moved:
            continue
        if one.moved in by_wheel:
            return (
                f"{one.moved} moved twice, when {by_wheel[one.moved]} and when {one.configured} "
                "was to: one of the two was another wheel"
            )
        by_wheel[one.moved] = one.configured
    still = [one.configured for one in seen if not one.moved]
    taken = [name for name in still if name in by_wheel]
    if taken:
        return (
            f"nothing moved when {taken[0]} was to, and {by_wheel[taken[0]]} moved it: find out "
            "first why an output turns nothing"
        )
    return ""


def changes(config: Config, seen: Sequence[Seen]) -> Changes:
    """Return what has to be configured otherwise, by key. No ``contradiction`` must be left."""
    changed: dict[KeyPath, Value] = {}
    for one in seen:
        if not one.moved:
            continue
        old, new = config.wheels[one.moved].motor, _motor(config, one)
        for field in ("address", "channel", "inverted", "encoder_reversed"):
            value = getattr(new, field)
            if value != getattr(old, field):
                # What another output was told is not for this one.
                changed["wheels", one.moved, "motor", field] = "none" if value is None else value
    return changed


def for_hands(seen: Sequence[Seen]) -> tuple[str, ...]:
    """Return the wheels of which something is wrong that no configuration can put right."""
    by_hand = {EncoderFinding.CROSSED, EncoderFinding.SILENT}
    return tuple(
        one.moved or one.configured for one in seen if not one.moved or one.turn.encoder in by_hand
    )


def rows(config: Config, seen: Sequence[Seen]) -> tuple[Row, ...]:
    """Say what was found out, a row for each output."""
    speeds = [
        one.turn.speed_rad_s for one in seen if one.moved and one.turn.speed_rad_s is not None
    ]
    usual_rad_s = median(speeds) if speeds else 0.0
    changed = changes(config, seen) if not contradiction(seen) else {}
    return tuple(_row(config, one, usual_rad_s, changed) for one in seen)


def _motor(config: Config, one: Seen) -> MotorConfig:
    """Return how the wheel that moved is wired."""
    output = config.wheels[one.configured].motor
    reversed_ = output.encoder_reversed
    if one.turn.encoder is EncoderFinding.REVERSED:
        # What the controller has of its own is not told: the usual is not reversed.
        reversed_ = not reversed_
    return MotorConfig(
        address=output.address,
        channel=output.channel,
        inverted=output.inverted is one.forward,
        encoder_reversed=reversed_,
    )


def _row(config: Config, one: Seen, usual_rad_s: float, changed: Mapping[KeyPath, Value]) -> Row:
    motor = config.wheels[one.configured].motor
    output = f"M{motor.channel} of 0x{motor.address:02X}"
    if not one.moved:
        return Row(one.configured, f"{output} turns nothing: {_why_still(config, one)}")
    says = [output if one.moved == one.configured else f"{output}, not its configured one"]
    if not one.forward:
        says.append("turned backwards")
    speed_rad_s = one.turn.speed_rad_s
    match one.turn.encoder:
        case EncoderFinding.REVERSED:
            says.append("its encoder counts the wrong way")
        case EncoderFinding.CROSSED:
            says.append(
                f"its encoder is in {one.turn.other}'s socket: change the two encoder plugs of "
                f"controller 0x{motor.address:02X}, then do this again"
            )
        case EncoderFinding.SILENT:
            says.append("its encoder counts nothing: look at its plug, then do this again")
        case EncoderFinding.GOOD:
            if speed_rad_s is not None and speed_rad_s < _WEAK_PART * usual_rad_s:
                part = speed_rad_s / usual_rad_s
                says.append(f"turns at {part:.0%} of the others' speed: worn, or it rubs")
    changes_it = any(path[1] == one.moved for path in changed)
    if len(says) == 1 and not changes_it:
        says.append("right")
    return Row(one.moved, ", ".join(says), changes=changes_it)


def _why_still(config: Config, one: Seen) -> str:
    if one.turn.encoder in {EncoderFinding.GOOD, EncoderFinding.REVERSED}:
        return "its encoder counted, so its motor turns: the wheel is loose on its shaft"
    current_a = one.turn.current_a
    if current_a is None:
        return "and its current is not told; look at its wires"
    if current_a < _CONNECTED_A:
        text = f"it draws {current_a:.1f} A: a lead of the motor is off, or the motor is broken"
        free = _unused(config)
        return f"{text}, or it is plugged into {' or '.join(free)}" if free else text
    return (
        f"it draws {current_a:.1f} A and does not turn: worn brushes, a stiff gearbox, or "
        "something holds the wheel"
    )


def _unused(config: Config) -> tuple[str, ...]:
    """Return the outputs of the rover's controllers that no wheel is configured to have."""
    used = {(wheel.motor.address, wheel.motor.channel) for wheel in config.wheels.values()}
    return tuple(
        f"M{channel} of 0x{address:02X}, which no wheel is configured to have"
        for address in sorted({address for address, _ in used})
        for channel in (1, 2)
        if (address, channel) not in used
    )
