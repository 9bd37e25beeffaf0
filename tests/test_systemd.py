"""The unit files as systemd itself reads them, and what they promise one another."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rover.config.sections import DeadlineConfig, LoopConfig
from rover.link.pictures import camera_directory
from rover.paths import SERVICE_STATE

UNITS = Path(__file__).parent.parent / "systemd"
NAMES = ("rover-control.service", "rover-web.service", "rover-alarm.service")
HOTSPOT, CAMERA = "rover-hotspot.service", "rover-camera.service"
TARGET = "rover.target"
# A key that older versions of systemd do not know.
DROP_IN, DROP_IN_SINCE = Path("rover-control.service.d/restart-direct.conf"), 254
# Where the installer puts the command.
INSTALLED = "/opt/rover/.venv/bin/rover"
# Systemd's own scale: below 2 is "OK".
MOST_EXPOSED = 20


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def unit(name: str) -> configparser.RawConfigParser:
    """Read a unit; of a key that is there several times the last."""
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(UNITS / name)
    return parser


def seconds(text: str) -> float:
    number, name = re.fullmatch(r"([\d.]+)(ms|s)?", text).groups()
    return float(number) / (1000 if name == "ms" else 1)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the units whose command is there, as on a rover it is."""
    folder = tmp_path_factory.mktemp("units")
    command = folder / "rover"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    if version() >= DROP_IN_SINCE:
        shutil.copytree(UNITS / DROP_IN.parent, folder / DROP_IN.parent)
    for name in (TARGET, HOTSPOT):
        (folder / name).write_text((UNITS / name).read_text())
    for name in (*NAMES, CAMERA):
        text = (UNITS / name).read_text()
        assert f"ExecStart={INSTALLED} " in text
        (folder / name).write_text(text.replace(INSTALLED, str(command)))
    return folder


def version() -> int:
    return int(analyze("--version").stdout.split()[1])


@pytest.mark.parametrize("name", [*NAMES, HOTSPOT, CAMERA, TARGET])
def test_systemd_finds_nothing_to_say(installed: Path, name: str) -> None:
    ended = analyze("verify", "--man=no", str(installed / name))
    said = (ended.stdout + ended.stderr).splitlines()
    if version() < 254:
        # It does not know the key yet and does without it what it asks for.
        said = [line for line in said if not re.search(r"Unknown key.*'RestartMode'", line)]
    assert said == []
    assert ended.returncode == 0


@pytest.mark.parametrize("name", [*NAMES, HOTSPOT, CAMERA])
def test_no_more_is_open_than_the_hardware_needs(name: str) -> None:
    threshold = f"--threshold={MOST_EXPOSED}"
    ended = analyze("security", "--offline=true", "--no-pager", threshold, str(UNITS / name))
    assert ended.returncode == 0, ended.stdout


def test_control_can_open_no_network_socket_and_the_web_no_device() -> None:
    control, web = unit("rover-control.service")["Service"], unit("rover-web.service")["Service"]
    assert control["PrivateNetwork"] == "yes"
    assert control["RestrictAddressFamilies"] == "AF_UNIX"
    assert web["PrivateDevices"] == "yes"
    assert "DeviceAllow" not in web
    assert web["User"] != control["User"]
    assert control["Group"] in web["SupplementaryGroups"].split()


def test_the_camera_cannot_reach_controls_sockets_and_the_web_reaches_the_cameras() -> None:
    camera, control = unit(CAMERA)["Service"], unit("rover-control.service")["Service"]
    named = {camera["User"], camera["Group"], *camera["SupplementaryGroups"].split()}
    assert named == {"rover-camera", "video"}
    assert control["RuntimeDirectoryMode"] == camera["RuntimeDirectoryMode"] == "0750"
    web = unit("rover-web.service")["Service"]
    (directory,) = re.findall(r"--dir (\S+)", web["ExecStart"])
    assert camera_directory(Path(directory)) == Path("/run") / camera["RuntimeDirectory"]
    assert camera_directory(Path("/run/else")) == Path("/run/else")
    assert {control["Group"], camera["Group"]} == set(web["SupplementaryGroups"].split())
    assert "DevicePolicy" in camera


def test_a_restart_loop_ends_and_the_alarm_follows_it() -> None:
    control, alarm = unit("rover-control.service"), unit("rover-alarm.service")
    assert control["Unit"]["OnFailure"] == "rover-alarm.service"
    assert control["Service"]["Restart"] == "always"
    assert unit(str(DROP_IN))["Service"]["RestartMode"] == "direct"
    # The slowest failure there is, as often as it takes, fits into the interval.
    service = control["Service"]
    slowest_s = sum(
        seconds(service[key])
        for key in ("TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec", "RestartSec")
    )
    burst = int(control["Unit"]["StartLimitBurst"])
    assert burst * slowest_s < seconds(control["Unit"]["StartLimitIntervalSec"])
    # Starting control again ends the alarm before: both need the same lines.
    assert alarm["Unit"]["Conflicts"] == "rover-control.service"
    assert alarm["Unit"]["After"] == "rover-control.service"
    for key in ("User", "Group", "SupplementaryGroups", "RuntimeDirectory", "DevicePolicy"):
        assert alarm["Service"][key] == service[key]
    devices = [
        re.findall("^DeviceAllow=.*$", (UNITS / name).read_text(), re.MULTILINE)
        for name in ("rover-control.service", "rover-alarm.service")
    ]
    assert devices[0]
    assert devices[0] == devices[1]


def test_all_start_and_end_with_the_target() -> None:
    wanted = unit(TARGET)["Unit"]["Wants"].split()
    for name in NAMES:
        assert unit(name)["Unit"]["PartOf"] == TARGET
        # The alarm is started by what fails, not by the target.
        if "Install" in unit(name):
            assert unit(name)["Install"]["WantedBy"] == TARGET
            assert name in wanted
    assert unit(TARGET)["Install"]["WantedBy"] == "multi-user.target"


def test_every_user_and_group_of_a_unit_is_made() -> None:
    """A unit with a group that is not there does not start at all."""
    made = re.findall(r"^[ug] (\S+)", (UNITS / "sysusers.d/rover.conf").read_text(), re.MULTILINE)
    for name in (*NAMES, CAMERA):
        service = unit(name)["Service"]
        named = {service["User"], service["Group"], *service["SupplementaryGroups"].split()}
        assert named <= set(made)


def test_the_users_and_folders_are_made_as_systemd_reads_it(tmp_path: Path) -> None:
    for tool, kind in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        (tmp_path / "etc").mkdir(exist_ok=True)
        place = tmp_path / "usr/lib" / kind
        place.mkdir(parents=True)
        (place / "rover.conf").write_text((UNITS / kind / "rover.conf").read_text())
        create = ["--create"] if tool == "systemd-tmpfiles" else ["--dry-run"]
        if tool == "systemd-tmpfiles":
            # Owners are known there by name.
            (tmp_path / "etc/passwd").write_text(f"rover:x:{os.getuid()}:{os.getgid()}::/:/bin/sh")
            (tmp_path / "etc/group").write_text(f"rover:x:{os.getgid()}:")
        ended = subprocess.run(
            [tool, f"--root={tmp_path}", *create, "rover.conf"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert "rover.conf:" not in ended.stderr
    assert (tmp_path / "var/lib/rover").stat().st_mode & 0o7777 == 0o2775


def test_udev_can_read_the_rules() -> None:
    rules = (UNITS / "udev/99-rover.rules").read_text()
    lines = [line for line in rules.splitlines() if line and not line.startswith("#")]
    # Of every rule: keys, operators and values as udev(7) has them, a match before what is set.
    term = r'[A-Z_]+(?:\{\w+\})?(==|!=|\+=|=)"[^"]*"'
    for line in lines:
        assert re.fullmatch(rf"{term}(, {term})*", line), line
        operators = [found[1] for found in re.finditer(term, line)]
        first_set = next(i for i, one in enumerate(operators) if one in {"=", "+="})
        assert all(one in {"=", "+="} for one in operators[first_set:])
    checked = subprocess.run(
        ["udevadm", "verify", "--resolve-names=never", UNITS / "udev/99-rover.rules"],
        capture_output=True,
        text=True,
        check=False,
    )
    # Before version 254 udevadm does not know how to.
    assert checked.returncode == 0 or version() < 254, checked.stderr


def test_the_watchdog_waits_longer_than_a_loss_of_controllers_goes_unnoticed() -> None:
    """Else a rover whose serial cable comes off would be restarted instead of explained."""
    watchdog_s = seconds(unit("rover-control.service")["Service"]["WatchdogSec"])
    default_s = DeadlineConfig().controller_s
    assert default_s + watchdog_s / 4 < watchdog_s / 2


def test_control_may_ask_for_the_priority_that_it_wants() -> None:
    limit = int(unit("rover-control.service")["Service"]["LimitRTPRIO"])
    assert LoopConfig().realtime_priority <= limit
    assert "RestrictRealtime" not in unit("rover-control.service")["Service"]


def test_pairing_looks_where_the_service_keeps_its_state() -> None:
    service = unit("rover-web.service")["Service"]
    assert Path("/var/lib") / service["StateDirectory"] == SERVICE_STATE
    assert service["StateDirectoryMode"] == "0700"
