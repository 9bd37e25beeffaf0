"""The shape of the configuration: what can be set, in which units, within which bounds.

Values here are the defaults that every rover shares. How files are read and merged is
``rover.config.files``; what one value must be to fit another, ``rover.config.checks``.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from rover import units
from rover.config.base import DevicePath, Section
from rover.config.camera import CameraConfig
from rover.config.pads import GamepadConfig

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
VoltageScale = Annotated[float, Meta(ge=0.9, le=1.1)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Metres = Annotated[float, Meta(ge=-5, le=5)]
GpioLine = Annotated[int, Meta(ge=0, le=63)]
Port = Annotated[int, Meta(ge=1, le=65535)]
WheelName = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9_]*\\Z",
        max_length=32,
        description="small letters, digits and _, a letter first, at most 32 of them",
    ),
]
HostNames = Annotated[
    str,
    Meta(
        pattern="^([A-Za-z0-9][A-Za-z0-9.-]*( [A-Za-z0-9][A-Za-z0-9.-]*)*)?\\Z",
        max_length=500,
        description='names of this computer, with single spaces between, such as "rover.lan"',
    ),
]
GpioKind = Annotated[
    str,
    Meta(
        pattern="^(gpiozero|none|socket:.+)\\Z", description='"gpiozero", "none" or "socket:PATH"'
    ),
]


class RoverConfig(Section, frozen=True):
    """The rover itself."""

    name: Annotated[str, Meta(min_length=1, max_length=64)] = "unnamed rover"


class MotorConfig(Section, frozen=True):
    """Which motor output of which RoboClaw turns this wheel.

    ``inverted``: the motor turns backwards when the controller counts up (JPL's right side).
    ``encoder_reversed``: its encoder's two signals are swapped, which the controller is told to
    put right at every start, in its memory only; false has it count as it is wired, "none" as
    the controller has been set up, or was told last since it got power.
    """

    address: Annotated[int, Meta(ge=0x80, le=0x87)]
    channel: Annotated[int, Meta(ge=1, le=2)]
    inverted: bool = False
    encoder_reversed: bool | None = None


class SteerConfig(Section, frozen=True):
    """The servo that steers this wheel.

    ``centre_deg`` is the servo's own angle (0 to its full range) at which the wheel points
    forward; ``min_deg`` and ``max_deg`` are the wheel's range about it, positive to the left;
    ``direction`` is -1 where the servo's angle grows as the wheel turns right.
    """

    channel: Annotated[int, Meta(ge=0, le=15)]
    centre_deg: Annotated[float, Meta(ge=0, le=360)]
    min_deg: Annotated[float, Meta(ge=-90, le=0)]
    max_deg: Annotated[float, Meta(ge=0, le=90)]
    direction: Annotated[int, Meta(ge=-1, le=1)] = -1

    @property
    def min_rad(self) -> float:
        """Farthest to the right, negative."""
        return units.rad_from_deg(self.min_deg)

    @property
    def max_rad(self) -> float:
        """Farthest to the left, positive."""
        return units.rad_from_deg(self.max_deg)


class WheelConfig(Section, frozen=True):
    """One wheel: where its contact point is, how large it is, what moves it."""

    x_m: Metres
    y_m: Metres
    radius_m: Annotated[float, Meta(gt=0, le=1)]
    max_speed_rad_s: Positive
    motor: MotorConfig
    steer: SteerConfig | None = None


class MotionConfig(Section, frozen=True):
    """What the governor allows.

    ``slow_speed_mps`` is the most while something is wrong that a slow rover can live with: a
    battery nearly empty, a controller too warm. It holds for the outermost wheel of a spin too.
    ``stop_decel_mps2`` is used by every stop and failsafe, and must bring the rover from
    ``turbo_speed_mps`` to a stand within half a second; ``decel_mps2`` when the person lets go;
    ``curvature_rate_per_m_s`` is how fast the turning circle may change while
    driving, slower than the corner servos so that they keep up.
    """

    max_speed_mps: Positive = 1.0
    turbo_speed_mps: Positive = 1.5
    slow_speed_mps: Positive = 0.3
    max_yaw_rate_rad_s: Positive = 1.5
    max_curvature_per_m: Positive = 1 / 0.45
    accel_mps2: Positive = 1.5
    decel_mps2: Positive = 3.0
    stop_decel_mps2: Positive = 12.0
    curvature_rate_per_m_s: Positive = 6.0


class GateConfig(Section, frozen=True):
    """The last check before the wires; not shared with the governor, on purpose.

    ``max_wheel_accel_rad_s2`` bounds how fast any wheel may be sped up from one permitted
    target to the next; slowing down is never refused.

    In MAINTENANCE it has other limits. ``maintenance_duty`` of a full battery is 3.4 V: JPL's
    wheels do 4.3 rad/s in the air (0.3 m/s at the rim), and one that is held fast draws 2.6 A, a
    quarter of what stalls it at full power. ``maintenance_duty_rate_per_s`` keeps a start from
    being a jerk, ``maintenance_steer_rate_rad_s`` (69 deg/s) a servo from being a hammer: a
    person sees it come. ``maintenance_steer_rad`` is as far from straight ahead as a corner is
    led: no rover needs more, and beyond it wheels meet legs. What moved last is at rest for
    ``maintenance_pause_s`` before anything else moves: zero duty stops a wheel in half of it.
    """

    max_wheel_accel_rad_s2: Positive = 150.0
    max_steer_rate_rad_s: Positive = 8.0
    maintenance_duty: Annotated[float, Meta(gt=0, le=0.3)] = 0.2
    maintenance_duty_rate_per_s: Positive = 2.0
    maintenance_steer_rate_rad_s: Annotated[float, Meta(gt=0, le=3)] = 1.2
    maintenance_steer_rad: Annotated[float, Meta(gt=0, le=2.1)] = 1.75
    maintenance_pause_s: Annotated[float, Meta(ge=0.2, le=2)] = 0.3


class MaintenanceConfig(Section, frozen=True):
    """What a calibration may do with one wheel or one servo, in MAINTENANCE.

    An order counts for ``order_s``, so a wheel turns no longer than that after the client has
    gone; after ``silence_s`` without a word the rover is disarmed. ``duty`` turns JPL's wheels at
    2.6 rad/s in the air, half a turn in a second or so, with too little force to climb out of a
    hand; a worn motor may need the ``gate``'s. ``duty_rate_per_s`` and ``steer_rate_rad_s``
    (29 deg/s) are how fast they come up to it. ``pause_s`` is between one thing and the next.
    ``doubt_current_a`` is more than a wheel draws that turns in the air with that duty, and less
    than one that pushes the rover or is held (JPL's: 0.5 A and 1.7 A).
    """

    order_s: Annotated[float, Meta(ge=0.05, le=0.3)] = 0.3
    silence_s: Annotated[float, Meta(ge=0.5, le=10)] = 2.0
    duty: Annotated[float, Meta(gt=0, le=0.3)] = 0.15
    duty_rate_per_s: Positive = 0.5
    steer_rate_rad_s: Annotated[float, Meta(gt=0, le=3)] = 0.5
    pause_s: Annotated[float, Meta(ge=0.2, le=2)] = 0.4
    doubt_current_a: Positive = 1.0


class DeadlineConfig(Section, frozen=True):
    """How long each thing may be silent before the rover stops.

    ``gamepad_silence_s``: a pad whose radio died sends nothing while its dongle stays plugged
    in, so silence this long with a stick held is taken for a dead link. The kernel tells changes
    only. A hand trembles at 8 to 12 Hz, and a stick that it holds between its ends has told ten
    changes within a second; one that lies firmly on its end may tell none. The rover goes on for
    so long: 1 m at full speed without turbo. A longer time would let it go farther than a person
    who walks beside it can reach; a shorter one would stop it under a thumb that is merely
    steady. Who drives long straights with a quiet stick may raise it.

    ``controller_s`` and ``feedback_s`` are at most ``roboclaw.serial_timeout_s``, after which the
    controllers have stopped by themselves.
    """

    web_s: Annotated[float, Meta(ge=0.05, le=1.0)] = 0.3
    gamepad_s: Annotated[float, Meta(ge=0.05, le=1.0)] = 0.1
    gamepad_silence_s: Annotated[float, Meta(ge=0.2, le=10.0)] = 1.0
    controller_s: Annotated[float, Meta(ge=0.03, le=1.0)] = 0.15
    feedback_s: Annotated[float, Meta(ge=0.03, le=1.0)] = 0.25
    steering_s: Annotated[float, Meta(ge=0.03, le=1.0)] = 0.25


class RoboclawConfig(Section, frozen=True):
    """The bus of RoboClaw motor controllers.

    ``serial_timeout_s`` is the controllers' own: they stop the motors when nothing valid has
    arrived for so long, in whole tenths of a second. ``reply_margin_s`` is what a reply may take
    beyond its time on the wire: a tick waits so long for a controller that is silent.
    ``stall_current_a`` is more than a wheel draws that turns freely, speeding up included, and
    less than one that is held fast (JPL's motors: 0.5 to 1.5 A, and 11 A). ``max_current_a`` is
    what `rover setup roboclaw` has the controllers allow each motor: more than
    ``stall_current_a``, and no more than they bear for long (JPL's 2x7A: 7.5 A).
    ``voltage_scale`` is what their volts of the main battery are multiplied with, as a multimeter
    has told: `rover calibrate battery` finds it.
    """

    port: DevicePath = "/dev/serial0"
    baud: Annotated[int, Meta(ge=2400, le=460800)] = 115200
    ticks_per_wheel_turn: Positive = 28 * 26.9
    serial_timeout_s: Annotated[float, Meta(ge=0.1, le=0.5)] = 0.3
    reply_margin_s: Annotated[float, Meta(ge=0.002, le=0.02)] = 0.010
    stall_current_a: Positive = 3.0
    max_current_a: Annotated[float, Meta(gt=0, le=100)] = 7.0
    voltage_scale: VoltageScale = 1.0


class SteeringConfig(Section, frozen=True):
    """The PCA9685 servo board and the servos on it.

    ``calibrated`` says that every ``centre_deg`` has been set for this very rover.
    ``slew_rad_s`` is how fast the corners are moved.
    """

    i2c_bus: DevicePath = "/dev/i2c-1"
    address: Annotated[int, Meta(ge=0x03, le=0x77)] = 0x40
    frequency_hz: Annotated[float, Meta(ge=24, le=330)] = 50.0
    pulse_min_us: Annotated[float, Meta(ge=300, le=3000)] = 500.0
    pulse_max_us: Annotated[float, Meta(ge=300, le=3000)] = 2500.0
    servo_range_deg: Annotated[float, Meta(ge=60, le=360)] = 300.0
    slew_rad_s: Annotated[float, Meta(gt=0, le=7)] = 3.0
    calibrated: bool = False


class PowerConfig(Section, frozen=True):
    """Battery limits (4S LiPo) and the INA260 that measures it, where there is one.

    Below ``low_v`` the rover warns, below ``very_low_v`` it drives slowly, below ``minimum_v`` it
    stops; each once that has lasted a second. Two devices whose voltages differ by more than
    ``disagreement_v`` are not both right: the rover drives slowly, and the lower one counts.
    ``capacity_ah``, full to empty, is for the page to tell the time that is left.
    ``voltage_scale`` is what the INA260's volts are multiplied with, as a multimeter has told:
    `rover calibrate battery` finds it.
    """

    ina260: bool = True
    i2c_bus: DevicePath = "/dev/i2c-1"
    address: Annotated[int, Meta(ge=0x03, le=0x77)] = 0x45
    low_v: Positive = 13.6
    very_low_v: Positive = 13.2
    minimum_v: Positive = 12.8
    full_v: Positive = 16.8
    disagreement_v: Positive = 1.0
    capacity_ah: Positive | None = None
    voltage_scale: VoltageScale = 1.0


class PanelConfig(Section, frozen=True):
    """GPIO lines by BCM number; ``gpio`` is "gpiozero", "none" or "socket:PATH" (simulator).

    ``motor_enable`` high lets the motors have power. ``stop_button`` closes to ground when it is
    pressed, or opens if ``stop_button_normally_closed``: then a broken wire stops the rover too.
    """

    gpio: GpioKind = "gpiozero"
    motor_enable: GpioLine | None = 23
    stop_button: GpioLine | None = None
    stop_button_normally_closed: bool = False
    led_armed: GpioLine | None = 25
    led_fault: GpioLine | None = 26
    led_link: GpioLine | None = 5
    led_power: GpioLine | None = 6


class StickConfig(Section, frozen=True):
    """How a stick feels, the same for pad and phone.

    ``deadband`` is the part in the middle that does nothing, ``expo`` how gentle it is near
    the middle (0 straight, 1 cubic). ``max_lateral_accel_mps2`` makes the steering gentler the
    faster the sticks ask to drive: at its end the stick asks for no tighter circle than one that
    pulls the rover sideways so hard. As it comes it binds beyond 1.06 m/s, that is with turbo: at
    1.5 m/s the tightest circle has a radius of 0.9 m instead of 0.45 m.
    """

    deadband: Annotated[float, Meta(ge=0, le=0.5)] = 0.08
    expo: Fraction = 0.4
    max_lateral_accel_mps2: Positive = 2.5


class LoopConfig(Section, frozen=True):
    """How often the loop ticks and tells; ``realtime_priority`` 0 asks for none."""

    rate_hz: Annotated[float, Meta(ge=20, le=200)] = 100.0
    telemetry_hz: Annotated[float, Meta(ge=1, le=50)] = 20.0
    realtime_priority: Annotated[int, Meta(ge=0, le=90)] = 50


class WebConfig(Section, frozen=True):
    """The phone remote's server.

    ``watch_without_key``: devices that are not paired may watch; they may stop in any case.
    ``hosts``: names, besides the computer's own, by which pages may call the rover, one or
    several with spaces between; its addresses always serve.
    ``https``: "on" speaks TLS alone, with a certificate made at the first start.
    """

    host: Annotated[str, Meta(min_length=1)] = "0.0.0.0"  # noqa: S104 - the phone is another machine
    port: Port = 8080
    watch_without_key: bool = True
    hosts: HostNames = ""
    https: Literal["off", "on"] = "off"


class Config(Section, frozen=True):
    """Everything that is in force."""

    wheels: dict[WheelName, WheelConfig]
    rover: RoverConfig = field(default_factory=RoverConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    maintenance: MaintenanceConfig = field(default_factory=MaintenanceConfig)
    deadlines: DeadlineConfig = field(default_factory=DeadlineConfig)
    roboclaw: RoboclawConfig = field(default_factory=RoboclawConfig)
    steering: SteeringConfig = field(default_factory=SteeringConfig)
    power: PowerConfig = field(default_factory=PowerConfig)
    panel: PanelConfig = field(default_factory=PanelConfig)
    sticks: StickConfig = field(default_factory=StickConfig)
    gamepad: GamepadConfig = field(default_factory=GamepadConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    web: WebConfig = field(default_factory=WebConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
