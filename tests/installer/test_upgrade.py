"""Another version over one that drives: stopped first, and back again if it does not come up."""

import signal
from pathlib import Path

import pytest

from installer import work
from installer.errors import InstallError
from installer.program import version_name
from installer.system import Outcome
from tests.installer.pretended_pi import CONTROL, WEB, PretendedPi, Told, checkout

RUNNING = {CONTROL, WEB, "rover.target"}
UNIT = "/etc/systemd/system/rover-control.service"


@pytest.fixture(autouse=True)
def signals():
    """Going back is not to be ended by Ctrl-C, so it changes what signals do."""
    before = {number: signal.getsignal(number) for number in work.ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return checkout(tmp_path / "old", "0.1.0")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    folder = checkout(tmp_path / "new", "0.2.0")
    unit = folder / "systemd/rover-control.service"
    unit.write_text(unit.read_text() + "# newer\n")
    return folder


@pytest.fixture
def pi(tmp_path: Path, old: Path) -> PretendedPi:
    """A Raspberry Pi whose rover runs, with a calibration of its own."""
    pi = PretendedPi(tmp_path / "pi", live=True)
    install(pi, old)
    assert pi.active == RUNNING
    pi.write("/var/lib/rover/calibration.toml", "# measured\n")
    pi.write("/etc/rover/rover.toml", '[rover]\nname = "Mine"\n')
    pi.ran = []
    return pi


def install(pi: PretendedPi, source: Path) -> Told:
    told = Told()
    work.install(pi.job(source), told)
    return told


def in_force(pi: PretendedPi) -> str:
    return (pi.root / "opt/rover").readlink().name


def check_that_the_old_one_drives(pi: PretendedPi, old: Path) -> None:
    assert in_force(pi) == version_name(old)
    assert pi.active == RUNNING
    assert "# newer" not in pi.text(UNIT)
    assert pi.text("/var/lib/rover/calibration.toml") == "# measured\n"


def test_the_rover_is_stopped_before_anything_else_and_started_at_the_end(
    pi: PretendedPi, new: Path
) -> None:
    install(pi, new)
    assert pi.ran[0].startswith(f"systemctl stop rover.target {CONTROL} {WEB}")
    assert pi.ran[-1].startswith("systemctl start --no-block rover.target")
    assert in_force(pi) == version_name(new)
    assert pi.active == RUNNING
    assert "# newer" in pi.text(UNIT)
    # What belongs to this rover is as it was.
    assert pi.text("/var/lib/rover/calibration.toml") == "# measured\n"
    assert pi.text("/etc/rover/rover.toml") == '[rover]\nname = "Mine"\n'


def test_a_rover_that_is_up_to_date_drives_on(pi: PretendedPi, old: Path) -> None:
    told = install(pi, old)
    assert pi.ran == told.changes == []


def test_only_the_version_before_is_kept(pi: PretendedPi, old: Path, new: Path, tmp_path) -> None:
    third = checkout(tmp_path / "third", "0.3.0")
    install(pi, new)
    install(pi, third)
    kept = {path.name for path in (pi.root / "opt/rover-versions").iterdir()}
    assert kept == {version_name(new), version_name(third)}
    install(pi, third)
    assert {path.name for path in (pi.root / "opt/rover-versions").iterdir()} == kept


def test_a_version_that_does_not_come_up_goes_back(pi: PretendedPi, old: Path, new: Path) -> None:
    pi.broken = {version_name(new)}
    with pytest.raises(InstallError) as failed:
        install(pi, new)
    assert "rover-control.service does not come up" in failed.value.what
    assert "it does not find its own feet" in failed.value.what
    assert "The version that ran before is in force again." in failed.value.what
    assert "journalctl -u rover-control.service" in failed.value.next_step
    check_that_the_old_one_drives(pi, old)
    # Mended, it is tried again.
    pi.broken = set()
    install(pi, new)
    assert in_force(pi) == version_name(new)


def test_a_version_that_dies_again_and_again_goes_back(
    pi: PretendedPi, old: Path, new: Path
) -> None:
    pi.restarting = {version_name(new)}
    with pytest.raises(InstallError, match="does not come up"):
        install(pi, new)
    check_that_the_old_one_drives(pi, old)


def test_whatever_fails_the_old_one_drives_again(pi: PretendedPi, old: Path, new: Path) -> None:
    commands = [
        "python3 -m venv",
        f"/opt/rover-versions/{version_name(new)}/.venv/bin/python -m pip",
        f"/opt/rover-versions/{version_name(new)}/.venv/bin/rover --version",
        f"/opt/rover-versions/{version_name(new)}/.venv/bin/rover config check",
        "systemctl daemon-reload",
        "systemctl start",
    ]
    for command in commands:
        pi.fails = {command: Outcome(1, "no")}
        fails_once(pi)
        with pytest.raises(InstallError) as failed:
            install(pi, new)
        pi.before_each = lambda _line: None
        assert "is in force again" in failed.value.what, command
        check_that_the_old_one_drives(pi, old)


def fails_once(pi: PretendedPi) -> None:
    """Let what fails do so once: what goes back needs daemon-reload, too."""
    (start,) = pi.fails
    seen: list[str] = []

    def forget(line: str) -> None:
        if seen:
            pi.fails = {}
        if line.startswith(start):
            seen.append(line)

    pi.before_each = forget


def test_a_configuration_that_the_new_one_cannot_read_is_told(
    pi: PretendedPi, old: Path, new: Path
) -> None:
    check = f"/opt/rover-versions/{version_name(new)}/.venv/bin/rover config check"
    pi.fails = {check: Outcome(1, "rover.toml, line 1: no such key")}
    with pytest.raises(InstallError, match="line 1: no such key") as failed:
        install(pi, new)
    assert failed.value.next_step.startswith("Mend /etc/rover/rover.toml")
    check_that_the_old_one_drives(pi, old)


def test_wherever_it_is_interrupted_the_old_one_drives_again(
    tmp_path: Path, old: Path, new: Path
) -> None:
    number = 0
    while True:
        pi = PretendedPi(tmp_path / f"cut-{number}", live=True)
        install(pi, old)
        pi.write("/var/lib/rover/calibration.toml", "# measured\n")
        pi.ran = []

        def stop_at(_line: str, pi: PretendedPi = pi, number: int = number) -> None:
            if len(pi.ran) == number:
                pi.before_each = lambda _line: None
                raise KeyboardInterrupt

        pi.before_each = stop_at
        try:
            install(pi, new)
        except KeyboardInterrupt:
            check_that_the_old_one_drives(pi, old)
            number += 1
        else:
            break
    # Stop, venv, pip, version, check, reload, start: each of them was cut off once.
    assert number >= 7


def test_if_going_back_fails_too_both_reasons_are_told(
    pi: PretendedPi, old: Path, new: Path
) -> None:
    pi.broken = {version_name(new), version_name(old)}
    with pytest.raises(InstallError) as failed:
        install(pi, new)
    assert failed.value.what.count("rover-control.service does not come up") == 2
    assert f"Going back to the version before (/opt/rover-versions/{version_name(old)})" in (
        failed.value.what
    )
    assert in_force(pi) == version_name(old)


def test_one_that_stood_still_is_not_started_by_going_back(
    pi: PretendedPi, old: Path, new: Path
) -> None:
    pi.active = set()
    pi.broken = {version_name(new)}
    with pytest.raises(InstallError):
        install(pi, new)
    assert in_force(pi) == version_name(old)
    assert pi.active == set()


def test_an_installation_by_hand_is_taken_over_and_can_be_gone_back_to(
    tmp_path: Path, new: Path
) -> None:
    pi = PretendedPi(tmp_path / "by-hand", live=True)
    checkout(pi.root / "opt/rover", "0.0.9")
    pi.write("/opt/rover/.venv/bin/rover", "")
    for unit in (CONTROL, WEB):
        pi.write(f"/etc/systemd/system/{unit}", "[Service]\n")
        pi.write(f"/etc/systemd/system/multi-user.target.wants/{unit}", "")
    pi.active = {CONTROL, WEB}
    pi.broken = {version_name(new)}
    with pytest.raises(InstallError, match="is in force again"):
        install(pi, new)
    assert (pi.root / "opt/rover/.venv/bin/rover").exists()
    assert not (pi.root / "opt/rover").is_symlink()
    assert {CONTROL, WEB} <= pi.active
    pi.broken = set()
    install(pi, new)
    assert in_force(pi) == version_name(new)
    assert not (pi.root / f"etc/systemd/system/multi-user.target.wants/{CONTROL}").exists()
