"""The `rover` command: what it offers, and that a user's mistake is one sentence."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from calibration.store import CalibrationStore
from rover import paths
from rover.cli import main
from rover.clock import ManualClock
from rover.config.files import load_config
from rover.config.pads import PadButtonsConfig, PadConfig
from rover.errors import LinkError
from rover.gamepad.survey import Survey
from rover.link import ControlLink
from rover.simulated import simulated
from tests.builders import osr_config
from web.access import Access
from web.console import Console


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def run_process(*arguments: str) -> tuple[int, str]:
    """Run the command in a process of its own, for what changes the process it runs in."""
    ended = subprocess.run(
        [sys.executable, "-m", "rover", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "command", ["sim", "control", "web", "hardware-sim", "alarm", "pair", "stop", "clear", "config"]
)
def test_every_command_is_listed_and_has_help(command: str) -> None:
    assert command in run("--help").output
    assert run(command, "--help").exit_code == 0


@pytest.mark.parametrize("kind", ["stop", "clear"])
def test_asking_where_no_control_runs_is_one_sentence(kind: str, tmp_path: Path) -> None:
    result = run(kind, "--dir", str(tmp_path))
    assert result.exit_code == 1
    assert "is `rover control` running there?" in result.output


class TestPair:
    @pytest.fixture
    def state(self) -> Iterator[Path]:
        """The state directory of a running web server."""
        with tempfile.TemporaryDirectory(prefix="rover-") as name:
            self.access = Access(Path(name), ManualClock())
            served = Console(Path(name), self.access, lambda: ("http://10.0.0.5:8080", "AB:CD"))
            served.start()
            yield Path(name)
            served.close()

    def test_it_shows_a_code_that_fits(self, state: Path) -> None:
        output = run("pair", "--state", str(state)).output
        code, link = re.search(
            r"Open  http://10\.0\.0\.5:8080/pair  and enter  (\d{3} \d{3})\s.*?(http\S+)",
            output,
            re.DOTALL,
        ).groups()
        assert "5 minutes and one device" in output
        assert "AB:CD" in output
        assert self.access.invitations.redeem_code(code, "10.0.0.9").fits
        run("pair", "--state", str(state))
        assert not self.access.invitations.redeem_token(link.partition("=")[2]).fits

    def test_it_finds_the_server_of_this_user(
        self, state: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STATE_DIRECTORY", str(state))
        assert run("pair").exit_code == 0
        monkeypatch.setenv("STATE_DIRECTORY", str(state / "elsewhere"))
        monkeypatch.setattr(paths, "SERVICE_STATE", state)
        assert run("pair").exit_code == 0

    def test_it_lists_and_revokes(self, state: Path) -> None:
        assert "No device is paired" in run("pair", "--state", str(state), "--list").output
        added = self.access.devices.add("Anna's phone")
        listed = run("pair", "--state", str(state), "--list").output
        assert added.device.id in listed
        assert "Anna's phone" in listed
        assert added.device.token_sha256 not in listed
        assert run("pair", "--state", str(state), "--revoke", "Anna's phone").exit_code == 0
        assert self.access.devices.all() == ()
        again = run("pair", "--state", str(state), "--revoke", "Anna's phone")
        assert again.exit_code == 1
        assert "no device is called" in again.output

    def test_without_a_server_it_is_one_sentence(self, tmp_path: Path) -> None:
        result = run("pair", "--state", str(tmp_path))
        assert result.exit_code == 1
        assert "is `rover web` running?" in result.output


def test_a_mistake_reaches_the_journal_as_an_error(tmp_path: Path) -> None:
    mistaken = tmp_path / "rover.toml"
    mistaken.write_text("[motion]\nmax_speed_mps = -1.0\nmax_sped = 2\n")
    with (tmp_path / "journal").open("w+") as journal:
        status = os.fstat(journal.fileno())
        ended = subprocess.run(
            [sys.executable, "-m", "rover", "control", "--config", str(mistaken)],
            stderr=journal,
            timeout=20,
            check=False,
            env=os.environ | {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
        )
        journal.seek(0)
        lines = journal.read().splitlines()
    assert ended.returncode == 1
    assert len(lines) == 2
    assert all(line.startswith("<3>") for line in lines)
    assert "max_sped" in "".join(lines)


def test_a_second_control_is_one_sentence() -> None:
    with tempfile.TemporaryDirectory(prefix="rover-") as name, ControlLink(Path(name)):
        code, said = run_process("control", "--dir", name, "--sim", name)
    assert code == 1
    assert "another `rover control` is running" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["control", "web", "hardware-sim", "sim"])
def test_a_mistake_in_a_file_is_told_by_every_command(command: str, tmp_path: Path) -> None:
    file = tmp_path / "rover.toml"
    file.write_text("[motion]\nmax_sped_mps = 2.0\n")
    result = run(command, "--config", str(file))
    assert result.exit_code == 1
    assert str(file) in result.output
    assert "motion.max_sped_mps" in result.output
    assert "max_speed_mps" in result.output


def test_a_process_whose_parent_has_gone_does_not_start(tmp_path: Path) -> None:
    code, said = run_process("control", "--dir", str(tmp_path), "--parent", "1")
    assert code == 1
    assert "has gone" in said


def test_the_simulation_changes_only_where_the_devices_are(tmp_path: Path) -> None:
    config = osr_config()
    changed = simulated(config, tmp_path)
    assert changed.roboclaw.port == str(tmp_path / "serial0")
    assert changed.steering.i2c_bus == f"socket:{tmp_path / 'i2c'}"
    assert changed.steering.calibrated
    for section in ("wheels", "motion", "gate", "deadlines", "loop", "sticks"):
        assert getattr(changed, section) == getattr(config, section)
    assert changed.roboclaw.serial_timeout_s == config.roboclaw.serial_timeout_s


def test_the_built_in_rover_loads_as_it_is() -> None:
    assert load_config("osr").config.wheels == osr_config().wheels


def test_the_runtime_directory_is_the_first_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROVER_RUNTIME_DIR", "/a")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/b")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/c")
    assert paths.runtime_directory() == Path("/a")
    monkeypatch.delenv("ROVER_RUNTIME_DIR")
    assert paths.runtime_directory() == Path("/b")
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert paths.runtime_directory() == Path("/c/rover")


def test_the_systems_runtime_directory_serves_all_who_may_enter_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not only control, which alone may write there: `rover stop` must find it too."""
    for variable in ("ROVER_RUNTIME_DIR", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "is_dir", lambda path: path == Path("/run/rover"))
    monkeypatch.setattr(os, "access", lambda _path, mode: mode == os.X_OK)
    assert paths.runtime_directory() == Path("/run/rover")


def without_a_runtime_directory(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> Path:
    """Leave only the temporary directory to meet in; return the folder that is chosen there."""
    for variable in ("ROVER_RUNTIME_DIR", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary / f"rover-{os.getuid()}"


def test_a_folder_in_the_temporary_directory_is_this_users_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = without_a_runtime_directory(monkeypatch, tmp_path)
    for _ in range(2):
        assert paths.runtime_directory() == folder
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["open to others", "a link"])
def test_a_folder_that_others_can_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    folder = without_a_runtime_directory(monkeypatch, tmp_path)
    if kind == "a link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(LinkError, match="of your own"):
        paths.runtime_directory()
    result = run("stop")
    assert result.exit_code == 1
    assert "of your own" in result.output


def test_the_state_directory_outlives_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/rover")
    assert paths.state_directory() == Path("/var/lib/rover")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert paths.state_directory() == Path("/s/rover")


class TestGamepad:
    def test_the_list_says_what_to_do_next(self) -> None:
        listed = run("gamepad", "list")
        assert listed.exit_code == 0
        told = msgspec.json.decode(run("gamepad", "list", "--json").output, type=Survey)
        assert told.next_step in listed.output.replace("\n", " ")

    @pytest.mark.parametrize("command", [("gamepad", "watch"), ("calibrate", "gamepad")])
    def test_help_is_there(self, command: tuple[str, ...]) -> None:
        assert run(*command, "--help").exit_code == 0

    def test_a_calibration_wants_a_terminal(self, tmp_path: Path) -> None:
        result = run("calibrate", "gamepad", "--dir", str(tmp_path))
        assert result.exit_code == 1
        assert "run it in a terminal" in result.output

    def test_an_undo_with_nothing_to_undo_is_one_sentence(self, tmp_path: Path) -> None:
        file = tmp_path / "calibration.toml"
        result = run("calibrate", "gamepad", "--undo", "--calibration", str(file))
        assert result.exit_code == 1
        assert "nothing to undo" in result.output

    def test_an_undo_takes_the_latest_calibration_back(self, tmp_path: Path) -> None:
        file = tmp_path / "calibration.toml"
        buttons = PadButtonsConfig(right_shoulder="BTN_TR")
        CalibrationStore(file).put_pad("045e:02ea", PadConfig(buttons=buttons))
        result = run("calibrate", "gamepad", "--undo", "--calibration", str(file))
        assert result.exit_code == 0
        assert "045e:02ea is not calibrated any more" in result.output
