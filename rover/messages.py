"""What flows between the rover's rooms and processes: frozen types, SI units, radians.

x forward, y left, counter-clockwise positive (REP-103). Times are the monotonic clock's
seconds. A tuple with one value a wheel is in the order of the wheel table.
"""

import math
from enum import StrEnum

from msgspec import Struct

from rover.errors import BadMessageError


class Source(StrEnum):
    """Who may drive. A later one in this list gives way to an earlier one."""

    GAMEPAD = "gamepad"
    WEB = "web"


class Arc(Struct, frozen=True, tag="arc"):
    """Drive along a circle.

    ``curvature_per_m`` is one over the turning circle's radius, positive with the centre on
    the left; it is a steering angle rather than a yaw rate, so it means the same in reverse
    and standing still.
    """

    speed_mps: float
    curvature_per_m: float


class Spin(Struct, frozen=True, tag="spin"):
    """Turn on the spot about the origin; positive is counter-clockwise."""

    yaw_rate_rad_s: float


class Crab(Struct, frozen=True, tag="crab"):
    """Slide along ``heading_rad`` (0 forward, positive to the left) without turning."""

    speed_mps: float
    heading_rad: float


class Stop(Struct, frozen=True, tag="stop"):
    """Stand still now; ``reason`` is shown to people."""

    reason: str


Motion = Arc | Spin | Crab | Stop


def is_neutral(motion: Motion) -> bool:
    """Tell whether ``motion`` asks for nothing at all: hands off, wheels straight."""
    match motion:
        case Arc(speed_mps, curvature_per_m):
            return speed_mps == 0.0 and curvature_per_m == 0.0
        case Spin(yaw_rate_rad_s):
            return yaw_rate_rad_s == 0.0
        case Crab(speed_mps, _):
            return speed_mps == 0.0
        case Stop():
            return True


def require_finite(motion: Motion) -> None:
    """Raise BadMessageError if any number in ``motion`` is NaN or infinite."""
    for field in motion.__struct_fields__:
        value = getattr(motion, field)
        if isinstance(value, float) and not math.isfinite(value):
            raise BadMessageError(
                f"{type(motion).__name__}.{field} is {value}: send a finite number"
            )


class DriveCommand(Struct, frozen=True):
    """One wish of one source.

    ``seq`` counts up within a source; ``stamp_s`` is when the person's input reached this
    computer, not when it was passed on.
    """

    source: Source
    seq: int
    stamp_s: float
    motion: Motion


class Selected(Struct, frozen=True):
    """The one motion that the arbiter lets through; no source means that nobody drives."""

    motion: Motion
    source: Source | None
    age_s: float


class Limit(StrEnum):
    """Why a motion came out smaller than it was asked for."""

    NOT_ARMED = "not armed"
    SPEED = "speed limit"
    ACCELERATION = "acceleration"
    WHEEL_SPEED = "wheel speed"
    CURVATURE = "tightest turn"
    CORNERS = "corners turning"
    CANNOT = "this rover cannot"
    TROUBLE = "trouble with the rover"


class GovernedMotion(Struct, frozen=True):
    """A motion the rover may make now, and what made it less than was asked for."""

    motion: Motion
    limited_by: tuple[Limit, ...]


class TurnWheel(Struct, frozen=True, tag="turn-wheel"):
    """Turn the wheel of that name with a part of the supply, positive forward.

    A duty and not a speed: a velocity loop whose encoder is reversed or dead runs away.
    """

    wheel: str
    duty: float


class TurnServo(Struct, frozen=True, tag="turn-servo"):
    """Steer the wheel of that name to an angle as the configuration has it, positive left."""

    wheel: str
    angle_rad: float


class Rest(Struct, frozen=True, tag="rest"):
    """Move nothing; it says that the client is there."""


Order = TurnWheel | TurnServo | Rest


class MaintenanceOrder(Struct, frozen=True):
    """What a calibration wants to move, in MAINTENANCE; it counts for a moment only.

    ``token`` is that of the request that began it, ``stamp_s`` when the person wanted it.
    """

    token: str
    stamp_s: float
    order: Order


class OneTarget(Struct, frozen=True):
    """What is to move in MAINTENANCE, a value a wheel: at most one of them all may.

    A duty of 0 is none; an angle of None leaves the servo limp.
    """

    duty: tuple[float, ...]
    steer_rad: tuple[float | None, ...]


class Maintained(Struct, frozen=True):
    """A calibration that goes on: whose it is, and the wheel that moves, empty if none does."""

    who: str
    wheel: str = ""
    duty: float = 0.0
    steer_rad: float | None = None


class WheelTargets(Struct, frozen=True):
    """What every wheel shall do: steering angle and turning speed, positive rolls forward."""

    steer_rad: tuple[float, ...]
    wheel_rad_s: tuple[float, ...]


class WheelReading(Struct, frozen=True):
    """What is known of one wheel, each value with the time it was read; never a guess.

    ``None`` has not been read yet, or too long ago to be so still. Nothing of ``position_rad`` has
    been missed since ``counted_since_s``.
    """

    position_rad: float | None = None
    position_stamp_s: float = -math.inf
    speed_rad_s: float | None = None
    current_a: float | None = None
    current_stamp_s: float = -math.inf
    counted_since_s: float | None = None


class WheelFeedback(Struct, frozen=True):
    """All wheels as last read."""

    wheels: tuple[WheelReading, ...]


class Pose(Struct, frozen=True):
    """Where the rover is, from where it started: metres, radians within (-pi, pi]."""

    x_m: float
    y_m: float
    yaw_rad: float


class Twist(Struct, frozen=True):
    """The body's own velocity in its own frame."""

    vx_mps: float
    vy_mps: float
    yaw_rate_rad_s: float


class ArmState(StrEnum):
    """Whether the wheels may turn. Only ARMED lets them; MAINTENANCE one of them, slowly."""

    DISARMED = "disarmed"
    ARMED = "armed"
    MAINTENANCE = "maintenance"
    FAULT = "fault"
    ESTOP = "estop"


class Severity(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Event(Struct, frozen=True):
    """Something that happened; ``code`` names its kind, ``text`` is for people.

    ``number`` counts up from 1, so that a reader knows what it has seen. ``advice`` is what to
    do about it, empty if nothing is.
    """

    number: int
    stamp_s: float
    severity: Severity
    code: str
    text: str
    advice: str = ""


class Reaction(StrEnum):
    """What a condition does to an armed rover, the mildest first.

    TELL says it and no more; SLOW caps the speed at ``motion.slow_speed_mps``; STOP takes the
    rover to FAULT.
    """

    TELL = "tell"
    SLOW = "slow"
    STOP = "stop"


class Condition(Struct, frozen=True):
    """Something about the rover that is not as it must be.

    Every condition of severity ERROR refuses arming; ``reaction`` is what it does to a rover
    that is armed. ``text`` says what is wrong and what to do about it.
    """

    code: str
    text: str
    severity: Severity = Severity.ERROR
    reaction: Reaction = Reaction.STOP


class RequestKind(StrEnum):
    """What a person can ask for besides motion. STOP is the emergency stop and latches.

    MAINTAIN is for calibrations, which then turn one wheel or one servo; DISARM ends it. RELOAD
    has a disarmed rover read its configuration anew and bring up its devices with that.
    """

    ARM = "arm"
    DISARM = "disarm"
    STOP = "stop"
    CLEAR = "clear"
    MAINTAIN = "maintain"
    RELOAD = "reload"


# What a remote may pass on from anybody; calibrations ask for the others themselves.
REMOTE_REQUESTS = tuple(
    kind for kind in RequestKind if kind not in {RequestKind.MAINTAIN, RequestKind.RELOAD}
)


class Request(Struct, frozen=True):
    """A person's request at ``stamp_s``; ``who`` is shown in the event it leaves behind.

    The time keeps a request that waited for control to come up from arming it minutes later.
    ``token`` comes with MAINTAIN and with every order after it: orders of others do not count.
    """

    kind: RequestKind
    who: str
    stamp_s: float
    token: str = ""


class Answer(Struct, frozen=True):
    """Accepted, or every reason why not; never one without the other."""

    accepted: bool
    refusals: tuple[str, ...] = ()


class PowerReading(Struct, frozen=True):
    """The supply as last read: volts and amperes at ``stamp_s``, and which device said so."""

    voltage_v: float
    current_a: float | None
    stamp_s: float
    device: str


class DeviceHealth(Struct, frozen=True):
    """One device as its driver last found it.

    ``silent_s`` is the time since it last answered correctly (infinite: never since start);
    ``errors`` are reasons to stop (status bits by name, the last failure of communication),
    ``cautions`` reasons to drive slowly, ``warnings`` only to be told; all for people, empty
    when there are none.
    """

    name: str
    ready: bool
    silent_s: float
    errors: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    firmware: str = ""


class WheelView(Struct, frozen=True):
    """One wheel as the page draws it: asked of it, and measured.

    ``position_rad`` is the angle by which it has turned since control started, read its
    configuration anew or had its bus back, positive rolling forward, as last read: where
    ``speed_rad_s`` is None, that was a while ago.
    Nothing of it has been missed since ``counted_since_s``: two angles with the same tell how far
    it turned in between.
    """

    name: str
    x_m: float
    y_m: float
    radius_m: float
    steer_rad: float
    asked_rad_s: float
    speed_rad_s: float | None
    current_a: float | None
    position_rad: float | None = None
    counted_since_s: float | None = None


class GamepadView(Struct, frozen=True):
    """The gamepad that control reads, and what it has been set to.

    ``name`` is empty while there is none; ``trim_per_m`` is positive to the left; ``lent_to`` is
    who calibrates it, empty while the rover has it itself.
    """

    name: str = ""
    slow: bool = False
    trim_per_m: float = 0.0
    lent_to: str = ""


class Telemetry(Struct, frozen=True):
    """The whole rover at one moment, for the page and for recorders.

    ``twist`` and ``power`` are None while nobody knows: what is old is not shown as new.
    ``supplies`` are all that measure the battery now, ``power`` the one that is believed.
    ``build`` is ``rover.config.build``'s mark of the configuration, empty if not told.
    """

    stamp_s: float
    rover: str
    state: ArmState
    refusals: tuple[str, ...]
    source: Source | None
    command_age_s: float
    asked: Motion
    governed: Motion
    limited_by: tuple[Limit, ...]
    max_speed_mps: float
    max_curvature_per_m: float
    max_yaw_rate_rad_s: float
    can_crab: bool
    wheels: tuple[WheelView, ...]
    pose: Pose
    twist: Twist | None
    power: PowerReading | None
    conditions: tuple[Condition, ...]
    devices: tuple[DeviceHealth, ...]
    events: tuple[Event, ...]
    tick_ms: float
    missed_ticks: int
    gamepad: GamepadView = GamepadView()
    maintenance: Maintained | None = None
    supplies: tuple[PowerReading, ...] = ()
    build: str = ""
