"""The doctor's report: on the terminal, as JSON, and its exit status."""

import io
import json
import re
import threading
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from calibration.doctor.bench import this_bench
from calibration.doctor.examination import examination
from calibration.doctor.finding import REPORT_VERSION, Finding, Report, Verdict
from calibration.doctor.remedies import REMEDIES, trouble
from calibration.doctor.surroundings import this_computer
from calibration.doctor.terminal import examine, summary
from rover.cli import main
from rover.clock import SystemClock
from rover.errors import DeviceError
from rover.sim.server import HardwareServer
from tests.builders import osr_config
from tests.doctor.rig import Patient

ROOT = Path(__file__).parents[2]


def shown(patient: Patient) -> tuple[str, Report]:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    report = examine(patient.surroundings(), examination(patient.bench()), console)
    console.print(summary(report))
    return console.file.getvalue(), report


def test_the_terminal_shows_every_finding_and_what_to_do_first(tmp_path: Path) -> None:
    text, report = shown(Patient(tmp_path, wrong="single-unit"))
    assert report.failed
    for finding in report.findings:
        assert finding.step in text
    assert "FAIL" in text
    assert "multi-unit mode is off" in text
    assert "1 FAIL" in text
    begin = text.splitlines()[-1]
    assert begin == "Begin with RoboClaw 0x81: Switch multi-unit mode on: `rover setup roboclaw`."


def test_a_rover_that_is_well_is_told_so(tmp_path: Path) -> None:
    text, report = shown(Patient(tmp_path))
    assert not report.failed
    assert "All that can be seen standing still is well." in text


def test_a_failure_goes_before_an_earlier_warning(tmp_path: Path) -> None:
    patient = Patient(tmp_path, wrong="flat-battery")
    patient.free_mb = 300
    assert "Begin with battery" in shown(patient)[0]


def test_the_json_is_the_report(tmp_path: Path) -> None:
    patient = Patient(tmp_path, wrong="flat-battery")
    report = examine(patient.surroundings(), examination(patient.bench()), None)
    told = json.loads(msgspec.json.encode(report))
    assert told["version"] == REPORT_VERSION
    assert told["by_control"] is False
    assert {entry["verdict"] for entry in told["findings"]} <= set(Verdict)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_the_command_ends_with_one_if_anything_failed(tmp_path: Path) -> None:
    (tmp_path / "rover.toml").write_text(
        f'[roboclaw]\nport = "/dev/no-such-port"\n'
        f'[steering]\ni2c_bus = "/dev/no-such-bus"\n'
        f'[power]\ni2c_bus = "/dev/no-such-bus"\n'
        f'[panel]\ngpio = "none"\n'
        f'[gamepad]\ndevice = "{tmp_path}/no-pad"\n',
        encoding="utf-8",
    )
    options = ["--dir", str(tmp_path / "run"), "--config", str(tmp_path / "rover.toml")]
    done = CliRunner().invoke(main, ["doctor", "--json", *options])
    assert done.exit_code == 1, done.output
    report = msgspec.json.decode(done.output, type=Report)
    by_code = {finding.code: finding for finding in report.findings}
    assert by_code["i2c-off"].found == "there is no /dev/no-such-bus"
    assert by_code["usb-absent"].found == "there is no /dev/no-such-port"
    assert by_code["python"].verdict is Verdict.OK
    assert by_code["packages"].verdict is Verdict.OK


def test_ports_are_opened_by_the_rovers_own_openers(tmp_path: Path) -> None:
    with HardwareServer(osr_config(), tmp_path / "s", paced=False) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            bench = this_bench(tmp_path / "run", SystemClock())
            for baud in (115200, 38400):
                line = bench.open_line(str(tmp_path / "s" / "serial0"), baud)
                with pytest.raises(DeviceError, match="another program uses it"):
                    bench.open_line(str(tmp_path / "s" / "serial0"), baud)
                line.close()
            bench.open_i2c(f"socket:{tmp_path / 's' / 'i2c'}").close()
            assert bench.pins(f"socket:{tmp_path / 's' / 'gpio'}") == "EndpointFactory"
        finally:
            server.stop()
            thread.join()


def test_simulated_devices_that_are_not_there_are_findings(tmp_path: Path) -> None:
    options = ["--dir", str(tmp_path / "run"), "--sim", str(tmp_path / "none")]
    done = CliRunner().invoke(main, ["doctor", "--json", *options])
    assert done.exit_code == 1
    codes = {finding.code for finding in msgspec.json.decode(done.output, type=Report).findings}
    assert {"usb-absent", "i2c-trouble", "gpio-absent"} <= codes


def test_a_configuration_that_cannot_be_used_is_a_finding_not_an_end(tmp_path: Path) -> None:
    (tmp_path / "rover.toml").write_text("[roboclaw]\nport = 3\n", encoding="utf-8")
    options = ["--dir", str(tmp_path / "run"), "--config", str(tmp_path / "rover.toml")]
    done = CliRunner().invoke(main, ["doctor", *options])
    assert done.exit_code == 1
    assert "rover.toml" in done.output
    assert "Mend what `rover config check` names." in " ".join(done.output.split())


def test_this_computer_is_looked_at_as_it_is() -> None:
    here = this_computer(osr_config(), "", None)
    assert here.has_module("msgspec")
    assert not here.has_module("no_such_module")
    assert here.run(("echo", "hello")) == "hello"
    assert here.run(("no-such-command-at-all",)) is None
    assert here.run(("sh", "-c", "echo inactive; exit 3")) == "inactive"
    assert here.disk(Path("/")).free_bytes >= 0
    assert here.person.name
    assert here.text("/no/such/file") is None


def test_every_trouble_in_the_code_is_in_the_table_and_the_other_way_round() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "calibration/doctor").glob("*.py")
    )
    for code in REMEDIES:
        # Once in the table, and again where it is found.
        assert len(re.findall(rf'"{code}"', source)) >= 2, code


@pytest.mark.parametrize("code", list(REMEDIES))
def test_every_trouble_has_a_symptom_and_one_next_step(code: str) -> None:
    remedy = REMEDIES[code]
    assert remedy.symptom
    assert remedy.verdict in (Verdict.WARN, Verdict.FAIL)
    assert remedy.next_step.endswith((".", "{how}"))
    places = dict.fromkeys(re.findall(r"{(\w+)}", remedy.next_step), "X")
    finding = trouble("step", code, "tried", "found", **places)
    assert isinstance(finding, Finding)
    assert finding.verdict is remedy.verdict
    assert "{" not in finding.next_step
