"""What an installation changes: what it prints and nothing else, once, and to the end."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from installer import preflight, work
from installer.__main__ import main
from installer.choices import RECORD
from installer.errors import InstallError
from installer.network import PORT, hotspot_password
from installer.runner import CommandRunner
from installer.system import Outcome
from installer.units import UNITS
from rover.config import WebConfig
from rover.config.files import NOWHERE, load_config
from tests.installer.pretended_pi import PretendedPi, Told, checkout

ROOT = Path(__file__).parents[2]
NO_NETWORK = Outcome(100, "E: Temporary failure resolving 'deb.debian.org'")


@pytest.fixture
def pi(tmp_path: Path) -> PretendedPi:
    return PretendedPi(tmp_path / "pi")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return checkout(tmp_path / "checkout")


def install(pi: PretendedPi, source: Path, **choices: object) -> Told:
    told = Told()
    work.install(pi.job(source, **choices), told)
    return told


def run(pi: PretendedPi, source: Path, *arguments: str, answer: str = "") -> int:
    """Run the command line; ``answer`` is what a person says to every question."""
    return main(
        ["--root", str(pi.root), *arguments], runner=pi, ask=lambda _question: answer, source=source
    )


def test_a_dry_run_prints_all_that_is_done_and_does_nothing(pi: PretendedPi, source: Path) -> None:
    before = pi.files()
    dry = Told()
    count = work.show(pi.job(source), dry)
    assert pi.files() == before
    assert pi.ran == []
    done = install(pi, source)
    assert dry.changes == done.changes
    assert count == len(done.changes) > 20


def test_nothing_is_changed_that_is_not_printed(pi: PretendedPi, source: Path) -> None:
    before = pi.files()
    told = install(pi, source, hotspot=True, name="rover-7")
    printed = " ".join(told.changes)
    after = pi.files()
    own = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    silent = [
        path
        for path in own - pi.by_commands
        if not any(f"{part}" in printed.split() for part in _prefixes(path))
    ]
    assert silent == []
    # And of every command that has run.
    assert [f"run `{line}`" for line in pi.ran] == [
        line.replace("'", "") for line in told.changes if line.startswith("run ")
    ]


def _prefixes(path: str) -> list[str]:
    """Return the path and the folders above it, as they stand in what is printed."""
    parts = [path, *(str(parent) for parent in Path(path).parents if len(parent.parts) > 2)]
    return [*parts, *(f"{part}:" for part in parts)]


def test_the_second_time_there_is_nothing_to_do(pi: PretendedPi, source: Path) -> None:
    install(pi, source, hotspot=True, name="rover-7")
    files, pi.ran = pi.files(), []
    again = install(pi, source, hotspot=True, name="rover-7")
    assert again.changes == []
    assert pi.ran == []
    assert pi.files() == files


def test_wherever_it_is_interrupted_it_goes_on_and_ends_the_same(
    tmp_path: Path, source: Path
) -> None:
    whole = PretendedPi(tmp_path / "whole")
    install(whole, source)
    assert len(whole.ran) > 10
    for number in range(len(whole.ran)):
        pi = PretendedPi(tmp_path / f"cut-{number}")

        def stop_at(_line: str, pi: PretendedPi = pi, number: int = number) -> None:
            if len(pi.ran) == number:
                pi.before_each = lambda _line: None
                raise KeyboardInterrupt

        pi.before_each = stop_at
        with pytest.raises(KeyboardInterrupt):
            install(pi, source)
        install(pi, source)
        assert pi.files() == whole.files()


def test_a_half_made_version_is_made_anew(pi: PretendedPi, source: Path) -> None:
    folder = f"/opt/rover-versions/{work.program.version_name(source)}"
    pi.write(f"{folder}/rover/left-over.py", "")
    told = install(pi, source)
    assert f"remove {folder}" in told.changes
    assert not (pi.root / folder.lstrip("/") / "rover/left-over.py").exists()


def test_the_first_configuration_can_be_used_and_is_never_written_over(
    pi: PretendedPi, source: Path
) -> None:
    install(pi, source)
    path = pi.root / "etc/rover/rover.toml"
    loaded = load_config(user_file=path, places=NOWHERE)
    assert loaded.config.roboclaw.port == "/dev/rover-uart"
    assert loaded.config.rover.name == "raspberrypi"
    assert not loaded.config.steering.calibrated
    path.write_text('profile = "osr"\n# mine\n', encoding="utf-8")
    install(pi, checkout(source.with_name("newer"), "0.2.0"))
    assert path.read_text(encoding="utf-8") == 'profile = "osr"\n# mine\n'


def test_what_its_owner_has_driven_with_goes_on_to_hold(pi: PretendedPi, source: Path) -> None:
    pi.write("/home/pi/.config/rover/rover.toml", '[rover]\nname = "Mine"\n')
    pi.write("/home/pi/.local/state/rover/calibration.toml", "# measured\n")
    install(pi, source)
    assert pi.text("/etc/rover/rover.toml") == '[rover]\nname = "Mine"\n'
    assert pi.text("/var/lib/rover/calibration.toml") == "# measured\n"


def test_the_person_joins_only_the_groups_that_are_missing(pi: PretendedPi, source: Path) -> None:
    install(pi, source)
    (line,) = [line for line in pi.ran if line.startswith("usermod")]
    assert line == "usermod --append --groups rover,gpio,input pi"


def test_the_units_are_all_of_them_and_the_port_is_the_pages() -> None:
    there = {path.name for path in (ROOT / "systemd").iterdir() if path.is_file()}
    assert {path.parent.name for path in (ROOT / "systemd").glob("*.d/*")} == {
        *("rover-control.service.d", "sysusers.d", "tmpfiles.d")
    }
    assert {*UNITS, "rover-hotspot.service", "rover-camera.service"} == there
    assert WebConfig().port == PORT


@pytest.mark.parametrize(("version", "there"), [(252, False), (254, True), (257, True)])
def test_systemd_gets_only_what_it_knows(
    pi: PretendedPi, source: Path, version: int, there: bool
) -> None:
    pi.systemd = version
    install(pi, source)
    place = pi.root / "etc/systemd/system/rover-control.service.d/restart-direct.conf"
    assert place.exists() is there
    assert install(pi, source).changes == []


def test_others_can_read_what_root_makes(pi: PretendedPi, source: Path) -> None:
    before = os.umask(0o077)
    try:
        assert run(pi, source, "--pi", "5", "--yes") == 0
    finally:
        assert os.umask(before) == 0o077
    folder = pi.root / "opt/rover-versions"
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o044 == 0o044, path


# What people do wrong, and what happens to them


@pytest.mark.parametrize(
    ("model", "release", "told"),
    [
        ("", "bookworm", "no Raspberry Pi"),
        ("Raspberry Pi 2 Model B Rev 1.1", "bookworm", "Raspberry Pi 2"),
        ("Raspberry Pi 4 Model B Rev 1.4", "bullseye", "this is bullseye"),
        ("Raspberry Pi 5 Model B Rev 1.0", "trixie", None),
        ("Raspberry Pi Compute Module 4 Rev 1.0", "bookworm", None),
    ],
)
def test_a_computer_that_it_is_not_made_for_is_told(
    pi: PretendedPi, model: str, release: str, told: str | None
) -> None:
    pi.write("/proc/device-tree/model", f"{model}\0")
    pi.write("/etc/os-release", f"ID=debian\nVERSION_CODENAME={release}\n")
    number, name = preflight.pi_model(pi.system)
    if told is None:
        preflight.check_computer(pi.system, number, name)
        return
    with pytest.raises(InstallError, match=told) as refused:
        preflight.check_computer(pi.system, number, name)
    assert "--anyway" in refused.value.next_step


def test_files_of_another_system_need_their_model(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pi.files()
    assert run(pi, source, "--yes") == 1
    assert "Next: Say it: `--pi 3`" in capsys.readouterr().err
    assert pi.files() == before
    assert run(pi, source, "--yes", "--pi", "5") == 0


def test_somebody_is_asked_first_and_may_say_no(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pi.files()
    assert run(pi, source, "--pi", "5", answer="n") == 0
    assert "Nothing was changed." in capsys.readouterr().out
    assert pi.files() == before


def test_without_a_terminal_what_must_be_asked_must_be_said(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    before = pi.files()
    with open(os.devnull, encoding="utf-8") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        arguments = ["--root", str(pi.root), "--pi", "4", "--yes"]
        assert main(arguments, runner=pi, source=source) == 1
    assert "`--bluetooth off`" in capsys.readouterr().err
    assert pi.files() == before


@pytest.mark.parametrize(
    ("fails", "outcome", "next_step"),
    [
        ("apt-get", NO_NETWORK, "Connect this computer to the internet"),
        ("apt-get", Outcome(100, "No space left on device"), "Make room"),
        ("apt-get", Outcome(100, "dpkg was upset"), "--fix-broken"),
        ("/opt/rover-versions", Outcome(1, "NewConnectionError"), "Connect this computer"),
        ("/opt/rover-versions", Outcome(1, "CERTIFICATE_VERIFY_FAILED"), "Set the clock"),
        ("raspi-config", Outcome(1, "Read-only file system"), "Make the file system writable"),
    ],
)
def test_a_failure_says_one_next_step_and_the_next_try_goes_on(  # noqa: PLR0917
    pi: PretendedPi,
    source: Path,
    capsys: pytest.CaptureFixture[str],
    fails: str,
    outcome: Outcome,
    next_step: str,
) -> None:
    pi.fails = {fails: outcome}
    arguments = ("--yes", "--pi", "4", "--bluetooth", "off")
    assert run(pi, source, *arguments) == 1
    said = capsys.readouterr().err
    assert said.count("Next: ") == 1
    assert next_step in said
    assert "Traceback" not in said
    pi.fails = {}
    assert run(pi, source, *arguments) == 0
    assert work.show(pi.job(source, person=""), Told()) == 0


def test_a_full_disk_is_told_and_leaves_no_half_file(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = pi.files()
    assert run(pi, source, "--yes", "--pi", "5") == 1
    assert "Next: Make room" in capsys.readouterr().err
    assert pi.files() == before


def _old_clock(monkeypatch, _pi: PretendedPi) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)


def _little_room(monkeypatch, _pi: PretendedPi) -> None:
    usage = shutil.disk_usage("/")._replace(free=300 * 1024**2)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)


def _read_only(monkeypatch, pi: PretendedPi) -> None:
    found = os.statvfs(pi.root)
    flags = found.f_flag | os.ST_RDONLY
    changed = os.statvfs_result((*found[:8], flags, found[9]))
    monkeypatch.setattr("os.statvfs", lambda _path: changed)


def _somebody(monkeypatch, pi: PretendedPi) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.access", lambda _path, _mode: False)


@pytest.mark.parametrize(
    ("spoil", "told", "next_step"),
    [
        (_old_clock, "the clock is years behind", "sudo date"),
        (_little_room, "/opt has 300 MB free; 700 MB are needed", "sudo apt-get clean"),
        (_read_only, "/opt is read-only", "memory card"),
        (_somebody, "root's rights", "sudo ./install.sh"),
    ],
)
def test_what_must_be_so_is_looked_at_before_anything_is_changed(  # noqa: PLR0917
    pi: PretendedPi,
    source: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch,
    spoil: Callable,
    told: str,
    next_step: str,
) -> None:
    before = pi.files()
    with monkeypatch.context() as patch:
        spoil(patch, pi)
        assert run(pi, source, "--yes", "--pi", "5") == 1
    said = capsys.readouterr().err
    assert told in said
    assert next_step in said
    assert (pi.files(), pi.ran) == (before, [])


@pytest.mark.parametrize("words", ["overlayroot=tmpfs", "boot=overlay"])
def test_a_system_that_forgets_is_told(pi: PretendedPi, words: str) -> None:
    pi.write("/proc/cmdline", f"console=tty1 {words} rootwait\n")
    with pytest.raises(InstallError, match="gone after a reboot") as refused:
        preflight.check_overlay(pi.system)
    assert "do_overlayfs 1" in refused.value.next_step
    pi.write("/proc/cmdline", "console=tty1 rootwait\n")
    preflight.check_overlay(pi.system)


def test_somebody_elses_command_is_not_written_over(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pi.write("/usr/local/bin/rover", "another rover")
    assert run(pi, source, "--yes", "--pi", "5") == 1
    assert "sudo mv /usr/local/bin/rover" in capsys.readouterr().err
    assert pi.text("/usr/local/bin/rover") == "another rover"


def test_a_record_that_is_broken_is_told(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pi.write(RECORD, "{")
    assert run(pi, source, "--yes", "--pi", "5") == 1
    assert f"sudo rm {RECORD}" in capsys.readouterr().err


# The network of its own


def test_a_network_of_its_own_only_for_those_who_want_one(pi: PretendedPi, source: Path) -> None:
    install(pi, source)
    assert not [path for path in pi.files() if "hotspot" in path and "/etc/" in path]
    told = install(pi, source, hotspot=True)
    profile = pi.root / "etc/NetworkManager/system-connections/rover-hotspot.nmconnection"
    assert profile.stat().st_mode & 0o777 == 0o600
    password = hotspot_password(pi.system)
    assert re.fullmatch(r"[a-z2-9]{12}", password)
    assert password not in " ".join(told.lines)
    assert "network-manager" in pi.packages
    install(pi, source, hotspot=False)
    assert not [path for path in pi.files() if "hotspot" in path and "/etc/" in path]


# The camera


@pytest.mark.parametrize(
    ("kind", "package", "source_name"),
    [("pi", "python3-picamera2", "picamera2"), ("usb", "python3-opencv", "v4l2")],
)
def test_a_camera_only_for_those_who_have_one(
    pi: PretendedPi, source: Path, kind: str, package: str, source_name: str
) -> None:
    unit = pi.root / "etc/systemd/system/rover-camera.service"
    install(pi, source, camera=kind)
    assert unit.exists()
    assert (pi.root / "etc/systemd/system/rover.target.wants/rover-camera.service").is_symlink()
    assert package in pi.packages
    loaded = load_config(user_file=pi.root / "etc/rover/rover.toml", places=NOWHERE)
    assert loaded.config.camera.source == source_name
    assert install(pi, source, camera=kind).changes == []
    install(pi, source, camera="")
    assert not [path for path in pi.files() if "rover-camera" in path and "/opt/" not in path]


# Uninstall


def test_uninstall_leaves_what_was_there_and_what_a_person_made(
    pi: PretendedPi, source: Path
) -> None:
    pi.enabled.add("hciuart.service")
    before = pi.files()
    choices = ("--pi", "4", "--bluetooth", "off", "--user", "pi", "--name", "rover-7", "--yes")
    assert run(pi, source, *choices, "--hotspot") == 0
    assert pi.enabled == set()
    pi.write("/var/lib/rover/calibration.toml", "# measured\n")
    assert run(pi, source, "uninstall", "--yes", "--pi", "4") == 0
    after = pi.files()
    kept = {path for path in after if path not in before}
    assert kept == {"/etc/rover/rover.toml", "/var/lib/rover/calibration.toml"}
    assert "hciuart.service" in pi.enabled
    changed = {path for path in before if before[path] != after.get(path)}
    # Users and groups stay for the files that are theirs; raspi-config writes what is off, too.
    assert changed <= {"/etc/passwd", "/etc/group", "/boot/firmware/config.txt"}
    assert "disable-bt" not in pi.text("/boot/firmware/config.txt")
    assert "enable_uart=0" in pi.text("/boot/firmware/config.txt")
    assert not re.search(r"^rover:.*pi$", pi.text("/etc/group"), re.MULTILINE)


def test_it_can_be_taken_away_when_the_checkout_is_gone(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(pi, source, "--pi", "4", "--bluetooth", "off", "--yes") == 0
    installed = (pi.root / "opt/rover").resolve()
    # From there the same version is installed: nothing to do.
    assert run(pi, installed, "--dry-run", "--pi", "4") == 0
    assert "Nothing is to be done." in capsys.readouterr().out
    assert run(pi, installed, "uninstall", "--yes", "--pi", "4") == 0
    # The console is where it was, which is where motor controllers may still be.
    assert "unplug the motor controllers" in capsys.readouterr().out
    assert not installed.exists()


def test_purge_leaves_nothing(pi: PretendedPi, source: Path) -> None:
    assert run(pi, source, "--pi", "5", "--yes") == 0
    assert run(pi, source, "uninstall", "--purge", "--pi", "5", "--yes") == 0
    assert not [path for path in pi.files() if "rover" in path]
    assert "rover" not in pi.text("/etc/passwd")


def test_uninstall_can_be_tried_first(pi: PretendedPi, source: Path) -> None:
    assert run(pi, source, "--pi", "5", "--yes") == 0
    before, pi.ran = pi.files(), []
    assert run(pi, source, "uninstall", "--dry-run", "--pi", "5") == 0
    assert (pi.files(), pi.ran) == (before, [])


def test_what_is_not_installed_is_not_taken_away(
    pi: PretendedPi, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(pi, source, "uninstall", "--yes") == 1
    assert run(pi, source, "upgrade", "--yes") == 1
    assert "not installed here" in capsys.readouterr().err


def test_what_drives_is_stopped_before_anything_of_it_goes(pi: PretendedPi, source: Path) -> None:
    pi.live = True
    install(pi, source)
    pi.ran = []
    told = Told()
    work.uninstall(pi.job(source), told, purge=False)
    assert pi.ran[0].startswith("systemctl stop rover.target rover-control.service")
    assert told.changes[0] == f"run `{pi.ran[0]}`"
    assert pi.active == set()


# The record


def test_what_was_chosen_holds_until_it_is_chosen_otherwise(pi: PretendedPi, source: Path) -> None:
    assert run(pi, source, "--pi", "4", "--bluetooth", "small", "--hotspot", "--yes") == 0
    assert run(pi, source, "upgrade", "--yes", "--pi", "4") == 0
    choices = json.loads(pi.text(RECORD))["choices"]
    assert (choices["bluetooth"], choices["hotspot"]) == ("small", True)
    assert run(pi, source, "--yes", "--pi", "4", "--bluetooth", "off", "--no-hotspot") == 0
    choices = json.loads(pi.text(RECORD))["choices"]
    assert (choices["bluetooth"], choices["hotspot"]) == ("off", False)


# The script itself, and real commands


def test_commands_are_run_without_what_only_this_program_needs(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    waited = []
    runner = CommandRunner(Path("/"), lambda: waited.append(1), tmp_path / "log")
    said = runner(("sh", "-c", 'echo "${PYTHONPATH-none} $DEBIAN_FRONTEND"; exit 3'), quiet=True)
    assert said == Outcome(3, "none noninteractive\n")
    assert runner(("no-such-command-anywhere",), quiet=True).code == 127
    # While it runs, there is something to see.
    assert waited == []
    runner(("sh", "-c", "sleep 0.5; echo slept"), quiet=False)
    assert waited
    assert (tmp_path / "log").read_text() == "$ sh -c sleep 0.5; echo slept\nslept\n\n"


def test_the_script_runs_before_there_is_any_package(tmp_path: Path) -> None:
    (tmp_path / "opt").mkdir()
    (tmp_path / "var").mkdir()
    ended = subprocess.run(
        [ROOT / "install.sh", "--dry-run", "--anyway", "--root", tmp_path],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert ended.returncode == 0, ended.stderr
    assert "changes; none made." in ended.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["opt", "var"]
    assert not list((ROOT / "installer").glob("__pycache__/*.opt-*"))
