"""The gamepad's sections: which control does what, and pads that were calibrated."""

from typing import Annotated, Literal

from msgspec import Meta, field

from rover.config.base import DevicePath, Section

ButtonName = Literal[
    "south",
    "east",
    "west",
    "north",
    "left shoulder",
    "right shoulder",
    "left trigger",
    "right trigger",
    "select",
    "start",
    "guide",
    "left stick press",
    "right stick press",
    "d-pad up",
    "d-pad down",
    "d-pad left",
    "d-pad right",
]
StickName = Literal["left stick x", "left stick y", "right stick x", "right stick y"]
PadKey = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{4}:[0-9a-f]{4}( [^\\x00-\\x1f\\x7f]+)?\\Z",
        max_length=300,
        description="vendor:product, four of 0-9 and a-f each, such as 045e:02ea; where the vendor "
        "is 0000, a blank and the pad's name after it",
    ),
]
CodeName = Annotated[str, Meta(min_length=1, max_length=40)]
Raw = Annotated[int, Meta(ge=-(1 << 31), le=(1 << 31) - 1)]
RawPart = Annotated[float, Meta(ge=0, le=1 << 31)]


class BindingsConfig(Section, frozen=True):
    """Which control does what, by its place on the pad as the Xbox pad has it.

    ``dead_man`` is held to drive. ``drive`` and ``turn`` are sticks, ``forward`` and ``reverse``
    triggers or buttons; ``turn`` and ``slide``, which only a rover that can crab has, may share
    one. ``slow`` switches slow driving on and off. A trim of the steering is taken back by
    ``trim_reset``, or by both trims together. "none" switches a function off.
    """

    dead_man: ButtonName = "right shoulder"
    drive: StickName | None = "left stick y"
    turn: StickName | None = "right stick x"
    slide: StickName | None = "left stick x"
    forward: ButtonName | None = "right trigger"
    reverse: ButtonName | None = "left trigger"
    spin_left: ButtonName | None = "d-pad left"
    spin_right: ButtonName | None = "d-pad right"
    stop: ButtonName = "east"
    arm: ButtonName | None = "start"
    disarm: ButtonName | None = "select"
    turbo: ButtonName | None = "left shoulder"
    slow: ButtonName | None = "west"
    mode: ButtonName | None = "north"
    trim_left: ButtonName | None = "d-pad up"
    trim_right: ButtonName | None = "d-pad down"
    trim_reset: ButtonName | None = "right stick press"


class PadStickConfig(Section, frozen=True):
    """One axis of a stick, in the pad's own numbers.

    ``minimum`` and ``maximum`` are the ends that it reaches, ``centre`` where it rests and
    ``deadband`` how far from there it may rest, to either side. ``inverted``: it grows to the
    left or up, not to the right and down as the kernel wants it.
    """

    axis: CodeName
    minimum: Raw
    centre: Annotated[float, Meta(ge=-(1 << 31), le=1 << 31)]
    maximum: Raw
    inverted: bool = False
    deadband: RawPart = 0.0


class PadTriggerConfig(Section, frozen=True):
    """A trigger that is an axis, in the pad's own numbers; ``rest`` may be the greater one."""

    axis: CodeName
    rest: Raw
    pulled: Raw
    deadband: RawPart = 0.0


class PadButtonsConfig(Section, frozen=True):
    """What each button sends: ``BTN_TR``, or ``ABS_HAT0X < 0`` where it is an axis.

    A trigger is here if it is a mere button.
    """

    south: CodeName | None = None
    east: CodeName | None = None
    west: CodeName | None = None
    north: CodeName | None = None
    left_shoulder: CodeName | None = None
    right_shoulder: CodeName | None = None
    left_trigger: CodeName | None = None
    right_trigger: CodeName | None = None
    select: CodeName | None = None
    start: CodeName | None = None
    guide: CodeName | None = None
    left_stick_press: CodeName | None = None
    right_stick_press: CodeName | None = None
    d_pad_up: CodeName | None = None
    d_pad_down: CodeName | None = None
    d_pad_left: CodeName | None = None
    d_pad_right: CodeName | None = None


class PadConfig(Section, frozen=True):
    """A pad that was calibrated: all that it has. Nothing is guessed in addition.

    `rover calibrate gamepad` writes it into the calibration file.
    """

    left_stick_x: PadStickConfig | None = None
    left_stick_y: PadStickConfig | None = None
    right_stick_x: PadStickConfig | None = None
    right_stick_y: PadStickConfig | None = None
    left_trigger: PadTriggerConfig | None = None
    right_trigger: PadTriggerConfig | None = None
    buttons: PadButtonsConfig = field(default_factory=PadButtonsConfig)


class GamepadConfig(Section, frozen=True):
    """The gamepad.

    ``device`` chooses it: "auto", a path such as /dev/input/event5 or one under
    /dev/input/by-id, vendor:product such as "045e:02ea", the pad's unique address, or its name.
    ``slow_while_held``: slow driving lasts while its button is held. ``trim_step_per_m`` and
    ``max_trim_per_m`` are curvatures, one over a circle's radius. ``rumble`` and ``lamps`` tell of
    stops and of the arming state where the pad can.
    """

    enabled: bool = True
    device: DevicePath = "auto"
    slow_while_held: bool = False
    trim_step_per_m: Annotated[float, Meta(ge=0, le=0.2)] = 0.02
    max_trim_per_m: Annotated[float, Meta(ge=0, le=0.5)] = 0.2
    rumble: bool = True
    lamps: bool = True
    bindings: BindingsConfig = field(default_factory=BindingsConfig)
    pads: dict[PadKey, PadConfig] = field(default_factory=dict)
