"""Messages on control's sockets, fuzzed: whatever a process of this computer may send it."""

import math
from collections.abc import Callable, Iterable, Sequence

import msgpack
import msgspec
from msgspec import structs

from benchmarks.fuzz.independent import agrees
from benchmarks.fuzz.target import Family, Target, require
from rover.bus_messages import BusAsk, BusAskKind, BusLoan
from rover.camera_messages import PictureHead, Rung, Wanted
from rover.config.pads import PadButtonsConfig, PadConfig, PadStickConfig, PadTriggerConfig
from rover.errors import BadMessageError
from rover.link import decoding
from rover.messages import (
    Answer,
    Arc,
    Condition,
    Crab,
    DeviceHealth,
    DriveCommand,
    Event,
    MaintenanceOrder,
    Motion,
    Request,
    RequestKind,
    Rest,
    Severity,
    Source,
    Spin,
    Stop,
    TurnServo,
    TurnWheel,
)
from rover.pad_messages import (
    LearnedPad,
    LentAxis,
    LentEvent,
    LentPad,
    PadAsk,
    PadLoan,
)
from tests.web.fake_control import still_rover

_encode = msgspec.msgpack.encode
# Parts of a message, each with its length in front.
_LENGTH_BYTES = 2
_IDENTITY = b"\x00abcd"


def _joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)


def _parts(data: bytes) -> list[bytes]:
    """Return the parts that ``data`` says it consists of; at least one, as ZeroMQ does."""
    parts = []
    while data:
        size = int.from_bytes(data[:_LENGTH_BYTES], "big")
        parts.append(data[_LENGTH_BYTES : _LENGTH_BYTES + size])
        data = data[_LENGTH_BYTES + size :]
    return parts or [b""]


def _plain(payload: bytes) -> object:
    # What the rover passes over, a field it does not know, need not be UTF-8.
    return msgpack.unpackb(payload, strict_map_key=False, unicode_errors="surrogateescape")


def _drive(data: bytes) -> bool:
    parts = _parts(data)
    try:
        command = decoding.drive_command(parts)
    except BadMessageError:
        # What refusing it comes to in control.
        decoding.source_named(parts[0])
        return False
    require(parts[0] == b"web" and command.source is Source.WEB, "only the web drives by the link")
    numbers = (command.stamp_s, *structs.astuple(command.motion))
    finite = all(math.isfinite(number) for number in numbers if isinstance(number, float))
    require(finite, "every number of a command is finite")
    require(agrees(command, _plain(parts[1])), "a command is what its bytes say")
    return True


def _reader(decode: Callable[[list[bytes]], msgspec.Struct]) -> Callable[[bytes], bool]:
    def read(data: bytes) -> bool:
        parts = _parts(data)
        try:
            message = decode(parts)
        except BadMessageError as error:
            # What refusing a request comes to in control.
            _encode(Answer(False, (str(error),)))
            return False
        try:
            plain = _plain(parts[-1])
        except TypeError:
            # Maps as keys, in a field that the rover passes over: there is no dictionary of them.
            return True
        require(agrees(message, plain), "a message is what its bytes say")
        # What was understood can be passed on.
        _encode(message)
        return True

    return read


def _framed(head: bytes) -> bytes:
    return len(head).to_bytes(decoding.PICTURE_HEAD_BYTES, "big") + head


def _picture(data: bytes) -> bool:
    try:
        head, jpeg = decoding.picture(data)
    except BadMessageError:
        return False
    require(data.endswith(jpeg), "a picture is what stands behind its head")
    _encode(head)
    return True


def _seeds(before: tuple[bytes, ...], messages: Iterable[msgspec.Struct]) -> tuple[bytes, ...]:
    return tuple(_joined(*before, _encode(message)) for message in messages)


def _tokens(*messages: msgspec.Struct) -> tuple[bytes, ...]:
    """Return the messages' fields and what is in them, and one value of every type there is."""
    names = {name for message in messages for name in message.__struct_fields__}
    held = {_encode(value) for message in messages for value in structs.astuple(message)}
    values: Sequence[object] = (None, True, -1, 2**63, 0.0, math.nan, math.inf, "web", b"", [], {})
    return (
        *(_encode(name) for name in sorted(names)),
        *sorted(held),
        *(_encode(value) for value in values),
        *(bytes((first,)) for first in (0xC1, 0xC7, 0xCA, 0xD4, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF)),
    )


_MOTIONS: tuple[Motion, ...] = (
    Arc(0.5, -0.25),
    Spin(1.0),
    Crab(-0.5, 0.3),
    Stop("the page was hidden"),
)
_COMMANDS = tuple(
    DriveCommand(Source.WEB, seq, 7343.609, motion) for seq, motion in enumerate(_MOTIONS)
)
_ORDERS = tuple(
    MaintenanceOrder("0123456789abcdef", 7343.609, order)
    for order in (TurnWheel("left_front", 0.15), TurnServo("right_rear", -0.3), Rest())
)
_REQUESTS = tuple(Request(kind, "phone 1", 7343.609) for kind in RequestKind)
_ANSWERS = (Answer(True), Answer(False, ("the battery is low", "let go of the sticks first")))
_LEARNED = LearnedPad(
    "045e:02ea",
    PadConfig(
        left_stick_y=PadStickConfig("ABS_Y", -32768, 0.5, 32767, deadband=0.02),
        right_trigger=PadTriggerConfig("ABS_RZ", 0, 1023),
        buttons=PadButtonsConfig(right_shoulder="BTN_TR"),
    ),
)
_PAD_ASKS = (PadAsk("phone 1"), PadAsk("phone 1", done=True), PadAsk("p", True, _LEARNED))
_PAD_LOANS = (
    PadLoan("the rover is armed"),
    PadLoan(
        "",
        (
            LentPad(
                "/dev/input/event7",
                *(3, 0x45E, 0x2EA, 0x301, "pad", ""),
                keys=(304, 311),
                axes=(LentAxis(1, -32768, 32767, 128, -5),),
                down=(304,),
            ),
        ),
        (LentEvent("/dev/input/event7", 1, 304, 1),),
        ("no permission to read /dev/input/event9",),
    ),
)
_BUS_ASKS = tuple(
    BusAsk(kind, "rover doctor", "0123456789abcdef", power)
    for kind in BusAskKind
    for power in (False, True)
)
_BUS_LOANS = (
    BusLoan("the rover is armed: disarm it first"),
    BusLoan("", True, True, "/dev/serial0"),
)
_HEADS = (
    PictureHead(Rung.HALF, 7, 7343.609, 320, 240),
    PictureHead(Rung.FULL, 7, 7343.609, trouble="the ribbon is loose"),
)
_TELEMETRY = structs.replace(
    still_rover(),
    stamp_s=7343.609,
    conditions=(Condition("controller", "RoboClaw 0x80 is silent"),),
    devices=(
        DeviceHealth("RoboClaw 0x80", False, math.inf, errors=("silent",), firmware="v4.2.4"),
    ),
    events=(Event(1, 7343.0, Severity.ERROR, "fault", "RoboClaw 0x80 is silent"),),
)

TARGETS = (
    Target(
        "drive commands",
        Family.IPC,
        _drive,
        _seeds((b"web",), _COMMANDS)
        + tuple(_joined(b"gamepad", _encode(command)) for command in _COMMANDS[:1]),
        _tokens(*_COMMANDS, *_MOTIONS),
    ),
    Target(
        "orders of calibrations",
        Family.IPC,
        _reader(decoding.maintenance_order),
        _seeds((decoding.MAINTENANCE_TOPIC,), _ORDERS),
        _tokens(*_ORDERS, *(order.order for order in _ORDERS)),
        weight=0.5,
    ),
    Target(
        "requests",
        Family.IPC,
        _reader(decoding.request),
        _seeds((_IDENTITY, b"1"), _REQUESTS),
        _tokens(*_REQUESTS),
    ),
    Target(
        "answers",
        Family.IPC,
        _reader(decoding.answer),
        _seeds((b"1",), _ANSWERS),
        _tokens(*_ANSWERS),
    ),
    Target(
        "questions about gamepads",
        Family.IPC,
        _reader(decoding.pad_ask),
        _seeds((_IDENTITY, b"1"), _PAD_ASKS),
        _tokens(*_PAD_ASKS, _LEARNED, _LEARNED.pad),
    ),
    Target(
        "lent gamepads",
        Family.IPC,
        _reader(decoding.pad_loan),
        _seeds((b"1",), _PAD_LOANS),
        _tokens(*_PAD_LOANS, *_PAD_LOANS[1].pads),
    ),
    Target(
        "questions for the serial bus",
        Family.IPC,
        _reader(decoding.bus_ask),
        _seeds((_IDENTITY, b"1"), _BUS_ASKS),
        _tokens(*_BUS_ASKS),
        weight=0.5,
    ),
    Target(
        "the serial bus, lent",
        Family.IPC,
        _reader(decoding.bus_loan),
        _seeds((b"1",), _BUS_LOANS),
        _tokens(*_BUS_LOANS),
        weight=0.5,
    ),
    Target(
        "pictures watched",
        Family.IPC,
        _reader(lambda parts: decoding.wanted(parts[-1])),
        _seeds((), (Wanted(tuple(Rung)), Wanted((Rung.FULL,)))),
        _tokens(Wanted(tuple(Rung))),
        weight=0.5,
    ),
    Target(
        "pictures",
        Family.IPC,
        _picture,
        tuple(_framed(_encode(head)) + jpeg for head in _HEADS for jpeg in (b"", b"\xff\xd8")),
        _tokens(*_HEADS),
        weight=0.5,
    ),
    Target(
        "telemetry",
        Family.IPC,
        _reader(lambda parts: decoding.telemetry(parts[-1])),
        _seeds((), (_TELEMETRY, structs.replace(_TELEMETRY, twist=None, power=None))),
        _tokens(_TELEMETRY, *_MOTIONS),
        weight=0.5,
    ),
)
