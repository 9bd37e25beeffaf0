"""The documents are held to the code: what they name exists, and what exists is named."""

import json
import math
import re
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from calibration.doctor import document as troubleshooting
from calibration.doctor.finding import Finding, Report, Verdict
from calibration.doctor.remedies import REMEDIES
from installer import program, work
from installer.__main__ import parser as installer_parser
from rover import messages, units
from rover.cli import main
from rover.config import DeadlineConfig, RoboclawConfig
from rover.config.files import NOWHERE, load_config
from rover.hardware.bus import framing
from rover.hardware.roboclaw_wiring import wire_controllers
from rover.hardware.wheel_encoder import SPEED_WINDOW_S
from rover.messages import Arc, DriveCommand, Source, Telemetry
from rover.motion.arming import LOOK_S, MAX_REQUEST_AGE_S
from rover.motion.kinematics import Kinematics
from rover.motion.sticks import StickInput, StickLimits, motion_from_sticks
from rover.servo_pulses import ServoPulses
from rover.sim.truth import TruthRequest
from tests.builders import osr_config
from tests.whole.memory_rover import MemoryRover
from web.drive import MAX_FRAMES_HZ
from web.frames import MAX_FRAME_BYTES, ClientFrame, DriveFrame, ServerFrame, StateFrame, decode
from web.sockets import MAX_MESSAGE_BYTES, MAX_SOCKETS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
HARDWARE = (ROOT / "docs" / "hardware.md").read_text(encoding="utf-8")
TRACE = (ROOT / "docs" / "follow-one-command.md").read_text(encoding="utf-8")

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
NAMED_FILE = re.compile(r"`((?:rover|web|calibration|installer|tests|tools|benchmarks)/[\w./-]*)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# What may begin an absolute path: the system's own places, and the routes of the page.
ABSOLUTE = re.compile(r"(?<![\w.~:/<)}])/[a-z]\w*")
PLACES = {
    "/dev",
    "/etc",
    "/opt",
    "/run",
    "/sys",
    "/usr",
    "/var",
    "/boot",
    "/api",
    "/ws",
    "/healthz",
    "/pair",
    "/doctor",
    "/calibrate",
    "/static",
    "/path",
}


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands right under ``heading``, up to the next heading."""
    found = re.search(
        rf"^#+ {re.escape(heading)}$\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert found, f"no heading {heading!r}"
    return found[1]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def values(text: str) -> Iterator[str]:
    """Give every JSON value in ``text``, one behind the other, each as text again."""
    decoder, at = json.JSONDecoder(), 0
    text = text.strip()
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield json.dumps(value)
        at += len(text[at:]) - len(text[at:].lstrip())


def anchor(heading: str) -> str:
    """Return the fragment that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in ("".join(found) for found in LINK.findall(text_of(document))):
        if target.startswith(("http://", "https://")):
            continue
        name, _, fragment = target.partition("#")
        path = document.parent / name if name else document
        if not path.exists() or (
            fragment and fragment not in map(anchor, HEADING.findall(text_of(path)))
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_path_of_one_persons_computer_is_told(document: Path) -> None:
    text = re.sub(r"<!--.*?-->", "", text_of(document))
    assert set(ABSOLUTE.findall(text)) - PLACES == set()


# Architecture


def rooms() -> list[str]:
    found = re.findall(
        r"^### `((?:rover|web|calibration|installer)/[\w/]*)`$", ARCHITECTURE, re.MULTILINE
    )
    assert {"rover/", "rover/motion/", "web/", "calibration/"} <= set(found)
    return found


@pytest.mark.parametrize("room", rooms())
def test_the_modules_named_in_a_room_are_those_that_are_there(room: str) -> None:
    named = re.findall(r"^\| `(\w+\.py)`", section(ARCHITECTURE, f"`{room}`"), re.MULTILINE)
    there = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py"}
    assert sorted(named) == sorted(there)


def test_every_package_has_its_room_or_its_line() -> None:
    tops = ("rover", "web", "calibration", "installer")
    packages = {path.parent for top in tops for path in (ROOT / top).rglob("*.py")}
    upstairs = section(ARCHITECTURE, "`rover/`")
    for package in packages:
        name = package.relative_to(ROOT).as_posix()
        assert f"{name}/" in rooms() or f"`{package.name}/`" in upstairs, name


def test_the_upper_rooms_stand_in_the_order_of_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract, *_ = project["tool"]["importlinter"]["contracts"]
    rank = {
        name.strip(): height
        for height, row in enumerate(contract["layers"])
        for name in row.split("|")
    }
    names = re.findall(r"^\| `(\w+)(?:\.py|/)`", section(ARCHITECTURE, "`rover/`"), re.MULTILINE)
    assert sorted(names) == sorted(rank)
    heights = [rank[name] for name in names]
    assert heights == sorted(heights)


def test_files_named_anywhere_exist() -> None:
    for document in DOCUMENTS:
        for name in NAMED_FILE.findall(text_of(document)):
            # A new rover's profile and the like are named by a placeholder in capitals.
            if not re.search(r"\b[A-Z]{2,}\b", name):
                assert (ROOT / name).exists(), f"{document.name}: {name}"


# API


def commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


@pytest.mark.parametrize(("name", "command"), list(commands(main, "rover")))
def test_every_command_is_listed_with_its_options(name: str, command: click.Command) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| (.*?) \|", section(API, "Commands"), re.MULTILINE)
    options = {
        option.opts[-1]
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    }
    assert set(re.findall(r"`(--[\w-]+)`", row)) == options


def test_the_frames_of_the_page_are_read_as_they_stand() -> None:
    (block,) = blocks(section(API, "From the page"), "json")
    frames = [decode(text) for text in values(block)]
    kinds = {type(frame).__struct_config__.tag for frame in frames}
    assert kinds == {kind.__struct_config__.tag for kind in typing.get_args(ClientFrame)}


@pytest.mark.parametrize(
    "frame",
    [*typing.get_args(ClientFrame), *typing.get_args(ServerFrame)],
    ids=lambda frame: frame.__name__,
)
def test_the_fields_of_every_frame_are_listed(frame: type[msgspec.Struct]) -> None:
    rows = section(API, "From the page") + section(API, "From the server")
    (row,) = re.findall(rf"^\| `{frame.__struct_config__.tag}` \| (.*?)\|", rows, re.MULTILINE)
    # Behind a colon stands what the field may be, not another one.
    listed = re.findall(r"`(\w+)`", re.sub(r":[^;]*", "", row))
    assert set(listed) == set(frame.__struct_fields__) - ({"t"} if _has_time(frame) else set())


def _has_time(frame: type[msgspec.Struct]) -> bool:
    """Whether ``frame`` has the page's time, which the text gives to all of them at once."""
    return frame in typing.get_args(ClientFrame)


def test_the_frames_of_the_server_are_what_it_sends() -> None:
    frames = []
    for block in blocks(section(API, "From the server"), "json"):
        for text in values(block):
            frame = msgspec.json.decode(text, type=ServerFrame)
            told = json.loads(text)
            # Nothing is missing and nothing more is there than the server's own frame has.
            assert json.loads(msgspec.json.encode(frame)) == told
            frames.append(frame)
            if isinstance(frame, StateFrame) and frame.telemetry is not msgspec.UNSET:
                telemetry = msgspec.json.decode(frame.telemetry, type=Telemetry)
                assert json.loads(msgspec.json.encode(telemetry)) == told["telemetry"]
    kinds = {type(frame).__struct_config__.tag for frame in frames}
    assert kinds == {"welcome", "answer", "reason", "state"}


@pytest.mark.parametrize(
    "message",
    [
        *(messages.DriveCommand, messages.Arc, messages.Spin, messages.Crab, messages.Stop),
        *(messages.Request, messages.Answer, messages.Telemetry, messages.WheelView),
        *(messages.Pose, messages.Twist, messages.PowerReading, messages.Condition),
        *(messages.DeviceHealth, messages.Event),
    ],
    ids=lambda kind: kind.__name__,
)
def test_the_fields_of_every_message_are_listed(message: type[msgspec.Struct]) -> None:
    rows = re.search(
        rf"^\| `{message.__name__}`(?:, type `\w+`)? \|(.*\n(?:\| \|.*\n)*)",
        section(API, "Messages"),
        re.MULTILINE,
    )
    assert rows, message.__name__
    # The fields stand in the second cell; in the rows that follow, the first one is empty.
    cells = [row.removeprefix("| |").split("|")[0] for row in rows[1].splitlines()]
    assert re.findall(r"`(\w+)`", "".join(cells)) == list(message.__struct_fields__)


def test_every_request_to_the_simulator_is_listed_with_its_fields() -> None:
    text = section(API, "The simulator's endpoints")
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\|", text, re.MULTILINE))
    for request in typing.get_args(TruthRequest):
        fields = re.findall(r"`(\w+)`", listed[request.__struct_config__.tag])
        assert fields == list(request.__struct_fields__)


def test_every_state_limit_and_severity_is_named() -> None:
    for names in (messages.ArmState, messages.Limit, messages.Severity, messages.RequestKind):
        for name in names:
            assert f"`{name}`" in API, name


# Troubleshooting


def test_the_troubles_are_those_that_the_doctor_can_name() -> None:
    assert text_of(ROOT / "docs" / "troubleshooting.md") == troubleshooting.text()


def test_the_doctors_report_is_described_with_its_fields() -> None:
    text = section(API, "The doctor's report")
    for field in Report.__struct_fields__:
        assert f"`{field}`" in text
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert listed == list(Finding.__struct_fields__)
    for verdict in Verdict:
        assert f"`{verdict}`" in text


# Installing


def test_every_step_and_option_of_the_installer_is_told() -> None:
    text = text_of(ROOT / "docs" / "install.md")
    steps = re.findall(
        r"^\| ([A-Z][^|]*) \|", section(text, "What each step changes"), re.MULTILINE
    )
    assert steps == [step.title for step in work.STEPS]
    told = set(re.findall(r"`(--[\w-]+)`", section(text, "Options")))
    options = {
        name
        for action in installer_parser()._actions
        for name in action.option_strings
        if name.startswith("--") and name != "--help"
    }
    assert told == options
    for file in (*program.files_of(ROOT), program.COMMAND, program.CONFIG):
        if file.startswith("systemd/") and "hotspot" not in file:
            assert Path(file).name in text, file


# Hardware

# The Raspberry Pi's header: line by BCM number, and its pin.
HEADER = {2: 3, 3: 5, 14: 8, 15: 10, 5: 29, 6: 31, 23: 16, 25: 22, 26: 37}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under ``heading``, without its head."""
    text = section(HARDWARE, heading)
    table = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)[1:]
    return [[cell.strip() for cell in row.split(" | ")] for row in table]


def test_the_lines_are_on_the_pins_that_are_told() -> None:
    panel = osr_config().panel
    told = {}
    for pin, line, goes_to in rows("Raspberry Pi header"):
        if found := re.match(r"BCM (\d+)", line):
            assert HEADER[int(found[1])] == int(pin)
            told[int(found[1])] = goes_to
    assert told[panel.motor_enable].startswith("motor-enable")
    for name in ("armed", "fault", "link", "power"):
        assert f'lamp "{name}"' in told[getattr(panel, f"led_{name}")]
    remedy = REMEDIES["bus-silent"].next_step
    assert "pin 8 to every S1" in remedy
    assert told[14] == "S1 of every RoboClaw"
    assert "pin 10 to every S2" in remedy
    assert told[15] == "S2 of every RoboClaw"
    remedy = REMEDIES["servo-board-absent"].next_step
    assert "SDA to pin 3, SCL to pin 5, VCC to pin 1, ground to pin 9" in remedy


def test_the_wheels_hang_where_the_profile_says() -> None:
    motors = {row[0].replace(" ", "_"): row[1:] for row in rows("Motor controllers")}
    corners = {row[0].replace(" ", "_"): row[1:] for row in rows("Servo board")}
    wheels = osr_config().wheels
    assert list(motors)[: len(wheels)] == list(wheels)
    for name, wheel in wheels.items():
        motor = wheel.motor
        inverted = "yes" if motor.inverted else "no"
        assert motors[name] == [f"0x{motor.address:02X}", f"M{motor.channel}", inverted]
        if wheel.steer is None:
            assert name not in corners
        else:
            assert corners[name] == [str(wheel.steer.channel), f"{wheel.steer.centre_deg:g}"]


def test_the_devices_are_at_the_addresses_that_are_told() -> None:
    config = osr_config()
    port, power = config.roboclaw, config.power
    for told in (
        f"PCA9685 is at address 0x{config.steering.address:02X}",
        f"INA260 is at address 0x{power.address:02X}",
        f"`{port.port}` at {port.baud} baud",
        f"more than {port.stall_current_a:g} A",
        f"| serial timeout | {port.serial_timeout_s:g} s |",
        f"{power.full_v:g} V full; the rover warns below {power.low_v:g} V",
        f"stops below {power.minimum_v:g} V",
    ):
        assert told in HARDWARE, told


# README


def test_the_readmes_configuration_can_be_used(tmp_path: Path) -> None:
    (example,) = blocks(README, "toml")
    path = tmp_path / "rover.toml"
    path.write_text(example, encoding="utf-8")
    loaded = load_config(user_file=path, places=NOWHERE)
    built_in = load_config(places=NOWHERE)
    own = {".".join(key) for key, origin in loaded.origins.items() if origin.file == str(path)}
    for name, wheel in built_in.config.wheels.items():
        assert {f"wheels.{name}.x_m", f"wheels.{name}.y_m"} <= own
        assert (f"wheels.{name}.steer.centre_deg" in own) is (wheel.steer is not None)
    # It says that it has the built-in numbers.
    assert loaded.config.wheels == built_in.config.wheels
    assert loaded.config.steering.calibrated


def test_the_readmes_deadlines_are_those_in_force() -> None:
    for name in DeadlineConfig.__struct_fields__:
        deadline_s = getattr(DeadlineConfig(), name)
        told = f"{deadline_s * 1000:.0f} ms" if deadline_s < 1.0 else f"{deadline_s:g} s"
        (row,) = re.findall(rf"^.*`deadlines\.{name}`.*$", README, re.MULTILINE)
        assert f"| {told} |" in row


@pytest.mark.parametrize(
    ("told", "where"),
    [
        (f"older than {MAX_REQUEST_AGE_S:g} s", (API, ARCHITECTURE)),
        (f"within {LOOK_S:g} s of", (API, ARCHITECTURE)),
        (f"serial timeout, {RoboclawConfig().serial_timeout_s:g} s", (README,)),
        (f"{SPEED_WINDOW_S * 1000:.0f} ms instead", (ARCHITECTURE,)),
        (f"{MAX_SOCKETS} pages", (API, ARCHITECTURE)),
        (f"{MAX_FRAMES_HZ:.0f}, with bursts", (API,)),
        (f"{MAX_FRAME_BYTES} bytes; above it a bad frame, above {MAX_MESSAGE_BYTES}", (API,)),
    ],
)
def test_figures_told_are_those_in_the_code(told: str, where: tuple[str, ...]) -> None:
    for text in where:
        assert told in " ".join(text.split())


# The trace of a command


def test_the_traced_frame_becomes_the_traced_packets() -> None:
    config = osr_config()
    (text,) = blocks(TRACE, "json")
    frame = decode(text)
    assert isinstance(frame, DriveFrame)
    allowed = config.motion
    limits = StickLimits(
        allowed.max_speed_mps * frame.limit,
        allowed.max_curvature_per_m,
        allowed.max_yaw_rate_rad_s * frame.limit,
    )
    sticks = StickInput(frame.drive, frame.turn, frame.mode)
    motion = motion_from_sticks(sticks, config.sticks, limits)
    assert isinstance(motion, Arc)
    assert f"`Arc({motion.speed_mps:.4f} m/s, {motion.curvature_per_m:.4f} 1/m)`" in TRACE
    assert f"a radius of {1 / motion.curvature_per_m:.2f} m" in TRACE
    assert f"to this speed in {motion.speed_mps / allowed.accel_mps2:.3f} s" in TRACE
    command = DriveCommand(Source.WEB, frame.seq, 7343.609, motion)
    assert f"{len(msgspec.msgpack.encode(command))} bytes of MessagePack" in TRACE

    targets = Kinematics(config).targets(motion)
    for (name, wheel), steer_rad, wheel_rad_s in zip(
        config.wheels.items(), targets.steer_rad, targets.wheel_rad_s, strict=True
    ):
        sign = -1 if wheel.motor.inverted else 1
        per_turn = config.roboclaw.ticks_per_wheel_turn
        angle = f"{units.deg_from_rad(steer_rad):.2f}" if wheel.steer else "0"
        counts = round(sign * units.qpps_from_rad_s(wheel_rad_s, per_turn))
        row = f"| {name.replace('_', ' ')} | {angle} | {wheel_rad_s:.3f} | {counts} | "
        assert row in TRACE, row
    for controller in wire_controllers(config):
        packet = controller.speed_packet(targets.wheel_rad_s, 0.0)
        assert re.search(rf"^> {packet.hex(' ')}(  |$)", TRACE, re.MULTILINE)
    zero_duty = wire_controllers(config)[0].zero_duty
    assert f"> {zero_duty.hex(' ')} " in TRACE


def test_the_traced_servo_pulse_is_what_the_board_gets() -> None:
    config = osr_config()
    found = re.search(r"^\| left front \| ([\d.]+) \|", TRACE, re.MULTILINE)
    steer = config.wheels["left_front"].steer
    assert found
    assert steer is not None
    pulses = ServoPulses(steer, config.steering)
    steer_rad = units.rad_from_deg(float(found[1]))
    assert f"{steer.centre_deg - float(found[1]):.2f} degrees" in TRACE
    assert f"{pulses.pulse_us(steer_rad):.0f} us" in TRACE
    count = pulses.count(steer_rad)
    registers = bytes(2) + count.to_bytes(2, "little")
    assert f"channel {steer.channel}: `{registers.hex(' ')}`" in TRACE
    assert f"{count} of 4096 counts" in TRACE


def test_the_traced_reply_is_a_valid_one_and_means_what_is_said() -> None:
    found = re.search(r"^> 80 4e .*\n< ([0-9a-f ]{29}) ", TRACE, re.MULTILINE)
    assert found
    data = framing.check_reply(framing.read_request(0x80, 78), bytes.fromhex(found[1]))
    first, second = framing.unpack_u32_pair(data)
    assert f"{first} and {second} counts" in TRACE
    per_turn = osr_config().roboclaw.ticks_per_wheel_turn
    rad, rad_s = (units.rad_from_ticks(counts, per_turn) for counts in (first, 12 / 0.05))
    assert f"{rad:.3f} rad, {rad_s:.3f} rad/s" in TRACE


def test_telemetry_is_about_as_large_as_is_said() -> None:
    telemetry = MemoryRover().armed().telemetry
    for told, size in (
        (r"`Telemetry`, ([\d.]+) kB", len(msgspec.msgpack.encode(telemetry))),
        (r"JSON, ([\d.]+) kB", len(msgspec.json.encode(telemetry))),
    ):
        found = re.search(told, TRACE)
        assert found
        assert math.isclose(float(found[1]), size / 1000, rel_tol=0.2)
