"""A Raspberry Pi's file system in a folder, with commands that do to it what the real ones do."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from installer.choices import Choices
from installer.progress import Progress
from installer.step import Job
from installer.system import Outcome, System
from installer.work import job_for

CONTROL, WEB = "rover-control.service", "rover-web.service"
CAMERA = "rover-camera.service"
CMDLINE = "console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootwait\n"
CONFIG_TXT = "dtparam=audio=on\n[cm5]\ndtoverlay=dwc2\n\n[all]\nenable_uart=0\n"
RELEASE = 'ID=debian\nVERSION_CODENAME=bookworm\nVERSION_ID="12"\n'
YES, NO = Outcome(0, ""), Outcome(1, "")


class Told(Progress):
    """Keeps what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def say(self, text: str = "") -> None:
        self.lines.append(text)

    @property
    def changes(self) -> list[str]:
        return [line.strip(" -") for line in self.lines if line.startswith("        - ")]


@dataclass
class PretendedPi:
    """Raspberry Pi OS, just written to the card. Tests change what they need.

    ``fails`` gives a command that begins so an end of its own; ``before_each`` is called before
    every command that changes something.
    """

    root: Path
    live: bool = False
    model: int = 4
    systemd: int = 254
    raspi_config: bool = True
    raspi_config_writes: bool = True
    fails: dict[str, Outcome] = field(default_factory=dict)
    before_each: Callable[[str], None] = lambda _command: None
    # Folders of versions whose control does not live.
    broken: set[str] = field(default_factory=set)
    # And those whose control dies again and again, and is seen alive in between.
    restarting: set[str] = field(default_factory=set)
    restarts: int = 0
    packages: set[str] = field(default_factory=lambda: {"python3-venv"})
    enabled: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    # What dies and is started again and again: as long as it is not stopped, by what it was.
    trying: set[str] = field(default_factory=set)
    # What has failed so often that systemd starts it no more.
    used_up: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    # What commands have changed, for whoever looks what the installer itself has.
    by_commands: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.write("/boot/firmware/config.txt", CONFIG_TXT)
        self.write("/boot/firmware/cmdline.txt", CMDLINE)
        self.write("/etc/os-release", RELEASE)
        self.write("/etc/hostname", "raspberrypi\n")
        self.write(
            "/etc/passwd", "root:x:0:0::/root:/bin/bash\npi:x:1000:1000::/home/pi:/bin/bash\n"
        )
        self.write(
            "/etc/group", "pi:x:1000:\ndialout:x:20:pi\ni2c:x:994:pi\ngpio:x:986:\ninput:x:996:\n"
        )
        for name in ("opt", "var/lib", "usr/local/bin", "home/pi", "etc/systemd/system"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        if self.raspi_config:
            self.write("/usr/bin/raspi-config", "")

    def write(self, path: str, text: str) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def text(self, path: str) -> str:
        return (self.root / path.lstrip("/")).read_text(encoding="utf-8")

    @property
    def system(self) -> System:
        return System(self.root, self, self.live, lambda _s: None)

    def job(self, source: Path, **choices: object) -> Job:
        """Return a job with choices besides a Raspberry Pi 4 whose Bluetooth goes off."""
        named = {"pi": 4, "bluetooth": "off", "person": "pi", **choices}
        return job_for(self.system, source, Choices(**named))

    def files(self) -> dict[str, bytes | str]:
        """Return every file and link there is, with its content or target."""
        found: dict[str, bytes | str] = {}
        for folder, names, files in os.walk(self.root):
            for name in (*names, *files):
                path = Path(folder) / name
                key = "/" + str(path.relative_to(self.root))
                if path.is_symlink():
                    found[key] = f"-> {path.readlink()}"
                elif path.is_file():
                    found[key] = path.read_bytes()
        return found

    def __call__(self, command: Sequence[str], *, quiet: bool) -> Outcome:
        line = " ".join(command)
        if not quiet:
            self.before_each(line)
            self.ran.append(line)
        for start, outcome in self.fails.items():
            if line.startswith(start):
                return outcome
        if quiet:
            return self._answer(list(command), line)
        before = self.files()
        outcome = self._do(list(command), line)
        after = self.files()
        self.by_commands |= {
            path for path in {*before, *after} if before.get(path) != after.get(path)
        }
        return outcome

    def _answer(self, words: list[str], line: str) -> Outcome:
        match words:
            case ["dpkg-query", *_, name]:
                return Outcome(0, "installed") if name in self.packages else NO
            case ["id", *_, person]:
                lines = self.text("/etc/group").splitlines()
                mine = [
                    one.split(":")[0] for one in lines if person in one.split(":")[3].split(",")
                ]
                return Outcome(0, " ".join(mine))
            case ["systemctl", "is-enabled", unit]:
                return Outcome(0, "enabled") if unit in self.enabled else NO
            case ["systemctl", "is-active", unit]:
                return Outcome(0, "active") if unit in self.active else Outcome(3, "failed")
            case ["systemctl", "show", "--property=NRestarts", _]:
                if (self.root / "opt/rover").resolve().name in self.restarting:
                    self.restarts += 1
                return Outcome(0, f"NRestarts={self.restarts}")
            case ["systemctl", "show", "--property=ActiveState", unit]:
                state = "activating" if unit in self.trying else "inactive"
                return Outcome(0, f"ActiveState={'active' if unit in self.active else state}")
            case ["systemctl", "--version"]:
                return Outcome(0, f"systemd {self.systemd} ({self.systemd}.1-1)")
            case ["journalctl", *_]:
                return Outcome(0, "it does not find its own feet")
            case ["dpkg", "--audit"]:
                return YES
        raise AssertionError(line)

    def _do(self, words: list[str], line: str) -> Outcome:  # noqa: PLR0912 - a row a command
        match words:
            case ["apt-get", *_, "update"] | ["systemctl", "daemon-reload"] | ["dpkg", *_]:
                pass
            case ["apt-get", *rest]:
                names = rest[rest.index("--no-install-recommends") + 1 :]
                self.packages |= set(names)
            case ["systemd-sysusers", path]:
                self._sysusers(self.text(path))
            case ["usermod", "--append", "--groups", names, person]:
                self._groups(
                    lambda name, people: people | ({person} if name in names.split(",") else set())
                )
            case ["gpasswd", "--delete", person, group]:
                self._groups(lambda name, people: people - ({person} if name == group else set()))
            case ["userdel", name]:
                kept = [
                    one
                    for one in self.text("/etc/passwd").splitlines(True)
                    if not one.startswith(f"{name}:")
                ]
                self.write("/etc/passwd", "".join(kept))
            case ["python3", "-m", "venv", _, folder]:
                self.write(f"{folder}/bin/python", "")
            case [python, "-m", "pip", "install", *_, folder]:
                self.write(python.replace("/python", "/rover"), folder)
            case [rover, *_] if rover.endswith("/.venv/bin/rover"):
                assert (self.root / rover.lstrip("/")).exists()
            case ["raspi-config", "nonint", function, value]:
                self._raspi_config(function, value)
            case ["hostnamectl", "set-hostname", name]:
                self.write("/etc/hostname", f"{name}\n")
            case ["systemctl", "enable" | "disable" as how, *units]:
                for unit in units:
                    self._enable(unit, on=how == "enable")
            case ["systemctl", "stop", *units]:
                self.active -= set(units)
                self.trying -= set(units)
            case ["systemctl", "reset-failed", "rover-*.service"]:
                self.used_up.clear()
            case ["systemctl", "start", "--no-block", *units]:
                self._start({*units} - self.trying - self.used_up)
            case ["udevadm", *_] | ["nmcli", *_] | ["systemd-tmpfiles", *_]:
                pass
            case _:
                raise AssertionError(line)
        return YES

    def _start(self, units: set[str]) -> None:
        if CONTROL in units and (self.root / "opt/rover").resolve().name in self.broken:
            self.trying.add(CONTROL)
            self.used_up.add(CONTROL)
        self.active |= units - self.trying

    def _sysusers(self, text: str) -> None:
        for words in (line.split() for line in text.splitlines() if line[:1] in "gu"):
            for file in ("/etc/group", "/etc/passwd") if words[0] == "u" else ("/etc/group",):
                if f"\n{words[1]}:" not in "\n" + self.text(file):
                    tail = "x:990:" if file == "/etc/group" else "x:990:990::/:/bin/sh"
                    self.write(file, f"{self.text(file)}{words[1]}:{tail}\n")

    def _groups(self, changed: Callable[[str, set[str]], set[str]]) -> None:
        lines = []
        for line in self.text("/etc/group").splitlines():
            name, x, number, people = line.split(":")
            now = changed(name, set(filter(None, people.split(","))))
            lines.append(f"{name}:{x}:{number}:{','.join(sorted(now))}\n")
        self.write("/etc/group", "".join(lines))

    def _enable(self, unit: str, *, on: bool) -> None:
        if unit == "hciuart.service":
            (self.enabled.add if on else self.enabled.discard)(unit)
            return
        wanted_by = "rover.target" if unit in {CONTROL, WEB, CAMERA} else "multi-user.target"
        place = self.root / f"etc/systemd/system/{wanted_by}.wants/{unit}"
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        if on:
            place.symlink_to(f"/etc/systemd/system/{unit}")

    def _raspi_config(self, function: str, value: str) -> None:
        if function == "do_hostname":
            self.write("/etc/hostname", f"{value}\n")
        if not self.raspi_config_writes:
            return
        file = "/boot/firmware/config.txt"
        if function == "do_serial_cons":
            word = "console=serial0,115200 "
            text = self.text("/boot/firmware/cmdline.txt").replace(word, "")
            self.write("/boot/firmware/cmdline.txt", text if value == "1" else word + text)
        elif function in {"do_serial_hw", "do_i2c"}:
            key, on, off = {
                "do_serial_hw": ("enable_uart", "1", "0")
                if self.model < 5
                else ("dtparam=uart0", "on", "off"),
                "do_i2c": ("dtparam=i2c_arm", "on", "off"),
            }[function]
            line = f"{key}={on if value == '0' else off}"
            lines = self.text(file).splitlines()
            at = [i for i, one in enumerate(lines) if one.startswith(f"{key}=")]
            for index in at:
                lines[index] = line
            self.write(file, "\n".join([*lines, *([] if at else [line])]) + "\n")


def checkout(folder: Path, number: str = "0.1.0") -> Path:
    """Make what of a checkout the installer looks at: the real units, and a program of one line."""
    real = Path(__file__).parents[2]
    for name in ("rover", "web", "calibration", "installer", "docs"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"# {number}\n", encoding="utf-8")
    for path in (real / "systemd").rglob("*"):
        if path.is_file():
            place = folder / path.relative_to(real)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "install.sh"):
        (folder / name).write_text("", encoding="utf-8")
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{number}"\n', encoding="utf-8")
    return folder
