"""The soak in short, and that it finds what is broken by hand."""

import random

import pytest
from msgspec import structs

from benchmarks.soak import shares
from benchmarks.soak.__main__ import real
from benchmarks.soak.people import Scene
from benchmarks.soak.rules import Rules
from benchmarks.soak.shares import soak_in_shares
from benchmarks.soak.simulated import _Pad, _Run, soaked_config
from benchmarks.soak.tables import simulated_records
from benchmarks.soak.watching import slope
from rover.errors import RoverError
from rover.hardware.roboclaw import RoboclawDrive
from rover.loop import ControlLoop
from rover.messages import Arc, RequestKind, Source
from rover.motion.arbiter import Arbiter
from rover.sim.devices import SimulatedDevices
from tests.whole.memory_rover import MemoryRover


def scene(seed: int = 1) -> tuple[Scene, _Run]:
    pad = _Pad()
    rover = MemoryRover(soaked_config(), make_pad=lambda config, clock: pad)
    made = Scene(rover, pad, Rules(rover.config, rover.simulated.devices), seed)
    return made, _Run(made, pad)


def found(seed: int = 1, simulated_s: float = 40.0) -> set[str]:
    """Return which rules a soak finds broken."""
    made, run = scene(seed)
    end_s = made.now_s + simulated_s
    while made.now_s < end_s and not run.ended and not made.rules.found.broken:
        run.turn()
    return set(made.rules.found.broken)


def test_a_while_of_it_breaks_no_rule_and_is_the_same_again() -> None:
    told = []
    first, again = (
        soak_in_shares(6, 25.0 / 3600.0, 1, lambda *done: told.append(done)) for _ in range(2)
    )
    assert first[0].violations == ()
    assert first[0].counts["became armed"] > 0
    assert first[0].driven_m > 0.0
    assert (first[0].counts, first[0].stop_times_s) == (again[0].counts, again[0].stop_times_s)
    assert told
    for record in simulated_records(first):
        assert record.meaning
        assert record.met or "grown" in record.name


def test_shares_are_done_in_processes_of_their_own() -> None:
    done = soak_in_shares(8, 2.0 / 3600.0, 2, lambda *_: None)
    assert [share.seed for share in done] == [8, 9]
    assert all(share.ticks > 50 for share in done)
    assert shares._told is None


def test_a_stop_that_is_forgotten_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Arbiter, "stop", lambda *_: None)
    monkeypatch.setattr(Arbiter, "_forget_the_silent", lambda *_: None)
    # Whoever drives by this seed is heard to stop while the stick of another is held.
    assert found(5) & {
        "wheels stand when nobody may drive",
        "nothing speeds up that nobody may drive",
    }


def test_zero_duty_that_is_not_sent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    command = RoboclawDrive.command
    made, run = scene()

    def deaf(self, targets):
        kept = targets if targets.power else self.kept
        self.kept = kept
        object.__setattr__(kept, "stamp_s", targets.stamp_s)
        return command(self, kept)

    made.rover.hardware.drive.kept = made.rover.loop._gate.permit(
        None, made.rover.state, made.now_s
    )
    monkeypatch.setattr(RoboclawDrive, "command", deaf)
    monkeypatch.setattr(SimulatedDevices, "_enable_motors", lambda *_: None)
    while not made.rules.found.broken:
        run.turn()
        assert made.now_s < 300.0
    assert set(made.rules.found.broken) & {
        "wheels stand when power is off",
        "nothing speeds up that nobody may drive",
    }


def test_a_motor_enable_line_that_stays_high_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made, run = scene()
    panel = made.rover.hardware.panel
    enable = panel.enable_motors
    monkeypatch.setattr(panel, "enable_motors", lambda _enabled: enable(True))
    made.ask(RequestKind.STOP)
    run.turn()
    assert "motor-enable is low in ESTOP and FAULT" in made.rules.found.broken


def test_an_exception_in_a_tick_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RoverError("a bug")

    monkeypatch.setattr(ControlLoop, "_observe", broken)
    assert found() == {"no exception leaves a tick"}


def test_what_is_shown_and_has_not_been_is_found() -> None:
    made, run = scene()
    published = []
    told = made.rules.shown.told
    made.rules.shown.told = lambda frame: (published.append(frame), told(frame))
    for _ in range(20):
        run.turn()
    assert not made.rules.found.broken
    frame = published[-1]
    wheels = tuple(structs.replace(view, speed_rad_s=3.0) for view in frame.wheels)
    told(structs.replace(frame, wheels=wheels))
    assert set(made.rules.found.broken) == {"no speed is shown that has not been"}
    made.rules.found.broken.clear()
    told(structs.replace(frame, power=structs.replace(frame.power, voltage_v=12.0)))
    told(structs.replace(frame, power=structs.replace(frame.power, stamp_s=made.now_s - 3.0)))
    assert set(made.rules.found.broken) == {
        "no voltage is shown that has not been",
        "no old voltage is shown",
    }


def test_arming_by_nobody_and_wheels_that_turn_by_themselves_are_found() -> None:
    made, _ = scene()
    rover = made.rover
    rover.run(1.0)
    assert rover.ask(RequestKind.ARM).accepted
    made.rules.check(made.now_s, made.now_s, rover.state)
    assert "only a person arms" in made.rules.found.broken
    rover.say(Arc(0.0, 0.0), Source.WEB)
    rover.run(1.0)
    rover.say(Arc(1.0, 0.0), Source.WEB)
    made.rules.found.broken.clear()
    for _ in range(100):
        rover.tick()
        made.rules.check(made.now_s, made.now_s, rover.state)
    assert "nothing speeds up that nobody may drive" in made.rules.found.broken


def test_a_slope_is_that_of_the_line_through_the_samples() -> None:
    noise = random.Random(1)
    samples = [(float(t), 3.0 + 0.25 * t + noise.uniform(-0.1, 0.1)) for t in range(100)]
    assert slope(samples) == pytest.approx(0.25, abs=0.01)
    assert slope(samples[:1]) == 0.0


@pytest.mark.process
def test_seconds_of_the_real_processes_break_no_rule() -> None:
    wrong: list[str] = []
    records = real(0.02, 3, wrong.extend).run(None, lambda *_: None)
    assert wrong == []
    for record in records:
        assert record.meaning
        assert record.met or "resident" in record.name
