"""Which values of the gamepad's sections contradict one another, though each is allowed alone."""

import itertools
from collections.abc import Callable, Iterator, Sequence

from rover.config.contradiction import Contradiction
from rover.config.input_codes import AXES, BUTTONS, axis_code, button_from
from rover.config.pads import BindingsConfig, GamepadConfig, PadConfig, PadStickConfig
from rover.config.schema import key_text, nearest, value_text
from rover.config.toml_lines import KeyPath

# Steering along the circle and sliding sideways are never meant at once.
_MAY_SHARE = frozenset({"turn", "slide"})
_PAD_PARTS = (
    "left_stick_x",
    "left_stick_y",
    "right_stick_x",
    "right_stick_y",
    "left_trigger",
    "right_trigger",
)


def gamepad_contradictions(gamepad: GamepadConfig) -> Iterator[Contradiction]:
    """Give every contradiction in the gamepad's sections."""
    yield from _bindings(gamepad.bindings)
    for key, pad in gamepad.pads.items():
        path = ("gamepad", "pads", key)
        if key.startswith("0000:") and " " not in key:
            yield Contradiction(
                (path,),
                f"{key_text(path)}: a pad without a vendor is known by its name: write "
                f'"{key} NAME", with the name that `rover gamepad list` shows',
            )
        yield from _pad(pad, path)
        yield from _shared(pad, path)


def _bindings(bindings: BindingsConfig) -> Iterator[Contradiction]:
    bound = [(name, getattr(bindings, name)) for name in bindings.__struct_fields__]
    for (name, control), (other, second) in itertools.combinations(bound, 2):
        if control is not None and control == second and {name, other} != _MAY_SHARE:
            yield Contradiction(
                (("gamepad", "bindings", other), ("gamepad", "bindings", name)),
                f"gamepad.bindings.{other} and gamepad.bindings.{name} are the same control, "
                f'{value_text(control)}: every function needs its own, or "none"',
            )
    if bindings.drive is None and None in (bindings.forward, bindings.reverse):
        yield Contradiction(
            (("gamepad", "bindings", "drive"),),
            'gamepad.bindings.drive is "none", and forward and reverse are not both bound: '
            "nothing would drive",
        )


def _pad(pad: PadConfig, path: KeyPath) -> Iterator[Contradiction]:
    for name in _PAD_PARTS:
        part = getattr(pad, name)
        if part is None:
            continue
        here = (*path, name)
        yield from _known(part.axis, axis_code, tuple(AXES), (*here, "axis"))
        if isinstance(part, PadStickConfig):
            yield from _stick(part, here)
        elif part.rest == part.pulled:
            yield Contradiction(
                ((*here, "pulled"), (*here, "rest")),
                f"{key_text(here)}: rest and pulled are both {part.rest}: calibrate it anew",
            )
    for name in pad.buttons.__struct_fields__:
        text = getattr(pad.buttons, name)
        here = (*path, "buttons", name)
        if text is not None:
            yield from _known(text, button_from, (*BUTTONS, *AXES), here)
        if text is not None and getattr(pad, name, None) is not None:
            yield Contradiction(
                (here, (*path, name)),
                f"{key_text(here)} and {key_text((*path, name))} are one trigger: take one out",
            )


def _shared(pad: PadConfig, path: KeyPath) -> Iterator[Contradiction]:
    """Complain about one code that serves two controls: a press would mean both."""
    parts = [(name, getattr(pad, name)) for name in _PAD_PARTS]
    buttons = [(name, getattr(pad.buttons, name)) for name in pad.buttons.__struct_fields__]
    codes = [((*path, name, "axis"), part.axis) for name, part in parts if part is not None]
    codes += [((*path, "buttons", name), text) for name, text in buttons if text is not None]
    for (first, code), (second, other) in itertools.combinations(codes, 2):
        if code == other:
            yield Contradiction(
                (second, first),
                f"{key_text(second)} and {key_text(first)} are the same, {value_text(code)}: "
                "calibrate it anew",
            )


def _stick(stick: PadStickConfig, path: KeyPath) -> Iterator[Contradiction]:
    if not stick.minimum < stick.centre < stick.maximum:
        yield Contradiction(
            ((*path, "centre"), (*path, "minimum"), (*path, "maximum")),
            f"{key_text(path)}: centre = {stick.centre:g} is not between minimum = "
            f"{stick.minimum} and maximum = {stick.maximum}: calibrate it anew",
        )


def _known(
    text: str, read: Callable[[str], object], known: Sequence[str], path: KeyPath
) -> Iterator[Contradiction]:
    try:
        read(text)
    except ValueError as error:
        close = nearest(str(error), known)
        hint = f"; the nearest is {close}" if close else ""
        yield Contradiction(
            (path,),
            f"{key_text(path)} = {value_text(text)}: {error} is not one of the kernel's names such "
            f"as BTN_TR or ABS_RX, nor a number such as 0x137{hint}",
        )
