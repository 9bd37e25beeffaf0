"""The rover's name in the network, and a network of its own where there is none."""

import secrets
from collections.abc import Sequence

from installer.changes import Change, Remove, Run, WriteFile
from installer.step import Job, Step, files_differ, still_there
from installer.system import System

PORT = 8080
_AVAHI = "/etc/avahi/services/rover.service"
_AVAHI_TEXT = f"""\
<?xml version="1.0" standalone="no"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group>
  <name replace-wildcards="yes">Rover on %h</name>
  <service>
    <type>_http._tcp</type>
    <port>{PORT}</port>
  </service>
</service-group>
"""
_PROFILE = "/etc/NetworkManager/system-connections/rover-hotspot.nmconnection"
_PROFILE_TEXT = """\
[connection]
id=rover-hotspot
type=wifi
autoconnect=false

[wifi]
mode=ap
ssid={ssid}

[wifi-security]
key-mgmt=wpa-psk
psk={password}

[ipv4]
method=shared

[ipv6]
method=ignore
"""
_UNIT_NAME = "rover-hotspot.service"
_UNIT = f"/etc/systemd/system/{_UNIT_NAME}"
# Easy to read and to type: neither 0 nor o, neither 1 nor l.
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_PASSWORD_LETTERS = 12


def host_name(system: System) -> str:
    """Return the computer's name."""
    return (system.text("/etc/hostname") or "").strip() or "rover"


def hotspot_password(system: System) -> str:
    """Return the password of the rover's own network, empty if it has none."""
    for line in (system.text(_PROFILE) or "").splitlines():
        if line.startswith("psk="):
            return line.removeprefix("psk=")
    return ""


def _plan_name(job: Job) -> Sequence[Change]:
    system, name = job.system, job.choices.name
    changes: list[Change] = []
    if name and name != host_name(system):
        changes.append(_renamed(system, name))
    # avahi-daemon sees it by itself.
    return [*changes, *files_differ(job, [WriteFile(_AVAHI, _AVAHI_TEXT, "the page, by mDNS")])]


def _renamed(system: System, name: str) -> Change:
    if system.has("raspi-config"):
        return Run(("raspi-config", "nonint", "do_hostname", name))
    return Run(("hostnamectl", "set-hostname", name))


def _undo_name(job: Job) -> Sequence[Change]:
    changes: list[Change] = [Remove(path) for path in still_there(job, _AVAHI)]
    if job.choices.name and job.before.name and host_name(job.system) == job.choices.name:
        changes.append(_renamed(job.system, job.before.name))
    return changes


def _plan_hotspot(job: Job) -> Sequence[Change]:
    system = job.system
    if not job.choices.hotspot:
        return _undo_hotspot(job)
    changes: list[Change] = []
    if not hotspot_password(system):
        password = "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_LETTERS))
        ssid = job.choices.name or host_name(system)
        text = _PROFILE_TEXT.format(ssid=ssid, password=password)
        changes.append(WriteFile(_PROFILE, text, "a network of the rover's own", 0o600))
        if system.live:
            changes.append(Run(("nmcli", "connection", "reload")))
    unit = (job.source / "systemd" / _UNIT_NAME).read_text(encoding="utf-8")
    files = files_differ(job, [WriteFile(_UNIT, unit)])
    if files and system.live:
        files.append(Run(("systemctl", "daemon-reload")))
    changes += files
    if not system.there(f"/etc/systemd/system/multi-user.target.wants/{_UNIT_NAME}"):
        changes.append(Run(("systemctl", "enable", _UNIT_NAME)))
    return changes


def _undo_hotspot(job: Job) -> Sequence[Change]:
    system = job.system
    changes: list[Change] = []
    if system.there(f"/etc/systemd/system/multi-user.target.wants/{_UNIT_NAME}"):
        now = ("--now",) if system.live else ()
        changes.append(Run(("systemctl", "disable", *now, _UNIT_NAME)))
    changes += [Remove(path) for path in still_there(job, _UNIT, _PROFILE)]
    if changes and system.live and system.has("nmcli"):
        changes.append(Run(("nmcli", "connection", "reload")))
    return changes


NAME = Step("Name in the network", _plan_name, _undo_name)
HOTSPOT = Step("Network of its own", _plan_hotspot, _undo_hotspot)
