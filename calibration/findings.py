"""What a calibration found out about a pad: for people, and as the configuration has it."""

from collections.abc import Mapping

from rover.config.input_codes import PressedWhen, axis_name, button_name, button_text
from rover.config.pads import PadButtonsConfig, PadConfig, PadStickConfig, PadTriggerConfig
from rover.gamepad.codes import Control
from rover.gamepad.mapping import KeyButton, Served, StickAxis, TriggerAxis

Findings = Mapping[Control, Served]


def served_text(served: Served) -> str:
    """Say in one line what a control sends."""
    match served:
        case StickAxis():
            way = ", the other way round" if served.inverted else ""
            return (
                f"{axis_name(served.code)} {served.minimum} to {served.maximum}, "
                f"rests at {served.centre:g} +-{served.deadband:g}{way}"
            )
        case TriggerAxis():
            return f"{axis_name(served.code)} rests at {served.rest}, pulled at {served.pulled}"
        case KeyButton():
            return button_name(served.code)
        case PressedWhen():
            return button_text(served)


def pad_config(findings: Findings) -> PadConfig:
    """Return the findings as the configuration has them."""
    sticks: dict[str, PadStickConfig] = {}
    triggers: dict[str, PadTriggerConfig] = {}
    buttons: dict[str, str] = {}
    for control, served in findings.items():
        match served:
            case StickAxis(code, minimum, centre, maximum, inverted, deadband):
                sticks[control.key] = PadStickConfig(
                    axis_name(code), minimum, centre, maximum, inverted, deadband
                )
            case TriggerAxis(code, rest, pulled, deadband):
                triggers[control.key] = PadTriggerConfig(axis_name(code), rest, pulled, deadband)
            case KeyButton(code):
                buttons[control.key] = button_text(code)
            case PressedWhen():
                buttons[control.key] = button_text(served)
    return PadConfig(
        sticks.get("left_stick_x"),
        sticks.get("left_stick_y"),
        sticks.get("right_stick_x"),
        sticks.get("right_stick_y"),
        triggers.get("left_trigger"),
        triggers.get("right_trigger"),
        PadButtonsConfig(**buttons),
    )
