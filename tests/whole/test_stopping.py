"""Ways to lose the rover beside those of the matrix (``tests/faults``), and what goes with them.

Measured at the simulated wheel. The bounds are the deadline of what was lost, plus a tick, plus
the plant's own time to stop from this speed, which ``test_the_plants_own_time`` measures.
"""

import math

import pytest
from msgspec import structs

from rover.errors import DeviceError, DeviceTimeoutError
from rover.gamepad import GamepadUpdate
from rover.hardware.roboclaw import RoboclawDrive
from rover.link import RefusedDrive
from rover.messages import (
    Arc,
    ArmState,
    DriveCommand,
    RequestKind,
    Source,
    Spin,
    Stop,
    WheelTargets,
)
from rover.sim.faults import (
    CorruptBytes,
    EncoderState,
    InjectStatus,
    LockWheel,
    SetEncoder,
    Silence,
    UnplugI2c,
)
from tests.builders import osr_config
from tests.whole.memory_rover import MemoryRover

FULL = Arc(1.0, 0.0)
TICK_S = 0.01
# Ramp down from 1 m/s at the stop's deceleration (83 ms), and the motors' lag behind it.
PLANT_S = 0.3
# What the drivers set for the kernel's bus.
I2C_DEADLINE_S = 0.02


def assert_only_neutral_revives(rover: MemoryRover, source: Source = Source.WEB) -> None:
    """After a failsafe the old motion moves nothing; neutral, then motion, does."""
    rover.say(FULL, source)
    rover.run(0.5)
    assert rover.stands()
    rover.say(Arc(0.0, 0.0), source)
    rover.run(0.1)
    rover.say(FULL, source)
    rover.run(0.5)
    assert not rover.stands()


def assert_only_arming_revives(rover: MemoryRover) -> None:
    """Out of a latched state neither motion nor neutral moves a wheel; clear, arm, neutral do."""
    rover.say(Arc(0.0, 0.0))
    rover.run(0.2)
    rover.say(FULL)
    rover.run(0.5)
    assert rover.stands()
    rover.say(Arc(0.0, 0.0))
    rover.run(1.0)
    assert rover.ask(RequestKind.CLEAR).accepted
    rover.run(2.0)
    answer = rover.ask(RequestKind.ARM)
    assert answer.accepted, answer.refusals
    rover.run(1.0)
    assert rover.stands()
    rover.say(FULL)
    rover.run(0.5)
    assert not rover.stands()


def test_the_plants_own_time() -> None:
    rover = MemoryRover().driving(FULL)
    rover.say(Stop("test"))
    assert 0.08 < rover.time_to_stand_s(PLANT_S) < PLANT_S


def test_a_phone_that_says_stop() -> None:
    rover = MemoryRover().driving(FULL)
    rover.say(Stop("page hidden"))
    rover.time_to_stand_s(TICK_S + PLANT_S)
    assert_only_neutral_revives(rover)


def test_a_malformed_command() -> None:
    rover = MemoryRover().driving(FULL)
    rover.link.refused.append(RefusedDrive(Source.WEB, "not a drive command"))
    rover.time_to_stand_s(TICK_S + PLANT_S)
    assert_only_neutral_revives(rover)


def pad_says(rover: MemoryRover, motion: Arc | Spin | Stop, seq: int) -> None:
    command = DriveCommand(Source.GAMEPAD, seq, rover.clock.now_s(), motion)
    rover.pad.update = GamepadUpdate(command=command, connected=True)


def test_a_pad_whose_commands_stop_coming() -> None:
    rover = MemoryRover().armed()
    rover.hush()
    pad_says(rover, Arc(0.0, 0.0), 1)
    rover.tick()
    for n in range(100):
        rover.clock.sleep_s(0.0)
        pad_says(rover, FULL, 2 + n)
        rover.tick()
    assert not rover.stands()
    rover.pad.update = GamepadUpdate()
    rover.time_to_stand_s(0.1 + TICK_S + PLANT_S)


@pytest.mark.parametrize("kind", [RequestKind.STOP, RequestKind.DISARM])
def test_stop_and_disarm(kind: RequestKind) -> None:
    rover = MemoryRover().driving(FULL)
    assert rover.ask(kind).accepted
    rover.time_to_stand_s(PLANT_S)
    truth = rover.truth()
    assert not any(wheel.steer_powered for wheel in truth.wheels)
    assert truth.motor_enable is (kind is RequestKind.DISARM)


def test_the_emergency_stop_drops_the_line_within_a_tick_and_latches() -> None:
    rover = MemoryRover().driving(FULL)
    assert rover.truth().motor_enable
    rover.ask(RequestKind.STOP)
    assert not rover.truth().motor_enable
    assert rover.state is ArmState.ESTOP
    rover.time_to_stand_s(PLANT_S)
    assert_only_arming_revives(rover)


def test_what_is_shown_of_silent_controllers_is_not_their_last_word() -> None:
    rover = MemoryRover().driving(FULL)
    assert rover.telemetry.twist is not None
    for address in (0x80, 0x81, 0x82):
        rover.simulated.inject(Silence(address))
    rover.run(2.0)
    assert rover.telemetry.twist is None
    assert all(wheel.speed_rad_s is None for wheel in rover.telemetry.wheels)
    assert all(wheel.current_a is None for wheel in rover.telemetry.wheels)
    assert all(wheel.asked_rad_s == 0.0 for wheel in rover.telemetry.wheels)


def test_a_loop_that_hangs_is_stopped_by_the_controllers_themselves() -> None:
    rover = MemoryRover().driving(FULL)
    rover.clock.sleep_s(0.3 + PLANT_S)
    assert rover.stands()
    assert all(controller.timed_out for controller in rover.truth().controllers)
    # The commands in flight have aged meanwhile: nothing moves when the loop goes on.
    rover.say(FULL)
    rover.hush()
    rover.run(0.3)
    assert rover.stands()


@pytest.mark.parametrize("stall_s", [0.21, 0.5, 10.0])
def test_after_a_stall_of_the_loop_nothing_starts_though_the_phone_goes_on(stall_s: float) -> None:
    """The controllers may have stopped by themselves: going on would be a start without a ramp."""
    rover = MemoryRover().driving(FULL)
    rover.clock.sleep_s(stall_s)
    before = max(abs(wheel.speed_rad_s) for wheel in rover.truth().wheels)
    rover.tick()
    assert rover.state is ArmState.FAULT
    assert "stood still" in rover.loop.arming.reason
    rover.time_to_stand_s(0.5)
    rover.run(1.0)
    assert rover.stands()
    assert before <= FULL.speed_mps / 0.075 * 1.05


def test_a_tick_that_is_only_late_drives_on() -> None:
    rover = MemoryRover().driving(FULL)
    rover.clock.sleep_s(0.1)
    rover.run(0.5)
    assert rover.state is ArmState.ARMED
    assert not rover.stands()


@pytest.mark.parametrize("slow_s", [0.02, 0.09])
def test_a_tick_that_hears_slowly_is_no_fault(slow_s: float) -> None:
    """Ramps and the gate count the same time, or corners that turn meanwhile would be refused."""
    rover = MemoryRover().armed()
    rover.say(Arc(0.0, 2.0))
    rover.run(0.05)
    rover.hears_slowly(slow_s)
    rover.run(0.5)
    assert rover.state is ArmState.ARMED, rover.loop.arming.reason


def test_nothing_is_armed_before_the_devices_have_been_looked_at() -> None:
    config = osr_config()
    config = structs.replace(config, steering=structs.replace(config.steering, calibrated=False))
    rover = MemoryRover(config)
    answer = rover.ask(RequestKind.ARM)
    assert not answer.accepted
    assert "not looked" in answer.refusals[0]


@pytest.mark.parametrize("speed_mps", [0.2, 1.0, -1.0])
def test_a_wheel_that_is_held_fast(speed_mps: float) -> None:
    rover = MemoryRover().armed()
    rover.simulated.inject(LockWheel("left_middle"))
    rover.say(Arc(speed_mps, 0.0))
    start_s = rover.clock.now_s()
    while rover.state is ArmState.ARMED:
        rover.tick()
        assert rover.clock.now_s() - start_s < 1.0 + 0.2, "nobody noticed"
    rover.time_to_stand_s(0.5)
    assert "left_middle" in rover.loop.arming.reason


def test_a_slow_bring_up_does_not_come_before_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    rover = MemoryRover().driving(FULL)

    def hanging() -> None:
        rover.clock.sleep_s(5.0)
        raise DeviceError("still nothing")

    monkeypatch.setattr(rover.hardware.power, "start", hanging)
    rover.simulated.inject(UnplugI2c(rover.config.power.address))
    rover.run(3.0)
    rover.simulated.inject(InjectStatus(0x82, 1 << 6))
    rover.time_to_stand_s(0.3 + PLANT_S)
    assert not any(controller.timed_out for controller in rover.truth().controllers)


def test_driving_goes_on_with_one_byte_in_a_hundred_corrupted() -> None:
    rover = MemoryRover().armed()
    rover.simulated.inject(CorruptBytes(share=0.01))
    rover.say(FULL)
    rover.run(1.5)
    slowest = math.inf
    for _ in range(300):
        rover.tick()
        slowest = min(slowest, *(wheel.speed_rad_s for wheel in rover.truth().wheels))
    assert rover.state is ArmState.ARMED, rover.loop.arming.reason
    assert slowest > 0.8 / 0.075
    for view, truth in zip(rover.telemetry.wheels, rover.truth().wheels, strict=True):
        assert view.speed_rad_s == pytest.approx(truth.speed_rad_s, rel=0.1)
    assert (
        math.hypot(
            rover.telemetry.pose.x_m - rover.truth().pose.x_m,
            rover.telemetry.pose.y_m - rover.truth().pose.y_m,
        )
        < 0.15
    )


@pytest.mark.parametrize("controllers_too", [False, True])
def test_an_i2c_bus_that_is_held_low(
    monkeypatch: pytest.MonkeyPatch, *, controllers_too: bool
) -> None:
    rover = MemoryRover().driving(FULL)

    def hang(*_transfer: object) -> bytes:
        rover.clock.sleep_s(I2C_DEADLINE_S)
        raise DeviceTimeoutError("the transfer did not end")

    monkeypatch.setattr(rover.simulated.i2c, "transfer", hang)
    if controllers_too:
        for address in (0x80, 0x81, 0x82):
            rover.simulated.inject(Silence(address))
    longest_s = dict.fromkeys(ArmState, 0.0)
    stood_s = math.inf
    began_s = rover.clock.now_s()
    rover.say(Arc(1.0, 1.0))
    while rover.clock.now_s() < began_s + 10.0:
        tick_s, state = rover.clock.now_s(), rover.state
        rover.tick()
        longest_s[state] = max(longest_s[state], rover.clock.now_s() - tick_s)
        if rover.stands():
            stood_s = min(stood_s, rover.clock.now_s() - began_s)
    assert rover.state is ArmState.FAULT
    assert stood_s <= rover.config.deadlines.steering_s + TICK_S + PLANT_S
    # Measured with the wait for the tick: one deadline of the bus, and with the controllers
    # silent too a command and a reading each; afterwards three tries to find each of them.
    assert longest_s[ArmState.ARMED] <= (0.1 if controllers_too else TICK_S + 0.025)
    assert longest_s[ArmState.FAULT] <= (0.3 if controllers_too else 0.06)


def test_targets_that_are_not_numbers_stop_at_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if kinematics had a bug: the last check is independent of it."""
    rover = MemoryRover().driving(FULL)
    bad = WheelTargets((0.0,) * 6, (math.nan,) * 6)
    monkeypatch.setattr(rover.loop._kinematics, "targets", lambda _motion: bad)
    monkeypatch.setattr(rover.loop._kinematics, "speed_fraction", lambda _motion: 1.0)
    rover.time_to_stand_s(TICK_S + PLANT_S)
    assert rover.state is ArmState.FAULT
    assert "gate" in rover.loop.arming.reason


@pytest.mark.parametrize("held_s", [0.05, 0.2, 0.5])
def test_a_dead_encoder_leaves_no_wheel_turning_when_the_stick_is_let_go_of(held_s: float) -> None:
    """The controller believes that the wheel stands, and its integral must not drive it on."""
    rover = MemoryRover().driving(FULL)
    rover.simulated.inject(SetEncoder("left_front", EncoderState.DEAD))
    rover.run(held_s)
    rover.say(Arc(0.0, 0.0))
    rover.time_to_stand_s(1.5)
    rover.run(1.0)
    assert rover.stands()


def test_a_bug_in_one_controllers_packets_leaves_none_of_the_others_turning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = osr_config()
    panel = structs.replace(config.panel, motor_enable=None)
    rover = MemoryRover(structs.replace(config, panel=panel)).driving(FULL)
    port = rover.hardware.drive._port
    send = port.send

    def broken(controller, packet):
        if controller.address == 0x80:
            raise RuntimeError("a bug")
        return send(controller, packet)

    monkeypatch.setattr(port, "send", broken)
    rover.loop.shut_down()
    units = rover.simulated.devices.units
    assert [all(o.idle for o in unit.outputs) for unit in units] == [False, True, True]


@pytest.mark.parametrize("broken", [False, True], ids=["slow", "fails"])
def test_the_motor_enable_line_does_not_wait_for_a_serial_port_to_close(
    monkeypatch: pytest.MonkeyPatch, *, broken: bool
) -> None:
    rover = MemoryRover().driving(FULL)
    enabled: list[bool] = []

    def close() -> None:
        enabled.append(rover.truth().motor_enable)
        rover.clock.sleep_s(30.0)
        if broken:
            raise DeviceError("the port is gone")

    monkeypatch.setattr(rover.hardware.drive, "close", close)
    rover.loop.shut_down()
    assert enabled == [False]
    assert rover.stands()


def test_control_that_is_started_anew_stops_what_a_killed_one_has_left_turning() -> None:
    """Before it has asked anybody anything, which would feed the controllers' own timeout."""
    rover = MemoryRover().driving(FULL)
    units = rover.simulated.devices.units
    line = rover.simulated.serial_line
    idle_before: dict[bool, bool] = {}
    write = line.write

    def spied(data: bytes) -> None:
        reads = data[1] not in (34, 35)
        idle_before.setdefault(reads, all(output.idle for unit in units for output in unit.outputs))
        write(data)

    line.write = spied
    drive = RoboclawDrive(rover.config, rover.clock, lambda: line)
    drive.start()
    assert idle_before == {False: False, True: True}
